//! Ledgers forget pods that are gone, and a ledger in which nothing is left goes too.
//!
//! A row that went too early would make its terminations new again. So a pod has to be missing from two complete lists at
//! least ten minutes apart, each made after the ledger was read; and a ledger is deleted by the version in which nothing
//! was left. A claim that comes in between makes that version an old one; a claim that comes after it finds no ledger and
//! makes one, which has another UID, and the reports' marks name UIDs.

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, Preconditions};
use kube::{Client, ResourceExt};

use crate::calls::{CallError, call};
use crate::ledger::store::{self, LABEL_LEDGER};
use crate::ledger::{Ledger, Stored};

/// Ledgers in one page: as at a start.
const PAGE: u32 = 50;
/// Pods in one page of a list of their metadata.
const PODS: u32 = 200;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Pods in ledgers.
    pub rows: u64,
    /// Ledgers.
    pub ledgers: u64,
}

/// Looks through all ledgers once. `now` is asked after each list of pods.
///
/// # Errors
/// When the ledgers cannot be listed. What cannot be done about one of them waits for the next time.
pub async fn prune(client: &Client, home: &str, now: impl Fn() -> Timestamp) -> Result<Pruned, CallError> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), home);
    let mut params = ListParams::default().labels(LABEL_LEDGER).limit(PAGE);
    let mut pruned = Pruned::default();
    loop {
        let page = call(|| api.list(&params)).await?;
        // Lists of pods are shared by the ledgers of one page: all of these were read before.
        let mut lists = Lists::new(client);
        for map in page.items {
            let name = map.name_any();
            if let Err(error) = prune_one(&api, map, &mut lists, &now, &mut pruned).await {
                tracing::warn!(ledger = name, %error, "a ledger is not pruned; trying again later");
            }
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(pruned),
        }
    }
}

async fn prune_one(
    api: &Api<ConfigMap>,
    map: ConfigMap,
    lists: &mut Lists<'_>,
    now: impl Fn() -> Timestamp,
    pruned: &mut Pruned,
) -> Result<(), CallError> {
    let stored = store::stored(map)?;
    let mut ledger = stored.ledger.clone();
    let rows = ledger.pods().count();
    let changed = rows > 0 && ledger.prune(lists.of(&ledger.key.namespace).await?, now());
    let went = (rows - ledger.pods().count()) as u64;
    let done = if ledger.is_spent() {
        let deleted = delete(api, &stored).await?;
        pruned.ledgers += u64::from(deleted);
        deleted
    } else {
        changed && write(api, &stored, &ledger).await?
    };
    pruned.rows += if done { went } else { 0 };
    Ok(())
}

/// Writes a ledger over the one that was read; false if it has changed or gone: then it is in use.
async fn write(api: &Api<ConfigMap>, over: &Stored, ledger: &Ledger) -> Result<bool, CallError> {
    let (name, params) = (ledger.key.object_name(), store::params());
    let map = store::config_map(Some(over), ledger)?;
    unless_in_use(call(|| api.replace(&name, &params, &map)).await.map(drop))
}

/// Deletes a ledger as it was read; false if it has changed or gone.
async fn delete(api: &Api<ConfigMap>, stored: &Stored) -> Result<bool, CallError> {
    let preconditions = Preconditions { uid: Some(stored.uid.clone()), resource_version: Some(stored.version.clone()) };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    let name = stored.ledger.key.object_name();
    unless_in_use(call(|| api.delete(&name, &params)).await.map(drop))
}

fn unless_in_use(done: Result<(), CallError>) -> Result<bool, CallError> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.is_conflict() || error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// UIDs of all pods by namespace, each listed when it is first asked for.
struct Lists<'c> {
    client: &'c Client,
    known: HashMap<String, BTreeSet<String>>,
}

impl<'c> Lists<'c> {
    fn new(client: &'c Client) -> Self {
        Self { client, known: HashMap::new() }
    }

    async fn of(&mut self, namespace: &str) -> Result<&BTreeSet<String>, CallError> {
        if !self.known.contains_key(namespace) {
            let live = live(self.client, namespace).await?;
            self.known.insert(namespace.to_owned(), live);
        }
        Ok(self.known.entry(namespace.to_owned()).or_default())
    }
}

/// UIDs of the pods of a namespace, by a complete list.
async fn live(client: &Client, namespace: &str) -> Result<BTreeSet<String>, CallError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let (mut params, mut live) = (ListParams::default().limit(PODS), BTreeSet::new());
    loop {
        let page = call(|| api.list_metadata(&params)).await?;
        live.extend(page.items.into_iter().filter_map(|pod| pod.metadata.uid));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(live),
        }
    }
}
