//! The cluster as a user has it: kubectl for what users do, a client for waiting.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use coroner::report::CrashReport;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Event, Pod, ServiceAccount};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How long anything may take on a loaded machine of two cores; nothing here is measured by it.
const PATIENCE: Duration = Duration::from_secs(150);
/// How often what cannot be watched is looked at.
const GLANCE: Duration = Duration::from_millis(250);
/// The stand-in for Slack, as `testbed/daemons.sh` starts it.
const SLACK: &str = "http://10.77.0.1:8065";

/// One namespace of one test.
pub struct Place {
    pub client: Client,
    pub namespace: String,
}

impl Place {
    /// A fresh namespace in which pods can be made.
    pub async fn new(namespace: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_default().await.expect("KUBECONFIG names the testbed: run testbed/e2e");
        kubectl(&["delete", "namespace", namespace, "--ignore-not-found", "--wait"]);
        kubectl(&["create", "namespace", namespace]);
        let place = Self { client, namespace: namespace.to_owned() };
        place.until::<ServiceAccount>("the default service account", |accounts| !accounts.is_empty()).await;
        place
    }

    /// Applies one of the testbed's manifests.
    pub fn apply(&self, manifest: &str) {
        let path = format!("{}/testbed/workloads/manifests/{manifest}.yaml", env!("CARGO_MANIFEST_DIR"));
        kubectl(&["apply", "-n", &self.namespace, "-f", &path]);
    }

    /// kubectl in this namespace.
    pub fn kubectl(&self, args: &[&str]) -> String {
        kubectl(&[&["-n", &self.namespace], args].concat())
    }

    /// kubectl in this namespace, expected to be refused; what it says.
    pub fn refused(&self, args: &[&str]) -> String {
        let output = run(&[&["-n", &self.namespace], args].concat());
        assert!(!output.status.success(), "kubectl {args:?} was not refused: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// Waits until the objects of this namespace are as wanted, and gives them.
    pub async fn until<K>(&self, what: &str, wanted: impl Fn(&[K]) -> bool) -> Vec<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug
            + Send
            + 'static,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), &self.namespace);
        let mut seen: Vec<K> = Vec::new();
        let mut events = watcher(api.clone(), watcher::Config::default()).default_backoff().boxed();
        let waited = tokio::time::timeout(PATIENCE, async {
            while let Some(event) = events.next().await {
                let Ok(event) = event else { continue };
                take(&mut seen, event);
                if wanted(&seen) {
                    return;
                }
            }
        });
        if waited.await.is_err() {
            panic!("{}: gave up waiting for {what}; there is: {seen:#?}", self.namespace);
        }
        seen
    }

    /// The reports of this namespace, once they are as wanted.
    pub async fn reports(&self, what: &str, wanted: impl Fn(&[CrashReport]) -> bool) -> Vec<CrashReport> {
        self.until(what, wanted).await
    }

    /// The first report of this namespace that has been filled in.
    pub async fn report(&self) -> CrashReport {
        let found = self.reports("a report", |reports| reports.iter().any(|report| count(report) > 0)).await;
        found.into_iter().find(|report| count(report) > 0).expect("waited for")
    }

    /// Coroner's Events about a pod of this namespace, once there is one.
    pub async fn events(&self) -> Vec<Event> {
        let ours =
            |event: &&Event| event.source.as_ref().and_then(|source| source.component.as_deref()) == Some("coroner");
        let found = self.until::<Event>("an Event", |events| events.iter().any(|event| ours(&event))).await;
        found.iter().filter(ours).cloned().collect()
    }

    /// How many instances of a container have ended, as the kubelet counts them.
    pub async fn ended(&self, container: &str) -> i64 {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let pods = pods.list(&Default::default()).await.expect("pods can be listed");
        pods.items.iter().map(|pod| ended_in(pod, container)).sum()
    }
}

fn ended_in(pod: &Pod, container: &str) -> i64 {
    let Some(status) = &pod.status else { return 0 };
    let all = [&status.container_statuses, &status.init_container_statuses];
    let of_name = all.into_iter().flatten().flatten().filter(|status| status.name == container);
    of_name
        .map(|status| {
            let dead = status.state.as_ref().is_some_and(|state| state.terminated.is_some());
            i64::from(status.restart_count) + i64::from(dead)
        })
        .sum()
}

fn take<K: Resource<DynamicType = ()>>(seen: &mut Vec<K>, event: watcher::Event<K>) {
    let same = |a: &K, b: &K| a.meta().uid == b.meta().uid;
    match event {
        watcher::Event::Init => seen.clear(),
        watcher::Event::InitDone => {}
        watcher::Event::Delete(gone) => seen.retain(|known| !same(known, &gone)),
        watcher::Event::Apply(new) | watcher::Event::InitApply(new) => {
            seen.retain(|known| !same(known, &new));
            seen.push(new);
        }
    }
}

/// What a report counts.
pub fn count(report: &CrashReport) -> i64 {
    report.status.as_ref().map_or(0, |status| status.count + status.inferred + status.unseen)
}

/// Reason and culprit of a report, as the printer columns show them.
pub fn summary(report: &CrashReport) -> (String, String) {
    let status = report.status.clone().unwrap_or_default();
    let reason = status.finding.map(|finding| finding.reason.to_string()).unwrap_or_default();
    (reason, status.culprit_text.unwrap_or_default())
}

/// What the stand-in for Slack has accepted, once a message is as wanted.
pub async fn slack(what: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut glance = tokio::time::interval(GLANCE);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        glance.tick().await;
        let got = slack_messages().await;
        if got.iter().any(|message| wanted(message)) {
            return got;
        }
        assert!(tokio::time::Instant::now() < deadline, "gave up waiting for {what}; Slack got: {got:#?}");
    }
}

/// What the stand-in for Slack has accepted so far, each message as JSON.
pub async fn slack_messages() -> Vec<String> {
    let answer = reqwest::get(format!("{SLACK}/messages")).await.expect("the stand-in answers");
    let messages: Vec<Value> = answer.json().await.expect("the stand-in answers with JSON");
    messages.iter().map(Value::to_string).collect()
}

/// kubectl, which must succeed; what it prints.
pub fn kubectl(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "kubectl {args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn run(args: &[&str]) -> Output {
    Command::new(PathBuf::from("kubectl")).args(args).output().expect("kubectl is on PATH: run testbed/e2e")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
