//! What stands as Events on pods and workloads.

use crate::support::fake_apiserver::FakeApiServer;
use serde_json::{Value, json};

use crate::operator::{Heard, Operator, PANIC, counts, dead, settle, until};

/// The Events on objects of a kind: the object's name and the Event's count.
fn events_on(server: &FakeApiServer, kind: &str) -> Vec<(String, i64)> {
    let own = |event: &Value| event["involvedObject"]["kind"] == kind && event["source"]["component"] == "coroner";
    let named = |event: &Value| event["involvedObject"]["name"].as_str().unwrap().to_owned();
    server.all("events").iter().filter(|it| own(it)).map(|it| (named(it), it["count"].as_i64().unwrap())).collect()
}

/// The same of a StatefulSet.
fn owned(server: &FakeApiServer, name: &str, restarts: u32) {
    server.set_log("shop", name, "app", false, 200, PANIC);
    let mut pod = dead(name, restarts);
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db",
        "uid": "uid-db", "controller": true}]);
    server.put("pods", pod);
}

#[tokio::test(start_paused = true)]
async fn events_stand_on_pods_while_the_budget_lasts_and_on_the_workload_for_all() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    for pod in 0..100 {
        owned(&server, &format!("db-{pod}"), 0);
    }
    until("all counts", || counts(&server) == [100]).await;
    settle().await;
    let on_pods = events_on(&server, "Pod");
    assert!((1..=10).contains(&on_pods.len()), "{on_pods:?}");
    assert_eq!(events_on(&server, "StatefulSet"), [("db".to_owned(), 100)]);
    let writes = server.requests().iter().filter(|it| it.contains("/events") && !it.starts_with("GET")).count();
    assert!(writes < 30, "{writes}");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_counted_on_and_made_again_when_it_has_expired() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    for restarts in 0..2 {
        owned(&server, "db-0", restarts);
        until("the count", || counts(&server) == [i64::from(restarts) + 1]).await;
    }
    until("the events", || events_on(&server, "StatefulSet") == [("db".to_owned(), 2)]).await;
    assert_eq!(events_on(&server, "Pod"), [("db-0".to_owned(), 2)]);
    for event in server.all("events") {
        server.remove("events", "shop", event["metadata"]["name"].as_str().unwrap());
    }
    owned(&server, "db-0", 2);
    until("the count", || counts(&server) == [3]).await;
    until("new events", || events_on(&server, "StatefulSet") == [("db".to_owned(), 1)]).await;
    assert_eq!(events_on(&server, "Pod"), [("db-0".to_owned(), 1)]);
    // A new life of the operator counts on in what is there.
    operator.end().await;
    let operator = Operator::start(&server, &sink).await;
    owned(&server, "db-0", 3);
    until("the count", || counts(&server) == [4]).await;
    until("the event", || events_on(&server, "Pod") == [("db-0".to_owned(), 2)]).await;
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_workloads_event_is_written_at_a_shutdown() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    for restarts in 0..3 {
        owned(&server, "db-0", restarts);
        until("the count", || counts(&server) == [i64::from(restarts) + 1]).await;
    }
    operator.end().await;
    assert_eq!(events_on(&server, "StatefulSet"), [("db".to_owned(), 3)]);
}
