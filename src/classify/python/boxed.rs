//! The traceback that rich draws into a box, as typer's programs print it.

use super::frames;
use super::link::Link;
use super::traceback::is_exception;
use crate::classify::excerpt::Block;
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::prefix::Prefix;
use crate::classify::reason::STACK_OVERFLOW;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// The sides of the box.
const SIDES: [&str; 4] = ["│", "╭", "╰", "|"];
/// Most lines of a box that are taken.
const LINES: u32 = 2000;

/// The parser of such a box and of the line below it.
#[derive(Debug)]
pub struct Boxed {
    link: Link,
    prefix: Prefix,
    lines: u32,
    closed: bool,
    block: Block,
    first_line: u64,
    last_line: u64,
}

/// Whether the line is the top of a box with a traceback.
pub fn is_head(line: &[u8]) -> bool {
    text::has(line, "╭") && text::has(line, super::traceback::HEAD)
}

impl Boxed {
    /// A box that begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Self {
        let at = text::find(line.text, "╭").unwrap_or(0);
        let mut block = Block::after(context.before);
        block.push(&line.text[at..]);
        let (first_line, last_line) = (line.number, line.number);
        let prefix = Prefix::learn(&line.text[..at]);
        Self { link: Link::default(), prefix, lines: 0, closed: false, block, first_line, last_line }
    }
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
        let shown = text::string(bare);
        let side = shown.find(|c: char| SIDES.iter().any(|side| side.starts_with(c)));
        if self.closed {
            if !is_exception(bare, true) {
                return Flow::Over;
            }
            self.link.raised(bare);
        } else {
            let Some(at) = side.filter(|_| self.lines < LINES) else { return Flow::Over };
            let inner = shown[at..].trim_matches(|c: char| c == '│' || c == '|' || c.is_whitespace());
            self.closed = inner.starts_with('╰');
            if let Some(frame) = frame(inner).or_else(|| frozen(inner)) {
                self.link.frame(frame);
            } else if let Some(source) = inner.strip_prefix('❱') {
                self.link
                    .source(source.trim_start_matches(|c: char| c.is_ascii_digit() || "│ ".contains(c)).as_bytes());
            }
        }
        self.last_line = line.number;
        self.block.push(bare);
        Flow::Taken
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let link = self.link;
        if !link.is_raised() {
            return None;
        }
        let (reason, frames) = (link.reason(messages), link.top_first());
        Some(Candidate {
            runtime: Runtime::Python,
            kind: link.word(messages),
            exception: Some(link.class.clone()),
            message: if link.message.is_empty() { link.class } else { link.message },
            standing: Standing::Printed,
            exits: &[1],
            culprit: culprit(&frames),
            stack: shown(&frames),
            signature: signature(&frames, reason == STACK_OVERFLOW, super::frames::stable),
            reason,
            related: Vec::new(),
            excerpt: self.block,
            first_line: self.first_line,
            last_line: self.last_line,
            headless: false,
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
}
