//! Classification: the bytes of one log and the exit facts in, a [`Finding`] out. Pure: no I/O, no clock, no cluster.

pub mod finding;
pub mod reason;

pub use finding::*;

/// What is known of an exit beside its log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExitFacts {
    /// The exit code as the kubelet or a shell states it: 128 + n for signal n.
    pub exit_code: Option<i32>,
    /// The signal, where it is known by itself (the CRI has it, the kubelet hardly ever).
    pub signal: Option<i32>,
    /// The kubelet's own word: `OOMKilled`, `Error`, `Completed`, `StartError`, `ContainerCannotRun`, `Evicted`…
    pub reason: Option<String>,
    /// The termination message, the runtime's error of a StartError, or the pod's status message.
    pub message: Option<String>,
    /// What the kubelet or a controller states beyond the container's own record.
    pub stated: Option<Stated>,
}

/// A fact stated about the pod, which wins over the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stated {
    /// The kubelet killed the container because its liveness probe failed.
    LivenessProbe,
    /// The kubelet killed the container because its startup probe failed.
    StartupProbe,
    /// The pod was evicted.
    Evicted,
    /// The pod made room for one of a higher priority.
    Preempted,
    /// Its node is gone.
    NodeLost,
    /// `activeDeadlineSeconds` passed.
    DeadlineExceeded,
    /// The image could not be pulled; no container ever ran.
    ImageUnavailable,
    /// A referenced ConfigMap, Secret or key is missing (CreateContainerConfigError).
    MissingConfiguration,
    /// The kubelet lost the container's status.
    ContainerLost,
}

/// What one log and its exit facts came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Classification {
    /// The cause; redacted and bounded.
    pub finding: Finding,
    /// `<version>-<16 hex digits>`: the same for the same bug across pods, builds and nodes.
    pub fingerprint: String,
    /// The decisive lines with a few before them, redacted, at most 4 KiB.
    pub excerpt: String,
    /// Bytes of log that were read.
    pub log_bytes: u64,
    /// Whether the log shown in the excerpt was cut.
    pub truncated: bool,
    /// The log began inside a dump whose head it does not hold: the cause is further up.
    pub head_missing: bool,
}

use crate::redact::Redactor;

/// Rules, literals and redaction, made once and shared by every classification.
#[derive(Debug, Default)]
pub struct Engine {
    redactor: Redactor,
}

impl Engine {
    /// An engine with the built-in rules.
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor }
    }

    /// Starts the classification of one log.
    pub fn classifier(&self, facts: ExitFacts) -> Classifier<'_> {
        Classifier { engine: self, facts, log_bytes: 0 }
    }

    /// Classifies a log that is in memory.
    pub fn classify(&self, log: &[u8], facts: ExitFacts) -> Classification {
        let mut classifier = self.classifier(facts);
        classifier.feed(log);
        classifier.finish()
    }
}

/// One classification under way: fed with chunks of any size, its memory does not grow with the log.
#[derive(Debug)]
pub struct Classifier<'e> {
    engine: &'e Engine,
    facts: ExitFacts,
    log_bytes: u64,
}

impl Classifier<'_> {
    /// Takes the next bytes of the log.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.log_bytes += chunk.len() as u64;
    }

    /// Decides.
    pub fn finish(self) -> Classification {
        let _ = (&self.engine.redactor, &self.facts);
        Classification {
            finding: Finding {
                category: Category::Unknown,
                reason: reason::ERROR_EXIT,
                runtime: Runtime::Unknown,
                exception: None,
                message: String::new(),
                confidence: Confidence::Low,
                culprit: None,
                stack: Vec::new(),
                related: Vec::new(),
                contributing: Vec::new(),
                advice: None,
            },
            fingerprint: "1-0000000000000000".into(),
            excerpt: String::new(),
            log_bytes: self.log_bytes,
            truncated: false,
            head_missing: false,
        }
    }
}
