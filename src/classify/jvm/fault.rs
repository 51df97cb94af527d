//! Faults of native code as other machines than HotSpot report them: a native image of GraalVM, and OpenJ9.

use super::frames;
use crate::classify::finding::{CrashReason, Frame, Runtime, STACK_FRAMES};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::place_of;
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// With this a native image begins.
pub const NATIVE_IMAGE: &str = "SegfaultHandler caught a segfault in thread ";
/// With this OpenJ9 begins, below `Unhandled exception`.
pub const OPENJ9: &str = " vmState=0x";
/// With this a native image ends.
const LAST: &[u8] = b"Fatal error: Segfault detected";
/// Most lines of one report: it has registers and memory between.
const LINES: u32 = 4000;
/// Lines of the beginning that are shown.
const SHOWN: u32 = 4;

/// What OpenJ9 calls a fault, and the signals that a native image numbers.
static KINDS: [(&str, CrashReason); 6] = [
    ("Type=Segmentation error", SEGFAULT),
    ("Type=Bus error", BUS_ERROR),
    ("Type=Illegal instruction", ILLEGAL_INSTRUCTION),
    ("Type=Floating point", FLOATING_POINT_EXCEPTION),
    ("Type=Abort", ABORT),
    (NATIVE_IMAGE, SEGFAULT),
];

/// The parser of such a report.
#[derive(Debug)]
pub struct Report {
    prefix: Prefix,
    reason: CrashReason,
    message: String,
    frames: Vec<Frame>,
    module: String,
    count: u32,
    over: bool,
    passage: Passage,
}

impl Report {
    /// A report, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let (at, reason) = KINDS.iter().find_map(|(words, reason)| Some((text::find(line.text, words)?, reason)))?;
        let native_image = text::has(line.text, NATIVE_IMAGE);
        if !native_image && !text::has(line.text, OPENJ9) {
            return None;
        }
        let at = if native_image { text::find(line.text, "[ [")? } else { at };
        let said = text::string(line.text[at..].trim_ascii());
        let message = match said.strip_prefix("Type=") {
            Some(kind) => kind.split(OPENJ9).next().unwrap_or_default().to_owned(),
            None => said.trim_matches(['[', ']', ' ']).split(" in thread ").next().unwrap_or_default().to_owned(),
        };
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            reason: reason.clone(),
            message,
            frames: Vec::new(),
            module: String::new(),
            count: 0,
            over: false,
            passage: Passage::begin(line, at, context),
        })
    }

    /// The frame that a line names.
    fn frame(&mut self, bare: &[u8]) -> Option<Frame> {
        let line = std::str::from_utf8(bare).ok()?.trim();
        if let Some(module) = line.strip_prefix("Module=") {
            module.clone_into(&mut self.module);
            return None;
        }
        if let Some((_, symbol)) = line.split_once(" Symbol=") {
            let platform = ["/libj9", "/libjvm", "/libc.", "/libc-", "/libpthread"];
            let in_app = !platform.iter().any(|name| self.module.contains(name));
            return Some(Frame { function: symbol.to_owned(), file: None, line: None, in_app });
        }
        // `A  SP 0x… IP 0x… size=48    com.acme.Native.poke(Native.java:23)`
        let symbol = line.contains(" IP 0x").then(|| line.split_ascii_whitespace().next_back()).flatten()?;
        frames::frame(format!("at {symbol}").as_bytes())
    }
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        self.count += 1;
        if self.over || self.count > LINES {
            return Flow::Over;
        }
        let Some(bare) = self.prefix.strip(line.text).map(<[u8]>::to_vec) else { return Flow::Foreign };
        self.over = bare.starts_with(LAST) || text::has(&bare, "Processed dump event \"gpf\"");
        let frame = self.frame(&bare).filter(|_| self.frames.len() < STACK_FRAMES);
        if self.count <= SHOWN || frame.is_some() || self.over {
            self.passage.block.push(&bare);
        }
        self.frames.extend(frame);
        if !text::blank(&bare) {
            self.passage.last_line = line.number;
        }
        Flow::Taken
    }

    fn finish(self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        let own: Vec<&Frame> = self.frames.iter().filter(|frame| frame.in_app).collect();
        Some(Candidate {
            reason: self.reason,
            kind: self.message.clone(),
            message: self.message,
            exits: &[134, 139, 133, 99, 1],
            culprit: own.first().map(|frame| place_of(frame)),
            signature: own.iter().map(|frame| (frames::stable(&frame.function), String::new())).collect(),
            stack: self.frames,
            ..Candidate::of(Runtime::Jvm, self.passage)
        })
    }
}
