//! Ruby's report of a fault inside of the interpreter or of an extension: `[BUG] Segmentation fault at 0x…`.

use super::frames;
use crate::classify::finding::{CrashReason, Frame, Runtime, STACK_FRAMES, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::place_of;
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// What every report begins with.
pub const HEAD: &str = "[BUG] ";
/// What an interpreter that cannot even raise an exception says.
pub const NO_MEMORY: &str = "[FATAL] failed to allocate memory";

/// Most lines of a report: it lists every loaded file and every mapping.
const LINES: u32 = 100_000;
/// Lines that are shown.
const SHOWN: u32 = 12;
/// Most frames kept.
const FRAMES: usize = 256;

/// The parser of a report.
#[derive(Debug)]
pub struct Report {
    prefix: Prefix,
    message: String,
    place: Option<Frame>,
    frames: Vec<Frame>,
    in_frames: bool,
    ended: bool,
    count: u32,
    passage: Passage,
}

impl Report {
    /// A report, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, HEAD).or_else(|| text::find(line.text, NO_MEMORY))?;
        // `app.rb:71: [BUG] …`: the place stands before it.
        let place = line.text[..at].strip_suffix(b": ").unwrap_or_default();
        let start = place.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        let start = if place.is_empty() { at } else { start };
        Some(Self {
            prefix: Prefix::learn(&line.text[..start]),
            message: text::string(line.text[at..].trim_ascii_end()),
            place: frames::frame(&[place, b":in `'"].concat()),
            frames: Vec::new(),
            in_frames: false,
            ended: false,
            count: 0,
            passage: Passage::begin(line, start, context),
        })
    }

    fn reason(&self) -> CrashReason {
        let has = |words: &str| self.message.contains(words);
        if has("failed to allocate memory") {
            HEAP_EXHAUSTED
        } else if has("Segmentation fault") {
            SEGFAULT
        } else if has("Bus Error") {
            BUS_ERROR
        } else if has("Illegal instruction") {
            ILLEGAL_INSTRUCTION
        } else {
            ABORT
        }
    }

    fn bare_line(&mut self, bare: &[u8]) {
        if bare.starts_with(b"-- ") {
            self.in_frames = text::has(bare, "Ruby level backtrace");
        } else if self.in_frames
            && self.frames.len() < FRAMES
            && let Some(frame) = frames::frame(bare)
        {
            self.frames.push(frame);
            self.passage.block.push(bare);
            return;
        }
        self.ended |= bare.starts_with(b"[NOTE]");
        if self.count <= SHOWN {
            self.passage.block.push(bare);
        }
    }
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        self.count += 1;
        let Some(bare) = self.prefix.strip(line.text) else { return Flow::Foreign };
        let bare = bare.to_vec();
        if self.count > LINES || self.ended && text::blank(&bare) {
            return Flow::Over;
        }
        self.bare_line(&bare);
        self.passage.last_line = line.number;
        Flow::Taken
    }

    fn finish(mut self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        let reason = self.reason();
        // The backtrace of a report has the newest call at its end.
        self.frames.reverse();
        frames::mark_native(&mut self.frames);
        let own = self.frames.iter().find(|frame| frame.in_app).or(self.place.as_ref().filter(|place| place.in_app));
        let signature = self.frames.iter().filter(|frame| frame.in_app).map(|frame| {
            (frames::stable(&frame.function), base_name(frame.file.as_deref().unwrap_or_default()).to_owned())
        });
        Some(Candidate {
            kind: self.message.split(" at 0x").next().unwrap_or_default().to_owned(),
            exits: if reason == HEAP_EXHAUSTED { &[1] } else { &[134, 139, 133] },
            reason,
            message: self.message.clone(),
            culprit: own.map(place_of),
            signature: signature.collect(),
            stack: self.frames.iter().take(STACK_FRAMES).cloned().collect(),
            ..Candidate::of(Runtime::Ruby, self.passage)
        })
    }
}
