//! Stacks that debuggers, emulators of memory checkers and stack-trace libraries print. Most say nothing but where: what
//! happened stands in the lines beside them, or in the exit code.

use super::{frames, symbols};
use crate::classify::envelope::without_collector;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::{chatter, signal, text};

/// Texts of which one is in the line with which such a stack begins: backward-cpp and cpptrace, LLVM and gdb, Boost,
/// `backtrace_symbols`, Valgrind, Breakpad. What gdb says of a signal has the shell's words for it, which are anchors too.
pub const ANCHORS: [&str; 9] = [
    "Stack trace (most recent call",
    "#0 0x",
    "#0  ",
    " 0# ",
    ")[0x",
    ") [0x",
    "terminating with default action",
    " (crashed)",
    // `/app/sorter : Lane::weigh(int)+0x732 [0x5643]`
    ")+0x",
];
/// What gdb says when it stops the program; the rest of its line names the signal.
const RECEIVED: &str = " received signal SIG";

/// Most frames kept.
const FRAMES: usize = 128;
/// Most lines of something else inside of it: sources, registers.
const FOREIGN: u32 = 12;
/// How many lines above a stack the signal may stand.
const TITLE_LINES: usize = 4;
/// Most lines between a stack and the words that it belongs to.
const NEAR: u64 = 12;

/// The parser of such a stack.
#[derive(Debug)]
pub struct Stack {
    frames: Vec<RawFrame>,
    message: String,
    reason: Option<CrashReason>,
    reversed: bool,
    prefix: Prefix,
    foreign: u32,
    passage: Passage,
}

/// The fault that a line names, where it says that the process got it.
fn fault(text: &str) -> Option<CrashReason> {
    signal::told(text).filter(|signal| signal.is_fault()).map(|signal| signal.reason.clone())
}

/// What a program's own handler of `std::terminate` says above the stack.
fn thrown(text: &str, messages: &Messages) -> Option<CrashReason> {
    let lower = text.to_ascii_lowercase();
    let uncaught = ["unhandled exception", "uncaught exception", "terminate handler", "std::terminate"];
    let told = uncaught.iter().any(|words| lower.contains(words));
    told.then(|| messages.meaning(text, Voice::Panic).map_or(UNHANDLED_ERROR, |meaning| meaning.reason))
}

/// Where the stack begins in a line: with a title, or with its first frame.
fn start(text: &str) -> Option<(usize, bool)> {
    let valgrind = text.contains(ANCHORS[6]).then(|| text.find("Process ")).flatten();
    if let Some(at) = text.find(ANCHORS[0]).or(valgrind) {
        return Some((at, true));
    }
    let stopped = text.contains(RECEIVED) && (text.contains("Program ") || text.contains("Thread "));
    if stopped || text.contains("terminated with signal SIG") {
        return Some((text.find("Program ").or_else(|| text.find("Thread "))?, true));
    }
    if text.ends_with(ANCHORS[7]) {
        return Some((text.find("Thread ")?, true));
    }
    // The number of a frame is padded.
    let first = ["#0", " 0#"].iter().find_map(|first| text.find(first));
    let at = text[..first.unwrap_or_else(|| symbols_start(text))].trim_end_matches(' ').len();
    frames::frame(&text[at..]).filter(|(number, _)| number.is_none_or(|number| number == 0)).map(|_| (at, false))
}

/// Where `/app/sorter(main+0x1d) [0x55]` begins.
fn symbols_start(text: &str) -> usize {
    let end = text.find(" : ").or_else(|| text.find('(')).unwrap_or(0);
    text[..end].rfind([' ', '\t']).map_or(0, |blank| blank + 1)
}

impl Stack {
    /// A stack that begins with this line.
    pub fn begin(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let shown = std::str::from_utf8(&line.text[..line.text.len().min(4096)]).ok()?;
        let (at, titled) = start(shown)?;
        let mut stack = Self {
            frames: Vec::new(),
            message: String::new(),
            reason: None,
            reversed: shown.contains("most recent call last"),
            prefix: Prefix::learn(&line.text[..at]),
            foreign: 0,
            passage: Passage::at(Block::default(), line.number),
        };
        stack.title(shown, at, titled, context);
        if !titled {
            stack.take(&line.text[at..]);
        }
        stack.passage.block.push(&line.text[at..]);
        Some(stack)
    }

    /// Finds the words that say which signal it was: in this line, or shortly above.
    fn title(&mut self, line: &str, at: usize, titled: bool, context: &Context<'_>) {
        if let Some(reason) = fault(&line[at..]).filter(|_| titled) {
            (self.reason, self.message) = (Some(reason), line[at..].trim_end().to_owned());
            self.passage.block = Block::after(context.before);
            return;
        }
        let above = context.before.iter().enumerate().filter(|(_, line)| !chatter::is_chatter(line));
        let mut told = above.take(TITLE_LINES).map(|(above, line)| match self.prefix.strip(line) {
            Some(bare) => (above, text::string(bare)),
            None => (above, without_collector(&text::string(line)).to_owned()),
        });
        let meaning = |line: &str| fault(line).or_else(|| thrown(line, context.messages));
        let found = told.find_map(|(above, line)| Some((above + 1, meaning(&line)?, line)));
        let lines = found.as_ref().map_or(0, |(above, ..)| *above);
        self.passage.block = Block::after(&context.before[lines..]);
        context.before[..lines].iter().rev().for_each(|line| self.passage.block.push(line));
        self.passage.first_line = self.passage.first_line.saturating_sub(lines as u64);
        if let Some((_, reason, line)) = found {
            (self.reason, self.message) = (Some(reason), line.trim().to_owned());
        }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        let shown = text::string(&bare[..bare.len().min(4096)]);
        if let Some((_, frame)) = frames::frame(&shown) {
            if self.frames.len() < FRAMES {
                self.frames.push(frame);
            }
            return true;
        }
        // Fortran's library writes the place below.
        if let Some((file, line)) =
            shown.trim_start().strip_prefix("at ").and_then(|place| symbols::location(place.trim()))
            && let Some(frame) = self.frames.last_mut().filter(|frame| frame.file.is_empty())
        {
            frame.own &= symbols::is_own(&frame.function, file);
            (frame.file, frame.line) = (file.to_owned(), line);
            return true;
        }
        // backward-cpp says at the end which signal it was.
        if let Some(reason) = fault(&shown).filter(|_| self.reason.is_none() && !shown.starts_with(' ')) {
            (self.reason, self.message) = (Some(reason), shown.trim_end().to_owned());
            return true;
        }
        false
    }
}

impl Parser for Stack {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        if let Some(bare) = self.prefix.strip(line.text).filter(|bare| self.take(bare)) {
            self.passage.push(bare, line.number);
            self.foreign = 0;
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(mut self: Box<Self>, _: &Messages) -> Option<Candidate> {
        if self.reversed {
            self.frames.reverse();
        }
        let thrown = frames::thrown(&self.frames);
        let place = culprit(thrown)?;
        let worded = self.reason.is_some();
        Some(Candidate {
            kind: self.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
            standing: if worded { Standing::Fatal } else { Standing::Logged },
            exits: &[134, 139, 133, 135, 136, 132],
            culprit: Some(place),
            stack: shown(thrown),
            signature: signature(thrown, false, symbols::stable),
            reason: self.reason.unwrap_or(ERROR_EXIT),
            message: self.message,
            ..Candidate::of(Runtime::Native, self.passage)
        })
    }
}

/// Whether a stack says where, but not what.
pub fn is_wordless(candidate: &Candidate) -> bool {
    candidate.runtime == Runtime::Native && candidate.reason == ERROR_EXIT && candidate.message.is_empty()
}

/// Gives each stack without words to the words beside it that have no place.
pub fn joined(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut joined: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match joined.last_mut().filter(|last| belong(last, &candidate)) {
            Some(last) if last.culprit.is_some() => {
                let stack = std::mem::replace(last, candidate);
                place(last, stack);
            }
            Some(last) => place(last, candidate),
            None => joined.push(candidate),
        }
    }
    joined
}

/// Whether two candidates, in the order of the log, are a stack without words and words without a place.
fn belong(first: &Candidate, second: &Candidate) -> bool {
    let near = second.passage.first_line.saturating_sub(first.passage.last_line) <= NEAR;
    // That it was aborted says nothing where an exception was not caught.
    let aborted = |candidate: &Candidate| candidate.reason == ABORT && !candidate.stack.is_empty();
    let is_stack = |candidate: &Candidate| is_wordless(candidate) || aborted(candidate);
    let words = match (is_stack(first), is_stack(second)) {
        (true, false) => second,
        (false, true) => first,
        _ => return false,
    };
    near && words.runtime == Runtime::Native && words.culprit.is_none() && words.signature.is_empty()
}

fn place(words: &mut Candidate, stack: Candidate) {
    // The C library does not know what runs on it; the runtime that reports its abort() does.
    words.runtime = stack.runtime;
    words.culprit = stack.culprit;
    words.stack = stack.stack;
    words.signature = stack.signature;
    words.passage.block.append(&stack.passage.block);
    words.passage.first_line = words.passage.first_line.min(stack.passage.first_line);
    words.passage.last_line = words.passage.last_line.max(stack.passage.last_line);
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    fn classified(log: &str, code: i32) -> (String, String, String) {
        let facts = ExitFacts { exit_code: Some(code), ..ExitFacts::default() };
        let finding = Engine::default().classify(log.as_bytes(), facts).finding;
        let place = finding.culprit.map_or(String::new(), |culprit| culprit.short());
        (finding.reason.to_string(), place, finding.message)
    }

    #[test]
    fn a_stack_gives_its_place_to_what_happened() {
        let boost = " 0# on_signal(int) at /app/main.cpp:9\n 1# 0x00007F42 in /lib/x86_64-linux-gnu/libc.so.6\n 2# Lane::weigh() const at /app/lane.cpp:31\n 3# main at /app/main.cpp:20\n";
        let cases = [
            (boost.to_owned(), 139, "Segfault", "lane.cpp:31", "SIGSEGV"),
            (
                format!("[info] open\nCaught signal 11 (Segmentation fault)\n{boost}"),
                1,
                "Segfault",
                "lane.cpp:31",
                "Caught signal 11",
            ),
            (
                format!(
                    "terminate called after throwing an instance of 'std::out_of_range'\n  what():  lane 4\n{boost}"
                ),
                134,
                "IndexOutOfBounds",
                "lane.cpp:31",
                "lane 4",
            ),
            (
                format!("unhandled exception: lane 9 closed\n{boost}"),
                134,
                "UnhandledError",
                "lane.cpp:31",
                "lane 9 closed",
            ),
            (
                format!(
                    "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n{boost}Aborted (Signal sent by tkill() 8 0)\n"
                ),
                139,
                "HeapExhausted",
                "lane.cpp:31",
                "std::bad_alloc",
            ),
            (format!("{boost}free(): invalid pointer\n"), 134, "HeapCorruption", "lane.cpp:31", "free()"),
            (format!("{boost}error: cannot open lanes.db\n"), 1, "ErrorExit", "lane.cpp:31", "cannot open"),
            // It went on after that.
            (format!("{boost}{}", "[info] GET /lanes 200\n".repeat(40)), 139, "Segfault", "", "SIGSEGV"),
            (format!("{boost}{}", "[info] GET /lanes 200\n".repeat(40)), 143, "Terminated", "", "SIGTERM"),
        ];
        for (log, code, reason, place, message) in cases {
            let got = classified(&log, code);
            assert_eq!((got.0.as_str(), got.1.as_str()), (reason, place), "{log}");
            assert!(got.2.contains(message), "{} lacks {message}", got.2);
        }
    }

    #[test]
    fn each_printer_is_read_whole() {
        let cases = [
            "Stack trace (most recent call last):\n#1    Source \"/app/main.cpp\", line 20, in main [0x55]\n         18: int main() {\n      >  20:   lane.weigh();\n#0    Source \"/app/lane.cpp\", line 31, in weigh [0x55]\n         30:   int total = 0;\n      >  31:   total += *next;\nSegmentation fault (Address not mapped to object [0x10])\n",
            "Program received signal SIGSEGV, Segmentation fault.\n0x0000555555555161 in Lane::weigh (this=0x0) at /app/lane.cpp:31\n31\t  total += *next;\n#0  0x0000555555555161 in Lane::weigh (this=0x0) at /app/lane.cpp:31\n#1  0x0000555555555180 in main () at /app/main.cpp:20\n",
            "==1== Invalid read of size 4\n==1==    at 0x109: Lane::weigh() const (lane.cpp:31)\n==1== \n==1== Process terminating with default action of signal 11 (SIGSEGV)\n==1==  Access not within mapped region at address 0x0\n==1==    at 0x109: Lane::weigh() const (lane.cpp:31)\n==1==    by 0x109: main (main.cpp:20)\n==1== HEAP SUMMARY:\n",
            "Crash reason:  SIGSEGV / SEGV_MAPERR\nCrash address: 0x10\n\nThread 0 (crashed)\n 0  sorter!Lane::weigh() const [lane.cpp : 31 + 0x4]\n    rax = 0x0000000000000000   rdx = 0x1\n    Found by: given as instruction pointer in context\n 1  sorter!main [main.cpp : 20 + 0x5]\n",
            "PLEASE submit a bug report to the maintainers\nStack dump:\n0.\tProgram arguments: /app/lanec\n #0 0x55 llvm::sys::PrintStackTrace(llvm::raw_ostream&, int) /src/Signals.inc:723:22\n #1 0x55 SignalHandler(int) /src/Signals.inc:413:1\n #2 0x7f (/lib/libc.so.6+0x3c050)\n #3 0x55 Lane::weigh() /app/lane.cpp:31:12\n",
        ];
        for log in cases {
            let (reason, place, _) = classified(log, 139);
            assert_eq!((reason.as_str(), place.as_str()), ("Segfault", "lane.cpp:31"), "{log}");
        }
    }
}
