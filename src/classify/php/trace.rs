//! What ended a PHP program: an error with its place, or an exception with its trace. Of a chain the innermost exception
//! stands first, and PHP may say all of it twice, on both of its streams.

use super::frames::{self, Call};
use super::head::{self, Head, Voice, split_class, split_place, untagged};
use super::kinds;
use super::printed::{self, Above};
use super::xdebug;
use crate::classify::envelope::without_collector;
use crate::classify::excerpt::Block;
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story, push_link};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// Most lines of one exception's text.
const TEXT_LINES: u32 = 64;
/// Most calls kept of one trace.
const CALLS: usize = 512;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 16;

/// Before an exception that another one was thrown for, as Monolog writes it.
const PREVIOUS: &[u8] = b"[previous exception] ";

/// One exception under way.
#[derive(Debug)]
struct Open {
    link: Link,
    place: Option<(String, u32)>,
    calls: Vec<Call>,
}

/// The parser of one error.
#[derive(Debug)]
pub struct Trace {
    voice: Voice,
    prefix: Prefix,
    open: Vec<Open>,
    /// The trace has its last line: what follows is a repetition or another trace.
    ended: bool,
    /// Inside of a repetition on the other stream.
    again: bool,
    /// Below `Exception trace:`.
    lists: bool,
    /// Below the head of a stack.
    stacks: bool,
    text_lines: u32,
    foreign: u32,
    passage: Passage,
}

impl Trace {
    /// An error, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let text = untagged(line.text);
        if let Some((at, place)) = head::console(&text) {
            let head =
                Head { at, voice: Voice::Console, class: String::new(), message: String::new(), place: Some(place) };
            return Some(Self::of(&head, &text, line, context));
        }
        if let Some(head) = head::head(&text) {
            return Some(Self::of(&head, &text, line, context));
        }
        if let Some(above) = printed::above(&text, || context.before.to_vec()) {
            return Some(Self::printed(above, line, context));
        }
        // A logger's object that ends with the line above, and its trace begins here.
        let above = text::has(&text, "[stacktrace]").then(|| context.before.first()).flatten()?;
        let head = head::head(above).filter(|head| head.voice == Voice::Logged)?;
        let mut trace = Self::of(&head, above, line, context);
        trace.passage.first_line = line.number.saturating_sub(1);
        trace.prefix = Prefix::learn(&text[..text::find(&text, "[stacktrace]")?]);
        Some(trace)
    }

    /// An exception whose calls begin with this line.
    fn printed(above: Above, line: &Line<'_>, context: &Context<'_>) -> Self {
        let mut trace = Self::of(&above.head, &above.line, line, context);
        let up = u64::try_from(above.more.len() + 1).unwrap_or(1);
        trace.passage.first_line = line.number.saturating_sub(up);
        trace.prefix = above.prefix;
        trace.ended = false;
        if let Some(open) = trace.open.last_mut() {
            above.more.iter().for_each(|more| open.link.say(more));
        }
        if let Some(bare) = trace.prefix.strip(&untagged(line.text)).map(<[u8]>::to_vec) {
            trace.bare_line(&bare, line.number);
        }
        trace
    }

    fn of(head: &Head, text: &[u8], line: &Line<'_>, context: &Context<'_>) -> Self {
        // In a text with broken characters the head was found in one where they are replaced, which is longer.
        let (before, said) = text.split_at(head.at.min(text.len()));
        let mut trace = Self {
            voice: if line.logged && head.voice == Voice::Program { Voice::Logged } else { head.voice },
            prefix: Prefix::learn(before),
            open: Vec::new(),
            ended: false,
            again: false,
            lists: false,
            stacks: false,
            text_lines: 0,
            foreign: 0,
            passage: Passage::at(Block::after(context.before), line.number),
        };
        trace.push(&head.class, &head.message, head.place.clone(), said);
        // An error without an exception is one line.
        trace.ended = head.class.is_empty() && head.voice != Voice::Console || head.class == "ParseError";
        // A formatter without line breaks.
        let spelled: Vec<&[u8]> = head::lines_of(said).skip(1).collect();
        if head.voice == Voice::Logged {
            for more in spelled {
                trace.bare_line(more, line.number);
            }
        }
        trace
    }

    fn push(&mut self, class: &str, message: &str, place: Option<(String, u32)>, line: &[u8]) {
        // Bounded by way of the links, which drop the middle ones of too many.
        if self.open.len() >= 24 {
            self.open.remove(8);
        }
        self.open.push(Open { link: Link::new(class, message, line), place, calls: Vec::new() });
        self.text_lines = 0;
    }

    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        let trimmed = bare.trim_ascii();
        if trimmed.is_empty() {
            return if self.ended { Flow::Foreign } else { Flow::Taken };
        }
        if !trimmed.starts_with(PREVIOUS)
            && let Some(head) = head::head(bare)
        {
            return self.another(&head, number);
        }
        if let Some(call) = frames::call(trimmed) {
            return self.call(call, bare, number);
        }
        if self.stacks
            && let Some(call) = xdebug::call(trimmed)
        {
            return self.outer(call, bare, number);
        }
        if self.marker(trimmed) {
            return self.taken(number);
        }
        self.text(bare, trimmed, number)
    }

    /// The same error on the other stream, or another one.
    fn another(&mut self, head: &Head, number: u64) -> Flow {
        let known = self.open.iter().any(|open| open.link.exception == head.class && open.place == head.place);
        if !known || self.voice == Voice::Console {
            return Flow::Over;
        }
        self.again = true;
        self.taken(number)
    }

    fn call(&mut self, call: Call, line: &[u8], number: u64) -> Flow {
        if self.again {
            return self.taken(number);
        }
        // PHP 8.5 adds a stack to errors of one line.
        let (ended, stacks) = (self.ended, self.stacks);
        let goes_on =
            |open: &&mut Open| !ended || stacks && open.calls.last().is_none_or(|call| call.function != "{main}");
        let Some(open) = self.open.last_mut().filter(goes_on) else { return self.stray() };
        open.link.quote(line);
        if open.calls.len() < CALLS {
            open.calls.push(call);
        }
        self.taken(number)
    }

    /// A call of xdebug's stack, where the outermost one comes first.
    fn outer(&mut self, call: Call, line: &[u8], number: u64) -> Flow {
        if let Some(open) = self.open.last_mut().filter(|_| !self.again) {
            open.link.quote(line);
            open.calls.insert(0, call);
            open.calls.truncate(CALLS);
        }
        self.taken(number)
    }

    /// Lines that belong to a trace and are no call.
    fn marker(&mut self, trimmed: &[u8]) -> bool {
        if xdebug::begins(trimmed) {
            self.stacks = true;
            return true;
        }
        if trimmed.starts_with(b"[stacktrace]") {
            return true;
        }
        if trimmed.starts_with(b"thrown in ") {
            if let Some(open) = self.open.last_mut().filter(|_| !self.again) {
                open.link.quote(trimmed);
                open.place = open.place.take().or_else(|| head::split_place(&format!(" {}", text::string(trimmed))).1);
            }
            self.ended = true;
            return true;
        }
        if let Some(next) = trimmed.strip_prefix(b"Next ") {
            return self.next(&text::string(next), trimmed);
        }
        if trimmed.starts_with(PREVIOUS)
            && let Some(head) = head::head(trimmed)
        {
            self.push(&head.class, &head.message, head.place, trimmed);
            return true;
        }
        trimmed.starts_with(b"\"}") || trimmed == b"\""
    }

    /// `Next A\B: text in /srv/a.php:12`: what wrapped the one above.
    fn next(&mut self, said: &str, line: &[u8]) -> bool {
        if self.again {
            return true;
        }
        let (thrown, place) = split_place(said);
        let Some((class, message)) = split_class(thrown) else { return false };
        let (class, message) = (class.to_owned(), message.to_owned());
        self.push(&class, &message, place, line);
        true
    }

    fn taken(&mut self, number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        Flow::Taken
    }

    /// A further line of an exception's text, whose last one has the place.
    fn text(&mut self, bare: &[u8], trimmed: &[u8], number: u64) -> Flow {
        if self.voice == Voice::Console {
            return self.console(bare, trimmed, number);
        }
        self.text_lines += 1;
        let Some(open) = self.open.last_mut() else { return Flow::Over };
        if self.ended || self.again || open.place.is_some() || self.text_lines > TEXT_LINES {
            return self.stray();
        }
        // Calls before the place are part of the text.
        open.calls.clear();
        let said = text::string(bare);
        let (message, place) = match head::thrown_at(&said).filter(|_| self.voice == Voice::Logged) {
            Some((message, place)) => (message, Some(place)),
            None => split_place(&said),
        };
        open.link.say(message);
        open.link.quote(bare);
        open.place = place;
        Flow::Taken
    }

    /// The lines of a console's box: the class in brackets, the text, or a further place.
    fn console(&mut self, bare: &[u8], trimmed: &[u8], number: u64) -> Flow {
        if let Some((_, place)) = head::console(trimmed) {
            self.push("", "", Some(place), trimmed);
            self.lists = false;
            return self.taken(number);
        }
        if self.listed(bare) {
            return self.taken(number);
        }
        let indented = bare.starts_with(b"  ");
        let Some(open) = self.open.last_mut().filter(|_| indented) else {
            self.ended = true;
            return self.stray();
        };
        open.link.quote(trimmed);
        let class = trimmed.strip_prefix(b"[").and_then(|class| class.strip_suffix(b"]"));
        match class.and_then(|class| std::str::from_utf8(class.split(|b| *b == b' ').next()?).ok()) {
            Some(class) => open.link.exception = class.to_owned(),
            None => open.link.say(&text::string(trimmed)),
        }
        self.taken(number)
    }

    /// The calls below `Exception trace:`, which a console lists when it is asked to be verbose: the place comes first, and
    /// with its whole path.
    fn listed(&mut self, bare: &[u8]) -> bool {
        if bare.starts_with(b"Exception trace:") {
            self.lists = true;
            return true;
        }
        let Some(open) = self.open.last_mut().filter(|_| self.lists) else { return false };
        let Some(call) = frames::listed(&text::string(bare)) else { return false };
        if call.function.is_empty() {
            open.place = call.place;
        } else if open.calls.len() < CALLS {
            open.calls.push(call);
        }
        open.link.quote(bare);
        true
    }

    fn stray(&mut self) -> Flow {
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn standing(&self) -> (Standing, &'static [i32]) {
        match self.voice {
            Voice::Program => (Standing::Fatal, &[255]),
            Voice::Console => (Standing::Fatal, &[1, 255]),
            Voice::Request => (Standing::Survived("it ended a request, and the server went on"), &[]),
            Voice::Logged | Voice::Printed => (Standing::Logged, &[]),
        }
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let text = untagged(line.text);
        // A log's own time stamp stands before the first line only.
        if !self.again
            && self.open.iter().all(|open| open.calls.is_empty())
            && let Some(at) = text::find(&text, "Stack trace:").or_else(|| text::find(&text, "[stacktrace]"))
        {
            self.prefix = Prefix::learn(&text[..at]);
        }
        match self.prefix.strip(&text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare_line(&bare, line.number),
            None if self.voice == Voice::Logged => {
                // Below its first line a logger's text has the collector's prefix alone.
                let bare = without_collector(&text::string(&text)).as_bytes().to_vec();
                self.bare_line(&bare, line.number)
            }
            None if self.again || self.voice != Voice::Program => self.bare_line(&text, line.number),
            None => self.unprefixed(&text, line.number),
        }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let (standing, exits) = self.standing();
        let inner_first = matches!(self.voice, Voice::Program | Voice::Request | Voice::Printed);
        let mut links = Vec::new();
        for open in std::mem::take(&mut self.open) {
            let link = with_frames(open, self.voice);
            let reason = kinds::of(&link.exception, &link.message, messages);
            let mut kept: Vec<Link> = Vec::new();
            push_link(&mut kept, link);
            links.extend(kept.into_iter().map(|link| (link, reason.clone())));
        }
        let named = links.iter().any(|(link, _)| !link.message.is_empty() || !link.exception.is_empty());
        // The words above the calls are those of many languages.
        let named = named && (self.voice != Voice::Printed || links.iter().any(|(link, _)| !link.frames.is_empty()));
        let story = Story { runtime: Runtime::Php, standing, exits, passage: self.passage, headless: false };
        story.tell(links, inner_first, Names { stable: frames::stable, files: true }).filter(|_| named)
    }
}

impl Trace {
    /// A line without the prefix: the other stream's repetition begins, or it is foreign. The text of an exception may
    /// go on, though.
    fn unprefixed(&mut self, text: &[u8], number: u64) -> Flow {
        let unplaced = self.open.last().is_some_and(|open| open.place.is_none() && open.calls.is_empty());
        if unplaced || head::head(text).is_some() { self.bare_line(text, number) } else { self.stray() }
    }
}

fn with_frames(open: Open, voice: Voice) -> Link {
    let Open { mut link, place, calls } = open;
    if place.is_some() || voice == Voice::Printed {
        let handled = link.exception.ends_with("ErrorException");
        let calls = if handled { frames::without_handler(place.as_ref(), &calls) } else { &calls };
        link.frames = frames::stack(place, calls);
        if voice == Voice::Console {
            link.frames.iter_mut().for_each(|frame| frame.in_app &= !frames::is_framework(frame));
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn words_above_calls_may_hold_broken_characters_or_be_another_languages() {
        let facts = || ExitFacts { exit_code: Some(255), ..ExitFacts::default() };
        let runtime = |log: &[u8]| Engine::default().classify(log, facts()).finding.runtime;
        let broken = b"\x80\x80\x80 job failed: RuntimeException: no rate\x80 in /srv/a.php:14\nStack trace:\n#0 /srv/a.php(3): b()\n";
        assert_eq!(runtime(broken).as_str(), "php");
        let boost =
            b"ERROR request 7: std::out_of_range: map::at\nStack trace:\n 0# kiln::Rack::heat_of at /src/kiln.cpp:6\n";
        assert_ne!(runtime(boost).as_str(), "php");
    }
}
