//! Every plain log of the corpus, as collectors and loggers would have written it: what is found must not hang on it.
//!
//! The expectation is what the plain log came to, which `tests/corpus.rs` has checked. What a form really loses is listed
//! in [`LOSSES`], with the reason.

#![allow(clippy::unwrap_used)]

mod forms;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coroner::classify::{Classification, Engine, ExitFacts};
use forms::{Form, LINES, Log, RECORDS};
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

/// What the form takes from such logs: part of a case's name, part of a form's, and why.
const LOSSES: &[(&str, &str, &str)] = &[
    ("haskell-", "pino", "it has the head of the trace as its message"),
    ("haskell-", "gelf", "it has the head of the trace as its message"),
    ("ocaml-", "pino", "it has the head of the trace as its message"),
    ("ocaml-", "gelf", "it has the head of the trace as its message"),
    ("go-made-zap-console", "", "its fields are told apart by tabs, and its stack is no part of the record"),
    ("go-made-lines-", "no empty lines", "its message has empty lines"),
    ("-null-by-shell", "", "the shell's own words are known by standing alone"),
    ("go-made-index-traceback-none", "", "a panic without a stack counts only at the start of a line"),
    ("rust-listen-anyhow", "interleaved", "the chain's last line comes behind the other writer's"),
    ("nodejs-pm2-runtime-undefined", "interleaved", "the lines of pm2 are the trace's prefix"),
    ("jvm-made-", "pino", "it has the head of the trace as its message"),
    ("jvm-made-", "gelf", "it has the head of the trace as its message"),
    ("python-structlog-dict", "", "a record in a record"),
    ("python-divide-313-colours", "pairs of a stream", "an escape that is escaped again"),
    ("nodejs-deno2-", "pairs of a stream", "an escape that is escaped again"),
    ("nodejs-deno-cause-colours", "pairs of a stream", "an escape that is escaped again"),
    ("native-", "pairs of a stream", "a logger's own lines end no process"),
    ("python-faulthandler", "pairs of a stream", "a logger's own lines end no process"),
    ("nodejs-abort", "pairs of a stream", "a logger's own lines end no process"),
    ("python-django-migrate", "", "the excerpt begins in the middle of a chain"),
    ("python-sqlalchemy", "", "the excerpt begins in the middle of a chain"),
    ("python-requests", "", "the excerpt begins in the middle of a chain"),
    ("python-django-pg-refused", "", "the excerpt begins in the middle of a chain"),
    ("python-job-", "", "the excerpt begins in the middle of a chain"),
    ("ruby-job-", "", "the excerpt begins in the middle of a chain"),
    ("ruby-jruby-cause", "", "the excerpt begins in the middle of a chain"),
    ("jvm-guice", "", "frames inside of the text of what no logger was handed"),
    ("jvm-library-snakeyaml", "", "an exception that leaves its class out, below a title that the form has not"),
    ("go-told-logrus-stack", "", "a record in a record"),
    ("dotnet-json-console-indented", "", "a record in a record"),
    ("jvm-logfmt", "", "a record in a record"),
    ("jvm-gelf", "", "a record in a record"),
    ("tslog", "", "the layout of a console, which no record holds"),
    ("rust-granary-better", "", "the layout of a console, which no record holds"),
    ("python-told-dagster", "", "the layout of a console, which no record holds"),
    ("python-told-ipython", "", "the layout of a console, which no record holds"),
    ("python-told-papermill", "", "the layout of a console, which no record holds"),
    ("ocaml-script-", "", "the layout of a console, which no record holds"),
    ("beam-", "stern of a set", "its reports are told by how far they are indented"),
    ("perl-", "stern of a set", "nothing but its own form tells the first line"),
    ("lua-", "stern of a set", "the same"),
    ("", "stopped by a shell", "without a word of an error before it, the last line is the shell's"),
];
/// Share of the cases of a form that must come out the same beyond those: what a new case loses is worth a look, and then
/// a repair or a line above, but says little about the form.
const LEAST: f64 = 0.98;

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

/// How many of the cases of each form come out the same, of how many; and what differs in the others.
#[derive(Default)]
struct Scores {
    forms: BTreeMap<&'static str, (usize, usize)>,
    failures: Vec<String>,
}

impl Scores {
    fn case(&mut self, engine: &Engine, form: &Form, case: &Plain) {
        let decisive = &case.answer.excerpt[case.answer.decisive_from..];
        let log = Log { text: &case.log, decisive, code: case.facts.exit_code, answer: &case.answer };
        let Some(wrapped) = (form.wrap)(&log) else { return };
        let differ = differences(&case.answer, &engine.classify(&wrapped, case.facts.clone()));
        let lost = LOSSES.iter().any(|(name, of, _)| case.name.contains(name) && form.name.contains(of));
        let (same, all) = self.forms.entry(form.name).or_default();
        *all += 1;
        *same += usize::from(differ.is_empty() || lost);
        if !differ.is_empty() && !lost {
            self.failures.push(format!("{} in {}:{differ}", case.name, form.name));
        }
    }
}

#[test]
fn what_is_found_does_not_hang_on_how_a_log_was_collected() {
    let engine = Engine::default();
    let every = std::env::var("CORONER_ENVELOPES").ok().and_then(|n| n.parse().ok()).unwrap_or(EVERY);
    let cases: Vec<Plain> = folders().iter().filter_map(|folder| plain(&engine, folder)).collect();
    let mut scores = Scores::default();
    for (at, form) in LINES.iter().chain(RECORDS).enumerate() {
        cases.iter().skip(at % every).step_by(every).for_each(|case| scores.case(&engine, form, case));
    }
    let Scores { forms, failures } = scores;
    forms.iter().for_each(|(name, (same, all))| println!("{name:<26} {same:>5}/{all}"));
    let bad = forms.iter().filter(|(_, (same, all))| (*same as f64) < *all as f64 * LEAST).count();
    assert_eq!(bad, 0, "{} differ:\n{}", failures.len(), failures.join("\n"));
    println!("{} differ:\n{}", failures.len(), failures.join("\n"));
}
