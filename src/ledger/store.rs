//! Ledgers and reports on a real API server. A ledger is a ConfigMap in Coroner's own namespace, out of tenants' reach.
//!
//! Permissions: in Coroner's namespace `configmaps` get, list, create, update (and delete, for spent ones); for reports
//! `crashreports` get, list, create, patch, delete and `crashreports/status` update.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use kube::{Client, ResourceExt};

use super::census::Census;
use super::objects::{Objects, Refused, Stored};
use super::{Ledger, LedgerKey};
use crate::calls::{CallError, call};
use crate::report::{CrashReport, CrashReportSpec, Workload, label_value, merge};

/// The label by which ledgers are listed.
pub const LABEL_LEDGER: &str = "coroner.dev/ledger";
/// The label that names the namespace a ledger is about.
pub const LABEL_NAMESPACE: &str = "coroner.dev/namespace";
/// The key in the ConfigMap.
const DATA_KEY: &str = "ledger.json";
/// Ledgers in one page of a list: mostly small, but one may have most of a megabyte.
const PAGE: u32 = 50;
/// When a report is so old that nobody can still be about to make it: a create with all its retries takes two minutes
/// at most, and this is several times that.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Who writes, in managed fields.
const MANAGER: &str = "coroner";

/// The objects of one key on an API server.
#[derive(Clone, Debug)]
pub struct KubeObjects {
    ledgers: Api<ConfigMap>,
    reports: Api<CrashReport>,
    census: Census,
    key: LedgerKey,
}

impl KubeObjects {
    /// The objects of a key; ledgers live in the namespace `home`.
    pub fn new(client: Client, home: &str, key: LedgerKey, census: Census) -> Self {
        let reports = Api::namespaced(client.clone(), &key.namespace);
        Self { ledgers: Api::namespaced(client, home), reports, census, key }
    }
}

/// Every ledger of the installation by name, with its content: what a start replays.
///
/// # Errors
/// When the list failed for good. A ledger that cannot be read is left out, with a line in the log.
pub async fn list_ledgers(client: Client, home: &str) -> Result<BTreeMap<String, Ledger>, CallError> {
    let api: Api<ConfigMap> = Api::namespaced(client, home);
    let mut params = ListParams::default().labels(LABEL_LEDGER).limit(PAGE);
    let mut ledgers = BTreeMap::new();
    loop {
        let page = call(|| api.list(&params)).await?;
        for map in page.items {
            let name = map.name_any();
            match stored(map) {
                Ok(stored) => {
                    ledgers.insert(name, stored.ledger);
                }
                Err(error) => tracing::error!(ledger = name, %error, "a ledger is passed over"),
            }
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(ledgers),
        }
    }
}

impl Objects for KubeObjects {
    type Error = CallError;

    async fn read_ledger(&self) -> Result<Option<Stored>, CallError> {
        let name = self.key.object_name();
        let found = call(|| self.ledgers.get_opt(&name)).await?;
        found.map(stored).transpose()
    }

    async fn write_ledger(&self, over: Option<&Stored>, ledger: &Ledger) -> Result<Stored, Refused<CallError>> {
        let map = config_map(over, ledger).map_err(Refused::Failed)?;
        let (name, params) = (self.key.object_name(), params());
        let written = match over {
            None => call(|| self.ledgers.create(&params, &map)).await,
            Some(_) => call(|| self.ledgers.replace(&name, &params, &map)).await,
        };
        // A missing namespace here is Coroner's own, and no reason to give up what is to be counted.
        let refused = |error: CallError| match refused(error) {
            Refused::NamespaceGone => {
                Refused::Failed(CallError::Unusable("the namespace of the ledgers is gone".into()))
            }
            refused => refused,
        };
        stored(written.map_err(refused)?).map_err(Refused::Failed)
    }

    async fn list_reports(&self) -> Result<BTreeMap<String, CrashReport>, CallError> {
        let labels = labels_of(&self.key);
        let selector = labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let params = ListParams::default().labels(&selector);
        let listed = call(|| self.reports.list(&params)).await?;
        // A label may have been cut: only the spec says for certain whose report it is.
        let own = listed.items.into_iter().filter(|report| {
            let CrashReportSpec { workload, container, .. } = &report.spec;
            (&workload.kind, &workload.name, container) == (&self.key.kind, &self.key.workload, &self.key.container)
        });
        Ok(own.map(|report| (report.name_any(), report)).collect())
    }

    async fn room(&self) -> usize {
        self.census.room(&self.key).await
    }

    fn is_settled(&self, report: &CrashReport) -> bool {
        let made = report.metadata.creation_timestamp.as_ref();
        made.is_some_and(|made| Timestamp::now().duration_since(made.0) >= SETTLED_AFTER)
    }

    async fn delete_report(&self, name: &str, uid: &str) -> Result<(), CallError> {
        let preconditions = Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match call(|| self.reports.delete(name, &params)).await {
            Err(error) if !(error.is_not_found() || error.is_conflict()) => Err(error),
            _ => {
                self.census.closed(&self.key, name);
                Ok(())
            }
        }
    }

    async fn read_report(&self, name: &str) -> Result<Option<CrashReport>, CallError> {
        call(|| self.reports.get_opt(name)).await
    }

    async fn create_report(&self, report: &CrashReport) -> Result<CrashReport, Refused<CallError>> {
        let params = params();
        // Not found is no answer to a create unless the namespace is: the definition is missing.
        let created = call(|| self.reports.create(&params, report)).await.map_err(|error| match refused(error) {
            Refused::Absent => Refused::Failed(CallError::Unusable(
                "the API server knows no crashreports: is the CRD installed?".into(),
            )),
            refused => refused,
        })?;
        self.census.opened(&self.key, &created.name_any());
        Ok(created)
    }

    async fn write_status(&self, report: &CrashReport) -> Result<CrashReport, Refused<CallError>> {
        let (name, params) = (report.name_any(), params());
        call(|| self.reports.replace_status(&name, &params, report)).await.map_err(refused)
    }

    async fn set_labels(&self, name: &str, labels: BTreeMap<String, String>) -> Result<(), CallError> {
        let patch = Patch::Merge(serde_json::json!({ "metadata": { "labels": labels } }));
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
        call(|| self.reports.patch(name, &params, &patch)).await.map(|_| ())
    }
}

/// Who writes.
pub(crate) fn params() -> PostParams {
    PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() }
}

fn refused(error: CallError) -> Refused<CallError> {
    match error {
        error if error.is_namespace_gone() => Refused::NamespaceGone,
        error if error.is_conflict() => Refused::Conflict,
        error if error.is_not_found() => Refused::Absent,
        error => Refused::Failed(error),
    }
}

/// Reads a ledger from its object.
pub(crate) fn stored(map: ConfigMap) -> Result<Stored, CallError> {
    let name = map.name_any();
    let text = map.data.as_ref().and_then(|data| data.get(DATA_KEY)).map_or("", String::as_str);
    let ledger = serde_json::from_str(text).map_err(|error| {
        let way_out = "if it was edited, put it back, or delete it to count anew";
        CallError::Unusable(format!("the ledger in ConfigMap {name} cannot be read: {error}; {way_out}"))
    })?;
    Ok(Stored { uid: map.uid().unwrap_or_default(), version: map.resource_version().unwrap_or_default(), ledger })
}

/// The object of a ledger, to be written over the one that was read.
pub(crate) fn config_map(over: Option<&Stored>, ledger: &Ledger) -> Result<ConfigMap, CallError> {
    let text = serde_json::to_string(ledger)
        .map_err(|error| CallError::Unusable(format!("a ledger cannot be written as JSON: {error}")))?;
    let metadata = ObjectMeta {
        name: Some(ledger.key.object_name()),
        labels: Some(labels(&ledger.key)),
        uid: over.map(|stored| stored.uid.clone()),
        resource_version: over.map(|stored| stored.version.clone()),
        ..ObjectMeta::default()
    };
    Ok(ConfigMap { metadata, data: Some([(DATA_KEY.to_owned(), text)].into()), ..ConfigMap::default() })
}

/// The labels of the reports of a key.
fn labels_of(key: &LedgerKey) -> BTreeMap<String, String> {
    let workload = Workload { name: key.workload.clone(), ..Workload::default() };
    merge::place_labels(&workload, &key.container)
}

fn labels(key: &LedgerKey) -> BTreeMap<String, String> {
    let mut labels = labels_of(key);
    labels.insert(LABEL_LEDGER.into(), "true".into());
    labels.insert(LABEL_NAMESPACE.into(), label_value(&key.namespace));
    labels.insert("app.kubernetes.io/managed-by".into(), MANAGER.into());
    labels
}
