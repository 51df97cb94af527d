//! Counting against an API server that fails, loses answers and changes underneath: what stands in the reports at the
//! end is what happened, whatever calls it took.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use coroner::ledger::LedgerKey;
use coroner::ledger::census::{Caps, Census};
use coroner::publish::{EventNote, EventWriter, Recorded, Recorder, RecorderParts, update_status};
use coroner::report::{Counted, CrashReport, CrashReportStatus, DeliveryState, TriageState};
use coroner::watch::Scope;
use http::Method;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};
use support::fake_apiserver::{FakeApiServer, Fault};
use support::samples::{at, crash, with};
use tokio_util::sync::CancellationToken;

/// Longer than any call with all its retries.
const LONG: Duration = Duration::from_secs(600);

fn recorder(server: &FakeApiServer, name: &str) -> Recorder {
    let parts = RecorderParts {
        clock: Arc::new(|| at(1_000)),
        on_settled: Arc::new(|_| {}),
        census: Census::new(server.client(), vec![Scope::All], Caps::default()),
        hurry: CancellationToken::new(),
    };
    Recorder::new(server.client(), "coroner", name, parts)
}

async fn record(recorder: &Recorder, batch: &[Counted]) -> Vec<Recorded> {
    let key = LedgerKey::of(&batch[0]);
    recorder.record(key, batch.to_vec()).await.unwrap()
}

fn reports(server: &FakeApiServer) -> Vec<CrashReport> {
    server.all("crashreports").into_iter().map(|report| serde_json::from_value(report).unwrap()).collect()
}

/// The only report there is.
fn report(server: &FakeApiServer) -> CrashReport {
    let mut reports = reports(server);
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn count(server: &FakeApiServer) -> i64 {
    let held = |report: &CrashReport| report.status.as_ref().map_or(0, |it| it.count + it.inferred + it.unseen);
    reports(server).iter().map(held).sum()
}

fn ledger(server: &FakeApiServer) -> Value {
    let mut maps = server.all("configmaps");
    assert_eq!(maps.len(), 1);
    serde_json::from_str(maps.remove(0)["data"]["ledger.json"].as_str().unwrap()).unwrap()
}

fn delete(server: &FakeApiServer) {
    let name = report(server).metadata.name.unwrap();
    assert!(server.remove("crashreports", "shop", &name));
}

#[tokio::test(start_paused = true)]
async fn a_first_crash_makes_one_report_with_its_status() {
    let server = FakeApiServer::default();
    let recorder = recorder(&server, "a");
    recorder.replay().await.unwrap();
    let before = server.requests().len();
    let recorded = record(&recorder, &[crash("pod", 0, 10, 1)]).await;
    assert!(recorded[0].opened && recorded[0].counted.len() == 1);
    let report = report(&server);
    assert_eq!(recorded[0].report.as_ref(), Some(&report));
    assert_eq!(report.metadata.labels.as_ref().unwrap()["coroner.dev/reason"], "ConcurrentMapAccess");
    let status = report.status.unwrap();
    assert_eq!((status.count, status.pods, status.occurrences.len()), (1, 1, 1));
    // The first line somebody waits for takes no call that it can do without: the ledger, the report, its status.
    assert_eq!(server.requests()[before..].len(), 3, "{:?}", &server.requests()[before..]);
}

#[tokio::test(start_paused = true)]
async fn the_same_bug_counts_in_its_report_and_another_bug_has_its_own() {
    let server = FakeApiServer::default();
    let recorder = recorder(&server, "a");
    record(&recorder, &[crash("pod", 0, 10, 1)]).await;
    let second = record(&recorder, &[crash("pod", 1, 20, 1), crash("other", 0, 21, 1)]).await;
    assert!(!second[0].opened);
    record(&recorder, &[crash("pod", 2, 30, 2)]).await;
    let counts: Vec<i64> = reports(&server).iter().map(|report| report.status.as_ref().unwrap().count).collect();
    assert_eq!(counts.iter().sum::<i64>(), 4);
    assert_eq!(counts.len(), 2);
    assert_eq!(server.all("configmaps").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_not_counted_again_by_a_repeat_or_after_a_restart() {
    let server = FakeApiServer::default();
    let first = recorder(&server, "a");
    record(&first, &[crash("pod", 0, 10, 1)]).await;
    assert!(record(&first, &[crash("pod", 0, 10, 1)]).await.is_empty());
    first.shutdown().await;

    let second = recorder(&server, "a");
    second.replay().await.unwrap();
    assert!(record(&second, &[crash("pod", 0, 10, 1)]).await.is_empty());
    // The same death, judged otherwise by an operator that had no log.
    assert!(record(&second, &[crash("pod", 0, 10, 2)]).await.is_empty());
    assert_eq!(count(&server), 1);
    record(&second, &[crash("pod", 1, 20, 1)]).await;
    assert_eq!(count(&server), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_between_two_lives_is_counted_as_unseen() {
    let server = FakeApiServer::default();
    record(&recorder(&server, "a"), &[crash("pod", 0, 10, 1)]).await;
    record(&recorder(&server, "b"), &[crash("pod", 3, 40, 1)]).await;
    let status = report(&server).status.unwrap();
    assert_eq!((status.count, status.unseen), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn many_at_once_come_to_few_writes_and_no_two_share_a_count() {
    let server = FakeApiServer::default();
    let recorder = recorder(&server, "a");
    let crashes = (0..200).map(|pod| crash(&format!("pod-{pod}"), 0, pod, 1));
    let batches: Vec<_> = crashes.map(|counted| vec![counted]).collect();
    let key = LedgerKey::of(&batches[0][0]);
    let all = batches.into_iter().map(|batch| recorder.record(key.clone(), batch));
    let answers = futures::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.as_ref().unwrap().len() == 1).count(), 200);
    let status = report(&server).status.unwrap();
    assert_eq!((status.count, status.pods), (200, 200));
    assert!(server.requests().len() < 40, "{} requests", server.requests().len());
}

#[tokio::test(start_paused = true)]
async fn an_operator_cut_off_at_any_call_leaves_all_to_the_next_one() {
    // Method and path of each call that a first crash takes.
    let calls = [(Method::POST, "configmaps"), (Method::POST, "crashreports"), (Method::PUT, "/status")];
    for (method, path) in calls {
        for fault in [Fault::Hang, Fault::LostAnswer] {
            let server = FakeApiServer::default();
            server.inject(method.clone(), path, 1, fault);
            let cut_off = recorder(&server, "a");
            let death = crash("pod", 0, 10, 1);
            let call = cut_off.record(LedgerKey::of(&death), vec![death.clone()]);
            // It waits for an answer that never comes, when the next one takes over.
            let _ = tokio::time::timeout(Duration::from_secs(1), call).await;
            assert_eq!(server.unmet_faults(), 0);

            let next = recorder(&server, "b");
            next.replay().await.unwrap();
            record(&next, &[death.clone(), crash("pod", 1, 20, 1)]).await;
            assert_eq!(count(&server), 2, "{method} {path} {fault:?}");
            // And the first one wakes up again.
            tokio::time::sleep(LONG).await;
            assert_eq!(count(&server), 2, "{method} {path} {fault:?}, after both have come to rest");
            assert_eq!(ledger(&server)["pending"].as_array().unwrap().len(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_replay_cannot_write_is_tried_again_though_nothing_else_crashes() {
    let server = FakeApiServer::default();
    server.inject(Method::PUT, "/status", 1, Fault::Hang);
    let shared = server.clone();
    // In a runtime of its own, with which it ends: nothing of it is left that could go on.
    let life = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let death = crash("pod", 0, 10, 1);
            let first = recorder(&shared, "a");
            let call = first.record(LedgerKey::of(&death), vec![death.clone()]);
            let _ = tokio::time::timeout(Duration::from_secs(1), call).await;
        });
    };
    std::thread::spawn(life).join().unwrap();
    server.inject(Method::PUT, "/status", 40, Fault::ServerError);
    let next = recorder(&server, "b");
    next.replay().await.unwrap();
    assert_eq!(count(&server), 0);
    tokio::time::sleep(LONG * 10).await;
    assert_eq!((count(&server), server.unmet_faults()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn every_call_may_fail_hang_or_lose_its_answer() {
    let calls = [
        (Method::GET, "configmaps"),
        (Method::POST, "configmaps"),
        (Method::PUT, "configmaps"),
        (Method::GET, "crashreports"),
        (Method::POST, "crashreports"),
        (Method::PUT, "/status"),
    ];
    let faults = [Fault::ServerError, Fault::Throttle { retry_after: 3 }, Fault::Hang, Fault::LostAnswer];
    for (method, path) in calls {
        for fault in faults {
            let server = FakeApiServer::default();
            let recorder = recorder(&server, "a");
            server.inject(method.clone(), path, 2, fault);
            for restart in 0..4 {
                let death = crash("pod", restart, i64::from(restart) * 10, u64::from(restart % 2 == 0));
                let recorded = record(&recorder, &[death]).await;
                // One whose write went through without an answer knows its own claim again.
                assert!(recorded.len() == 1 && recorded[0].counted.len() == 1, "{method} {path} {fault:?}");
            }
            tokio::time::sleep(LONG).await;
            assert_eq!(server.unmet_faults(), 0, "{method} {path}");
            assert_eq!(count(&server), 4, "{method} {path} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_cannot_be_written_for_long_is_owed_and_written_later() {
    let server = FakeApiServer::default();
    server.inject(Method::PUT, "/status", 20, Fault::ServerError);
    let recorder = recorder(&server, "a");
    let recorded = record(&recorder, &[crash("pod", 0, 10, 1)]).await;
    assert!(recorded[0].report.is_none() && recorded[0].counted.len() == 1);
    assert_eq!(count(&server), 0);
    tokio::time::sleep(LONG).await;
    assert_eq!(count(&server), 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_cannot_be_written_is_an_error_and_can_be_handed_in_again() {
    let server = FakeApiServer::default();
    server.inject(Method::POST, "configmaps", 7, Fault::ServerError);
    let recorder = recorder(&server, "a");
    let death = crash("pod", 0, 10, 1);
    let error = recorder.record(LedgerKey::of(&death), vec![death.clone()]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot claim terminations of shop/checkout: etcdserver: request timed out (HTTP 500)"
    );
    record(&recorder, &[death]).await;
    assert_eq!(count(&server), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_report_comes_back_by_the_next_death_only() {
    let server = FakeApiServer::default();
    let recorder = recorder(&server, "a");
    record(&recorder, &[crash("pod", 0, 10, 1)]).await;
    record(&recorder, &[crash("pod", 1, 20, 1)]).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    delete(&server);

    record(&recorder, &[crash("pod", 1, 20, 1)]).await;
    let restarted = self::recorder(&server, "b");
    restarted.replay().await.unwrap();
    record(&restarted, &[crash("pod", 1, 20, 1)]).await;
    assert_eq!(reports(&server).len(), 0);

    let recorded = record(&restarted, &[crash("pod", 2, 30, 1)]).await;
    assert!(recorded[0].opened);
    let status = report(&server).status.unwrap();
    assert_eq!((status.count, status.pods, status.unseen), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_users_triage_is_kept_and_followed() {
    let server = FakeApiServer::default();
    let recorder = recorder(&server, "a");
    record(&recorder, &[crash("pod", 0, 10, 1)]).await;
    let api: Api<CrashReport> = Api::namespaced(server.client(), "shop");
    let name = report(&server).metadata.name.unwrap();
    let edit = Patch::Merge(json!({ "spec": { "triage": { "state": "Muted", "note": "known" } } }));
    api.patch(&name, &PatchParams::default(), &edit).await.unwrap();
    record(&recorder, &[crash("pod", 1, 20, 1)]).await;
    let report = report(&server);
    assert_eq!(report.spec.triage.unwrap().note.as_deref(), Some("known"));
    let status = report.status.unwrap();
    assert_eq!((status.count, status.triage.unwrap().effective), (2, TriageState::Muted));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_away_is_given_up_and_holds_nothing_up() {
    let server = FakeApiServer::default();
    server.terminate_namespace("shop");
    let recorder = recorder(&server, "a");
    let recorded = record(&recorder, &[crash("pod", 0, 10, 1)]).await;
    assert!(recorded[0].report.is_none());
    assert_eq!(reports(&server).len(), 0);

    let elsewhere = with(crash("pod", 0, 10, 1), |termination| {
        Arc::make_mut(&mut termination.pod).namespace = "blog".into();
    });
    record(&recorder, &[elsewhere]).await;
    assert_eq!(count(&server), 1);
    tokio::time::sleep(LONG).await;
    let pending = |map: &Value| map["data"]["ledger.json"].as_str().unwrap().contains("\"pending\":[]");
    assert!(server.all("configmaps").iter().all(pending));
}

/// What a notifier does before it sends; whether it is the one to send.
async fn claim_message(api: &Api<CrashReport>, name: &str) -> bool {
    let mut mine = false;
    let change = |status: &mut CrashReportStatus| {
        mine = status.notifications[0].state == DeliveryState::Pending;
        status.notifications[0].state = DeliveryState::Sending;
        mine
    };
    update_status(api, name, change).await.unwrap();
    mine
}

#[tokio::test(start_paused = true)]
async fn a_message_is_asked_for_with_the_bug_and_one_of_two_notifiers_has_it() {
    let server = FakeApiServer::default();
    let mut death = crash("pod", 0, 10, 1);
    death.notify = vec!["slack".into()];
    record(&recorder(&server, "a"), &[death]).await;
    let report = report(&server);
    assert_eq!(report.status.unwrap().notifications[0].state, DeliveryState::Pending);

    let (api, name) = (Api::namespaced(server.client(), "shop"), report.metadata.name.unwrap());
    let (first, second) = tokio::join!(claim_message(&api, &name), claim_message(&api, &name));
    assert!(first != second, "exactly one sends");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_finishes_what_was_handed_in() {
    let server = FakeApiServer::default();
    server.inject(Method::PUT, "/status", 2, Fault::ServerError);
    let recorder = recorder(&server, "a");
    let death = crash("pod", 0, 10, 1);
    let (answer, ()) = tokio::join!(recorder.record(LedgerKey::of(&death), vec![death.clone()]), async {
        tokio::task::yield_now().await;
        recorder.shutdown().await;
    });
    assert!(answer.unwrap()[0].report.is_some());
    assert_eq!(ledger(&server)["pending"], json!([]));
    assert!(recorder.record(LedgerKey::of(&death), vec![death]).await.is_err());
}

fn event(server: &FakeApiServer) -> Value {
    let mut events = server.all("events");
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[tokio::test(start_paused = true)]
async fn an_event_is_counted_in_place_across_restarts_and_made_again_when_it_expired() {
    let server = FakeApiServer::default();
    let note = |restart: i32| EventNote::on_pod(&crash("pod", restart, i64::from(restart) * 10, 1), "report-1");
    let writer = EventWriter::new(server.client(), "coroner-0");
    writer.publish(&note(0)).await.unwrap();
    writer.publish(&note(1)).await.unwrap();
    let restarted = EventWriter::new(server.client(), "coroner-1");
    restarted.publish(&note(2)).await.unwrap();
    restarted.publish(&note(3)).await.unwrap();
    let counted = event(&server);
    assert_eq!(counted["count"], 4);
    assert_eq!(counted["type"], "Warning");
    assert_eq!(counted["reason"], "ConcurrentMapAccess");
    assert_eq!(counted["involvedObject"]["fieldPath"], "spec.containers{api}");
    assert_ne!(counted["firstTimestamp"], counted["lastTimestamp"]);

    let name = counted["metadata"]["name"].as_str().unwrap();
    assert!(server.remove("events", "shop", name));
    restarted.publish(&note(4)).await.unwrap();
    assert_eq!(event(&server)["count"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_in_a_namespace_that_goes_away_is_no_error() {
    let server = FakeApiServer::default();
    server.terminate_namespace("shop");
    let writer = EventWriter::new(server.client(), "coroner-0");
    writer.publish(&EventNote::on_pod(&crash("pod", 0, 10, 1), "report-1")).await.unwrap();
    assert!(server.all("events").is_empty());
}
