//! The report of a fatal error inside of the JVM itself, or of native code that it runs, also with its stacks where
//! `-XX:ErrorFile=/dev/stdout` prints them.

use super::frames;
use crate::classify::finding::{CrashReason, Frame, Runtime, STACK_FRAMES};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::place_of;
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::{signal, text};

/// The line with which a report begins.
pub const HEAD: &str = "A fatal error has been detected by the Java Runtime";
/// The same where memory could not be had from the system.
pub const NO_MEMORY: &str = "There is insufficient memory for the Java Runtime";

/// What both of them hold.
pub const ANCHOR: &str = " the Java Runtime Environment";

/// Most foreign lines in a row: a whole report has hundreds between the stacks and what is of interest.
const FOREIGN: u32 = 400;
/// Most `#` lines that are kept.
const HEAD_LINES: usize = 40;

/// Native libraries that are the platform's.
const PLATFORM: [&str; 10] =
    ["libc.so", "libc-", "ld-", "ld-linux", "libpthread", "libjvm", "libjava.", "libnio", "libnet.", "libstdc++"];

/// What an error that is no signal is: how its line begins behind `#  `.
static KINDS: &[(&str, CrashReason)] = &[
    ("EXCEPTION_ACCESS_VIOLATION", SEGFAULT),
    ("EXCEPTION_STACK_OVERFLOW", STACK_OVERFLOW),
    ("Out of Memory Error", HEAP_EXHAUSTED),
    ("fatal error: OutOfMemory encountered", HEAP_EXHAUSTED),
    ("Native memory allocation", HEAP_EXHAUSTED),
    ("Cannot create ", THREAD_LIMIT),
    ("Internal Error", ABORT),
];

/// The parser of a report.
#[derive(Debug)]
pub struct Report {
    prefix: Prefix,
    no_memory: bool,
    head: Vec<String>,
    /// The problematic frame, and the Java frames where they are printed.
    frames: Vec<Frame>,
    section: Section,
    foreign: u32,
    passage: Passage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Head,
    Problematic,
    Java,
    Other,
}

impl Report {
    /// A report, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = [HEAD, NO_MEMORY].iter().find_map(|head| text::find(line.text, head))?.checked_sub(2)?;
        if !line.text[at..].starts_with(b"# ") {
            return None;
        }
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            no_memory: text::has(line.text, NO_MEMORY),
            head: Vec::new(),
            frames: Vec::new(),
            section: Section::Head,
            foreign: 0,
            passage: Passage::begin(line, at, context),
        })
    }

    fn head_line(&mut self, rest: &[u8]) {
        let said = rest.trim_ascii();
        if self.head.len() < HEAD_LINES && !said.is_empty() {
            self.passage.block.push(&[b"#", rest].concat());
            self.head.push(text::string(said));
        }
        if self.section == Section::Problematic {
            self.frames.extend(frame(said));
        }
        self.section = if said == b"Problematic frame:" { Section::Problematic } else { Section::Head };
    }

    fn body_line(&mut self, bare: &[u8]) -> Flow {
        if bare.starts_with(b"Java frames:") {
            self.section = Section::Java;
        } else if self.section == Section::Java && self.frames.len() < STACK_FRAMES {
            match frame(bare) {
                Some(frame) => {
                    self.passage.block.push(bare);
                    self.frames.push(frame);
                }
                None => self.section = Section::Other,
            }
        } else {
            self.foreign += 1;
            return if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign };
        }
        Flow::Taken
    }

    /// The line that names the reason.
    fn kind(&self) -> (CrashReason, String) {
        // `Internal Error` stands above the error that it is about.
        let error = |(start, reason): &(&str, CrashReason)| {
            let line = self.head.iter().find(|line| line.starts_with(start))?;
            Some((reason.clone(), line.clone()))
        };
        let signal = |line: &String| {
            let signal = signal::of_name(line.split(' ').next()?)?;
            Some((signal.reason.clone(), line.clone()))
        };
        let default = if self.no_memory { HEAP_EXHAUSTED } else { ABORT };
        let told = KINDS.iter().find_map(error).or_else(|| self.head.iter().find_map(signal));
        let (reason, line) = told.unwrap_or_else(|| (default, self.head.first().cloned().unwrap_or_default()));
        (reason, self.with_check(line))
    }

    /// `Internal Error (x.cpp:1887), pid=1, tid=25` says no more than where; what failed there stands below it.
    fn with_check(&self, line: String) -> String {
        const CHECKS: [&str; 4] = ["guarantee(", "assert(", "fatal error: ", "Error: "];
        let failed = self.head.iter().find(|said| CHECKS.iter().any(|check| said.starts_with(check)));
        match (line.split_once(", pid="), failed) {
            (Some((place, _)), Some(failed)) if line.starts_with("Internal Error") => format!("{place}: {failed}"),
            _ => line,
        }
    }
}

/// `C  [libx.so+0x1139]  poke+0x9`, `j  com.acme.A.b(J)V+0`, `J 12 c2 com.acme.A.b(I)I (10 bytes) @ …`, `V  […]  f+0x1`.
fn frame(text: &[u8]) -> Option<Frame> {
    let text = std::str::from_utf8(text).ok()?;
    let (kind, rest) = text.split_once([' ', '\t'])?;
    let rest = rest.trim_start();
    match kind {
        "j" | "J" | "A" => {
            let symbol = rest.split(' ').find(|word| word.contains('(') && word.contains('.'))?;
            let function = symbol.split('(').next()?.to_owned();
            let in_app = frames::is_own(&function);
            Some(Frame { function, file: None, line: None, in_app })
        }
        "C" | "V" | "v" => {
            let (library, symbol) = match rest.strip_prefix('[') {
                Some(inside) => inside.split_once(']')?,
                None => ("", rest),
            };
            let library = library.split('+').next().unwrap_or_default();
            let function = symbol.trim().split("+0x").next().unwrap_or_default().to_owned();
            let known = kind != "C" || PLATFORM.iter().any(|name| library.starts_with(name));
            let in_app = !known && !function.is_empty();
            let function = if function.is_empty() { library.to_owned() } else { function };
            (!function.is_empty()).then_some(Frame { function, file: None, line: None, in_app })
        }
        _ => None,
    }
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text) else { return self.body_line(b"") };
        match bare.strip_prefix(b"#") {
            Some(rest) => self.head_line(rest),
            None if self.body_line(bare) == Flow::Foreign => return Flow::Foreign,
            None => {}
        }
        self.foreign = 0;
        self.passage.last_line = line.number;
        Flow::Taken
    }

    fn finish(self: Box<Self>, _messages: &Messages) -> Option<Candidate> {
        let (reason, message) = self.kind();
        let own: Vec<&Frame> = self.frames.iter().filter(|frame| frame.in_app).collect();
        Some(Candidate {
            kind: message.split(" at pc=").next().unwrap_or_default().to_owned(),
            exception: message.split([' ', ':']).next().filter(|word| word.starts_with("SIG")).map(str::to_owned),
            reason,
            message,
            // 134 is 127 as PID 1, because glibc's abort() ends differently there; 1 without core dumps.
            exits: &[134, 127, 1, 139, 133],
            culprit: own.first().map(|frame| place_of(frame)),
            signature: own.iter().map(|frame| (frames::stable(&frame.function), String::new())).collect(),
            stack: self.frames,
            ..Candidate::of(Runtime::Jvm, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problematic_frames_are_read_in_every_form() {
        let cases = [
            ("C  [libledger.so+0x1139]  Java_com_acme_Native_poke+0x9", "Java_com_acme_Native_poke", true),
            ("C  [libc.so.6+0x9d4c5]  __memcpy+0x15", "__memcpy", false),
            ("V  [libjvm.so+0xe6b4d6]  Unsafe_PutLong+0xa6", "Unsafe_PutLong", false),
            ("j  com.acme.Native.poke(J)V+0", "com.acme.Native.poke", true),
            ("j  java.lang.Thread.run()V+11 java.base@17.0.15", "java.lang.Thread.run", false),
            ("J 12 c2 com.acme.A.b(I)I (10 bytes) @ 0x00007f [0x00007f+0x1]", "com.acme.A.b", true),
            ("v  ~StubRoutines::call_stub", "~StubRoutines::call_stub", false),
        ];
        for (line, function, own) in cases {
            let frame = frame(line.as_bytes()).unwrap();
            assert_eq!((frame.function.as_str(), frame.in_app), (function, own), "{line}");
        }
    }
}
