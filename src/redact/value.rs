//! How far a value reaches that stands behind a secret's name.

use std::ops::Range;

/// A value as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// Where it is, without quotes or brackets.
    pub(super) range: Range<usize>,
    /// How it was written.
    pub(super) form: Form,
}

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Between quotes, escaped ones too.
    Quoted,
    /// Between `[` and `]`.
    List,
    /// Between `<` and `>`: mostly a placeholder.
    Angle,
    /// Up to where it seems to end.
    Bare,
}

/// Reads the value that starts at `at`; `None` where none does, e.g. before an object.
pub(super) fn read(text: &[u8], at: usize) -> Option<Value> {
    // An Erlang binary: `<<"x">>`.
    let at = if text.get(at..)?.starts_with(b"<<\"") { at + 2 } else { at };
    if let Some(quoted) = quoted(text, at) {
        return Some(quoted);
    }
    match text.get(at)? {
        b'[' if !is_bracket_in_word(text, at) => list(text, at),
        b'<' => Some(angle(text, at)),
        b'$' | b'{' if template_end(text, at).is_some() => None,
        b'\n' => None,
        b'{' | b'(' if opens_structure(text, at + 1) => None,
        _ => wrapped(text, at).or_else(|| Some(Value { range: at..bare_end(text, at), form: Form::Bare })),
    }
}

/// Longest placeholder looked at, in bytes.
const PLACEHOLDER: usize = 64;

/// `<nil>`, `<your token>`.
fn angle(text: &[u8], at: usize) -> Value {
    let start = at + 1;
    let inside = text[start..].iter().take(PLACEHOLDER).take_while(|b| !matches!(b, b'>' | b'\n')).count();
    Value { range: start..start + inside, form: Form::Angle }
}

/// Where `${NAME}`, `$(NAME)` or `{{ .Name }}` ends.
fn template_end(text: &[u8], at: usize) -> Option<usize> {
    let close: &[u8] = match text.get(at..at + 2)? {
        b"${" => b"}",
        b"$(" => b")",
        b"{{" => b"}}",
        _ => return None,
    };
    let inside = &text[at..text.len().min(at + PLACEHOLDER)];
    let inside = &inside[..memchr::memchr(b'\n', inside).unwrap_or(inside.len())];
    memchr::memmem::find(inside, close).map(|length| at + length + close.len())
}

/// Whether a brace or parenthesis begins an object, not a password.
fn opens_structure(text: &[u8], at: usize) -> bool {
    let at = at + text[at..].iter().take(8).take_while(|b| **b == b' ').count();
    match text.get(at) {
        None | Some(b'\n' | b'}' | b')' | b'{' | b'(' | b'[') => true,
        Some(_) => quote_at(text, at).is_some() || name_follows(text, at, b"=:"),
    }
}

/// Whether a bracket belongs to a word: `[x]y`.
fn is_bracket_in_word(text: &[u8], at: usize) -> bool {
    /// Longest bracket looked at, in bytes.
    const INSIDE: usize = 64;
    let close = text[at..].iter().take(INSIDE).take_while(|b| **b > b' ').position(|b| *b == b']');
    close.and_then(|length| text.get(at + length + 1)).is_some_and(u8::is_ascii_alphanumeric)
}

/// `b'…'`, `Some("…")`: a quoted value behind a short word.
fn wrapped(text: &[u8], at: usize) -> Option<Value> {
    /// Longest such word, in bytes.
    const WORD: usize = 24;
    let word = text[at..].iter().take(WORD).take_while(|b| b.is_ascii_alphanumeric()).count();
    let open = at + word;
    match text.get(open)? {
        b'(' if word > 0 => quoted(text, open + 1),
        _ if word == 1 && matches!(text[at], b'b' | b'u' | b'r' | b'f') => quoted(text, open),
        _ => None,
    }
}

/// A quote and the backslashes before it, where the text at `at` starts with them.
pub(super) fn quote_at(text: &[u8], at: usize) -> Option<(usize, u8)> {
    let backslashes = text.get(at..)?.iter().take_while(|b| **b == b'\\').count();
    let quote = *text.get(at + backslashes)?;
    matches!(quote, b'"' | b'\'' | b'`').then_some((backslashes, quote))
}

/// A value between quotes. Inside a string inside a string its quotes have backslashes of their own, and their number
/// says which quote ends it: fewer end the outer string, and with it the value.
fn quoted(text: &[u8], at: usize) -> Option<Value> {
    let (depth, quote) = quote_at(text, at)?;
    // JSON in JSON has 0, 1, 3, 7… of them; anything else is no quoting.
    if !(depth + 1).is_power_of_two() {
        return None;
    }
    let start = at + depth + 1;
    Some(Value { range: start..quoted_end(text, start, depth, quote), form: Form::Quoted })
}

fn quoted_end(text: &[u8], start: usize, depth: usize, quote: u8) -> usize {
    let mut backslashes = 0;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'\\' => backslashes += 1,
            b'\n' => return at,
            _ if byte == quote && closes(backslashes, depth) => return at - backslashes.min(depth),
            _ => backslashes = 0,
        }
    }
    text.len()
}

/// Whether a quote behind so many backslashes ends a string whose own quotes have `depth` of them.
fn closes(backslashes: usize, depth: usize) -> bool {
    match backslashes.checked_sub(depth) {
        None => true,
        Some(more) => (more / (depth + 1)).is_multiple_of(2),
    }
}

/// Longest list looked at, in bytes, and most of its items.
const LIST: usize = 4096;
const ITEMS: usize = 16;

/// The quoted items of a list; without any, the list is one value.
pub(super) fn items(text: &[u8], list: &Value) -> Vec<Value> {
    let mut items = Vec::new();
    let mut at = list.range.start;
    while items.len() < ITEMS {
        at += text[at..list.range.end].iter().take_while(|b| matches!(b, b' ' | b',')).count();
        let Some(item) = quoted(&text[..list.range.end], at) else { break };
        // Behind the quote that ends it, with its backslashes.
        at = item.range.end + quote_at(text, item.range.end).map_or(0, |(backslashes, _)| backslashes + 1);
        items.push(item);
    }
    if items.is_empty() { vec![list.clone()] } else { items }
}

/// What stands between brackets on one line: `["a", "b"]`, `[Bearer abc]`.
fn list(text: &[u8], at: usize) -> Option<Value> {
    let start = at + 1;
    let length = text[start..].iter().take(LIST).take_while(|b| !matches!(b, b']' | b'\n')).count();
    let end = start + length;
    Some(Value { range: start..end, form: Form::List })
}

/// Where the line ends that `at` is in.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length)
}

/// Where a bare value ends: at a blank, at an escaped line end or quote, or at punctuation that is followed by something
/// that no longer is the value. Punctuation inside a password (`pa,ss;w)rd`) is part of it.
pub(super) fn bare_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(&byte) = text.get(end) {
        let over = match byte {
            b' ' | b'\t' | b'\n' => true,
            b'\\' => escape_ends(text, end),
            b',' | b';' | b'&' => separator_ends(text, end + 1),
            b')' | b']' | b'}' | b'>' | b'"' | b'\'' | b'`' | b'|' => closer_ends(text, end + 1),
            b'<' => text.get(end + 1).is_some_and(|next| *next == b'/' || next.is_ascii_alphabetic()),
            _ => false,
        };
        if over {
            break;
        }
        end += 1;
    }
    end
}

fn escape_ends(text: &[u8], at: usize) -> bool {
    let after = text[at..].iter().take(16).find(|b| **b != b'\\');
    matches!(after, Some(b'n' | b'r' | b't' | b'"' | b'\'') | None)
}

/// Whether what follows `,`, `;` or `&` is no part of the value: a blank, the end, or the next name.
fn separator_ends(text: &[u8], next: usize) -> bool {
    match text.get(next) {
        None | Some(b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'\\' | b')' | b']' | b'}') => true,
        Some(_) => name_follows(text, next, b"=:"),
    }
}

/// Whether a name and one of the signs stand at `at`.
pub(super) fn name_follows(text: &[u8], at: usize, signs: &[u8]) -> bool {
    /// Longest name looked for, in bytes.
    const NAME: usize = 48;
    let is_name = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' ' | b'[' | b']' | b'%');
    let length = text[at..].iter().take(NAME).take_while(is_name).count();
    length > 0 && text.get(at + length).is_some_and(|sign| signs.contains(sign))
}

fn closer_ends(text: &[u8], next: usize) -> bool {
    let Some(next) = text.get(next) else { return true };
    matches!(
        next,
        b' ' | b'\t'
            | b'\n'
            | b','
            | b';'
            | b':'
            | b')'
            | b']'
            | b'}'
            | b'>'
            | b'"'
            | b'\''
            | b'`'
            | b'.'
            | b'&'
            | b'\\'
            | b'|'
            | b'<'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> &str {
        let value = read(text.as_bytes(), 0).unwrap();
        &text[value.range]
    }

    #[test]
    fn a_quoted_value_ends_at_its_own_quote() {
        assert_eq!(value(r#""a b" c"#), "a b");
        assert_eq!(value(r#""a\"b" c"#), r#"a\"b"#);
        assert_eq!(value(r#""a\\" c"#), r"a\\");
        assert_eq!(value(r#"'it\'s' c"#), r"it\'s");
        assert_eq!(value(r#"b'x' c"#), "x");
        assert_eq!(value(r#"Some("x y") c"#), "x y");
        assert_eq!(value("\"no end\nnext"), "no end");
    }

    #[test]
    fn a_quoted_value_inside_a_string_ends_at_a_quote_of_the_same_depth() {
        assert_eq!(value(r#"\"a b\" c"#), "a b");
        assert_eq!(value(r#"\"a\\\"b\" c"#), r#"a\\\"b"#);
        assert_eq!(value(r#"\"a\\\\\" c"#), r"a\\\\");
        assert_eq!(value(r#"\"cut" c"#), "cut");
        assert_eq!(value(r#"\\\"deep\\\" c"#), "deep");
    }

    #[test]
    fn a_bare_value_holds_its_own_punctuation() {
        assert_eq!(value("pa,ss;w)rd next"), "pa,ss;w)rd");
        assert_eq!(value("hunter2, user=bob"), "hunter2");
        assert_eq!(value("hunter2,user=bob"), "hunter2");
        assert_eq!(value("hunter2;Database=shop"), "hunter2");
        assert_eq!(value("hunter2&page=2"), "hunter2");
        assert_eq!(value("hunter2)"), "hunter2");
        assert_eq!(value(r#"hunter2","level""#), "hunter2");
        assert_eq!(value(r"hunter2\nnext line"), "hunter2");
        assert_eq!(value(r"DOM\user"), r"DOM\user");
        assert_eq!(value("hunter2</password>"), "hunter2");
    }
}
