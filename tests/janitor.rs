//! What the janitor leaves in the API: reports that are over, triage that users edit, ledgers of pods that are gone.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coroner::calls::CallError;
use coroner::janitor::ledgers::{self, Pruned};
use coroner::janitor::{Janitor, Parts, Policy};
use coroner::ledger::LedgerKey;
use coroner::ledger::census::{Caps, Census};
use coroner::notify::{Delivered, Message, ReportKey, SendError, Sink};
use coroner::observe::Metrics;
use coroner::publish::{Recorder, RecorderParts};
use coroner::report::Counted;
use coroner::watch::Scope;
use futures::future::BoxFuture;
use http::Method;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use support::fake_apiserver::{FakeApiServer, Fault};
use support::samples::{at, crash};
use tokio_util::sync::CancellationToken;

/// A sink that never sends, but whose credential can be changed.
#[derive(Default)]
struct Silent(Mutex<Option<Timestamp>>);

impl Sink for Silent {
    fn name(&self) -> &'static str {
        "heard"
    }

    fn credential_changed(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap()
    }

    fn send<'a>(&'a self, _: &'a Message) -> BoxFuture<'a, Result<Delivered, SendError>> {
        Box::pin(async { Ok(Delivered::default()) })
    }
}

struct Cleaning {
    janitor: Janitor,
    sink: Arc<Silent>,
    due: Arc<Mutex<Vec<ReportKey>>>,
    task: tokio::task::JoinHandle<()>,
}

fn start(server: &FakeApiServer) -> Cleaning {
    let (sink, due) = (Arc::new(Silent::default()), Arc::new(Mutex::new(Vec::new())));
    let told = due.clone();
    let janitor = Janitor::new(Parts {
        client: server.client(),
        home: "coroner".into(),
        scopes: vec![Scope::All],
        policy: Policy { retention: SignedDuration::from_hours(48), quiet: SignedDuration::from_mins(30) },
        sinks: vec![sink.clone()],
        on_due: Arc::new(move |report| told.lock().unwrap().push(report)),
        metrics: Metrics::new(),
    });
    let running = janitor.clone();
    let task = tokio::spawn(async move { running.run().await });
    Cleaning { janitor, sink, due, task }
}

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

async fn settle() {
    for _ in 0..4000 {
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
}

fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A report that was last seen so many seconds ago.
fn report(name: &str, seen: i64) -> Value {
    json!({"apiVersion": "coroner.dev/v1alpha1", "kind": "CrashReport",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "generation": 1},
        "spec": {"workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "container": "app",
            "fingerprint": "1-0123456789abcdef"},
        "status": {
            "finding": {"category": "Code", "reason": "Deadlock", "runtime": "go", "message": "x", "confidence": "High"},
            "count": 1, "lastSeen": ago(seen), "firstSeen": ago(seen),
            "occurrences": [{"pod": "web-1", "podUID": "uid-web-1", "containerID": "containerd://1", "restartCount": 0}],
            "triage": {"effective": "Open", "observedGeneration": 1},
            "conditions": [{"type": "Active", "status": "True", "reason": "Crashing", "message": "",
                "lastTransitionTime": ago(seen)}]}})
}

fn status(server: &FakeApiServer, name: &str) -> Value {
    let found = server.all("crashreports").into_iter().find(|report| report["metadata"]["name"] == name);
    found.map_or(Value::Null, |report| report["status"].clone())
}

fn active(server: &FakeApiServer, name: &str) -> (String, String) {
    let condition = &status(server, name)["conditions"][0];
    (condition["status"].as_str().unwrap().into(), condition["reason"].as_str().unwrap().into())
}

#[tokio::test(start_paused = true)]
async fn reports_end_when_their_last_crash_is_long_ago_and_are_calm_before_that() {
    let server = FakeApiServer::default();
    server.put("crashreports", report("fresh", 60));
    server.put("crashreports", report("quiet", 3600));
    server.put("crashreports", report("over", 3 * 86_400));
    let cleaning = start(&server);
    until("the end of one", || server.all("crashreports").len() == 2).await;
    until("the calm of another", || active(&server, "quiet").0 == "False").await;
    settle().await;
    assert_eq!(active(&server, "fresh"), ("True".into(), "Crashing".into()));
    assert_eq!(active(&server, "quiet").1, "Quiet");
    assert_eq!(status(&server, "over"), Value::Null);
    let writes = server.requests().iter().filter(|request| request.starts_with("PUT")).count();
    assert_eq!(writes, 1, "what is up to date is not written again");
    cleaning.task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_report_that_came_back_to_life_while_it_was_to_be_deleted_stays() {
    let server = FakeApiServer::default();
    server.put("crashreports", report("over", 3 * 86_400));
    // The delete meets an error first, and by the next try the bug has struck again.
    server.inject(Method::DELETE, "over", 1, Fault::ServerError);
    let cleaning = start(&server);
    until("the first try", || server.unmet_faults() == 0).await;
    server.put("crashreports", report("over", 1));
    settle().await;
    assert_eq!(server.all("crashreports").len(), 1);
    cleaning.task.abort();
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_the_triage_takes_effect_at_once() {
    let server = FakeApiServer::default();
    server.put("crashreports", report("bug", 60));
    let cleaning = start(&server);
    settle().await;
    let mut edited = server.all("crashreports").remove(0);
    edited["spec"]["triage"] = json!({"state": "Muted", "note": "known"});
    edited["metadata"]["generation"] = json!(2);
    server.put("crashreports", edited);
    let before = tokio::time::Instant::now();
    until("the effect", || status(&server, "bug")["triage"]["effective"] == "Muted").await;
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    let spec = server.all("crashreports").remove(0)["spec"].clone();
    assert_eq!(spec["triage"], json!({"state": "Muted", "note": "known"}));
    cleaning.task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_failing_start_is_cleared_when_the_container_starts() {
    let server = FakeApiServer::default();
    let mut failing = report("start", 3600);
    failing["status"]["finding"]["reason"] = json!("MissingConfiguration");
    failing["status"]["finding"]["category"] = json!("Startup");
    failing["status"]["occurrences"][0].as_object_mut().unwrap().remove("containerID");
    server.put("crashreports", failing);
    let pod = |state: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "web-1", "uid": "uid-web-1"},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"containerStatuses": [{"name": "app", "restartCount": 0, "state": state}]}})
    };
    server.put("pods", pod(json!({"waiting": {"reason": "CreateContainerConfigError"}})));
    let cleaning = start(&server);
    settle().await;
    assert_eq!(active(&server, "start").0, "True", "it still fails, however long ago that was told");
    server.put("pods", pod(json!({"running": {}})));
    cleaning.janitor.hurry();
    let before = tokio::time::Instant::now();
    until("the start", || active(&server, "start") == ("False".into(), "Started".into())).await;
    assert!(before.elapsed() < Duration::from_secs(15), "{:?}", before.elapsed());
    cleaning.task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_handed_in_again_after_the_secret_was_corrected() {
    let server = FakeApiServer::default();
    let mut refused = report("bug", 60);
    refused["status"]["notifications"] =
        json!([{"sink": "heard", "state": "Failed", "lastAttempt": ago(30), "lastCount": 0, "error": "no_service"}]);
    server.put("crashreports", refused);
    let cleaning = start(&server);
    *cleaning.sink.0.lock().unwrap() = Some(Timestamp::now() - SignedDuration::from_secs(40));
    settle().await;
    assert!(cleaning.due.lock().unwrap().is_empty(), "the secret is older than the refusal");
    *cleaning.sink.0.lock().unwrap() = Some(Timestamp::now());
    until("the message", || !cleaning.due.lock().unwrap().is_empty()).await;
    assert_eq!(status(&server, "bug")["notifications"][0]["state"], "Pending");
    assert_eq!(cleaning.due.lock().unwrap()[0].name, "bug");
    cleaning.task.abort();
}

/// Counts crashes as an operator would, and leaves nothing pending.
async fn count(server: &FakeApiServer, crashes: Vec<Counted>) {
    let parts = RecorderParts {
        clock: Arc::new(Timestamp::now),
        on_settled: Arc::new(|_| {}),
        census: Census::new(server.client(), vec![Scope::All], Caps::default()),
        hurry: CancellationToken::new(),
    };
    let recorder = Recorder::new(server.client(), "coroner", "test", parts);
    for counted in crashes {
        recorder.record(LedgerKey::of(&counted), vec![counted]).await.unwrap();
    }
    recorder.shutdown().await;
}

fn pod(server: &FakeApiServer, name: &str) {
    let metadata = json!({"namespace": "shop", "name": name, "uid": format!("uid-{name}")});
    server.put("pods", json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}));
}

async fn prune(server: &FakeApiServer, second: i64) -> Result<Pruned, CallError> {
    ledgers::prune(&server.client(), "coroner", || at(second)).await
}

fn count_in_report(server: &FakeApiServer) -> i64 {
    server.all("crashreports").iter().map(|report| report["status"]["count"].as_i64().unwrap()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_ledger_forgets_pods_that_two_lists_miss_and_goes_with_the_last_one() {
    let server = FakeApiServer::default();
    pod(&server, "a");
    pod(&server, "b");
    count(&server, vec![crash("a", 0, 10, 1), crash("b", 0, 10, 1)]).await;
    server.remove("pods", "shop", "a");
    assert_eq!(prune(&server, 0).await.unwrap(), Pruned::default());
    assert_eq!(prune(&server, 599).await.unwrap(), Pruned::default());
    assert_eq!(prune(&server, 600).await.unwrap(), Pruned { rows: 1, ledgers: 0 });
    // What is still there is not counted again.
    count(&server, vec![crash("b", 0, 10, 1)]).await;
    assert_eq!(count_in_report(&server), 2);
    server.remove("pods", "shop", "b");
    assert_eq!(prune(&server, 1000).await.unwrap(), Pruned::default());
    assert_eq!(prune(&server, 1600).await.unwrap(), Pruned { rows: 1, ledgers: 1 });
    assert!(server.all("configmaps").is_empty());
    // The next crash counts on in the report, whose mark is of the ledger that is gone.
    pod(&server, "c");
    count(&server, vec![crash("c", 0, 2000, 1)]).await;
    assert_eq!(count_in_report(&server), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_prunes_nothing() {
    let server = FakeApiServer::default();
    count(&server, vec![crash("a", 0, 10, 1)]).await;
    prune(&server, 0).await.unwrap();
    server.inject(Method::GET, "/namespaces/shop/pods", 1, Fault::Forbidden);
    assert_eq!(prune(&server, 600).await.unwrap(), Pruned::default());
    assert_eq!(server.all("configmaps").len(), 1);
    assert_eq!(prune(&server, 601).await.unwrap(), Pruned { rows: 1, ledgers: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_used_while_it_is_pruned_stays() {
    let server = FakeApiServer::default();
    count(&server, vec![crash("a", 0, 10, 1)]).await;
    prune(&server, 0).await.unwrap();
    // The clock is asked between the list of pods and the write: somebody else writes right then.
    let used = || {
        let ledger = server.all("configmaps").remove(0);
        server.put("configmaps", ledger);
        at(600)
    };
    assert_eq!(ledgers::prune(&server.client(), "coroner", used).await.unwrap(), Pruned::default());
    assert_eq!(server.all("configmaps").len(), 1);
    assert_eq!(prune(&server, 601).await.unwrap(), Pruned { rows: 1, ledgers: 1 });
}
