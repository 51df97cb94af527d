//! Whether what stands behind a secret's name is a secret, or prose, a placeholder, a path.

use super::MARK;
use super::key::{self, Kind};
use super::scheme;
use super::value::{self, Form, Value};

/// What is known about the place where a value stands.
pub(super) struct Place {
    /// What the name says.
    pub(super) kind: Kind,
    /// Whether the separator was a colon and a blank, as prose has it.
    pub(super) prose: bool,
    /// Whether the name is the first thing in its line or field.
    pub(super) field_start: bool,
    /// Whether the line is one of source code that a runtime quotes in its trace.
    pub(super) source_line: bool,
}

/// Single words that say how it is with a secret, or that there is none.
const STATUS: &[&str] = &[
    "null",
    "nil",
    "none",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "not",
    "is",
    "was",
    "are",
    "must",
    "should",
    "cannot",
    "can",
    "required",
    "invalid",
    "missing",
    "empty",
    "expired",
    "incorrect",
    "wrong",
    "ok",
    "okay",
    "failed",
    "failure",
    "denied",
    "unknown",
    "blank",
    "forbidden",
    "unauthorized",
    "absent",
    "revoked",
    "malformed",
    "bad",
    "set",
    "unset",
    "present",
    "hidden",
    "redacted",
    "masked",
    "filtered",
    "omitted",
    "eof",
    "error",
    "mismatch",
    "mismatched",
    "rejected",
    "accepted",
    "valid",
    "verified",
    "unsupported",
    "too",
    "needed",
    "string",
    "bytes",
    "optional",
    "default",
    "disabled",
    "enabled",
    "flag",
    "option",
    "argument",
    "and",
    "or",
    "if",
    "to",
    "for",
    "in",
    "on",
    "with",
    "has",
    "from",
    "unexpected",
    "value",
    "success",
    "ignored",
    "exceeded",
    "sensitive",
    "changed",
];
/// Directories below which mounted secrets and programs lie: a path there says where a secret is, not what it is.
const ROOTS: &[&[u8]] = &[
    b"/var/",
    b"/run/",
    b"/etc/",
    b"/tmp/",
    b"/home/",
    b"/app/",
    b"/opt/",
    b"/usr/",
    b"/mnt/",
    b"/secrets/",
    b"/secret/",
    b"/data/",
    b"/code/",
    b"/src/",
    b"/go/",
    b"/build/",
    b"/service/",
    b"/project/",
    b"/www/",
    b"/bin/",
    b"/sbin/",
    b"/lib/",
    b"/sys/",
    b"/media/",
    b"/Users/",
    b"/layers/",
    b"/bitnami/",
    b"/srv/",
    b"/proc/",
    b"/root/",
    b"/workspace/",
    b"/config/",
    b"/vault/",
    b"/dev/",
    b"./",
    b"../",
    b"~/",
];
/// Longest value that can be a path, a status or a placeholder, in bytes: longer ones are secrets without a look.
const HARMLESS: usize = 256;
/// Fewest characters of a secret behind a name that may mean something else.
const LIKELY_LENGTH: usize = 8;

/// Whether the value is to be replaced.
pub(super) fn is_secret(text: &[u8], value: &Value, place: &Place) -> bool {
    let bytes = &text[value.range.clone()];
    if bytes.is_empty() || bytes.starts_with(b"-----BEGIN ") {
        // A private key has a scanner of its own, which keeps its kind.
        return false;
    }
    if bytes.len() > HARMLESS {
        return true;
    }
    if is_placeholder(bytes) || is_path(bytes) {
        return false;
    }
    if place.kind == Kind::Encoded {
        return scheme::is_user_and_password(bytes) || is_random(bytes);
    }
    match value.form {
        Form::Quoted => !is_status_text(bytes),
        Form::List => !is_status_text(bytes),
        Form::Angle => bytes.iter().any(u8::is_ascii_digit),
        Form::Bare if place.source_line => false,
        Form::Bare => is_bare_secret(text, value, place),
    }
}

fn is_bare_secret(text: &[u8], value: &Value, place: &Place) -> bool {
    let word = trim_punctuation(&text[value.range.clone()]);
    if is_status(word) || is_name_for_value(word) {
        return false;
    }
    match place.kind {
        Kind::Weak => !place.prose && !is_small_number(word),
        Kind::Query => word.len() >= LIKELY_LENGTH,
        _ if !place.prose => word.len() > 1 || place.kind == Kind::Certain,
        _ => is_secret_in_prose(text, value, place),
    }
}

/// `password: hunter2` against `token: unexpected end of JSON`.
fn is_secret_in_prose(text: &[u8], value: &Value, place: &Place) -> bool {
    let bytes = &text[value.range.clone()];
    let word = trim_punctuation(bytes);
    if !word.iter().any(u8::is_ascii_alphanumeric) {
        return place.kind == Kind::Certain && word.len() >= LIKELY_LENGTH;
    }
    let more = words_follow(text, value.range.end);
    let error_chain = bytes.ends_with(b":") && more;
    let prose = more && (is_plain(word) || is_small_number(word));
    if error_chain || prose {
        return false;
    }
    match place.kind {
        Kind::Certain if place.field_start => true,
        Kind::Certain => !is_capitalised(word),
        _ => !is_plain(word) && word.iter().any(u8::is_ascii_digit) || place.field_start && word.len() >= LIKELY_LENGTH,
    }
}

/// Whether the sentence goes on behind a value: a blank, then a word that is not the next field.
fn words_follow(text: &[u8], end: usize) -> bool {
    let Some(b' ') = text.get(end) else { return false };
    let rest = &text[end + 1..value::bare_end(text, end + 1)];
    !rest.is_empty()
        && rest.len() <= HARMLESS
        && !rest.contains(&b'=')
        && !rest.ends_with(b":")
        && rest.iter().any(u8::is_ascii_alphanumeric)
        || rest.ends_with(b":") && is_plain(trim_punctuation(rest)) && text.get(end + 1 + rest.len()) == Some(&b' ')
}

fn trim_punctuation(word: &[u8]) -> &[u8] {
    let is_end = |b: &u8| matches!(b, b'.' | b',' | b':' | b';' | b'!' | b'?' | b')' | b']' | b'}' | b'"' | b'\'');
    let end = word.iter().rposition(|b| !is_end(b)).map_or(0, |last| last + 1);
    &word[..end]
}

/// A word of prose: letters, with the marks that compound words, names of objects and abbreviations have.
fn is_plain(word: &[u8]) -> bool {
    word.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'/' | b'.' | b'\'' | b'_'))
        && !(mixes_case(word) && word.len() >= LIKELY_LENGTH * 2)
}

/// Capitals behind small letters, as random text has them more than once.
fn mixes_case(word: &[u8]) -> bool {
    word.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count() > 2
}

fn is_capitalised(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_uppercase) && word[1..].iter().all(u8::is_ascii_lowercase)
}

fn is_small_number(word: &[u8]) -> bool {
    word.len() <= 4 && word.iter().all(u8::is_ascii_digit)
}

fn is_status(word: &[u8]) -> bool {
    STATUS.iter().any(|status| word.eq_ignore_ascii_case(status.as_bytes()))
}

/// `is required`, `can't be blank`, `expired`: a validation message where a value would stand.
fn is_status_text(text: &[u8]) -> bool {
    let first = text.split(|b| *b == b' ').next().unwrap_or_default();
    let first = first.strip_suffix(b"'t").unwrap_or(first);
    let prose = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b' ' | b'\'' | b',' | b'.' | b'-' | b'[' | b']');
    let first = first.strip_prefix(b"[").unwrap_or(first);
    is_status(trim_punctuation(first)) && text.iter().all(prose)
}

/// What programs print instead of a secret, or what stands for one in a template.
fn is_placeholder(value: &[u8]) -> bool {
    let inside = |open: &[u8], close: &[u8]| {
        value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(|name| name.len() <= 64)
    };
    let name = |rest: &[u8]| !rest.is_empty() && rest.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    value.starts_with(MARK.as_bytes()) && value.len() <= MARK.len() + 1
        || value.strip_suffix(b"]").unwrap_or(value) == &MARK.as_bytes()[1..MARK.len() - 1]
        || value.len() > 2 && value.iter().all(|b| matches!(b, b'x' | b'X'))
        || value.iter().all(|b| matches!(b, b'*' | b'.' | b'-' | b' ' | b'\xe2' | b'\x80' | b'\xa2' | b'\xa6'))
        || inside(b"${", b"}")
        || inside(b"{{", b"}}")
        || inside(b"%", b"%")
        || inside(b"(", b")") && is_status(&value[1..value.len() - 1])
        || value.strip_prefix(b"$").is_some_and(name)
        || matches!(value, b"%s" | b"%v" | b"%q" | b"%d" | b"{}" | b"?" | b"\"\"" | b"''")
}

fn is_path(value: &[u8]) -> bool {
    let path = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'@' | b':');
    let below = |root: &&[u8]| value.starts_with(root) || value == &root[..root.len() - 1] && value.starts_with(b"/");
    value == b"/" || ROOTS.iter().any(below) && value.iter().all(path)
}

/// `--token API_TOKEN`: a usage text names the kind of value in capitals.
fn is_name_for_value(word: &[u8]) -> bool {
    word.iter().all(|b| b.is_ascii_uppercase() || *b == b'_') && key::kind(word).is_some()
}

/// At least 16 characters, digits among them.
fn is_random(value: &[u8]) -> bool {
    value.len() >= 2 * LIKELY_LENGTH && value.iter().any(u8::is_ascii_digit) && !value.contains(&b' ')
}
