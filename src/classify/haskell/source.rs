//! A source that `runghc` runs as a script and that does not parse or type: its line is to blame.
//!
//! `Tap.hs:3:17: error: [GHC-88464]`, with the text in the same line or below, and the line of the source.

use super::frames;
use crate::classify::finding::{Culprit, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{MISSING_MODULE, UNHANDLED_ERROR};
use crate::classify::text;

/// Stands behind the place.
const MARK: &str = ": error:";
/// Most lines of explanation and of further errors.
const LINES: u32 = 64;
/// How a module is missed.
const MODULE: [&str; 3] = ["Could not find module ", "Could not load module ", "Failed to load interface for "];

/// The parser of one report.
#[derive(Debug)]
pub struct Source {
    prefix: Prefix,
    culprit: Culprit,
    message: String,
    lines: u32,
    passage: Passage,
}

impl Source {
    /// A report that begins in this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, MARK)?;
        let start = line.text[..at].iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        let (file, number) = frames::place_of(std::str::from_utf8(&line.text[start..at]).ok()?)?;
        Some(Self {
            prefix: Prefix::learn(&line.text[..start]),
            culprit: Culprit { function: None, file: Some(file), line: Some(number) },
            message: said(&line.text[at + MARK.len()..]),
            lines: 0,
            passage: Passage::begin(line, start, context),
        })
    }
}

/// A line of the text without the error's number and the bullet.
fn said(line: &[u8]) -> String {
    let line = text::string(line.trim_ascii());
    let numbered = line.strip_prefix("[GHC-").and_then(|rest| rest.split_once(']')).map(|(_, rest)| rest);
    numbered.unwrap_or(&line).trim_start_matches([' ', '•']).to_owned()
}

impl Parser for Source {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text) else { return Flow::Over };
        self.lines += 1;
        if self.lines > LINES {
            return Flow::Over;
        }
        if text::blank(bare) {
            return Flow::Taken;
        }
        // Below the place stand the explanation, indented, and the line of the source with its number; more errors follow.
        let source = text::split_digits(bare).1.starts_with(b" |");
        if !bare.starts_with(b" ") && !source && !text::has(bare, MARK) {
            return Flow::Over;
        }
        if self.message.is_empty() {
            self.message = said(bare);
        }
        self.passage.push(bare, line.number);
        Flow::Taken
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let missing = MODULE.iter().any(|words| self.message.starts_with(words));
        let file = self.culprit.file.as_deref().map(base_name).unwrap_or_default().to_owned();
        Some(Candidate {
            reason: if missing { MISSING_MODULE } else { UNHANDLED_ERROR },
            kind: self.message.clone(),
            message: self.message,
            exits: &[1],
            culprit: Some(self.culprit),
            signature: vec![(String::new(), file)],
            ..Candidate::of(Runtime::Haskell, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn sources_that_do_not_compile_are_to_blame() {
        let cases = [
            (
                "Tap.hs:3:17: error: Variable not in scope: foo :: String\n  |\n3 | main = putStrLn foo\n  |                 ^^^\n",
                "UnhandledError",
                "Variable not in scope: foo :: String",
            ),
            (
                "\nTap.hs:3:17: error: [GHC-88464]\n    Variable not in scope: foo\n\nTap.hs:9:1: error: [GHC-58481] parse error\n",
                "UnhandledError",
                "Variable not in scope: foo",
            ),
            (
                "Tap.hs:3:1: error:\n    • Couldn't match type ‘Int’ with ‘[Char]’\n      Expected: String\n",
                "UnhandledError",
                "Couldn't match type ‘Int’ with ‘[Char]’",
            ),
            (
                "Tap.hs:3:1: error: [GHC-87110]\n    Could not find module ‘Data.Lisst’\n",
                "MissingModule",
                "Could not find module ‘Data.Lisst’",
            ),
        ];
        for (log, reason, message) in cases {
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding = Engine::default().classify(log.as_bytes(), facts).finding;
            assert_eq!((finding.reason.as_str(), finding.message.as_str()), (reason, message), "{log}");
            assert_eq!((finding.runtime.as_str(), finding.culprit.unwrap().short().as_str()), ("haskell", "Tap.hs:3"));
        }
    }
}
