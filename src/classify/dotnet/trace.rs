//! A stack trace of .NET: an exception, what caused it (whose frames come first), and its own frames.

use super::above::{above, first_frame, one_line, pieces};
use super::frames;
use super::head::{self, CAUSED, Thrown, Voice, thrown};
use super::kinds;
use crate::classify::chain::weight;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Frame, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story, push_link};
use crate::classify::messages::{Messages, Voice as Speaker};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// Most lines of one exception's text.
const TEXT_LINES: u32 = 64;
/// Most foreign lines in a row inside of a trace that the runtime wrote.
const FOREIGN_RAW: u32 = 64;
/// The same for one that a logger wrote.
const FOREIGN_LOGGED: u32 = 4;
/// Most frames that are read out of one line.
const LINE_FRAMES: usize = 256;
/// How often a frame that the runtime says to repeat is counted: enough to be told from one that does not.
const REPEATED: usize = 3;

/// Exit codes of an unhandled exception: SIGABRT, as PID 1 on x86-64 and on arm64, Mono's, Windows'.
const EXITS: &[i32] = &[134, 139, 133, 1, -532_462_766];

/// The parser of one trace.
#[derive(Debug)]
pub struct Trace {
    /// Who wrote it; `None` for a logger, or where the head is cut off.
    voice: Option<Voice>,
    logged: bool,
    prefix: Prefix,
    links: Vec<Link>,
    /// Links whose frames are not yet complete, the innermost one last.
    open: Vec<usize>,
    /// Exceptions of the same group that happened beside the first one, each with its causes.
    beside: Vec<Link>,
    /// Inside of what is no part of the chain.
    aside: Aside,
    /// How far the head of an exception's data is moved in, inside of these.
    data: Option<usize>,
    /// Inside of frames that repeat.
    repeat: Repeat,
    text_lines: u32,
    foreign: u32,
    other_head: bool,
    passage: Passage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aside {
    No,
    /// An exception that is known from above.
    Known,
    /// Another one of the same group.
    Beside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    No,
    Announced,
    Inside,
}

impl Trace {
    /// A trace that the runtime itself begins in this line.
    pub fn unhandled(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let (at, voice, rest) = head::head(line.text)?;
        let mut trace = Self::bare(Some(voice), line);
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.passage.block = Block::after(context.before);
        let said = text::string(line.text[rest..].trim_ascii_end());
        let quoted = &line.text[at..];
        let thrown = matches!(voice, Voice::Unhandled | Voice::Repeated) && trace.throw(&said, quoted).is_some();
        // An exception may say what it likes of itself, without its class.
        if !thrown || trace.links.is_empty() {
            trace.links.clear();
            trace.open.clear();
            trace.links.push(Link::new("", &said, quoted));
            trace.open.push(0);
        }
        Some(trace)
    }

    /// A trace of which the first frame stands in this line; what was thrown stands above it, or before it in the line.
    pub fn logged(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = first_frame(line.text)?;
        let mut trace = Self::bare(None, line);
        trace.logged = true;
        if let Some((start, text)) = one_line(line.text, at) {
            trace.passage.block = Block::after(context.before);
            trace.throw(&text, &line.text[start..])?;
            trace.passage.last_line = line.number;
            trace.frames_of(&line.text[at..], line.number);
            return Some(trace);
        }
        let prefix = Prefix::learn(&line.text[..at]);
        let Some(above) = above(&prefix, context.before) else { return Self::without_head(line) };
        trace.prefix = prefix;
        trace.passage.first_line =
            if line.logged { line.number } else { line.number.saturating_sub(above.count as u64) };
        trace.passage.block = Block::after(&context.before[above.count..]);
        for (number, text) in above.lines.iter().enumerate() {
            if number == 0 {
                trace.throw_any(text)?;
            } else {
                trace.bare_line(text.as_bytes(), line.number);
            }
        }
        (trace.line(line) == Flow::Taken).then_some(trace)
    }

    /// A trace whose head is above what is in the log.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let at = first_frame(line.text)?;
        let mut trace = Self::bare(None, line);
        trace.logged = line.logged;
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.links.push(Link::default());
        trace.open.push(0);
        (trace.line(line) == Flow::Taken).then_some(trace)
    }

    fn bare(voice: Option<Voice>, line: &Line<'_>) -> Self {
        Self {
            voice,
            logged: line.logged,
            prefix: Prefix::default(),
            links: Vec::new(),
            open: Vec::new(),
            beside: Vec::new(),
            aside: Aside::No,
            data: None,
            repeat: Repeat::No,
            text_lines: 0,
            foreign: 0,
            other_head: false,
            passage: Passage::at(Block::default(), line.number),
        }
    }

    /// What a text says was thrown; under the runtime's own head its class may have any name.
    fn thrown<'a>(&self, text: &'a str) -> Option<Thrown<'a>> {
        match self.voice {
            Some(Voice::Unhandled | Voice::Repeated) => head::thrown_by_runtime(text),
            _ => thrown(text),
        }
    }

    /// `A: text ---> B: text`, as Mono and older versions write it, or one exception alone.
    fn throw(&mut self, text: &str, line: &[u8]) -> Option<()> {
        let pieces = text.split(CAUSED).filter(|piece| !piece.is_empty());
        for (at, piece) in pieces.enumerate() {
            let Some(thrown) = self.thrown(piece) else {
                // An arrow inside of a text.
                self.links.last_mut().filter(|_| at > 0)?.say(piece);
                continue;
            };
            let quoted: &[u8] = if at == 0 { line } else { b"" };
            self.push(link_of(thrown, quoted));
        }
        Some(())
    }

    /// The same where the place of the text alone tells that it was thrown. Without a class it is what a program said of
    /// an exception before it wrote the frames.
    fn throw_any(&mut self, text: &str) -> Option<()> {
        if thrown(text).is_some() {
            return self.throw(text, text.as_bytes());
        }
        let link = match head::thrown_by_runtime(text) {
            Some(thrown) => link_of(thrown, text.as_bytes()),
            None => Link::new("", text, text.as_bytes()),
        };
        self.push(link);
        Some(())
    }

    fn push(&mut self, link: Link) {
        push_link(&mut self.links, link);
        self.open.push(self.links.len() - 1);
        if self.open.len() > self.links.len() {
            self.open.remove(0);
        }
    }

    fn begun(&self) -> bool {
        self.links.iter().any(|link| !link.frames.is_empty())
    }

    /// A line of the trace without its envelope.
    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        let trimmed = bare.trim_ascii();
        if trimmed.is_empty() {
            return if self.begun() { Flow::Foreign } else { Flow::Taken };
        }
        if self.marker(trimmed) || self.data(bare, trimmed) {
            return self.taken(number);
        }
        if let Some(frame) = frames::frame(trimmed.strip_suffix(b"<---").unwrap_or(trimmed)) {
            if self.other_head {
                return Flow::Over;
            }
            self.frame(frame, bare);
            if trimmed.ends_with(b"<---") {
                self.aside = Aside::No;
            }
            return self.taken(number);
        }
        if self.cause(bare, trimmed) {
            return self.taken(number);
        }
        self.text(bare, trimmed, number)
    }

    fn frame(&mut self, frame: Frame, line: &[u8]) {
        let link = match self.aside {
            Aside::No => self.open.last().and_then(|at| self.links.get_mut(*at)),
            Aside::Beside => self.beside.last_mut(),
            Aside::Known => None,
        };
        let Some(link) = link else { return };
        if self.repeat == Repeat::Inside {
            (1..REPEATED).for_each(|_| link.push(frame.clone(), b""));
        }
        link.push(frame, line);
    }

    /// What Npgsql adds below its frames: `  Exception data:`, and fields that are moved in further.
    fn data(&mut self, bare: &[u8], trimmed: &[u8]) -> bool {
        let head = trimmed == b"Exception data:";
        let indent = bare.len() - bare.trim_ascii_start().len();
        let field = self.data.is_some_and(|width| indent > width) && !trimmed.starts_with(b"at ");
        self.data = if head { Some(indent) } else { self.data.filter(|_| field) };
        head || field
    }

    /// Lines between the frames.
    fn marker(&mut self, trimmed: &[u8]) -> bool {
        if trimmed.starts_with(b"--- End of inner exception stack trace ---") {
            if self.open.len() > 1 && self.aside == Aside::No {
                self.open.pop();
            }
            return true;
        }
        if trimmed.starts_with(b"Repeat ") && trimmed.ends_with(b" times:") {
            self.repeat = Repeat::Announced;
            return true;
        }
        if trimmed.len() > 20 && trimmed.iter().all(|b| *b == b'-') {
            self.repeat = if self.repeat == Repeat::Announced { Repeat::Inside } else { Repeat::No };
            return true;
        }
        if trimmed == b"<---" {
            self.aside = Aside::No;
            return true;
        }
        trimmed.starts_with(b"--- End of stack trace from previous location")
    }

    /// ` ---> System.X: text`, ` ---> (Inner Exception #1) System.X: text`, and the head of a repetition.
    fn cause(&mut self, bare: &[u8], trimmed: &[u8]) -> bool {
        if let Some(rest) = trimmed.strip_prefix(b"---> ") {
            if rest.starts_with(b"(Inner Exception #") || self.aside == Aside::Beside {
                return self.sibling(&text::string(rest), bare);
            }
            return self.throw(&text::string(rest), bare).is_some();
        }
        if self.voice == Some(Voice::Unhandled) && trimmed.starts_with(b"[ERROR] FATAL UNHANDLED EXCEPTION: ") {
            // Mono says all of it once more. Of a stack overflow only the repetition has frames.
            if self.begun() {
                self.aside = Aside::Known;
                return true;
            }
            return self.again(trimmed);
        }
        false
    }

    /// `(Inner Exception #1) System.X: text`, or what caused that. Older versions list the first one again.
    fn sibling(&mut self, rest: &str, line: &[u8]) -> bool {
        let (number, said) = match rest.strip_prefix("(Inner Exception #").and_then(|rest| rest.split_once(") ")) {
            Some((number, said)) => (number, said),
            None => ("", rest),
        };
        self.aside = if number == "0" { Aside::Known } else { Aside::Beside };
        if self.aside == Aside::Beside
            && let Some(thrown) = head::thrown_by_runtime(said)
        {
            push_link(&mut self.beside, link_of(thrown, line));
        }
        true
    }

    fn again(&mut self, trimmed: &[u8]) -> bool {
        let said = text::string(&trimmed[b"[ERROR] FATAL UNHANDLED EXCEPTION: ".len()..]);
        self.links.clear();
        self.open.clear();
        self.throw(&said, trimmed).is_some()
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    /// A line of an exception's text, the exception of a head whose line has none, or something else.
    fn text(&mut self, bare: &[u8], trimmed: &[u8], number: u64) -> Flow {
        let said = text::string(trimmed);
        if self.waits() {
            self.links.clear();
            self.open.clear();
            self.throw(&said, bare);
            if self.links.is_empty() {
                self.push(Link::new("", &said, bare));
            }
            return self.taken(number);
        }
        if self.aside != Aside::No {
            return self.taken(number);
        }
        self.text_lines += 1;
        if self.begun() || is_record(bare) || self.text_lines > TEXT_LINES {
            return self.stray(bare, number);
        }
        // The text of a wrapper may end with what it wraps: `Parameter name: index) ---> System.X: text`.
        let (own, cause) = match said.split_once(CAUSED) {
            Some((own, cause)) => (own.to_owned(), Some(cause.to_owned())),
            None => (said, None),
        };
        if let Some(link) = self.open.last().and_then(|at| self.links.get_mut(*at)) {
            link.say(&own);
            link.quote(bare);
        }
        if let Some(cause) = cause {
            self.throw(&cause, b"");
        }
        Flow::Taken
    }

    /// `Unhandled Exception:` stood alone.
    fn waits(&self) -> bool {
        let empty = self.links.iter().all(|link| link.exception.is_empty() && link.message.is_empty());
        self.voice == Some(Voice::Unhandled) && empty && !self.begun()
    }

    fn stray(&mut self, bare: &[u8], number: u64) -> Flow {
        let said = text::string(bare.trim_ascii());
        // FailFast was handed an exception, which is written below its own frames.
        if self.voice == Some(Voice::Words)
            && self.links.len() == 1
            && let Some(thrown) = thrown(&said).filter(|thrown| thrown.class.contains('.'))
        {
            self.push(link_of(thrown, bare));
            return self.taken(number);
        }
        if head::head(bare).is_some() || thrown(&said).is_some_and(|thrown| thrown.class.contains('.')) {
            return Flow::Over;
        }
        self.foreign += 1;
        self.other_head |= said.contains("Exception");
        let limit = if self.voice.is_some() { FOREIGN_RAW } else { FOREIGN_LOGGED };
        if self.foreign > limit { Flow::Over } else { Flow::Foreign }
    }

    /// Frames that follow the text in the same line, as loggers of one line write them.
    fn frames_of(&mut self, line: &[u8], number: u64) {
        for piece in pieces(line).take(LINE_FRAMES) {
            self.bare_line(piece, number);
        }
    }

    /// Where the program has symbols, a frame without them is a library's, or the stub of a native function.
    fn trust_symbols(&mut self) {
        let frames = || self.links.iter().flat_map(|link| &link.frames);
        if frames().any(|frame| frame.in_app && frame.file.is_some()) {
            for frame in self.links.iter_mut().flat_map(|link| &mut link.frames) {
                frame.in_app &= frame.file.is_some();
            }
        }
    }

    /// Of what happened beside the chain, that which is to be acted on before anything in it.
    fn worse(&self, links: &[(Link, CrashReason)], messages: &Messages) -> Option<(Link, CrashReason)> {
        let known = links.iter().map(|(_, reason)| weight(reason)).max()?;
        let mut others = self.beside.iter().map(|link| (link, kinds::of_link(link, true, messages)));
        let (link, reason) = others.find(|(_, reason)| weight(reason) > known)?;
        Some((link.clone(), reason))
    }

    fn standing(&self) -> Standing {
        if self.logged { Standing::Logged } else { Standing::Fatal }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare_line(&bare, line.number),
            None => self.stray(line.text, line.number),
        }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let known = self.begun() || matches!(self.voice, Some(Voice::Unhandled | Voice::Words | Voice::Repeated));
        let named = self.links.iter().any(|link| !link.exception.is_empty() || !link.message.is_empty());
        if !known || !(named || self.begun()) {
            return None;
        }
        self.trust_symbols();
        let standing = self.standing();
        let last = self.links.len() - 1;
        let words = self.voice == Some(Voice::Words);
        let mut links = Vec::new();
        for (at, mut link) in std::mem::take(&mut self.links).into_iter().enumerate() {
            let own = words && at == 0;
            let reason = if own { of_words(&mut link, messages) } else { kinds::of_link(&link, at == last, messages) };
            links.push((link, reason));
        }
        links.extend(self.worse(&links, messages));
        let headless = links.iter().all(|(link, _)| link.exception.is_empty() && link.message.is_empty());
        let story = Story {
            runtime: Runtime::Dotnet,
            standing,
            exits: if self.logged { &[] } else { EXITS },
            passage: self.passage,
            headless,
        };
        story.tell(links, false, Names { stable: frames::stable, files: false })
    }
}

fn link_of(thrown: Thrown<'_>, line: &[u8]) -> Link {
    // What .NET Core 3 calls the same thing inside.
    let class = match thrown.class {
        "System.Net.Internals.SocketExceptionFactory+ExtendedSocketException" => "System.Net.Sockets.SocketException",
        class => class,
    };
    Link::new(class, thrown.message, line)
}

/// The runtime's own last words: what they stand for; else a text of the program's.
fn of_words(link: &mut Link, messages: &Messages) -> CrashReason {
    let said = link.first_line().to_owned();
    if let Some((class, reason)) = kinds::of_words(&said) {
        link.exception = class.to_owned();
        return reason;
    }
    messages.meaning(&said, Speaker::Panic).map_or(UNHANDLED_ERROR, |meaning| meaning.reason)
}

/// A line that a logger began: no part of an exception's text.
fn is_record(line: &[u8]) -> bool {
    const LEVELS: [&str; 6] = ["info: ", "warn: ", "fail: ", "crit: ", "dbug: ", "trce: "];
    let digits = line.iter().take(4).filter(|b| b.is_ascii_digit()).count();
    digits == 4 || line.starts_with(b"{") || LEVELS.iter().any(|level| line.starts_with(level.as_bytes()))
}
