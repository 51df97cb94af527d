//! Where V8 or Node.js itself gives up: the heap is full, an assertion of its own fails, the program calls abort().

use super::frames;
use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{
    ABORT, ASSERTION_FAILED, BUS_ERROR, FLOATING_POINT_EXCEPTION, HEAP_EXHAUSTED, ILLEGAL_INSTRUCTION, SEGFAULT,
    STACK_OVERFLOW, THREAD_LIMIT,
};
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// With what such an end begins.
pub const HEADS: [&str; 5] =
    ["FATAL ERROR: ", "----- Native stack trace -----", "# Fatal JavaScript ", "# Fatal process out of memory", BUN];
/// With what Bun reports a fault of its own.
const BUN: &str = "panic(main thread): ";
/// Most frames of JavaScript that are kept.
const FRAMES: usize = 64;
/// Most lines of something else inside of it.
const FOREIGN: u32 = 8;

/// How far above its stack the assertion stands that failed.
const ASSERTED: usize = 3;

/// The parser of such an end.
#[derive(Debug)]
pub struct Native {
    message: String,
    prefix: Prefix,
    frames: Vec<RawFrame>,
    in_script: bool,
    foreign: u32,
    passage: Passage,
}

impl Native {
    /// An end that begins with this line at this place.
    pub fn new(line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        let asserted = context.before.iter().take(ASSERTED).find_map(|line| {
            let at = text::find(line, "Assertion failed: ")?;
            Some(text::string(line[at..].trim_ascii_end()))
        });
        let stack_alone = line.text[at..].starts_with(b"-----");
        let said = text::string(line.text[at..].trim_ascii_end());
        Self {
            message: asserted.filter(|_| stack_alone).unwrap_or(said),
            prefix: Prefix::learn(&line.text[..at]),
            frames: Vec::new(),
            in_script: false,
            foreign: 0,
            passage: Passage::begin(line, at, context),
        }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        if bare.starts_with(b"-----") {
            self.in_script = text::has(bare, "JavaScript");
            return true;
        }
        let (digits, rest) = text::split_digits(bare.trim_ascii_start());
        if !digits.is_empty() && rest.starts_with(b": ") {
            let call = [b"at ", rest[2..].trim_ascii()].concat();
            if let Some(frame) = frames::read(&call).filter(|_| self.in_script && self.frames.len() < FRAMES) {
                self.frames.push(frame);
            }
            return true;
        }
        let bun = self.message.starts_with(BUN);
        let told = bun && (bare.starts_with(b"oh no: Bun") || text::has(bare, "bun.report"));
        told || text::blank(bare)
            || bare.starts_with(b"#")
            || bare.starts_with(b"<---")
            || super::around::is_epilogue(bare)
    }

    fn reason(&self) -> CrashReason {
        let lower = self.message.to_ascii_lowercase();
        let fault = lower.strip_prefix(BUN).and_then(fault);
        if let Some(reason) = fault {
            return reason;
        }
        let heap =
            ["out of memory", "allocation failed", "invalid size error", "oom"].iter().any(|w| lower.contains(w));
        if heap {
            HEAP_EXHAUSTED
        } else if self.message.contains("uv_thread_create") {
            THREAD_LIMIT
        } else if self.message.starts_with("Assertion failed: ") {
            ASSERTION_FAILED
        } else {
            ABORT
        }
    }
}

/// What Bun names as the fault.
fn fault(named: &str) -> Option<CrashReason> {
    let known = [
        ("segmentation fault", SEGFAULT),
        ("bus error", BUS_ERROR),
        ("illegal instruction", ILLEGAL_INSTRUCTION),
        ("floating point exception", FLOATING_POINT_EXCEPTION),
        ("stack overflow", STACK_OVERFLOW),
    ];
    known.into_iter().find(|(word, _)| named.starts_with(word)).map(|(_, reason)| reason)
}

impl Parser for Native {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let bare = self.prefix.strip(line.text);
        if let Some(bare) = bare.filter(|bare| self.take(bare)) {
            if !text::blank(bare) {
                self.passage.push(bare, line.number);
            }
            self.foreign = 0;
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let reason = self.reason();
        Some(Candidate {
            kind: if reason == HEAP_EXHAUSTED {
                "JavaScript heap out of memory".to_owned()
            } else {
                self.message.clone()
            },
            exception: Some("FATAL ERROR".to_owned()).filter(|_| self.message.starts_with("FATAL ERROR")),
            message: self.message,
            exits: &[134, 139, 133, 132],
            culprit: culprit(&self.frames),
            stack: shown(&self.frames),
            signature: signature(&self.frames, false, frames::stable),
            reason,
            ..Candidate::of(Runtime::Nodejs, self.passage)
        })
    }
}
