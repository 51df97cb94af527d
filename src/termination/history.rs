//! What is remembered of the pods: just enough to tell a new termination from one already seen.
//!
//! Most pods never restart, so the common entry is 40 bytes; only a container that ended or restarted has a history.
//! UIDs are kept as the 128 bits that they are; names, container IDs and namespaces as 64-bit hashes with a random key
//! of this process. A hash of a container ID is only ever compared with the four last ones of the same container, a
//! name with the other names of its pod: even with 100,000 pods of ten containers that restart once a minute, the first
//! termination lost to a collision is due in some million years.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

/// Identities remembered of a container. The status shows two at most; an older one can show again when the kubelet
/// rebuilds a status after the newer container was removed.
const IDENTITIES: usize = 4;

/// A pod's UID: its 128 bits, or two hashes where it is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PodKey([u64; 2]);

/// All pods that are known.
#[derive(Debug, Default)]
pub(super) struct Histories {
    keys: RandomState,
    pods: HashMap<PodKey, Known>,
}

/// One pod.
#[derive(Debug, Default)]
struct Known {
    namespace: u64,
    /// The number of the latest list that had begun when it was last seen.
    seen: u32,
    history: Option<Box<History>>,
}

/// The containers of a pod that ended or restarted at least once.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    containers: Vec<Container>,
    /// The end of the pod as its status states it was told already.
    pub told: bool,
}

/// One container that ended or restarted at least once.
#[derive(Clone, Debug, Default)]
pub(super) struct Container {
    name: u64,
    /// The restart count at the last look.
    pub restart_count: i32,
    /// The restart count of the next instance whose end is not accounted for.
    pub accounted: i32,
    identities: [u64; IDENTITIES],
}

impl Container {
    /// Remembers an identity; `false` if it was known.
    pub fn remember(&mut self, identity: u64) -> bool {
        if self.identities.contains(&identity) {
            return false;
        }
        self.identities.rotate_right(1);
        self.identities[0] = identity;
        true
    }
}

impl History {
    /// The container of that name, new if it was not there.
    pub fn container(&mut self, name: u64) -> &mut Container {
        let at = self.containers.iter().position(|container| container.name == name).unwrap_or_else(|| {
            // Exact: a pod has few containers, and there are many pods.
            self.containers.reserve_exact(1);
            self.containers.push(Container { name, ..Container::default() });
            self.containers.len() - 1
        });
        &mut self.containers[at]
    }

    /// Whether that container ended or restarted before.
    pub fn has(&self, name: u64) -> bool {
        self.containers.iter().any(|container| container.name == name)
    }

    fn is_empty(&self) -> bool {
        self.containers.is_empty() && !self.told
    }
}

impl Histories {
    /// The key of a UID.
    pub fn key(&self, uid: &str) -> PodKey {
        uuid(uid).unwrap_or_else(|| PodKey([self.hash(&(0, uid)), self.hash(&(1, uid))]))
    }

    /// A hash that holds for this process; never 0, which an empty slot has.
    pub fn hash(&self, value: &impl Hash) -> u64 {
        self.keys.hash_one(value).max(1)
    }

    /// Takes the history of a pod out, to be put back by [`Self::put`]; `None` if the pod is not known.
    pub fn take(&mut self, pod: PodKey) -> Option<History> {
        let known = self.pods.get_mut(&pod)?;
        Some(known.history.take().map(|history| *history).unwrap_or_default())
    }

    /// Keeps the history of a pod that was seen while list number `seen` was the latest.
    pub fn put(&mut self, pod: PodKey, namespace: &str, seen: u32, history: History) {
        let history = (!history.is_empty()).then(|| Box::new(history));
        let known = Known { namespace: self.hash(&namespace), seen, history };
        self.pods.insert(pod, known);
    }

    /// Forgets a pod.
    pub fn forget(&mut self, pod: PodKey) {
        self.pods.remove(&pod);
    }

    /// Forgets the pods, of one namespace or of all, that were not seen since list number `since` began.
    pub fn sweep(&mut self, namespace: Option<&str>, since: u32) -> Vec<PodKey> {
        let namespace = namespace.map(|namespace| self.hash(&namespace));
        let gone = |known: &mut Known| known.seen < since && namespace.is_none_or(|own| own == known.namespace);
        self.pods.extract_if(|_, known| gone(known)).map(|(key, _)| key).collect()
    }

    /// Whether the pod is known.
    pub fn knows(&self, pod: PodKey) -> bool {
        self.pods.contains_key(&pod)
    }

    /// How many pods are known.
    pub fn len(&self) -> usize {
        self.pods.len()
    }
}

/// The bits of `8-4-4-4-12` hexadecimal digits.
fn uuid(uid: &str) -> Option<PodKey> {
    let mut bits: u128 = 0;
    let mut digits = 0;
    for (at, c) in uid.chars().enumerate() {
        match (c, at) {
            ('-', 8 | 13 | 18 | 23) => {}
            _ => {
                bits = (bits << 4) | u128::from(c.to_digit(16)?);
                digits += 1;
            }
        }
    }
    (digits == 32 && uid.len() == 36).then_some(PodKey([(bits >> 64) as u64, bits as u64]))
}
