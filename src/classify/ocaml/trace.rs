//! An exception that nobody handled, with the frames that OCAMLRUNPARAM=b adds, or one that a program or a library prints.

use super::{frames, kinds};
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// How the runtime says it.
pub const FATAL: &str = "Fatal error: exception ";
/// How it says it of a thread, after which the program goes on.
pub const THREAD: &str = "killed on uncaught exception ";
/// How Jane Street's libraries say it, with the exception in the lines below.
pub const UNCAUGHT: &str = "Uncaught exception:";
/// How Cmdliner says it, with the exception and its frames in the lines below.
pub const INTERNAL: &str = "internal error, uncaught exception:";
/// How `ocaml` says it of a script.
pub const SCRIPT: &str = "Exception: ";
/// How Async writes it, with the exception and its frames as an s-expression.
pub const MONITOR: &str = "(monitor.ml.Error";
/// Most lines of an exception's text.
const TEXT_LINES: u32 = 12;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 16;

/// Who wrote a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// The runtime: the program ended.
    Fatal,
    /// A library's handler, which ends the program.
    Handler,
    /// `ocaml`, which ends with the script. Others begin a line so too: frames must follow.
    Script,
    /// The runtime, of a thread; a logger or the program.
    Logged,
    /// Its head is cut off.
    Missing,
}

/// The parser of one trace.
#[derive(Debug)]
pub struct Trace {
    voice: Voice,
    prefix: Prefix,
    link: Link,
    /// The exception is an s-expression, which may go on in the lines below.
    sexp: bool,
    text_lines: u32,
    foreign: u32,
    /// Frames were there, of which perhaps nothing is known.
    framed: bool,
    passage: Passage,
}

impl Trace {
    /// A trace that begins in this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let voice = |voice| if line.logged { Voice::Logged } else { voice };
        if let Some(at) = text::find(line.text, FATAL) {
            let thrown = text::string(line.text[at + FATAL.len()..].trim_ascii());
            return Some(Self::thrown(voice(Voice::Fatal), &thrown, at, line, context));
        }
        if let Some(at) = text::find(line.text, THREAD) {
            let start = text::find(&line.text[..at], "Thread ")?;
            let thrown = text::string(line.text[at + THREAD.len()..].trim_ascii());
            return Some(Self::thrown(Voice::Logged, &thrown, start, line, context));
        }
        if let Some(at) = text::find(line.text, INTERNAL) {
            let program = line.text[..at].trim_ascii_end();
            let start = program.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
            let alone = text::blank(&line.text[at + INTERNAL.len()..]);
            return alone.then(|| Self::handled(voice(Voice::Handler), "", start, line, context));
        }
        if let Some(at) = text::find(line.text, UNCAUGHT) {
            let alone = text::blank(&line.text[at + UNCAUGHT.len()..]);
            return alone.then(|| Self::handled(voice(Voice::Handler), "", at, line, context));
        }
        if let Some(at) = text::find(line.text, MONITOR) {
            let thrown = text::string(line.text[at..].trim_ascii());
            let thrown = if thrown == MONITOR { "" } else { thrown.as_str() };
            return Some(Self::handled(voice(Voice::Handler), thrown, at, line, context));
        }
        Self::script(line, context).or_else(|| Self::printed(line, context))
    }

    /// `Exception: Failure "no such tap: 9".`
    fn script(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, SCRIPT).filter(|_| !line.logged)?;
        let thrown = text::string(line.text[at + SCRIPT.len()..].trim_ascii());
        let thrown = thrown.strip_suffix('.').filter(|thrown| is_value(thrown))?;
        Some(Self::thrown(Voice::Script, thrown, at, line, context))
    }

    fn handled(voice: Voice, thrown: &str, at: usize, line: &Line<'_>, context: &Context<'_>) -> Self {
        Self { sexp: true, ..Self::thrown(voice, thrown, at, line, context) }
    }

    fn thrown(voice: Voice, thrown: &str, at: usize, line: &Line<'_>, context: &Context<'_>) -> Self {
        let link = Link::new(&kinds::name(thrown), thrown, &line.text[at..]);
        Self {
            voice,
            prefix: Prefix::learn(&line.text[..at]),
            link,
            sexp: false,
            text_lines: 0,
            foreign: 0,
            framed: false,
            passage: Passage::at(Block::after(context.before), line.number),
        }
    }

    /// A backtrace that a program prints: the line above names the exception.
    fn printed(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = frames::MARKS[..2].iter().find_map(|mark| text::find(line.text, mark))?;
        let frame = frames::frame(&line.text[at..])?;
        let prefix = Prefix::learn(&line.text[..at]);
        let above = context.before.first().map(|above| prefix.strip(above).unwrap_or(above));
        let thrown = above.and_then(|above| named(&text::string(above)));
        let voice = if thrown.is_some() { Voice::Logged } else { Voice::Missing };
        let skip = usize::from(thrown.is_some());
        let thrown = thrown.unwrap_or_default();
        let shown = context.before.first().filter(|_| skip == 1).map_or(&b""[..], Vec::as_slice);
        let mut link = Link::new(&kinds::name(&thrown), &thrown, shown);
        link.push(frame, &line.text[at..]);
        Some(Self {
            voice,
            prefix,
            link,
            sexp: false,
            text_lines: 0,
            foreign: 0,
            framed: false,
            passage: Passage::new(
                Block::after(&context.before[skip.min(context.before.len())..]),
                if line.logged { line.number } else { line.number - skip as u64 },
                line.number,
            ),
        })
    }

    /// A trace whose head is above what is in the log.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let at = frames::MARKS[2..].iter().find_map(|mark| text::find(line.text, mark))?;
        let mut link = Link::default();
        link.push(frames::frame(&line.text[at..])?, &line.text[at..]);
        Some(Self {
            voice: Voice::Missing,
            prefix: Prefix::learn(&line.text[..at]),
            link,
            sexp: false,
            text_lines: 0,
            foreign: 0,
            framed: false,
            passage: Passage::at(Block::default(), line.number),
        })
    }

    fn bare(&mut self, bare: &[u8], number: u64) -> Flow {
        if let Some(frame) = frames::frame(bare) {
            self.link.push(frame, bare);
            self.foreign = 0;
            self.passage.last_line = number;
            self.framed = true;
            return Flow::Taken;
        }
        if frames::is_unknown(bare) {
            self.framed = true;
            self.passage.last_line = number;
            return Flow::Taken;
        }
        self.text_lines += 1;
        let text = self.link.frames.is_empty() && self.text_lines <= TEXT_LINES;
        if self.sexp && text {
            self.sexp(bare);
            return Flow::Taken;
        }
        if self.voice == Voice::Fatal && text && self.is_open() {
            self.link.say(&text::string(bare));
            self.link.quote(bare);
            self.passage.last_line = number;
            return Flow::Taken;
        }
        self.stray()
    }

    fn sexp(&mut self, bare: &[u8]) {
        let said = text::string(bare.trim_ascii());
        if said.is_empty() {
            return;
        }
        if self.link.exception.is_empty() {
            self.link.exception = kinds::name(&said);
        }
        self.link.say(&said);
        self.link.quote(bare);
    }

    /// Whether the text goes on: it ends in a quote and a bracket, Eio adds lines behind a comma, several exceptions stand
    /// below a colon.
    fn is_open(&self) -> bool {
        let said = self.link.message.trim_end();
        said.matches('"').count() % 2 == 1 || said.ends_with([',', ':'])
    }

    fn stray(&mut self) -> Flow {
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }
}

/// Whether an exception is one of those that every program has.
fn is_builtin(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["Not_found", "Failure", "Invalid_argument", "Sys_error", "Unix_error", "End_of_file", "Division_by_zero"];
    NAMES.contains(&name)
}

/// `Dry 4`, `Failure "x"`, `Stdlib.Queue.Empty`: an exception's name, alone or with a value behind it; no sentence.
fn is_value(thrown: &str) -> bool {
    let name = kinds::name(thrown);
    let value = thrown.get(name.len()..).unwrap_or_default();
    let begins =
        |value: &str| value.starts_with(['"', '(', '{', '[', '-']) || value.starts_with(|c: char| c.is_ascii_digit());
    let named = name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.ends_with('.');
    named && (value.is_empty() || value.strip_prefix(' ').is_some_and(begins))
}

/// `uncaught: Not_found`, `[ERROR] Failure("x")`, `Exception: Failure "in a script".`
fn named(above: &str) -> Option<String> {
    let above = above.trim().trim_end_matches('.');
    let starts = std::iter::once(0).chain(above.match_indices(' ').map(|(at, _)| at + 1).take(32));
    let exception = |rest: &str| {
        let name = kinds::name(rest);
        let last = name.rsplit('.').next().unwrap_or_default().to_owned();
        // `Stack overflow` has a name that is not what stands here.
        let follows = rest.get(name.len()..).unwrap_or_default().trim_start();
        let builtin = is_builtin(&last);
        let capital = name.contains('.') && last.starts_with(|c: char| c.is_ascii_uppercase());
        (builtin || capital) && (follows.is_empty() || follows.starts_with(['(', '"']))
    };
    starts.filter_map(|at| above.get(at..)).find(|rest| exception(rest)).map(str::to_owned)
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare(&bare, line.number),
            None => self.stray(),
        }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let (standing, exits): (Standing, &'static [i32]) = match self.voice {
            Voice::Fatal => (Standing::Fatal, &[2]),
            Voice::Handler => (Standing::Fatal, &[1, 2, 125]),
            Voice::Script if !self.framed && !is_builtin(&self.link.exception) => return None,
            Voice::Script => (Standing::Fatal, &[2]),
            Voice::Logged => (Standing::Logged, &[]),
            Voice::Missing => (Standing::Fatal, &[2]),
        };
        let headless = self.voice == Voice::Missing;
        let reason = kinds::of(&self.link.message, messages);
        let place = place(&self.link.message);
        let story = Story { runtime: Runtime::Ocaml, standing, exits, passage: self.passage, headless };
        let names = Names { stable: frames::stable, files: true };
        let kind = self.link.exception.clone();
        let candidate = story.tell(vec![(self.link, reason)], false, names)?;
        let culprit = candidate.culprit.clone().or(place);
        Some(Candidate { kind, culprit, ..candidate })
    }
}

/// The place that a failed assertion names itself: `File "ledger.ml", line 9, characters 45-51: Assertion failed`.
fn place(thrown: &str) -> Option<Culprit> {
    let rest = thrown.strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let line = rest.split(',').next()?.parse().ok()?;
    Some(Culprit { function: None, file: Some(file.to_owned()), line: Some(line) })
}
