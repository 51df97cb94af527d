//! A small API server in process, for what a real one cannot be made to do on demand: faults at a chosen call, lost
//! answers, and a clock that tests own. It knows no types: objects are JSON, kept by resource, namespace and name.
//!
//! What it takes over from the real one, since code depends on it: one resourceVersion for everything, conflicts by
//! resourceVersion and uid, the status subresource (a create drops the status, a PUT of it changes nothing else),
//! generations, terminating namespaces, merge patches, pages, watches with resume, bookmarks and 410. There is no
//! validation and no admission: those are tested against the real one.

mod faults;
mod path;
mod store;
mod watch;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use kube::Client;
use serde_json::{Value, json};

pub use faults::Fault;
use faults::Faults;
use path::Target;
use store::Store;

/// The body of an answer.
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// One server; clones are the same one.
#[derive(Clone, Default)]
pub struct FakeApiServer {
    state: Arc<Mutex<State>>,
    changed: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
struct State {
    store: Store,
    faults: Faults,
    requests: Vec<String>,
    /// Moved on to end every open watch.
    watch_era: u64,
}

/// An answer before it is one of HTTP.
struct Answer {
    code: u16,
    body: Value,
}

impl FakeApiServer {
    /// A client of it. Like Coroner's own it makes no retries of its own.
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request| {
            let server = server.clone();
            async move { Ok::<_, tower::BoxError>(server.answer(request).await) }
        });
        Client::new(service, "default")
    }

    /// Injects a fault: the next `times` requests with this method whose path contains `fragment`.
    pub fn inject(&self, method: Method, fragment: &str, times: usize, fault: Fault) {
        self.lock().faults.add(method, fragment, times, fault);
    }

    /// Faults that have not been met by a request.
    pub fn unmet_faults(&self) -> usize {
        self.lock().faults.unmet()
    }

    /// Puts an object as it is, status included, whatever was there: what the kubelet or a controller would do.
    pub fn put(&self, resource: &str, object: Value) {
        self.lock().store.put(resource, object);
        self.changed.notify_waiters();
    }

    /// Removes an object, as a user would; whether it was there.
    pub fn remove(&self, resource: &str, namespace: &str, name: &str) -> bool {
        let removed = self.lock().store.delete(resource, namespace, name).is_ok();
        self.changed.notify_waiters();
        removed
    }

    /// Every object of a resource, e.g. `crashreports`.
    pub fn all(&self, resource: &str) -> Vec<Value> {
        self.lock().store.all(resource)
    }

    /// From now on nothing can be created in this namespace.
    pub fn terminate_namespace(&self, namespace: &str) {
        self.lock().store.terminating.insert(namespace.to_owned());
    }

    /// What a read of a container's log answers: a status code and a text.
    pub fn set_log(&self, namespace: &str, pod: &str, container: &str, previous: bool, code: u16, text: &str) {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned(), previous);
        self.lock().store.logs.insert(key, (code, text.to_owned()));
    }

    /// Forgets all changes up to now: a watch that resumes from earlier is answered with 410.
    pub fn compact(&self) {
        self.lock().store.compact();
    }

    /// Ends every open watch, as a connection that breaks would.
    pub fn cut_watches(&self) {
        self.lock().watch_era += 1;
        self.changed.notify_waiters();
    }

    /// Sends a bookmark to the watches of a resource.
    pub fn bookmark(&self, resource: &str) {
        self.lock().store.bookmark(resource);
        self.changed.notify_waiters();
    }

    /// Requests so far, as `METHOD path`.
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn answer(&self, request: Request<kube::client::Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let Some(target) = Target::parse(&head.uri) else {
            return refusal(404, "NotFound", "the server could not find the requested resource").into();
        };
        let fault = {
            let mut state = self.lock();
            state.requests.push(format!("{} {}", head.method, head.uri.path()));
            state.faults.take(&head.method, head.uri.path())
        };
        match fault {
            None => self.serve(&head.method, target, &body),
            Some(Fault::Throttle { retry_after }) => throttled(retry_after).into(),
            Some(Fault::Forbidden) => refusal(403, "Forbidden", "the service account may not do this").into(),
            Some(Fault::ServerError) => refusal(500, "InternalError", "etcdserver: request timed out").into(),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::LostAnswer) => {
                drop(self.serve(&head.method, target, &body));
                std::future::pending().await
            }
        }
    }

    fn serve(&self, method: &Method, target: Target, body: &Value) -> Response<Body> {
        if method == Method::GET && target.subresource.as_deref() == Some("log") {
            return self.log(&target);
        }
        if method == Method::GET && target.query("watch").is_some_and(|watch| watch != "false") {
            return watch::open(self.clone(), target);
        }
        let answer = self.lock().store.serve(method, &target, body);
        self.changed.notify_waiters();
        answer.into()
    }

    fn log(&self, target: &Target) -> Response<Body> {
        let text = |key: &str| target.query(key).unwrap_or_default();
        let previous = text("previous") == "true";
        let key = (target.namespace.clone(), target.name.clone().unwrap_or_default(), text("container"), previous);
        let (code, log) = match self.lock().store.logs.get(&key) {
            Some(answer) => answer.clone(),
            None => return refusal(404, "NotFound", &format!("pods {:?} not found", key.1)).into(),
        };
        if code != 200 {
            return refusal(code, "BadRequest", &log).into();
        }
        let lines: Vec<&str> = log.split_inclusive('\n').collect();
        let tail = text("tailLines").parse().unwrap_or(lines.len());
        respond(200, Bytes::from(lines[lines.len().saturating_sub(tail)..].concat()))
    }
}

impl From<Answer> for Response<Body> {
    fn from(answer: Answer) -> Self {
        respond(answer.code, Bytes::from(answer.body.to_string()))
    }
}

fn respond(code: u16, body: Bytes) -> Response<Body> {
    let body = Full::new(body).boxed_unsync();
    Response::builder().status(code).header("content-type", "application/json").body(body).unwrap()
}

fn ok(body: Value) -> Answer {
    Answer { code: 200, body }
}

/// A refusal as the API server words it.
fn refusal(code: u16, reason: &str, message: &str) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    Answer { code, body }
}

fn throttled(seconds: u32) -> Answer {
    let mut answer = refusal(429, "TooManyRequests", "too many requests, please try again later");
    answer.body["details"] = json!({ "retryAfterSeconds": seconds });
    answer
}
