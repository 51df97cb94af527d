//! What ended a Swift program: the line of its runtime, and the frames of the thread that crashed.

use super::frames;
use super::head::{self, CRASHED, Head, STACK};
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Frame, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{SEGFAULT, STACK_OVERFLOW};
use crate::classify::text;

/// How the frame of a trap begins.
const TRAP: &str = "Swift runtime failure: ";
/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 8192;
/// Most lines in a row that are neither frames nor known: shown sources, registers, other threads' lines.
const FOREIGN: u32 = 64;
/// As many frames in a row of one function are a recursion without end.
const RECURSION: usize = 100;
/// The same, where frames are left out.
const ELIDED_RECURSION: usize = 4;

/// Most words of a collector's before a frame.
const STARTS: usize = 8;

/// The parser of one crash.
#[derive(Debug)]
pub struct Trace {
    prefix: Prefix,
    link: Link,
    place: Option<(String, u32)>,
    /// What `Program crashed` says.
    crashed: String,
    /// Frames of other threads follow, or the list of images.
    beyond: bool,
    /// Frames are left out in the middle.
    elided: bool,
    headless: bool,
    logged: bool,
    foreign: u32,
    passage: Passage,
}

impl Trace {
    /// A crash, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        let (head, crashed) = match crashed(&shown) {
            Some((at, crashed)) => (Head { at, ..Head::default() }, crashed),
            None => (head::head(&shown)?, String::new()),
        };
        let mut trace = Self {
            prefix: Prefix::learn(&line.text[..head.at.min(line.text.len())]),
            link: Link::new("", &head.message, &shown.as_bytes()[head.at..]),
            place: head.place,
            crashed,
            beyond: false,
            elided: false,
            headless: false,
            logged: line.logged,
            foreign: 0,
            passage: Passage::at(Block::after(context.before), line.number),
        };
        if trace.link.message.is_empty() {
            let said = trace.crashed.clone();
            trace.link.say(&said);
        }
        Some(trace)
    }

    /// The rest of a crash, from a frame with a place on.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let placed = text::has(line.text, " in ") && text::has(line.text, ".swift:");
        if !placed {
            return None;
        }
        // Behind what a collector put before it.
        let blanks = line.text.iter().enumerate().filter(|(_, b)| **b == b' ').map(|(at, _)| at + 1);
        let found = std::iter::once(0).chain(blanks).take(STARTS).find_map(|at| {
            let frame = frames::frame(&line.text[at..]).filter(|frame| frame.line.is_some())?;
            Some((at, frame))
        });
        let (at, frame) = found?;
        let mut link = Link::default();
        link.push(frame, &line.text[at..]);
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            link,
            place: None,
            crashed: String::new(),
            beyond: false,
            elided: false,
            headless: true,
            logged: line.logged,
            foreign: 0,
            passage: Passage::at(Block::default(), line.number),
        })
    }

    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        let trimmed = text::string(bare.trim_ascii());
        if let Some((_, said)) = crashed(&trimmed).filter(|_| self.crashed.is_empty()) {
            self.crashed = said;
            self.link.quote(bare);
            return self.taken(number);
        }
        if let Some(frame) = frames::frame(bare) {
            if self.link.frames.is_empty() && self.link.message == self.crashed {
                self.trap(&trimmed);
            }
            if !self.beyond {
                self.link.push(frame, bare);
            }
            return self.taken(number);
        }
        self.elided |= trimmed == "..." && !self.beyond;
        let thread = trimmed.starts_with("Thread ") && trimmed.ends_with(':');
        // The thread that crashed stands first.
        self.beyond |= thread && !trimmed.contains("crashed") && !self.link.frames.is_empty()
            || trimmed.starts_with("Registers:")
            || trimmed.starts_with("Images (");
        let known = thread || trimmed.starts_with(STACK) || trimmed.starts_with("Backtrace took");
        if known || self.link.frames.is_empty() && trimmed.starts_with("Platform:") {
            return self.taken(number);
        }
        if head::head(&trimmed).is_some() && self.link.frames.is_empty() && self.link.message == "Fatal access conflict"
        {
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    /// Where the compiler put a trap of its own, the top frame is named for what went wrong.
    fn trap(&mut self, frame: &str) {
        if let Some((_, why)) = frame.split_once(TRAP) {
            why.split(" in ").next().unwrap_or(why).trim_end().clone_into(&mut self.link.message);
        }
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let bare = self.prefix.strip(line.text).unwrap_or(line.text).to_vec();
        self.bare_line(&bare, line.number)
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let told = self.headless || self.link.message != self.crashed;
        let mut reason = if told { head::meaning(&self.link.message, messages) } else { head::signal(&self.crashed) };
        if reason == SEGFAULT && is_endless(&self.link.frames, self.elided) {
            reason = STACK_OVERFLOW;
        }
        if !self.link.frames.iter().any(|frame| frame.in_app) {
            let own = self.place.take().filter(|(file, _)| frames::is_own_place(file));
            self.link.frames.extend(own.map(|(file, line)| Frame {
                function: String::new(),
                file: Some(file),
                line: Some(line),
                in_app: true,
            }));
        }
        let kind = if self.headless {
            String::new()
        } else if told {
            self.link.message.clone()
        } else {
            reason.to_string()
        };
        let story = Story {
            runtime: Runtime::Swift,
            standing: if self.logged { Standing::Logged } else { Standing::Fatal },
            exits: exits(&reason, told),
            passage: self.passage,
            headless: self.headless,
        };
        let candidate = story.tell(vec![(self.link, reason)], false, Names { stable, files: true })?;
        Some(Candidate { kind, ..candidate })
    }
}

fn stable(name: &str) -> String {
    name.to_owned()
}

/// A trap ends a program with 132 or 133, an error of the Swift runtime with abort().
fn exits(reason: &CrashReason, told: bool) -> &'static [i32] {
    if told || *reason != SEGFAULT && *reason != STACK_OVERFLOW { &[132, 133, 134, 5, 4] } else { &[139, 135, 134] }
}

/// Whether the stack is one recursion: the frames that are left out are more of it.
fn is_endless(frames: &[Frame], elided: bool) -> bool {
    let top = if elided { ELIDED_RECURSION } else { RECURSION };
    frames.len() >= top && frames[..top].windows(3).all(|three| three[0].function == three[2].function)
}

/// `💣 Program crashed: System trap at 0x…`, `*** Program crashed: … ***`, `Current stack trace:`.
fn crashed(line: &str) -> Option<(usize, String)> {
    let found = line.find(CRASHED)?;
    let mut at = line[..found].trim_end_matches(' ').trim_end_matches("***").trim_end_matches('💣').len();
    if at > 0 && line[..at].trim().is_empty() {
        at = 0;
    }
    let said = line[found + CRASHED.len()..].trim().trim_end_matches('*').trim();
    Some((at, said.to_owned()))
}
