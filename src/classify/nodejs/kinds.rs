//! What JavaScript's errors mean.

use super::head::Head;
use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice, is_setting_name};
use crate::classify::reason::*;

/// Texts of a `TypeError` that say that a value was absent, in the words of V8 and of JavaScriptCore.
const ABSENT: [&str; 13] = [
    "Cannot read propert",
    "Cannot set propert",
    "undefined is not an object",
    "null is not an object",
    "Cannot convert undefined or null to object",
    "undefined is not iterable",
    "object null is not iterable",
    "null is not iterable",
    "Cannot use 'in' operator to search for",
    "Cannot destructure property",
    "Cannot destructure '",
    "Right side of assignment cannot be destructured",
    "Cannot delete property",
];

/// Words for a module that is not there.
const NO_MODULE: [&str; 4] = ["Cannot find module", "Cannot find package", "Module not found", "not a dependency"];

/// Codes of errors: the reason.
static CODES: &[(&str, CrashReason)] = &[
    ("ECONNREFUSED", CONNECTION_REFUSED),
    ("ConnectionRefused", CONNECTION_REFUSED),
    ("ECONNRESET", CONNECTION_REFUSED),
    ("EHOSTUNREACH", CONNECTION_REFUSED),
    ("ENETUNREACH", CONNECTION_REFUSED),
    ("EPIPE", CONNECTION_REFUSED),
    ("PROTOCOL_CONNECTION_LOST", CONNECTION_REFUSED),
    ("P1001", CONNECTION_REFUSED),
    ("ENOTFOUND", DNS_FAILURE),
    ("EAI_AGAIN", DNS_FAILURE),
    ("ETIMEDOUT", DEPENDENCY_TIMEOUT),
    ("ESOCKETTIMEDOUT", DEPENDENCY_TIMEOUT),
    ("ECONNABORTED", DEPENDENCY_TIMEOUT),
    ("UND_ERR_CONNECT_TIMEOUT", DEPENDENCY_TIMEOUT),
    ("UND_ERR_HEADERS_TIMEOUT", DEPENDENCY_TIMEOUT),
    ("UND_ERR_BODY_TIMEOUT", DEPENDENCY_TIMEOUT),
    ("P1002", DEPENDENCY_TIMEOUT),
    ("P1000", AUTHENTICATION_FAILED),
    ("28P01", AUTHENTICATION_FAILED),
    ("28000", AUTHENTICATION_FAILED),
    ("ER_ACCESS_DENIED_ERROR", AUTHENTICATION_FAILED),
    ("CERT_HAS_EXPIRED", TLS_FAILURE),
    ("DEPTH_ZERO_SELF_SIGNED_CERT", TLS_FAILURE),
    ("SELF_SIGNED_CERT_IN_CHAIN", TLS_FAILURE),
    ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", TLS_FAILURE),
    ("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", TLS_FAILURE),
    ("ERR_TLS_CERT_ALTNAME_INVALID", TLS_FAILURE),
    ("EPROTO", TLS_FAILURE),
    ("EADDRINUSE", PORT_IN_USE),
    ("EADDRNOTAVAIL", INVALID_CONFIGURATION),
    ("EACCES", PERMISSION_DENIED),
    ("EPERM", PERMISSION_DENIED),
    ("EROFS", PERMISSION_DENIED),
    ("EMFILE", TOO_MANY_OPEN_FILES),
    ("ENFILE", TOO_MANY_OPEN_FILES),
    ("ENOSPC", DISK_FULL),
    ("EDQUOT", DISK_FULL),
    ("ENOMEM", HEAP_EXHAUSTED),
    ("EAGAIN", THREAD_LIMIT),
    ("ENOENT", MISSING_FILE),
    ("MODULE_NOT_FOUND", MISSING_MODULE),
    ("ERR_MODULE_NOT_FOUND", MISSING_MODULE),
    ("ERR_PACKAGE_PATH_NOT_EXPORTED", MISSING_MODULE),
    ("ERR_WORKER_OUT_OF_MEMORY", HEAP_EXHAUSTED),
    ("ERR_OUT_OF_RANGE", INDEX_OUT_OF_BOUNDS),
    ("ERR_BUFFER_OUT_OF_BOUNDS", INDEX_OUT_OF_BOUNDS),
    ("ERR_ASSERTION", ASSERTION_FAILED),
    ("ERR_SOCKET_BAD_PORT", INVALID_CONFIGURATION),
];

/// What is known of an error.
#[derive(Clone, Copy, Debug)]
pub struct Thrown<'a> {
    /// Its class, code and text.
    pub head: &'a Head,
    /// Further lines of its text.
    pub details: &'a str,
    /// Function and file of the top frame of the user's own.
    pub place: &'a str,
}

/// The reason of an error.
pub fn reason(thrown: &Thrown<'_>, messages: &Messages) -> CrashReason {
    let Head { class, message, .. } = thrown.head;
    let has = |text: &str| message.contains(text);
    match class.as_str() {
        // Deno and Bun give no code.
        "TypeError" if NO_MODULE.iter().any(|words| has(words)) => MISSING_MODULE,
        "RangeError" if has("options.port") => INVALID_CONFIGURATION,
        "TypeError" if of_code(thrown.head).is_none() => of_type_error(message, messages),
        "RangeError" | "InternalError" => of_range(thrown.head),
        "AssertionError" => ASSERTION_FAILED,
        // The cloud's own names for it.
        "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" => AUTHENTICATION_FAILED,
        "EnvVarError" if has(" should be ") => INVALID_CONFIGURATION,
        "SequelizeConnectionAcquireTimeoutError" => DEPENDENCY_TIMEOUT,
        // A server's socket that is not there.
        "Error" if message.starts_with("connect ENOENT ") => CONNECTION_REFUSED,
        "ReferenceError" => UNHANDLED_ERROR,
        "ZodError" => of_zod(thrown),
        // Deno.
        "NotCapable" | "PermissionDenied" => PERMISSION_DENIED,
        "SyntaxError" if is_configuration(thrown) || is_required_json(message) => INVALID_CONFIGURATION,
        "SyntaxError" if has("Named export '") && has("' not found.") => MISSING_MODULE,
        "SyntaxError" if has("does not provide an export named") || has("not found in module") => MISSING_MODULE,
        "SyntaxError" => UNHANDLED_ERROR,
        _ => of_code(thrown.head).or_else(|| of_text(thrown, messages)).unwrap_or(UNHANDLED_ERROR),
    }
}

fn of_type_error(message: &str, messages: &Messages) -> CrashReason {
    // Words of whoever logged it may stand before the text.
    let begins = ABSENT.iter().any(|text| message.starts_with(text));
    let behind = || ABSENT.iter().filter(|text| text.starts_with("Cannot ")).any(|text| message.contains(text));
    if begins || behind() || message.ends_with("as it is undefined.") {
        NIL_DEREFERENCE
    } else if message.eq_ignore_ascii_case("fetch failed") {
        // Its cause says why.
        UNHANDLED_ERROR
    } else if message.to_ascii_lowercase().starts_with("fetch failed") || message.starts_with("ECONN") {
        messages.meaning(message, Voice::Panic).map_or(UNHANDLED_ERROR, |meaning| meaning.reason)
    } else {
        TYPE_MISMATCH
    }
}

fn of_range(head: &Head) -> CrashReason {
    let has = |text: &str| head.message.contains(text);
    if has("Maximum call stack size exceeded") || has("too much recursion") {
        STACK_OVERFLOW
    } else if has("allocation failed") || has("Out of memory") || has("could not allocate memory") {
        HEAP_EXHAUSTED
    } else if has("Division by zero") || has("Maximum BigInt size") {
        ARITHMETIC_ERROR
    } else if has("outside the bounds") || has("out of range") || has("out of bounds") || has("Out of bounds") {
        INDEX_OUT_OF_BOUNDS
    } else {
        of_code(head).unwrap_or(UNHANDLED_ERROR)
    }
}

fn of_code(head: &Head) -> Option<CrashReason> {
    let reason = CODES.iter().find(|(code, _)| *code == head.code).map(|(_, reason)| reason.clone())?;
    if head.message.contains("number of file watchers reached") {
        return Some(TOO_MANY_OPEN_FILES);
    }
    // `spawn ffmpeg ENOENT`: what is missing was to be run.
    let spawned = head.message.starts_with("spawn ") || head.message.starts_with("spawnSync ");
    Some(match reason {
        reason if reason == MISSING_FILE && spawned => COMMAND_NOT_FOUND,
        reason => reason,
    })
}

fn of_text(thrown: &Thrown<'_>, messages: &Messages) -> Option<CrashReason> {
    let Head { code, message, .. } = thrown.head;
    let has = |text: &str| message.contains(text);
    if NO_MODULE.iter().any(|words| has(words)) {
        return Some(MISSING_MODULE);
    }
    if message.starts_with("Could not load the \"") && has("\" module") {
        return Some(MISSING_MODULE);
    }
    let built_for_another = thrown.details.contains("compiled against a different Node.js version");
    if has("invalid ELF header") || has("wrong ELF class") || built_for_another {
        return Some(EXEC_FORMAT_ERROR);
    }
    if code == "ERR_DLOPEN_FAILED" {
        return Some(MISSING_LIBRARY);
    }
    if message.starts_with("spawn ") && message.ends_with(" ENOENT") {
        return Some(COMMAND_NOT_FOUND);
    }
    if message.starts_with("spawn ") && message.ends_with(" EAGAIN") {
        return Some(THREAD_LIMIT);
    }
    if has("Nest can't resolve dependencies") {
        return Some(MISSING_CONFIGURATION);
    }
    // What ioredis says of commands that were waiting for a connection.
    if message == "Connection is closed." {
        return Some(CONNECTION_REFUSED);
    }
    if has("status code 401") || has("status code 403") {
        return Some(AUTHENTICATION_FAILED);
    }
    let said = |text: &str| messages.meaning(text, Voice::Panic).map(|meaning| meaning.reason);
    said(message).or_else(|| said(thrown.details))
}

/// What did not parse is named as configuration.
fn is_configuration(thrown: &Thrown<'_>) -> bool {
    let parsed = thrown.head.message.contains("JSON") || thrown.head.message.contains(".json");
    let text = format!("{} {}", thrown.head.message, thrown.place).to_ascii_lowercase();
    parsed && ["config", "settings", "package.json"].iter().any(|word| text.contains(word))
}

/// `/srv/app/halls.json: Unexpected token`: a file that a module requires.
fn is_required_json(message: &str) -> bool {
    message.split_once(".json: ").is_some_and(|(path, _)| !path.contains(' '))
}

/// zod: what it checked are settings where a path is named like one.
fn of_zod(thrown: &Thrown<'_>) -> CrashReason {
    let text = thrown.details;
    let settings = text.split('"').any(is_setting_name) || is_about_settings(thrown);
    let absent = ["received undefined", "\"received\": \"undefined\"", "\"message\": \"Required\""];
    match settings {
        true if absent.iter().any(|words| text.contains(words)) => MISSING_CONFIGURATION,
        true => INVALID_CONFIGURATION,
        false => UNHANDLED_ERROR,
    }
}

fn is_about_settings(thrown: &Thrown<'_>) -> bool {
    let place = thrown.place.to_ascii_lowercase();
    ["config", "settings", "env."].iter().any(|word| place.contains(word))
}

/// What the fingerprint is made of beside the frames. Loggers write an error's text and leave out its code.
pub fn word(head: &Head) -> String {
    let said = || CODES.iter().map(|(code, _)| *code).find(|code| names(&head.message, code));
    let code = if head.code.is_empty() { said().unwrap_or_default() } else { &head.code };
    match (head.class.is_empty(), code.is_empty()) {
        (true, _) => "uncaught value".to_owned(),
        (_, true) => head.class.clone(),
        _ => format!("{} {code}", head.class),
    }
}

/// `connect ECONNREFUSED 127.0.0.1:5432`: the code of a call of the system is a word of its text.
fn names(message: &str, code: &str) -> bool {
    code.starts_with('E') && message.split([' ', ':', ',']).any(|word| word == code)
}

/// The class of an error of which a logger wrote only the text, where V8 uses that text for one class alone.
pub fn implied(message: &str) -> &'static str {
    let ends = |text: &str| message.ends_with(text);
    if ABSENT.iter().any(|text| message.contains(text)) || ends(" is not a function") || ends(" is not iterable") {
        "TypeError"
    } else if ends(" is not defined") {
        "ReferenceError"
    } else if ends("Maximum call stack size exceeded") {
        "RangeError"
    } else if CODES.iter().any(|(code, _)| names(message, code)) {
        "Error"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_reason() {
        let cases = [
            ("TypeError: Cannot read properties of undefined (reading 'x')", "NilDereference"),
            ("TypeError: Cannot read property 'x' of null", "NilDereference"),
            ("TypeError: Cannot destructure property 'a' of 'b' as it is undefined.", "NilDereference"),
            ("TypeError: undefined is not an object (evaluating 'a.b')", "NilDereference"),
            ("Error: connect ENOENT /var/run/postgresql/.s.PGSQL.5432", "ConnectionRefused"),
            ("RangeError: options.port should be >= 0 and < 65536. Received 99999.", "InvalidConfiguration"),
            ("TypeError: Import \"left-pad\" not a dependency", "MissingModule"),
            ("TypeError: x.map is not a function", "TypeMismatch"),
            ("TypeError [ERR_INVALID_ARG_TYPE]: The \"path\" argument must be of type string.", "TypeMismatch"),
            ("TypeError: fetch failed", "UnhandledError"),
            ("RangeError: Maximum call stack size exceeded", "StackOverflow"),
            ("RangeError [ERR_OUT_OF_RANGE]: The value of \"offset\" is out of range.", "IndexOutOfBounds"),
            ("RangeError: Invalid array length", "UnhandledError"),
            ("RangeError: Division by zero", "ArithmeticError"),
            ("RangeError: Array buffer allocation failed", "HeapExhausted"),
            ("ReferenceError: API_URL is not defined", "UnhandledError"),
            ("SyntaxError: Unexpected token } in JSON at position 5", "UnhandledError"),
            ("SyntaxError: /app/config.json: Unexpected token } in JSON at position 5", "InvalidConfiguration"),
            ("SyntaxError: /srv/halls.json: Unexpected token ] in JSON at position 5", "InvalidConfiguration"),
            ("Error: Nest can't resolve dependencies of the Hall (?).", "MissingConfiguration"),
            ("Error: Could not load the \"sharp\" module using the linuxmusl-x64 runtime", "MissingModule"),
            (
                "SyntaxError: Named export 'x' not found. The requested module './a.js' is a CommonJS module",
                "MissingModule",
            ),
            ("AccessDenied: Access Denied", "AuthenticationFailed"),
            ("RangeError: WebAssembly.Memory(): could not allocate memory", "HeapExhausted"),
            ("Error: Connection is closed.", "ConnectionRefused"),
            ("NotCapable: Requires net access to \"db:1\", run again with the --allow-net flag", "PermissionDenied"),
            ("Error: Cannot find module 'x'", "MissingModule"),
            ("Error: libvips.so.42: cannot open shared object file: No such file or directory", "MissingLibrary"),
            ("Error: JWT_SECRET is required", "MissingConfiguration"),
            ("Error: connect ECONNREFUSED 127.0.0.1:6379", "ConnectionRefused"),
            ("Error: getaddrinfo ENOTFOUND db.invalid", "DnsFailure"),
            ("Error: spawn ffmpeg ENOENT", "CommandNotFound"),
            ("Error: spawn node EAGAIN", "ThreadLimit"),
            ("Error: ENOENT: no such file or directory, open '/etc/a.json'", "MissingFile"),
            ("AxiosError: Request failed with status code 401", "AuthenticationFailed"),
            ("error: password authentication failed for user \"shop\"", "AuthenticationFailed"),
            ("LaneClosed: lane 9", "UnhandledError"),
        ];
        for (line, expected) in cases {
            let head = Head::read(line.as_bytes());
            let thrown = Thrown { head: &head, details: "", place: "" };
            assert_eq!(reason(&thrown, &Messages::default()).as_str(), expected, "{line}");
        }
    }

    #[test]
    fn what_zod_checked_are_settings_where_they_are_named_so() {
        let cases = [
            ("\"path\": [ \"DATABASE_URL\" ], \"message\": \"Required\"", "", "MissingConfiguration"),
            ("\"path\": [ \"DATABASE_URL\" ], \"message\": \"Invalid url\"", "", "InvalidConfiguration"),
            ("\"path\": [ \"port\" ], \"received\": \"undefined\"", "load /app/src/config.js", "MissingConfiguration"),
            ("\"path\": [ \"port\" ], \"message\": \"Required\"", "post /app/src/routes.js", "UnhandledError"),
        ];
        let head = Head::read(b"ZodError: [");
        for (details, place, expected) in cases {
            let thrown = Thrown { head: &head, details, place };
            assert_eq!(reason(&thrown, &Messages::default()).as_str(), expected, "{details}");
        }
    }
}
