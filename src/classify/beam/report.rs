//! Reports of Erlang's logger: of servers, of processes that crashed, of supervisors and applications, over many lines
//! or in one, and in the words of lager.

use super::exits;
use super::frames;
use super::told::{self, Voice};
use crate::classify::excerpt::Block;
use crate::classify::finding::Frame;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::Link;
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// Longest text that is collected of one reason.
const BYTES: usize = 32 * 1024;
/// Most lines of one report: it holds the state of a process.
const LINES: u32 = 2_000;
/// Most lines of a report that are shown.
const QUOTED: usize = 24;
/// Most foreign lines in a row inside of a report.
const FOREIGN: u32 = 8;

/// How reports over many lines begin.
pub const HEADS: [&str; 5] =
    [" REPORT====", "crasher:", "Error in process <", "** Reason for termination =", "escript: exception "];
/// What stands before a reason in a report of one line, and whether the reason is in the words of Erlang's shell.
pub const ONE_LINE: [(&str, bool); 8] = [
    (" terminating. Reason: ", false),
    (". Context: ", false),
    (". Exited: ", false),
    (" terminated with reason: ", true),
    (" exited with reason: ", true),
    (" crashed with reason: ", true),
    (" exit with reason ", true),
    (" exited with exit value: ", false),
];

/// What follows a reason in a report.
const ENDS: [&str; 13] = [
    "offender:",
    "ancestors:",
    "type:",
    "message_queue_len:",
    "** Client ",
    "** Stacktrace ",
    "** Log ",
    "** Callback mod",
    "** Queued = ",
    "** Postponed = ",
    "** Time-outs",
    "messages:",
    "neighbours:",
];

/// The field of a state machine's stack.
const STACK: &str = "** Stacktrace ";

/// Where a reason begins in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// A term.
    Term,
    /// Words of Erlang's shell, with frames below them.
    Words,
}

const FIELDS: [(&str, Field); 10] = [
    ("escript: exception error: ", Field::Words),
    ("escript: exception ", Field::Words),
    ("exception error: ", Field::Words),
    ("exception exit: ", Field::Term),
    ("exception throw: ", Field::Term),
    ("reason: ", Field::Term),
    ("exited: ", Field::Term),
    ("** Reason for termination ==", Field::Term),
    ("** Reason for termination =", Field::Term),
    ("Error in process <", Field::Term),
];

/// The parser of a report over many lines.
#[derive(Debug)]
pub struct Report {
    prefix: Prefix,
    /// The reason, as far as it was read.
    reason: Option<(Field, String)>,
    /// Whether further lines belong to the reason.
    open: bool,
    /// The stack that a state machine has in a field of its own, as far as it was read.
    stack: String,
    /// Whether further lines belong to that stack.
    stacked: bool,
    frames: Vec<(Frame, Vec<u8>)>,
    lines: u32,
    foreign: u32,
    quoted: Vec<Vec<u8>>,
    passage: Passage,
}

impl Report {
    /// A report that begins in this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = start(line.text)?;
        let mut report = Self {
            prefix: Prefix::learn(&line.text[..at]),
            reason: None,
            open: false,
            stack: String::new(),
            stacked: false,
            frames: Vec::new(),
            lines: 0,
            foreign: 0,
            quoted: Vec::new(),
            passage: Passage::at(Block::after(context.before), line.number),
        };
        (report.bare(&line.text[at..], line.number) == Flow::Taken).then_some(report)
    }

    fn bare(&mut self, bare: &[u8], number: u64) -> Flow {
        self.lines += 1;
        if text::blank(bare) || self.lines > LINES {
            // A blank line ends a report; some stand before its first field.
            return if self.reason.is_some() || self.lines > 3 { Flow::Over } else { Flow::Taken };
        }
        if self.lines > 1 && text::has(bare, HEADS[0]) {
            return Flow::Over;
        }
        let words = text::string(bare.trim_ascii());
        if self.reason.is_none()
            && let Some((field, rest)) = field(&words)
        {
            self.open = true;
            self.reason = Some((field, rest.to_owned()));
            return self.taken(bare, number);
        }
        if ENDS.iter().any(|end| words.starts_with(end)) {
            self.open = false;
            self.stacked = words.starts_with(STACK);
        } else if self.open {
            self.more(&words, bare);
        } else if self.stacked {
            self.stack(&words, bare);
        }
        let inside = bare.starts_with(b" ") || words.starts_with("**") || self.reason.is_none() || self.open;
        if inside { self.taken(bare, number) } else { self.stray() }
    }

    fn more(&mut self, words: &str, bare: &[u8]) {
        if let Some(frame) = frames::shell(bare) {
            if self.frames.len() < 256 {
                self.frames.push((frame, bare.to_vec()));
            }
            return;
        }
        let about = words.starts_with("called as ") || words.starts_with("*** ") || words.starts_with("in call to ");
        if let Some((_, reason)) = self.reason.as_mut().filter(|(_, reason)| !about && reason.len() < BYTES) {
            reason.push('\n');
            reason.push_str(words.trim_start_matches("** "));
        }
    }

    /// `**  [{kiln,cold,3,[{file,"kiln.erl"},{line,17}]},` and the lines below it, up to the next field.
    fn stack(&mut self, words: &str, bare: &[u8]) {
        let part = words.strip_prefix("**").unwrap_or(words).trim_start();
        self.stacked = bare.starts_with(b" ") || part.starts_with('[');
        if self.stacked && self.stack.len() < BYTES {
            self.stack.push_str(part);
        }
    }

    fn taken(&mut self, bare: &[u8], number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        if self.quoted.len() < QUOTED {
            self.quoted.push(bare.to_vec());
        }
        Flow::Taken
    }

    fn stray(&mut self) -> Flow {
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare(&bare, line.number),
            None => self.stray(),
        }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let Self { reason, stack, frames, quoted, mut passage, .. } = *self;
        let (field, reason) = reason?;
        let reason = if stack.is_empty() { reason } else { format!("{{{},{stack}}}", reason.trim()) };
        if exits::is_orderly(&reason) {
            return None;
        }
        let mut links = of_reason(field, &reason);
        // The frames below a term belong to whoever gave up with it, not to what it holds.
        if let Some(link) = links.first_mut().filter(|link| link.frames.is_empty()) {
            frames.into_iter().for_each(|(frame, _)| link.push(frame, b""));
        } else if field == Field::Words {
            let link = links.first_mut()?;
            frames.into_iter().for_each(|(frame, _)| link.push(frame, b""));
        }
        // The runner of scripts ends after it.
        let voice = match quoted.first() {
            Some(line) if line.starts_with(HEADS[4].as_bytes()) => Voice::Printed,
            _ => Voice::Logged,
        };
        quoted.iter().for_each(|line| passage.block.push(line));
        told::tell(links, voice, passage, messages)
    }
}

fn of_reason(field: Field, reason: &str) -> Vec<Link> {
    match field {
        Field::Words => vec![exits::described(reason.trim(), b"")],
        Field::Term => exits::links(reason.trim(), b""),
    }
}

/// Where a report begins in a line, behind a collector's prefix.
fn start(line: &[u8]) -> Option<usize> {
    if let Some(at) = text::find(line, HEADS[0]) {
        return line[..at].iter().rposition(|b| *b == b'=');
    }
    let found = HEADS[1..].iter().find_map(|head| text::find(line, head))?;
    // `crasher: initial call: …` in one line is read by itself.
    let whole = text::has(line, "crasher: initial call: ");
    let blanks = line[..found].iter().rev().take_while(|b| **b == b' ').count();
    let start = if blanks == found { 0 } else { found - blanks.saturating_sub(1) };
    (!whole).then_some(start)
}

/// The field that a line begins, and what of it stands there.
fn field(words: &str) -> Option<(Field, &str)> {
    let (name, field) = FIELDS.iter().find(|(name, _)| words.starts_with(name))?;
    let rest = &words[name.len()..];
    let rest = if name.starts_with("Error in process") {
        rest.split_once(" with exit value:").map(|(_, rest)| rest)?
    } else {
        rest
    };
    // A state machine says of which kind it is: `error:{badmatch,…}`.
    let kinds = ["error:", "exit:", "throw:"];
    let rest = rest.trim();
    Some((*field, kinds.iter().find_map(|kind| rest.strip_prefix(kind)).unwrap_or(rest)))
}

/// A report of one line.
#[derive(Debug)]
pub struct OneLine {
    links: Vec<Link>,
    passage: Passage,
}

impl OneLine {
    /// A report that is this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let said = std::str::from_utf8(line.text).ok()?;
        let links = crasher(said).or_else(|| reason(said))?;
        (!links.is_empty()).then_some(Self { links, passage: Passage::begin(line, 0, context) })
    }
}

/// `crasher: initial call: a:init/1, pid: <0.83.0>, registered_name: a, error: {badkey,…}, ancestors: …`
fn crasher(said: &str) -> Option<Vec<Link>> {
    let (_, rest) = said.split_once("crasher: initial call: ")?;
    let reason = [", error: ", ", exit: ", ", throw: "].iter().find_map(|mark| rest.split_once(mark))?.1;
    Some(exits::links(reason, b""))
}

fn reason(said: &str) -> Option<Vec<Link>> {
    let (at, mark, words) = ONE_LINE.iter().find_map(|(mark, words)| said.find(mark).map(|at| (at, *mark, *words)))?;
    let rest = &said[at + mark.len()..];
    let rest = match mark {
        ". Context: " => rest.split_once("Reason: ")?.1,
        _ => rest,
    };
    if words && let Some(link) = lager(rest) {
        return Some(vec![link]);
    }
    let rest = &with_stack(rest);
    let orderly = rest.split(['.', ' ']).next().is_some_and(exits::is_orderly);
    let term = rest.starts_with(['{', '#']) || !words && rest.starts_with(|c: char| c.is_lowercase());
    (term && !orderly).then(|| exits::links(rest, b""))
}

/// A state machine in one line: `{badkey,fuel}. Stack: [{kiln,cold,3,[…]}]. Last event: …`.
fn with_stack(rest: &str) -> String {
    let parts = rest.split_once(". Stack: ").and_then(|(reason, stack)| Some((reason, stack.split_once("]. ")?.0)));
    parts.map_or_else(|| rest.to_owned(), |(reason, stack)| format!("{{{reason},{stack}]}}"))
}

/// `bad key: tx in shelf_server:price/2 line 16`: lager words a reason and names its place.
fn lager(rest: &str) -> Option<Link> {
    let at = rest.rfind(" in ").filter(|_| !rest.ends_with("child_terminated")).or_else(|| {
        let context = rest.rfind(" in context ")?;
        rest[..context].rfind(" in ")
    });
    let (said, place) = match at {
        Some(at) => (&rest[..at], rest[at + 4..].split(" in context ").next().unwrap_or_default()),
        None => return None,
    };
    let (function, line) = place.split_once(" line ").unwrap_or((place, ""));
    let named = function.contains(':') && function.contains('/') && !function.contains(' ');
    if !named {
        return None;
    }
    let mut link = exits::described(said.trim(), b"");
    link.push(Frame { line: line.trim().parse().ok(), ..frames::named(function, None) }, b"");
    Some(link)
}

impl Parser for OneLine {
    fn line(&mut self, _: &Line<'_>) -> Flow {
        Flow::Over
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        told::tell(self.links, Voice::Logged, self.passage, messages)
    }
}
