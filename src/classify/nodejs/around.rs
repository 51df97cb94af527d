//! What stands above and below a stack: where it was thrown, who wrote it, and what a wrapper says of its death.

use super::frames;
use super::head::Head;
use crate::classify::grammar::Context;
use crate::classify::prefix::Prefix;
use crate::classify::{text, wrapper};

/// Lines that a runtime writes only when nothing caught the error.
const LAST_WORDS: [&str; 2] = ["Node.js v", "Bun v"];
/// What Node.js says below a thrown value that has no stack, from version 12 on.
pub const HINT: &str = "(Use `node --trace-uncaught ...` to show where the exception was thrown)";

/// Words above a stack after which the process lives on, and why.
const SURVIVED: [(&str, &str); 4] = [
    ("UnhandledPromiseRejectionWarning", "before version 15 Node.js only warns of a rejected promise"),
    ("Warning: ", "a warning, after which Node.js goes on"),
    ("Trace: ", "the program printed where it was and went on"),
    ("[ioredis] Unhandled error event", "the client tries again"),
];

/// What the lines above a stack show.
#[derive(Clone, Debug, Default)]
pub struct Above {
    /// The place above the source line that threw.
    pub site: Option<(String, u32)>,
    /// A source line with a caret below it: nothing caught the error.
    pub caret: bool,
    /// The line that names the error, and those of its text, the first one first.
    pub text: Vec<Vec<u8>>,
    /// How many lines of the context they take, from the nearest one on.
    pub lines: usize,
    /// Why it was survived.
    pub survived: Option<&'static str>,
}

/// Reads the lines above the first frame. `inline`: the error is named in the line itself.
pub fn above(prefix: &Prefix, context: &Context<'_>, inline: bool) -> Above {
    let lines: Vec<Option<&[u8]>> = context.before.iter().map(|line| prefix.strip(line)).collect();
    let caret = lines.iter().position(|line| line.is_some_and(is_caret));
    let mut above = Above::default();
    if let Some(at) = caret {
        let sited =
            (at + 1..(at + 4).min(lines.len())).find_map(|above| Some((above, frames::throw_site(lines[above]?)?)));
        let numbered = lines.get(at + 1).is_some_and(|line| line.is_some_and(is_numbered_source));
        above.caret = sited.is_some() || numbered;
        above.lines = sited.as_ref().map_or(at + 1, |(above, _)| above + 1);
        above.site = sited.map(|(_, site)| site);
        above.text = below_caret(&lines[..at], inline);
    }
    if !above.caret {
        above.lines = 0;
        above.text = Vec::new();
        if !inline {
            named(&lines, context, &mut above);
        }
    }
    let first = above.text.first().map(Vec::as_slice).unwrap_or_default();
    let nearest = context.before.first().map(Vec::as_slice).unwrap_or_default();
    let words = |words: &str| text::has(first, words) || text::has(nearest, words);
    above.survived = SURVIVED.iter().find(|(warning, _)| words(warning)).map(|(_, why)| *why);
    above
}

fn below_caret(lines: &[Option<&[u8]>], inline: bool) -> Vec<Vec<u8>> {
    if inline {
        return Vec::new();
    }
    let known = lines.iter().rev().flatten().skip_while(|line| text::blank(line));
    known.map(|line| line.to_vec()).collect()
}

/// The nearest line above that names an error; where none does, the line directly above.
fn named(lines: &[Option<&[u8]>], context: &Context<'_>, above: &mut Above) {
    let name = |at: usize| {
        // The name may stand behind a logger's prefix, which the frames do not have.
        let line = context.before[at].as_slice();
        Head::find(line).map(|start| line[start..].to_vec())
    };
    let ends =
        lines.iter().position(|line| line.is_some_and(|line| frames::read(line).is_some())).unwrap_or(lines.len());
    let properties = || above_properties(&lines[..ends]).map(|at| (at, lines[at].unwrap_or_default().to_vec()));
    let (at, first) = match (0..ends).find_map(|at| Some((at, name(at)?))).or_else(properties) {
        Some(found) => found,

        // Deno's checker names the error above the source that it quotes.
        None if lines.first().is_some_and(|line| line.is_some_and(is_caret)) => match lines.get(2) {
            Some(Some(line)) if !text::blank(line) && ends > 2 => (2, line.to_vec()),
            _ => return,
        },
        // consola: ` FATAL  x is undefined`, and a blank line.
        None if lines.len() > 1 && lines[0].is_some_and(text::blank) => match lines[1].and_then(level_and_text) {
            Some(line) if ends > 1 => (1, line.to_vec()),
            _ => return,
        },
        None => match lines.first() {
            Some(Some(line)) if !text::blank(line) && ends > 0 => (0, line.to_vec()),
            _ => return,
        },
    };
    above.text = vec![first];
    above.text.extend(lines[..at].iter().rev().flatten().map(|line| line.to_vec()));
    above.lines = at + 1;
}

/// Bun prints an error's properties between its name, `error: x`, and its frames.
fn above_properties(lines: &[Option<&[u8]>]) -> Option<usize> {
    let at = lines.iter().position(|line| line.is_some_and(|line| line.starts_with(b"error: ")))?;
    let property = |line: &[u8]| text::blank(line) || line.starts_with(b" ") && text::has(line, ": ");
    lines[..at].iter().all(|line| line.is_some_and(property)).then_some(at)
}

/// The text behind a level that stands alone before it.
fn level_and_text(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii_start();
    let levels: [&[u8]; 4] = [b"FATAL ", b"ERROR ", b"[fatal] ", b"[error] "];
    levels
        .into_iter()
        .find_map(|level| line.strip_prefix(level))
        .map(<[u8]>::trim_ascii)
        .filter(|text| !text.is_empty())
}

/// Position of the nearest line above that names an error at its start.
pub fn plain_error(prefix: &Prefix, context: &Context<'_>) -> Option<usize> {
    let named = |line: &[u8]| {
        // A thrown value stands below a lone `error`; an error of the system begins with its code.
        let coded = line.split(|b| *b == b':').next().unwrap_or_default();
        let coded = coded.len() > 3 && coded.first() == Some(&b'E') && coded.iter().all(u8::is_ascii_uppercase);
        line.starts_with(b"error: ") || line == b"error" || coded || Head::find(line) == Some(0)
    };
    context.before.iter().position(|line| prefix.strip(line).is_some_and(named))
}

/// Carets below a source line, and nothing else.
pub fn is_caret(line: &[u8]) -> bool {
    line.contains(&b'^') && line.iter().all(|b| matches!(b, b' ' | b'\t' | b'^' | b'~'))
}

/// `12 | const a = b.c;`: a source line as Bun quotes it.
pub fn is_numbered_source(line: &[u8]) -> bool {
    let (digits, rest) = text::split_digits(line.trim_ascii_start());
    !digits.is_empty() && rest.starts_with(b" |")
}

/// The runtime's own last line.
pub fn is_last_word(line: &[u8]) -> bool {
    line.starts_with(HINT.as_bytes())
        || LAST_WORDS.iter().any(|words| {
            line.strip_prefix(words.as_bytes()).is_some_and(|version| version.first().is_some_and(u8::is_ascii_digit))
        })
}

/// Whether a line below a stack belongs to the same death.
pub fn is_epilogue(line: &[u8]) -> bool {
    text::has(line, "Thrown at:") || wrapper::is_echo(line)
}
