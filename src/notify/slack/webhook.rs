//! Posting to an incoming webhook.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, NoProxy, Proxy, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::blocks;
use crate::notify::{Delivered, Message, SendError, Sink};

/// The sink's name.
const NAME: &str = "slack";
/// How long a connection may take: a black hole should not hold up the queue.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a whole request may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The least time between two messages: Slack allows about one a second for each webhook.
const PACE: Duration = Duration::from_secs(1);
/// Most of an answer that is read, in bytes: Slack's are a word, a proxy's may be anything.
const ANSWER: usize = 4096;
/// Longest file that can hold a URL, in bytes.
const URL_FILE: usize = 4096;
/// Longest answer that is quoted, in bytes.
const QUOTE: usize = 80;

/// How to reach a webhook.
#[derive(Clone, Default)]
pub struct SlackOptions {
    /// The file that holds the webhook's URL, mounted from a Secret. It is read at every send, so that a changed Secret
    /// needs no restart.
    pub url_file: PathBuf,
    /// A file of certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The URL of a proxy. Without it the environment's `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` hold.
    pub proxy: Option<SecretString>,
}

/// Why no client could be made from the options.
#[derive(Debug, thiserror::Error)]
pub enum SlackSetupError {
    /// The certificates cannot be read.
    #[error("cannot read certificates from {}: {source}", .path.display())]
    ReadCertificates {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file holds no certificates.
    #[error("{} holds no PEM certificates that can be used: {reason}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The proxy's URL is none. It is not shown, since it may hold a password.
    #[error("the proxy for slack is no URL: write it like http://proxy:3128")]
    Proxy,
    /// Anything else, such as TLS without a crypto provider.
    #[error("cannot make an HTTP client for slack: {0}")]
    Client(String),
}

/// An incoming webhook. One request is in flight at a time, at most about one a second.
pub struct SlackWebhook {
    client: Client,
    url_file: PathBuf,
    /// When the next message may go; held during a request.
    next: Mutex<Instant>,
}

impl fmt::Debug for SlackWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackWebhook").field("url_file", &self.url_file).finish_non_exhaustive()
    }
}

impl SlackWebhook {
    /// A client for the webhook. The process must have installed a rustls crypto provider. The URL need not be there yet.
    ///
    /// # Errors
    /// When certificates or proxy cannot be used.
    pub fn new(options: &SlackOptions) -> Result<Self, SlackSetupError> {
        Ok(Self { client: client(options)?, url_file: options.url_file.clone(), next: Mutex::new(Instant::now()) })
    }

    async fn post(&self, message: &Message) -> Result<Delivered, SendError> {
        let mut next = self.next.lock().await;
        tokio::time::sleep_until(*next).await;
        let result = self.request(message).await;
        *next = Instant::now() + PACE;
        result
    }

    async fn request(&self, message: &Message) -> Result<Delivered, SendError> {
        let url = self.url().await?;
        // Parsed here, so that no error of the HTTP client can quote it.
        let url = Url::parse(url.expose_secret()).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        let url =
            url.ok_or_else(|| self.unconfigured("holds no URL: it should be https://hooks.slack.com/services/…"))?;
        let request = self.client.post(url).json(&blocks::render(message));
        let mut response = request.send().await.map_err(broken)?;
        let answer = read_answer(&mut response).await?;
        judge(&response, &answer)
    }

    async fn url(&self) -> Result<SecretString, SendError> {
        let read = tokio::fs::read_to_string(&self.url_file).await;
        let text = SecretString::from(read.map_err(|error| self.unconfigured(&format!("cannot be read: {error}")))?);
        if text.expose_secret().len() > URL_FILE {
            return Err(self.unconfigured("is too long to be a URL"));
        }
        Ok(SecretString::from(text.expose_secret().trim()))
    }

    fn unconfigured(&self, what: &str) -> SendError {
        SendError::Unconfigured(format!("the file of slack's webhook URL, {}, {what}", self.url_file.display()))
    }
}

impl Sink for SlackWebhook {
    fn name(&self) -> &'static str {
        NAME
    }

    fn credential_changed(&self) -> Option<Timestamp> {
        // A Secret that is mounted gets new files when it changes.
        let modified = std::fs::metadata(&self.url_file).and_then(|file| file.modified()).ok()?;
        Timestamp::try_from(modified).ok()
    }

    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Delivered, SendError>> {
        Box::pin(self.post(message))
    }
}

fn client(options: &SlackOptions) -> Result<Client, SlackSetupError> {
    // A redirect would carry the message to wherever the answer says, inside the cluster too.
    let mut builder = Client::builder()
        .user_agent(concat!("coroner/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if let Some(path) = &options.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    if let Some(proxy) = &options.proxy {
        let proxy = Proxy::all(proxy.expose_secret()).map_err(|_| SlackSetupError::Proxy)?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
    }
    builder.build().map_err(|error| SlackSetupError::Client(chain(&error.without_url())))
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate>, SlackSetupError> {
    let path = path.to_owned();
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(SlackSetupError::ReadCertificates { path, source }),
    };
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(SlackSetupError::Certificates { path, reason: "there is none in it".to_owned() }),
        Err(error) => Err(SlackSetupError::Certificates { path, reason: chain(&error) }),
    }
}

fn broken(error: reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::Timeout { sink: NAME, limit: TIMEOUT };
    }
    SendError::Network { sink: NAME, reason: chain(&error.without_url()) }
}

/// An error with what caused it: the client's own text alone says only that sending failed.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

async fn read_answer(response: &mut Response) -> Result<Vec<u8>, SendError> {
    let mut answer = Vec::new();
    while answer.len() < ANSWER {
        match response.chunk().await.map_err(broken)? {
            Some(chunk) => answer.extend_from_slice(&chunk[..chunk.len().min(ANSWER - answer.len())]),
            None => break,
        }
    }
    Ok(answer)
}

fn judge(response: &Response, answer: &[u8]) -> Result<Delivered, SendError> {
    let status = response.status();
    let after = retry_after(response);
    match status {
        _ if status.is_success() => judge_body(answer),
        StatusCode::TOO_MANY_REQUESTS => Err(SendError::RateLimited { sink: NAME, after }),
        // A proxy's ways to say that it has not passed the message on.
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err(SendError::Unavailable { sink: NAME, answer: describe(status, answer), after })
        }
        _ if status.is_server_error() => {
            Err(SendError::Unavailable { sink: NAME, answer: describe(status, answer), after })
        }
        _ => Err(SendError::Refused { sink: NAME, answer: describe(status, answer) }),
    }
}

/// Slack answers `ok`, what imitates it `ok`, nothing or JSON. A page of HTML comes from something in between.
fn judge_body(answer: &[u8]) -> Result<Delivered, SendError> {
    let text = answer.trim_ascii();
    if text.starts_with(b"<") {
        let answer = "a web page, so it was not slack that answered".to_owned();
        return Err(SendError::Unavailable { sink: NAME, answer, after: None });
    }
    let json = serde_json::from_slice::<serde_json::Value>(text).unwrap_or_default();
    match json.get("ok").and_then(serde_json::Value::as_bool) {
        Some(false) => {
            let error = json.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
            Err(SendError::Refused { sink: NAME, answer: describe(StatusCode::OK, error.as_bytes()) })
        }
        _ => Ok(Delivered::default()),
    }
}

/// The status and, where it is one of Slack's words, the answer. Anything else is not quoted: a proxy's error page can
/// repeat the URL.
fn describe(status: StatusCode, answer: &[u8]) -> String {
    let answer = answer.trim_ascii();
    let is_word = |b: &u8| b.is_ascii_lowercase() || *b == b'_';
    let known = !answer.is_empty() && answer.len() <= QUOTE && answer.iter().all(is_word);
    let code = status.as_u16();
    if known { format!("{code} {}", String::from_utf8_lossy(answer)) } else { format!("{code}") }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
