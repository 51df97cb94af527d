//! Makes bytes from a log plain text: valid UTF-8, no terminal escapes, no control characters, nothing invisible.

use std::iter::Peekable;
use std::str::Chars;

const ESC: char = '\u{1b}';
const BEL: char = '\u{7}';
const STRING_TERMINATOR: char = '\u{9c}';
/// Longest control sequence that is believed, in characters. What is longer was made to swallow text: it stays.
const CONTROL_SEQUENCE: usize = 64;
/// Longest control string (window title, hyperlink) that is believed, in characters.
const CONTROL_STRING: usize = 4096;

/// Plain text from the bytes of a log: invalid UTF-8 becomes U+FFFD; terminal escapes, control characters (but `\n` and
/// `\t`), bidirectional overrides and invisible characters go; every kind of line end becomes `\n`.
pub(super) fn sanitise(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    if text.bytes().all(is_plain) {
        return text.into_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => plain.push(c),
            '\r' => carriage_return(&mut rest, &mut plain),
            // Unicode's own line ends.
            '\u{85}' | '\u{2028}' | '\u{2029}' => plain.push('\n'),
            ESC => escape(&mut rest),
            '\u{9b}' => control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => control_string(&mut rest),
            _ if c.is_control() || is_invisible(c) => {}
            _ => plain.push(c),
        }
    }
    plain
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}

/// `\r\n` is one line end. A lone `\r` (progress bars) would print over what stands before it: it becomes a line end too.
fn carriage_return(rest: &mut Peekable<Chars<'_>>, plain: &mut String) {
    while rest.next_if_eq(&'\r').is_some() {}
    if rest.peek() != Some(&'\n') {
        plain.push('\n');
    }
}

/// Characters that take no room or turn the text around, with which one text passes for another.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// After ESC: a control sequence, a control string, or a short escape such as `ESC ( B`.
fn escape(rest: &mut Peekable<Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            control_string(rest);
        }
        _ => short_escape(rest),
    }
}

fn short_escape(rest: &mut Peekable<Chars<'_>>) {
    let mut ahead = rest.clone();
    while ahead.next_if(|c| matches!(c, ' '..='/')).is_some() {}
    if ahead.next_if(|c| matches!(c, '0'..='~')).is_some() {
        *rest = ahead;
    }
}

/// Takes parameters, intermediates and the final character. A sequence without its end loses only its introducer, so
/// that no text can be hidden behind one.
fn control_sequence(rest: &mut Peekable<Chars<'_>>) {
    let mut ahead = rest.clone();
    for _ in 0..CONTROL_SEQUENCE {
        match ahead.next() {
            Some(' '..='?') => {}
            Some('@'..='~') => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

/// Takes everything up to BEL or the string terminator, on one line.
fn control_string(rest: &mut Peekable<Chars<'_>>) {
    let mut ahead = rest.clone();
    for _ in 0..CONTROL_STRING {
        match ahead.next() {
            Some(BEL | STRING_TERMINATOR) => {
                *rest = ahead;
                return;
            }
            Some(ESC) => {
                if ahead.next_if_eq(&'\\').is_some() {
                    *rest = ahead;
                }
                return;
            }
            // A line end, or a second introducer: the first one has no end.
            Some(c) if c.is_control() => return,
            Some(_) => {}
            None => return,
        }
    }
}
