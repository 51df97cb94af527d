//! What the operator costs and how fast it is, on a real API server with fake pods: `make bench-operator`.
//!
//! 1. Its memory beside 10,000 idle pods and 2,000 reports.
//! 2. From the watch event of a first crash to its recorded report, over the bare sequence of the same API calls: both see the
//!    same machine at the same time, since they take turns.
//! 3. Requests for one first crash, and a storm: through a proxy without faults, which counts them.
//!
//! Figures go to `target/figures/operator.json`, with what they should be beside them on standard output.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A figure that cannot be taken is no figure.

mod cluster;
mod firsts;
mod process;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use cluster::Cluster;
use process::{Operator, Proxy};

const IDLE_PODS: usize = 10_000;
const REPORTS: usize = 2_000;
/// First crashes whose time is taken, and those whose requests are counted.
const FIRSTS: usize = 60;
const COUNTED: usize = 30;
/// The storm: each pod of many crashes once.
const STORM_PODS: usize = 5_000;
const STORM_WORKLOADS: usize = 50;
/// How long after its first list the memory is taken: allocators give back late.
const SETTLED: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let cluster = Cluster::prepare().await;
    println!("making {IDLE_PODS} idle pods and {REPORTS} reports ...");
    cluster::pods("idle", "idle", IDLE_PODS, 100, "");
    cluster.reports(REPORTS).await;
    let mut figures = json!({});
    quiet(&cluster, &mut figures).await;
    counted(&cluster, &mut figures).await;
    println!("{figures:#}");
    println!("goals: rss_mib <= 24, first_crash_ratio <= 1.5, storm_seconds <= 60, storm_writes_per_crash <= 0.2");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("operator.json"), format!("{figures:#}\n")).unwrap();
}

/// Memory and the time of first crashes, with nothing between the operator and the API server.
async fn quiet(cluster: &Cluster, figures: &mut Value) {
    let operator = Operator::start(None).await;
    tokio::time::sleep(SETTLED).await;
    figures["rss_mib"] = rounded(operator.memory_mib("VmRSS"));
    figures["rss_peak_mib"] = rounded(operator.memory_mib("VmHWM"));
    println!("{FIRSTS} first crashes ...");
    let times = firsts::measure(cluster, "first", FIRSTS).await;
    figures["first_crash_ratio"] = rounded(times.ratio());
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        figures[format!("first_crash_{name}_ms")] = rounded(firsts::percentile(&times.operator, share));
        figures[format!("bare_{name}_ms")] = rounded(firsts::percentile(&times.bare, share));
    }
    operator.stop().await;
}

/// What is counted by the proxy: the requests of first crashes and those of a storm.
async fn counted(cluster: &Cluster, figures: &mut Value) {
    let proxy = Proxy::start().await;
    let operator = Operator::start(Some(&proxy)).await;
    let before = proxy.requests().await;
    firsts::measure(cluster, "counted", COUNTED).await;
    let requests = proxy.requests().await.since(&before);
    figures["requests_per_crash"] = rounded(requests.all() as f64 / COUNTED as f64);
    storm(cluster, &proxy, figures).await;
    figures["storm_rss_peak_mib"] = rounded(operator.memory_mib("VmHWM"));
    operator.stop().await;
}

async fn storm(cluster: &Cluster, proxy: &Proxy, figures: &mut Value) {
    println!("a storm of {STORM_PODS} crashes ...");
    let (played, reads) = cluster.played().await;
    let script = "start=0s; run=40s..45s log=go-map-writes bug=%w restart=10m";
    cluster::pods("storm", "storm", STORM_PODS, STORM_WORKLOADS, script);
    let before = proxy.requests().await;
    while cluster.played().await.0 == played {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let begin = Instant::now();
    let mut window = Duration::ZERO;
    loop {
        let counted = cluster.counted("storm").await;
        if window.is_zero() && cluster.played().await.0 >= played + STORM_PODS {
            window = begin.elapsed();
        }
        if counted >= STORM_PODS as i64 {
            assert_eq!(counted, STORM_PODS as i64, "no crash of the storm is counted twice");
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(600), "{counted} of {STORM_PODS} crashes were counted");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let requests = proxy.requests().await.since(&before);
    figures["storm_seconds"] = rounded(begin.elapsed().as_secs_f64());
    figures["storm_window_seconds"] = rounded(window.as_secs_f64());
    figures["storm_log_reads"] = json!(cluster.played().await.1 - reads);
    figures["storm_writes_per_crash"] = rounded(requests.writes() as f64 / STORM_PODS as f64);
    figures["storm_event_writes_per_crash"] = rounded(requests.events() as f64 / STORM_PODS as f64);
}

fn rounded(value: f64) -> Value {
    json!((value * 1000.0).round() / 1000.0)
}
