//! The fetcher against an API server that answers as a real one was seen to: the right log or an honest statement.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dumps;
mod instances;
mod trouble;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use coroner::classify::{Engine, reason};
use coroner::log::{FetchOptions, Fetcher, LimitOptions, Limiter, LogAnswer};
use coroner::report::{EvidenceSource, EvidenceState};
use coroner::termination::{ContainerKind, PodFacts, RestartPolicy, SeenIn, Stopping, Termination};
use futures::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::json;
use tokio::time::Instant;

/// The life of the instance that died: it began and ended within these whole seconds.
const STARTED: &str = "2026-11-24T04:44:15Z";
const FINISHED: &str = "2026-11-24T04:44:20Z";
const ID: &str = "containerd://1b1f5b1e2c3d";

/// What one read is answered.
#[derive(Clone, Debug)]
enum Reply {
    /// A log with its time stamps; its last lines as the request asks.
    Log(String),
    /// A body as it is.
    Raw(String),
    /// A refusal, with its headers.
    Refused(u16, &'static str, Vec<(&'static str, &'static str)>),
    /// No answer, ever.
    Hang,
    /// The begin of a log, and then nothing more.
    Stall(String),
}

/// One request as it came.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    previous: bool,
    tail_lines: usize,
}

/// An API server with one container's two logs. The last answer of each repeats.
#[derive(Clone, Default)]
struct Server {
    replies: Arc<Mutex<HashMap<bool, VecDeque<Reply>>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn current(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.replies.lock().unwrap().insert(false, replies.into_iter().collect());
        self
    }

    fn previous(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.replies.lock().unwrap().insert(true, replies.into_iter().collect());
        self
    }

    fn asked(&self) -> Vec<(bool, usize)> {
        self.asked.lock().unwrap().iter().map(|asked| (asked.previous, asked.tail_lines)).collect()
    }

    fn next(&self, previous: bool) -> Reply {
        let mut replies = self.replies.lock().unwrap();
        let replies = replies.get_mut(&previous).expect("this log was not to be read");
        if replies.len() > 1 { replies.pop_front().unwrap() } else { replies[0].clone() }
    }

    async fn serve(self, request: Request<kube::client::Body>) -> Result<Response<Body>, Infallible> {
        assert_eq!(request.uri().path(), "/api/v1/namespaces/shop/pods/checkout-1/log");
        let query: HashMap<_, _> =
            request.uri().query().unwrap().split('&').filter_map(|pair| pair.split_once('=')).collect();
        assert_eq!((query["container"], query["timestamps"]), ("api", "true"));
        assert!(!query.contains_key("limitBytes"), "limitBytes cuts off the end of a tail");
        let asked =
            Asked { previous: query.get("previous") == Some(&"true"), tail_lines: query["tailLines"].parse().unwrap() };
        self.asked.lock().unwrap().push(asked.clone());
        Ok(match self.next(asked.previous) {
            Reply::Log(log) => Response::new(Body::from(tail(&log, asked.tail_lines))),
            Reply::Raw(text) => Response::new(Body::from(text)),
            Reply::Refused(code, message, headers) => refusal(code, message, &headers),
            Reply::Hang => std::future::pending().await,
            Reply::Stall(begin) => {
                let begin = stream::iter([Ok::<_, Infallible>(begin)]);
                Response::new(Body::from_stream(begin.chain(stream::pending())))
            }
        })
    }

    fn client(&self) -> Client {
        let server = self.clone();
        Client::new(tower::service_fn(move |request| server.clone().serve(request)), "default")
    }

    async fn fetch(&self, termination: &Termination) -> LogAnswer {
        self.fetch_with(termination, FetchOptions::default()).await
    }

    async fn fetch_with(&self, termination: &Termination, options: FetchOptions) -> LogAnswer {
        let limiter = Limiter::new(LimitOptions::default());
        Fetcher::new(self.client(), Arc::new(Engine::default()), limiter, options).fetch(termination).await
    }
}

fn tail(log: &str, lines: usize) -> String {
    let all: Vec<_> = log.split_inclusive('\n').collect();
    all[all.len().saturating_sub(lines)..].concat()
}

fn refusal(code: u16, message: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code});
    let mut response = Response::builder().status(StatusCode::from_u16(code).unwrap());
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(status.to_string())).unwrap()
}

fn termination(seen_in: SeenIn) -> Termination {
    let pod = PodFacts {
        namespace: "shop".into(),
        name: "checkout-1".into(),
        uid: "4f0c".into(),
        node: Some("node-a".into()),
        ..PodFacts::default()
    };
    Termination {
        pod: Arc::new(pod),
        container: "api".into(),
        kind: ContainerKind::Regular,
        restart_policy: RestartPolicy::Always,
        container_id: Some(ID.into()),
        restart_count: 3,
        seen_in,
        successor_running: false,
        exit_code: Some(2),
        signal: None,
        reason: Some("Error".into()),
        message: None,
        status_message: None,
        stated: None,
        started_at: Some(STARTED.parse().unwrap()),
        finished_at: Some(FINISHED.parse().unwrap()),
        image: "shop/checkout:1".into(),
        image_id: "sha256:1".into(),
        unseen: 0,
    }
}

/// Lines, each with the second of 04:44 in which it was written.
fn log(lines: &[(f64, &str)]) -> String {
    let base: Timestamp = "2026-11-24T04:44:00Z".parse().unwrap();
    let line = |(second, text): &(f64, &str)| {
        let at = base + Duration::from_secs_f64(*second);
        format!("{at:.9} {text}\n")
    };
    lines.iter().map(line).collect()
}

fn own() -> String {
    log(&[(15.2, "listening on :8080"), (20.1, "fatal error: concurrent map writes")])
}

/// What the container wrote of a log.
fn words(log: &str) -> String {
    log.split_inclusive('\n').map(|line| line.split_once(' ').unwrap().1).collect()
}

fn predecessor() -> String {
    log(&[(2.0, "listening on :8080"), (9.9, "panic: the one before")])
}

/// Started 0.4 s after the end of the instance, and was then silent.
fn successor() -> String {
    log(&[(20.6, "listening on :8080")])
}

const NO_PREVIOUS: Reply =
    Reply::Refused(400, "previous terminated container \"api\" in pod \"checkout-1\" not found", Vec::new());

fn error_text(id: &str) -> Reply {
    Reply::Raw(format!("unable to retrieve container logs for {id}"))
}

fn assert_evidence(answer: &LogAnswer, state: EvidenceState, source: EvidenceSource) {
    assert_eq!((answer.state, answer.source), (state, source), "{answer:?}");
}

/// The answer rests on exactly this log.
fn assert_rests_on(answer: &LogAnswer, log: &str) {
    let words = words(log);
    assert_eq!(answer.classification.log_bytes, words.len() as u64, "{answer:?}");
}
