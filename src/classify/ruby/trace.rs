//! What ended a Ruby program: an exception with its frames, and the ones that caused it as further blocks.

use super::frames;
use super::head::{self, Raised};
use super::kinds;
use super::lines::{find_frame, find_head, is_counted, is_record, text_alone, title};
use crate::classify::excerpt::Block;
use crate::classify::finding::{Frame, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story, push_link};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// Most lines of one exception's text, the snippet of the source below it included.
const TEXT_LINES: u32 = 64;
/// Most foreign lines in a row inside of a trace that Ruby wrote.
const FOREIGN_RAW: u32 = 64;
/// The same for one that a logger wrote.
const FOREIGN_LOGGED: u32 = 4;

/// What Ruby says above the trace of a thread that an exception ended.
pub const THREAD: &str = "terminated with exception (report_on_exception";
/// What puma says when the application cannot be loaded.
pub const PUMA: &str = "! Unable to load application: ";

/// Most frames kept of a head that is still to come.
const PENDING: usize = 64;
/// Most links kept of a chain whose innermost comes first.
const REVERSED: usize = 16;

/// Who wrote a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// Ruby: the program ended.
    Raised,
    /// Ruby: a thread ended, and the program may have gone on.
    Thread,
    /// JRuby: the program ended.
    Jruby,
    /// A task runner that ends after it, such as rake.
    Task,
    /// A logger, a server or the program.
    Logged,
    /// Its head is cut off.
    Missing,
}

/// The parser of one trace.
#[derive(Debug)]
pub struct Trace {
    voice: Voice,
    prefix: Prefix,
    links: Vec<Link>,
    /// `Caused by:` stood alone, and what is thrown follows.
    awaits_cause: bool,
    /// The frames stand above the heads, and causes above what they caused.
    is_reversed: bool,
    /// Frames of the head that is still to come.
    pending: Vec<Frame>,
    text_lines: u32,
    foreign: u32,
    passage: Passage,
}

impl Trace {
    /// A trace that Ruby itself begins in this line, or in the next one where a thread ended.
    pub fn raised(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        if let Some(at) = text::find(line.text, THREAD) {
            let start = text::find(&line.text[..at], "#<Thread:")?;
            let mut trace = Self::bare(Voice::Thread, line);
            trace.prefix = Prefix::learn(&line.text[..start]);
            trace.passage.block = Block::after(context.before);
            trace.passage.block.push(&line.text[start..]);
            return Some(trace);
        }
        if let Some(at) = text::find(line.text, PUMA) {
            return Self::puma(line, at, context);
        }
        let (at, raised) = find_head(line.text)?;
        let mut trace = Self::bare(if line.logged { Voice::Logged } else { Voice::Raised }, line);
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.passage.block = Block::after(context.before);
        trace.push(&raised, &line.text[at..]);
        trace.reversed(context.before);
        Some(trace)
    }

    fn puma(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let said = text::string(&line.text[at + PUMA.len()..]);
        let (class, message) = head::titled(&said).or_else(|| head::leading(said.trim_end().trim_end_matches(':')))?;
        let mut trace = Self::bare(Voice::Logged, line);
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.passage.block = Block::after(context.before);
        trace.links.push(Link::new(&class, &message, &line.text[at..]));
        Some(trace)
    }

    /// A backtrace that the program or a logger printed, of which the first frame stands in this line.
    pub fn logged(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let (at, frame) = find_frame(line.text)?;
        let prefix = Prefix::learn(&line.text[..at]);
        let indented = frame.file.is_some() && line.text[at..].trim_ascii_start().starts_with(b"from ");
        let titled = (!indented)
            .then(|| title(&prefix, context.before).or_else(|| text_alone(&prefix, context.before)))
            .flatten();
        let Some((above, class, message)) = titled else {
            return Self::without_head(line).filter(|_| indented || line.number == 1);
        };
        let jruby = text::find(line.text, ":in ").is_none();
        let task = context.before[above + 1..].iter().take(3).any(|line| text::has(line, " aborted!"));
        let voice = match (task, jruby && !line.logged) {
            (true, _) => Voice::Task,
            (false, true) => Voice::Jruby,
            (false, false) => Voice::Logged,
        };
        let mut trace = Self::bare(voice, line);
        trace.prefix = prefix;
        trace.passage.first_line = if line.logged { line.number } else { line.number.saturating_sub(above as u64 + 1) };
        trace.passage.block = Block::after(&context.before[above + 1..]);
        let mut link = Link::new(&class, &message, &context.before[above]);
        context.before[..above].iter().rev().for_each(|line| link.quote(line));
        trace.links.push(link);
        (trace.line(line) == Flow::Taken).then_some(trace)
    }

    /// A trace whose head is above what is in the log.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let (at, _) = find_frame(line.text)?;
        let mut trace = Self::bare(Voice::Missing, line);
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.links.push(Link::default());
        (trace.line(line) == Flow::Taken).then_some(trace)
    }

    fn bare(voice: Voice, line: &Line<'_>) -> Self {
        Self {
            voice,
            prefix: Prefix::default(),
            links: Vec::new(),
            awaits_cause: false,
            is_reversed: false,
            pending: Vec::new(),
            text_lines: 0,
            foreign: 0,
            passage: Passage::at(Block::default(), line.number),
        }
    }

    /// Ruby 2.5 to 2.7 print the frames in reverse on a terminal: they stand above the head.
    fn reversed(&mut self, before: &[Vec<u8>]) {
        let frames: Vec<Frame> = before
            .iter()
            .map_while(|line| {
                let bare = self.prefix.strip(line)?.trim_ascii_start().to_vec();
                frames::frame(&bare).filter(|_| is_counted(&bare))
            })
            .collect();
        self.is_reversed = !frames.is_empty();
        if let Some(link) = self.links.first_mut() {
            frames.into_iter().for_each(|frame| link.push(frame, b""));
        }
    }

    fn push(&mut self, raised: &Raised, line: &[u8]) {
        let mut link = Link::new(&raised.class, &raised.message, line);
        if let Some(frame) = &raised.frame {
            link.frames.push(frame.clone());
        }
        std::mem::take(&mut self.pending).into_iter().rev().for_each(|frame| link.push(frame, b""));
        if self.is_reversed {
            // The innermost comes first in the text, and last in the chain.
            self.links.insert(0, link);
            self.links.truncate(REVERSED);
        } else {
            push_link(&mut self.links, link);
        }
        self.text_lines = 0;
    }

    /// The link whose lines are being read.
    fn current(&mut self) -> Option<&mut Link> {
        if self.is_reversed { self.links.first_mut() } else { self.links.last_mut() }
    }

    /// Whether frames beyond the place in the head were read, so that no text follows any more.
    fn begun(&self) -> bool {
        let in_head = matches!(self.voice, Voice::Raised | Voice::Thread);
        let current = if self.is_reversed { self.links.first() } else { self.links.last() };
        current.is_some_and(|link| link.frames.len() > usize::from(in_head))
    }

    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        if text::blank(bare) {
            return if self.begun() { Flow::Foreign } else { Flow::Taken };
        }
        if let Some(frame) = frames::frame(bare).or_else(|| frames::flush_right(bare)) {
            if self.is_reversed && is_counted(bare.trim_ascii_start()) && self.pending.len() < PENDING {
                self.pending.push(frame);
                return self.taken(number);
            }
            let Some(link) = self.current() else { return Flow::Over };
            link.push(frame, bare);
            return self.taken(number);
        }
        if let Some(raised) = head::raised(bare) {
            return self.another(&raised, bare, number);
        }
        if self.note(bare) || self.flush_left(bare) {
            return self.taken(number);
        }
        self.text(bare)
    }

    /// A further block: a cause of the one above, or the same once more, which ends the program.
    fn another(&mut self, raised: &Raised, line: &[u8], number: u64) -> Flow {
        let first = self.links.first();
        let same =
            first.is_some_and(|link| link.exception == raised.class && link.frames.first() == raised.frame.as_ref());
        if same && self.voice == Voice::Thread {
            self.links.clear();
            self.voice = Voice::Raised;
        } else if same || !matches!(self.voice, Voice::Raised | Voice::Thread | Voice::Missing) {
            return Flow::Over;
        }
        self.push(raised, line);
        self.taken(number)
    }

    /// Lines that belong to a trace and are neither a frame nor a head.
    fn note(&mut self, bare: &[u8]) -> bool {
        let trimmed = bare.trim_ascii();
        if trimmed == b"Caused by:" {
            self.awaits_cause = true;
            return true;
        }
        let caused = trimmed.strip_prefix(b"Caused by: ");
        if (self.awaits_cause || caused.is_some() && self.begun())
            && let Some((class, message)) = head::titled(&text::string(caused.unwrap_or(trimmed)))
        {
            self.awaits_cause = false;
            push_link(&mut self.links, Link::new(&class, &message, bare));
            return true;
        }
        let levels = trimmed.starts_with(b"... ") && trimmed.ends_with(b"levels...");
        levels || trimmed.starts_with(b"Tasks: TOP =>") || trimmed.starts_with(b"(See full trace by")
    }

    /// JRuby's head, which names no place: of a thread's end, or of a cause below the frames.
    fn flush_left(&mut self, bare: &[u8]) -> bool {
        let expected = match self.voice {
            Voice::Thread => self.links.is_empty(),
            Voice::Jruby => self.begun(),
            _ => false,
        };
        let named = expected.then(|| head::leading(&text::string(bare))).flatten();
        let Some((class, message)) = named else { return false };
        push_link(&mut self.links, Link::new(&class, &message, bare));
        self.text_lines = 0;
        true
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    /// A further line of an exception's text, or of the source that Ruby shows below it.
    fn text(&mut self, bare: &[u8]) -> Flow {
        self.text_lines += 1;
        if self.begun() || is_record(bare) || self.text_lines > TEXT_LINES {
            return self.stray();
        }
        let Some(link) = self.current() else { return self.stray() };
        link.say(&text::string(bare));
        link.quote(bare);
        Flow::Taken
    }

    fn stray(&mut self) -> Flow {
        self.foreign += 1;
        let raw = matches!(self.voice, Voice::Raised | Voice::Thread | Voice::Jruby | Voice::Task);
        let limit = if raw { FOREIGN_RAW } else { FOREIGN_LOGGED };
        if self.foreign > limit { Flow::Over } else { Flow::Foreign }
    }

    /// The head, or the first frame, had a logger's prefix, and the lines below it have none.
    fn adopt(&mut self, line: &Line<'_>) -> Flow {
        let first = self.voice == Voice::Logged && self.links.iter().all(|link| link.frames.len() < 2);
        let unprefixed = |at: usize| !self.begun() || first && Prefix::learn(&line.text[..at]).is_envelope();
        let Some((at, _)) = find_frame(line.text).filter(|(at, _)| unprefixed(*at)) else { return self.stray() };
        self.prefix = Prefix::learn(&line.text[..at]);
        self.voice = Voice::Logged;
        self.bare_line(&line.text[at..], line.number)
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare_line(&bare, line.number),
            None => self.adopt(line),
        }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let (standing, exits): (Standing, &[i32]) = match self.voice {
            Voice::Raised | Voice::Jruby | Voice::Task | Voice::Missing => (Standing::Fatal, &[1]),
            // Only the thread ended; the program may have followed it.
            Voice::Thread => (Standing::Printed, &[1]),
            Voice::Logged => (Standing::Logged, &[]),
        };
        let mut links = Vec::new();
        for mut link in std::mem::take(&mut self.links) {
            frames::mark_native(&mut link.frames);
            let reason = kinds::of_link(&link, messages);
            links.push((link, reason));
        }
        let headless = links.iter().all(|(link, _)| link.exception.is_empty() && link.message.is_empty());
        let unparsed = links.iter().find_map(|(link, _)| head::unparsed(&link.message));
        let story = Story { runtime: Runtime::Ruby, standing, exits, passage: self.passage, headless };
        let candidate = story.tell(links, false, Names { stable: frames::stable, files: true })?;
        // A source that does not parse is to blame itself, not who loads it.
        Some(match unparsed {
            Some(culprit) => Candidate { culprit: Some(culprit), ..candidate },
            None => candidate,
        })
    }
}
