//! Counts terminations: one task for each workload and container, so that those of one are in order and in few writes,
//! and those of different ones do not wait for each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::calls::CallError;
use crate::ledger::round::{Clerk, Outcome, RoundError};
use crate::ledger::store::{KubeObjects, list_ledgers};
use crate::ledger::{Claim, ClaimedBefore, LedgerKey};
use crate::report::{Counted, CrashReport};
use crate::termination::Termination;

/// Terminations in one claim: what a storm leaves waiting is taken in few writes, each of bounded size.
const BATCH: usize = 256;
/// Reports in one claim: each may put a draft of 14 KiB into the ledger.
const BATCH_REPORTS: usize = 16;
/// Jobs that may wait for one task before their senders do.
const QUEUE: usize = 64;
/// When a confirmed draft leaves the ledger, if no claim comes first: soon, since a report that is deleted before that
/// and an operator that is killed before that bring the report back.
const CLEAR_AFTER: Duration = Duration::from_secs(1);
/// When a report that could not be written is tried again.
const SETTLE_AFTER: Duration = Duration::from_secs(20);
/// When a task without work ends; a loop in back-off comes again within five minutes, and then reads its ledger anew.
const IDLE: Duration = Duration::from_secs(60);
/// Ledgers replayed at a time at a start.
const REPLAYS: usize = 8;
/// How long a start waits for the replay. Counting is exact without it too; but what crashes while one call hangs for its
/// ten seconds would be seen too late for its log.
const REPLAY_WITHIN: Duration = Duration::from_secs(2);

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
    /// The report as it was written; `None` where it could not be written yet (the ledger keeps what is to be added,
    /// and it is tried again), or will not be (its namespace is going, or a user has just deleted it).
    pub report: Option<CrashReport>,
    /// Whether these terminations opened the bug.
    pub opened: bool,
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
    pub fn new(client: Client, home: &str, identity: &str, clock: Clock, on_settled: OnSettled) -> Self {
        // A claim must be told from those of an earlier life of the same pod, whose names would be the same.
        let life = RandomState::new().hash_one(identity);
        let inner = Inner {
            client,
            home: home.to_owned(),
            name: format!("{identity}-{life:016x}"),
            clock,
            on_settled,
            desks: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Counts terminations of one workload and container, each exactly once whoever else does so too, and answers when
    /// their reports are written. Terminations that are counted already are left out of the answer.
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
        let inner = self.inner.clone();
        let replay = self.inner.tasks.spawn(async move {
            let settling = owing.into_iter().map(|ledger| inner.settle(ledger.key));
            let settled = stream::iter(settling).buffer_unordered(REPLAYS).collect::<Vec<_>>().await.concat();
            settled.iter().for_each(|report| (inner.on_settled)(report));
            settled
        });
        match tokio::time::timeout(REPLAY_WITHIN, replay).await {
            Ok(settled) => Ok(settled.unwrap_or_default()),
            Err(_) => {
                tracing::warn!(
                    seconds = REPLAY_WITHIN.as_secs(),
                    "the replay takes long; it goes on beside what comes"
                );
                Ok(Vec::new())
            }
        }
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
        let mut desks = lock(&self.desks);
        if desks.closed {
            return None;
        }
        if let Some(desk) = desks.open.get(key).filter(|desk| !desk.is_closed()) {
            return Some(desk.clone());
        }
        let (sender, jobs) = mpsc::channel(QUEUE);
        let clerk = self.clerk(key, &mut desks);
        desks.open.insert(key.clone(), sender.clone());
        self.tasks.spawn(Desk { inner: self.clone(), key: key.clone(), clerk, jobs }.work());
        Some(sender)
    }

    fn clerk(&self, key: &LedgerKey, desks: &mut Desks) -> Clerk<KubeObjects> {
        desks.clerks += 1;
        let exists = match &mut desks.existing {
            Some(names) => !names.insert(key.object_name()),
            None => true,
        };
        let objects = KubeObjects::new(self.client.clone(), &self.home, key.clone());
        Clerk::new(objects, key.clone(), format!("{}-{}", self.name, desks.clerks), exists)
    }

    async fn settle(&self, key: LedgerKey) -> Vec<CrashReport> {
        let mut clerk = {
            let mut desks = lock(&self.desks);
            self.clerk(&key, &mut desks)
        };
        let written = settle(&mut clerk, &key, (self.clock)()).await;
        clear(&mut clerk, &key).await;
        written
    }
}

async fn settle(clerk: &mut Clerk<KubeObjects>, key: &LedgerKey, now: Timestamp) -> Vec<CrashReport> {
    match clerk.settle(now).await {
        Ok(outcomes) => {
            outcomes.into_iter().filter_map(|(name, outcome)| written(&name, outcome)).map(|(r, _)| r).collect()
        }
        Err(error) => {
            tracing::warn!(namespace = key.namespace, workload = key.workload, %error, "a ledger is not settled");
            Vec::new()
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

/// The task of one key.
struct Desk {
    inner: Arc<Inner>,
    key: LedgerKey,
    clerk: Clerk<KubeObjects>,
    jobs: mpsc::Receiver<Job>,
}

impl Desk {
    async fn work(mut self) {
        loop {
            match tokio::time::timeout(self.patience(), self.jobs.recv()).await {
                Ok(Some(job)) => {
                    let jobs = self.gather(job);
                    self.record(jobs).await;
                }
                Ok(None) => break,
                Err(_) if self.clerk.owes() => self.settle().await,
                Err(_) if self.clerk.is_worth_clearing() => clear(&mut self.clerk, &self.key).await,
                Err(_) if self.retires() => break,
                Err(_) => {}
            }
        }
        clear(&mut self.clerk, &self.key).await;
    }

    async fn settle(&mut self) {
        let now = (self.inner.clock)();
        settle(&mut self.clerk, &self.key, now).await.iter().for_each(|report| (self.inner.on_settled)(report));
    }

    /// How long to wait for the next job before doing something else.
    fn patience(&self) -> Duration {
        match () {
            () if self.clerk.owes() => SETTLE_AFTER,
            () if self.clerk.is_worth_clearing() => CLEAR_AFTER,
            () => IDLE,
        }
    }

    /// Takes in what waits behind a job: one claim for all of it. What shall wait longer, so that more comes together,
    /// waits here.
    fn gather(&mut self, first: Job) -> Vec<Job> {
        let mut size = first.batch.len();
        let mut jobs = vec![first];
        while size < BATCH
            && let Ok(job) = self.jobs.try_recv()
        {
            size += job.batch.len();
            jobs.push(job);
        }
        jobs
    }

    async fn record(&mut self, jobs: Vec<Job>) {
        let claims: Vec<Claim> = jobs.iter().flat_map(|job| &job.batch).map(Claim::of).collect();
        let mut fresh = Vec::with_capacity(claims.len());
        let mut reports = BTreeMap::new();
        let mut failure = None;
        for batch in portions(&claims) {
            match self.clerk.record(batch, (self.inner.clock)()).await {
                Ok(recorded) => {
                    fresh.extend(recorded.fresh);
                    let outcomes = recorded.outcomes.into_iter();
                    reports.extend(outcomes.filter_map(|(name, it)| written(&name, it).map(|it| (name, it))));
                }
                Err(error) => {
                    failure = Some(Arc::new(error));
                    break;
                }
            }
        }
        self.answer(jobs, &fresh, &reports, failure);
    }

    /// Answers each job. One that was claimed only in part has failed: handed in again, the rest of it is claimed.
    fn answer(
        &self,
        jobs: Vec<Job>,
        fresh: &[bool],
        reports: &BTreeMap<String, (CrashReport, bool)>,
        failure: Option<Arc<RoundError<CallError>>>,
    ) {
        let mut from = 0;
        for job in jobs {
            let to = from + job.batch.len();
            let answer = match &failure {
                Some(source) if to > fresh.len() => {
                    Err(RecordError::Claim { key: self.key.clone(), source: source.clone() })
                }
                _ => Ok(recorded(job.batch, &fresh[from..to], reports)),
            };
            // Who no longer waits for the answer does not need it.
            let _ = job.answer.send(answer);
            from = to;
        }
    }

    /// Ends the task, unless a job came in at the last moment.
    fn retires(&mut self) -> bool {
        let mut desks = lock(&self.inner.desks);
        if !self.jobs.is_empty() {
            return false;
        }
        self.jobs.close();
        desks.open.remove(&self.key);
        true
    }
}

/// Cuts a batch into claims of bounded size.
fn portions(claims: &[Claim]) -> Vec<&[Claim]> {
    let (mut portions, mut start, mut reports) = (Vec::new(), 0, BTreeSet::new());
    for (index, claim) in claims.iter().enumerate() {
        reports.insert(&claim.report);
        if index - start >= BATCH || reports.len() > BATCH_REPORTS {
            portions.push(&claims[start..index]);
            start = index;
            reports = BTreeSet::from([&claim.report]);
        }
    }
    portions.push(&claims[start..]);
    portions
}

/// The answer to one job: what of it was fresh, by report.
fn recorded(batch: Vec<Counted>, fresh: &[bool], reports: &BTreeMap<String, (CrashReport, bool)>) -> Vec<Recorded> {
    let mut by_report: BTreeMap<String, Vec<Counted>> = BTreeMap::new();
    for (counted, _) in batch.into_iter().zip(fresh).filter(|(_, fresh)| **fresh) {
        by_report.entry(counted.report_name()).or_default().push(counted);
    }
    let with_report = |(name, counted): (String, Vec<Counted>)| {
        let written = reports.get(&name);
        let opened = written.is_some_and(|(_, opened)| *opened);
        Recorded { report: written.map(|(report, _)| report.clone()), name, counted, opened }
    };
    by_report.into_iter().map(with_report).collect()
}
