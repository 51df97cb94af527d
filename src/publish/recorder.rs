//! Counts terminations: one task for each workload and container (`desk`), so that those of one are in order and in few
//! writes, and those of different ones do not wait for each other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::calls::CallError;
use crate::ledger::census::Census;
use crate::ledger::round::{Clerk, Outcome, RoundError};
use crate::ledger::store::{KubeObjects, list_ledgers};
use crate::ledger::{ClaimedBefore, LedgerKey, Pass};
use crate::report::{Counted, CrashReport};
use crate::termination::Termination;

mod desk;
mod pace;
mod passes;
mod replay;

use desk::Desk;
use passes::Passes;

/// Jobs that may wait for one task before their senders do.
const QUEUE: usize = 64;

/// The time of day, passed in so that tests own it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Told of each report that was written later than its batch was answered: what follows a report can follow now.
pub type OnSettled = Arc<dyn Fn(&CrashReport) + Send + Sync>;

/// Why a batch was not counted. It can be handed in again.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The claim failed.
    #[error("cannot claim terminations of {}/{}: {source}", .key.namespace, .key.workload)]
    Claim {
        /// Whose terminations they are.
        key: LedgerKey,
        /// What failed.
        #[source]
        source: Arc<RoundError<CallError>>,
    },
    /// The ledgers could not be listed.
    #[error("cannot list the ledgers in namespace {namespace}: {source}")]
    List {
        /// Coroner's own namespace.
        namespace: String,
        /// What failed.
        #[source]
        source: CallError,
    },
    /// The recorder is shutting down.
    #[error("the recorder is shutting down")]
    Closed,
}

impl RecordError {
    /// One of a few words, for labels.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "claim",
            Self::List { .. } => "list",
            Self::Closed => "closed",
        }
    }
}

/// What became of the terminations of one report in a batch: only those that this call is the one to have counted.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Name of the report.
    pub name: String,
    /// The terminations.
    pub counted: Vec<Counted>,
    /// The report as it was written; `None` where it is written later (only its counts move, or it could not be written:
    /// the ledger keeps what is to be added), or not at all (its namespace is going, or a user has just deleted it).
    pub report: Option<CrashReport>,
    /// Whether these terminations opened the bug.
    pub opened: bool,
}

/// What a recorder works with.
pub struct RecorderParts {
    /// The time of day.
    pub clock: Clock,
    /// Told of reports that are written late.
    pub on_settled: OnSettled,
    /// Bounds the number of reports.
    pub census: Census,
    /// Once cancelled, nothing waits for more any longer: everything is written at once.
    pub hurry: CancellationToken,
}

/// Counts terminations in ledgers and reports.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    home: String,
    name: String,
    clock: Clock,
    on_settled: OnSettled,
    desks: Mutex<Desks>,
    passes: Mutex<Passes>,
    /// Workloads of which something waits to be claimed.
    crowd: Mutex<HashSet<LedgerKey>>,
    waiting: AtomicUsize,
    census: Census,
    /// Cancelled when nothing may wait for more any longer.
    hurry: CancellationToken,
    tasks: TaskTracker,
}

/// The running tasks, and which ledgers exist.
#[derive(Default)]
struct Desks {
    open: HashMap<LedgerKey, mpsc::Sender<Job>>,
    closed: bool,
    clerks: u64,
    /// Names of all ledgers, once they were listed: a first crash need not ask for one that cannot be there.
    existing: Option<BTreeSet<String>>,
    /// What was claimed at the replay.
    before: ClaimedBefore,
}

struct Job {
    batch: Vec<Counted>,
    answer: oneshot::Sender<Result<Vec<Recorded>, RecordError>>,
}

impl Recorder {
    /// A recorder that keeps its ledgers in the namespace `home` and signs with `identity`, usually the pod's name.
    pub fn new(client: Client, home: &str, identity: &str, parts: RecorderParts) -> Self {
        let RecorderParts { clock, on_settled, census, hurry } = parts;
        // A claim must be told from those of an earlier life of the same pod, whose names would be the same.
        let life = RandomState::new().hash_one(identity);
        let inner = Inner {
            client,
            home: home.to_owned(),
            name: format!("{identity}-{life:016x}"),
            clock,
            on_settled,
            desks: Mutex::default(),
            passes: Mutex::default(),
            crowd: Mutex::default(),
            waiting: AtomicUsize::new(0),
            census,
            hurry,
            tasks: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Counts terminations of one workload and container, each exactly once whoever else does so too, and answers when
    /// they are claimed and, where they are of a new bug, in their report. What is counted already is left out of the
    /// answer.
    ///
    /// # Errors
    /// When nothing was claimed; the batch can be handed in again.
    pub async fn record(&self, key: LedgerKey, batch: Vec<Counted>) -> Result<Vec<Recorded>, RecordError> {
        let (answer, answered) = oneshot::channel();
        let mut job = Job { batch, answer };
        loop {
            let desk = self.inner.desk(&key).ok_or(RecordError::Closed)?;
            match desk.send(job).await {
                Ok(()) => return answered.await.map_err(|_| RecordError::Closed)?,
                // Its task has just ended for want of work.
                Err(mpsc::error::SendError(unsent)) => job = unsent,
            }
        }
    }

    /// Notes a termination that is no crash, so that a later one does not have it as unseen. Costs no call unless other
    /// terminations of its workload and container are counted.
    pub async fn pass(&self, key: &LedgerKey, pass: Pass) {
        if !self.inner.guard(&self.inner.passes).keep(key, pass) {
            return;
        }
        let desk = {
            let mut desks = lock(&self.inner.desks);
            let name = key.object_name();
            let exists = desks.existing.as_ref().is_some_and(|names| names.contains(&name));
            if exists { self.inner.open(key, &mut desks) } else { desks.open.get(key).cloned() }
        };
        if let Some(desk) = desk {
            let (answer, _) = oneshot::channel();
            // A task that has just ended has none to tell; the next one looks.
            let _ = desk.send(Job { batch: Vec::new(), answer }).await;
        }
    }

    /// Applies what was claimed and not written by operators that are gone. To be called at a start and a take-over,
    /// before anything is recorded. Gives the reports that were written; those that take long are written later.
    ///
    /// # Errors
    /// When the ledgers could not be listed. A ledger whose reports cannot be written keeps what is owed.
    pub async fn replay(&self) -> Result<Vec<CrashReport>, RecordError> {
        let listed = list_ledgers(self.inner.client.clone(), &self.inner.home).await;
        let ledgers = listed.map_err(|source| RecordError::List { namespace: self.inner.home.clone(), source })?;
        let existing = Some(ledgers.keys().cloned().collect());
        // What is owed is tried again by whoever hands in a termination of the same key, so those are not passed over.
        let (settled, owing): (Vec<_>, Vec<_>) = ledgers.into_values().partition(|ledger| ledger.pending.is_empty());
        {
            let mut desks = lock(&self.inner.desks);
            desks.existing = existing;
            desks.before = ClaimedBefore::of(settled);
        }
        Ok(replay::begin(&self.inner, owing.into_iter().map(|ledger| ledger.key).collect()).await)
    }

    /// Whether a termination was claimed when the ledgers were replayed, so that its log need not be read again.
    pub fn was_claimed(&self, termination: &Termination) -> bool {
        lock(&self.inner.desks).before.holds(termination, (self.inner.clock)())
    }

    /// Forgets what was claimed when the ledgers were replayed: after the first list, what is seen is mostly new.
    pub fn forget_claimed(&self) {
        lock(&self.inner.desks).before = ClaimedBefore::default();
    }

    /// Takes nothing more in, finishes what was handed in, and clears the ledgers.
    pub async fn shutdown(&self) {
        {
            let mut desks = lock(&self.inner.desks);
            desks.closed = true;
            desks.open.clear();
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

fn lock(desks: &Mutex<Desks>) -> MutexGuard<'_, Desks> {
    // What the lock guards is whole after each statement, whatever panicked.
    desks.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// The task of a key, started if there is none; `None` at shutdown.
    fn desk(self: &Arc<Self>, key: &LedgerKey) -> Option<mpsc::Sender<Job>> {
        self.open(key, &mut lock(&self.desks))
    }

    fn open(self: &Arc<Self>, key: &LedgerKey, desks: &mut Desks) -> Option<mpsc::Sender<Job>> {
        if desks.closed {
            return None;
        }
        if let Some(desk) = desks.open.get(key).filter(|desk| !desk.is_closed()) {
            return Some(desk.clone());
        }
        let (sender, jobs) = mpsc::channel(QUEUE);
        let clerk = self.clerk(key, desks);
        desks.open.insert(key.clone(), sender.clone());
        self.tasks.spawn(Desk::new(self.clone(), key.clone(), clerk, jobs).work());
        Some(sender)
    }

    fn guard<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        // What each lock guards is whole after each statement, whatever panicked.
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passes_of(&self, key: &LedgerKey) -> Vec<Pass> {
        self.guard(&self.passes).of(key)
    }

    fn drop_passes(&self, key: &LedgerKey, held: impl Fn(&Pass) -> bool) {
        self.guard(&self.passes).drop_held(key, held);
    }

    /// Takes note of whether anything of a key waits to be claimed.
    fn note_waiting(&self, key: &LedgerKey, waits: bool) {
        let mut crowd = self.guard(&self.crowd);
        if waits {
            crowd.insert(key.clone());
        } else {
            crowd.remove(key);
        }
        self.waiting.store(crowd.len(), Ordering::Relaxed);
    }

    fn clerk(&self, key: &LedgerKey, desks: &mut Desks) -> Clerk<KubeObjects> {
        desks.clerks += 1;
        let exists = match &mut desks.existing {
            Some(names) => !names.insert(key.object_name()),
            None => true,
        };
        let objects = KubeObjects::new(self.client.clone(), &self.home, key.clone(), self.census.clone());
        Clerk::new(objects, key.clone(), format!("{}-{}", self.name, desks.clerks), exists)
    }
}

/// Writes what a ledger owes; the reports that were written, and whether it still owes any.
async fn settle(clerk: &mut Clerk<KubeObjects>, key: &LedgerKey, now: Timestamp) -> (Vec<CrashReport>, bool) {
    match clerk.settle(now).await {
        Ok(outcomes) => {
            let owes = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Owed(_)));
            let reports = outcomes.into_iter().filter_map(|(name, outcome)| written(&name, outcome)).map(|(r, _)| r);
            (reports.collect(), owes)
        }
        Err(error) => {
            tracing::warn!(namespace = key.namespace, workload = key.workload, %error, "a ledger is not settled");
            (Vec::new(), true)
        }
    }
}

async fn clear(clerk: &mut Clerk<KubeObjects>, key: &LedgerKey) {
    if let Err(error) = clerk.clear().await {
        tracing::debug!(namespace = key.namespace, workload = key.workload, %error, "a ledger is not cleared yet");
    }
}

/// The report of an outcome, and whether it was opened; what stands against it goes to the log.
fn written(name: &str, outcome: Outcome<CallError>) -> Option<(CrashReport, bool)> {
    match outcome {
        Outcome::Written { report, opened } => return Some((*report, opened)),
        Outcome::GivenUp => {
            tracing::info!(report = name, "there is nothing to count in: the report or its namespace is gone")
        }
        Outcome::Owed(error) => tracing::warn!(report = name, %error, "a report is not written yet"),
    }
    None
}
