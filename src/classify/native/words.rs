//! Last words of one line or two: an uncaught exception, an assertion, what glibc says of a corrupted heap, and what a shell
//! says of a child that a signal killed.

use super::{libraries, symbols};
use crate::classify::envelope::{without_collector, without_stamps};
use crate::classify::finding::{CrashReason, Culprit, base_name};
use crate::classify::reason::*;
use crate::classify::text as bytes;

/// Longest line that is looked at, in bytes.
pub const LINE_BYTES: usize = 4096;
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
const HEAP: [&str; 17] = [
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
    "break adjusted to free malloc space",
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
pub static WATCHED: &[(&str, CrashReason, &str)] = &[
    ("*** stack smashing detected ***", STACK_SMASHING, "stack smashing"),
    ("*** buffer overflow detected ***", STACK_SMASHING, "buffer overflow"),
    ("*** %n in writable segment detected ***", ABORT, "%n in writable segment"),
    ("*** longjmp causes uninitialized stack frame ***", STACK_SMASHING, "longjmp into a frame that is gone"),
    ("*** bit out of range 0 - FD_SETSIZE on fd_set ***", STACK_SMASHING, "descriptor beyond FD_SETSIZE"),
    ("*** invalid %N$ use detected ***", ABORT, "invalid %N$ in a format"),
    ("ubsan: ", SANITIZER_REPORT, "undefined behaviour"),
    ("Fatal error: glibc detected an invalid stdio handle", HEAP_CORRUPTION, "invalid stdio handle"),
    // The loader and the start of a static program, before anything of the program's own.
    ("Inconsistency detected by ld.so: ", MISSING_LIBRARY, "the loader's inconsistency"),
    ("FATAL: kernel too old", EXEC_FORMAT_ERROR, "kernel too old"),
    ("pure virtual method called", UNHANDLED_ERROR, "pure virtual call"),
    ("deleted virtual method called", UNHANDLED_ERROR, "deleted virtual call"),
    ("Pure virtual function called!", UNHANDLED_ERROR, "pure virtual call"),
];

/// How cargo begins to tell of a program that it ran.
const CARGO: &str = "process didn't exit successfully: ";

/// What a shell says of a child that a signal killed.
static SIGNALS: &[(&str, CrashReason, &[i32])] = &[
    ("Segmentation fault", SEGFAULT, &[139]),
    ("Bus error", BUS_ERROR, &[135]),
    ("Illegal instruction", ILLEGAL_INSTRUCTION, &[132]),
    ("Floating point exception", FLOATING_POINT_EXCEPTION, &[136]),
    ("Aborted", ABORT, &[134]),
];

/// ``error: process didn't exit successfully: `target/debug/kiln` (signal: 11, SIGSEGV: invalid memory reference)``
fn cargo(text: &str) -> Option<(usize, Words)> {
    const NAMES: [(&str, &str); 5] = [
        ("SIGSEGV", "Segmentation fault"),
        ("SIGBUS", "Bus error"),
        ("SIGILL", "Illegal instruction"),
        ("SIGFPE", "Floating point exception"),
        ("SIGABRT", "Aborted"),
    ];
    let at = find(text, CARGO)?;
    let (_, signal) = text[at..].split_once("(signal: ")?;
    let (_, words) = NAMES.iter().find(|(name, _)| signal.contains(name))?;
    let (_, reason, _) = SIGNALS.iter().find(|(known, ..)| known == words)?;
    Some((at, Words::Shell(reason.clone(), text[at..].trim_end().to_owned(), &[101])))
}

/// Reads a line as such words: where they begin, and what they say.
pub fn read(line: &[u8]) -> Option<(usize, Words)> {
    let text = std::str::from_utf8(&line[..line.len().min(LINE_BYTES)]).ok()?;
    exception(text).or_else(|| assertion(text)).or_else(|| said(text)).or_else(|| shell(text)).or_else(|| cargo(text))
}

/// The position of the words, where nothing that makes them part of a longer word stands before them.
pub fn find(text: &str, words: &str) -> Option<usize> {
    let at = bytes::find(text.as_bytes(), words)?;
    let separate = at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b'\t' | b']' | b'|' | b':' | b'`');
    separate.then_some(at)
}

fn exception(text: &str) -> Option<(usize, Words)> {
    if let Some(thrown) = libraries::thrown(text) {
        return Some(thrown);
    }
    if let Some(at) = find(text, "terminate called ") {
        let rest = &text[at + "terminate called ".len()..];
        let thrown = rest.strip_prefix("after throwing an instance of ").map(str::trim_end);
        let class = thrown.and_then(|rest| rest.strip_prefix('\'')).map(|rest| rest.trim_end_matches('\''));
        // cpptrace: `after throwing an instance of cpptrace::runtime_error: lane 4 closed:`
        let said = thrown.and_then(|rest| rest.split_once(": "));
        return Some((
            at,
            match (class, said) {
                (Some(class), _) => Words::Exception(class.to_owned(), String::new()),
                (None, Some((class, what))) => {
                    Words::Exception(class.to_owned(), what.trim_end_matches(':').to_owned())
                }
                (None, None) => Words::Terminated(text[at..].trim_end().to_owned()),
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
    if let Some(failed) = libraries::asserted(text) {
        return Some(failed);
    }
    if let Some(failed) = text.find("Assertion `").or_else(|| text.find("Assertion '")) {
        let expression = text[failed + "Assertion `".len()..].trim_end();
        let expression = expression.strip_suffix(" failed.").or_else(|| expression.strip_suffix(" failed"))?;
        let expression = expression.trim_end_matches('\'');
        // Node.js writes its own without a blank before the function.
        let node = || {
            let start = text.find("node[")?;
            Some((start, Words::Assertion(text[start..].trim_end().to_owned(), expression.to_owned(), None)))
        };
        return glibc_assertion(text, failed, expression).or_else(node);
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
    if let Some(at) = find(text, "*** Error in `").or_else(|| find(text, "*** glibc detected *** ")) {
        return Some((at, Words::Said(HEAP_CORRUPTION, text[at..].trim_end().to_owned())));
    }
    let at = HEAP.iter().find_map(|words| find(text, words))?;
    // A sentence about free() has words that glibc does not use.
    let bare = text[at..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let foreign = text[at..].starts_with('<')
        || text[at..].starts_with("Attempt to free")
        || text[at..].contains(": error: ")
        || text[at..].contains("ERROR: ");
    let named = at == 0 || foreign || bare.into_iter().all(|word| GLIBC_WORDS.contains(&word));
    named.then(|| (at, Words::Said(HEAP_CORRUPTION, text[at..].trim_end().to_owned())))
}

/// `Segmentation fault (core dumped)` alone, or behind a script's name, line and the child's number.
pub fn shell(text: &str) -> Option<(usize, Words)> {
    // `qemu: uncaught target signal 11 (Segmentation fault) - core dumped`
    if let Some(at) = find(text, "qemu: uncaught target signal ") {
        let (_, reason, exits) = SIGNALS.iter().find(|(words, ..)| text[at..].contains(words))?;
        return Some((at, Words::Shell(reason.clone(), text[at..].trim_end().to_owned(), exits)));
    }
    let (at, words, reason, exits) = SIGNALS
        .iter()
        .find_map(|(words, reason, exits)| find(text, words).map(|at| (at, *words, reason.clone(), *exits)))?;
    let rest = text[at + words.len()..].trim();
    let before = text[..at].trim_end();
    let numbered = before.ends_with(|c: char| c.is_ascii_digit()) && before.contains(": line ");
    let collected = text.len() - without_collector(text).len() == at || without_stamps(before).is_empty();
    let alone = before.is_empty() || before.ends_with(['Z', '|', ']']) || collected;
    let dumped = rest == "(core dumped)";
    (numbered || dumped || alone && rest.is_empty())
        .then(|| (at, Words::Shell(reason, text[at..].trim_end().to_owned(), exits)))
}
