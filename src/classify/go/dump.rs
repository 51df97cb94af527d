//! A Go trace: a head, then one goroutine or ten thousand.

use super::frames::{self, Layout, RawFrame};
use super::goroutine::{Goroutine, Header, find_header, header};
use super::head::{Form, Head, Meaning, survived_by};
use super::kinds::RUNTIME;
use super::others::Others;
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, Frame, STACK_FRAMES, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{CONCURRENT_MAP_ACCESS, DEADLOCK, ERROR_EXIT, STACK_OVERFLOW, TERMINATED};
use crate::classify::stack::recurring;
use crate::classify::text;

/// Most lines between the head and the first goroutine: a panic's value may have many.
const HEAD_LINES: u32 = 200;
/// Most foreign lines in a row inside of a dump that the runtime wrote: what the program printed meanwhile.
const FOREIGN_RAW: u32 = 64;
/// The same for a stack that the program printed: what follows it is most often the ordinary log.
const FOREIGN_PRINTED: u32 = 4;

/// The parser of a head and its goroutines.
#[derive(Debug)]
pub struct Dump {
    head: Head,
    prefix: Prefix,
    /// What stands before the head differs from what stands before the stack: a logger wrote the head.
    logged: bool,
    /// The program had not ended its own line before the head.
    unfinished: bool,
    in_stacks: bool,
    after_blank: bool,
    foreign: u32,
    head_lines: u32,
    last_foreign: Vec<u8>,
    /// A stack that stands inside of the panic's value: helpers that carry a panic to another goroutine quote the first.
    embedded: Goroutine,
    current: Option<Goroutine>,
    chosen: Option<Goroutine>,
    others: Others,
    layout: Layout,
    passage: Passage,
    headless: bool,
}

impl Dump {
    /// A dump whose head stands in this line, behind `prefix_len` bytes of envelope.
    pub fn new(head: Head, line: &Line<'_>, prefix_len: usize, context: &Context<'_>) -> Self {
        let mut dump = Self::bare(head, line);
        dump.prefix = Prefix::learn(&line.text[..prefix_len]);
        let before = line.text[..prefix_len].trim_ascii_end();
        dump.unfinished = before.ends_with(b"...") || before.ends_with(b"%") || before.ends_with("…".as_bytes());
        dump.passage.block = Block::after(context.before);
        dump.passage.block.push(&line.text[prefix_len..]);
        dump
    }

    /// A dump that begins with a goroutine; its title, if it has one, stood `title_lines` lines above.
    pub fn printed(head: Head, line: &Line<'_>, context: &Context<'_>, title_lines: usize) -> Self {
        let mut dump = Self::bare(head, line);
        dump.headless = dump.head.form == Form::Missing;
        let (title, before) = context.before.split_at(title_lines.min(context.before.len()));
        dump.passage.block = Block::after(before);
        title.iter().rev().for_each(|line| dump.passage.block.push(line));
        dump.passage.first_line = line.number.saturating_sub(title_lines as u64);
        if let Some((at, header)) = find_header(line.text) {
            dump.enter(at, header, line.text);
        }
        dump
    }

    /// A dump whose first lines are cut off, somewhere inside of a stack.
    pub fn headless(line: &Line<'_>) -> Self {
        let mut dump = Self::bare(Head::default(), line);
        dump.headless = true;
        dump.in_stacks = true;
        dump.current = Some(Goroutine::default());
        dump.stack_line(line.text, line.number);
        dump
    }

    fn bare(head: Head, line: &Line<'_>) -> Self {
        Self {
            head,
            prefix: Prefix::default(),
            logged: line.logged,
            unfinished: false,
            in_stacks: false,
            after_blank: false,
            foreign: 0,
            head_lines: 0,
            last_foreign: Vec::new(),
            embedded: Goroutine::default(),
            current: None,
            chosen: None,
            others: Others::default(),
            layout: Layout::default(),
            passage: Passage::at(Block::default(), line.number),
            headless: false,
        }
    }

    fn head_line(&mut self, line: &Line<'_>) -> Flow {
        if let Some((at, header)) = find_header(line.text) {
            self.enter(at, header, line.text);
            self.passage.last_line = line.number;
            return Flow::Taken;
        }
        let Some(bare) = self.prefix.strip(line.text) else { return self.unprefixed_head_line(line.text) };
        self.head_lines += 1;
        if self.is_repeated(bare) {
            return Flow::Taken;
        }
        if self.head_lines > HEAD_LINES || starts_trace(bare) {
            return Flow::Over;
        }
        self.passage.block.push(bare);
        self.read_head(bare);
        Flow::Taken
    }

    /// Two threads can die of the same thing at once: both say so, only the first one dumps.
    fn is_repeated(&self, bare: &[u8]) -> bool {
        let Form::Fatal(text) = &self.head.form else { return false };
        bare.strip_prefix(b"fatal error: ").is_some_and(|other| other.trim_ascii_end() == text.as_bytes())
    }

    /// The head was logged with a prefix and what follows it without, or the line is foreign.
    fn unprefixed_head_line(&mut self, text: &[u8]) -> Flow {
        self.head_lines += 1;
        if self.head_lines > HEAD_LINES || starts_trace(text) {
            return Flow::Over;
        }
        Flow::Foreign
    }

    fn read_head(&mut self, bare: &[u8]) {
        if text::blank(bare) {
            self.after_blank = true;
        } else if let Some(signal) = bare.strip_prefix(b"[signal ") {
            self.head.proven = true;
            self.head.signal = signal.split(|b| *b == b':').next().map(text::string);
        } else if bare.starts_with(b"PC=") || bare.starts_with(b"goroutine running on other thread") {
            self.head.proven = true;
        } else if bare == b"runtime stack:" {
            self.head.proven = true;
            self.in_stacks = true;
            self.current = Some(Goroutine::new(Header { id: Some(0), state: String::new() }, bare));
        } else if let Some(value) = bare.trim_ascii_start().strip_prefix(b"panic: ") {
            self.head.nested_panic(value);
        } else if self.embedded.line(bare) {
            // Not a part of what the message says.
        } else if !self.after_blank {
            self.head.continued(bare);
        }
    }

    fn enter(&mut self, at: usize, header: Header, line: &[u8]) {
        let prefix = Prefix::learn(&line[..at]);
        // An indented stack is part of the panic's value; a shorter prefix means that the head has a logger's.
        let indented = self.prefix.strip(&line[..at]).is_some_and(text::blank);
        let differs = !self.prefix.is_empty() && prefix != self.prefix && !self.unfinished && !indented;
        self.logged |= !self.in_stacks && self.head.is_raw() && differs;
        self.prefix = prefix;
        self.in_stacks = true;
        if self.embedded.frames.iter().any(is_panic) {
            self.chosen = Some(std::mem::take(&mut self.embedded));
        }
        self.close_goroutine();
        self.current = Some(Goroutine::new(header, &line[at..]));
        self.foreign = 0;
    }

    fn dump_line(&mut self, line: &Line<'_>) -> Flow {
        let Some(bare) = self.prefix.strip(line.text) else { return self.stray(line) };
        if text::blank(bare) {
            self.after_blank = true;
            return Flow::Taken;
        }
        if header(bare).is_some() {
            return self.next_goroutine(line);
        }
        if self.is_repeated(bare) {
            return Flow::Taken;
        }
        if starts_trace(bare) {
            return Flow::Over;
        }
        let flow = if self.stack_line(bare, line.number) { Flow::Taken } else { self.stray(line) };
        self.after_blank = false;
        flow
    }

    fn stack_line(&mut self, bare: &[u8], number: u64) -> bool {
        if bare == b"runtime stack:" || is_register(bare) || bare.starts_with(b"exit status ") {
            self.passage.last_line = number;
            return true;
        }
        let Some(current) = &mut self.current else { return false };
        let known = current.frames.len();
        if !current.line(bare) {
            return false;
        }
        if current.frames.len() > known
            && let Some(frame) = current.frames.last()
        {
            self.layout.learn(frame);
        }
        // A call alone proves nothing: an ordinary line may look like one.
        if !current.is_open() {
            self.passage.last_line = number;
            self.foreign = 0;
        }
        true
    }

    fn next_goroutine(&mut self, line: &Line<'_>) -> Flow {
        // The goroutines of one dump are parted by blank lines; a header without one belongs to the next dump.
        let fresh = if self.head.is_raw() && !self.logged {
            survived_by(&self.last_foreign).is_some() && !self.after_blank
        } else {
            !self.after_blank
        };
        let Some((at, header)) = find_header(line.text).filter(|_| !fresh) else { return Flow::Over };
        self.enter(at, header, line.text);
        self.passage.last_line = line.number;
        self.after_blank = false;
        Flow::Taken
    }

    /// A line that the dump does not have: another prefix, or another stream's.
    fn stray(&mut self, line: &Line<'_>) -> Flow {
        if find_header(line.text).is_some() {
            return self.next_goroutine(line);
        }
        self.foreign += 1;
        self.after_blank = false;
        self.last_foreign.clear();
        self.last_foreign.extend_from_slice(&line.text[..line.text.len().min(256)]);
        let limit = if self.head.is_raw() && !self.logged { FOREIGN_RAW } else { FOREIGN_PRINTED };
        if self.foreign > limit { Flow::Over } else { Flow::Foreign }
    }

    fn close_goroutine(&mut self) {
        let Some(goroutine) = self.current.take() else { return };
        // The scheduler's own stack is not where anything happened.
        if goroutine.header.id == Some(0) && !goroutine.frames.is_empty() {
            return;
        }
        match &self.chosen {
            None => self.chosen = Some(goroutine),
            // The value of a panic may quote the header of a goroutine.
            Some(chosen) if chosen.frames.is_empty() && goroutine.header.state.starts_with("running") => {
                self.chosen = Some(goroutine);
            }
            Some(chosen) if self.is_better(chosen, &goroutine) => self.chosen = Some(goroutine),
            Some(chosen) if self.head.wants_others() => self.others.offer(chosen, goroutine, &self.layout),
            Some(_) => {}
        }
    }

    /// Where the first goroutine shows nothing of the program, the next one that does is taken.
    fn is_better(&self, chosen: &Goroutine, other: &Goroutine) -> bool {
        self.head.may_choose()
            && chosen.first_own(&self.layout, 0).is_none()
            && other.first_own(&self.layout, 0).is_some()
    }

    fn standing(&self, meaning: &Meaning) -> Standing {
        match &self.head.form {
            Form::Printed(printed) => printed.standing.clone(),
            // A dump on request ends the process only if the signal does.
            _ if self.logged => Standing::Logged,
            Form::Missing if meaning.kind.reason == ERROR_EXIT => Standing::Logged,
            _ => Standing::Fatal,
        }
    }

    /// Whether nothing but a collector's prefix stands before the head: a stamp, `[pod/…]`, `web.1 |`. In words, somebody
    /// else quotes it.
    fn is_unquoted(&self) -> bool {
        !self.logged && self.prefix.is_envelope()
    }

    /// Without a stack only the runtime's own words count, at the start of a line as the process wrote it.
    fn is_credible(&self) -> bool {
        let bare = self.prefix.is_collectors() && !self.logged;
        match &self.head.form {
            _ if self.chosen.is_some() => true,
            Form::Panic(_) | Form::NoThread(_) => bare,
            Form::Fatal(text) => (self.head.proven || super::kinds::of_fatal(text).is_some()) && self.is_unquoted(),
            Form::Signal(_) => self.head.proven,
            Form::Missing | Form::Klog(_) | Form::Printed(_) => false,
        }
    }
}

impl Parser for Dump {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        if self.in_stacks { self.dump_line(line) } else { self.head_line(line) }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        self.close_goroutine();
        let empty = self.headless && self.chosen.as_ref().is_none_or(|chosen| chosen.frames.is_empty());
        if empty || !self.is_credible() {
            return None;
        }
        let chosen = self.chosen.take().unwrap_or_default();
        let functions = chosen.frames.iter().map(|frame| frame.function.as_str());
        let meaning = self.head.meaning(functions, messages)?;
        Some(self.candidate(&chosen, meaning))
    }
}

impl Dump {
    fn candidate(mut self: Box<Self>, chosen: &Goroutine, meaning: Meaning) -> Candidate {
        let thrown = matches!(self.head.form, Form::Fatal(_) | Form::Signal(_) | Form::NoThread(_));
        let from = if thrown { 0 } else { thrown_at(&chosen.frames, meaning.earlier_panics) };
        let reason = meaning.kind.reason.clone();
        let standing = self.standing(&meaning);
        // Nobody's code is to blame for a signal from outside or for a dump of which only some goroutine is left.
        let blameless = reason == TERMINATED || reason == ERROR_EXIT;
        let culprit = if blameless { None } else { culprit(chosen, &self.layout, from) };
        self.passage.block.append(&chosen.block);
        let related = self.others.take(&mut self.passage.block, &self.layout, reason == DEADLOCK);
        let message = if meaning.message.is_empty() { missing_head(chosen) } else { meaning.message };
        let mut signature = signature(&chosen.frames[from..], &self.layout, reason == STACK_OVERFLOW);
        let mut kind = meaning.kind.word;
        if reason == CONCURRENT_MAP_ACCESS {
            // On behalf of which request it was noticed, and whether by a reader or a writer, is chance: the bug is the
            // function that uses the map unguarded.
            signature.truncate(1);
            kind = "concurrent map access".into();
        }
        Candidate {
            signature,
            reason,
            kind,
            exception: meaning.kind.exception,
            message,
            standing,
            exits: self.head.exits(),
            culprit,
            stack: stack(&chosen.frames[from..], &self.layout),
            related,
            headless: self.headless,
            ..Candidate::of(RUNTIME, self.passage)
        }
    }
}

fn missing_head(chosen: &Goroutine) -> String {
    let state = if chosen.header.state.is_empty() { "running" } else { &chosen.header.state };
    format!("a goroutine dump whose head is not in the log, goroutine [{state}]")
}

/// Lines with which a trace of Go's begins.
fn starts_trace(bare: &[u8]) -> bool {
    [&b"panic: "[..], b"fatal error: ", b"SIGQUIT: ", b"WARNING: DATA RACE"].iter().any(|start| bare.starts_with(start))
}

/// `rax    0x0`: the registers below a dump with a signal.
fn is_register(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (name, value, rest) = (words.next(), words.next(), words.next());
    name.is_some_and(|name| name.len() <= 6) && value.is_some_and(|value| value.starts_with(b"0x")) && rest.is_none()
}

/// Index of the first frame below the panic that counts. The panics of a chain stand in the stack in reverse, the
/// original at the bottom; the last one, while which the process died, has no frame of its own.
fn thrown_at(frames: &[RawFrame], earlier_panics: usize) -> usize {
    let mut upwards = (0..frames.len()).rev().filter(|at| is_panic(&frames[*at]));
    upwards.nth(earlier_panics).map_or(0, |at| at + 1)
}

fn is_panic(frame: &RawFrame) -> bool {
    frame.function == "panic" || frame.function == "runtime.gopanic"
}

/// The first frame of the user's below the panic, else the nearest above it, else who started the goroutine.
fn culprit(goroutine: &Goroutine, layout: &Layout, from: usize) -> Option<Culprit> {
    let own =
        goroutine.first_own(layout, from).or_else(|| (0..from).rev().find(|at| layout.in_app(&goroutine.frames[*at])));
    let frame = match own {
        Some(at) => &goroutine.frames[at],
        None => goroutine.creator.as_ref().filter(|creator| layout.in_app(creator))?,
    };
    Some(place_of(frame))
}

/// Where a frame is.
pub fn place_of(frame: &RawFrame) -> Culprit {
    let shown = frames::shown(frame, true);
    Culprit { function: Some(shown.function), file: shown.file, line: shown.line }
}

/// The frames as a finding shows them.
pub fn stack(frames: &[RawFrame], layout: &Layout) -> Vec<Frame> {
    frames.iter().take(STACK_FRAMES).map(|frame| frames::shown(frame, layout.in_app(frame))).collect()
}

/// What the fingerprint is made of.
pub fn signature(frames: &[RawFrame], layout: &Layout, recursion: bool) -> Vec<(String, String)> {
    let own = frames.iter().filter(|frame| layout.in_app(frame));
    let all = own.map(|frame| (frames::stable(&frame.function), base_name(&frame.file).to_owned())).collect();
    if recursion { recurring(all) } else { all }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    fn fingerprint(kind: &str, function: &str, caller: &str) -> String {
        let log = format!(
            "fatal error: {kind}\n\ngoroutine 2063 [running]:\ninternal/runtime/maps.fatal({{0x760dc4?, 0x0?}})\n\
             \t/usr/local/go/src/runtime/panic.go:1181 +0x18\nexample.com/shop/catalog.(*Cache).{function}(0xd2)\n\
             \t/src/catalog/cache.go:40 +0x1f4\nexample.com/shop/api.(*Server).{caller}(0xde)\n\t/src/api/server.go:52 +0xd0\n"
        );
        let facts = ExitFacts { exit_code: Some(2), ..ExitFacts::default() };
        Engine::default().classify(log.as_bytes(), facts).fingerprint
    }

    #[test]
    fn a_map_race_is_one_bug_whoever_called_and_whichever_side_noticed() {
        let bug = fingerprint("concurrent map writes", "Get", "showProduct");
        assert_eq!(bug, fingerprint("concurrent map writes", "Get", "listProducts"));
        assert_eq!(bug, fingerprint("concurrent map read and map write", "Get", "showProduct"));
        assert_ne!(bug, fingerprint("concurrent map writes", "Drop", "showProduct"));
    }

    fn reason(log: &str, code: i32) -> String {
        let facts = ExitFacts { exit_code: Some(code), ..ExitFacts::default() };
        Engine::default().classify(log.as_bytes(), facts).finding.reason.to_string()
    }

    #[test]
    fn what_another_stream_says_behind_a_panic_does_not_make_it_survived() {
        let panic = "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/x/main.go:5 +0x1\n";
        let traffic = "level=info msg=\"request served\" path=/orders\n".repeat(1_400);
        assert_eq!(reason(&format!("{panic}{traffic}"), 2), "UnhandledError");
        assert_eq!(reason(&format!("{panic}{traffic}{traffic}"), 2), "ErrorExit");
    }

    #[test]
    fn a_fatal_error_that_somebody_quotes_is_none() {
        let quoted = "start\nuser said: fatal error: concurrent map writes\nERROR could not save order 7: it is gone\n";
        assert_eq!(reason(quoted, 3), "ErrorExit");
        assert_eq!(reason("[pod/a-1/app] fatal error: concurrent map writes\n", 2), "ConcurrentMapAccess");
    }
}
