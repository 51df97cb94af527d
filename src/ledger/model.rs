//! Two operators against a model of the API, cut off between any two calls, in random interleavings: what all reports
//! hold, and held when they were deleted, is what happened.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::protocol::{Base, Claim, Entry, Ledger};
use super::round::{Clerk, Objects, Refused, Stored};
use super::{Instance, LedgerKey};
use crate::report::samples::{at, crash};
use crate::report::{Counted, CrashReport, EvidenceState, Triage, TriageState};

/// A small random number generator (splitmix64): a schedule is its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// Things that happen in a schedule: some fifteen deaths, and five kills.
const STEPS: u32 = 180;

/// What may happen in a schedule.
#[derive(Clone, Copy, Debug)]
struct Dangers {
    kills: bool,
    deletions: bool,
    faults: bool,
    /// An operator may not see a termination at all.
    blindness: bool,
}

/// Everything as it is, and the books of one who sees all.
struct World {
    random: Random,
    dangers: Dangers,
    calm: bool,
    step: u64,
    versions: u64,
    ledger: Option<(u64, Ledger)>,
    reports: BTreeMap<String, CrashReport>,
    dead: BTreeSet<String>,
    /// Counted in reports when they were deleted, or claimed for them and gone with them.
    buried: i64,
    deletions: u64,
    /// Terminations that were claimed after a later one of the same pod.
    late: BTreeSet<(usize, i32)>,
    claimed: BTreeSet<(usize, i32)>,
    /// What each operator is about to claim.
    batches: [Vec<(usize, i32)>; 2],
    /// When the ledger last held an entry that would create the report.
    unsettled: BTreeMap<String, u64>,
    rounds: [Option<u64>; 2],
    pods: [Vec<i64>; 2],
}

type Shared = Arc<Mutex<World>>;

/// One operator's view of the API: each call takes two steps, and either may be its last.
#[derive(Clone)]
struct Calls {
    world: Shared,
    index: usize,
}

async fn step() {
    let mut waited = false;
    poll_fn(move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

impl Calls {
    async fn call<T>(
        &self,
        does: impl FnOnce(&mut World) -> Result<T, Refused<&'static str>>,
    ) -> Result<T, Refused<&'static str>> {
        step().await;
        let (answer, lost) = {
            let mut world = lock(&self.world);
            if world.fault() {
                return Err(Refused::Failed("not done"));
            }
            (does(&mut world), world.fault())
        };
        step().await;
        if lost { Err(Refused::Failed("done, and the answer was lost")) } else { answer }
    }
}

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap()
}

fn failed<T>(answer: Result<T, Refused<&'static str>>) -> Result<T, &'static str> {
    answer.map_err(|refused| if let Refused::Failed(why) = refused { why } else { "refused" })
}

impl Objects for Calls {
    type Error = &'static str;

    async fn read_ledger(&self) -> Result<Option<Stored>, &'static str> {
        failed(self.call(|world| Ok(world.ledger.as_ref().map(stored))).await)
    }

    async fn write_ledger(&self, over: Option<&Stored>, ledger: &Ledger) -> Result<Stored, Refused<&'static str>> {
        self.call(|world| world.put_ledger(self.index, over, ledger)).await
    }

    async fn read_report(&self, name: &str) -> Result<Option<CrashReport>, &'static str> {
        failed(self.call(|world| Ok(world.reports.get(name).cloned())).await)
    }

    async fn create_report(&self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        self.call(|world| world.create(report)).await
    }

    async fn write_status(&self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        self.call(|world| world.put_status(report)).await
    }

    async fn set_labels(&self, _: &str, _: BTreeMap<String, String>) -> Result<(), &'static str> {
        Ok(())
    }
}

fn stored((version, ledger): &(u64, Ledger)) -> Stored {
    Stored { uid: "ledger".into(), version: version.to_string(), ledger: ledger.clone() }
}

fn amount(entry: &Entry) -> i64 {
    entry.add.count + entry.add.inferred + entry.add.unseen
}

fn held(report: &CrashReport) -> i64 {
    report.status.as_ref().map_or(0, |status| status.count + status.inferred + status.unseen)
}

fn uid(report: &CrashReport) -> String {
    report.metadata.uid.clone().unwrap()
}

impl World {
    fn fault(&mut self) -> bool {
        self.dangers.faults && !self.calm && self.random.percent(4)
    }

    fn version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    fn put_ledger(
        &mut self,
        by: usize,
        over: Option<&Stored>,
        ledger: &Ledger,
    ) -> Result<Stored, Refused<&'static str>> {
        let current = self.ledger.as_ref().map(|(version, _)| version.to_string());
        if over.map(|stored| stored.version.clone()) != current {
            return Err(Refused::Conflict);
        }
        let before = self.ledger.as_ref().map_or(0, |(_, ledger)| ledger.seq);
        for entry in ledger.pending.iter().filter(|entry| entry.seq > before) {
            if matches!(&entry.base, Base::Uid(uid) if self.dead.contains(uid)) {
                self.buried += amount(entry);
            }
        }
        self.note_claims(by, ledger);
        self.note_unsettled();
        let version = self.version();
        self.ledger = Some((version, ledger.clone()));
        self.note_unsettled();
        Ok(stored(self.ledger.as_ref().unwrap()))
    }

    /// Writes down which terminations this write claims, and which of them late.
    fn note_claims(&mut self, by: usize, ledger: &Ledger) {
        // A batch may hold the same one twice: from a list and from a watch.
        let batch: BTreeSet<_> = self.batches[by].iter().copied().collect();
        for (pod, restart) in batch {
            let death = self.death(pod, restart, 0);
            let instance = Instance::of(&death.termination, death.ended_at());
            let holds =
                |ledger: &Ledger| ledger.row(&format!("uid-{}", pod_name(pod))).is_some_and(|row| row.holds(&instance));
            if !holds(ledger) || self.ledger.as_ref().is_some_and(|(_, before)| holds(before)) {
                continue;
            }
            assert!(self.claimed.insert((pod, restart)), "{restart} of pod {pod} was claimed twice");
            if self.claimed_of(pod).last() > Some(&restart) {
                self.late.insert((pod, restart));
            }
        }
    }

    fn claimed_of(&self, pod: usize) -> Vec<i32> {
        self.claimed.range((pod, 0)..=(pod, i32::MAX)).map(|(_, restart)| *restart).collect()
    }

    fn note_unsettled(&mut self) {
        let Some((_, ledger)) = &self.ledger else { return };
        for entry in ledger.pending.iter().filter(|entry| entry.base == Base::Absent) {
            self.unsettled.insert(entry.report.clone(), self.step);
        }
    }

    fn create(&mut self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        let name = report.metadata.name.clone().unwrap();
        if self.reports.contains_key(&name) {
            return Err(Refused::Conflict);
        }
        let version = self.version();
        let mut made = report.clone();
        made.status = None;
        made.metadata.uid = Some(format!("report-{version}"));
        made.metadata.resource_version = Some(version.to_string());
        made.metadata.generation = Some(1);
        self.reports.insert(name, made.clone());
        Ok(made)
    }

    fn put_status(&mut self, report: &CrashReport) -> Result<CrashReport, Refused<&'static str>> {
        let version = self.version();
        let name = report.metadata.name.as_ref().unwrap();
        let Some(current) = self.reports.get_mut(name) else { return Err(Refused::Absent) };
        if current.metadata.resource_version != report.metadata.resource_version {
            return Err(Refused::Conflict);
        }
        current.status = report.status.clone();
        current.metadata.resource_version = Some(version.to_string());
        Ok(current.clone())
    }

    /// A user deletes a report, once no operator can still be about to create it.
    fn delete_one(&mut self) {
        let settled = |name: &String| {
            let busy_since = |round: &u64| self.unsettled.get(name).is_some_and(|step| round <= step);
            let pending = self.ledger.iter().flat_map(|(_, ledger)| &ledger.pending);
            let creating = pending.filter(|entry| entry.base == Base::Absent).any(|entry| &entry.report == name);
            !creating && !self.rounds.iter().flatten().any(busy_since)
        };
        let names: Vec<String> = self.reports.keys().filter(|name| settled(name)).cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = &names[self.random.below(names.len() as u64) as usize];
        let report = self.reports.remove(name).unwrap();
        let mark = report.status.as_ref().and_then(|status| status.ledger.as_ref()).map_or(0, |mark| mark.seq);
        let pending = self.ledger.iter().flat_map(|(_, ledger)| &ledger.pending);
        let lost = pending.filter(|e| &e.report == name && e.seq > mark && e.base == Base::Uid(uid(&report)));
        self.buried += held(&report) + lost.map(amount).sum::<i64>();
        self.dead.insert(uid(&report));
        self.deletions += 1;
    }

    fn edit_one(&mut self) {
        let version = self.version();
        if let Some(report) = self.reports.values_mut().next() {
            report.spec.triage = Some(Triage { state: TriageState::Acknowledged, until: None, note: None });
            report.metadata.resource_version = Some(version.to_string());
            report.metadata.generation = Some(2);
        }
    }

    fn death(&self, pod: usize, restart: i32, bug: u64) -> Counted {
        crash(&pod_name(pod), restart, self.pods[pod][restart as usize], bug)
    }

    /// What a fresh list of pods shows: the last two records of each.
    fn listed(&self) -> Vec<(usize, i32)> {
        let recent = |pod: usize| {
            let deaths = self.pods[pod].len() as i32;
            ((deaths - 2).max(0)..deaths).map(move |restart| (pod, restart))
        };
        (0..self.pods.len()).flat_map(recent).collect()
    }
}

fn pod_name(pod: usize) -> String {
    format!("pod{pod}")
}

type Inbox = Rc<RefCell<VecDeque<(usize, i32)>>>;

/// One operator as a process that can be killed.
struct Operator {
    index: usize,
    lives: u64,
    inbox: Inbox,
    running: Pin<Box<dyn Future<Output = ()>>>,
}

impl Operator {
    fn start(index: usize, lives: u64, world: &Shared) -> Self {
        let inbox: Inbox = Rc::new(RefCell::new(lock(world).listed().into()));
        lock(world).rounds[index] = None;
        let running = Box::pin(operate(index, lives, world.clone(), inbox.clone()));
        Self { index, lives, inbox, running }
    }

    fn kill_and_start(&mut self, world: &Shared) {
        *self = Self::start(self.index, self.lives + 1, world);
    }

    fn poll(&mut self) {
        assert!(self.running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

/// What an operator does: replays, then counts what comes in; what could not be claimed is tried again.
async fn operate(index: usize, lives: u64, world: Shared, inbox: Inbox) {
    let key = LedgerKey::of(&crash("pod0", 0, 0, 0));
    let mut clerk = Clerk::new(Calls { world: world.clone(), index }, key, format!("operator-{index}-{lives}"), true);
    let now = at(1_000_000);
    let mut owed = true;
    loop {
        lock(&world).rounds[index] = Some(lock_step(&world));
        if owed {
            owed = clerk.settle(now).await.is_err() || clerk.owes();
        }
        let size = 1 + lock(&world).random.below(3) as usize;
        let batch: Vec<_> = take(&inbox, size);
        if !batch.is_empty() {
            lock(&world).batches[index].clone_from(&batch);
            let claims: Vec<Claim> =
                batch.iter().map(|(pod, restart)| Claim::of(&judge(&world, *pod, *restart))).collect();
            match clerk.record(&claims, now).await {
                Ok(_) => owed |= clerk.owes(),
                Err(_) => batch.into_iter().rev().for_each(|seen| inbox.borrow_mut().push_front(seen)),
            }
        }
        let tidy = lock(&world).random.percent(30) || lock(&world).calm;
        if tidy && clerk.clear().await.is_err() {
            owed = true;
        }
        lock(&world).rounds[index] = None;
        step().await;
    }
}

fn lock_step(world: &Shared) -> u64 {
    lock(world).step
}

fn take(inbox: &Inbox, size: usize) -> Vec<(usize, i32)> {
    let mut inbox = inbox.borrow_mut();
    let size = size.min(inbox.len());
    inbox.drain(..size).collect()
}

/// The operators do not agree on what a death was, nor on whether its log could be had.
fn judge(world: &Shared, pod: usize, restart: i32) -> Counted {
    let mut world = lock(world);
    let bug = world.random.below(2);
    let mut counted = world.death(pod, restart, bug);
    counted.inferred = world.random.percent(20);
    if world.random.percent(40) {
        counted.evidence = EvidenceState::Gone;
    }
    counted
}

/// Runs one schedule and compares the books.
fn run(seed: u64, dangers: Dangers) {
    let world = World {
        random: Random(seed),
        dangers,
        calm: false,
        step: 0,
        versions: 0,
        ledger: None,
        reports: BTreeMap::new(),
        dead: BTreeSet::new(),
        buried: 0,
        deletions: 0,
        late: BTreeSet::new(),
        claimed: BTreeSet::new(),
        batches: [Vec::new(), Vec::new()],
        unsettled: BTreeMap::new(),
        rounds: [None, None],
        pods: [Vec::new(), Vec::new()],
    };
    let world = Arc::new(Mutex::new(world));
    let mut operators = [Operator::start(0, 0, &world), Operator::start(1, 0, &world)];
    for _ in 0..STEPS {
        lock(&world).step += 1;
        happen(&world, &mut operators);
    }
    lock(&world).calm = true;
    for operator in &mut operators {
        let listed = lock(&world).listed();
        operator.inbox.borrow_mut().extend(listed);
    }
    let mut polls = 0;
    while !is_quiet(&world, &operators) {
        lock(&world).step += 1;
        operators.iter_mut().for_each(Operator::poll);
        polls += 1;
        assert!(polls < 2000, "seed {seed}: the operators do not come to rest");
    }
    check(seed, &lock(&world));
}

/// Whether everything is taken in, and nothing is pending or under way.
fn is_quiet(world: &Shared, operators: &[Operator; 2]) -> bool {
    let world = lock(world);
    let pending = world.ledger.as_ref().is_some_and(|(_, ledger)| !ledger.pending.is_empty());
    let busy = world.rounds.iter().any(Option::is_some);
    !pending && !busy && operators.iter().all(|operator| operator.inbox.borrow().is_empty())
}

fn happen(world: &Shared, operators: &mut [Operator; 2]) {
    let (what, who) = {
        let mut world = lock(world);
        (world.random.below(100), world.random.below(2) as usize)
    };
    let dangers = lock(world).dangers;
    match what {
        0..8 => die(world, operators),
        8..11 if dangers.kills => operators[who].kill_and_start(world),
        11..14 if dangers.deletions => lock(world).delete_one(),
        14..16 => lock(world).edit_one(),
        _ => operators[who].poll(),
    }
}

fn die(world: &Shared, operators: &mut [Operator; 2]) {
    let mut world = lock(world);
    let pod = world.random.below(2) as usize;
    let (restart, step) = (world.pods[pod].len() as i32, world.step as i64);
    world.pods[pod].push(step);
    for operator in operators {
        let blind = world.dangers.blindness && world.random.percent(30);
        if !blind {
            operator.inbox.borrow_mut().push_back((pod, restart));
        }
    }
}

fn check(seed: u64, world: &World) {
    let mut truth = 0;
    for pod in 0..world.pods.len() {
        if let Some(first) = world.claimed_of(pod).first() {
            truth += world.pods[pod].len() as i64 - i64::from(*first);
        }
    }
    let empty =
        |report: &CrashReport| held(report) == 0 || report.status.as_ref().is_none_or(|it| it.finding.is_none());
    assert!(!world.reports.values().any(empty), "seed {seed}: a report says nothing");
    let total = world.buried + world.reports.values().map(held).sum::<i64>();
    // One that was first counted as unseen, in a report deleted since, cannot be taken back from there.
    let slack = if world.deletions > 0 { world.late.len() as i64 } else { 0 };
    assert!(
        (truth..=truth + slack).contains(&total),
        "seed {seed}, {:?}: {truth} happened, {total} counted, of these {} in deleted reports",
        world.dangers,
        world.buried
    );
    if world.deletions == 0 {
        check_unseen(seed, world);
    }
}

/// What an operator claimed is nowhere counted as unseen.
fn check_unseen(seed: u64, world: &World) {
    let mut missed = 0;
    for pod in 0..world.pods.len() {
        let claimed = world.claimed_of(pod);
        let span = claimed.first().zip(claimed.last()).map_or(0, |(first, last)| last - first + 1);
        missed += i64::from(span) - claimed.len() as i64;
    }
    let unseen: i64 = world.reports.values().map(|report| report.status.as_ref().map_or(0, |s| s.unseen)).sum();
    assert_eq!(unseen, missed, "seed {seed}, {:?}", world.dangers);
}

const ALL: Dangers = Dangers { kills: true, deletions: true, faults: true, blindness: true };

/// Runs `schedules` schedules, or so many times more as `CORONER_SCHEDULES` says: 10 for a hundred thousand in all.
fn run_all(name: u64, schedules: u64, dangers: Dangers) {
    let times = std::env::var("CORONER_SCHEDULES").map_or(1, |times| times.parse().unwrap());
    (0..schedules * times).for_each(|number| run(name << 32 | number, dangers));
}

#[test]
fn two_operators_count_everything_once_whatever_is_cut_off_where() {
    run_all(1, 4000, Dangers { deletions: false, ..ALL });
}

#[test]
fn reports_that_are_deleted_take_their_counts_with_them_and_no_others() {
    run_all(2, 4000, Dangers { blindness: false, ..ALL });
}

#[test]
fn an_operator_that_sees_only_some_deaths_adds_what_the_other_one_missed() {
    run_all(3, 2000, ALL);
}
