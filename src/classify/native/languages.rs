//! Compiled languages without a runtime of their own in the taxonomy: what Ada, Crystal, D, Nim, Free Pascal and Zig say of
//! an exception that nothing caught.

use super::words::{LINE_BYTES, find};
use crate::classify::chain::weight;
use crate::classify::finding::{CrashReason, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// Texts that stand in their last words; Zig's `thread 12 panic: ` is found by Go's anchor.
pub const ANCHORS: [&str; 7] = [ADA, CRYSTAL[0], CRYSTAL[1], "Error@", "Exception@", "unhandled exception: ", " at $0"];

/// How they begin.
const ADA: &str = "raised ";
/// The program's own, and that of a fiber.
const CRYSTAL: [&str; 2] = ["Unhandled exception: ", "Unhandled exception in spawn: "];
const PASCAL: &str = "An unhandled exception occurred at $";

/// Most frames and causes kept.
const FRAMES: usize = 64;
/// See [`FRAMES`].
const LINKS: usize = 16;
/// Most lines of something else inside of a trace.
const FOREIGN: u32 = 4;

/// The languages, each with a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Ada,
    Crystal,
    D,
    Nim,
    Pascal,
    Zig,
}

/// An exception: its class, and its text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Thrown {
    class: String,
    text: String,
}

/// The parser of such words and the frames below them.
#[derive(Debug)]
pub struct Spoken {
    language: Language,
    /// The exception and its causes, the innermost last, each with its frames.
    links: Vec<(Thrown, Vec<RawFrame>)>,
    prefix: Prefix,
    logged: bool,
    foreign: u32,
    passage: Passage,
}

impl Spoken {
    /// Words that begin in this line.
    pub fn begin(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let words = std::str::from_utf8(line.text.get(..line.text.len().min(LINE_BYTES))?).ok()?;
        let (at, language, thrown, frame) = read(words)?;
        let prefix = Prefix::learn(&line.text[..at]);
        let mut frames: Vec<RawFrame> = frame.into_iter().collect();
        if language == Language::Nim {
            // The frames stand above, the innermost call last.
            let above = context.before.iter().map(|line| nim_frame(prefix.strip(line).unwrap_or(line)));
            frames = above.map_while(|frame| frame).collect();
        }
        let in_thread = words[at..].starts_with(CRYSTAL[1]);
        Some(Self {
            language,
            links: vec![(thrown, frames)],
            prefix,
            logged: line.logged || in_thread,
            foreign: 0,
            passage: Passage::begin(line, at, context),
        })
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        let Ok(line) = std::str::from_utf8(&bare[..bare.len().min(LINE_BYTES)]) else { return false };
        if line.trim().is_empty() {
            return true;
        }
        if self.language == Language::Pascal && self.names_class(line) {
            return true;
        }
        let cause = line.strip_prefix("Caused by: ").filter(|_| self.language == Language::Crystal);
        if let Some(thrown) = cause.and_then(in_brackets).filter(|_| self.links.len() < LINKS) {
            self.links.push((thrown, Vec::new()));
            return true;
        }
        let Some((_, frames)) = self.links.last_mut() else { return false };
        match self.language.frame(line) {
            Some(frame) if frames.len() < FRAMES => frames.push(frame),
            Some(_) => {}
            None => return self.language.is_between(line),
        }
        true
    }

    /// `EConvertError: "wet" is an invalid integer`, below the line with the address.
    fn names_class(&mut self, line: &str) -> bool {
        let Some((thrown, frames)) = self.links.last_mut().filter(|(thrown, _)| thrown.class.is_empty()) else {
            return false;
        };
        let (class, text) = line.split_once(": ").unwrap_or((line, ""));
        let named = frames.is_empty() && class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if named {
            *thrown = Thrown { class: class.to_owned(), text: text.trim_end().to_owned() };
        }
        named
    }
}

/// Where the words begin, whose they are, what they say, and the place that stands in them.
fn read(line: &str) -> Option<(usize, Language, Thrown, Option<RawFrame>)> {
    ada(line)
        .or_else(|| crystal(line).map(|(at, thrown)| (at, Language::Crystal, thrown, None)))
        .or_else(|| nim(line).map(|(at, thrown)| (at, Language::Nim, thrown, None)))
        .or_else(|| d(line).map(|(at, thrown)| (at, Language::D, thrown, None)))
        .or_else(|| zig(line).map(|(at, thrown)| (at, Language::Zig, thrown, None)))
        .or_else(|| find(line, PASCAL).map(|at| (at, Language::Pascal, Thrown::default(), None)))
}

/// `raised CONSTRAINT_ERROR : forge.adb:20 index check failed`
fn ada(line: &str) -> Option<(usize, Language, Thrown, Option<RawFrame>)> {
    let at = find(line, ADA)?;
    let rest = line[at + ADA.len()..].trim_end();
    let (class, said) = rest.split_once(" : ").unwrap_or((rest, ""));
    let named =
        class.len() > 3 && class.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'.' | b'0'..=b'9'));
    // Of the exceptions without a text only those of the language are known by their name.
    let known = named && (!said.is_empty() || class.ends_with("_ERROR"));
    let place = said.split(' ').next().and_then(|place| place.rsplit_once(':'));
    let frame = place.and_then(|(file, number)| {
        let own = !["s-", "a-", "g-", "i-"].iter().any(|library| file.starts_with(library));
        let named = file.ends_with(".adb") || file.ends_with(".ads");
        Some(RawFrame { function: String::new(), file: file.to_owned(), line: number.parse().ok()?, own })
            .filter(|_| named)
    });
    known.then(|| (at, Language::Ada, Thrown { class: class.to_owned(), text: said.to_owned() }, frame))
}

/// `Unhandled exception: Index out of bounds (IndexError)`
fn crystal(line: &str) -> Option<(usize, Thrown)> {
    let (at, words) = CRYSTAL.iter().find_map(|words| find(line, words).map(|at| (at, words)))?;
    in_brackets(&line[at + words.len()..]).map(|thrown| (at, thrown))
}

/// `Index out of bounds (IndexError)`
fn in_brackets(said: &str) -> Option<Thrown> {
    let (text, class) = said.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    let named = class.starts_with(|c: char| c.is_ascii_uppercase())
        && class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_'));
    named.then(|| Thrown { class: class.to_owned(), text: text.to_owned() })
}

/// `Error: unhandled exception: index 7 not in 0 .. 2 [IndexDefect]`
fn nim(line: &str) -> Option<(usize, Thrown)> {
    let at = find(line, "Error: unhandled exception: ")?;
    let said = line[at + "Error: unhandled exception: ".len()..].trim_end();
    let (text, class) = said.strip_suffix(']')?.rsplit_once(" [").unwrap_or(("", said.trim_start_matches('[')));
    Some((at, Thrown { class: class.trim_end_matches(']').to_owned(), text: text.to_owned() }))
}

/// `core.exception.ArrayIndexError@mill.d(3): index [7] is out of bounds for array of length 3`
fn d(line: &str) -> Option<(usize, Thrown)> {
    let (head, rest) = line.split_once(".d(")?;
    let (class, _) = head.rsplit_once('@')?;
    let at = class.rfind([' ', '\t']).map_or(0, |at| at + 1);
    let class = &class[at..];
    let (number, said) = rest.split_once(')')?;
    let placed = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let named = class.contains('.') && class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
    let text = said.strip_prefix(": ").unwrap_or(said).trim_end().to_owned();
    (placed && named).then(|| (at, Thrown { class: class.to_owned(), text }))
}

/// `thread 12 panic: index out of bounds: index 7, len 3`
fn zig(line: &str) -> Option<(usize, Thrown)> {
    let at = find(line, "thread ")?;
    let (number, said) = line[at + "thread ".len()..].split_once(" panic: ")?;
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    numbered.then(|| (at, Thrown { class: "panic".to_owned(), text: said.trim_end().to_owned() }))
}

/// `/app/dock.nim(12) dock`; a release build names no directory.
fn nim_frame(line: &[u8]) -> Option<RawFrame> {
    let line = std::str::from_utf8(line).ok()?;
    let (file, rest) = line.split_once(".nim(")?;
    let (number, function) = rest.split_once(')')?;
    let function = function.trim();
    let library = ["/lib/nim/", "/nim/lib/", "/.nimble/", "/.choosenim/"].iter().any(|part| file.contains(part))
        || ["sysFatal", "raiseAssert", "failedAssertImpl", "raiseKeyError", "raiseOSError"].contains(&function);
    Some(RawFrame {
        function: function.to_owned(),
        file: format!("{file}.nim"),
        line: number.parse().ok()?,
        own: !library,
    })
}

impl Language {
    fn frame(self, line: &str) -> Option<RawFrame> {
        match self {
            Self::Crystal => crystal_frame(line.strip_prefix("  from ")?),
            Self::D => d_frame(line),
            Self::Pascal => pascal_frame(line.strip_prefix("  $")?),
            Self::Zig => zig_frame(line),
            Self::Ada | Self::Nim => None,
        }
    }

    /// Lines of a trace that name no frame: addresses, a rule, the source that Zig quotes.
    fn is_between(self, line: &str) -> bool {
        match self {
            Self::Ada => line.starts_with("0x") || line.starts_with("Call stack traceback"),
            Self::D => line.starts_with("-----"),
            Self::Zig => line.starts_with("    ") || line.trim() == "^",
            Self::Crystal | Self::Nim | Self::Pascal => false,
        }
    }
}

/// `src/quay.cr:8:3 in 'at'`, `???`
fn crystal_frame(rest: &str) -> Option<RawFrame> {
    let (place, function) = rest.split_once(" in ").unwrap_or((rest, ""));
    let mut parts = place.split(':');
    let (file, line) = (parts.next()?, parts.next().and_then(|line| line.parse().ok()).unwrap_or(0));
    let library = ["/lib/crystal/", "/share/crystal/", "/crystal/src/"].iter().any(|part| file.contains(part));
    let shard = file.starts_with("lib/");
    let function = function.trim_matches(['\'', '`']).to_owned();
    Some(RawFrame { function, file: file.to_owned(), line, own: file.ends_with(".cr") && !library && !shard })
}

/// `/app/mill.d:3 int mill.at(int[], ulong) [0x55fa388c4563]`, `??:? onRangeError [0x7f3f]`
fn d_frame(line: &str) -> Option<RawFrame> {
    let (place, rest) = line.split_once(' ')?;
    let (file, number) = place.rsplit_once(':')?;
    let (signature, _) = rest.rsplit_once(" [0x")?;
    let end = signature.char_indices().find(|(at, c)| *c == '(' && !signature[..*at].ends_with('!'));
    let name = &signature[..end.map_or(signature.len(), |(at, _)| at)];
    let function = name.rsplit(' ').next().unwrap_or(name).to_owned();
    let installed = file.starts_with("/usr/") || ["/druntime/", "/phobos/"].iter().any(|part| file.contains(part));
    let own = file.ends_with(".d") && !installed;
    Some(RawFrame { function, file: file.to_owned(), line: number.parse().unwrap_or(0), own })
}

/// `00000000004010D8  RAISE_,  line 8 of lock.pas`
fn pascal_frame(rest: &str) -> Option<RawFrame> {
    let (address, rest) = rest.split_at_checked(rest.find(' ').unwrap_or(rest.len()))?;
    if !address.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let (function, place) = rest.trim().split_once(",  line ").unwrap_or((rest.trim(), ""));
    let (line, file) = place.split_once(" of ").unwrap_or(("", ""));
    let (function, own) = (function.to_owned(), !file.is_empty());
    Some(RawFrame { function, file: file.to_owned(), line: line.parse().unwrap_or(0), own })
}

/// `/app/src/main.zig:5:10: 0x1038c4a in main (app)`
fn zig_frame(line: &str) -> Option<RawFrame> {
    let (place, rest) = line.split_once(": 0x")?;
    let mut parts = place.rsplitn(3, ':');
    let (_, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    let (_, function) = rest.split_once(" in ")?;
    let function = function.split(" (").next().unwrap_or(function).to_owned();
    let own = file.ends_with(".zig") && !file.contains("/lib/std/") && !file.contains("/zig/lib/");
    Some(RawFrame { function, file: file.to_owned(), line: line.parse().ok()?, own })
}

/// What a class of exceptions means, by its last name in small letters.
static CLASSES: &[(&str, CrashReason)] = &[
    ("indexdefect", INDEX_OUT_OF_BOUNDS),
    ("indexerror", INDEX_OUT_OF_BOUNDS),
    ("arrayindexerror", INDEX_OUT_OF_BOUNDS),
    ("arraysliceerror", INDEX_OUT_OF_BOUNDS),
    ("rangeerror", INDEX_OUT_OF_BOUNDS),
    ("erangeerror", INDEX_OUT_OF_BOUNDS),
    ("keyerror", MISSING_KEY),
    ("emptyerror", MISSING_KEY),
    ("nilassertionerror", NIL_DEREFERENCE),
    ("nilaccessdefect", NIL_DEREFERENCE),
    ("unpackdefect", UNWRAP_FAILED),
    ("typecasterror", TYPE_MISMATCH),
    ("objectconversiondefect", TYPE_MISMATCH),
    ("einvalidcast", TYPE_MISMATCH),
    ("divisionbyzeroerror", ARITHMETIC_ERROR),
    ("overflowerror", ARITHMETIC_ERROR),
    ("divbyzerodefect", ARITHMETIC_ERROR),
    ("overflowdefect", ARITHMETIC_ERROR),
    ("edivbyzero", ARITHMETIC_ERROR),
    ("ezerodivide", ARITHMETIC_ERROR),
    ("eintoverflow", ARITHMETIC_ERROR),
    ("assertiondefect", ASSERTION_FAILED),
    ("assertion_error", ASSERTION_FAILED),
    ("asserterror", ASSERTION_FAILED),
    ("eassertionfailed", ASSERTION_FAILED),
    ("eaccessviolation", SEGFAULT),
    ("estackoverflow", STACK_OVERFLOW),
    ("storage_error", STACK_OVERFLOW),
    ("eoutofmemory", HEAP_EXHAUSTED),
    ("outofmemdefect", HEAP_EXHAUSTED),
    ("outofmemoryerror", HEAP_EXHAUSTED),
];

/// What the texts of these languages mean, where the class says too little.
static TEXTS: &[(&str, CrashReason)] = &[
    // Ada.
    ("index check failed", INDEX_OUT_OF_BOUNDS),
    ("access check failed", NIL_DEREFERENCE),
    ("divide by zero", ARITHMETIC_ERROR),
    ("overflow check failed", ARITHMETIC_ERROR),
    ("tag check failed", TYPE_MISMATCH),
    ("discriminant check failed", TYPE_MISMATCH),
    ("key not in map", MISSING_KEY),
    ("heap exhausted", HEAP_EXHAUSTED),
    // Crystal, Nim.
    ("Missing ENV key: ", MISSING_CONFIGURATION),
    ("cannot open: ", MISSING_FILE),
    // Zig.
    ("index out of bounds", INDEX_OUT_OF_BOUNDS),
    ("integer overflow", ARITHMETIC_ERROR),
    ("division by zero", ARITHMETIC_ERROR),
    ("attempt to use null value", UNWRAP_FAILED),
    ("attempt to unwrap error", UNWRAP_FAILED),
    ("access of union field", TYPE_MISMATCH),
];

impl Thrown {
    fn reason(&self, messages: &Messages) -> CrashReason {
        let name = self.class.rsplit(['.', ':']).next().unwrap_or_default().to_ascii_lowercase();
        let by_text = TEXTS.iter().find(|(words, _)| self.text.contains(words)).map(|(_, reason)| reason.clone());
        let by_class = || CLASSES.iter().find(|(class, _)| *class == name).map(|(_, reason)| reason.clone());
        let meant = || Some(messages.meaning(&self.text, Voice::Panic)?.reason);
        by_text.or_else(by_class).or_else(meant).unwrap_or(UNHANDLED_ERROR)
    }
}

impl Parser for Spoken {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        if let Some(bare) = self.prefix.strip(line.text).filter(|bare| self.take(bare)) {
            if !text::blank(bare) {
                (self.passage.last_line, self.foreign) = (line.number, 0);
                self.passage.block.push(bare);
            }
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let reasons: Vec<CrashReason> = self.links.iter().map(|(thrown, _)| thrown.reason(messages)).collect();
        let (best, _) = reasons.iter().enumerate().max_by_key(|(at, reason)| (weight(reason), *at))?;
        let (thrown, frames) = &self.links[best];
        if thrown.class.is_empty() {
            return None;
        }
        // A cause that the library alone saw: the nearest link around it knows the place.
        let around = self.links[..best].iter().rev().map(|(_, frames)| frames);
        let frames =
            [frames].into_iter().chain(around).find(|frames| frames.iter().any(|frame| frame.own)).unwrap_or(frames);
        let reason = reasons[best].clone();
        let mut marks = signature(frames, reason == STACK_OVERFLOW, |frame| Some(frame.function.clone()));
        if marks.iter().all(|(function, _)| function.is_empty()) {
            let files = frames.iter().filter(|frame| frame.own).map(|frame| base_name(&frame.file).to_owned());
            marks = files.map(|file| (String::new(), file)).collect();
        }
        let message = if thrown.text.is_empty() { thrown.class.clone() } else { thrown.text.clone() };
        Some(Candidate {
            reason,
            kind: format!("{}: {}", thrown.class, without_place(&thrown.text)),
            exception: Some(thrown.class.clone()),
            message,
            standing: if self.logged { Standing::Logged } else { Standing::Fatal },
            exits: &[1, 217, 134, 139, 132],
            culprit: culprit(frames),
            stack: shown(frames),
            signature: marks,
            ..Candidate::of(Runtime::Native, self.passage)
        })
    }
}

/// Ada's text without the file and line before it, Crystal's without the one behind it.
fn without_place(text: &str) -> &str {
    let text = text.split(", at ").next().unwrap_or(text);
    match text.split_once(' ') {
        Some((place, rest)) if place.contains(".ad") => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn the_last_words_of_compiled_languages_are_read() {
        let cases = [
            ("\nraised CONSTRAINT_ERROR : forge.adb:20 index check failed\n", 1, "IndexOutOfBounds", "forge.adb:20"),
            ("\nraised FORGE.TOO_HOT : forge at 1400 C\n", 1, "UnhandledError", ""),
            (
                "Execution of /app/forge terminated by unhandled exception\nraised CONSTRAINT_ERROR : forge.adb:31 access check failed\nCall stack traceback locations:\n0x55cc87901488 0x55cc878f4e92\n",
                1,
                "NilDereference",
                "forge.adb:31",
            ),
            (
                "\nraised ADA.IO_EXCEPTIONS.NAME_ERROR : /etc/forge/plan.txt: No such file or directory\n",
                1,
                "MissingFile",
                "",
            ),
            // A sentence.
            ("the order raised ALARM in the office\n", 1, "ErrorExit", ""),
            (
                "Unhandled exception: Index out of bounds (IndexError)\n  from usr/lib/crystal/lib/indexable.cr:73:20 in '[]'\n  from src/quay.cr:8:3 in 'at'\n  from /lib/x86_64-linux-gnu/libc.so.6 in '??'\n  from ???\n",
                1,
                "IndexOutOfBounds",
                "at quay.cr:8",
            ),
            (
                "Unhandled exception: cannot load plan (Exception)\n  from src/quay.cr:27:69 in '__crystal_main'\nCaused by: Error opening file with mode 'r': '/etc/plan.txt': No such file or directory (File::NotFoundError)\n  from usr/lib/crystal/lib/file.cr:120:5 in 'new'\n  from src/quay.cr:26:23 in 'load'\n",
                1,
                "MissingFile",
                "load quay.cr:26",
            ),
            // A fiber's exception, and how the program ended.
            (
                "Unhandled exception in spawn: Index out of bounds (IndexError)\n  from src/quay.cr:8:3 in 'at'\nUnhandled exception: worker lost (Exception)\n  from src/quay.cr:29:6 in '__crystal_main'\n",
                1,
                "UnhandledError",
                "__crystal_main quay.cr:29",
            ),
            (
                "core.exception.ArrayIndexError@mill.d(3): index [7] is out of bounds for array of length 3\n----------------\n??:? onArrayIndexError [0x7f2314b418c4]\n/app/mill.d:3 int mill.at(int[], ulong) [0x55fa388c4563]\n/app/mill.d:10 _Dmain [0x55fa388c46df]\n",
                1,
                "IndexOutOfBounds",
                "mill.at mill.d:3",
            ),
            (
                "Traceback (most recent call last)\n/app/dock.nim(10) dock\n/app/dock.nim(4) at\n/usr/lib/nim/lib/system/fatal.nim(54) sysFatal\nError: unhandled exception: index 7 not in 0 .. 2 [IndexDefect]\n",
                1,
                "IndexOutOfBounds",
                "at dock.nim:4",
            ),
            (
                "An unhandled exception occurred at $00000000004010D8:\nERangeError: Range check error\n  $00000000004010D8  RAISE_,  line 8 of lock.pas\n  $00000000004011F9  main,  line 12 of lock.pas\n\n",
                217,
                "IndexOutOfBounds",
                "RAISE_ lock.pas:8",
            ),
            (
                "thread 4711 panic: index out of bounds: index 7, len 3\n/app/src/main.zig:5:10: 0x1038c4a in at (app)\n    return v[i];\n         ^\n/usr/lib/zig/lib/std/start.zig:410:22: 0x1037f98 in posixCallMainAndExit (app)\n",
                134,
                "IndexOutOfBounds",
                "at main.zig:5",
            ),
        ];
        for (log, code, reason, place) in cases {
            let facts = ExitFacts { exit_code: Some(code), ..ExitFacts::default() };
            let finding = Engine::default().classify(log.as_bytes(), facts).finding;
            let culprit = finding.culprit.map_or(String::new(), |place| {
                let function = place.function.clone().unwrap_or_default();
                let file = place.file.unwrap_or_default();
                let short =
                    format!("{}:{}", file.rsplit('/').next().unwrap_or_default(), place.line.unwrap_or_default());
                format!("{function} {short}").trim().to_owned()
            });
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
            assert!(reason == "ErrorExit" || finding.runtime.as_str() == "native", "{log}");
        }
    }
}
