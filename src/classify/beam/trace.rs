//! Exceptions in Elixir's form: `** (KeyError) key :a not found`, with what it holds indented below it.

use super::exits;
use super::frames;
use super::last::HEADS;
use super::told::{self, Voice};
use crate::classify::envelope::without_collector;
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::{Link, push_link};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// How an exception begins.
pub const MARK: &str = "** (";
/// Lines between what the runtime says of a process and the exception that ended it, and how many lines that is at most.
const REQUEST: [&str; 3] = ["Server: ", "Request: ", "Client: "];
const ABOVE: usize = 5;
/// Longest part of a line in which a collector's prefix is looked for.
const LINE_BYTES: usize = 1024;
/// Most lines of one exception's text.
const TEXT_LINES: u32 = 64;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 8;
/// What Elixir's logger adds below a stack.
const NOTES: [&str; 15] = [
    "Process Label: ",
    "Last message",
    "State: ",
    "Function: ",
    "Args: ",
    "Client ",
    "Queue: ",
    "Postponed: ",
    "Initial Call: ",
    "Ancestors: ",
    "Start Call: ",
    "Restart: ",
    "Shutdown: ",
    "Type: ",
    "Pid: ",
];
/// What the runtime says above the exception that ended a process, with which only a process ends.
const PROCESSES: [&str; 10] = [
    " terminating",
    " terminated",
    " raised an exception",
    " crashed",
    " caused shutdown",
    " exited: ",
    " exited with reason",
    "failed to connect: ",
    "Config provider ",
    "an exception was raised",
];

/// The parser of one exception.
#[derive(Debug)]
pub struct Trace {
    voice: Voice,
    prefix: Prefix,
    /// The links with how far each is indented.
    links: Vec<(Link, usize)>,
    text_lines: u32,
    foreign: u32,
    noted: bool,
    /// A blank line was seen: what follows is another record unless it is a frame.
    gap: bool,
    passage: Passage,
    /// The place that the compiler showed above its error.
    shown: Option<Culprit>,
}

/// The head of an exception.
struct Head<'a> {
    class: &'a str,
    message: &'a str,
}

impl Trace {
    /// A trace that begins in this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, MARK)?;
        let said = std::str::from_utf8(&line.text[at..]).ok()?.to_owned();
        let head = head(&said)?;
        let start = line.text[..at].iter().rposition(|b| *b != b' ').map_or(0, |end| end + 1);
        let envelope = Prefix::learn(&line.text[..start]);
        let (before, above) = above(line, at, context);
        let logged =
            line.logged || PROCESSES.iter().any(|words| above.contains(words)) && !above.contains("Config provider ");
        let mut trace = Self {
            voice: if logged { Voice::Logged } else { Voice::Printed },
            // A sentence that goes on with an exception stands on its first line alone.
            prefix: if is_collectors(&envelope, &line.text[..start]) { envelope } else { collectors(line.text) },
            links: Vec::new(),
            text_lines: 0,
            foreign: 0,
            noted: false,
            gap: false,
            passage: Passage::new(
                Block::after(&context.before[before..]),
                line.number - if line.logged { 0 } else { (before as u64).min(line.number - 1) },
                line.number,
            ),
            shown: (head.class == "CompileError").then(|| shown_above(context)).flatten(),
        };
        for line in context.before[..before].iter().rev() {
            trace.passage.block.push(line);
        }
        let indent = at - start.min(at);
        let shown = if trace.prefix.is_empty() { line.text } else { &line.text[start..] };
        trace.push(&head, indent, shown);
        Some(trace)
    }

    /// A trace whose head is above what is in the log.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let start = text::find(line.text, "    ")?;
        let frame = frames::elixir(&line.text[start..]).filter(|frame| frame.file.is_some())?;
        let mut link = Link::default();
        link.push(frame, &line.text[start..]);
        Some(Self {
            voice: Voice::Missing,
            prefix: Prefix::learn(&line.text[..start]),
            links: vec![(link, 0)],
            text_lines: 0,
            foreign: 0,
            noted: false,
            gap: false,
            passage: Passage::at(Block::default(), line.number),
            shown: None,
        })
    }

    fn push(&mut self, head: &Head<'_>, indent: usize, line: &[u8]) {
        let mut links: Vec<Link> = self.links.iter().map(|(link, _)| link.clone()).collect();
        let mut indents: Vec<usize> = self.links.iter().map(|(_, indent)| *indent).collect();
        let kept = links.len();
        push_link(&mut links, Link::new(head.class, head.message, line));
        // Of too many links a middle one goes.
        if links.len() == kept {
            indents.remove(kept / 2);
        }
        indents.push(indent);
        self.links = links.into_iter().zip(indents).collect();
        self.text_lines = 0;
    }

    fn begun(&self) -> bool {
        self.links.last().is_some_and(|(link, _)| !link.frames.is_empty())
    }

    fn bare(&mut self, bare: &[u8], number: u64) -> Flow {
        if text::blank(bare) {
            self.gap = true;
            return if self.begun() || self.noted { Flow::Foreign } else { Flow::Taken };
        }
        let indent = bare.iter().take_while(|b| **b == b' ').count();
        // The blank behind an envelope counts for every line.
        if indent > self.links.first().map_or(0, |(_, outer)| *outer)
            && bare[indent..].starts_with(MARK.as_bytes())
            && let Ok(said) = std::str::from_utf8(&bare[indent..])
            && let Some(head) = head(said)
        {
            self.push(&head, indent, bare);
            return self.taken(number);
        }
        if frames::is_indented(bare)
            && !self.noted
            && let Some(frame) = frames::elixir(bare)
        {
            self.frame(frame, indent, bare);
            return self.taken(number);
        }
        if self.note(bare) {
            return self.taken(number);
        }
        self.text(bare, number)
    }

    /// A frame belongs to the exception that is one step less indented; what is indented otherwise to the last one.
    fn frame(&mut self, frame: crate::classify::finding::Frame, indent: usize, line: &[u8]) {
        let at = self.links.iter().rposition(|(_, outer)| outer + 4 == indent);
        let at = at.unwrap_or(self.links.len().saturating_sub(1));
        if let Some((link, _)) = self.links.get_mut(at) {
            link.push(frame, line);
        }
    }

    /// What the logger says of the process: its state and its last message.
    fn note(&mut self, bare: &[u8]) -> bool {
        let trimmed = bare.trim_ascii_start();
        let note = NOTES.iter().any(|note| trimmed.starts_with(note.as_bytes()));
        self.noted |= note;
        note
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.gap = false;
        self.passage.last_line = number;
        Flow::Taken
    }

    /// A further line of an exception's text.
    fn text(&mut self, bare: &[u8], number: u64) -> Flow {
        self.text_lines += 1;
        let apart = self.gap && !bare.starts_with(b" ");
        let another = text::find(bare, MARK)
            .is_some_and(|at| std::str::from_utf8(&bare[at..]).is_ok_and(|said| head(said).is_some()));
        if another || self.begun() || self.noted || apart || is_record(bare) || self.text_lines > TEXT_LINES {
            return self.stray();
        }
        if let Some((link, _)) = self.links.last_mut() {
            link.say(&text::string(bare));
            link.quote(bare);
        }
        self.passage.last_line = number;
        Flow::Taken
    }

    fn stray(&mut self) -> Flow {
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare(&bare, line.number),
            None => self.stray(),
        }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let orderly = self.links.last().is_some_and(|(link, _)| {
            matches!(link.exception.as_str(), "exit" | "stop" | "EXIT") && exits::is_orderly(link.first_line())
        });
        if orderly && self.voice == Voice::Logged {
            return None;
        }
        let links: Vec<Link> = self.links.into_iter().map(|(link, _)| link).collect();
        let unparsed = links.iter().find_map(unparsed).or(self.shown);
        let told = told::tell(links, self.voice, self.passage, messages)?;
        Some(match unparsed {
            // A source that does not compile is to blame itself, not who loads it.
            Some(place) => {
                let file = place.file.clone().unwrap_or_default();
                let signature = vec![(String::new(), base_name(&file).to_owned())];
                Candidate { culprit: Some(place), signature, ..told }
            }
            None => told,
        })
    }
}

/// The place that the error of a compiler names: `lib/a.ex:12: undefined function…`, `token missing on app.exs:7:4:`.
fn unparsed(link: &Link) -> Option<Culprit> {
    if !matches!(
        link.exception.as_str(),
        "CompileError" | "SyntaxError" | "TokenMissingError" | "MismatchedDelimiterError"
    ) {
        return None;
    }
    link.first_line().split(' ').find_map(place)
}

/// The error that the compiler from Elixir 1.15 on shows above the exception: `└─ lib/a.ex:12:5: Depot.open/1`.
fn shown_above(context: &Context<'_>) -> Option<Culprit> {
    let mut shown = None;
    for line in context.before.iter() {
        let line = text::string(line);
        if line.contains("error: ") {
            return shown;
        }
        if line.contains("warning: ") {
            shown = None;
        } else if let Some((_, at)) = line.split_once("└─ ") {
            shown = place(at);
        }
    }
    shown
}

/// `lib/a.ex:12`, with anything behind it.
fn place(word: &str) -> Option<Culprit> {
    if ![".ex:", ".exs:", ".eex:", ".heex:"].iter().any(|end| word.contains(end)) {
        return None;
    }
    let mut parts = word.split(':');
    let (file, line) = (parts.next()?, parts.next()?.parse().ok()?);
    Some(Culprit { function: None, file: Some(file.to_owned()), line: Some(line) })
}

/// How many lines above belong to the exception, and what the nearest one that says anything says, with what stands
/// before the exception in its own line.
fn above(line: &Line<'_>, at: usize, context: &Context<'_>) -> (usize, String) {
    let own = text::string(line.text[..at].trim_ascii_end());
    if PROCESSES.iter().any(|words| own.contains(words)) {
        return (0, own);
    }
    // Between the sentence and the exception Plug says of which request it was.
    let of_request = |line: &[u8]| REQUEST.iter().any(|words| text::find(line, words).is_some());
    let lines = context.before.iter().enumerate().take(ABOVE).filter(|(_, line)| !of_request(line));
    let nearest = lines.take(2).find(|(_, line)| !text::blank(line)).map(|(at, _)| at);
    let Some(nearest) = nearest else { return (0, own) };
    let above = text::string(&context.before[nearest]);
    let speaks = PROCESSES.iter().any(|words| above.contains(words));
    (if speaks { nearest + 1 } else { 0 }, if speaks { above } else { own })
}

/// What a known collector put before a line.
fn collectors(line: &[u8]) -> Prefix {
    let part = &line[..line.len().min(LINE_BYTES)];
    let valid = std::str::from_utf8(part).map_or_else(|error| error.valid_up_to(), str::len);
    let shown = std::str::from_utf8(&part[..valid]).unwrap_or_default();
    Prefix::learn(&line[..shown.len() - without_collector(shown).len()])
}

/// Whether what stands before an exception is put before every line.
fn is_collectors(prefix: &Prefix, bytes: &[u8]) -> bool {
    prefix.is_envelope() && !PROCESSES.iter().any(|words| text::has(bytes, words.trim())) && !bytes.contains(&b'{')
}

/// `** (KeyError) key :a not found`, `** (EXIT from #PID<0.96.0>) shutdown: …`
fn head(said: &str) -> Option<Head<'_>> {
    let rest = said.strip_prefix(MARK)?;
    let (class, message) = rest.split_once(')')?;
    let class = if class.starts_with("EXIT from #PID") { "EXIT" } else { class };
    let name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase()) && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let known = matches!(class, "exit" | "stop" | "throw" | "EXIT") || class.split('.').all(name);
    let spoken = message.is_empty() || message.starts_with(' ');
    (known && spoken).then(|| Head { class, message: message.trim() })
}

/// A line that a logger began: no part of an exception's text.
fn is_record(line: &[u8]) -> bool {
    let digits = line.iter().take(4).filter(|b| b.is_ascii_digit()).count();
    HEADS.iter().any(|head| line.starts_with(head.as_bytes()))
        || digits >= 3
        || line.starts_with(b"{")
        || line.starts_with(b"=")
        || Severity::of_line(line).is_some()
}
