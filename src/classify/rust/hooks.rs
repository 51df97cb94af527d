//! Panics as hooks other than the standard one write them: better-panic's files, the fields of tracing-panic.

use super::frames;
use crate::classify::stack::RawFrame;
use crate::classify::text;

/// The line above the frames that better-panic writes before the panic itself.
pub const FILES: &str = "Backtrace (most recent call first):";

/// `  File "src/silo.rs", line 17, in granary::silo::Silo::level`, as better-panic writes a frame.
pub fn file_frame(line: &[u8]) -> Option<RawFrame> {
    let line = std::str::from_utf8(line).ok()?;
    let (file, rest) = line.strip_prefix("  File \"")?.split_once("\", line ")?;
    let (number, symbol) = rest.split_once(", in ")?;
    let mut frame = frames::frame(symbol.trim());
    frames::set_place(&mut frame, file, number.parse().ok()?);
    Some(frame)
}

/// `in src/silo.rs, line 17`: where better-panic says that it happened.
pub fn report_place(line: &str) -> Option<(String, u32)> {
    let (file, number) = line.strip_prefix("in ")?.split_once(", line ")?;
    Some((file.to_owned(), number.trim().parse().ok()?))
}

/// The place and the text of a panic that a hook logged as fields: `panic.location="src/a.rs:3:5"`, with or without an
/// `Some(…)` around it.
pub fn fields(line: &[u8]) -> Option<((String, u32), String)> {
    let place = field(line, "panic.location=")?;
    let (file, number) = frames::location(&place)?;
    let text = field(line, "panic.payload=").or_else(|| field(line, "panic.message=")).unwrap_or_default();
    Some(((file.to_owned(), number), text))
}

/// The quoted value behind a field's name, without its escapes.
fn field(line: &[u8], name: &str) -> Option<String> {
    let at = text::find(line, name)? + name.len();
    let rest = text::string(&line[at..]);
    let rest = rest.strip_prefix("Some(").unwrap_or(&rest).strip_prefix('"')?;
    let mut value = String::new();
    let mut escaped = false;
    for c in rest.chars() {
        match c {
            _ if escaped => value.push(if c == 'n' { '\n' } else { c }),
            '"' => return Some(value),
            '\\' => {}
            c => value.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_fields_are_read() {
        let frame = file_frame(br#"  File "/app/src/silo.rs", line 17, in granary::silo::Silo::level"#).unwrap();
        assert_eq!((frame.function.as_str(), frame.line, frame.own), ("granary::silo::Silo::level", 17, true));
        assert!(!file_frame(br#"  File "rust:library/std/src/rt.rs", line 5, in std::rt::lang_start"#).unwrap().own);
        assert_eq!(report_place("in src/silo.rs, line 17"), Some(("src/silo.rs".to_owned(), 17)));
        let place = Some((("src/a.rs".to_owned(), 3), "called \"x\"\non a `None` value".to_owned()));
        let told = [
            r#"A panic occurred panic.payload="called \"x\"\non a `None` value" panic.location="src/a.rs:3:5""#,
            r#"oh panic.location=Some("src/a.rs:3:5") panic.payload=Some("called \"x\"\non a `None` value")"#,
        ];
        told.iter().for_each(|line| assert_eq!(fields(line.as_bytes()), place, "{line}"));
        assert_eq!(fields(b"panic.location=None"), None);
        assert_eq!(fields(b"panic.location=\"src/a.rs:3"), None);
    }
}
