//! Credentials behind an authentication scheme: `Bearer …`, `Basic …`, whole `Authorization` headers.

use std::ops::Range;

use super::spans::Spans;
use super::value::{self, Form, Value};

/// Schemes whose credential is one word.
const ONE_WORD: &[&str] = &[
    "bearer",
    "basic",
    "token",
    "negotiate",
    "ntlm",
    "apikey",
    "api-key",
    "key",
    "jwt",
    "sharedkey",
    "splunk",
    "genie",
];
/// Schemes whose credential is a list of parameters.
const PARAMETERS: &[&str] = &[
    "digest",
    "oauth",
    "hawk",
    "signature",
    "aws4-hmac-sha256",
    "credential",
    "sharedkeylite",
    "sharedaccesssignature",
    "dpop",
];
/// Longest header looked at, in bytes: servers refuse longer ones.
pub(super) const HEADER: usize = 8192;
/// Fewest characters of a bearer token outside a header: `bearer token is invalid` has no secret in it.
const BEARER: usize = 8;
/// Longest text decoded, in bytes: what tells user and password apart stands near its beginning.
const LOOK: usize = 256;
/// Length from which a bearer token needs no digit.
const LONG_BEARER: usize = 24;

/// The credential in an `Authorization` value; `None` where no known scheme starts it.
pub(super) fn credential(text: &[u8], value: &Value) -> Option<Range<usize>> {
    let end = match value.form {
        Form::Bare => value::line_end(&text[..text.len().min(value.range.start + HEADER)], value.range.start),
        _ => value.range.end,
    };
    let header = &text[value.range.start..end];
    let blank = header.iter().take(32).position(|b| *b == b' ')?;
    let scheme = &header[..blank];
    let is_one_of = |schemes: &[&str]| schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()));
    let start = value.range.start + blank + 1;
    if is_one_of(PARAMETERS) {
        return Some(start..end);
    }
    is_one_of(ONE_WORD).then(|| start..if value.form == Form::Bare { value::bare_end(text, start) } else { end })
}

/// `Bearer x` anywhere.
pub(super) fn look_bearer(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let token = word(text, literal.end, |b| b.is_ascii_alphanumeric() || b"-._~+/:|".contains(&b));
    let bytes = &text[token.clone()];
    if bytes.len() >= LONG_BEARER || bytes.len() >= BEARER && bytes.iter().any(u8::is_ascii_digit) {
        let padding = text[token.end..].iter().take_while(|b| **b == b'=').count();
        spans.add(token.start..token.end + padding);
    }
}

/// `Basic x` anywhere, where `x` decodes to a user and a password.
pub(super) fn look_basic(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let token = word(text, literal.end, |b| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b));
    if is_user_and_password(&text[token.clone()]) {
        spans.add(token);
    }
}

/// SMTP and IMAP: `AUTH PLAIN x`, where `x` decodes to user and password between NULs.
pub(super) fn look_auth_plain(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let token = word(text, literal.end, |b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    if decode(&text[token.start..token.end.min(token.start + LOOK)]).iter().filter(|b| **b == 0).count() == 2 {
        spans.add(token);
    }
}

fn word(text: &[u8], start: usize, is_part: impl Fn(u8) -> bool) -> Range<usize> {
    start..start + text[start..].iter().take_while(|b| is_part(**b)).count()
}

/// Whether base64 text decodes to printable text with a colon in it.
pub(super) fn is_user_and_password(base64: &[u8]) -> bool {
    let decoded = decode(&base64[..base64.len().min(LOOK)]);
    decoded.len() >= 3 && decoded.contains(&b':') && decoded.iter().all(|b| !b.is_ascii_control())
}

fn decode(base64: &[u8]) -> Vec<u8> {
    let sextets: Vec<u32> = base64.iter().map_while(|b| sextet(*b)).collect();
    let octets = sextets.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().enumerate().fold(0, |bits, (at, sextet)| bits | sextet << (18 - 6 * at));
        let bytes = bits.to_be_bytes();
        (1..chunk.len()).map(move |at| bytes[at])
    });
    octets.collect()
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_user_and_password_is_told_from_a_word() {
        assert!(is_user_and_password(b"Ym9iOmh1bnRlcjI="));
        assert!(is_user_and_password(b"YTpi"));
        assert!(!is_user_and_password(b"authentication"));
        assert!(!is_user_and_password(b"Auth"));
    }
}
