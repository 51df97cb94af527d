//! What an installation can set: the file of `--config`, lowered into values that cannot be wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::classify::Category;
use crate::ledger::census::Caps;
use crate::yaml;

/// Longest tail that may be asked for: more would let one crash occupy a kubelet for seconds.
const MAX_TAIL_LINES: u32 = 100_000;
/// Largest log that may be read: beyond it the head of a dump is out of reach anyway.
const MAX_LOG_BYTES: u64 = 1 << 30;

/// A configuration that cannot be used: the place, what is wrong there, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML, or a key is unknown or of the wrong type.
    #[error("{path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What, with line and column.
        source: yaml::YamlError,
    },
    /// A value has the right type but makes no sense.
    #[error("{path}: {key}: {problem}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, e.g. `log.limit`.
        key: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// How much of a log a report may show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExcerptPolicy {
    /// Nothing of the log but the redacted message.
    None,
    /// The decisive lines alone.
    Decisive,
    /// The decisive lines with a few before them.
    #[default]
    Full,
}

/// A configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The cluster's name as messages show it; empty: not shown.
    pub cluster_name: String,
    /// The namespaces to watch; empty: all.
    pub namespaces: Vec<String>,
    /// Whether ephemeral (debug) containers count.
    pub ephemeral_containers: bool,
    /// How long a container may fail to be created before that is reported.
    pub startup_grace: Duration,
    /// How long a report stays after its last crash; older terminations are not reported.
    pub retention: Duration,
    /// How much of a log a report may show.
    pub excerpt: ExcerptPolicy,
    /// Whether a report is deleted together with its workload.
    pub delete_with_workload: bool,
    /// How many reports there may be.
    pub reports: Caps,
    /// How logs are read.
    pub log: LogConfig,
    /// Expressions of the user's own whose matches are redacted.
    pub redact_patterns: Vec<String>,
    /// The directory with the users' own rules; `None`: there are none.
    pub rules_directory: Option<PathBuf>,
    /// Who is told.
    pub notify: NotifyConfig,
}

/// How logs are read: the only protection that kubelets have, since the API server exempts log reads from its fairness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Lines of the first read.
    pub tail_lines: u32,
    /// Most bytes of the second read, from further up.
    pub limit_bytes: u64,
    /// Reads at the same time.
    pub in_flight: u32,
    /// Reads a second.
    pub per_second: u32,
    /// Reads at the same time from one node.
    pub per_node: u32,
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyConfig {
    /// The categories that are notified.
    pub categories: Vec<Category>,
    /// The file that holds Slack's incoming webhook URL; `None`: no Slack.
    pub slack_webhook_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let raw = RawConfig::default();
        // The defaults are constants of this file and a test lowers them.
        raw.lower(Path::new("defaults")).unwrap_or_else(|error| unreachable!("the defaults are valid: {error}"))
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When the file cannot be read, does not parse, has an unknown key, or a value makes no sense.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Parses the text of a configuration file; `path` serves the error messages.
    ///
    /// # Errors
    /// As [`Config::load`], but for reading.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        // An empty document is null to YAML, and means "all defaults" to its writer.
        let raw = yaml::from_str::<Option<RawConfig>>(text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source })?;
        raw.unwrap_or_default().lower(path)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawConfig {
    cluster_name: String,
    namespaces: Vec<String>,
    ephemeral_containers: bool,
    startup_grace: String,
    retention: String,
    excerpt: ExcerptPolicy,
    delete_with_workload: bool,
    reports: RawReports,
    log: RawLog,
    redact: RawRedact,
    rules: Option<RawRules>,
    notify: RawNotify,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawReports {
    per_workload: u32,
    per_namespace: u32,
    per_cluster: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawLog {
    tail_lines: u32,
    limit: String,
    in_flight: u32,
    per_second: u32,
    per_node: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawRedact {
    patterns: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawRules {
    directory: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawNotify {
    categories: Vec<Category>,
    slack: Option<RawSlack>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawSlack {
    webhook_url_file: PathBuf,
}

impl Default for RawConfig {
    fn default() -> Self {
        Self {
            cluster_name: String::new(),
            namespaces: Vec::new(),
            ephemeral_containers: false,
            startup_grace: "2m".into(),
            retention: "14d".into(),
            excerpt: ExcerptPolicy::Full,
            delete_with_workload: false,
            reports: RawReports::default(),
            log: RawLog::default(),
            redact: RawRedact::default(),
            rules: None,
            notify: RawNotify::default(),
        }
    }
}

impl Default for RawReports {
    fn default() -> Self {
        Self { per_workload: 20, per_namespace: 200, per_cluster: 2000 }
    }
}

impl Default for RawLog {
    fn default() -> Self {
        Self { tail_lines: 2000, limit: "16Mi".into(), in_flight: 8, per_second: 20, per_node: 4 }
    }
}

impl Default for RawNotify {
    fn default() -> Self {
        use Category::{Code, Native, Probe, Resource, Startup};
        Self { categories: vec![Code, Native, Resource, Startup, Probe], slack: None }
    }
}

impl RawConfig {
    fn lower(self, path: &Path) -> Result<Config, ConfigError> {
        let wrong = |key, problem| ConfigError::Value { path: path.to_owned(), key, problem };
        let retention = duration(&self.retention).map_err(|problem| wrong("retention", problem))?;
        if retention.is_zero() {
            return Err(wrong("retention", "a report must live longer than 0; the default is 14d".into()));
        }
        for name in &self.namespaces {
            namespace_name(name).map_err(|problem| wrong("namespaces", problem))?;
        }
        Ok(Config {
            cluster_name: self.cluster_name,
            namespaces: self.namespaces,
            ephemeral_containers: self.ephemeral_containers,
            startup_grace: duration(&self.startup_grace).map_err(|problem| wrong("startupGrace", problem))?,
            retention,
            excerpt: self.excerpt,
            delete_with_workload: self.delete_with_workload,
            reports: self.reports.lower(path)?,
            log: self.log.lower(path)?,
            redact_patterns: self.redact.patterns,
            rules_directory: self.rules.map(|rules| rules.directory),
            notify: NotifyConfig {
                categories: self.notify.categories,
                slack_webhook_file: self.notify.slack.map(|slack| slack.webhook_url_file),
            },
        })
    }
}

impl RawReports {
    fn lower(self, path: &Path) -> Result<Caps, ConfigError> {
        let Self { per_workload, per_namespace, per_cluster } = self;
        let named = [
            ("reports.perWorkload", per_workload),
            ("reports.perNamespace", per_namespace),
            ("reports.perCluster", per_cluster),
        ];
        if let Some((key, _)) = named.into_iter().find(|(_, value)| *value == 0) {
            let problem = "0 would leave no crash a report of its own; use at least 1".into();
            return Err(ConfigError::Value { path: path.to_owned(), key, problem });
        }
        let size = |value: u32| value as usize;
        Ok(Caps {
            per_workload: size(per_workload),
            per_namespace: size(per_namespace),
            per_cluster: size(per_cluster),
        })
    }
}

impl RawLog {
    fn lower(self, path: &Path) -> Result<LogConfig, ConfigError> {
        let wrong = |key, problem| ConfigError::Value { path: path.to_owned(), key, problem };
        let limit_bytes = bytes(&self.limit).map_err(|problem| wrong("log.limit", problem))?;
        if !(1..=MAX_LOG_BYTES).contains(&limit_bytes) {
            return Err(wrong("log.limit", format!("{} is not within 1 byte and 1Gi", self.limit)));
        }
        if !(1..=MAX_TAIL_LINES).contains(&self.tail_lines) {
            return Err(wrong("log.tailLines", format!("{} is not within 1 and {MAX_TAIL_LINES}", self.tail_lines)));
        }
        for (key, value) in
            [("log.inFlight", self.in_flight), ("log.perSecond", self.per_second), ("log.perNode", self.per_node)]
        {
            if value == 0 {
                return Err(wrong(key, "0 would read no log at all; use at least 1".into()));
            }
        }
        Ok(LogConfig {
            tail_lines: self.tail_lines,
            limit_bytes,
            in_flight: self.in_flight,
            per_second: self.per_second,
            per_node: self.per_node,
        })
    }
}

/// A namespace's name is an RFC 1123 label; a wrong one would make a watch that fails for ever.
fn namespace_name(name: &str) -> Result<(), String> {
    let fits = (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        Ok(())
    } else {
        Err(format!("{name:?} is no name of a namespace: a-z, 0-9 and -, at most 63 characters"))
    }
}

/// `90s`, `2m`, `1h`, `14d`, or several of them in a row as Go writes them: `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is no duration; write for example 90s, 2m, 1h30m or 14d");
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(problem());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let value: u32 = rest[..digits].parse().map_err(|_| problem())?;
        let (unit, length) = match rest.as_bytes().get(digits) {
            Some(b'm') if rest[digits..].starts_with("ms") => (Duration::from_millis(1), 2),
            Some(b's') => (Duration::from_secs(1), 1),
            Some(b'm') => (Duration::from_secs(60), 1),
            Some(b'h') => (Duration::from_secs(3600), 1),
            Some(b'd') => (Duration::from_secs(86_400), 1),
            _ => return Err(problem()),
        };
        total = unit.checked_mul(value).and_then(|part| total.checked_add(part)).ok_or_else(problem)?;
        rest = &rest[digits + length..];
    }
    Ok(total)
}

/// `16Mi`, `512Ki`, `1Gi`, `100k`, `5M`, or plain bytes, as Kubernetes writes quantities.
fn bytes(text: &str) -> Result<u64, String> {
    let problem = || format!("{text:?} is no size; write for example 16Mi, 512Ki or 1048576");
    let text_only = text.trim();
    let digits = text_only.len() - text_only.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let value: u64 = text_only[..digits].parse().map_err(|_| problem())?;
    let unit: u64 = match &text_only[digits..] {
        "" => 1,
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(problem()),
    };
    value.checked_mul(unit).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("config.yaml")).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_means_the_defaults_of_the_contract() {
        let config = parse("").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.startup_grace, Duration::from_secs(120));
        assert_eq!(config.retention, Duration::from_secs(14 * 86_400));
        assert_eq!(config.log.limit_bytes, 16 << 20);
        assert_eq!(config.reports, Caps::default());
        assert!(!config.notify.categories.contains(&Category::Dependency));
    }

    #[test]
    fn errors_name_the_file_the_place_and_the_way_out() {
        for (text, wanted) in [
            ("startupGrace: soon", "config.yaml: startupGrace: \"soon\" is no duration; write for example 90s"),
            ("log: {limit: 16MB}", "config.yaml: log.limit: \"16MB\" is no size; write for example 16Mi"),
            ("log: {limit: 2Gi}", "config.yaml: log.limit: 2Gi is not within 1 byte and 1Gi"),
            ("log: {inFlight: 0}", "config.yaml: log.inFlight: 0 would read no log at all"),
            ("log: {tailLines: 0}", "config.yaml: log.tailLines: 0 is not within"),
            ("namespaces: [Shop]", "config.yaml: namespaces: \"Shop\" is no name of a namespace"),
            ("reports: {perCluster: 0}", "config.yaml: reports.perCluster: 0 would leave no crash"),
            ("retention: 0s", "config.yaml: retention: a report must live longer"),
            ("a: 1\nnamespace: [shop]", "unknown field `a`"),
            ("notify:\n  categories: [Kode]", "unknown variant `Kode`"),
            ("excerpt: [", "line 1"),
            ("rules: {folder: /etc/coroner/rules}", "unknown field `folder`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(wanted), "{text:?}: {error}");
            assert!(error.starts_with("config.yaml"), "{text:?}: {error}");
        }
    }

    #[test]
    fn durations_and_sizes_are_read_as_kubernetes_writes_them() {
        for (text, seconds) in [("90s", 90), ("2m", 120), ("1h30m", 5400), ("14d", 1_209_600), (" 1s ", 1), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "5", "m", "-1s", "1.5h", "99999999999d", "1h 30m"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for (text, wanted) in [("1", 1), ("16Mi", 16 << 20), ("5M", 5_000_000), ("100k", 100_000)] {
            assert_eq!(bytes(text), Ok(wanted), "{text}");
        }
        for text in ["", "Mi", "1.5Gi", "-1", "99999999999Gi", "1 Mi"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
