//! A secret's name, a separator, a value: `password=x`, `"token": "x"`, `--api-key x`, `<secret>x</secret>`.

use std::ops::Range;

use super::judge::{self, Place};
use super::key::{self, Kind};
use super::scheme;
use super::spans::Spans;
use super::value::{self, Form, Value};

/// Most blanks between name, separator and value: columns of YAML and tables are not wider.
const BLANKS: usize = 48;

/// Fewest characters of a value that only its letters and digits tell from a name.
const MIXED: usize = 6;

/// What stands between a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    /// `=`, `=>`, `:=`, a colon behind a quoted name, a colon without a blank.
    Plain,
    /// A colon and a blank behind a bare name: prose looks the same.
    Prose,
    /// `<name>value</name>`.
    Tag,
    /// `--name value`.
    Flag,
    /// `password 'value'`.
    Adjacent,
}

/// Looks at a literal that may be part of a secret's name.
pub(super) fn look(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    let Some(name) = key::name_around(text, &literal) else { return };
    let Some(kind) = kind_in_context(text, &name) else { return };
    let Some((separator, at)) = separator(text, &name, kind) else { return };
    if is_quoted_alone(text, &name, at) {
        return;
    }
    if kind == Kind::Cookie && !is_cookie(text, at) {
        return;
    }
    let Some(value) = value_behind(text, at, separator) else { return };
    let place = Place {
        kind,
        prose: separator == Separator::Prose,
        field_start: starts_field(text, name.start),
        source_line: matches!(separator, Separator::Plain | Separator::Prose) && is_source_line(text, name.start),
    };
    match value.form {
        Form::List => value::items(text, &value).into_iter().for_each(|item| take(text, item, &place, spans)),
        _ => take(text, value, &place, spans),
    }
}

/// `'password='`, the name of a method: the quote behind the sign ends what the quote before the name began.
fn is_quoted_alone(text: &[u8], name: &Range<usize>, at: usize) -> bool {
    let opens = name.start.checked_sub(1).is_some_and(|before| matches!(text[before], b'"' | b'\'' | b'`'));
    opens && at == name.end + 1 && matches!(text.get(at), Some(b'"' | b'\'' | b'`'))
}

/// Takes what is secret of a value.
fn take(text: &[u8], value: Value, place: &Place, spans: &mut Spans<'_>) {
    match place.kind {
        Kind::Authorization => authorization(text, value, place, spans),
        Kind::Cookie => spans.add(cookie(text, &value)),
        _ if judge::is_secret(text, &value, place) => spans.add(value.range),
        _ => {}
    }
}

/// SQL: `CREATE USER bob IDENTIFIED BY 'x'`.
pub(super) fn look_identified_by(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    // Migrations have a `revision identified by '9c3f0d11ab2e'`.
    if text[..literal.start].trim_ascii_end().ends_with(b"revision") {
        return;
    }
    let at = skip_blanks(text, literal.end);
    if value::quote_at(text, at).is_some()
        && let Some(value) = value::read(text, at)
    {
        spans.add(value.range);
    }
}

/// `the password is hunter2`: told in a sentence, so only a word that no sentence has, with letters and digits.
pub(super) fn look_told(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    /// Shortest and longest of such words, in bytes.
    const WORD: Range<usize> = 5..129;
    let rest = &text[literal.end..];
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>');
    let length = rest.iter().take(WORD.end).position(ends).unwrap_or(rest.len().min(WORD.end));
    let word = &rest[..length];
    let length =
        word.iter().rposition(|b| !matches!(b, b'.' | b',' | b';' | b':' | b')' | b']')).map_or(0, |last| last + 1);
    let word = &word[..length];
    let mixed = word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic);
    if WORD.contains(&length) && mixed && !word.contains(&b'=') {
        spans.add(literal.end..literal.end + length);
    }
}

/// What the name says where it stands: `key=` only in a URL's query, `api key:` in two words.
fn kind_in_context(text: &[u8], name: &Range<usize>) -> Option<Kind> {
    let before = name.start.checked_sub(1).map(|at| text[at]);
    match key::kind(&text[name.clone()])? {
        Kind::Query if matches!(before, Some(b'?' | b'&' | b';')) => Some(Kind::Query),
        Kind::Query if before == Some(b' ') => two_words(text, name),
        Kind::Query => None,
        Kind::Likely | Kind::Weak if before == Some(b' ') && is_fault(text, name.start - 1) => None,
        kind => Some(kind),
    }
}

/// `API key`, `access key`: a name in two words of prose.
fn two_words(text: &[u8], name: &Range<usize>) -> Option<Kind> {
    let first = word_before(text, name.start - 1);
    let both = [first, b"_", &text[name.clone()]].concat();
    key::kind(&both).filter(|kind| *kind == Kind::Certain)
}

/// `unexpected token: x` speaks of syntax.
fn is_fault(text: &[u8], end: usize) -> bool {
    let both = [word_before(text, end), b"_token"].concat();
    key::kind(&both).is_none()
}

fn word_before(text: &[u8], end: usize) -> &[u8] {
    /// Longest word looked for, in bytes.
    const WORD: usize = 16;
    let length = text[..end].iter().rev().take(WORD).take_while(|b| b.is_ascii_alphabetic()).count();
    &text[end - length..end]
}

fn separator(text: &[u8], name: &Range<usize>, kind: Kind) -> Option<(Separator, usize)> {
    let before = name.start.checked_sub(1).map(|at| text[at]);
    if before == Some(b'<') && text.get(name.end) == Some(&b'>') {
        return Some((Separator::Tag, name.end + 1));
    }
    let (closed, at) = skip_closers(text, name.end);
    let after_blanks = skip_blanks(text, at);
    let sign = sign(text, after_blanks, closed);
    sign.or_else(|| tuple(text, name, at, kind))
        .or_else(|| pair(text, name, at, kind))
        .or_else(|| value_field(text, at, kind))
        .or_else(|| flag(text, name, at))
        .or_else(|| {
            let adjacent =
                kind == Kind::Certain && !closed && after_blanks > at && value::quote_at(text, after_blanks).is_some();
            adjacent.then_some((Separator::Adjacent, after_blanks))
        })
}

/// Quotes and brackets that end the name: `"password":`, `[password] =>`, `\"token\":`, `<<"password">> =>`.
fn skip_closers(text: &[u8], mut at: usize) -> (bool, usize) {
    let start = at;
    for _ in 0..2 {
        if let Some((backslashes, _)) = value::quote_at(text, at) {
            at += backslashes + 1;
        } else if text.get(at) == Some(&b']') {
            at += 1;
        } else if at > start && text[at..].starts_with(b">>") {
            at += 2;
        }
    }
    (at > start, at)
}

fn sign(text: &[u8], at: usize, closed: bool) -> Option<(Separator, usize)> {
    let next = |by: usize| text.get(at + by).copied();
    let (separator, length) = match (next(0)?, next(1)) {
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => (Separator::Plain, 2),
        (b':', Some(b' ' | b'\t')) if !closed => (Separator::Prose, 1),
        (b'=' | b':', _) => (Separator::Plain, 1),
        _ => return None,
    };
    let value = skip_blanks(text, at + length);
    // `password= user=bob` has no password.
    let is_empty = next(0) == Some(b'=') && value > at + length && value::name_follows(text, value, b"=");
    (!is_empty).then_some((separator, value))
}

/// `{:password, "x"}`, `{password,<<"x">>}`: what Elixir and Erlang print of a state.
fn tuple(text: &[u8], name: &Range<usize>, at: usize, kind: Kind) -> Option<(Separator, usize)> {
    let opens = matches!(text[..name.start], [.., b'{'] | [.., b'{', b':' | b'"'] | [.., b'{', b'<', b'<', b'"']);
    let at = if text[at..].starts_with(b">>") { at + 2 } else { at };
    if !opens || kind == Kind::Query || text.get(at) != Some(&b',') {
        return None;
    }
    let value = skip_blanks(text, at + 1);
    let is_string = text.get(value..).is_some_and(|rest| rest.starts_with(b"\"") || rest.starts_with(b"<<\""));
    is_string.then_some((Separator::Plain, value))
}

/// `("X-Api-Key","x")` and `("Cookie","a=b")` of Haskell, and names and values in turn, as Perl prints the arguments of a call:
/// `connect("Shop::DB", "password", "x") called at`. In such a list two names look the same, so only a word that no
/// sentence has is a value.
fn pair(text: &[u8], name: &Range<usize>, at: usize, kind: Kind) -> Option<(Separator, usize)> {
    let quote = *text.get(name.start.checked_sub(1)?)?;
    let quoted = matches!(quote, b'"' | b'\'') && text.get(name.end) == Some(&quote) && at == name.end + 1;
    if !quoted || !matches!(kind, Kind::Certain | Kind::Authorization | Kind::Cookie) || text.get(at) != Some(&b',') {
        return None;
    }
    let start = skip_blanks(text, at + 1);
    let value = quoted_argument(text, start)?;
    let tuple = text[..name.start - 1].ends_with(b"(") && text.get(value.range.end + 1) == Some(&b')');
    let word = &text[value.range];
    if kind == Kind::Cookie {
        return (tuple && word.contains(&b'=')).then_some((Separator::Plain, start));
    }
    let mixed =
        word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic) && !word.contains(&b' ');
    (mixed && (tuple || word.len() >= MIXED)).then_some((Separator::Plain, start))
}

/// PHP prints the arguments of a call: `PDO->__construct('mysql:host=db', 'root', 'x')`. The third one is the password.
pub(super) fn look_php_connect(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    php_argument(text, literal.end, 2, spans);
}

/// `AMQPStreamConnection->__construct('rabbit', 5672, 'shop', 'x')`: the fourth one is the password.
pub(super) fn look_php_broker(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    php_argument(text, literal.end, 3, spans);
}

/// `Redis->auth('x')`
pub(super) fn look_php_auth(text: &[u8], literal: Range<usize>, spans: &mut Spans<'_>) {
    php_argument(text, literal.end, 0, spans);
}

/// The argument behind so many others, if it is a text.
fn php_argument(text: &[u8], start: usize, before: usize, spans: &mut Spans<'_>) {
    const BLANKS: usize = 2;
    let mut at = start;
    for _ in 0..before {
        at = match quoted_argument(text, at) {
            Some(argument) => argument.range.end + 1,
            None => {
                at + text
                    .get(at..)
                    .and_then(|rest| rest.iter().take(256).position(|b| matches!(b, b',' | b')' | b'\n')))
                    .unwrap_or(256)
            }
        };
        if text.get(at) != Some(&b',') {
            return;
        }
        at += text.get(at..).unwrap_or_default().iter().take(BLANKS).take_while(|b| matches!(b, b',' | b' ')).count();
    }
    if let Some(password) = quoted_argument(text, at) {
        spans.add(password.range);
    }
}

fn quoted_argument(text: &[u8], at: usize) -> Option<Value> {
    value::quote_at(text, at).filter(|(backslashes, _)| *backslashes == 0)?;
    value::read(text, at)
}

/// `{"name": "DB_PASSWORD", "value": "x"}`, `name: DB_PASSWORD` and `value: x` on the next line: environments of pods.
fn value_field(text: &[u8], at: usize, kind: Kind) -> Option<(Separator, usize)> {
    const VALUE: &[u8] = b"value";
    if kind == Kind::Weak {
        return None;
    }
    let is_gap = |b: &&u8| matches!(b, b',' | b' ' | b'\t' | b'\n');
    let gap = text[at..].iter().take(BLANKS).take_while(is_gap).count();
    let mut start = at + gap;
    start += value::quote_at(text, start).map_or(0, |(backslashes, _)| backslashes + 1);
    let word = text.get(start..start + VALUE.len())?;
    if gap == 0 || !word.eq_ignore_ascii_case(VALUE) {
        return None;
    }
    let (_, end) = skip_closers(text, start + VALUE.len());
    let (_, at) = sign(text, skip_blanks(text, end), true)?;
    Some((Separator::Plain, at))
}

/// `--password x`, and in a list of arguments `"--password", "x"`.
fn flag(text: &[u8], name: &Range<usize>, at: usize) -> Option<(Separator, usize)> {
    let dashes = text[..name.start].iter().rev().take(3).take_while(|b| **b == b'-').count();
    let gap = text[at..].iter().take(BLANKS).take_while(|b| matches!(b, b' ' | b'\t' | b',')).count();
    let first = *text.get(at + gap)?;
    let is_flag = (1..=2).contains(&dashes) && starts_word(text, name.start - dashes);
    (is_flag && gap > 0 && !matches!(first, b'-' | b'\n' | b'<' | b'[' | b'=')).then_some((Separator::Flag, at + gap))
}

fn starts_word(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_none_or(|before| {
        matches!(text[before], b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'`' | b'[' | b'(' | b',' | b'=')
    })
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take(BLANKS).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

fn value_behind(text: &[u8], at: usize, separator: Separator) -> Option<Value> {
    match separator {
        Separator::Tag => {
            let length = memchr::memchr2(b'<', b'\n', &text[at..])?;
            text[at + length..].starts_with(b"</").then_some(Value { range: at..at + length, form: Form::Quoted })
        }
        _ => value::read(text, at),
    }
}

/// Whether nothing of a sentence stands before the name.
fn starts_field(text: &[u8], at: usize) -> bool {
    let blanks = text[..at].iter().rev().take(BLANKS).take_while(|b| matches!(b, b' ' | b'\t')).count();
    match (at - blanks).checked_sub(1).map(|before| text[before]) {
        None => true,
        Some(before) => matches!(before, b'\n' | b'{' | b',' | b'[' | b'(' | b'-' | b'"' | b'\'' | b';' | b'|' | b'&'),
    }
}

/// Whether a runtime has quoted this line from a source file: Python puts it below `File "x", line 3`, Node and Ruby
/// mark it with carets on the next line. Names stand there for values, and the line belongs to the trace.
fn is_source_line(text: &[u8], at: usize) -> bool {
    /// Longest line looked at, in bytes.
    const LINE: usize = 512;
    let near = &text[at.saturating_sub(LINE)..at];
    let Some(start) = memchr::memrchr(b'\n', near) else { return false };
    let above = near[..start].rsplit(|b| *b == b'\n').next().unwrap_or_default();
    if memchr::memmem::find(above, b"File \"").is_some() && memchr::memmem::find(above, b", line ").is_some() {
        return true;
    }
    let below = text[at..].iter().take(LINE).position(|b| *b == b'\n').map_or(text.len(), |length| at + length + 1);
    let marks = text.get(below..).unwrap_or_default().split(|b| *b == b'\n').next().unwrap_or_default();
    marks.contains(&b'^') && marks.iter().all(|b| matches!(b, b'^' | b'~' | b' ' | b'\t' | b'|'))
}

/// Keeps the scheme and replaces the credential: `Authorization: Bearer …`.
fn authorization(text: &[u8], value: Value, place: &Place, spans: &mut Spans<'_>) {
    match scheme::credential(text, &value) {
        Some(credential) => spans.add(credential),
        None if judge::is_secret(text, &value, place) => spans.add(value.range),
        None => {}
    }
}

/// Whether a cookie stands there: `cookie: …` without any `=` is prose or a table.
fn is_cookie(text: &[u8], at: usize) -> bool {
    /// Longest name of a cookie looked at, in bytes.
    const NAME: usize = 256;
    text[at..].iter().take(NAME).take_while(|b| **b != b'\n').any(|b| *b == b'=')
        && !text[at..].starts_with(super::MARK.as_bytes())
}

/// All of a cookie header goes.
fn cookie(text: &[u8], value: &Value) -> Range<usize> {
    match value.form {
        Form::Bare => value.range.start..header_end(text, value.range.start),
        _ => value.range.clone(),
    }
}

/// Where a header's value ends: with its line, or with the string that it stands in, as in `-H "Cookie: a=b; c=d"`.
fn header_end(text: &[u8], start: usize) -> usize {
    let ends = |b: &&u8| matches!(b, b'\n' | b'"' | b'\'' | b']');
    start + text[start..].iter().take(scheme::HEADER).take_while(|b| !ends(b)).count()
}
