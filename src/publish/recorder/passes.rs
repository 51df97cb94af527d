//! Terminations that are no crashes, kept until a ledger has use for them: most never do, since nothing else of their
//! pod ends badly. So a harmless exit costs no call; what has one waiting is written with the next claim.

use std::collections::{HashMap, VecDeque};

use crate::ledger::{LedgerKey, Pass};

/// Most that are kept, the oldest going first: about a megabyte. Only a container that was restarted has any.
const KEPT: usize = 4096;

/// Harmless terminations by ledger.
#[derive(Debug, Default)]
pub struct Passes {
    by_key: HashMap<LedgerKey, Vec<Pass>>,
    order: VecDeque<LedgerKey>,
}

impl Passes {
    /// Keeps one; one of a first instance is never missed by anything.
    pub fn keep(&mut self, key: &LedgerKey, pass: Pass) -> bool {
        if pass.instance.restart_count < 1 || self.by_key.get(key).is_some_and(|passes| passes.contains(&pass)) {
            return false;
        }
        self.by_key.entry(key.clone()).or_default().push(pass);
        self.order.push_back(key.clone());
        while self.order.len() > KEPT {
            self.drop_oldest();
        }
        true
    }

    /// Those of one ledger.
    pub fn of(&self, key: &LedgerKey) -> Vec<Pass> {
        self.by_key.get(key).cloned().unwrap_or_default()
    }

    /// Drops those of one ledger that it holds by now.
    pub fn drop_held(&mut self, key: &LedgerKey, held: impl Fn(&Pass) -> bool) {
        let Some(passes) = self.by_key.get_mut(key) else { return };
        let before = passes.len();
        passes.retain(|pass| !held(pass));
        let mut gone = before - passes.len();
        if passes.is_empty() {
            self.by_key.remove(key);
        }
        self.order.retain(|of| {
            let drop = gone > 0 && of == key;
            gone -= usize::from(drop);
            !drop
        });
    }

    fn drop_oldest(&mut self) {
        let Some(key) = self.order.pop_front() else { return };
        let Some(passes) = self.by_key.get_mut(&key) else { return };
        passes.remove(0);
        if passes.is_empty() {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Instance;

    fn pass(pod: &str, restart_count: i32) -> Pass {
        let instance = Instance { restart_count, finished_at: restart_count.into(), ..Instance::default() };
        Pass { pod_uid: pod.into(), instance, unseen: 0 }
    }

    #[test]
    fn only_what_came_after_a_restart_is_kept_and_once() {
        let (mut passes, key) = (Passes::default(), LedgerKey::default());
        assert!(!passes.keep(&key, pass("a", 0)));
        assert!(passes.keep(&key, pass("a", 1)) && !passes.keep(&key, pass("a", 1)));
        passes.drop_held(&key, |_| true);
        assert!(passes.of(&key).is_empty() && passes.order.is_empty());
    }

    #[test]
    fn of_too_many_the_oldest_go() {
        let (mut passes, key) = (Passes::default(), LedgerKey::default());
        for number in 0..KEPT + 10 {
            passes.keep(&key, pass(&format!("pod-{number}"), 1));
        }
        assert_eq!((passes.of(&key).len(), passes.of(&key)[0].pod_uid.as_str()), (KEPT, "pod-10"));
    }
}
