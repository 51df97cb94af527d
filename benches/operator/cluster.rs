//! What the cluster is made to hold, and what it tells.

use std::process::Command;
use std::time::Duration;

use coroner::report::CrashReport;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

/// What the fake nodes answer to tests.
const FAKE_NODES: &str = "http://127.0.0.1:10351";
/// Reports in one namespace, which is what Coroner itself allows.
const REPORTS_A_NAMESPACE: usize = 200;
const AT_ONCE: usize = 16;

/// The cluster of the testbed.
pub struct Cluster {
    pub client: Client,
    web: reqwest::Client,
}

impl Cluster {
    /// Connects, and installs what an operator needs.
    pub async fn prepare() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        run("kubectl", &["apply", "--server-side", "-f", concat!(env!("CARGO_MANIFEST_DIR"), "/crds")]);
        run("kubectl", &["wait", "--for=condition=Established", "crd/crashreports.coroner.dev", "--timeout=30s"]);
        let client = Client::try_default().await.expect("KUBECONFIG names the testbed: run testbed/bench-operator");
        let cluster = Self { client, web: reqwest::Client::new() };
        cluster.namespace("coroner").await;
        cluster
    }

    /// A namespace of that name, unless there is one.
    pub async fn namespace(&self, name: &str) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        match namespaces.create(&PostParams::default(), &namespace).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            made => drop(made.unwrap()),
        }
    }

    /// Makes reports of an ordinary size.
    pub async fn reports(&self, count: usize) {
        for n in 0..count.div_ceil(REPORTS_A_NAMESPACE) {
            self.namespace(&format!("reports-{n}")).await;
        }
        futures::stream::iter(0..count)
            .for_each_concurrent(AT_ONCE, |n| async move {
                let namespace = format!("reports-{}", n / REPORTS_A_NAMESPACE);
                let api: Api<CrashReport> = Api::namespaced(self.client.clone(), &namespace);
                let report = report(n);
                let mut made = api.create(&PostParams::default(), &report).await.unwrap();
                made.status = report.status;
                api.replace_status(&made.metadata.name.clone().unwrap(), &PostParams::default(), &made).await.unwrap();
            })
            .await;
    }

    /// Terminations that were played, and reads of logs that were answered.
    pub async fn played(&self) -> (usize, u64) {
        let answer = self.web.get(format!("{FAKE_NODES}/stats")).send().await.expect("fakenode answers");
        let stats: Value = answer.json().await.unwrap();
        (stats["terminations"].as_u64().unwrap() as usize, stats["logReads"].as_u64().unwrap())
    }

    /// What the reports of a namespace count.
    pub async fn counted(&self, namespace: &str) -> i64 {
        let api: Api<CrashReport> = Api::namespaced(self.client.clone(), namespace);
        let Ok(reports) = api.list(&ListParams::default()).await else { return 0 };
        let counts = reports.items.iter().filter_map(|report| report.status.as_ref());
        counts.map(|status| status.count + status.inferred + status.unseen).sum()
    }
}

fn report(n: usize) -> CrashReport {
    let frame = |depth: usize| json!({ "function": format!("shop/internal/orders.(*Ledger).step{depth}"), "file": "orders.go", "line": depth, "inApp": true });
    serde_json::from_value(json!({
        "metadata": { "name": format!("idle-{n}-app-{n:012x}"), "labels": { "coroner.dev/workload": format!("idle-{n}") } },
        "spec": {
            "workload": { "apiVersion": "apps/v1", "kind": "Deployment", "name": format!("idle-{n}") },
            "container": "app", "fingerprint": format!("1-{n:016x}"),
        },
        "status": {
            "finding": {
                "category": "Code", "reason": "NilDereference", "runtime": "go", "confidence": "High",
                "message": "invalid memory address or nil pointer dereference",
                "culprit": frame(1), "stack": (1..20).map(frame).collect::<Vec<_>>(),
            },
            "culpritText": "orders.go:1",
            "evidence": { "state": "Verified", "source": "PreviousLog", "excerpt": "level=info msg=served\n".repeat(90), "logBytes": 9000 },
            "count": 3, "pods": 1,
        },
    }))
    .unwrap()
}

/// Makes pods on the fake nodes and waits until all have started.
pub fn pods(namespace: &str, prefix: &str, count: usize, workloads: usize, script: &str) {
    let (count, workloads) = (count.to_string(), workloads.to_string());
    let wait = format!("{}s", Duration::from_secs(300).as_secs());
    run(
        "fakenode",
        &[
            "pods",
            "--namespace",
            namespace,
            "--prefix",
            prefix,
            "--count",
            &count,
            "--workloads",
            &workloads,
            "--script",
            script,
            "--wait",
            &wait,
        ],
    );
}

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().expect("it is on PATH: run testbed/bench-operator");
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
