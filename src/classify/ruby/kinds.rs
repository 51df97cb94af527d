//! What the exceptions of Ruby mean.

use crate::classify::finding::{CrashReason, Frame};
use crate::classify::links::Link;
use crate::classify::messages::{Messages, Voice};
use crate::classify::reason::*;

/// Classes with a meaning of their own: the class, a text that the message must hold (in small letters), the reason. The
/// first one that holds wins.
static CLASSES: &[(&str, &str, CrashReason)] = &[
    ("SystemStackError", "", STACK_OVERFLOW),
    ("NoMemoryError", "", HEAP_EXHAUSTED),
    ("fatal", "deadlock", DEADLOCK),
    ("ThreadError", "can't create thread", THREAD_LIMIT),
    ("ThreadError", "deadlock", DEADLOCK),
    ("Interrupt", "", TERMINATED),
    ("SignalException", "", TERMINATED),
    // What cannot be loaded.
    ("RedisClient::ReadTimeoutError", "", DEPENDENCY_TIMEOUT),
    ("RestClient::Exceptions::OpenTimeout", "", DEPENDENCY_TIMEOUT),
    ("RestClient::Exceptions::ReadTimeout", "", DEPENDENCY_TIMEOUT),
    ("Dalli::RingError", "", CONNECTION_REFUSED),
    ("ActiveRecord::NoDatabaseError", "", INVALID_CONFIGURATION),
    ("LoadError", "cannot open shared object file", MISSING_LIBRARY),
    ("LoadError", "' not found (required by ", MISSING_LIBRARY),
    ("LoadError", "undefined symbol: ", MISSING_LIBRARY),
    ("LoadError", "incompatible library version", MISSING_LIBRARY),
    ("LoadError", "no such file or directory -- ", MISSING_FILE),
    ("LoadError", "", MISSING_MODULE),
    ("Gem::LoadError", "", MISSING_MODULE),
    ("Gem::MissingSpecError", "", MISSING_MODULE),
    ("Gem::ConflictError", "", MISSING_MODULE),
    ("Bundler::GemNotFound", "", MISSING_MODULE),
    ("Bundler::GemfileNotFound", "", MISSING_FILE),
    ("Bundler::RubyVersionMismatch", "", INVALID_CONFIGURATION),
    // Settings.
    ("Psych::SyntaxError", "", INVALID_CONFIGURATION),
    ("RuntimeError", "invalid option ", INVALID_CONFIGURATION),
    ("OptionParser::InvalidOption", "", INVALID_CONFIGURATION),
    ("OptionParser::InvalidArgument", "", INVALID_CONFIGURATION),
    ("OptionParser::MissingArgument", "", MISSING_CONFIGURATION),
    ("ActiveSupport::EncryptedFile::MissingKeyError", "", MISSING_CONFIGURATION),
    ("ActiveSupport::MessageEncryptor::InvalidMessage", "", INVALID_CONFIGURATION),
    ("ArgumentError", "missing `secret_key_base`", MISSING_CONFIGURATION),
    ("ActiveRecord::AdapterNotSpecified", "", MISSING_CONFIGURATION),
    // The operating system.
    ("Errno::ECONNREFUSED", "", CONNECTION_REFUSED),
    ("Errno::EHOSTUNREACH", "", CONNECTION_REFUSED),
    ("Errno::ENETUNREACH", "", CONNECTION_REFUSED),
    ("Errno::ECONNRESET", "", CONNECTION_REFUSED),
    ("Errno::ETIMEDOUT", "", DEPENDENCY_TIMEOUT),
    ("Errno::EADDRINUSE", "", PORT_IN_USE),
    ("Errno::EADDRNOTAVAIL", "bind", INVALID_CONFIGURATION),
    ("Errno::EACCES", "", PERMISSION_DENIED),
    ("Errno::EPERM", "", PERMISSION_DENIED),
    ("Errno::EROFS", "", PERMISSION_DENIED),
    ("Errno::ENOSPC", "", DISK_FULL),
    ("Errno::EDQUOT", "", DISK_FULL),
    ("Errno::EMFILE", "", TOO_MANY_OPEN_FILES),
    ("Errno::ENFILE", "", TOO_MANY_OPEN_FILES),
    ("Errno::ENOMEM", "", HEAP_EXHAUSTED),
    ("Errno::ENOEXEC", "", EXEC_FORMAT_ERROR),
    ("Errno::EAGAIN", "fork", THREAD_LIMIT),
    // Dependencies.
    ("Socket::ResolutionError", "", DNS_FAILURE),
    ("SocketError", "", DNS_FAILURE),
    ("OpenSSL::SSL::SSLError", "", TLS_FAILURE),
    ("Timeout::Error", "", DEPENDENCY_TIMEOUT),
    ("Net::OpenTimeout", "", DEPENDENCY_TIMEOUT),
    ("Net::ReadTimeout", "", DEPENDENCY_TIMEOUT),
    ("Net::WriteTimeout", "", DEPENDENCY_TIMEOUT),
    ("IO::TimeoutError", "", DEPENDENCY_TIMEOUT),
    ("Faraday::TimeoutError", "", DEPENDENCY_TIMEOUT),
    ("Redis::TimeoutError", "", DEPENDENCY_TIMEOUT),
    ("ActiveRecord::ConnectionTimeoutError", "", DEPENDENCY_TIMEOUT),
    ("Mongo::Error::NoServerAvailable", "", DEPENDENCY_TIMEOUT),
    ("Redis::CannotConnectError", "resolv", DNS_FAILURE),
    ("Redis::CannotConnectError", "", CONNECTION_REFUSED),
    ("Faraday::ConnectionFailed", "getaddrinfo", DNS_FAILURE),
    ("Faraday::ConnectionFailed", "", CONNECTION_REFUSED),
    ("Bunny::TCPConnectionFailed", "", CONNECTION_REFUSED),
    ("Mongo::Auth::Unauthorized", "", AUTHENTICATION_FAILED),
    ("Aws::S3::Errors::AccessDenied", "", AUTHENTICATION_FAILED),
    ("Aws::Errors::MissingCredentialsError", "", AUTHENTICATION_FAILED),
    ("Faraday::UnauthorizedError", "", AUTHENTICATION_FAILED),
    ("Faraday::ForbiddenError", "", AUTHENTICATION_FAILED),
    ("Psych::BadAlias", "", INVALID_CONFIGURATION),
    ("ActionView::Template::Error", " for nil", NIL_DEREFERENCE),
    ("Bunny::AuthenticationFailureError", "", AUTHENTICATION_FAILED),
    // Bugs.
    ("NoMethodError", " for nil", NIL_DEREFERENCE),
    ("IndexError", "", INDEX_OUT_OF_BOUNDS),
    ("TypeError", "", TYPE_MISMATCH),
    ("ZeroDivisionError", "", ARITHMETIC_ERROR),
    ("FloatDomainError", "", ARITHMETIC_ERROR),
    ("Math::DomainError", "", ARITHMETIC_ERROR),
    ("Minitest::Assertion", "", ASSERTION_FAILED),
    ("NameError", "", UNHANDLED_ERROR),
    ("NoMethodError", "", UNHANDLED_ERROR),
    ("SyntaxError", "", UNHANDLED_ERROR),
];

/// Functions that start a program: what is not found is a command.
const STARTERS: [&str; 6] = ["popen", "spawn", "exec", "system", "`", "capture"];

/// What a link means.
pub fn of_link(link: &Link, messages: &Messages) -> CrashReason {
    let (class, message) = (link.exception.as_str(), link.message.as_str());
    let lower = message.to_ascii_lowercase();
    match class {
        "KeyError" => return of_key(message),
        "Errno::ENOENT" => return if starts_program(&link.frames) { COMMAND_NOT_FOUND } else { MISSING_FILE },
        _ => {}
    }
    let known = CLASSES.iter().find(|(name, needle, _)| class == *name && lower.contains(needle));
    let said = || messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    known.map(|(.., reason)| reason.clone()).or_else(said).unwrap_or(UNHANDLED_ERROR)
}

/// A key that is called like a variable of the environment is one.
fn of_key(message: &str) -> CrashReason {
    let key = message.split_once("key not found: ").map_or("", |(_, key)| key);
    let name = key.trim_matches(|c: char| matches!(c, '"' | ':' | '\'') || c.is_whitespace());
    if crate::classify::messages::is_setting_name(name) { MISSING_CONFIGURATION } else { MISSING_KEY }
}

fn starts_program(frames: &[Frame]) -> bool {
    let name = |frame: &Frame| frame.function.rsplit(['#', '.']).next().unwrap_or_default().to_owned();
    frames.first().is_some_and(|top| STARTERS.iter().any(|starter| name(top).starts_with(starter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_their_reason() {
        let cases = [
            ("NoMethodError: undefined method `name' for nil:NilClass", "NilDereference"),
            ("NoMethodError: undefined method 'name' for nil", "NilDereference"),
            ("NoMethodError: undefined method `name' for #<Crate:0x1>", "UnhandledError"),
            ("KeyError: key not found: \"CHF\"", "MissingKey"),
            ("KeyError: key not found: \"DATABASE_URL\"", "MissingConfiguration"),
            ("IndexError: index 9 outside of array bounds: 0...0", "IndexOutOfBounds"),
            ("TypeError: no implicit conversion of Integer into String", "TypeMismatch"),
            ("ZeroDivisionError: divided by 0", "ArithmeticError"),
            ("SystemStackError: stack level too deep", "StackOverflow"),
            ("NoMemoryError: failed to allocate memory", "HeapExhausted"),
            ("LoadError: cannot load such file -- sidekiq/pro", "MissingModule"),
            (
                "LoadError: libpq.so.5: cannot open shared object file: No such file or directory - /x/pg_ext.so",
                "MissingLibrary",
            ),
            ("LoadError: No such file or directory -- /app/none.rb", "MissingFile"),
            (
                "LoadError: /lib/libm.so.6: version `GLIBC_2.29' not found (required by /x/nokogiri.so)",
                "MissingLibrary",
            ),
            ("Bundler::GemNotFound: Could not find gem 'x' in locally installed gems.", "MissingModule"),
            ("Errno::ECONNREFUSED: Connection refused - connect(2) for \"127.0.0.1\" port 1", "ConnectionRefused"),
            ("Errno::EADDRINUSE: Address already in use - bind(2) for \"127.0.0.1\" port 1", "PortInUse"),
            ("Errno::ENOENT: No such file or directory @ rb_sysopen - /etc/x", "MissingFile"),
            ("SocketError: getaddrinfo: Name or service not known", "DnsFailure"),
            (
                "OpenSSL::SSL::SSLError: SSL_connect returned=1 errno=0 state=error: certificate verify failed",
                "TlsFailure",
            ),
            ("Net::ReadTimeout: Net::ReadTimeout with #<TCPSocket:(closed)>", "DependencyTimeout"),
            (
                "PG::ConnectionBad: connection to server at \"127.0.0.1\", port 5432 failed: Connection refused",
                "ConnectionRefused",
            ),
            ("PG::ConnectionBad: FATAL:  password authentication failed for user \"app\"", "AuthenticationFailed"),
            ("fatal: No live threads left. Deadlock?", "Deadlock"),
            ("RuntimeError: shelf is sealed", "UnhandledError"),
            ("RuntimeError: DEPOT_DATABASE_URL is not set", "MissingConfiguration"),
            ("ArgumentError: wrong number of arguments (given 0, expected 1)", "UnhandledError"),
        ];
        for (line, reason) in cases {
            let (class, message) = line.split_once(": ").unwrap();
            assert_eq!(of_link(&Link::new(class, message, b""), &Messages::default()).as_str(), reason, "{line}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_no_file() {
        let mut link = Link::new("Errno::ENOENT", "No such file or directory - convert", b"");
        link.frames.push(Frame { function: "Process.spawn".into(), ..Frame::default() });
        assert_eq!(of_link(&link, &Messages::default()), COMMAND_NOT_FOUND);
    }
}
