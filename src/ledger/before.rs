//! What was claimed when this operator started. Pure.
//!
//! The first list shows every termination that the pods' status still holds, nearly all of them counted long ago. Without
//! this each start would read all their logs again, at the cost of those that are new, only to lose the claims.

use std::collections::HashMap;

use k8s_openapi::jiff::Timestamp;

use super::Ledger;
use super::row::{Instance, Row};
use crate::termination::Termination;

/// Terminations that need neither a log nor a claim again.
#[derive(Debug, Default)]
pub struct ClaimedBefore {
    /// By pod UID and container: a pod belongs to one workload, so there is one ledger for the two.
    rows: HashMap<String, HashMap<String, Row>>,
}

impl ClaimedBefore {
    /// What these ledgers hold.
    pub fn of(ledgers: impl IntoIterator<Item = Ledger>) -> Self {
        let mut before = Self::default();
        for ledger in ledgers {
            let container = ledger.key.container.clone();
            for (pod, row) in ledger.into_rows() {
                before.rows.entry(pod).or_default().insert(container.clone(), row);
            }
        }
        before
    }

    /// Whether a termination was claimed by then. What was claimed stays so; what was not may be by now.
    pub fn holds(&self, termination: &Termination, now: Timestamp) -> bool {
        let row = self.rows.get(&termination.pod.uid).and_then(|rows| rows.get(&termination.container));
        row.is_some_and(|row| row.counts(&Instance::of(termination, termination.finished_at.unwrap_or(now))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::{Batch, Claim, LedgerKey};
    use crate::report::samples::{at, crash};

    #[test]
    fn what_is_claimed_is_known_and_nothing_else_is() {
        let [old, new, other] = [crash("a", 0, 10, 1), crash("a", 1, 20, 1), crash("b", 0, 10, 1)];
        let mut ledger = Ledger::new(LedgerKey::of(&old));
        let claims = [Claim::of(&old)];
        ledger.claim(Batch { claims: &claims, passes: &[], folds: &[] }, &BTreeMap::new(), "me");
        let before = ClaimedBefore::of([ledger]);
        let held = [&old, &new, &other].map(|counted| before.holds(&counted.termination, at(99)));
        assert_eq!(held, [true, false, false]);
        let mut elsewhere = (*old.termination).clone();
        elsewhere.container = "sidecar".into();
        assert!(!before.holds(&elsewhere, at(99)));
    }
}
