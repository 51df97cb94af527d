//! Last words that libraries other than the C library have of their own: failed assertions of libc++, GLib, gRPC and Qt,
//! libstdc++'s debug mode, Fortran's run-time errors, exceptions of Objective-C.

use super::symbols;
use super::words::{Words, find};
use crate::classify::finding::Culprit;
use crate::classify::reason::{ASSERTION_FAILED, INDEX_OUT_OF_BOUNDS};

/// What Fortran's library says before its text.
pub const FORTRAN: &str = "Fortran runtime error";

/// Something that was thrown, or a fatal error with a text.
pub fn thrown(text: &str) -> Option<(usize, Words)> {
    of_objective_c(text).or_else(|| glib_error(text)).or_else(|| fortran(text))
}

/// An assertion.
pub fn asserted(text: &str) -> Option<(usize, Words)> {
    libcxx_assertion(text).or_else(|| glib_assertion(text)).or_else(|| qt_assertion(text)).or_else(|| debug_mode(text))
}

/// `Fortran runtime error: Index '4' of dimension 1 of array 'w' above upper bound of 3`
fn fortran(text: &str) -> Option<(usize, Words)> {
    // `ERROR STOP oven too hot`
    if let Some(at) = find(text, "ERROR STOP ") {
        let said = text[at + "ERROR STOP ".len()..].trim_end().to_owned();
        return Some((at, Words::Exception("ERROR STOP".to_owned(), said)));
    }
    let at = find(text, FORTRAN)?;
    let said = text[at + FORTRAN.len()..].strip_prefix(": ")?;
    Some((at, Words::Exception(FORTRAN.to_owned(), said.trim_end().to_owned())))
}

/// `Error: attempt to subscript container with out-of-bounds index 4, but`; the rest stands on the next line.
fn debug_mode(text: &str) -> Option<(usize, Words)> {
    let at = find(text, "Error: attempt to ")?;
    let of_library = text[at..].contains(" iterator") || text[at..].contains(" container");
    let reason = if text[at..].contains("out-of-bounds") { INDEX_OUT_OF_BOUNDS } else { ASSERTION_FAILED };
    of_library.then(|| (at, Words::Said(reason, text[at..].trim_end().to_owned())))
}

/// `*** Terminating app due to uncaught exception 'NSRangeException', reason: '…'`; GNUstep writes no quotes.
fn of_objective_c(text: &str) -> Option<(usize, Words)> {
    let at = text.find("ncaught exception ")?;
    let rest = text[at + "ncaught exception ".len()..].trim_start_matches('\'');
    let (class, reason) = rest.split_once(", reason: ")?;
    let start = text[..at].rfind("*** ").unwrap_or(at.saturating_sub(1));
    let reason = reason.trim_end();
    let reason = reason.strip_prefix('\'').and_then(|quoted| quoted.strip_suffix('\'')).unwrap_or(reason);
    let named = !class.contains(' ');
    named.then(|| (start, Words::Exception(class.trim_end_matches('\'').to_owned(), reason.to_owned())))
}

/// `/usr/include/c++/v1/vector:1393: assertion __n < size() failed: vector[] index out of bounds`; the place is none of
/// the user's.
fn libcxx_assertion(text: &str) -> Option<(usize, Words)> {
    let header = text.find("/c++/v1/")?;
    let (_, failed) = text[header..].split_once(": ")?;
    let failed = failed.strip_prefix("libc++ Hardening ").unwrap_or(failed);
    let (expression, message) = failed.strip_prefix("assertion ")?.split_once(" failed: ")?;
    let start = text[..header].rfind([' ', '\t']).map_or(0, |at| at + 1);
    let shown = if message.trim().is_empty() { text[start..].trim_end() } else { message.trim_end() };
    Some((start, Words::Assertion(shown.to_owned(), expression.to_owned(), None)))
}

/// GLib: `ERROR:lane.c:31:lane_weigh: assertion failed (n < size): (4 < 4)`; gRPC: `lane.cc:31] assertion failed: n < size`.
fn glib_assertion(text: &str) -> Option<(usize, Words)> {
    let failed = text.find("assertion failed")?;
    let (start, file, line, function) = match text.find("ERROR:").filter(|at| *at < failed) {
        Some(start) => {
            let place = text[start + "ERROR:".len()..failed].trim_end().trim_end_matches(':');
            let (file, rest) = place.split_once(':')?;
            let (line, function) = rest.split_once(':')?;
            let line = line.parse().ok()?;
            (start, file, line, Some(symbols::plain(function)))
        }
        None => {
            let place = text[..failed].strip_suffix("] ")?;
            let (file, line) = symbols::location(place.rsplit(' ').next()?)?;
            (failed, file, line, None)
        }
    };
    let expression = text[failed + "assertion failed".len()..].trim_start_matches([':', ' ']);
    // The values that were compared stand behind the expression in brackets.
    let expression = expression.split("): (").next().unwrap_or(expression).trim_end();
    let own = symbols::is_own(function.as_deref().unwrap_or("f"), file);
    let place = Culprit { function, file: Some(file.to_owned()), line: Some(line) };
    let shown = text[start..].trim_end().to_owned();
    symbols::is_source(file).then(|| (start, Words::Assertion(shown, expression.to_owned(), own.then_some(place))))
}

/// GLib's `g_error`: `(lanes:1): Lanes-ERROR **: 01:35:29.101: lane 4 closed`.
fn glib_error(text: &str) -> Option<(usize, Words)> {
    let (head, said) = text.split_once("ERROR **: ")?;
    let start = head.find("** (").or_else(|| head.find('('))?;
    let stamped =
        said.split_once(": ").filter(|(stamp, _)| stamp.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b)));
    let said = stamped.map_or(said, |(_, said)| said).trim_end();
    Some((start, Words::Exception("g_error".to_owned(), said.to_owned())))
}

/// Qt: `ASSERT: "lane >= 0" in file lane.cpp, line 31`, `ASSERT failure in Lane::at: "out of range", file lane.cpp, line 31`.
fn qt_assertion(text: &str) -> Option<(usize, Words)> {
    let at = find(text, "ASSERT failure in ").or_else(|| find(text, "ASSERT: \""))?;
    let (head, place) = text[at..].rsplit_once("file ")?;
    let (file, line) = place.trim_end().split_once(", line ")?;
    let line = line.parse().ok()?;
    let (_, expression) = head.split_once('"')?;
    let function = head.strip_prefix("ASSERT failure in ").and_then(|rest| rest.split_once(": \""));
    let function = function.map(|(name, _)| symbols::plain(name)).filter(|name| !name.is_empty());
    let own = symbols::is_own(function.as_deref().unwrap_or("f"), file);
    let place = Culprit { function, file: Some(file.to_owned()), line: Some(line) };
    let expression = expression.rsplit_once('"').map_or(expression, |(inner, _)| inner).to_owned();
    Some((at, Words::Assertion(text[at..].trim_end().to_owned(), expression, own.then_some(place))))
}
