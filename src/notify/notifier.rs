//! The task that delivers: claim, send, settle, one message at a time for each sink.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::backoff;
use super::delivery::Outcome;
use super::{Delivered, Message, SendError, Sink};
use crate::report::CrashReport;

/// How long a shutdown waits for the outcome of what was in flight to be written down.
const SETTLE_AT_SHUTDOWN: Duration = Duration::from_secs(5);

/// Which report.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Why a report could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Where the state of deliveries is kept: the reports, written with their resourceVersion.
pub trait DeliveryStore: Send + Sync {
    /// Claims the message that is due for this sink, by [`super::delivery::claim`] in one write, and returns the report as
    /// it then is. `None` when nothing is due, or the report is gone: somebody else has sent it, or nobody needs to.
    fn claim<'a>(
        &'a self,
        report: &'a ReportKey,
        sink: &'a str,
    ) -> BoxFuture<'a, Result<Option<CrashReport>, StoreError>>;

    /// Writes down how the send ended, by [`super::delivery::settle`] in one write. A report that is gone is no error.
    fn settle<'a>(
        &'a self,
        report: &'a ReportKey,
        sink: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Told about every try: the sink's name, and `sent` or the error's category.
pub type OnResult = Arc<dyn Fn(&'static str, &'static str) + Send + Sync>;

/// Delivers the notifications of reports.
pub struct Notifier {
    store: Arc<dyn DeliveryStore>,
    sinks: Vec<Arc<dyn Sink>>,
    cluster: Option<String>,
    on_result: OnResult,
}

impl Notifier {
    /// A notifier to these sinks. `cluster` is what messages call this cluster.
    pub fn new(store: Arc<dyn DeliveryStore>, sinks: Vec<Arc<dyn Sink>>, cluster: Option<String>) -> Self {
        Self { store, sinks, cluster, on_result: Arc::new(|_, _| {}) }
    }

    /// Counts results, e.g. in metrics.
    pub fn on_result(mut self, on_result: OnResult) -> Self {
        self.on_result = on_result;
        self
    }

    /// Delivers what comes in through `due`: reports in which a message is due for one sink or more. At its start an
    /// operator hands in every report with a message still due, which is how retries outlive restarts. Ends when `stop` is
    /// cancelled or `due` closed, after what is in flight has arrived or failed, and was written down; what is still
    /// waiting stays due in its report.
    pub async fn run(self, mut due: mpsc::Receiver<ReportKey>, stop: CancellationToken) {
        let (queues, workers): (Vec<_>, Vec<_>) = self.sinks.iter().map(|sink| self.worker(sink, &stop)).unzip();
        let feed = async move {
            while let Some(report) = due.recv().await {
                for queue in &queues {
                    // The queue of a sink holds each report once, so it is bounded by the number of reports. A worker
                    // that is gone has been stopped.
                    let _ = queue.send(report.clone());
                }
            }
        };
        let until_stopped = async { stop.run_until_cancelled(feed).await };
        tokio::join!(until_stopped, futures::future::join_all(workers.into_iter().map(Worker::run)));
    }

    fn worker(&self, sink: &Arc<dyn Sink>, stop: &CancellationToken) -> (mpsc::UnboundedSender<ReportKey>, Worker) {
        let (queue, due) = mpsc::unbounded_channel();
        let worker = Worker {
            store: self.store.clone(),
            sink: sink.clone(),
            cluster: self.cluster.clone(),
            on_result: self.on_result.clone(),
            stop: stop.clone(),
            due,
            waiting: Waiting::default(),
            failures: 0,
        };
        (queue, worker)
    }
}

/// Reports that wait for a sink, in order, each once.
#[derive(Default)]
struct Waiting {
    order: VecDeque<ReportKey>,
    known: HashSet<ReportKey>,
}

impl Waiting {
    fn push(&mut self, report: ReportKey) {
        if self.known.insert(report.clone()) {
            self.order.push_back(report);
        }
    }

    fn pop(&mut self) -> Option<ReportKey> {
        let report = self.order.pop_front()?;
        self.known.remove(&report);
        Some(report)
    }
}

/// One sink's deliveries.
struct Worker {
    store: Arc<dyn DeliveryStore>,
    sink: Arc<dyn Sink>,
    cluster: Option<String>,
    on_result: OnResult,
    stop: CancellationToken,
    due: mpsc::UnboundedReceiver<ReportKey>,
    waiting: Waiting,
    /// Failures in a row. They are the sink's or the API server's, hardly ever one message's, so the whole queue waits.
    failures: u32,
}

impl Worker {
    async fn run(mut self) {
        while let Some(report) = self.next().await {
            if let Err(asked) = self.deliver(&report).await {
                // To the end of the queue, so that one message that always fails does not hold up the others.
                self.waiting.push(report);
                self.failures = self.failures.saturating_add(1);
                self.pause(backoff::wait(self.failures, asked, backoff::jitter())).await;
            } else {
                self.failures = 0;
            }
        }
    }

    /// The next report; `None` when it is time to end.
    async fn next(&mut self) -> Option<ReportKey> {
        if self.stop.is_cancelled() {
            return None;
        }
        while let Ok(report) = self.due.try_recv() {
            self.waiting.push(report);
        }
        match self.waiting.pop() {
            Some(report) => Some(report),
            None => self.stop.run_until_cancelled(self.due.recv()).await.flatten(),
        }
    }

    async fn pause(&self, wait: Duration) {
        let _ = self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
    }

    /// Claims, sends, settles. An error says how long to wait, if somebody said so, before it is tried again.
    async fn deliver(&self, report: &ReportKey) -> Result<(), Option<Duration>> {
        let sink = self.sink.name();
        let claimed = self.store.claim(report, sink).await.map_err(|error| {
            warn!(%report, sink, %error, "cannot claim a notification, trying again");
            None
        })?;
        let Some(claimed) = claimed else { return Ok(()) };
        let Some(message) = Message::from_report(&claimed, self.cluster.as_deref()) else { return Ok(()) };
        let sent = self.sink.send(&message).await;
        let (outcome, result) = self.outcome(report, &message, sent);
        self.settle(report, &outcome).await;
        result
    }

    fn outcome(
        &self,
        report: &ReportKey,
        message: &Message,
        sent: Result<Delivered, SendError>,
    ) -> (Outcome, Result<(), Option<Duration>>) {
        let sink = self.sink.name();
        (self.on_result)(sink, sent.as_ref().map_or_else(SendError::category, |_| "sent"));
        match sent {
            Ok(Delivered { thread }) => {
                info!(%report, sink, count = message.count, "notification sent");
                (Outcome::Sent { count: message.count, thread }, Ok(()))
            }
            Err(error) if error.is_retryable() => {
                warn!(%report, sink, %error, "notification not sent, trying again");
                (Outcome::Later { error: error.to_string() }, Err(error.after()))
            }
            Err(error) => {
                warn!(%report, sink, %error, "notification refused");
                (Outcome::Failed { error: error.to_string() }, Ok(()))
            }
        }
    }

    /// Writes the outcome down, however long the API server takes: a message that was sent but not settled is sent again
    /// after a restart. A shutdown waits a little for it.
    async fn settle(&self, report: &ReportKey, outcome: &Outcome) {
        let sink = self.sink.name();
        let deadline = async {
            self.stop.cancelled().await;
            tokio::time::sleep_until(Instant::now() + SETTLE_AT_SHUTDOWN).await;
        };
        let write = async {
            let mut failures = 0;
            while let Err(error) = self.store.settle(report, sink, outcome).await {
                warn!(%report, sink, %error, "cannot write down how a notification ended, trying again");
                failures += 1;
                tokio::time::sleep(backoff::wait(failures, None, backoff::jitter())).await;
            }
        };
        tokio::select! {
            () = write => {}
            () = deadline => warn!(%report, sink, "shut down before a notification's end was written down"),
        }
    }
}

#[cfg(test)]
mod tests;
