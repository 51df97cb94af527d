//! A panic with its backtrace, and those that it led to.

use super::frames;
use super::kinds::{self, Kind};
use crate::classify::envelope;
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, RELATED, Related, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{ABORT, STACK_OVERFLOW, UNHANDLED_ERROR};
use crate::classify::severity::Severity;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// Most panics kept of one cascade.
const PANICS: usize = 8;
/// Most frames kept of one backtrace: an endless recursion may have any number.
const FRAMES: usize = 128;
/// Most lines of a panic's text, and the longest text that is kept.
const TEXT_LINES: u32 = 64;
/// See [`TEXT_LINES`].
const TEXT_BYTES: usize = 4096;
/// Most lines of something else inside of a backtrace or between two panics.
const FOREIGN: u32 = 12;

/// Lines with which the runtime itself gives up, without a panic.
pub const FATAL: [&str; 3] = ["has overflowed its stack", "fatal runtime error: ", "memory allocation of "];

/// The first line of the report that color-eyre makes of a panic.
pub const REPORT: &str = "The application panicked (crashed).";

/// One panic.
#[derive(Clone, Debug, Default)]
struct Panic {
    thread: String,
    location: Option<(String, u32)>,
    text: String,
    frames: Vec<RawFrame>,
}

impl Panic {
    /// Where it says that it happened, if that is in the user's own code.
    fn site(&self) -> Option<Culprit> {
        let (file, line) = self.location.as_ref().filter(|(file, _)| frames::is_own(file))?;
        Some(Culprit { function: None, file: Some(file.clone()), line: Some(*line) })
    }
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Lines of the panic's text.
    Text,
    /// The text in quotes that older versions write, until its end.
    Quoted,
    /// `Message:` and `Location:` of a report.
    Report,
    /// Frames.
    Backtrace,
    /// Another panic, or words about the end.
    Done,
}

/// The parser of a cascade of panics.
#[derive(Debug)]
pub struct Panics {
    panics: Vec<Panic>,
    state: State,
    prefix: Prefix,
    logged: bool,
    aborted: bool,
    headless: bool,
    text_lines: u32,
    foreign: u32,
    /// The frame that was read last is the runtime's own.
    standard: bool,
    block: Block,
    first_line: u64,
    last_line: u64,
}

/// The words of a panic's first line: thread, and what follows `panicked at `.
pub fn header(line: &[u8]) -> Option<(usize, String, String)> {
    let at = text::find(line, "panicked at ")?;
    let rest = text::string(&line[at + b"panicked at ".len()..line.len().min(at + TEXT_BYTES)]);
    let before = &line[..at];
    // `thread 'main' (12) panicked at`; a hook of the program's own may leave the thread out.
    let start = text::find(before, "thread '");
    let thread = start.map(|start| text::string(&before[start + b"thread '".len()..]));
    let thread = thread.map(|rest| rest.rsplit_once('\'').map_or(rest.clone(), |(name, _)| name.to_owned()));
    let located = rest.starts_with('\'') || frames::location(rest.trim_end().split(' ').next()?).is_some();
    (located || start.is_some()).then(|| (start.unwrap_or(at), thread.unwrap_or_default(), rest))
}

impl Panics {
    fn new(line: &Line<'_>, at: usize, before: &[Vec<u8>]) -> Self {
        let mut block = Block::after(before);
        block.push(&line.text[at..]);
        Self {
            panics: Vec::new(),
            state: State::Text,
            prefix: Prefix::learn(&line.text[..at]),
            logged: line.logged || Severity::of_line(&line.text[..at]).is_some(),
            aborted: false,
            headless: false,
            text_lines: 0,
            foreign: 0,
            standard: false,
            block,
            first_line: line.number,
            last_line: line.number,
        }
    }

    /// A panic whose first line this is.
    pub fn from_header(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let (at, thread, rest) = header(line.text)?;
        let mut parser = Self::new(line, at, context.before);
        parser.open(thread, &rest);
        Some(parser)
    }

    /// A panic that color-eyre reports; the thread is not in it.
    pub fn from_report(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, REPORT)?;
        let mut parser = Self::new(line, at, context.before);
        parser.panics.push(Panic { thread: "main".to_owned(), ..Panic::default() });
        parser.state = State::Report;
        Some(parser)
    }

    /// The runtime gives up without a panic.
    pub fn from_fatal(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let words = FATAL.iter().find_map(|words| text::find(line.text, words).map(|at| (at, *words)))?;
        let start = if words.1 == FATAL[0] { text::find(line.text, "thread '")? } else { words.0 };
        let shown = text::string(line.text[start..line.text.len().min(start + TEXT_BYTES)].trim_ascii_end());
        let failed = words.1 != FATAL[2] || shown.ends_with("bytes failed");
        let mut parser = Self::new(line, start, context.before);
        (parser.aborted, parser.state) = (true, State::Done);
        parser.panics.push(Panic { text: shown, thread: "main".to_owned(), ..Panic::default() });
        (failed && !parser.logged).then_some(parser)
    }

    /// A backtrace whose head is cut off; the first line of the log lies inside of it, behind `at` bytes of envelope.
    pub fn headless(line: &Line<'_>, at: usize) -> Self {
        let mut parser = Self::new(line, at, &[]);
        (parser.headless, parser.state) = (true, State::Backtrace);
        parser.panics.push(Panic { thread: "main".to_owned(), ..Panic::default() });
        parser.backtrace(&line.text[at..]);
        parser
    }

    fn open(&mut self, thread: String, rest: &str) {
        let mut panic = Panic { thread, ..Panic::default() };
        (self.state, self.text_lines) = (State::Text, 0);
        match rest.strip_prefix('\'') {
            Some(quoted) => {
                self.state = State::Quoted;
                panic.text = quoted.to_owned();
            }
            None => {
                let place = rest.trim_end().split(' ').next().unwrap_or_default();
                panic.location = frames::location(place).map(|(file, line)| (file.to_owned(), line));
            }
        }
        if self.panics.len() >= PANICS {
            self.panics.remove(PANICS / 2);
        }
        self.panics.push(panic);
        self.end_quote();
    }

    /// Ends a text in quotes where its place has come: `index …', src/lanes.rs:9:5`.
    fn end_quote(&mut self) {
        let Some(panic) = self.panics.last_mut().filter(|_| self.state == State::Quoted) else { return };
        let Some(end) = panic.text.rfind("', ").or_else(|| panic.text.rfind("': ")) else { return };
        if let Some((file, line)) = frames::location(panic.text[end + 3..].trim_end()) {
            panic.location = Some((file.to_owned(), line));
            panic.text.truncate(end);
            self.state = State::Done;
        }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        if let Some((_, thread, rest)) = header(bare) {
            self.open(thread, &rest);
            return true;
        }
        if bare == b"stack backtrace:" {
            (self.state, self.standard) = (State::Backtrace, false);
            return true;
        }
        if self.is_end(bare) {
            self.state = State::Done;
            return true;
        }
        match self.state {
            State::Text => self.text_line(bare),
            State::Quoted => self.quoted_line(bare),
            State::Report => self.report(bare),
            State::Backtrace => self.backtrace(bare) || text::blank(bare) || text::has(bare, " hidden "),
            State::Done => text::blank(bare),
        }
    }

    /// Words behind a panic: how to get a backtrace, and that it cannot unwind.
    fn is_end(&mut self, bare: &[u8]) -> bool {
        const ABORTING: [&str; 5] = [
            "non-unwinding panic. aborting",
            "thread panicked while processing panic",
            "thread panicked while panicking",
            "fatal runtime error: ",
            "panicked after panic::always_abort()",
        ];
        let aborting = ABORTING.iter().any(|words| text::has(bare, words));
        self.aborted |= aborting;
        aborting || bare.starts_with(b"note: ") || bare.starts_with(b"Aborted")
    }

    fn text_line(&mut self, bare: &[u8]) -> bool {
        let Some(panic) = self.panics.last_mut() else { return false };
        self.text_lines += 1;
        let further = !panic.text.is_empty();
        // Below the first line of a text, what looks like a record of a log is one.
        let record = bare.first().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'{' | b'['))
            || Severity::of_line(bare).is_some();
        if self.text_lines > TEXT_LINES || further && record {
            self.state = State::Done;
            return false;
        }
        if panic.text.len() + bare.len() < TEXT_BYTES && (further || !text::blank(bare)) {
            if further {
                panic.text.push('\n');
            }
            panic.text.push_str(&text::string(bare));
        }
        true
    }

    fn quoted_line(&mut self, bare: &[u8]) -> bool {
        self.text_lines += 1;
        if let Some(panic) = self.panics.last_mut().filter(|panic| panic.text.len() + bare.len() < TEXT_BYTES) {
            panic.text.push('\n');
            panic.text.push_str(&text::string(bare));
        }
        self.end_quote();
        self.text_lines < TEXT_LINES
    }

    fn report(&mut self, bare: &[u8]) -> bool {
        let Some(panic) = self.panics.last_mut() else { return false };
        if let Some(place) = bare.strip_prefix(b"Location: ") {
            let place = text::string(place.trim_ascii());
            panic.location = frames::location(&place).map(|(file, line)| (file.to_owned(), line));
            return true;
        }
        if text::has(bare, " BACKTRACE ") {
            (self.state, self.standard) = (State::Backtrace, false);
            return true;
        }
        if panic.location.is_some() {
            return text::blank(bare) || bare.starts_with(b"Backtrace omitted") || bare.starts_with(b"Run with ");
        }
        self.text_line(bare.strip_prefix(b"Message:").map_or(bare, <[u8]>::trim_ascii))
    }

    fn backtrace(&mut self, bare: &[u8]) -> bool {
        let Some(panic) = self.panics.last_mut() else { return false };
        if let Some((_, symbol)) = frames::symbol(bare) {
            self.standard = frames::is_standard(symbol);
            if panic.frames.len() < FRAMES {
                panic.frames.push(frames::frame(symbol));
            }
            return true;
        }
        let Some((file, line)) = frames::place(bare) else { return bare.starts_with(b"      [") };
        if let Some(frame) = panic.frames.last_mut().filter(|frame| frame.file.is_empty()) {
            frames::set_place(frame, file, line);
        }
        true
    }
}

/// The line without what a collector put before it.
fn without_collector(line: &[u8]) -> &[u8] {
    std::str::from_utf8(line).map_or(line, |text| envelope::without_collector(text).as_bytes())
}

impl Parser for Panics {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        // What stands before the first line of a logged text is not on its others, nor is what the program had written
        // before without ending its line.
        let own = self.logged || !self.prefix.is_collectors();
        let bare = self.prefix.strip(line.text).or_else(|| own.then(|| without_collector(line.text)));
        if let Some(bare) = bare.filter(|bare| self.take(bare)) {
            if !text::blank(bare) {
                self.last_line = line.number;
                self.foreign = 0;
                // A full backtrace has a screen of the runtime's own frames above the first that is of interest.
                if !(self.standard && self.state == State::Backtrace) {
                    self.block.push(bare);
                }
            }
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let panic = self.decisive()?;
        let message = panic.text.lines().next().unwrap_or_default().trim().to_owned();
        let kind = match self.headless {
            true => kinds::of_frames(&panic.frames)?,
            false => of_words(&message, &panic, messages),
        };
        let first = std::mem::take(&mut self.block);
        Some(self.candidate(&panic, message, kind, first))
    }
}

/// What the runtime's own words or the text of a panic mean.
fn of_words(message: &str, panic: &Panic, messages: &Messages) -> Kind {
    if message.contains(FATAL[0]) || message.starts_with("fatal runtime error: stack overflow") {
        return Kind { reason: STACK_OVERFLOW, word: "stack overflow".to_owned() };
    }
    if message.starts_with(FATAL[1]) {
        return Kind { reason: ABORT, word: message.to_owned() };
    }
    kinds::of_panic(message, &panic.frames, messages)
}

impl Panics {
    /// The panic that counts: not the echo in a thread that waited for it, nor what it led to while it unwound; else the
    /// last one of the main thread, which ends the process.
    fn decisive(&self) -> Option<Panic> {
        let mut at = self.panics.len().checked_sub(1)?;
        let aftermath = |at: usize| kinds::is_aftermath(&self.panics[at].text);
        if aftermath(at) {
            // Everything since the first panic of that thread happened while it unwound.
            let thread = &self.panics[at].thread;
            at = self.panics.iter().position(|panic| panic.thread == *thread)?;
        } else if !self.aborted {
            at = self.panics.iter().rposition(|panic| panic.thread == "main").unwrap_or(at);
        } else if self.panics.len() > 1 && self.panics[at].thread == self.panics[at - 1].thread {
            at = self.panics.iter().position(|panic| panic.thread == self.panics[at].thread)?;
        }
        while at > 0 && kinds::is_echo(&self.panics[at].text) {
            at -= 1;
        }
        self.panics.get(at).cloned()
    }

    /// What panicked in other threads before, such as the holder of a lock that it left poisoned.
    fn earlier(&self, decisive: &Panic) -> Vec<Related> {
        let others = self.panics.iter().filter(|panic| panic.thread != decisive.thread && !kinds::is_echo(&panic.text));
        let told = others.map(|panic| Related {
            title: format!(
                "thread '{}' panicked too: {}",
                panic.thread,
                panic.text.lines().next().unwrap_or_default().trim()
            ),
            culprit: culprit(&panic.frames).or_else(|| panic.site()),
            stack: shown(&panic.frames),
        });
        told.take(RELATED).collect()
    }

    fn candidate(self, panic: &Panic, message: String, kind: Kind, excerpt: Block) -> Candidate {
        let main = self.aborted || self.panics.iter().any(|panic| panic.thread == "main");
        let site = panic.site();
        let mut marks = signature(&panic.frames, kind.reason == STACK_OVERFLOW, |frame| Some(frame.function.clone()));
        // The path of a function is in its name, and the file is there only with debug information.
        marks.iter_mut().for_each(|(_, file)| file.clear());
        if let Some(file) = site.as_ref().and_then(|site| site.file.as_deref()).filter(|_| marks.is_empty()) {
            marks.push((String::new(), base_name(file).to_owned()));
        }
        let culprit = match (culprit(&panic.frames), site) {
            // Without debug information a frame has no place, but the panic itself may have been there.
            (Some(own), Some(site)) if own.file.is_none() => Some(Culprit { function: own.function, ..site }),
            (own, site) => own.or(site),
        };
        let vague = kind.reason == UNHANDLED_ERROR && message.is_empty();
        Candidate {
            runtime: Runtime::Rust,
            kind: kind.word,
            exception: Some("panic".to_owned()).filter(|_| panic.location.is_some()),
            message: if vague || self.headless { "a panic whose text is not in the log".to_owned() } else { message },
            standing: if main && !self.logged { Standing::Fatal } else { Standing::Logged },
            exits: if self.aborted { &[134, 139, 133, 132] } else { &[101, 134, 139, 133, 132] },
            culprit,
            stack: shown(&panic.frames),
            signature: marks,
            reason: kind.reason,
            related: self.earlier(panic),
            excerpt,
            first_line: self.first_line,
            last_line: self.last_line,
            headless: self.headless,
        }
    }
}
