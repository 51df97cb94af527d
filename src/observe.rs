//! Every metric, and the log line that goes with it.
//!
//! | metric | labels | meaning |
//! | --- | --- | --- |
//! | `coroner_terminations_total` | `category`, `reason` | terminations recorded in a report, by built-in reason (`Other` for users' own) |
//! | `coroner_terminations_ignored_total` | `why` | terminations that are no crash |
//! | `coroner_log_fetches_total` | `result` | fetches by evidence state |
//! | `coroner_recorded_latency_seconds` | | finishedAt to the recorded report; the node owns about a second of it |
//! | `coroner_queue_depth` | | terminations between the watch and the report |
//! | `coroner_record_failures_total` | `stage` | terminations that could not be recorded at once and are tried again |
//! | `coroner_events_total` | `result` | Events on pods and workloads |
//! | `coroner_notifications_total` | `sink`, `result` | messages |
//! | `coroner_watch_lists_total` | | complete lists of pods |
//! | `coroner_cleaned_total` | `what` | what the janitor did: reports expired or updated, rows and ledgers forgotten |
//! | `coroner_leading` | | 1 while this instance is in charge |
//! | `coroner_watch_failures_total` | `result` | lists and watches that failed, by stage |

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::classify::{Finding, reason};
use crate::report::EvidenceState;
use crate::termination::Termination;
use crate::watch::{Scope, WatchError};

/// Buckets of the latency from finishedAt: that time has whole seconds, and the kubelet's relist takes about one.
const LATENCY_BUCKETS: [f64; 10] = [0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CauseLabels {
    category: &'static str,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WhyLabel {
    why: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SinkLabels {
    sink: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WhatLabel {
    what: &'static str,
}

/// What the janitor did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleaned {
    /// Reports whose last crash is long ago were deleted.
    ReportsExpired,
    /// Reports were brought up to date: triage, or no longer active.
    ReportsUpdated,
    /// Pods that are gone were forgotten in ledgers.
    RowsPruned,
    /// Ledgers in which nothing was left were deleted.
    LedgersDeleted,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    terminations: Family<CauseLabels, Counter>,
    ignored: Family<WhyLabel, Counter>,
    fetches: Family<ResultLabel, Counter>,
    latency: Histogram,
    queue: Gauge,
    failures: Family<StageLabel, Counter>,
    events: Family<ResultLabel, Counter>,
    notifications: Family<SinkLabels, Counter>,
    lists: Counter,
    leading: Gauge,
    cleaned: Family<WhatLabel, Counter>,
    watch_failures: Family<ResultLabel, Counter>,
}

/// A termination and when it was seen: what latencies are counted from.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What ended.
    pub termination: Arc<Termination>,
    /// When the watch told of it.
    pub seen_at: Timestamp,
}

impl Sighting {
    /// A termination that the watch has just told of.
    pub fn now(termination: Arc<Termination>) -> Self {
        Self { termination, seen_at: Timestamp::now() }
    }

    fn since_seen(&self) -> Duration {
        elapsed(self.seen_at)
    }

    /// Since finishedAt; since it was seen where the kubelet gives no finishedAt.
    fn since_finished(&self) -> Duration {
        elapsed(self.termination.finished_at.unwrap_or(self.seen_at))
    }
}

/// The clocks of node and operator differ: what lies ahead counts as now.
fn elapsed(since: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or(Duration::ZERO)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The metrics of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Fresh metrics, all zero.
    pub fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("coroner"),
            terminations: Family::default(),
            ignored: Family::default(),
            fetches: Family::default(),
            latency: Histogram::new(LATENCY_BUCKETS),
            queue: Gauge::default(),
            failures: Family::default(),
            events: Family::default(),
            notifications: Family::default(),
            lists: Counter::default(),
            leading: Gauge::default(),
            cleaned: Family::default(),
            watch_failures: Family::default(),
        };
        let registry = &mut inner.registry;
        registry.register("terminations", "Terminations recorded in a report", inner.terminations.clone());
        registry.register("terminations_ignored", "Terminations that are no crash", inner.ignored.clone());
        registry.register("log_fetches", "Log fetches by evidence state", inner.fetches.clone());
        registry.register("recorded_latency_seconds", "From finishedAt to the recorded report", inner.latency.clone());
        registry.register("queue_depth", "Terminations between the watch and the report", inner.queue.clone());
        registry.register("record_failures", "Terminations that could not be recorded at once", inner.failures.clone());
        registry.register("events", "Events on pods and workloads", inner.events.clone());
        registry.register("notifications", "Messages by sink and result", inner.notifications.clone());
        registry.register("watch_lists", "Complete lists of pods", inner.lists.clone());
        registry.register("cleaned", "What the janitor did", inner.cleaned.clone());
        registry.register("leading", "1 while this instance is in charge", inner.leading.clone());
        registry.register("watch_failures", "Lists and watches that failed", inner.watch_failures.clone());
        Self(Arc::new(inner))
    }

    /// The text of `/metrics`.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut out, &self.0.registry);
        out
    }

    /// Whether this instance is in charge from now on.
    pub fn leading(&self, leading: bool) {
        self.0.leading.set(leading.into());
    }

    /// The janitor did something so many times.
    pub fn cleaned(&self, what: Cleaned, times: u64) {
        let what = match what {
            Cleaned::ReportsExpired => "reports_expired",
            Cleaned::ReportsUpdated => "reports_updated",
            Cleaned::RowsPruned => "rows_pruned",
            Cleaned::LedgersDeleted => "ledgers_deleted",
        };
        self.0.cleaned.get_or_create(&WhatLabel { what }).inc_by(times);
    }

    /// A list of pods is complete.
    pub fn list_done(&self, scope: &Scope, pods: usize) {
        self.0.lists.inc();
        tracing::info!(%scope, pods, "list of pods complete");
    }

    /// A list or watch failed; the stream tries again by itself.
    pub fn watch_failed(&self, error: &WatchError) {
        self.0.watch_failures.get_or_create(&ResultLabel { result: error.category() }).inc();
        tracing::warn!(error = %Chain(error), "watch interrupted");
    }

    /// A termination was recognised and goes on to its log.
    pub fn recognised(&self, sighting: &Sighting) {
        let termination = &sighting.termination;
        self.0.queue.inc();
        tracing::debug!(
            namespace = termination.pod.namespace,
            pod = termination.pod.name,
            container = termination.container,
            container_id = termination.container_id,
            exit_code = termination.exit_code,
            "termination recognised"
        );
    }

    /// A termination left the pipeline: recorded, ignored or given up.
    pub fn left(&self) {
        self.0.queue.dec();
    }

    /// A log was asked for.
    pub fn log_fetched(&self, termination: &Termination, state: EvidenceState, reads: u32) {
        let result = match state {
            EvidenceState::Verified => "verified",
            EvidenceState::Unverified => "unverified",
            EvidenceState::Gone => "gone",
            EvidenceState::Forbidden => "forbidden",
            EvidenceState::RateLimited => "rate_limited",
            EvidenceState::Empty => "empty",
        };
        self.0.fetches.get_or_create(&ResultLabel { result }).inc();
        tracing::debug!(pod = termination.pod.name, container = termination.container, result, reads, "log fetched");
    }

    /// A termination is no crash.
    pub fn ignored(&self, termination: &Termination, why: &'static str) {
        self.0.ignored.get_or_create(&WhyLabel { why }).inc();
        tracing::debug!(
            namespace = termination.pod.namespace,
            pod = termination.pod.name,
            container = termination.container,
            why,
            "no crash"
        );
    }

    /// A termination is counted in a report.
    pub fn recorded(&self, sighting: &Sighting, finding: &Finding, report: &str, new: bool) {
        let (termination, latency) = (&sighting.termination, sighting.since_finished());
        let built_in = reason::category_of(&finding.reason).is_some();
        let labels = CauseLabels {
            category: finding.category.as_str(),
            reason: if built_in { finding.reason.as_str().to_owned() } else { "Other".to_owned() },
        };
        self.0.terminations.get_or_create(&labels).inc();
        self.0.latency.observe(latency.as_secs_f64());
        tracing::info!(
            namespace = termination.pod.namespace,
            pod = termination.pod.name,
            container = termination.container,
            reason = finding.reason.as_str(),
            culprit = finding.culprit.as_ref().map(crate::classify::Culprit::short),
            report,
            new,
            since_finished_ms = millis(latency),
            since_seen_ms = millis(sighting.since_seen()),
            "crash recorded"
        );
    }

    /// A step failed for a termination; it is tried again or was given up, as `error` says.
    pub fn record_failed(&self, termination: &Termination, stage: &'static str, error: &dyn std::error::Error) {
        self.0.failures.get_or_create(&StageLabel { stage }).inc();
        tracing::warn!(
            namespace = termination.pod.namespace,
            pod = termination.pod.name,
            container = termination.container,
            stage,
            error = %Chain(error),
            "crash not recorded yet"
        );
    }

    /// What an earlier instance left open could not be finished; it is tried again.
    pub fn replay_failed(&self, error: &dyn std::error::Error) {
        self.0.failures.get_or_create(&StageLabel { stage: "replay" }).inc();
        tracing::warn!(error = %Chain(error), "what an earlier instance left open is not finished yet");
    }

    /// An Event was written, or not; `first`: of its report, as far as this process remembers.
    pub fn event(&self, namespace: &str, report: &str, first: bool, error: Option<&dyn std::error::Error>) {
        let result = if error.is_some() { "failed" } else { "written" };
        self.0.events.get_or_create(&ResultLabel { result }).inc();
        match error {
            None if first => tracing::info!(namespace, report, "event written"),
            None => tracing::debug!(namespace, report, "event written"),
            Some(error) => tracing::warn!(namespace, report, error = %Chain(error), "event not written"),
        }
    }

    /// A message was sent, or why not: `result` is `sent` or the category of the error. The notifier logs it.
    pub fn notified(&self, sink: &'static str, result: &'static str) {
        self.0.notifications.get_or_create(&SinkLabels { sink, result }).inc();
    }
}

/// An error with all its sources, each said once.
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Category, Confidence, Runtime};
    use crate::termination::{ContainerKind, SeenIn};

    fn termination() -> Termination {
        Termination {
            pod: Arc::default(),
            container: "app".into(),
            kind: ContainerKind::Regular,
            restart_policy: crate::termination::RestartPolicy::Always,
            container_id: None,
            restart_count: 0,
            seen_in: SeenIn::State,
            successor_running: false,
            exit_code: Some(2),
            signal: None,
            reason: None,
            message: None,
            stated: None,
            started_at: None,
            finished_at: None,
            image: String::new(),
            image_id: String::new(),
            unseen: 0,
            status_message: None,
        }
    }

    fn finding(reason: crate::classify::CrashReason) -> Finding {
        Finding {
            category: Category::Code,
            reason,
            runtime: Runtime::Go,
            exception: None,
            message: String::new(),
            confidence: Confidence::High,
            culprit: None,
            stack: Vec::new(),
            related: Vec::new(),
            contributing: Vec::new(),
            advice: None,
        }
    }

    fn used() -> Metrics {
        let (metrics, died, error) = (Metrics::new(), termination(), std::io::Error::other("x"));
        let sighting = Sighting::now(Arc::new(died.clone()));
        metrics.list_done(&Scope::All, 0);
        metrics
            .watch_failed(&WatchError { scope: Scope::All, source: kube::runtime::watcher::Error::NoResourceVersion });
        metrics.recognised(&sighting);
        metrics.log_fetched(&died, EvidenceState::Verified, 1);
        metrics.ignored(&died, "stopping");
        metrics.recorded(&sighting, &finding(reason::DEADLOCK), "r", true);
        metrics.record_failed(&died, "claim", &error);
        metrics.event("shop", "r", true, None);
        metrics.notified("slack", "sent");
        metrics.cleaned(Cleaned::ReportsExpired, 1);
        metrics.leading(true);
        metrics
    }

    #[test]
    fn every_metric_of_the_table_is_exported() {
        let table: Vec<&str> = include_str!("observe.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `coroner_")?.split('`').next())
            .collect();
        assert!(table.len() > 5);
        let text = used().render();
        for name in &table {
            let family = name.trim_end_matches("_total");
            assert!(text.contains(&format!("# TYPE coroner_{family} ")), "{family} is missing in:\n{text}");
        }
        assert_eq!(text.matches("# TYPE").count(), table.len(), "a metric is missing in the table:\n{text}");
    }

    #[test]
    fn a_reason_of_a_users_own_is_no_label_value() {
        let metrics = used();
        let own = crate::classify::CrashReason::custom("AcmeLicenceExpired").unwrap_or(reason::ERROR_EXIT);
        metrics.recorded(&Sighting::now(Arc::new(termination())), &finding(own), "r", true);
        let text = metrics.render();
        assert!(text.contains("reason=\"Other\"") && !text.contains("Acme"), "{text}");
    }
}
