//! The lines of a trace and those above it: where heads and frames begin, and what a program says above a backtrace.

use super::frames;
use super::head::{self, Raised};
use crate::classify::envelope::without_collector;
use crate::classify::finding::Frame;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// Most lines from the carets below a quoted source up to the blank line above it.
const SNIPPET_LINES: usize = 5;

/// `2: from app.rb:7:in …`: a frame as Ruby 2.5 to 2.7 number them.
pub fn is_counted(frame: &[u8]) -> bool {
    frame.first().is_some_and(u8::is_ascii_digit) && text::has(frame, ": from ")
}

/// Where a head begins in a line, behind a collector's prefix.
pub fn find_head(line: &[u8]) -> Option<(usize, Raised)> {
    let placed = text::find(line, ":in `").or_else(|| text::find(line, ":in '"));
    if let Some(at) = placed {
        let start = line[..at].iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        return head::raised(&line[start..]).map(|raised| (start, raised));
    }
    let blanks = (0..line.len().min(256)).filter(|at| *at == 0 || line[at - 1].is_ascii_whitespace());
    blanks.take(12).find_map(|at| head::raised(&line[at..]).map(|raised| (at, raised)))
}

/// Where the blanks before a frame begin in a line.
pub fn find_frame(line: &[u8]) -> Option<(usize, Frame)> {
    let Some(at) = text::find(line, ":in `").or_else(|| text::find(line, ":in '")) else {
        let at = frames::find_flush_right(line)?;
        return Some((at, frames::flush_right(&line[at..])?));
    };
    let mut start = line[..at].iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
    if line[..start].ends_with(b"from ") {
        start -= b"from ".len();
    }
    let frame = frames::frame(&line[start..])?;
    let tab = line[..start].iter().rposition(|b| *b != b'\t').map_or(0, |end| end + 1);
    // Blanks are how a program indents its frames, which the words between them need not be.
    let blanks = line[..tab].iter().rev().take_while(|b| **b == b' ').count();
    let indent = tab - blanks;
    // One of them ends the prefix of a collector.
    let separator = usize::from(blanks > 0 && indent > 0 && !line[..indent].ends_with(b"\t"));
    Some((indent + separator, frame))
}

/// What a program says above a backtrace that it prints: how far above, the class, the text.
pub fn title(prefix: &Prefix, before: &[Vec<u8>]) -> Option<(usize, String, String)> {
    before.iter().take(4).enumerate().find_map(|(above, line)| {
        let bare = prefix.strip(line).unwrap_or(line);
        let (class, message) = head::titled(&text::string(bare))?;
        if message.bytes().all(|b| b == b'^') && !message.is_empty() {
            return above_snippet(prefix, before, above).map(|(above, message)| (above, class, message));
        }
        Some((above, class, message))
    })
}

/// A line above a backtrace without its prefix. The first frame may have more before it than such a line has.
fn bare(prefix: &Prefix, line: &[u8]) -> String {
    match prefix.strip(line) {
        Some(bare) => text::string(bare),
        None => without_collector(&text::string(line)).to_owned(),
    }
}

/// The line right above the backtrace where none names a class and a text at once.
pub fn text_alone(prefix: &Prefix, before: &[Vec<u8>]) -> Option<(usize, String, String)> {
    let bare = |line: &Vec<u8>| bare(prefix, line).trim().to_owned();
    let said = before.first().map(bare).filter(|said| !said.is_empty())?;
    if let Some(above) = before.get(1).map(bare)
        && let Some(class) = head::trailing(&above)
    {
        return Some((1, class.to_owned(), said));
    }
    let (class, said) = head::untitled(&said)?;
    Some((0, class, said))
}

/// The text above the source that Ruby quotes from 3.1 on: a blank line stands between, and the class behind the carets.
fn above_snippet(prefix: &Prefix, before: &[Vec<u8>], carets: usize) -> Option<(usize, String)> {
    let lines = before.get(carets..)?.iter().take(SNIPPET_LINES + 1);
    let lines: Vec<String> = lines.map(|line| bare(prefix, line)).collect();
    let blank = lines.iter().position(|line| line.trim().is_empty())?;
    let said = lines.get(blank + 1).filter(|line| !line.trim().is_empty())?;
    let blank = carets + blank;
    let said = said.split_once(" -- : ").map_or(said.as_str(), |(_, said)| said);
    Some((blank + 1, said.trim().to_owned()))
}

/// A line that a logger began: no part of an exception's text.
pub fn is_record(line: &[u8]) -> bool {
    let digits = line.iter().take(4).filter(|b| b.is_ascii_digit()).count();
    let logger = line.get(1..4) == Some(b", [");
    digits == 4 || logger || line.starts_with(b"{") || Severity::of_line(line).is_some()
}
