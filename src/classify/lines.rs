//! Cuts a stream of chunks into blocks of whole lines, with a limit for the length of a line.
//!
//! What comes out depends on the bytes alone, never on how they were cut into chunks.

use memchr::{memchr, memrchr};

/// Longest part of a line that is looked at; the rest of a longer line is skipped. It holds a JSON record with a stack
/// of 1,024 frames cut by its logger, and keeps a 100 MB line from growing the memory.
pub const LINE_BYTES: usize = 64 * 1024;

/// The lines of a stream. Whole lines are passed on without a copy; only the piece of a line at the end of a chunk is
/// kept until the rest of it arrives.
#[derive(Debug, Default)]
pub struct Lines {
    open: Vec<u8>,
    skipping: bool,
}

impl Lines {
    /// Takes the next bytes and hands on the lines that they complete, as blocks in which every line ends with `\n`.
    pub fn feed(&mut self, chunk: &[u8], mut sink: impl FnMut(&[u8])) {
        // A piece is no longer than a line may be, so that a line inside of it never has to be cut.
        for piece in chunk.chunks(LINE_BYTES) {
            self.piece(piece, &mut sink);
        }
    }

    /// Hands on the last line where it has no line end.
    pub fn finish(&mut self, mut sink: impl FnMut(&[u8])) {
        if !self.open.is_empty() {
            self.close(&mut sink);
        }
    }

    fn piece(&mut self, mut piece: &[u8], sink: &mut impl FnMut(&[u8])) {
        if !self.open.is_empty() {
            let Some(end) = memchr(b'\n', piece) else { return self.keep(piece) };
            self.keep(&piece[..end]);
            self.close(sink);
            piece = &piece[end + 1..];
        }
        let whole = memrchr(b'\n', piece).map_or(0, |end| end + 1);
        if whole > 0 {
            sink(&piece[..whole]);
        }
        self.keep(&piece[whole..]);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping {
            return;
        }
        let room = LINE_BYTES - self.open.len();
        self.open.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.skipping = bytes.len() > room;
    }

    fn close(&mut self, sink: &mut impl FnMut(&[u8])) {
        self.open.push(b'\n');
        sink(&self.open);
        self.open.clear();
        self.skipping = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.feed(chunk, |block| out.extend_from_slice(block));
        }
        lines.finish(|block| out.extend_from_slice(block));
        out
    }

    #[test]
    fn lines_come_out_whole_however_they_were_cut() {
        let text = b"one\ntwo\n\nthree";
        for at in 0..text.len() {
            assert_eq!(all(&[&text[..at], &text[at..]]), b"one\ntwo\n\nthree\n");
        }
    }

    #[test]
    fn the_rest_of_a_long_line_is_skipped_and_the_next_line_is_not() {
        let mut text = vec![b'x'; 3 * LINE_BYTES + 7];
        text.extend_from_slice(b"\nnext\n");
        let out = all(&[&text]);
        assert_eq!(out.len(), LINE_BYTES + 1 + 5);
        assert!(out.ends_with(b"x\nnext\n"));
        let (first, second) = text.split_at(LINE_BYTES + 3);
        assert_eq!(all(&[first, second]), out);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_whole() {
        let mut text = vec![b'x'; LINE_BYTES];
        text.push(b'\n');
        assert_eq!(all(&[&text]), text);
    }
}
