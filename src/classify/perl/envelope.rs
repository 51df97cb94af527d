//! What collectors and loggers put before the lines of a Perl program.

use crate::classify::envelope::{without_collector, without_stamps};
use crate::classify::severity::Severity;

/// The line without what collectors and loggers put before it, and whether a logger did.
pub fn without_envelope(line: &str) -> (&str, bool) {
    let line = line.trim_end();
    let inner = without_cgi(without_collector(line));
    // A tab before a frame stays.
    let mut rest = if inner.starts_with('\t') { inner } else { without_stamps(inner) };
    let mut levelled = false;
    while let Some((word, after)) = rest.strip_prefix('[').and_then(bracketed) {
        if word.len() > 24 || word.contains(' ') {
            break;
        }
        levelled |= Severity::of_word(word).is_some();
        rest = after;
    }
    // Log4perl and others: `FATAL feed.pl:12 main:: - text`, `INFO [main] text`, `- STDERR - ERROR - text`.
    let (shorter, leveled) = without_level(rest);
    (if rest.is_empty() { inner } else { shorter }, levelled || leveled)
}

/// CGI::Carp puts the time and the script before every line: `[Wed Nov 25 14:30:44 2026] feed.pl: no lane`.
fn without_cgi(line: &str) -> &str {
    const STAMP: usize = "[Wed Nov 25 14:30:44 2026] ".len();
    let parts = || {
        let (stamp, rest) = (line.get(..STAMP)?, line.get(STAMP..)?);
        let (script, said) = rest.split_once(": ")?;
        let dated = stamp.starts_with('[') && stamp.ends_with("] ") && stamp.matches(':').count() == 2;
        let named = [".pl", ".cgi", ".fcgi", ".psgi"].iter().any(|end| script.ends_with(end)) && !script.contains(' ');
        (dated && named).then_some(said)
    };
    parts().unwrap_or(line)
}

/// What stands in a bracket that was just opened, and what follows; of an empty line the blank behind it may be gone.
fn bracketed(inside: &str) -> Option<(&str, &str)> {
    inside.split_once("] ").or_else(|| Some((inside.strip_suffix(']')?, "")))
}

/// The line without a level in capitals and the name of a thread or stream at its start, and whether there was one.
fn without_level(line: &str) -> (&str, bool) {
    let text = line.strip_prefix("- STDERR - ").unwrap_or(line);
    if text == "ERROR -" {
        return ("", true);
    }
    let first = text.split([' ', ':', '\t']).next().unwrap_or_default();
    let capital = first.len() > 3 && first.bytes().all(|b| b.is_ascii_uppercase());
    if !capital || Severity::of_word(first).is_none() {
        return (line, false);
    }
    let rest = &text[first.len()..];
    // Of two tabs the second one belongs to a frame.
    let rest = rest.strip_prefix('\t').unwrap_or_else(|| rest.trim_start_matches([':', ' ']));
    let thread = rest.strip_prefix('[').and_then(bracketed).filter(|(name, _)| !name.contains(' '));
    (thread.map_or(rest, |(_, rest)| rest).trim_start_matches("- "), true)
}

/// Whether blanks stand before a line of a text: it goes on with what the line above began.
pub fn is_indented(line: &str, bare: &str) -> bool {
    let before = &line[..line.trim_end().len().saturating_sub(bare.len())];
    // A tab behind a level parts fields.
    let level = before.split_whitespace().last().is_some_and(|word| Severity::of_word(word).is_some());
    bare.starts_with(char::is_whitespace) || !level && (before.ends_with('\t') || before.ends_with("  "))
}
