//! What ended a Dart program: an exception with its frames.

use super::frames;
use super::kinds;
use crate::classify::envelope::{without_collector, without_stamps};
use crate::classify::excerpt::Block;
use crate::classify::finding::{Frame, Runtime};
use crate::classify::grammar::{Before, Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 4096;
/// Most lines of one text.
const TEXT_LINES: u32 = 32;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 8;
/// What stands above the text.
const UNHANDLED: &str = "Unhandled exception:";
/// What the VM writes above a fault of the machine.
const CRASH: &str = "===== CRASH =====";
/// The line below it, which names the signal.
const SIGNAL: &str = "si_signo=";
/// How the VM says that it cannot go on: `../../runtime/vm/heap/freelist.cc: 100: error: Out of memory.`
pub const BROKEN: &str = "runtime/vm/";

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// The VM, which ends with it.
    Vm,
    /// The compiler.
    Compiler,
    /// The VM at a fault of the machine.
    Fault,
    /// The program or a logger.
    Logged,
}

/// The parser of one exception.
#[derive(Debug)]
pub struct Trace {
    prefix: Prefix,
    voice: Voice,
    link: Link,
    headless: bool,
    text_lines: u32,
    foreign: u32,
    passage: Passage,
}

impl Trace {
    /// An exception, if it begins with this line, or above it where this line begins its frames.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        if let Some(at) = shown.find(UNHANDLED).filter(|at| shown[at + UNHANDLED.len()..].trim().is_empty()) {
            let voice = if line.logged { Voice::Logged } else { Voice::Vm };
            return Some(Self::of(at, voice, &shown[at..], line, context));
        }
        if let Some(at) = shown.find(CRASH) {
            let mut trace = Self::of(at, Voice::Fault, &shown[at..], line, context);
            trace.link.say(CRASH);
            return Some(trace);
        }
        if let Some(at) = shown.find(BROKEN).filter(|at| shown[*at..].contains(".cc: ")) {
            let said = shown[at..].split_once(": error: ")?.1;
            let start = shown[..at].rfind([' ', '\t']).map_or(0, |blank| blank + 1);
            let mut trace = Self::of(start, Voice::Fault, &shown[start..], line, context);
            trace.link.say(said.trim_end());
            return Some(trace);
        }
        Self::uncompiled(&shown, line, context).or_else(|| Self::printed(&shown, line, context))
    }

    /// `bin/bakery.dart:5:3: Error: Expected ';' after this.`
    fn uncompiled(shown: &str, line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = shown.find(": Error: ")?;
        let start = shown[..at].rfind([' ', '\t']).map_or(0, |blank| blank + 1);
        let (file, rest) = shown[start..at].split_once(".dart:")?;
        let number = rest.split(':').next()?.parse().ok()?;
        let mut trace = Self::of(start, Voice::Compiler, &shown[start..], line, context);
        trace.link.say(shown[at + ": Error: ".len()..].trim_end());
        trace.link.frames.push(Frame {
            function: String::new(),
            file: Some(format!("{file}.dart")),
            line: Some(number),
            in_app: true,
        });
        Some(trace)
    }

    /// The frames begin, and the text stands above: the program itself printed both.
    fn printed(shown: &str, line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = shown.find("#0      ")?;
        let frame = frames::frame(&shown.as_bytes()[at..])?;
        let mut trace = Self::of(at, Voice::Logged, "", line, context);
        let above = context.before.iter().find(|line| !text::blank(line))?;
        let said = text::string(trace.prefix.strip(above).unwrap_or(above));
        let said = without_stamps(without_collector(&said)).to_owned();
        trace.link = Link::new(&kinds::class(&said), &said, said.as_bytes());
        trace.link.push(frame, &shown.as_bytes()[at..]);
        trace.passage.first_line = line.number.saturating_sub(1);
        Some(trace)
    }

    /// The rest of a trace.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        let at = shown.find('#').filter(|_| shown.contains(".dart:"))?;
        let frame = frames::frame(&shown.as_bytes()[at..])?;
        let context = Context { before: &Before::default(), messages: &Messages::default() };
        let mut trace = Self::of(at, Voice::Vm, "", line, &context);
        trace.link = Link::default();
        trace.link.push(frame, &shown.as_bytes()[at..]);
        trace.headless = true;
        Some(trace)
    }

    fn of(at: usize, voice: Voice, quoted: &str, line: &Line<'_>, context: &Context<'_>) -> Self {
        Self {
            prefix: Prefix::learn(&line.text[..at.min(line.text.len())]),
            voice,
            link: Link::new("", "", quoted.as_bytes()),
            headless: false,
            text_lines: 0,
            foreign: 0,
            passage: Passage::at(Block::after(context.before), line.number),
        }
    }

    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        if let Some(frame) = frames::frame(bare).filter(|_| self.voice != Voice::Compiler) {
            self.link.push(frame, bare);
            return self.taken(number);
        }
        let trimmed = bare.trim_ascii();
        if self.voice == Voice::Fault && trimmed.starts_with(SIGNAL.as_bytes()) {
            self.link.message = text::string(trimmed);
            self.link.quote(bare);
            return self.taken(number);
        }
        // What else the compiler found follows from the first error as a rule.
        if self.voice == Voice::Compiler && text::has(bare, ".dart:") && text::has(bare, ": Error: ") {
            self.link.quote(bare);
            return self.taken(number);
        }
        let mark = trimmed == b"<asynchronous suspension>"
            || trimmed.starts_with(b"===== asynchronous gap")
            || trimmed.starts_with(b"(elided ")
            || trimmed.starts_with(b"...");
        if mark && !self.link.frames.is_empty() {
            return self.taken(number);
        }
        self.text(bare, number)
    }

    /// A further line of the text, which ends where the frames begin.
    fn text(&mut self, bare: &[u8], number: u64) -> Flow {
        self.text_lines += 1;
        let over = !self.link.frames.is_empty() || self.text_lines > TEXT_LINES || self.voice == Voice::Fault;
        if over || text::blank(bare) || Severity::of_line(bare) == Some(Severity::Info) {
            self.foreign += 1;
            return if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign };
        }
        let said = text::string(&bare[..bare.len().min(LINE_BYTES)]);
        if self.link.message.is_empty() {
            self.link.exception = kinds::class(&said);
        }
        self.link.say(&said);
        self.link.quote(bare);
        self.taken(number)
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    fn standing(&self) -> (Standing, &'static [i32]) {
        match self.voice {
            Voice::Vm => (Standing::Fatal, &[255]),
            Voice::Compiler => (Standing::Fatal, &[254]),
            Voice::Fault => (Standing::Fatal, &[134, 139]),
            Voice::Logged => (Standing::Logged, &[]),
        }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let bare = self.prefix.strip(line.text).unwrap_or(line.text).to_vec();
        self.bare_line(&bare, line.number)
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let (standing, exits) = self.standing();
        if self.link.message.is_empty() && self.link.frames.is_empty() {
            return None;
        }
        let said = &self.link.message;
        let reason = if self.voice == Voice::Fault { kinds::of_fault(said) } else { kinds::of(said, messages) };
        let story = Story { runtime: Runtime::Dart, standing, exits, passage: self.passage, headless: self.headless };
        story.tell(vec![(self.link, reason)], false, Names { stable: frames::stable, files: true })
    }
}
