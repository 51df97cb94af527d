//! A traceback, and the chain that it is part of.

use super::above::{self, Above};
use super::frames;
use super::kinds;
use super::link::{Link, Relation, choose};
use crate::classify::excerpt::Block;
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{STACK_OVERFLOW, TERMINATED};
use crate::classify::stack::{culprit, shown, signature};
use crate::classify::{text, wrapper};

/// With what a traceback begins.
pub const HEAD: &str = "Traceback (most recent call last)";
/// Most tracebacks kept of one chain: the innermost and the outermost ones.
const LINKS: usize = 16;
/// Most lines in a row inside of a traceback that belong to something else: two streams mix.
const FOREIGN: u32 = 12;
/// Most lines of a text that are taken, blank ones included.
const TEXT_LINES: u32 = 40;
/// Most lines of other things that may follow an exception before the words that go on with its chain.
const WAIT: u32 = 4;

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Frames, their source lines, and the line that names the exception.
    Frames,
    /// Further lines of its text, or the words that go on with the chain.
    Text,
}

/// The parser of a chain of tracebacks.
#[derive(Debug)]
pub struct Traceback {
    links: Vec<Link>,
    current: Link,
    state: State,
    prefix: Prefix,
    above: Above,
    /// The exception that stands above the frames, with words between.
    announced: Option<Vec<u8>>,
    logged: bool,
    headless: bool,
    in_group: bool,
    text_lines: u32,
    after_blank: bool,
    foreign: u32,
    passage: Passage,
}

impl Traceback {
    /// A traceback whose first line this is, behind `prefix_len` bytes of envelope.
    pub fn new(line: &Line<'_>, prefix_len: usize, context: &Context<'_>) -> Self {
        let prefix = Prefix::learn(&line.text[..prefix_len]);
        let above = above::of(&line.text[..prefix_len], &prefix, context);
        let mut parser = Self {
            links: Vec::new(),
            current: Link::default(),
            state: State::Frames,
            announced: None,
            logged: line.logged,
            headless: false,
            in_group: text::has(line.text, "+ Exception Group Traceback"),
            text_lines: 0,
            after_blank: false,
            foreign: 0,
            passage: Passage::at(Block::after(context.before), line.number),
            prefix,
            above,
        };
        if parser.in_group {
            // The gutter is no part of the envelope.
            parser.prefix =
                Prefix::learn(line.text[..prefix_len].strip_suffix(b"  + Exception Group ").unwrap_or_default());
        }
        parser.passage.block.push(&line.text[prefix_len..]);
        parser
    }

    /// A traceback of which the head is not in the log, or none was written: the first line is a frame.
    pub fn from_frame(line: &Line<'_>, prefix_len: usize, context: &Context<'_>) -> Self {
        let mut parser = Self::new(line, prefix_len, context);
        let frame = frames::read(&line.text[prefix_len..]).unwrap_or_default();
        // Above the error of a script that does not parse there is no head.
        parser.headless = !frame.function.is_empty();
        parser.current.frame(frame);
        parser.announced = announced(&parser.prefix, context);
        parser.headless &= parser.announced.is_none();
        parser
    }

    fn frames_line(&mut self, bare: &[u8]) -> Flow {
        if let Some(at) = frames::find(bare).filter(|at| *at <= 2)
            && let Some(frame) = frames::read(&bare[at..])
        {
            self.current.frame(frame);
            self.current.quote(bare);
            return Flow::Taken;
        }
        if is_quote(bare) || text::blank(bare) || self.in_group && bare.starts_with(b"+-") {
            return Flow::Taken;
        }
        if bare.starts_with(b"    ") {
            self.current.source(bare);
            self.current.quote(bare);
            return Flow::Taken;
        }
        if bare.starts_with(b"  [Previous line repeated ") || bare.starts_with(b"  ...") {
            return Flow::Taken;
        }
        if starts_chain_link(bare) || is_exception(bare, self.in_group || !self.current.frames.is_empty()) {
            return self.exception_or_link(bare);
        }
        Flow::Foreign
    }

    fn exception_or_link(&mut self, bare: &[u8]) -> Flow {
        if text::has(bare, HEAD) {
            // A second head: the first one was cut short.
            let fresh = self.current.frames.is_empty() && !self.links.is_empty();
            return if fresh || self.in_group { Flow::Taken } else { Flow::Over };
        }
        self.current.raised(bare);
        self.state = State::Text;
        self.text_lines = 0;
        self.after_blank = false;
        Flow::Taken
    }

    fn text_line(&mut self, bare: &[u8]) -> Flow {
        if let Some(relation) = relation(bare) {
            self.current.relation = relation;
            self.close_link();
            return Flow::Taken;
        }
        if text::has(bare, HEAD) && (bare.starts_with(HEAD.as_bytes()) || self.in_group) {
            return self.next_head();
        }
        if self.in_group && bare.starts_with(b"+-") {
            self.close_link();
            return Flow::Taken;
        }
        self.text_lines += 1;
        if self.text_lines > TEXT_LINES {
            return Flow::Over;
        }
        if text::blank(bare) {
            self.after_blank = true;
            return Flow::Taken;
        }
        if wrapper::is_echo(bare) {
            return Flow::Taken;
        }
        self.further_text(bare)
    }

    /// A line below the exception. An indented one belongs to its text; of the others only those of texts that are known
    /// to go on without indentation, unless it looks like a record of a log.
    fn further_text(&mut self, bare: &[u8]) -> Flow {
        let indented = bare.first().is_some_and(|b| *b == b' ' || *b == b'\t');
        if indented || self.is_wordy() && !above::is_record(bare) {
            self.current.detail(bare);
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > WAIT {
            return Flow::Over;
        }
        // A note below an exception looks like any line.
        if !self.after_blank && !above::is_record(bare) {
            self.passage.block.push(bare);
        }
        Flow::Foreign
    }

    /// Exceptions whose text has lines without indentation.
    fn is_wordy(&self) -> bool {
        const WORDY: [&str; 6] = [
            "ValidationError",
            "ParserError",
            "ScannerError",
            "ConstructorError",
            "OperationalError",
            "RemoteTraceback",
        ];
        !self.after_blank && WORDY.contains(&kinds::short(&self.current.class))
    }

    /// Another traceback without words between: that of a group's member, the one that a pool quotes, or one of its own.
    fn next_head(&mut self) -> Flow {
        if self.current.is_quotation() {
            self.current = Link::default();
            self.state = State::Frames;
        } else if self.in_group {
            self.close_link();
        } else {
            return Flow::Over;
        }
        Flow::Taken
    }

    fn close_link(&mut self) {
        let mut link = std::mem::take(&mut self.current);
        if let Some(line) = self.announced.take().filter(|_| !link.is_raised()) {
            link.raised(&line);
        }
        self.state = State::Frames;
        self.foreign = 0;
        if !link.is_raised() || link.is_quotation() {
            return;
        }
        if self.links.len() >= LINKS {
            self.links.remove(LINKS / 2);
        }
        self.links.push(link);
    }

    /// The line without its prefix. A logger writes its prefix only before the first line of a text: then the frames
    /// have less of it.
    fn strip<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(bare) = self.prefix.strip(text) {
            return Some(bare);
        }
        let fresh = self.links.is_empty() && self.current.frames.is_empty();
        let at = frames::find(text).filter(|_| fresh)?;
        // The gutter of a group is no part of it.
        let at = if self.in_group { text[..at].strip_suffix(b"  | ").map_or(at, <[u8]>::len) } else { at };
        self.prefix = Prefix::learn(&text[..at]);
        self.above.logged();
        Some(&text[at..])
    }
}

/// Dagster writes the exception first, then `Stack Trace:` and the frames.
fn announced(prefix: &Prefix, context: &Context<'_>) -> Option<Vec<u8>> {
    let mut above = context.before.iter().map_while(|line| prefix.strip(line));
    above.next().filter(|line| *line == b"Stack Trace:")?;
    above.find(|line| !text::blank(line)).filter(|line| is_exception(line, true)).map(<[u8]>::to_vec)
}

/// A line of an exception group without the gutter that stands left of it.
fn without_gutter(bare: &[u8]) -> &[u8] {
    let inner = bare.trim_ascii_start();
    if inner == b"|" {
        return b"";
    }
    inner.strip_prefix(b"| ").unwrap_or(if inner.starts_with(b"+") { inner } else { bare })
}

fn is_quote(bare: &[u8]) -> bool {
    bare == b"\"\"\"" || bare == b"'''"
}

fn starts_chain_link(bare: &[u8]) -> bool {
    bare.starts_with(HEAD.as_bytes()) || bare.starts_with(b"+ Exception Group Traceback")
}

/// The words between two tracebacks of a chain.
pub fn relation(bare: &[u8]) -> Option<Relation> {
    if bare.starts_with(b"The above exception was the direct cause") {
        Some(Relation::Cause)
    } else {
        bare.starts_with(b"During handling of the above exception").then_some(Relation::Context)
    }
}

/// `socket.gaierror: …`, `KeyError: 'x'`, `MyError`: a class name, then a colon or nothing. Without frames above only what
/// is named like an exception counts.
pub fn is_exception(line: &[u8], below_frames: bool) -> bool {
    let end = line.iter().position(|b| *b == b':' || *b == b' ').unwrap_or(line.len());
    let (name, rest) = (&line[..end], &line[end..]);
    let ends = rest.is_empty() || rest.starts_with(b": ") || rest == b":";
    let identifier = name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'<' | b'>'))
        || std::str::from_utf8(name).is_ok_and(|name| name.chars().all(|c| c.is_alphanumeric() || "_.<>".contains(c)));
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    let camel = last.first().is_some_and(u8::is_ascii_uppercase) && last.iter().any(u8::is_ascii_lowercase);
    let lower = matches!(last, b"error" | b"gaierror" | b"herror" | b"timeout") && name.len() > last.len();
    let typical =
        [&b"Error"[..], b"Exception", b"Warning", b"Exit", b"Interrupt"].iter().any(|end| last.ends_with(end));
    ends && identifier && !name.starts_with(b"<") && (typical || below_frames && (camel || lower))
}

/// A chain as it stands there, or what is shown of one that is too long.
pub fn shortened(whole: Block, links: &[Link], best: usize) -> Block {
    if whole.is_shown_whole() { whole } else { quoted(&whole, links, best) }
}

/// What is shown of a chain that is too long: the frames of the user's own in the link that names the reason, and of the
/// others what was raised.
pub fn quoted(whole: &Block, links: &[Link], best: usize) -> Block {
    const ASIDE: usize = 400;
    const ASIDE_LINKS: usize = 2;
    let mut block = whole.context_alone();
    for (at, link) in links.iter().enumerate() {
        if at == best {
            link.quoted().for_each(|line| block.push(line));
        } else if at.abs_diff(best) <= ASIDE_LINKS {
            block.push(text::upto(&link.line, ASIDE).as_bytes());
        }
    }
    block
}

impl Parser for Traceback {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.strip(line.text) else {
            self.foreign += 1;
            return if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign };
        };
        let bare = if self.in_group { without_gutter(bare) } else { bare };
        let flow = match self.state {
            State::Frames => self.frames_line(bare),
            State::Text => self.text_line(bare),
        };
        match flow {
            Flow::Taken if !text::blank(bare) => {
                self.foreign = 0;
                self.passage.push(bare, line.number);
            }
            Flow::Foreign if self.state == State::Frames => {
                self.foreign += 1;
                return if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign };
            }
            _ => {}
        }
        flow
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        self.close_link();
        let (best, around) = choose(&self.links, messages)?;
        let (link, frames) = (&self.links[best], self.links[around].top_first());
        let reason = link.reason(messages);
        let standing = match self.above.standing() {
            _ if reason == TERMINATED => Standing::Survived("it was interrupted from outside"),
            Standing::Printed | Standing::Logged if kinds::is_of_a_child(&link.class, &link.message) => {
                Standing::Closing
            }
            Standing::Printed if self.logged => Standing::Logged,
            standing => standing,
        };
        Some(Candidate {
            kind: link.word(messages),
            exception: Some(link.class.clone()),
            message: link.said(),
            exits: if matches!(standing, Standing::Printed | Standing::Closing) { &[1] } else { &[] },
            standing,
            culprit: culprit(&frames),
            stack: shown(&frames),
            signature: signature(&frames, reason == STACK_OVERFLOW, frames::stable),
            reason,
            headless: self.headless,
            ..Candidate::of(
                Runtime::Python,
                Passage { block: shortened(self.passage.block, &self.links, best), ..self.passage },
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_names_an_exception_is_told_from_others() {
        let cases = [
            ("KeyError: 'x'", false, true),
            ("KeyboardInterrupt", false, true),
            ("socket.gaierror: [Errno -2] Name", true, true),
            ("socket.timeout: timed out", true, true),
            ("depot.lanes.Closed", true, true),
            ("__main__.main.<locals>.Closed: x", true, true),
            ("Closed: x", false, false),
            ("INFO: started", true, false),
            ("INFO:     Started server process", true, false),
            ("error: no", true, false),
            ("2026-11-24 INFO", true, false),
            ("some words: x", true, false),
            ("", true, false),
        ];
        for (line, below_frames, expected) in cases {
            assert_eq!(is_exception(line.as_bytes(), below_frames), expected, "{line}");
        }
    }
}
