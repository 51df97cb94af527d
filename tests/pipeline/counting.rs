//! What is counted, told and sent of a death, and what a restart changes in it: nothing.

use crate::support::fake_apiserver::FakeApiServer;
use coroner::config::Config;
use coroner::leader::Takeover;
use coroner::notify::SendError;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::operator::{Heard, Operator, PANIC, container_id, counts, dies, log_reads, settle, sums, terminated, until};

#[tokio::test(start_paused = true)]
async fn a_death_becomes_a_report_an_event_and_a_message() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the message", || !sink.reports().is_empty()).await;
    settle().await;
    assert_eq!(counts(&server), [1]);
    let report = server.all("crashreports").remove(0);
    assert_eq!(report["status"]["finding"]["reason"], "NilDereference");
    assert_eq!(report["status"]["culpritText"], "main.go:7");
    assert_eq!(report["status"]["notifications"][0]["state"], "Sent");
    let events = server.all("events");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["reason"], "NilDereference");
    assert_eq!(events[0]["involvedObject"]["name"], "shop-a");
    assert_eq!(sink.reports(), [report["metadata"]["name"].as_str().unwrap()]);
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_commands_of_the_advice_have_the_names_of_what_died() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, "shop: open /etc/shop/rates.yaml: no such file or directory\n");
    until("the report", || counts(&server) == [1]).await;
    let finding = server.all("crashreports").remove(0)["status"]["finding"].take();
    assert_eq!(finding["reason"], "MissingFile");
    let advice = finding["advice"].to_string();
    assert!(advice.contains("kubectl -n shop debug shop-a -it --copy-to=look --container=app"), "{advice}");
    for word in ["{pod}", "<pod>", "{namespace}", "{container}"] {
        assert!(!advice.contains(word), "{advice}");
    }
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_users_rule_wins_over_what_coroner_makes_of_the_same_line() {
    let rules = tempfile::tempdir().unwrap();
    let rule = "- name: shop-rates\n  match: {line: 'open (?P<file>\\S+rates\\.yaml): no such file'}\n  category: Startup\n  \
                reason: RatesNotMounted\n  message: no rates in $file\n";
    std::fs::write(rules.path().join("shop.yaml"), rule).unwrap();
    let config = format!("rules: {{directory: {}}}", rules.path().display());
    let config = Config::parse(&config, std::path::Path::new("test")).unwrap();
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start_with(&server, &sink, config).await;
    dies(&server, "shop-a", 0, "shop: open /etc/shop/rates.yaml: no such file or directory\n");
    until("the report", || counts(&server) == [1]).await;
    let finding = server.all("crashreports").remove(0)["status"]["finding"].take();
    assert_eq!(finding["reason"], "RatesNotMounted");
    assert_eq!(finding["message"], "no rates in /etc/shop/rates.yaml");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_bug_again_is_counted_and_not_sent_again() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    for restarts in 0..3 {
        dies(&server, "shop-a", restarts, PANIC);
        until("the count", || counts(&server) == [i64::from(restarts) + 1]).await;
    }
    dies(&server, "shop-b", 0, PANIC);
    until("the other pod's", || counts(&server) == [4]).await;
    settle().await;
    assert_eq!(server.all("crashreports")[0]["status"]["pods"], 2);
    assert_eq!(sink.reports().len(), 1);
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_neither_doubles_nor_loses_what_the_pods_still_show() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    operator.kill();
    dies(&server, "shop-a", 1, PANIC);
    let operator = Operator::start(&server, &sink).await;
    until("what happened meanwhile", || counts(&server) == [2]).await;
    operator.end().await;
    let read = log_reads(&server);
    let operator = Operator::start(&server, &sink).await;
    settle().await;
    assert_eq!(counts(&server), [2]);
    assert_eq!(sink.reports().len(), 1);
    assert_eq!(log_reads(&server), read, "what is counted is not read again");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_fresh_list_after_an_expired_version_doubles_nothing() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    server.compact();
    server.cut_watches();
    settle().await;
    dies(&server, "shop-b", 0, PANIC);
    until("what comes after it", || counts(&server) == [2]).await;
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_report_comes_back_only_with_the_next_death() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    settle().await;
    let name = server.all("crashreports")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(server.remove("crashreports", "shop", &name));
    server.compact();
    server.cut_watches();
    settle().await;
    operator.end().await;
    let operator = Operator::start(&server, &sink).await;
    settle().await;
    assert_eq!(counts(&server), Vec::<i64>::new(), "neither a list nor a restart brings it back");
    dies(&server, "shop-a", 1, PANIC);
    until("the next death", || counts(&server) == [1]).await;
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_could_not_be_sent_is_sent_by_the_next_operator() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let down = SendError::Network { sink: "heard", reason: "down".into() };
    sink.refusals.lock().unwrap().push_back(down);
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the first try", || sink.refusals.lock().unwrap().is_empty()).await;
    operator.kill();
    let operator = Operator::start(&server, &sink).await;
    until("the message", || sink.reports().len() == 1).await;
    settle().await;
    assert_eq!(sink.reports().len(), 1);
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_merely_stopped_or_not_of_a_notified_category_is_not_sent() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, "dial tcp 10.0.0.1:5432: connect: connection refused\n");
    until("the report of a dependency", || counts(&server) == [1]).await;
    settle().await;
    assert_eq!(server.all("crashreports")[0]["status"]["finding"]["category"], "Dependency");
    assert!(sink.reports().is_empty());
    operator.end().await;
}

/// An init container that fails or, with exit code 0, does not; and the log.
fn init_ends(server: &FakeApiServer, restarts: u32, exit: i32) {
    let reason = if exit == 0 { "Completed" } else { "Error" };
    let mut ended = terminated(restarts + 1, exit);
    ended["terminated"]["reason"] = json!(reason);
    let status = json!({"name": "setup", "restartCount": restarts, "state": ended, "image": "setup:1",
        "containerID": container_id(restarts + 1)});
    server.set_log("shop", "shop-a", "setup", false, 200, PANIC);
    server.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "shop", "name": "shop-a", "uid": "uid-a", "generateName": "shop-"},
            "spec": {"nodeName": "node-1", "initContainers": [{"name": "setup"}], "containers": [{"name": "app"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [status]}}),
    );
}

#[tokio::test(start_paused = true)]
async fn an_exit_that_is_no_crash_is_not_taken_for_one_that_nobody_saw() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    for (restarts, exit) in [(0, 2), (1, 0), (2, 0)] {
        init_ends(&server, restarts, exit);
        settle().await;
    }
    operator.end().await;
    let operator = Operator::start(&server, &sink).await;
    init_ends(&server, 3, 2);
    until("the second crash", || sums(&server).0 == 2).await;
    settle().await;
    assert_eq!(sums(&server), (2, 0, 0));
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_triage_edit_is_kept_by_what_is_counted_after_it() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    let mut report = server.all("crashreports").remove(0);
    report["spec"]["triage"] = json!({"state": "Acknowledged", "note": "mine"});
    report["metadata"]["generation"] = json!(2);
    server.put("crashreports", report);
    for restarts in 1..4 {
        dies(&server, "shop-a", restarts, PANIC);
        until("the next", || counts(&server) == [i64::from(restarts) + 1]).await;
    }
    let report = server.all("crashreports").remove(0);
    assert_eq!(report["spec"]["triage"], json!({"state": "Acknowledged", "note": "mine"}));
    assert_eq!(report["status"]["triage"]["effective"], "Acknowledged");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_dead_before_the_first_installation_is_recorded_and_not_sent() {
    for (last_renewal, sent) in [(None, 0), (Some(Timestamp::now() - SignedDuration::from_secs(60)), 1)] {
        let (server, sink) = (FakeApiServer::default(), Heard::default());
        let operator = Operator::start(&server, &sink).await;
        operator.steps.taken_over(Takeover { last_renewal }, Timestamp::now() + SignedDuration::from_secs(1));
        dies(&server, "shop-a", 0, PANIC);
        until("the count", || counts(&server) == [1]).await;
        settle().await;
        assert_eq!(sink.reports().len(), sent, "{last_renewal:?}");
        operator.end().await;
    }
}
