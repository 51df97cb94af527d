//! What the exceptions of OCaml mean.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// Texts with a meaning of their own; the first that holds wins.
static TEXTS: &[(&str, CrashReason)] = &[
    // Eio.
    ("Net Connection_failure Refused", CONNECTION_REFUSED),
    ("Net Connection_failure Timeout", DEPENDENCY_TIMEOUT),
    ("Net Connection_failure No_matching_addresses", DNS_FAILURE),
    ("Net Address_in_use", PORT_IN_USE),
    ("Fs Not_found", MISSING_FILE),
    ("Fs Permission_denied", PERMISSION_DENIED),
    ("Not_found", MISSING_KEY),
    ("index out of bounds", INDEX_OUT_OF_BOUNDS),
    ("\"List.nth\"", INDEX_OUT_OF_BOUNDS),
    ("Failure(\"nth\")", INDEX_OUT_OF_BOUNDS),
    ("(Failure nth)", INDEX_OUT_OF_BOUNDS),
    ("String.sub / Bytes.sub", INDEX_OUT_OF_BOUNDS),
    ("String.get", INDEX_OUT_OF_BOUNDS),
    ("Failure(\"hd\")", MISSING_KEY),
    ("Failure(\"tl\")", MISSING_KEY),
    ("(Failure hd)", MISSING_KEY),
    ("Queue.Empty", MISSING_KEY),
    ("Stack.Empty", MISSING_KEY),
    ("Invalid_argument(\"option is None\")", UNWRAP_FAILED),
    ("Invalid_argument(\"result is Error _\")", UNWRAP_FAILED),
    ("Invalid_argument(\"result is Ok _\")", UNWRAP_FAILED),
    ("Option.value_exn None", UNWRAP_FAILED),
    ("Division_by_zero", ARITHMETIC_ERROR),
    ("Stack overflow", STACK_OVERFLOW),
    ("Stack_overflow", STACK_OVERFLOW),
    ("Out of memory", HEAP_EXHAUSTED),
    ("Out_of_memory", HEAP_EXHAUSTED),
    ("Assertion failed", ASSERTION_FAILED),
    ("Assert_failure", ASSERTION_FAILED),
    ("Mutex.lock: Resource deadlock avoided", DEADLOCK),
    ("(\"Mutex.", UNHANDLED_ERROR),
    ("Util.Type_error(", TYPE_MISMATCH),
    ("Lwt_unix.Timeout", DEPENDENCY_TIMEOUT),
    ("Arg.Bad(", INVALID_CONFIGURATION),
    ("Sys.Break", TERMINATED),
    ("Cannot find file", MISSING_MODULE),
];

/// Errors of the operating system, and calls in which they mean something else.
static SYSTEM: &[(&str, &str, CrashReason)] = &[
    ("ENOENT", "\"connect\"", CONNECTION_REFUSED),
    ("ENOENT", "\"exec", COMMAND_NOT_FOUND),
    ("ENOENT", "\"create_process\"", COMMAND_NOT_FOUND),
    ("EAGAIN", "\"fork\"", THREAD_LIMIT),
    ("EHOSTUNREACH", "", CONNECTION_REFUSED),
    ("ENETUNREACH", "", CONNECTION_REFUSED),
    ("ECONNRESET", "", CONNECTION_REFUSED),
    ("EPERM", "", PERMISSION_DENIED),
    ("EROFS", "", PERMISSION_DENIED),
    ("ENOMEM", "", HEAP_EXHAUSTED),
    ("ENFILE", "", TOO_MANY_OPEN_FILES),
    ("EMFILE", "", TOO_MANY_OPEN_FILES),
    ("EADDRNOTAVAIL", "", INVALID_CONFIGURATION),
    ("ENOEXEC", "", EXEC_FORMAT_ERROR),
];

/// What an exception means by its text.
pub fn of(thrown: &str, messages: &Messages) -> CrashReason {
    if thrown.contains("Unix_error") {
        let system = SYSTEM.iter().find(|(error, call, _)| thrown.contains(error) && thrown.contains(call));
        if let Some((.., reason)) = system {
            return reason.clone();
        }
    }
    let text = TEXTS.iter().find(|(words, _)| thrown.contains(words)).map(|(_, reason)| reason.clone());
    let said = || messages.meaning(thrown, Voice::Panic).map(|meaning| meaning.reason);
    text.or_else(said).unwrap_or(UNHANDLED_ERROR)
}

/// The exception's name in its text: `Ledger.Sealed("shelf", 7)`, `(Failure boom)`, `Stack overflow`.
pub fn name(thrown: &str) -> String {
    const SPOKEN: [(&str, &str); 4] = [
        ("Stack overflow", "Stack_overflow"),
        ("Out of memory", "Out_of_memory"),
        ("Assertion failed", "Assert_failure"),
        ("Pattern matching failed", "Match_failure"),
    ];
    let spoken = SPOKEN.iter().find(|(words, _)| thrown.ends_with(words));
    if let Some((_, name)) = spoken {
        return (*name).to_owned();
    }
    let bare = thrown.trim_start_matches(['(', '"']);
    let bare = bare.strip_prefix("monitor.ml.Error").map_or(bare, |inner| inner.trim_start_matches([' ', '(']));
    let end = bare.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '\''))).unwrap_or(bare.len());
    bare[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_their_name_and_reason() {
        let cases = [
            ("Not_found", "Not_found", "MissingKey"),
            ("Invalid_argument(\"index out of bounds\")", "Invalid_argument", "IndexOutOfBounds"),
            ("Division_by_zero", "Division_by_zero", "ArithmeticError"),
            ("File \"ledger.ml\", line 9, characters 45-51: Assertion failed", "Assert_failure", "AssertionFailed"),
            (
                "File \"ledger.ml\", line 20, characters 15-20: Pattern matching failed",
                "Match_failure",
                "UnhandledError",
            ),
            ("Ledger.Sealed(\"shelf\", 7)", "Ledger.Sealed", "UnhandledError"),
            ("Failure(\"ledger is sealed\")", "Failure", "UnhandledError"),
            ("Failure(\"LEDGER_PORT is not set\")", "Failure", "MissingConfiguration"),
            ("Failure(\"hd\")", "Failure", "MissingKey"),
            ("Sys_error(\"/etc/ledger/none.conf: No such file or directory\")", "Sys_error", "MissingFile"),
            ("Unix.Unix_error(Unix.ECONNREFUSED, \"connect\", \"\")", "Unix.Unix_error", "ConnectionRefused"),
            ("Unix.Unix_error(Unix.EADDRINUSE, \"bind\", \"\")", "Unix.Unix_error", "PortInUse"),
            ("Unix.Unix_error(Unix.ENOENT, \"connect\", \"\")", "Unix.Unix_error", "ConnectionRefused"),
            ("Unix.Unix_error(Unix.ENOENT, \"execvp\", \"convert\")", "Unix.Unix_error", "CommandNotFound"),
            ("Unix.Unix_error(Unix.ENOENT, \"open\", \"/etc/x\")", "Unix.Unix_error", "MissingFile"),
            ("Unix.Unix_error(Unix.EMFILE, \"open\", \"/dev/null\")", "Unix.Unix_error", "TooManyOpenFiles"),
            ("Sys_error(\"Mutex.unlock: Operation not permitted\")", "Sys_error", "UnhandledError"),
            ("Sys_error(\"Mutex.lock: Resource deadlock avoided\")", "Sys_error", "Deadlock"),
            ("Invalid_argument(\"result is Error _\")", "Invalid_argument", "UnwrapFailed"),
            ("Stdlib.Queue.Empty", "Stdlib.Queue.Empty", "MissingKey"),
            ("Stdlib.Arg.Bad(\"kiln: unknown option '-x'\")", "Stdlib.Arg.Bad", "InvalidConfiguration"),
            ("Yojson.Safe.Util.Type_error(\"Expected int\", _)", "Yojson.Safe.Util.Type_error", "TypeMismatch"),
            ("Lwt_unix.Timeout", "Lwt_unix.Timeout", "DependencyTimeout"),
            ("Eio.Io Fs Not_found Unix_error (No such file or directory, \"openat2\", \"\"),", "Eio.Io", "MissingFile"),
            ("Eio.Io Net Connection_failure No_matching_addresses,", "Eio.Io", "DnsFailure"),
            ("Stack overflow", "Stack_overflow", "StackOverflow"),
            ("Out of memory", "Out_of_memory", "HeapExhausted"),
            ("Fun.Finally_raised: Failure(\"cannot close\")", "Fun.Finally_raised", "UnhandledError"),
            ("(Failure boom)", "Failure", "UnhandledError"),
            ("(monitor.ml.Error (Failure boom)", "Failure", "UnhandledError"),
        ];
        for (thrown, class, reason) in cases {
            assert_eq!((name(thrown).as_str(), of(thrown, &Messages::default()).as_str()), (class, reason), "{thrown}");
        }
    }
}
