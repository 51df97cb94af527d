//! The refusal of php-fpm to start: several lines, of which the first says why.

use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::reason::INVALID_CONFIGURATION;
use crate::classify::text;

/// Its last line.
pub const LAST: &str = "ERROR: FPM initialization failed";

/// A refusal, read at once from its last line and those above it.
#[derive(Debug)]
pub struct Refusal {
    message: String,
    /// Where the setting stands that it refuses.
    place: Option<Culprit>,
    passage: Passage,
}

impl Refusal {
    /// The refusal of which this line is the last one.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        text::find(line.text, LAST)?;
        let errors: Vec<&Vec<u8>> = context.before.iter().take_while(|line| complaint(line).is_some()).collect();
        let mut block = Block::after(&context.before[errors.len()..]);
        errors.iter().rev().for_each(|line| block.push(line));
        block.push(line.text);
        let first = errors.last().map_or(line.text, |line| line.as_slice());
        let message = complaint(first)?;
        Some(Self {
            place: place(&message),
            message,
            passage: Passage::new(block, line.number.saturating_sub(errors.len() as u64), line.number),
        })
    }
}

/// What follows `ERROR: ` or `ALERT: `.
fn complaint(line: &[u8]) -> Option<String> {
    let words = ["ERROR: ", "ALERT: "];
    let at = words.iter().find_map(|word| Some(text::find(line, word)? + word.len()))?;
    Some(text::string(line[at..].trim_ascii_end()))
}

/// `[/etc/php-fpm.d/www.conf:6] unknown entry 'pm.max'`
fn place(message: &str) -> Option<Culprit> {
    let (file, line) = message.strip_prefix('[')?.split_once("] ")?.0.rsplit_once(':')?;
    Some(Culprit { function: None, file: Some(file.to_owned()), line: Some(line.parse().ok()?) })
}

impl Parser for Refusal {
    fn line(&mut self, _line: &Line<'_>) -> Flow {
        Flow::Over
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let meaning = messages.meaning(&self.message, Voice::LastWords);
        Some(Candidate {
            reason: meaning.map_or(INVALID_CONFIGURATION, |meaning| meaning.reason),
            kind: self.message.clone(),
            message: self.message,
            exits: &[78],
            culprit: self.place,
            ..Candidate::of(Runtime::Php, self.passage)
        })
    }
}
