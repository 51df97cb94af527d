//! Thousands of crashes with known causes, while everything fails around the operator: is every one counted exactly once, with
//! its own log and its true cause? `testbed/soak` starts the cluster and this; `make test` runs it short, `make soak` long.
//!
//! The fake nodes play the pods (see testbed/fakenode), so that the cause of each termination is known. Two operators, whose
//! requests go through a proxy that spoils some, are killed every few seconds; the second gets no logs for a while; reports are
//! deleted; the API server is killed once. All choices come from `SOAK_SEED`, which is printed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod chaos;
mod cluster;
mod dice;
mod plan;
mod verdict;
mod ways;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use chaos::{
    Chaos, Deleted, Milestones, bad_logs, bad_way, delete_reports, kill_and_restart, restart_api_server,
    second_operator, total,
};
use cluster::Cluster;
use plan::{Size, Workload, workloads};
use verdict::{Truth, Verdict, judge};
use ways::{GLANCE, Operator, Side, Traffic, Ways};

/// How long no report may change until what is missing is called lost: coalesced writes wait up to a minute.
const QUIET: Duration = Duration::from_secs(100);

/// Numbers of lives apart from those that end in a kill.
const FIRST_LIFE: usize = 1000;
const LAST_LIFE: usize = 1001;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the testbed with fake nodes: testbed/soak runs it"]
async fn every_crash_is_counted_once_with_its_own_log_and_its_true_cause() {
    let begin = Instant::now();
    let (size, run) = run(Size::from_env()).await;
    let verdict = judge(&run.truth, &run.reports, &run.deleted.held, &run.shown);
    write_figures(&size, &run, &verdict, begin.elapsed());
    for fault in verdict.faults.iter().take(50) {
        println!("soak: {fault}");
    }
    assert!(verdict.crashes >= size.crashes as i64, "{} crashes were played", verdict.crashes);
    assert!(verdict.witnessed > 0, "no report was ever seen");
    let wrong = (verdict.lost, verdict.doubled, verdict.wrong_logs, verdict.wrong_causes);
    assert_eq!(
        wrong,
        (0, 0, 0, 0),
        "lost, doubled, wrong logs, wrong causes; seed {}; logs in {}",
        size.seed,
        folder().display()
    );
    assert_eq!(run.by_itself, 0, "an operator bears what a proxy and a restarted API server do to it");
    assert_eq!(
        run.after_restart,
        total(&run.reports, &run.deleted),
        "an operator that starts anew counts nothing again"
    );
}

/// What is left when all is over.
struct Run {
    truth: Vec<Truth>,
    reports: Vec<coroner::report::CrashReport>,
    shown: verdict::Shown,
    deleted: Deleted,
    /// What is counted after one more start.
    after_restart: i64,
    kills: usize,
    /// Ends of operators that nobody asked for.
    by_itself: usize,
    log_reads: u64,
    traffic: [Traffic; 2],
}

async fn run(size: Size) -> (Size, Run) {
    let folder = folder();
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let cluster = Cluster::prepare().await;
    let ways = Arc::new(Ways::start(size.seed).await);
    let start = how_long_a_start_takes(&folder).await;
    let size = size.paced_for(start);
    println!("soak: {size:?}, a start takes {start:?}; repeat it with SOAK_SEED={}", size.seed);
    let follower = cluster.follow();
    let planned = workloads(&size);
    let chaos = Chaos { size: size.clone(), folder: folder.clone() };
    let milestones =
        Arc::new(Milestones { cluster: cluster.clone(), expected: planned.iter().map(Workload::total).sum() });

    for side in [Side::A, Side::B] {
        ways.plan(side, &bad_way(side)).await;
    }
    cluster.log_faults(&bad_logs()).await;
    let stop = CancellationToken::new();
    let first = tokio::spawn(kill_and_restart(Side::A, chaos.clone(), stop.clone()));
    let second = tokio::spawn(second_operator(ways.clone(), milestones.clone(), chaos));
    let deletions = tokio::spawn(delete_reports(cluster.clone(), size.clone(), stop.clone()));
    cluster.create(&planned).await;
    milestones.reached(0.5).await;
    restart_api_server().await;
    milestones.reached(0.9).await;
    stop.cancel();
    let deleted = deletions.await.unwrap();
    let (lives, operator) = first.await.unwrap();
    let other = second.await.unwrap();
    let (kills, by_itself) = (lives.kills + other.kills, lives.by_itself + other.by_itself);

    println!("soak: {kills} kills, {} reports deleted; waiting until all is quiet", deleted.reports);
    milestones.reached(1.0).await;
    calm(&cluster, &ways).await;
    quiet(&cluster, &deleted, size.crashes as i64).await;
    operator.stop().await;
    let reports = cluster.reports().await.expect("the API server answers");
    let traffic = [ways.traffic(Side::A).await, ways.traffic(Side::B).await];
    let after_restart = count_again(&cluster, &folder, &deleted).await;
    let (_, log_reads) = cluster.played().await;
    let shown = std::mem::take(&mut *follower.seen());
    let truth = cluster.truth().await;
    (size, Run { truth, reports, shown, deleted, after_restart, kills, by_itself, log_reads, traffic })
}

/// From the start of an operator until it has seen the cluster, which is empty.
async fn how_long_a_start_takes(folder: &Path) -> Duration {
    let begin = Instant::now();
    let operator = Operator::start(Side::A, folder, FIRST_LIFE);
    operator.until_idle().await;
    operator.kill();
    begin.elapsed()
}

/// No more faults.
async fn calm(cluster: &Cluster, ways: &Ways) {
    for side in [Side::A, Side::B] {
        ways.plan(side, &json!({})).await;
    }
    cluster.log_faults(&json!({})).await;
}

/// Waits until all is counted, or for so long that what is missing will never be.
async fn quiet(cluster: &Cluster, deleted: &Deleted, expected: i64) {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        if let Some(reports) = cluster.reports().await {
            let now = total(&reports, deleted);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if now >= expected || since.elapsed() > QUIET {
                return;
            }
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// Lets a fresh operator look at every pod once more, and gives what is counted after that.
async fn count_again(cluster: &Cluster, folder: &Path, deleted: &Deleted) -> i64 {
    let operator = Operator::start(Side::A, folder, LAST_LIFE);
    operator.until_idle().await;
    operator.stop().await;
    total(&cluster.reports().await.expect("the API server answers"), deleted)
}

fn write_figures(size: &Size, run: &Run, verdict: &Verdict, took: Duration) {
    let writes: u64 = run.traffic.iter().map(Traffic::writes).sum();
    let faults: u64 = run.traffic.iter().flat_map(|traffic| traffic.struck.values()).sum();
    let figures = json!({
        "crashes": verdict.crashes, "kills": run.kills, "ended_by_itself": run.by_itself, "lost": verdict.lost, "doubled": verdict.doubled,
        "wrong_logs": verdict.wrong_logs, "wrong_causes": verdict.wrong_causes,
        "api_writes_per_crash": (writes as f64 / verdict.crashes as f64 * 1000.0).round() / 1000.0,
        "pods": size.pods, "seed": size.seed, "seconds": took.as_secs(), "reports_deleted": run.deleted.reports,
        "faults": faults, "log_reads": run.log_reads, "witnessed": verdict.witnessed,
        "unexplained": verdict.unexplained,
    });
    println!("soak: {figures}");
    println!("soak: requests {:?}", run.traffic.iter().map(|traffic| &traffic.passed).collect::<Vec<_>>());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/figures");
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join("soak.json"), format!("{figures:#}\n")).unwrap();
}

/// Where the operators' logs are kept.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/soak")
}
