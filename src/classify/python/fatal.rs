//! `Fatal Python error: …`: the interpreter gives up, and faulthandler dumps its threads.

use super::frames;
use super::kinds;
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::STACK_OVERFLOW;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// With what it begins.
pub const HEAD: &str = "Fatal Python error: ";
/// Most frames kept; faulthandler itself stops at 100.
const FRAMES: usize = 100;
/// Most lines of something else inside of a dump.
const FOREIGN: u32 = 12;

/// The parser of a fatal error and the threads below it.
#[derive(Debug)]
pub struct Fatal {
    text: String,
    prefix: Prefix,
    frames: Vec<RawFrame>,
    thread: Thread,
    foreign: u32,
    passage: Passage,
}

/// Whose frames are being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thread {
    None,
    Other,
    Current,
}

impl Fatal {
    /// A fatal error whose head is in this line at this place.
    pub fn new(line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        Self {
            text: text::string(line.text[at + HEAD.len()..].trim_ascii_end()),
            prefix: Prefix::learn(&line.text[..at]),
            frames: Vec::new(),
            thread: Thread::None,
            foreign: 0,
            passage: Passage::begin(line, at, context),
        }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        if text::has(bare, "(most recent call first):") {
            self.thread = match bare {
                // The stack of the machine stands below that of the program.
                _ if bare.starts_with(b"Current thread's C stack") => Thread::Other,
                _ if bare.starts_with(b"Current thread") => Thread::Current,
                _ => Thread::Other,
            };
            if self.thread == Thread::Current {
                self.frames.clear();
            }
            return true;
        }
        if let Some(frame) = frames::read(bare).filter(|_| bare.starts_with(b"  ")) {
            if self.thread == Thread::Current && self.frames.len() < FRAMES {
                self.frames.push(frame);
            }
            return true;
        }
        const OTHER: [&str; 4] = ["Python runtime state", "Extension modules:", "  <no Python frame>", "  ..."];
        text::blank(bare)
            || OTHER.iter().any(|start| bare.starts_with(start.as_bytes()))
            || bare.starts_with(b"  Binary file \"")
            || bare.starts_with(b"  Garbage-collecting")
    }
}

impl Parser for Fatal {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let taken = match self.prefix.strip(line.text) {
            Some(bare) if self.take(bare) => Some(bare),
            _ => None,
        };
        match taken {
            Some(bare) => {
                if !text::blank(bare) {
                    self.passage.push(bare, line.number);
                }
                self.foreign = 0;
                Flow::Taken
            }
            None => {
                self.foreign += 1;
                if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
            }
        }
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let reason = kinds::fatal(&self.text);
        // `_Py_CheckRecursiveCall: Cannot …`: which function of the interpreter says it differs between versions.
        let kind = self.text.split_once(": ").map_or(self.text.as_str(), |(_, text)| text);
        Some(Candidate {
            kind: kind.to_owned(),
            exception: Some(HEAD.trim_end_matches(": ").to_owned()),
            message: format!("{HEAD}{}", self.text),
            exits: &[139, 134, 132, 135, 136, 1],
            culprit: culprit(&self.frames),
            stack: shown(&self.frames),
            signature: signature(&self.frames, reason == STACK_OVERFLOW, frames::stable),
            reason,
            ..Candidate::of(Runtime::Python, self.passage)
        })
    }
}
