//! What the errors and exceptions of PHP mean.

use crate::classify::finding::CrashReason;
use crate::classify::messages::{Messages, Voice, is_setting_name};
use crate::classify::reason::*;

/// Texts with a meaning of their own, in small letters, whatever the class; the first that holds wins.
static TEXTS: &[(&str, CrashReason)] = &[
    ("allowed memory size of", HEAP_EXHAUSTED),
    ("out of memory (allocated", HEAP_EXHAUSTED),
    ("maximum call stack size of", STACK_OVERFLOW),
    ("maximum function nesting level", STACK_OVERFLOW),
    ("zend_mm_heap corrupted", HEAP_CORRUPTION),
    ("could not find driver", MISSING_MODULE),
    ("[2002] no such file or directory", CONNECTION_REFUSED),
    ("no application encryption key", MISSING_CONFIGURATION),
    ("unable to read any of the environment file", MISSING_FILE),
    ("attempt to read property", NIL_DEREFERENCE),
    ("trying to access array offset on", NIL_DEREFERENCE),
    ("of non-object", NIL_DEREFERENCE),
    ("on a non-object", NIL_DEREFERENCE),
    ("xdebug has detected a possible infinite loop", STACK_OVERFLOW),
    ("must be an instance of", TYPE_MISMATCH),
    ("must be of the type ", TYPE_MISMATCH),
    // Components that a container of Laravel or Symfony lacks.
    ("is not instantiable", MISSING_CONFIGURATION),
    ("target class [", MISSING_CONFIGURATION),
    ("has a dependency on a non-existent service", MISSING_CONFIGURATION),
    ("you have requested a non-existent service", MISSING_CONFIGURATION),
    ("but no such service exists", MISSING_CONFIGURATION),
    ("you have requested a non-existent parameter", MISSING_CONFIGURATION),
    ("index invalid or out of range", INDEX_OUT_OF_BOUNDS),
    ("undefined offset: ", INDEX_OUT_OF_BOUNDS),
];

/// Classes with a meaning of their own.
static CLASSES: &[(&str, CrashReason)] = &[
    ("TypeError", TYPE_MISMATCH),
    ("ArgumentCountError", TYPE_MISMATCH),
    ("DivisionByZeroError", ARITHMETIC_ERROR),
    ("ArithmeticError", ARITHMETIC_ERROR),
    ("AssertionError", ASSERTION_FAILED),
    ("OutOfBoundsException", INDEX_OUT_OF_BOUNDS),
    ("OutOfRangeException", INDEX_OUT_OF_BOUNDS),
    ("ParseError", UNHANDLED_ERROR),
];

/// Functions that an extension brings: where one of them is undefined, its module is not installed.
const EXTENSIONS: [&str; 16] = [
    "mysqli_",
    "mysql_",
    "pg_",
    "mb_",
    "curl_",
    "image",
    "bc",
    "gmp_",
    "intl",
    "pcntl_",
    "posix_",
    "sodium_",
    "ldap_",
    "simplexml_",
    "openssl_",
    "apcu_",
];

/// What an error means.
pub fn of(class: &str, message: &str, messages: &Messages) -> CrashReason {
    let lower = message.to_ascii_lowercase();
    if lower.contains("call to a member function") && lower.contains(" on null") {
        return NIL_DEREFERENCE;
    }
    if let Some(key) = lower.strip_prefix("undefined array key ").or_else(|| lower.strip_prefix("undefined index: ")) {
        return of_key(key, message);
    }
    if class == "Error" || class.is_empty() {
        if ["class \"", "class '", "interface \"", "trait \""].iter().any(|words| lower.starts_with(words)) {
            return if lower.contains(" not found") { MISSING_MODULE } else { UNHANDLED_ERROR };
        }
        if let Some(function) = lower.strip_prefix("call to undefined function ") {
            return if EXTENSIONS.iter().any(|name| function.starts_with(name)) {
                MISSING_MODULE
            } else {
                UNHANDLED_ERROR
            };
        }
    }
    if lower.contains("failed opening required") {
        return if lower.contains("/vendor/") { MISSING_MODULE } else { MISSING_FILE };
    }
    if class.ends_with("Yaml\\Exception\\ParseException") {
        return INVALID_CONFIGURATION;
    }
    let text = TEXTS.iter().find(|(words, _)| lower.contains(words)).map(|(_, reason)| reason.clone());
    let known = || CLASSES.iter().find(|(name, _)| *name == class).map(|(_, reason)| reason.clone());
    let said = || messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    text.or_else(known).or_else(said).unwrap_or(UNHANDLED_ERROR)
}

/// `Undefined array key "CHF"`, `Undefined array key 5`.
fn of_key(key: &str, message: &str) -> CrashReason {
    let name = message.rsplit([' ', ':']).next().unwrap_or_default().trim_matches('"');
    if is_setting_name(name) {
        MISSING_CONFIGURATION
    } else if key.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        INDEX_OUT_OF_BOUNDS
    } else {
        MISSING_KEY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_reason() {
        let cases = [
            ("Error", "Call to a member function email() on null", "NilDereference"),
            ("Error", "Call to undefined method A::pack()", "UnhandledError"),
            ("Error", "Call to undefined function mysqli_connect()", "MissingModule"),
            ("Error", "Call to undefined function Depot\\pack()", "UnhandledError"),
            ("Error", "Class \"Depot\\Ledger\" not found", "MissingModule"),
            ("Error", "Interface \"Psr\\Log\\LoggerInterface\" not found", "MissingModule"),
            ("Symfony\\Component\\Yaml\\Exception\\ParseException", "A colon cannot be used", "InvalidConfiguration"),
            ("Error", "Failed opening required '/app/vendor/autoload.php' (include_path='.')", "MissingModule"),
            ("Error", "Failed opening required '/app/src/A.php' (include_path='.')", "MissingFile"),
            ("ErrorException", "Undefined array key \"CHF\"", "MissingKey"),
            ("ErrorException", "Undefined array key 5", "IndexOutOfBounds"),
            ("ErrorException", "Undefined array key \"DATABASE_URL\"", "MissingConfiguration"),
            ("ErrorException", "Attempt to read property \"name\" on null", "NilDereference"),
            ("TypeError", "A::b(): Return value must be of type int, string returned", "TypeMismatch"),
            ("DivisionByZeroError", "Division by zero", "ArithmeticError"),
            ("AssertionError", "assert($x)", "AssertionFailed"),
            ("DomainException", "no VAT rate for AT", "UnhandledError"),
            ("PDOException", "SQLSTATE[HY000] [2002] Connection refused", "ConnectionRefused"),
            (
                "PDOException",
                "SQLSTATE[HY000] [1045] Access denied for user 'a'@'b' (using password: YES)",
                "AuthenticationFailed",
            ),
            (
                "PDOException",
                "SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo for db failed: Name or service not known",
                "DnsFailure",
            ),
            ("PDOException", "could not find driver", "MissingModule"),
            (
                "GuzzleHttp\\Exception\\ConnectException",
                "cURL error 7: Failed to connect to ledger port 80 after 0 ms: Couldn't connect to server",
                "ConnectionRefused",
            ),
            (
                "GuzzleHttp\\Exception\\ConnectException",
                "cURL error 28: Operation timed out after 1000 milliseconds",
                "DependencyTimeout",
            ),
            (
                "GuzzleHttp\\Exception\\RequestException",
                "cURL error 60: SSL certificate problem: unable to get local issuer certificate",
                "TlsFailure",
            ),
            ("RuntimeException", "DEPOT_DATABASE_URL is not set", "MissingConfiguration"),
            ("", "Allowed memory size of 67108864 bytes exhausted (tried to allocate 2097152 bytes)", "HeapExhausted"),
            (
                "Error",
                "Maximum call stack size of 8339456 bytes (zend.max_allowed_stack_size - zend.reserved_stack_size) reached. Infinite recursion?",
                "StackOverflow",
            ),
            (
                "",
                "Class Depot\\Wrong contains 1 abstract method and must therefore be declared abstract",
                "UnhandledError",
            ),
        ];
        for (class, message, reason) in cases {
            assert_eq!(of(class, message, &Messages::default()).as_str(), reason, "{class}: {message}");
        }
    }
}
