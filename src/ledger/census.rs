//! How many reports there are, so that they stay bounded: report objects have taken API servers down.
//!
//! A first crash must not wait for a list, so what is known is what was listed last and what this process has opened
//! since. Only where that says that a bound is reached, the reports are listed anew: those that were deleted make room.
//! Two operators may each open one at the same moment, so a bound can be passed by as many as there are operators.
//!
//! Permissions: `crashreports` list.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use tokio::time::Instant;

use super::LedgerKey;
use crate::calls::{CallError, call};
use crate::report::{CrashReport, label_value, merge::LABEL_WORKLOAD};
use crate::watch::Scope;

/// Reports in one page of a list: only their metadata is asked for, but the managed fields in it are most of a report.
const PAGE: u32 = 100;
/// How often they are listed at most, where a bound stays reached: a workload that makes a new bug of every crash must
/// not have all reports listed each time.
const RELIST: Duration = Duration::from_secs(10);

/// How many reports there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Of one workload.
    pub per_workload: usize,
    /// In one namespace.
    pub per_namespace: usize,
    /// In all.
    pub per_cluster: usize,
}

impl Default for Caps {
    /// 2,000 reports of 16 KiB are 32 MB in etcd, and one workload with more than 20 bugs at once is not read anyway.
    fn default() -> Self {
        Self { per_workload: 20, per_namespace: 200, per_cluster: 2000 }
    }
}

/// Counts reports. Clones share what they know.
#[derive(Clone)]
pub struct Census(Arc<Inner>);

struct Inner {
    client: Client,
    scopes: Vec<Scope>,
    caps: Caps,
    known: Mutex<Known>,
    listing: tokio::sync::Mutex<()>,
}

/// Names of reports by namespace and by the label of their workload.
#[derive(Default)]
struct Known {
    names: HashMap<(String, String), BTreeSet<String>>,
    listed: Option<Instant>,
}

impl Known {
    fn room(&self, caps: &Caps, place: &(String, String)) -> usize {
        let of_workload = self.names.get(place).map_or(0, BTreeSet::len);
        let (mut of_namespace, mut of_all) = (0, 0);
        for ((namespace, _), names) in &self.names {
            of_all += names.len();
            of_namespace += if *namespace == place.0 { names.len() } else { 0 };
        }
        let left = [
            caps.per_workload.saturating_sub(of_workload),
            caps.per_namespace.saturating_sub(of_namespace),
            caps.per_cluster.saturating_sub(of_all),
        ];
        left.into_iter().min().unwrap_or(0)
    }

    fn add(&mut self, namespace: String, workload: String, name: String) {
        self.names.entry((namespace, workload)).or_default().insert(name);
    }
}

impl std::fmt::Debug for Census {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Census").field("caps", &self.0.caps).finish_non_exhaustive()
    }
}

impl Census {
    /// A census of the reports in these scopes that has not counted any yet.
    pub fn new(client: Client, scopes: Vec<Scope>, caps: Caps) -> Self {
        Self(Arc::new(Inner { client, scopes, caps, known: Mutex::default(), listing: tokio::sync::Mutex::default() }))
    }

    /// Counts all reports anew.
    ///
    /// # Errors
    /// When they could not be listed; what was known stays.
    pub async fn take(&self) -> Result<(), CallError> {
        let mut known = Known { listed: Some(Instant::now()), ..Known::default() };
        for scope in &self.0.scopes {
            self.list(scope, &mut known).await?;
        }
        *self.known() = known;
        Ok(())
    }

    /// How many reports more the workload of this key may have.
    pub async fn room(&self, key: &LedgerKey) -> usize {
        let place = place(key);
        let room = self.known().room(&self.0.caps, &place);
        if room > 0 {
            return room;
        }
        // One list for all who ask at the same time.
        let _listing = self.0.listing.lock().await;
        let recent = self.known().listed.is_some_and(|at| at.elapsed() < RELIST);
        if !recent && let Err(error) = self.take().await {
            tracing::warn!(%error, "the reports are not counted anew; their number is taken for as large as it was");
        }
        self.known().room(&self.0.caps, &place)
    }

    /// A report was opened.
    pub fn opened(&self, key: &LedgerKey, name: &str) {
        let (namespace, workload) = place(key);
        self.known().add(namespace, workload, name.to_owned());
    }

    /// A report was deleted.
    pub fn closed(&self, key: &LedgerKey, name: &str) {
        if let Some(names) = self.known().names.get_mut(&place(key)) {
            names.remove(name);
        }
    }

    async fn list(&self, scope: &Scope, known: &mut Known) -> Result<(), CallError> {
        let api: Api<CrashReport> = match scope {
            Scope::All => Api::all(self.0.client.clone()),
            Scope::Namespace(name) => Api::namespaced(self.0.client.clone(), name),
        };
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let reports = call(|| api.list_metadata(&page)).await?;
            for report in reports.items {
                let workload = report.labels().get(LABEL_WORKLOAD).cloned().unwrap_or_default();
                known.add(report.namespace().unwrap_or_default(), workload, report.name_any());
            }
            match reports.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(()),
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What the lock guards is whole after each statement, whatever panicked.
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(key: &LedgerKey) -> (String, String) {
    (key.namespace.clone(), label_value(&key.workload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_of_the_bounds_holds() {
        let caps = Caps { per_workload: 2, per_namespace: 3, per_cluster: 4 };
        let mut known = Known::default();
        let at = |namespace: &str, workload: &str| (namespace.to_owned(), workload.to_owned());
        assert_eq!(known.room(&caps, &at("a", "x")), 2);
        known.add("a".into(), "x".into(), "1".into());
        known.add("a".into(), "x".into(), "2".into());
        assert_eq!((known.room(&caps, &at("a", "x")), known.room(&caps, &at("a", "y"))), (0, 1));
        known.add("b".into(), "x".into(), "1".into());
        assert_eq!(known.room(&caps, &at("b", "x")), 1);
        known.add("a".into(), "y".into(), "3".into());
        assert_eq!((known.room(&caps, &at("a", "y")), known.room(&caps, &at("b", "y"))), (0, 0));
    }
}
