//! Stacks that programs print themselves when they die: glog's and Abseil's failed checks and signals, Envoy's faults.

use super::{frames, symbols};
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Culprit, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::{signal, text};

/// Texts of which one is in the line with which such a stack begins.
pub const HEADS: [&str; 7] = [
    "*** Check failure stack trace: ***",
    "] Check failed: ",
    "*** SIG",
    "suspect faulting address",
    // Folly.
    "*** Signal ",
    // Envoy.
    "std::terminate called!",
    // Chromium.
    ":FATAL:",
];
/// Most frames kept.
const FRAMES: usize = 128;
/// Most lines of something else inside of it.
const FOREIGN: u32 = 6;

/// The parser of such a stack.
#[derive(Debug)]
pub struct Printed {
    message: String,
    reason: CrashReason,
    word: String,
    site: Option<(String, u32)>,
    frames: Vec<RawFrame>,
    /// The function in which a signal came, until the stack has it too.
    counter: Option<String>,
    prefix: Prefix,
    foreign: u32,
    passage: Passage,
}

/// Where `F20261125 04:44:36.791150  4195 glog.cc:7] …` begins in a line, perhaps behind a prefix.
fn record_start(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    (0..bytes.len().saturating_sub(5)).find(|at| {
        let separate = *at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'|' | b']');
        bytes[*at] == b'F' && separate && bytes[at + 1..at + 5].iter().all(u8::is_ascii_digit)
    })
}

/// How TensorFlow writes the level, behind a time stamp of its own.
const SPELT: &str = ": F ";

/// File, line and text of such a record.
fn fatal_record(line: &str) -> Option<(&str, u32, &str)> {
    if let Some((_, rest)) = line.split_once(HEADS[6]) {
        let (file, rest) = rest.split_once('(')?;
        let (number, message) = rest.split_once(")] ")?;
        return Some((file, number.parse().ok()?, message));
    }
    let start = record_start(line).or_else(|| line.find(SPELT))?;
    let (head, message) = line[start..].split_once("] ")?;
    let (file, number) = symbols::location(head.rsplit(' ').next()?)?;
    Some((file, number, message))
}

impl Printed {
    /// A stack that begins with this line.
    pub fn begin(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = HEADS.iter().find_map(|head| text::find(line.text, head))?;
        let shown = text::string(&line.text[..line.text.len().min(4096)]);
        if shown.contains(HEADS[0]) {
            let before = context.before.first().map(|line| text::string(line))?;
            return Self::of_record(&before, line, at, 1, context);
        }
        if shown.contains(HEADS[1]) || shown.contains(HEADS[6]) {
            return Self::of_record(&shown, line, at, 0, context);
        }
        let starred = shown.contains(HEADS[2]) || shown.contains(HEADS[4]);
        let terminated = shown.contains(HEADS[5]);
        // Of the text, which may be longer than the bytes of the line.
        let start = if starred || terminated {
            HEADS.iter().find_map(|head| shown.find(head))?
        } else {
            shown.find("Caught ")?
        };
        let message = shown[start..].trim_end().to_owned();
        let signalled = || signal::named(&message).map_or(ABORT, |signal| signal.reason.clone());
        let reason = if terminated { UNHANDLED_ERROR } else { signalled() };
        let word = reason.to_string();
        let credible = terminated
            || message.contains("received")
            || message.contains("Caught ")
            || message.contains("stack trace: ***");
        credible.then(|| Self::new(message, reason, word, None, line, start, 0, context))
    }

    fn of_record(record: &str, line: &Line<'_>, at: usize, above: usize, context: &Context<'_>) -> Option<Self> {
        let (file, number, message) = fatal_record(record)?;
        let checked = message.starts_with("Check failed: ");
        let meaning = context.messages.meaning(message, Voice::Panic).map_or(UNHANDLED_ERROR, |meaning| meaning.reason);
        let reason = if checked { ASSERTION_FAILED } else { meaning };
        // The values that were compared stand in brackets.
        let word = message.split(" (").next().unwrap_or(message).to_owned();
        let chromium = record.find(HEADS[6]).and_then(|at| record[..at].rfind('['));
        let prefix = if above == 0 { record_start(record).or(chromium).unwrap_or(0) } else { at };
        let site = Some((file.to_owned(), number));
        Some(Self::new(message.trim_end().to_owned(), reason, word, site, line, prefix, above, context))
    }

    #[allow(clippy::too_many_arguments)] // the parts of one record
    fn new(
        message: String,
        reason: CrashReason,
        word: String,
        site: Option<(String, u32)>,
        line: &Line<'_>,
        prefix: usize,
        above: usize,
        context: &Context<'_>,
    ) -> Self {
        let (title, before) = context.before.split_at(above.min(context.before.len()));
        let mut block = Block::after(before);
        title.iter().for_each(|line| block.push(line));
        block.push(line.text);
        Self {
            message,
            reason,
            word,
            site,
            frames: Vec::new(),
            counter: None,
            prefix: Prefix::learn(&line.text[..prefix]),
            foreign: 0,
            passage: Passage::new(block, line.number.saturating_sub(above as u64), line.number),
        }
    }

    fn frame(&mut self, function: String) {
        if self.frames.len() < FRAMES {
            let own = symbols::is_own(&function, "");
            self.frames.push(RawFrame { function, own, ..RawFrame::default() });
        }
    }

    /// Folly writes the place of a frame below it.
    fn place(&mut self, file: &str, line: u32) -> bool {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.file.is_empty()) else { return false };
        frame.own &= symbols::is_own(&frame.function, file);
        (frame.file, frame.line) = (file.to_owned(), line);
        true
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        let shown = text::string(&bare[..bare.len().min(4096)]);
        if let Some(counter) = shown.strip_prefix("PC: ") {
            // The stack may begin with its caller.
            glog_frame(counter).into_iter().for_each(|function| self.frame(function));
            self.counter = self.frames.first().map(|frame| frame.function.clone());
            return true;
        }
        let numbered = || frames::frame(&shown).filter(|_| shown.starts_with('#')).map(|(_, frame)| frame.function);
        if let Some(function) = glog_frame(&shown).or_else(|| envoy_frame(&shown)).or_else(numbered) {
            // It has the place of the fault too, behind the functions that handled it.
            if self.counter.as_ref() == Some(&function) {
                self.frames.clear();
                self.counter = None;
            }
            self.frame(function);
            return true;
        }
        if let Some((file, line)) = shown.strip_prefix("      ").and_then(|place| symbols::location(place.trim())) {
            return self.place(file, line);
        }
        shown.contains(HEADS[0])
            || shown.starts_with("*** ")
            || shown.starts_with("Backtrace (use tools/stack_decode.py")
            || shown.starts_with("Envoy version: ")
            || shown.contains("Address mapping: ")
    }
}

/// `    @     0x5589000523d3  lanes::check()`
fn glog_frame(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("@ ")?.trim_start();
    let (address, rest) = rest.split_once(' ')?;
    // Abseil writes the size of the frame between.
    let name = rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let hexadecimal = address.strip_prefix("0x").or_else(|| Some(address).filter(|address| address.len() == 16))?;
    hexadecimal.bytes().all(|b| b.is_ascii_hexdigit()).then(|| symbols::plain(name.trim_start_matches("(unknown)  ")))
}

/// `#0: Envoy::Router::Filter::decodeHeaders() [0x55d5]`
fn envoy_frame(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix('#')?;
    let (digits, rest) = rest.split_once(": ")?;
    digits.parse::<u32>().ok()?;
    let name = rest.split(" [0x").next()?;
    (!name.starts_with('[')).then(|| symbols::plain(name))
}

impl Parser for Printed {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        // Envoy's handlers log from files of their own, so what stands in the brackets differs.
        let behind = || memchr::memmem::rfind(line.text, b"] ").map(|at| &line.text[at + 2..]);
        if let Some(bare) = self.prefix.strip(line.text).or_else(behind).filter(|bare| self.take(bare)) {
            self.passage.push(bare, line.number);
            self.foreign = 0;
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let top = culprit(&self.frames);
        let site = self.site.as_ref().map(|(file, line)| Culprit {
            function: top.as_ref().and_then(|top| top.function.clone()),
            file: Some(file.clone()),
            line: Some(*line),
        });
        let mut marks = signature(&self.frames, false, symbols::stable);
        if let Some((file, _)) = self.site.as_ref().filter(|_| marks.is_empty()) {
            marks.push((String::new(), base_name(file).to_owned()));
        }
        Some(Candidate {
            kind: self.word,
            message: self.message,
            exits: &[134, 139, 133, 135, 136, 132],
            culprit: site.or(top),
            stack: shown(&self.frames),
            signature: marks,
            reason: self.reason,
            ..Candidate::of(Runtime::Native, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_records_are_read() {
        assert_eq!(glog_frame("    @     0x5589000523d3  lanes::check()").as_deref(), Some("lanes::check"));
        assert_eq!(glog_frame("    @     0x5589000523d3        640  lanes::check()").as_deref(), Some("lanes::check"));
        assert_eq!(envoy_frame("#0: Envoy::Filter::decode() [0x55d5]").as_deref(), Some("Envoy::Filter::decode"));
        let folly = "    @ 00000000000cc1a2 sorter::Lane::weigh() const";
        assert_eq!(glog_frame(folly).as_deref(), Some("sorter::Lane::weigh"));
        assert_eq!(glog_frame("@     0x55d0  (unknown)  sorter::weigh()").as_deref(), Some("sorter::weigh"));
        assert_eq!(glog_frame("@ someone at 12"), None);
        assert_eq!(envoy_frame("#1: [0x55d5]"), None);
        assert_eq!(fatal_record("F20261125 04:44:36.79  4195 glog.cc:7] lane 9"), Some(("glog.cc", 7, "lane 9")));
        assert_eq!(fatal_record("I20261125 04:44:36.79  4195 glog.cc:7] lane 9"), None);
    }
}
