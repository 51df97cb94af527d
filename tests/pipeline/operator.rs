//! One life of an operator on a fake API server, and the pods that die there.

use crate::support::fake_apiserver::FakeApiServer;
use coroner::admin::Readiness;
use coroner::config::Config;
use coroner::notify::{Delivered, Message, SendError, Sink};
use coroner::observe::Metrics;
use coroner::operator::Settings;
use coroner::pipeline::{Pipeline, Steps};
use coroner::watch::{self, Scope};
use futures::future::BoxFuture;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const PANIC: &str = "listening on :8080\npanic: assignment to entry in nil map\n\ngoroutine 1 [running]:\n\
    main.fill(...)\n\t/src/main.go:7\nmain.main()\n\t/src/main.go:12 +0x2a\n";

/// A sink that keeps what it is sent, and fails as often as it is told to.
#[derive(Clone, Default)]
pub struct Heard {
    pub messages: Arc<Mutex<Vec<Message>>>,
    pub refusals: Arc<Mutex<VecDeque<SendError>>>,
}

impl Heard {
    pub fn reports(&self) -> Vec<String> {
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
pub struct Operator {
    pub ready: Readiness,
    pub stop: CancellationToken,
    pub steps: Arc<Steps>,
    pub pipeline: tokio::task::JoinHandle<()>,
}

impl Operator {
    pub async fn start(server: &FakeApiServer, sink: &Heard) -> Self {
        Self::start_with(server, sink, Config::default()).await
    }

    pub async fn start_with(server: &FakeApiServer, sink: &Heard, config: Config) -> Self {
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
    pub async fn end(self) {
        self.stop.cancel();
        self.pipeline.await.unwrap();
        self.steps.drain().await;
    }

    /// Killed: nothing is finished.
    pub fn kill(self) {
        self.pipeline.abort();
        std::mem::forget(self.steps);
    }
}

/// Lets the paused clock run until something holds. The bound is of the test's clock: it costs no time.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
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
pub async fn settle() {
    for _ in 0..6000 {
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
}

pub fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As random from the first digit on as real ones.
pub fn container_id(id: u32) -> String {
    format!("containerd://{:016x}{id:048x}", u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

pub fn terminated(id: u32, exit: i32) -> Value {
    json!({"terminated": {
        "containerID": container_id(id), "exitCode": exit, "reason": "Error",
        "startedAt": ago(30), "finishedAt": ago(1),
    }})
}

/// A pod of one container whose instance number `restarts` has just ended.
pub fn dead(name: &str, restarts: u32) -> Value {
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
pub fn dies(server: &FakeApiServer, name: &str, restarts: u32, log: &str) {
    server.set_log("shop", name, "app", false, 200, log);
    server.put("pods", dead(name, restarts));
}

pub fn counts(server: &FakeApiServer) -> Vec<i64> {
    server.all("crashreports").iter().map(|report| report["status"]["count"].as_i64().unwrap_or(0)).collect()
}

pub fn log_reads(server: &FakeApiServer) -> usize {
    server.requests().iter().filter(|request| request.ends_with("/log")).count()
}

pub fn sums(server: &FakeApiServer) -> (i64, i64, i64) {
    let sum = |field: &str| {
        let of = |report: &Value| report["status"][field].as_i64().unwrap_or(0);
        server.all("crashreports").iter().map(of).sum()
    };
    (sum("count"), sum("inferred"), sum("unseen"))
}

pub fn inferred(server: &FakeApiServer) -> i64 {
    server.all("crashreports").iter().map(|report| report["status"]["inferred"].as_i64().unwrap_or(0)).sum()
}
