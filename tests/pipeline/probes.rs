//! Which deaths were kills by a probe.

use crate::support::fake_apiserver::{FakeApiServer, Fault};
use http::Method;
use serde_json::json;

use crate::operator::{Heard, Operator, PANIC, ago, container_id, counts, dies, terminated, until};

/// A container with a liveness probe whose instance number `restarts` was killed and is restarted already.
fn restarted(server: &FakeApiServer, name: &str, restarts: u32, exit: i32, log: &str) {
    server.set_log("shop", name, "app", true, 200, log);
    let status = json!({"name": "app", "restartCount": restarts + 1, "image": "shop:1",
        "containerID": container_id(restarts + 2), "state": {"running": {"startedAt": ago(0)}},
        "lastState": terminated(restarts + 1, exit)});
    server.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "generateName": "shop-"},
            "spec": {"nodeName": "node-1", "restartPolicy": "Always",
                "containers": [{"name": "app", "livenessProbe": {"httpGet": {"path": "/", "port": 80}}}]},
            "status": {"phase": "Running", "containerStatuses": [status]}}),
    );
}

fn kubelet_says(server: &FakeApiServer, pod: &str, reason: &str, message: &str) {
    server.put(
        "events",
        json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "count": 1,
            "metadata": {"namespace": "shop", "name": format!("{pod}.{}", reason.to_lowercase())},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod, "uid": format!("uid-{pod}"),
                "fieldPath": "spec.containers{app}"},
            "firstTimestamp": ago(1), "lastTimestamp": ago(1), "source": {"component": "kubelet"}}),
    );
}

fn probe_fails(server: &FakeApiServer, pod: &str) {
    kubelet_says(server, pod, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500");
    kubelet_says(server, pod, "Killing", "Container app failed liveness probe, will be restarted");
}

fn event_lists(server: &FakeApiServer) -> usize {
    server.requests().iter().filter(|request| *request == "GET /api/v1/namespaces/shop/events").count()
}

#[tokio::test(start_paused = true)]
async fn kills_by_a_probe_are_one_bug_whatever_the_exit_code_and_the_log() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    for (restarts, (exit, log)) in
        [(137, "working\n"), (143, ""), (0, "bye\n"), (2, "dial tcp 10.0.0.1:5432: connect: connection refused\n")]
            .into_iter()
            .enumerate()
    {
        probe_fails(&server, "shop-a");
        restarted(&server, "shop-a", restarts as u32, exit, log);
        until("the count", || counts(&server) == [restarts as i64 + 1]).await;
    }
    let report = server.all("crashreports").remove(0);
    let finding = &report["status"]["finding"];
    assert_eq!((&finding["category"], &finding["reason"]), (&json!("Probe"), &json!("LivenessProbeFailed")));
    assert!(finding["message"].as_str().unwrap().ends_with("HTTP probe failed with statuscode: 500"), "{finding}");
    until("the message", || sink.reports().len() == 1).await;
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_log_said_contributes_to_a_probe_kill() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    probe_fails(&server, "shop-a");
    restarted(&server, "shop-a", 0, 2, "dial tcp 10.0.0.1:5432: connect: connection refused\n");
    until("the count", || counts(&server) == [1]).await;
    let finding = &server.all("crashreports")[0]["status"]["finding"];
    assert_eq!(finding["reason"], "LivenessProbeFailed");
    assert_eq!(finding["contributing"][0]["reason"], "ConnectionRefused", "{finding}");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn events_are_listed_once_in_five_seconds_for_all_that_wait_and_never_for_a_crash() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-x", 0, PANIC);
    until("the crash", || counts(&server) == [1]).await;
    assert_eq!(event_lists(&server), 0, "a crash that was seen in its state needs no events");
    for pod in 0..30 {
        let name = format!("shop-{pod}");
        probe_fails(&server, &name);
        restarted(&server, &name, 0, 137, "");
    }
    until("all kills", || counts(&server).iter().sum::<i64>() == 31).await;
    // One that was under way when the others came, and one for those.
    assert!(event_lists(&server) <= 2, "{}", event_lists(&server));
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_kill_that_is_told_late_is_waited_for_once() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    kubelet_says(&server, "shop-a", "Unhealthy", "Liveness probe failed: timeout");
    restarted(&server, "shop-a", 0, 137, "");
    until("the first look", || event_lists(&server) == 1).await;
    kubelet_says(&server, "shop-a", "Killing", "Container app failed liveness probe, will be restarted");
    until("the count", || counts(&server) == [1]).await;
    assert_eq!(server.all("crashreports")[0]["status"]["finding"]["reason"], "LivenessProbeFailed");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_events_a_kill_is_reported_as_what_log_and_exit_say() {
    for fault in [Fault::Forbidden, Fault::Hang, Fault::ServerError] {
        let (server, sink) = (FakeApiServer::default(), Heard::default());
        server.inject(Method::GET, "/namespaces/shop/events", 9, fault);
        let operator = Operator::start(&server, &sink).await;
        probe_fails(&server, "shop-a");
        restarted(&server, "shop-a", 0, 137, "working\n");
        until("the count", || counts(&server) == [1]).await;
        assert_eq!(server.all("crashreports")[0]["status"]["finding"]["reason"], "Killed", "{fault:?}");
        operator.end().await;
    }
}
