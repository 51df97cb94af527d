//! Small helpers over the bytes of a line.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

/// A line without terminal escapes, and without the carriage return and the byte order mark of Windows.
pub fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    match memchr(0x1b, line) {
        Some(first) => Cow::Owned(without_escapes(line, first)),
        None => Cow::Borrowed(line),
    }
}

fn without_escapes(line: &[u8], first: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    out.extend_from_slice(&line[..first]);
    let mut at = first;
    while at < line.len() {
        if line[at] == 0x1b {
            at += escape_len(&line[at..]);
        } else {
            out.push(line[at]);
            at += 1;
        }
    }
    out
}

/// Length of the escape sequence at the start: CSI (`ESC [ … letter`), OSC (`ESC ] … BEL` or `ESC \`), or two bytes.
fn escape_len(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        Some(b'[') => bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b)).map_or(bytes.len(), |end| end + 3),
        Some(b']') => bytes[2..].iter().position(|b| *b == 0x07 || *b == 0x1b).map_or(bytes.len(), |end| {
            let terminator = if bytes[end + 2] == 0x1b { 2 } else { 1 };
            (end + 2 + terminator).min(bytes.len())
        }),
        _ => bytes.len().min(2),
    }
}

/// Longest text that is searched by the first byte of the needle alone: a proper search costs more to set up than to go
/// over a line, and a line is searched for dozens of texts.
const SHORT_BYTES: usize = 256;

/// Position of `needle`, if it is there.
pub fn find(text: &[u8], needle: &str) -> Option<usize> {
    let needle = needle.as_bytes();
    match needle.first() {
        Some(first) if text.len() <= SHORT_BYTES => {
            memchr_iter(*first, text).find(|at| text[*at..].starts_with(needle))
        }
        _ => memmem::find(text, needle),
    }
}

/// Whether `needle` is there.
pub fn has(text: &[u8], needle: &str) -> bool {
    find(text, needle).is_some()
}

/// Nothing but white space.
pub fn blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

/// At most `limit` bytes of `text`, cut on a character border, with an ellipsis where something was cut.
pub fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub('…'.len_utf8());
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// At most the first `limit` bytes of `text`, cut on a character border.
pub fn upto(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// `digits` at the start, and what follows.
pub fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

/// The text as a string, invalid bytes replaced.
pub fn string(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_carriage_returns_go_and_nothing_else() {
        let cases: [(&[u8], &[u8]); 7] = [
            (b"plain", b"plain"),
            (b"\xef\xbb\xbfmarked", b"marked"),
            (b"\x1b[31mred\x1b[0m\r", b"red"),
            (b"\x1b]0;title\x07after", b"after"),
            (b"\x1b]8;;x\x1b\\after", b"after"),
            (b"cut \x1b[3", b"cut "),
            (b"bare \x1b", b"bare "),
        ];
        for (line, expected) in cases {
            assert_eq!(plain(line).as_ref(), expected);
        }
    }

    #[test]
    fn a_cut_keeps_whole_characters() {
        assert_eq!(cut("grüße", 7), "grüße");
        assert_eq!(cut("grüße", 6), "gr…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!((upto("grüße", 3), upto("ab", 7)), ("gr", "ab"));
    }
}
