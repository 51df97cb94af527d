//! What the texts of errors say in every language: a dependency that did not answer, something missing at start-up, a
//! resource that ran out.

use aho_corasick::AhoCorasick;

use super::clients::CLIENTS;
use super::finding::{CrashReason, Runtime};
use super::reason::*;

/// Whether the text is a program's last word or the value of a panic or exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A line that a program wrote before it gave up, most often while it started.
    LastWords,
    /// The text of a panic or of an uncaught exception, which can come from anywhere.
    Panic,
}

/// What a text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The reason.
    pub reason: CrashReason,
    /// What the text proves to have written it, where it proves anything.
    pub runtime: Option<Runtime>,
}

/// A text and what it means.
#[derive(Debug)]
pub struct Rule {
    reason: CrashReason,
    /// All of them must be there, in any case of letters.
    all: &'static [&'static str],
    /// Holds only for [`Voice::LastWords`]: in a panic the same words are as often a bug.
    only_last_words: bool,
    runtime: Option<Runtime>,
}

/// A text that means the same whoever says it.
pub const fn rule(reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: false, runtime: None }
}

const fn last_words(reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: true, runtime: None }
}

/// The same, which also tells who says it.
pub const fn by(runtime: Runtime, reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: false, runtime: Some(runtime) }
}

/// What a runtime alone says of an error, where a program printed only its text.
const fn said(runtime: Runtime, reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: true, runtime: Some(runtime) }
}

/// The first rule that holds wins: what is more precise stands first.
static RULES: &[Rule] = &[
    // gRPC's status, which also tells how long the look-up took.
    rule(DEPENDENCY_TIMEOUT, &["deadline_exceeded"]),
    // A name that does not resolve; before time-outs, because a look-up can time out.
    by(Runtime::Go, DNS_FAILURE, &["lookup ", ": no such host"]),
    rule(DNS_FAILURE, &["no such host"]),
    rule(DNS_FAILURE, &["lookup ", "i/o timeout"]),
    rule(DNS_FAILURE, &["lookup ", "server misbehaving"]),
    rule(DNS_FAILURE, &["lookup ", "connection refused", ":53"]),
    rule(DNS_FAILURE, &["name or service not known"]),
    rule(DNS_FAILURE, &["name resolution"]),
    rule(DNS_FAILURE, &["could not resolve host"]),
    rule(DNS_FAILURE, &["nodename nor servname"]),
    rule(DNS_FAILURE, &["getaddrinfo enotfound"]),
    rule(DNS_FAILURE, &["getaddrinfo eai_again"]),
    rule(DNS_FAILURE, &["unknownhostexception"]),
    rule(DNS_FAILURE, &["host not found"]),
    rule(DNS_FAILURE, &["bad hostname '"]),
    last_words(DNS_FAILURE, &["unknown host "]),
    rule(DNS_FAILURE, &["could not translate host name"]),
    rule(DNS_FAILURE, &["produced zero addresses"]),
    // Nobody answered in time, which says nothing of certificates.
    by(Runtime::Go, DEPENDENCY_TIMEOUT, &["tls handshake timeout"]),
    // Its own certificate and key, which nobody else has to do with.
    rule(INVALID_CONFIGURATION, &["private key does not match public key"]),
    rule(INVALID_CONFIGURATION, &["failed to find any pem data"]),
    // TLS.
    rule(TLS_FAILURE, &["ssl routines:"]),
    by(Runtime::Go, TLS_FAILURE, &["x509: "]),
    rule(TLS_FAILURE, &["certificate verify failed"]),
    rule(TLS_FAILURE, &["failed to verify certificate"]),
    rule(TLS_FAILURE, &["remote error: tls"]),
    rule(TLS_FAILURE, &["tls: "]),
    rule(TLS_FAILURE, &["ssl: "]),
    rule(TLS_FAILURE, &["tls handshake"]),
    rule(TLS_FAILURE, &["ssl handshake"]),
    rule(TLS_FAILURE, &["sslhandshakeexception"]),
    rule(TLS_FAILURE, &["gave http response to https client"]),
    rule(TLS_FAILURE, &["self-signed certificate"]),
    rule(TLS_FAILURE, &["self signed certificate"]),
    rule(TLS_FAILURE, &["certificate has expired"]),
    rule(TLS_FAILURE, &["ssl is not enabled on the server"]),
    // rustls.
    by(Runtime::Rust, TLS_FAILURE, &["invalid peer certificate"]),
    rule(TLS_FAILURE, &["invalidcertificate("]),
    // Ports; before permissions and refusals, which their texts mention too.
    by(Runtime::Python, PORT_IN_USE, &["connection in use: ("]),
    rule(PORT_IN_USE, &["in use by another process"]),
    rule(PORT_IN_USE, &["address already in use"]),
    rule(PORT_IN_USE, &["eaddrinuse"]),
    rule(PORT_IN_USE, &["address in use"]),
    rule(PORT_IN_USE, &["only one usage of each socket address"]),
    rule(PORT_IN_USE, &["port is already allocated"]),
    by(Runtime::Rust, PORT_IN_USE, &["aborting due to socket bind error"]),
    rule(INVALID_CONFIGURATION, &["cannot assign requested address", "bind"]),
    // Credentials.
    rule(AUTHENTICATION_FAILED, &["authentication failed"]),
    rule(AUTHENTICATION_FAILED, &["authentication failure"]),
    last_words(AUTHENTICATION_FAILED, &["auth failed on "]),
    rule(AUTHENTICATION_FAILED, &["authorization violation"]),
    rule(AUTHENTICATION_FAILED, &["could not find default credentials"]),
    rule(AUTHENTICATION_FAILED, &["no providers in chain provided credentials"]),
    rule(AUTHENTICATION_FAILED, &["access denied for user"]),
    rule(AUTHENTICATION_FAILED, &["authentication required"]),
    rule(AUTHENTICATION_FAILED, &["unable to authenticate"]),
    rule(AUTHENTICATION_FAILED, &["invalid credentials"]),
    rule(AUTHENTICATION_FAILED, &["bad credentials"]),
    rule(AUTHENTICATION_FAILED, &["invalid username or password"]),
    rule(AUTHENTICATION_FAILED, &["invalid username-password"]),
    rule(AUTHENTICATION_FAILED, &["invalid password"]),
    rule(AUTHENTICATION_FAILED, &["wrongpass"]),
    rule(AUTHENTICATION_FAILED, &["noauth"]),
    rule(AUTHENTICATION_FAILED, &["login failed"]),
    rule(AUTHENTICATION_FAILED, &["login incorrect"]),
    rule(AUTHENTICATION_FAILED, &["unauthenticated"]),
    rule(AUTHENTICATION_FAILED, &["401 unauthorized"]),
    rule(AUTHENTICATION_FAILED, &["403 forbidden"]),
    rule(AUTHENTICATION_FAILED, &["status code 401"]),
    rule(AUTHENTICATION_FAILED, &["status code: 401"]),
    rule(AUTHENTICATION_FAILED, &["invalidaccesskeyid"]),
    rule(AUTHENTICATION_FAILED, &["signaturedoesnotmatch"]),
    rule(AUTHENTICATION_FAILED, &["expiredtoken"]),
    rule(AUTHENTICATION_FAILED, &["code = permissiondenied"]),
    rule(AUTHENTICATION_FAILED, &["no pg_hba.conf entry"]),
    rule(AUTHENTICATION_FAILED, &["sasl", "auth"]),
    rule(AUTHENTICATION_FAILED, &["username or password not allowed"]),
    rule(AUTHENTICATION_FAILED, &["permission denied for "]),
    rule(AUTHENTICATION_FAILED, &["code: 403"]),
    rule(AUTHENTICATION_FAILED, &["accessdenied"]),
    rule(AUTHENTICATION_FAILED, &["an error occurred (403) when calling"]),
    // AWS, which looks for credentials in several places, the last of them over the network.
    rule(AUTHENTICATION_FAILED, &["failed to refresh cached credentials"]),
    rule(AUTHENTICATION_FAILED, &["nocredentialproviders"]),
    // Nobody there.
    by(Runtime::Go, CONNECTION_REFUSED, &["dial ", "connect: connection refused"]),
    rule(CONNECTION_REFUSED, &["connection refused"]),
    by(Runtime::Go, CONNECTION_REFUSED, &["dial unix ", "no such file or directory"]),
    rule(CONNECTION_REFUSED, &["econnrefused"]),
    rule(CONNECTION_REFUSED, &["actively refused"]),
    rule(CONNECTION_REFUSED, &["no route to host"]),
    rule(CONNECTION_REFUSED, &["network is unreachable"]),
    rule(CONNECTION_REFUSED, &["host is unreachable"]),
    rule(CONNECTION_REFUSED, &["connection reset by peer"]),
    rule(CONNECTION_REFUSED, &["connection reset"]),
    rule(CONNECTION_REFUSED, &["cannot connect to the docker daemon"]),
    rule(CONNECTION_REFUSED, &["no servers available for connection"]),
    // librdkafka.
    rule(DEPENDENCY_TIMEOUT, &["local: timed out"]),
    rule(CONNECTION_REFUSED, &["all broker connections are down"]),
    rule(CONNECTION_REFUSED, &["brokers are down"]),
    // PostgreSQL's driver for Java: `Connection to db:5432 refused. Check that…`
    rule(CONNECTION_REFUSED, &["connection to ", " refused. check"]),
    // Too slow.
    by(Runtime::Go, DEPENDENCY_TIMEOUT, &["i/o timeout"]),
    by(Runtime::Go, DEPENDENCY_TIMEOUT, &["context deadline exceeded"]),
    rule(DEPENDENCY_TIMEOUT, &["client.timeout exceeded"]),
    rule(DEPENDENCY_TIMEOUT, &["deadlineexceeded"]),
    rule(DEPENDENCY_TIMEOUT, &["deadline exceeded"]),
    rule(DEPENDENCY_TIMEOUT, &["connection timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["connect timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["read timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["operation timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["request timed out"]),
    rule(DEPENDENCY_TIMEOUT, &["operation was aborted due to timeout"]),
    rule(DEPENDENCY_TIMEOUT, &["etimedout"]),
    rule(DEPENDENCY_TIMEOUT, &["timeout expired"]),
    rule(DEPENDENCY_TIMEOUT, &["timeout awaiting response"]),
    rule(DEPENDENCY_TIMEOUT, &["server selection timeout"]),
    rule(DEPENDENCY_TIMEOUT, &["timed out waiting for connection"]),
    // Rust: `reqwest::Error { …, source: TimedOut }`, `Os { …, kind: TimedOut, … }`, sqlx's pool.
    rule(DEPENDENCY_TIMEOUT, &["source: timedout"]),
    rule(DEPENDENCY_TIMEOUT, &["kind: timedout"]),
    rule(DEPENDENCY_TIMEOUT, &["pooltimedout"]),
    rule(DEPENDENCY_TIMEOUT, &["pool timed out while waiting"]),
    last_words(DEPENDENCY_TIMEOUT, &["timed out waiting for"]),
    last_words(DEPENDENCY_TIMEOUT, &["timeout waiting for"]),
    last_words(DEPENDENCY_TIMEOUT, &["waiting for ", "timed out"]),
    last_words(DEPENDENCY_TIMEOUT, &["timeout connecting"]),
    rule(DEPENDENCY_TIMEOUT, &["connection timeout"]),
    // Resources.
    rule(DISK_FULL, &["no space left on device"]),
    rule(DISK_FULL, &["enospc"]),
    rule(DISK_FULL, &["disk quota exceeded"]),
    rule(TOO_MANY_OPEN_FILES, &["too many open files"]),
    // Not a Gemfile.
    rule(TOO_MANY_OPEN_FILES, &[" emfile"]),
    rule(THREAD_LIMIT, &["resource temporarily unavailable", "thread"]),
    rule(THREAD_LIMIT, &["resource temporarily unavailable", "fork"]),
    rule(THREAD_LIMIT, &["resource temporarily unavailable", "clone"]),
    rule(THREAD_LIMIT, &["failed to create new os thread"]),
    rule(THREAD_LIMIT, &["can't start new thread"]),
    rule(THREAD_LIMIT, &["unable to create native thread"]),
    rule(HEAP_EXHAUSTED, &["cannot allocate memory"]),
    rule(HEAP_EXHAUSTED, &["memory allocation of", "bytes failed"]),
    by(Runtime::Dotnet, HEAP_EXHAUSTED, &["garbage collector could not allocate"]),
    // Commands, libraries, architecture.
    rule(COMMAND_NOT_FOUND, &["no 'java' command could be found"]),
    rule(COMMAND_NOT_FOUND, &["no java installations was detected"]),
    rule(EXEC_FORMAT_ERROR, &["exec format error"]),
    by(Runtime::Native, EXEC_FORMAT_ERROR, &["fatal: kernel too old"]),
    rule(COMMAND_NOT_FOUND, &["executable file not found"]),
    rule(COMMAND_NOT_FOUND, &["cannot execute: required file not found"]),
    rule(COMMAND_NOT_FOUND, &["fork/exec ", "no such file or directory"]),
    rule(COMMAND_NOT_FOUND, &["exec: \"", "no such file or directory"]),
    by(Runtime::Native, MISSING_LIBRARY, &["error while loading shared libraries"]),
    by(Runtime::Native, MISSING_LIBRARY, &["error loading shared library"]),
    by(Runtime::Native, MISSING_LIBRARY, &["version `glibc", "not found"]),
    by(Runtime::Native, MISSING_LIBRARY, &["error relocating", "symbol not found"]),
    by(Runtime::Native, MISSING_LIBRARY, &["symbol lookup error", "undefined symbol"]),
    by(Runtime::Native, MISSING_LIBRARY, &["relocation error: ", "not defined in file"]),
    // An emulator without the loader of the other architecture: qemu, Rosetta.
    by(Runtime::Native, MISSING_LIBRARY, &["could not open '", "/ld-"]),
    by(Runtime::Native, MISSING_LIBRARY, &["failed to open elf at ", "/ld-"]),
    rule(MISSING_LIBRARY, &["cannot open shared object file"]),
    // Modules.
    by(Runtime::Python, MISSING_MODULE, &["no module named "]),
    by(Runtime::Python, MISSING_MODULE, &["can't find '__main__' module in "]),
    by(Runtime::Python, MISSING_MODULE, &["could not import module \""]),
    by(Runtime::Python, MISSING_CONFIGURATION, &["could not locate a flask application"]),
    by(Runtime::Python, MISSING_MODULE, &["error: could not import '"]),
    by(Runtime::Python, MISSING_MODULE, &["the module ", " was not found."]),
    by(Runtime::Python, INVALID_CONFIGURATION, &["error loading asgi app"]),
    by(Runtime::Python, INVALID_CONFIGURATION, &["failed to find attribute '"]),
    // Files.
    by(Runtime::Python, MISSING_FILE, &["can't open file '", "[errno 2]"]),
    // .NET.
    by(Runtime::Dotnet, MISSING_FILE, &["could not find a part of the path '"]),
    by(Runtime::Dotnet, MISSING_FILE, &["could not find file '"]),
    by(Runtime::Dotnet, NIL_DEREFERENCE, &["object reference not set to an instance of an object"]),
    by(Runtime::Dotnet, INDEX_OUT_OF_BOUNDS, &["index was outside the bounds of the array"]),
    by(Runtime::Dotnet, INDEX_OUT_OF_BOUNDS, &["index was out of range. must be non-negative"]),
    by(Runtime::Dotnet, MISSING_KEY, &["the given key", "was not present in the dictionary"]),
    by(Runtime::Dotnet, ARITHMETIC_ERROR, &["attempted to divide by zero."]),
    by(Runtime::Dotnet, TYPE_MISMATCH, &["unable to cast object of type '"]),
    // Perl and Lua.
    by(Runtime::Perl, MISSING_FILE, &["can't open perl script ", "no such file"]),
    by(Runtime::Perl, MISSING_MODULE, &["can't locate ", " in @inc"]),
    by(Runtime::Lua, MISSING_FILE, &[": cannot open ", ".lua"]),
    rule(PERMISSION_DENIED, &["permission denied"]),
    rule(PERMISSION_DENIED, &["eacces"]),
    rule(PERMISSION_DENIED, &["operation not permitted"]),
    rule(PERMISSION_DENIED, &["read-only file system"]),
    rule(PERMISSION_DENIED, &["lock file on a read-only directory"]),
    rule(MISSING_FILE, &["no such file or directory"]),
    rule(MISSING_FILE, &["enoent"]),
    rule(MISSING_FILE, &["cannot find the file"]),
    rule(MISSING_FILE, &["cannot find the path"]),
    // Next.js.
    rule(MISSING_FILE, &["could not find a production build in the '"]),
    rule(MISSING_FILE, &["config file \"", "not found in"]),
    rule(MISSING_FILE, &["pattern matches no files"]),
    // Rust: dotenvy, config.
    by(Runtime::Rust, MISSING_FILE, &["kind: notfound, error: \"path not found\""]),
    last_words(MISSING_FILE, &["configuration file \"", "\" not found"]),
    last_words(MISSING_CONFIGURATION, &["configuration property \"", "\" not found"]),
    last_words(MISSING_CONFIGURATION, &["missing value for field "]),
    by(Runtime::Rust, MISSING_CONFIGURATION, &["envvar", "notpresent"]),
    // A locale that the image does not have.
    by(Runtime::Native, INVALID_CONFIGURATION, &["locale::facet::_s_create_c_locale"]),
    last_words(MISSING_FILE, &["error: '", "' doesn't exist"]),
    last_words(MISSING_FILE, &["no hostkeys available"]),
    last_words(MISSING_FILE, &["file does not exist"]),
    last_words(MISSING_FILE, &["error: could not open `"]),
    last_words(INVALID_CONFIGURATION, &["invalid yaml"]),
    last_words(MISSING_FILE, &["file not found"]),
    last_words(MISSING_FILE, &["cannot find or open "]),
    last_words(MISSING_FILE, &["file \"", "\" missing"]),
    // Settings. Go's flag package and cobra, envconfig, caarlos0/env.
    by(Runtime::Go, INVALID_CONFIGURATION, &["flag provided but not defined"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["invalid value \"", "for flag -"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["invalid boolean value \"", "for -"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["flag needs an argument"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["invalid argument \"", "\" flag"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["unknown shorthand flag"]),
    by(Runtime::Go, MISSING_CONFIGURATION, &["required flag(s)"]),
    // urfave/cli, kong, go-flags, validator.
    by(Runtime::Go, MISSING_CONFIGURATION, &["required flag \"", "\" not set"]),
    by(Runtime::Go, MISSING_CONFIGURATION, &["required flags \"", "\" not set"]),
    by(Runtime::Go, MISSING_CONFIGURATION, &[": error: missing flags: --"]),
    by(Runtime::Go, MISSING_CONFIGURATION, &["the required flag", "was not specified"]),
    by(Runtime::Go, MISSING_CONFIGURATION, &["field validation for '", "failed on the 'required' tag"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["key: 'config.", "field validation for '"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["listen ", ": unknown port"]),
    by(Runtime::Go, MISSING_CONFIGURATION, &["required key ", "missing value"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["unknown flag: --"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["unknown long flag '"]),
    by(Runtime::Go, INVALID_CONFIGURATION, &["unknown short flag '"]),
    // The server of net/http says so to whoever waits for it once it was told to shut down.
    Rule { reason: TERMINATED, all: &["http: server closed"], only_last_words: true, runtime: Some(Runtime::Go) },
    // fx and dig.
    by(Runtime::Go, MISSING_CONFIGURATION, &["could not build arguments for function", "missing type: "]),
    by(Runtime::Go, MISSING_CONFIGURATION, &["could not build arguments for function", "missing types: "]),
    // argparse and click.
    by(Runtime::Python, MISSING_CONFIGURATION, &["the following arguments are required: "]),
    by(Runtime::Python, INVALID_CONFIGURATION, &[": error: argument ", ": invalid "]),
    by(Runtime::Python, INVALID_CONFIGURATION, &[": error: unrecognized arguments: "]),
    last_words(MISSING_CONFIGURATION, &["missing option '"]),
    last_words(MISSING_CONFIGURATION, &["missing argument '"]),
    last_words(INVALID_CONFIGURATION, &["no such option: -"]),
    last_words(INVALID_CONFIGURATION, &["invalid value for '"]),
    last_words(INVALID_CONFIGURATION, &["invalid value for option '"]),
    // PHP, and curl, which it calls.
    by(Runtime::Php, MISSING_FILE, &["could not open input file: "]),
    rule(CONNECTION_REFUSED, &["curl error 7: "]),
    rule(DEPENDENCY_TIMEOUT, &["curl error 28: "]),
    rule(TLS_FAILURE, &["curl error 60: "]),
    rule(TLS_FAILURE, &["ssl certificate problem"]),
    // JRuby.
    by(Runtime::Ruby, STACK_OVERFLOW, &["your application used more stack memory than"]),
    // Bundler.
    by(Runtime::Ruby, MISSING_MODULE, &["could not find ", "in locally installed gems"]),
    by(Runtime::Ruby, MISSING_MODULE, &["could not find gem "]),
    by(Runtime::Ruby, MISSING_FILE, &["could not locate gemfile"]),
    by(Runtime::Ruby, COMMAND_NOT_FOUND, &["bundler: command not found"]),
    by(Runtime::Ruby, INVALID_CONFIGURATION, &["your ruby version is ", "your gemfile specified"]),
    // .NET.
    rule(MISSING_CONFIGURATION, &["connection string", "could be found"]),
    rule(MISSING_CONFIGURATION, &["connection string", "not found"]),
    rule(MISSING_CONFIGURATION, &["configuration section", "missing"]),
    rule(MISSING_CONFIGURATION, &["configuration value", "missing"]),
    rule(MISSING_CONFIGURATION, &["configuration key", "missing"]),
    // Amazon's clients.
    rule(MISSING_CONFIGURATION, &["unable to get iam security credentials"]),
    rule(MISSING_CONFIGURATION, &["unable to load credentials from any"]),
    // Spring, MicroProfile, SnakeYAML, Dropwizard.
    rule(INVALID_CONFIGURATION, &[" in 'reader', line "]),
    last_words(INVALID_CONFIGURATION, &[".yml has an error:"]),
    last_words(INVALID_CONFIGURATION, &[".yaml has an error:"]),
    last_words(INVALID_CONFIGURATION, &[".yml has the following errors:"]),
    rule(MISSING_CONFIGURATION, &["could not resolve placeholder"]),
    rule(MISSING_CONFIGURATION, &["config property ", "is required but"]),
    rule(INVALID_CONFIGURATION, &["unknown flag"]),
    rule(INVALID_CONFIGURATION, &["missing port in address"]),
    rule(INVALID_CONFIGURATION, &["unsupported protocol scheme"]),
    rule(INVALID_CONFIGURATION, &["unknown command \""]),
    rule(INVALID_CONFIGURATION, &["unknown option"]),
    rule(INVALID_CONFIGURATION, &["unrecognized option"]),
    rule(INVALID_CONFIGURATION, &["unrecognised option"]),
    rule(INVALID_CONFIGURATION, &["error: a value is required for '"]),
    // gflags and Abseil; CLI11.
    rule(INVALID_CONFIGURATION, &["unknown command line flag"]),
    last_words(INVALID_CONFIGURATION, &["argument was not expected: "]),
    last_words(INVALID_CONFIGURATION, &["arguments were not expected: "]),
    last_words(MISSING_CONFIGURATION, &["--", " is required"]),
    last_words(INVALID_CONFIGURATION, &["could not convert: --"]),
    // A database that was not made, or is named wrongly.
    rule(INVALID_CONFIGURATION, &["database \"", "\" does not exist"]),
    rule(INVALID_CONFIGURATION, &["unknown database '"]),
    rule(INVALID_CONFIGURATION, &["unrecognized argument"]),
    rule(INVALID_CONFIGURATION, &["unexpected argument"]),
    rule(INVALID_CONFIGURATION, &["error: found argument '", "which wasn't expected"]),
    rule(INVALID_CONFIGURATION, &["error: unrecognized subcommand '"]),
    last_words(INVALID_CONFIGURATION, &["invalid socket address"]),
    rule(INVALID_CONFIGURATION, &["error: invalid value '", "' for '"]),
    rule(MISSING_CONFIGURATION, &["following required arguments were not provided"]),
    rule(INVALID_CONFIGURATION, &["unknown directive"]),
    rule(INVALID_CONFIGURATION, &["yaml: "]),
    rule(INVALID_CONFIGURATION, &["error converting yaml"]),
    rule(INVALID_CONFIGURATION, &["toml: "]),
    by(Runtime::Rust, INVALID_CONFIGURATION, &["toml parse error at line "]),
    by(Runtime::Rust, INVALID_CONFIGURATION, &["tomlerror {"]),
    last_words(MISSING_CONFIGURATION, &["missing setting: "]),
    rule(INVALID_CONFIGURATION, &["invalid config"]),
    rule(INVALID_CONFIGURATION, &["invalid configuration"]),
    rule(INVALID_CONFIGURATION, &["invalid value", "config"]),
    rule(INVALID_CONFIGURATION, &["config", "invalid character"]),
    rule(INVALID_CONFIGURATION, &["config", "cannot unmarshal"]),
    rule(INVALID_CONFIGURATION, &["config", "unmarshal"]),
    rule(INVALID_CONFIGURATION, &["config", "parse"]),
    rule(INVALID_CONFIGURATION, &["config", "parsing"]),
    rule(INVALID_CONFIGURATION, &["config", "invalid"]),
    rule(INVALID_CONFIGURATION, &["config validation of "]),
    last_words(INVALID_CONFIGURATION, &["failed_to_prepare_configuration"]),
    rule(INVALID_CONFIGURATION, &["config", "unexpected end of json"]),
    rule(INVALID_CONFIGURATION, &["configuration file", "contains errors"]),
    last_words(INVALID_CONFIGURATION, &["vcl compilation failed"]),
    last_words(MISSING_CONFIGURATION, &["no listening sockets available"]),
    rule(INVALID_CONFIGURATION, &["env", "parsing \""]),
    rule(INVALID_CONFIGURATION, &["env", "parse error"]),
    rule(INVALID_CONFIGURATION, &["env", "invalid duration"]),
    last_words(INVALID_CONFIGURATION, &["error loading config"]),
    last_words(INVALID_CONFIGURATION, &["error in config"]),
    last_words(INVALID_CONFIGURATION, &["configuration error"]),
    last_words(INVALID_CONFIGURATION, &["unknown setting"]),
    last_words(INVALID_CONFIGURATION, &["invalid directive"]),
    last_words(INVALID_CONFIGURATION, &["cannot unmarshal"]),
    last_words(INVALID_CONFIGURATION, &["invalid character '", "looking for"]),
    last_words(INVALID_CONFIGURATION, &["strconv.", "parsing \""]),
    last_words(INVALID_CONFIGURATION, &["time: invalid duration"]),
    last_words(INVALID_CONFIGURATION, &["time: unknown unit"]),
    last_words(INVALID_CONFIGURATION, &["time: missing unit"]),
    last_words(INVALID_CONFIGURATION, &["invalid url"]),
    last_words(INVALID_CONFIGURATION, &["parse \"", "\": "]),
    last_words(INVALID_CONFIGURATION, &["invalid port"]),
    last_words(INVALID_CONFIGURATION, &["invalid log level"]),
    last_words(INVALID_CONFIGURATION, &["not a valid"]),
    last_words(INVALID_CONFIGURATION, &["unmarshal errors"]),
    last_words(MISSING_CONFIGURATION, &["missing required"]),
    last_words(MISSING_CONFIGURATION, &["missing configuration"]),
    last_words(MISSING_CONFIGURATION, &["missing config"]),
    last_words(HEAP_EXHAUSTED, &["out of memory"]),
    // Errors of which a program printed the text alone.
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read properties of undefined (reading '"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read properties of null (reading '"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot set properties of undefined (setting '"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read property '", "' of undefined"]),
    said(Runtime::Nodejs, NIL_DEREFERENCE, &["cannot read property '", "' of null"]),
    said(Runtime::Nodejs, STACK_OVERFLOW, &["maximum call stack size exceeded"]),
    said(Runtime::Python, NIL_DEREFERENCE, &["'nonetype' object has no attribute '"]),
    said(Runtime::Python, NIL_DEREFERENCE, &["'nonetype' object is not subscriptable"]),
    said(Runtime::Python, NIL_DEREFERENCE, &["'nonetype' object is not iterable"]),
    said(Runtime::Python, INDEX_OUT_OF_BOUNDS, &["list index out of range"]),
    said(Runtime::Python, TYPE_MISMATCH, &["unsupported operand type(s) for "]),
    said(Runtime::Python, STACK_OVERFLOW, &["maximum recursion depth exceeded"]),
    said(Runtime::Ruby, NIL_DEREFERENCE, &["undefined method ", "' for nil"]),
    said(Runtime::Ruby, MISSING_MODULE, &["cannot load such file -- "]),
    said(Runtime::Php, NIL_DEREFERENCE, &["call to a member function ", "() on null"]),
    said(Runtime::Php, HEAP_EXHAUSTED, &["allowed memory size of ", " bytes exhausted"]),
    said(Runtime::Jvm, NIL_DEREFERENCE, &["cannot invoke \"", "\" because \"", "\" is null"]),
    said(Runtime::Dotnet, NIL_DEREFERENCE, &["object reference not set to an instance of an object"]),
    said(Runtime::Go, NIL_DEREFERENCE, &["invalid memory address or nil pointer dereference"]),
];

/// The words with which a program says that a setting is absent; they count where the text also names one.
const ABSENT: [&str; 20] = [
    "must be provided",
    "you must set",
    "not set",
    "must be set",
    "must be defined",
    "be set",
    "is required",
    "required",
    "is missing",
    "missing",
    "is empty",
    "empty",
    "undefined",
    "not defined",
    "not found",
    "unset",
    "must not be empty",
    "not provided",
    "not specified",
    "not configured",
];

/// Words for absence before which a name in capitals is a setting's even if it is one word.
const PLAINLY_ABSENT: [&str; 5] = [" must be set", " is not set", " not set", " is unset", " must be defined"];

/// All texts, in the order in which they are tried.
fn all_rules() -> impl Iterator<Item = &'static Rule> {
    CLIENTS.iter().chain(RULES)
}

/// The table of texts, compiled.
#[derive(Debug)]
pub struct Messages {
    /// `None` if the table does not compile, which a test rules out.
    needles: Option<AhoCorasick>,
    /// For each rule, the positions of its needles in the list of all needles.
    needed: Vec<Vec<usize>>,
    count: usize,
}

impl Default for Messages {
    fn default() -> Self {
        let mut all: Vec<&str> = Vec::new();
        let needed =
            all_rules().map(|rule| rule.all.iter().map(|needle| position(&mut all, needle)).collect()).collect();
        let needles = AhoCorasick::builder().ascii_case_insensitive(true).build(&all).ok();
        Self { needles, needed, count: all.len() }
    }
}

fn position(all: &mut Vec<&'static str>, needle: &'static str) -> usize {
    all.iter().position(|known| *known == needle).unwrap_or_else(|| {
        all.push(needle);
        all.len() - 1
    })
}

impl Messages {
    /// What a text says, if it says anything that is known.
    pub fn meaning(&self, text: &str, voice: Voice) -> Option<Meaning> {
        if names_absent_setting(text) && !text.contains("command could be found") {
            return Some(Meaning { reason: MISSING_CONFIGURATION, runtime: None });
        }
        let mut seen = vec![false; self.count];
        for found in self.needles.as_ref()?.find_overlapping_iter(text) {
            seen[found.pattern().as_usize()] = true;
        }
        let holds = |rule: &Rule, needed: &[usize]| {
            needed.iter().all(|at| seen[*at]) && (voice == Voice::LastWords || !rule.only_last_words)
        };
        let (rule, _) = all_rules().zip(&self.needed).find(|(rule, needed)| holds(rule, needed))?;
        Some(Meaning { reason: rule.reason.clone(), runtime: rule.runtime })
    }
}

/// `required environment variable DATABASE_URL is not set`: a word for absence, and the name of a setting or the words
/// "environment variable".
fn names_absent_setting(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    // A YAML library says so of a field that nobody knows, and the program's advice may speak of variables.
    let absent = ABSENT.iter().any(|word| lower.contains(word)) && !lower.contains(" not found in type ");
    let environment =
        lower.contains("environment variable") || lower.contains("env var") || lower.contains("env variable");
    let named = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(is_setting_name);
    absent && (environment || named() || PLAINLY_ABSENT.iter().any(|words| follow_capitals(text, words)))
}

/// `WORKERS must be set`: these words, and right before them a name in capitals.
fn follow_capitals(text: &str, words: &str) -> bool {
    text.match_indices(words).take(8).any(|(at, _)| {
        let before = text[..at].trim_end_matches(['\'', '"', '`']);
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        name.len() > 2
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// `DATABASE_URL`: capitals with an underscore, at least two parts. `ERROR` is none, `SSL_CERT_FILE` is.
pub fn is_setting_name(word: &str) -> bool {
    let parts = word.split('_').filter(|part| part.len() > 1).count();
    parts >= 2
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_their_reason() {
        let cases = [
            ("dial tcp 127.0.0.1:5432: connect: connection refused", "ConnectionRefused"),
            ("dial tcp: lookup db.shop on 10.96.0.10:53: no such host", "DnsFailure"),
            ("dial tcp: lookup db on 10.96.0.10:53: read udp 10.1.1.1:5->10.96.0.10:53: i/o timeout", "DnsFailure"),
            (
                "Get \"https://a\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                "TlsFailure",
            ),
            ("dial tcp 10.0.0.9:443: i/o timeout", "DependencyTimeout"),
            ("metrics: listen tcp 127.0.0.1:9090: bind: address already in use", "PortInUse"),
            ("listen tcp :80: bind: permission denied", "PermissionDenied"),
            ("open /etc/app/config.yaml: no such file or directory", "MissingFile"),
            ("shopd: load config: required environment variable DATABASE_URL is not set", "MissingConfiguration"),
            ("flag provided but not defined: -verbose", "InvalidConfiguration"),
            ("required key APP_PORT missing value", "MissingConfiguration"),
            ("STOCK_DB is not configured", "MissingConfiguration"),
            ("'WORKERS' must be set", "MissingConfiguration"),
            ("Required configuration section 'Stock:Endpoint' is missing", "MissingConfiguration"),
            (
                "DEADLINE_EXCEEDED: deadline exceeded after 0.5s. Name resolution delay 0.02 seconds.",
                "DependencyTimeout",
            ),
            ("write /data/x: no space left on device", "DiskFull"),
            ("accept tcp [::]:80: accept4: too many open files", "TooManyOpenFiles"),
            ("FATAL: password authentication failed for user \"app\"", "AuthenticationFailed"),
            ("Get \"https://10.96.0.1:443/api\": net/http: TLS handshake timeout", "DependencyTimeout"),
            (
                "failed to refresh cached credentials, request canceled, context deadline exceeded",
                "AuthenticationFailed",
            ),
            ("pool timed out while waiting for an open connection", "DependencyTimeout"),
            ("invalid peer certificate: UnknownIssuer", "TlsFailure"),
            ("pq: database \"shopp\" does not exist", "InvalidConfiguration"),
            ("Error 1049 (42000): Unknown database 'shopp'", "InvalidConfiguration"),
            ("shopd: error: unknown long flag '--lisen', try --help", "InvalidConfiguration"),
            ("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined", "MissingConfiguration"),
            (
                "could not build arguments for function \"main\".run (/app/main.go:19): missing type: *store.Store",
                "MissingConfiguration",
            ),
            ("/app/a: relocation error: /app/a: symbol f not defined in file libf.so.2", "MissingLibrary"),
            ("qemu-x86_64: Could not open '/lib64/ld-linux-x86-64.so.2': No such file", "MissingLibrary"),
            ("FATAL: kernel too old", "ExecFormatError"),
            ("serve: http: Server closed", "Terminated"),
            ("ERROR: unknown command line flag 'lanes'", "InvalidConfiguration"),
            ("--config is required", "MissingConfiguration"),
            (
                "yaml: line 3: field foo not found in type a.Config. To expand environment variables",
                "InvalidConfiguration",
            ),
            ("nats: no servers available for connection", "ConnectionRefused"),
            ("nats: Authorization Violation", "AuthenticationFailed"),
            ("tls: failed to find any PEM data in certificate input", "InvalidConfiguration"),
            ("SSL_connect: error:0A00010B:SSL routines::wrong version number", "TlsFailure"),
            ("shopd: error: missing flags: --dsn=STRING", "MissingConfiguration"),
            ("Required flag \"dsn\" not set", "MissingConfiguration"),
            ("the required flag `-d, --dsn' was not specified", "MissingConfiguration"),
            ("Key: 'Config.DSN' Error:Field validation for 'DSN' failed on the 'required' tag", "MissingConfiguration"),
            ("Key: 'Config.Up' Error:Field validation for 'Up' failed on the 'url' tag", "InvalidConfiguration"),
            ("listen tcp: lookup tcp/80a0: unknown port", "InvalidConfiguration"),
            ("error: Found argument '--lanes' which wasn't expected, or isn't valid here", "InvalidConfiguration"),
            ("Error: EnvVar { name: \"A\", source: NotPresent }", "MissingConfiguration"),
            ("configuration file \"/etc/tagger/default\" not found", "MissingFile"),
            ("error loading config: open config.yaml: no such file or directory", "MissingFile"),
            ("ERROR vector::cli: Configuration error. error=unknown field `fooo`", "InvalidConfiguration"),
            ("@ERROR: auth failed on module backup", "AuthenticationFailed"),
        ];
        let messages = Messages::default();
        for (text, reason) in cases {
            let meaning = messages.meaning(text, Voice::LastWords);
            assert_eq!(meaning.map(|m| m.reason.to_string()).as_deref(), Some(reason), "{text}");
        }
        assert_eq!(messages.meaning("manifest upload refused by bucket policy", Voice::LastWords), None);
        assert_eq!(messages.meaning("the cookie must be set", Voice::LastWords), None);
    }

    #[test]
    fn a_parse_error_in_a_panic_is_no_configuration_unless_it_says_so() {
        let messages = Messages::default();
        let text = "strconv.Atoi: parsing \"x\": invalid syntax";
        assert_eq!(messages.meaning(text, Voice::Panic), None);
        assert!(messages.meaning(text, Voice::LastWords).is_some());
        assert!(messages.meaning(&format!("config: {text}"), Voice::Panic).is_some());
    }
}
