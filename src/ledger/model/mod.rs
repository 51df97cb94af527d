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

mod operator;
mod world;

use operator::*;
use world::*;

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

/// How long an operator is held up: long enough for the other one to count, clear and forget.
const STALL: u64 = 120;

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
        16..20 if dangers.forgetting => forget_some(world, operators),
        20..22 if dangers.forgetting => operators[who].stalled = lock_step(world) + STALL,
        _ => operators[who].poll_at(lock_step(world), world),
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
    let step = world.step;
    for operator in operators.iter().filter(|operator| operator.stalled <= step) {
        let blind = world.dangers.blindness && world.random.percent(30);
        if !blind {
            operator.inbox.borrow_mut().push_back((pod, restart));
        }
    }
}

/// Forgets the pods of which no operator has anything in hand that it has not claimed: ten minutes are longer than that.
fn forget_some(world: &Shared, operators: &[Operator; 2]) {
    let mut world = lock(world);
    let in_hand = |pod: usize| {
        let read = operators.iter().any(|operator| operator.inbox.borrow().iter().any(|(own, _)| *own == pod));
        read || world.batches.iter().flatten().any(|(own, _)| *own == pod)
    };
    let over = |pod: &usize| !world.gone.contains(pod) && !world.pods[*pod].is_empty() && !in_hand(*pod);
    let pods: Vec<usize> = (0..world.pods.len()).filter(over).collect();
    for pod in pods {
        world.pods.push(Vec::new());
        world.forget(pod);
    }
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
