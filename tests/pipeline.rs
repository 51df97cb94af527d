//! From a pod in the API to a report, an Event and a message, in process: what stands in the API at the end, whatever
//! went wrong on the way.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coroner::admin::Readiness;
use coroner::config::Config;
use coroner::notify::{Delivered, Message, SendError, Sink};
use coroner::observe::Metrics;
use coroner::operator::Settings;
use coroner::pipeline::{Pipeline, Steps};
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
            admin_listen: ([127, 0, 0, 1], 0).into(),
        };
        let scopes = [Scope::All];
        let sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(sink.clone())];
        let engine = Arc::new(coroner::operator::engine(&settings.config).unwrap());
        let steps = Arc::new(Steps::new(server.client(), engine, &settings, sinks, metrics.clone(), stop.clone()));
        steps.resume(&scopes).await;
        let events = watch::pods(&server.client(), &scopes, &stop);
        let pipeline = Pipeline::new(&settings.config, steps.clone(), &scopes, ready.clone(), metrics);
        let pipeline = tokio::spawn(pipeline.run(events, stop.clone()));
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

/// A pod of one container whose instance number `restarts` has just ended, with its log.
fn dies(server: &FakeApiServer, name: &str, restarts: u32, log: &str) {
    let mut status = json!({"name": "app", "restartCount": restarts, "state": terminated(restarts + 1, 2), "image": "shop:1",
        "containerID": container_id(restarts + 1)});
    if restarts > 0 {
        status["lastState"] = terminated(restarts, 2);
    }
    server.set_log("shop", name, "app", false, 200, log);
    server.put(
        "pods",
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "generateName": "shop-"},
            "spec": {"nodeName": "node-1", "restartPolicy": "Always", "containers": [{"name": "app"}]},
            "status": {"phase": "Running", "containerStatuses": [status]}}),
    );
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
    let operator = Operator::start(&server, &sink).await;
    settle().await;
    assert_eq!(counts(&server), [2]);
    assert_eq!(sink.reports().len(), 1);
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
