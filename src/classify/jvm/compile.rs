//! A source file that `java Orders.java` was handed and that does not compile.

use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::prefix::Prefix;
use crate::classify::reason::UNHANDLED_ERROR;
use crate::classify::text;

/// The launcher's last line.
pub const FAILED: &str = "error: compilation failed";
/// What stands between a place and its error.
const ERROR: &str = ": error: ";

/// The error that the compiler found first, as far as the lines above show it.
#[derive(Debug)]
pub struct Failure {
    culprit: Culprit,
    message: String,
    block: Block,
    first_line: u64,
    last_line: u64,
}

impl Failure {
    /// A failure, if it ends with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, FAILED)?;
        if !text::blank(&line.text[at + FAILED.len()..]) {
            return None;
        }
        let prefix = Prefix::learn(&line.text[..at]);
        let said: Vec<String> =
            context.before.iter().map_while(|line| Some(text::string(prefix.strip(line)?))).collect();
        let (above, culprit, message) =
            said.iter().enumerate().rev().find_map(|(above, line)| place(line).map(|(c, m)| (above, c, m)))?;
        let mut block = Block::after(&context.before[above + 1..]);
        said[..=above].iter().rev().for_each(|line| block.push(line.as_bytes()));
        block.push(&line.text[at..]);
        let first_line = line.number.saturating_sub(above as u64 + 1);
        Some(Self { culprit, message, block, first_line, last_line: line.number })
    }
}

/// `Orders.java:9: error: ';' expected`
fn place(line: &str) -> Option<(Culprit, String)> {
    let (place, message) = line.split_once(ERROR)?;
    let (file, number) = place.rsplit_once(':')?;
    let number = number.parse().ok()?;
    let culprit = Culprit { function: None, file: Some(file.to_owned()), line: Some(number) };
    file.ends_with(".java").then(|| (culprit, message.trim().to_owned()))
}

impl Parser for Failure {
    fn line(&mut self, _line: &Line<'_>) -> Flow {
        Flow::Over
    }

    fn finish(self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        Some(Candidate {
            runtime: Runtime::Jvm,
            reason: UNHANDLED_ERROR,
            kind: self.message.clone(),
            exception: None,
            message: self.message,
            standing: Standing::Fatal,
            exits: &[1],
            culprit: Some(self.culprit),
            stack: Vec::new(),
            signature: Vec::new(),
            related: Vec::new(),
            excerpt: self.block,
            first_line: self.first_line,
            last_line: self.last_line,
            headless: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_compilers_error_is_read() {
        let (culprit, message) = place("src/Orders.java:9: error: ';' expected").unwrap();
        assert_eq!(
            (culprit.file.as_deref(), culprit.line, message.as_str()),
            (Some("src/Orders.java"), Some(9), "';' expected")
        );
        for line in ["Orders.java: error: no", "a.c:9: error: ';' expected", "1 error"] {
            assert_eq!(place(line), None, "{line}");
        }
    }
}
