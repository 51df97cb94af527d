//! One goroutine of a dump: its header, its frames, who started it.

use super::frames::{self, Layout, RawFrame};
use crate::classify::excerpt::Block;
use crate::classify::text;

/// Most frames kept of one goroutine: the runtime itself prints no more than 100.
const FRAMES: usize = 128;
/// Longest path of a source file, in bytes.
const FILE_BYTES: usize = 1024;
/// Most that is quoted of one goroutine, in bytes.
const QUOTED_BYTES: usize = 6 * 1024;

/// `goroutine 12 [running]:`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Its number; `None` for a stack whose header is cut off.
    pub id: Option<u64>,
    /// What it was doing: `running`, `chan receive, 3 minutes`…
    pub state: String,
}

/// Reads a header at the start of the text.
pub fn header(text: &[u8]) -> Option<Header> {
    let rest = text.strip_prefix(b"goroutine ")?;
    let (digits, rest) = text::split_digits(rest);
    let id = std::str::from_utf8(digits).ok()?.parse().ok()?;
    // Between number and state: `gp=0x… m=0 mp=0x…`; behind the state, labels.
    let open = rest.iter().position(|b| *b == b'[')?;
    let close = rest.iter().position(|b| *b == b']')?;
    let plain = rest.starts_with(b" ") && open < 96 && open < close && rest.trim_ascii_end().ends_with(b":");
    plain.then(|| Header { id: Some(id), state: text::string(&rest[open + 1..close]) })
}

/// Finds a header in a line, perhaps behind a prefix: where it starts, and what it says.
pub fn find_header(line: &[u8]) -> Option<(usize, Header)> {
    let at = text::find(line, "goroutine ")?;
    let separate = at == 0 || !line[at - 1].is_ascii_alphanumeric();
    header(&line[at..]).filter(|_| separate).map(|header| (at, header))
}

/// A goroutine under way.
#[derive(Clone, Debug, Default)]
pub struct Goroutine {
    /// Its header.
    pub header: Header,
    /// Its frames, the top one first.
    pub frames: Vec<RawFrame>,
    /// The function that started it.
    pub creator: Option<RawFrame>,
    /// Its lines.
    pub block: Block,
    pending: Option<Pending>,
}

#[derive(Clone, Debug)]
struct Pending {
    function: Vec<u8>,
    creator: bool,
}

impl Goroutine {
    /// A goroutine whose header was just read.
    pub fn new(header: Header, line: &[u8]) -> Self {
        let mut goroutine = Self { header, ..Self::default() };
        goroutine.block.push(line);
        goroutine
    }

    /// Takes a line of the stack; `false` where it is none. A call counts only when the place below it has come.
    pub fn line(&mut self, line: &[u8]) -> bool {
        if let Some((file, number)) = frames::place(line) {
            return self.place(line, file, number);
        }
        let creator = frames::creator(line);
        if let Some(symbol) = creator.or_else(|| frames::call(line)) {
            self.pending = Some(Pending { function: symbol.to_vec(), creator: creator.is_some() });
            self.quote(line);
            return true;
        }
        let filler = is_filler(line);
        if filler {
            self.quote(line);
        }
        filler
    }

    fn place(&mut self, line: &[u8], file: &[u8], number: u32) -> bool {
        let Some(pending) = self.pending.take() else { return self.frames.is_empty() };
        self.quote(line);
        let frame = frames::frame(&pending.function, &file[..file.len().min(FILE_BYTES)], number);
        if pending.creator {
            self.creator = Some(frame);
        } else if self.frames.len() < FRAMES {
            self.frames.push(frame);
        }
        true
    }

    fn quote(&mut self, line: &[u8]) {
        if self.block.len() < QUOTED_BYTES {
            self.block.push(line);
        }
    }

    /// Whether a call waits for its place.
    pub fn is_open(&self) -> bool {
        self.pending.is_some()
    }

    /// Index of the first frame in the user's own code from `from` on.
    pub fn first_own(&self, layout: &Layout, from: usize) -> Option<usize> {
        (from..self.frames.len()).find(|at| layout.in_app(&self.frames[*at]))
    }

    /// Whether it runs or would run, rather than wait for something.
    pub fn is_running(&self) -> bool {
        self.header.state.starts_with("run")
    }
}

/// Lines of a stack that are neither call nor place.
fn is_filler(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    (line.starts_with(b"...") && line.ends_with(b"elided..."))
        || line.starts_with(b"goroutine running on other thread")
        || line.starts_with(b"[originating from goroutine")
        || line.starts_with(b"runtime: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_versions_are_read() {
        let cases = [
            ("goroutine 1 [running]:", Some((1, "running"))),
            (
                "goroutine 5 [chan receive, 3 minutes, locked to thread]:",
                Some((5, "chan receive, 3 minutes, locked to thread")),
            ),
            ("goroutine 0 gp=0x1 m=0 mp=0x2 [idle]:", Some((0, "idle"))),
            ("goroutine 7 [running] {\"request\": \"1\"}:", Some((7, "running"))),
            ("goroutine 7 [running]", None),
            ("goroutine pool grew to [8]:", None),
        ];
        for (line, expected) in cases {
            let header = header(line.as_bytes()).map(|h| (h.id.unwrap(), h.state));
            assert_eq!(header, expected.map(|(id, state)| (id, state.to_owned())), "{line}");
        }
    }

    #[test]
    fn a_frame_is_complete_with_its_place() {
        let mut goroutine = Goroutine::default();
        for line in
            ["main.f(0x1)", "\t/app/main.go:7 +0x1", "created by main.main in goroutine 1", "\t/app/main.go:3 +0x2"]
        {
            assert!(goroutine.line(line.as_bytes()), "{line}");
        }
        assert!(!goroutine.line(b"GET /api/cart 200 16ms"));
        assert_eq!(goroutine.frames, [frames::frame(b"main.f", b"/app/main.go", 7)]);
        assert_eq!(goroutine.creator, Some(frames::frame(b"main.main", b"/app/main.go", 3)));
    }
}
