//! One read of one log, streamed into a classifier.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use kube::Resource;
use kube::api::LogParams;
use kube::client::Body;
use serde::Deserialize;
use tokio::time::timeout;

use super::answer::{Refusal, error_text_names, refusal};
use super::choice::Which;
use super::fetch::Fetcher;
use super::stamps::{Foreign, Life, Proof, Stamps};
use crate::classify::Classification;
use crate::termination::{Termination, exit_facts};
use crate::watch::SlimPod;

/// Most bytes read of an answer that is no log: a `Status` object is under 1 KiB, a proxy's error page may be large.
const REFUSAL_BYTES: usize = 64 * 1024;

/// A log that was had.
#[derive(Debug)]
pub(super) struct Had {
    pub which: Which,
    pub proof: Proof,
    pub classification: Classification,
    /// Bytes and lines of the answer, time stamps included.
    pub bytes: u64,
    pub lines: u64,
    /// It went on beyond the limit.
    pub cut: bool,
    /// Its time stamps would fit the instance's successor too.
    pub may_be_successors: bool,
}

/// What came of one read.
#[derive(Debug)]
pub(super) enum Answer {
    Log(Had),
    /// The connection broke or stalled after a part of it.
    Part(Had),
    Missing(Missing),
}

/// Why there is no log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is another instance's.
    Foreign,
    /// It is empty.
    Empty,
    /// The kubelet's error stands in its place.
    ErrorText {
        /// It names this instance.
        own: bool,
    },
    /// The API server or the kubelet refused it.
    Refused(Refusal),
}

/// How much of which log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub which: Which,
    pub tail_lines: u64,
}

/// Reads a log once.
pub(super) async fn once(fetcher: &Fetcher, termination: &Termination, wish: Wish) -> Answer {
    match open(fetcher, termination, wish).await {
        Ok(body) => stream(fetcher, termination, wish.which, body).await,
        Err(refusal) => Answer::Missing(Missing::Refused(refusal)),
    }
}

async fn open(fetcher: &Fetcher, termination: &Termination, wish: Wish) -> Result<Body, Refusal> {
    let pod = &termination.pod;
    let params = LogParams {
        container: Some(termination.container.clone()),
        previous: wish.which.previous(),
        // No limitBytes: with tailLines it keeps the first bytes of the tail, and cuts off the trace at its end.
        tail_lines: Some(i64::try_from(wish.tail_lines).unwrap_or(i64::MAX)),
        timestamps: true,
        ..LogParams::default()
    };
    let path = SlimPod::url_path(&(), Some(&pod.namespace));
    let request = kube::core::Request::new(path).logs(&pod.name, &params).map_err(|_| Refusal::PodGone)?;
    let sent = fetcher.client().send(request.map(Body::from));
    match timeout(fetcher.options().read_timeout, sent).await {
        Ok(Ok(response)) if response.status().is_success() => Ok(response.into_body()),
        Ok(Ok(response)) => Err(refused(response, fetcher.options().read_timeout).await),
        Ok(Err(_)) | Err(_) => Err(Refusal::Unreachable),
    }
}

/// Only the message of a `Status` object is wanted.
#[derive(Deserialize)]
struct StatusMessage {
    #[serde(default)]
    message: String,
}

async fn refused(response: http::Response<Body>, patience: Duration) -> Refusal {
    let code = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let body = Limited::new(response.into_body(), REFUSAL_BYTES).collect();
    let text = match timeout(patience, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) | Err(_) => Default::default(),
    };
    let message = serde_json::from_slice::<StatusMessage>(&text)
        .map_or_else(|_| String::from_utf8_lossy(&text).into_owned(), |status| status.message);
    refusal(code, &message, retry_after)
}

/// Kubernetes sends whole seconds, never a date.
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How far a body was read.
enum Read {
    /// To its end.
    Whole,
    /// To the limit.
    Cut,
    /// Until it broke or stalled.
    Broken,
}

async fn stream(fetcher: &Fetcher, termination: &Termination, which: Which, mut body: Body) -> Answer {
    let mut classifier = fetcher.engine().classifier(exit_facts(termination));
    let mut stamps = Stamps::new(Life::of(termination));
    let mut words = |words: &[u8]| classifier.feed(words);
    let read = pour(fetcher, &mut body, &mut stamps, &mut words).await;
    let (Ok(read), Ok(proof)) = (read, stamps.finish(&mut words)) else { return Answer::Missing(Missing::Foreign) };
    match (proof, &read) {
        (Proof::Empty | Proof::ErrorText, Read::Broken) => {
            return Answer::Missing(Missing::Refused(Refusal::Unreachable));
        }
        (Proof::Empty, _) => return Answer::Missing(Missing::Empty),
        (Proof::ErrorText, _) => return Answer::Missing(error_text(&stamps, termination)),
        (Proof::Verified | Proof::Unverified, _) => {}
    }
    let mut classification = classifier.finish();
    classification.truncated |= !matches!(read, Read::Whole);
    let cut = matches!(read, Read::Cut);
    let had = Had {
        which,
        proof,
        classification,
        bytes: stamps.bytes(),
        lines: stamps.lines(),
        cut,
        may_be_successors: stamps.may_be_successors(),
    };
    if matches!(read, Read::Broken) { Answer::Part(had) } else { Answer::Log(had) }
}

fn error_text(stamps: &Stamps, termination: &Termination) -> Missing {
    let Termination { container, restart_count, .. } = termination;
    let id = termination.container_id.as_deref().unwrap_or_default();
    Missing::ErrorText { own: error_text_names(stamps.error_text(), container, id, *restart_count) }
}

/// Reads the body through the stamps, up to the limit.
async fn pour(
    fetcher: &Fetcher,
    body: &mut Body,
    stamps: &mut Stamps,
    words: &mut impl FnMut(&[u8]),
) -> Result<Read, Foreign> {
    let options = fetcher.options();
    loop {
        let chunk = match timeout(options.read_timeout, body.frame()).await {
            Ok(None) => return Ok(Read::Whole),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            Ok(Some(Err(_))) | Err(_) => return Ok(Read::Broken),
        };
        let left = usize::try_from(options.limit_bytes.saturating_sub(stamps.bytes())).unwrap_or(usize::MAX);
        let cut = chunk.len() > left;
        stamps.feed(&chunk[..chunk.len().min(left)], words)?;
        if cut {
            return Ok(Read::Cut);
        }
    }
}
