//! What the exceptions of .NET mean.

use super::head;
use crate::classify::finding::CrashReason;
use crate::classify::links::Link;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// Classes with a meaning of their own: the end of the class's name, a text that the message must hold (in small
/// letters), the reason. The first one that holds wins.
static CLASSES: &[(&str, &str, CrashReason)] = &[
    ("System.OutOfMemoryException", "", HEAP_EXHAUSTED),
    ("InsufficientMemoryException", "", HEAP_EXHAUSTED),
    ("System.StackOverflowException", "", STACK_OVERFLOW),
    ("InsufficientExecutionStackException", "", STACK_OVERFLOW),
    ("System.AccessViolationException", "", SEGFAULT),
    ("ThreadStartException", "", THREAD_LIMIT),
    // Assemblies and libraries.
    ("System.IO.FileNotFoundException", "could not load file or assembly", MISSING_MODULE),
    // Mono.
    ("System.IO.FileNotFoundException", "could not load the file '", MISSING_MODULE),
    ("System.IO.FileLoadException", "(0x80070004)", TOO_MANY_OPEN_FILES),
    ("System.IO.FileLoadException", "", MISSING_MODULE),
    ("System.BadImageFormatException", "", EXEC_FORMAT_ERROR),
    ("System.TypeLoadException", "", MISSING_MODULE),
    ("ReflectionTypeLoadException", "", MISSING_MODULE),
    ("System.MissingMethodException", "", MISSING_MODULE),
    ("System.MissingFieldException", "", MISSING_MODULE),
    ("System.MissingMemberException", "", MISSING_MODULE),
    ("System.DllNotFoundException", "", MISSING_LIBRARY),
    ("System.EntryPointNotFoundException", "", MISSING_LIBRARY),
    // Settings.
    ("OptionsValidationException", "required", MISSING_CONFIGURATION),
    ("OptionsValidationException", "", INVALID_CONFIGURATION),
    ("System.ArgumentNullException", "connectionstring", MISSING_CONFIGURATION),
    ("System.ArgumentException", "connectionstring", MISSING_CONFIGURATION),
    ("System.InvalidOperationException", "unable to resolve service for type", MISSING_CONFIGURATION),
    ("System.InvalidOperationException", "no service for type", MISSING_CONFIGURATION),
    ("System.InvalidOperationException", "connectionstring property has not been initialized", MISSING_CONFIGURATION),
    ("System.InvalidOperationException", "not found in configuration", MISSING_CONFIGURATION),
    ("System.InvalidOperationException", "no server certificate was specified", MISSING_CONFIGURATION),
    ("System.InvalidOperationException", "failed to convert configuration value", INVALID_CONFIGURATION),
    ("System.IO.InvalidDataException", "failed to load configuration", INVALID_CONFIGURATION),
    ("System.FormatException", "invalid url: ", INVALID_CONFIGURATION),
    ("System.ArgumentException", "format of the initialization string", INVALID_CONFIGURATION),
    ("System.ArgumentException", "keyword not supported", INVALID_CONFIGURATION),
    ("ConfigurationErrorsException", "", INVALID_CONFIGURATION),
    // The password of its own certificate.
    ("CryptographicException", "password may be incorrect", INVALID_CONFIGURATION),
    ("CryptographicException", "network password is not correct", INVALID_CONFIGURATION),
    ("YamlDotNet.Core.YamlException", "", INVALID_CONFIGURATION),
    // Dependencies.
    ("System.Security.Authentication.AuthenticationException", "", TLS_FAILURE),
    ("System.TimeoutException", "", DEPENDENCY_TIMEOUT),
    ("RegexMatchTimeoutException", "", UNHANDLED_ERROR),
    ("TaskCanceledException", "httpclient.timeout", DEPENDENCY_TIMEOUT),
    ("RedisTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("Polly.Timeout.TimeoutRejectedException", "", DEPENDENCY_TIMEOUT),
    ("MongoAuthenticationException", "", AUTHENTICATION_FAILED),
    ("RabbitMQ.Client.Exceptions.AuthenticationFailureException", "", AUTHENTICATION_FAILED),
    ("HttpRequestException", "401 (unauthorized)", AUTHENTICATION_FAILED),
    ("HttpRequestException", "403 (forbidden)", AUTHENTICATION_FAILED),
    ("Azure.RequestFailedException", "status: 401 ", AUTHENTICATION_FAILED),
    ("Azure.RequestFailedException", "status: 403 ", AUTHENTICATION_FAILED),
    ("Confluent.Kafka.KafkaException", "timed out", DEPENDENCY_TIMEOUT),
    ("Confluent.Kafka.ProduceException`2", "timed out", DEPENDENCY_TIMEOUT),
    ("Confluent.Kafka.KafkaException", "broker transport failure", CONNECTION_REFUSED),
    ("RedisConnectionException", "noauth", AUTHENTICATION_FAILED),
    ("RedisConnectionException", "wrongpass", AUTHENTICATION_FAILED),
    ("RedisConnectionException", "", CONNECTION_REFUSED),
    ("BrokerUnreachableException", "", CONNECTION_REFUSED),
    ("MySqlException", "unable to connect to any of the specified", CONNECTION_REFUSED),
    ("Npgsql.NpgsqlException", "failed to connect to", CONNECTION_REFUSED),
    ("SqlException", "network-related or instance-specific", CONNECTION_REFUSED),
    ("SqlException", "timeout expired", DEPENDENCY_TIMEOUT),
    // Mono's receive timeout.
    ("System.Net.Sockets.SocketException", "non-blocking socket would block", DEPENDENCY_TIMEOUT),
    ("System.Net.WebException", "nameresolutionfailure", DNS_FAILURE),
    ("System.Net.WebException", "connectfailure", CONNECTION_REFUSED),
    ("System.Net.WebException", "trustfailure", TLS_FAILURE),
    ("System.Net.WebException", "securechannelfailure", TLS_FAILURE),
    ("System.Net.WebException", "timed out", DEPENDENCY_TIMEOUT),
    ("System.Net.WebException", "(401) ", AUTHENTICATION_FAILED),
    ("System.Net.WebException", "(403) ", AUTHENTICATION_FAILED),
    ("HttpListenerException", "already in use", PORT_IN_USE),
    ("HttpListenerException", "conflicts with an existing registration", PORT_IN_USE),
    ("System.Net.Sockets.SocketException", "resource temporarily unavailable", DNS_FAILURE),
    ("System.Net.Sockets.SocketException", "host not found", DNS_FAILURE),
    ("System.Net.Sockets.SocketException", "permission denied", PERMISSION_DENIED),
    ("System.Net.Sockets.SocketException", "cannot assign requested address", INVALID_CONFIGURATION),
    // Files.
    ("System.IO.IOException", "number of inotify instances has been reached", TOO_MANY_OPEN_FILES),
    ("System.IO.FileNotFoundException", "", MISSING_FILE),
    ("System.IO.DirectoryNotFoundException", "", MISSING_FILE),
    ("System.UnauthorizedAccessException", "", PERMISSION_DENIED),
    ("System.ComponentModel.Win32Exception", "no such file or directory", COMMAND_NOT_FOUND),
    ("System.ComponentModel.Win32Exception", "cannot find the specified file", COMMAND_NOT_FOUND),
    ("System.IO.IOException", "disk full. path ", DISK_FULL),
    // Bugs.
    ("System.NullReferenceException", "", NIL_DEREFERENCE),
    ("System.InvalidOperationException", "nullable object must have a value", NIL_DEREFERENCE),
    ("System.IndexOutOfRangeException", "", INDEX_OUT_OF_BOUNDS),
    ("System.ArgumentOutOfRangeException", "index", INDEX_OUT_OF_BOUNDS),
    ("System.ArgumentOutOfRangeException", "length", INDEX_OUT_OF_BOUNDS),
    ("System.ArgumentOutOfRangeException", "count", INDEX_OUT_OF_BOUNDS),
    ("System.Collections.Generic.KeyNotFoundException", "", MISSING_KEY),
    ("System.InvalidOperationException", "sequence contains no ", MISSING_KEY),
    ("System.InvalidCastException", "", TYPE_MISMATCH),
    ("System.ArrayTypeMismatchException", "", TYPE_MISMATCH),
    ("RuntimeBinderException", "perform runtime binding on a null reference", NIL_DEREFERENCE),
    ("RuntimeBinderException", "", TYPE_MISMATCH),
    ("System.DivideByZeroException", "", ARITHMETIC_ERROR),
    ("System.OverflowException", "", ARITHMETIC_ERROR),
    ("System.ArithmeticException", "", ARITHMETIC_ERROR),
    ("System.NotFiniteNumberException", "", ARITHMETIC_ERROR),
    ("DebugAssertException", "", ASSERTION_FAILED),
    ("AssertionException", "", ASSERTION_FAILED),
];

/// Wrappers that repeat the text of what they wrap: they mean nothing where that follows.
const WRAPPERS: [&str; 4] = [
    "System.AggregateException",
    "System.Reflection.TargetInvocationException",
    "System.TypeInitializationException",
    "System.Exception",
];

/// What a link means. `innermost` tells that no cause follows it.
pub fn of_link(link: &Link, innermost: bool, messages: &Messages) -> CrashReason {
    let (class, message) = (link.exception.as_str(), link.message.as_str());
    if !innermost && WRAPPERS.contains(&class) {
        return UNHANDLED_ERROR;
    }
    if class == "System.OutOfMemoryException" && starts_thread(link) {
        return THREAD_LIMIT;
    }
    let lower = message.to_ascii_lowercase();
    let known = CLASSES.iter().find(|(end, needle, _)| class.ends_with(end) && lower.contains(needle));
    let said = || messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    known.map(|(.., reason)| reason.clone()).or_else(said).unwrap_or(UNHANDLED_ERROR)
}

/// What could not be had was another thread; the runtime has no exception of its own for that.
fn starts_thread(link: &Link) -> bool {
    link.frames.first().is_some_and(|frame| frame.function.starts_with("System.Threading.Thread.Start"))
}

/// Namespaces in which other languages have no exceptions.
const NAMESPACES: [&str; 6] = ["System.", "Microsoft.", "Npgsql.", "StackExchange.", "RabbitMQ.", "Grpc."];

/// An exception without a trace that is a program's last word: its class and text, and what it means.
pub fn said(line: &str, messages: &Messages) -> Option<(String, String, CrashReason)> {
    let thrown = head::thrown(line).or_else(|| head::logged(line).map(|(_, thrown)| thrown))?;
    if !NAMESPACES.iter().any(|namespace| thrown.class.starts_with(namespace)) {
        return None;
    }
    let link = Link::new(thrown.class, thrown.message, b"");
    let reason = of_link(&link, true, messages);
    Some((link.exception, link.message, reason))
}

/// What the runtime itself says before it ends the process: how it begins, the exception that it stands for, the reason.
static WORDS: &[(&str, &str, CrashReason)] = &[
    ("Assertion failed", "", ASSERTION_FAILED),
    ("Assertion Failed", "", ASSERTION_FAILED),
    ("Couldn't find a valid ICU package", "", MISSING_LIBRARY),
    ("No usable version of libssl", "", MISSING_LIBRARY),
    ("Stack overflow.", "System.StackOverflowException", STACK_OVERFLOW),
    ("Out of memory.", "System.OutOfMemoryException", HEAP_EXHAUSTED),
    ("System.AccessViolationException", "System.AccessViolationException", SEGFAULT),
    ("Internal CLR error", "", ABORT),
];

/// What the runtime's last words mean: the exception that they stand for, and the reason.
pub fn of_words(text: &str) -> Option<(&'static str, CrashReason)> {
    WORDS.iter().find(|(start, ..)| text.starts_with(start)).map(|(_, class, reason)| (*class, reason.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_their_reason() {
        let cases = [
            ("System.NullReferenceException: Object reference not set to an instance of an object.", "NilDereference"),
            ("System.IndexOutOfRangeException: Index was outside the bounds of the array.", "IndexOutOfBounds"),
            ("System.ArgumentOutOfRangeException: Index was out of range. (Parameter 'index')", "IndexOutOfBounds"),
            (
                "System.ArgumentOutOfRangeException: Specified argument was out of the range of valid values. (Parameter 'rate')",
                "UnhandledError",
            ),
            (
                "System.Collections.Generic.KeyNotFoundException: The given key 'B-7' was not present in the dictionary.",
                "MissingKey",
            ),
            ("System.InvalidOperationException: Sequence contains no elements", "MissingKey"),
            ("System.InvalidCastException: Unable to cast object of type 'A' to type 'B'.", "TypeMismatch"),
            ("System.DivideByZeroException: Attempted to divide by zero.", "ArithmeticError"),
            (
                "System.OutOfMemoryException: Exception of type 'System.OutOfMemoryException' was thrown.",
                "HeapExhausted",
            ),
            (
                "System.IO.FileNotFoundException: Could not load file or assembly 'A, Version=1.0.0.0'. The system cannot find the file specified.",
                "MissingModule",
            ),
            ("System.IO.FileNotFoundException: Could not find file '/etc/depot.json'.", "MissingFile"),
            (
                "System.IO.FileNotFoundException: The configuration file 'appsettings.json' was not found and is not optional.",
                "MissingFile",
            ),
            ("System.IO.DirectoryNotFoundException: Could not find a part of the path '/data/x'.", "MissingFile"),
            ("System.UnauthorizedAccessException: Access to the path '/data/x' is denied.", "PermissionDenied"),
            (
                "System.DllNotFoundException: Unable to load shared library 'x' or one of its dependencies.",
                "MissingLibrary",
            ),
            ("System.IO.IOException: No space left on device", "DiskFull"),
            ("System.IO.IOException: Disk full. Path /data/x", "DiskFull"),
            ("System.IO.FileNotFoundException: Could not load the file 'Acme.Nope'.", "MissingModule"),
            (
                "System.IO.FileLoadException: Could not load file or assembly 'A'. The system cannot open the file. (0x80070004)",
                "TooManyOpenFiles",
            ),
            ("System.ComponentModel.Win32Exception (0x80004005): Cannot find the specified file", "CommandNotFound"),
            ("System.Net.WebException: Error: NameResolutionFailure", "DnsFailure"),
            ("System.Net.WebException: The operation has timed out.", "DependencyTimeout"),
            ("System.Net.HttpListenerException (0x80004005): Prefix already in use.", "PortInUse"),
            (
                "Azure.RequestFailedException: The user does not have secrets get permission\nStatus: 403 (Forbidden)",
                "AuthenticationFailed",
            ),
            ("System.IO.IOException: Failed to bind to address http://[::]:8080: address already in use.", "PortInUse"),
            ("System.Net.Sockets.SocketException (111): Connection refused", "ConnectionRefused"),
            ("System.Net.Http.HttpRequestException: Connection refused (127.0.0.1:1)", "ConnectionRefused"),
            ("System.Net.Sockets.SocketException (00000001, 11): Resource temporarily unavailable", "DnsFailure"),
            ("System.Net.Http.HttpRequestException: Name or service not known (ledger:80)", "DnsFailure"),
            (
                "System.Threading.Tasks.TaskCanceledException: The request was canceled due to the configured HttpClient.Timeout of 1 seconds elapsing.",
                "DependencyTimeout",
            ),
            (
                "System.Security.Authentication.AuthenticationException: The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot",
                "TlsFailure",
            ),
            (
                "Npgsql.PostgresException: 28P01: password authentication failed for user \"app\"",
                "AuthenticationFailed",
            ),
            (
                "System.InvalidOperationException: Unable to resolve service for type 'A' while attempting to activate 'B'.",
                "MissingConfiguration",
            ),
            ("System.InvalidOperationException: DEPOT_URL is not set", "MissingConfiguration"),
            ("System.InvalidOperationException: shelf is sealed", "UnhandledError"),
        ];
        for (line, reason) in cases {
            let (class, message) = line.split_once(": ").unwrap();
            let class = class.split(' ').next().unwrap();
            assert_eq!(of_link(&Link::new(class, message, b""), true, &Messages::default()).as_str(), reason, "{line}");
        }
    }
}
