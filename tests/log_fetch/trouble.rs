//! Kubelets that are down, slow or full, and reads that stall.

use super::*;

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
