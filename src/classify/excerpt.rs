//! The decisive lines with a few before them: collected raw, redacted whole, and only then cut.

use crate::redact::Redactor;

use super::text;

/// Longest excerpt, in bytes, as in a report.
pub const EXCERPT_BYTES: usize = 4096;
/// Lines shown before the decisive ones.
pub const LINES_BEFORE: usize = 3;
/// Longest line in an excerpt, in bytes: one line must not push out the others.
const SHOWN_LINE_BYTES: usize = 1024;
/// Longest line of context, in bytes.
const CONTEXT_LINE_BYTES: usize = 256;
/// What is collected before redaction: more than is shown, since redaction works on whole lines and shortens them.
const RAW_BYTES: usize = 3 * EXCERPT_BYTES;
/// Longest line that is collected.
const RAW_LINE_BYTES: usize = 4096;

/// How often one line is shown in a row: a recursion without end has a thousand equal frames.
pub const REPEATS: usize = 3;

/// Lines on their way into an excerpt; bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    context: Vec<u8>,
    lines: Vec<u8>,
    cut: bool,
}

impl Block {
    /// A block that shows these lines, the nearest first, before its own.
    pub fn after(before: &[Vec<u8>]) -> Self {
        let mut block = Self::default();
        for line in before.iter().take(LINES_BEFORE).rev() {
            add(&mut block.context, line);
        }
        block
    }

    /// Appends a line, unless the block is full or ends with [`REPEATS`] lines like it.
    pub fn push(&mut self, line: &[u8]) {
        let last = self.lines.rsplit(|b| *b == b'\n').skip(1);
        let repeats = last.take(REPEATS).take_while(|last| *last == line).count() == REPEATS;
        if repeats || self.lines.len() + line.len().min(RAW_LINE_BYTES) > RAW_BYTES {
            self.cut = true;
        } else {
            self.cut |= add(&mut self.lines, line);
        }
    }

    /// Appends the lines of another block.
    pub fn append(&mut self, other: &Block) {
        if let Some(lines) = other.lines.strip_suffix(b"\n") {
            lines.split(|b| *b == b'\n').for_each(|line| self.push(line));
        }
        self.cut |= other.cut;
    }

    /// Its own lines, without those that stand before them.
    pub fn own_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.split(|b| *b == b'\n').filter(|line| !line.is_empty())
    }

    /// Whether all of it has room in a report.
    pub fn is_shown_whole(&self) -> bool {
        !self.cut && self.context.len() + self.lines.len() <= EXCERPT_BYTES
    }

    /// The lines that stand before its own, without these.
    pub fn context_alone(&self) -> Self {
        Self { context: self.context.clone(), lines: Vec::new(), cut: true }
    }

    /// Bytes collected so far.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The text to show.
    pub fn render(&self, redactor: &Redactor) -> Shown {
        let mut shown = Shown { cut: self.cut, ..Shown::default() };
        // Cleaned in one piece: a private key spans lines.
        let context_lines = self.context.iter().filter(|b| **b == b'\n').count();
        let clean = redactor.clean(&[self.context.as_slice(), self.lines.as_slice()].concat());
        for (at, line) in clean.trim_end().lines().enumerate() {
            if at == context_lines && !shown.text.is_empty() {
                shown.decisive_from = shown.text.len() + 1;
            }
            shown.line(line, if at < context_lines { CONTEXT_LINE_BYTES } else { SHOWN_LINE_BYTES });
        }
        // Nothing decisive had room: then all of it is context.
        shown.decisive_from = shown.decisive_from.min(shown.text.len());
        shown
    }
}

/// Adds one line with its line end; whether it was cut.
fn add(to: &mut Vec<u8>, line: &[u8]) -> bool {
    to.extend_from_slice(&line[..line.len().min(RAW_LINE_BYTES)]);
    to.push(b'\n');
    line.len() > RAW_LINE_BYTES
}

/// An excerpt, ready to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The lines.
    pub text: String,
    /// Where the decisive ones begin, in bytes.
    pub decisive_from: usize,
    /// Whether something was cut.
    pub cut: bool,
}

impl Shown {
    fn line(&mut self, line: &str, limit: usize) {
        let line = text::cut(line.trim_end(), limit);
        self.cut |= line.ends_with('…');
        let separator = usize::from(!self.text.is_empty());
        if self.text.len() + separator + line.len() > EXCERPT_BYTES {
            self.cut = true;
        } else {
            self.text.push_str(&"\n"[..separator]);
            self.text.push_str(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_shown_a_few_times_in_a_row() {
        let mut block = Block::default();
        ["f", "f", "f", "f", "f", "g", "f"].iter().for_each(|line| block.push(line.as_bytes()));
        let shown = block.render(&Redactor::default());
        assert_eq!((shown.text.as_str(), shown.cut), ("f\nf\nf\ng\nf", true));
    }

    #[test]
    fn an_excerpt_is_bounded_and_says_when_it_was_cut() {
        let mut block = Block::after(&[b"nearest".to_vec(), b"farther".to_vec()]);
        block.push(b"decisive");
        let shown = block.render(&Redactor::default());
        assert_eq!((shown.text.as_str(), shown.cut), ("farther\nnearest\ndecisive", false));
        assert_eq!(&shown.text[shown.decisive_from..], "decisive");
        for number in 0..2000 {
            block.push(format!("frame {number} {}", "frame ".repeat(20)).as_bytes());
        }
        let Shown { text, cut, .. } = block.render(&Redactor::default());
        assert!(cut && text.len() <= EXCERPT_BYTES && text.starts_with("farther\nnearest\ndecisive\nframe"));
    }

    #[test]
    fn a_long_line_is_cut_on_a_character_border() {
        let mut block = Block::default();
        block.push("ü".repeat(900).as_bytes());
        let Shown { text, cut, .. } = block.render(&Redactor::default());
        assert!(cut && text.ends_with("ü…") && text.len() <= SHOWN_LINE_BYTES);
    }
}
