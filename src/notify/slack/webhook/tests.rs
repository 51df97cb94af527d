//! Against a stand-in on this machine that keeps Slack's limits. Its clock is real, so what waits (the pace, timeouts) is
//! left to the notifier's tests, which have a clock of their own.

use std::io::Write;
use std::sync::{Arc, Mutex as StdMutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde_json::Value;
use tempfile::NamedTempFile;

use super::*;
use crate::notify::message::tests::message;

/// What stands in for the secret part of a webhook's URL.
const SECRET: &str = "T0FAKE/B0FAKE/not-a-real-webhook";

struct StandIn {
    address: String,
    bodies: Arc<StdMutex<Vec<Value>>>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    bodies: Arc<StdMutex<Vec<Value>>>,
}

async fn answer(State(answer): State<Answer>, headers: HeaderMap, body: String) -> impl IntoResponse {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let wrong = headers.get("content-type").is_none_or(|kind| kind != "application/json");
    if wrong || crate::notify::slack::blocks::tests::check_limits(&body).is_err() {
        return (axum::http::StatusCode::BAD_REQUEST, HeaderMap::new(), b"invalid_blocks".to_vec());
    }
    answer.bodies.lock().unwrap().push(body);
    let headers = answer.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    (axum::http::StatusCode::from_u16(answer.status).unwrap(), headers, answer.body)
}

impl StandIn {
    async fn start(status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> Self {
        let bodies = Arc::<StdMutex<Vec<Value>>>::default();
        let state = Answer { status, headers: headers.to_vec(), body: body.to_vec(), bodies: bodies.clone() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, bodies }
    }

    fn url(&self) -> String {
        format!("http://{}/services/{SECRET}\n", self.address)
    }
}

fn url_file(url: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(url.as_bytes()).unwrap();
    file
}

fn webhook(file: &std::path::Path) -> SlackWebhook {
    // Another test of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    SlackWebhook::new(&SlackOptions { url_file: file.to_owned(), ..SlackOptions::default() }).unwrap()
}

async fn send_to(stand_in: &StandIn) -> Result<Delivered, SendError> {
    let file = url_file(&stand_in.url());
    webhook(file.path()).send(&message()).await
}

async fn error_for(status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> SendError {
    send_to(&StandIn::start(status, headers, body).await).await.unwrap_err()
}

#[tokio::test]
async fn a_message_is_posted_as_json_within_slacks_limits() {
    let stand_in = StandIn::start(200, &[], b"ok").await;
    assert_eq!(send_to(&stand_in).await, Ok(Delivered::default()));
    let bodies = stand_in.bodies.lock().unwrap();
    assert_eq!(*bodies, [blocks::render(&message())]);
}

#[tokio::test]
async fn what_imitates_slack_may_answer_nothing_or_json() {
    for body in [&b""[..], b"{}", b"{\"ok\":true}", b"OK\n"] {
        assert_eq!(send_to(&StandIn::start(200, &[], body).await).await, Ok(Delivered::default()), "{body:?}");
    }
}

#[tokio::test]
async fn a_page_from_something_in_between_is_no_delivery() {
    let error = error_for(200, &[], b"<html>please log in</html>").await;
    assert!(matches!(error, SendError::Unavailable { .. }) && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn too_many_messages_are_retried_when_slack_says() {
    let error = error_for(429, &[("retry-after", "30")], b"rate_limited").await;
    assert_eq!(
        (error.is_retryable(), error.after(), error.category()),
        (true, Some(Duration::from_secs(30)), "rate_limited")
    );
    let error = error_for(429, &[("retry-after", "soon")], b"").await;
    assert_eq!((error.is_retryable(), error.after()), (true, None));
}

#[tokio::test]
async fn a_broken_server_is_retried_and_a_refusal_is_not() {
    for (status, body, retryable, text) in [
        (500, "rollup_error", true, "slack cannot deliver now: 500 rollup_error"),
        (503, "", true, "slack cannot deliver now: 503"),
        (400, "invalid_payload", false, "slack refused the message: 400 invalid_payload"),
        (403, "action_prohibited", false, "slack refused the message: 403 action_prohibited"),
        (404, "no_service", false, "slack refused the message: 404 no_service"),
        (410, "channel_is_archived", false, "slack refused the message: 410 channel_is_archived"),
        (200, r#"{"ok":false,"error":"invalid_blocks"}"#, false, "slack refused the message: 200 invalid_blocks"),
        (302, "", false, "slack refused the message: 302"),
    ] {
        let error = error_for(status, &[("location", "http://127.0.0.1:1/")], body.as_bytes()).await;
        assert_eq!((error.is_retryable(), error.to_string().as_str()), (retryable, text));
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_only_to_its_bound() {
    let error = error_for(500, &[], &vec![b'x'; 1 << 20]).await;
    assert_eq!(error.to_string(), "slack cannot deliver now: 500");
}

#[tokio::test]
async fn garbage_instead_of_http_is_a_network_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"\x00\x01garbage\r\n\r\n").await.unwrap();
    });
    let file = url_file(&format!("http://{address}/services/{SECRET}"));
    let error = webhook(file.path()).send(&message()).await.unwrap_err();
    assert!(matches!(error, SendError::Network { .. }) && error.is_retryable(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let file = url_file(&format!("http://{}/services/{SECRET}", listener.local_addr().unwrap()));
    let error = webhook(file.path()).send(&message()).await.unwrap_err();
    assert_eq!(error, SendError::Timeout { sink: NAME, limit: TIMEOUT });
    assert_eq!(error.to_string(), "slack did not answer within 15 s");
}

#[tokio::test]
async fn a_changed_secret_is_used_without_a_restart() {
    let (old, new) = (StandIn::start(404, &[], b"no_service").await, StandIn::start(200, &[], b"ok").await);
    let file = url_file(&old.url());
    let webhook = webhook(file.path());
    assert!(webhook.request(&message()).await.is_err());
    std::fs::write(file.path(), new.url()).unwrap();
    assert_eq!(webhook.request(&message()).await, Ok(Delivered::default()));
}

#[tokio::test]
async fn a_file_without_a_url_is_retried_until_somebody_mends_it() {
    let missing = webhook(std::path::Path::new("/nonexistent/url")).send(&message()).await.unwrap_err();
    assert!(missing.is_retryable() && missing.to_string().contains("/nonexistent/url, cannot be read"), "{missing}");
    for content in [format!("no url {SECRET}"), format!("ftp://host/{SECRET}"), String::new(), SECRET.repeat(1000)] {
        let file = url_file(&content);
        let error = webhook(file.path()).send(&message()).await.unwrap_err();
        assert!(matches!(error, SendError::Unconfigured(_)), "{error}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
}

#[tokio::test]
async fn no_error_shows_the_url() {
    let page = format!("<html>not found: /services/{SECRET}</html>");
    let mut errors = vec![
        error_for(404, &[], page.as_bytes()).await,
        error_for(500, &[], page.as_bytes()).await,
        error_for(200, &[], page.as_bytes()).await,
        error_for(400, &[], SECRET.as_bytes()).await,
    ];
    // Nobody listens on port 1, and the name of the second does not resolve.
    for host in ["127.0.0.1:1", "no-such-host.invalid"] {
        for scheme in ["http", "https"] {
            let file = url_file(&format!("{scheme}://{host}/services/{SECRET}"));
            errors.push(webhook(file.path()).send(&message()).await.unwrap_err());
        }
    }
    for error in errors {
        let text = format!("{error} {error:?}");
        assert!(
            !text.contains("FAKE") && !text.contains("not-a-real-webhook") && !text.contains("/services"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn debug_shows_neither_url_nor_proxy() {
    let file = url_file(&format!("https://hooks.example.com/services/{SECRET}"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = Some(SecretString::from("http://bob:hunter2@proxy:3128"));
    let options = SlackOptions { url_file: file.path().to_owned(), proxy, ca_file: None };
    let text = format!("{:?}", SlackWebhook::new(&options).unwrap());
    assert!(text.contains("url_file") && !text.contains("hunter2") && !text.contains(SECRET), "{text}");
    let bad = SlackOptions { proxy: Some(SecretString::from("http://bob:hunter2@[")), ..options };
    let error = SlackWebhook::new(&bad).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let file = url_file("not a certificate");
    let options = SlackOptions { ca_file: Some(file.path().to_owned()), ..SlackOptions::default() };
    let error = SlackWebhook::new(&options).unwrap_err().to_string();
    assert!(error.contains("holds no PEM certificates"), "{error}");
    let options = SlackOptions { ca_file: Some("/nonexistent/ca.pem".into()), ..SlackOptions::default() };
    assert!(SlackWebhook::new(&options).unwrap_err().to_string().contains("/nonexistent/ca.pem"));
}

#[tokio::test(start_paused = true)]
async fn two_messages_are_a_second_apart() {
    // The file is missing, so that no real input or output runs beside the paused clock.
    let webhook = webhook(std::path::Path::new("/nonexistent/url"));
    let start = Instant::now();
    for _ in 0..3 {
        webhook.send(&message()).await.unwrap_err();
    }
    assert!(start.elapsed() >= 2 * PACE, "{:?}", start.elapsed());
}
