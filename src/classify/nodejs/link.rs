//! One error of a chain: its name, its text and its frames.

use super::frames;
use super::head::Head;
use super::kinds::{self, Thrown};
use crate::classify::chain::{Weight, weight};
use crate::classify::finding::{CrashReason, Culprit};
use crate::classify::messages::Messages;
use crate::classify::stack::RawFrame;
use crate::classify::text;

/// One error of a chain.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Its name and text.
    pub head: Head,
    /// Further lines of its text.
    pub details: String,
    /// Its frames, the top one first.
    pub frames: Vec<RawFrame>,
    /// It is one of several that stand side by side.
    pub member: bool,
}

/// `originalError: TypeError: x`: the error that is a property of another one, as libraries keep what they wrap.
pub fn held(property: &[u8]) -> Option<&[u8]> {
    let at = text::find(property, ": ").filter(|at| *at < 40)?;
    let (key, value) = (&property[..at], &property[at + 2..]);
    let word = key.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    (word && Head::find(value) == Some(0)).then_some(value)
}

impl Link {
    /// What it means.
    pub fn reason(&self, messages: &Messages) -> CrashReason {
        let own = self.frames.iter().find(|frame| frame.own);
        let place = own.map(|frame| format!("{} {}", frame.file, frame.function)).unwrap_or_default();
        kinds::reason(&Thrown { head: &self.head, details: &self.details, place: &place }, messages)
    }

    /// How much it says.
    pub fn weight(&self, messages: &Messages) -> Weight {
        let wraps = matches!(self.head.class.as_str(), "AggregateError" | "SuppressedError");
        if wraps { Weight::Wrapper } else { weight(&self.reason(messages)) }
    }

    /// Whether one of its frames is the user's own.
    pub fn has_own(&self) -> bool {
        self.frames.iter().any(|frame| frame.own)
    }

    /// The module that wanted another one: of `Require stack:` or `imported from`.
    pub fn importer(&self) -> Option<Culprit> {
        let text = format!("{}\n{}", self.head.message, self.details);
        let stack = text.lines().find_map(|line| line.strip_prefix("- "));
        let from = text.split(" imported from ").nth(1).or_else(|| text.split("' from '").nth(1));
        let file = stack.or(from)?.lines().next()?.trim_matches('\'').to_owned();
        frames::is_own(&file).then_some(Culprit { function: None, file: Some(file), line: None })
    }
}
