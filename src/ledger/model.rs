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

use super::objects::{Objects, Refused, Stored};
use super::protocol::{Base, Batch, Claim, Entry, Ledger, MISSING_SECONDS, Pass};
use super::round::Clerk;
use super::{Instance, LedgerKey};
use crate::classify::Confidence;
use crate::report::samples::{at, crash, unread};
use crate::report::{Counted, CrashReport, CrashReportSpec, Triage, TriageState, UNEXPLAINED, stands_for_many};

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
    /// There is room for few reports only.
    crowding: bool,
    /// Pods go, and ledgers with them.
    forgetting: bool,
}

/// Reports that there is room for, where it is scarce.
const ROOM: usize = 2;

/// One termination: the pod and its restart count.
type Death = (usize, i32);

/// Everything as it is, and the books of one who sees all.
struct World {
    random: Random,
    dangers: Dangers,
    calm: bool,
    step: u64,
    versions: u64,
    ledger: Option<(u64, Ledger)>,
    /// How many ledgers there were: each has another UID.
    ledgers: u64,
    /// Pods that are gone, and forgotten.
    gone: BTreeSet<usize>,
    reports: BTreeMap<String, CrashReport>,
    dead: BTreeSet<String>,
    /// Counted in reports when they were deleted, or claimed for them and gone with them.
    buried: i64,
    deletions: u64,
    folded: u64,
    /// Terminations that were claimed after a later one of the same pod.
    late: BTreeSet<Death>,
    claimed: BTreeSet<Death>,
    instances: BTreeMap<Death, Instance>,
    /// Terminations that are no crashes, unless an operator knows better.
    harmless: BTreeSet<Death>,
    /// Of these, the ones that an operator has looked at, and that the ledger has noted.
    looked: BTreeSet<Death>,
    noted: BTreeSet<Death>,
    /// What each operator is about to claim.
    batches: [Vec<Death>; 2],
    /// When the ledger last held an entry that would create the report.
    unsettled: BTreeMap<String, u64>,
    rounds: [Option<u64>; 2],
    pods: Vec<Vec<i64>>,
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
        failed(self.call(|world| Ok(world.stored())).await)
    }

    async fn write_ledger(&self, over: Option<&Stored>, ledger: &Ledger) -> Result<Stored, Refused<&'static str>> {
        self.call(|world| world.put_ledger(self.index, over, ledger)).await
    }

    async fn list_reports(&self) -> Result<BTreeMap<String, CrashReport>, &'static str> {
        failed(self.call(|world| Ok(world.reports.clone())).await)
    }

    async fn room(&self) -> usize {
        lock(&self.world).room()
    }

    fn is_settled(&self, report: &CrashReport) -> bool {
        lock(&self.world).is_settled(report.metadata.name.as_ref().unwrap(), Some(self.index))
    }

    async fn delete_report(&self, name: &str, uid: &str) -> Result<(), &'static str> {
        failed(self.call(|world| world.fold_away(name, uid)).await)
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
        if self.deletions == 0 && !self.dangers.crowding {
            self.check_inferred(ledger, before);
        }
        self.note_unsettled();
        self.note_passes(ledger);
        self.ledgers += u64::from(self.ledger.is_none());
        self.store(ledger.clone());
        self.note_unsettled();
        Ok(self.stored().unwrap())
    }

    fn store(&mut self, ledger: Ledger) {
        let version = self.version();
        self.ledger = Some((version, ledger));
    }

    fn stored(&self) -> Option<Stored> {
        let (version, ledger) = self.ledger.as_ref()?;
        Some(Stored { uid: self.ledger_uid(), version: version.to_string(), ledger: ledger.clone() })
    }

    fn ledger_uid(&self) -> String {
        format!("ledger-{}", self.ledgers)
    }

    /// Up to which entry of the ledger that there is a report has counted.
    fn mark(&self, report: &CrashReport) -> i64 {
        let mark = report.status.as_ref().and_then(|status| status.ledger.as_ref());
        mark.filter(|mark| mark.uid == self.ledger_uid()).map_or(0, |mark| mark.seq)
    }

    /// A pod is deleted, and two complete lists ten minutes apart miss it; what is left of it in nobody's hands is then
    /// forgotten, and a ledger in which nothing is left is deleted.
    fn forget(&mut self, pod: usize) {
        self.gone.insert(pod);
        let live = (0..self.pods.len()).filter(|pod| !self.gone.contains(pod)).map(pod_uid).collect();
        let Some((_, mut ledger)) = self.ledger.clone() else { return };
        ledger.prune(&live, at(2_000_000));
        ledger.prune(&live, at(2_000_000 + MISSING_SECONDS));
        if ledger.is_spent() {
            self.ledger = None;
        } else {
            self.store(ledger);
        }
    }

    /// Writes down which terminations this write claims, and which of them late.
    fn note_claims(&mut self, by: usize, ledger: &Ledger) {
        // A batch may hold the same one twice: from a list and from a watch.
        let batch: BTreeSet<_> = self.batches[by].iter().copied().collect();
        for (pod, restart) in batch {
            let instance = self.instance(pod, restart);
            let uid = pod_uid(pod);
            let holds = |ledger: &Ledger| ledger.row(&uid).is_some_and(|row| row.counts(&instance));
            if !holds(ledger) || self.ledger.as_ref().is_some_and(|(_, before)| holds(before)) {
                continue;
            }
            assert!(self.claimed.insert((pod, restart)), "{restart} of pod {pod} was claimed twice");
            if self.claimed_of(pod).last() > Some(&restart) {
                self.late.insert((pod, restart));
            }
        }
    }

    /// Writes down which harmless ones the ledger knows.
    fn note_passes(&mut self, ledger: &Ledger) {
        let unnoted: Vec<Death> = self.harmless.difference(&self.noted).copied().collect();
        for (pod, restart) in unnoted {
            let instance = self.instance(pod, restart);
            if ledger.row(&pod_uid(pod)).is_some_and(|row| row.names_passed(&instance)) {
                self.noted.insert((pod, restart));
            }
        }
    }

    /// A death without a log is counted in the one open bug that it fits, and only there; all end alike in this world.
    fn check_inferred(&self, ledger: &Ledger, before: i64) {
        let specs = self.reports.values().filter(|report| report.status.is_some()).map(|report| &report.spec);
        let claimed = ledger.pending.iter().filter_map(|entry| Some(&entry.draft.as_ref()?.spec));
        let print = |spec: &CrashReportSpec| (!stands_for_many(spec)).then(|| spec.fingerprint.clone());
        let open: BTreeSet<String> = specs.chain(claimed).filter_map(print).collect();
        for entry in ledger.pending.iter().filter(|entry| entry.seq > before) {
            let unexplained = crash_spec(UNEXPLAINED) == entry.report && entry.add.count > 0;
            assert!(entry.add.inferred == 0 || open.len() == 1, "inferred with {} open bugs", open.len());
            assert!(!unexplained || open.len() != 1, "unexplained with one open bug");
        }
    }

    /// Whether the ledger takes it for claimed because later ones are.
    fn is_past(&self, (pod, restart): Death) -> bool {
        let row = self.ledger.as_ref().and_then(|(_, ledger)| ledger.row(&pod_uid(pod)));
        row.is_some_and(|row| row.holds(&self.instance(pod, restart)))
    }

    fn room(&self) -> usize {
        if self.dangers.crowding { ROOM.saturating_sub(self.reports.len()) } else { usize::MAX }
    }

    fn instance(&self, pod: usize, restart: i32) -> Instance {
        self.instances[&(pod, restart)].clone()
    }

    /// Whether an entry is still to be applied. One that is confirmed stays where its clearing met a newer version.
    fn is_due(&self, entry: &Entry) -> bool {
        match self.reports.get(&entry.report) {
            Some(report) => self.mark(report) < entry.seq && is_for(entry, report),
            None => entry.base == Base::Absent,
        }
    }

    fn noted_of(&self, pod: usize) -> impl Iterator<Item = i32> {
        self.noted.range((pod, 0)..=(pod, i32::MAX)).map(|(_, restart)| *restart)
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

    /// Whether no operator can still be about to create a report, but perhaps the one who asks.
    fn is_settled(&self, name: &str, but: Option<usize>) -> bool {
        let began_before = |round: &u64| self.unsettled.get(name).is_some_and(|step| round <= step);
        let pending = self.ledger.iter().flat_map(|(_, ledger)| &ledger.pending);
        let creating = pending.filter(|entry| entry.base == Base::Absent).any(|entry| entry.report == name);
        let others = self.rounds.iter().enumerate().filter(|(index, _)| Some(*index) != but);
        !creating && !others.filter_map(|(_, round)| round.as_ref()).any(began_before)
    }

    /// A report gives way: its counts are in an entry of the ledger.
    fn fold_away(&mut self, name: &str, old: &str) -> Result<(), Refused<&'static str>> {
        if self.reports.get(name).is_some_and(|report| uid(report) == old) {
            self.reports.remove(name);
            self.folded += 1;
        }
        Ok(())
    }

    /// A user deletes a report, once no operator can still be about to create it.
    fn delete_one(&mut self) {
        let names: Vec<String> = self.reports.keys().filter(|name| self.is_settled(name, None)).cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = &names[self.random.below(names.len() as u64) as usize];
        let report = self.reports.remove(name).unwrap();
        let mark = self.mark(&report);
        let pending = self.ledger.iter().flat_map(|(_, ledger)| &ledger.pending);
        let lost = pending.filter(|e| &e.report == name && e.seq > mark && e.base == Base::Uid(uid(&report)));
        let taken_over =
            self.ledger.iter().flat_map(|(_, ledger)| ledger.giving_way()).any(|it| it.uid == uid(&report));
        let held = if taken_over { 0 } else { held(&report) };
        self.buried += held + lost.map(amount).sum::<i64>();
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
    fn listed(&self) -> Vec<Death> {
        let recent = |pod: usize| {
            let deaths = self.pods[pod].len() as i32;
            ((deaths - 2).max(0)..deaths).map(move |restart| (pod, restart))
        };
        (0..self.pods.len()).filter(|pod| !self.gone.contains(pod)).flat_map(recent).collect()
    }
}

fn pod_name(pod: usize) -> String {
    format!("pod{pod}")
}

fn is_for(entry: &Entry, report: &CrashReport) -> bool {
    !matches!(&entry.base, Base::Uid(other) if *other != uid(report))
}

fn pod_uid(pod: usize) -> String {
    format!("uid-{}", pod_name(pod))
}

/// Name of the report with that fingerprint.
fn crash_spec(fingerprint: &str) -> String {
    let sample = crash("pod0", 0, 0, 0);
    crate::report::report_name(&sample.workload, &sample.termination.container, fingerprint)
}

type Inbox = Rc<RefCell<VecDeque<Death>>>;

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
        lock(world).batches[index].clear();
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
    let mut passes: Vec<Pass> = Vec::new();
    loop {
        lock(&world).rounds[index] = Some(lock_step(&world));
        if owed {
            owed = clerk.settle(now).await.is_err() || clerk.owes();
        }
        let size = 1 + lock(&world).random.below(3) as usize;
        let (batch, harmless) = sort(&world, take(&inbox, size));
        passes.extend(harmless);
        if !batch.is_empty() {
            owed |= count(&mut clerk, &world, index, &batch, &passes, &inbox).await;
        }
        passes.retain(|pass| !clerk.has(pass));
        if !passes.is_empty() {
            lock(&world).batches[index].clear();
            owed |= note(&mut clerk, &passes).await;
        }
        let tidy = lock(&world).random.percent(30) || lock(&world).calm;
        if tidy && clerk.clear().await.is_err() {
            owed = true;
        }
        lock(&world).rounds[index] = None;
        step().await;
    }
}

/// Claims and applies, or claims alone; whether something is owed then.
async fn count(
    clerk: &mut Clerk<Calls>,
    world: &Shared,
    index: usize,
    batch: &[Death],
    passes: &[Pass],
    inbox: &Inbox,
) -> bool {
    lock(world).batches[index] = batch.to_vec();
    let claims: Vec<Claim> = batch.iter().map(|(pod, restart)| Claim::of(&judge(world, *pod, *restart))).collect();
    let batched = Batch { claims: &claims, passes, folds: &[] };
    let later = lock(world).random.percent(30);
    let claimed = clerk.claim(batched).await;
    lock(world).batches[index].clear();
    let done = match claimed {
        Ok(_) if later => Ok(()),
        Ok(placed) => clerk.apply(placed, at(1_000_000)).await.map(drop),
        Err(error) => Err(error),
    };
    if done.is_err() {
        batch.iter().rev().for_each(|seen| inbox.borrow_mut().push_front(*seen));
    }
    done.is_ok() && clerk.owes()
}

/// Has the ledger note harmless ones that it should know.
async fn note(clerk: &mut Clerk<Calls>, passes: &[Pass]) -> bool {
    if clerk.look().await.is_err() {
        return false;
    }
    let wanted = clerk.wanted(passes);
    !wanted.is_empty() && clerk.claim(Batch { passes: &wanted, ..Batch::default() }).await.is_ok() && clerk.owes()
}

/// What of the terminations that an operator sees it takes for crashes, and what for harmless.
fn sort(world: &Shared, seen: Vec<Death>) -> (Vec<Death>, Vec<Pass>) {
    let mut world = lock(world);
    let (mut crashes, mut passes) = (Vec::new(), Vec::new());
    for (pod, restart) in seen {
        if world.harmless.contains(&(pod, restart)) && !world.random.percent(10) {
            world.looked.insert((pod, restart));
            passes.push(Pass { pod_uid: pod_uid(pod), instance: world.instance(pod, restart), unseen: 0 });
        } else {
            crashes.push((pod, restart));
        }
    }
    (crashes, passes)
}

fn lock_step(world: &Shared) -> u64 {
    lock(world).step
}

fn take(inbox: &Inbox, size: usize) -> Vec<Death> {
    let mut inbox = inbox.borrow_mut();
    let size = size.min(inbox.len());
    inbox.drain(..size).collect()
}

/// The operators do not agree on what a death was, nor on whether its log could be had.
fn judge(world: &Shared, pod: usize, restart: i32) -> Counted {
    let mut world = lock(world);
    let bugs = if world.dangers.crowding { 5 } else { 2 };
    let bug = world.random.below(bugs);
    let mut counted = world.death(pod, restart, bug);
    let unsure = if world.dangers.crowding { 70 } else { 30 };
    if world.random.percent(unsure) {
        counted.classification.finding.confidence = Confidence::Medium;
    }
    if world.random.percent(40) { unread(counted) } else { counted }
}

/// Runs one schedule and compares the books; gives how many reports gave way.
fn run(seed: u64, dangers: Dangers) -> u64 {
    let world = World {
        random: Random(seed),
        dangers,
        calm: false,
        step: 0,
        versions: 0,
        ledger: None,
        ledgers: 0,
        gone: BTreeSet::new(),
        reports: BTreeMap::new(),
        dead: BTreeSet::new(),
        buried: 0,
        deletions: 0,
        folded: 0,
        late: BTreeSet::new(),
        claimed: BTreeSet::new(),
        instances: BTreeMap::new(),
        harmless: BTreeSet::new(),
        looked: BTreeSet::new(),
        noted: BTreeSet::new(),
        batches: [Vec::new(), Vec::new()],
        unsettled: BTreeMap::new(),
        rounds: [None, None],
        pods: vec![Vec::new(), Vec::new()],
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
    lock(&world).folded
}

/// Whether everything is taken in, and nothing is pending or under way.
fn is_quiet(world: &Shared, operators: &[Operator; 2]) -> bool {
    let world = lock(world);
    let pending = world.ledger.iter().flat_map(|(_, ledger)| &ledger.pending).any(|entry| world.is_due(entry));
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
        16..20 if dangers.forgetting => forget_one(world, operators),
        _ => operators[who].poll(),
    }
}

fn die(world: &Shared, operators: &mut [Operator; 2]) {
    let mut world = lock(world);
    // Two pods live at a time; one that is gone has a successor.
    let living: Vec<usize> = (0..world.pods.len()).filter(|pod| !world.gone.contains(pod)).collect();
    let pod = living[world.random.below(living.len() as u64) as usize];
    let (restart, step) = (world.pods[pod].len() as i32, world.step as i64);
    world.pods[pod].push(step);
    let death = world.death(pod, restart, 0);
    world.instances.insert((pod, restart), Instance::of(&death.termination, death.ended_at()));
    if world.random.percent(15) {
        world.harmless.insert((pod, restart));
    }
    for operator in operators {
        let blind = world.dangers.blindness && world.random.percent(30);
        if !blind {
            operator.inbox.borrow_mut().push_back((pod, restart));
        }
    }
}

/// Forgets a pod of which no operator has anything in hand that it has not claimed: ten minutes are longer than that.
fn forget_one(world: &Shared, operators: &[Operator; 2]) {
    let mut world = lock(world);
    let pods = world.pods.len() as u64;
    let pod = world.random.below(pods) as usize;
    let claiming = |index: usize| world.batches[index].iter().any(|(own, _)| *own == pod);
    let unread = operators.iter().any(|operator| operator.inbox.borrow().iter().any(|(own, _)| *own == pod));
    if unread || (0..operators.len()).any(claiming) || world.gone.contains(&pod) || world.pods[pod].is_empty() {
        return;
    }
    world.pods.push(Vec::new());
    world.forget(pod);
}

fn check(seed: u64, world: &World) {
    let empty =
        |report: &CrashReport| held(report) == 0 || report.status.as_ref().is_none_or(|it| it.finding.is_none());
    assert!(!world.reports.values().any(empty), "seed {seed}: a report says nothing");
    let (missed, forgotten) = missed(world);
    let truth = world.claimed.len() as i64 + missed;
    let total = world.buried + world.reports.values().map(held).sum::<i64>();
    // One that was first counted as unseen, in a report deleted since, cannot be taken back from there.
    let taken_back = if world.deletions > 0 { world.late.len() as i64 + world.noted.len() as i64 } else { 0 };
    let slack = taken_back + forgotten;
    assert!(
        (truth..=truth + slack).contains(&total),
        "seed {seed}, {:?}: {truth} happened, {total} counted, of these {} in deleted reports",
        world.dangers,
        world.buried
    );
    if world.deletions == 0 {
        // What an operator claimed, or looked at, is nowhere counted as unseen.
        let unseen: i64 = world.reports.values().map(|report| report.status.as_ref().map_or(0, |s| s.unseen)).sum();
        assert!((missed..=missed + forgotten).contains(&unseen), "seed {seed}, {:?}: {unseen}", world.dangers);
    }
}

/// Terminations between the first and the last one of a pod that are known, which nobody claimed: those that nobody has
/// looked at, and the harmless ones that an operator had looked at and took with it when it was killed, or came with
/// after four later ones were claimed.
fn missed(world: &World) -> (i64, i64) {
    let (mut unseen, mut forgotten) = (0, 0);
    for pod in 0..world.pods.len() {
        let claimed = world.claimed_of(pod);
        let Some(last) = claimed.last() else { continue };
        let known = || claimed.iter().copied().chain(world.noted_of(pod));
        let (first, end) = known().min().zip(known().max()).unwrap();
        for death in (first..end).map(|restart| (pod, restart)).filter(|death| !world.claimed.contains(death)) {
            match world.harmless.contains(&death) && world.looked.contains(&death) {
                true if world.noted.contains(&death) => {}
                true if world.dangers.kills || world.is_past(death) || world.gone.contains(&pod) => forgotten += 1,
                true => {}
                // What a harmless one skipped is counted with the next crash, if there is one.
                false if death.1 > *last => forgotten += 1,
                false => unseen += 1,
            }
        }
    }
    (unseen, forgotten)
}

const ALL: Dangers =
    Dangers { kills: true, deletions: true, faults: true, blindness: true, crowding: false, forgetting: false };

/// Runs `schedules` schedules, or so many times more as `CORONER_SCHEDULES` says: 10 for a hundred thousand in all.
fn run_all(name: u64, schedules: u64, dangers: Dangers) -> u64 {
    let times = std::env::var("CORONER_SCHEDULES").map_or(1, |times| times.parse().unwrap());
    (0..schedules * times).map(|number| run(name << 32 | number, dangers)).sum()
}

#[test]
fn two_operators_count_everything_once_whatever_is_cut_off_where() {
    run_all(1, 3000, Dangers { deletions: false, ..ALL });
}

#[test]
fn reports_that_are_deleted_take_their_counts_with_them_and_no_others() {
    run_all(2, 3000, Dangers { blindness: false, ..ALL });
}

#[test]
fn an_operator_that_sees_only_some_deaths_adds_what_the_other_one_missed() {
    run_all(3, 1500, ALL);
}

#[test]
fn pods_and_ledgers_that_are_forgotten_leave_nothing_to_be_counted_again() {
    run_all(6, 3000, Dangers { deletions: false, blindness: false, forgetting: true, ..ALL });
}

#[test]
fn what_there_is_no_room_for_is_counted_among_others() {
    let folded = run_all(4, 1500, Dangers { crowding: true, ..ALL });
    assert!(folded >= 50, "{folded} reports gave way");
}

#[test]
fn without_a_kill_no_harmless_exit_is_ever_taken_for_one_that_nobody_saw() {
    run_all(5, 1000, Dangers { kills: false, deletions: false, ..ALL });
}
