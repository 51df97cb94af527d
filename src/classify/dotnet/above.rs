//! What stands before the first frame of a trace that a logger wrote: the exception above it, or in the same line.

use super::frames;
use super::head::{self, thrown};
use crate::classify::envelope::without_stamps;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// How many places of a line are tried for its first frame.
const TRIES: usize = 8;
/// How many lines of text may stand between an exception of an unusual name and its frames.
const TEXT_ABOVE: usize = 3;
/// Longest frame that is looked at, in bytes.
const FRAME_BYTES: usize = 4096;

/// Where the blanks before the first frame of a line begin. Only so many places are tried, and only so much is looked at
/// behind each: a line of 64 KiB may hold nothing but the words of a frame.
pub fn first_frame(line: &[u8]) -> Option<usize> {
    let mut from = 0;
    for _ in 0..TRIES {
        let at = from + text::find(&line[from..], "  at ")?;
        let start = line[..at].iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(0, |end| end + 1);
        let frame = line[at..].trim_ascii_start();
        let frame = &frame[..frame.len().min(FRAME_BYTES)];
        let piece = pieces(frame).next().unwrap_or(frame);
        if frames::is_certain(piece) {
            // A collector's prefix ends with one blank of its own.
            let inset = usize::from(start > 0 && at - start > 2);
            return Some(start + inset);
        }
        from = at + 5;
    }
    None
}

/// The frames and markers of a line that holds them all, parted by three blanks.
pub fn pieces(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let next = ["   at ", "   --- ", " ---> "].iter().filter_map(|mark| text::find(&text[1..], mark)).min();
        let (piece, after) = match next {
            Some(at) => (&text[..at + 1], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(piece)
    })
}

/// An exception in the same line before its first frame: where it begins, and its text.
pub fn one_line(line: &[u8], frame: usize) -> Option<(usize, String)> {
    let text = std::str::from_utf8(&line[..frame]).ok()?;
    if let Some(thrown) = thrown(text.trim()).filter(|thrown| thrown.class.contains('.')) {
        let _ = thrown;
        return Some((0, text.trim().to_owned()));
    }
    head::logged(text).map(|(at, _)| (at, text[at..].trim().to_owned()))
}

/// What stands above the first frame of a logged trace.
#[derive(Debug)]
pub struct Above {
    /// How many lines of the log it takes.
    pub count: usize,
    /// The exception and what follows it, the first line first.
    pub lines: Vec<String>,
}

/// What stands above a frame behind this prefix; the nearest line of the log comes first.
pub fn above(prefix: &Prefix, before: &[Vec<u8>]) -> Option<Above> {
    // The farthest exception that only causes and texts part from the frame: a chain has one line for each link.
    let texts: Vec<String> = before
        .iter()
        .map_while(|line| {
            let bare = prefix.strip(line).unwrap_or(line);
            std::str::from_utf8(bare).ok().map(|text| text.trim().to_owned())
        })
        .collect();
    let caused = |text: &str| text.starts_with("---> ");
    let said = |text: &str| thrown(text).is_some_and(|thrown| thrown.class.contains('.'));
    // Right above the frame a class may have any name.
    let named = |text: &str| head::thrown_by_runtime(text).is_some_and(|thrown| !thrown.message.is_empty());
    let mut lines = texts.iter().enumerate();
    let at = lines.position(|(at, text)| !caused(text) && (said(text) || at < TEXT_ABOVE && named(text)));
    if let Some(at) = at {
        return Some(Above { count: at + 1, lines: texts[..=at].iter().rev().cloned().collect() });
    }
    let inside = |(at, text): (usize, &String)| {
        let (start, _) = head::logged(text)?;
        Some((at, text[start..].to_owned()))
    };
    // The line above the causes, else the nearest one that names an exception at all.
    let outer = texts.iter().enumerate().find(|(_, text)| !caused(text)).and_then(inside);
    let inline = outer.or_else(|| texts.iter().enumerate().take(TEXT_ABOVE).find_map(inside));
    let (at, text) = inline.or_else(|| without_class(&texts))?;
    let below = texts[..at].iter().rev().cloned();
    Some(Above { count: at + 1, lines: std::iter::once(text).chain(below).collect() })
}

/// What a program said of an exception before it wrote the frames alone: `stock failed: Connection refused`.
fn without_class(texts: &[String]) -> Option<(usize, String)> {
    let text = without_stamps(texts.first()?);
    let says = text.contains(": ") && frames::frame(text.as_bytes()).is_none();
    let ordinary = Severity::of_line(text.as_bytes()) == Some(Severity::Info);
    (says && !ordinary).then(|| (0, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_behind_words_stands_above_what_caused_it() {
        let log = ["info: up", "stops: A.OuterException: x", " ---> A.InnerException: y"];
        let before: Vec<Vec<u8>> = log.iter().rev().map(|line| line.as_bytes().to_vec()).collect();
        let above = above(&Prefix::default(), &before).unwrap();
        assert_eq!(above.lines, ["A.OuterException: x", "---> A.InnerException: y"]);
    }
}
