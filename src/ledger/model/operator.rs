//! An operator as a process that can be killed between any two calls.

use super::*;

pub(super) type Inbox = Rc<RefCell<VecDeque<Death>>>;

/// One operator as a process that can be killed.
pub(super) struct Operator {
    pub(super) index: usize,
    pub(super) lives: u64,
    /// Until which step it is held up, as by SIGSTOP; 0 if it is not.
    pub(super) stalled: u64,
    pub(super) inbox: Inbox,
    pub(super) running: Pin<Box<dyn Future<Output = ()>>>,
}

impl Operator {
    pub(super) fn start(index: usize, lives: u64, world: &Shared) -> Self {
        let inbox: Inbox = Rc::new(RefCell::new(lock(world).listed().into()));
        lock(world).rounds[index] = None;
        lock(world).batches[index].clear();
        let running = Box::pin(operate(index, lives, world.clone(), inbox.clone()));
        Self { index, lives, stalled: 0, inbox, running }
    }

    pub(super) fn kill_and_start(&mut self, world: &Shared) {
        *self = Self::start(self.index, self.lives + 1, world);
    }

    /// Goes on, unless it is held up. After that it lists the pods anew.
    pub(super) fn poll_at(&mut self, step: u64, world: &Shared) {
        if step < self.stalled {
            return;
        }
        if std::mem::take(&mut self.stalled) > 0 {
            self.inbox.borrow_mut().extend(lock(world).listed());
        }
        self.poll();
    }

    pub(super) fn poll(&mut self) {
        assert!(self.running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

/// What an operator does: replays, then counts what comes in; what could not be claimed is tried again.
pub(super) async fn operate(index: usize, lives: u64, world: Shared, inbox: Inbox) {
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
pub(super) async fn count(
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
pub(super) async fn note(clerk: &mut Clerk<Calls>, passes: &[Pass]) -> bool {
    if clerk.look().await.is_err() {
        return false;
    }
    let wanted = clerk.wanted(passes);
    !wanted.is_empty() && clerk.claim(Batch { passes: &wanted, ..Batch::default() }).await.is_ok() && clerk.owes()
}

/// What of the terminations that an operator sees it takes for crashes, and what for harmless.
pub(super) fn sort(world: &Shared, seen: Vec<Death>) -> (Vec<Death>, Vec<Pass>) {
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

pub(super) fn lock_step(world: &Shared) -> u64 {
    lock(world).step
}

pub(super) fn take(inbox: &Inbox, size: usize) -> Vec<Death> {
    let mut inbox = inbox.borrow_mut();
    let size = size.min(inbox.len());
    inbox.drain(..size).collect()
}

/// The operators do not agree on what a death was, nor on whether its log could be had.
pub(super) fn judge(world: &Shared, pod: usize, restart: i32) -> Counted {
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
