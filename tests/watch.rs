//! The stream of pods: nothing but its end can stop it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use coroner::watch::{PodEvent, Scope, SlimPod, pods};
use futures::{StreamExt, stream};
use http::{Request, Response};
use kube::Client;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn recorded_pods() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/e-init/pods.watch.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["object"].take()).collect()
}

/// Paths to every value of a document.
fn paths(value: &Value, path: String, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| paths(value, format!("{path}/{}", key.replace('/', "~1")), into));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| paths(value, format!("{path}/{at}"), into))
        }
        _ => {}
    }
    into.push(path);
}

#[test]
fn no_value_of_an_unexpected_kind_makes_a_pod_undecodable() {
    let mut pod = recorded_pods().pop().unwrap();
    pod["metadata"]["deletionTimestamp"] = json!("2026-11-24T04:15:28Z");
    pod["metadata"]["annotations"] = json!({"coroner.dev/mute": "true"});
    let mut all = Vec::new();
    paths(&pod, String::new(), &mut all);
    let odd =
        [json!(null), json!([]), json!({}), json!([null, 1, "x"]), json!("odd"), json!(1e300), json!(-1), json!(true)];
    for path in all.iter().filter(|path| !path.is_empty()) {
        for value in &odd {
            let mut changed = pod.clone();
            *changed.pointer_mut(path).unwrap() = value.clone();
            let text = changed.to_string();
            serde_json::from_str::<SlimPod>(&text).unwrap_or_else(|error| panic!("{path} = {value}: {error}"));
        }
    }
}

#[test]
fn a_slim_pod_keeps_what_a_termination_needs_and_drops_the_rest() {
    let mut pod = recorded_pods().pop().unwrap();
    pod["metadata"]["labels"] = json!({"app.kubernetes.io/name": "shop", "team": "a", "coroner.dev/mute": "true"});
    pod["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    let pod: SlimPod = serde_json::from_value(pod).unwrap();
    let labels: Vec<_> = pod.metadata.labels.unwrap().into_keys().collect();
    assert_eq!(labels, ["app.kubernetes.io/name", "coroner.dev/mute"]);
    assert_eq!(pod.metadata.annotations, None);
    let migrate = &pod.status.init_container_statuses[0];
    let ended = migrate.state.terminated.as_ref().unwrap();
    assert_eq!((migrate.name.as_str(), ended.exit_code, ended.reason.as_deref()), ("migrate", 4, Some("Error")));
    assert!(ended.finished_at.is_some() && pod.metadata.resource_version.is_some());
}

#[test]
fn the_epoch_is_no_time() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/g-nocmd/pods.watch.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let line = lines.lines().find(|line| line.contains("1970-01-01T00:00:00Z")).unwrap();
    let pod: SlimPod = serde_json::from_value(serde_json::from_str::<Value>(line).unwrap()["object"].take()).unwrap();
    let status = &pod.status.container_statuses[0];
    let ended = status.state.terminated.as_ref().or(status.last_state.terminated.as_ref()).unwrap();
    assert_eq!(ended.started_at, None);
    assert!(ended.finished_at.is_some());
}

/// What the API server answers, in order; when all is said, a watch stays open.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Debug)]
enum Answer {
    List(Value),
    Watch(Vec<Value>),
    Refused(u16),
}

impl Server {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    async fn serve(self, request: Request<kube::client::Body>) -> Result<Response<Body>, Infallible> {
        let uri = request.uri().to_string();
        self.asked.lock().unwrap().push(uri.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        Ok(match answer {
            Some(Answer::List(list)) => {
                assert!(!uri.contains("watch="), "a list was expected: {uri}");
                Response::new(Body::from(list.to_string()))
            }
            Some(Answer::Watch(events)) => {
                assert!(uri.contains("watch=true"), "a watch was expected: {uri}");
                Response::new(Body::from(events.iter().map(|event| format!("{event}\n")).collect::<String>()))
            }
            Some(Answer::Refused(code)) => {
                let status = json!({"kind": "Status", "status": "Failure", "message": "no", "code": code});
                Response::builder().status(code).body(Body::from(status.to_string())).unwrap()
            }
            None => Response::new(Body::from_stream(stream::pending::<Result<String, Infallible>>())),
        })
    }

    fn client(&self) -> Client {
        let server = self.clone();
        Client::new(tower::service_fn(move |request| server.clone().serve(request)), "default")
    }
}

fn list(pods: &[Value], version: &str, go_on: &str) -> Answer {
    Answer::List(json!({
        "kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version, "continue": go_on}, "items": pods,
    }))
}

fn pod(name: &str, version: &str) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "namespace": "shop", "resourceVersion": version}})
}

fn event(kind: &str, object: Value) -> Value {
    json!({"type": kind, "object": object})
}

fn expired() -> Value {
    event(
        "ERROR",
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired",
        "message": "too old resource version", "code": 410}),
    )
}

/// One item of the stream in a word.
fn word(item: Result<(Scope, PodEvent), coroner::watch::WatchError>) -> String {
    let name = |pod: SlimPod| pod.metadata.name.unwrap_or_default();
    match item {
        Ok((_, PodEvent::ListStarted)) => "list".into(),
        Ok((_, PodEvent::Listed(pod))) => format!("listed {}", name(pod)),
        Ok((_, PodEvent::ListDone)) => "done".into(),
        Ok((_, PodEvent::Applied(pod))) => format!("applied {}", name(pod)),
        Ok((_, PodEvent::Deleted(pod))) => format!("deleted {}", name(pod)),
        Err(error) => format!("error {}", error.category()),
    }
}

async fn first_words(server: &Server, count: usize) -> Vec<String> {
    let stream = pods(&server.client(), &[Scope::All], &CancellationToken::new());
    stream.take(count).map(word).collect().await
}

#[tokio::test(start_paused = true)]
async fn an_odd_pod_stops_neither_the_list_nor_the_watch() {
    let mut odd = pod("odd", "2");
    odd["status"] =
        json!({"containerStatuses": [{"restartCount": "many", "state": {"terminated": {"finishedAt": "soon"}}}]});
    odd["spec"] = json!("none");
    let server = Server::new([
        list(&[pod("a", "1"), odd.clone()], "5", "more"),
        list(&[pod("b", "3")], "5", ""),
        Answer::Watch(vec![event("MODIFIED", odd), event("ADDED", pod("c", "6")), event("DELETED", pod("a", "7"))]),
    ]);
    let words = first_words(&server, 8).await;
    assert_eq!(words, ["list", "listed a", "listed odd", "listed b", "done", "applied odd", "applied c", "deleted a"]);
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked[0].contains("limit=") && asked[1].contains("continue=more"), "pages are asked for: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_expired_leads_to_a_fresh_list() {
    let server = Server::new([
        list(&[pod("a", "1")], "5", ""),
        Answer::Watch(vec![event("ADDED", pod("b", "6")), expired()]),
        list(&[pod("b", "6")], "9", ""),
        Answer::Watch(vec![event("ADDED", pod("c", "10"))]),
    ]);
    let words = first_words(&server, 9).await;
    let expected =
        ["list", "listed a", "done", "applied b", "error watch_refused", "list", "listed b", "done", "applied c"];
    assert_eq!(words, expected);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_and_the_watch_goes_on_when_they_end() {
    let server = Server::new([
        Answer::Refused(403),
        Answer::Refused(500),
        list(&[pod("a", "1")], "5", ""),
        Answer::Watch(vec![event("ADDED", pod("b", "6"))]),
    ]);
    let words = first_words(&server, 8).await;
    let told: Vec<_> = words.iter().filter(|word| *word != "list").cloned().collect();
    assert_eq!(told, ["error list", "error list", "listed a", "done", "applied b"]);
}

#[tokio::test(start_paused = true)]
async fn each_namespace_is_watched_by_itself_and_its_events_say_so() {
    let scopes = ["shop", "bank"].map(|name| Scope::Namespace(name.into()));
    let server = Server::new([list(&[], "5", ""), list(&[], "5", "")]);
    let stream = pods(&server.client(), &scopes, &CancellationToken::new());
    let seen: Vec<_> = stream.take(4).map(|item| item.unwrap().0).collect().await;
    for scope in &scopes {
        assert_eq!(seen.iter().filter(|seen| *seen == scope).count(), 2, "{scope} began and completed its list");
    }
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked.iter().any(|uri| uri.starts_with("/api/v1/namespaces/shop/pods?")), "{asked:?}");
    assert!(asked.iter().any(|uri| uri.starts_with("/api/v1/namespaces/bank/pods?")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_when_it_is_told_to() {
    let stop = CancellationToken::new();
    let server = Server::new([list(&[], "5", "")]);
    let mut stream = pods(&server.client(), &[Scope::All], &stop);
    assert_eq!(word(stream.next().await.unwrap()), "list");
    assert_eq!(word(stream.next().await.unwrap()), "done");
    stop.cancel();
    assert!(stream.next().await.is_none());
}
