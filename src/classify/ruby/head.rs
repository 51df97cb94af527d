//! The lines with which Ruby says what ends it.

use super::frames;
use crate::classify::finding::{Culprit, Frame};
use crate::classify::severity::reads_like_error;
use crate::classify::text;

/// Longest line that is looked at for a title.
const TITLE_BYTES: usize = 4096;

/// What was raised, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// The class.
    pub class: String,
    /// The first line of its text.
    pub message: String,
    /// The place, as the top frame.
    pub frame: Option<Frame>,
}

/// ``app.rb:3:in `rate': text (KeyError)``, with or without text; `ruby: text (LoadError)`; `app.rb:6: text (SyntaxError)`.
pub fn raised(line: &[u8]) -> Option<Raised> {
    let line = line.trim_ascii_end();
    if let Some((frame, rest)) = frames::place(line) {
        let said = text::string(rest.strip_prefix(b": ")?);
        let (message, class) = split_class(&said)?;
        return Some(Raised { class: class.to_owned(), message: message.to_owned(), frame: Some(frame) });
    }
    unplaced(std::str::from_utf8(line).ok()?)
}

/// Where no method is known: the interpreter itself, or a source that does not parse.
fn unplaced(line: &str) -> Option<Raised> {
    const CLASSES: [&str; 6] = ["LoadError", "NoMemoryError", "SyntaxError", "RuntimeError", "SecurityError", "fatal"];
    let (program, rest) = line.split_once(": ")?;
    if program.contains([' ', '\t', '[']) || program.is_empty() {
        return None;
    }
    if rest.starts_with("syntax error") && program.contains(':') {
        let message = rest.strip_suffix(" (SyntaxError)").unwrap_or(rest);
        return Some(Raised { class: "SyntaxError".into(), message: format!("{program}: {message}"), frame: None });
    }
    let (message, class) = split_class(rest).filter(|(message, _)| !message.is_empty())?;
    let interpreter = program.ends_with("ruby") || program.ends_with(".rb") || program == "-e";
    (interpreter && CLASSES.contains(&class)).then(|| Raised {
        class: class.to_owned(),
        message: message.to_owned(),
        frame: None,
    })
}

/// `text (A::B)`, or `A::B` alone where there is no text.
fn split_class(said: &str) -> Option<(&str, &str)> {
    if let Some((message, class)) = said.strip_suffix(')').and_then(|said| said.rsplit_once(" (")) {
        return is_class(class).then_some((message, class));
    }
    match said {
        "unhandled exception" => Some((said, "RuntimeError")),
        _ => (is_class(said) && said != "fatal").then_some(("", said)),
    }
}

/// A constant: parts that begin with a capital, joined by `::`. A deadlock's class is called `fatal`.
pub fn is_class(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_uppercase()) && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text == "fatal" || text.split("::").all(part)
}

/// `A::B: text` or `text (A::B)`, above a backtrace that a program printed; a logger's words may stand before it.
pub fn titled(line: &str) -> Option<(String, String)> {
    let line = text::upto(line, TITLE_BYTES).trim().trim_end_matches(':');
    if let Some((message, class)) = line.strip_suffix(')').and_then(|line| line.rsplit_once(" ("))
        && is_class(class)
        && names_error(class)
    {
        let message = message.rsplit_once(" -- : ").map_or(message, |(_, message)| message);
        return Some((class.to_owned(), message.trim().to_owned()));
    }
    // Rails turns it round: `NoMethodError (undefined method …)`.
    if let Some((class, message)) = line.strip_suffix(')').and_then(|line| line.split_once(" ("))
        && let Some(class) = class.rsplit(' ').next().filter(|class| is_class(class) && names_error(class))
    {
        return Some((class.to_owned(), message.to_owned()));
    }
    let starts = std::iter::once(0).chain(line.match_indices(' ').map(|(at, _)| at + 1).take(64));
    starts.filter_map(|at| line.get(at..)).find_map(|rest| {
        let (class, message) = rest.split_once(": ")?;
        // `Exception: NoMethodError: text` of semantic_logger: a word before the class.
        let word = class == "Exception" && leading(message).is_some();
        // `Error: text` is no class of Ruby's.
        let word = word || class == "Error";
        (is_class(class) && names_error(class) && !word).then(|| (class.to_owned(), message.trim().to_owned()))
    })
}

/// Texts that Ruby itself words, with their class: where a program printed the text alone, that is lost.
const TEXTS: [(&str, &str); 13] = [
    ("undefined method ", "NoMethodError"),
    ("undefined local variable or method ", "NameError"),
    ("uninitialized constant ", "NameError"),
    ("key not found: ", "KeyError"),
    ("divided by 0", "ZeroDivisionError"),
    ("wrong number of arguments (", "ArgumentError"),
    ("no implicit conversion ", "TypeError"),
    ("can't modify frozen ", "FrozenError"),
    ("stack level too deep", "SystemStackError"),
    ("cannot load such file -- ", "LoadError"),
    ("Connection refused - ", "Errno::ECONNREFUSED"),
    ("No such file or directory @ ", "Errno::ENOENT"),
    ("execution expired", "Timeout::Error"),
];

/// The text that a program printed above a backtrace without its class, and the class that it is known by: empty where the
/// line only reads like an error.
pub fn untitled(line: &str) -> Option<(String, String)> {
    let line = line.split_once(" -- : ").map_or(line, |(_, said)| said).trim();
    let said = line.strip_prefix("Error: ").unwrap_or(line);
    let worded = |text: &str| said.find(text).filter(|at| *at == 0 || said[..*at].ends_with(": "));
    if let Some((_, class)) = TEXTS.iter().find(|(text, _)| worded(text).is_some()) {
        return Some(((*class).to_owned(), said.to_owned()));
    }
    reads_like_error(said.as_bytes()).then(|| (String::new(), said.to_owned()))
}

/// A class and nothing else at the end of a line: its text stands below.
pub fn trailing(line: &str) -> Option<&str> {
    let class = line.trim_end().rsplit(' ').next()?;
    (is_class(class) && names_error(class)).then_some(class)
}

/// `A::B: text` at the start of a line.
pub fn leading(line: &str) -> Option<(String, String)> {
    let (class, message) = line.trim_end().split_once(": ").unwrap_or((line.trim_end(), ""));
    (is_class(class) && names_error(class)).then(|| (class.to_owned(), message.to_owned()))
}

/// A logger's `INFO: text` names no class; errors mostly say that they are.
fn names_error(class: &str) -> bool {
    let says = ["Error", "Exception", "Invalid", "NotFound", "Failed", "Timeout", "Missing", "Exhausted"];
    class.contains("::") || matches!(class, "Interrupt" | "fatal") || says.iter().any(|word| class.contains(word))
}

/// The source that does not parse, which the text names: `/srv/a.rb:6: syntax error…`.
pub fn unparsed(message: &str) -> Option<Culprit> {
    let at = message.find(": syntax error")?;
    let place = message[..at].rsplit([' ', '\n']).next()?;
    let (file, line) = place.rsplit_once(':')?;
    Some(Culprit { function: None, file: Some(file.to_owned()), line: line.parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_raised_is_read_in_every_form() {
        let cases = [
            ("app.rb:3:in `rate': key not found: \"CHF\" (KeyError)", "KeyError", "key not found: \"CHF\"", true),
            ("app.rb:3:in 'Shop::Ledger#rate': boom (Shop::Error)", "Shop::Error", "boom", true),
            ("app.rb:3:in `rate': Shop::Error", "Shop::Error", "", true),
            ("app.rb:3:in `rate': unhandled exception", "RuntimeError", "unhandled exception", true),
            (
                "ruby: No such file or directory -- /app/x.rb (LoadError)",
                "LoadError",
                "No such file or directory -- /app/x.rb",
                false,
            ),
            ("app.rb: failed to allocate memory (NoMemoryError)", "NoMemoryError", "failed to allocate memory", false),
            (
                "app.rb:6: syntax error, unexpected end-of-input",
                "SyntaxError",
                "app.rb:6: syntax error, unexpected end-of-input",
                false,
            ),
            ("app.rb:3:in `sleep': Interrupt", "Interrupt", "", true),
        ];
        for (line, class, message, placed) in cases {
            let raised = raised(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (raised.class.as_str(), raised.message.as_str(), raised.frame.is_some()),
                (class, message, placed)
            );
        }
        for line in [
            "app.rb:3:in `rate': warning: old hash",
            "\tfrom app.rb:3:in `rate'",
            "INFO: done (Fine)",
            "W, [x] x: y (LoadError)",
        ] {
            assert_eq!(raised(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn titles_above_a_printed_backtrace_are_read() {
        let cases = [
            (
                "F, [2026-11-24T05:15:17 #1] FATAL -- : cannot close (Depot::ShelfError)",
                Some(("Depot::ShelfError", "cannot close")),
            ),
            ("PG::ConnectionBad: connection refused", Some(("PG::ConnectionBad", "connection refused"))),
            (
                "F, [2026 #1] FATAL -- : NoMethodError (undefined method `x' for nil):",
                Some(("NoMethodError", "undefined method `x' for nil")),
            ),
            ("x F [1:main] Ferry -- stops -- Exception: NoMethodError: no x", Some(("NoMethodError", "no x"))),
            ("INFO: all is well", None),
        ];
        for (line, expected) in cases {
            let titled = titled(line);
            assert_eq!(titled.as_ref().map(|(class, message)| (class.as_str(), message.as_str())), expected, "{line}");
        }
    }

    #[test]
    fn a_text_without_its_class_is_known_by_its_words() {
        let cases = [
            ("key not found: \"Z9\"", Some(("KeyError", "key not found: \"Z9\""))),
            ("Error: divided by 0", Some(("ZeroDivisionError", "divided by 0"))),
            (
                "F, [x #1] FATAL -- : boot: undefined method `x' for nil",
                Some(("NoMethodError", "boot: undefined method `x' for nil")),
            ),
            ("cannot board: lane 4 is closed", Some(("", "cannot board: lane 4 is closed"))),
            ("Completed 200 OK in 9ms", None),
        ];
        for (line, expected) in cases {
            let read = untitled(line);
            assert_eq!(read.as_ref().map(|(class, text)| (class.as_str(), text.as_str())), expected, "{line}");
        }
        assert_eq!(trailing("F, [x #1] FATAL -- : Shop::RateError"), Some("Shop::RateError"));
        assert_eq!(trailing("all went well"), None);
    }

    #[test]
    fn the_source_that_does_not_parse_is_named() {
        let culprit = unparsed("/srv/a.rb:6: syntax error, unexpected end").unwrap();
        assert_eq!((culprit.file.as_deref(), culprit.line), (Some("/srv/a.rb"), Some(6)));
        assert_eq!(unparsed("no"), None);
    }
}
