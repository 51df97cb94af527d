//! A source that `ocaml` runs as a script and that does not parse or type: its line is to blame.

use crate::classify::finding::{Culprit, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{MISSING_MODULE, UNHANDLED_ERROR};
use crate::classify::text;

/// Stands in the line with the place.
pub const MARK: &str = ", characters ";
/// Most lines of source and explanation.
const LINES: u32 = 16;

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
    /// A report that begins in this line: `File "./app.ml", line 1, characters 18-19:`.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, "File \"")?;
        let place = std::str::from_utf8(&line.text[at + b"File \"".len()..]).ok()?.trim_end();
        let (file, rest) = place.split_once("\", line")?;
        let digits = rest.trim_start_matches(['s', ' ']);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let source = file.ends_with(".ml") || file.ends_with(".mli");
        if !source || !rest.ends_with(':') {
            return None;
        }
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            culprit: Culprit { function: None, file: Some(file.to_owned()), line: digits[..end].parse().ok() },
            message: String::new(),
            lines: 0,
            passage: Passage::begin(line, at, context),
        })
    }
}

impl Parser for Source {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text) else { return Flow::Over };
        self.lines += 1;
        if self.lines > LINES || text::blank(bare) || text::has(bare, MARK) {
            return Flow::Over;
        }
        let said = bare.strip_prefix(b"Error: ");
        // Below the message stands more of it, indented.
        if said.is_none() && !self.message.is_empty() && !bare.starts_with(b" ") {
            return Flow::Over;
        }
        if let Some(said) = said {
            self.message = text::string(said.trim_ascii());
        }
        self.passage.push(bare, line.number);
        Flow::Taken
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let file = self.culprit.file.clone().unwrap_or_default();
        let signature = vec![(String::new(), crate::classify::finding::base_name(&file).to_owned())];
        // A warning has the same form without an error below it.
        (!self.message.is_empty()).then(|| Candidate {
            reason: if self.message.starts_with("Unbound module ") { MISSING_MODULE } else { UNHANDLED_ERROR },
            kind: "Error".to_owned(),
            message: self.message,
            standing: Standing::Printed,
            exits: &[2, 1],
            culprit: Some(self.culprit),
            signature,
            ..Candidate::of(Runtime::Ocaml, self.passage)
        })
    }
}
