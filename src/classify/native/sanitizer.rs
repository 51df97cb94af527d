//! Reports of the sanitizers: AddressSanitizer, LeakSanitizer, MemorySanitizer, ThreadSanitizer, UndefinedBehaviorSanitizer.

use super::symbols;
use crate::classify::finding::{CrashReason, Related, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{DATA_RACE, DEADLOCK, SANITIZER_REPORT, SYNC_MISUSE};
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// How the last line of a report begins.
const SUMMARY: &str = "SUMMARY: ";
/// Most frames kept of one stack; the sanitizers themselves stop at 256.
const FRAMES: usize = 128;
/// Most stacks kept of one report.
const STACKS: usize = 4;
/// Most lines of one report.
const LINES: u32 = 2000;
/// Most lines of something else inside of it.
const FOREIGN: u32 = 16;
/// Most lines behind the summary: shadow bytes and their legend.
const LEGEND: u32 = 60;

/// One stack of a report, and the line above it.
#[derive(Clone, Debug, Default)]
struct Stack {
    title: String,
    frames: Vec<RawFrame>,
}

/// The parser of one report.
#[derive(Debug)]
pub struct Report {
    tool: String,
    kind: String,
    /// One of UndefinedBehaviorSanitizer, which names a place, and after which the process goes on.
    goes_on: bool,
    /// Only its summary is left.
    headless: bool,
    message: String,
    stacks: Vec<Stack>,
    title: String,
    in_stack: bool,
    ended: bool,
    prefix: Prefix,
    lines: u32,
    /// The bytes around the address are being printed, the last part of a report.
    shadow: bool,
    foreign: u32,
    passage: Passage,
}

/// Finds the head of a report: where it begins, the tool, what it reports.
fn head(line: &[u8]) -> Option<(usize, String, String)> {
    let level = text::find(line, "ERROR: ").or_else(|| text::find(line, "WARNING: "))?;
    let rest = std::str::from_utf8(&line[level..line.len().min(level + 4096)]).ok()?;
    let (tool, kind) = rest.split_once(": ")?.1.split_once("Sanitizer: ")?;
    let named = matches!(tool, "Address" | "HWAddress" | "Leak" | "Memory" | "Thread" | "KernelAddress" | "Type" | "Realtime")
            // Its own reports have another form; but it catches signals too.
            || tool == "UndefinedBehavior";
    // `==1==` stands before it.
    let start = line[..level].iter().rposition(|b| *b != b'=' && !b.is_ascii_digit()).map_or(0, |at| at + 1);
    named.then(|| (start, format!("{tool}Sanitizer"), kind.trim_end().to_owned()))
}

/// `SUMMARY: AddressSanitizer: heap-buffer-overflow /app/parser.c:34:5 in sum`: all that is left where the rest is cut off.
fn summary(line: &[u8]) -> Option<(usize, String, String, RawFrame)> {
    let at = text::find(line, SUMMARY)?;
    let rest = std::str::from_utf8(&line[at + SUMMARY.len()..line.len().min(at + 4096)]).ok()?;
    let (tool, rest) = rest.trim_end().split_once("Sanitizer: ")?;
    let (kind, function) = rest.rsplit_once(" in ").unwrap_or((rest, ""));
    let (kind, place) = kind.rsplit_once(' ').filter(|(_, place)| place.contains([':', '/'])).unwrap_or((kind, ""));
    let (file, number) = symbols::location(place).unwrap_or_default();
    // `400 byte(s) leaked in 1 allocation(s).` names no function.
    let function = if place.is_empty() { String::new() } else { symbols::plain(function) };
    let own = symbols::is_own(&function, file);
    let frame = RawFrame { function, file: file.to_owned(), line: number, own };
    let named = tool.bytes().all(|b| b.is_ascii_alphabetic());
    named.then(|| (at, format!("{tool}Sanitizer"), kind.trim_end().to_owned(), frame))
}

/// `parser.c:34:5: runtime error: …`
fn undefined(line: &[u8]) -> Option<(usize, String, RawFrame)> {
    let end = text::find(line, ": runtime error: ")?;
    let place = std::str::from_utf8(&line[..end]).ok()?;
    let start = place.rfind([' ', '\t']).map_or(0, |at| at + 1);
    let (file, number) = symbols::location(&place[start..])?;
    let kind = text::string(line[end + b": runtime error: ".len()..].trim_ascii_end());
    let frame =
        RawFrame { own: symbols::is_own("f", file), function: String::new(), file: file.to_owned(), line: number };
    symbols::is_source(file).then_some((start, kind, frame))
}

impl Report {
    /// A report that begins with this line.
    pub fn begin(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        if let Some((at, tool, kind)) = head(line.text) {
            return Some(Self::new(line, at, tool, kind, context));
        }
        if let Some((at, tool, kind, frame)) = summary(line.text) {
            let mut report = Self::new(line, at, tool, kind, context);
            (report.headless, report.ended) = (true, true);
            report.lines = LINES.saturating_sub(LEGEND);
            report.stacks.push(Stack { title: String::new(), frames: vec![frame] });
            return Some(report);
        }
        let (at, kind, frame) = undefined(line.text)?;
        let mut report = Self::new(line, at, "UndefinedBehaviorSanitizer".to_owned(), kind, context);
        report.goes_on = true;
        report.stacks.push(Stack { title: String::new(), frames: vec![frame] });
        Some(report)
    }

    fn new(line: &Line<'_>, at: usize, tool: String, kind: String, context: &Context<'_>) -> Self {
        let shown = text::string(&line.text[at..line.text.len().min(at + 2048)]);
        let message = shown.trim_start_matches(|c: char| c == '=' || c.is_ascii_digit()).trim().to_owned();
        Self {
            tool,
            kind,
            goes_on: false,
            headless: false,
            message: if message.contains("Sanitizer") { message } else { shown.trim().to_owned() },
            stacks: Vec::new(),
            title: String::new(),
            in_stack: false,
            ended: false,
            prefix: Prefix::learn(&line.text[..at]),
            lines: 0,
            shadow: false,
            foreign: 0,
            passage: Passage::begin(line, at, context),
        }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        self.lines += 1;
        if self.lines > LINES || head(bare).is_some() || undefined(bare).is_some() {
            return false;
        }
        if let Some(frame) = frame(bare) {
            return self.frame(frame);
        }
        self.in_stack = false;
        if bare.starts_with(SUMMARY.as_bytes()) {
            (self.ended, self.lines) = (true, LINES.saturating_sub(LEGEND));
            return true;
        }
        let belongs = text::blank(bare) || is_part(bare);
        if belongs && !text::blank(bare) {
            self.title = text::string(bare.trim_ascii()).trim_end_matches(':').to_owned();
        }
        belongs
    }

    fn frame(&mut self, frame: RawFrame) -> bool {
        // The place that UndefinedBehaviorSanitizer names is that of its first frame.
        let placed = self.goes_on && self.stacks.len() == 1 && !self.in_stack && self.title.is_empty();
        if !self.in_stack && !placed && self.stacks.len() < STACKS {
            self.stacks.push(Stack { title: std::mem::take(&mut self.title), frames: Vec::new() });
        }
        if placed {
            self.stacks.iter_mut().for_each(|stack| stack.frames.clear());
        }
        self.in_stack = true;
        if let Some(stack) = self.stacks.last_mut().filter(|stack| stack.frames.len() < FRAMES) {
            stack.frames.push(frame);
        }
        true
    }

    /// What the report is of, without addresses: `heap-buffer-overflow`.
    fn word(&self) -> &str {
        let kind = self.kind.as_str();
        if self.goes_on {
            // The values behind the first colon differ.
            return kind.split(':').next().unwrap_or(kind);
        }
        let end = [" on ", " (", " in ", ":"].iter().filter_map(|words| kind.find(words)).min();
        &kind[..end.unwrap_or(kind.len())]
    }

    fn reason(&self) -> CrashReason {
        match self.word() {
            _ if self.tool != "ThreadSanitizer" => SANITIZER_REPORT,
            kind if kind.contains("race") => DATA_RACE,
            kind if kind.contains("lock-order-inversion") => DEADLOCK,
            kind if kind.contains("mutex") => SYNC_MISUSE,
            _ => SANITIZER_REPORT,
        }
    }

    /// Exit codes that it leads to.
    fn exits(&self) -> &'static [i32] {
        match self.tool.as_str() {
            "ThreadSanitizer" => &[66],
            "LeakSanitizer" => &[23, 1],
            "MemorySanitizer" => &[1, 77],
            "HWAddressSanitizer" => &[99, 134, 139],
            _ => &[1, 134, 139],
        }
    }
}

/// `    #0 0x55 in mixer::sum(int const*, int) /app/mixer.cc:41`, `    #0 mixer::count(int) /app/mixer.cc:81 (mixer+0x4a0a)`.
fn frame(line: &[u8]) -> Option<RawFrame> {
    let line = std::str::from_utf8(&line[..line.len().min(4096)]).ok()?.trim();
    let rest = line.strip_prefix('#')?;
    let (digits, rest) = rest.split_once(' ')?;
    digits.parse::<u32>().ok()?;
    let rest = match rest.trim_start().strip_prefix("0x") {
        // Without a symbol only the module is known.
        Some(address) => address.split_once(" in ").map_or("", |(_, rest)| rest),
        None => rest.trim_start(),
    };
    // `(BuildId: …)` and `(mixer+0x4a0a)` stand behind the place.
    let mut rest = rest;
    while let Some(open) = rest.rfind(" (").filter(|at| rest.ends_with(')') && is_module(&rest[at + 2..])) {
        rest = &rest[..open];
    }
    let (symbol, place) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    let (function, file, number) = match symbols::location(place) {
        Some((file, number)) => (symbols::plain(symbol), file, number),
        None if place == "<null>" => (symbols::plain(symbol), "", 0),
        None => (symbols::plain(rest), "", 0),
    };
    let own = symbols::is_own(&function, file);
    Some(RawFrame { function, file: file.to_owned(), line: number, own })
}

fn is_module(inner: &str) -> bool {
    inner.starts_with("BuildId: ") || inner.contains("+0x")
}

/// Lines of a report that are no frames.
fn is_part(line: &[u8]) -> bool {
    const STARTS: [&str; 30] = [
        "==",
        "READ of",
        "WRITE of",
        "0x",
        "  0x",
        "=>0x",
        "freed by",
        "previously allocated",
        "allocated by",
        "Shadow ",
        "  Addressable",
        "  Partially",
        "  Heap ",
        "  Stack ",
        "  Global ",
        "  Freed ",
        "  Poisoned",
        "  Container",
        "  Array ",
        "  Intra ",
        "  ASan ",
        "  Left ",
        "  Right ",
        "HINT: ",
        "Hint: ",
        "NOTE: ",
        "Direct leak",
        "Indirect leak",
        "AddressSanitizer",
        "Exiting",
    ];
    const PARTS: [&str; 12] = [
        "  Previous ",
        "  Read of",
        "  Write of",
        "  Atomic ",
        "  Location ",
        "  Thread ",
        "  Mutex ",
        "  Cycle ",
        "Thread T",
        "  This frame has",
        "Address 0x",
        "  Uninitialized value",
    ];
    let starts = |start: &&str| line.starts_with(start.as_bytes());
    STARTS.iter().chain(&PARTS).any(starts) || line.starts_with(b"    [")
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        if let Some(bare) = self.prefix.strip(line.text).filter(|bare| self.take(bare)) {
            if !text::blank(bare) {
                self.passage.last_line = line.number;
                self.foreign = 0;
                // Hexadecimal bytes around the address, and what they mean, are a screen of little use.
                self.shadow |= bare.starts_with(b"Shadow byte");
                if !self.shadow {
                    self.passage.block.push(bare);
                }
            }
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.ended || self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(self: Box<Self>, _: &Messages) -> Option<Candidate> {
        let reason = self.reason();
        let frames = self.stacks.first().map(|stack| stack.frames.as_slice()).unwrap_or_default();
        let recursion = self.word() == "stack-overflow";
        let related = self.stacks.iter().skip(1).filter(|stack| !stack.frames.is_empty());
        let related = related.map(|stack| Related {
            title: stack.title.clone(),
            culprit: culprit(&stack.frames),
            stack: shown(&stack.frames),
        });
        Some(Candidate {
            kind: format!("{} {}", self.tool, self.word()),
            exception: Some(format!("{}: {}", self.tool, self.word())),
            message: self.message.clone(),
            standing: if self.goes_on { Standing::Printed } else { Standing::Fatal },
            exits: self.exits(),
            culprit: culprit(frames),
            stack: shown(frames),
            signature: signature(frames, recursion, symbols::stable),
            related: related.collect(),
            reason,
            headless: self.headless,
            ..Candidate::of(Runtime::Native, Passage { block: self.passage.block.clone(), ..self.passage })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_sanitizers_are_read() {
        let cases = [
            (
                "    #0 0x5611 in mixer::sum(int const*, int) /app/mixer.cc:41",
                ("mixer::sum", "/app/mixer.cc", 41, true),
            ),
            ("    #0 0x55aa in main /app/mixer.cc:138:56", ("main", "/app/mixer.cc", 138, true)),
            ("    #0 mixer::count(int) /app/mixer.cc:81 (mtsan+0x4a0a)", ("mixer::count", "/app/mixer.cc", 81, true)),
            ("    #6 <null> <null> (libstdc++.so.6+0xd44a2)", ("<null>", "", 0, false)),
            ("    #5 0x5611 in _start (/app/masan+0x387b0) (BuildId: c19)", ("_start", "", 0, false)),
            ("    #3 0x7f71 in parse (/app/masan+0x387b0)", ("parse", "", 0, true)),
            (
                "    #0 0x7f71 in operator new[](unsigned long) ../../../../src/libsanitizer/asan/a.cpp:98",
                ("operator new[]", "../../../../src/libsanitizer/asan/a.cpp", 98, false),
            ),
        ];
        for (line, expected) in cases {
            let frame = frame(line.as_bytes()).unwrap();
            assert_eq!((frame.function.as_str(), frame.file.as_str(), frame.line, frame.own), expected, "{line}");
        }
    }
}
