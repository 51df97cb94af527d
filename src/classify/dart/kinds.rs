//! What the exceptions of Dart mean.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// Texts of Dart itself, in small letters; the first that holds wins.
static TEXTS: &[(&str, CrashReason)] = &[
    ("null check operator used on a null value", NIL_DEREFERENCE),
    ("was called on null", NIL_DEREFERENCE),
    ("stack overflow", STACK_OVERFLOW),
    ("out of memory", HEAP_EXHAUSTED),
    ("exhausted heap space", HEAP_EXHAUSTED),
    ("is not a subtype of type", TYPE_MISMATCH),
    ("integerdivisionbyzeroexception", ARITHMETIC_ERROR),
    ("result of truncating division is", ARITHMETIC_ERROR),
    ("infinity or nan toint", ARITHMETIC_ERROR),
    ("failed assertion", ASSERTION_FAILED),
    ("processexception: no such file or directory", COMMAND_NOT_FOUND),
    ("bad state: no element", MISSING_KEY),
    ("couldn't resolve the package", MISSING_MODULE),
    ("error when reading '", MISSING_MODULE),
    ("certificate_verify_failed", TLS_FAILURE),
    ("handshakeexception", TLS_FAILURE),
    ("tlsexception", TLS_FAILURE),
    ("failed host lookup", DNS_FAILURE),
];

/// Beginnings with a meaning of their own, where no text says more.
static CLASSES: &[(&str, CrashReason)] = &[
    ("RangeError", INDEX_OUT_OF_BOUNDS),
    ("IndexError", INDEX_OUT_OF_BOUNDS),
    ("TimeoutException", DEPENDENCY_TIMEOUT),
    ("AssertionError", ASSERTION_FAILED),
];

/// What an exception's text means.
pub fn of(message: &str, messages: &Messages) -> CrashReason {
    let lower = message.to_ascii_lowercase();
    let known = TEXTS.iter().find(|(words, _)| lower.contains(words)).map(|(_, reason)| reason.clone());
    let class = || CLASSES.iter().find(|(name, _)| message.starts_with(name)).map(|(_, reason)| reason.clone());
    let told = || messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    known.or_else(class).or_else(told).unwrap_or(UNHANDLED_ERROR)
}

/// What a fault of the virtual machine means: the signal's name, or what the machine found.
pub fn of_fault(said: &str) -> CrashReason {
    static FAULTS: [(&str, CrashReason); 5] = [
        ("Out of memory", HEAP_EXHAUSTED),
        ("Bus error", BUS_ERROR),
        ("Illegal instruction", ILLEGAL_INSTRUCTION),
        ("Floating point", FLOATING_POINT_EXCEPTION),
        ("=Segmentation fault", SEGFAULT),
    ];
    FAULTS.iter().find(|(words, _)| said.contains(words)).map_or(ABORT, |(_, reason)| reason.clone())
}

/// The class that a text begins with: `RangeError (index): …`, `SocketException: …`, `Instance of 'Cold'`. Texts of
/// `Error`s have none.
pub fn class(message: &str) -> String {
    if let Some(class) = message.strip_prefix("Instance of '").and_then(|rest| rest.strip_suffix('\'')) {
        return class.to_owned();
    }
    let end = message.find([' ', ':']).unwrap_or(message.len());
    let word = &message[..end];
    let named = word.ends_with("Exception") || word.ends_with("Error");
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$'));
    if named && plain { word.to_owned() } else { String::new() }
}
