//! What the text of a panic holds: an error that was unwrapped brings its causes along.

use super::frames;
use super::kinds::{self, Kind};
use crate::classify::chain::weight;
use crate::classify::messages::{Messages, Voice};
use crate::classify::stack::RawFrame;

/// Most causes looked at.
const LINKS: usize = 32;

/// What stands before a cause that miette draws.
const DRAWN: [&str; 4] = ["╰─▶ ", "├─▶ ", "`-> ", "|-> "];

/// The text of a panic, taken apart: its first line, the causes that `{:?}` of anyhow, eyre and miette writes below it,
/// and where eyre says that the error was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    links: Vec<String>,
    /// Where the innermost error was made, if the text says so.
    pub place: Option<(String, u32)>,
}

impl Told {
    /// Takes a text apart.
    pub fn of(text: &str) -> Self {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim();
        // color-eyre has nothing but its numbered causes.
        let mut causes = first.ends_with(':');
        let mut told = Self { links: vec![first.to_owned()], place: None };
        for line in lines {
            match line.trim() {
                "" => {}
                "Location:" => causes = false,
                "Caused by:" => causes = true,
                inner => told.line(inner, causes && line.starts_with([' ', '\t'])),
            }
        }
        told
    }

    fn line(&mut self, inner: &str, cause: bool) {
        let numbered = inner.split_once(": ").filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
        let drawn = DRAWN.iter().find_map(|drawn| inner.strip_prefix(drawn));
        let link = drawn.or_else(|| cause.then(|| numbered.map_or(inner, |(_, link)| link)));
        match link {
            Some(link) if self.links.len() < LINKS => self.links.push(link.trim().to_owned()),
            Some(_) => {}
            None if self.place.is_none() => {
                self.place = frames::location(inner).map(|(file, line)| (file.to_owned(), line));
            }
            None => {}
        }
    }

    /// The link that says most, and what it means. `of_first` is the meaning of the first one.
    pub fn decisive(&self, of_first: Kind, messages: &Messages) -> (&str, Kind) {
        let first = self.links.first().map_or("", String::as_str);
        let meant = self.links.iter().skip(1).filter_map(|link| {
            let reason = kinds::of_value(link).or_else(|| Some(messages.meaning(link, Voice::LastWords)?.reason));
            Some((link.as_str(), reason?))
        });
        let heavier = meant.filter(|(_, reason)| weight(reason) > weight(&of_first.reason));
        match heavier.max_by_key(|(_, reason)| weight(reason)) {
            Some((link, reason)) => (link, Kind { reason, word: self.links.join(": ") }),
            None => (first, of_first),
        }
    }
}

/// The frames that tell where an error was made, where they lead to the user's code; else those of the panic.
pub fn frames_of(cause: Vec<RawFrame>, panic: &[RawFrame]) -> Vec<RawFrame> {
    if cause.iter().any(|frame| frame.own) { cause } else { panic.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::reason::UNWRAP_FAILED;

    #[test]
    fn the_causes_of_an_unwrapped_error_are_read() {
        let refused = "Connection refused (os error 111)";
        let cases = [
            // anyhow with one cause, with several; eyre, which says where; color-eyre, which numbers all; miette.
            (format!("x: connect\n\nCaused by:\n    {refused}"), refused, "ConnectionRefused", 0),
            (format!("x: a\n\nCaused by:\n    0: b\n    1: {refused}\n"), refused, "ConnectionRefused", 0),
            (
                format!("x: a\n\nCaused by:\n    {refused}\n\nLocation:\n    src/a.rs:7:3"),
                refused,
                "ConnectionRefused",
                7,
            ),
            (format!("x: \n   0: a\n   1: {refused}\n\nLocation:\n   src/a.rs:7"), refused, "ConnectionRefused", 7),
            (format!("x:   × load\n  ╰─▶ {refused}\n"), refused, "ConnectionRefused", 0),
            // A cause that means nothing leaves the panic what it is.
            ("x: a\n\nCaused by:\n    silo north is sealed".to_owned(), "x: a", "UnwrapFailed", 0),
            ("x: a\nmore of the text".to_owned(), "x: a", "UnwrapFailed", 0),
        ];
        for (text, message, reason, line) in cases {
            let told = Told::of(&text);
            let first = Kind { reason: UNWRAP_FAILED, word: String::new() };
            let (link, kind) = told.decisive(first, &Messages::default());
            assert_eq!((link, kind.reason.as_str()), (message, reason), "{text}");
            assert_eq!(told.place.as_ref().map_or(0, |(_, line)| *line), line, "{text}");
        }
    }
}
