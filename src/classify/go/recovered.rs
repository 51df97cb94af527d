//! Stacks that web frameworks print for a panic they caught, in formats of their own: gin's `file.go:12 (0x44a2c6)`.

use super::frames::{self, Layout, RawFrame};
use super::kinds::{self, RUNTIME};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::text;

/// gin's words above the request, the panic's value and the stack.
pub const HEAD: &str = "panic recovered:";
/// Most lines of request headers before the stack.
const HEAD_LINES: u32 = 64;
/// Most frames kept.
const FRAMES: usize = 64;

/// The parser of one such stack.
#[derive(Debug)]
pub struct Recovered {
    value: String,
    frames: Vec<RawFrame>,
    place: Option<(String, u32)>,
    lines: u32,
    passage: Passage,
}

impl Recovered {
    /// A stack that begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Self {
        let (value, frames) = (String::new(), Vec::new());
        Self { value, frames, place: None, lines: 0, passage: Passage::begin(line, 0, context) }
    }

    fn head_line(&mut self, line: &[u8]) -> Flow {
        self.lines += 1;
        if self.lines > HEAD_LINES {
            return Flow::Over;
        }
        if !text::blank(line) {
            // The value stands last, just above the stack.
            self.value = text::string(&line[..line.len().min(1024)]);
        }
        Flow::Taken
    }
}

/// `/app/main.go:22 (0x8a3f25)`
fn place(line: &[u8]) -> Option<(String, u32)> {
    let end = text::find(line, " (0x")?;
    let (file, line) = frames::place(&[b"\t", &line[..end]].concat()).map(|(file, line)| (text::string(file), line))?;
    Some((file, line))
}

impl Parser for Recovered {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let flow = if let Some(place) = place(line.text) {
            self.place = Some(place);
            Flow::Taken
        } else if let Some((file, number)) = self.place.take().filter(|_| line.text.starts_with(b"\t")) {
            // `\tmain.handler: source text`; the package's directory is not in the name.
            let name = text::string(line.text.trim_ascii()).split(": ").next().unwrap_or_default().to_owned();
            if self.frames.len() < FRAMES {
                self.frames.push(RawFrame { function: name, file, line: number });
            }
            Flow::Taken
        } else if self.frames.is_empty() {
            self.head_line(line.text)
        } else if line.text.ends_with(b"\x1b[0m") || text::blank(line.text) {
            Flow::Taken
        } else {
            Flow::Over
        };
        if flow == Flow::Taken {
            self.passage.push(line.text, line.number);
        }
        flow
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let layout = Layout::default();
        let own = self.frames.iter().find(|frame| layout.in_app(frame)).map(super::dump::place_of);
        let kind = kinds::of_panic(self.value.trim(), messages);
        (!self.frames.is_empty()).then(|| Candidate {
            reason: kind.reason,
            kind: kind.word,
            exception: kind.exception,
            message: format!("panic: {}", self.value.trim()),
            standing: Standing::Survived("recovered by gin, which went on serving"),
            culprit: own,
            stack: super::dump::stack(&self.frames, &layout),
            signature: super::dump::signature(&self.frames, &layout, false),
            ..Candidate::of(RUNTIME, self.passage)
        })
    }
}
