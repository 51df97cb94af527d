//! The lines with which a .NET trace begins: who says it, and what was thrown.

use crate::classify::text;

/// Longest name of a class.
const CLASS_BYTES: usize = 512;
/// What parts an exception from the one that caused it.
pub const CAUSED: &str = " ---> ";

/// An exception's class and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thrown<'a> {
    /// The class with its namespace.
    pub class: &'a str,
    /// The rest of the line.
    pub message: &'a str,
}

/// Who begins a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// `Unhandled exception. System.X: text`; the exception may stand in the next line.
    Unhandled,
    /// Mono's repetition, `[ERROR] FATAL UNHANDLED EXCEPTION: `.
    Repeated,
    /// The runtime's own last words: `Process terminated. text`, `Stack overflow.`, `Fatal error. text`.
    Words,
}

/// How heads begin, and who begins so.
static HEADS: [(&str, Voice); 9] = [
    ("[ERROR] FATAL UNHANDLED EXCEPTION: ", Voice::Repeated),
    ("Unhandled exception. ", Voice::Unhandled),
    ("Unhandled Exception: ", Voice::Unhandled),
    ("Unhandled Exception:", Voice::Unhandled),
    ("Process terminated. ", Voice::Words),
    ("Process terminated.", Voice::Words),
    ("Fatal error. ", Voice::Words),
    // .NET 9 and later write what is the matter into the next line.
    ("Fatal error.", Voice::Words),
    ("CLR: Managed code called FailFast, saying ", Voice::Words),
];

/// Heads that are a line of their own.
static WHOLE: [&str; 2] = ["Stack overflow.", "Out of memory."];

/// Where a head begins in a line, who says it, and where what it says begins.
pub fn head(line: &[u8]) -> Option<(usize, Voice, usize)> {
    let free = |at: &usize| *at == 0 || matches!(line[*at - 1], b' ' | b'\t' | b']' | b'|' | b'"');
    for (words, voice) in &HEADS {
        if let Some(at) = text::find(line, words).filter(free) {
            let mut rest = at + words.len();
            // Two threads ended at once: both begin before either goes on.
            while line[rest..].starts_with(words.as_bytes()) {
                rest += words.len();
            }
            // Without a blank behind it nothing else may stand in the line.
            let whole = words.ends_with(' ') || text::blank(&line[rest..]);
            return whole.then_some((at, *voice, rest));
        }
    }
    WHOLE.iter().find_map(|words| {
        // Dart's virtual machine says of itself `freelist.cc: 100: error: Out of memory.`
        let at = text::find(line, words).filter(free).filter(|at| !line[..*at].ends_with(b": error: "))?;
        text::blank(&line[at + words.len()..]).then_some((at, Voice::Words, at))
    })
}

/// `System.X: text`, `System.X (111): text`, `System.X`, ``System.X`1[System.String]: text``; a class that is called an
/// exception or an error.
pub fn thrown(text: &str) -> Option<Thrown<'_>> {
    named(text).filter(|thrown| is_called_error(thrown.class))
}

/// The same with any class that lies in a namespace or in another class: the runtime says that it was thrown.
pub fn thrown_by_runtime(text: &str) -> Option<Thrown<'_>> {
    named(text).filter(|thrown| is_called_error(thrown.class) || thrown.class.contains(['.', '+']))
}

/// A class at the start of a text, and what follows it.
fn named(text: &str) -> Option<Thrown<'_>> {
    let end = text.bytes().position(|b| !is_class_byte(b)).unwrap_or(text.len());
    let class = &text[..end];
    let mut rest = text[end..].trim_end();
    if rest.starts_with('[') {
        rest = &rest[rest.find("]:").map_or(rest.len(), |close| close + 1)..];
    }
    if let Some(code) = rest.strip_prefix(" (") {
        rest = code.split_once(')').filter(|(code, _)| !code.contains(' ') || code.contains(", "))?.1;
    }
    let message = if rest.is_empty() { "" } else { rest.strip_prefix(':')? };
    is_class(class).then_some(Thrown { class, message: message.trim() })
}

fn is_class_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'`' | b'+') || byte >= 0x80
}

fn is_class(class: &str) -> bool {
    let parts = class.split(['.', '+']).all(|part| part.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    parts && class.len() <= CLASS_BYTES
}

fn is_called_error(class: &str) -> bool {
    let name = class.rsplit(['.', '+']).next().unwrap_or_default();
    name.contains("Exception") || name.ends_with("Error") || name.ends_with("Fault")
}

/// The first exception that a logger's line names: `[FTL] Host terminated unexpectedly System.X: text`.
pub fn logged(line: &str) -> Option<(usize, Thrown<'_>)> {
    // NLog parts its columns by bars.
    let starts = line.match_indices([' ', '|']).map(|(at, _)| at + 1).take(200);
    starts.filter(|at| line.as_bytes().get(*at).is_some_and(u8::is_ascii_alphabetic)).find_map(|at| {
        let thrown = thrown(&line[at..]).filter(|thrown| thrown.class.contains('.'))?;
        Some((at, thrown))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_read_in_every_form() {
        let cases = [
            ("System.Exception: boom", Some(("System.Exception", "boom"))),
            (
                "System.Net.Sockets.SocketException (111): Connection refused",
                Some(("System.Net.Sockets.SocketException", "Connection refused")),
            ),
            (
                "System.Net.Sockets.SocketException (00000001, 11): Later",
                Some(("System.Net.Sockets.SocketException", "Later")),
            ),
            ("Npgsql.PostgresException (0x80004005): 28P01: no", Some(("Npgsql.PostgresException", "28P01: no"))),
            ("StackOverflowException", Some(("StackOverflowException", ""))),
            (
                "Confluent.Kafka.ProduceException`2[System.String,System.String]: Local: Message timed out",
                Some(("Confluent.Kafka.ProduceException`2", "Local: Message timed out")),
            ),
            ("Acme.Shelf: started", None),
            ("System.Exception handling is on", None),
        ];
        for (line, expected) in cases {
            assert_eq!(thrown(line).map(|t| (t.class, t.message)), expected, "{line}");
        }
    }

    #[test]
    fn what_the_runtime_calls_thrown_may_have_any_name() {
        let cases = [
            (
                "Acme.Domain+OutOfStock: OutOfStock (\"A-7\", 3)",
                Some(("Acme.Domain+OutOfStock", "OutOfStock (\"A-7\", 3)")),
            ),
            ("Acme.ShelfSealed: 7", Some(("Acme.ShelfSealed", "7"))),
            ("Shelf: 7", None),
            ("it is 10.30: late", None),
        ];
        for (line, expected) in cases {
            assert_eq!(thrown_by_runtime(line).map(|t| (t.class, t.message)), expected, "{line}");
        }
        assert_eq!(logged("2026|ERROR|Acme|stops|System.Exception: x").unwrap().1.message, "x");
    }

    #[test]
    fn heads_tell_who_says_it() {
        let cases = [
            ("Unhandled exception. System.X: y", Some((0, Voice::Unhandled, 21))),
            ("Unhandled Exception:", Some((0, Voice::Unhandled, 20))),
            ("Unhandled exception. Unhandled exception. System.X: y", Some((0, Voice::Unhandled, 42))),
            ("[ERROR] FATAL UNHANDLED EXCEPTION: System.X: y", Some((0, Voice::Repeated, 35))),
            ("Process terminated. Assertion failed.", Some((0, Voice::Words, 20))),
            ("2026 Stack overflow.", Some((5, Voice::Words, 5))),
            ("Stack overflow. It was a question site", None),
            ("Process terminated by user", None),
        ];
        for (line, expected) in cases {
            assert_eq!(head(line.as_bytes()), expected, "{line}");
        }
    }
}
