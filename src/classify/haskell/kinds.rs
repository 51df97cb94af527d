//! What GHC's runtime and the libraries say, and what it means.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// A text that only programs built by GHC write.
struct Text {
    words: &'static str,
    exception: &'static str,
    reason: CrashReason,
}

const fn text(words: &'static str, exception: &'static str, reason: CrashReason) -> Text {
    Text { words, exception, reason }
}

/// The first that holds wins.
static TEXTS: &[Text] = &[
    text("Prelude.!!: ", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text("Prelude.chr: bad argument", "ErrorCall", UNHANDLED_ERROR),
    text("Prelude.read: ", "ErrorCall", UNHANDLED_ERROR),
    text("Prelude.Enum.", "ErrorCall", UNHANDLED_ERROR),
    text("Prelude.undefined", "ErrorCall", UNHANDLED_ERROR),
    text(": empty list", "ErrorCall", MISSING_KEY),
    text(": empty structure", "ErrorCall", MISSING_KEY),
    text(": empty ByteString", "ErrorCall", MISSING_KEY),
    text(": empty input", "ErrorCall", MISSING_KEY),
    text(": Empty stream", "ErrorCall", MISSING_KEY),
    text(" has no minimal element", "ErrorCall", MISSING_KEY),
    text(" has no maximal element", "ErrorCall", MISSING_KEY),
    text("is not an element in the map", "ErrorCall", MISSING_KEY),
    text("is not an element of the map", "ErrorCall", MISSING_KEY),
    text("HashMap.!): key not found", "ErrorCall", MISSING_KEY),
    text("(!): key not found", "ErrorCall", MISSING_KEY),
    text("fromJust: Nothing", "ErrorCall", UNWRAP_FAILED),
    text("}.index: Index ", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text("Error in array index", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text("index out of bounds", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text(".index: index too large", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text(".index: negative index", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text("At: index out of range", "ErrorCall", INDEX_OUT_OF_BOUNDS),
    text("divide by zero", "ArithException", ARITHMETIC_ERROR),
    text("arithmetic overflow", "ArithException", ARITHMETIC_ERROR),
    text("arithmetic underflow", "ArithException", ARITHMETIC_ERROR),
    text("Ratio has zero denominator", "ArithException", ARITHMETIC_ERROR),
    text("Negative exponent", "ErrorCall", UNHANDLED_ERROR),
    text("<<loop>>", "NonTermination", UNHANDLED_ERROR),
    text("thread killed", "AsyncException", UNHANDLED_ERROR),
    text("Non-exhaustive patterns in ", "PatternMatchFail", UNHANDLED_ERROR),
    text("Non-exhaustive guards in ", "PatternMatchFail", UNHANDLED_ERROR),
    text("Irrefutable pattern failed", "PatternMatchFail", UNHANDLED_ERROR),
    text("Pattern match failure in ", "IOException", UNHANDLED_ERROR),
    text("No match in record selector ", "RecSelError", UNHANDLED_ERROR),
    text("Missing field in record construction ", "RecConError", UNHANDLED_ERROR),
    text("No instance nor default method for class operation ", "NoMethodError", UNHANDLED_ERROR),
    text("thread blocked indefinitely in an MVar operation", "BlockedIndefinitelyOnMVar", DEADLOCK),
    text("thread blocked indefinitely in an STM transaction", "BlockedIndefinitelyOnSTM", DEADLOCK),
    text("Stack space overflow: ", "StackOverflow", STACK_OVERFLOW),
    text("stack overflow", "StackOverflow", STACK_OVERFLOW),
    text("Heap exhausted;", "HeapOverflow", HEAP_EXHAUSTED),
    text("heap overflow", "HeapOverflow", HEAP_EXHAUSTED),
    text("out of memory (requested ", "HeapOverflow", HEAP_EXHAUSTED),
    text("memory allocation failed (requested ", "HeapOverflow", HEAP_EXHAUSTED),
    text("Assertion failed", "AssertionFailed", ASSERTION_FAILED),
    text("no environment variable", "IOException", MISSING_CONFIGURATION),
    text("getEnv: ", "IOException", MISSING_CONFIGURATION),
    text(" (exit 127): failed", "IOException", COMMAND_NOT_FOUND),
    text(" (exit 126): failed", "IOException", PERMISSION_DENIED),
    text("posix_spawnp: does not exist", "IOException", COMMAND_NOT_FOUND),
    text("runInteractiveProcess: does not exist", "IOException", COMMAND_NOT_FOUND),
    text("createProcess: does not exist", "IOException", COMMAND_NOT_FOUND),
    text("execvp: does not exist", "IOException", COMMAND_NOT_FOUND),
    text("exec: does not exist", "IOException", COMMAND_NOT_FOUND),
    text("callProcess: ", "IOException", UNHANDLED_ERROR),
    text("callCommand: ", "IOException", UNHANDLED_ERROR),
    text("readCreateProcess: ", "IOException", UNHANDLED_ERROR),
    text("ConnectionTimeout", "HttpException", DEPENDENCY_TIMEOUT),
    text("ResponseTimeout", "HttpException", DEPENDENCY_TIMEOUT),
    text("HandshakeFailed", "TLSException", TLS_FAILURE),
    text("TlsException", "HttpException", TLS_FAILURE),
    text("internal error: ", "", ABORT),
    text("failed to create OS thread: ", "", THREAD_LIMIT),
    text("unknown RTS option: ", "", INVALID_CONFIGURATION),
    text("Most RTS options are disabled.", "", INVALID_CONFIGURATION),
    text("Yaml file not found: ", "ParseException", MISSING_FILE),
    text("InvalidYaml (", "ParseException", INVALID_CONFIGURATION),
    text("AesonException ", "ParseException", INVALID_CONFIGURATION),
    text("InvalidUrlException ", "HttpException", INVALID_CONFIGURATION),
    text("HttpExceptionRequest Request {", "HttpException", UNHANDLED_ERROR),
    text("libpq: failed (", "SqlError", UNHANDLED_ERROR),
    text("Cannot decode byte '", "UnicodeException", UNHANDLED_ERROR),
];
/// Exceptions that only carry what another one says.
const CARRIERS: [&str; 2] = ["HttpException", "SqlError"];

/// The words with which the errors of the operating system end, behind what was tried: `connect: resource busy (…)`.
const SYSTEM: [&str; 15] = [
    ": does not exist (",
    ": already exists (",
    ": resource busy (",
    ": resource exhausted (",
    ": resource vanished (",
    ": permission denied (",
    ": invalid argument (",
    ": unsupported operation (",
    ": hardware fault (",
    ": end of file",
    ": timeout (",
    ": illegal operation (",
    ": inappropriate type (",
    ": protocol error (",
    ": system error (",
];

/// What a text means: the exception's name and the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Meant {
    /// The exception; empty where it is not known.
    pub exception: &'static str,
    /// The reason.
    pub reason: CrashReason,
}

/// What a text means, whoever wrote it.
pub fn of(said: &str, messages: &Messages) -> Meant {
    let known = TEXTS.iter().find(|text| said.contains(text.words));
    let spoken = || messages.meaning(said, Voice::Panic).map(|meaning| meaning.reason);
    match known {
        Some(text) if CARRIERS.contains(&text.exception) && text.reason == UNHANDLED_ERROR => {
            Meant { exception: text.exception, reason: spoken().unwrap_or(UNHANDLED_ERROR) }
        }
        Some(text) => Meant { exception: text.exception, reason: text.reason.clone() },
        None => Meant { exception: exception(said), reason: spoken().unwrap_or(UNHANDLED_ERROR) },
    }
}

fn exception(said: &str) -> &'static str {
    let system = said.starts_with("user error (") || SYSTEM.iter().any(|words| said.contains(words));
    if system { "IOException" } else { "" }
}

/// Whether a text behind a program's name is one that only GHC's runtime or its libraries write.
pub fn is_own(said: &str) -> bool {
    let general = [
        "index out of bounds",
        "stack overflow",
        "Assertion failed",
        "ConnectionTimeout",
        "ResponseTimeout",
        "divide by zero",
        "thread killed",
        "Negative exponent",
    ];
    let known = TEXTS.iter().any(|text| said.contains(text.words) && !general.contains(&text.words));
    let whole = general.contains(&said);
    known || whole || !exception(said).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_reason() {
        let cases = [
            ("Prelude.head: empty list", "MissingKey"),
            ("Map.!: given key is not an element in the map", "MissingKey"),
            ("Prelude.!!: index too large", "IndexOutOfBounds"),
            ("Ix{Integer}.index: Index (9) out of range ((0,3))", "IndexOutOfBounds"),
            ("Maybe.fromJust: Nothing", "UnwrapFailed"),
            ("divide by zero", "ArithmeticError"),
            ("Tally.hs:26:1-10: Non-exhaustive patterns in function only", "UnhandledError"),
            ("<<loop>>", "UnhandledError"),
            ("thread blocked indefinitely in an MVar operation", "Deadlock"),
            ("Stack space overflow: current size 33624 bytes.", "StackOverflow"),
            ("Heap exhausted;", "HeapExhausted"),
            ("/etc/tally/none: openFile: does not exist (No such file or directory)", "MissingFile"),
            ("TALLY_DATABASE_URL: getEnv: does not exist (no environment variable)", "MissingConfiguration"),
            ("tally-convert: callProcess: posix_spawnp: does not exist (No such file or directory)", "CommandNotFound"),
            ("Network.Socket.connect: <socket: 12>: does not exist (Connection refused)", "ConnectionRefused"),
            ("Network.Socket.bind: resource busy (Address already in use)", "PortInUse"),
            ("Network.Socket.getAddrInfo (called with x): does not exist (Name or service not known)", "DnsFailure"),
            ("/data/x: withFile: resource exhausted (No space left on device)", "DiskFull"),
            ("/data/x: withFile: permission denied (Permission denied)", "PermissionDenied"),
            ("user error (ballots are wet)", "UnhandledError"),
            (
                "libpq: failed (connection to server at \"db\", port 5432 failed: Connection refused",
                "ConnectionRefused",
            ),
            ("conf.yml: InvalidYaml (Just (YamlParseException {yamlLine = 3}))", "InvalidConfiguration"),
            ("no such candidate: zoe", "UnhandledError"),
        ];
        for (said, reason) in cases {
            assert_eq!(of(said, &Messages::default()).reason.as_str(), reason, "{said}");
        }
    }

    #[test]
    fn every_text_that_only_ghc_writes_is_looked_for() {
        use crate::classify::grammar::Grammar;
        // Of these other words of the line, or the request above them, are the anchor.
        let elsewhere = "Assertion failed|ConnectionTimeout|ResponseTimeout|HandshakeFailed|TlsException|\
            InvalidUrlException |no environment variable|getEnv: |posix_spawnp: does not exist|\
            runInteractiveProcess: does not exist|createProcess: does not exist|execvp: does not exist|\
            exec: does not exist| (exit 127): failed| (exit 126): failed|Yaml file not found: ";
        let elsewhere: Vec<&str> = elsewhere.split('|').collect();
        // Most errors have a call stack, which is one too.
        let alone = TEXTS.iter().filter(|text| text.exception != "ErrorCall" && !elsewhere.contains(&text.words));
        for text in alone {
            let line = format!("Vat.hs:3:1: {}", text.words.trim_start_matches([':', ' ']));
            assert!(super::super::Haskell.anchors().iter().any(|anchor| line.contains(anchor)), "{line}");
        }
    }

    #[test]
    fn texts_of_others_are_not_taken_for_ghcs() {
        for said in
            ["cannot open store", "stack overflow in the buffer", "connection refused", "no such candidate: zoe"]
        {
            assert!(!is_own(said), "{said}");
        }
        for said in [
            "Prelude.head: empty list",
            "<<loop>>",
            "divide by zero",
            "user error (x)",
            "/etc/x: openFile: does not exist (No such file or directory)",
        ] {
            assert!(is_own(said), "{said}");
        }
    }
}
