//! What the corpus covers: for each runtime and reason, how many cases come in which form.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::case::Case;

/// The forms in which a log comes; a case counts in each that it has. Only logs that came in an envelope count as
/// prefixed; a test puts all the others into those of six collectors, loses them, and cuts off their heads.
pub const FORMS: [&str; 7] = ["plain", "prefixed", "JSON", "chained", "survived", "head cut", "log lost"];

/// Marks of a chain of causes.
const CHAINS: [&str; 11] = [
    "\nCaused by: ",
    "Wrapped by: ",
    "The above exception was the direct cause",
    "During handling of the above exception",
    "[cause]: ",
    " ---> ",
    "\nNext ",
    "[recovered]",
    "Caused by:\n",
    "\n\tpanic: ",
    "An exception was thrown by the type initializer",
];

/// The forms of a case, as indices of [`FORMS`].
pub fn forms(case: &Case, answer: &Value) -> Vec<usize> {
    let log = String::from_utf8_lossy(&case.log);
    let said: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    if said.is_empty() {
        return vec![6];
    }
    let kind = case.spec.kind.as_str();
    let has = [
        false,
        kind == "line-prefix" || kind == "prefixed" || is_prefixed(&said),
        kind.starts_with("json") || tells_in_json(case, answer, &said),
        kind == "chained" || CHAINS.iter().any(|mark| log.contains(mark)),
        answer["finding"]["contributing"].as_array().is_some_and(|others| !others.is_empty()),
        kind == "head-cut" || begins_inside(&said),
        false,
    ];
    let mut forms: Vec<usize> = (0..FORMS.len()).filter(|form| has[*form]).collect();
    if forms.is_empty() {
        forms.push(0);
    }
    forms
}

/// Whether a collector has put this log into an envelope.
pub fn is_wrapped(case: &Case) -> bool {
    let log = String::from_utf8_lossy(&case.log);
    let said: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    is_prefixed(&said) || said.iter().any(|line| line.starts_with("{\"log\":"))
}

/// Whether something stands before every line: a time stamp of one width, the pod's or the service's name.
fn is_prefixed(lines: &[&str]) -> bool {
    let stamped = |line: &&&str| {
        let bytes = line.as_bytes();
        bytes.len() > 20 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && bytes[10] == b'T'
    };
    let named = |line: &&&str| {
        line.starts_with("[pod/") || line.split_once(" | ").is_some_and(|(name, _)| !name.trim().contains(' '))
    };
    let all =
        |is: &dyn Fn(&&&str) -> bool| lines.len() > 1 && lines.iter().filter(|line| is(line)).count() == lines.len();
    all(&stamped) || all(&named)
}

/// Whether the line that says what happened is JSON.
fn tells_in_json(case: &Case, answer: &Value, lines: &[&str]) -> bool {
    let expected = case.spec.expect.message.as_deref().or(answer["finding"]["message"].as_str());
    let Some(message) = expected.filter(|message| !message.is_empty()) else { return false };
    let quoted = Value::from(message).to_string();
    let inner = &quoted[1..quoted.len() - 1];
    let telling = lines.iter().rev().find(|line| line.contains(inner) || line.contains(message));
    telling.is_some_and(|line| line.trim_start().starts_with('{') && line.trim_end().ends_with('}'))
}

/// Whether the first line lies inside of a trace.
fn begins_inside(lines: &[&str]) -> bool {
    let first = lines[0];
    let frame = first.trim_start();
    let indented = first.starts_with(['\t', ' ']);
    indented
        && (frame.starts_with("at ")
            || frame.starts_with("File \"")
            || frame.starts_with("from ")
            || frame.contains(".go:"))
}

/// The table, a row for each runtime and reason.
#[derive(Default)]
pub struct Coverage {
    rows: BTreeMap<(String, String), [u32; FORMS.len()]>,
}

impl Coverage {
    /// Counts a case.
    pub fn count(&mut self, case: &Case, answer: &Value) {
        let row = self.rows.entry((case.runtime().to_owned(), case.spec.expect.reason.clone())).or_default();
        forms(case, answer).into_iter().for_each(|form| row[form] += 1);
    }

    /// The table as text.
    pub fn table(&self) -> String {
        let mut out = format!("{:8} {:24}", "runtime", "reason");
        FORMS.iter().for_each(|form| write!(out, " {form:>8}").unwrap());
        for ((runtime, reason), row) in &self.rows {
            write!(out, "\n{runtime:8} {reason:24}").unwrap();
            for count in row {
                let cell = if *count == 0 { ".".to_owned() } else { count.to_string() };
                write!(out, " {cell:>8}").unwrap();
            }
        }
        out
    }
}
