//! What the texts of Perl's errors mean.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// Texts of Perl itself, in small letters; the first that holds wins. Each has one or two parts.
static TEXTS: &[(&str, &str, CrashReason)] = &[
    ("can't call method ", " on an undefined value", NIL_DEREFERENCE),
    ("can't use an undefined value as ", "", NIL_DEREFERENCE),
    ("can't call method ", " on unblessed reference", TYPE_MISMATCH),
    ("can't call method ", " without a package or object reference", TYPE_MISMATCH),
    ("can't use string (", " while \"strict refs\"", TYPE_MISMATCH),
    ("not an array reference", "", TYPE_MISMATCH),
    ("not a hash reference", "", TYPE_MISMATCH),
    ("not a code reference", "", TYPE_MISMATCH),
    ("not a scalar reference", "", TYPE_MISMATCH),
    ("not a glob reference", "", TYPE_MISMATCH),
    ("too few arguments for subroutine", "", TYPE_MISMATCH),
    ("too many arguments for subroutine", "", TYPE_MISMATCH),
    ("does not pass the type constraint", "", TYPE_MISMATCH),
    ("isn't numeric in ", "", TYPE_MISMATCH),
    ("use of uninitialized value", "", NIL_DEREFERENCE),
    ("substr outside of string", "", INDEX_OUT_OF_BOUNDS),
    ("illegal division by zero", "", ARITHMETIC_ERROR),
    ("illegal modulus zero", "", ARITHMETIC_ERROR),
    ("can't take log of ", "", ARITHMETIC_ERROR),
    ("can't take sqrt of ", "", ARITHMETIC_ERROR),
    ("modification of non-creatable array value attempted", "", INDEX_OUT_OF_BOUNDS),
    ("attempt to access disallowed key ", "", MISSING_KEY),
    ("deep recursion limit exceeded", "", STACK_OVERFLOW),
    ("assertion ", "failed", ASSERTION_FAILED),
    ("assertion failed", "", ASSERTION_FAILED),
    ("out of memory!", "", HEAP_EXHAUSTED),
    ("out of memory in perl", "", HEAP_EXHAUSTED),
    ("out of memory during ", "", HEAP_EXHAUSTED),
    ("can't load '", "cannot open shared object file", MISSING_LIBRARY),
    ("can't load '", "undefined symbol", MISSING_LIBRARY),
    ("can't locate loadable object for module ", "", MISSING_LIBRARY),
    ("handshake key", "needed", EXEC_FORMAT_ERROR),
    ("perl v", "required--this is only", EXEC_FORMAT_ERROR),
    ("can't locate object method", "", UNHANDLED_ERROR),
    ("can't locate ", "in @inc", MISSING_MODULE),
    (" version ", "required--this is only version", MISSING_MODULE),
    ("can't exec \"", "no such file", COMMAND_NOT_FOUND),
    ("cannot exec ", "no such file", COMMAND_NOT_FOUND),
    ("cannot run ", "no such file", COMMAND_NOT_FOUND),
    ("yaml::xs::load error", "", INVALID_CONFIGURATION),
    ("can't open perl script", "no such file", MISSING_FILE),
    ("can't open perl script", "permission denied", PERMISSION_DENIED),
    ("undefined subroutine ", "called", UNHANDLED_ERROR),
    ("syntax error", "", UNHANDLED_ERROR),
];

/// Words with which warnings begin or go on that Perl itself writes: they end nothing.
const WARNINGS: [&str; 26] = [
    "use of uninitialized value",
    "odd number of elements in",
    "reference found where even-sized list expected",
    "wide character in ",
    "deep recursion on ",
    "useless use of ",
    "possible attempt to ",
    "possible unintended interpolation",
    "possible precedence ",
    "scalar value @",
    "name \"main::",
    "statement unlikely to be reached",
    "found = in conditional",
    "unquoted string ",
    "negative repeat count",
    "non-hex character",
    "splice() offset past end",
    "substr outside of string",
    "filehandle ",
    "readline() on ",
    "print() on ",
    "printf() on ",
    "say() on ",
    "close() on ",
    "smartmatch is ",
    "given is ",
];

/// Parts of warnings.
const WARNING_PARTS: [&str; 11] = [
    "isn't numeric in ",
    " redefined at ",
    "masks earlier declaration in same",
    "(in cleanup) ",
    " during global destruction",
    "is experimental at ",
    "is deprecated",
    " will not stay shared",
    "used only once: possible typo",
    "found where operator expected",
    " never introduced",
];

/// What a text means.
pub fn of(said: &str, messages: &Messages) -> CrashReason {
    let lower = said.to_ascii_lowercase();
    let known = TEXTS.iter().find(|(first, second, _)| {
        lower.find(first).is_some_and(|at| second.is_empty() || lower[at + first.len()..].contains(second))
    });
    let told = || messages.meaning(said, Voice::Panic).map(|meaning| meaning.reason);
    known.map(|(_, _, reason)| reason.clone()).or_else(told).unwrap_or(UNHANDLED_ERROR)
}

/// Whether a text, from its first word on, is one of those with which Perl itself dies.
pub fn is_perls_own(said: &str) -> bool {
    let lower = said.to_ascii_lowercase();
    TEXTS.iter().any(|(first, _, _)| !first.starts_with(' ') && lower.starts_with(first))
}

/// A warning, or an error that Perl itself caught.
pub fn is_survived(line: &str) -> bool {
    let lower = line.trim_start().to_ascii_lowercase();
    WARNINGS.iter().any(|words| lower.starts_with(words)) || WARNING_PARTS.iter().any(|words| lower.contains(words))
}

/// A warning with which no program ends, even if it is told to end with warnings: what it quotes died inside of a
/// destructor.
pub fn is_of_destructor(line: &str) -> bool {
    line.contains("(in cleanup) ") || line.contains(" during global destruction")
}

/// A text with which a source does not compile: the first one is the cause.
pub fn is_uncompiled(said: &str) -> bool {
    const BEGINNINGS: [&str; 13] = [
        "syntax error",
        "Global symbol ",
        "Bareword ",
        "Missing right ",
        "Unmatched right ",
        "Can't find string terminator",
        "Can't redeclare ",
        "Unrecognized character",
        "Type of arg ",
        "Not enough arguments for ",
        "Too many arguments for ",
        "Can't modify ",
        "Can't use global ",
    ];
    let subroutine = said.contains("for subroutine");
    !subroutine && BEGINNINGS.iter().any(|words| said.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_reason() {
        let cases = [
            ("Can't call method \"title\" on an undefined value", "NilDereference"),
            ("Can't call method \"title\" on unblessed reference", "TypeMismatch"),
            ("Can't use an undefined value as an ARRAY reference", "NilDereference"),
            ("Can't locate Feed/Store.pm in @INC (you may need to install the Feed::Store module)", "MissingModule"),
            ("Can't locate object method \"x\" via package \"Feed\"", "UnhandledError"),
            ("DBI connect('dbname=x','app',...) failed: could not translate host name \"db\"", "DnsFailure"),
            ("install_driver(Pg) failed: Can't locate DBD/Pg.pm in @INC", "MissingModule"),
            ("Cannot connect: Connection refused", "ConnectionRefused"),
            ("FEED_TOKEN is not set", "MissingConfiguration"),
            ("Illegal division by zero", "ArithmeticError"),
            ("Modification of non-creatable array value attempted, subscript -4", "IndexOutOfBounds"),
            ("no lane for GVA", "UnhandledError"),
            ("Perl v5.40.0 required--this is only v5.36.0, stopped", "ExecFormatError"),
        ];
        for (said, reason) in cases {
            assert_eq!(of(said, &Messages::default()).as_str(), reason, "{said}");
        }
    }

    #[test]
    fn warnings_are_told_from_errors() {
        assert!(is_survived("Use of uninitialized value $x in addition (+) at a.pl line 3."));
        assert!(is_survived("\t(in cleanup) no lane at a.pl line 3."));
        assert!(is_survived("Subroutine run redefined at a.pl line 3."));
        assert!(!is_survived("no lane at a.pl line 3."));
    }
}
