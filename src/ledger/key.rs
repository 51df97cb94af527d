//! Which ledger a termination belongs to, and the name of the object that holds it.

use serde::{Deserialize, Serialize};

use crate::report::{Counted, Workload, hex_hash};

/// Hexadecimal digits of the hash in a ledger's name: 80 bits, since two keys under one name would share their counts.
const HASH_DIGITS: usize = 20;

/// One container of one workload: what one ledger is kept for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LedgerKey {
    /// Namespace of the workload.
    pub namespace: String,
    /// Kind of the workload.
    pub kind: String,
    /// Name of the workload.
    pub workload: String,
    /// The container.
    pub container: String,
}

impl LedgerKey {
    /// The key of a workload's container.
    pub fn new(namespace: &str, workload: &Workload, container: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            kind: workload.kind.clone(),
            workload: workload.name.clone(),
            container: container.to_owned(),
        }
    }

    /// The key under which a termination is counted.
    pub fn of(counted: &Counted) -> Self {
        Self::new(&counted.termination.pod.namespace, &counted.workload, &counted.termination.container)
    }

    /// Name of the object that holds this ledger: a hash, since four names do not fit into one.
    pub fn object_name(&self) -> String {
        let hash = hex_hash(&[&self.namespace, &self.kind, &self.workload, &self.container], HASH_DIGITS);
        format!("coroner-ledger-{hash}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::crash;

    #[test]
    fn each_part_of_the_key_gives_another_object() {
        let key = LedgerKey::of(&crash("a", 0, 10, 1));
        let others = [
            LedgerKey { namespace: "x".into(), ..key.clone() },
            LedgerKey { kind: "x".into(), ..key.clone() },
            LedgerKey { workload: "x".into(), ..key.clone() },
            LedgerKey { container: "x".into(), ..key.clone() },
        ];
        assert!(others.iter().all(|other| other.object_name() != key.object_name()));
        assert_eq!(key.object_name(), LedgerKey::of(&crash("b", 9, 99, 2)).object_name());
    }
}
