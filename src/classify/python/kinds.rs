//! What Python's exceptions mean.

use crate::classify::finding::{CrashReason, base_name};
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;
use crate::classify::rust;

/// What is known of an exception beside its traceback's frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raised<'a> {
    /// The class as printed, with its module: `socket.gaierror`.
    pub class: &'a str,
    /// The first line of its text.
    pub message: &'a str,
    /// The further lines of its text.
    pub details: &'a str,
    /// The source line of the innermost frame of the user's own.
    pub source: &'a str,
    /// Function and file of that frame.
    pub place: &'a str,
    /// File and function of the innermost frame, whoever's it is.
    pub below: (&'a str, &'a str),
}

impl Raised<'_> {
    /// `os.environ` looked it up.
    fn in_environ(&self) -> bool {
        matches!(base_name(self.below.0), "os.py" | "<frozen os>" | "UserDict.py") && self.below.1 == "__getitem__"
    }

    /// A process was to be started.
    fn in_subprocess(&self) -> bool {
        base_name(self.below.0) == "subprocess.py" || self.below.1.ends_with("execute_child")
    }
}

/// Classes that always mean the same: the last part of the name.
static CLASSES: &[(&str, CrashReason)] = &[
    ("IndexError", INDEX_OUT_OF_BOUNDS),
    ("ZeroDivisionError", ARITHMETIC_ERROR),
    ("OverflowError", ARITHMETIC_ERROR),
    ("FloatingPointError", ARITHMETIC_ERROR),
    ("DivisionByZero", ARITHMETIC_ERROR),
    ("DivisionUndefined", ARITHMETIC_ERROR),
    ("RecursionError", STACK_OVERFLOW),
    ("MemoryError", HEAP_EXHAUSTED),
    ("_ArrayMemoryError", HEAP_EXHAUSTED),
    ("OutOfMemoryError", HEAP_EXHAUSTED),
    ("ResourceExhaustedError", HEAP_EXHAUSTED),
    ("ModuleNotFoundError", MISSING_MODULE),
    ("gaierror", DNS_FAILURE),
    ("herror", DNS_FAILURE),
    ("NameResolutionError", DNS_FAILURE),
    ("SSLCertVerificationError", TLS_FAILURE),
    ("CertificateError", TLS_FAILURE),
    ("SSLError", TLS_FAILURE),
    ("SSLEOFError", TLS_FAILURE),
    ("SSLZeroReturnError", TLS_FAILURE),
    ("ConnectionRefusedError", CONNECTION_REFUSED),
    ("ConnectionResetError", CONNECTION_REFUSED),
    ("ConnectionAbortedError", CONNECTION_REFUSED),
    ("NoBrokersAvailable", CONNECTION_REFUSED),
    ("AMQPConnectionError", CONNECTION_REFUSED),
    ("TimeoutError", DEPENDENCY_TIMEOUT),
    ("ConnectTimeout", DEPENDENCY_TIMEOUT),
    ("ReadTimeout", DEPENDENCY_TIMEOUT),
    ("ConnectTimeoutError", DEPENDENCY_TIMEOUT),
    ("ReadTimeoutError", DEPENDENCY_TIMEOUT),
    ("ConnectionTimeout", DEPENDENCY_TIMEOUT),
    ("ServerTimeoutError", DEPENDENCY_TIMEOUT),
    ("PoolTimeout", DEPENDENCY_TIMEOUT),
    ("AuthenticationError", AUTHENTICATION_FAILED),
    ("NoCredentialsError", AUTHENTICATION_FAILED),
    ("PartialCredentialsError", AUTHENTICATION_FAILED),
    ("InvalidPasswordError", AUTHENTICATION_FAILED),
    ("Unauthorized", AUTHENTICATION_FAILED),
    ("FileNotFoundError", MISSING_FILE),
    ("NotADirectoryError", MISSING_FILE),
    ("PermissionError", PERMISSION_DENIED),
    ("TOMLDecodeError", INVALID_CONFIGURATION),
    ("TomlDecodeError", INVALID_CONFIGURATION),
    ("ScannerError", INVALID_CONFIGURATION),
    ("ParserError", INVALID_CONFIGURATION),
    ("ConstructorError", INVALID_CONFIGURATION),
    ("ParsingError", INVALID_CONFIGURATION),
    ("MissingSectionHeaderError", INVALID_CONFIGURATION),
    ("DuplicateOptionError", INVALID_CONFIGURATION),
    ("NoOptionError", MISSING_CONFIGURATION),
    ("NoSectionError", MISSING_CONFIGURATION),
    ("UndefinedValueError", MISSING_CONFIGURATION),
    ("EnvValidationError", INVALID_CONFIGURATION),
    ("KeyboardInterrupt", TERMINATED),
    ("SystemExit", UNHANDLED_ERROR),
];

/// Classes whose text is about the code, however much it sounds like a setting.
const ABOUT_CODE: [&str; 14] = [
    "NameError",
    "UnboundLocalError",
    "AttributeError",
    "TypeError",
    "SyntaxError",
    "IndentationError",
    "TabError",
    "NotImplementedError",
    "StopIteration",
    "StopAsyncIteration",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "CancelledError",
    "BrokenProcessPool",
];

/// The last part of a class's name.
pub fn short(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

/// What says only that another process failed, which has told why itself.
pub fn is_of_a_child(class: &str, message: &str) -> bool {
    match short(class) {
        // torchrun, Sanic.
        "ChildFailedError" | "ServerKilled" => true,
        "CalledProcessError" => message.contains("python") && message.ends_with("returned non-zero exit status 1."),
        _ => false,
    }
}

/// What the fingerprint is made of: the class, and where only the text tells what happened, what it says last. One class
/// of a database driver stands for a refused connection and for a wrong password.
pub fn word(raised: &Raised<'_>, messages: &Messages) -> String {
    let name = short(raised.class);
    let by_class = of_class(raised.class, name).is_some() || ABOUT_CODE.contains(&name);
    match last_clause(raised.message).filter(|_| !by_class && of_text(raised, messages).is_some()) {
        Some(clause) => format!("{name}: {clause}"),
        None => name.to_owned(),
    }
}

/// The last part of a text that is no quoted value: `Connection refused` of `server at "db" failed: Connection refused`.
fn last_clause(message: &str) -> Option<&str> {
    message.rsplit(": ").find(|part| !part.is_empty() && !part.starts_with(['\'', '"', '/']))
}

/// The reason of an exception.
pub fn reason(raised: &Raised<'_>, messages: &Messages) -> CrashReason {
    let said = |text: &str| messages.meaning(text, Voice::Panic).map(|meaning| meaning.reason);
    match short(raised.class) {
        "KeyError" => of_key(raised),
        "AttributeError" if raised.message.starts_with("'NoneType' object") => NIL_DEREFERENCE,
        "TypeError" => of_type_error(raised),
        "AssertionError" => said(raised.message).filter(|r| *r == MISSING_CONFIGURATION).unwrap_or(ASSERTION_FAILED),
        "RuntimeError" if raised.message.starts_with("maximum recursion depth exceeded") => STACK_OVERFLOW,
        "ImportError" => said(raised.message).filter(|r| *r == MISSING_LIBRARY).unwrap_or(MISSING_MODULE),
        // dynaconf; pydantic's says which model it is.
        "ValidationError" if said(raised.message) == Some(MISSING_CONFIGURATION) => MISSING_CONFIGURATION,
        "FileNotFoundError" | "PermissionError"
            if raised.in_subprocess() && raised.message.starts_with("[Errno 2]") =>
        {
            COMMAND_NOT_FOUND
        }
        "BlockingIOError" if raised.in_subprocess() => THREAD_LIMIT,
        "ValidationError" => of_validation(raised),
        // The Kubernetes client.
        "ApiException" if ["(401)", "(403)"].contains(&raised.message) => AUTHENTICATION_FAILED,
        // A panic in an extension written in Rust.
        "PanicException" => rust::kinds::of_panic(raised.message, &[], messages).reason,
        "ImproperlyConfigured" => of_improperly_configured(raised),
        "ValueError" | "InvalidOperation" | "ArgumentTypeError" if reads_environment(raised.source) => {
            INVALID_CONFIGURATION
        }
        "JSONDecodeError" if is_configuration(raised) => INVALID_CONFIGURATION,
        "InvalidOperation" => ARITHMETIC_ERROR,
        name if ABOUT_CODE.contains(&name) => UNHANDLED_ERROR,
        name => of_class(raised.class, name).or_else(|| of_text(raised, messages)).unwrap_or(UNHANDLED_ERROR),
    }
}

fn of_class(class: &str, name: &str) -> Option<CrashReason> {
    // `requests.exceptions.ConnectionError` and the like need their text.
    let name = if class == "socket.timeout" { "TimeoutError" } else { name };
    CLASSES.iter().find(|(known, _)| *known == name).map(|(_, reason)| reason.clone())
}

fn of_text(raised: &Raised<'_>, messages: &Messages) -> Option<CrashReason> {
    let said = |text: &str| messages.meaning(text, Voice::Panic).map(|meaning| meaning.reason);
    if raised.class.ends_with("HTTPError") || raised.class.ends_with("HTTPStatusError") {
        let refused = ["401 ", "403 ", "'401", "'403", "Error 401", "Error 403"];
        return refused.iter().any(|code| raised.message.contains(code)).then_some(AUTHENTICATION_FAILED);
    }
    // A thread that the kernel refuses names neither itself nor the limit.
    if raised.message.starts_with("[Errno 11]") && raised.message.contains("Resource temporarily unavailable") {
        return Some(THREAD_LIMIT);
    }
    let tls = raised.class.to_ascii_lowercase().contains("ssl");
    said(raised.message).or_else(|| said(raised.details)).or(tls.then_some(TLS_FAILURE))
}

/// A key that is absent: of the environment by `os.environ`'s own frame or by a name in capitals, of an INI file by the
/// place, else of any mapping.
fn of_key(raised: &Raised<'_>) -> CrashReason {
    let key = raised.message.trim_matches(|c| c == '\'' || c == '"');
    let capitals = key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let setting = capitals && key.split('_').filter(|part| part.len() > 1).count() > 1;
    let option = raised.in_environ() || setting || raised.source.contains("environ[") || is_ini(raised);
    if option { MISSING_CONFIGURATION } else { MISSING_KEY }
}

/// A section or an option looked up in an INI file: `configparser`'s own frame is below the user's.
fn is_ini(raised: &Raised<'_>) -> bool {
    base_name(raised.below.0) == "configparser.py"
}

/// Uses of None that Python words as a wrong type.
const OF_NONE: [&str; 8] = [
    "'NoneType' object is unsubscriptable",
    "'NoneType' object is not subscriptable",
    "'NoneType' object is not iterable",
    "'NoneType' object is not callable",
    "'NoneType' object does not support item",
    "cannot unpack non-iterable NoneType",
    "object of type 'NoneType' has no len()",
    "'NoneType' has no length",
];

fn of_type_error(raised: &Raised<'_>) -> CrashReason {
    if raised.message.contains("'NoneType'") && reads_environment(raised.source) {
        MISSING_CONFIGURATION
    } else if OF_NONE.iter().any(|text| raised.message.starts_with(text)) {
        NIL_DEREFERENCE
    } else {
        TYPE_MISMATCH
    }
}

/// pydantic: of a model of settings it is the configuration, of any other model the input.
fn of_validation(raised: &Raised<'_>) -> CrashReason {
    let model = raised.message.rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
    let settings = ["settings", "config", "environment"].iter().any(|word| model.contains(word));
    match settings {
        true if raised.details.contains("ield required") || raised.details.contains("type=missing") => {
            MISSING_CONFIGURATION
        }
        true => INVALID_CONFIGURATION,
        false => UNHANDLED_ERROR,
    }
}

fn of_improperly_configured(raised: &Raised<'_>) -> CrashReason {
    let absent = ["must not be empty", "Set the ", "not set", "is required", "not configured", "not defined"];
    if absent.iter().any(|words| raised.message.contains(words)) {
        MISSING_CONFIGURATION
    } else {
        INVALID_CONFIGURATION
    }
}

fn reads_environment(source: &str) -> bool {
    source.contains("environ") || source.contains("getenv")
}

/// What did not parse is named as configuration, by the place or the line that reads it.
fn is_configuration(raised: &Raised<'_>) -> bool {
    let text = format!("{} {}", raised.place, raised.source).to_ascii_lowercase();
    reads_environment(raised.source) || ["config", "settings"].iter().any(|word| text.contains(word))
}

/// `Fatal Python error: TEXT`: the reason.
pub fn fatal(text: &str) -> CrashReason {
    let starts = |start: &str| text.starts_with(start);
    if starts("Segmentation fault") || starts("Windows fatal exception: access violation") {
        SEGFAULT
    } else if starts("Bus error") {
        BUS_ERROR
    } else if starts("Illegal instruction") {
        ILLEGAL_INSTRUCTION
    } else if starts("Floating point exception") || starts("Floating-point exception") {
        FLOATING_POINT_EXCEPTION
    } else if text.contains("stack overflow") || text.contains("recursion limit") {
        STACK_OVERFLOW
    } else if starts("init_fs_encoding") || text.contains("Unable to get the locale encoding") {
        INVALID_CONFIGURATION
    } else if text.contains("out of memory") || text.contains("MemoryError") {
        HEAP_EXHAUSTED
    } else {
        ABORT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(class: &str, message: &str, source: &str) -> String {
        let raised = Raised { class, message, source, ..Raised::default() };
        reason(&raised, &Messages::default()).to_string()
    }

    #[test]
    fn exceptions_have_their_reason() {
        let cases = [
            ("KeyError", "'JPY'", "rate = RATES[currency]", "MissingKey"),
            ("KeyError", "'DATABASE_URL'", "", "MissingConfiguration"),
            ("KeyError", "'HOME'", "os.environ['HOME']", "MissingConfiguration"),
            ("AttributeError", "'NoneType' object has no attribute 'x'", "", "NilDereference"),
            ("kubernetes.client.exceptions.ApiException", "(403)", "", "AuthenticationFailed"),
            ("kubernetes.client.exceptions.ApiException", "(404)", "", "UnhandledError"),
            ("AttributeError", "'Lane' object has no attribute 'x'", "", "UnhandledError"),
            ("TypeError", "'NoneType' object is not subscriptable", "", "NilDereference"),
            ("TypeError", "object of type 'NoneType' has no len()", "", "NilDereference"),
            (
                "environs.EnvValidationError",
                "Environment variable \"PORT\" invalid: Not a valid integer.",
                "",
                "InvalidConfiguration",
            ),
            (
                "jaxlib.xla_extension.XlaRuntimeError",
                "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.",
                "",
                "HeapExhausted",
            ),
            ("TypeError", "f() missing 1 required positional argument: 'BASE_URL'", "", "TypeMismatch"),
            (
                "TypeError",
                "int() argument must be a string, not 'NoneType'",
                "int(os.getenv('N'))",
                "MissingConfiguration",
            ),
            ("NameError", "name 'MAX_LANES' is not defined", "", "UnhandledError"),
            ("ValueError", "DATABASE_URL must be set", "", "MissingConfiguration"),
            ("ValueError", "unknown job kind 'refund'", "", "UnhandledError"),
            ("AssertionError", "negative stock", "", "AssertionFailed"),
            ("AssertionError", "", "", "AssertionFailed"),
            ("decimal.InvalidOperation", "[<class 'decimal.ConversionSyntax'>]", "", "ArithmeticError"),
            ("OSError", "[Errno 98] Address already in use", "", "PortInUse"),
            ("OSError", "[Errno 28] No space left on device", "", "DiskFull"),
            ("OSError", "[Errno 8] Exec format error: './run'", "", "ExecFormatError"),
            (
                "ImportError",
                "libpq.so.5: cannot open shared object file: No such file or directory",
                "",
                "MissingLibrary",
            ),
            ("ImportError", "cannot import name 'a' from 'b'", "", "MissingModule"),
            (
                "redis.exceptions.ConnectionError",
                "Error 111 connecting to a:6379. Connection refused.",
                "",
                "ConnectionRefused",
            ),
            ("redis.exceptions.AuthenticationError", "invalid username-password pair", "", "AuthenticationFailed"),
            ("urllib.error.HTTPError", "HTTP Error 403: Forbidden", "", "AuthenticationFailed"),
            ("urllib.error.HTTPError", "HTTP Error 500: Internal Server Error", "", "UnhandledError"),
            (
                "django.core.exceptions.ImproperlyConfigured",
                "The SECRET_KEY setting must not be empty.",
                "",
                "MissingConfiguration",
            ),
            (
                "django.core.exceptions.ImproperlyConfigured",
                "'x' isn't an available database backend.",
                "",
                "InvalidConfiguration",
            ),
            ("asyncio.exceptions.TimeoutError", "", "", "DependencyTimeout"),
            ("pymysql.err.OperationalError", "(1045, \"Access denied for user 'a'@'b'\")", "", "AuthenticationFailed"),
        ];
        for (class, message, source, expected) in cases {
            assert_eq!(of(class, message, source), expected, "{class}: {message}");
        }
    }

    #[test]
    fn fatal_errors_have_their_reason() {
        let cases = [
            ("Segmentation fault", "Segfault"),
            ("Aborted", "Abort"),
            ("_Py_CheckRecursiveCall: Cannot recover from stack overflow.", "StackOverflow"),
            ("init_fs_encoding: failed to get the Python codec of the filesystem encoding", "InvalidConfiguration"),
            ("PyEval_SaveThread: the function must be called with the GIL held", "Abort"),
        ];
        for (text, expected) in cases {
            assert_eq!(fatal(text).as_str(), expected, "{text}");
        }
    }
}
