//! The places in a text that are to be replaced.

use std::ops::Range;

use super::MARK;
use super::cut::{ceil, floor};

/// Byte ranges of a text that hold secrets, in any order while they are collected.
pub(super) struct Spans<'t> {
    text: &'t str,
    ranges: Vec<Range<usize>>,
    covered: usize,
}

impl<'t> Spans<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, ranges: Vec::new(), covered: 0 }
    }

    /// Up to where the text is taken already: what starts before it needs no second look in this pass.
    pub(super) fn covered(&self) -> usize {
        self.covered
    }

    /// Adds one secret; nothing is added where it is empty or replaced already.
    pub(super) fn add(&mut self, secret: Range<usize>) {
        let start = floor(self.text, secret.start);
        let end = ceil(self.text, secret.end);
        if start < end && !self.is_within_mark(start, end) {
            self.covered = self.covered.max(end);
            self.ranges.push(start..end);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the range lies inside a mark that an earlier pass has left.
    fn is_within_mark(&self, start: usize, end: usize) -> bool {
        let from = floor(self.text, start.saturating_sub(MARK.len()));
        let to = ceil(self.text, end + MARK.len());
        let around = &self.text[from..to];
        end - start <= MARK.len()
            && around.match_indices(MARK).any(|(at, _)| from + at <= start && end <= from + at + MARK.len())
    }

    /// The text with every range replaced by one mark; ranges that touch or overlap are one.
    pub(super) fn replace(mut self) -> String {
        self.ranges.sort_by_key(|range| range.start);
        let mut clean = String::with_capacity(self.text.len());
        let mut done = 0;
        let mut ranges = self.ranges.into_iter().peekable();
        while let Some(mut range) = ranges.next() {
            while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
                range.end = range.end.max(next.end);
            }
            clean.push_str(&self.text[done..range.start]);
            clean.push_str(MARK);
            done = range.end;
        }
        clean.push_str(&self.text[done..]);
        clean
    }
}
