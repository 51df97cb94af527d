//! The driver: from a pod event to a recorded report, an Event and a message.
//!
//! 1. [`watch`](crate::watch) tells of a pod; the [`Detector`] gives its new terminations.
//! 2. The [`Fetcher`](crate::log::Fetcher) reads the log of exactly that instance and classifies it, while the [`OwnerCache`](crate::context::OwnerCache) finds the workload.
//! 3. [`judge`](fn@crate::termination::judge) says whether it is a crash.
//! 4. The recorder claims it in the ledger and writes it into the report.
//! 5. An Event on the pod and, for a new bug, a message follow. They are hints: their failure changes no count.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Readiness;
use crate::config::Config;
use crate::observe::{Metrics, Sighting};
use crate::termination::{Detector, DetectorOptions, Termination};
use crate::watch::{PodEvent, Scope, Watched};

mod steps;

pub use steps::{Steps, sinks};

/// How often overdue starts are looked for when none is known: only a bound, so that a clock that jumps is noticed.
const IDLE: Duration = Duration::from_secs(60);

/// Takes pod events in, sends terminations on.
pub struct Pipeline {
    detector: Detector,
    steps: Arc<Steps>,
    scopes: Vec<Scope>,
    /// Scopes whose first list is still to come.
    unlisted: Vec<Scope>,
    ready: Readiness,
    metrics: Metrics,
    tasks: TaskTracker,
    on_started: Arc<dyn Fn() + Send + Sync>,
}

impl Pipeline {
    /// A pipeline that has seen nothing yet; `ready` is set when every scope was listed once in a run.
    pub fn new(config: &Config, steps: Arc<Steps>, scopes: &[Scope], ready: Readiness, metrics: Metrics) -> Self {
        let options = DetectorOptions {
            ephemeral: config.ephemeral_containers,
            startup_grace: signed(config.startup_grace),
            time_to_live: signed(config.retention),
        };
        Self {
            detector: Detector::new(options),
            steps,
            scopes: scopes.to_vec(),
            unlisted: Vec::new(),
            ready,
            metrics,
            tasks: TaskTracker::new(),
            on_started: Arc::new(|| {}),
        }
    }

    /// Has it told when a container that could not start, and was reported for it, has started.
    pub fn on_started(mut self, told: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_started = Arc::new(told);
        self
    }

    /// Takes terminations in until the stream ends or `stop` is cancelled. Those under way go on; it may be run again, and
    /// then takes in what is new since.
    pub async fn run(&mut self, mut events: BoxStream<'static, Watched>, stop: &CancellationToken) {
        self.unlisted.clone_from(&self.scopes);
        loop {
            let due = self.until_due();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = events.next() => match event {
                    Some(event) => self.on(event),
                    None => break,
                },
                () = tokio::time::sleep(due) => {
                    let found = self.detector.due(Timestamp::now());
                    self.send_on(found);
                }
            }
        }
    }

    /// Waits for the terminations under way.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn on(&mut self, event: Watched) {
        let (scope, event) = match event {
            Ok(event) => event,
            Err(error) => return self.metrics.watch_failed(&error),
        };
        let now = Timestamp::now();
        let found = match event {
            PodEvent::ListStarted => {
                self.detector.list_started(&scope);
                Vec::new()
            }
            PodEvent::ListDone => {
                self.listed(&scope);
                Vec::new()
            }
            PodEvent::Listed(pod) => {
                let mut found = self.detector.observe(&pod, false, now);
                found.retain(|termination| !self.steps.was_counted(termination));
                found
            }
            PodEvent::Applied(pod) => self.detector.observe(&pod, false, now),
            PodEvent::Deleted(pod) => self.detector.observe(&pod, true, now),
        };
        if self.detector.start_cleared() {
            (self.on_started)();
        }
        self.send_on(found);
    }

    fn listed(&mut self, scope: &Scope) {
        self.detector.list_done(scope);
        self.metrics.list_done(scope, self.detector.pods());
        self.unlisted.retain(|unlisted| unlisted != scope);
        if self.unlisted.is_empty() {
            self.steps.listed();
            self.ready.set();
        }
    }

    /// One task for each termination: logs must be read at once, and a slow node must not hold up the others.
    fn send_on(&self, found: Vec<Termination>) {
        for termination in found {
            let sighting = Sighting::now(Arc::new(termination));
            self.metrics.recognised(&sighting);
            let (steps, metrics) = (self.steps.clone(), self.metrics.clone());
            self.tasks.spawn(async move {
                steps.take(sighting).await;
                metrics.left();
            });
        }
    }

    fn until_due(&self) -> Duration {
        let due = self.detector.next_due().map(|due| due.duration_since(Timestamp::now()));
        due.map_or(IDLE, |wait| Duration::try_from(wait).unwrap_or(Duration::ZERO).min(IDLE))
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
