//! Last words of one line or two: an uncaught exception, an assertion, what glibc says of a corrupted heap, and what a shell
//! says of a child that a signal killed.

use super::symbols;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Culprit, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::{Messages, Voice};
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// Longest line that is looked at, in bytes.
const LINE_BYTES: usize = 4096;
/// Most lines of something else between the two lines of an exception.
const FOREIGN: u32 = 3;

/// Exit codes of abort(): 134, 139 as PID 1, 133 on arm64.
const ABORTED: &[i32] = &[134, 139, 133];

/// What such words say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// An exception that nothing caught: its type, and its text if it has come.
    Exception(String, String),
    /// `std::terminate` without one.
    Terminated(String),
    /// An assertion: the line, the expression, function, file and line.
    Assertion(String, String, Option<Culprit>),
    /// Anything that one line says by itself: the reason, and the word that stands for it.
    Said(CrashReason, String),
    /// A shell's line about a child.
    Shell(CrashReason, String, &'static [i32]),
}

/// What glibc and other allocators say of a corrupted heap: how the line begins.
const HEAP: [&str; 16] = [
    "free(): ",
    "double free or corruption",
    "malloc(): ",
    "malloc_consolidate(): ",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
    "munmap_chunk(): ",
    "realloc(): ",
    "calloc(): ",
    "<jemalloc>: ",
    "Scudo ERROR: ",
    "mimalloc: error: ",
    "Attempt to free invalid pointer",
    "free_sized(): ",
    "tcache_thread_shutdown(): ",
    "aligned_free(): ",
];

/// The words of which glibc's own texts about the heap are made.
const GLIBC_WORDS: [&str; 46] = [
    "free",
    "double",
    "or",
    "corruption",
    "malloc",
    "malloc_consolidate",
    "corrupted",
    "size",
    "vs",
    "prev_size",
    "linked",
    "list",
    "munmap_chunk",
    "realloc",
    "calloc",
    "tcache_thread_shutdown",
    "invalid",
    "pointer",
    "detected",
    "in",
    "tcache",
    "2",
    "next",
    "fast",
    "normal",
    "unaligned",
    "chunk",
    "chunks",
    "too",
    "many",
    "unsorted",
    "top",
    "memory",
    "smallbin",
    "largebin",
    "fastbin",
    "mismatching",
    "prev_inuse",
    "fasttop",
    "prev",
    "out",
    "old",
    "bk",
    "nextsize",
    "while",
    "consolidating",
];

/// Words of the C library about a memory that it watches.
static WATCHED: &[(&str, CrashReason, &str)] = &[
    ("*** stack smashing detected ***", STACK_SMASHING, "stack smashing"),
    ("*** buffer overflow detected ***", STACK_SMASHING, "buffer overflow"),
    ("*** %n in writable segment detected ***", ABORT, "%n in writable segment"),
    ("pure virtual method called", UNHANDLED_ERROR, "pure virtual call"),
    ("Pure virtual function called!", UNHANDLED_ERROR, "pure virtual call"),
];

/// What a shell says of a child that a signal killed.
static SIGNALS: &[(&str, CrashReason, &[i32])] = &[
    ("Segmentation fault", SEGFAULT, &[139]),
    ("Bus error", BUS_ERROR, &[135]),
    ("Illegal instruction", ILLEGAL_INSTRUCTION, &[132]),
    ("Floating point exception", FLOATING_POINT_EXCEPTION, &[136]),
    ("Aborted", ABORT, &[134]),
];

/// Reads a line as such words: where they begin, and what they say.
pub fn read(line: &[u8]) -> Option<(usize, Words)> {
    let text = std::str::from_utf8(&line[..line.len().min(LINE_BYTES)]).ok()?;
    exception(text).or_else(|| assertion(text)).or_else(|| said(text)).or_else(|| shell(text))
}

/// The position of the words, where nothing that makes them part of a longer word stands before them.
fn find(text: &str, words: &str) -> Option<usize> {
    let at = text.find(words)?;
    let separate = at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b'\t' | b']' | b'|' | b':' | b'`');
    separate.then_some(at)
}

fn exception(text: &str) -> Option<(usize, Words)> {
    if let Some(at) = find(text, "terminate called ") {
        let rest = &text[at + "terminate called ".len()..];
        let class =
            rest.strip_prefix("after throwing an instance of '").map(|rest| rest.trim_end().trim_end_matches('\''));
        return Some((
            at,
            match class {
                Some(class) => Words::Exception(class.to_owned(), String::new()),
                None => Words::Terminated(text[at..].trim_end().to_owned()),
            },
        ));
    }
    let at = find(text, "libc++abi")?;
    let words = &text[at..];
    if let Some((_, thrown)) = words.split_once(" exception of type ") {
        // `std::runtime_error: lane 9 is empty`: a name has two colons, never one and a blank.
        let (class, message) = thrown.split_once(": ").unwrap_or((thrown, ""));
        return Some((at, Words::Exception(class.trim().to_owned(), message.trim_end().to_owned())));
    }
    words.contains("terminating").then(|| (at, Words::Terminated(words.trim_end().to_owned())))
}

fn assertion(text: &str) -> Option<(usize, Words)> {
    if let Some(failed) = text.find("Assertion `").or_else(|| text.find("Assertion '")) {
        let expression = text[failed + "Assertion `".len()..].trim_end();
        let expression = expression.strip_suffix(" failed.").or_else(|| expression.strip_suffix(" failed"))?;
        return glibc_assertion(text, failed, expression.trim_end_matches('\''));
    }
    if let Some(at) = find(text, "Assertion failed: ") {
        return musl_assertion(text, at);
    }
    let at = find(text, "Fatal glibc error: ")?;
    Some((at, glibc_fatal(&text[at..])))
}

/// `parser: parser.c:21: parse_line: Assertion `x' failed.`
fn glibc_assertion(text: &str, failed: usize, expression: &str) -> Option<(usize, Words)> {
    let head = text[..failed].trim_end().strip_suffix(':').unwrap_or(text[..failed].trim_end());
    // The place is the first `FILE:LINE: `; what stands before it is the program, behind it the function.
    let (end, file, line) = head.match_indices(": ").chain([(head.len(), "")]).find_map(|(end, _)| {
        let start = head[..end].rfind(' ').map_or(0, |at| at + 1);
        let (file, line) = symbols::location(&head[start..end])?;
        file.contains('.').then_some((end, file, line))
    })?;
    let function = symbols::plain(head.get(end + 2..).unwrap_or_default());
    let file_start = file.as_ptr() as usize - text.as_ptr() as usize;
    let before = text[..file_start].trim_end().trim_end_matches(':');
    let start = before.rfind([' ', '\t']).map_or(0, |at| at + 1);
    // Without a program before it, as libstdc++ writes it, the line begins with the file.
    let start = if text[..file_start].ends_with(": ") { start } else { file_start };
    if base_name(file) == "malloc.c" {
        return Some((start, Words::Said(HEAP_CORRUPTION, text[start..].trim_end().to_owned())));
    }
    let own = symbols::is_own(if function.is_empty() { "f" } else { &function }, file);
    let place = Culprit {
        function: Some(function).filter(|function| !function.is_empty()),
        file: Some(file.to_owned()),
        line: Some(line),
    };
    Some((start, Words::Assertion(text[start..].trim_end().to_owned(), expression.to_owned(), own.then_some(place))))
}

/// `Assertion failed: x (parser.c: parse_line: 21)`; `Assertion failed: (x), function f, file parser.c, line 21.`
fn musl_assertion(text: &str, at: usize) -> Option<(usize, Words)> {
    let rest = text[at + "Assertion failed: ".len()..].trim_end();
    let (expression, function, file, line) = if let Some((expression, place)) = rest.split_once(", function ") {
        let (function, place) = place.split_once(", file ")?;
        let (file, line) = place.split_once(", line ")?;
        (expression, function, file, line.trim_end_matches('.'))
    } else {
        let (expression, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let (place, line) = place.rsplit_once(": ")?;
        let (file, function) = place.split_once(": ")?;
        (expression, function, file, line)
    };
    let place = Culprit {
        function: Some(symbols::plain(function)),
        file: Some(file.to_owned()),
        line: Some(line.parse().ok()?),
    };
    Some((at, Words::Assertion(text[at..].trim_end().to_owned(), expression.to_owned(), Some(place))))
}

fn glibc_fatal(text: &str) -> Words {
    let text = text.trim_end().to_owned();
    let reason = if text.contains("malloc.c") {
        HEAP_CORRUPTION
    } else if text.contains("CPU does not support") {
        EXEC_FORMAT_ERROR
    } else {
        ASSERTION_FAILED
    };
    Words::Said(reason, text)
}

fn said(text: &str) -> Option<(usize, Words)> {
    for (words, reason, _) in WATCHED {
        if let Some(at) = find(text, words) {
            return Some((at, Words::Said(reason.clone(), text[at..].trim_end().to_owned())));
        }
    }
    if let Some(at) = find(text, "*** Error in `") {
        return Some((at, Words::Said(HEAP_CORRUPTION, text[at..].trim_end().to_owned())));
    }
    let at = HEAP.iter().find_map(|words| find(text, words))?;
    // A sentence about free() has words that glibc does not use.
    let bare = text[at..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let foreign = text[at..].starts_with('<') || text[at..].contains(": error: ") || text[at..].contains("ERROR: ");
    let named = at == 0 || foreign || bare.into_iter().all(|word| GLIBC_WORDS.contains(&word));
    named.then(|| (at, Words::Said(HEAP_CORRUPTION, text[at..].trim_end().to_owned())))
}

/// `Segmentation fault (core dumped)` alone, or behind a script's name, line and the child's number.
fn shell(text: &str) -> Option<(usize, Words)> {
    let (at, words, reason, exits) = SIGNALS
        .iter()
        .find_map(|(words, reason, exits)| find(text, words).map(|at| (at, *words, reason.clone(), *exits)))?;
    let rest = text[at + words.len()..].trim();
    let before = text[..at].trim_end();
    let numbered = before.ends_with(|c: char| c.is_ascii_digit()) && before.contains(": line ");
    let alone = before.is_empty() || before.ends_with(['Z', '|', ']']) || before.ends_with(" F");
    let dumped = rest == "(core dumped)";
    (numbered || dumped || alone && rest.is_empty())
        .then(|| (at, Words::Shell(reason, text[at..].trim_end().to_owned(), exits)))
}

/// The parser of such words.
#[derive(Debug)]
pub struct LastLine {
    words: Words,
    prefix: Prefix,
    logged: bool,
    foreign: u32,
    block: Block,
    first_line: u64,
    last_line: u64,
}

impl LastLine {
    /// Words that begin in this line.
    pub fn new(line: &Line<'_>, at: usize, words: Words, context: &Context<'_>) -> Self {
        let mut block = Block::after(context.before);
        block.push(&line.text[at..]);
        let prefix = Prefix::learn(&line.text[..at]);
        let (first_line, last_line) = (line.number, line.number);
        Self { words, prefix, logged: line.logged, foreign: 0, block, first_line, last_line }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        if let Some(what) = bare.strip_prefix(b"  what():  ")
            && let Words::Exception(_, message) = &mut self.words
        {
            *message = text::string(&what[..what.len().min(LINE_BYTES)]);
            return true;
        }
        // What follows from it says less: `terminate called` below a pure virtual call, and the shell's word.
        let follows = bare.starts_with(b"terminate called without") && matches!(self.words, Words::Said(..));
        let shell = matches!(shell(&text::string(bare)), Some((_, Words::Shell(..))))
            && !matches!(self.words, Words::Shell(..));
        follows || shell || bare.starts_with(b"======= ")
    }
}

impl Parser for LastLine {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        if let Some(bare) = self.prefix.strip(line.text).filter(|bare| self.take(bare)) {
            self.block.push(bare);
            self.last_line = line.number;
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let said = self.words.meaning(messages);
        let standing = match &self.words {
            _ if self.logged => Standing::Logged,
            Words::Shell(..) => Standing::Logged,
            _ => Standing::Fatal,
        };
        let marks = said.culprit.as_ref().map(|place| {
            let file = place.file.as_deref().map(base_name).unwrap_or_default();
            (place.function.clone().unwrap_or_default(), file.to_owned())
        });
        Some(Candidate {
            runtime: Runtime::Native,
            reason: said.reason,
            kind: said.word,
            exception: said.exception,
            message: said.message,
            standing,
            exits: said.exits,
            culprit: said.culprit,
            stack: Vec::new(),
            signature: marks.into_iter().collect(),
            related: Vec::new(),
            excerpt: self.block,
            first_line: self.first_line,
            last_line: self.last_line,
            headless: false,
        })
    }
}

struct Meaning {
    reason: CrashReason,
    word: String,
    exception: Option<String>,
    message: String,
    culprit: Option<Culprit>,
    exits: &'static [i32],
}

impl Words {
    fn meaning(&self, messages: &Messages) -> Meaning {
        let plain = |reason: CrashReason, word: &str, message: &str, exits| Meaning {
            reason,
            word: word.to_owned(),
            exception: None,
            message: message.to_owned(),
            culprit: None,
            exits,
        };
        match self {
            Words::Exception(class, message) => {
                let shown = if message.is_empty() {
                    format!("terminate called after throwing an instance of '{class}'")
                } else {
                    message.clone()
                };
                let reason = of_exception(class, message, messages);
                Meaning { exception: Some(class.clone()), ..plain(reason, &stable_class(class), &shown, ABORTED) }
            }
            Words::Terminated(line) => plain(UNHANDLED_ERROR, "terminate", line, ABORTED),
            Words::Assertion(line, expression, culprit) => Meaning {
                culprit: culprit.clone(),
                ..plain(ASSERTION_FAILED, &format!("assertion {expression}"), line, ABORTED)
            },
            Words::Said(reason, line) => plain(reason.clone(), said_word(line), line, ABORTED),
            Words::Shell(reason, line, exits) => plain(reason.clone(), reason.as_str(), line, exits),
        }
    }
}

/// The line without the address that some versions print behind it, and without the program's name.
fn said_word(line: &str) -> &str {
    if let Some((_, word, _)) =
        WATCHED.iter().map(|(words, reason, word)| (words, word, reason)).find(|(words, ..)| line.starts_with(**words))
    {
        return word;
    }
    let line =
        line.strip_prefix("*** Error in `").and_then(|rest| rest.split_once("': ")).map_or(line, |(_, rest)| rest);
    line.split(": 0x").next().unwrap_or(line)
}

/// The class without the namespaces that differ between versions of a library.
fn stable_class(class: &str) -> String {
    ["__cxx11::", "__1::", "json_abi_v3_11_2::", "json_abi_v3_11_3::"]
        .iter()
        .fold(class.to_owned(), |class, part| class.replace(part, ""))
}

/// The reason of an exception of C++.
fn of_exception(class: &str, message: &str, messages: &Messages) -> CrashReason {
    let class = class.strip_prefix("boost::wrapexcept<").map_or(class, |inner| inner.trim_end_matches('>'));
    let name = class.rsplit("::").next().unwrap_or(class);
    match name {
        "out_of_range"
            if message.contains("map::at") || message.contains("_Map_base::at") || message.contains("key '") =>
        {
            MISSING_KEY
        }
        "out_of_range" => INDEX_OUT_OF_BOUNDS,
        "bad_alloc" | "bad_array_new_length" => HEAP_EXHAUSTED,
        "bad_cast" | "bad_any_cast" | "bad_variant_access" | "bad_typeid" | "type_error" => TYPE_MISMATCH,
        "bad_optional_access" | "bad_expected_access" => UNWRAP_FAILED,
        "overflow_error" | "underflow_error" => ARITHMETIC_ERROR,
        "system_error" if message.starts_with("Resource temporarily unavailable") => THREAD_LIMIT,
        _ => messages.meaning(message, Voice::Panic).map_or(UNHANDLED_ERROR, |meaning| meaning.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> Option<String> {
        let (_, words) = read(line.as_bytes())?;
        Some(words.meaning(&Messages::default()).reason.to_string())
    }

    #[test]
    fn last_words_have_their_reason() {
        let cases = [
            ("terminate called without an active exception", Some("UnhandledError")),
            (
                "libc++abi: terminating due to uncaught exception of type std::out_of_range: vector",
                Some("IndexOutOfBounds"),
            ),
            (
                "libc++abi: terminating with uncaught exception of type std::bad_alloc: std::bad_alloc",
                Some("HeapExhausted"),
            ),
            ("libc++abi: Pure virtual function called!", Some("UnhandledError")),
            (
                "m: mixer.cc:32: void mixer::Channel::check(int, int) const: Assertion `a == b' failed.",
                Some("AssertionFailed"),
            ),
            (
                "app: malloc.c:2617: sysmalloc: Assertion `(old_top == initial_top (av))' failed.",
                Some("HeapCorruption"),
            ),
            ("Fatal glibc error: malloc.c:2599 (sysmalloc): assertion failed: x", Some("HeapCorruption")),
            ("Fatal glibc error: CPU does not support x86-64-v2", Some("ExecFormatError")),
            ("Assertion failed: gates == 4 (lane.c: check: 6)", Some("AssertionFailed")),
            ("Assertion failed: (gates == 4), function check, file lane.c, line 6.", Some("AssertionFailed")),
            (
                "*** Error in `./app': double free or corruption (fasttop): 0x0000000001d4c010 ***",
                Some("HeapCorruption"),
            ),
            ("double free or corruption (!prev)", Some("HeapCorruption")),
            ("2026-11-25T02:11:00.1Z malloc(): corrupted top size", Some("HeapCorruption")),
            ("*** buffer overflow detected ***: terminated", Some("StackSmashing")),
            ("Segmentation fault (core dumped)", Some("Segfault")),
            ("/run.sh: line 3:     7 Segmentation fault      (core dumped) ./server", Some("Segfault")),
            ("Bus error", Some("BusError")),
            ("the shop said Segmentation fault is bad", None),
            ("Aborted by the user", None),
            ("we call free(): it is fine", None),
            ("AssertionError: Assertion failed", None),
        ];
        for (line, expected) in cases {
            assert_eq!(reason(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn an_assertion_names_its_place() {
        let cases = [
            (
                "m: mixer.cc:32: void mixer::Channel::check(int, int) const: Assertion `a: b' failed.",
                Some(("mixer::Channel::check", "mixer.cc", 32)),
            ),
            ("2026-11-25T02:11:00.1Z /app/m: src/a.c:3: f: Assertion `x' failed.", Some(("f", "src/a.c", 3))),
            (
                "/usr/include/c++/12/bits/stl_vector.h:1123: T& std::vector<T>::operator[](size_type) [with T = int]: Assertion '__n < this->size()' failed.",
                None,
            ),
            ("Assertion failed: a (b) (lane.c: check: 6)", Some(("check", "lane.c", 6))),
        ];
        for (line, expected) in cases {
            let (_, words) = read(line.as_bytes()).unwrap();
            let place = words.meaning(&Messages::default()).culprit;
            let got = place
                .as_ref()
                .map(|place| (place.function.as_deref().unwrap(), place.file.as_deref().unwrap(), place.line.unwrap()));
            assert_eq!(got, expected, "{line}");
        }
    }
}
