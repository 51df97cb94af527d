//! A stack trace of the JVM: an exception, its frames, and what caused it.

use super::frames;
use super::head::{Head, is_record};
use super::header::{self, Thrown, in_thread, unquoted};
use super::kinds;
use super::one_line::{self, Parts};
use crate::classify::excerpt::Block;
use crate::classify::finding::{Frame, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story, push_link};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// Most lines of one exception's text.
const TEXT_LINES: u32 = 64;
/// Most foreign lines in a row inside of a trace that the JVM wrote.
const FOREIGN_RAW: u32 = 64;
/// The same for one that a logger wrote: what follows it is most often the ordinary log.
const FOREIGN_LOGGED: u32 = 4;

/// Titles of log lines after whose exception a framework ends the process.
const FATAL_TITLES: [&str; 9] = [
    "Application run failed",
    "Failed to start application",
    "Error starting Micronaut server",
    "Application startup failed",
    "Fatal error during KafkaServer startup",
    "Failed to start bean",
    "Exiting Kafka due to fatal exception",
    // Maven, which goes on only to say that a test failed.
    "<<< FAILURE!",
    "<<< ERROR!",
];

/// Who wrote a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Voice {
    /// The JVM: the main thread ended.
    Main,
    /// The JVM: another thread ended, and the process may have gone on.
    Thread,
    /// A framework that ends the process after it.
    Fatal,
    /// A logger or the program.
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
    inner_first: bool,
    /// Width of the blanks before the frames of the outermost exception.
    indent: Option<usize>,
    /// Whether these blanks are tabs.
    tabbed: Option<bool>,
    /// Inside of an exception that was suppressed: deeper indentation, and never the cause.
    suppressed: bool,
    /// Reactor prints the original stack inside of a suppressed exception.
    original: bool,
    text_lines: u32,
    /// In a record by itself, where nobody else writes between its lines.
    alone: bool,
    foreign: u32,
    /// One of the foreign lines names an exception: frames that follow are another trace's.
    other_head: bool,
    /// Words came behind the frames: if frames follow again, those before were quoted by the exception's text.
    quoted: bool,
    passage: Passage,
}

impl Trace {
    /// A trace that the JVM began with `Exception in thread`.
    pub fn uncaught(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let (at, thread, thrown) = in_thread(line.text)?;
        let main = matches!(thread.as_str(), "main" | "restartedMain");
        let voice = if line.logged {
            Voice::Logged
        } else if main {
            Voice::Main
        } else {
            Voice::Thread
        };
        let mut trace = Self::bare(voice, line.number);
        trace.alone = line.logged;
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.passage.block = Block::after(context.before);
        trace.links.push(Link::new(thrown.class, thrown.message, &line.text[at..]));
        Some(trace)
    }

    /// A trace of which the first frame stands in this line; what is thrown stands above it, or in the same line.
    pub fn logged(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        if let Some(parts) = one_line::parts(line.text) {
            return Self::one_line(line, context, &parts);
        }
        let unquoted = unquoted(line.text);
        let text = unquoted.as_deref().unwrap_or(line.text);
        let (at, _) = frames::find(text)?;
        let prefix = Prefix::learn(&text[..at]);
        let Some(head) = Head::find(&prefix, context.before) else { return Self::without_head(line) };
        let title = head.title(context.before);
        let fatal = FATAL_TITLES.iter().any(|words| title.is_some_and(|title| text::has(title, words)));
        let mut trace = Self::bare(if fatal { Voice::Fatal } else { Voice::Logged }, line.number);
        trace.passage.first_line = line.number.saturating_sub(head.above as u64 + 1);
        trace.alone = line.logged;
        if line.logged {
            trace.passage.first_line = line.number;
        }
        trace.passage.block = Block::after(&context.before[head.above + 1..]);
        trace.links.push(head.link(&prefix, context.before));
        trace.prefix = prefix;
        (trace.line(line) == Flow::Taken).then_some(trace)
    }

    fn one_line(line: &Line<'_>, context: &Context<'_>, parts: &Parts) -> Option<Self> {
        let fatal = FATAL_TITLES.iter().any(|words| text::has(&line.text[..parts.at], words));
        let mut trace = Self::bare(if fatal { Voice::Fatal } else { Voice::Logged }, line.number);
        trace.passage.block = Block::after(context.before);
        let (head, rest) = parts.lines.split_first()?;
        let thrown = header::thrown(head)?;
        trace.links.push(Link::new(thrown.class, thrown.message, head.as_bytes()));
        for part in rest {
            trace.bare_line(part.as_bytes(), line.number);
        }
        Some(trace)
    }

    /// A trace whose head is above what is in the log.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let mut trace = Self::bare(Voice::Missing, line.number);
        let (at, _) = frames::find(line.text).or_else(|| Some((cause(line.text)?.0, Frame::default())))?;
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.links.push(Link::default());
        (trace.line(line) == Flow::Taken).then_some(trace)
    }

    fn bare(voice: Voice, number: u64) -> Self {
        Self {
            voice,
            prefix: Prefix::default(),
            links: Vec::new(),
            inner_first: false,
            indent: None,
            tabbed: None,
            suppressed: false,
            original: false,
            text_lines: 0,
            alone: false,
            foreign: 0,
            other_head: false,
            quoted: false,
            passage: Passage::new(Block::default(), number, number),
        }
    }

    fn begun(&self) -> bool {
        self.indent.is_some() || self.links.len() > 1
    }

    /// A line of the trace without its envelope.
    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        if text::blank(bare) {
            return if self.begun() && !self.is_announced(1) { Flow::Foreign } else { Flow::Taken };
        }
        let trimmed = bare.trim_ascii_start();
        let indent = bare.len() - trimmed.len();
        if let Some(frame) = frames::frame(trimmed).filter(|_| !self.is_quoted(bare)) {
            return self.frame(frame, indent, bare, number);
        }
        if let Some((_, wrapped, thrown)) = cause(bare).or_else(|| self.unclassed(bare)) {
            return self.cause(wrapped, thrown, indent, bare, number);
        }
        if self.note(trimmed, indent) {
            self.foreign = 0;
            self.passage.last_line = number;
            return Flow::Taken;
        }
        let text = if self.begun() { self.is_announced(indent) } else { true };
        if text && !is_record(bare) { self.text(bare) } else { self.stray(bare) }
    }

    /// After the head of a cause its text may go on until its frames begin, but not with the head of another trace.
    fn is_announced(&self, indent: usize) -> bool {
        let waits = |link: &Link| link.frames.is_empty() && link.common == 0;
        let more = |link: &Link| indent > 0 || !link.message.is_empty();
        !self.suppressed && !self.other_head && self.links.last().is_some_and(|link| waits(link) && more(link))
    }

    /// A frame inside of a cause's text, which is moved in otherwise than those of the trace.
    fn is_quoted(&self, bare: &[u8]) -> bool {
        let tabbed = bare.first() == Some(&b'\t');
        self.links.len() > 1 && self.is_announced(1) && self.tabbed.is_some_and(|known| known != tabbed)
    }

    fn frame(&mut self, frame: Frame, indent: usize, line: &[u8], number: u64) -> Flow {
        if self.other_head {
            return Flow::Over;
        }
        let base = *self.indent.get_or_insert(indent);
        self.tabbed.get_or_insert(line.first() == Some(&b'\t'));
        if indent < base && self.voice == Voice::Missing {
            self.indent = Some(indent);
        }
        self.suppressed &= indent > base;
        if let Some(link) = self.links.last_mut()
            && (!self.suppressed || self.original)
        {
            if std::mem::take(&mut self.quoted) {
                link.frames.clear();
            }
            link.push(frame, line);
        }
        self.taken(number)
    }

    fn cause(&mut self, wrapped: bool, thrown: Thrown<'_>, indent: usize, line: &[u8], number: u64) -> Flow {
        if self.other_head {
            return Flow::Over;
        }
        if indent > 0 && self.suppressed {
            return self.taken(number);
        }
        self.suppressed = false;
        self.inner_first |= wrapped;
        push_link(&mut self.links, Link::new(thrown.class, thrown.message, line));
        self.taken(number)
    }

    /// `Caused by: while parsing a flow sequence`: a cause that leaves its class out, as SnakeYAML's do. Above the first
    /// frame it is a line of the exception's own text.
    fn unclassed<'a>(&self, line: &'a [u8]) -> Option<(usize, bool, Thrown<'a>)> {
        let message = std::str::from_utf8(line.strip_prefix(b"Caused by: ")?).ok()?.trim();
        let said = self.begun() && !message.is_empty() && !message.starts_with('[');
        said.then_some((0, false, Thrown { class: "", message }))
    }

    /// Lines that belong to a trace and are neither a frame nor a cause.
    fn note(&mut self, trimmed: &[u8], indent: usize) -> bool {
        if let Some(count) = omitted(trimmed) {
            if let Some(link) = self.links.last_mut()
                && !self.suppressed
            {
                link.common = count;
            }
            return true;
        }
        if trimmed.starts_with(b"Suppressed: ") {
            self.suppressed = true;
            return true;
        }
        if trimmed.starts_with(b"Original Stack Trace:") {
            self.original = self.suppressed;
            return true;
        }
        const NOTES: [&str; 7] = [
            "[CIRCULAR REFERENCE",
            "(Coroutine boundary)",
            "|_ ",
            "*__checkpoint",
            "Error has been observed at",
            "... ",
            "Assembly trace from",
        ];
        let nested = self.suppressed && indent > 0;
        nested || self.begun() && NOTES.iter().any(|note| trimmed.starts_with(note.as_bytes()))
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    /// A further line of an exception's text.
    fn text(&mut self, bare: &[u8]) -> Flow {
        self.text_lines += 1;
        if self.text_lines > TEXT_LINES {
            return Flow::Over;
        }
        if let Some(link) = self.links.last_mut() {
            link.say(&text::string(bare));
            link.quote(bare);
        }
        Flow::Taken
    }

    fn stray(&mut self, text: &[u8]) -> Flow {
        let thrown = std::str::from_utf8(text).ok().and_then(header::thrown).filter(|t| t.class.contains('.'));
        if thrown.is_some() || in_thread(text).is_some() {
            return Flow::Over;
        }
        self.foreign += 1;
        self.other_head |= text::has(text, "Exception") || text::has(text, "Error: ");
        self.quoted |= self.foreign == 1 && self.links.len() == 1 && is_prose(text);
        let raw = matches!(self.voice, Voice::Main | Voice::Thread);
        let limit = if raw || self.alone { FOREIGN_RAW } else { FOREIGN_LOGGED };
        if self.foreign > limit { Flow::Over } else { Flow::Foreign }
    }

    /// The head had a logger's prefix, and the lines below it have none.
    fn adopt(&mut self, line: &Line<'_>) -> Flow {
        let Some((at, _)) = frames::find(line.text).filter(|_| !self.begun()) else { return self.stray(line.text) };
        self.prefix = Prefix::learn(&line.text[..at]);
        self.voice = Voice::Logged;
        self.bare_line(&line.text[at..], line.number)
    }

    /// Frames that lie elsewhere than the program itself are a library's that is not known by name.
    fn stay_at_home(&mut self) {
        let all: Vec<Frame> = self.links.iter().flat_map(|link| &link.frames).filter(|f| f.in_app).cloned().collect();
        let Some(home) = frames::home(&all) else { return };
        for frame in self.links.iter_mut().flat_map(|link| &mut link.frames) {
            frame.in_app &= frames::is_at_home(frame, &home);
        }
    }

    fn standing(&self) -> (Standing, &'static [i32]) {
        match self.voice {
            // 3 is `-XX:+ExitOnOutOfMemoryError`.
            Voice::Main | Voice::Fatal | Voice::Missing => (Standing::Fatal, &[1, 3]),
            // Only the thread ended; the program may have followed it.
            Voice::Thread => (Standing::Printed, &[1]),
            Voice::Logged => (Standing::Logged, &[]),
        }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let unquoted = unquoted(line.text);
        let text = unquoted.as_deref().unwrap_or(line.text);
        match self.prefix.strip(text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare_line(&bare, line.number),
            None => self.adopt(line),
        }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let raw = matches!(self.voice, Voice::Main | Voice::Thread);
        if !raw && self.links.iter().all(|link| link.frames.is_empty()) {
            return None;
        }
        self.stay_at_home();
        let (standing, exits) = self.standing();
        let last = self.links.len() - 1;
        let links: Vec<_> = std::mem::take(&mut self.links)
            .into_iter()
            .enumerate()
            .map(|(at, mut link)| {
                of_initializer(&mut link);
                let innermost = if self.inner_first { at == 0 } else { at == last };
                let reason = kinds::of_link(&link, innermost, messages);
                (link, reason)
            })
            .collect();
        let headless = links.iter().all(|(link, _)| link.exception.is_empty() && link.message.is_empty());
        let story = Story { runtime: Runtime::Jvm, standing, exits, passage: self.passage, headless };
        story.tell(links, self.inner_first, Names { stable: frames::stable, files: false })
    }
}

/// `Caused by: a.B: text`, `Wrapped by: a.B: text`: where it begins, whether it is the latter, what is thrown.
pub fn cause(line: &[u8]) -> Option<(usize, bool, Thrown<'_>)> {
    let (at, words, wrapped) = ["Caused by: ", "Wrapped by: "]
        .into_iter()
        .find_map(|words| Some((text::find(line, words)?, words, words.starts_with('W'))))?;
    let text = line[at + words.len()..].trim_ascii_end();
    let valid = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).ok()?,
    };
    Some((at, wrapped, header::thrown(valid)?))
}

/// `ExceptionInInitializerError: Exception java.lang.X: text [in thread "worker-1"]` stands for what it names: what a
/// class could not be initialised for the first time, long before it was needed again.
fn of_initializer(link: &mut Link) {
    let named = link.message.strip_prefix("Exception ").and_then(|rest| rest.rsplit_once(" [in thread \""));
    if let Some((said, _)) = named.filter(|_| link.exception.ends_with("ExceptionInInitializerError"))
        && let Some(Thrown { class, message }) = header::thrown(said)
    {
        (link.exception, link.message) = (class.to_owned(), message.to_owned());
    }
}

/// `... 7 more`, `... 7 common frames omitted`: how many.
fn omitted(text: &[u8]) -> Option<usize> {
    let (digits, rest) = text::split_digits(text.strip_prefix(b"... ")?);
    let count: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let common = rest.starts_with(b" more") || rest.starts_with(b" common frames omitted");
    common.then_some(count)
}

/// Words alone: no program's line that runs beside a trace, which has a time or a number in it.
fn is_prose(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_alphabetic) && !line.iter().any(u8::is_ascii_digit) && !is_record(line)
}
