//! What is right in an answer, and the score.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::case::{Case, Place};

#[derive(Default)]
pub struct Score {
    pub checks: BTreeMap<&'static str, (u32, u32)>,
    pub failures: Vec<String>,
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

    /// The share of checks that passed, all kinds weighing the same: pairs of a group are many, reasons are few.
    fn share(&self) -> f64 {
        let shares = self.checks.values().map(|(passed, total)| f64::from(*passed) / f64::from(*total));
        shares.sum::<f64>() / self.checks.len().max(1) as f64
    }
}

/// A function's last name without arguments.
fn bare(function: &str) -> &str {
    let function = function.split('(').next().filter(|_| function.ends_with(')')).unwrap_or(function);
    function.rsplit(['.', ':']).next().unwrap_or_default()
}

pub fn judge(score: &mut Score, case: &Case, answer: &Value) {
    let (name, expect) = (&case.name, &case.spec.expect);
    let finding = &answer["finding"];
    let is = |field: &str, expected: &str| finding[field].as_str() == Some(expected);
    score.check("category", name, is("category", &expect.category), || {
        format!("{} for {}", finding["category"], expect.category)
    });
    score
        .check("reason", name, is("reason", &expect.reason), || format!("{} for {}", finding["reason"], expect.reason));
    let runtimes = case.spec.runtimes();
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
    match &expect.culprit {
        Some(place) => judge_culprit(score, name, place, &finding["culprit"]),
        None => judge_invented(score, case, &finding["culprit"]),
    }
    judge_text(score, case, answer);
}

fn judge_text(score: &mut Score, case: &Case, answer: &Value) {
    let name = &case.name;
    if let Some(evidence) = &case.spec.expect.evidence {
        let plain = |text: &str| text.replace('\t', "");
        let excerpt = plain(answer["evidence"]["excerpt"].as_str().unwrap_or_default()).replace("\\\"", "\"");
        score.check("evidence", name, excerpt.contains(plain(evidence).trim()), || {
            format!("the excerpt lacks {evidence:?}")
        });
    }
    let whole = answer.to_string();
    score.check("clean", name, !whole.contains("\\u001b"), || "an escape character is in the answer".to_owned());
    for secret in &case.spec.secrets {
        score.check("redacted", name, !whole.contains(secret), || "a secret is in the answer".to_owned());
    }
}

/// Where no culprit is expected, one may be named, but only one that the log names.
fn judge_invented(score: &mut Score, case: &Case, got: &Value) {
    let log = String::from_utf8_lossy(&case.log);
    let base = got["file"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    score.check("invented", &case.name, log.contains(base), || format!("{got} is not in the log"));
}

fn judge_culprit(score: &mut Score, name: &str, place: &Place, got: &Value) {
    let file = got["file"].as_str().unwrap_or_default();
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

/// A case of a group with its fingerprint.
pub struct Member {
    pub group: String,
    pub case: String,
    pub mark: String,
}

/// Same group, same fingerprint; another group, another one.
pub fn judge_groups(score: &mut Score, members: &[Member]) {
    for (at, one) in members.iter().enumerate() {
        for other in &members[at + 1..] {
            let pair = format!("{} ~ {}", one.case, other.case);
            if one.group == other.group {
                score.check("same-bug", &pair, one.mark == other.mark, || format!("{} and {}", one.mark, other.mark));
            } else {
                score.check("other-bug", &pair, one.mark != other.mark, || format!("both {}", one.mark));
            }
        }
    }
}

/// The score of each runtime, and their plain mean, in which a big runtime cannot hide a small one.
pub fn table(scores: &BTreeMap<String, Score>) -> String {
    let kinds =
        ["category", "reason", "runtime", "message", "culprit", "function", "evidence", "same-bug", "other-bug"];
    let mut out = format!("{:9}", "runtime");
    kinds.iter().for_each(|kind| write!(out, " {kind:>11}").unwrap());
    write!(out, "   score").unwrap();
    for (runtime, score) in scores {
        write!(out, "\n{runtime:9}").unwrap();
        for kind in kinds {
            let cell = score.checks.get(kind).map_or("-".to_owned(), |(passed, total)| format!("{passed}/{total}"));
            write!(out, " {cell:>11}").unwrap();
        }
        write!(out, " {:6.2}%", 100.0 * score.share()).unwrap();
    }
    let mean = scores.values().map(Score::share).sum::<f64>() / scores.len().max(1) as f64;
    write!(out, "\nplain mean of {} runtimes {:.2}%", scores.len(), 100.0 * mean).unwrap();
    out
}
