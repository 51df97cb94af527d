//! What goes wrong during a run, each by dice of its own.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use coroner::report::CrashReport;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::dice::Dice;
use crate::plan::Size;
use crate::verdict::{Place, counted};
use crate::ways::{Operator, Side, Ways};

/// Seconds between the moment in which an operator is ready and its kill. On a machine that is short of time a start takes
/// long: were lives counted from their start, none would get as far as its first claim.
const LIFE: Range<f64> = 1.0..7.0;
/// One in so many lives ends while it may still be starting, after so many seconds.
const YOUNG: usize = 4;
const YOUTH: Range<f64> = 0.0..2.0;
/// Longest wait for an operator to be ready, in seconds, when everything fails around it.
const START: f64 = 60.0;
/// Seconds until it is there again, as a container that the kubelet restarts.
const PAUSE: Range<f64> = 0.1..1.0;
/// Seconds between two deletions of a report.
const DELETION: Range<f64> = 1.0..4.0;

/// Faults of the requests of both operators.
pub fn bad_way(side: Side) -> serde_json::Value {
    let mut plan = json!({ "throttle": 0.01, "fail": 0.01, "hang": 0.002, "cut": 0.01, "lose": 0.01, "tear": 0.2 });
    // Both believe to lead, as after a partition: a lease is advisory.
    plan["split"] = json!(side == Side::B);
    plan
}

/// Faults of the reads of logs.
pub fn bad_logs() -> serde_json::Value {
    json!({ "hang": 0.002, "fail": 0.02, "starting": 0.01, "words": 0.01, "cut": 0.01 })
}

/// What the parts of the chaos share.
#[derive(Clone)]
pub struct Chaos {
    pub size: Size,
    /// Where the operators' logs are kept.
    pub folder: PathBuf,
}

/// How the lives of an operator ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lives {
    pub kills: usize,
    /// It ended by itself before it was killed, which no fault here gives a reason for.
    pub by_itself: usize,
}

/// Lets one operator live and die until `stop`. Gives how, and the last life, which goes on.
pub async fn kill_and_restart(side: Side, chaos: Chaos, stop: CancellationToken) -> (Lives, Operator) {
    let Chaos { size, folder } = chaos;
    let mut dice = Dice::new(size.seed, if side == Side::A { 2 } else { 3 });
    let mut lives = Lives::default();
    loop {
        let life = lives.kills + lives.by_itself;
        let mut operator = Operator::start(side, &folder, life);
        let span = if life % YOUNG == YOUNG - 1 {
            dice.seconds(YOUTH)
        } else {
            tokio::select! {
                () = operator.until_ready() => {}
                () = tokio::time::sleep(Duration::from_secs_f64(START)) => {}
                () = stop.cancelled() => {}
            }
            dice.seconds(LIFE)
        };
        if !wait(span, &stop).await {
            return (lives, operator);
        }
        if operator.ended() {
            lives.by_itself += 1;
        } else {
            operator.kill();
            lives.kills += 1;
        }
        tokio::time::sleep(dice.seconds(PAUSE)).await;
    }
}

/// What was deleted: by container what the deleted reports held.
#[derive(Debug, Default)]
pub struct Deleted {
    pub reports: usize,
    pub held: BTreeMap<Place, i64>,
}

/// Deletes a report now and then, until `stop`.
pub async fn delete_reports(cluster: Cluster, size: Size, stop: CancellationToken) -> Deleted {
    let mut dice = Dice::new(size.seed, 4);
    let (mut deleted, mut open) = (Deleted::default(), Vec::new());
    while wait(dice.seconds(DELETION), &stop).await {
        let Some(reports) = cluster.reports().await.filter(|reports| !reports.is_empty()) else { continue };
        let chosen = dice.one(&reports);
        let (Some(name), Some(namespace)) = (&chosen.metadata.name, &chosen.metadata.namespace) else { continue };
        if let Some((report, owed)) = cluster.delete(name, namespace).await {
            deleted.reports += 1;
            *deleted.held.entry(Place::of(&report)).or_default() += counted(&report);
            open.push((Place::of(&report), owed));
        }
    }
    for (place, owed) in open {
        *deleted.held.entry(place).or_default() += owed.await.expect("it does not panic");
    }
    deleted
}

/// Kills the API server and starts it again.
pub async fn restart_api_server() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("testbed/restart");
    let run = move || Command::new(script).arg("kube-apiserver").output();
    let output =
        tokio::task::spawn_blocking(run).await.expect("it does not panic").expect("testbed/restart can be run");
    assert!(output.status.success(), "the API server is not back: {}", String::from_utf8_lossy(&output.stderr));
}

/// When something happens, by what was played.
pub struct Milestones {
    pub cluster: Cluster,
    pub expected: usize,
}

impl Milestones {
    /// Waits until that share of all crashes was played.
    pub async fn reached(&self, share: f64) {
        let wanted = (self.expected as f64 * share) as usize;
        while self.cluster.played().await.0 < wanted {
            tokio::time::sleep(crate::ways::GLANCE).await;
        }
    }
}

/// A second operator beside the first, for the middle of the run; for a part of that it gets no logs, so that both judge the
/// same deaths differently.
pub async fn second_operator(ways: Arc<Ways>, milestones: Arc<Milestones>, chaos: Chaos) -> Lives {
    milestones.reached(0.2).await;
    let stop = CancellationToken::new();
    let operator = tokio::spawn(kill_and_restart(Side::B, chaos, stop.clone()));
    milestones.reached(0.35).await;
    let mut blind = bad_way(Side::B);
    blind["noLogs"] = json!(true);
    ways.plan(Side::B, &blind).await;
    milestones.reached(0.6).await;
    ways.plan(Side::B, &bad_way(Side::B)).await;
    milestones.reached(0.75).await;
    stop.cancel();
    let (lives, operator) = operator.await.expect("it does not panic");
    operator.kill();
    Lives { kills: lives.kills + 1, ..lives }
}

/// `false` as soon as it makes no sense any more.
async fn wait(span: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(span) => true,
    }
}

/// The sum of what all reports and deleted ones hold.
pub fn total(reports: &[CrashReport], deleted: &Deleted) -> i64 {
    reports.iter().map(counted).sum::<i64>() + deleted.held.values().sum::<i64>()
}
