//! What the API server does wrong, and what odd objects do: no death is lost by it.

use crate::support::fake_apiserver::{FakeApiServer, Fault};
use coroner::observe::Sighting;
use coroner::termination::{Detector, DetectorOptions, Termination};
use http::Method;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::operator::{Heard, Operator, PANIC, counts, dead, dies, settle, terminated, until};

#[tokio::test(start_paused = true)]
async fn no_fault_of_the_api_server_loses_a_death() {
    for fault in [Fault::ServerError, Fault::Throttle { retry_after: 2 }, Fault::Hang, Fault::LostAnswer] {
        let (server, sink) = (FakeApiServer::default(), Heard::default());
        let operator = Operator::start(&server, &sink).await;
        // More in a row than one call retries.
        for (method, path) in [
            (Method::POST, "configmaps"),
            (Method::POST, "crashreports"),
            (Method::PUT, "status"),
            (Method::POST, "events"),
        ] {
            server.inject(method, path, 9, fault);
        }
        server.inject(Method::GET, "/log", 1, fault);
        dies(&server, "shop-a", 0, PANIC);
        until("the count in spite of it", || counts(&server) == [1]).await;
        until("the message in spite of it", || sink.reports().len() == 1).await;
        settle().await;
        assert_eq!(counts(&server), [1], "{fault:?}");
        assert_eq!(sink.reports().len(), 1, "{fault:?}");
        operator.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_decode_does_not_stop_the_watch() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    server.put("pods", json!({"metadata": {"namespace": "shop", "name": "odd-0"}, "spec": 7, "status": ["x"]}));
    let operator = Operator::start(&server, &sink).await;
    server.put(
        "pods",
        json!({"metadata": {"namespace": "shop", "name": "odd-1", "uid": 5, "ownerReferences": "none", "labels": [1]},
            "spec": {"containers": {"name": "app"}, "restartPolicy": 3},
            "status": {"phase": {}, "containerStatuses": [{"name": 1, "restartCount": "many", "state": "gone"}, 7]}}),
    );
    dies(&server, "shop-a", 0, PANIC);
    until("what comes after it", || counts(&server) == [1]).await;
    // And in a fresh list, too.
    server.compact();
    server.cut_watches();
    dies(&server, "shop-b", 0, PANIC);
    until("what comes after the list", || counts(&server) == [2]).await;
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_terminating_namespace_loses_nothing_of_others() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    server.terminate_namespace("doomed");
    dies(&server, "shop-a", 0, PANIC);
    let mut doomed = server.all("pods").remove(0);
    (doomed["metadata"]["namespace"], doomed["metadata"]["name"]) = (json!("doomed"), json!("doomed-a"));
    doomed["metadata"]["uid"] = json!("uid-doomed-a");
    server.set_log("doomed", "doomed-a", "app", false, 200, PANIC);
    for restarts in 0..5 {
        doomed["status"]["containerStatuses"][0]["restartCount"] = json!(restarts);
        doomed["status"]["containerStatuses"][0]["state"] = terminated(100 + restarts, 2);
        server.put("pods", doomed.clone());
    }
    dies(&server, "shop-b", 0, PANIC);
    until("both of the other namespace", || counts(&server) == [2]).await;
    settle().await;
    assert_eq!(counts(&server), [2]);
    assert!(server.all("crashreports").iter().all(|report| report["metadata"]["namespace"] == "shop"));
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_claimed_for_ten_minutes_is_given_up_only_if_its_pod_is_gone() {
    for (gone, expected) in [(true, 0), (false, 1)] {
        let (server, sink) = (FakeApiServer::default(), Heard::default());
        let operator = Operator::start(&server, &sink).await;
        dies(&server, "shop-a", 0, PANIC);
        until("the count", || counts(&server) == [1]).await;
        if gone {
            server.remove("pods", "shop", "shop-a");
        }
        let mut late = server.all("pods").pop().unwrap_or_else(|| dead("shop-a", 0));
        late["status"]["containerStatuses"][0]["state"] = terminated(77, 2);
        let termination = detected(&late);
        let seen_at = Timestamp::now() - SignedDuration::from_mins(10);
        operator.steps.take(Sighting { termination: Arc::new(termination), seen_at }).await;
        settle().await;
        assert_eq!(counts(&server), [1 + expected], "gone: {gone}");
        operator.end().await;
    }
}

/// The newest termination of a pod.
fn detected(pod: &Value) -> Termination {
    let pod = serde_json::from_value(pod.clone()).unwrap();
    Detector::new(DetectorOptions::default()).observe(&pod, false, Timestamp::now()).pop().unwrap()
}
