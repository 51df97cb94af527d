//! What the exceptions of the JVM mean.

use std::borrow::Cow;

use super::header;
use crate::classify::finding::{CrashReason, Frame};
use crate::classify::links::Link;
use crate::classify::messages::{Messages, Voice, is_setting_name};
use crate::classify::reason::*;

/// Classes with a meaning of their own: the end of the class's name, a text that the message must hold (in small
/// letters), the reason. The first one that holds wins.
static CLASSES: &[(&str, &str, CrashReason)] = &[
    // Memory and threads.
    (".OutOfMemoryError", "native thread", THREAD_LIMIT),
    (".OutOfMemoryError", "", HEAP_EXHAUSTED),
    ("OutOfDirectMemoryError", "", HEAP_EXHAUSTED),
    (".StackOverflowError", "", STACK_OVERFLOW),
    // Classes that are not there, or in another version.
    (".NoClassDefFoundError", "could not initialize class", UNHANDLED_ERROR),
    (".NoClassDefFoundError", "", MISSING_MODULE),
    (".ClassNotFoundException", "", MISSING_MODULE),
    (".NoSuchMethodError", "", MISSING_MODULE),
    (".NoSuchFieldError", "", MISSING_MODULE),
    (".AbstractMethodError", "", MISSING_MODULE),
    (".IncompatibleClassChangeError", "", MISSING_MODULE),
    ("java.lang.IllegalAccessError", "", MISSING_MODULE),
    ("java.lang.module.FindException", "", MISSING_MODULE),
    ("java.lang.module.ResolutionException", "", MISSING_MODULE),
    (".UnsupportedClassVersionError", "", EXEC_FORMAT_ERROR),
    (".UnsatisfiedLinkError", "", MISSING_LIBRARY),
    // Ports, before what else a socket says.
    ("PortInUseException", "", PORT_IN_USE),
    ("java.net.BindException", "permission denied", PERMISSION_DENIED),
    ("java.net.BindException", "cannot assign", INVALID_CONFIGURATION),
    ("java.net.BindException", "", PORT_IN_USE),
    // Settings.
    ("NoSuchBeanDefinitionException", "", MISSING_CONFIGURATION),
    ("NoUniqueBeanDefinitionException", "", INVALID_CONFIGURATION),
    ("NoSuchBeanException", "", MISSING_CONFIGURATION),
    ("UnsatisfiedResolutionException", "", MISSING_CONFIGURATION),
    ("AmbiguousResolutionException", "", INVALID_CONFIGURATION),
    ("PlaceholderResolutionException", "", MISSING_CONFIGURATION),
    ("MissingRequiredPropertiesException", "", MISSING_CONFIGURATION),
    ("DataSourceBeanCreationException", "", MISSING_CONFIGURATION),
    ("ConfigException$Missing", "", MISSING_CONFIGURATION),
    ("ConfigException$IO", "", MISSING_FILE),
    ("ConfigException$UnresolvedSubstitution", "", MISSING_CONFIGURATION),
    ("ConfigException$NotResolved", "", MISSING_CONFIGURATION),
    ("ConfigException$WrongType", "", INVALID_CONFIGURATION),
    ("ConfigException$BadValue", "", INVALID_CONFIGURATION),
    ("ConfigException$Parse", "", INVALID_CONFIGURATION),
    ("ConfigException$ValidationFailed", "", INVALID_CONFIGURATION),
    ("hoplite.ConfigException", "missing from config", MISSING_CONFIGURATION),
    ("hoplite.ConfigException", "", INVALID_CONFIGURATION),
    ("pureconfig.error.ConfigReaderException", "key not found", MISSING_CONFIGURATION),
    ("pureconfig.error.ConfigReaderException", "", INVALID_CONFIGURATION),
    // Of the command line.
    ("MissingOptionException", "", MISSING_CONFIGURATION),
    ("UnrecognizedOptionException", "", INVALID_CONFIGURATION),
    ("jcommander.ParameterException", "required", MISSING_CONFIGURATION),
    ("jcommander.ParameterException", "", INVALID_CONFIGURATION),
    ("ConfigurationPropertiesBindException", "", INVALID_CONFIGURATION),
    ("context.properties.bind.BindException", "", INVALID_CONFIGURATION),
    ("ConfigDataResourceNotFoundException", "", MISSING_FILE),
    ("ConfigDataLocationNotFoundException", "", MISSING_FILE),
    ("InvalidConfigDataPropertyException", "", INVALID_CONFIGURATION),
    ("InvalidConfigurationPropertyValueException", "", INVALID_CONFIGURATION),
    ("BeanDefinitionOverrideException", "", INVALID_CONFIGURATION),
    ("HibernateException", "unable to determine dialect", MISSING_CONFIGURATION),
    ("HibernateException", "dialectresolutioninfo cannot be null", MISSING_CONFIGURATION),
    ("DependencyInjectionException", "property doesn't exist", MISSING_CONFIGURATION),
    ("DependencyInjectionException", "no bean of type", MISSING_CONFIGURATION),
    ("ConfigurationValidationException", "must not be null", MISSING_CONFIGURATION),
    ("ConfigurationValidationException", "must not be empty", MISSING_CONFIGURATION),
    ("ConfigurationValidationException", "must not be blank", MISSING_CONFIGURATION),
    ("ConfigurationValidationException", "", INVALID_CONFIGURATION),
    ("ConfigurationParsingException", "", INVALID_CONFIGURATION),
    ("jdk.internal.agent.AgentConfigurationError", "", INVALID_CONFIGURATION),
    ("ConfigValidationException", "srcfg00014", MISSING_CONFIGURATION),
    ("ConfigValidationException", "", INVALID_CONFIGURATION),
    ("java.lang.IllegalArgumentException", "srcfg000", INVALID_CONFIGURATION),
    ("java.lang.IllegalArgumentException", "the connection string is invalid", INVALID_CONFIGURATION),
    ("java.sql.SQLException", "no suitable driver found", MISSING_MODULE),
    ("FlywayException", "no flyway database plugin found", MISSING_MODULE),
    ("SdkClientException", "unable to load region", MISSING_CONFIGURATION),
    ("java.io.IOException", "keystore password was incorrect", INVALID_CONFIGURATION),
    ("kafka.common.errors.InvalidGroupIdException", "must provide a valid group.id", MISSING_CONFIGURATION),
    ("kafka.common.config.ConfigException", "no resolvable bootstrap", DNS_FAILURE),
    ("kafka.common.config.ConfigException", "missing required configuration", MISSING_CONFIGURATION),
    ("kafka.common.config.ConfigException", "must contain the set of", MISSING_CONFIGURATION),
    ("kafka.common.config.ConfigException", "", INVALID_CONFIGURATION),
    ("java.lang.IllegalArgumentException", "no security protocol defined for listener", INVALID_CONFIGURATION),
    ("java.lang.RuntimeException", "no readable meta.properties", MISSING_FILE),
    ("QuorumPeerConfig$ConfigException", "", INVALID_CONFIGURATION),
    // Elasticsearch and OpenSearch.
    ("java.lang.IllegalArgumentException", "unknown setting [", INVALID_CONFIGURATION),
    (".SettingsException", "", INVALID_CONFIGURATION),
    ("java.lang.IllegalArgumentException", " file is missing", MISSING_FILE),
    ("java.lang.IllegalArgumentException", " is not set", MISSING_CONFIGURATION),
    // Of a document that comes from a file; others come from whoever the program talks to.
    ("org.xml.sax.SAXParseException", "systemid: file:", INVALID_CONFIGURATION),
    ("ServiceConfigurationError", "", INVALID_CONFIGURATION),
    ("yaml.snakeyaml.scanner.ScannerException", "", INVALID_CONFIGURATION),
    ("yaml.snakeyaml.parser.ParserException", "", INVALID_CONFIGURATION),
    ("com.google.inject.CreationException", "no implementation for ", MISSING_CONFIGURATION),
    ("com.google.inject.ConfigurationException", "no implementation for ", MISSING_CONFIGURATION),
    ("weld.exceptions.DeploymentException", "unsatisfied dependenc", MISSING_CONFIGURATION),
    ("weld.exceptions.DeploymentException", "ambiguous dependenc", INVALID_CONFIGURATION),
    ("java.lang.IllegalStateException", "(permission denied)", PERMISSION_DENIED),
    ("java.lang.IllegalStateException", "logback configuration error detected", INVALID_CONFIGURATION),
    (".ConfigurationException", "", INVALID_CONFIGURATION),
    // Dependencies.
    ("UnknownHostException", "", DNS_FAILURE),
    ("UnresolvedAddressException", "", DNS_FAILURE),
    ("SocketTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("ConnectTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("HttpTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("ReadTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("SQLTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("QueryTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("MongoTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("RedisCommandTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("PoolAcquireTimeoutException", "", DEPENDENCY_TIMEOUT),
    (".HttpConnectTimeoutException", "", DEPENDENCY_TIMEOUT),
    ("org.apache.kafka.common.errors.TimeoutException", "", DEPENDENCY_TIMEOUT),
    ("java.util.concurrent.TimeoutException", "", DEPENDENCY_TIMEOUT),
    ("kotlinx.coroutines.TimeoutCancellationException", "", DEPENDENCY_TIMEOUT),
    ("java.net.ConnectException", "timed out", DEPENDENCY_TIMEOUT),
    ("java.net.ConnectException", "", CONNECTION_REFUSED),
    ("HttpHostConnectException", "timed out", DEPENDENCY_TIMEOUT),
    ("HttpHostConnectException", "", CONNECTION_REFUSED),
    // Clients that tell why in what caused them, or not at all.
    ("LockException", "could not acquire change log lock", DEPENDENCY_TIMEOUT),
    ("StatusRuntimeException", "deadline_exceeded", DEPENDENCY_TIMEOUT),
    ("StatusRuntimeException", "unable to resolve host", DNS_FAILURE),
    ("StatusRuntimeException", "unauthenticated", AUTHENTICATION_FAILED),
    ("StatusRuntimeException", "permission_denied", AUTHENTICATION_FAILED),
    ("StatusRuntimeException", "unavailable", CONNECTION_REFUSED),
    ("jdbc.exceptions.CommunicationsException", "", CONNECTION_REFUSED),
    ("CJCommunicationsException", "", CONNECTION_REFUSED),
    ("RedisConnectionException", "unable to connect", CONNECTION_REFUSED),
    ("JedisConnectionException", "failed to create socket", CONNECTION_REFUSED),
    ("JedisConnectionException", "failed to connect", CONNECTION_REFUSED),
    ("AllNodesFailedException", "could not reach any contact point", CONNECTION_REFUSED),
    ("MongoSocketOpenException", "", CONNECTION_REFUSED),
    ("ConnectionLossException", "", CONNECTION_REFUSED),
    ("NoRouteToHostException", "", CONNECTION_REFUSED),
    ("PortUnreachableException", "", CONNECTION_REFUSED),
    ("SSLHandshakeException", "", TLS_FAILURE),
    ("SSLPeerUnverifiedException", "", TLS_FAILURE),
    ("javax.net.ssl.SSLException", "", TLS_FAILURE),
    ("SunCertPathBuilderException", "", TLS_FAILURE),
    ("CertPathValidatorException", "", TLS_FAILURE),
    ("CertificateExpiredException", "", TLS_FAILURE),
    ("CertificateNotYetValidException", "", TLS_FAILURE),
    ("CertificateException", "", TLS_FAILURE),
    ("sun.security.validator.ValidatorException", "", TLS_FAILURE),
    ("MongoSecurityException", "", AUTHENTICATION_FAILED),
    ("SaslAuthenticationException", "", AUTHENTICATION_FAILED),
    ("SaslException", "", AUTHENTICATION_FAILED),
    ("TopicAuthorizationException", "", AUTHENTICATION_FAILED),
    ("GroupAuthorizationException", "", AUTHENTICATION_FAILED),
    ("ClusterAuthorizationException", "", AUTHENTICATION_FAILED),
    ("BadCredentialsException", "", AUTHENTICATION_FAILED),
    ("FailedLoginException", "", AUTHENTICATION_FAILED),
    ("AuthenticationFailureException", "", AUTHENTICATION_FAILED),
    ("PossibleAuthenticationFailureException", "", AUTHENTICATION_FAILED),
    ("InvalidAuthorizationSpecException", "", AUTHENTICATION_FAILED),
    ("JSchException", "auth fail", AUTHENTICATION_FAILED),
    ("AuthenticationFailedException", "", AUTHENTICATION_FAILED),
    ("KubernetesClientException", "unauthorized", AUTHENTICATION_FAILED),
    ("KubernetesClientException", "forbidden", AUTHENTICATION_FAILED),
    ("S3Exception", "status code: 403", AUTHENTICATION_FAILED),
    ("$Unauthorized", "", AUTHENTICATION_FAILED),
    ("$Forbidden", "", AUTHENTICATION_FAILED),
    // Files. `Cannot run program` names a program, not a file.
    ("java.io.IOException", "cannot run program", COMMAND_NOT_FOUND),
    // What it wraps says less than it.
    ("java.io.IOException", "error=2, no such file", UNHANDLED_ERROR),
    ("java.io.IOException", "error=13, permission denied", UNHANDLED_ERROR),
    ("java.io.IOException", "exec failed, error: ", UNHANDLED_ERROR),
    ("java.nio.file.NoSuchFileException", "", MISSING_FILE),
    ("java.nio.file.AccessDeniedException", "", PERMISSION_DENIED),
    ("java.security.AccessControlException", "", PERMISSION_DENIED),
    // Bugs.
    ("IndexOutOfBoundsException", "", INDEX_OUT_OF_BOUNDS),
    (".NegativeArraySizeException", "", INDEX_OUT_OF_BOUNDS),
    ("java.nio.BufferUnderflowException", "", INDEX_OUT_OF_BOUNDS),
    ("java.nio.BufferOverflowException", "", INDEX_OUT_OF_BOUNDS),
    (".ClassCastException", "", TYPE_MISMATCH),
    (".ArrayStoreException", "", TYPE_MISMATCH),
    ("groovy.lang.MissingMethodException", "", TYPE_MISMATCH),
    ("java.lang.ArithmeticException", "", ARITHMETIC_ERROR),
    ("java.lang.AssertionError", "", ASSERTION_FAILED),
    ("AssertionFailedError", "", ASSERTION_FAILED),
    ("NotImplementedError", "", UNHANDLED_ERROR),
    ("java.util.ConcurrentModificationException", "", UNHANDLED_ERROR),
];

/// Wrappers that repeat the text of what they wrap: they mean nothing where that follows.
const WRAPPERS: [&str; 14] = [
    "BeanCreationException",
    "BeanInstantiationException",
    "UnsatisfiedDependencyException",
    "ApplicationContextException",
    "InvocationTargetException",
    "UndeclaredThrowableException",
    "ExecutionException",
    "CompletionException",
    "ExceptionInInitializerError",
    "java.lang.RuntimeException",
    "reactor.core.Exceptions$ReactiveException",
    "DependencyInjectionException",
    "BeanDefinitionStoreException",
    "java.security.PrivilegedActionException",
];

/// What a link means. `innermost` tells that no cause follows it.
pub fn of_link(link: &Link, innermost: bool, messages: &Messages) -> CrashReason {
    let class = in_full(&link.exception);
    let class = class.as_ref();
    let message = link.message.as_str();
    if class.is_empty() {
        let said = messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
        return said.unwrap_or_else(|| of_frames(&link.frames));
    }
    if !innermost && WRAPPERS.iter().any(|wrapper| class.ends_with(wrapper)) {
        return UNHANDLED_ERROR;
    }
    let lower = message.to_ascii_lowercase();
    let known = CLASSES.iter().find(|(end, needle, _)| class.ends_with(end) && lower.contains(needle));
    match known {
        Some((_, "cannot run program", reason)) => of_program(&lower, reason.clone()),
        Some((.., reason)) => reason.clone(),
        None if class.ends_with("NullPointerException") => of_null(message, &link.frames, messages),
        None if class == "java.io.FileNotFoundException" => of_file(message, messages),
        None if class.ends_with("NoSuchElementException") => of_missing(message, messages),
        None => of_text(class, message, messages),
    }
}

/// How loggers shorten the platform's packages.
const SHORT: [(&str, &str); 6] = [
    ("j.l.", "java.lang."),
    ("j.n.f.", "java.nio.file."),
    ("j.n.", "java.net."),
    ("j.i.", "java.io."),
    ("j.u.c.", "java.util.concurrent."),
    ("j.u.", "java.util."),
];

fn in_full(class: &str) -> Cow<'_, str> {
    let known = SHORT.iter().find_map(|(short, full)| Some(format!("{full}{}", class.strip_prefix(short)?)));
    known.map_or(Cow::Borrowed(class), Cow::Owned)
}

/// Where a package of the JVM's libraries begins. Python has dotted classes too, but not in these.
const PACKAGES: [&str; 14] = [
    "java.",
    "javax.",
    "jakarta.",
    "org.",
    "com.",
    "io.",
    "net.",
    "kotlin.",
    "scala.",
    "redis.",
    "reactor.",
    "liquibase.",
    "clojure.",
    "groovy.",
];

/// An exception without a trace that is a program's last word, perhaps behind words of its own: `stops: java.lang.X: y`.
/// Its class and text, and what it means.
pub fn said(line: &str, messages: &Messages) -> Option<(String, String, CrashReason)> {
    let named = header::thrown(line).filter(|thrown| header::is_error(thrown.class));
    let thrown = named.or_else(|| header::logged(line.as_bytes()).map(|(_, thrown)| thrown))?;
    if !PACKAGES.iter().any(|package| thrown.class.starts_with(package)) {
        return None;
    }
    let link = Link::new(thrown.class, thrown.message, b"");
    let reason = of_link(&link, true, messages);
    Some((link.exception, link.message, reason))
}

/// The name of a file, and in brackets what the system says of it.
fn of_file(message: &str, messages: &Messages) -> CrashReason {
    let why = message.rsplit_once(" (").map_or("", |(_, why)| why);
    let said = messages.meaning(why, Voice::Panic).map(|meaning| meaning.reason);
    said.filter(|reason| [PERMISSION_DENIED, TOO_MANY_OPEN_FILES, DISK_FULL].contains(reason)).unwrap_or(MISSING_FILE)
}

/// `Cannot run program "x": error=13, Permission denied`.
fn of_program(lower: &str, default: CrashReason) -> CrashReason {
    match lower {
        text if text.contains("permission denied") => PERMISSION_DENIED,
        text if text.contains("exec format error") => EXEC_FORMAT_ERROR,
        text if text.contains("cannot allocate memory") => HEAP_EXHAUSTED,
        text if text.contains("temporarily unavailable") => THREAD_LIMIT,
        text if text.contains("too many open files") => TOO_MANY_OPEN_FILES,
        _ => default,
    }
}

/// A null is a bug, unless it is a setting that nobody gave: by its text, or because it came from the environment.
fn of_null(message: &str, frames: &[Frame], messages: &Messages) -> CrashReason {
    if message.contains("java.lang.System.getenv(") || message.contains("java.lang.System.getProperty(") {
        return MISSING_CONFIGURATION;
    }
    // What the JVM itself says begins so; everything else is a text of the program's.
    let own = message.starts_with("Cannot ") || message.is_empty();
    // Without a trace the text is all there is.
    let required = frames.first().is_none_or(|frame| frame.function.contains("requireNonNull"));
    let said = messages.meaning(message, Voice::Panic).filter(|_| !own && required);
    said.map(|meaning| meaning.reason).filter(|reason| *reason == MISSING_CONFIGURATION).unwrap_or(NIL_DEREFERENCE)
}

/// A key is a bug, unless it is the name of a setting.
fn of_missing(message: &str, messages: &Messages) -> CrashReason {
    if is_setting_name(message) {
        return MISSING_CONFIGURATION;
    }
    let said = messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    said.filter(|reason| *reason == MISSING_CONFIGURATION).unwrap_or(MISSING_KEY)
}

/// A class without a meaning of its own: what its text says.
fn of_text(class: &str, message: &str, messages: &Messages) -> CrashReason {
    let said = messages.meaning(message, Voice::Panic).map(|meaning| meaning.reason);
    said.or_else(|| messages.meaning(class, Voice::Panic).map(|meaning| meaning.reason)).unwrap_or(UNHANDLED_ERROR)
}

/// A trace whose head is cut off: what the platform's own frames on top of it do.
fn of_frames(frames: &[Frame]) -> CrashReason {
    static TOPS: [(&str, CrashReason); 6] = [
        ("java.util.Objects.requireNonNull", NIL_DEREFERENCE),
        ("jdk.internal.util.Preconditions.outOfBounds", INDEX_OUT_OF_BOUNDS),
        ("java.util.ArrayList.rangeCheck", INDEX_OUT_OF_BOUNDS),
        ("java.util.Optional.orElseThrow", MISSING_KEY),
        ("sun.nio.ch.Net.connect0", CONNECTION_REFUSED),
        ("java.net.PlainSocketImpl.socketConnect", CONNECTION_REFUSED),
    ];
    let top = frames.first().and_then(|top| TOPS.iter().find(|(name, _)| top.function.starts_with(name)));
    let deep =
        frames.iter().skip(1).filter(|frame| frames.first().is_some_and(|top| top.function == frame.function)).count();
    match top {
        Some((_, reason)) => reason.clone(),
        // A JVM cuts a trace after 1,024 frames; a recursion that ends by itself is hardly ever that deep.
        None if deep > 200 => STACK_OVERFLOW,
        None => UNHANDLED_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_their_reason() {
        let cases = [
            ("java.lang.OutOfMemoryError: Java heap space", "HeapExhausted"),
            ("java.lang.OutOfMemoryError: Metaspace", "HeapExhausted"),
            ("java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory", "ThreadLimit"),
            ("java.lang.NullPointerException: ", "NilDereference"),
            (
                "java.lang.NullPointerException: Cannot invoke \"String.length()\" because the return value of \"java.lang.System.getenv(String)\" is null",
                "MissingConfiguration",
            ),
            ("java.lang.ArrayIndexOutOfBoundsException: Index 5 out of bounds for length 3", "IndexOutOfBounds"),
            ("java.lang.StringIndexOutOfBoundsException: begin 0, end 9, length 2", "IndexOutOfBounds"),
            ("java.util.NoSuchElementException: No value present", "MissingKey"),
            ("j.l.ArithmeticException: / by zero", "ArithmeticError"),
            (
                "java.util.NoSuchElementException: SRCFG00014: The config property db.url is required but it could not be found in any config source",
                "MissingConfiguration",
            ),
            ("java.lang.ClassCastException: class A cannot be cast to class B", "TypeMismatch"),
            ("java.lang.ArithmeticException: / by zero", "ArithmeticError"),
            ("java.lang.StackOverflowError: ", "StackOverflow"),
            ("java.lang.AssertionError: x", "AssertionFailed"),
            ("java.lang.NoClassDefFoundError: com/acme/Thing", "MissingModule"),
            ("java.lang.NoClassDefFoundError: Could not initialize class com.acme.Thing", "UnhandledError"),
            ("java.lang.NoSuchMethodError: 'void a.B.c()'", "MissingModule"),
            ("java.lang.UnsupportedClassVersionError: A has been compiled by a more recent version", "ExecFormatError"),
            ("java.lang.UnsatisfiedLinkError: no x in java.library.path: /usr/lib", "MissingLibrary"),
            ("java.net.BindException: Address already in use", "PortInUse"),
            ("java.net.BindException: Permission denied", "PermissionDenied"),
            ("java.net.ConnectException: Connection refused", "ConnectionRefused"),
            ("java.net.ConnectException: Connection timed out", "DependencyTimeout"),
            ("java.net.UnknownHostException: db.shop: Name or service not known", "DnsFailure"),
            ("java.net.SocketException: Too many open files", "TooManyOpenFiles"),
            ("java.net.SocketException: Connection reset", "ConnectionRefused"),
            ("javax.net.ssl.SSLHandshakeException: PKIX path building failed", "TlsFailure"),
            (
                "org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"app\"",
                "AuthenticationFailed",
            ),
            (
                "org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct",
                "ConnectionRefused",
            ),
            (
                "java.sql.SQLException: Access denied for user 'app'@'10.0.0.1' (using password: YES)",
                "AuthenticationFailed",
            ),
            (
                "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms",
                "DependencyTimeout",
            ),
            ("java.io.FileNotFoundException: /etc/app.yaml (No such file or directory)", "MissingFile"),
            ("java.io.FileNotFoundException: /data/x (Permission denied)", "PermissionDenied"),
            ("java.nio.file.NoSuchFileException: /etc/app.yaml", "MissingFile"),
            ("java.nio.file.AccessDeniedException: /data/x", "PermissionDenied"),
            ("java.nio.file.FileSystemException: /data/x: Too many open files", "TooManyOpenFiles"),
            ("java.io.IOException: No space left on device", "DiskFull"),
            (
                "java.io.IOException: Cannot run program \"convert\": error=2, No such file or directory",
                "CommandNotFound",
            ),
            (
                "org.springframework.beans.factory.NoSuchBeanDefinitionException: No qualifying bean",
                "MissingConfiguration",
            ),
            (
                "java.lang.IllegalArgumentException: Could not resolve placeholder 'db.url' in value \"${db.url}\"",
                "MissingConfiguration",
            ),
            ("java.lang.IllegalStateException: DATABASE_URL is not set", "MissingConfiguration"),
            (
                "com.typesafe.config.ConfigException$Missing: No configuration setting found for key 'db'",
                "MissingConfiguration",
            ),
            ("com.typesafe.config.ConfigException$WrongType: db has type STRING", "InvalidConfiguration"),
            ("java.util.ConcurrentModificationException: ", "UnhandledError"),
            ("java.lang.IllegalStateException: cannot close 2026-10", "UnhandledError"),
            ("java.lang.NumberFormatException: For input string: \"x\"", "UnhandledError"),
            ("java.lang.ExceptionInInitializerError: ", "UnhandledError"),
        ];
        let messages = Messages::default();
        for (line, reason) in cases {
            let (class, message) = line.split_once(": ").unwrap();
            let link = Link::new(class, message, b"");
            assert_eq!(of_link(&link, true, &messages).as_str(), reason, "{line}");
        }
    }

    #[test]
    fn a_wrapper_means_nothing_where_its_cause_follows() {
        let link = Link::new("org.springframework.beans.factory.BeanCreationException", "invalid config", b"");
        assert_eq!(of_link(&link, false, &Messages::default()), UNHANDLED_ERROR);
        assert_eq!(of_link(&link, true, &Messages::default()), INVALID_CONFIGURATION);
    }

    #[test]
    fn frames_tell_where_the_head_is_cut_off() {
        let frame = |function: &str| Frame { function: function.into(), ..Frame::default() };
        assert_eq!(of_frames(&[frame("jdk.internal.util.Preconditions.outOfBounds")]), INDEX_OUT_OF_BOUNDS);
        assert_eq!(of_frames(&vec![frame("a.B.depth"); 1000]), STACK_OVERFLOW);
        assert_eq!(of_frames(&[frame("a.B.c")]), UNHANDLED_ERROR);
    }
}
