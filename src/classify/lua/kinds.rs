//! What the texts of Lua's errors mean.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// Texts of Lua itself, each with one or two parts; the first that holds wins.
static TEXTS: &[(&str, &str, CrashReason)] = &[
    ("stack overflow", "", STACK_OVERFLOW),
    ("C stack overflow", "", STACK_OVERFLOW),
    ("error in error handling", "", STACK_OVERFLOW),
    ("not enough memory", "", HEAP_EXHAUSTED),
    ("module '", "' not found", MISSING_MODULE),
    ("attempt to compare ", "", TYPE_MISMATCH),
    ("attempt to ", "a nil value", NIL_DEREFERENCE),
    ("table index is nil", "", NIL_DEREFERENCE),
    ("index is nil", "", NIL_DEREFERENCE),
    ("attempt to perform 'n//0'", "", ARITHMETIC_ERROR),
    ("attempt to perform 'n%%0'", "", ARITHMETIC_ERROR),
    ("attempt to divide by zero", "", ARITHMETIC_ERROR),
    ("attempt to ", " value", TYPE_MISMATCH),
    ("number has no integer representation", "", TYPE_MISMATCH),
    ("bad argument #", "out of range", INDEX_OUT_OF_BOUNDS),
    // `io.lines` of a file that it cannot open, up to Lua 5.2.
    ("bad argument #", ": No such file or directory)", MISSING_FILE),
    ("bad argument #", ": Permission denied)", PERMISSION_DENIED),
    ("bad argument #", ": Too many open files)", TOO_MANY_OPEN_FILES),
    ("bad argument #", "", TYPE_MISMATCH),
    ("'for' initial value must be a number", "", TYPE_MISMATCH),
    ("'for' limit must be a number", "", TYPE_MISMATCH),
    ("calling '", "' on bad self", TYPE_MISMATCH),
    ("assertion failed!", "", ASSERTION_FAILED),
    ("bad light function", "", UNHANDLED_ERROR),
    ("attempt to yield", "", UNHANDLED_ERROR),
    ("attempt to use a closed file", "", UNHANDLED_ERROR),
    ("bad header in precompiled chunk", "", EXEC_FORMAT_ERROR),
    ("version mismatch in precompiled chunk", "", EXEC_FORMAT_ERROR),
    ("cannot load incompatible bytecode", "", EXEC_FORMAT_ERROR),
    ("error loading module", "cannot open shared object file", MISSING_LIBRARY),
    ("error loading module", "undefined symbol", MISSING_LIBRARY),
    ("error loading module", "symbol not found", MISSING_LIBRARY),
    ("cannot open ", ".lua", MISSING_FILE),
];

/// What a text means.
pub fn of(message: &str, messages: &Messages) -> CrashReason {
    let holds = |first: &str, second: &str| {
        message.find(first).is_some_and(|at| second.is_empty() || message[at + first.len()..].contains(second))
    };
    let known = TEXTS.iter().find(|(first, second, _)| holds(first, second)).map(|(_, _, reason)| reason.clone());
    let first = message.lines().next().unwrap_or_default();
    // Programs pass on what `io.open` says, with the file before it.
    let told = || messages.meaning(first, Voice::Panic).map(|meaning| meaning.reason);
    known.or_else(told).unwrap_or(UNHANDLED_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_reason() {
        let cases = [
            ("attempt to index a nil value (field 'when')", "NilDereference"),
            ("attempt to index field 'when' (a nil value)", "NilDereference"),
            ("attempt to call a nil value (global 'pick')", "NilDereference"),
            ("attempt to compare number with nil", "TypeMismatch"),
            ("attempt to call a table value", "TypeMismatch"),
            ("attempt to perform 'n//0'", "ArithmeticError"),
            ("bad argument #1 to 'ipairs' (table expected, got nil)", "TypeMismatch"),
            ("module 'cjson' not found:\n\tno field package.preload['cjson']", "MissingModule"),
            ("/etc/gate.conf: No such file or directory", "MissingFile"),
            ("connection refused", "ConnectionRefused"),
            ("assertion failed!", "AssertionFailed"),
            ("GATE_TOKEN is not set", "MissingConfiguration"),
            ("no lane", "UnhandledError"),
        ];
        for (message, reason) in cases {
            assert_eq!(of(message, &Messages::default()).as_str(), reason, "{message}");
        }
    }
}
