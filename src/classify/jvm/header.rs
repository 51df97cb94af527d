//! The lines with which a JVM trace begins: a class, and what it says.

use crate::classify::text;

/// Longest name of a class.
const CLASS_BYTES: usize = 256;
/// What the JVM writes before the trace that ends a thread.
pub const THREAD: &str = "Exception in thread \"";

/// A class and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thrown<'a> {
    /// The class with its package.
    pub class: &'a str,
    /// The rest of the line.
    pub message: &'a str,
}

/// `Exception in thread "main" java.lang.Error: text`: where it begins, the thread, and what ended it.
pub fn in_thread(line: &[u8]) -> Option<(usize, String, Thrown<'_>)> {
    let at = text::find(line, THREAD)?;
    let rest = std::str::from_utf8(&line[at + THREAD.len()..]).ok()?;
    // A name may hold quotes: the one that a class follows ends it.
    let classed = rest.match_indices("\" ").take(8).find_map(|(end, _)| Some((end, thrown(&rest[end + 2..])?)));
    // An exception may say what it likes of itself: SnakeYAML's leave their class out.
    let (end, thrown) = classed.or_else(|| {
        let (name, said) = rest.split_once("\" ")?;
        (!said.trim().is_empty()).then_some((name.len(), Thrown { class: "", message: said.trim_end() }))
    })?;
    let free = at == 0 || !line[at - 1].is_ascii_alphanumeric();
    free.then(|| (at, rest[..end].to_owned(), thrown))
}

/// `java.lang.Error: text`, `java.lang.Error`, with `*`, `-` or a thread's words before it nowhere.
pub fn thrown(text: &str) -> Option<Thrown<'_>> {
    // Some loggers put a hash of the stack before the class: `<#1a2b3c4d> java.lang.Error: text`.
    let text = text.strip_prefix("<#").and_then(|hash| hash.split_once("> ")).map_or(text, |(_, text)| text);
    let end = text.bytes().position(|b| !is_class_byte(b)).unwrap_or(text.len());
    let class = &text[..end];
    let rest = text[end..].trim_end();
    // A SAXParseException says where before what: `…SAXParseException; systemId: file:/a.xml; lineNumber: 7; …`.
    let placed = rest.strip_prefix(';').filter(|_| class.ends_with(".SAXParseException"));
    let message = match placed.or_else(|| rest.strip_prefix(':')) {
        _ if rest.is_empty() => "",
        message => message.filter(|message| message.is_empty() || message.starts_with(' '))?,
    };
    is_class(class).then_some(Thrown { class, message: message.trim_start() })
}

/// The last class of an error in a line of a logger: `… threw java.lang.Error: text`.
pub fn logged(line: &[u8]) -> Option<(usize, Thrown<'_>)> {
    let text = std::str::from_utf8(line).ok()?;
    // A pair's value begins with a quote: `cause="java.lang.Error: text`.
    let starts = text.match_indices([' ', '"']).map(|(at, _)| at + 1).take(200);
    starts.filter(|at| text.as_bytes().get(*at).is_some_and(u8::is_ascii_alphabetic)).find_map(|at| {
        let value = text[..at].ends_with("=\"");
        let thrown = thrown(&text[at..]).filter(|thrown| thrown.class.contains('.'))?;
        (value || is_error(thrown.class)).then_some((at, thrown))
    })
}

fn is_class_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$') || byte >= 0x80
}

/// A class with a package, or one that is called an error.
fn is_class(class: &str) -> bool {
    let name = class.rsplit('.').next().unwrap_or_default();
    let upper = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_' || c == '$');
    let parts = class.split('.').all(|part| !part.is_empty() && !part.starts_with(|c: char| c.is_ascii_digit()));
    upper && parts && class.len() <= CLASS_BYTES && (class.contains('.') || is_error(class))
}

/// Whether the name says that it is an error.
pub fn is_error(class: &str) -> bool {
    ["Exception", "Error", "Throwable", "Failure", "Fault"].iter().any(|word| class.contains(word))
}

/// A line inside of a pretty-printed array of a JSON record, `"\tat a.B.c(B.java:1)",`: its text.
pub fn unquoted(line: &[u8]) -> Option<Vec<u8>> {
    let inner = line.trim_ascii().strip_prefix(b"\"")?;
    let end = inner.iter().rposition(|b| *b == b'"')?;
    if !inner[end + 1..].iter().all(|b| b",]} ".contains(b)) {
        return None;
    }
    let mut out = Vec::with_capacity(end);
    let mut bytes = inner[..end].iter();
    while let Some(&byte) = bytes.next() {
        out.push(match (byte, byte == b'\\') {
            (_, true) => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b' ',
                Some(other) => *other,
                None => break,
            },
            (byte, false) => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_in_every_form() {
        let cases = [
            ("java.lang.Error: boom", Some(("java.lang.Error", "boom"))),
            ("java.lang.Error", Some(("java.lang.Error", ""))),
            (
                "org.xml.sax.SAXParseException; systemId: file:/a",
                Some(("org.xml.sax.SAXParseException", "systemId: file:/a")),
            ),
            ("java.lang.Error; x", None),
            ("<#1a2b3c4d> java.lang.Error: boom", Some(("java.lang.Error", "boom"))),
            ("java.lang.Error: ", Some(("java.lang.Error", ""))),
            ("BoomException: x", Some(("BoomException", "x"))),
            ("com.acme.Main$Boom: a: b", Some(("com.acme.Main$Boom", "a: b"))),
            ("com.acme.Main - started", None),
            ("Hello: world", None),
            ("com.acme: x", None),
            ("127.0.0.1: x", None),
        ];
        for (line, expected) in cases {
            assert_eq!(thrown(line).map(|t| (t.class, t.message)), expected, "{line}");
        }
    }

    #[test]
    fn the_thread_that_ended_is_named() {
        let line = br#"x Exception in thread "pool "a" 1" java.lang.Error: say "hi" twice"#;
        let (at, thread, thrown) = in_thread(line).unwrap();
        assert_eq!((at, thread.as_str(), thrown.class), (2, "pool \"a\" 1", "java.lang.Error"));
        assert!(in_thread(b"Exception in thread \"main\" ").is_none());
        let (_, thread, thrown) = in_thread(b"Exception in thread \"main\" while parsing a block").unwrap();
        assert_eq!((thread.as_str(), thrown.class, thrown.message), ("main", "", "while parsing a block"));
    }

    #[test]
    fn a_class_is_found_in_the_line_of_a_logger() {
        let line = b"2026-11-24 SEVERE [main] a.b.C.invoke threw exception java.lang.NullPointerException: x";
        assert_eq!(logged(line).unwrap().1.message, "x");
        assert_eq!(logged(b"2026-11-24 INFO com.acme.Main - error rate: 3"), None);
        let pair = b"level=ERROR thread=#zio-fiber-1 message=\"\" cause=\"com.acme.Cart$Gone: Gone(A-7)";
        assert_eq!(logged(pair).unwrap().1.class, "com.acme.Cart$Gone");
    }

    #[test]
    fn lines_of_a_json_array_are_unquoted() {
        assert_eq!(unquoted(br#"	"\tat a.B.c(B.java:1)","#).unwrap(), b"\tat a.B.c(B.java:1)");
        assert_eq!(unquoted(br#"	"a \"b\""]}"#).unwrap(), b"a \"b\"");
        assert_eq!(unquoted(br#""a" is b"#), None);
    }
}
