//! Private key blocks, whole or cut, on many lines or on one with `\n` written out.

use std::ops::Range;

use super::spans::Spans;

/// Longest label of a block, in bytes: `ENCRYPTED PRIVATE KEY`, `PGP PRIVATE KEY BLOCK`.
const LABEL: usize = 48;
/// Longest key looked at, in bytes: RSA of 16384 bits has about 13 KiB.
const KEY: usize = 32 * 1024;
/// Fewest characters of a line that is taken for part of a cut key; the last line of one may be shorter.
const BODY: usize = 16;

const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// `-----BEGIN … PRIVATE KEY-----`: everything up to its end goes; if the end is cut off, everything that looks like a key.
pub(super) fn look_begin(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let Some(start) = private_label_end(text, literal.end) else { return };
    let body = &text[start..text.len().min(start + KEY)];
    let body = memchr::memmem::find(body, DASHES).map_or(body, |next| &body[..next]);
    let ended = text[start + body.len()..].starts_with(END);
    spans.add(start..start + if ended { body.len() } else { cut_end(body) });
}

/// `-----END … PRIVATE KEY-----` of a block whose beginning is cut off.
pub(super) fn look_end(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    if private_label_end(text, literal.end).is_none() {
        return;
    }
    let floor = spans.covered().max(literal.start.saturating_sub(KEY));
    let body = &text[floor..literal.start];
    spans.add(floor + cut_start(body)..literal.start);
}

/// Where the header line ends, if it is one of a private key.
fn private_label_end(text: &[u8], at: usize) -> Option<usize> {
    let label = &text[at..text.len().min(at + LABEL)];
    let length = memchr::memmem::find(label, DASHES)?;
    memchr::memmem::find(&label[..length], b"PRIVATE KEY")?;
    Some(at + length + DASHES.len())
}

/// Where a key without its end stops: at the first line that is no part of one.
fn cut_end(body: &[u8]) -> usize {
    let mut end = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        if !is_header(line) && !is_body(line, 1) {
            break;
        }
        end += line.len();
    }
    end
}

/// Where a key without its beginning starts.
fn cut_start(body: &[u8]) -> usize {
    let mut start = body.len();
    for line in body.split_inclusive(|b| *b == b'\n').rev() {
        let fewest = if start == body.len() { 1 } else { BODY };
        if !is_body(line, fewest) || line.trim_ascii().is_empty() && start != body.len() {
            break;
        }
        start -= line.len();
    }
    start
}

/// `Proc-Type: 4,ENCRYPTED`, `DEK-Info: …`.
fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"Proc-Type:") || line.starts_with(b"DEK-Info:") || line.starts_with(b"Comment:")
}

/// Whether a line, after what a logger has put before it, is base64 of at least `fewest` characters, or blank.
fn is_body(line: &[u8], fewest: usize) -> bool {
    let line = line.trim_ascii_end();
    let word = line.rsplit(|b| matches!(b, b' ' | b'\t')).next().unwrap_or_default();
    let fewest = if word.len() == line.len() { fewest } else { BODY };
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\\' | b'"' | b',');
    line.is_empty() || word.len() >= fewest && word.iter().all(part)
}
