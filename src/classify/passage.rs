//! What part of a log a trace is.

use super::excerpt::Block;
use super::grammar::{Context, Line};

/// What is quoted of a trace, and from which line of the log to which it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// The decisive lines, below a few that stand before them.
    pub block: Block,
    /// Number of its first line.
    pub first_line: u64,
    /// Number of its last line.
    pub last_line: u64,
}

impl Passage {
    /// One that begins in this line at this place, below what stands before it.
    pub fn begin(line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        let mut block = Block::after(context.before);
        block.push(&line.text[at..]);
        Self::at(block, line.number)
    }

    /// One that consists of a single line so far.
    pub fn at(block: Block, line: u64) -> Self {
        Self::new(block, line, line)
    }

    /// One from a line to a line.
    pub fn new(block: Block, first_line: u64, last_line: u64) -> Self {
        Self { block, first_line, last_line }
    }

    /// Takes a line in.
    pub fn push(&mut self, bare: &[u8], number: u64) {
        self.block.push(bare);
        self.last_line = number;
    }
}
