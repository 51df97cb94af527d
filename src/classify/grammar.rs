//! The seam between the engine and the runtimes: one file for each, which knows how its traces begin, go on and end.

use std::cell::OnceCell;
use std::fmt::{self, Debug, Formatter};
use std::ops::Deref;

use super::finding::{CrashReason, Culprit, Frame, Related, Runtime};
use super::messages::Messages;
use super::passage::Passage;
use super::reason::UNHANDLED_ERROR;

/// A line as a grammar sees it: without terminal escapes, docker's envelope opened.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The text, with the collector's prefix if there is one: valid UTF-8, U+FFFD for what was none.
    pub text: &'a [u8],
    /// Its number in the log, from 1. The lines inside of one JSON record have the same.
    pub number: u64,
    /// It comes out of a field of a JSON record: a logger wrote it, so the process was alive.
    pub logged: bool,
}

/// What surrounds the line with which a trace may begin.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The lines before it, the nearest one first, plain.
    pub before: &'a Before<'a>,
    /// What error texts mean.
    pub messages: &'a Messages,
}

/// The lines before a line, collected when a grammar first asks for them: of a million lines with an anchor hardly one may
/// be the head of a trace.
pub struct Before<'a> {
    lines: OnceCell<Vec<Vec<u8>>>,
    collect: &'a dyn Fn() -> Vec<Vec<u8>>,
}

impl<'a> Before<'a> {
    /// What `collect` yields, the nearest line first.
    pub fn new(collect: &'a dyn Fn() -> Vec<Vec<u8>>) -> Self {
        Self { lines: OnceCell::new(), collect }
    }
}

impl Default for Before<'_> {
    fn default() -> Self {
        Self::new(&Vec::new)
    }
}

impl Deref for Before<'_> {
    type Target = [Vec<u8>];

    fn deref(&self) -> &[Vec<u8>] {
        self.lines.get_or_init(self.collect)
    }
}

impl Debug for Before<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// How traces of one runtime look.
pub trait Grammar: Debug + Send + Sync {
    /// Texts of which a line holds at least one where a trace begins. Already their first four bytes must be rare in
    /// ordinary logs: the search stops at each of those.
    fn anchors(&self) -> &'static [&'static str];

    /// Of the anchors those of traces that may be longer than the end of a log that is kept, or that may stand further up
    /// and yet be the cause. In the middle of a long log only these are looked for: the rest of a runtime's last words are
    /// found at the end, where the process ended with them.
    fn lasting(&self) -> &'static [&'static str];

    /// A parser, if a trace begins with this line.
    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>>;

    /// A parser, if this line, the first of the log, lies inside of a trace whose head is cut off.
    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        let _ = line;
        None
    }
}

/// What became of a line that was offered to a parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It belongs to the trace.
    Taken,
    /// It does not, but the trace may go on: lines of two streams mix.
    Foreign,
    /// It does not, and the trace is over.
    Over,
}

/// A trace under way. Its memory is bounded, whatever it is fed with.
pub trait Parser: Debug + Send {
    /// Takes the next line.
    fn line(&mut self, line: &Line<'_>) -> Flow;

    /// What the trace came to; `None` where it was none after all.
    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate>;
}

/// Whether a trace can be what ended the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The runtime's last words, which only say that it ends: what it reported shortly before is the cause, and where
    /// there is nothing they stand for themselves.
    Closing,
    /// The runtime's own last words: nothing runs after them.
    Fatal,
    /// In the form of the runtime's own last words, but programs print it too: few lines can follow it.
    Printed,
    /// Written by a logger or by the program itself, which may have gone on.
    Logged,
    /// A warning, with which a program ends only where it was told to end with warnings: nothing can follow it, and the
    /// exit code must agree. The text says why it is not the cause otherwise.
    Warned(&'static str),
    /// Something caught it. The text says what, as the reason why it is not the cause.
    Survived(&'static str),
}

/// One trace found in the log.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The runtime that wrote it.
    pub runtime: Runtime,
    /// Its reason.
    pub reason: CrashReason,
    /// The kind of error, for the fingerprint: an exception's class, a panic's text. Variable parts are replaced later.
    pub kind: String,
    /// The error's type as shown.
    pub exception: Option<String>,
    /// The decisive line, as it was written.
    pub message: String,
    /// Whether it can be what ended the process.
    pub standing: Standing,
    /// Exit codes that it leads to; empty where any would do.
    pub exits: &'static [i32],
    /// The top frame in the user's own code.
    pub culprit: Option<Culprit>,
    /// The stack, the top frame first.
    pub stack: Vec<Frame>,
    /// Function and file of the frames that make the bug what it is, without generated names.
    pub signature: Vec<(String, String)>,
    /// Other stacks of the same event.
    pub related: Vec<Related>,
    /// The decisive lines, and where it stands.
    pub passage: Passage,
    /// Its head is not in the log.
    pub headless: bool,
}

impl Candidate {
    /// Somebody's last words of which nothing more is known: a grammar fills in what it read.
    pub fn of(runtime: Runtime, passage: Passage) -> Self {
        Self {
            runtime,
            reason: UNHANDLED_ERROR,
            kind: String::new(),
            exception: None,
            message: String::new(),
            standing: Standing::Fatal,
            exits: &[],
            culprit: None,
            stack: Vec::new(),
            signature: Vec::new(),
            related: Vec::new(),
            passage,
            headless: false,
        }
    }
}
