//! What `java` says when the machine does not start at all, and the one line with which it ends out of memory.

use super::header::{self, Thrown};
use super::kinds;
use super::trace::cause;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::Link;
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// Texts of which one is in a line with which a refusal begins.
const HEADS: [&str; 12] = [
    "Could not create the Java Virtual Machine",
    "Error occurred during initialization of ",
    "Could not find or load main class",
    "Unable to access jarfile",
    "Terminating due to java.lang.OutOfMemoryError",
    HANDLER,
    ON_MEMORY,
    "no main manifest attribute, in ",
    "occurred while loading main class ",
    "Invalid or corrupt jarfile",
    "Main method not found in class ",
    NOT_STATIC,
];

/// The handler of uncaught exceptions could not even print the one that it was handed.
pub const HANDLER: &str = " thrown from the UncaughtExceptionHandler in thread";
/// A main method of another form than the launcher wants.
pub const NOT_STATIC: &str = "Main method is not static in class ";
/// What is said before the command of `-XX:OnOutOfMemoryError` runs, which most often ends the process.
const ON_MEMORY: &str = "# java.lang.OutOfMemoryError: ";

/// Lines that say why, the first that holds wins: the text, the reason.
static WHY: &[(&str, CrashReason)] = &[
    ("UnsupportedClassVersionError", EXEC_FORMAT_ERROR),
    ("Address already in use", PORT_IN_USE),
    ("Could not find agent library", MISSING_LIBRARY),
    ("Error opening zip file or JAR manifest missing", MISSING_FILE),
    ("Unable to access jarfile", MISSING_FILE),
    ("Error: could not open `", MISSING_FILE),
    ("Could not reserve enough space", HEAP_EXHAUSTED),
    ("Failed to reserve", HEAP_EXHAUSTED),
    ("Could not allocate compressed class space", HEAP_EXHAUSTED),
    ("Could not allocate metaspace", HEAP_EXHAUSTED),
    ("native thread", THREAD_LIMIT),
    ("OutOfMemoryError", HEAP_EXHAUSTED),
    ("java.lang.module.FindException", MISSING_MODULE),
    ("NoClassDefFoundError", MISSING_MODULE),
    ("Could not find or load main class", MISSING_MODULE),
    ("Invalid or corrupt jarfile", INVALID_CONFIGURATION),
    ("Main method not found in ", INVALID_CONFIGURATION),
    (NOT_STATIC, INVALID_CONFIGURATION),
    ("no main manifest attribute, in ", INVALID_CONFIGURATION),
];

/// Lines that only pass on what another one says.
const EMPTY: [&str; 6] = [
    "Error: Could not create the Java Virtual Machine",
    "Error: A fatal exception has occurred",
    "Error occurred during initialization of ",
    "Error: The unlock option must precede",
    "Error: A JNI error has occurred",
    "agent library failed",
];

/// Most lines of one refusal.
const LINES: usize = 8;
/// Lines above `Could not create the Java Virtual Machine` that may say why.
const LINES_ABOVE: usize = 3;

/// The parser of a refusal.
#[derive(Debug)]
pub struct Refusal {
    prefix: Prefix,
    lines: Vec<Vec<u8>>,
    logged: bool,
    passage: Passage,
}

impl Refusal {
    /// A refusal, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let begins = HEADS.iter().find_map(|anchor| text::find(line.text, anchor))?;
        let start = ["Error: ", "Exception: "].iter().find_map(|word| {
            let at = begins.checked_sub(word.len())?;
            line.text[at..].starts_with(word.as_bytes()).then_some(at)
        });
        let start = start.or_else(|| text::find(&line.text[..begins], "Exception: ")).unwrap_or(begins);
        // `Error: LinkageError occurred while loading main class …`
        let start = text::find(&line.text[..start], "Error: ").unwrap_or(start);
        let prefix = Prefix::learn(&line.text[..start]);
        let above: Vec<Vec<u8>> =
            context.before.iter().take(LINES_ABOVE).map_while(|line| reason_above(&prefix, line)).collect();
        let passes_on = EMPTY.iter().any(|empty| line.text[start..].starts_with(empty.as_bytes()));
        let above = if passes_on { above } else { Vec::new() };
        let mut refusal = Self {
            prefix,
            logged: line.logged || start > 0 && !text::has(&line.text[start..], "java"),
            passage: Passage::new(
                Block::after(&context.before[above.len()..]),
                line.number.saturating_sub(above.len() as u64),
                line.number,
            ),
            lines: Vec::new(),
        };
        above.into_iter().rev().for_each(|line| refusal.keep(line));
        refusal.keep(line.text[start..].to_vec());
        Some(refusal)
    }

    fn keep(&mut self, line: Vec<u8>) {
        self.passage.block.push(&line);
        self.lines.push(line);
    }

    /// Why, as far as a line says so.
    fn why(&self) -> Option<(String, CrashReason)> {
        let lines: Vec<String> = self.lines.iter().map(|line| text::string(line.trim_ascii())).collect();
        let known = WHY.iter().find_map(|(needle, reason)| {
            lines.iter().find(|line| line.contains(needle)).map(|line| (line.clone(), reason.clone()))
        });
        known.or_else(|| {
            let said = lines.iter().find(|line| !line.is_empty() && !EMPTY.iter().any(|empty| line.starts_with(empty)));
            said.or(lines.first()).map(|line| (line.clone(), INVALID_CONFIGURATION))
        })
    }

    /// The exception that a line names, if one does.
    fn exception(&self) -> Option<(String, String)> {
        self.lines.iter().find_map(|line| {
            let bare = std::str::from_utf8(line).ok()?.trim();
            let of = |thrown: Thrown<'_>| (thrown.class.to_owned(), thrown.message.to_owned());
            let named = ["Terminating due to ", "Exception: ", "# "].iter().find_map(|words| bare.strip_prefix(words));
            if let Some(rest) = named {
                let end = rest.find(HANDLER).unwrap_or(rest.len());
                return header::thrown(&rest[..end]).map(of);
            }
            let thrown = cause(line).map(|(.., thrown)| thrown).or_else(|| header::thrown(bare))?;
            thrown.class.contains('.').then(|| of(thrown))
        })
    }

    fn exits(&self) -> &'static [i32] {
        let begins = |words: &str| self.lines.iter().any(|line| line.starts_with(words.as_bytes()));
        match () {
            () if begins("Terminating due to") => &[3],
            () if begins(ON_MEMORY) => &[137, 143, 1, 3],
            () => &[1],
        }
    }
}

/// A line above that can be the reason: the launcher's own words, which no logger writes.
fn reason_above(prefix: &Prefix, line: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [&str; 9] =
        ["VM option", "option", "Invalid ", "too small", "Error", "ERROR", "agent", "size", "collector"];
    let bare = prefix.strip(line)?;
    let says = WORDS.iter().any(|word| text::has(bare, word));
    (says && bare.first().is_some_and(|b| b.is_ascii_alphabetic())).then(|| bare.to_vec())
}

impl Parser for Refusal {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text) else { return Flow::Foreign };
        if self.lines.len() >= LINES {
            return Flow::Over;
        }
        let waits = self.lines.last().is_some_and(|last| {
            last.starts_with(b"Error occurred during initialization of ") || text::has(last, "LinkageError occurred")
        });
        let more =
            ["Error: ", "Caused by: ", "Improperly specified"].iter().any(|word| bare.starts_with(word.as_bytes()));
        if !(waits || more || cause(bare).is_some()) || text::blank(bare) {
            return Flow::Over;
        }
        self.keep(bare.to_vec());
        self.passage.last_line = line.number;
        Flow::Taken
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let (why, mut reason) = self.why()?;
        let exception = self.exception();
        if let Some((class, text)) = exception.as_ref().filter(|_| why.contains(HANDLER)) {
            reason = kinds::of_link(&Link::new(class, text, b""), true, messages);
        }
        let out_of_memory = reason == HEAP_EXHAUSTED || reason == THREAD_LIMIT;
        let message =
            exception.clone().filter(|(_, text)| out_of_memory && !text.is_empty()).map_or(why, |(_, text)| text);
        Some(Candidate {
            reason,
            kind: message.clone(),
            exception: exception.map(|(class, _)| class),
            message,
            standing: if self.logged { Standing::Logged } else { Standing::Fatal },
            exits: self.exits(),
            ..Candidate::of(Runtime::Jvm, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn refusals_have_their_reason_and_the_line_that_says_why() {
        let created = "\nError: Could not create the Java Virtual Machine.\nError: A fatal exception has occurred. Program will exit.\n";
        let cases = [
            (format!("Unrecognized VM option 'UseFoo'{created}"), "InvalidConfiguration", "Unrecognized VM option 'UseFoo'"),
            (format!("Invalid maximum heap size: -Xmx12x{created}"), "InvalidConfiguration", "Invalid maximum heap size: -Xmx12x"),
            (format!("Error: VM option 'UseEpsilonGC' is experimental and must be enabled via -XX:+UnlockExperimentalVMOptions.\nError: The unlock option must precede 'UseEpsilonGC'.{created}"), "InvalidConfiguration", "Error: VM option 'UseEpsilonGC' is experimental and must be enabled via -XX:+UnlockExperimentalVMOptions."),
            (format!("\nThe Java thread stack size specified is too small. Specify at least 136k{created}"), "InvalidConfiguration", "The Java thread stack size specified is too small. Specify at least 136k"),
            ("Error occurred during initialization of VM\nInitial heap size set to a larger value than the maximum heap size\n".into(), "InvalidConfiguration", "Initial heap size set to a larger value than the maximum heap size"),
            ("Error occurred during initialization of VM\nCould not reserve enough space for 4096000KB object heap\n".into(), "HeapExhausted", "Could not reserve enough space for 4096000KB object heap"),
            ("Error occurred during initialization of VM\nOutOfMemoryError: Metaspace\n".into(), "HeapExhausted", "OutOfMemoryError: Metaspace"),
            ("Error occurred during initialization of VM\nCould not find agent library foo on the library path, with error: libfoo.so: cannot open shared object file: No such file or directory\n".into(), "MissingLibrary", "Could not find agent library foo on the library path, with error: libfoo.so: cannot open shared object file: No such file or directory"),
            ("Error opening zip file or JAR manifest missing : /opt/a.jar\nError occurred during initialization of VM\nagent library failed to init: instrument\n".into(), "MissingFile", "Error opening zip file or JAR manifest missing : /opt/a.jar"),
            ("Error occurred during initialization of boot layer\njava.lang.module.FindException: Module com.acme not found\n".into(), "MissingModule", "java.lang.module.FindException: Module com.acme not found"),
            ("Error: Could not find or load main class com.acme.Main\nCaused by: java.lang.ClassNotFoundException: com.acme.Main\n".into(), "MissingModule", "Error: Could not find or load main class com.acme.Main"),
            ("Error: Main method is not static in class N, please define the main method as:\n   public static void main(String[] args)\n".into(), "InvalidConfiguration", "Error: Main method is not static in class N, please define the main method as:"),
            ("Error: Unable to access jarfile /app/app.jar\n".into(), "MissingFile", "Error: Unable to access jarfile /app/app.jar"),
            ("no main manifest attribute, in /app/app.jar\n".into(), "InvalidConfiguration", "no main manifest attribute, in /app/app.jar"),
            ("Error: LinkageError occurred while loading main class A\n\tjava.lang.UnsupportedClassVersionError: A has been compiled by a more recent version of the Java Runtime (class file version 69.0)\n".into(), "ExecFormatError", "java.lang.UnsupportedClassVersionError: A has been compiled by a more recent version of the Java Runtime (class file version 69.0)"),
            ("java.lang.OutOfMemoryError: Java heap space\nDumping heap to java_pid1.hprof ...\nTerminating due to java.lang.OutOfMemoryError: Java heap space\n".into(), "HeapExhausted", "Java heap space"),
            ("\nException: java.lang.StackOverflowError thrown from the UncaughtExceptionHandler in thread \"main\"\n".into(), "StackOverflow", "Exception: java.lang.StackOverflowError thrown from the UncaughtExceptionHandler in thread \"main\""),
            ("#\n# java.lang.OutOfMemoryError: Java heap space\n# -XX:OnOutOfMemoryError=\"kill -9 %p\"\n#   Executing /bin/sh -c \"kill -9 1\"...\n".into(), "HeapExhausted", "Java heap space"),
            ("\nException: java.lang.OutOfMemoryError thrown from the UncaughtExceptionHandler in thread \"main\"\n".into(), "HeapExhausted", "Exception: java.lang.OutOfMemoryError thrown from the UncaughtExceptionHandler in thread \"main\""),
        ];
        let engine = Engine::default();
        for (log, reason, message) in cases {
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding =
                engine.classify(format!("Picked up JAVA_TOOL_OPTIONS: -Xlog:disable\n{log}").as_bytes(), facts).finding;
            assert_eq!((finding.reason.as_str(), finding.message.as_str()), (reason, message), "{log}");
            assert_eq!(finding.runtime.as_str(), "jvm");
        }
    }
}
