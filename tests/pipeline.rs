//! From a pod in the API to a report, an Event and a message, in process: what stands in the API at the end, whatever
//! went wrong on the way.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coroner::admin::Readiness;
use coroner::config::Config;
use coroner::leader::Takeover;
use coroner::notify::{Delivered, Message, SendError, Sink};
use coroner::observe::{Metrics, Sighting};
use coroner::operator::Settings;
use coroner::pipeline::{Pipeline, Steps};
use coroner::termination::{Detector, DetectorOptions, Termination};
use coroner::watch::{self, Scope};
use futures::future::BoxFuture;
use http::Method;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use support::fake_apiserver::{FakeApiServer, Fault};
use tokio_util::sync::CancellationToken;

const PANIC: &str = "listening on :8080\npanic: assignment to entry in nil map\n\ngoroutine 1 [running]:\n\
    main.fill(...)\n\t/src/main.go:7\nmain.main()\n\t/src/main.go:12 +0x2a\n";

/// A sink that keeps what it is sent, and fails as often as it is told to.
#[derive(Clone, Default)]
struct Heard {
    messages: Arc<Mutex<Vec<Message>>>,
    refusals: Arc<Mutex<VecDeque<SendError>>>,
}

impl Heard {
    fn reports(&self) -> Vec<String> {
        self.messages.lock().unwrap().iter().map(|message| message.report.clone()).collect()
    }
}

impl Sink for Heard {
    fn name(&self) -> &'static str {
        "heard"
    }

    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Delivered, SendError>> {
        Box::pin(async move {
            if let Some(refusal) = self.refusals.lock().unwrap().pop_front() {
                return Err(refusal);
            }
            self.messages.lock().unwrap().push(message.clone());
            Ok(Delivered::default())
        })
    }
}

/// One life of an operator.
struct Operator {
    ready: Readiness,
    stop: CancellationToken,
    steps: Arc<Steps>,
    pipeline: tokio::task::JoinHandle<()>,
}

impl Operator {
    async fn start(server: &FakeApiServer, sink: &Heard) -> Self {
        Self::start_with(server, sink, Config::default()).await
    }

    async fn start_with(server: &FakeApiServer, sink: &Heard, config: Config) -> Self {
        let (stop, ready, metrics) = (CancellationToken::new(), Readiness::default(), Metrics::new());
        let settings = Settings {
            config,
            namespace: "coroner".into(),
            instance: "coroner-0".into(),
            lease: "coroner".into(),
            admin_listen: ([127, 0, 0, 1], 0).into(),
        };
        let scopes = [Scope::All];
        let sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(sink.clone())];
        let engine = Arc::new(coroner::operator::engine(&settings.config).unwrap());
        let steps = Arc::new(Steps::new(server.client(), engine, &settings, sinks, metrics.clone(), stop.clone()));
        steps.resume(&scopes).await;
        let events = watch::pods(&server.client(), &scopes, &stop);
        let mut pipeline = Pipeline::new(&settings.config, steps.clone(), &scopes, ready.clone(), metrics);
        let stopped = stop.clone();
        let pipeline = tokio::spawn(async move {
            pipeline.run(events, &stopped).await;
            pipeline.finish().await;
        });
        let operator = Self { ready, stop, steps, pipeline };
        until("the first list", || operator.ready.get()).await;
        operator
    }

    /// Asked to end, as by SIGTERM.
    async fn end(self) {
        self.stop.cancel();
        self.pipeline.await.unwrap();
        self.steps.drain().await;
    }

    /// Killed: nothing is finished.
    fn kill(self) {
        self.pipeline.abort();
        std::mem::forget(self.steps);
    }
}

/// Lets the paused clock run until something holds. The bound is of the test's clock: it costs no time.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if holds() {
            return;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
    panic!("gave up waiting for {what}");
}

/// Lets everything settle: more than any retry, back-off or idle clearing takes.
async fn settle() {
    for _ in 0..6000 {
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
}

fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As random from the first digit on as real ones.
fn container_id(id: u32) -> String {
    format!("containerd://{:016x}{id:048x}", u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn terminated(id: u32, exit: i32) -> Value {
    json!({"terminated": {
        "containerID": container_id(id), "exitCode": exit, "reason": "Error",
        "startedAt": ago(30), "finishedAt": ago(1),
    }})
}

/// A pod of one container whose instance number `restarts` has just ended.
fn dead(name: &str, restarts: u32) -> Value {
    let mut status = json!({"name": "app", "restartCount": restarts, "state": terminated(restarts + 1, 2), "image": "shop:1",
        "containerID": container_id(restarts + 1)});
    if restarts > 0 {
        status["lastState"] = terminated(restarts, 2);
    }
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "generateName": "shop-"},
        "spec": {"nodeName": "node-1", "restartPolicy": "Always", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "containerStatuses": [status]}})
}

/// The same, with its log, in the API.
fn dies(server: &FakeApiServer, name: &str, restarts: u32, log: &str) {
    server.set_log("shop", name, "app", false, 200, log);
    server.put("pods", dead(name, restarts));
}

fn counts(server: &FakeApiServer) -> Vec<i64> {
    server.all("crashreports").iter().map(|report| report["status"]["count"].as_i64().unwrap_or(0)).collect()
}

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

fn log_reads(server: &FakeApiServer) -> usize {
    server.requests().iter().filter(|request| request.ends_with("/log")).count()
}

fn sums(server: &FakeApiServer) -> (i64, i64, i64) {
    let sum = |field: &str| {
        let of = |report: &Value| report["status"][field].as_i64().unwrap_or(0);
        server.all("crashreports").iter().map(of).sum()
    };
    (sum("count"), sum("inferred"), sum("unseen"))
}

#[tokio::test(start_paused = true)]
async fn where_the_logs_can_be_read_in_time_each_is_read() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    (0..150).for_each(|pod| dies(&server, &format!("shop-{pod}"), 0, PANIC));
    until("all counts", || sums(&server) == (150, 0, 0)).await;
    assert_eq!((log_reads(&server), counts(&server).len()), (150, 1));
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn of_one_bug_that_kills_a_thousand_pods_few_logs_are_read_and_all_are_counted() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    (0..1000).for_each(|pod| dies(&server, &format!("shop-{pod}"), 0, PANIC));
    until("all counts", || sums(&server).0 + sums(&server).1 == 1000).await;
    settle().await;
    let (count, inferred, unseen) = sums(&server);
    assert_eq!((count + inferred, unseen, counts(&server).len()), (1000, 0, 1));
    assert!(log_reads(&server) <= 20, "{} logs were read", log_reads(&server));
    assert_eq!(sink.reports().len(), 1);
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_death_whose_log_is_gone_is_counted_in_the_bug_that_it_fits() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    dies(&server, "shop-b", 0, "unable to retrieve container logs for containerd://4f\n");
    until("the one that is inferred", || sums(&server) == (1, 1, 0)).await;
    operator.end().await;
    assert_ne!(server.all("crashreports")[0]["status"]["evidence"]["state"], "Gone", "the first one's log stays");
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
async fn a_decisive_excerpt_leaves_out_what_stands_before() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let config = Config::parse("excerpt: decisive", std::path::Path::new("test")).unwrap();
    let operator = Operator::start_with(&server, &sink, config).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    let report = server.all("crashreports").remove(0);
    let excerpt = report["status"]["evidence"]["excerpt"].as_str().unwrap();
    assert!(excerpt.starts_with("panic: assignment to entry in nil map"), "{excerpt}");
    operator.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_excerpts_a_report_shows_nothing_of_the_log_but_the_message() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let config = Config::parse("excerpt: none", std::path::Path::new("test")).unwrap();
    let operator = Operator::start_with(&server, &sink, config).await;
    dies(&server, "shop-a", 0, PANIC);
    until("the count", || counts(&server) == [1]).await;
    let report = server.all("crashreports").remove(0);
    assert!(!report.to_string().contains("listening"), "{report}");
    assert_eq!(report["status"]["finding"]["message"], "panic: assignment to entry in nil map");
    operator.end().await;
}

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
async fn a_log_read_that_never_answers_is_abandoned_and_the_death_counted() {
    let (server, sink) = (FakeApiServer::default(), Heard::default());
    let operator = Operator::start(&server, &sink).await;
    server.inject(Method::GET, "/pods/shop-a/log", 1000, Fault::Hang);
    dies(&server, "shop-a", 0, PANIC);
    dies(&server, "shop-b", 0, PANIC);
    until("the other one, which does not wait for it", || counts(&server).contains(&1)).await;
    until("both", || counts(&server).iter().sum::<i64>() + inferred(&server) == 2).await;
    settle().await;
    assert_eq!(counts(&server).iter().sum::<i64>() + inferred(&server), 2);
    operator.end().await;
}

fn inferred(server: &FakeApiServer) -> i64 {
    server.all("crashreports").iter().map(|report| report["status"]["inferred"].as_i64().unwrap_or(0)).sum()
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
