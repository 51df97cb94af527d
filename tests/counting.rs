//! How few calls it takes to count, and where what has no log, no room or no consequence is counted.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coroner::classify::Confidence;
use coroner::ledger::census::{Caps, Census};
use coroner::ledger::{Instance, LedgerKey, Pass};
use coroner::publish::{Recorded, Recorder, RecorderParts};
use coroner::report::{Counted, CrashReport, CrashReportStatus, EvidenceState, UNEXPLAINED};
use coroner::watch::Scope;
use futures::future::join_all;
use serde_json::{Value, json};
use support::fake_apiserver::FakeApiServer;
use support::samples::{at, crash, unread, with};
use tokio_util::sync::CancellationToken;

/// Longer than anything waits.
const LONG: Duration = Duration::from_secs(300);

/// A recorder with what a test wants to know of it.
struct Office {
    server: FakeApiServer,
    recorder: Recorder,
    hurry: CancellationToken,
    settled: Arc<Mutex<Vec<CrashReport>>>,
}

impl Office {
    async fn open(server: &FakeApiServer, caps: Caps) -> Self {
        let (hurry, settled) = (CancellationToken::new(), Arc::new(Mutex::new(Vec::new())));
        let heard = settled.clone();
        let parts = RecorderParts {
            clock: Arc::new(|| at(1_000)),
            on_settled: Arc::new(move |report| heard.lock().unwrap().push(report.clone())),
            census: Census::new(server.client(), vec![Scope::All], caps),
            hurry: hurry.clone(),
        };
        let recorder = Recorder::new(server.client(), "coroner", "a", parts);
        recorder.replay().await.unwrap();
        Self { server: server.clone(), recorder, hurry, settled }
    }

    async fn new() -> Self {
        Self::open(&FakeApiServer::default(), Caps::default()).await
    }

    async fn count(&self, counted: Counted) -> Vec<Recorded> {
        self.recorder.record(LedgerKey::of(&counted), vec![counted]).await.unwrap()
    }

    async fn pass(&self, counted: Counted) {
        let termination = &counted.termination;
        let instance = Instance::of(termination, counted.ended_at());
        let pass = Pass { pod_uid: termination.pod.uid.clone(), instance, unseen: termination.unseen };
        self.recorder.pass(&LedgerKey::of(&counted), pass).await;
    }

    fn reports(&self) -> Vec<CrashReport> {
        let all = self.server.all("crashreports");
        all.into_iter().map(|report| serde_json::from_value(report).unwrap()).collect()
    }

    fn statuses(&self) -> Vec<CrashReportStatus> {
        self.reports().into_iter().map(|report| report.status.unwrap_or_default()).collect()
    }

    fn of(&self, counted: &Counted) -> CrashReportStatus {
        let name = counted.report_name();
        let mut reports = self.reports().into_iter();
        reports.find(|report| report.metadata.name.as_ref() == Some(&name)).unwrap().status.unwrap()
    }

    fn unexplained(&self) -> Option<CrashReportStatus> {
        self.reports().into_iter().find(|report| report.spec.fingerprint == UNEXPLAINED)?.status
    }

    fn writes(&self) -> usize {
        self.server.requests().iter().filter(|request| !request.starts_with("GET")).count()
    }

    fn total(&self) -> i64 {
        self.statuses().iter().map(|status| status.count + status.inferred + status.unseen).sum()
    }
}

fn of_workload(mut counted: Counted, number: usize) -> Counted {
    counted.workload.name = format!("workload-{number}");
    counted
}

#[tokio::test(start_paused = true)]
async fn a_harmless_exit_costs_no_call_and_is_not_unseen_afterwards() {
    let office = Office::new().await;
    office.pass(crash("other", 4, 5, 9)).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(office.writes(), 0);

    office.count(crash("pod", 0, 10, 1)).await;
    office.pass(crash("pod", 1, 20, 9)).await;
    office.count(crash("pod", 2, 30, 1)).await;
    tokio::time::sleep(LONG).await;
    assert_eq!((office.of(&crash("pod", 0, 10, 1)).count, office.total()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_harmless_exit_of_a_pod_that_crashes_is_known_to_the_next_operator() {
    let first = Office::new().await;
    first.count(crash("pod", 0, 10, 1)).await;
    first.pass(crash("pod", 1, 20, 9)).await;
    first.pass(crash("pod", 2, 30, 9)).await;
    tokio::time::sleep(LONG).await;
    let second = Office::open(&first.server, Caps::default()).await;
    second.count(crash("pod", 3, 40, 1)).await;
    assert_eq!(second.total(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_harmless_exit_that_is_looked_at_late_is_taken_back() {
    let office = Office::new().await;
    office.count(crash("pod", 0, 10, 1)).await;
    office.count(crash("pod", 2, 30, 1)).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(office.total(), 3);
    office.pass(crash("pod", 1, 20, 9)).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(office.total(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_death_without_a_log_is_inferred_where_exactly_one_open_bug_fits() {
    let office = Office::new().await;
    office.count(crash("pod", 0, 10, 1)).await;
    office.count(unread(crash("pod", 1, 20, 1))).await;
    tokio::time::sleep(LONG).await;
    let status = office.of(&crash("pod", 0, 10, 1));
    assert_eq!((status.count, status.inferred, office.reports().len()), (1, 1, 1));

    // Another exit code is another death.
    office.count(with(unread(crash("pod", 2, 30, 1)), |it| it.exit_code = Some(1))).await;
    assert_eq!(office.unexplained().unwrap().count, 1);
    // And with two bugs that end alike nobody can tell.
    office.count(crash("pod", 3, 40, 2)).await;
    office.count(unread(crash("pod", 4, 50, 1))).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(office.unexplained().unwrap().count, 2);
}

#[tokio::test(start_paused = true)]
async fn a_bug_that_was_deleted_or_resolved_is_not_one_that_fits() {
    let office = Office::new().await;
    for (restart, bug) in [(0, 1), (1, 2), (2, 3)] {
        office.count(crash("pod", restart, i64::from(restart) * 10, bug)).await;
    }
    tokio::time::sleep(LONG).await;
    let name = crash("pod", 0, 0, 1).report_name();
    assert!(office.server.remove("crashreports", "shop", &name));
    let mut resolved = office.reports().into_iter().find(|it| it.spec.fingerprint == "1-0000000000000002").unwrap();
    resolved.metadata.generation = Some(2);
    resolved.spec.triage = serde_json::from_value(json!({ "state": "Resolved" })).unwrap();
    office.server.put("crashreports", serde_json::to_value(&resolved).unwrap());
    office.count(unread(crash("pod", 3, 40, 1))).await;
    tokio::time::sleep(LONG).await;
    assert_eq!(office.of(&crash("pod", 0, 0, 3)).inferred, 1);
}

#[tokio::test(start_paused = true)]
async fn unexplained_deaths_are_one_report_and_told_at_the_third() {
    let office = Office::new().await;
    for restart in 0..3 {
        let mut lost = unread(crash("pod", restart, i64::from(restart) * 10, 1));
        lost.evidence = EvidenceState::RateLimited;
        lost.notify = vec!["slack".into()];
        office.count(lost).await;
        tokio::time::sleep(LONG).await;
        let status = office.unexplained().unwrap();
        assert_eq!((status.count, status.inferred), (i64::from(restart) + 1, 0));
        assert_eq!(!status.notifications.is_empty(), restart == 2);
    }
    assert_eq!(office.reports().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_loop_is_claimed_at_once_and_its_counts_are_written_ever_more_seldom() {
    let office = Office::new().await;
    for restart in 0..60 {
        let recorded = office.count(crash("pod", restart, i64::from(restart) * 5, 1)).await;
        assert_eq!(recorded[0].counted.len(), 1);
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    let requests = office.server.requests();
    let of =
        |what: &str| requests.iter().filter(|request| request.starts_with("PUT") && request.contains(what)).count();
    assert!(of("configmaps") >= 59, "each is safe in the ledger a second after it was seen");
    assert!((6..=12).contains(&of("/status")), "{} writes of the report in five minutes", of("/status"));
    tokio::time::sleep(LONG).await;
    assert_eq!(office.total(), 60);
    let last = office.settled.lock().unwrap().last().cloned();
    assert_eq!(last.unwrap().status.unwrap().count, 60, "what follows a report follows a late write too");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_writes_what_waits() {
    let office = Office::new().await;
    for restart in 0..8 {
        office.count(crash("pod", restart, i64::from(restart), 1)).await;
    }
    let waiting = office.count(crash("pod", 8, 8, 1));
    let (recorded, ()) = tokio::join!(waiting, async {
        tokio::task::yield_now().await;
        let asked = tokio::time::Instant::now();
        office.hurry.cancel();
        office.recorder.shutdown().await;
        assert!(asked.elapsed() < Duration::from_secs(1), "nothing waits for more any longer");
    });
    assert_eq!(recorded[0].counted.len(), 1);
    assert_eq!(office.total(), 9);
    let ledger: Value =
        serde_json::from_str(office.server.all("configmaps")[0]["data"]["ledger.json"].as_str().unwrap()).unwrap();
    assert_eq!(ledger["pending"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_five_thousand_is_counted_in_a_minute_with_one_write_for_five_crashes() {
    let office = Office::new().await;
    let began = tokio::time::Instant::now();
    let crashes = (0..5000usize).map(|number| {
        let (workload, nth) = (number % 200, number / 200);
        let counted = of_workload(crash(&format!("pod-{workload}-{nth}"), 0, number as i64 / 500, 1), workload);
        let office = &office;
        async move {
            tokio::time::sleep(Duration::from_millis(number as u64 * 2)).await;
            office.count(counted).await
        }
    });
    join_all(crashes).await;
    while office.total() < 5000 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(began.elapsed() <= Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(office.writes() <= 1000, "{} writes", office.writes());
    assert_eq!((office.total(), office.reports().len()), (5000, 200));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_cap_uncertain_bugs_are_counted_together_and_certain_ones_never() {
    let caps = Caps { per_workload: 3, ..Caps::default() };
    let office = Office::open(&FakeApiServer::default(), caps).await;
    let unsure = |restart: i32| {
        let mut counted = crash("pod", restart, restart.into(), restart as u64 + 1);
        counted.classification.finding.confidence = Confidence::Medium;
        counted
    };
    for restart in 0..6 {
        office.count(unsure(restart)).await;
    }
    tokio::time::sleep(LONG).await;
    assert_eq!((office.total(), office.reports().len()), (6, 4));
    // A certain one has its own, for which the least certain of those that struck once gives way.
    office.count(crash("pod", 6, 6, 100)).await;
    tokio::time::sleep(LONG).await;
    assert_eq!((office.total(), office.reports().len()), (7, 4));
    let others =
        office.reports().into_iter().find(|it| it.metadata.name.as_ref().unwrap().ends_with("-other")).unwrap();
    assert_eq!(others.status.unwrap().count, 4);
    assert_eq!(office.of(&crash("pod", 6, 6, 100)).count, 1);

    // What a user deletes makes room.
    for restart in 0..3 {
        office.server.remove("crashreports", "shop", &unsure(restart).report_name());
    }
    office.count(unsure(7)).await;
    assert_eq!(office.of(&unsure(7)).count, 1);
}

#[tokio::test(start_paused = true)]
async fn what_struck_again_or_was_taken_on_does_not_give_way() {
    let caps = Caps { per_workload: 2, ..Caps::default() };
    let office = Office::open(&FakeApiServer::default(), caps).await;
    let unsure = |restart: i32, bug: u64| {
        let mut counted = crash("pod", restart, restart.into(), bug);
        counted.classification.finding.confidence = Confidence::Medium;
        counted
    };
    office.count(unsure(0, 1)).await;
    office.count(unsure(1, 1)).await;
    office.count(unsure(2, 2)).await;
    tokio::time::sleep(LONG).await;
    let mut taken_on = office.reports().into_iter().find(|it| it.spec.fingerprint == "1-0000000000000002").unwrap();
    taken_on.spec.triage = serde_json::from_value(json!({ "state": "Acknowledged" })).unwrap();
    office.server.put("crashreports", serde_json::to_value(&taken_on).unwrap());
    office.count(crash("pod", 3, 3, 100)).await;
    tokio::time::sleep(LONG).await;
    assert_eq!((office.total(), office.reports().len()), (4, 3), "a certain one is reported beyond the cap");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_and_a_cluster_are_bounded_too() {
    for caps in [Caps { per_namespace: 2, ..Caps::default() }, Caps { per_cluster: 2, ..Caps::default() }] {
        let office = Office::open(&FakeApiServer::default(), caps).await;
        for number in 0..4 {
            let mut counted = of_workload(crash(&format!("pod-{number}"), 0, 1, 1), number);
            counted.classification.finding.confidence = Confidence::Low;
            office.count(counted).await;
        }
        let own = office.reports().iter().filter(|it| !it.metadata.name.as_ref().unwrap().ends_with("-other")).count();
        assert_eq!((own, office.total()), (2, 4));
    }
}
