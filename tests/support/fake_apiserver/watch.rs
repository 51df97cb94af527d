//! Watches: resumed from a resourceVersion, ended by a time limit, by a cut, or by the one who reads.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use futures::stream;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::path::Target;
use super::store::selects;
use super::{Body, FakeApiServer, refusal};

/// One open watch.
struct Watch {
    server: FakeApiServer,
    target: Target,
    /// Events to be sent first.
    ready: VecDeque<Value>,
    /// Up to which version changes are known.
    version: u64,
    era: u64,
    ends: Option<Instant>,
    over: bool,
}

/// Answers a watch request.
pub fn open(server: FakeApiServer, target: Target) -> Response<Body> {
    let seconds = target.query("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
    let ends = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let asked: u64 = target.query("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
    let initial = target.query("sendInitialEvents").as_deref() == Some("true") || asked == 0;
    let watch = {
        let state = server.lock();
        let (version, era, compacted) = (state.store.version, state.watch_era, state.store.compacted);
        let mut watch =
            Watch { server: server.clone(), target, ready: VecDeque::new(), version: asked, era, ends, over: false };
        if initial {
            watch.ready = initial_events(&watch.target, &state.store.all(&watch.target.resource), version);
            watch.version = version;
        } else if asked < compacted {
            watch.ready.push_back(expired());
            watch.over = true;
        }
        watch
    };
    let lines = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        let line = Bytes::from(format!("{event}\n"));
        Some((Ok::<_, Infallible>(http_body::Frame::data(line)), watch))
    });
    let body = StreamBody::new(lines).boxed_unsync();
    Response::builder().status(200).header("content-type", "application/json").body(body).unwrap()
}

fn initial_events(target: &Target, objects: &[Value], version: u64) -> VecDeque<Value> {
    let chosen = objects.iter().filter(|object| selects(target, object));
    let mut events: VecDeque<Value> = chosen.map(|object| event(target, "ADDED", object)).collect();
    if target.query("sendInitialEvents").is_some() {
        let meta = json!({
            "resourceVersion": version.to_string(),
            "annotations": { "k8s.io/initial-events-end": "true" },
        });
        events.push_back(event(target, "BOOKMARK", &json!({ "metadata": meta })));
    }
    events
}

/// One line of a watch. A bookmark has an object of the watched kind with nothing but a version in it.
fn event(target: &Target, kind: &str, object: &Value) -> Value {
    let mut object = object.clone();
    if kind == "BOOKMARK" {
        object["apiVersion"] = json!(target.api_version);
        object["kind"] = json!(target.resource);
    }
    json!({ "type": kind, "object": object })
}

fn expired() -> Value {
    let status = refusal(410, "Expired", "too old resource version").body;
    json!({ "type": "ERROR", "object": status })
}

impl Watch {
    async fn next(&mut self) -> Option<Value> {
        loop {
            let server = self.server.clone();
            let changed = server.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that a change between looking and waiting is not missed.
            changed.as_mut().enable();
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over || !self.look() {
                return None;
            }
            if !self.ready.is_empty() {
                continue;
            }
            match self.ends {
                Some(ends) => tokio::time::timeout_at(ends, changed).await.ok()?,
                None => changed.await,
            }
        }
    }

    /// Takes in what has changed since; false when the connection is cut.
    fn look(&mut self) -> bool {
        let state = self.server.lock();
        if state.watch_era != self.era {
            return false;
        }
        let from = state.store.history.partition_point(|change| change.version <= self.version);
        for change in &state.store.history[from..] {
            let chosen = change.kind == "BOOKMARK" || selects(&self.target, &change.object);
            if change.resource == self.target.resource && chosen {
                self.ready.push_back(event(&self.target, change.kind, &change.object));
            }
            self.version = change.version;
        }
        true
    }
}
