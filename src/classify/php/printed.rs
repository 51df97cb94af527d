//! Exceptions that a program prints or logs as text: `(string) $e`, `$e->getMessage()` above `$e->getTraceAsString()`,
//! with words of its own before them. What was thrown stands in the lines above the first call.

use super::frames;
use super::head::{Head, Voice, split_place};
use crate::classify::prefix::Prefix;
use crate::classify::severity::{Severity, reads_like_error};
use crate::classify::text;

/// The line between an exception and its calls.
const MARKER: &str = "Stack trace:";
/// The first call, where a program leaves that line out.
const FIRST_CALL: &str = "#0 /";
/// Most lines that the text of an exception may have.
const TEXT_LINES: usize = 8;

/// An exception found above its calls.
#[derive(Debug)]
pub struct Above {
    /// What was thrown. Its text is the first line.
    pub head: Head,
    /// The line that names it.
    pub line: Vec<u8>,
    /// Further lines of its text, the first one first.
    pub more: Vec<String>,
    /// What stands before the calls.
    pub prefix: Prefix,
}

/// Whether calls begin in this line, and the exception that the lines above name. `before` has the nearest one first.
pub fn above(line: &[u8], before: impl FnOnce() -> Vec<Vec<u8>>) -> Option<Above> {
    let at = begins(line)?;
    let before = before();
    let nearest = before.first()?;
    let prefix = Prefix::learn(&line[..at]);
    let said = text::string(nearest.trim_ascii_end());
    let (_, place) = split_place(&said);
    let reach = if place.is_some() { TEXT_LINES } else { 1 };
    let (up, head_at, class) = (0..before.len().min(reach))
        .find_map(|up| class_in(&text::string(&before[up])).map(|(at, class)| (up, at, class)))
        .or_else(|| (place.is_some() || is_error(nearest)).then(|| (0, said_at(&said, &prefix), String::new())))?;
    let whole = text::string(before[up].trim_ascii_end());
    let thrown = &whole[head_at..];
    let thrown = thrown.strip_prefix(class.as_str()).map_or(thrown, |rest| rest.trim_start_matches(':').trim_start());
    let placed = format!(" {thrown}");
    let message = if up == 0 { split_place(&placed).0.trim_start() } else { thrown };
    let more = (0..up).rev().map(|at| further(&before[at], at == 0)).collect();
    let head = Head { at: head_at, voice: Voice::Printed, class, message: message.to_owned(), place };
    Some(Above { head, line: before[up].clone(), more, prefix })
}

fn is_error(line: &[u8]) -> bool {
    reads_like_error(line) || Severity::of_line(line).is_some_and(|level| level >= Severity::Error)
}

/// Where the text of a record begins, behind its level or the prefix of the calls.
fn said_at(record: &str, prefix: &Prefix) -> usize {
    let levels = ["ERROR: ", "CRITICAL: ", "ALERT: ", "EMERGENCY: "];
    let level = levels.iter().find_map(|level| record.find(level).map(|at| at + level.len()));
    level.or_else(|| prefix.strip(record.as_bytes()).map(|bare| record.len() - bare.len())).unwrap_or(0)
}

/// Where the calls begin in a line.
fn begins(line: &[u8]) -> Option<usize> {
    let trimmed = line.trim_ascii_end();
    if trimmed.ends_with(MARKER.as_bytes()) {
        return Some(trimmed.len() - MARKER.len());
    }
    let at = text::find(line, FIRST_CALL)?;
    let call = frames::call(&line[at..])?;
    call.place.is_some_and(|(file, _)| text::has(file.as_bytes(), ".php")).then_some(at)
}

fn further(line: &[u8], last: bool) -> String {
    let said = text::string(line.trim_ascii_end());
    if last { split_place(&said).0.to_owned() } else { said }
}

/// The class that a line names: `job 7 failed: App\NoRate: no rate for AT in /srv/a.php:14`.
fn class_in(line: &str) -> Option<(usize, String)> {
    let words = line.split(' ').scan(0, |at, word| {
        let start = *at;
        *at += word.len() + 1;
        Some((start, word))
    });
    let mut classes = words.map(|(at, word)| (at, word.strip_suffix(':').unwrap_or(word))).filter(|(at, word)| {
        let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'\\' | b'_'));
        let named = word.ends_with("Error") || word.ends_with("Exception") || word.contains('\\');
        let ends = line[at + word.len()..].starts_with(':') || line[at + word.len()..].starts_with(" in /");
        plain && named && ends && word.starts_with(|c: char| c.is_ascii_uppercase() || c == '\\')
    });
    classes.next().map(|(at, class)| (at, class.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<(String, String, Option<u32>)> {
        let (last, before) = lines.split_last().unwrap();
        let before = || before.iter().rev().map(|line| line.as_bytes().to_vec()).collect();
        let above = above(last.as_bytes(), before)?;
        let message = std::iter::once(above.head.message).chain(above.more).collect::<Vec<_>>().join("|");
        Some((above.head.class, message, above.head.place.map(|(_, line)| line)))
    }

    #[test]
    fn what_was_thrown_is_found_above_the_calls() {
        let call = "#0 /srv/a.php(3): b()";
        let cases: [(&[&str], (&str, &str, Option<u32>)); 9] = [
            (&["web.1 | fatal: no berth", "web.1 | #0 /srv/a.php(3): b()"], ("", "fatal: no berth", None)),
            (&["[x] quay.CRITICAL: no berth Z9", call], ("", "no berth Z9", None)),
            (&["Error: no scale in /srv/a.php:17", "Stack trace:"], ("Error", "no scale", Some(17))),
            (&["uncaught: Error: no scale in /srv/a.php:17", "Stack trace:"], ("Error", "no scale", Some(17))),
            (&["[x] mill.ERROR: App\\NoRate: AT in /srv/a.php:17", call], ("App\\NoRate", "AT", Some(17))),
            (
                &["LogicException: one", "two", "three in /srv/a.php:9", "Stack trace:"],
                ("LogicException", "one|two|three", Some(9)),
            ),
            (&["LogicException in /srv/a.php:9", "Stack trace:"], ("LogicException", "", Some(9))),
            (
                &["fatal: Call to a member function grams() on null", call],
                ("", "fatal: Call to a member function grams() on null", None),
            ),
            (
                &["2026-11-25T01:02:03Z Error: no in /srv/a.php:1", "2026-11-25T01:02:04Z #0 /srv/a.php(3): b()"],
                ("Error", "no", Some(1)),
            ),
        ];
        for (lines, (class, message, place)) in cases {
            assert_eq!(read(lines), Some((class.to_owned(), message.to_owned(), place)), "{lines:?}");
        }
        assert_eq!(read(&["GET /a.php 200", call]), None);
        assert_eq!(read(&["Error: no in /srv/a.php:1", "#0 0x7f in main /a.c:3"]), None);
    }
}
