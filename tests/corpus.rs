//! Scores the corpus of real crash logs per runtime, and prints what it covers.
//!
//! A case is a folder in `tests/corpus/` with `log.txt` and `case.yaml`. Runtimes that are done must be right in every
//! check; the others are scored and printed only, until their grammar is written.
//!
//! The cases are classified in this process: of a process for each, nine tenths of the time went into reading rules and
//! expressions again. That the binary answers the same is checked on every [`SAMPLE`]th case, and on all of them with
//! `CORONER_CORPUS=binary`.

#![allow(clippy::unwrap_used)]

#[path = "support/corpus/mod.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::process::Command;

use coroner::classify::{Engine, ExitFacts, Subject};
use coroner::cli::explain;
use serde_json::Value;

use corpus::case::{Case, Spec, cases};
use corpus::coverage::{Coverage, is_wrapped};
use corpus::envelope::{ENVELOPES, Envelope};
use corpus::judge::{Member, Score, judge, judge_groups, table};

/// Runtimes whose grammar is still to be written: the list shrinks with each one.
const OPEN: [&str; 0] = [];
/// Logs that are not yet understood in an envelope. The list shrinks with each one.
const OPEN_IN_ENVELOPES: [&str; 3] = [
    // `GOTRACEBACK=none`: one line that any program may log, of which only the first column shows that Go wrote it.
    "go-made-index-traceback-none",
    // Records of several lines: JSON that is pretty-printed, or another form with a line break inside.
    "python-structlog-dict",
    "go-made-zap-console",
];
/// Of so many cases one is put to the binary too.
const SAMPLE: usize = 25;

fn classified(engine: &Engine, log: &[u8], facts: ExitFacts) -> Value {
    explain::as_json(&engine.classify(log, facts).about(&Subject::default())).unwrap()
}

/// The answers to all cases, on two threads.
fn answers(cases: &[Case]) -> Vec<Value> {
    let engine = Engine::default();
    let ask = |case: &Case| classified(&engine, &case.log, case.spec.facts());
    in_two(cases, ask)
}

/// Maps a slice in order, on two threads.
fn in_two<T: Sync, R: Send>(items: &[T], map: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (first, second) = items.split_at(items.len() / 2);
    let each = |half: &[T]| -> Vec<R> { half.iter().map(&map).collect() };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| each(first));
        let second = each(second);
        first.join().unwrap().into_iter().chain(second).collect()
    })
}

fn binary(case: &Case) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coroner"));
    command.arg("explain").arg(case.log_path()).args(["-o", "json"]);
    let Spec { termination, .. } = &case.spec;
    for (flag, value) in [
        ("--exit-code", termination.exit_code.map(|n| n.to_string())),
        ("--signal", termination.signal.filter(|n| *n != 0).map(|n| n.to_string())),
        ("--reason", termination.reason.clone()),
        ("--message", termination.message.clone()),
    ] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}: {}", case.name, String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_corpus_is_classified_right_for_every_runtime_that_is_done() {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut groups: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    let mut coverage = Coverage::default();
    let cases = cases();
    for (case, answer) in cases.iter().zip(answers(&cases)) {
        let runtime = case.runtime().to_owned();
        judge(scores.entry(runtime.clone()).or_default(), case, &answer);
        coverage.count(case, &answer);
        if let Some(group) = &case.spec.expect.group {
            let mark = answer["fingerprint"].as_str().unwrap_or_default().to_owned();
            groups.entry(runtime).or_default().push(Member { group: group.clone(), case: case.name.clone(), mark });
        }
    }
    for (runtime, members) in &groups {
        judge_groups(scores.entry(runtime.clone()).or_default(), members);
    }
    println!("{}\n\n{}", coverage.table(), table(&scores));
    let done = scores.iter().filter(|(runtime, _)| !OPEN.contains(&runtime.as_str()));
    let failures: Vec<&String> = done.flat_map(|(_, score)| &score.failures).collect();
    assert!(failures.is_empty(), "{} wrong:\n{failures:#?}", failures.len());
}

#[test]
fn the_binary_answers_as_the_library_does() {
    let step = if std::env::var("CORONER_CORPUS").is_ok_and(|word| word == "binary") { 1 } else { SAMPLE };
    let cases: Vec<Case> = cases().into_iter().step_by(step).collect();
    let told = in_two(&cases, binary);
    for ((case, answer), told) in cases.iter().zip(answers(&cases)).zip(told) {
        assert_eq!(told, answer, "{}", case.name);
    }
}

/// What must not depend on how a collector hands the log over.
fn essence(answer: &Value) -> [String; 5] {
    let finding = &answer["finding"];
    let fields = [&finding["reason"], &finding["runtime"], &finding["message"], &finding["culprit"]];
    let [reason, runtime, message, culprit] = fields.map(Value::to_string);
    [reason, runtime, message, culprit, answer["fingerprint"].to_string()]
}

/// What changes when this collector hands over the log of a case.
fn changes(engine: &Engine, case: &Case, plain: &Value, envelope: &Envelope) -> Option<String> {
    let log = envelope.around(&String::from_utf8_lossy(&case.log));
    let wrapped = classified(engine, log.as_bytes(), case.spec.facts());
    let (before, after) = (essence(plain), essence(&wrapped));
    (before != after).then(|| format!("{} in {}: {after:?} for {before:?}", case.name, envelope.name))
}

fn is_open(case: &Case) -> bool {
    OPEN.contains(&case.runtime()) || OPEN_IN_ENVELOPES.iter().any(|name| case.name.contains(name))
}

/// One collector for each case, in turns; all of them with `CORONER_CORPUS=envelopes`.
#[test]
fn a_collectors_envelope_changes_nothing() {
    let engine = Engine::default();
    let all = std::env::var("CORONER_CORPUS").is_ok_and(|word| word == "envelopes");
    let cases: Vec<(usize, Case)> =
        cases().into_iter().filter(|case| !is_open(case) && !is_wrapped(case)).enumerate().collect();
    let changed = in_two(&cases, |(at, case)| -> Vec<String> {
        let plain = classified(&engine, &case.log, case.spec.facts());
        let chosen = ENVELOPES.iter().enumerate().filter(|(n, _)| all || at % ENVELOPES.len() == *n);
        chosen.filter_map(|(_, envelope)| changes(&engine, case, &plain, envelope)).collect()
    });
    let changed: Vec<String> = changed.into_iter().flatten().collect();
    assert!(changed.is_empty(), "{} changed:\n{changed:#?}", changed.len());
}

/// More than the beginning of a log, in which all anchors are looked for.
const TRAFFIC_BYTES: usize = 600 * 1024;

#[test]
fn a_crash_behind_much_traffic_is_the_same_crash() {
    let engine = Engine::default();
    let traffic: Vec<u8> =
        (0..).flat_map(|n| format!("served request {n}\n").into_bytes()).take(TRAFFIC_BYTES).collect();
    let end = traffic.iter().rposition(|b| *b == b'\n').unwrap() + 1;
    // Of a log that begins inside of a trace, the first line shows it.
    let whole = |case: &&Case| !case.spec.kind.contains("cut");
    let cases: Vec<Case> = cases().into_iter().filter(|case| whole(&case)).collect();
    let changed = in_two(&cases, |case| {
        let log = [&traffic[..end], &case.log].concat();
        let (alone, behind) =
            (classified(&engine, &case.log, case.spec.facts()), classified(&engine, &log, case.spec.facts()));
        let (alone, behind) = (essence(&alone), essence(&behind));
        (alone != behind).then(|| format!("{}: {behind:?} for {alone:?}", case.name))
    });
    let changed: Vec<String> = changed.into_iter().flatten().collect();
    assert!(changed.is_empty(), "{} changed:\n{changed:#?}", changed.len());
}

#[test]
fn a_lost_log_leaves_what_the_exit_says_and_no_more() {
    let engine = Engine::default();
    let cases = cases();
    for case in cases.iter().filter(|case| case.spec.termination.message.is_none()) {
        let finding = classified(&engine, b"", case.spec.facts())["finding"].take();
        let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        assert!(finding["culprit"].is_null(), "{}: {finding}", case.name);
        assert!(["unknown", "native"].contains(&text("runtime").as_str()), "{}: {finding}", case.name);
        assert!(!["Code", "Dependency"].contains(&text("category").as_str()), "{}: {finding}", case.name);
    }
}

/// The log without everything up to the line that says what happened.
fn without_head<'a>(log: &'a str, message: &str) -> Option<&'a str> {
    let at = log.find(message.lines().next().filter(|line| line.len() > 8)?)?;
    let rest = &log[at..];
    Some(&rest[rest.find('\n')? + 1..]).filter(|rest| !rest.trim().is_empty())
}

#[test]
fn with_its_head_cut_off_a_log_still_names_only_what_is_left_of_it() {
    let engine = Engine::default();
    let cases = cases();
    let named = in_two(&cases, |case| {
        let log = String::from_utf8_lossy(&case.log);
        let rest = without_head(&log, case.spec.expect.message.as_deref()?)?;
        let answer = classified(&engine, rest.as_bytes(), case.spec.facts());
        let file = answer["finding"]["culprit"]["file"].as_str().unwrap_or_default().to_owned();
        let base = file.rsplit('/').next().unwrap_or_default();
        Some((case.name.clone(), rest.contains(base), file))
    });
    let named: Vec<_> = named.into_iter().flatten().collect();
    let invented: Vec<_> = named.iter().filter(|(_, left, _)| !left).collect();
    assert!(invented.is_empty(), "{invented:#?}");
    assert!(named.len() > 200, "only {} logs could be cut", named.len());
}
