//! The traceback that rich draws into a box, as typer's programs print it.

use super::frames;
use super::link::{Link, choose};
use super::traceback::{self, is_exception, relation};
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::STACK_OVERFLOW;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// The sides of the box.
const SIDES: [&str; 4] = ["│", "╭", "╰", "|"];
/// Most lines of a box that are taken.
const LINES: u32 = 2000;

/// Most tracebacks kept of one chain.
const LINKS: usize = 16;

/// The parser of such boxes, one for each link of a chain, and of the lines below each.
#[derive(Debug)]
pub struct Boxed {
    links: Vec<Link>,
    link: Link,
    /// The beginning of a frame that was too long for the box.
    wrapped: String,
    /// Characters of a line of the box, and of the last line below it: a text as wide as the box goes on in the next line.
    width: usize,
    last_width: usize,
    prefix: Prefix,
    lines: u32,
    closed: bool,
    passage: Passage,
}

/// Whether the line is the top of a box with a traceback.
pub fn is_head(line: &[u8]) -> bool {
    text::has(line, "╭") && text::has(line, super::traceback::HEAD)
}

impl Boxed {
    /// A box that begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Self {
        let at = text::find(line.text, "╭").unwrap_or(0);
        Self {
            links: Vec::new(),
            link: Link::default(),
            wrapped: String::new(),
            width: width(&line.text[at..]),
            last_width: 0,
            prefix: Prefix::learn(&line.text[..at]),
            lines: 0,
            closed: false,
            passage: Passage::begin(line, at, context),
        }
    }

    /// A line between the sides.
    fn inside(&mut self, inner: &str) {
        let between_words = self.wrapped.ends_with(" in") || inner.starts_with("in ");
        let glue = if between_words && !self.wrapped.is_empty() { " " } else { "" };
        let whole = format!("{}{glue}{inner}", self.wrapped);
        self.wrapped.clear();
        if let Some(frame) = frame(&whole).or_else(|| frozen(&whole)) {
            self.link.frame(frame);
            self.link.quote(whole.as_bytes());
        } else if whole.starts_with('/') && (whole.ends_with(" in") || !whole.contains(' ')) {
            self.wrapped = whole;
        } else if let Some(source) = inner.strip_prefix('❱') {
            let source = source.trim_start_matches(|c: char| c.is_ascii_digit() || "│ ".contains(c));
            self.link.source(source.as_bytes());
            self.link.quote(inner.as_bytes());
        }
    }

    /// A line below a box: the exception, more of its text, the words that go on with the chain.
    fn below(&mut self, bare: &[u8]) -> Flow {
        let blank = text::blank(bare);
        if !self.link.is_raised() {
            if blank || !is_exception(bare, true) {
                return if blank { Flow::Taken } else { Flow::Over };
            }
            self.link.raised(bare.trim_ascii_end());
        } else if blank {
            self.last_width = 0;
            return Flow::Taken;
        } else if let Some(relation) = relation(bare) {
            self.link.relation = relation;
            self.last_width = 0;
            return Flow::Taken;
        } else if is_head(bare) {
            self.next_link();
            return Flow::Taken;
        } else if self.goes_on(bare) {
            let more = text::string(bare.trim_ascii());
            self.link.message.push_str(&format!(" {more}"));
        } else {
            return Flow::Over;
        }
        self.last_width = width(bare);
        Flow::Taken
    }

    /// Whether the first word of this line had no room in the one above.
    fn goes_on(&self, bare: &[u8]) -> bool {
        let word = bare.split(u8::is_ascii_whitespace).next().map_or(0, width);
        self.last_width > 0 && word > 0 && self.last_width + 1 + word > self.width
    }

    fn next_link(&mut self) {
        let link = std::mem::take(&mut self.link);
        if self.links.len() >= LINKS {
            self.links.remove(LINKS / 2);
        }
        self.links.push(link);
        self.closed = false;
        self.last_width = 0;
    }
}

/// Characters of a line without the blanks at its end.
fn width(line: &[u8]) -> usize {
    text::string(line.trim_ascii_end()).chars().count()
}

/// `/app/web/cli.py:8 in serve`, between the sides.
fn frame(inner: &str) -> Option<RawFrame> {
    let (place, function) = inner.trim().split_once(" in ")?;
    let (file, line) = place.rsplit_once(':')?;
    let line = line.parse().ok()?;
    let plain = !file.is_empty() && !file.contains(' ') && !function.contains(' ');
    plain.then(|| RawFrame { function: function.to_owned(), file: file.to_owned(), line, own: frames::is_own(file) })
}

/// `in __getitem__:679`: a frame of the interpreter's own, without a file.
fn frozen(inner: &str) -> Option<RawFrame> {
    let (function, line) = inner.trim().strip_prefix("in ")?.rsplit_once(':')?;
    let function = function.to_owned();
    Some(RawFrame { file: "<frozen os>".to_owned(), line: line.parse().ok()?, own: false, function })
}

impl Parser for Boxed {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        self.lines += 1;
        let Some(bare) = self.prefix.strip(line.text) else {
            return if self.lines < LINES { Flow::Foreign } else { Flow::Over };
        };
        if self.lines >= LINES {
            return Flow::Over;
        }
        if self.closed {
            let flow = self.below(bare);
            if flow != Flow::Taken {
                return flow;
            }
        } else {
            let shown = text::string(bare);
            let side = shown.find(|c: char| SIDES.iter().any(|side| side.starts_with(c)));
            let Some(at) = side else { return Flow::Over };
            self.closed = shown[at..].starts_with('╰');
            self.inside(shown[at..].trim_matches(|c: char| c == '│' || c == '|' || c.is_whitespace()));
        }
        if !text::blank(bare) {
            self.passage.push(bare.trim_ascii_end(), line.number);
        }
        Flow::Taken
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        if self.link.is_raised() {
            self.next_link();
        }
        let (best, around) = choose(&self.links, messages)?;
        let frames = self.links[around].top_first();
        let excerpt = traceback::shortened(self.passage.block, &self.links, best);
        let link = self.links.swap_remove(best);
        let reason = link.reason(messages);
        Some(Candidate {
            kind: link.word(messages),
            exception: Some(link.class.clone()),
            message: if link.message.is_empty() { link.class } else { link.message },
            standing: Standing::Printed,
            exits: &[1],
            culprit: culprit(&frames),
            stack: shown(&frames),
            signature: signature(&frames, reason == STACK_OVERFLOW, super::frames::stable),
            reason,
            ..Candidate::of(Runtime::Python, Passage { block: excerpt, ..self.passage })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_a_box_are_read() {
        let own = frame("/app/web/cli.py:8 in serve").unwrap();
        assert_eq!((own.function.as_str(), own.line, own.own), ("serve", 8, true));
        assert_eq!(frozen("in __getitem__:679").unwrap().function, "__getitem__");
        assert_eq!(frame("3 files in all"), None);
    }

    fn read(log: &str) -> Candidate {
        let line = |(at, text): (usize, &'static str)| (at as u64 + 1, text.as_bytes());
        let log: &'static str = Box::leak(log.to_owned().into_boxed_str());
        let mut lines = log.lines().enumerate().map(line);
        let (number, text) = lines.next().unwrap();
        let messages = Messages::default();
        let context = Context { before: &crate::classify::grammar::Before::default(), messages: &messages };
        let mut boxed = Boxed::new(&Line { text, number, logged: false }, &context);
        for (number, text) in lines {
            if boxed.line(&Line { text, number, logged: false }) == Flow::Over {
                break;
            }
        }
        Box::new(boxed).finish(&messages).unwrap()
    }

    #[test]
    fn boxes_in_a_box_wrapped_lines_and_chains_are_read() {
        let log = "\
x ╭─ Traceback (most recent call last) ─╮
x │ /app/fares/table.py:3 in            │
x │ lookup                              │
x │                                     │
x │ ❱ 3     return row[\"fare\"]          │
x │ ╭─ locals ─╮                        │
x │ │ row = {} │                        │
x │ ╰──────────╯                        │
x │ /app/fares/deeply/nested/package/na │
x │ med.py:9                            │
x │ in fare                             │
x ╰─────────────────────────────────────╯
x TypeError: 'NoneType' object is not
x subscriptable
x
x During handling of the above exception, another exception occurred:
x
x ╭─ Traceback (most recent call last) ─╮
x │ /app/fares/table.py:8 in lookup     │
x │ ❱ 8     raise FareError(code)       │
x ╰─────────────────────────────────────╯
x FareError: no fare
x INFO bye";
        let read = read(log);
        let culprit = read.culprit.unwrap();
        assert_eq!(
            (read.reason.as_str(), read.message.as_str()),
            ("NilDereference", "'NoneType' object is not subscriptable")
        );
        assert_eq!(culprit.file.as_deref(), Some("/app/fares/deeply/nested/package/named.py"));
        assert_eq!((culprit.function.as_deref(), read.passage.last_line), (Some("fare"), 22));
    }
}
