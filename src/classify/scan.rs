//! Finds the traces in a stream of lines. Two gears: ordinary traffic is searched for the anchors of all grammars at
//! once, and only from a line with an anchor on are lines looked at one by one, until the trace is over.
//!
//! In the middle of a long log only the anchors of lasting traces are looked for, which takes one vectorised search instead
//! of seven; the end that the tail holds is then looked at once more, for all of them. What comes out depends on the bytes
//! alone, not on how they were cut into blocks.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::ops::Deref;

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use super::closing::joined;
use super::engine::Engine;
use super::grammar::{Before, Candidate, Context, Flow, Line, Parser, Standing};
use super::native::stacks;
use super::pile::Pile;
use super::record::Record;
use super::tail::Tail;
use super::text;
use super::{carrier, chatter, pile};

/// Lines above a trace that a grammar sees.
const CONTEXT_LINES: usize = 12;
/// The same inside of a record, where all of them are of one writer.
const RECORD_LINES: usize = 48;
/// Most traces kept: a log may hold a million.
const CANDIDATES: usize = 12;
/// Of those, how many are the first ones: of reports that do not end the process, the first is the cause.
const FIRST_CANDIDATES: usize = 4;

/// From here on, in bytes, a log has a middle. Most crashes have all of their log before that.
const MIDDLE: usize = 512 * 1024;
const _: () = assert!(MIDDLE > 2 * super::tail::TAIL_BYTES, "the end, looked at once more, has no middle");

/// Lines of others that may come between those of a trace.
const BETWEEN: u32 = 8;

/// The traces of one log, found in one pass.
#[derive(Debug)]
pub struct Scan<'e> {
    engine: &'e Engine,
    tail: Tail,
    /// Lines seen so far.
    lines: u64,
    /// Bytes seen before the middle of the log, which has begun where there are [`MIDDLE`] of them.
    before: usize,
    session: Session,
    /// The trace under way in the messages of records, where a logger was handed each line by itself.
    messages: Session,
    /// The record over many lines that is under way.
    pile: Option<Pile>,
    /// From this line on the start of one is looked for: where none was found, not as many lines again.
    piles_from: u64,
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
        let (session, messages) = (Session::default(), Session::default());
        Self {
            engine,
            tail: Tail::default(),
            lines: 0,
            before: 0,
            session,
            messages,
            pile: None,
            piles_from: 0,
            found: Vec::new(),
        }
    }

    /// Takes whole lines, each with its line end.
    pub fn block(&mut self, block: &[u8]) {
        let room = MIDDLE - self.before;
        if block.len() <= room && room > 0 {
            self.before += block.len();
            return self.search(block, false);
        }
        // The line in which the middle begins belongs to what is before it.
        let end = if room == 0 { Some(0) } else { memchr(b'\n', &block[room..]).map(|end| room + end + 1) };
        let (first, middle) = block.split_at(end.unwrap_or(block.len()));
        self.before = MIDDLE;
        self.search(first, false);
        self.search(middle, true);
    }

    fn search(&mut self, block: &[u8], middle: bool) {
        let engine = self.engine;
        let mut stops = engine.stops(block, middle);
        let mut at = 0;
        while at < block.len() {
            // The first line may lie inside of a trace whose head is cut off, which no anchor shows.
            if self.lines > 0 && self.is_idle() {
                let quiet = match stops.next(at) {
                    Some(stop) => memrchr(b'\n', &block[at..stop]).map_or(at, |end| at + end + 1),
                    None => block.len(),
                };
                self.pass_over(&block[at..quiet]);
                at = quiet;
            }
            let Some(length) = memchr(b'\n', &block[at..]) else { return };
            let end = at + length;
            self.line(&block[at..end]);
            self.tail.push(&block[at..=end]);
            at = end + 1;
        }
    }

    fn is_idle(&self) -> bool {
        self.session.parser.is_none() && self.messages.parser.is_none() && self.pile.is_none()
    }

    fn pass_over(&mut self, quiet: &[u8]) {
        self.lines += memchr_iter(b'\n', quiet).count() as u64;
        self.tail.push(quiet);
    }

    fn line(&mut self, raw: &[u8]) {
        self.lines += 1;
        let plain = readable(raw);
        if !self.piled(&plain) {
            self.plain_line(&plain);
        }
    }

    /// Whether a line belongs to a record over many lines.
    fn piled(&mut self, plain: &[u8]) -> bool {
        let Some(mut pile) = self.pile.take() else {
            if self.lines >= self.piles_from && self.is_idle() && pile::may_be_field(plain) {
                let above = self.tail.newest_first().map(|line| readable(line).into_owned());
                match Pile::begun(plain, self.lines, above) {
                    Ok(pile) => self.pile = Some(pile),
                    Err(looked_at) => self.piles_from = self.lines + looked_at,
                }
            }
            return self.pile.is_some();
        };
        let goes_on = pile.add(plain, self.lines);
        if goes_on && !pile.is_complete() {
            self.pile = Some(pile);
        } else {
            self.read_pile(pile);
        }
        true
    }

    /// Reads a record that is complete or was cut. Where it is none, its lines are lines.
    fn read_pile(&mut self, pile: Pile) {
        if let Some(record) = pile.record() {
            return self.record(&record);
        }
        let last = self.lines;
        for (number, line) in pile.into_lines() {
            self.lines = number;
            self.plain_line(&line);
        }
        self.lines = last;
    }

    fn plain_line(&mut self, plain: &[u8]) {
        // Only looked for where it counts: most lines that are looked at belong to the trace under way.
        let anchor = LazyCell::new(|| self.engine.find_anchor(plain));
        if let Some(record) = self.record_of(plain, &anchor) {
            return self.record(&record);
        }
        let line = Line { text: plain, number: self.lines, logged: false };
        if self.lines == 1 {
            self.session = Session::new(self.engine.begin_or_resume(&line), &line);
            return;
        }
        let done = self.messages.rest(self.engine);
        self.keep(done);
        let done = if self.session.is_beside(plain) && anchor.is_none() {
            self.session.rest(self.engine)
        } else {
            self.session.offer(self.engine, &line, &|| anchor.is_some(), &|| context(&self.tail))
        };
        self.keep(done);
    }

    /// A record that holds an anchor in one of its fields, or that may go on with a trace. A brace or a pair behind the
    /// anchor is part of a text.
    fn record_of(&self, plain: &[u8], anchor: &impl Deref<Target = Option<usize>>) -> Option<Record> {
        // A record has quotes or pairs; what Go prints of arguments has only braces.
        memchr2(b'"', b'=', plain)?;
        let begins = || Some(memchr2(b'{', b'=', plain)? < (**anchor)?);
        let goes_on = || self.messages.parser.is_some() && memchr2(b'{', b'=', &plain[..plain.len().min(32)]).is_some();
        (begins().unwrap_or(false) || goes_on()).then(|| Record::read(plain)).flatten()
    }

    fn record(&mut self, record: &Record) {
        match record.line() {
            Some(line) => self.message(line, record.severity.is_some()),
            None => self.trace_in(record),
        }
    }

    /// A record with one line of text and nothing else: with those before and behind it it may be a trace.
    fn message(&mut self, text: &str, logged: bool) {
        let line = Line { text: text.as_bytes(), number: self.lines, logged };
        let anchored = || self.engine.find_anchor(line.text).is_some();
        let done = self.messages.offer(self.engine, &line, &anchored, &|| said(&self.tail));
        self.keep(done);
    }

    /// The lines inside of a record are a log of their own.
    fn trace_in(&mut self, record: &Record) {
        let mut session = Session::default();
        let mut before: Vec<Vec<u8>> = Vec::new();
        for text in record.lines() {
            let line = Line { text: text.as_bytes(), number: self.lines, logged: true };
            let anchored = || self.engine.find_anchor(line.text).is_some();
            let done = session.offer(self.engine, &line, &anchored, &|| before.clone());
            self.keep(done);
            before.insert(0, text.as_bytes().to_vec());
            before.truncate(RECORD_LINES);
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
        self.close();
        if self.before == MIDDLE {
            self.look_back();
        }
        Found { candidates: stacks::joined(joined(self.found)), tail: self.tail, lines: self.lines }
    }

    fn close(&mut self) {
        if let Some(pile) = self.pile.take() {
            self.read_pile(pile);
        }
        for done in [self.messages.close(self.engine), self.session.close(self.engine)] {
            self.keep(done);
        }
        self.found.sort_by_key(|candidate| candidate.passage.last_line);
    }

    /// Looks for all anchors in the lines that the tail holds, but for those of a trace that began before them.
    fn look_back(&mut self) {
        let mut kept: Vec<&[u8]> = self.tail.newest_first().collect();
        kept.reverse();
        let start = self.lines.saturating_sub(kept.len() as u64) + 1;
        let begun = self.found.iter().filter(|candidate| candidate.passage.first_line < start);
        let from = begun.map(|candidate| candidate.passage.last_line + 1).max().unwrap_or(start).max(start);
        let (above, end) = kept.split_at(kept.len().min((from - start) as usize));
        let mut scan = Scan { lines: from - 1, ..Scan::new(self.engine) };
        scan.tail.push(&lined(above));
        scan.block(&lined(end));
        scan.close();
        self.found.retain(|candidate| candidate.passage.first_line < from);
        scan.found.into_iter().for_each(|candidate| self.keep(Some(candidate)));
    }
}

/// Each line with its line end.
fn lined(lines: &[&[u8]]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line, &b"\n"[..]]).flatten().copied().collect()
}

/// A line without escapes and without what carries it, as valid UTF-8: where a grammar reads it as a text, what it finds
/// there stands at the same place in the bytes. (Replacing invalid bytes later, in each grammar, moved what is behind them.)
pub fn readable(raw: &[u8]) -> Cow<'_, [u8]> {
    let plain = text::plain(raw);
    let plain = match carrier::inner(&plain) {
        Some(inner) => Cow::Owned(text::plain(&inner).into_owned()),
        None => plain,
    };
    if std::str::from_utf8(&plain).is_ok() { plain } else { Cow::Owned(text::string(&plain).into_bytes()) }
}

fn context(tail: &Tail) -> Vec<Vec<u8>> {
    tail.newest_first().take(CONTEXT_LINES).map(|line| readable(line).into_owned()).collect()
}

/// The same where lines are the messages of records.
fn said(tail: &Tail) -> Vec<Vec<u8>> {
    let message = |line: Vec<u8>| match Record::read(&line) {
        Some(record) => record.line().unwrap_or_default().as_bytes().to_vec(),
        None => line,
    };
    context(tail).into_iter().map(message).collect()
}

/// The trace under way in one sequence of lines.
#[derive(Debug, Default)]
struct Session {
    parser: Option<Box<dyn Parser>>,
    /// Its first line has neither a time stamp nor the form of a record, so that lines which have are another writer's.
    bare: bool,
    /// A collector put something before its first line, hence before all of them.
    collected: bool,
    /// How many lines of others came since its last one.
    between: u32,
}

impl Session {
    fn new(parser: Option<Box<dyn Parser>>, head: &Line<'_>) -> Self {
        let begun = parser.is_some();
        let (bare, collected) = (begun && chatter::is_bare(head.text), begun && chatter::is_collected(head.text));
        Self { bare, collected, parser, between: 0 }
    }

    /// Whether the line is another writer's, who has nothing to do with the trace under way.
    fn is_beside(&self, line: &[u8]) -> bool {
        let chats = if self.collected { chatter::is_chatter } else { chatter::says_nothing };
        self.parser.is_some() && self.bare && chats(line)
    }

    /// Offers a line to the trace under way, and where it does not belong to it, to all grammars as the start of another
    /// one. Returns a trace that is thereby over.
    fn offer(
        &mut self,
        engine: &Engine,
        line: &Line<'_>,
        anchored: &dyn Fn() -> bool,
        before: &dyn Fn() -> Vec<Vec<u8>>,
    ) -> Option<Candidate> {
        let flow = self.parser.as_mut().map(|parser| parser.line(line));
        if flow == Some(Flow::Taken) {
            self.between = 0;
            return None;
        }
        let next = anchored().then(|| {
            let context = Context { before: &Before::new(before), messages: &engine.messages };
            engine.begin(line, &context)
        });
        let next = next.flatten();
        if next.is_none() && flow == Some(Flow::Foreign) {
            return if line.logged { self.rest(engine) } else { None };
        }
        let done = self.close(engine);
        *self = Self::new(next, line);
        done
    }

    /// Another writer's line came between. Returns the trace where there have been too many of them.
    fn rest(&mut self, engine: &Engine) -> Option<Candidate> {
        self.between += u32::from(self.parser.is_some());
        if self.between > BETWEEN { self.close(engine) } else { None }
    }

    fn close(&mut self, engine: &Engine) -> Option<Candidate> {
        self.between = 0;
        self.parser.take()?.finish(&engine.messages)
    }
}
