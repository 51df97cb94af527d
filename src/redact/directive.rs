//! Directives of servers and options of programs behind which a secret stands with nothing but a blank between them:
//! `requirepass x`, `stats auth admin:x`, `-setcookie x`, Redis' `user app on >x`.

use std::ops::Range;

use super::judge::{self, Place};
use super::key::Kind;
use super::spans::Spans;
use super::value::{Form, Value};

/// Most bytes between a variable's name and its value.
const GAP: usize = 8;
/// Longest word that is looked at, in bytes.
const WORD: usize = 512;

/// The word behind the directive.
pub(super) fn look(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    take(text, word(text, literal.end), true, spans);
}

/// The word behind an option, where no sentence stands: the word by which Erlang's nodes know each other.
pub(super) fn look_option(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    take(text, word(text, literal.end), false, spans);
}

/// The same word as a variable of the environment: `RELEASE_COOKIE=x`, `"ERLANG_COOKIE": "x"`.
pub(super) fn look_assigned(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let gap = |b: &&u8| matches!(b, b' ' | b'"' | b'\'' | b'=' | b':');
    let length = text[literal.end..].iter().take(GAP).take_while(gap).count();
    let signed = text[literal.end..literal.end + length].iter().any(|b| matches!(b, b'=' | b':'));
    if signed {
        take(text, word(text, literal.end + length), false, spans);
    }
}

/// The second word behind it: `sentinel auth-pass mymaster x`.
pub(super) fn look_second(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let first = word(text, literal.end);
    if text.get(first.end) == Some(&b' ') {
        take(text, word(text, first.end + 1), true, spans);
    }
}

/// A user and a password: `stats auth admin:x`.
pub(super) fn look_user_and_password(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let both = word(text, literal.end);
    if let Some(colon) = memchr::memchr(b':', &text[both.clone()]) {
        take(text, both.start + colon + 1..both.end, true, spans);
    }
}

/// A line that Redis quotes because of its first word, which may be misspelt: `>>> 'requirepas x'`.
pub(super) fn look_quoted_line(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let directive = word(text, literal.end);
    let name = text[directive.clone()].to_ascii_lowercase();
    let secret = [b"pas".as_slice(), b"auth"].iter().any(|part| memchr::memmem::find(&name, part).is_some());
    let line = text[directive.end..].iter().take(WORD).take_while(|b| **b != b'\n').count();
    let rest = &text[directive.end..directive.end + line];
    let end = directive.end + memchr::memrchr(b'\'', rest).unwrap_or(rest.len());
    if secret && end > directive.end + 1 {
        spans.add(directive.end + 1..end);
    }
}

/// Up to the next blank or quote.
fn word(text: &[u8], at: usize) -> Range<usize> {
    let ends = |b: &&u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`');
    at..at + text[at..].iter().take(WORD).take_while(|b| !ends(b)).count()
}

fn take(text: &[u8], word: Range<usize>, prose: bool, spans: &mut Spans<'_>) {
    let place = Place { kind: Kind::Certain, prose, field_start: true, source_line: false };
    let value = Value { range: word, form: Form::Bare };
    if judge::is_secret(text, &value, &place) {
        spans.add(value.range);
    }
}
