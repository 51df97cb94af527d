//! What must not leave: secrets, terminal escapes, control characters, invalid UTF-8. Pure.
//!
//! A text passes through two stages. `sanitise` makes it plain, valid UTF-8 without anything that a terminal or a
//! reader's eye would take for something else. Then one case-insensitive pass over fixed literals (`literals`) finds
//! the places where a secret may stand (a key's name, `://`, a vendor's prefix), and only there a small scanner decides
//! how far the secret reaches. The scanners are written by hand instead of as expressions: each looks at a bounded
//! piece or takes what it has read out of the text, so that the work stays linear on hostile input. Only patterns that
//! users add are expressions.

mod assignment;
mod cut;
mod directive;
mod judge;
mod key;
mod literals;
mod pem;
mod sanitise;
mod scheme;
mod spans;
mod tokens;
mod url;
mod value;

use regex::{Regex, RegexBuilder};

pub use cut::{cut, cut_lines};

use spans::Spans;

/// What stands in place of a secret.
pub const MARK: &str = "[redacted]";

/// Longest pattern that a user may add, in bytes: an expression that needs more is no pattern for one secret.
pub const PATTERN_BYTES: usize = 1024;
/// Most patterns that users may add: each is one more pass over every text.
pub const PATTERNS: usize = 64;
/// Most memory that one compiled pattern may take, in bytes, so that `\w{1000}{1000}` fails at start.
const PATTERN_COMPILED_BYTES: usize = 1 << 20;
/// Passes after which a text is taken as clean. A replacement can uncover another secret (`token=a;password=b` where the
/// first value was thought longer); two passes settle all that was ever seen, the bound is for hostile input.
const PASSES: usize = 6;

/// Why a redactor could not be made from the user's patterns.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// More patterns than [`PATTERNS`].
    #[error("{count} redaction patterns are too many: at most {PATTERNS}, so join some with `|`")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A pattern longer than [`PATTERN_BYTES`].
    #[error("redaction pattern {number} has {bytes} bytes: at most {PATTERN_BYTES} are allowed")]
    TooLong {
        /// Which one, from 1.
        number: usize,
        /// Its length.
        bytes: usize,
    },
    /// A pattern that the regex crate does not accept, or whose compiled form is too big.
    #[error("redaction pattern {number} `{pattern}`: {reason}")]
    Invalid {
        /// Which one, from 1.
        number: usize,
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with it, as the regex crate says it.
        reason: String,
    },
    /// A pattern that matches the empty text, and so would match between any two characters.
    #[error("redaction pattern {number} `{pattern}` matches the empty text: make it ask for at least one character")]
    MatchesNothing {
        /// Which one, from 1.
        number: usize,
        /// The pattern as it was given.
        pattern: String,
    },
}

/// Cleans text from logs before it is stored or sent. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    extra: Vec<Regex>,
    keep_secrets: bool,
}

impl Redactor {
    /// A redactor that also replaces what the user's own patterns match: their capture group 1 where they have one,
    /// else the whole match. A pattern sees the whole text; `.` does not match a line end.
    ///
    /// # Errors
    /// When a pattern is no regular expression of the regex crate, is too big, or matches the empty text, and when there
    /// are too many.
    pub fn new(extra: &[String]) -> Result<Self, RedactError> {
        if extra.len() > PATTERNS {
            return Err(RedactError::TooMany { count: extra.len() });
        }
        let compiled = extra.iter().zip(1..).map(|(pattern, number)| compile(pattern, number));
        Ok(Self { extra: compiled.collect::<Result<_, _>>()?, keep_secrets: false })
    }

    /// A redactor for users who switched redaction off: texts are still made safe to print, secrets stay.
    pub fn sanitise_only() -> Self {
        Self { extra: Vec::new(), keep_secrets: true }
    }

    /// Cleans one text of one or more lines: invalid UTF-8 replaced, escapes and control characters (but `\n` and `\t`)
    /// removed, secrets replaced by [`MARK`]. Call it before anything is cut, since half a secret is not recognised.
    /// It is repeated until nothing more is found, at most six times.
    pub fn clean(&self, text: &[u8]) -> String {
        let mut clean = sanitise::sanitise(text);
        if self.keep_secrets {
            return clean;
        }
        for _ in 0..PASSES {
            let spans = self.secrets(&clean);
            if spans.is_empty() {
                break;
            }
            clean = spans.replace();
        }
        clean
    }

    fn secrets<'t>(&self, text: &'t str) -> Spans<'t> {
        let mut spans = Spans::new(text);
        literals::scan(text, &mut spans);
        for pattern in &self.extra {
            for found in pattern.captures_iter(text) {
                if let Some(secret) = found.get(1).or_else(|| found.get(0)) {
                    spans.add(secret.range());
                }
            }
        }
        spans
    }
}

fn compile(pattern: &str, number: usize) -> Result<Regex, RedactError> {
    if pattern.len() > PATTERN_BYTES {
        return Err(RedactError::TooLong { number, bytes: pattern.len() });
    }
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_COMPILED_BYTES).build();
    let regex = built.map_err(|error| RedactError::Invalid {
        number,
        pattern: pattern.to_owned(),
        reason: one_line(&error.to_string()),
    })?;
    if regex.is_match("") {
        return Err(RedactError::MatchesNothing { number, pattern: pattern.to_owned() });
    }
    Ok(regex)
}

/// The regex crate draws a picture of several lines, the last of which says what is wrong.
fn one_line(error: &str) -> String {
    let last = error.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(error).trim();
    last.strip_prefix("error: ").unwrap_or(last).to_lowercase()
}

#[cfg(test)]
mod tests;
