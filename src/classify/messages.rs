//! What the texts of errors say in every language: a dependency that did not answer, something missing at start-up, a
//! resource that ran out.

use aho_corasick::AhoCorasick;

use super::alone::ALONE;
use super::clients::CLIENTS;
use super::finding::{CrashReason, Runtime};
use super::phrases::PHRASES;
use super::reason::*;
use super::translated::TRANSLATED;

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

/// What has that meaning only as a last word.
pub const fn last_words(reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: true, runtime: None }
}

/// The same, which also tells who says it.
pub const fn by(runtime: Runtime, reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: false, runtime: Some(runtime) }
}

/// What a runtime alone says of an error, where a program printed only its text.
pub const fn said(runtime: Runtime, reason: CrashReason, all: &'static [&'static str]) -> Rule {
    Rule { reason, all, only_last_words: true, runtime: Some(runtime) }
}

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
    CLIENTS.iter().chain(PHRASES).chain(ALONE).chain(TRANSLATED)
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
