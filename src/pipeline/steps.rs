//! The steps of one termination, from its sighting to the Event, and what an earlier instance left open.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::classify::{Category, Engine};
use crate::config::{Config, ExcerptPolicy, LogConfig};
use crate::context::OwnerCache;
use crate::ledger::LedgerKey;
use crate::log::{FetchOptions, Fetcher, LimitOptions, Limiter, LogAnswer};
use crate::observe::{Metrics, Sighting};
use crate::operator::Settings;
use crate::publish::{EventNote, EventWriter, RecordError, Recorded, Recorder};
use crate::redact::Redactor;
use crate::report::{Counted, Workload};
use crate::termination::{Verdict, judge};

/// First pause before a termination that could not be recorded is tried again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause. The termination is only in memory meanwhile, and in the pod's status as long as the pod lives.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Everything that a termination passes through.
pub struct Steps {
    fetcher: Fetcher,
    owners: OwnerCache,
    recorder: Recorder,
    events: EventWriter,
    excerpt: ExcerptPolicy,
    notified: Vec<Category>,
    sinks: Vec<String>,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Steps {
    /// All steps over one client.
    ///
    /// # Errors
    /// When a redaction pattern of the configuration is no expression.
    pub fn new(client: Client, settings: &Settings, metrics: Metrics, stop: CancellationToken) -> anyhow::Result<Self> {
        let Settings { config, namespace, instance, .. } = settings;
        let engine = Arc::new(Engine::new(Redactor::new(&config.redact_patterns)?));
        let fetcher = Fetcher::new(client.clone(), engine, Limiter::new(limits(&config.log)), reads(&config.log));
        let recorder = Recorder::new(client.clone(), namespace, instance, Arc::new(Timestamp::now));
        Ok(Self {
            fetcher,
            owners: OwnerCache::new(client.clone()),
            recorder,
            events: EventWriter::new(client, instance),
            excerpt: config.excerpt,
            notified: config.notify.categories.clone(),
            sinks: sinks(config),
            metrics,
            stop,
        })
    }

    /// Goes on with what an earlier instance claimed and could not finish.
    pub async fn resume(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.recorder.replay().await {
                Ok(_) => return,
                Err(error) => self.metrics.replay_failed(&error),
            }
            if !self.pause(&mut pause).await {
                return;
            }
        }
    }

    /// Takes one termination through all steps.
    pub async fn take(&self, sighting: Sighting) {
        let termination = &sighting.termination;
        let (workload, log) = tokio::join!(self.owners.workload_of(&termination.pod), self.fetcher.fetch(termination));
        self.metrics.log_fetched(termination, log.state, log.reads);
        let notify = match judge(termination, &log.classification.finding) {
            Verdict::Ignore(why) => return self.metrics.ignored(termination, why.as_str()),
            Verdict::Report { notify } => notify,
        };
        let counted = self.counted(&sighting, workload, log, notify);
        for recorded in self.record(&sighting, counted).await {
            self.tell(&sighting, &recorded).await;
        }
    }

    fn counted(&self, sighting: &Sighting, workload: Workload, log: LogAnswer, notify: bool) -> Counted {
        let LogAnswer { state, source, mut classification, reads: _ } = log;
        if self.excerpt == ExcerptPolicy::None {
            classification.truncated |= !classification.excerpt.is_empty();
            classification.excerpt.clear();
        }
        let wanted = notify && self.notified.contains(&classification.finding.category);
        Counted {
            termination: sighting.termination.clone(),
            workload,
            classification,
            evidence: state,
            source,
            inferred: false,
            notify: if wanted { self.sinks.clone() } else { Vec::new() },
            seen_at: sighting.seen_at,
        }
    }

    /// Records a termination, however long that takes. Stopped before that, it is found again by the next start: it is
    /// not claimed yet, and the pod's status still has it.
    async fn record(&self, sighting: &Sighting, counted: Counted) -> Vec<Recorded> {
        let key = LedgerKey::of(&counted);
        let mut pause = FIRST_PAUSE;
        loop {
            match self.recorder.record(key.clone(), vec![counted.clone()]).await {
                Ok(recorded) => return recorded,
                Err(RecordError::Closed) => return Vec::new(),
                Err(error) => self.metrics.record_failed(&sighting.termination, error.category(), &error),
            }
            if !self.pause(&mut pause).await {
                return Vec::new();
            }
        }
    }

    /// The Event and, for a new bug, the message. Both only repeat what the report says.
    async fn tell(&self, sighting: &Sighting, recorded: &Recorded) {
        for counted in &recorded.counted {
            self.metrics.recorded(sighting, &counted.classification.finding, &recorded.name, recorded.opened);
            let note = EventNote::on_pod(counted, &recorded.name);
            let written = self.events.publish(&note).await;
            let error = written.as_ref().err().map(|error| error as &dyn std::error::Error);
            self.metrics.event(&counted.termination.pod.namespace, &recorded.name, recorded.opened, error);
        }
    }

    /// Waits before another try; `false` when the operator stops.
    async fn pause(&self, pause: &mut Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => return false,
            () = tokio::time::sleep(*pause) => {}
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        true
    }

    /// Finishes what was handed in.
    pub async fn drain(&self) {
        self.recorder.shutdown().await;
    }
}

fn sinks(config: &Config) -> Vec<String> {
    config.notify.slack_webhook_file.iter().map(|_| "slack".to_owned()).collect()
}

fn limits(log: &LogConfig) -> LimitOptions {
    let size = |value: u32| NonZeroUsize::new(value as usize).unwrap_or(NonZeroUsize::MIN);
    let rate = |value: u32| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
    LimitOptions {
        in_flight: size(log.in_flight),
        per_node: size(log.per_node),
        per_second: rate(log.per_second),
        // What comes at once after a quiet time is a rollout or a node: worth two seconds of reads.
        burst: rate(log.per_second.saturating_mul(2)),
        ..LimitOptions::default()
    }
}

fn reads(log: &LogConfig) -> FetchOptions {
    FetchOptions { tail_lines: u64::from(log.tail_lines), limit_bytes: log.limit_bytes, ..FetchOptions::default() }
}
