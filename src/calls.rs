//! Unary calls to the API server: each with a time limit, retried a bounded number of times where that can help.
//!
//! The client's own retries are off (they would go on for minutes, unseen), and it has no read timeout (a watch needs
//! none): without this module one black hole in the network holds a task for ever.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use kube::core::Status;

/// Longest wait for one answer: several times what a loaded API server takes for a single object.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// First and longest pause between two tries, where the server does not ask for another.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Tries after the first one: with the pauses above about fifteen seconds of an API server that answers with errors, and
/// a bit over a minute of one that does not answer.
const RETRIES: usize = 6;
/// Longest `Retry-After` that is honoured: a server that asks for more is asked again all the same.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Why a call failed for good.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The API server refused it.
    #[error("{} (HTTP {})", .0.message, .0.code)]
    Refused(Box<Status>),
    /// No answer came in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The connection was broken.
    #[error("{0}")]
    Broken(String),
    /// An object is not what it should be, or cannot be: asking again does not help.
    #[error("{0}")]
    Unusable(String),
}

impl CallError {
    /// The refusal, if it was one.
    pub fn status(&self) -> Option<&Status> {
        if let Self::Refused(status) = self { Some(status) } else { None }
    }

    /// The object does not exist, or its namespace or kind does not.
    pub fn is_not_found(&self) -> bool {
        self.status().is_some_and(Status::is_not_found)
    }

    /// The object has changed since it was read, or exists already.
    pub fn is_conflict(&self) -> bool {
        self.status().is_some_and(|status| status.is_conflict() || status.is_already_exists())
    }

    /// The namespace is gone or being deleted: nothing can be created in it any more.
    pub fn is_namespace_gone(&self) -> bool {
        let Some(status) = self.status() else { return false };
        let Some(details) = &status.details else { return false };
        let terminating = details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating");
        terminating || (status.is_not_found() && details.kind == "namespaces")
    }

    /// One of a few words, for labels.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Refused(status) if status.is_forbidden() => "forbidden",
            Self::Refused(status) if status.code == 429 => "throttled",
            Self::Refused(status) if status.code >= 500 => "server",
            Self::Refused(_) => "refused",
            Self::TimedOut(_) => "timeout",
            Self::Broken(_) => "broken",
            Self::Unusable(_) => "unusable",
        }
    }

    fn is_worth_a_retry(&self) -> bool {
        !matches!(self.category(), "forbidden" | "refused" | "unusable")
    }

    fn retry_after(&self) -> Duration {
        let seconds = self.status().and_then(|status| status.details.as_ref()).map_or(0, |d| d.retry_after_seconds);
        Duration::from_secs(seconds.into()).min(RETRY_AFTER)
    }
}

impl From<kube::Error> for CallError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            // The sources hold what went wrong ("connection refused"); what wraps them says only "client error".
            kube::Error::Service(source) => Self::Broken(innermost(source.as_ref())),
            kube::Error::HyperError(source) => Self::Broken(innermost(&source)),
            kube::Error::SerdeError(source) => Self::Unusable(format!("the answer is not as expected: {source}")),
            other => Self::Broken(other.to_string()),
        }
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Makes a call, again where the server is overloaded, failing, silent or away. A write must be guarded (by a name or a
/// resourceVersion), since one whose answer was lost is made again.
///
/// # Errors
/// The last error, when all tries failed or another one cannot help.
pub async fn call<T, Fut>(mut make: impl FnMut() -> Fut) -> Result<T, CallError>
where
    Fut: Future<Output = kube::Result<T>>,
{
    let attempt = || {
        let answer = tokio::time::timeout(ANSWER_WITHIN, make());
        async { answer.await.map_err(|_| CallError::TimedOut(ANSWER_WITHIN))?.map_err(CallError::from) }
    };
    let pauses = ExponentialBuilder::new().with_min_delay(PAUSE.0).with_max_delay(PAUSE.1).with_jitter();
    attempt
        .retry(pauses.with_max_times(RETRIES))
        .when(CallError::is_worth_a_retry)
        .adjust(|error, pause| pause.map(|pause| pause.max(error.retry_after())))
        .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use kube::core::response::StatusDetails;

    use super::*;

    fn refusal(code: u16, retry_after_seconds: u32) -> kube::Error {
        let details = StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: Vec::new(),
            retry_after_seconds,
        };
        kube::Error::Api(Box::new(Status { code, details: Some(details), ..Status::default() }))
    }

    /// Makes a call that fails so often; gives the answer, the tries and the time it took.
    async fn failing(times: u32, code: u16, retry_after: u32) -> (Result<(), CallError>, u32, Duration) {
        let (tries, start) = (Cell::new(0), tokio::time::Instant::now());
        let answer = call(|| async {
            tries.set(tries.get() + 1);
            if tries.get() <= times { Err(refusal(code, retry_after)) } else { Ok(()) }
        })
        .await;
        (answer, tries.get(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_retried_and_a_refusal_is_not() {
        for code in [429, 500, 503] {
            assert!(matches!(failing(3, code, 0).await, (Ok(()), 4, _)), "{code}");
        }
        for code in [400, 403, 404, 409, 422] {
            assert!(matches!(failing(3, code, 0).await, (Err(CallError::Refused(_)), 1, _)), "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_honoured_within_reason() {
        let (answer, _, took) = failing(1, 429, 7).await;
        assert!(answer.is_ok() && took >= Duration::from_secs(7));
        let (_, _, took) = failing(1, 429, 9999).await;
        assert!(took >= RETRY_AFTER && took < RETRY_AFTER * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_ends() {
        let answer = call(std::future::pending::<kube::Result<()>>).await;
        assert!(matches!(answer, Err(CallError::TimedOut(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_stays_is_returned_after_a_bounded_number_of_tries() {
        let (answer, tries, _) = failing(u32::MAX, 503, 0).await;
        assert_eq!((answer.unwrap_err().category(), tries), ("server", RETRIES as u32 + 1));
    }
}
