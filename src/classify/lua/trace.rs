//! What ended a Lua program: a text with its place, and the frames below it.

use super::frames;
use super::head::{self, Head, TRACEBACK, Voice};
use super::kinds;
use crate::classify::envelope::without_collector;
use crate::classify::excerpt::Block;
use crate::classify::finding::{Culprit, Frame, Runtime};
use crate::classify::grammar::{Before, Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 8192;
/// Most lines of one text: `require` names every path that it tried.
const TEXT_LINES: u32 = 64;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 8;

/// The parser of one error.
#[derive(Debug)]
pub struct Trace {
    prefix: Prefix,
    /// What a collector alone puts before each line.
    collector: Prefix,
    voice: Voice,
    link: Link,
    place: Option<(String, u32)>,
    /// The frames have begun.
    traced: bool,
    headless: bool,
    text_lines: u32,
    foreign: u32,
    passage: Passage,
}

impl Trace {
    /// An error, if it begins with this line, or above it where this line begins its frames.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        if let Some(head) = head::head(&shown) {
            let voice = if line.logged && head.voice == Voice::Interpreter { Voice::Logged } else { head.voice };
            return Some(Self::of(Head { voice, ..head }, &shown, line, context));
        }
        Self::printed(&shown, line, context)
    }

    /// A traceback that the program itself prints: the text stands above it, or before it in the same line.
    fn printed(shown: &str, line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = shown.find(TRACEBACK)?;
        let prefix = Prefix::learn(&line.text[..at]);
        let above = context.before.iter().find(|line| !text::blank(line)).map(|line| text::string(line));
        let said =
            above.as_deref().map(|above| text::string(prefix.strip(above.as_bytes()).unwrap_or(above.as_bytes())));
        let said = said.unwrap_or_default();
        let (message, place) = place_within(&said);
        if place.is_none() && !prefix.is_envelope() {
            return None;
        }
        let head = Head { at, voice: Voice::Logged, message: message.to_owned(), place };
        let mut trace = Self::of(head, shown, line, context);
        trace.link = Link::new("", message, said.as_bytes());
        trace.link.quote(&line.text[at..]);
        trace.traced = true;
        trace.passage.first_line = line.number.saturating_sub(1);
        Some(trace)
    }

    /// The rest of a trace.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        let at = shown.find('\t')?;
        let frame = frames::frame(&shown.as_bytes()[at..]).filter(|_| shown.contains(": in "))?;
        let head = Head { at, voice: Voice::Interpreter, message: String::new(), place: None };
        let context = Context { before: &Before::default(), messages: &Messages::default() };
        let mut trace = Self::of(head, &shown, line, &context);
        trace.link = Link::default();
        trace.link.push(frame, &shown.as_bytes()[at..]);
        trace.traced = true;
        trace.headless = true;
        Some(trace)
    }

    fn of(head: Head, shown: &str, line: &Line<'_>, context: &Context<'_>) -> Self {
        let collected = shown.len() - without_collector(shown).len();
        Self {
            prefix: Prefix::learn(&line.text[..head.at.min(line.text.len())]),
            collector: Prefix::learn(line.text.get(..collected).unwrap_or_default()),
            voice: head.voice,
            link: Link::new("", &head.message, &shown.as_bytes()[head.at..]),
            place: head.place,
            traced: false,
            headless: false,
            text_lines: 0,
            foreign: 0,
            passage: Passage::at(Block::after(context.before), line.number),
        }
    }

    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        if let Some(frame) = frames::frame(bare).filter(|_| self.traced) {
            self.link.push(frame, bare);
            return self.taken(number);
        }
        let trimmed = bare.trim_ascii();
        if text::has(bare, TRACEBACK) {
            let again = self.traced && !self.link.frames.is_empty();
            if !self.traced {
                self.link.quote(bare);
            }
            self.traced = true;
            return if again { Flow::Foreign } else { self.taken(number) };
        }
        let coroutine = trimmed.starts_with(b"coroutine ") && trimmed.ends_with(b":");
        if coroutine || trimmed.starts_with(b"fatal error, exiting the event loop") {
            return self.taken(number);
        }
        self.text(bare, number)
    }

    /// A further line of the text.
    fn text(&mut self, bare: &[u8], number: u64) -> Flow {
        self.text_lines += 1;
        let indented = bare.starts_with(b"\t") || bare.starts_with(b" ");
        let record =
            Severity::of_line(bare).is_some() || bare.iter().take(4).filter(|b| b.is_ascii_digit()).count() == 4;
        if self.traced || self.text_lines > TEXT_LINES || record && !indented {
            self.foreign += 1;
            return if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign };
        }
        let said = text::string(bare);
        if let Some(place) = head::uncompiled(&said) {
            self.place = Some(place);
        }
        if indented {
            self.link.say(&said);
            self.link.quote(bare);
            return self.taken(number);
        }
        // Whether it belongs to the text shows where the frames begin.
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    fn standing(&self) -> (Standing, &'static [i32]) {
        match self.voice {
            Voice::Interpreter | Voice::Startup => (Standing::Fatal, &[1]),
            Voice::Abort => (Standing::Fatal, &[134, 139, 1]),
            Voice::Request => (Standing::Survived("it ended a request, and the server went on"), &[]),
            Voice::Logged => (Standing::Logged, &[]),
        }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        // A log's own stamp stands before the first line only, a collector's before each.
        let begins = text::find(line.text, TRACEBACK).filter(|_| !self.traced);
        if let Some(at) = begins {
            self.prefix = Prefix::learn(&line.text[..at]);
        }
        let bare = self.prefix.strip(line.text).or_else(|| self.collector.strip(line.text));
        let bare = bare.unwrap_or(line.text).to_vec();
        self.bare_line(&bare, line.number)
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let (standing, exits) = self.standing();
        if self.link.message.is_empty() && self.link.frames.is_empty() {
            return None;
        }
        let said = self.link.first_line().to_owned();
        let within = self.link.message.lines().find_map(head::uncompiled);
        let near = head::uncompiled(&format!("x.lua:1: {said}")).is_some();
        let thrown = self.place.take();
        let reason = kinds::of(&self.link.message, messages);
        if let Some(thrown) = &thrown {
            blame(&mut self.link.frames, thrown);
        }
        let story = Story { runtime: Runtime::Lua, standing, exits, passage: self.passage, headless: self.headless };
        let candidate = story.tell(vec![(self.link, reason)], false, Names { stable: frames::stable, files: true })?;
        // A source that does not compile is to blame itself, not who loads it.
        let broken = within.or_else(|| thrown.filter(|_| near));
        Some(match broken {
            Some((file, line)) => {
                let signature = vec![(String::new(), crate::classify::finding::base_name(&file).to_owned())];
                let culprit = Some(Culprit { function: None, file: Some(file), line: Some(line) });
                Candidate { culprit, signature, ..candidate }
            }
            None => candidate,
        })
    }
}

/// The place that the text names is where it was thrown: what stands above it is a handler, or what complained of its
/// caller. Where no frame is there, it was another coroutine's.
fn blame(frames: &mut Vec<Frame>, thrown: &(String, u32)) {
    let at = frames.iter().position(|frame| frame.file.as_ref() == Some(&thrown.0) && frame.line == Some(thrown.1));
    match at {
        Some(at) => frames[..at].iter_mut().for_each(|frame| frame.in_app = false),
        None => frames.insert(0, frame_at(thrown)),
    }
}

fn frame_at((file, line): &(String, u32)) -> Frame {
    Frame { function: String::new(), in_app: frames::is_own(file), file: Some(file.clone()), line: Some(*line) }
}

/// `gate stops: /srv/rules.lua:4: no lane`: the text behind the place, which may stand behind words of the program.
fn place_within(said: &str) -> (&str, Option<(String, u32)>) {
    let (message, place) = head::placed(said);
    if place.is_some() {
        return (message, place);
    }
    let words = said.match_indices(' ').take(16).map(|(at, _)| &said[at + 1..]);
    let found = words.map(head::placed).find(|(_, place)| place.is_some());
    found.unwrap_or((said, None))
}
