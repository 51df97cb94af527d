//! Scores the corpus of real crash logs through the real binary, per runtime.
//!
//! A case is a folder in `tests/corpus/` with `log.txt` and `case.yaml`. Runtimes that are done must be right in every
//! check; the others are scored and printed only, until their grammar is written.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

/// Runtimes whose grammar is still to be written: the list shrinks with each one.
const OPEN: [&str; 3] = ["beam", "haskell", "ocaml"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    runtime: Words,
    #[serde(default)]
    termination: Termination,
    expect: Expect,
    #[serde(default)]
    secrets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Any(Vec<String>),
}

impl Words {
    fn list(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Any(words) => words,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Termination {
    exit_code: Option<i64>,
    signal: Option<i64>,
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Expect {
    category: String,
    reason: String,
    message: Option<String>,
    exception: Option<String>,
    culprit: Option<Place>,
    evidence: Option<String>,
    group: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    function: Option<String>,
    file: Option<String>,
    line: Option<i64>,
}

#[derive(Default)]
struct Score {
    checks: BTreeMap<&'static str, (u32, u32)>,
    failures: Vec<String>,
}

impl Score {
    fn check(&mut self, kind: &'static str, case: &str, good: bool, detail: impl FnOnce() -> String) {
        let (passed, total) = self.checks.entry(kind).or_default();
        *passed += u32::from(good);
        *total += 1;
        if !good {
            self.failures.push(format!("{kind:9} {case}: {}", detail()));
        }
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases() -> Vec<(String, Case)> {
    let mut names: Vec<String> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| corpus().join(name).join("case.yaml").is_file())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let text = std::fs::read_to_string(corpus().join(&name).join("case.yaml")).unwrap();
            let case = coroner::yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, case)
        })
        .collect()
}

fn explain(name: &str, termination: &Termination) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coroner"));
    command.arg("explain").arg(corpus().join(name).join("log.txt")).args(["-o", "json"]);
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
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A function's last name without arguments.
fn bare(function: &str) -> &str {
    let function = function.split('(').next().filter(|_| function.ends_with(')')).unwrap_or(function);
    function.rsplit(['.', ':']).next().unwrap_or_default()
}

fn judge(score: &mut Score, name: &str, case: &Case, answer: &Value) {
    let finding = &answer["finding"];
    let is = |field: &str, expected: &str| finding[field].as_str() == Some(expected);
    let expect = &case.expect;
    score.check("category", name, is("category", &expect.category), || {
        format!("{} for {}", finding["category"], expect.category)
    });
    score
        .check("reason", name, is("reason", &expect.reason), || format!("{} for {}", finding["reason"], expect.reason));
    let runtimes = case.runtime.list();
    score.check("runtime", name, runtimes.iter().any(|r| is("runtime", r)), || {
        format!("{} for {runtimes:?}", finding["runtime"])
    });
    if let Some(message) = &expect.message {
        let got = finding["message"].as_str().unwrap_or_default();
        score.check("message", name, got.contains(message), || format!("{got:?} lacks {message:?}"));
    }
    if let Some(exception) = &expect.exception {
        let last = exception.rsplit('.').next().unwrap_or_default();
        let got = finding["exception"].as_str().unwrap_or_default();
        score.check("exception", name, got.ends_with(last), || format!("{got:?} for {exception:?}"));
    }
    judge_culprit(score, name, expect.culprit.as_ref(), answer);
    if let Some(evidence) = &expect.evidence {
        let plain = |text: &str| text.replace('\t', "");
        let excerpt = plain(answer["evidence"]["excerpt"].as_str().unwrap_or_default()).replace("\\\"", "\"");
        score.check("evidence", name, excerpt.contains(plain(evidence).trim()), || {
            format!("the excerpt lacks {evidence:?}")
        });
    }
    let whole = answer.to_string();
    score.check("clean", name, !whole.contains("\\u001b"), || "an escape character is in the answer".to_owned());
    for secret in &case.secrets {
        score.check("redacted", name, !whole.contains(secret), || "a secret is in the answer".to_owned());
    }
}

fn judge_culprit(score: &mut Score, name: &str, expected: Option<&Place>, answer: &Value) {
    let got = &answer["finding"]["culprit"];
    let file = got["file"].as_str().unwrap_or_default();
    let Some(place) = expected else {
        let log = String::from_utf8_lossy(&std::fs::read(corpus().join(name).join("log.txt")).unwrap()).into_owned();
        let base = file.rsplit('/').next().unwrap_or_default();
        return score.check("invented", name, log.contains(base), || format!("{got} is not in the log"));
    };
    let named = |function: &String| bare(got["function"].as_str().unwrap_or_default()) == bare(function);
    let good = match &place.file {
        Some(wanted) => file.ends_with(wanted) && (place.line.is_none() || got["line"].as_i64() == place.line),
        None => place.function.as_ref().is_none_or(named),
    };
    score.check("culprit", name, good, || format!("{got} for {:?}:{:?}", place.file, place.line));
    if let Some(function) = place.function.as_ref().filter(|function| !function.is_empty()) {
        score.check("function", name, named(function), || format!("{got} for {function}"));
    }
}

/// Same group, same fingerprint; another group, another one.
fn judge_groups(score: &mut Score, members: &[(String, String, String)]) {
    for (at, (group, case, mark)) in members.iter().enumerate() {
        for (other_group, other_case, other_mark) in &members[at + 1..] {
            let pair = format!("{case} ~ {other_case}");
            if group == other_group {
                score.check("same-bug", &pair, mark == other_mark, || format!("{mark} and {other_mark}"));
            } else {
                score.check("other-bug", &pair, mark != other_mark, || format!("both {mark}"));
            }
        }
    }
}

fn table(scores: &BTreeMap<String, Score>) -> String {
    let kinds =
        ["category", "reason", "runtime", "message", "culprit", "function", "evidence", "same-bug", "other-bug"];
    let mut out = format!("{:9}", "runtime");
    kinds.iter().for_each(|kind| write!(out, " {kind:>12}").unwrap());
    for (runtime, score) in scores {
        write!(out, "\n{runtime:9}").unwrap();
        for kind in kinds {
            let cell = score.checks.get(kind).map_or("-".to_owned(), |(passed, total)| format!("{passed}/{total}"));
            write!(out, " {cell:>12}").unwrap();
        }
    }
    out
}

/// The answers of the binary to all cases, two processes at a time.
fn answers(cases: &[(String, Case)]) -> Vec<Value> {
    let ask = |cases: &[(String, Case)]| -> Vec<Value> {
        cases.iter().map(|(name, case)| explain(name, &case.termination)).collect()
    };
    let (first, second) = cases.split_at(cases.len() / 2);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| ask(first));
        let second = ask(second);
        [first.join().unwrap(), second].concat()
    })
}

#[test]
fn the_corpus_is_classified_right_for_every_runtime_that_is_done() {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut groups: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    let cases = cases();
    for ((name, case), answer) in cases.iter().zip(answers(&cases)) {
        let (name, case) = (name.clone(), case);
        let runtime = case.runtime.list()[0].clone();
        judge(scores.entry(runtime.clone()).or_default(), &name, case, &answer);
        if let Some(group) = &case.expect.group {
            let mark = answer["fingerprint"].as_str().unwrap_or_default().to_owned();
            groups.entry(runtime).or_default().push((group.clone(), name, mark));
        }
    }
    for (runtime, members) in &groups {
        judge_groups(scores.entry(runtime.clone()).or_default(), members);
    }
    println!("{}", table(&scores));
    let done = scores.iter().filter(|(runtime, _)| !OPEN.contains(&runtime.as_str()));
    let failures: Vec<&String> = done.flat_map(|(_, score)| &score.failures).collect();
    assert!(failures.is_empty(), "{} wrong:\n{failures:#?}", failures.len());
}

#[test]
fn the_machine_faults_that_need_no_grammar_are_right() {
    // Of the open runtimes, these rest on exit facts alone.
    let alone = [
        "native-segfault-no-message",
        "native-bus-error-mapping",
        "native-floating-point-exception",
        "native-illegal-instruction-trap",
        "native-abort",
        "python-killed",
        "python-oom-killed",
    ];
    let mut score = Score::default();
    for (name, case) in cases().iter().filter(|(name, _)| alone.contains(&name.as_str())) {
        judge(&mut score, name, case, &explain(name, &case.termination));
    }
    assert_eq!(score.checks["reason"].1 as usize, alone.len());
    assert!(score.failures.is_empty(), "{:#?}", score.failures);
}
