//! The lines with which PHP says what ends a program or a request.

use std::borrow::Cow;

use memchr::memmem;

use super::xdebug;
use crate::classify::text;

/// Who says it, which decides whether the process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// The program that runs from a command line: it has ended.
    Program,
    /// A server, of which only a request has ended.
    Request,
    /// A logger, through an exception that the program gave it.
    Logged,
    /// The program itself, which printed what it caught.
    Printed,
    /// A console of Symfony or Laravel, which ends after it.
    Console,
}

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where it begins in its line.
    pub at: usize,
    /// Who says it.
    pub voice: Voice,
    /// The class; empty for an error without an exception.
    pub class: String,
    /// The text; without the place, unless its end stands in a later line.
    pub message: String,
    /// The place, where the line names it.
    pub place: Option<(String, u32)>,
}

/// A line end as a logger spells it out.
const LINE_END: &[u8] = b"\\n";
/// How many `in` from the end are tried for the one before a place.
const PLACES: usize = 8;

/// Kinds of errors that end a program.
const FATAL: [&str; 6] = [
    "Fatal error: ",
    "Parse error: ",
    "Core error: ",
    "Compile error: ",
    "Recoverable fatal error: ",
    "Catchable fatal error: ",
];

/// Texts before a head which show that a server wrote it.
const SERVERS: [&str; 7] = [
    "PHP message: ",
    "FastCGI sent in stderr",
    "said into stderr",
    "said into stdout",
    "[client ",
    "[php:",
    "[proxy_fcgi:",
];

/// A line without the tags and the entities that `html_errors` adds.
pub fn untagged(line: &[u8]) -> Cow<'_, [u8]> {
    if let Some(line) = xdebug::untabled(line) {
        return Cow::Owned(untagged(&line).into_owned());
    }
    const MARKUP: [(&str, &str); 8] = [
        ("<b>", ""),
        ("</b>", ""),
        ("<br />", ""),
        ("&gt;", ">"),
        ("&lt;", "<"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&amp;", "&"),
    ];
    if !["<b>", "&gt;", "&quot;", "&#039;"].iter().any(|mark| text::has(line, mark)) {
        return Cow::Borrowed(line);
    }
    let text = MARKUP.iter().fold(text::string(line), |text, (mark, plain)| text.replace(mark, plain));
    Cow::Owned(text.into_bytes())
}

/// Reads a head.
pub fn head(line: &[u8]) -> Option<Head> {
    fatal(line).or_else(|| object(line))
}

/// `PHP Fatal error:  Uncaught A\B: text in /srv/a.php:12`, `Parse error: text in /srv/a.php on line 12`.
fn fatal(line: &[u8]) -> Option<Head> {
    let (found, kind) = FATAL.iter().find_map(|kind| Some((text::find(line, kind)?, *kind)))?;
    let start = if line[..found].ends_with(b"PHP ") { found - 4 } else { found };
    let free = start == 0 || matches!(line[start - 1], b' ' | b'\t' | b'"' | b']' | b'|');
    // PHP writes two blanks on stderr, one on stdout.
    let said = text::string(line[found + kind.len()..].trim_ascii());
    let server = SERVERS.iter().any(|words| text::has(&line[..start], words));
    let voice = if server { Voice::Request } else { Voice::Program };
    let (message, place) = split_place(&said);
    let (class, message) = match message.strip_prefix("Uncaught ") {
        Some(thrown) => split_class(thrown)?,
        None if kind == FATAL[1] => ("ParseError", message),
        None => ("", message),
    };
    let credible = line[..found].ends_with(b"PHP ") || !class.is_empty() || place.is_some();
    (free && credible).then(|| Head { at: start, voice, class: class.to_owned(), message: message.to_owned(), place })
}

/// Monolog: `[object] (A\B(code: 3): text at /srv/a.php:12)`.
fn object(line: &[u8]) -> Option<Head> {
    let line = lines_of(line).next()?;
    let at = text::find(line, "[object] (")?;
    let said = text::string(&line[at + b"[object] (".len()..]).replace("\\\\", "\\").replace("\\/", "/");
    let (class, rest) = said.split_once("(code: ")?;
    let rest = rest.split_once("): ")?.1;
    let (message, place) = thrown_at(rest).map_or((rest, None), |(message, place)| (message, Some(place)));
    // It stands in a string of JSON.
    let message = message.replace("\\\"", "\"");
    Some(Head { at, voice: Voice::Logged, class: class.to_owned(), message, place })
}

/// `text at /srv/a.php:12)`: the text and the place. Of a text of several lines only the last one has it.
pub fn thrown_at(said: &str) -> Option<(&str, (String, u32))> {
    let (message, place) = said.rsplit_once(" at ")?;
    let (file, line) = place.split_once(')')?.0.rsplit_once(':')?;
    Some((message, (file.to_owned(), line.parse().ok()?)))
}

/// The lines of a text that a logger wrote into one, with `\n` spelled out between them.
pub fn lines_of(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    const STARTS: [&[u8]; 3] = [b"[previous exception] ", b"[stacktrace]", b"#"];
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let starts = |at: &usize| STARTS.iter().any(|start| text[at + LINE_END.len()..].starts_with(start));
        let end = memmem::find_iter(text, LINE_END).find(starts);
        rest = end.map(|end| &text[end + LINE_END.len()..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// `A\B: text`, or the class alone; up to PHP 5 `exception 'A\B' with message 'text'`.
pub fn split_class(thrown: &str) -> Option<(&str, &str)> {
    if let Some((class, said)) = thrown.strip_prefix("exception '").and_then(|rest| rest.split_once('\'')) {
        let message = said.strip_prefix(" with message '").unwrap_or_default();
        return Some((class, message.strip_suffix('\'').unwrap_or(message)));
    }
    let end = thrown.find(|c: char| !c.is_alphanumeric() && !matches!(c, '\\' | '_' | '@')).unwrap_or(thrown.len());
    let (class, rest) = thrown.split_at(end);
    let message = if rest.is_empty() {
        ""
    } else {
        rest.strip_prefix(':').map(str::trim_start).or_else(|| rest.strip_prefix(" in "))?
    };
    (class.starts_with(|c: char| c.is_alphabetic() || c == '_')).then_some((class, message))
}

/// `text in /srv/a.php:12` or `text in /srv/a.php on line 12`: the text and the place.
pub fn split_place(said: &str) -> (&str, Option<(String, u32)>) {
    let place = |at: usize| {
        let rest = said[at + " in ".len()..].trim_end_matches('"');
        let (file, line) = rest.rsplit_once(" on line ").or_else(|| rest.rsplit_once(':'))?;
        let spaced = file.contains(' ') && !file.contains(".php");
        (!file.is_empty() && !spaced).then_some((file.to_owned(), line.trim().parse().ok()?))
    };
    let found = said.rmatch_indices(" in ").take(PLACES).find_map(|(at, _)| Some((at, place(at)?)));
    match found {
        Some((at, place)) => (&said[..at], Some(place)),
        None => (said, None),
    }
}

/// Symfony's and Laravel's console: `In VatTable.php line 14:`.
pub fn console(line: &[u8]) -> Option<(usize, (String, u32))> {
    let text = std::str::from_utf8(line.trim_ascii_end()).ok()?;
    let body = text.strip_suffix(':')?;
    let at = body.rfind("In ").filter(|at| *at == 0 || body.as_bytes()[at - 1] == b' ')?;
    let (file, line) = body[at + 3..].split_once(" line ")?;
    let plain = file.ends_with(".php") && !file.contains([' ', '/']);
    plain.then_some((at, (file.to_owned(), line.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_in_every_form() {
        let cases = [
            ("PHP Fatal error:  Uncaught Error: no in it in /srv/a.php:15", Voice::Program, "Error", "no in it", 15),
            ("Fatal error: Uncaught A\\B: x in /srv/a.php:3", Voice::Program, "A\\B", "x", 3),
            (
                "PHP Parse error:  syntax error, unexpected token \"}\" in /srv/a.php on line 10",
                Voice::Program,
                "ParseError",
                "syntax error, unexpected token \"}\"",
                10,
            ),
            (
                "PHP Fatal error:  Allowed memory size of 9 bytes exhausted (tried to allocate 2 bytes) in /srv/a.php on line 20",
                Voice::Program,
                "",
                "Allowed memory size of 9 bytes exhausted (tried to allocate 2 bytes)",
                20,
            ),
            ("[24-Nov-2026 04:25:57 UTC] PHP Fatal error:  Uncaught A: x in /srv/a.php:3", Voice::Program, "A", "x", 3),
            ("NOTICE: PHP message: PHP Fatal error:  Uncaught A: x in /srv/a.php:3", Voice::Request, "A", "x", 3),
            (
                "[24-Nov-2026 06:49:20] WARNING: [pool www] child 7 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  Uncaught A: x in /srv/a.php:3\"",
                Voice::Request,
                "A",
                "x",
                3,
            ),
            (
                "[x] depot.CRITICAL: stops {\"exception\":\"[object] (A\\\\B(code: 3): x at /srv/a.php:56)",
                Voice::Logged,
                "A\\B",
                "x",
                56,
            ),
        ];
        for (line, voice, class, message, number) in cases {
            let head = head(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((head.voice, head.class.as_str(), head.message.as_str()), (voice, class, message), "{line}");
            assert_eq!(head.place.map(|(_, line)| line), Some(number), "{line}");
        }
        for line in ["PHP Warning:  x in /srv/a.php on line 3", "Fatal error: connection lost", "git: Fatal error: x"] {
            assert_eq!(head(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn lines_that_a_logger_spelled_out_are_taken_apart() {
        let line = br"[object] (A(code: 0): x\ny at /a.php:3)\n[previous exception] [object] (B)\n#0 /a.php(3): f()";
        let lines: Vec<String> = lines_of(line).map(text::string).collect();
        let told =
            [r"[object] (A(code: 0): x\ny at /a.php:3)", "[previous exception] [object] (B)", "#0 /a.php(3): f()"];
        assert_eq!(lines, told);
    }

    #[test]
    fn tags_are_taken_out() {
        let line = b"<b>Fatal error</b>:  Uncaught Error: x in <b>/srv/a.php</b>:15";
        assert_eq!(head(&untagged(line)).unwrap().place.unwrap().1, 15);
    }

    #[test]
    fn the_place_of_a_console_is_read() {
        assert_eq!(console(b"In VatTable.php line 14:").unwrap().1, ("VatTable.php".to_owned(), 14));
        assert_eq!(console(b"In the line 14:"), None);
    }
}
