//! What stands above the first frame of a trace that a logger wrote.

use super::header::{self, Thrown, unquoted};
use crate::classify::links::Link;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// What is thrown, above the first frame of a logged trace.
#[derive(Debug)]
pub struct Head {
    /// How many lines above the frame it stands, from 0.
    pub above: usize,
    class: String,
    message: String,
    /// Where it begins in its line.
    at: usize,
    /// It stands in the logger's own line.
    inline: bool,
}

impl Head {
    /// Finds it in the lines above a frame, the nearest first; `prefix` stands before the frame.
    pub fn find(prefix: &Prefix, before: &[Vec<u8>]) -> Option<Self> {
        let of = |above: usize, at: usize, thrown: Thrown<'_>, inline| Self {
            above,
            class: thrown.class.to_owned(),
            message: thrown.message.to_owned(),
            at,
            inline,
        };
        let pure = before.iter().enumerate().find_map(|(above, line)| {
            let unquoted = unquoted(line);
            let bare = prefix.strip(unquoted.as_deref().unwrap_or(line))?;
            // Tomcat's own formatter moves all of a trace in by a tab.
            let text = std::str::from_utf8(bare).ok()?.trim_start_matches('\t');
            let bare_text = text.strip_prefix("Caused by: ").unwrap_or(text);
            Some(of(above, 0, header::thrown(bare_text)?, false))
        });
        let inline = || {
            let lines = before.iter().enumerate().take(3);
            lines
                .filter_map(|(above, line)| header::logged(line).map(|(at, thrown)| of(above, at, thrown, true)))
                .next()
        };
        // A head further up is that of another trace where a nearer line names an exception.
        match (pure, inline()) {
            (Some(pure), Some(inline)) if inline.above < pure.above => Some(inline),
            (Some(pure), _) => Some(pure),
            (None, Some(inline)) => Some(inline),
            (None, None) => Self::without_class(prefix, before),
        }
    }

    /// What an exception says of itself without its class, between a logger's line and the frames.
    fn without_class(prefix: &Prefix, before: &[Vec<u8>]) -> Option<Self> {
        let record = before.iter().position(|line| is_record(prefix.strip(line).unwrap_or(line)))?;
        let above = (0..record).rev().find(|above| !text::blank(&before[*above]))?;
        let message = text::string(prefix.strip(&before[above])?.trim_ascii());
        Some(Self { above, class: String::new(), message, at: 0, inline: false })
    }

    /// The exception, with the lines between it and the frame as its text.
    pub fn link(&self, prefix: &Prefix, before: &[Vec<u8>]) -> Link {
        let head = &before[self.above];
        let mut link =
            Link::new(&self.class, &self.message, if self.inline { &head[self.at.min(head.len())..] } else { head });
        for line in before[..self.above].iter().rev() {
            let line = prefix.strip(line).unwrap_or(line);
            link.say(&text::string(line));
            link.quote(line);
        }
        link
    }

    /// The logger's line.
    pub fn title<'a>(&self, before: &'a [Vec<u8>]) -> Option<&'a [u8]> {
        let at = if self.inline { self.above } else { self.above + 1 };
        before[at.min(before.len())..].iter().map(Vec::as_slice).find(|line| !text::blank(line))
    }
}

/// A line that a logger began.
pub fn is_record(line: &[u8]) -> bool {
    let digits = line.iter().take(4).filter(|b| b.is_ascii_digit()).count();
    digits == 4 || line.starts_with(b"{") || line.starts_with(b"[2") || Severity::of_line(line).is_some()
}
