//! The parser of last words, and what they mean.

use super::libraries::FORTRAN;
use super::words::{LINE_BYTES, WATCHED, Words, shell};
use crate::classify::finding::{CrashReason, Culprit, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// Most lines of something else between the two lines of an exception.
const FOREIGN: u32 = 3;

/// What stands before the text of an exception.
const WHAT: &str = "  what():  ";

/// Exit codes of abort(): 134, 139 as PID 1, 133 on arm64.
const ABORTED: &[i32] = &[134, 139, 133];

/// The parser of such words.
#[derive(Debug)]
pub struct LastLine {
    words: Words,
    prefix: Prefix,
    logged: bool,
    foreign: u32,
    passage: Passage,
}

impl LastLine {
    /// Words that begin in this line.
    pub fn new(line: &Line<'_>, at: usize, words: Words, context: &Context<'_>) -> Self {
        let prefix = Prefix::learn(&line.text[..at]);
        Self { words, prefix, logged: line.logged, foreign: 0, passage: Passage::begin(line, at, context) }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        if let Some(what) = bare.strip_prefix(WHAT.as_bytes())
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
        // What the program itself had written before the words, without ending its line, is not on the next line.
        let own = || {
            let at = text::find(line.text, WHAT).unwrap_or(0);
            (!self.prefix.is_collectors()).then_some(&line.text[at..])
        };
        if let Some(bare) = self.prefix.strip(line.text).or_else(own).filter(|bare| self.take(bare)) {
            self.passage.push(bare, line.number);
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
            reason: said.reason,
            kind: said.word,
            exception: said.exception,
            message: said.message,
            standing,
            exits: said.exits,
            culprit: said.culprit,
            signature: marks.into_iter().collect(),
            ..Candidate::of(Runtime::Native, self.passage)
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
            // libuv cannot start the threads that Node.js needs.
            Words::Assertion(line, expression, _) if expression.contains("uv_thread_create") => {
                plain(THREAD_LIMIT, "uv_thread_create", line, ABORTED)
            }
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
    let named = line.strip_prefix("*** Error in `").and_then(|rest| rest.split_once("': "));
    let named = named.or_else(|| line.strip_prefix("*** glibc detected *** ").and_then(|rest| rest.split_once(": ")));
    let line = named.map_or(line, |(_, rest)| rest);
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
    if let Some(reason) = of_settings(class) {
        return reason;
    }
    let name = class.rsplit("::").next().unwrap_or(class);
    match name {
        "NSRangeException" => INDEX_OUT_OF_BOUNDS,
        FORTRAN if message.starts_with("Index '") => INDEX_OUT_OF_BOUNDS,
        "NSInvalidArgumentException" if message.contains("unrecognized selector") => TYPE_MISMATCH,
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
        // POCO's text names no file.
        "FileNotFoundException" => MISSING_FILE,
        "system_error" if message.contains("Resource temporarily unavailable") => THREAD_LIMIT,
        "system_error" if message.contains("Resource deadlock avoided") => DEADLOCK,
        _ => messages.meaning(message, Voice::Panic).map_or(UNHANDLED_ERROR, |meaning| meaning.reason),
    }
}

/// What libraries throw that read options or configuration files, and nothing else.
fn of_settings(class: &str) -> Option<CrashReason> {
    const LIBRARIES: [&str; 8] = [
        "boost::program_options::",
        "boost::property_tree::",
        "YAML::",
        "toml::",
        "cxxopts::",
        "libconfig::",
        "CLI::",
        "TCLAP::",
    ];
    let known = LIBRARIES.iter().any(|library| class.starts_with(library));
    known.then(|| match class.rsplit("::").next().unwrap_or(class) {
        "BadFile" | "FileIOException" => MISSING_FILE,
        "required_option" | "RequiredError" | "SettingNotFoundException" | "ptree_bad_path" => MISSING_CONFIGURATION,
        _ => INVALID_CONFIGURATION,
    })
}

#[cfg(test)]
mod tests {
    use super::super::words::read;
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
            ("Nov 25 02:11:03 node-1 app[1]: Bus error", Some("BusError")),
            ("qemu: uncaught target signal 11 (Segmentation fault) - core dumped", Some("Segfault")),
            ("*** longjmp causes uninitialized stack frame ***: terminated", Some("StackSmashing")),
            ("*** bit out of range 0 - FD_SETSIZE on fd_set ***: terminated", Some("StackSmashing")),
            ("ubsan: mul-overflow by 0x000055d0cb55542e", Some("SanitizerReport")),
            ("deleted virtual method called", Some("UnhandledError")),
            ("break adjusted to free malloc space", Some("HeapCorruption")),
            ("src/tcmalloc.cc:333] Attempt to free invalid pointer 0x55d0cb55542e", Some("HeapCorruption")),
            (
                "*** Terminating app due to uncaught exception 'NSRangeException', reason: 'index 4 beyond bounds'",
                Some("IndexOutOfBounds"),
            ),
            ("lanes: Uncaught exception NSGenericException, reason: lane 4 closed", Some("UnhandledError")),
            (
                "/usr/lib/llvm-18/bin/../include/c++/v1/vector:1393: assertion __n < size() failed: vector[] index out of bounds",
                Some("AssertionFailed"),
            ),
            (
                "/usr/include/c++/v1/__memory/unique_ptr.h:279: libc++ Hardening assertion __p failed: index out of range",
                Some("AssertionFailed"),
            ),
            ("Bail out! ERROR:lane.c:31:weigh: assertion failed (n < size): (4 < 4)", Some("AssertionFailed")),
            ("E1125 01:35:29.1 7 queue.cc:731] assertion failed: items() == 0", Some("AssertionFailed")),
            ("ASSERT: \"lane >= 0\" in file lane.cpp, line 31", Some("AssertionFailed")),
            ("(lanes:1): Lanes-ERROR **: 01:35:29.101: lane 4 closed", Some("UnhandledError")),
            ("terminate called after throwing an instance of cpptrace::out_of_range: lane:", Some("IndexOutOfBounds")),
            ("Error: attempt to subscript container with out-of-bounds index 5, but ", Some("IndexOutOfBounds")),
            ("Error: attempt to dereference a singular iterator.", Some("AssertionFailed")),
            ("Error: attempt to write a readonly database", None),
            (
                "Fortran runtime error: Index '4' of dimension 1 of array 'w' above upper bound of 3",
                Some("IndexOutOfBounds"),
            ),
            ("Fortran runtime error: Cannot open file 'a': No such file or directory", Some("MissingFile")),
            ("*** glibc detected *** ./app: free(): invalid pointer: 0x0000000001a8c010 ***", Some("HeapCorruption")),
            ("Fatal error: glibc detected an invalid stdio handle", Some("HeapCorruption")),
            ("the assertion failed because of a.c:3] assertion failed", None),
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
            ("Bail out! ERROR:lane.c:31:weigh: assertion failed (n < size): (4 < 4)", Some(("weigh", "lane.c", 31))),
            (
                "ERROR:sorter.cpp:73:int Lane::weigh(int, char**): assertion failed: (n < 4)",
                Some(("Lane::weigh", "sorter.cpp", 73)),
            ),
            (
                "ASSERT failure in Lane::at: \"out of range\", file lane.cpp, line 31",
                Some(("Lane::at", "lane.cpp", 31)),
            ),
            (
                "ASSERT failure in QList<T>::operator[]: \"index out of range\", file /usr/include/qt5/QtCore/qlist.h, line 575",
                None,
            ),
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
