//! What the errors of Erlang and Elixir mean.

use crate::classify::finding::CrashReason;
use crate::classify::links::Link;
use crate::classify::messages::{Messages, Voice, is_setting_name};
use crate::classify::reason::*;

/// What one error is called in Erlang, in Elixir, and by the words of Erlang's shell; and what it means.
struct Error {
    erlang: &'static str,
    elixir: &'static str,
    shell: &'static str,
    reason: CrashReason,
}

const fn error(erlang: &'static str, elixir: &'static str, shell: &'static str, reason: CrashReason) -> Error {
    Error { erlang, elixir, shell, reason }
}

static ERRORS: &[Error] = &[
    error("badkey", "KeyError", "bad key: ", MISSING_KEY),
    error("badmatch", "MatchError", "no match of right hand side value ", UNHANDLED_ERROR),
    error("case_clause", "CaseClauseError", "no case clause matching ", UNHANDLED_ERROR),
    error("function_clause", "FunctionClauseError", "no function clause matching ", UNHANDLED_ERROR),
    error("if_clause", "CondClauseError", "no true branch found when evaluating an if expression", UNHANDLED_ERROR),
    error("try_clause", "TryClauseError", "no try clause matching ", UNHANDLED_ERROR),
    error("else_clause", "WithClauseError", "no else clause matching ", UNHANDLED_ERROR),
    error(
        "badarith",
        "ArithmeticError",
        "an error occurred when evaluating an arithmetic expression",
        ARITHMETIC_ERROR,
    ),
    error("badarg", "ArgumentError", "bad argument", UNHANDLED_ERROR),
    error("undef", "UndefinedFunctionError", "undefined function ", UNHANDLED_ERROR),
    error("badmap", "BadMapError", "bad map: ", TYPE_MISMATCH),
    error("badfun", "BadFunctionError", "bad function ", TYPE_MISMATCH),
    error("badarity", "BadArityError", "interpreted function with arity ", TYPE_MISMATCH),
    error("badrecord", "BadRecordError", "bad record ", TYPE_MISMATCH),
    error("badstruct", "BadStructError", "bad struct ", TYPE_MISMATCH),
    error("system_limit", "SystemLimitError", "a system limit has been reached", THREAD_LIMIT),
    error("assert", "ExUnit.AssertionError", "{assert,", ASSERTION_FAILED),
    error("assertEqual", "ExUnit.AssertionError", "{assertEqual,", ASSERTION_FAILED),
    error("assertMatch", "ExUnit.AssertionError", "{assertMatch,", ASSERTION_FAILED),
    error("assertNotEqual", "ExUnit.AssertionError", "{assertNotEqual,", ASSERTION_FAILED),
    error("assertException", "ExUnit.AssertionError", "{assertException,", ASSERTION_FAILED),
    error("Enum.EmptyError", "Enum.EmptyError", "", MISSING_KEY),
    error("Enum.OutOfBoundsError", "Enum.OutOfBoundsError", "", INDEX_OUT_OF_BOUNDS),
    error("Protocol.UndefinedError", "Protocol.UndefinedError", "", TYPE_MISMATCH),
    error("System.EnvError", "System.EnvError", "", MISSING_CONFIGURATION),
    error("Code.LoadError", "Code.LoadError", "", MISSING_FILE),
    error("NoFileError", "Config.LoadError", "", INVALID_CONFIGURATION),
    error("Plug.Conn.InvalidKeyError", "NimbleOptions.ValidationError", "", INVALID_CONFIGURATION),
];

/// Texts with a meaning of their own, in small letters; the first that holds wins.
static TEXTS: &[(&str, CrashReason)] = &[
    ("could not fetch application environment", MISSING_CONFIGURATION),
    ("invalid value for :", INVALID_CONFIGURATION),
    ("nxdomain", DNS_FAILURE),
    ("non-existing domain", DNS_FAILURE),
    ("tls_alert", TLS_FAILURE),
    ("tls client: ", TLS_FAILURE),
    ("ssl not available", TLS_FAILURE),
    ("invalid_password", AUTHENTICATION_FAILED),
    ("invalid_authorization_specification", AUTHENTICATION_FAILED),
    ("auth_failure", AUTHENTICATION_FAILED),
    ("not_authorized", AUTHENTICATION_FAILED),
    ("access_refused", AUTHENTICATION_FAILED),
    ("ehostunreach", CONNECTION_REFUSED),
    ("enetunreach", CONNECTION_REFUSED),
    ("econnreset", CONNECTION_REFUSED),
    ("econnaborted", CONNECTION_REFUSED),
    ("econnclosed", CONNECTION_REFUSED),
    ("connection not available and request was dropped from queue", DEPENDENCY_TIMEOUT),
    ("all_brokers_down", CONNECTION_REFUSED),
    ("eaddrnotavail", INVALID_CONFIGURATION),
    ("erofs", PERMISSION_DENIED),
    ("eperm", PERMISSION_DENIED),
    ("enomem", HEAP_EXHAUSTED),
    ("edquot", DISK_FULL),
    ("enfile", TOO_MANY_OPEN_FILES),
    ("no more index entries in atom_tab", HEAP_EXHAUSTED),
    ("dist_port_already_used", PORT_IN_USE),
    ("schema_integrity_check_failed", INVALID_CONFIGURATION),
    ("timeout_waiting_for_tables", DEPENDENCY_TIMEOUT),
    ("cannot get bootfile", MISSING_FILE),
    ("could not find application file", MISSING_MODULE),
    ("could not find an ebin directory", MISSING_MODULE),
    ("can't continue due to errors on dependencies", MISSING_MODULE),
    ("(module ", MISSING_MODULE),
    ("failed to load nif", MISSING_LIBRARY),
    ("load_failed", MISSING_LIBRARY),
    ("on_load_function_failed", MISSING_LIBRARY),
];

/// Words of a connection that is being made, beside which a bare time-out is one of a dependency.
const CONNECTING: [&str; 8] = [
    "tcp connect",
    "connect(",
    "connect,",
    "failed_to_connect",
    "connection",
    "postgrex",
    "gen_tcp",
    "{error,timeout}",
];

/// What a link means.
pub fn of_link(link: &Link, messages: &Messages) -> CrashReason {
    let (class, said) = (link.exception.as_str(), link.first_line());
    if let Some(reason) = special(class, said, link) {
        return reason;
    }
    let lower = said.to_ascii_lowercase();
    let text = |text: &str| {
        let lower = text.to_ascii_lowercase();
        TEXTS.iter().find(|(words, _)| holds_word(&lower, words)).map(|(_, reason)| reason.clone())
    };
    let spoken = |text: &str| messages.meaning(text, Voice::Panic).map(|meaning| meaning.reason);
    let error = known(class).map(|error| error.reason.clone());
    // A value that did not match may be a dependency's answer; what is thrown for a key is its name.
    let precise = error.clone().filter(|reason| *reason != UNHANDLED_ERROR);
    precise
        .or_else(|| text(said))
        .or_else(|| spoken(said))
        .or_else(|| timed_out(&lower).then_some(DEPENDENCY_TIMEOUT))
        .or_else(|| spoken(&link.message))
        .or(error)
        .unwrap_or(UNHANDLED_ERROR)
}

fn special(class: &str, said: &str, link: &Link) -> Option<CrashReason> {
    let nil = said.contains("not found in: nil") || said.starts_with("function nil.");
    match class {
        "KeyError" | "badkey" if nil => Some(NIL_DEREFERENCE),
        "KeyError" | "badkey" => Some(of_key(said)),
        "UndefinedFunctionError" if nil => Some(NIL_DEREFERENCE),
        "BadMapError" if said.ends_with("got: nil") => Some(NIL_DEREFERENCE),
        "badmap" if said.ends_with(",nil}") || said.ends_with(",undefined}") => Some(NIL_DEREFERENCE),
        "ArgumentError" if said.contains(" on nil") => Some(NIL_DEREFERENCE),
        // A module without any other frame in the stack is not there; in one that is, only the function is missing.
        "undef" => Some(if is_absent(link) { MISSING_MODULE } else { UNHANDLED_ERROR }),
        _ => None,
    }
}

/// A key that is called like a variable of the environment is one.
fn of_key(said: &str) -> CrashReason {
    let mut words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let key = words.find(|word| !matches!(*word, "" | "key" | "badkey" | "bad")).unwrap_or_default();
    if is_setting_name(key) { MISSING_CONFIGURATION } else { MISSING_KEY }
}

fn is_absent(link: &Link) -> bool {
    let module = |function: &str| function.split([':', '.']).next().unwrap_or_default().to_owned();
    let Some(top) = link.frames.first() else { return false };
    link.frames[1..].iter().all(|frame| module(&frame.function) != module(&top.function))
}

/// Whether `words` stand in a text by themselves: `eperm` is no part of another word.
fn holds_word(text: &str, words: &str) -> bool {
    let single = words.bytes().all(|b| b.is_ascii_alphanumeric());
    text.match_indices(words).any(|(at, _)| {
        let letter = |c: char| c.is_ascii_alphanumeric();
        let (before, after) = (text[..at].ends_with(letter), text[at + words.len()..].starts_with(letter));
        !single || !before && !after
    })
}

fn timed_out(lower: &str) -> bool {
    let late = lower.contains("timeout") || lower.contains("timed out");
    late && CONNECTING.iter().any(|word| lower.contains(word)) && !lower.contains("gen_server,call")
}

fn known(class: &str) -> Option<&'static Error> {
    ERRORS.iter().find(|error| error.erlang == class || error.elixir == class)
}

/// The name of an error by the words with which Erlang's shell says it.
pub fn of_shell(said: &str) -> Option<&'static str> {
    let found = ERRORS.iter().find(|error| !error.shell.is_empty() && said.starts_with(error.shell));
    found.map(|error| error.erlang)
}

/// The kind of an error for the fingerprint: one name, whichever language printed it.
pub fn stable(class: &str) -> &str {
    known(class).map_or(class, |error| error.erlang)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_reason() {
        let cases = [
            ("KeyError", "key :depot_id not found in: %{a: 1}", "MissingKey"),
            ("KeyError", "key \"DATABASE_URL\" not found in: %{}", "MissingConfiguration"),
            ("KeyError", "key :depot not found in: nil. If you are using the dot syntax", "NilDereference"),
            ("KeyError", "key :depot not found in: nil\n\nIf you are using the dot syntax", "NilDereference"),
            ("badkey", "{badkey,<<\"TX\">>}", "MissingKey"),
            ("UndefinedFunctionError", "function nil.depot/0 is undefined", "NilDereference"),
            (
                "UndefinedFunctionError",
                "function Depot.None.go/1 is undefined (module Depot.None is not available)",
                "MissingModule",
            ),
            ("UndefinedFunctionError", "function Depot.Worker.gone/1 is undefined or private", "UnhandledError"),
            ("BadMapError", "expected a map, got: nil", "NilDereference"),
            ("BadMapError", "expected a map, got: 3", "TypeMismatch"),
            ("ArithmeticError", "bad argument in arithmetic expression", "ArithmeticError"),
            ("badarith", "badarith", "ArithmeticError"),
            ("MatchError", "no match of right hand side value: {:error, :enoent}", "MissingFile"),
            ("badmatch", "{badmatch,{error,econnrefused}}", "ConnectionRefused"),
            ("badmatch", "{badmatch,{error,nxdomain}}", "DnsFailure"),
            ("badmatch", "{badmatch,{error,eaddrinuse}}", "PortInUse"),
            ("badmatch", "{badmatch,{error,eacces}}", "PermissionDenied"),
            ("badmatch", "{badmatch,{error,timeout}}", "DependencyTimeout"),
            ("badmatch", "{badmatch,undefined}", "UnhandledError"),
            ("timeout", "{timeout,{gen_server,call,[ledger,{post,5},50]}}", "UnhandledError"),
            ("function_clause", "function_clause", "UnhandledError"),
            (
                "System.EnvError",
                "could not fetch environment variable \"X\" because it is not set",
                "MissingConfiguration",
            ),
            ("RuntimeError", "environment variable DATABASE_URL is missing.", "MissingConfiguration"),
            ("RuntimeError", "depot is sealed", "UnhandledError"),
            (
                "DBConnection.ConnectionError",
                "tcp connect (localhost:5432): connection refused - :econnrefused",
                "ConnectionRefused",
            ),
            ("DBConnection.ConnectionError", "tcp connect (db:5432): non-existing domain - :nxdomain", "DnsFailure"),
            ("DBConnection.ConnectionError", "tcp connect (db:5432): timeout", "DependencyTimeout"),
            (
                "Postgrex.Error",
                "FATAL 28P01 (invalid_password) password authentication failed for user \"depot\"",
                "AuthenticationFailed",
            ),
            ("File.Error", "could not read file \"/etc/x\": no such file or directory", "MissingFile"),
            ("File.Error", "could not write to file \"/etc/x\": permission denied", "PermissionDenied"),
            ("Protocol.UndefinedError", "protocol Enumerable not implemented for nil of type Atom", "TypeMismatch"),
            ("Enum.OutOfBoundsError", "out of bounds error", "IndexOutOfBounds"),
            ("Enum.EmptyError", "empty error", "MissingKey"),
            ("EXIT", ":econnrefused", "ConnectionRefused"),
            ("EXIT", "time out", "UnhandledError"),
            ("Mix", "Could not start application depot: could not find application file: depot.app", "MissingModule"),
        ];
        for (class, message, reason) in cases {
            assert_eq!(
                of_link(&Link::new(class, message, b""), &Messages::default()).as_str(),
                reason,
                "{class}: {message}"
            );
        }
    }

    #[test]
    fn an_error_has_one_kind_whoever_prints_it() {
        assert_eq!((stable("KeyError"), stable("badkey"), stable("Depot.Error")), ("badkey", "badkey", "Depot.Error"));
        assert_eq!(of_shell("bad key: <<\"TX\">>"), Some("badkey"));
        assert_eq!(of_shell("shelf_is_sealed"), None);
    }
}
