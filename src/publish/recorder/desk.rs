//! The task of one workload's container: what comes in is claimed and applied in as few writes as can be.
//!
//! A death that may open a bug is claimed and written at once, with all that waits. One of a bug that has a report waits
//! for more of its kind: a second for its claim, longer in a storm, and up to a minute for the report, whose counts are
//! in the ledger meanwhile. A shutdown writes all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::pace::{Pace, claim_wait, open_wait};
use super::{Inner, Job, RecordError, Recorded, clear, lock, settle, written};
use crate::calls::CallError;
use crate::ledger::round::{Clerk, Outcome, RoundError};
use crate::ledger::store::KubeObjects;
use crate::ledger::{Batch, Claim, LedgerKey};
use crate::report::{Counted, CrashReport};

/// Terminations in one claim: what a storm leaves waiting is taken in few writes, each of bounded size.
const BATCH: usize = 256;
/// Reports in one claim: each may put a draft of 14 KiB into the ledger.
const BATCH_REPORTS: usize = 16;
/// When a confirmed draft leaves the ledger, if no claim comes first: soon, since a report that is deleted before that
/// and an operator that is killed before that bring the report back.
const CLEAR_AFTER: Duration = Duration::from_secs(1);
/// When harmless terminations are written that the ledger should know, if no claim comes first. What a kill takes before
/// that, the pod's status still shows: the last two ends of a container.
const PASS_AFTER: Duration = Duration::from_secs(5);
/// When a report that could not be written is tried again.
const SETTLE_AFTER: Duration = Duration::from_secs(20);
/// When a task without work ends; a loop in back-off comes again within five minutes, and then reads its ledger anew.
const IDLE: Duration = Duration::from_secs(60);

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    /// Claim what waits.
    Claim,
    /// Write counts that are claimed.
    Apply,
    /// Try again what could not be written.
    Settle,
    /// Write harmless terminations that the ledger should know.
    Pass,
    /// Drop from the ledger what is confirmed.
    Clear,
    /// End.
    Retire,
}

/// The task of one key.
pub(super) struct Desk {
    inner: Arc<Inner>,
    key: LedgerKey,
    clerk: Clerk<KubeObjects>,
    jobs: mpsc::Receiver<Job>,
    waiting: Vec<Job>,
    /// Since when something waits, and until when it may if it may open a bug.
    since: Instant,
    opens: Option<Instant>,
    /// When something was last done.
    active: Instant,
    /// Reports that there were when last seen: a death that belongs to one of them opens nothing.
    known: BTreeSet<String>,
    pace: Pace,
    /// Counts are claimed and not written because the report is to be written later.
    deferred: bool,
}

impl Desk {
    pub(super) fn new(inner: Arc<Inner>, key: LedgerKey, clerk: Clerk<KubeObjects>, jobs: mpsc::Receiver<Job>) -> Self {
        let now = Instant::now();
        Self {
            inner,
            key,
            clerk,
            jobs,
            waiting: Vec::new(),
            since: now,
            opens: None,
            active: now,
            known: BTreeSet::new(),
            pace: Pace::default(),
            deferred: false,
        }
    }

    pub(super) async fn work(mut self) {
        let hurry = self.inner.hurry.clone();
        loop {
            let (task, due) = self.next();
            tokio::select! {
                biased;
                job = self.jobs.recv() => match job {
                    Some(job) => self.take_in(job).await,
                    None => break,
                },
                () = sleep_until(due) => if self.is_done(task).await { break },
                // What waits is due now.
                () = hurry.cancelled(), if !self.is_hurried(due) => {}
            }
        }
        self.finish().await;
    }

    fn is_hurried(&self, due: Instant) -> bool {
        due <= Instant::now() || self.waiting.is_empty() && !self.deferred
    }

    /// What is next, and when.
    fn next(&self) -> (Task, Instant) {
        let now = Instant::now();
        if !self.waiting.is_empty() {
            let due = self.since + claim_wait(self.inner.waiting.load(Ordering::Relaxed));
            let due = self.opens.map_or(due, |opens| opens.min(due));
            return (Task::Claim, if self.inner.hurry.is_cancelled() { now } else { due });
        }
        match () {
            () if self.deferred && self.inner.hurry.is_cancelled() => (Task::Apply, now),
            () if self.deferred => (Task::Apply, self.pace.ready(now)),
            () if self.clerk.owes() => (Task::Settle, self.active + SETTLE_AFTER),
            () if self.clerk.is_worth_clearing() => (Task::Clear, self.active + CLEAR_AFTER),
            () if self.wants_passes() => (Task::Pass, self.active + PASS_AFTER),
            () => (Task::Retire, self.active + IDLE),
        }
    }

    fn wants_passes(&self) -> bool {
        let passes = self.inner.passes_of(&self.key);
        !passes.is_empty() && (!self.clerk.has_looked() || !self.clerk.wanted(&passes).is_empty())
    }

    /// Does it; whether the task ended.
    async fn is_done(&mut self, task: Task) -> bool {
        match task {
            // More workloads may have come to wait since.
            Task::Claim if self.next().1 > Instant::now() => return false,
            Task::Claim => self.claim().await,
            Task::Apply | Task::Settle => self.settle().await,
            Task::Pass => self.write_passes().await,
            Task::Clear => clear(&mut self.clerk, &self.key).await,
            Task::Retire => return self.retires(),
        }
        self.active = Instant::now();
        false
    }

    /// Takes in a job and what waits behind it; claims at once what may open a bug.
    async fn take_in(&mut self, job: Job) {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        let mut next = Some(job);
        while let Some(job) = next {
            // An empty one only says that there are passes.
            if !job.batch.is_empty() {
                self.waiting.push(job);
            }
            next = (self.size() < BATCH).then(|| self.jobs.try_recv().ok()).flatten();
        }
        self.inner.note_waiting(&self.key, !self.waiting.is_empty());
        if self.opens.is_none() && self.waiting.iter().flat_map(|job| &job.batch).any(|it| self.may_open(it)) {
            self.opens = Some(Instant::now() + open_wait(self.inner.waiting.load(Ordering::Relaxed)));
        }
        let due = !self.waiting.is_empty() && self.next().1 <= Instant::now();
        if due || self.size() >= BATCH {
            self.claim().await;
            self.active = Instant::now();
        }
    }

    fn size(&self) -> usize {
        self.waiting.iter().map(|job| job.batch.len()).sum()
    }

    /// Whether a death may open a bug. One without a log waits: another one's log may say what it was.
    fn may_open(&self, counted: &Counted) -> bool {
        counted.exit_alone().is_none() && !self.known.contains(&counted.report_name())
    }

    /// Claims all that waits, and applies it unless only counts have moved and it is too early for them.
    async fn claim(&mut self) {
        let jobs = std::mem::take(&mut self.waiting);
        self.opens = None;
        self.inner.note_waiting(&self.key, false);
        let claims: Vec<Claim> = jobs.iter().flat_map(|job| &job.batch).map(Claim::of).collect();
        let (mut counted_in, mut reports, mut failure) = (Vec::new(), BTreeMap::new(), None);
        for portion in portions(&claims) {
            match self.claim_portion(portion, &mut reports).await {
                Ok(names) => counted_in.extend(names),
                Err(error) => {
                    failure = Some(Arc::new(error));
                    break;
                }
            }
        }
        self.know_places(&claims, &counted_in);
        self.answer(jobs, &counted_in, &reports, failure);
    }

    /// A bug that is counted elsewhere for want of room opens nothing the next time either, as far as can be told.
    fn know_places(&mut self, claims: &[Claim], counted_in: &[Option<String>]) {
        for (claim, name) in claims.iter().zip(counted_in) {
            if claim.exit.is_none() && name.as_ref().is_some_and(|name| *name != claim.report) {
                self.known.insert(claim.report.clone());
            }
        }
    }

    async fn claim_portion(
        &mut self,
        claims: &[Claim],
        reports: &mut BTreeMap<String, (CrashReport, bool)>,
    ) -> Result<Vec<Option<String>>, RoundError<CallError>> {
        let passes = self.inner.passes_of(&self.key);
        let placed = self.clerk.claim(Batch { claims, passes: &passes, folds: &[] }).await?;
        self.inner.drop_passes(&self.key, |pass| self.clerk.has(pass));
        let names = placed.reports.clone();
        let (now, tells) = (Instant::now(), placed.tells);
        if tells || self.inner.hurry.is_cancelled() || self.pace.ready(now) <= now {
            let outcomes = self.clerk.apply(placed, (self.inner.clock)()).await?;
            if !outcomes.is_empty() {
                self.applied(!tells);
            }
            reports.extend(self.take_note(outcomes));
        } else {
            self.deferred |= names.iter().any(Option::is_some);
        }
        Ok(names)
    }

    fn applied(&mut self, counts: bool) {
        self.deferred = false;
        self.pace.written(Instant::now(), counts);
    }

    /// Remembers which reports there are.
    fn take_note(&mut self, outcomes: BTreeMap<String, Outcome<CallError>>) -> BTreeMap<String, (CrashReport, bool)> {
        let mut reports = BTreeMap::new();
        for (name, outcome) in outcomes {
            match written(&name, outcome) {
                Some(report) => {
                    self.known.insert(name.clone());
                    reports.insert(name, report);
                }
                None => {
                    self.known.remove(&name);
                }
            }
        }
        reports
    }

    /// Applies whatever is pending; what follows a report follows now.
    async fn settle(&mut self) {
        self.applied(true);
        let (written, _) = settle(&mut self.clerk, &self.key, (self.inner.clock)()).await;
        written.iter().for_each(|report| (self.inner.on_settled)(report));
    }

    async fn write_passes(&mut self) {
        if let Err(error) = self.clerk.look().await {
            tracing::debug!(namespace = self.key.namespace, workload = self.key.workload, %error, "no ledger to look at");
            return;
        }
        let passes = self.clerk.wanted(&self.inner.passes_of(&self.key));
        if passes.is_empty() {
            return;
        }
        match self.clerk.claim(Batch { passes: &passes, ..Batch::default() }).await {
            Ok(_) => self.inner.drop_passes(&self.key, |pass| self.clerk.has(pass)),
            Err(error) => {
                tracing::debug!(namespace = self.key.namespace, workload = self.key.workload, %error, "harmless ends wait");
            }
        }
    }

    /// Writes all that is left, at a shutdown.
    async fn finish(&mut self) {
        if !self.waiting.is_empty() {
            self.claim().await;
        }
        if self.deferred || self.clerk.owes() {
            self.settle().await;
        }
        if self.wants_passes() {
            self.write_passes().await;
        }
        clear(&mut self.clerk, &self.key).await;
    }

    /// Answers each job. One that was claimed only in part has failed: handed in again, the rest of it is claimed.
    fn answer(
        &self,
        jobs: Vec<Job>,
        counted_in: &[Option<String>],
        reports: &BTreeMap<String, (CrashReport, bool)>,
        failure: Option<Arc<RoundError<CallError>>>,
    ) {
        let mut from = 0;
        for job in jobs {
            let to = from + job.batch.len();
            let answer = match &failure {
                Some(source) if to > counted_in.len() => {
                    Err(RecordError::Claim { key: self.key.clone(), source: source.clone() })
                }
                _ => Ok(recorded(job.batch, &counted_in[from..to], reports)),
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

/// The answer to one job: what of it was fresh, by the report that counts it.
fn recorded(
    batch: Vec<Counted>,
    counted_in: &[Option<String>],
    reports: &BTreeMap<String, (CrashReport, bool)>,
) -> Vec<Recorded> {
    let mut by_report: BTreeMap<String, Vec<Counted>> = BTreeMap::new();
    for (counted, name) in batch.into_iter().zip(counted_in) {
        if let Some(name) = name {
            by_report.entry(name.clone()).or_default().push(counted);
        }
    }
    let with_report = |(name, counted): (String, Vec<Counted>)| {
        let written = reports.get(&name);
        let opened = written.is_some_and(|(_, opened)| *opened);
        Recorded { report: written.map(|(report, _)| report.clone()), name, counted, opened }
    };
    by_report.into_iter().map(with_report).collect()
}
