//! Finds the traces in a stream of lines. Two gears: ordinary traffic is searched for the anchors of all grammars at
//! once, and only from a line with an anchor on are lines looked at one by one, until the trace is over.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use super::closing::joined;
use super::engine::Engine;
use super::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use super::json::docker_line;
use super::record::Record;
use super::tail::Tail;
use super::text;

/// Lines above a trace that a grammar sees.
const CONTEXT_LINES: usize = 12;
/// Most traces kept: a log may hold a million.
const CANDIDATES: usize = 12;
/// Of those, how many are the first ones: of reports that do not end the process, the first is the cause.
const FIRST_CANDIDATES: usize = 4;

/// The traces of one log, found in one pass.
#[derive(Debug)]
pub struct Scan<'e> {
    engine: &'e Engine,
    tail: Tail,
    /// Lines seen so far.
    lines: u64,
    session: Session,
    found: Vec<Candidate>,
}

/// What a scan has found.
#[derive(Debug)]
pub struct Found {
    /// Traces in the order of the log.
    pub candidates: Vec<Candidate>,
    /// The end of the log.
    pub tail: Tail,
    /// How many lines the log has.
    pub lines: u64,
}

impl<'e> Scan<'e> {
    /// A scan that has seen nothing yet.
    pub fn new(engine: &'e Engine) -> Self {
        Self { engine, tail: Tail::default(), lines: 0, session: Session::default(), found: Vec::new() }
    }

    /// Takes whole lines, each with its line end.
    pub fn block(&mut self, mut block: &[u8]) {
        while !block.is_empty() {
            // The first line may lie inside of a trace whose head is cut off, which no anchor shows.
            if self.lines > 0 && self.session.parser.is_none() {
                let quiet = self.quiet_length(block);
                self.pass_over(&block[..quiet]);
                block = &block[quiet..];
            }
            let Some(end) = memchr(b'\n', block) else { return };
            self.line(&block[..end]);
            self.tail.push(&block[..=end]);
            block = &block[end + 1..];
        }
    }

    /// How much there is before the next line with an anchor.
    fn quiet_length(&self, block: &[u8]) -> usize {
        match self.engine.find_anchor(block) {
            Some(at) => memrchr(b'\n', &block[..at]).map_or(0, |end| end + 1),
            None => block.len(),
        }
    }

    fn pass_over(&mut self, quiet: &[u8]) {
        self.lines += memchr_iter(b'\n', quiet).count() as u64;
        self.tail.push(quiet);
    }

    fn line(&mut self, raw: &[u8]) {
        self.lines += 1;
        let plain = readable(raw);
        if let Some(record) = self.record_with_anchor(&plain) {
            return self.record(&record);
        }
        let line = Line { text: &plain, number: self.lines, logged: false };
        if self.lines == 1 {
            self.session.parser = self.engine.begin_or_resume(&line);
            return;
        }
        let tail = &self.tail;
        let done = self.session.offer(self.engine, &line, || context(tail));
        self.keep(done);
    }

    /// A record that holds an anchor in one of its fields. A brace or a pair behind the anchor is part of a text.
    fn record_with_anchor(&self, plain: &[u8]) -> Option<Record> {
        let field = memchr2(b'{', b'=', plain)?;
        let anchor = self.engine.find_anchor(plain)?;
        (field < anchor).then(|| Record::read(plain)).flatten()
    }

    /// The lines inside of a record are a log of their own.
    fn record(&mut self, record: &Record) {
        let mut session = Session::default();
        let mut before: Vec<Vec<u8>> = Vec::new();
        for text in record.lines() {
            let line = Line { text: text.as_bytes(), number: self.lines, logged: true };
            let done = session.offer(self.engine, &line, || before.clone());
            self.keep(done);
            before.insert(0, text.as_bytes().to_vec());
            before.truncate(CONTEXT_LINES);
        }
        let done = session.close(self.engine);
        self.keep(done);
    }

    fn keep(&mut self, candidate: Option<Candidate>) {
        let Some(candidate) = candidate else { return };
        if self.found.len() >= CANDIDATES {
            // What was survived goes first; then the older ones, but for the first few.
            let survived = self.found.iter().position(|known| matches!(known.standing, Standing::Survived(_)));
            self.found.remove(survived.unwrap_or(FIRST_CANDIDATES));
        }
        self.found.push(candidate);
    }

    /// Ends the scan.
    pub fn finish(mut self) -> Found {
        let done = self.session.close(self.engine);
        self.keep(done);
        Found { candidates: joined(self.found), tail: self.tail, lines: self.lines }
    }
}

/// A line without escapes and without docker's envelope.
pub fn readable(raw: &[u8]) -> Cow<'_, [u8]> {
    match docker_line(raw) {
        Some(inner) => Cow::Owned(text::plain(&inner).into_owned()),
        None => text::plain(raw),
    }
}

fn context(tail: &Tail) -> Vec<Vec<u8>> {
    tail.newest_first().take(CONTEXT_LINES).map(|line| readable(line).into_owned()).collect()
}

/// The trace under way in one sequence of lines.
#[derive(Debug, Default)]
struct Session {
    parser: Option<Box<dyn Parser>>,
}

impl Session {
    /// Offers a line to the trace under way, and where it does not belong to it, to all grammars as the start of another
    /// one. Returns a trace that is thereby over.
    fn offer(&mut self, engine: &Engine, line: &Line<'_>, before: impl FnOnce() -> Vec<Vec<u8>>) -> Option<Candidate> {
        let flow = self.parser.as_mut().map(|parser| parser.line(line));
        if flow == Some(Flow::Taken) {
            return None;
        }
        let next = engine.find_anchor(line.text).and_then(|_| {
            let before = before();
            engine.begin(line, &Context { before: &before, messages: &engine.messages })
        });
        if next.is_none() && flow == Some(Flow::Foreign) {
            return None;
        }
        let done = self.close(engine);
        self.parser = next;
        done
    }

    fn close(&mut self, engine: &Engine) -> Option<Candidate> {
        self.parser.take()?.finish(&engine.messages)
    }
}
