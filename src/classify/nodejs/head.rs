//! The line that names an error: `TypeError: x is not a function`, `Error [ERR_X]: …`, `[cause]: Error: …`.

use crate::classify::text;

/// Longest text that is kept of an error, in bytes.
const TEXT_BYTES: usize = 4096;

/// An error as its line names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its class; empty for a value that is no error.
    pub class: String,
    /// Its code, from the brackets or from the property.
    pub code: String,
    /// Its text, the first line of it.
    pub message: String,
    /// The line as it stands there.
    pub line: String,
}

/// Ends of class names by which an error is known in the middle of a line.
const TYPICAL: [&str; 4] = ["Error", "Exception", "Rejection", "Fault"];

/// Words that stand before the class of an error that nobody caught.
const UNCAUGHT: [&str; 16] = [
    "error: Uncaught (in promise) ",
    "error: Uncaught ",
    "error: ",
    "Uncaught (in promise) ",
    "Uncaught exception: ",
    "Uncaught Exception: ",
    "Unhandled exception: ",
    "Unhandled Exception: ",
    "uncaughtException: ",
    "Uncaught ",
    "Unhandled rejection ",
    "Unhandled rejection: ",
    "Unhandled Rejection: ",
    "unhandledRejection: ",
    "Unhandled promise rejection: ",
    "Unhandled Promise Rejection: ",
];

/// Words of a sentence about an error, which are no class of JavaScript: the class follows.
const NO_CLASSES: [&str; 4] = ["Exception", "Rejection", "uncaughtException", "unhandledRejection"];

impl Head {
    /// Reads a line that is known to name an error.
    pub fn read(line: &[u8]) -> Self {
        let line = text::string(line[..line.len().min(TEXT_BYTES)].trim_ascii());
        // An error that holds itself.
        let line = line.strip_prefix("<ref *1> ").map_or(line.clone(), str::to_owned);
        let bare = UNCAUGHT.iter().find_map(|words| line.strip_prefix(words)).unwrap_or(&line);
        let bare = bare.strip_suffix(" {").unwrap_or(bare);
        // `[Error: x]` is an error without a stack.
        let bare =
            bare.strip_prefix('[').map_or(bare, |inner| inner.trim_end_matches([',', '{', ' ']).trim_end_matches(']'));
        let (class, code, message) = parts(bare).unwrap_or(("", "", bare));
        let named = line.starts_with("error: ") && !line.starts_with("error: Uncaught ");
        let class = if class.is_empty() && named { "Error" } else { class };
        Self { class: class.to_owned(), code: code.to_owned(), message: message.trim().to_owned(), line: line.clone() }
    }

    /// Finds the name of an error in a line, perhaps behind a prefix: where it starts.
    pub fn find(line: &[u8]) -> Option<usize> {
        let (start, _) = TYPICAL.iter().filter_map(|word| named(line, word)).min_by_key(|(_, end)| *end)?;
        let open = start - usize::from(start > 0 && line[start - 1] == b'[');
        let words = UNCAUGHT.iter().find(|words| line[..open].ends_with(words.as_bytes()));
        Some(open - words.map_or(0, |words| words.len()))
    }
}

/// Start and end of the first class in the line that ends with the word.
fn named(line: &[u8], word: &str) -> Option<(usize, usize)> {
    memchr::memmem::find_iter(line, word.as_bytes()).map(|at| at + word.len()).find_map(|end| {
        let rest = &line[end..];
        let ends = rest.is_empty()
            || rest.starts_with(b": ")
            || rest.starts_with(b" [")
            || rest == b":"
            || rest.starts_with(b"]");
        let start = line[..end].iter().rposition(|b| !is_name(*b)).map_or(0, |at| at + 1);
        let class = &line[start..end];
        let sentence =
            NO_CLASSES.iter().any(|word| word.as_bytes() == class) && Head::find(after_word(rest)) == Some(0);
        (ends && !sentence).then_some((start, end))
    })
}

/// What stands behind such a word: `: TypeError`, `:  TypeError`, `] TypeError`.
fn after_word(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"]")).unwrap_or_default().trim_ascii_start()
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte == b'.'
}

/// Class, code and text of `Error [ERR_X]: text`.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let end = line.bytes().position(|b| !is_name(b)).unwrap_or(line.len());
    let (class, rest) = line.split_at(end);
    let capital = class.rsplit('.').next()?.starts_with(|c: char| c.is_ascii_uppercase());
    let (code, rest) = match rest.strip_prefix(" [").and_then(|inner| inner.split_once(']')) {
        Some((code, rest)) => (code, rest),
        None => ("", rest),
    };
    let message = if rest.is_empty() { "" } else { rest.strip_prefix(':')? };
    let upper = class.bytes().all(|b| b.is_ascii_uppercase());
    (capital && !upper && !class.is_empty()).then_some((class, code, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_forms_are_read() {
        let cases = [
            ("TypeError: x is not a function", ("TypeError", "", "x is not a function")),
            ("AssertionError [ERR_ASSERTION]: no", ("AssertionError", "ERR_ASSERTION", "no")),
            ("AggregateError [ECONNREFUSED]: ", ("AggregateError", "ECONNREFUSED", "")),
            ("[AggregateError: All promises were rejected] {", ("AggregateError", "", "All promises were rejected")),
            ("error: Uncaught (in promise) TypeError: x", ("TypeError", "", "x")),
            ("error: boom", ("Error", "", "boom")),
            ("LaneClosed: lane 9", ("LaneClosed", "", "lane 9")),
            ("Error", ("Error", "", "")),
            ("<ref *1> Error: loop", ("Error", "", "loop")),
            ("boom", ("", "", "boom")),
            ("{ a: 1 }", ("", "", "{ a: 1 }")),
        ];
        for (line, (class, code, message)) in cases {
            let head = Head::read(line.as_bytes());
            assert_eq!(
                (head.class.as_str(), head.code.as_str(), head.message.as_str()),
                (class, code, message),
                "{line}"
            );
        }
    }

    #[test]
    fn an_error_is_found_behind_a_prefix() {
        let cases = [
            ("TypeError: x", Some(0)),
            ("2026-11-25T01:45:06.588Z error TypeError: x", Some(31)),
            ("web.1 | [AggregateError: x] {", Some(8)),
            ("error: Uncaught (in promise) TypeError: x", Some(0)),
            ("Unhandled Rejection: TypeError: x", Some(0)),
            ("2026-11-25 [ERROR] Uncaught Exception: RangeError: x", Some(19)),
            ("Unhandled Rejection: x", Some(10)),
            (" x unhandledRejection:  TypeError: x", Some(24)),
            ("[uncaughtException] TypeError: x", Some(20)),
            ("an Error occurred", None),
            ("ERROR: x", None),
        ];
        for (line, at) in cases {
            assert_eq!(Head::find(line.as_bytes()), at, "{line}");
        }
    }
}
