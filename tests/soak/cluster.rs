//! The cluster, reached directly and not through the proxy: what is made in it, what was played, what the reports say.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coroner::ledger::{Base, Ledger, LedgerKey};
use coroner::report::{CrashReport, LedgerMark};
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::api::{DeleteParams, ListParams, Preconditions, WatchEvent, WatchParams};
use kube::core::{ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::plan::Workload;
use crate::verdict::{Shown, Truth};
use crate::ways::until;

/// Where operators keep their ledgers.
const HOME: &str = "coroner";
/// What the fake nodes answer to tests.
const FAKE_NODES: &str = "http://127.0.0.1:10351";
/// How long one request of an operator may hang, and some time around it.
const HANGS_FOR: Duration = Duration::from_secs(15);
/// Requests at a time while pods are made.
const AT_ONCE: usize = 16;

/// The cluster of the testbed.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    web: reqwest::Client,
}

impl Cluster {
    /// Connects, and installs what an operator needs.
    pub async fn prepare() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_default().await.expect("KUBECONFIG names the testbed: run testbed/soak");
        kubectl(&["apply", "--server-side", "-f", concat!(env!("CARGO_MANIFEST_DIR"), "/crds")]);
        kubectl(&["wait", "--for=condition=Established", "crd/crashreports.coroner.dev", "--timeout=30s"]);
        let cluster = Self { client, web: reqwest::Client::new() };
        cluster.namespace(HOME).await;
        cluster
    }

    async fn namespace(&self, name: &str) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).expect("a namespace");
        namespaces.create(&Default::default(), &namespace).await.expect("the cluster is fresh: testbed/soak makes one");
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), name);
        until("a service account", || async { accounts.get_opt("default").await.is_ok_and(|found| found.is_some()) })
            .await;
    }

    /// Makes all pods.
    pub async fn create(&self, workloads: &[Workload]) {
        let mut namespaces: Vec<_> = workloads.iter().map(|workload| &workload.namespace).collect();
        namespaces.dedup();
        for namespace in namespaces {
            self.namespace(namespace).await;
        }
        let objects =
            workloads.iter().flat_map(|workload| workload.objects().into_iter().map(move |object| (workload, object)));
        futures::stream::iter(objects)
            .for_each_concurrent(AT_ONCE, |(workload, object)| async move {
                let kind = if workload.deployment { deployments() } else { pods() };
                let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &workload.namespace, &kind);
                let object = serde_json::from_value(object).expect("an object");
                api.create(&Default::default(), &object)
                    .await
                    .unwrap_or_else(|error| panic!("{}: {error}", workload.name));
            })
            .await;
    }

    /// What goes wrong with reads of logs on the fake nodes.
    pub async fn log_faults(&self, plan: &Value) {
        let answer = self.web.post(format!("{FAKE_NODES}/control")).json(plan).send().await.expect("fakenode answers");
        assert!(answer.status().is_success(), "{plan}: {:?}", answer.text().await);
    }

    /// Terminations that were played, and reads of logs that were answered.
    pub async fn played(&self) -> (usize, u64) {
        let answer = self.web.get(format!("{FAKE_NODES}/stats")).send().await.expect("fakenode answers");
        let stats: Value = answer.json().await.expect("statistics");
        (stats["terminations"].as_u64().expect("a number") as usize, stats["logReads"].as_u64().expect("a number"))
    }

    /// Every termination that was played.
    pub async fn truth(&self) -> Vec<Truth> {
        let answer = self.web.get(format!("{FAKE_NODES}/truth")).send().await.expect("fakenode answers");
        let text = answer.text().await.expect("lines of JSON");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
    }

    /// All reports, as they are now; `None` while the API server is away.
    pub async fn reports(&self) -> Option<Vec<CrashReport>> {
        let api: Api<CrashReport> = Api::all(self.client.clone());
        api.list(&ListParams::default()).await.ok().map(|list| list.items)
    }

    /// Follows all reports until the test ends; what they show is noted.
    pub fn follow(&self) -> Follower {
        let seen = Arc::new(Mutex::new(Shown::default()));
        let (api, noted): (Api<CrashReport>, _) = (Api::all(self.client.clone()), seen.clone());
        let task = tokio::spawn(async move {
            let mut events = watcher(api, watcher::Config::default()).default_backoff().applied_objects().boxed();
            while let Some(event) = events.next().await {
                if let Ok(report) = event {
                    lock(&noted).note(&report);
                }
            }
        });
        Follower { seen, task }
    }

    /// Deletes a report as a user would, if it is still as it was read. Gives the report, and a task that finds what went with
    /// it: what was claimed for it and not yet added, which by the ledger's rules goes with the report that it was meant for.
    pub async fn delete(&self, name: &str, namespace: &str) -> Option<(CrashReport, JoinHandle<i64>)> {
        let api: Api<CrashReport> = Api::namespaced(self.client.clone(), namespace);
        let report = api.get_opt(name).await.ok()??;
        // One that was counted as unseen may be seen after all, and could then not be taken back.
        if report.status.as_ref().is_none_or(|status| status.unseen > 0 || status.finding.is_none()) {
            return None;
        }
        let (version, before) = self.ledger(&report).await?;
        // Nor can be known whether one that has just been created was complete: it may come back.
        let open = before.1.pending.iter().filter(|entry| entry.report == name);
        if open.into_iter().any(|entry| entry.base == Base::Absent || entry.add.unseen != 0) {
            return None;
        }
        let preconditions = Preconditions { uid: report.uid(), resource_version: report.resource_version() };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        api.delete(name, &params).await.ok()?;
        let (cluster, of) = (self.clone(), report.clone());
        Some((report, tokio::spawn(async move { cluster.owed(of, version, before).await })))
    }

    /// What was claimed for a report by those who had read it before it was deleted: its ledger is followed for as long as one
    /// of them may hang.
    async fn owed(&self, report: CrashReport, version: String, before: (String, Ledger)) -> i64 {
        let mut owed = owed_to(&report, &before);
        let params = WatchParams::default().fields(&format!("metadata.name={}", ledger_name(&report)));
        let _ = tokio::time::timeout(HANGS_FOR, async {
            let Ok(events) = self.ledgers().watch(&params, &version).await else { return };
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                if let Ok(WatchEvent::Modified(map)) = event {
                    owed.extend(read(&map).map(|ledger| owed_to(&report, &ledger)).unwrap_or_default());
                }
            }
        })
        .await;
        owed.values().sum()
    }

    fn ledgers(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), HOME)
    }

    async fn ledger(&self, report: &CrashReport) -> Option<(String, (String, Ledger))> {
        let map = self.ledgers().get_opt(&ledger_name(report)).await.ok()??;
        Some((map.resource_version()?, read(&map)?))
    }
}

fn ledger_name(report: &CrashReport) -> String {
    let namespace = report.namespace().expect("a report has one");
    LedgerKey::new(&namespace, &report.spec.workload, &report.spec.container).object_name()
}

/// A ledger, with the UID of its object.
fn read(map: &ConfigMap) -> Option<(String, Ledger)> {
    let text = map.data.as_ref()?.get("ledger.json")?;
    Some((map.uid()?, serde_json::from_str(text).expect("a ledger can be read")))
}

/// By their numbers, the claims that were meant for this very report and are not in it.
fn owed_to(report: &CrashReport, (uid, ledger): &(String, Ledger)) -> BTreeMap<i64, i64> {
    let mark = report.status.as_ref().and_then(|status| status.ledger.as_ref());
    let mark = mark.filter(|mark| &mark.uid == uid).map_or(0, |LedgerMark { seq, .. }| *seq);
    let meant = |base: &Base| matches!(base, Base::Uid(uid) if Some(uid) == report.metadata.uid.as_ref());
    let entries = ledger.pending.iter().filter(|entry| Some(&entry.report) == report.metadata.name.as_ref());
    let owed = entries.filter(|entry| entry.seq > mark && meant(&entry.base));
    owed.map(|entry| (entry.seq, entry.add.count + entry.add.inferred + entry.add.unseen)).collect()
}

/// Notes what reports show, as long as it lives.
pub struct Follower {
    seen: Arc<Mutex<Shown>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// What was seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Shown> {
        lock(&self.seen)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pods() -> ApiResource {
    ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&())
}

fn deployments() -> ApiResource {
    ApiResource::erase::<k8s_openapi::api::apps::v1::Deployment>(&())
}

fn kubectl(args: &[&str]) {
    let output = Command::new("kubectl").args(args).output().expect("kubectl is on PATH: run testbed/soak");
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
