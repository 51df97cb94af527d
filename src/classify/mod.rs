//! Classification: the bytes of one log and the exit facts in, a [`Finding`] out. Pure: no I/O, no clock, no cluster.
//!
//! ```text
//! chunks -> lines -> scan ----------------> verdict -> finding, fingerprint, excerpt
//!           whole    anchors, then the       which one, redacted and bounded
//!           lines    grammars: candidates    and why
//! ```
//!
//! A runtime is one file (or folder) with a [`grammar::Grammar`]: [`go`] is the first. What needs no grammar is in
//! [`messages`] (what error texts mean), [`rules`] (the same in YAML, with advice, and the users' own), `shell` and
//! [`exit`].

pub mod advice;
mod alone;
mod anchors;
mod beam;
mod carrier;
mod chain;
mod chatter;
mod clients;
mod closing;
mod compiler;
mod dart;
mod dotnet;
pub mod engine;
mod envelope;
pub mod excerpt;
pub mod exit;
pub mod finding;
pub mod fingerprint;
pub mod go;
pub mod grammar;
mod haskell;
mod held;
mod hints;
mod json;
mod jvm;
mod last_words;
mod lines;
mod links;
mod logline;
mod lua;
pub mod messages;
mod native;
mod nodejs;
mod normalise;
mod ocaml;
pub mod passage;
mod perl;
mod php;
mod phrases;
mod pile;
mod prefix;
pub mod proof;
mod python;
pub mod reason;
mod record;
mod ruby;
mod ruled;
pub mod rules;
mod rust;
mod scan;
mod severity;
mod shell;
mod signal;
mod stack;
pub mod subject;
mod swift;
mod tail;
mod text;
mod thrown;
mod translated;
mod verdict;
mod wrapper;

pub use engine::Engine;
pub use finding::*;
pub use subject::Subject;

use fingerprint::{Bug, fingerprint};
use lines::Lines;
use proof::Proof;
use scan::Scan;
use verdict::{Decision, decide};

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
    /// The cause; redacted and bounded. Its advice has placeholders until [`Classification::about`] fills them.
    pub finding: Finding,
    /// `<version>-<16 hex digits>`: the same for the same bug across pods, builds and nodes.
    pub fingerprint: String,
    /// The decisive lines with a few before them, redacted, at most 4 KiB.
    pub excerpt: String,
    /// Where in the excerpt the decisive lines begin, in bytes: what stands before is context.
    pub decisive_from: usize,
    /// Bytes of log that were read.
    pub log_bytes: u64,
    /// Whether the log shown in the excerpt was cut.
    pub truncated: bool,
    /// The log began inside a dump whose head it does not hold: the cause is further up.
    pub head_missing: bool,
    /// The log was empty, and the finding rests on the container's termination message instead.
    pub from_message: bool,
}

impl Classification {
    /// The same with these names in the commands of its advice.
    pub fn about(mut self, subject: &Subject) -> Self {
        self.finding.advice = self.finding.advice.map(|advice| subject.fill(&advice));
        self
    }
}

/// One classification under way: fed with chunks of any size, its memory does not grow with the log.
#[derive(Debug)]
pub struct Classifier<'e> {
    engine: &'e Engine,
    facts: ExitFacts,
    lines: Lines,
    scan: Scan<'e>,
    log_bytes: u64,
}

impl<'e> Classifier<'e> {
    fn new(engine: &'e Engine, facts: ExitFacts) -> Self {
        Self { engine, facts, lines: Lines::default(), scan: Scan::new(engine), log_bytes: 0 }
    }

    /// Takes the next bytes of the log.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.log_bytes += chunk.len() as u64;
        self.lines.feed(chunk, |block| self.scan.block(block));
    }

    /// Decides.
    pub fn finish(mut self) -> Classification {
        // With `terminationMessagePolicy: FallbackToLogsOnError` the message is the end of the log.
        let message = self.facts.message.clone().filter(|_| self.log_bytes == 0 && self.has_own_message());
        if let Some(message) = &message {
            self.lines.feed(message.as_bytes(), |block| self.scan.block(block));
        }
        self.lines.finish(|block| self.scan.block(block));
        let decision = decide(self.engine, &self.facts, &self.scan.finish());
        Classification { log_bytes: self.log_bytes, from_message: message.is_some(), ..self.engine.state(&decision) }
    }

    /// Whether the message is the container's, not what somebody else says about it.
    fn has_own_message(&self) -> bool {
        let probe = matches!(self.facts.stated, None | Some(Stated::LivenessProbe | Stated::StartupProbe));
        probe && matches!(self.facts.reason.as_deref(), None | Some("Error" | "Completed" | "OOMKilled"))
    }
}

impl Engine {
    /// What a log came to, once it is known that the kubelet killed the container because of a probe: that is the cause,
    /// and what the log says only adds to it. `answer` is what the kubelet quotes of the probe.
    ///
    /// All kills by one probe are one bug, whatever the log says by chance and however the program ended.
    pub fn killed_by_probe(&self, of_log: Classification, probe: Stated, answer: &str) -> Classification {
        let fact = exit::of_probe(probe, answer);
        let Finding { runtime, .. } = of_log.finding;
        let advice = self.advice.of(&fact.reason, runtime);
        let bug = Bug { runtime: Runtime::default(), kind: fact.reason.as_str(), frames: &[], message: "" };
        Classification {
            fingerprint: fingerprint(&bug, &self.normaliser),
            finding: Finding {
                category: reason::category_of(&fact.reason).unwrap_or(Category::Probe),
                message: self.line(&fact.message),
                confidence: fact.confidence,
                reason: fact.reason,
                runtime,
                exception: None,
                culprit: None,
                stack: Vec::new(),
                related: Vec::new(),
                contributing: beside_the_probe(of_log.finding),
                advice,
            },
            ..of_log
        }
    }

    /// The decision as it may leave: redacted whole, then cut.
    fn state(&self, decision: &Decision) -> Classification {
        let shown = decision.excerpt.render(&self.redactor);
        let finding = self.finding(decision);
        let kind = decision.kind.as_deref().map(|kind| self.clean(kind));
        let bug = Bug {
            runtime: finding.runtime,
            kind: kind.as_deref().unwrap_or(finding.reason.as_str()),
            frames: &decision.signature,
            message: &finding.message,
        };
        Classification {
            fingerprint: fingerprint(&bug, &self.normaliser),
            finding,
            excerpt: shown.text,
            decisive_from: shown.decisive_from,
            log_bytes: 0,
            truncated: shown.cut,
            head_missing: decision.head_missing,
            from_message: false,
        }
    }

    fn finding(&self, decision: &Decision) -> Finding {
        let contributing = decision.contributing.iter().map(|other| Contributing {
            message: self.line(&other.message),
            culprit: other.culprit.as_ref().map(|culprit| self.culprit(culprit)),
            ..other.clone()
        });
        Finding {
            category: decision.category(),
            reason: decision.reason.clone(),
            runtime: decision.runtime,
            exception: decision.exception.as_deref().map(|exception| self.symbol(exception)),
            message: self.line(&decision.message),
            confidence: decision.confidence,
            culprit: decision.culprit.as_ref().map(|culprit| self.culprit(culprit)),
            stack: decision.stack.iter().map(|frame| self.frame(frame)).collect(),
            related: decision.related.iter().take(RELATED).map(|related| self.related(related)).collect(),
            contributing: contributing.collect(),
            advice: self.advice_for(decision),
        }
    }

    /// A proof as it may leave. What it has of the crash is clean already, but what a race report names is not.
    pub fn cleaned(&self, mut proof: Proof) -> Proof {
        proof.why = self.line(&proof.why);
        let sides = proof.race.iter_mut().flat_map(|race| &mut race.sides);
        for place in sides.filter_map(|side| side.place.as_mut()) {
            place.function = self.symbol(&place.function);
            place.file = self.symbol(&place.file);
        }
        proof
    }

    fn advice_for(&self, decision: &Decision) -> Option<Advice> {
        let of_rule = decision.ruled.as_ref().and_then(|ruled| ruled.advice.clone());
        of_rule.or_else(|| self.advice.of(&decision.reason, decision.runtime))
    }

    fn clean(&self, text: &str) -> String {
        self.redactor.clean(text.as_bytes())
    }

    /// One line of text, as long as a message may be.
    fn line(&self, message: &str) -> String {
        let clean = self.clean(message).replace(['\n', '\t'], " ");
        text::cut(clean.trim(), MESSAGE_BYTES)
    }

    fn symbol(&self, symbol: &str) -> String {
        text::cut(self.clean(symbol).trim(), SYMBOL_BYTES)
    }

    fn frame(&self, frame: &Frame) -> Frame {
        let file = frame.file.as_deref().map(|file| self.symbol(file));
        Frame { function: self.symbol(&frame.function), file, ..frame.clone() }
    }

    fn culprit(&self, culprit: &Culprit) -> Culprit {
        Culprit {
            function: culprit.function.as_deref().map(|function| self.symbol(function)),
            file: culprit.file.as_deref().map(|file| self.symbol(file)),
            line: culprit.line,
        }
    }

    fn related(&self, related: &Related) -> Related {
        Related {
            title: self.symbol(&related.title),
            culprit: related.culprit.as_ref().map(|culprit| self.culprit(culprit)),
            stack: related.stack.iter().map(|frame| self.frame(frame)).collect(),
        }
    }
}

/// What the log says beside a probe kill, the more decisive first. That the process was stopped is no news.
fn beside_the_probe(own: Finding) -> Vec<Contributing> {
    let Finding { category, reason, message, culprit, contributing, .. } = own;
    let why_not = "the kubelet killed the container because of its probe".to_owned();
    let says = category != Category::Lifecycle && !message.is_empty();
    let own = says.then_some(Contributing { category, reason, message, why_not, culprit });
    own.into_iter().chain(contributing).take(finding::CONTRIBUTING).collect()
}
