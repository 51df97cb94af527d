//! Who reads next. Pure: no clock but the one passed in, no tasks.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use super::limit::LimitOptions;
use crate::termination::Termination;

/// Logs of the same kind of death being read at once: the first of them tell what the others died of, and should more be
/// wanted than can be read, those are then not read in vain.
const PER_KIND: usize = 4;
/// How many logs of one kind of death are enough when more are wanted than can be read: a handful, or fewer where there
/// are so many kinds that each can have no more.
const ENOUGH: usize = 3;
/// How long a read is remembered: a storm is over by then, and the next one is another bug.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Kinds remembered, and namespaces that were served: some hundred kilobytes.
const KEPT: usize = 4096;

/// What kind of death it is, as far as can be told before its log is read: workload, container, image and exit facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(u64);

impl Kind {
    /// The kind of a termination.
    pub fn of(termination: &Termination) -> Self {
        let pod = &termination.pod;
        let controller = pod.controller.as_ref().map(|it| (&it.kind, &it.name));
        let alone = (&pod.generate_name, &pod.app_name, (pod.generate_name.is_none()).then_some(&pod.name));
        let mut hash = DefaultHasher::new();
        (&pod.namespace, controller, controller.is_none().then_some(alone)).hash(&mut hash);
        (&termination.container, &termination.image, &termination.image_id).hash(&mut hash);
        (termination.exit_code, termination.signal, &termination.reason).hash(&mut hash);
        Self(hash.finish())
    }
}

/// Who wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The node of the pod.
    pub node: Option<String>,
    /// The namespace of the pod.
    pub namespace: String,
    /// What died.
    pub kind: Kind,
}

/// Who waits and who reads.
#[derive(Debug)]
pub(super) struct Queue<T> {
    options: LimitOptions,
    waiting: Vec<Waiting<T>>,
    reading: usize,
    nodes: HashMap<String, usize>,
    kinds: HashMap<Kind, usize>,
    read: HashMap<Kind, (u32, Instant)>,
    /// By namespace when it was last served.
    served: HashMap<String, u64>,
    turns: u64,
    tickets: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    ticket: u64,
    wanted: Wanted,
    tell: T,
}

impl<T> Queue<T> {
    pub fn new(options: LimitOptions) -> Self {
        Self {
            options,
            waiting: Vec::new(),
            reading: 0,
            nodes: HashMap::new(),
            kinds: HashMap::new(),
            read: HashMap::new(),
            served: HashMap::new(),
            turns: 0,
            tickets: 0,
        }
    }

    /// Takes a place in the queue; gives its ticket.
    pub fn enter(&mut self, wanted: Wanted, tell: T) -> u64 {
        self.tickets += 1;
        self.waiting.push(Waiting { ticket: self.tickets, wanted, tell });
        self.tickets
    }

    /// Leaves the queue, if the ticket is still in there.
    pub fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|waiting| waiting.ticket != ticket);
    }

    /// Whether a turn could be given now.
    pub fn has_next(&self) -> bool {
        self.best().is_some()
    }

    /// Gives the next turn to who has it: what was never read comes first, and of several namespaces the one that has
    /// waited longest. Of one kind the newest death is read, whose log is the surest to be there still: the kubelet keeps
    /// two. Who waits for a busy node holds nobody up.
    pub fn next(&mut self) -> Option<(Wanted, T)> {
        let kind = self.waiting[self.best()?].wanted.kind;
        let newest = self.waiting.iter().rposition(|it| it.wanted.kind == kind && self.has_room(&it.wanted))?;
        let Waiting { wanted, tell, .. } = self.waiting.remove(newest);
        self.turns += 1;
        self.reading += 1;
        if let Some(node) = &wanted.node {
            *self.nodes.entry(node.clone()).or_default() += 1;
        }
        *self.kinds.entry(wanted.kind).or_default() += 1;
        if self.served.len() >= KEPT {
            let waiting = &self.waiting;
            self.served.retain(|name, _| waiting.iter().any(|it| it.wanted.namespace == *name));
        }
        self.served.insert(wanted.namespace.clone(), self.turns);
        Some((wanted, tell))
    }

    /// Takes a turn back.
    pub fn done(&mut self, wanted: &Wanted) {
        self.reading = self.reading.saturating_sub(1);
        if let Some(node) = &wanted.node {
            take_one(&mut self.nodes, node);
        }
        take_one(&mut self.kinds, &wanted.kind);
    }

    /// Notes that a log of this kind was had.
    pub fn had(&mut self, kind: Kind, now: Instant) {
        if self.read.len() >= KEPT {
            self.read.retain(|_, (_, at)| now.duration_since(*at) < REMEMBERED);
        }
        if self.read.len() >= KEPT {
            // More kinds than are kept died within minutes: what is forgotten is read once more.
            self.read.clear();
        }
        let (times, at) = self.read.entry(kind).or_insert((0, now));
        *times = if now.duration_since(*at) < REMEMBERED { *times + 1 } else { 1 };
        *at = now;
    }

    /// Where more is wanted than can be read in time, takes those out whose kind has been read often enough.
    pub fn refuse(&mut self, now: Instant) -> Vec<T> {
        if self.waiting.len() <= self.capacity() {
            return Vec::new();
        }
        let kinds: HashSet<Kind> = self.waiting.iter().map(|waiting| waiting.wanted.kind).collect();
        let each = (self.capacity() / kinds.len().max(1)).clamp(1, ENOUGH);
        let read = &self.read;
        let enough = |kind: &Kind| {
            read.get(kind).is_some_and(|(times, at)| *times as usize >= each && now.duration_since(*at) < REMEMBERED)
        };
        self.waiting.extract_if(.., |waiting| enough(&waiting.wanted.kind)).map(|waiting| waiting.tell).collect()
    }

    /// How many can have their turn within the time that they wait for one.
    fn capacity(&self) -> usize {
        let LimitOptions { per_second, burst, wait, .. } = self.options;
        let seconds = usize::try_from(wait.as_secs()).unwrap_or(usize::MAX);
        (per_second.get() as usize).saturating_mul(seconds).saturating_add(burst.get() as usize)
    }

    fn best(&self) -> Option<usize> {
        if self.reading >= self.options.in_flight.get() {
            return None;
        }
        let order = |(_, it): &(usize, &Waiting<T>)| {
            let known = self.read.contains_key(&it.wanted.kind) || self.kinds.contains_key(&it.wanted.kind);
            (known, self.served.get(&it.wanted.namespace).copied().unwrap_or(0), it.ticket)
        };
        let may = |(_, it): &(usize, &Waiting<T>)| self.has_room(&it.wanted);
        self.waiting.iter().enumerate().filter(may).min_by_key(order).map(|(at, _)| at)
    }

    fn has_room(&self, wanted: &Wanted) -> bool {
        let on_node = wanted.node.as_ref().and_then(|node| self.nodes.get(node)).copied().unwrap_or(0);
        let of_kind = self.kinds.get(&wanted.kind).copied().unwrap_or(0);
        on_node < self.options.per_node.get() && of_kind < PER_KIND
    }
}

fn take_one<K: Hash + Eq + Clone>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::num::{NonZeroU32, NonZeroUsize};

    use super::*;

    fn queue(in_flight: usize, per_node: usize) -> Queue<u64> {
        Queue::new(LimitOptions {
            in_flight: NonZeroUsize::new(in_flight).unwrap(),
            per_node: NonZeroUsize::new(per_node).unwrap(),
            per_second: NonZeroU32::new(1).unwrap(),
            burst: NonZeroU32::new(1).unwrap(),
            wait: Duration::from_secs(9),
        })
    }

    fn wanted(namespace: &str, node: &str, kind: u64) -> Wanted {
        Wanted { node: Some(node.into()), namespace: namespace.into(), kind: Kind(kind) }
    }

    /// The kinds in the order in which they have their turns, each given back at once.
    fn order(queue: &mut Queue<u64>) -> Vec<u64> {
        std::iter::from_fn(|| {
            let (wanted, tell) = queue.next()?;
            queue.done(&wanted);
            Some(tell)
        })
        .collect()
    }

    #[test]
    fn namespaces_take_turns_however_much_one_of_them_wants() {
        let mut queue = queue(1, 1);
        for number in 0..4 {
            queue.enter(wanted("loud", "n", number), number);
        }
        queue.enter(wanted("quiet", "n", 10), 10);
        queue.enter(wanted("quiet", "n", 11), 11);
        assert_eq!(order(&mut queue), [0, 10, 1, 11, 2, 3]);
    }

    #[test]
    fn what_was_never_read_comes_first() {
        let mut queue = queue(1, 1);
        queue.had(Kind(1), Instant::now());
        for (tell, kind) in [(0, 1), (1, 1), (2, 2)] {
            queue.enter(wanted("a", "n", kind), tell);
        }
        assert_eq!(order(&mut queue), [2, 1, 0], "and of one kind the newest");
    }

    #[test]
    fn who_waits_for_a_busy_node_holds_nobody_up() {
        let mut queue = queue(8, 1);
        for (tell, node) in [(0, "n"), (1, "n"), (2, "m")] {
            queue.enter(wanted("a", node, tell), tell);
        }
        let first = queue.next().unwrap().0;
        assert_eq!((queue.next().unwrap().1, queue.has_next()), (2, false));
        queue.done(&first);
        assert_eq!(queue.next().unwrap().1, 1);
    }

    #[test]
    fn of_one_kind_few_are_read_at_once() {
        let mut queue = queue(100, 100);
        for tell in 0..10 {
            queue.enter(wanted("a", "n", 1), tell);
        }
        queue.enter(wanted("a", "n", 2), 99);
        let given: Vec<u64> = std::iter::from_fn(|| queue.next().map(|(_, tell)| tell)).collect();
        assert_eq!(given, [9, 99, 8, 7, 6]);
    }

    #[test]
    fn only_where_more_is_wanted_than_can_be_read_are_those_refused_that_are_known() {
        let (mut queue, now) = (queue(1, 1), Instant::now());
        (0..ENOUGH).for_each(|_| queue.had(Kind(1), now));
        for tell in 0..10 {
            queue.enter(wanted("a", "n", 1), tell);
        }
        assert!(queue.refuse(now).is_empty(), "ten are read in ten seconds");
        queue.enter(wanted("a", "n", 2), 99);
        assert_eq!(queue.refuse(now).len(), 10);
        assert_eq!(order(&mut queue), [99]);
    }

    #[test]
    fn what_was_read_long_ago_is_read_again() {
        let (mut queue, now) = (queue(1, 1), Instant::now());
        (0..ENOUGH).for_each(|_| queue.had(Kind(1), now));
        (0..20).for_each(|tell| {
            queue.enter(wanted("a", "n", 1), tell);
        });
        assert!(queue.refuse(now + REMEMBERED).is_empty());
    }
}
