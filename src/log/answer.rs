//! What an answer of the log endpoint means when it is not the log.

use std::time::Duration;

/// Longest text of an error that is recognised, in bytes: one with two paths of the longest names is under 2 KiB.
pub const ERROR_TEXT_BYTES: usize = 4096;

/// The kubelet's own words, which come with HTTP 200 in place of the log or at its end: how they begin, and what each
/// must also hold.
const ERROR_TEXTS: [(&[u8], &[u8]); 2] = [
    (b"unable to retrieve container logs for ", b"://"),
    (b"failed to try resolving symlinks in path ", b": no such file or directory"),
];

/// Whether a line is the kubelet's error, not the container's word. A line that the kubelet has stamped never is.
pub fn is_error_text(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    ERROR_TEXTS.iter().any(|(start, holds)| line.starts_with(start) && memchr::memmem::find(line, holds).is_some())
}

/// Whether such an error is about this instance: it names the container ID, or the file by the restart count.
pub fn error_text_names(text: &[u8], container: &str, container_id: &str, restart_count: i32) -> bool {
    let id = container_id.rsplit("://").next().unwrap_or(container_id);
    let file = format!("/{container}/{restart_count}.log\"");
    let names = |it: &str| !it.is_empty() && memchr::memmem::find(text, it.as_bytes()).is_some();
    names(id) || names(&file)
}

/// Whether a line that is not complete yet could still be such an error.
pub fn may_be_error_text(line: &[u8]) -> bool {
    let begins = |start: &[u8]| line.starts_with(start) || start.starts_with(line);
    line.len() < ERROR_TEXT_BYTES && ERROR_TEXTS.iter().any(|(start, _)| begins(start))
}

/// Why a log was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This one is not there; the other of the two may be.
    Absent,
    /// The pod is not there.
    PodGone,
    /// Coroner may not read it.
    Forbidden,
    /// Too many requests; try again, but not before that time.
    Throttled(Option<Duration>),
    /// The kubelet does not answer at the moment.
    Unreachable,
}

impl Refusal {
    /// Whether the same read may succeed a little later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unreachable)
    }
}

/// Reads the meaning of an HTTP status that is no success. `message` is the one of the `Status` object or the body.
pub fn refusal(code: u16, message: &str, retry_after: Option<Duration>) -> Refusal {
    match code {
        401 | 403 => Refusal::Forbidden,
        // A kubelet that is just starting has no such endpoint yet. The pod exists.
        404 if message.contains("could not find the requested resource") => Refusal::Unreachable,
        404 | 410 => Refusal::PodGone,
        429 => Refusal::Throttled(retry_after),
        408 | 500..=599 => Refusal::Unreachable,
        _ => Refusal::Absent,
    }
}
