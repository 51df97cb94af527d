//! The proof that a log is the one of an instance: every line's time stamp, put there by the node.
//!
//! `timestamps=true` makes the kubelet put the time before each line. The stamps are checked against the life of the
//! instance and stripped, chunk by chunk: memory does not grow with the log, nor with the length of a line.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::answer::{ERROR_TEXT_BYTES, is_error_text, may_be_error_text};
use crate::termination::Termination;

/// How far before `startedAt` the first line may be: of 860 right logs, ten began up to 60 ms before it.
const BEFORE: SignedDuration = SignedDuration::from_millis(100);
/// The same for the first instance of its container, before which there was none: on a node that is short of time, right
/// logs began 220 ms before it (recorded at a load of 28 on two cores). Not without a limit, since a node's reboot lets
/// the kubelet count from 0 again.
const BEFORE_FIRST: SignedDuration = SignedDuration::from_secs(1);
/// How far after `finishedAt`, which has whole seconds, the last line may be.
const AFTER: SignedDuration = SignedDuration::from_secs(1);
/// How far after it when the log surely began before it: the runtime stamps a line when it reads it from the pipe, and
/// with a dump of megabytes on a busy node it falls behind.
const BACKLOG: SignedDuration = SignedDuration::from_secs(30);
/// Longest time stamp, in bytes: nanoseconds, an offset, and the space after it.
const STAMP_BYTES: usize = 36;

/// The life of an instance, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    /// The container had no instance before.
    first: bool,
}

impl Life {
    /// From when to when, at whole seconds as the kubelet states them; of an instance that others came before.
    pub fn new(started: Option<Timestamp>, finished: Option<Timestamp>) -> Self {
        Self { started, finished, first: false }
    }

    /// Of one termination.
    pub fn of(termination: &Termination) -> Self {
        let first = termination.restart_count == 0;
        Self { first, ..Self::new(termination.started_at, termination.finished_at) }
    }

    fn is_known(self) -> bool {
        self.started.is_some() && self.finished.is_some()
    }

    fn begins_after(self, at: Timestamp) -> bool {
        let allowed = if self.first { BEFORE_FIRST } else { BEFORE };
        self.started.is_some_and(|started| started.duration_since(at) > allowed)
    }

    fn ends_before(self, at: Timestamp, allowed: SignedDuration) -> bool {
        self.finished.is_some_and(|finished| at.duration_since(finished) > allowed)
    }
}

/// The log is another instance's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign;

/// What a log that was read to its end turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its lines lie within the life of the instance.
    Verified,
    /// Nothing speaks against it, and nothing proves it.
    Unverified,
    /// There is none.
    Empty,
    /// It is the kubelet's error, not a log.
    ErrorText,
}

/// Checks and strips the stamps of one log.
#[derive(Debug)]
pub struct Stamps {
    life: Life,
    form: Form,
    /// The begin of a line that is not decided yet, at most [`ERROR_TEXT_BYTES`].
    begin: Vec<u8>,
    /// The kubelet's error, as long as nothing else has come.
    held: Vec<u8>,
    in_line: bool,
    first: Option<Timestamp>,
    /// Lines are stamped later than the instance can have written them.
    backlog: bool,
    /// The kubelet's error ends the log.
    broken: bool,
    lines: u64,
    bytes: u64,
}

/// How the lines of this log look: the first one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Unknown,
    Stamped,
    Plain,
}

/// What the begin of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// A stamp of that many bytes.
    Stamp(Timestamp, usize),
    /// The kubelet's error, to the end of the line.
    Error,
    /// The container's own words.
    Words,
    /// More of the line is needed to tell.
    Open,
}

impl Stamps {
    /// For the log of an instance with that life.
    pub fn new(life: Life) -> Self {
        Self {
            life,
            form: Form::Unknown,
            begin: Vec::new(),
            held: Vec::new(),
            in_line: false,
            first: None,
            backlog: false,
            broken: false,
            lines: 0,
            bytes: 0,
        }
    }

    /// Takes the next bytes and hands on what the container wrote of them.
    ///
    /// # Errors
    /// As soon as the log is known to be another instance's. What was handed on before is not to be used then.
    pub fn feed(&mut self, mut chunk: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Foreign> {
        self.bytes += chunk.len() as u64;
        while !chunk.is_empty() {
            chunk = match (self.in_line, self.begin.is_empty()) {
                (true, _) => self.rest_of_line(chunk, out),
                (false, true) => self.begin_of_line(chunk, out)?,
                (false, false) => self.more_of_begin(chunk, out)?,
            };
        }
        Ok(())
    }

    /// Hands on what is pending, and says what the log is.
    ///
    /// # Errors
    /// If the log is another instance's.
    pub fn finish(&mut self, out: &mut impl FnMut(&[u8])) -> Result<Proof, Foreign> {
        let pending = std::mem::take(&mut self.begin);
        if !pending.is_empty() {
            let begin = self.decide(&pending, true);
            let rest = self.apply(begin, &pending, out)?;
            self.rest_of_line(rest, out);
        }
        Ok(match self.form {
            Form::Unknown if !self.held.is_empty() => Proof::ErrorText,
            Form::Unknown => Proof::Empty,
            Form::Stamped if self.life.is_known() && !self.backlog && !self.broken => Proof::Verified,
            Form::Stamped | Form::Plain => Proof::Unverified,
        })
    }

    /// Whether the log begins when the instance may have ended already, at whole seconds as the kubelet states it: then
    /// it may just as well be the successor's, which starts 0.1 s later and may have been silent since.
    pub fn may_be_successors(&self) -> bool {
        self.first.zip(self.life.finished).is_none_or(|(first, finished)| first >= finished)
    }

    /// The kubelet's error, where that is all there is.
    pub fn error_text(&self) -> &[u8] {
        if self.form == Form::Unknown { &self.held } else { &[] }
    }

    /// Lines that the container wrote, as far as they were seen.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes that were seen, stamps included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn rest_of_line<'c>(&mut self, chunk: &'c [u8], out: &mut impl FnMut(&[u8])) -> &'c [u8] {
        let end = memchr::memchr(b'\n', chunk);
        let (line, rest) = chunk.split_at(end.map_or(chunk.len(), |at| at + 1));
        self.in_line = end.is_none();
        if !line.is_empty() {
            out(line);
        }
        rest
    }

    fn begin_of_line<'c>(&mut self, chunk: &'c [u8], out: &mut impl FnMut(&[u8])) -> Result<&'c [u8], Foreign> {
        match self.decide(chunk, false) {
            Begin::Open => {
                self.begin.extend_from_slice(chunk);
                Ok(&[])
            }
            begin => self.apply(begin, chunk, out),
        }
    }

    fn more_of_begin<'c>(&mut self, chunk: &'c [u8], out: &mut impl FnMut(&[u8])) -> Result<&'c [u8], Foreign> {
        let end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
        let (more, rest) = chunk.split_at(end.min(ERROR_TEXT_BYTES));
        self.begin.extend_from_slice(more);
        let begin = self.decide(&self.begin, false);
        if begin != Begin::Open {
            let pending = std::mem::take(&mut self.begin);
            let words = self.apply(begin, &pending, out)?;
            if !words.is_empty() {
                self.rest_of_line(words, out);
            }
        }
        Ok(rest)
    }

    /// What the begin of a line is; `ended` says that no more of it will come.
    fn decide(&self, text: &[u8], ended: bool) -> Begin {
        if self.form == Form::Plain {
            return Begin::Words;
        }
        if let Some((at, length)) = stamp(text) {
            return Begin::Stamp(at, length);
        }
        let line = text.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let whole = ended || line.ends_with(b"\n");
        if !whole && (may_be_stamp(line) || may_be_error_text(line)) {
            Begin::Open
        } else if whole && is_error_text(line) {
            Begin::Error
        } else {
            Begin::Words
        }
    }

    /// Acts on the begin of a line and gives what follows it.
    fn apply<'c>(&mut self, begin: Begin, text: &'c [u8], out: &mut impl FnMut(&[u8])) -> Result<&'c [u8], Foreign> {
        match begin {
            Begin::Stamp(at, length) => {
                self.check(at)?;
                self.form = Form::Stamped;
                self.line_begins();
                Ok(&text[length..])
            }
            Begin::Error => {
                let end = memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1);
                self.error(&text[..end]);
                Ok(&text[end..])
            }
            Begin::Words | Begin::Open => {
                self.words(out);
                self.line_begins();
                Ok(text)
            }
        }
    }

    fn line_begins(&mut self) {
        self.lines += 1;
        self.in_line = true;
    }

    /// The error is the whole answer, unless more comes: then, on a node without stamps, the container printed it.
    fn error(&mut self, line: &[u8]) {
        match self.form {
            Form::Unknown if self.held.len() < ERROR_TEXT_BYTES => self.held.extend_from_slice(line),
            _ => self.broken = true,
        }
    }

    fn words(&mut self, out: &mut impl FnMut(&[u8])) {
        if self.form == Form::Unknown {
            self.form = Form::Plain;
            let held = std::mem::take(&mut self.held);
            if !held.is_empty() {
                self.lines += 1;
                out(&held);
            }
        }
    }

    fn check(&mut self, at: Timestamp) -> Result<(), Foreign> {
        if self.first.is_none() && self.life.begins_after(at) {
            return Err(Foreign);
        }
        let first = *self.first.get_or_insert(at);
        if self.life.ends_before(at, AFTER) {
            // A log that began before the instance ended is not its successor's.
            let own = self.life.finished.is_some_and(|finished| first < finished);
            if !own || self.life.ends_before(at, BACKLOG) {
                return Err(Foreign);
            }
            self.backlog = true;
        }
        Ok(())
    }
}

/// The stamp at the begin of a line, and its length with the space after it.
fn stamp(text: &[u8]) -> Option<(Timestamp, usize)> {
    let end = memchr::memchr(b' ', &text[..text.len().min(STAMP_BYTES)])?;
    if !may_be_stamp(&text[..end]) {
        return None;
    }
    let at = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((at, end + 1))
}

/// Whether the text can be the begin of a stamp such as `2026-11-24T04:44:15.680042044Z`.
fn may_be_stamp(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        0..=3 => byte.is_ascii_digit(),
        4 | 7 => *byte == b'-',
        10 => *byte == b'T',
        13 | 16 => *byte == b':',
        19.. => byte.is_ascii_digit() || b".+-:Z".contains(byte),
        _ => byte.is_ascii_digit(),
    };
    text.len() < STAMP_BYTES && text.iter().enumerate().all(fits)
}
