//! The lines with which Swift's runtime says what ends a program.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// What stands above the frames from Swift 5.9 on.
pub const CRASHED: &str = "Program crashed: ";
/// What stands above the frames before that.
pub const STACK: &str = "Current stack trace:";

/// What a head says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Where it begins in its line.
    pub at: usize,
    /// The text.
    pub message: String,
    /// The place that it names.
    pub place: Option<(String, u32)>,
}

/// Kinds of lines, the longer ones first.
const KINDS: [&str; 3] = ["Fatal error: ", "Precondition failed", "Assertion failed"];
/// Lines without a place.
const BARE: [&str; 3] =
    ["Could not cast value of type ", "Simultaneous accesses to 0x", "Fatal access conflict detected"];

/// What the runtime says of its own, which has no place.
const RUNTIME: [&str; 7] = [
    "Attempted to read an unowned reference",
    "Use of unimplemented initializer '",
    "Duplicate elements of type '",
    "Duplicate keys of type '",
    "Call of deleted method",
    "Object 0x",
    "Incorrect actor executor assumption",
];

/// Reads a head.
pub fn head(line: &str) -> Option<Head> {
    if let Some(at) = BARE.iter().find_map(|words| line.find(words)) {
        let cast = !line[at..].starts_with(BARE[0]) || line[at..].contains(" to '");
        return cast.then(|| Head { at, message: line[at..].trim_end().to_owned(), place: None });
    }
    let (at, kind) = KINDS.iter().find_map(|kind| Some((line.find(kind)?, *kind)))?;
    let said = line[at + if kind == KINDS[0] { kind.len() } else { 0 }..].trim_end();
    // `orchard/Orchard.swift:21: Fatal error: text`
    let before = line[..at].trim_end();
    let start = before.rfind([' ', '\t']).map_or(0, |blank| blank + 1);
    let place = before[start..].strip_suffix(':').and_then(place);
    if let Some(place) = place {
        return Some(Head { at: start, message: said.to_owned(), place: Some(place) });
    }
    if kind == KINDS[0] && RUNTIME.iter().any(|words| said.starts_with(words)) {
        return Some(Head { at, message: said.to_owned(), place: None });
    }
    // `Fatal error: text: file /src/Orchard.swift, line 30`
    let (said, place) = said.rsplit_once("file ")?;
    let (file, number) = place.split_once(", line ")?;
    let file = file.ends_with(".swift").then(|| (file.to_owned(), number.trim().parse().ok()));
    let place = file.and_then(|(file, line)| Some((file, line?)))?;
    Some(Head { at, message: said.trim_end_matches([':', ' ']).to_owned(), place: Some(place) })
}

/// `orchard/Orchard.swift:21`, perhaps with a column.
pub fn place(text: &str) -> Option<(String, u32)> {
    let end = [".swift:", ".swiftinterface:"].iter().find_map(|end| Some(text.find(end)? + end.len() - 1))?;
    let number = text[end + 1..].split(':').next()?;
    Some((text[..end].to_owned(), number.parse().ok()?))
}

/// Texts in small letters; the first that holds wins.
static TEXTS: &[(&str, CrashReason)] = &[
    ("unexpectedly found nil", UNWRAP_FAILED),
    ("index out of range", INDEX_OUT_OF_BOUNDS),
    ("index out of bounds", INDEX_OUT_OF_BOUNDS),
    ("index is out of bounds", INDEX_OUT_OF_BOUNDS),
    ("out of bounds", INDEX_OUT_OF_BOUNDS),
    ("can't remove last element from an empty collection", INDEX_OUT_OF_BOUNDS),
    ("can't remove first element from an empty collection", INDEX_OUT_OF_BOUNDS),
    ("can't remove more items from a collection", INDEX_OUT_OF_BOUNDS),
    ("negative array index", INDEX_OUT_OF_BOUNDS),
    ("division by zero", ARITHMETIC_ERROR),
    ("arithmetic overflow", ARITHMETIC_ERROR),
    ("results in an overflow", ARITHMETIC_ERROR),
    ("not enough bits to represent", ARITHMETIC_ERROR),
    ("cannot be converted to", ARITHMETIC_ERROR),
    ("negative value is not representable", ARITHMETIC_ERROR),
    ("dnsaerror: optional(", DNS_FAILURE),
    ("could not cast value of type", TYPE_MISMATCH),
    ("unsafelyunwrapped", UNWRAP_FAILED),
    ("fatal access conflict", BORROW_VIOLATION),
    ("simultaneous accesses to", BORROW_VIOLATION),
    ("precondition failed", ASSERTION_FAILED),
    ("assertion failed", ASSERTION_FAILED),
    // Foundation's errors go by numbers, and their text by the reader's language.
    ("nscocoaerrordomain code=260", MISSING_FILE),
    ("nscocoaerrordomain code=4 ", MISSING_FILE),
    ("nscocoaerrordomain code=257", PERMISSION_DENIED),
    ("nscocoaerrordomain code=513", PERMISSION_DENIED),
    ("nscocoaerrordomain code=640", DISK_FULL),
];

/// What a text means.
pub fn meaning(message: &str, messages: &Messages) -> CrashReason {
    let lower = message.to_ascii_lowercase();
    let known = TEXTS.iter().find(|(words, _)| lower.contains(words)).map(|(_, reason)| reason.clone());
    let told = || messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    known.or_else(told).unwrap_or(UNHANDLED_ERROR)
}

/// What `Program crashed: Bad pointer dereference at 0x8` means where no other line says more.
pub fn signal(words: &str) -> CrashReason {
    let lower = words.to_ascii_lowercase();
    let is = |words: &str| lower.contains(words);
    if is("bad pointer") || is("segmentation") || is("access to") {
        SEGFAULT
    } else if is("bus error") || is("misaligned") || is("alignment") {
        BUS_ERROR
    } else if is("abort") {
        ABORT
    } else if is("floating point") || is("divide") {
        FLOATING_POINT_EXCEPTION
    } else {
        ILLEGAL_INSTRUCTION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_other_runtimes_are_left_alone() {
        for line in [
            "PHP Fatal error:  Uncaught Error: x in /srv/a.php:3",
            "Fatal error: x in /srv/a.php on line 3",
            "git: Fatal error: no tree",
            "Fatal error: exception Failure(\"x\")",
        ] {
            assert_eq!(head(line), None, "{line}");
        }
    }
}
