//! The steps of one termination, from its sighting to the Event, and what an earlier instance left open.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::classify::{Category, Engine, Subject};
use crate::config::{Config, ExcerptPolicy, LogConfig};
use crate::context::probes::LIST_EVERY;
use crate::context::{OwnerCache, ProbeEvents};
use crate::janitor::OnDue;
use crate::leader::Takeover;
use crate::ledger::census::Census;
use crate::ledger::{Instance, LedgerKey, Pass};
use crate::log::{FetchOptions, Fetcher, LimitOptions, Limiter, LogAnswer};
use crate::notify::slack::SlackSetupError;
use crate::notify::{Notifier, ReportKey, Sink, SlackOptions, SlackWebhook};
use crate::observe::{Metrics, Sighting};
use crate::operator::Settings;
use crate::publish::announcer::OnWritten;
use crate::publish::recorder::OnSettled;
use crate::publish::{Announcer, Deliveries, EventWriter, RecordError, Recorded, Recorder, RecorderParts, deliveries};
use crate::report::{Counted, Workload};
use crate::termination::probe::{self, ProbeKill};
use crate::termination::{Termination, Verdict, judge};
use crate::watch::{self, Scope};

/// First pause before a termination that could not be recorded is tried again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause. The termination is only in memory meanwhile, and in the pod's status as long as the pod lives.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a termination may wait for its claim once its pod is gone: less than it takes a ledger to forget a pod.
const CLAIM_WITHIN: SignedDuration = SignedDuration::from_mins(9);
/// How often Events are looked at for one termination, five seconds apart.
const PROBE_LOOKS: u32 = 2;
/// How long before its last renewal a leader may have left a termination uncounted: while it stopped it took nothing more
/// in, and kubelets and retries are late. What it did count is not told again, however large this is.
const UNTOLD: SignedDuration = SignedDuration::from_mins(5);
/// Reports that wait for the notifier before those who hand them in do.
const DUE: usize = 1024;

/// Everything that a termination passes through.
pub struct Steps {
    client: Client,
    engine: Arc<Engine>,
    fetcher: Fetcher,
    owners: OwnerCache,
    probes: ProbeEvents,
    recorder: Recorder,
    announcer: Announcer,
    deliveries: Deliveries,
    due: mpsc::Sender<ReportKey>,
    notifier: std::sync::Mutex<Option<JoinHandle<()>>>,
    excerpt: ExcerptPolicy,
    delete_with_workload: bool,
    notified: Vec<Category>,
    sinks: Vec<String>,
    /// What ended before this second since 1970 and was never counted had died before anybody was there to be told.
    told_from: AtomicI64,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Steps {
    /// All steps over one client; starts the notifier to these sinks.
    pub fn new(
        client: Client,
        engine: Arc<Engine>,
        settings: &Settings,
        sinks: Vec<Arc<dyn Sink>>,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Self {
        let Settings { config, namespace, instance, .. } = settings;
        let limiter = Limiter::new(limits(&config.log));
        let deliveries = Deliveries::new(client.clone());
        let (due, queue) = mpsc::channel(DUE);
        let counted = metrics.clone();
        let cluster = Some(config.cluster_name.clone()).filter(|name| !name.is_empty());
        let names = sinks.iter().map(|sink| sink.name().to_owned()).collect();
        let notifier = Notifier::new(Arc::new(deliveries.clone()), sinks, cluster)
            .on_result(Arc::new(move |sink, result| counted.notified(sink, result)));
        let announced = metrics.clone();
        let on_written: OnWritten = Arc::new(move |namespace, report, first, error| {
            announced.event(namespace, report, first, error.map(|error| error as &dyn std::error::Error));
        });
        let announcer = Announcer::new(EventWriter::new(client.clone(), instance), stop.clone(), on_written);
        let parts = RecorderParts {
            clock: Arc::new(Timestamp::now),
            on_settled: late(due.clone()),
            census: Census::new(client.clone(), Scope::of(&config.namespaces), config.reports),
            hurry: stop.clone(),
        };
        Self {
            fetcher: Fetcher::new(client.clone(), engine.clone(), limiter, reads(&config.log)),
            client: client.clone(),
            engine,
            owners: OwnerCache::new(client.clone()),
            probes: ProbeEvents::new(client.clone()),
            recorder: Recorder::new(client.clone(), namespace, instance, parts),
            announcer,
            deliveries,
            due,
            notifier: std::sync::Mutex::new(Some(tokio::spawn(notifier.run(queue, stop.clone())))),
            excerpt: config.excerpt,
            delete_with_workload: config.delete_with_workload,
            notified: config.notify.categories.clone(),
            sinks: names,
            told_from: AtomicI64::new(i64::MIN),
            metrics,
            stop,
        }
    }

    /// Put in charge: from now on it depends on when the last one was, what is told beside being recorded. What died in
    /// between is told as if somebody had been there; what was dead before the first installation is not.
    pub fn taken_over(&self, takeover: Takeover, now: Timestamp) {
        let from = takeover.last_renewal.map_or(now, |last| last.saturating_sub(UNTOLD).unwrap_or(Timestamp::MIN));
        self.told_from.store(from.as_second(), Ordering::Relaxed);
    }

    /// Hands in reports in which a message is due again.
    pub fn on_due(&self) -> OnDue {
        let due = self.due.clone();
        // With a full queue it stays due in its report, and the next start finds it.
        Arc::new(move |report| drop(due.try_send(report)))
    }

    /// Goes on with what an earlier instance claimed and could not write, or wrote and could not send.
    pub async fn resume(&self, scopes: &[Scope]) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.recorder.replay().await {
            self.metrics.replay_failed(&error);
            if !self.pause(&mut pause).await {
                return;
            }
        }
        for scope in scopes.iter().filter(|_| !self.sinks.is_empty()) {
            match self.deliveries.due(scope).await {
                Ok(due) => self.hand_in(due).await,
                // Nothing is lost: what is due stays due in its report, and the next start looks again.
                Err(error) => self.metrics.replay_failed(&error),
            }
        }
    }

    /// Whether a termination that the first list shows was counted before this start.
    pub fn was_counted(&self, termination: &Termination) -> bool {
        self.recorder.was_claimed(termination)
    }

    /// The first list is complete.
    pub fn listed(&self) {
        self.recorder.forget_claimed();
    }

    /// Takes one termination through all steps.
    pub async fn take(&self, sighting: Sighting) {
        let termination = &sighting.termination;
        let (workload, log) = tokio::join!(self.owners.workload_of(&termination.pod), self.fetcher.fetch(termination));
        self.metrics.log_fetched(termination, log.state, log.reads);
        let (sighting, log) = self.with_probes(sighting, log).await;
        let termination = &sighting.termination;
        let notify = match judge(termination, &log.classification.finding) {
            Verdict::Ignore(why) => {
                self.metrics.ignored(termination, why.as_str());
                return self.pass(&sighting, &workload).await;
            }
            Verdict::Report { notify } => notify,
        };
        let counted = self.counted(&sighting, workload, log, notify);
        for recorded in self.record(&sighting, counted).await {
            self.tell(&sighting, &recorded).await;
        }
    }

    /// Finds out whether a probe ended the instance. The kubelet's word for a kill may come a moment after the status.
    async fn with_probes(&self, sighting: Sighting, log: LogAnswer) -> (Sighting, LogAnswer) {
        let termination = &sighting.termination;
        if !probe::is_possible(termination) {
            return (sighting, log);
        }
        let start = tokio::time::Instant::now();
        for look in 0..PROBE_LOOKS {
            let events = self.probes.since(&termination.pod.namespace, start + LIST_EVERY * look).await;
            let judged = events.map(|events| probe::judge_probes(termination, &log.classification.finding, &events));
            match judged {
                Some(probe::Judged::Killed(kill)) => return self.killed_by_probe(sighting, log, &kill),
                Some(probe::Judged::Unclear) => {}
                Some(probe::Judged::Unknown) | None => break,
            }
        }
        (sighting, log)
    }

    fn killed_by_probe(&self, sighting: Sighting, log: LogAnswer, kill: &ProbeKill) -> (Sighting, LogAnswer) {
        let classification = self.engine.killed_by_probe(log.classification, kill.probe, &kill.answer);
        let termination = Termination { stated: Some(kill.probe), ..(*sighting.termination).clone() };
        let sighting = Sighting { termination: Arc::new(termination), ..sighting };
        (sighting, LogAnswer { classification, ..log })
    }

    /// It is no crash, and no later one shall have it as unseen.
    async fn pass(&self, sighting: &Sighting, workload: &Workload) {
        let termination = &sighting.termination;
        let key = LedgerKey::new(&termination.pod.namespace, workload, &termination.container);
        let instance = Instance::of(termination, termination.finished_at.unwrap_or(sighting.seen_at));
        let pod_uid = termination.pod.uid.clone();
        self.recorder.pass(&key, Pass { pod_uid, instance, unseen: termination.unseen }).await;
    }

    fn counted(&self, sighting: &Sighting, workload: Workload, log: LogAnswer, notify: bool) -> Counted {
        let LogAnswer { state, source, mut classification, reads: _ } = log;
        let hidden = match self.excerpt {
            ExcerptPolicy::Full => 0,
            ExcerptPolicy::Decisive => classification.decisive_from,
            ExcerptPolicy::None => classification.excerpt.len(),
        };
        classification.truncated |= hidden > 0;
        classification.excerpt.drain(..hidden);
        let ended = sighting.termination.finished_at.unwrap_or(sighting.seen_at);
        let told = ended.as_second() >= self.told_from.load(Ordering::Relaxed);
        let classification = classification.about(&subject(&sighting.termination, &workload));
        let wanted = notify && told && self.notified.contains(&classification.finding.category);
        Counted {
            termination: sighting.termination.clone(),
            workload,
            classification,
            evidence: state,
            source,
            delete_with_workload: self.delete_with_workload,
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
            if self.is_forgotten(sighting).await {
                self.metrics.ignored(&sighting.termination, "claimed_too_late");
                return Vec::new();
            }
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

    /// Whether another operator may have counted it and forgotten its pod since: what is claimed then may be counted twice.
    /// An operator that could not claim for so long is cut off, not slow.
    async fn is_forgotten(&self, sighting: &Sighting) -> bool {
        let pod = &sighting.termination.pod;
        Timestamp::now().duration_since(sighting.seen_at) > CLAIM_WITHIN
            && watch::exists(&self.client, &pod.namespace, &pod.name, &pod.uid).await.is_ok_and(|exists| !exists)
    }

    /// The Event and, for a new bug, the message. Both only repeat what the report says.
    async fn tell(&self, sighting: &Sighting, recorded: &Recorded) {
        if let Some(report) = &recorded.report
            && deliveries::is_due(report)
        {
            self.hand_in(deliveries::key(report)).await;
        }
        for counted in &recorded.counted {
            self.metrics.recorded(sighting, &counted.classification.finding, &recorded.name, recorded.opened);
            self.announcer.announce(counted, &recorded.name).await;
        }
    }

    async fn hand_in(&self, due: impl IntoIterator<Item = ReportKey>) {
        for report in due {
            // The notifier is gone only at shutdown, and then the message stays due in its report.
            let _ = self.due.send(report).await;
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
        self.announcer.finish().await;
        let notifier = self.notifier.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(notifier) = notifier {
            // It ends by itself once `stop` is cancelled; that it panicked was logged by the runtime.
            let _ = notifier.await;
        }
    }
}

/// A report that could be written only later has its message sent only then.
fn late(due: mpsc::Sender<ReportKey>) -> OnSettled {
    Arc::new(move |report| {
        if let Some(key) = deliveries::key(report).filter(|_| deliveries::is_due(report)) {
            // With a full queue it stays due in its report, and the next start finds it.
            let _ = due.try_send(key);
        }
    })
}

/// The sinks that are configured.
///
/// # Errors
/// When no HTTP client can be made for one of them.
pub fn sinks(config: &Config) -> Result<Vec<Arc<dyn Sink>>, SlackSetupError> {
    let Some(file) = &config.notify.slack_webhook_file else { return Ok(Vec::new()) };
    let options = SlackOptions { url_file: file.clone(), ..SlackOptions::default() };
    Ok(vec![Arc::new(SlackWebhook::new(&options)?)])
}

/// The names that the commands of an advice need.
fn subject(termination: &Termination, workload: &Workload) -> Subject {
    let given = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    Subject {
        namespace: given(&termination.pod.namespace),
        pod: given(&termination.pod.name),
        container: given(&termination.container),
        workload: Some(format!("{}/{}", workload.kind.to_ascii_lowercase(), workload.name)),
        node: termination.pod.node.clone(),
        image: given(&termination.image),
    }
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
