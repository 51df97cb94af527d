//! The worker against a store in memory and a sink that answers by script, under a paused clock.

use std::collections::BTreeMap;
use std::sync::Mutex;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::sync::Notify;

use super::*;
use crate::notify::delivery::{self, mark_due};
use crate::notify::message::tests::report;
use crate::report::DeliveryState;

#[derive(Default)]
struct Store {
    reports: Mutex<BTreeMap<String, CrashReport>>,
    /// How many of the next writes fail.
    broken: Mutex<u32>,
    changed: Notify,
}

impl Store {
    fn with(names: &[&str]) -> Arc<Self> {
        let store = Self::default();
        for name in names {
            let mut report = report();
            report.metadata.name = Some((*name).to_owned());
            mark_due(&mut report.status.as_mut().unwrap().notifications, "test");
            store.reports.lock().unwrap().insert((*name).to_owned(), report);
        }
        Arc::new(store)
    }

    fn write<T>(
        &self,
        report: &ReportKey,
        change: impl FnOnce(&mut CrashReport) -> T,
    ) -> Result<Option<T>, StoreError> {
        let mut broken = self.broken.lock().unwrap();
        if *broken > 0 {
            *broken -= 1;
            return Err(StoreError("the API server is away".to_owned()));
        }
        let result = self.reports.lock().unwrap().get_mut(&report.name).map(change);
        self.changed.notify_waiters();
        Ok(result)
    }

    fn state(&self, name: &str) -> DeliveryState {
        self.reports.lock().unwrap()[name].status.as_ref().unwrap().notifications[0].state
    }

    async fn wait_for(&self, name: &str, state: DeliveryState) {
        loop {
            let changed = self.changed.notified();
            if self.state(name) == state {
                return;
            }
            changed.await;
        }
    }
}

impl DeliveryStore for Store {
    fn claim<'a>(
        &'a self,
        report: &'a ReportKey,
        sink: &'a str,
    ) -> BoxFuture<'a, Result<Option<CrashReport>, StoreError>> {
        let now = Time("2026-11-24T07:50:01Z".parse().unwrap());
        let claimed = self.write(report, |report| {
            let claimed = delivery::claim(&mut report.status.as_mut().unwrap().notifications, sink, &now);
            claimed.then(|| report.clone())
        });
        Box::pin(async move { Ok(claimed?.flatten()) })
    }

    fn settle<'a>(
        &'a self,
        report: &'a ReportKey,
        sink: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let written = self.write(report, |report| {
            delivery::settle(&mut report.status.as_mut().unwrap().notifications, sink, outcome);
        });
        Box::pin(async move { written.map(|_| ()) })
    }
}

/// A sink that answers by script, then always takes the message.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<SendError>>,
    sent: Mutex<Vec<(String, Instant)>>,
    takes: Duration,
}

impl Scripted {
    fn with(errors: impl IntoIterator<Item = SendError>) -> Arc<Self> {
        Arc::new(Self { script: Mutex::new(errors.into_iter().collect()), ..Self::default() })
    }

    fn names(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Sink for Scripted {
    fn name(&self) -> &'static str {
        "test"
    }

    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Delivered, SendError>> {
        Box::pin(async move {
            self.sent.lock().unwrap().push((message.report.clone(), Instant::now()));
            tokio::time::sleep(self.takes).await;
            let error = self.script.lock().unwrap().pop_front();
            error.map_or(Ok(Delivered::default()), Err)
        })
    }
}

fn refused() -> SendError {
    SendError::Refused { sink: "test", answer: "404 no_service".to_owned() }
}

fn unavailable() -> SendError {
    SendError::Unavailable { sink: "test", answer: "500".to_owned(), after: None }
}

struct Running {
    due: mpsc::Sender<ReportKey>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn start(store: &Arc<Store>, sink: &Arc<Scripted>) -> Running {
    let (due, receiver) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let notifier = Notifier::new(store.clone(), vec![sink.clone()], None);
    let task = tokio::spawn(notifier.run(receiver, stop.clone()));
    Running { due, stop, task }
}

impl Running {
    async fn hand_in(&self, names: &[&str]) {
        for name in names {
            self.due.send(ReportKey { namespace: "shop".to_owned(), name: (*name).to_owned() }).await.unwrap();
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_due_message_is_sent_once_and_settled() {
    let (store, sink) = (Store::with(&["a", "b"]), Scripted::with([]));
    let running = start(&store, &sink);
    running.hand_in(&["a", "a", "b", "a"]).await;
    store.wait_for("b", DeliveryState::Sent).await;
    running.stop().await;
    assert_eq!(sink.names(), ["a", "b"]);
    assert_eq!(store.state("a"), DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_with_growing_waits() {
    let (store, sink) = (Store::with(&["a"]), Scripted::with([unavailable(), unavailable(), unavailable()]));
    let running = start(&store, &sink);
    running.hand_in(&["a"]).await;
    store.wait_for("a", DeliveryState::Sent).await;
    running.stop().await;
    let sent = sink.sent.lock().unwrap();
    let waits: Vec<Duration> = sent.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert_eq!(waits.len(), 3);
    for (wait, full) in waits.iter().zip([1, 2, 4]) {
        let full = Duration::from_secs(full);
        assert!(*wait >= full / 2 && *wait <= full + Duration::from_millis(2), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_sink_asks_for_is_waited_for_by_the_whole_queue() {
    let limited = SendError::RateLimited { sink: "test", after: Some(Duration::from_secs(30)) };
    let (store, sink) = (Store::with(&["a", "b"]), Scripted::with([limited]));
    let running = start(&store, &sink);
    running.hand_in(&["a", "b"]).await;
    store.wait_for("a", DeliveryState::Sent).await;
    store.wait_for("b", DeliveryState::Sent).await;
    running.stop().await;
    let sent = sink.sent.lock().unwrap();
    assert_eq!(sent.len(), 3);
    assert!(sent[1].1 - sent[0].1 >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_always_fails_does_not_hold_up_the_others() {
    let (store, sink) = (Store::with(&["a", "b"]), Scripted::with([unavailable()]));
    let running = start(&store, &sink);
    running.hand_in(&["a", "b"]).await;
    store.wait_for("a", DeliveryState::Sent).await;
    running.stop().await;
    assert_eq!(sink.names(), ["a", "b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_and_kept_in_the_report() {
    let (store, sink) = (Store::with(&["a", "b"]), Scripted::with([refused()]));
    let running = start(&store, &sink);
    running.hand_in(&["a", "b"]).await;
    store.wait_for("b", DeliveryState::Sent).await;
    running.stop().await;
    assert_eq!(sink.names(), ["a", "b"]);
    let reports = store.reports.lock().unwrap();
    let refused = &reports["a"].status.as_ref().unwrap().notifications[0];
    assert_eq!(refused.state, DeliveryState::Failed);
    assert_eq!(refused.error.as_deref(), Some("test refused the message: 404 no_service"));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_neither_loses_nor_doubles_a_message() {
    let store = Store::with(&["a"]);
    let sink = Arc::new(Scripted { takes: Duration::from_secs(3), ..Scripted::default() });
    *store.broken.lock().unwrap() = 2;
    let running = start(&store, &sink);
    running.hand_in(&["a"]).await;
    store.wait_for("a", DeliveryState::Sending).await;
    *store.broken.lock().unwrap() = 3;
    store.wait_for("a", DeliveryState::Sent).await;
    running.stop().await;
    assert_eq!(sink.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_finishes_what_is_in_flight_and_leaves_the_rest_due() {
    let store = Store::with(&["a", "b"]);
    let sink = Arc::new(Scripted { takes: Duration::from_secs(3), ..Scripted::default() });
    let running = start(&store, &sink);
    running.hand_in(&["a", "b"]).await;
    store.wait_for("a", DeliveryState::Sending).await;
    running.stop().await;
    assert_eq!((store.state("a"), store.state("b")), (DeliveryState::Sent, DeliveryState::Pending));
    // The next operator is handed what is still due.
    let running = start(&store, &sink);
    running.hand_in(&["b"]).await;
    store.wait_for("b", DeliveryState::Sent).await;
    running.stop().await;
    assert_eq!(sink.names(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_an_api_server_that_stays_away() {
    let store = Store::with(&["a"]);
    let sink = Arc::new(Scripted { takes: Duration::from_secs(3), ..Scripted::default() });
    let running = start(&store, &sink);
    running.hand_in(&["a"]).await;
    store.wait_for("a", DeliveryState::Sending).await;
    *store.broken.lock().unwrap() = u32::MAX;
    running.stop().await;
    assert_eq!(store.state("a"), DeliveryState::Sending);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_gone_is_dropped() {
    let (store, sink) = (Store::with(&["b"]), Scripted::with([]));
    let running = start(&store, &sink);
    running.hand_in(&["gone", "b"]).await;
    store.wait_for("b", DeliveryState::Sent).await;
    running.stop().await;
    assert_eq!(sink.names(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn when_nothing_more_comes_in_the_queue_is_emptied_and_the_task_ends() {
    let (store, sink) = (Store::with(&["a", "b"]), Scripted::with([unavailable()]));
    let running = start(&store, &sink);
    running.hand_in(&["a", "b"]).await;
    drop(running.due);
    running.task.await.unwrap();
    assert_eq!((store.state("a"), store.state("b")), (DeliveryState::Sent, DeliveryState::Sent));
}

#[tokio::test(start_paused = true)]
async fn every_try_is_counted_by_a_bounded_word() {
    let (store, sink) = (Store::with(&["a"]), Scripted::with([unavailable()]));
    let counted = Arc::new(Mutex::new(Vec::new()));
    let (due, receiver) = mpsc::channel(1);
    let seen = counted.clone();
    let notifier = Notifier::new(store.clone(), vec![sink], None)
        .on_result(Arc::new(move |sink, result| seen.lock().unwrap().push((sink, result))));
    let task = tokio::spawn(notifier.run(receiver, CancellationToken::new()));
    due.send(ReportKey { namespace: "shop".to_owned(), name: "a".to_owned() }).await.unwrap();
    drop(due);
    task.await.unwrap();
    assert_eq!(*counted.lock().unwrap(), [("test", "unavailable"), ("test", "sent")]);
}
