//! The log of one termination: which to read, how often, how far up, and what to say if there is none.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::time::{sleep, timeout};

use super::answer::Refusal;
use super::choice::{Choice, Which, choose};
use super::limit::{Limiter, Turn};
use super::queue::{Kind, Wanted};
use super::read::{self, Answer, Had, Missing, Wish};
use super::stamps::Proof;
use crate::classify::{Classification, Engine, Finding, reason};
use crate::report::{EvidenceSource, EvidenceState};
use crate::termination::{Stopping, Termination, exit_facts};

/// How logs are read.
#[derive(Clone, Copy, Debug)]
pub struct FetchOptions {
    /// Lines of the first read.
    pub tail_lines: u64,
    /// Most bytes of one read, time stamps included.
    pub limit_bytes: u64,
    /// How long all the reads of one termination may take together, once they have their turn.
    pub total_timeout: Duration,
    /// How long an answer, or the next part of it, may take.
    pub read_timeout: Duration,
    /// How often one read is tried while the answer says that it may succeed later.
    pub attempts: u32,
    /// How long after the first failed try the second one comes; it doubles from there.
    pub pause: Duration,
}

impl Default for FetchOptions {
    /// A tail of 2,000 lines holds the end of almost every log, and 16 MiB the dump of some 10,000 goroutines. A kubelet
    /// that restarts answers again after 1 to 3 s: six tries with pauses from 200 ms span 6 s.
    fn default() -> Self {
        Self {
            tail_lines: 2000,
            limit_bytes: 16 * 1024 * 1024,
            total_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(10),
            attempts: 6,
            pause: Duration::from_millis(200),
        }
    }
}

/// What was had of the log of one termination, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct LogAnswer {
    /// Whether it was the log of exactly that instance.
    pub state: EvidenceState,
    /// What was classified.
    pub source: EvidenceSource,
    /// What that came to; never rests on the log of another instance.
    pub classification: Classification,
    /// Requests that were sent.
    pub reads: u32,
}

/// Reads and classifies logs. Needs `get` on `pods/log`.
///
/// The client is to be made without kube's own retries: they would hide the answers that this module acts on, for
/// minutes.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    engine: Arc<Engine>,
    limiter: Limiter,
    options: FetchOptions,
}

impl Fetcher {
    /// A fetcher within the bounds of that limiter.
    pub fn new(client: Client, engine: Arc<Engine>, limiter: Limiter, options: FetchOptions) -> Self {
        Self { client, engine, limiter, options }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn options(&self) -> &FetchOptions {
        &self.options
    }

    /// Reads the log of that instance and classifies it. Never fails: without a log, the termination message and the
    /// exit facts are classified.
    pub async fn fetch(&self, termination: &Termination) -> LogAnswer {
        let Choice { first: Some(first), otherwise } = choose(termination) else {
            return self.without_log(termination, EvidenceState::Gone, 0);
        };
        let pod = &termination.pod;
        let wanted = Wanted { node: pod.node.clone(), namespace: pod.namespace.clone(), kind: Kind::of(termination) };
        let Ok(turn) = self.limiter.turn(wanted).await else {
            return self.without_log(termination, EvidenceState::RateLimited, 0);
        };
        let mut reads = Reads::new(self, termination, turn);
        // What was had before the time was up still counts.
        let _ = timeout(self.options.total_timeout, reads.run(first, otherwise)).await;
        reads.answer()
    }

    /// Classifies a termination without its log, by its message if it has one.
    pub fn without_log(&self, termination: &Termination, state: EvidenceState, reads: u32) -> LogAnswer {
        let message = termination.message.as_deref().unwrap_or_default();
        let source = if message.is_empty() { EvidenceSource::Status } else { EvidenceSource::TerminationMessage };
        let mut classification = self.engine.classify(message.as_bytes(), exit_facts(termination));
        classification.log_bytes = 0;
        if message.is_empty() && classification.finding.reason == reason::ERROR_EXIT {
            say_that_nothing_was_read(&mut classification.finding, termination.exit_code);
        }
        LogAnswer { state, source, classification, reads }
    }
}

/// What the classifier says of a silent program would claim knowledge of a log that nobody has seen.
fn say_that_nothing_was_read(finding: &mut Finding, code: Option<i32>) {
    let code = code.map_or_else(|| "an error code".to_owned(), |code| format!("code {code}"));
    finding.message = format!("it exited with {code}, and its log could not be read");
    finding.advice = None;
}

/// The reads for one termination.
struct Reads<'f> {
    fetcher: &'f Fetcher,
    termination: &'f Termination,
    turn: Turn,
    sent: u32,
    best: Option<Had>,
    /// What was had of a log whose end never came.
    part: Option<Had>,
    missing: EvidenceState,
}

impl<'f> Reads<'f> {
    fn new(fetcher: &'f Fetcher, termination: &'f Termination, turn: Turn) -> Self {
        Self { fetcher, termination, turn, sent: 0, best: None, part: None, missing: EvidenceState::Gone }
    }

    async fn run(&mut self, first: Which, otherwise: Option<Which>) {
        let tail_lines = self.fetcher.options.tail_lines;
        let missing = match self.read(Wish { which: first, tail_lines }).await {
            Ok(had) => match self.certain(had).await {
                Ok(had) => return self.widen(had).await,
                Err(missing) => missing,
            },
            Err(missing) => missing,
        };
        if let Some(which) = otherwise.filter(|_| missing.other_may_be_right()) {
            self.read_other(Wish { which, tail_lines }).await;
        }
        // What the right read said stays true whatever the other one says.
        self.missing = missing.state();
    }

    /// Reads the other log, which is only accepted if it is proven.
    async fn read_other(&mut self, wish: Wish) {
        let part = self.part.take();
        let other = self.read(wish).await;
        self.part = self.part.take().filter(|part| part.proof == Proof::Verified && !part.successors()).or(part);
        if let Ok(had) = other
            && had.proof == Proof::Verified
            && !had.successors()
        {
            self.widen(had).await;
        }
    }

    /// Makes sure of a log that would fit the successor as well, because that one may have started before the read and
    /// within the second in which this instance ended. What is then the previous log tells: as long as there is no
    /// successor, it is that of the instance before, or none at all.
    async fn certain(&mut self, had: Had) -> Result<Had, Missing> {
        let restarts = self.termination.pod.stopping != Some(Stopping::Deleted);
        if !had.successors() || had.proof != Proof::Verified || !restarts {
            return Ok(had);
        }
        match self.read(Wish { which: Which::Previous, tail_lines: 1 }).await {
            // The previous log is this instance's: there is a successor.
            Ok(_) => Err(Missing::Foreign),
            Err(Missing::ErrorText { own: true }) => Err(Missing::ErrorText { own: true }),
            Err(Missing::Empty) => Err(Missing::Empty),
            Err(Missing::Foreign | Missing::ErrorText { own: false } | Missing::Refused(Refusal::Absent)) => Ok(had),
            Err(Missing::Refused(_)) => Ok(Had { proof: Proof::Unverified, ..had }),
        }
    }

    /// Reads once more where the first read misses the head of a dump, or was too long to reach the end.
    async fn widen(&mut self, had: Had) {
        let wish = self.wider(&had);
        let (proof, cut) = (had.proof, had.cut);
        self.best = Some(had);
        let Some(wish) = wish else { return };
        if let Ok(wide) = self.read(wish).await
            && wide.proof == proof
            && !(wide.cut && (cut || wide.classification.head_missing))
        {
            self.best = Some(wide);
        }
    }

    /// As many lines as the limit holds, by the length of those that were read: more than the first time where they
    /// were short, fewer where they were so long that the end was not reached.
    fn wider(&self, had: &Had) -> Option<Wish> {
        let options = &self.fetcher.options;
        let begins_above = had.lines >= options.tail_lines;
        if !(had.cut || had.classification.head_missing && begins_above) {
            return None;
        }
        let line_bytes = (had.bytes / had.lines.max(1)).max(1);
        let tail_lines = (options.limit_bytes / line_bytes).max(1);
        Some(Wish { which: had.which, tail_lines })
    }

    /// Reads, again and again while the answer says that it may succeed later.
    async fn read(&mut self, wish: Wish) -> Result<Had, Missing> {
        let mut pause = self.fetcher.options.pause;
        let mut attempts = self.fetcher.options.attempts.max(1);
        loop {
            let missing = match self.once(wish).await {
                Answer::Log(had) => return Ok(had),
                Answer::Part(had) => {
                    self.part = Some(had);
                    Missing::Refused(Refusal::Unreachable)
                }
                Answer::Missing(missing) => missing,
            };
            self.missing = missing.state();
            attempts -= 1;
            if attempts == 0 || !missing.is_transient() {
                return Err(missing);
            }
            sleep(missing.retry_after().unwrap_or_default().max(pause)).await;
            pause *= 2;
        }
    }

    async fn once(&mut self, wish: Wish) -> Answer {
        // The turn includes the first request.
        if self.sent > 0 {
            self.turn.pace().await;
        }
        self.sent += 1;
        read::once(self.fetcher, self.termination, wish).await
    }

    fn answer(self) -> LogAnswer {
        let Self { fetcher, termination, turn, sent: reads, best, part, missing } = self;
        let (had, whole) = match (best, part) {
            (Some(best), _) => (best, true),
            (None, Some(part)) => (part, false),
            (None, None) => return fetcher.without_log(termination, missing, reads),
        };
        turn.had_log();
        let verified = whole && had.proof == Proof::Verified;
        LogAnswer {
            state: if verified { EvidenceState::Verified } else { EvidenceState::Unverified },
            source: had.which.source(),
            classification: had.classification,
            reads,
        }
    }
}

impl Had {
    /// Whether it may be the log of the instance's successor.
    fn successors(&self) -> bool {
        self.which == Which::Current && self.may_be_successors
    }
}

impl Missing {
    /// Whether the other of the two logs may be the right one.
    fn other_may_be_right(self) -> bool {
        matches!(self, Self::Foreign | Self::Empty | Self::ErrorText { .. } | Self::Refused(Refusal::Absent))
    }

    fn is_transient(self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_transient())
    }

    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Refused(Refusal::Throttled(after)) => after,
            _ => None,
        }
    }

    fn state(self) -> EvidenceState {
        match self {
            Self::Empty => EvidenceState::Empty,
            Self::Refused(Refusal::Forbidden) => EvidenceState::Forbidden,
            Self::Refused(Refusal::Throttled(_)) => EvidenceState::RateLimited,
            Self::Foreign | Self::ErrorText { .. } | Self::Refused(_) => EvidenceState::Gone,
        }
    }
}
