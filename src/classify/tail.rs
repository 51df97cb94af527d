//! The last lines of what was read so far: the context of a trace, and what is left when there is none.

use memchr::memrchr;

/// How much is kept: the pipe of 64 KiB that a program may have filled with other lines when its last words come, and those,
/// or some hundreds of ordinary lines.
pub const TAIL_BYTES: usize = 2 * super::lines::LINE_BYTES + 1024;
/// One byte more, which tells whether a line begins exactly where the tail does.
const KEPT_BYTES: usize = TAIL_BYTES + 1;

/// The last [`TAIL_BYTES`] of a stream of lines.
#[derive(Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// Appends whole lines, each with its line end.
    pub fn push(&mut self, block: &[u8]) {
        if block.len() >= KEPT_BYTES {
            self.bytes.clear();
            self.bytes.extend_from_slice(&block[block.len() - KEPT_BYTES..]);
            return;
        }
        // Twice the size before the front is dropped, so that each byte is moved at most once more.
        if self.bytes.len() + block.len() > 2 * KEPT_BYTES {
            let keep = self.bytes.len().min(KEPT_BYTES);
            self.bytes.drain(..self.bytes.len() - keep);
        }
        self.bytes.extend_from_slice(block);
    }

    /// The whole lines within the last [`TAIL_BYTES`], the last one first, without their line ends.
    pub fn newest_first(&self) -> impl Iterator<Item = &[u8]> {
        let start = self.bytes.len().saturating_sub(TAIL_BYTES);
        // Unless a line begins exactly there, the first line is a rest and not shown.
        let whole = start == 0 || self.bytes[start - 1] == b'\n';
        let window = self.bytes[start..].strip_suffix(b"\n").unwrap_or(&self.bytes[start..]);
        NewestFirst { rest: (!self.bytes.is_empty()).then_some(window), whole }
    }
}

struct NewestFirst<'a> {
    rest: Option<&'a [u8]>,
    whole: bool,
}

impl<'a> Iterator for NewestFirst<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        match memrchr(b'\n', rest) {
            Some(end) => {
                self.rest = Some(&rest[..end]);
                Some(&rest[end + 1..])
            }
            None => self.whole.then_some(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_comes_first() {
        let mut tail = Tail::default();
        tail.push(b"a\nb\n");
        tail.push(b"\nc\n");
        let lines: Vec<&[u8]> = tail.newest_first().collect();
        assert_eq!(lines, [&b"c"[..], b"", b"b", b"a"]);
        assert_eq!(Tail::default().newest_first().count(), 0);
    }

    #[test]
    fn the_same_lines_are_kept_however_they_came() {
        let line = [b"0123456789".repeat(7), b"\n".to_vec()].concat();
        let all = line.repeat(5000);
        let (mut by_line, mut at_once) = (Tail::default(), Tail::default());
        all.chunks(line.len()).for_each(|line| by_line.push(line));
        at_once.push(&all);
        assert!(by_line.newest_first().eq(at_once.newest_first()));
        assert!(by_line.bytes.len() <= 2 * KEPT_BYTES);
    }
}
