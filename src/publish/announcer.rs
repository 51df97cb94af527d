//! Which Events are written: on the pod of a termination, and on its workload. Events are for people who look at one
//! object, and the API server keeps each for an hour; a bug that kills a thousand pods must not write a thousand. So each
//! report has a small budget. While it lasts, every termination has its Event at once; after that only the workload's is
//! moved on, for all terminations together, now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{EventNote, EventWriter};
use crate::calls::CallError;
use crate::report::Counted;

/// Events on pods that one report may write at once.
const BUDGET: u32 = 5;
/// How long it takes until one more may be written: a loop in full back-off keeps its pod's Event up to date.
const REFILL: Duration = Duration::from_secs(240);
/// How often the Event of a workload is moved on at most.
const WORKLOAD_EVERY: Duration = Duration::from_secs(30);
/// Reports that are remembered; one that is forgotten has a full budget again.
const REMEMBERED: usize = 2048;

/// Told of each Event: the namespace, the report, whether it is the report's first, and what went wrong, if anything.
pub type OnWritten = Arc<dyn Fn(&str, &str, bool, Option<&CallError>) + Send + Sync>;

/// Writes Events within the budgets of their reports. Clones share them.
#[derive(Clone)]
pub struct Announcer(Arc<Inner>);

struct Inner {
    writer: EventWriter,
    on_written: OnWritten,
    /// Until when the Events of workloads wait for more.
    hurry: CancellationToken,
    reports: Mutex<HashMap<(String, String), Announced>>,
    tasks: TaskTracker,
}

/// What is to be written about a termination.
struct Plan {
    /// The pod's Event.
    on_pod: bool,
    /// Somebody has to see to the workload's.
    on_workload: bool,
    /// It is the first one of its report.
    first: bool,
}

/// What was announced of one report.
struct Announced {
    began: bool,
    left: u32,
    refilled: Instant,
    /// What is still to be said on the workload: the last note, for so many terminations.
    waiting: Option<EventNote>,
    /// Somebody will write it.
    under_way: bool,
}

impl Announced {
    fn new(now: Instant) -> Self {
        Self { began: false, left: BUDGET, refilled: now, waiting: None, under_way: false }
    }

    /// Whether one more Event may be written on a pod.
    fn spend(&mut self, now: Instant) -> bool {
        let periods = now.duration_since(self.refilled).as_secs() / REFILL.as_secs();
        let periods = u32::try_from(periods).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(periods).min(BUDGET);
        self.refilled += REFILL.saturating_mul(periods);
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// Adds a note on the workload; whether the caller has to see to it.
    fn wait(&mut self, note: EventNote) -> bool {
        let before = self.waiting.take().map_or(0, |waiting| waiting.times);
        self.waiting = Some(EventNote { times: note.times.saturating_add(before), ..note });
        !std::mem::replace(&mut self.under_way, true)
    }
}

impl Announcer {
    /// An announcer. At `hurry` what waits is written without waiting for more.
    pub fn new(writer: EventWriter, hurry: CancellationToken, on_written: OnWritten) -> Self {
        Self(Arc::new(Inner { writer, on_written, hurry, reports: Mutex::default(), tasks: TaskTracker::new() }))
    }

    /// Announces a termination that was counted in a report: on its pod at once or not at all, on its workload at once or
    /// soon. It is only ever a copy of what the report says, so nothing is tried again later.
    pub async fn announce(&self, counted: &Counted, report: &str) {
        let namespace = counted.termination.pod.namespace.as_str();
        let Plan { on_pod, on_workload, first } = self.plan(namespace, report, EventNote::on_workload(counted, report));
        if on_workload {
            let (inner, namespace, report) = (self.0.clone(), namespace.to_owned(), report.to_owned());
            self.0.tasks.spawn(async move { inner.move_on(namespace, report).await });
        }
        if on_pod {
            self.0.write(namespace, report, first, &EventNote::on_pod(counted, report)).await;
        }
    }

    /// Writes what still waits; `hurry` is to be cancelled before.
    pub async fn finish(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn plan(&self, namespace: &str, report: &str, on_workload: Option<EventNote>) -> Plan {
        let now = Instant::now();
        let mut reports = self.0.reports();
        if reports.len() >= REMEMBERED {
            reports.retain(|_, announced| announced.under_way);
        }
        let key = (namespace.to_owned(), report.to_owned());
        let announced = reports.entry(key).or_insert_with(|| Announced::new(now));
        let first = !std::mem::replace(&mut announced.began, true);
        let on_workload = on_workload.is_some_and(|note| announced.wait(note));
        Plan { on_pod: announced.spend(now), on_workload, first }
    }
}

impl Inner {
    fn reports(&self) -> MutexGuard<'_, HashMap<(String, String), Announced>> {
        // What the lock guards is whole after each statement, whatever panicked.
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the workload's Event, again and again with a pause as long as there is something new to say.
    async fn move_on(&self, namespace: String, report: String) {
        let key = (namespace, report);
        while let Some(note) = self.take_waiting(&key) {
            self.write(&key.0, &key.1, false, &note).await;
            let _ = self.hurry.run_until_cancelled(sleep(WORKLOAD_EVERY)).await;
        }
    }

    fn take_waiting(&self, key: &(String, String)) -> Option<EventNote> {
        let mut reports = self.reports();
        let announced = reports.get_mut(key)?;
        let note = announced.waiting.take();
        announced.under_way = note.is_some();
        note
    }

    async fn write(&self, namespace: &str, report: &str, first: bool, note: &EventNote) {
        let written = self.writer.publish(note).await;
        (self.on_written)(namespace, report, first, written.as_ref().err());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::crash;

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_spent_and_comes_back_slowly() {
        let start = Instant::now();
        let mut announced = Announced::new(start);
        let spent = (0..20).filter(|_| announced.spend(start)).count();
        assert_eq!(spent, BUDGET as usize);
        assert!(!announced.spend(start + REFILL - Duration::from_secs(1)));
        assert!(announced.spend(start + REFILL) && !announced.spend(start + REFILL));
        let much_later = start + REFILL * 1000;
        assert_eq!((0..20).filter(|_| announced.spend(much_later)).count(), BUDGET as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_adds_up_under_its_last_words() {
        let mut announced = Announced::new(Instant::now());
        let notes = ["a", "b", "c"].map(|pod| EventNote::on_workload(&crash(pod, 0, 10, 1), "r"));
        let first: Vec<bool> = notes.into_iter().flatten().map(|note| announced.wait(note)).collect();
        assert_eq!(first, [true, false, false]);
        let waiting = announced.waiting.take();
        assert!(waiting.is_some_and(|note| note.times == 3 && note.message.contains("pod c")));
    }
}
