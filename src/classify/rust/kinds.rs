//! What the texts of Rust's panics mean.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;
use crate::classify::stack::RawFrame;

/// What a panic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The reason.
    pub reason: CrashReason,
    /// What the fingerprint is made of.
    pub word: String,
}

fn kind(reason: CrashReason, word: &str) -> Kind {
    Kind { reason, word: word.to_owned() }
}

/// How the text of a panic begins: the reason, and the word that stands for it.
static STARTS: &[(&str, CrashReason, &str)] = &[
    ("index out of bounds: ", INDEX_OUT_OF_BOUNDS, "index out of bounds"),
    ("range end index ", INDEX_OUT_OF_BOUNDS, "slice out of range"),
    ("range start index ", INDEX_OUT_OF_BOUNDS, "slice out of range"),
    ("slice index starts at ", INDEX_OUT_OF_BOUNDS, "slice out of range"),
    ("begin <= end", INDEX_OUT_OF_BOUNDS, "slice out of range"),
    ("byte index ", INDEX_OUT_OF_BOUNDS, "string index"),
    ("start byte index ", INDEX_OUT_OF_BOUNDS, "string index"),
    ("end byte index ", INDEX_OUT_OF_BOUNDS, "string index"),
    ("removal index ", INDEX_OUT_OF_BOUNDS, "removal index"),
    ("insertion index ", INDEX_OUT_OF_BOUNDS, "insertion index"),
    ("swap_remove index ", INDEX_OUT_OF_BOUNDS, "removal index"),
    ("mid > len", INDEX_OUT_OF_BOUNDS, "split index"),
    ("`at` split index ", INDEX_OUT_OF_BOUNDS, "split index"),
    ("Out of bounds access", INDEX_OUT_OF_BOUNDS, "index out of bounds"),
    ("copy_from_slice: source slice length", INDEX_OUT_OF_BOUNDS, "slices of different lengths"),
    ("source slice length ", INDEX_OUT_OF_BOUNDS, "slices of different lengths"),
    ("advance out of bounds: ", INDEX_OUT_OF_BOUNDS, "advance out of bounds"),
    ("cannot advance past ", INDEX_OUT_OF_BOUNDS, "advance out of bounds"),
    ("destination and source slices have different lengths", INDEX_OUT_OF_BOUNDS, "slices of different lengths"),
    ("IndexMap: index out of bounds", INDEX_OUT_OF_BOUNDS, "index out of bounds"),
    ("cannot access index ", INDEX_OUT_OF_BOUNDS, "JSON index"),
    ("cannot access key ", TYPE_MISMATCH, "JSON key of no object"),
    ("no entry found for key", MISSING_KEY, "no entry found for key"),
    ("IndexMap: key not found", MISSING_KEY, "no entry found for key"),
    ("invalid SlotMap key used", MISSING_KEY, "invalid SlotMap key"),
    ("invalid key", MISSING_KEY, "invalid key"),
    ("already borrowed", BORROW_VIOLATION, "already borrowed"),
    ("already mutably borrowed", BORROW_VIOLATION, "already mutably borrowed"),
    ("RefCell already borrowed", BORROW_VIOLATION, "already borrowed"),
    ("RefCell already mutably borrowed", BORROW_VIOLATION, "already mutably borrowed"),
    ("Lazy instance has previously been poisoned", BORROW_VIOLATION, "poisoned"),
    ("LazyLock instance has previously been poisoned", BORROW_VIOLATION, "poisoned"),
    ("LazyCell instance has previously been poisoned", BORROW_VIOLATION, "poisoned"),
    ("Once instance has previously been poisoned", BORROW_VIOLATION, "poisoned"),
    ("attempt to ", ARITHMETIC_ERROR, ""),
    ("overflow when ", ARITHMETIC_ERROR, ""),
    ("divide by zero error when ", ARITHMETIC_ERROR, ""),
    ("assertion failed: ", ASSERTION_FAILED, ""),
    ("assertion `", ASSERTION_FAILED, ""),
    ("called `Option::unwrap()` on a `None` value", UNWRAP_FAILED, "Option::unwrap on None"),
    ("has overflowed its stack", STACK_OVERFLOW, "stack overflow"),
    ("stack overflow", STACK_OVERFLOW, "stack overflow"),
    ("null pointer dereference occurred", NIL_DEREFERENCE, "null pointer dereference"),
    ("memory allocation of ", HEAP_EXHAUSTED, "memory allocation failed"),
    ("capacity overflow", UNHANDLED_ERROR, "capacity overflow"),
];

/// Functions of the core library that say what happened where the text does not, or is cut off.
static FUNCTIONS: &[(&str, CrashReason, &str)] = &[
    ("core::panicking::panic_bounds_check", INDEX_OUT_OF_BOUNDS, "index out of bounds"),
    ("core::slice::index::slice_", INDEX_OUT_OF_BOUNDS, "slice out of range"),
    ("core::str::slice_error_fail", INDEX_OUT_OF_BOUNDS, "string index"),
    ("core::option::unwrap_failed", UNWRAP_FAILED, "Option::unwrap on None"),
    ("core::option::expect_failed", UNWRAP_FAILED, "Option::expect on None"),
    ("core::result::unwrap_failed", UNWRAP_FAILED, "Result::unwrap on Err"),
    ("core::cell::panic_already_borrowed", BORROW_VIOLATION, "already borrowed"),
    ("core::cell::panic_already_mutably_borrowed", BORROW_VIOLATION, "already mutably borrowed"),
    ("core::panicking::panic_const::panic_const_", ARITHMETIC_ERROR, "arithmetic"),
    ("core::panicking::assert_failed", ASSERTION_FAILED, "assertion"),
    ("alloc::alloc::handle_alloc_error", HEAP_EXHAUSTED, "memory allocation failed"),
];

const UNWRAP_ERR: &str = "called `Result::unwrap()` on an `Err` value: ";
const EXPECT_OK: &str = "called `Result::unwrap_err()` on an `Ok` value: ";

/// What a panic with this text and these frames is.
pub fn of_panic(message: &str, frames: &[RawFrame], messages: &Messages) -> Kind {
    if let Some((start, reason, word)) = STARTS.iter().find(|(start, ..)| message.starts_with(start)) {
        return kind(reason.clone(), if word.is_empty() { assertion_word(message, start) } else { word });
    }
    if let Some(error) = message.strip_prefix(UNWRAP_ERR) {
        return of_error(error, "Result::unwrap on Err", message, messages);
    }
    if message.starts_with(EXPECT_OK) {
        return kind(UNWRAP_FAILED, "Result::unwrap_err on Ok");
    }
    // `expect` writes its own words, then the error as `{:?}`.
    if let Some((words, error)) = message.split_once(": ").filter(|(_, error)| is_debug(error)) {
        return of_error(error, words, message, messages);
    }
    if let Some(meaning) = messages.meaning(message, Voice::Panic) {
        return kind(meaning.reason, message);
    }
    let of_frames = of_frames(frames).filter(|known| known.reason == UNWRAP_FAILED);
    of_frames.map_or_else(|| kind(UNHANDLED_ERROR, message), |known| Kind { word: message.to_owned(), ..known })
}

/// Of an assertion and of arithmetic the text itself, without the values that differ.
fn assertion_word<'a>(message: &'a str, start: &str) -> &'a str {
    let end = if start == "assertion `" { message.find(" failed").map(|at| at + " failed".len()) } else { None };
    &message[..end.unwrap_or(message.len())]
}

/// What frames say where the text is cut off: the topmost function that has a meaning.
pub fn of_frames(frames: &[RawFrame]) -> Option<Kind> {
    let known = |frame: &RawFrame| FUNCTIONS.iter().find(|(start, ..)| frame.function.starts_with(start));
    frames.iter().find_map(known).map(|(_, reason, word)| kind(reason.clone(), word))
}

/// An error that was unwrapped: what it is about wins over that it was unwrapped.
fn of_error(error: &str, words: &str, message: &str, messages: &Messages) -> Kind {
    let meant = || Some(messages.meaning(message, Voice::Panic)?.reason);
    let reason = of_value(error).or_else(meant).unwrap_or(UNWRAP_FAILED);
    Kind { reason, word: format!("{words}: {}", error_word(error)) }
}

/// How the value of an error begins that says by its name alone what it is about.
static VALUES: &[(&str, CrashReason)] = &[
    ("PoisonError", BORROW_VIOLATION),
    ("NotPresent", MISSING_CONFIGURATION),
    // envy.
    ("MissingValue(\"", MISSING_CONFIGURATION),
    // tokio.
    ("Elapsed(())", DEPENDENCY_TIMEOUT),
    // sqlx.
    ("PoolTimedOut", DEPENDENCY_TIMEOUT),
];

/// What an error's value, as `{:?}` writes it, is about.
pub fn of_value(value: &str) -> Option<CrashReason> {
    // figment: `Error { …, kind: MissingField("listen"), … }`.
    let missing = value.starts_with("Error {") && value.contains("kind: MissingField(");
    let known = VALUES.iter().find(|(start, _)| value.starts_with(start)).map(|(_, reason)| reason.clone());
    known.or_else(|| missing.then_some(MISSING_CONFIGURATION))
}

/// Whether an error only says that a task panicked: the panic itself was written when it happened.
pub fn is_told_panic(link: &str) -> bool {
    link.contains(" panicked with message \"") || link.starts_with("task ") && link.ends_with(" panicked")
}

/// What kind of error it is, without its values: `ConnectionRefused` of `Os { code: 111, kind: ConnectionRefused, … }`.
fn error_word(error: &str) -> &str {
    let from = error.split_once("kind: ").map_or(error, |(_, kind)| kind);
    let end = from.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(from.len());
    &from[..end]
}

/// Whether a text is a value as `{:?}` writes it: `Os { … }`, `JoinError::Panic(…)`.
pub fn is_debug(text: &str) -> bool {
    /// Values without fields that are known as Rust's.
    const UNITS: [&str; 2] = ["NotPresent", "PoolTimedOut"];
    if UNITS.contains(&text) {
        return true;
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let named = name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.ends_with(':');
    named && (rest.starts_with(" {") && rest.trim_end().ends_with('}') || rest.starts_with('(') && rest.ends_with(')'))
}

/// Whether a panic only repeats an earlier one of a thread that was waited for. A poisoned lock is another matter: the program
/// lived on after the panic that poisoned it, and what ended it is how it took the lock.
pub fn is_echo(message: &str) -> bool {
    const ECHOES: [&str; 4] =
        ["JoinError::Panic(", "value: Any { .. }", "a scoped thread panicked", "panicked in another thread"];
    ECHOES.iter().any(|echo| message.contains(echo))
}

/// Whether a panic only says that the one before it could not unwind.
pub fn is_aftermath(message: &str) -> bool {
    message.starts_with("panic in a destructor during cleanup")
        || message.starts_with("panic in a function that cannot unwind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_have_their_reason() {
        let cases = [
            ("index out of bounds: the len is 3 but the index is 7", "IndexOutOfBounds"),
            ("end byte index 7 is out of bounds of `lane`", "IndexOutOfBounds"),
            ("no entry found for key", "MissingKey"),
            ("RefCell already borrowed", "BorrowViolation"),
            ("already mutably borrowed: BorrowError", "BorrowViolation"),
            ("attempt to divide by zero", "ArithmeticError"),
            ("assertion `left == right` failed: gates of GVA", "AssertionFailed"),
            ("assertion failed: x > 3", "AssertionFailed"),
            ("called `Option::unwrap()` on a `None` value", "UnwrapFailed"),
            ("called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }", "UnwrapFailed"),
            ("gate number: ParseIntError { kind: InvalidDigit }", "UnwrapFailed"),
            ("called `Result::unwrap()` on an `Err` value: PoisonError { .. }", "BorrowViolation"),
            ("called `Result::unwrap()` on an `Err` value: NotPresent", "MissingConfiguration"),
            (
                "called `Result::unwrap()` on an `Err` value: Os { code: 111, kind: ConnectionRefused, message: \"Connection refused\" }",
                "ConnectionRefused",
            ),
            ("open lanes: Os { code: 2, kind: NotFound, message: \"No such file or directory\" }", "MissingFile"),
            ("overflow when subtracting durations", "ArithmeticError"),
            ("IndexMap: key not found", "MissingKey"),
            ("cannot access key \"lane\" in JSON array", "TypeMismatch"),
            ("LazyLock instance has previously been poisoned", "BorrowViolation"),
            ("called `Result::unwrap()` on an `Err` value: PoolTimedOut", "DependencyTimeout"),
            ("depot without a lane", "UnhandledError"),
            ("not yet implemented: lane printing", "UnhandledError"),
            ("environment variable LANES_URL is not set", "MissingConfiguration"),
        ];
        for (message, expected) in cases {
            assert_eq!(of_panic(message, &[], &Messages::default()).reason.as_str(), expected, "{message}");
        }
    }

    #[test]
    fn the_word_of_an_error_has_no_values() {
        let messages = Messages::default();
        let word = |text: &str| of_panic(text, &[], &messages).word;
        assert_eq!(word("x: Os { code: 111, kind: ConnectionRefused, message: \"c\" }"), "x: ConnectionRefused");
        assert_eq!(word("assertion `left == right` failed: gates of GVA"), "assertion `left == right` failed");
    }
}
