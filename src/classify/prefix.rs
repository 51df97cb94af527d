//! What a collector puts before every line: a time stamp, a level, `[pod/x/y] `, `web.1 | `.

use super::envelope;

/// Longest prefix that is learned, in bytes. What is longer is text, not an envelope.
const PREFIX_BYTES: usize = 256;

/// The shape of a prefix: its text with runs of digits standing for any digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    tokens: Vec<Token>,
    /// It has the shape of a known collector.
    known: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A run of digits of any length.
    Digits,
    /// A stamp of daemontools, in hexadecimal digits.
    Tai64n,
    /// A word for a level or a stream, which may differ from line to line.
    Level,
    /// Exactly this.
    Text(Vec<u8>),
}

/// Words that differ between the lines of one trace.
const LEVELS: [&str; 12] =
    ["info", "error", "err", "warn", "warning", "debug", "fatal", "critical", "trace", "notice", "stdout", "stderr"];

impl Prefix {
    /// The shape of these bytes; the empty prefix where they are too long to be an envelope.
    pub fn learn(bytes: &[u8]) -> Self {
        if bytes.len() > PREFIX_BYTES {
            return Self::default();
        }
        let mut tokens = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let stamp = envelope::tai64n_length(rest);
            let length = stamp.unwrap_or_else(|| token_len(rest));
            match stamp {
                Some(_) => tokens.push(Token::Tai64n),
                None => push(&mut tokens, &rest[..length]),
            }
            rest = &rest[length..];
        }
        Self { tokens, known: is_known(bytes) }
    }

    /// Whether nothing stands before the lines.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether it looks like a collector's: nothing, or something with a number, a bracket or a bar. Words alone are a
    /// sentence that goes on.
    pub fn is_envelope(&self) -> bool {
        let marks = |text: &[u8]| text.iter().any(|b| matches!(b, b']' | b'|'));
        self.is_empty()
            || self.tokens.iter().any(|token| match token {
                Token::Digits | Token::Tai64n => true,
                Token::Level => false,
                Token::Text(text) => marks(text),
            })
    }

    /// Whether nothing stands before the lines but what a collector is known to write.
    pub fn is_collectors(&self) -> bool {
        self.is_empty() || self.known
    }

    /// The line without the prefix; `None` where it does not have it. A collector that trims lines takes the blanks at
    /// the end of the prefix from an empty line: that is such a line too.
    pub fn strip<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = line;
        for (at, token) in self.tokens.iter().enumerate() {
            rest = match (token, token_len(rest)) {
                (Token::Digits, length) if rest.first().is_some_and(u8::is_ascii_digit) => &rest[length..],
                (Token::Tai64n, _) => &rest[envelope::tai64n_length(rest)?..],
                (Token::Level, length) if is_level(&rest[..length]) => &rest[length..],
                (Token::Text(text), _) => match rest.strip_prefix(text.as_slice()) {
                    Some(rest) => rest,
                    None => return self.trimmed_end(at, text, rest),
                },
                _ => return None,
            };
        }
        Some(rest)
    }

    fn trimmed_end<'a>(&self, at: usize, text: &[u8], rest: &'a [u8]) -> Option<&'a [u8]> {
        let last = at + 1 == self.tokens.len();
        (last && rest == text.trim_ascii_end()).then_some(&rest[rest.len()..])
    }
}

fn is_known(bytes: &[u8]) -> bool {
    // A word behind it, since a collector's blank at the end would be taken for nothing.
    const WORD: &str = "x";
    let marked = [bytes, WORD.as_bytes()].concat();
    !bytes.is_empty() && envelope::without_collector(&super::text::string(&marked)) == WORD
}

fn push(tokens: &mut Vec<Token>, word: &[u8]) {
    if word[0].is_ascii_digit() {
        tokens.push(Token::Digits);
    } else if is_level(word) {
        tokens.push(Token::Level);
    } else if let Some(Token::Text(text)) = tokens.last_mut() {
        text.extend_from_slice(word);
    } else {
        tokens.push(Token::Text(word.to_vec()));
    }
}

/// Length of the run of digits, of letters, or of other bytes at the start.
fn token_len(text: &[u8]) -> usize {
    let class = |b: &u8| match b {
        b'0'..=b'9' => 0,
        b'a'..=b'z' | b'A'..=b'Z' => 1,
        _ => 2,
    };
    let Some(first) = text.first() else { return 0 };
    text.iter().position(|b| class(b) != class(first)).unwrap_or(text.len())
}

fn is_level(word: &[u8]) -> bool {
    LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_stripped_from_the_lines_that_have_its_shape() {
        let cases: [(&str, &str, Option<&str>); 9] = [
            ("@4000000067428a850b5c2e14 ", "@400000006742bbbb00000a0f x", Some("x")),
            ("", "anything", Some("anything")),
            ("2026-11-24T04:15:10.123Z ", "2026-11-25T10:00:00.7Z main.main()", Some("main.main()")),
            ("[pod/a-7b6c5d4f8-m4n5p/api] ", "[pod/a-7b6c5d4f8-m4n5p/api] \tx.go:1", Some("\tx.go:1")),
            ("[pod/a-7b6c5d4f8-m4n5p/api] ", "[pod/a-7b6c5d4f8-m4n5p/api]", Some("")),
            ("[pod/a-7b6c5d4f8-m4n5p/api] ", "[pod/b-7b6c5d4f8-m4n5p/api] x", None),
            ("04:15:10 web.1  | ", "04:15:11 web.1  | x", Some("x")),
            ("2026-11-24T04:15:10Z stderr F ", "2026-11-24T04:15:10Z stdout F x", Some("x")),
            ("web.1 | ", "", None),
        ];
        for (sample, line, expected) in cases {
            let rest = Prefix::learn(sample.as_bytes()).strip(line.as_bytes());
            assert_eq!(rest, expected.map(str::as_bytes), "{sample:?} on {line:?}");
        }
    }
}
