//! The time from the watch event of a first crash to its recorded report, beside the bare sequence of the same API calls.

use std::collections::HashMap;
use std::time::Instant;

use coroner::report::CrashReport;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{LogParams, ObjectMeta, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc;

use crate::cluster::{self, Cluster};

/// Milliseconds, one of each kind for each crash.
#[derive(Debug, Default)]
pub struct Times {
    pub operator: Vec<f64>,
    pub bare: Vec<f64>,
}

impl Times {
    /// The median of the operator's over that of the bare sequences.
    pub fn ratio(&self) -> f64 {
        percentile(&self.operator, 0.5) / percentile(&self.bare, 0.5)
    }
}

/// The value below which that share of all lies.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

enum Seen {
    Crashed(Box<Pod>),
    Recorded(Box<CrashReport>),
}

/// Lets so many pods crash once, about one a second, each a bug of a workload of its own; after each, the same calls are made
/// here, one after the other.
pub async fn measure(cluster: &Cluster, name: &str, crashes: usize) -> Times {
    let client = cluster.client.clone();
    cluster.namespace(name).await;
    let mut seen = watches(&client, name);
    let script = format!("start=1s..{}s; run=1s log=go-map-writes bug=%w lines=20 restart=10m", crashes);
    let (prefix, namespace) = (name.to_owned(), name.to_owned());
    let made = tokio::task::spawn_blocking(move || cluster::pods(&namespace, &prefix, crashes, crashes, &script));
    let (mut times, mut halves) = (Times::default(), HashMap::<String, Halves>::new());
    while times.bare.len() < crashes {
        let (at, seen) = seen.recv().await.expect("a watch does not end");
        let half = halves.entry(seen.workload()).or_default();
        match seen {
            Seen::Crashed(pod) => {
                half.crashed.get_or_insert((at, pod));
            }
            Seen::Recorded(report) => {
                half.recorded.get_or_insert((at, report));
            }
        }
        // Told in either order: each watch is a connection of its own.
        if let (Some((crashed, pod)), Some((recorded, report)), false) = (&half.crashed, &half.recorded, half.taken) {
            times.operator.push(recorded.saturating_duration_since(*crashed).as_secs_f64() * 1000.0);
            times.bare.push(bare(&client, pod, report).await);
            half.taken = true;
        }
    }
    made.await.unwrap();
    times
}

impl Seen {
    fn workload(&self) -> String {
        match self {
            Self::Crashed(pod) => pod.labels().get("app.kubernetes.io/name").cloned().unwrap_or_default(),
            Self::Recorded(report) => report.spec.workload.name.clone(),
        }
    }
}

/// What was told of one crash so far.
#[derive(Default)]
struct Halves {
    crashed: Option<(Instant, Box<Pod>)>,
    recorded: Option<(Instant, Box<CrashReport>)>,
    taken: bool,
}

/// Crashes of pods and reports with a count, with the time at which each was told, whatever else is done meanwhile.
fn watches(client: &Client, namespace: &str) -> mpsc::UnboundedReceiver<(Instant, Seen)> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let reports: Api<CrashReport> = Api::namespaced(client.clone(), namespace);
    let config = watcher::Config::default;
    let pods = watcher(pods, config()).default_backoff().applied_objects().filter_map(async |pod| {
        let pod = pod.ok()?;
        let status = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
        status.state.as_ref()?.terminated.as_ref()?;
        Some(Seen::Crashed(Box::new(pod)))
    });
    let reports = watcher(reports, config()).default_backoff().applied_objects().filter_map(async |report| {
        let report = report.ok()?;
        (report.status.as_ref()?.count > 0).then(|| Seen::Recorded(Box::new(report)))
    });
    let (told, seen) = mpsc::unbounded_channel();
    for watch in [pods.boxed(), reports.boxed()] {
        let told = told.clone();
        tokio::spawn(async move {
            let mut watch = watch;
            while let Some(seen) = watch.next().await {
                if told.send((Instant::now(), seen)).is_err() {
                    return;
                }
            }
        });
    }
    seen
}

/// One log GET, ledger PUT, report POST, status PUT, as the operator makes them for a first crash; in milliseconds.
async fn bare(client: &Client, pod: &Pod, like: &CrashReport) -> f64 {
    let namespace = pod.namespace().unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    let reports: Api<CrashReport> = Api::namespaced(client.clone(), &namespace);
    let name = format!("bare-{}", pod.name_any());
    let meta = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
    let data = [("ledger.json".to_owned(), serde_json::to_string(like).unwrap())];
    let ledger = ConfigMap { metadata: meta.clone(), data: Some(data.into()), ..ConfigMap::default() };
    let ledger = maps.create(&PostParams::default(), &ledger).await.unwrap();
    let params = LogParams { tail_lines: Some(2000), timestamps: true, ..LogParams::default() };

    let begin = Instant::now();
    pods.logs(&pod.name_any(), &params).await.unwrap();
    maps.replace(&name, &PostParams::default(), &ledger).await.unwrap();
    let report = CrashReport { metadata: meta, spec: like.spec.clone(), status: None };
    let mut report = reports.create(&PostParams::default(), &report).await.unwrap();
    report.status = like.status.clone();
    reports.replace_status(&name, &PostParams::default(), &report).await.unwrap();
    begin.elapsed().as_secs_f64() * 1000.0
}
