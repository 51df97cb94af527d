//! Which panic of a cascade counts, and what becomes of it.

use super::frames;
use super::kinds::{self, Kind};
use super::panic::{FATAL, Panic, Panics};
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, RELATED, Related, Runtime, base_name};
use crate::classify::grammar::{Candidate, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::reason::{ABORT, STACK_OVERFLOW, UNHANDLED_ERROR};
use crate::classify::stack::{culprit, shown, signature};

/// What the runtime's own words or the text of a panic mean.
pub fn of_words(message: &str, panic: &Panic, messages: &Messages) -> Kind {
    if message.contains(FATAL[0]) || message.starts_with("fatal runtime error: stack overflow") {
        return Kind { reason: STACK_OVERFLOW, word: "stack overflow".to_owned() };
    }
    if message.starts_with(FATAL[1]) {
        return Kind { reason: ABORT, word: message.to_owned() };
    }
    kinds::of_panic(message, &panic.frames, messages)
}

impl Panics {
    /// The panic that counts: not the echo in a thread that waited for it, nor what it led to while it unwound; else the
    /// last one of the main thread, which ends the process.
    pub(super) fn decisive(&self) -> Option<Panic> {
        let mut at = self.panics.len().checked_sub(1)?;
        let aftermath = |at: usize| kinds::is_aftermath(&self.panics[at].text);
        if aftermath(at) {
            // Everything since the first panic of that thread happened while it unwound.
            let thread = &self.panics[at].thread;
            at = self.panics.iter().position(|panic| panic.thread == *thread)?;
        } else if !self.aborted {
            at = self.panics.iter().rposition(|panic| panic.thread == "main").unwrap_or(at);
        } else if self.panics.len() > 1 && self.panics[at].thread == self.panics[at - 1].thread {
            at = self.panics.iter().position(|panic| panic.thread == self.panics[at].thread)?;
        }
        while at > 0 && kinds::is_echo(&self.panics[at].text) {
            at -= 1;
        }
        self.panics.get(at).cloned()
    }

    /// What panicked in other threads before, such as the holder of a lock that it left poisoned.
    fn earlier(&self, decisive: &Panic) -> Vec<Related> {
        let others = self.panics.iter().filter(|panic| panic.thread != decisive.thread && !kinds::is_echo(&panic.text));
        let told = others.map(|panic| Related {
            title: format!(
                "thread '{}' panicked too: {}",
                panic.thread,
                panic.text.lines().next().unwrap_or_default().trim()
            ),
            culprit: culprit(&panic.frames).or_else(|| panic.site()),
            stack: shown(&panic.frames),
        });
        told.take(RELATED).collect()
    }

    pub(super) fn candidate(self, panic: &Panic, message: String, kind: Kind, excerpt: Block) -> Candidate {
        // The thread of a test has the test's path for its name, and the harness ends the process.
        let ends = |thread: &str| thread == "main" || thread.contains("::");
        let main = self.aborted || self.panics.iter().any(|panic| ends(&panic.thread));
        let site = panic.site();
        let mut marks = signature(&panic.frames, kind.reason == STACK_OVERFLOW, frames::stable);
        // The path of a function is in its name, and the file is there only with debug information.
        marks.iter_mut().for_each(|(_, file)| file.clear());
        if let Some(file) = site.as_ref().and_then(|site| site.file.as_deref()).filter(|_| marks.is_empty()) {
            marks.push((String::new(), base_name(file).to_owned()));
        }
        let culprit = match (culprit(&panic.frames), site) {
            // Without debug information a frame has no place, but the panic itself may have been there.
            (Some(own), Some(site)) if own.file.is_none() => Some(Culprit { function: own.function, ..site }),
            (own, site) => own.or(site),
        };
        let vague = kind.reason == UNHANDLED_ERROR && message.is_empty();
        Candidate {
            kind: kind.word,
            exception: Some("panic".to_owned()).filter(|_| panic.location.is_some()),
            message: if vague || self.headless { "a panic whose text is not in the log".to_owned() } else { message },
            standing: if main && !self.logged { Standing::Fatal } else { Standing::Logged },
            exits: if self.aborted { &[134, 139, 133, 132] } else { &[101, 134, 139, 133, 132] },
            culprit,
            stack: shown(&panic.frames),
            signature: marks,
            reason: kind.reason,
            related: self.earlier(panic),
            headless: self.headless,
            ..Candidate::of(Runtime::Rust, Passage { block: excerpt, ..self.passage })
        }
    }
}
