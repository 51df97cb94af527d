//! Recordings of the testbed's kubelet with whole logs, replayed through the real detector and the real log fetcher.
//!
//! `testbed/record` makes them. Each folder has the pod watch as it came, the Events, and what both reads of a log answered on the
//! first sight of its end. `terminations.golden` lists every termination: which instance, whose log was had, what it came to,
//! and whether it is reported; it was checked by hand. `UPDATE_GOLDEN=1` writes it anew: read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use coroner::classify::Engine;
use coroner::log::{FetchOptions, Fetcher, LimitOptions, Limiter, LogAnswer};
use coroner::report::{EvidenceSource, EvidenceState};
use coroner::termination::{Detector, DetectorOptions, SeenIn, Termination, judge};
use http::{Request, Response, StatusCode};
use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use support::replay::{Event, Recordings, distinct, golden_start, replay, verdict_word};

const RECORDED: Recordings = Recordings("recorded");

fn names() -> Vec<String> {
    RECORDED.names(20)
}

/// What one read of a log answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    pod: String,
    container: String,
    #[serde(rename = "containerID")]
    container_id: String,
    previous: bool,
    code: u16,
    body: String,
}

impl Read {
    /// The container whose log it is, by the line that every program here prints first.
    fn owner(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("START instance=")?;
        let (_, id) = rest.split_once("container=")?;
        Some(id.split_whitespace().next()?.to_owned())
    }
}

fn found(name: &str) -> Vec<Termination> {
    let events: Vec<Event> = RECORDED.lines(name, "pods.watch.jsonl");
    replay(&mut Detector::new(DetectorOptions::default()), &events)
}

/// An API server that answers reads of one instance's log as the real one did.
fn server(reads: Vec<Read>) -> Client {
    let reads = Arc::new(reads);
    let answer = move |request: Request<kube::client::Body>| {
        let reads = reads.clone();
        async move { Ok::<_, Infallible>(respond(&reads, request.uri().query().unwrap_or_default())) }
    };
    Client::new(tower::service_fn(answer), "default")
}

fn respond(reads: &[Read], query: &str) -> Response<Body> {
    let query: HashMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let previous = query.get("previous") == Some(&"true");
    let Some(read) = reads.iter().find(|read| read.previous == previous) else {
        return refusal(404, "it was not read when it was recorded");
    };
    if read.code != 200 {
        return refusal(read.code, &read.body);
    }
    let lines: Vec<_> = read.body.split_inclusive('\n').collect();
    let wanted: usize = query["tailLines"].parse().unwrap();
    Response::new(Body::from(lines[lines.len().saturating_sub(wanted)..].concat()))
}

fn refusal(code: u16, text: &str) -> Response<Body> {
    let status = serde_json::from_str::<Value>(text).unwrap_or_else(
        |_| json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": text, "code": code}),
    );
    Response::builder().status(StatusCode::from_u16(code).unwrap()).body(Body::from(status.to_string())).unwrap()
}

fn reads_of(all: &[Read], termination: &Termination) -> Vec<Read> {
    let id = termination.container_id.as_deref().unwrap_or("-");
    let own = |read: &Read| {
        (read.pod.as_str(), read.container.as_str(), read.container_id.as_str())
            == (termination.pod.name.as_str(), termination.container.as_str(), id)
    };
    all.iter().filter(|read| own(read)).cloned().collect()
}

async fn fetch(reads: Vec<Read>, termination: &Termination) -> LogAnswer {
    static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(Arc::default);
    let limiter = Limiter::new(LimitOptions::default());
    Fetcher::new(server(reads), ENGINE.clone(), limiter, FetchOptions::default()).fetch(termination).await
}

fn golden_line(termination: &Termination, log: &LogAnswer) -> String {
    format!(
        "{start} log={state:?}/{source:?} finding={found} {verdict}",
        start = golden_start(termination),
        state = log.state,
        source = log.source,
        found = log.classification.finding.reason,
        verdict = verdict_word(judge(termination, &log.classification.finding)),
    )
}

#[tokio::test(start_paused = true)]
async fn every_recording_gives_the_terminations_and_logs_that_were_checked_by_hand() {
    for name in names() {
        let (mut text, reads) = (String::new(), RECORDED.lines(&name, "logs.jsonl"));
        for termination in found(&name) {
            let log = fetch(reads_of(&reads, &termination), &termination).await;
            writeln!(text, "{}", golden_line(&termination, &log)).unwrap();
        }
        RECORDED.assert_golden(&name, &text);
    }
}

#[test]
fn every_instance_is_found_exactly_once() {
    for name in names() {
        let found = found(&name);
        assert_eq!(distinct(&name, &found), RECORDED.instances(&name), "{name}");
        account_for_every_restart(&name, &found);
    }
}

/// A kubelet that is short of time misses some itself: those, and no others, are told as unseen.
fn account_for_every_restart(name: &str, found: &[Termination]) {
    let mut counts: HashMap<_, (u32, i32)> = HashMap::new();
    for it in found.iter().filter(|it| it.container_id.is_some()) {
        let (count, ended) = counts.entry((&it.pod.uid, &it.container)).or_default();
        *count += 1 + it.unseen;
        *ended = (*ended).max(it.restart_count + 1);
    }
    for ((pod, container), (count, ended)) in counts {
        assert_eq!(i64::from(count), i64::from(ended), "{name}: {container} of {pod}");
    }
}

/// With both reads, and with each of them alone, as if the other one had come too late or failed.
#[tokio::test(start_paused = true)]
async fn no_log_of_another_instance_is_ever_accepted() {
    let (mut accepted, mut foreign) = (0, 0);
    for name in names() {
        let all = RECORDED.lines(&name, "logs.jsonl");
        for termination in found(&name).iter().filter(|it| it.container_id.is_some()) {
            let reads = reads_of(&all, termination);
            let own = termination.container_id.as_deref().unwrap().rsplit('/').next().unwrap();
            foreign += reads.iter().filter(|read| read.owner().is_some_and(|owner| owner != own)).count();
            let alone = |previous| reads.iter().filter(|read| read.previous == previous).cloned().collect::<Vec<_>>();
            for had in [reads.clone(), alone(true), alone(false)] {
                let log = fetch(had, termination).await;
                if !matches!(log.state, EvidenceState::Verified | EvidenceState::Unverified) {
                    continue;
                }
                accepted += 1;
                let previous = log.source == EvidenceSource::PreviousLog;
                let read = reads.iter().find(|read| read.previous == previous).unwrap();
                let owner = read.owner().unwrap_or_else(|| own.to_owned());
                assert_eq!(owner, own, "{name}: {} has the log of {owner}", golden_line(termination, &log));
            }
        }
    }
    assert!(accepted > 50 && foreign > 5, "{accepted} logs were accepted, {foreign} of others were offered");
}

#[test]
fn records_of_both_places_are_there() {
    let seen: BTreeSet<_> = names().iter().flat_map(|name| found(name)).map(|it| format!("{:?}", it.seen_in)).collect();
    for place in [SeenIn::State, SeenIn::LastState, SeenIn::PodStatus] {
        assert!(seen.contains(&format!("{place:?}")), "no recording has a record in {place:?}");
    }
}
