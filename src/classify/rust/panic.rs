//! A panic with its backtrace, and those that it led to.

use super::frames;
use super::hooks;
use super::kinds;
use super::outcome::of_words;
use super::told::{self, Told};
use crate::classify::envelope;
use crate::classify::excerpt::Block;
use crate::classify::finding::Culprit;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::stack::RawFrame;
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
pub struct Panic {
    pub(super) thread: String,
    pub(super) location: Option<(String, u32)>,
    pub(super) text: String,
    pub(super) frames: Vec<RawFrame>,
    /// Where the error was made that the text holds.
    cause: Vec<RawFrame>,
}

impl Panic {
    /// Where it says that it happened, if that is in the user's own code.
    pub(super) fn site(&self) -> Option<Culprit> {
        frames::site(self.location.as_ref())
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
    /// The frames of the error that the text holds.
    Cause,
    /// Frames that stand above the panic, as better-panic writes them.
    Files,
    /// Frames.
    Backtrace,
    /// Another panic, or words about the end.
    Done,
}

/// The parser of a cascade of panics.
#[derive(Debug)]
pub struct Panics {
    pub(super) panics: Vec<Panic>,
    state: State,
    prefix: Prefix,
    pub(super) logged: bool,
    pub(super) aborted: bool,
    pub(super) headless: bool,
    text_lines: u32,
    foreign: u32,
    /// The frame that was read last is the runtime's own.
    standard: bool,
    pub(super) passage: Passage,
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
            passage: Passage::at(block, line.number),
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

    /// A panic below its frames, as better-panic writes it.
    pub fn from_files(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, hooks::FILES)?;
        let mut parser = Self::new(line, at, context.before);
        parser.panics.push(Panic { thread: "main".to_owned(), ..Panic::default() });
        parser.state = State::Files;
        Some(parser)
    }

    /// A panic whose place and text a hook logged as fields.
    pub fn from_fields(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let (location, text) = hooks::fields(line.text)?;
        let mut parser = Self::new(line, 0, context.before);
        (parser.logged, parser.state) = (true, State::Done);
        parser.panics.push(Panic { thread: "main".to_owned(), location: Some(location), text, ..Panic::default() });
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
            State::Text if bare == b"Stack backtrace:" => self.go_on(State::Cause),
            State::Text => self.text_line(bare),
            State::Quoted => self.quoted_line(bare),
            State::Report => self.report(bare),
            State::Files if bare == REPORT.as_bytes() => self.go_on(State::Report),
            State::Files => self.file_line(bare),
            State::Cause | State::Backtrace => self.backtrace(bare) || text::blank(bare) || text::has(bare, " hidden "),
            // log-panics writes the frames right below.
            State::Done if frames::symbol(bare).is_some_and(|(number, _)| number == 0) => {
                self.go_on(State::Backtrace) && self.backtrace(bare)
            }
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

    fn go_on(&mut self, state: State) -> bool {
        (self.state, self.standard) = (state, false);
        true
    }

    /// A frame of better-panic, or the line of source below it.
    fn file_line(&mut self, bare: &[u8]) -> bool {
        let Some(panic) = self.panics.last_mut() else { return false };
        let Some(frame) = hooks::file_frame(bare) else { return text::blank(bare) || bare.starts_with(b"    ") };
        if panic.frames.len() < FRAMES {
            panic.frames.push(frame);
        }
        true
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
        let room = TEXT_BYTES.saturating_sub(panic.text.len());
        if room > 0 && (further || !text::blank(bare)) {
            if further {
                panic.text.push('\n');
            }
            panic.text.push_str(&text::string(&bare[..bare.len().min(room)]));
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
        let inner = text::string(bare.trim_ascii());
        if let Some(place) = hooks::report_place(&inner) {
            panic.location = Some(place);
            return true;
        }
        if let Some(thread) = inner.strip_prefix("thread: ").filter(|_| panic.location.is_some()) {
            panic.thread = thread.to_owned();
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
        let kept = if self.state == State::Cause { &mut panic.cause } else { &mut panic.frames };
        if let Some((_, symbol)) = frames::symbol(bare) {
            self.standard = frames::is_standard(symbol);
            if kept.len() < FRAMES {
                kept.push(frames::frame(symbol));
            }
            return true;
        }
        let Some((file, line)) = frames::place(bare) else {
            let Some(symbol) = frames::inlined(bare).filter(|_| kept.len() < FRAMES) else {
                return bare.starts_with(b"      [");
            };
            self.standard = frames::is_standard(symbol);
            kept.push(frames::frame(symbol));
            return true;
        };
        if let Some(frame) = kept.last_mut().filter(|frame| frame.file.is_empty()) {
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
                self.passage.last_line = line.number;
                self.foreign = 0;
                // A full backtrace has a screen of the runtime's own frames above the first that is of interest.
                if !(self.standard && matches!(self.state, State::Backtrace | State::Cause)) {
                    self.passage.block.push(bare);
                }
            }
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let mut panic = self.decisive()?;
        frames::below_hook(&mut panic.frames);
        let told = Told::of(&panic.text);
        let first = panic.text.lines().next().unwrap_or_default().trim().to_owned();
        let kind = match self.headless {
            true => kinds::of_frames(&panic.frames)?,
            false if self.state == State::Files => return None,
            false => of_words(&first, &panic, messages),
        };
        let (link, kind) = told.decisive(kind, messages);
        let message = link.to_owned();
        if message != first {
            panic.frames = told::frames_of(std::mem::take(&mut panic.cause), &panic.frames);
            let made = told.place.filter(|(file, _)| panic.frames.is_empty() && frames::is_own(file));
            panic.location = made.or(panic.location);
        }
        let first = std::mem::take(&mut self.passage.block);
        Some(self.candidate(&panic, message, kind, first))
    }
}
