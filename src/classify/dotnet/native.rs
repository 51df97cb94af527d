//! Mono's report of a fault in native code: the signal, stacks of all kinds, at last the managed one.

use super::frames;
use crate::classify::finding::{Frame, Runtime, STACK_FRAMES};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::place_of;
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::{signal, text};

/// The title of a report.
pub const HEAD: &str = "Native Crash Reporting";
/// What stands before the managed frames, the last part of it.
const MANAGED: &[u8] = b"Managed Stacktrace:";
/// What the signal's line begins with.
const SIGNAL: &str = "Got a ";
/// Most lines of one report: a debugger lists the stacks of all threads.
const LINES: u32 = 20_000;
/// Lines of the beginning that are shown.
const SHOWN: u32 = 8;

/// The parser of a report.
#[derive(Debug)]
pub struct Report {
    prefix: Prefix,
    said: String,
    managed: bool,
    frames: Vec<Frame>,
    count: u32,
    passage: Passage,
}

impl Report {
    /// A report, if this line is its title.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, HEAD)?;
        if !text::blank(&line.text[at + HEAD.len()..]) {
            return None;
        }
        let before = line.text[..at].trim_ascii_end().len();
        Some(Self {
            prefix: Prefix::learn(&line.text[..before]),
            said: String::new(),
            managed: false,
            frames: Vec::new(),
            count: 0,
            passage: Passage::begin(line, at, context),
        })
    }
}

/// `at Acme.Stock.Native:poke <0x000b0>`
fn frame(text: &[u8]) -> Option<Frame> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?.strip_prefix("at ")?;
    let function = text.split(" <0x").next()?.trim();
    let (class, method) = function.split_once(':').filter(|(class, _)| !class.contains([' ', '<']))?;
    let function = format!("{class}.{method}");
    let in_app = frames::is_own(&function);
    Some(Frame { function, file: None, line: None, in_app })
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        self.count += 1;
        let Some(bare) = self.prefix.strip(line.text) else { return Flow::Foreign };
        let trimmed = bare.trim_ascii();
        // The row of signs below the managed frames ends it.
        if self.count > LINES || self.managed && !self.frames.is_empty() && trimmed.starts_with(b"=====") {
            return Flow::Over;
        }
        let signal = self.said.is_empty() && trimmed.starts_with(SIGNAL.as_bytes());
        if signal {
            self.said = text::string(trimmed);
        }
        self.managed |= trimmed == MANAGED;
        let frame = frame(trimmed).filter(|_| self.managed && self.frames.len() < STACK_FRAMES);
        if self.count <= SHOWN || frame.is_some() || trimmed == MANAGED {
            self.passage.block.push(bare);
        }
        self.frames.extend(frame);
        if !trimmed.is_empty() {
            self.passage.last_line = line.number;
        }
        Flow::Taken
    }

    fn finish(self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        let signal = signal::named(&self.said)?;
        let own: Vec<&Frame> = self.frames.iter().filter(|frame| frame.in_app).collect();
        Some(Candidate {
            reason: signal.reason.clone(),
            kind: signal.name.to_owned(),
            exception: Some(signal.name.to_owned()),
            message: self.said.split(". ").next().unwrap_or_default().to_owned(),
            exits: &[134, 139, 133],
            culprit: own.first().map(|frame| place_of(frame)),
            signature: own.iter().map(|frame| (frames::stable(&frame.function), String::new())).collect(),
            stack: self.frames,
            ..Candidate::of(Runtime::Dotnet, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn managed_frames_are_read() {
        let cases = [
            ("  at Acme.Stock.Native:poke <0x000b0>", Some("Acme.Stock.Native.poke")),
            ("  at <unknown> <0xffffffff>", None),
            ("  at <Module>:runtime_invoke_void_object <0x00091>", None),
        ];
        for (line, expected) in cases {
            assert_eq!(frame(line.as_bytes()).map(|frame| frame.function).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn stacks_of_other_kinds_between_do_not_end_it() {
        let native: String = (0..500).map(|n| format!("#{n}  0x{n:016x} in ?? ()\n")).collect();
        let log = format!(
            "stock starts\n\n====\n\tNative Crash Reporting\n====\nGot a SIGSEGV while executing native code. This usually indicates\n====\n\tNative stacktrace:\n====\n{native}\n====\n\tManaged Stacktrace:\n====\n\t  at <unknown> <0xffffffff>\n\t  at Acme.Stock.Native:poke <0x000b0>\n====\n"
        );
        let facts = ExitFacts { exit_code: Some(134), ..ExitFacts::default() };
        let finding = Engine::default().classify(log.as_bytes(), facts).finding;
        assert_eq!((finding.reason.as_str(), finding.runtime.as_str()), ("Segfault", "dotnet"));
        assert_eq!(finding.culprit.unwrap().function.as_deref(), Some("Acme.Stock.Native.poke"));
        assert_eq!(finding.message, "Got a SIGSEGV while executing native code");
    }
}
