//! What `clojure.main` says of an exception that ends a script: one line with its class and its place, and its text below.
//! The trace itself goes to a file.

use super::frames;
use super::kinds;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Culprit, Frame, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::links::{Link, place_of};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// How such a line begins: of these words one is in it.
pub const ANCHORS: [&str; 6] = [
    "Execution error (",
    "Execution error at ",
    "Execution error - invalid arguments to ",
    "Syntax error compiling ",
    "Syntax error reading source ",
    "Syntax error macroexpanding ",
];
/// The same with a class, which other languages write too.
pub const CLASSED: &str = "Syntax error (";

/// Most lines of one text.
const LINES: usize = 24;

/// Packages of the classes that are named without one; of all others it is `java.lang`.
static PACKAGES: [(&str, &str); 12] = [
    ("ConnectException", "java.net."),
    ("BindException", "java.net."),
    ("UnknownHostException", "java.net."),
    ("SocketTimeoutException", "java.net."),
    ("NoRouteToHostException", "java.net."),
    ("SocketException", "java.net."),
    ("FileNotFoundException", "java.io."),
    ("IOException", "java.io."),
    ("NoSuchFileException", "java.nio.file."),
    ("AccessDeniedException", "java.nio.file."),
    ("ConcurrentModificationException", "java.util."),
    ("TimeoutException", "java.util.concurrent."),
];

/// The parser of such a report.
#[derive(Debug)]
pub struct Report {
    prefix: Prefix,
    class: String,
    frame: Frame,
    says: Vec<String>,
    over: bool,
    passage: Passage,
}

impl Report {
    /// A report, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = ANCHORS.iter().chain([&CLASSED]).find_map(|anchor| text::find(line.text, anchor))?;
        let head = std::str::from_utf8(&line.text[at..]).ok()?.trim_end();
        let (class, frame) = read(head)?;
        let mut block = Block::after(context.before);
        block.push(head.as_bytes());
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            class,
            frame,
            says: Vec::new(),
            over: false,
            passage: Passage::at(block, line.number),
        })
    }

    fn reason(&self, messages: &Messages) -> CrashReason {
        let said = self.says.join("\n");
        if said.starts_with("Could not locate ") {
            return MISSING_MODULE;
        }
        let package =
            PACKAGES.iter().find(|(class, _)| *class == self.class).map_or("java.lang.", |(_, package)| package);
        kinds::of_link(&Link::new(&format!("{package}{}", self.class), &said, b""), true, messages)
    }
}

/// `Execution error (ArithmeticException) at orders/average (orders.clj:5).`: the class, and where it was thrown.
fn read(head: &str) -> Option<(String, Frame)> {
    let class = head.split_once(" error (").filter(|(words, _)| !words.contains(' '));
    let class = class.and_then(|(_, rest)| rest.split_once(')')).map_or("", |(class, _)| class);
    let (before, place) = head.strip_suffix(").")?.rsplit_once('(')?;
    let function = before.trim_end().rsplit_once("at").map_or("", |(_, function)| function.trim());
    let (file, line) = place.split_once(':')?;
    // `orders.clj:14:3` has a column too.
    let line = line.split(':').next()?.parse::<i64>().ok()?;
    let named = function.is_empty() || function.contains('/') && !function.contains(' ');
    let plain = !file.is_empty() && !file.contains([' ', '(']);
    (named && plain).then(|| {
        let in_app = frames::is_own(function) && file.contains(".clj");
        let line = u32::try_from(line).ok().filter(|line| *line > 0);
        (class.to_owned(), Frame { function: function.to_owned(), file: Some(file.to_owned()), line, in_app })
    })
}

impl Parser for Report {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text).map(<[u8]>::trim_ascii) else { return Flow::Foreign };
        if self.over || self.says.len() >= LINES {
            return Flow::Over;
        }
        // A blank line and the name of the file with the trace follow.
        self.over = bare.starts_with(b"/") && self.says.last().is_some_and(|last| last.starts_with("Full report at"));
        self.passage.block.push(bare);
        if !bare.is_empty() {
            self.says.push(text::string(bare));
            self.passage.last_line = line.number;
        }
        Flow::Taken
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let end = self.says.iter().position(|line| line.starts_with("Full report at")).unwrap_or(self.says.len());
        self.says.truncate(end);
        let reason = self.reason(messages);
        let message = self.says.first().unwrap_or(&self.class).clone();
        let own = Some(&self.frame).filter(|frame| frame.in_app);
        let culprit: Option<Culprit> = own.map(place_of);
        let named = own.filter(|frame| !frame.function.is_empty());
        Some(Candidate {
            reason,
            kind: if self.class.is_empty() { message.clone() } else { self.class.clone() },
            exception: Some(self.class).filter(|class| !class.is_empty()),
            message,
            exits: &[1],
            culprit,
            signature: named.map(|frame| (frames::stable(&frame.function), String::new())).into_iter().collect(),
            stack: vec![self.frame],
            ..Candidate::of(Runtime::Jvm, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn reports_have_their_reason_and_place() {
        let cases = [
            (
                "Execution error (ArithmeticException) at orders/average (orders.clj:5).\nDivide by zero",
                "ArithmeticError",
                Some("orders.clj"),
                Some(5),
            ),
            (
                "Execution error (ExceptionInfo) at acme.orders/reserve (orders.clj:4).\nout of stock",
                "UnhandledError",
                Some("orders.clj"),
                Some(4),
            ),
            (
                "Execution error (ConnectException) at sun.nio.ch.Net/connect0 (Net.java:-2).\nConnection refused",
                "ConnectionRefused",
                None,
                None,
            ),
            (
                "Execution error (FileNotFoundException) at user/eval1 (req.clj:1).\nCould not locate foo/bar__init.class, foo/bar.clj or foo/bar.cljc on classpath.",
                "MissingModule",
                Some("req.clj"),
                Some(1),
            ),
            (
                "Syntax error (ClassNotFoundException) compiling at (acme/orders.clj:1:1).\norg.joda.time.DateTime",
                "MissingModule",
                Some("acme/orders.clj"),
                Some(1),
            ),
            (
                "Syntax error compiling at (sym.clj:14:3).\nUnable to resolve symbol: prise in this context",
                "UnhandledError",
                Some("sym.clj"),
                Some(14),
            ),
        ];
        let engine = Engine::default();
        for (log, reason, file, line) in cases {
            let log = format!("orders starts\n{log}\n\nFull report at:\n/tmp/clojure-7.edn\n");
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding = engine.classify(log.as_bytes(), facts).finding;
            let culprit = finding.culprit.unwrap_or_default();
            assert_eq!((finding.reason.as_str(), culprit.file.as_deref(), culprit.line), (reason, file, line), "{log}");
            assert_eq!(finding.runtime.as_str(), "jvm");
        }
    }
}
