//! Who is in charge, under a clock that the tests own: how soon somebody takes over, and how soon one who cannot renew
//! stops.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use coroner::leader::{Elector, LEASE_DURATION, LeaseOptions, RENEW_DEADLINE, RETRY, Takeover};
use http::Method;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use support::fake_apiserver::{FakeApiServer, Fault};
use tokio::task::JoinHandle;
use tokio::time::Instant;

fn elector(server: &FakeApiServer, identity: &str) -> Elector {
    let options = LeaseOptions { namespace: "coroner".into(), name: "coroner".into(), identity: identity.to_owned() };
    Elector::new(server.client(), options)
}

/// A candidate at work: takes the lease and holds it.
struct Candidate {
    leads: Arc<AtomicBool>,
    terms: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Candidate {
    fn start(server: &FakeApiServer, identity: &str) -> Self {
        let (leads, terms) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (mut elector, told, term) = (elector(server, identity), leads.clone(), terms.clone());
        let task = tokio::spawn(async move {
            loop {
                elector.acquire(|| {}).await;
                term.fetch_add(1, Ordering::Relaxed);
                told.store(true, Ordering::Relaxed);
                elector.hold().await;
                told.store(false, Ordering::Relaxed);
            }
        });
        Self { leads, terms, task }
    }

    fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// Killed, as by SIGKILL.
    fn kill(&self) {
        self.task.abort();
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    for _ in 0..6000 {
        if holds() {
            return start.elapsed();
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
    panic!("gave up waiting for {what}");
}

async fn pass(seconds: u64) {
    for _ in 0..seconds * 10 {
        tokio::time::advance(Duration::from_millis(100)).await;
        tokio::task::yield_now().await;
    }
}

fn spec(server: &FakeApiServer) -> Value {
    server.all("leases")[0]["spec"].clone()
}

fn time(from_now: i64) -> String {
    (Timestamp::now() + SignedDuration::from_secs(from_now)).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn put_lease(server: &FakeApiServer, holder: &str, renewed: &str) {
    server.put(
        "leases",
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"namespace": "coroner", "name": "coroner"},
            "spec": {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 9, "leaseTransitions": 3}}),
    );
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_from_one_that_was_killed_within_fifteen_seconds_and_not_before_the_lease_ends() {
    let server = FakeApiServer::default();
    let first = Candidate::start(&server, "a");
    until("the first leader", || first.leads()).await;
    let second = Candidate::start(&server, "b");
    pass(60).await;
    assert!(first.leads() && !second.leads(), "a lease that is renewed is not taken");
    first.kill();
    let took = until("the second", || second.leads()).await;
    assert!(took > LEASE_DURATION - RETRY && took < Duration::from_secs(15), "{took:?}");
    assert_eq!(spec(&server)["holderIdentity"], "b");
    assert_eq!(spec(&server)["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_up_is_taken_at_the_next_look() {
    let server = FakeApiServer::default();
    let mut first = elector(&server, "a");
    first.acquire(|| {}).await;
    let second = Candidate::start(&server, "b");
    pass(3).await;
    assert!(!second.leads());
    first.release().await;
    assert_eq!(spec(&server)["holderIdentity"], "");
    assert!(until("the second", || second.leads()).await <= RETRY + Duration::from_millis(200));
    // Who has lost it cannot give it up for its successor.
    first.release().await;
    assert_eq!(spec(&server)["holderIdentity"], "b");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_anybody_may_take_over() {
    for fault in [Fault::Hang, Fault::ServerError, Fault::LostAnswer, Fault::Throttle { retry_after: 60 }] {
        let server = FakeApiServer::default();
        let leader = Candidate::start(&server, "a");
        until("the leader", || leader.leads()).await;
        server.inject(Method::GET, "leases", 20, fault);
        let took = until("its end", || !leader.leads()).await;
        assert!(took <= RENEW_DEADLINE + Duration::from_millis(200), "{fault:?}: {took:?}");
        until("its return", || leader.leads()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_failure_does_not_cost_the_lease() {
    for fault in [Fault::Hang, Fault::ServerError, Fault::LostAnswer] {
        let server = FakeApiServer::default();
        let leader = Candidate::start(&server, "a");
        until("the leader", || leader.leads()).await;
        server.inject(Method::PUT, "leases", 1, fault);
        pass(30).await;
        assert_eq!((leader.leads(), leader.terms.load(Ordering::Relaxed)), (true, 1), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_was_taken_stops_at_the_next_look() {
    let server = FakeApiServer::default();
    let leader = Candidate::start(&server, "a");
    until("the leader", || leader.leads()).await;
    put_lease(&server, "b", &time(0));
    assert!(until("its end", || !leader.leads()).await <= RETRY + Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_made_again_by_its_holder() {
    let server = FakeApiServer::default();
    let leader = Candidate::start(&server, "a");
    until("the leader", || leader.leads()).await;
    assert!(server.remove("leases", "coroner", "coroner"));
    pass(30).await;
    assert_eq!((leader.leads(), leader.terms.load(Ordering::Relaxed)), (true, 1));
    assert_eq!(spec(&server)["holderIdentity"], "a");
}

#[tokio::test(start_paused = true)]
async fn clocks_need_not_agree() {
    // A holder whose clock is half a minute behind, or an hour ahead, and who renews.
    for skew in [-30, 3600] {
        let server = FakeApiServer::default();
        put_lease(&server, "other", &time(skew));
        let candidate = Candidate::start(&server, "a");
        for second in 0..10 {
            pass(5).await;
            put_lease(&server, "other", &time(skew + second));
        }
        assert!(!candidate.leads(), "{skew}");
        // It is silent from now on.
        let took = until("the take-over", || candidate.leads()).await;
        assert!(took < Duration::from_secs(15), "{skew}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_long_abandoned_and_ones_own_are_taken_at_once() {
    for (holder, renewed) in [("other", -3600), ("a", -1)] {
        let server = FakeApiServer::default();
        put_lease(&server, holder, &time(renewed));
        let start = Instant::now();
        let takeover = elector(&server, "a").acquire(|| {}).await;
        assert!(start.elapsed() < Duration::from_secs(1), "{holder}");
        let last = takeover.last_renewal.unwrap();
        assert!((Timestamp::now().duration_since(last).as_secs() + renewed).abs() <= 1, "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_installation_is_known_by_the_missing_lease() {
    let server = FakeApiServer::default();
    assert_eq!(elector(&server, "a").acquire(|| {}).await, Takeover { last_renewal: None });
    assert!(elector(&server, "a").acquire(|| {}).await.last_renewal.is_some());
}

#[tokio::test(start_paused = true)]
async fn of_many_candidates_one_leads() {
    let server = FakeApiServer::default();
    let candidates: Vec<_> = (0..5).map(|number| Candidate::start(&server, &format!("c{number}"))).collect();
    for _ in 0..4 {
        let leading = || candidates.iter().filter(|it| !it.task.is_finished() && it.leads()).count();
        until("a leader", || leading() == 1).await;
        pass(20).await;
        assert_eq!(leading(), 1);
        candidates.iter().find(|it| !it.task.is_finished() && it.leads()).unwrap().kill();
    }
}
