//! What nobody waits for, done by the one who is in charge, slowly: reports that are over expire, bugs that are quiet are
//! no longer active, triage that users edit is followed, refused messages are due again once a credential was
//! corrected, and ledgers forget pods that are gone.
//!
//! Everything here can be cut off at any await, and be done twice: each write is guarded by the version that was read.
//!
//! Permissions: `crashreports` list, watch, get, delete and their status; `pods` get and list; `configmaps` in
//! Coroner's own namespace.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::notify::{ReportKey, Sink};
use crate::observe::{Cleaned, Metrics};
use crate::watch::Scope;

pub mod chores;
mod edits;
pub mod ledgers;
mod reports;

pub use chores::Policy;

/// How often all reports are looked at, if nothing is due earlier: at 16 KiB each, 2,000 of them are 32 MB.
const REPORTS_EVERY: Duration = Duration::from_secs(300);
/// How soon they are looked at again, however much is due.
const REPORTS_AGAIN: Duration = Duration::from_secs(10);
/// How often ledgers are looked at. A pod has to be missing from two looks at least ten minutes apart.
const LEDGERS_EVERY: Duration = Duration::from_secs(300);

/// Hands in a report in which a message is due.
pub type OnDue = Arc<dyn Fn(ReportKey) + Send + Sync>;

/// What the janitor works with.
pub struct Parts {
    /// The cluster.
    pub client: Client,
    /// The namespace of the ledgers.
    pub home: String,
    /// Where pods are watched.
    pub scopes: Vec<Scope>,
    /// When what is over.
    pub policy: Policy,
    /// Where messages go.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// Told of messages that are due again.
    pub on_due: OnDue,
    /// What was done.
    pub metrics: Metrics,
}

/// The janitor. Clones are the same one.
#[derive(Clone)]
pub struct Janitor {
    parts: Arc<Parts>,
    soon: Arc<Notify>,
}

impl Janitor {
    /// A janitor that does nothing yet.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), soon: Arc::new(Notify::new()) }
    }

    /// Has the reports looked at soon, e.g. because a container that could not start has started.
    pub fn hurry(&self) {
        self.soon.notify_one();
    }

    /// Works until it is dropped.
    pub async fn run(&self) {
        tokio::join!(self.tend_reports(), self.follow_edits(), self.prune_ledgers());
    }

    async fn tend_reports(&self) {
        let mut earliest = Instant::now();
        loop {
            let next = self.parts.look_at_reports().await;
            let wait = next.map_or(REPORTS_EVERY, until).clamp(REPORTS_AGAIN, REPORTS_EVERY);
            earliest = earliest.max(Instant::now()) + REPORTS_AGAIN;
            tokio::select! {
                () = sleep_until(Instant::now() + wait) => {}
                () = async { self.soon.notified().await; sleep_until(earliest).await } => {}
            }
        }
    }

    /// Follows what users write into `spec.triage` as soon as they do.
    async fn follow_edits(&self) {
        let watches = self.parts.scopes.iter().map(|scope| edits::edits(&self.parts.client, scope));
        let mut edits: BoxStream<'_, ReportKey> = futures::stream::select_all(watches).boxed();
        while let Some(report) = edits.next().await {
            self.parts.look_at(&report).await;
        }
    }

    async fn prune_ledgers(&self) {
        let Parts { client, home, metrics, .. } = &*self.parts;
        loop {
            match ledgers::prune(client, home, Timestamp::now).await {
                Ok(pruned) => {
                    metrics.cleaned(Cleaned::RowsPruned, pruned.rows);
                    metrics.cleaned(Cleaned::LedgersDeleted, pruned.ledgers);
                }
                Err(error) => tracing::warn!(%error, "cannot look through the ledgers; trying again later"),
            }
            tokio::time::sleep(LEDGERS_EVERY).await;
        }
    }
}

fn until(due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
}

/// A duration of the configuration as one between time stamps.
pub fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
