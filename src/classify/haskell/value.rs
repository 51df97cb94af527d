//! Exceptions without a text of their own: what `show` makes of a value, which no other runtime writes so.
//!
//! `tally: Fault {batch = 7, why = "lid open"}`, `tally: NoSuchCandidate "zoe" 7`

use super::frames::{self, Call};
use super::kinds;
use crate::classify::finding::{CrashReason, Culprit};
use crate::classify::messages::Messages;
use crate::classify::severity::Severity;

/// Longest text that is read as a value.
const BYTES: usize = 4096;

/// A value that ended a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its constructor.
    pub constructor: String,
    /// The value.
    pub value: String,
    /// What its texts mean.
    pub reason: CrashReason,
    /// The place of a call stack that one of its texts holds.
    pub culprit: Option<Culprit>,
}

/// Reads `program: value`.
pub fn shown(message: &str, messages: &Messages) -> Option<Shown> {
    let (program, value) = message.trim_end().split_once(": ").filter(|_| message.len() <= BYTES)?;
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '\'');
    let named = program.starts_with(|c: char| c.is_ascii_lowercase()) && program.chars().all(named);
    let constructor = constructor(value).filter(|_| named && Severity::of_word(program).is_none())?;
    Some(Shown {
        constructor: constructor.to_owned(),
        value: value.to_owned(),
        reason: kinds::of(value, messages).reason,
        culprit: culprit(value),
    })
}

/// The constructor of a value that has fields with names, or arguments; words of a sentence are none.
fn constructor(value: &str) -> Option<&str> {
    let (name, rest) = name(value)?;
    let fields = |inner: &str| inner.split_once(" = ").is_some_and(|(field, _)| is_field(field));
    if let Some(inner) = rest.strip_prefix(" {") {
        return inner.strip_suffix('}').filter(|inner| fields(inner)).map(|_| name);
    }
    let two_words =
        name.chars().skip(1).any(|c| c.is_ascii_uppercase()) && name.chars().any(|c| c.is_ascii_lowercase());
    let mut rest = rest.strip_prefix(' ').filter(|_| two_words)?;
    loop {
        rest = argument(rest)?;
        if rest.is_empty() {
            return Some(name);
        }
        rest = rest.strip_prefix(' ')?;
    }
}

/// A name with a capital, and what follows.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '\''))).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_uppercase()).then(|| text.split_at(end))
}

fn is_field(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '\'');
    text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && text.chars().all(plain)
}

/// What follows the argument that the text begins with: a text, a number, a list, a value in brackets.
fn argument(text: &str) -> Option<&str> {
    match text.bytes().next()? {
        b'"' => quoted(text),
        b'(' | b'[' => bracketed(text),
        b'0'..=b'9' => Some(text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')),
        _ => None,
    }
}

/// What follows a text in quotes.
fn quoted(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    text.get(end + 2..)
}

/// What follows brackets, whatever is inside of them.
fn bracketed(text: &str) -> Option<&str> {
    let mut depth = 0_u32;
    let mut rest = text;
    loop {
        rest = match rest.bytes().next()? {
            b'"' => quoted(rest)?,
            b'(' | b'[' => {
                depth += 1;
                &rest[1..]
            }
            b')' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return rest.get(1..);
                }
                &rest[1..]
            }
            _ => rest.chars().next().and_then(|c| rest.get(c.len_utf8()..))?,
        };
    }
}

/// The top place of the program in a call stack within a text: `…\n  error, called at src/Vat.hs:95:25 in main:Vat`.
fn culprit(value: &str) -> Option<Culprit> {
    let calls: Vec<Call> =
        value.split("\\n").filter_map(|line| frames::call(line.trim_end_matches(['"', '}']).as_bytes())).collect();
    let frame = frames::named(&calls).into_iter().find(|frame| frame.in_app)?;
    let function = Some(frame.function).filter(|function| !function.is_empty());
    Some(Culprit { function, file: frame.file, line: frame.line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_from_sentences() {
        let cases = [
            (r#"vat: Fault {batch = 7, why = "lid open"}"#, Some("Fault")),
            (r#"vat: NoSuchRecipe "porter" 7"#, Some("NoSuchRecipe")),
            (r#"vat-exe: StockLost (Just [Item {sku = "a)"}]) 3"#, Some("StockLost")),
            (r#"vat: InvalidUrlException "not a url" "Invalid URL""#, Some("InvalidUrlException")),
            (r#"vat: NoSuchRecipe "porter"#, None),
            ("vat: Cannot open lid", None),
            ("status: NotReady", None),
            (r#"Error: NoSuchRecipe "porter""#, None),
            ("error: NoSuchRecipe 7", None),
            (r#"vat: Unknown "porter""#, None),
            ("vat: Options {a, b}", None),
            ("node: Fault { batch: 7 }", None),
            ("vat: NoSuchRecipe porter", None),
            ("vat: NoSuchRecipe (porter", None),
        ];
        for (line, constructor) in cases {
            let found = shown(line, &Messages::default()).map(|shown| shown.constructor);
            assert_eq!(found.as_deref(), constructor, "{line}");
        }
    }

    #[test]
    fn a_value_may_say_what_went_wrong_and_where() {
        let line = r#"vat: Fault {batch = 6, why = "wrapped: overflow\nCallStack (from HasCallStack):\n  error, called at ./Vat.hs:95:25 in main:Vat\n  pour, called at Main.hs:154:13 in main:Main"}"#;
        let found = shown(line, &Messages::default()).unwrap();
        let culprit = found.culprit.unwrap();
        assert_eq!((culprit.short().as_str(), culprit.function.as_deref()), ("Vat.hs:95", Some("pour")));
        let line = r#"vat: StoreDown {cause = "connect: does not exist (Connection refused)"}"#;
        assert_eq!(shown(line, &Messages::default()).unwrap().reason.as_str(), "ConnectionRefused");
    }
}
