//! The fetcher against an API server that answers as a real one was seen to: the right log or an honest statement.

#![allow(clippy::unwrap_used, clippy::expect_used)]

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

#[tokio::test]
async fn the_latest_instance_is_read_with_previous_false() {
    let server = Server::default().current([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &own());
    assert_eq!((answer.reads, server.asked()), (1, vec![(false, 2000)]));
}

#[tokio::test]
async fn an_instance_that_has_a_successor_is_read_with_previous_true() {
    let server = Server::default().previous([Reply::Log(own())]);
    let answer = server.fetch(&Termination { successor_running: true, ..termination(SeenIn::LastState) }).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
    assert_eq!(server.asked(), [(true, 2000)]);
}

#[tokio::test]
async fn the_log_of_the_instance_before_is_not_accepted_and_the_other_one_is_read() {
    let server = Server::default().current([Reply::Log(predecessor())]).previous([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
    assert_eq!(server.asked(), [(false, 2000), (true, 2000)]);
}

#[tokio::test]
async fn only_a_first_instance_may_have_written_well_before_its_start() {
    let early = log(&[(14.6, "listening on :8080"), (20.1, "fatal error: concurrent map writes")]);
    let cases = [
        (0, &early, EvidenceState::Verified),
        (3, &early, EvidenceState::Gone),
        // A reboot of the node lets the kubelet count from 0 again.
        (0, &predecessor(), EvidenceState::Gone),
    ];
    for (restart_count, written, state) in cases {
        let server = Server::default().current([Reply::Log(written.clone())]).previous([NO_PREVIOUS]);
        let answer = server.fetch(&Termination { restart_count, ..termination(SeenIn::State) }).await;
        assert_eq!(answer.state, state, "{restart_count}: {answer:?}");
    }
}

#[tokio::test]
async fn with_a_successor_the_current_log_is_never_read_whatever_became_of_the_previous_one() {
    for reply in [Reply::Log(predecessor()), Reply::Raw(String::new()), NO_PREVIOUS, error_text(ID)] {
        let server = Server::default().previous([reply]);
        let answer = server.fetch(&Termination { successor_running: true, ..termination(SeenIn::LastState) }).await;
        assert!(matches!(answer.state, EvidenceState::Gone | EvidenceState::Empty), "{answer:?}");
        assert_eq!((answer.classification.log_bytes, answer.source), (0, EvidenceSource::Status));
        assert_eq!(server.asked(), [(true, 2000)]);
    }
}

#[tokio::test]
async fn a_successor_of_the_same_second_is_told_apart_by_the_previous_log() {
    let server = Server::default().current([Reply::Log(successor())]).previous([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
    assert_eq!(server.asked(), [(false, 2000), (true, 1), (true, 2000)]);
}

#[tokio::test]
async fn a_successor_of_the_same_second_is_told_apart_by_the_error_for_the_previous_log() {
    for text in [
        format!("unable to retrieve container logs for {ID}"),
        "failed to try resolving symlinks in path \"/var/log/pods/shop_checkout-1_4f0c/api/3.log\": lstat \
         /var/log/pods/shop_checkout-1_4f0c/api/3.log: no such file or directory\n"
            .into(),
    ] {
        let server = Server::default().current([Reply::Log(successor())]).previous([Reply::Raw(text)]);
        let answer = server.fetch(&termination(SeenIn::State)).await;
        assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
        assert_eq!(answer.classification.log_bytes, 0);
    }
}

#[tokio::test]
async fn a_log_that_only_holds_the_last_second_is_verified_by_what_the_previous_log_is() {
    let quiet = log(&[(20.3, "fatal error: concurrent map writes")]);
    for previous in [NO_PREVIOUS, Reply::Log(predecessor()), error_text("containerd://another")] {
        let server = Server::default().current([Reply::Log(quiet.clone())]).previous([previous]);
        let answer = server.fetch(&termination(SeenIn::State)).await;
        assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
        assert_rests_on(&answer, &quiet);
        assert_eq!(server.asked(), [(false, 2000), (true, 1)]);
    }
}

#[tokio::test]
async fn a_pod_that_is_deleted_has_no_successor() {
    let quiet = log(&[(20.3, "panic: at shutdown")]);
    let server = Server::default().current([Reply::Log(quiet.clone())]);
    let mut termination = termination(SeenIn::State);
    Arc::make_mut(&mut termination.pod).stopping = Some(Stopping::Deleted);
    let answer = server.fetch(&termination).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
}

#[tokio::test]
async fn after_a_restart_in_between_the_current_log_is_only_accepted_if_it_began_before_the_end() {
    let server = Server::default().previous([NO_PREVIOUS]).current([Reply::Log(successor())]);
    let answer = server.fetch(&termination(SeenIn::LastState)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);

    let server = Server::default().previous([NO_PREVIOUS]).current([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::LastState)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
}

#[tokio::test]
async fn an_error_that_comes_as_the_log_is_none_of_the_containers_words() {
    let server = Server::default().current([error_text(ID)]).previous([NO_PREVIOUS]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
    assert_eq!((answer.classification.log_bytes, answer.reads), (0, 2));
}

#[tokio::test]
async fn without_a_log_the_termination_message_is_classified() {
    let server = Server::default().current([error_text(ID)]).previous([NO_PREVIOUS]);
    let message = Some("panic: written to /dev/termination-log".into());
    let answer = server.fetch(&Termination { message, ..termination(SeenIn::State) }).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::TerminationMessage);
    assert_eq!(answer.classification.log_bytes, 0, "no log was read");
}

#[tokio::test]
async fn an_empty_log_says_so_and_the_other_one_is_no_substitute() {
    let server = Server::default().current([Reply::Raw(String::new())]).previous([Reply::Log(predecessor())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Empty, EvidenceSource::Status);
    assert_eq!((answer.classification.log_bytes, server.asked()), (0, vec![(false, 2000), (true, 2000)]));
}

#[tokio::test]
async fn the_empty_log_of_a_successor_that_just_started_gives_way_to_the_previous_one() {
    let server = Server::default().current([Reply::Raw(String::new())]).previous([Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::PreviousLog);
    assert_rests_on(&answer, &own());
}

#[tokio::test]
async fn a_command_that_never_started_wrote_nothing_and_its_message_says_why() {
    let server = Server::default().current([Reply::Raw(String::new())]);
    let died = Termination {
        reason: Some("StartError".into()),
        exit_code: Some(128),
        message: Some("exec: \"/no/such/binary\": no such file or directory".into()),
        started_at: None,
        ..termination(SeenIn::State)
    };
    let answer = server.fetch(&died).await;
    assert_evidence(&answer, EvidenceState::Empty, EvidenceSource::TerminationMessage);
    assert_eq!(server.asked(), [(false, 2000)]);
}

#[tokio::test]
async fn a_node_that_ignores_timestamps_leaves_the_log_unverified() {
    let server = Server::default().current([Reply::Raw(words(&own()))]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Unverified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &own());
}

#[tokio::test]
async fn without_time_stamps_the_other_log_is_never_accepted() {
    let server = Server::default().current([NO_PREVIOUS]).previous([Reply::Raw(words(&own()))]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_is_down_or_just_starting_is_asked_again() {
    let down =
        Reply::Refused(500, "Get \"https://10.0.0.1:10250/…\": dial tcp: connect: connection refused", Vec::new());
    let starting =
        Reply::Refused(404, "the server could not find the requested resource ( pods/log checkout-1)", Vec::new());
    let server = Server::default().current([down, starting, Reply::Log(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert_eq!(answer.reads, 3);
}

#[tokio::test(start_paused = true)]
async fn a_kubelet_that_stays_down_is_given_up() {
    let server = Server::default().current([Reply::Refused(500, "connect: connection refused", Vec::new())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
    assert_eq!(answer.reads, FetchOptions::default().attempts);
}

#[tokio::test]
async fn a_final_refusal_is_believed_at_once() {
    let cases = [
        (404, "pods \"checkout-1\" not found", EvidenceState::Gone),
        (403, "pods \"checkout-1\" is forbidden", EvidenceState::Forbidden),
        (401, "Unauthorized", EvidenceState::Forbidden),
    ];
    for (code, message, state) in cases {
        let server = Server::default().current([Reply::Refused(code, message, Vec::new())]);
        let answer = server.fetch(&termination(SeenIn::State)).await;
        assert_evidence(&answer, state, EvidenceSource::Status);
        assert_eq!(answer.reads, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_are_followed_by_the_pause_that_the_server_asks_for() {
    let busy = Reply::Refused(429, "too many requests", vec![("Retry-After", "3")]);
    let server = Server::default().current([busy, Reply::Log(own())]);
    let begin = Instant::now();
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert_eq!(begin.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_for_too_long_are_reported_as_such() {
    let busy = Reply::Refused(429, "too many requests", vec![("Retry-After", "86400")]);
    let server = Server::default().current([busy]);
    let begin = Instant::now();
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::RateLimited, EvidenceSource::Status);
    assert!(begin.elapsed() <= FetchOptions::default().total_timeout + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_never_answers_is_abandoned() {
    let server = Server::default().current([Reply::Hang]);
    let begin = Instant::now();
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
    assert!(begin.elapsed() <= FetchOptions::default().total_timeout + Duration::from_millis(10));
    assert!(answer.reads > 1, "a read that hangs is tried again");
}

#[tokio::test(start_paused = true)]
async fn what_was_had_of_a_log_that_stalls_is_kept_but_proves_nothing() {
    let server = Server::default().current([Reply::Stall(own())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Unverified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &own());
    assert!(answer.classification.truncated);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_read_of_another_instance_is_not_kept() {
    let server = Server::default().current([Reply::Stall(predecessor())]).previous([NO_PREVIOUS]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
    assert_eq!(answer.classification.log_bytes, 0);
}

/// `lines` lines of `bytes` bytes, the stamp counted in.
fn long(lines: usize, bytes: usize) -> String {
    let text = "x".repeat(bytes - 32);
    (0..lines).flat_map(|at| log(&[(15.0 + at as f64 / lines as f64, &text)]).into_bytes()).map(char::from).collect()
}

#[tokio::test]
async fn lines_too_long_for_the_limit_are_read_again_from_further_down() {
    let log = long(2000, 1000);
    let options = FetchOptions { limit_bytes: 500_000, ..FetchOptions::default() };
    let server = Server::default().current([Reply::Log(log.clone())]);
    let answer = server.fetch_with(&termination(SeenIn::State), options).await;
    assert_eq!(server.asked(), [(false, 2000), (false, 500)]);
    assert_rests_on(&answer, &tail(&log, 500));
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
}

#[tokio::test(start_paused = true)]
async fn a_second_read_that_is_another_instances_or_unproven_leaves_the_first_one() {
    let log = long(2000, 1000);
    let options = FetchOptions { limit_bytes: 500_000, ..FetchOptions::default() };
    for second in [Reply::Log(predecessor()), Reply::Raw(words(&own())), Reply::Raw(String::new()), Reply::Hang] {
        let server = Server::default().current([Reply::Log(log.clone()), second]);
        let answer = server.fetch_with(&termination(SeenIn::State), options).await;
        assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
        assert_rests_on(&answer, &log[..500_000]);
        assert!(answer.classification.truncated);
    }
}

#[tokio::test]
async fn a_log_within_the_limit_is_read_once() {
    let log = long(3000, 200);
    let server = Server::default().current([Reply::Log(log.clone())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_eq!(server.asked(), [(false, 2000)]);
    assert_rests_on(&answer, &tail(&log, 2000));
}

#[tokio::test]
async fn an_end_without_an_instance_is_classified_without_any_read() {
    let lost = Termination { container_id: None, ..termination(SeenIn::LastState) };
    for died in [lost, termination(SeenIn::PodStatus)] {
        let server = Server::default();
        let answer = server.fetch(&died).await;
        assert_evidence(&answer, EvidenceState::Gone, EvidenceSource::Status);
        assert_eq!((answer.reads, server.asked()), (0, vec![]));
    }
}

fn one_at_a_time() -> LimitOptions {
    LimitOptions {
        in_flight: NonZeroUsize::new(8).unwrap(),
        per_node: NonZeroUsize::MIN,
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::new(100).unwrap(),
        wait: Duration::from_secs(5),
    }
}

fn on_node(node: &str) -> Termination {
    let mut termination = termination(SeenIn::State);
    Arc::make_mut(&mut termination.pod).node = Some(node.into());
    termination
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_takes_no_turns_from_the_others() {
    let server = Server::default().current([Reply::Hang, Reply::Log(own())]);
    let options = FetchOptions { total_timeout: Duration::from_secs(60), ..FetchOptions::default() };
    let patient = FetchOptions { read_timeout: Duration::from_secs(60), ..options };
    let fetcher = Fetcher::new(server.client(), Arc::new(Engine::default()), Limiter::new(one_at_a_time()), patient);
    let (hangs, waits, other) = (on_node("a"), on_node("a"), on_node("b"));
    let hanging = tokio::spawn({
        let fetcher = fetcher.clone();
        async move { fetcher.fetch(&hangs).await }
    });
    while server.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_evidence(&fetcher.fetch(&waits).await, EvidenceState::RateLimited, EvidenceSource::Status);
    assert_evidence(&fetcher.fetch(&other).await, EvidenceState::Verified, EvidenceSource::CurrentLog);
    hanging.abort();
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_rate_wait_for_their_turn() {
    let server = Server::default().current([Reply::Log(own())]);
    let options = LimitOptions { burst: NonZeroU32::MIN, wait: Duration::from_secs(60), ..one_at_a_time() };
    let fetcher =
        Fetcher::new(server.client(), Arc::new(Engine::default()), Limiter::new(options), FetchOptions::default());
    let begin = Instant::now();
    for _ in 0..5 {
        assert_eq!(fetcher.fetch(&termination(SeenIn::State)).await.state, EvidenceState::Verified);
    }
    assert_eq!(begin.elapsed().as_secs(), 4);
}

/// A Go dump of that many goroutines: the line that matters stands at its head.
fn dump(goroutines: usize) -> String {
    let head = "listening on :8080\nfatal error: concurrent map writes\n\ngoroutine 1 [running]:\n\
                main.(*Cache).Add(...)\n\t/src/shop/cache.go:28\nmain.main()\n\t/src/shop/main.go:12 +0x1d\n";
    let others = (2..=goroutines).map(|number| {
        format!(
            "\ngoroutine {number} [select]:\nmain.worker(0x{number:x})\n\t/src/shop/jobs.go:40 +0x9a\n\
             created by main.main in goroutine 1\n\t/src/shop/main.go:20 +0x7b\n"
        )
    });
    let text: String = std::iter::once(head.to_owned()).chain(others).collect();
    text.lines().map(|line| format!("2026-11-24T04:44:19.500000000Z {line}\n")).collect()
}

#[tokio::test]
async fn the_head_of_a_dump_above_the_tail_is_had_by_one_read_from_further_up() {
    let log = dump(3_000);
    let server = Server::default().current([Reply::Log(log.clone())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert_rests_on(&answer, &log);
    assert!(!answer.classification.head_missing);
    assert_eq!(answer.classification.finding.reason, reason::CONCURRENT_MAP_ACCESS);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0]), (2, (false, 2000)));
    let line_bytes = log.len() / log.lines().count();
    let holds = FetchOptions::default().limit_bytes as usize / line_bytes;
    assert!(!asked[1].0 && asked[1].1.abs_diff(holds) < holds / 10, "{asked:?}, the limit holds {holds} lines");
}

#[tokio::test]
async fn the_head_of_a_dump_beyond_the_limit_is_said_to_be_missing() {
    let options = FetchOptions { limit_bytes: 600_000, ..FetchOptions::default() };
    let server = Server::default().current([Reply::Log(dump(30_000))]);
    let answer = server.fetch_with(&termination(SeenIn::State), options).await;
    assert_evidence(&answer, EvidenceState::Verified, EvidenceSource::CurrentLog);
    assert!(answer.classification.head_missing);
    assert_eq!(answer.reads, 2, "two reads at most");
}

#[tokio::test]
async fn a_dump_without_a_head_in_a_log_that_was_read_whole_is_not_read_again() {
    let dump = dump(100);
    let lines: Vec<_> = dump.split_inclusive('\n').collect();
    let server = Server::default().current([Reply::Log(lines[20..].concat())]);
    let answer = server.fetch(&termination(SeenIn::State)).await;
    assert_eq!((answer.reads, answer.classification.head_missing), (1, true));
}
