//! What ends a Haskell program: `tally: no such candidate: zoe` with or without a call stack below it, in the form of
//! every GHC.

use super::frames::{self, Call};
use super::kinds;
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, Frame, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{ABORT, HEAP_EXHAUSTED, STACK_OVERFLOW};
use crate::classify::severity::Severity;
use crate::classify::text;

/// What stands above a call stack: of all versions, of those from 9.10 on, of a program built with `-prof`.
pub const STACKS: [&str; 4] = [
    "CallStack (from HasCallStack):",
    "HasCallStack backtrace:",
    "CallStack (from -prof):",
    "Cost Centre Stack backtrace:",
];
/// How GHC from 9.10 on says it: `tally: Uncaught exception ghc-internal:GHC.Internal.Exception.ErrorCall:`.
pub const UNCAUGHT: &str = ": Uncaught exception ";
/// An exception of http-client, whose first lines describe the request and whose last ones say what went wrong.
const REQUEST: &str = "HttpExceptionRequest Request {";
/// Its type.
const HTTP: &str = "HttpException";
/// Most calls kept of one stack.
const CALLS: usize = 256;
/// Most lines of an exception's text.
const TEXT_LINES: u32 = 24;
/// Most lines above a call stack in which the program's name is looked for.
const ABOVE: usize = 12;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 8;

/// Who wrote a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// The runtime, behind the program's name: the program ended, or one of its threads.
    Program,
    /// A logger or the program itself.
    Logged,
    /// Its head is cut off.
    Missing,
}

/// The parser of one trace.
#[derive(Debug)]
pub struct Trace {
    voice: Voice,
    prefix: Prefix,
    /// The exception's type, where the head names it.
    exception: String,
    link: Link,
    calls: Vec<Call>,
    centres: Vec<Frame>,
    /// Whether the text goes on below the head.
    awaits_text: bool,
    /// Whether the lines are those of a request.
    in_request: bool,
    /// Whether the calls are told a second time, as GHC 9.10 does behind an error that brought its own.
    is_repeated: bool,
    text_lines: u32,
    foreign: u32,
    passage: Passage,
}

impl Trace {
    /// A trace of which this line is the head, or the line above the calls.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        if let Some(at) = text::find(line.text, UNCAUGHT) {
            return Self::uncaught(line, at, context);
        }
        let stack = STACKS.iter().find_map(|head| text::find(line.text, head));
        if let Some(at) = stack {
            return Self::above_stack(line, at, context);
        }
        let (at, said) = find_head(line.text, kinds::is_own)?;
        let mut trace = Self::bare(if line.logged { Voice::Logged } else { Voice::Program }, line);
        trace.prefix = Prefix::learn(&line.text[..at]);
        trace.passage.block = Block::after(context.before);
        trace.link = Link::new("", &said, &line.text[at..]);
        // A text that ends in a bracket or a full stop says all of it.
        trace.in_request = trace.requests(&said);
        trace.awaits_text = trace.in_request || said.starts_with("user error (") && !said.ends_with(')');
        Some(trace)
    }

    fn uncaught(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let start = line.text[..at].iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        let exception = text::string(line.text[at + UNCAUGHT.len()..].trim_ascii());
        let exception = exception.strip_suffix(':').filter(|name| name.contains(':') && !name.contains(' '))?;
        let mut trace = Self::bare(if line.logged { Voice::Logged } else { Voice::Program }, line);
        trace.prefix = Prefix::learn(&line.text[..start]);
        trace.passage.block = Block::after(context.before);
        trace.exception = exception.rsplit(['.', ':']).next().unwrap_or_default().to_owned();
        trace.link = Link::new("", "", &line.text[start..]);
        trace.awaits_text = true;
        Some(trace)
    }

    /// The text stands above the line with which the calls begin.
    fn above_stack(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let prefix = Prefix::learn(&line.text[..at]);
        let bare = |above: &[u8]| prefix.strip(above).map(<[u8]>::to_vec);
        let above: Vec<Vec<u8>> = context.before.iter().take(ABOVE).map_while(|line| bare(line)).collect();
        let outer = outer_lines(&above);
        let head: Vec<(usize, String)> =
            outer.iter().filter_map(|(at, line)| find_head(line, |_| true).map(|(_, said)| (*at, said))).collect();
        let program = head.iter().rev().find(|(at, said)| *at == 0 || kinds::is_own(said)).or(head.last()).cloned();
        let mut trace = Self::bare(Voice::Logged, line);
        let count = match &program {
            Some((above_it, said)) => {
                trace.voice = if line.logged { Voice::Logged } else { Voice::Program };
                trace.link = Link::new("", said, &above[*above_it]);
                above_it + 1
            }
            None => {
                let first = outer.first().map_or(0, |(at, _)| *at);
                let said = above.get(first).filter(|line| !text::blank(line))?;
                trace.link = Link::new("", text::string(said).trim(), said);
                first + 1
            }
        };
        for line in above[..count - 1].iter().rev().filter(|line| !is_record(line) && !text::blank(line)) {
            trace.link.say(&text::string(line));
            trace.link.quote(line);
        }
        trace.link.quote(&line.text[at..]);
        trace.passage.block = Block::after(&context.before[count..]);
        trace.passage.first_line =
            if line.logged { line.number } else { line.number.saturating_sub(count as u64).max(1) };
        trace.prefix = prefix;
        Some(trace)
    }

    /// A trace whose head is above what is in the log.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let at = text::find(line.text, ", called at ")?;
        let start = line.text[..at].iter().rposition(|b| *b == b' ').map_or(0, |blank| blank + 1);
        let call = frames::call(&line.text[start..])?;
        let mut trace = Self::bare(Voice::Missing, line);
        let blanks = line.text[..start].iter().rev().take_while(|b| **b == b' ').count();
        trace.prefix = Prefix::learn(&line.text[..start - blanks]);
        trace.link.quote(&line.text[start..]);
        trace.calls.push(call);
        Some(trace)
    }

    fn bare(voice: Voice, line: &Line<'_>) -> Self {
        Self {
            voice,
            prefix: Prefix::default(),
            exception: String::new(),
            link: Link::default(),
            calls: Vec::new(),
            centres: Vec::new(),
            awaits_text: false,
            in_request: false,
            is_repeated: false,
            text_lines: 0,
            foreign: 0,
            passage: Passage::at(Block::default(), line.number),
        }
    }

    fn take(&mut self, bare: &[u8], number: u64) -> Flow {
        if text::blank(bare) {
            return if self.awaits_text { Flow::Taken } else { Flow::Foreign };
        }
        if STACKS.iter().any(|head| text::has(bare, head)) {
            // A second stack below the first one belongs to another exception.
            if !self.calls.is_empty() && text::has(bare, STACKS[0]) {
                return Flow::Over;
            }
            self.awaits_text = false;
            self.is_repeated = !self.calls.is_empty();
            self.link.quote(bare);
            return self.taken(number);
        }
        if let Some(call) = frames::call(bare) {
            if self.calls.len() < CALLS && !self.is_repeated {
                self.calls.push(call);
            }
            self.link.quote(bare);
            self.awaits_text = false;
            return self.taken(number);
        }
        if let Some(frame) = frames::cost_centre(bare) {
            if self.centres.len() < CALLS {
                self.centres.push(frame);
            }
            self.link.quote(bare);
            return self.taken(number);
        }
        if self.more(bare) { self.taken(number) } else { self.stray() }
    }

    /// A further line of the text, or of what the runtime says of its limits.
    fn more(&mut self, bare: &[u8]) -> bool {
        let said = text::string(bare);
        let limits =
            ["Current maximum heap size is ", "Use `+RTS ", "(GHC version ", "Please report this as a GHC bug"];
        if limits.iter().any(|words| said.contains(words)) {
            self.link.quote(bare);
            return true;
        }
        if self.in_request {
            return self.request(bare, &said);
        }
        self.text_lines += 1;
        // The first line below the head belongs to it, whatever it looks like.
        let first = self.link.message.is_empty();
        let room = self.awaits_text && self.calls.is_empty() && self.text_lines <= TEXT_LINES;
        let text = room && (first || !is_record(bare));
        if text {
            self.link.say(said.trim());
            self.link.quote(bare);
            self.in_request = self.requests(said.trim());
            self.awaits_text = !self.link.message.starts_with("user error (") || !said.trim_end().ends_with(')');
        }
        text
    }

    /// Whether a text is the first line of a request that failed.
    fn requests(&mut self, said: &str) -> bool {
        let begins = said.starts_with(REQUEST);
        if begins {
            HTTP.clone_into(&mut self.exception);
        }
        begins
    }

    /// A line of a request, or the one below it, which says what went wrong.
    fn request(&mut self, bare: &[u8], said: &str) -> bool {
        self.text_lines += 1;
        let field = said.starts_with("  ") && said.contains(" = ") || said.trim() == "}";
        self.in_request = field && self.text_lines <= TEXT_LINES;
        self.awaits_text = self.in_request;
        self.link.quote(bare);
        if !field {
            said.trim().trim_start_matches('(').clone_into(&mut self.link.message);
        }
        true
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    fn stray(&mut self) -> Flow {
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.take(&bare, line.number),
            None => self.stray(),
        }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let said = self.link.message.clone();
        let meant = kinds::of(&said, messages);
        let error = self.calls.first().is_some_and(|call| matches!(call.called.as_str(), "error" | "undefined"));
        let named = if error && meant.exception.is_empty() { "ErrorCall" } else { meant.exception };
        self.link.exception = if self.exception.is_empty() { named.to_owned() } else { self.exception.clone() };
        self.link.frames = frames::named(&self.calls);
        // Where it has a call stack of its own, the profile only repeats it.
        if !self.link.frames.iter().any(|frame| frame.in_app) {
            self.link.frames.append(&mut self.centres);
        }
        let runtime = self.voice == Voice::Program && [HEAP_EXHAUSTED, STACK_OVERFLOW, ABORT].contains(&meant.reason);
        let (standing, exits): (Standing, &'static [i32]) = match self.voice {
            _ if runtime => (Standing::Fatal, &[2, 251, 1, 134, 139]),
            Voice::Program => (Standing::Printed, &[1]),
            Voice::Logged => (Standing::Logged, &[]),
            Voice::Missing => (Standing::Printed, &[1]),
        };
        let headless = self.voice == Voice::Missing;
        let story = Story { runtime: Runtime::Haskell, standing, exits, passage: self.passage, headless };
        let names = Names { stable: str::to_owned, files: true };
        let candidate = story.tell(vec![(self.link, meant.reason)], false, names)?;
        Some(placed(candidate, &said))
    }
}

/// Where no call stack names a place, the text may: `Tally.hs:26:1-10: Non-exhaustive patterns in function only`.
fn placed(candidate: Candidate, said: &str) -> Candidate {
    if candidate.culprit.is_some() {
        return candidate;
    }
    let words = said.split(' ').map(|word| word.trim_start_matches('('));
    let place = words.filter_map(frames::place_of).find(|(file, _)| !file.starts_with("libraries/"));
    let Some((file, line)) = place else { return candidate };
    let function = said.split_once(" in function ").map(|(_, rest)| rest.trim().to_owned());
    let signature = vec![(function.clone().unwrap_or_default(), crate::classify::finding::base_name(&file).to_owned())];
    let culprit = Some(Culprit { function, file: Some(file), line: Some(line) });
    Candidate { culprit, signature, ..candidate }
}

/// `tally: text`, behind a collector's prefix: where the program's name begins, and the text.
fn find_head(line: &[u8], holds: impl Fn(&str) -> bool) -> Option<(usize, String)> {
    let line = std::str::from_utf8(&line[..line.len().min(4096)]).ok()?;
    let starts = std::iter::once(0).chain(line.match_indices(' ').map(|(at, _)| at + 1)).take(12);
    starts.filter_map(|at| line.get(at..).map(|rest| (at, rest))).find_map(|(at, rest)| {
        let (program, said) = rest.split_once(": ")?;
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '\'');
        let name = program.starts_with(|c: char| c.is_ascii_alphabetic()) && program.chars().all(letters);
        // Lua's interpreter says of its stack what GHC's runtime does, and ksh of its numbers: `a.sh: line 8: 5 / n: …`.
        let shell = line[..at].contains(": line ");
        let other = Severity::of_word(program).is_some() || program.starts_with("lua") || shell;
        // `runghc` names the script, of which it can only be the last word.
        let script = program.ends_with(".hs") || program.ends_with(".lhs");
        (name && !other && (script || holds(said))).then(|| (at, said.trim().to_owned()))
    })
}

/// The lines above a call stack that may be its head, the nearest first. The further lines of a text may look like heads,
/// but are indented: `  lid: open`. Where a blank line or other threads' records stand between, what is above those counts.
fn outer_lines(above: &[Vec<u8>]) -> Vec<(usize, &Vec<u8>)> {
    let within = |line: &[u8]| text::blank(line) || is_record(line) || is_indented(line);
    let told = above.iter().enumerate().take_while(|(_, line)| !text::blank(line) && !is_record(line));
    let near: Vec<(usize, &Vec<u8>)> = told.filter(|(_, line)| !is_indented(line)).collect();
    if !near.is_empty() {
        return near;
    }
    let far = above.iter().enumerate().find(|(_, line)| !within(line));
    far.filter(|(_, line)| find_head(line, |_| true).is_some()).into_iter().collect()
}

fn is_indented(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_whitespace)
}

/// A line that a logger began: no part of an exception's text.
fn is_record(line: &[u8]) -> bool {
    let digits = line.iter().take(4).filter(|b| b.is_ascii_digit()).count();
    digits >= 3 || line.starts_with(b"{") || line.starts_with(b"[") || Severity::of_line(line).is_some()
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn the_head_of_a_text_over_several_lines_is_found() {
        let stack = "CallStack (from HasCallStack):\n  error, called at src/Vat.hs:9:3 in main:Vat\n";
        let cases = [
            ("vat: lid stuck\n", "lid stuck"),
            ("vat: vat overflowed:\n  batch 7\n  lid: open\n", "vat overflowed: batch 7"),
            ("vat: cannot brew\n  lid: stuck\n[http] GET /a 200\n", "cannot brew"),
            ("vat: cannot brew\n\n  lid stuck\n", "cannot brew"),
            ("{\"level\":\"info\"}\nlid stuck\n", "lid stuck"),
        ];
        for (said, message) in cases {
            let log = format!("[vat] batch 5 brewed\n{said}{stack}");
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding = Engine::default().classify(log.as_bytes(), facts).finding;
            assert_eq!(finding.message, message, "{log}");
        }
    }
}
