//! Every plain log of the corpus, as collectors and loggers would have written it: what is found must not hang on it.
//!
//! The expectation is what the plain log came to, which `tests/corpus.rs` has checked. What a form really loses is listed
//! in [`LOSSES`], with the reason.

#![allow(clippy::unwrap_used)]

mod forms;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner::classify::{Classification, Engine, ExitFacts};
use forms::{LINES, Log, RECORDS};
use serde::Deserialize;

/// Of so many cases each form sees one, another one than the next form: all forms see all runtimes, and a debug build is
/// done in a minute. `CORONER_ENVELOPES=1` makes it every case.
const EVERY: usize = 12;
/// Longest log that a form is put on: what is longer is a matter of `tests/streaming.rs`.
const LOG_BYTES: usize = 60_000;

/// What the names of cases have that are in such a form already.
const ENVELOPED: [&str; 12] = [
    "docker",
    "compose",
    "foreman",
    "kubectl",
    "pod_prefix",
    "-pod",
    "-cri",
    "coloured",
    "windows_ends",
    "interleaved",
    "levels",
    "stamps",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    #[serde(default)]
    termination: Termination,
    kind: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Termination {
    exit_code: Option<i32>,
    signal: Option<i32>,
    reason: Option<String>,
    message: Option<String>,
}

struct Plain {
    name: String,
    log: String,
    facts: ExitFacts,
    answer: Classification,
}

fn plain(engine: &Engine, folder: &Path) -> Option<Plain> {
    let name = folder.file_name()?.to_str()?.to_owned();
    let log = String::from_utf8(std::fs::read(folder.join("log.txt")).ok()?).ok()?;
    let case: Case = coroner::yaml::from_str(&std::fs::read_to_string(folder.join("case.yaml")).ok()?).unwrap();
    let kind = case.kind.unwrap_or_default();
    if log.trim().is_empty()
        || log.len() > LOG_BYTES
        || kind.contains("cut")
        || ENVELOPED.iter().any(|form| name.contains(form))
    {
        return None;
    }
    let Termination { exit_code, signal, reason, message } = case.termination;
    let facts = ExitFacts { exit_code, signal, reason, message, stated: None };
    let answer = engine.classify(log.as_bytes(), facts.clone());
    Some(Plain { name, log, facts, answer })
}

fn folders() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// What differs, in words; empty where nothing does.
fn differences(plain: &Classification, wrapped: &Classification) -> String {
    let (a, b) = (&plain.finding, &wrapped.finding);
    let pairs = [
        ("reason", format!("{:?}", a.reason), format!("{:?}", b.reason)),
        ("runtime", format!("{:?}", a.runtime), format!("{:?}", b.runtime)),
        ("exception", format!("{:?}", a.exception), format!("{:?}", b.exception)),
        ("message", a.message.clone(), b.message.clone()),
        ("culprit", format!("{:?}", a.culprit), format!("{:?}", b.culprit)),
        ("fingerprint", plain.fingerprint.clone(), wrapped.fingerprint.clone()),
    ];
    let differ = pairs.iter().filter(|(_, a, b)| a != b);
    differ.map(|(what, a, b)| format!("\n    {what}: {a}\n    {:>w$}: {b}", "got", w = what.len())).collect()
}

#[test]
fn what_is_found_does_not_hang_on_how_a_log_was_collected() {
    let engine = Engine::default();
    let every = std::env::var("CORONER_ENVELOPES").ok().and_then(|n| n.parse().ok()).unwrap_or(EVERY);
    let only = std::env::var("CORONER_FORM").ok();
    let cases: Vec<Plain> = folders().iter().filter_map(|folder| plain(&engine, folder)).collect();
    let mut scores: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failures = Vec::new();
    for (at, form) in LINES.iter().chain(RECORDS).enumerate() {
        if only.as_ref().is_some_and(|only| form.name != only) {
            continue;
        }
        for case in cases.iter().skip(at % every).step_by(every) {
            let decisive = &case.answer.excerpt[case.answer.decisive_from..];
            let log = Log { text: &case.log, decisive, code: case.facts.exit_code, answer: &case.answer };
            let Some(wrapped) = (form.wrap)(&log) else { continue };
            let answer = engine.classify(wrapped.as_slice(), case.facts.clone());
            let differ = differences(&case.answer, &answer);
            let score = scores.entry(form.name).or_default();
            score.1 += 1;
            if differ.is_empty() {
                score.0 += 1;
            } else {
                failures.push(format!("{} in {}:{differ}", case.name, form.name));
            }
        }
    }
    scores.iter().for_each(|(name, (good, all))| println!("{name:<24} {good:>5}/{all}"));
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
