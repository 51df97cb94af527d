//! What ended a Perl program: a text with its place, Carp's frames below it, and which sources were being compiled.

use super::envelope::{is_indented, without_envelope};
use super::frames::{self, Call};
use super::kinds;
use super::place::{self, Place};
use crate::classify::chatter::is_chatter;
use crate::classify::envelope::Tag;
use crate::classify::excerpt::Block;
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Before, Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::{Link, Names, Story};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::text;

/// What Devel::StackTrace writes above its frames.
pub const BEGUN: &str = "Trace begun at ";

/// Longest part of a line that is looked at.
const LINE_BYTES: usize = 8192;
/// Most frames kept of one trace.
const CALLS: usize = 512;
/// Most foreign lines in a row inside of a trace.
const FOREIGN: u32 = 4;
/// Lines above the place that belong to a text of several lines.
const TEXT_ABOVE: usize = 8;

/// With this Perl ends where a warning is fatal.
static EXIT_OF_WARNING: [i32; 1] = [255];
/// With these `die` ends a program: the number of the last system error, or 255.
static EXITS: [i32; 16] = [255, 1, 2, 9, 11, 13, 17, 22, 25, 28, 29, 98, 104, 110, 111, 113];

/// The parser of one error.
#[derive(Debug)]
pub struct Trace {
    prefix: Prefix,
    message: String,
    exception: String,
    place: Option<Place>,
    calls: Vec<Call>,
    /// Where the sources stand that were loading the one at fault.
    loading: Vec<Place>,
    standing: Standing,
    headless: bool,
    /// Frames were read.
    traced: bool,
    foreign: u32,
    quoted: Vec<Vec<u8>>,
    passage: Passage,
}

impl Trace {
    /// An error, if it ends with this line, or if its frames begin with it.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        let tag = tag_of(&shown, context);
        let (bare, levelled) = without_envelope(tag.strip(&shown));
        let mut trace = Self::empty(line, &shown, bare, context);
        if kinds::is_of_destructor(bare) {
            trace.standing = Standing::Survived("Perl only warned of it");
        } else if kinds::is_survived(bare) {
            trace.standing = Standing::Warned("Perl only warned of it");
        } else if line.logged || levelled {
            trace.standing = Standing::Logged;
        }
        let indented = is_indented(&shown, bare);
        let begun = trace.memory(bare)
            || trace.object(bare)
            || trace.frame_first(bare, &tag, context)
            || trace.placed(bare, indented, || above(&tag, context));
        begun.then_some(trace)
    }

    /// The rest of a trace.
    pub fn without_head(line: &Line<'_>) -> Option<Self> {
        let shown = text::string(&line.text[..line.text.len().min(LINE_BYTES)]);
        let at = shown.find('\t')?;
        let call = frames::call(&shown.as_bytes()[at..])?;
        let context = Context { before: &Before::default(), messages: &Messages::default() };
        let mut trace = Self::empty(line, &shown, &shown[at..], &context);
        trace.headless = true;
        trace.calls.push(call);
        trace.quote(&shown.as_bytes()[at..]);
        Some(trace)
    }

    fn empty(line: &Line<'_>, shown: &str, bare: &str, context: &Context<'_>) -> Self {
        let at = shown.trim_end().len().saturating_sub(bare.len());
        Self {
            prefix: Prefix::learn(&line.text[..at.min(line.text.len())]),
            message: String::new(),
            exception: String::new(),
            place: None,
            calls: Vec::new(),
            loading: Vec::new(),
            standing: Standing::Printed,
            headless: false,
            traced: false,
            foreign: 0,
            quoted: Vec::new(),
            passage: Passage::at(Block::after(context.before), line.number),
        }
    }

    /// `Out of memory!`, with which the interpreter itself ends.
    fn memory(&mut self, bare: &str) -> bool {
        let found = bare.starts_with("Out of memory!") || bare.starts_with("Out of memory in perl");
        if found {
            self.say(bare);
            self.place = place::split(bare).map(|(_, place)| place);
        }
        found
    }

    /// `Feed::Error=HASH(0x55d0c8a3e2a8)`: an exception of a class that does not tell its text, or of none.
    fn object(&mut self, bare: &str) -> bool {
        let class = object_class(bare.trim_end());
        if let Some(class) = class {
            self.say(bare);
            self.exception = class.to_owned();
        }
        class.is_some()
    }

    /// The frames begin, and the line above has the text: a script whose name no anchor knows, or Devel::StackTrace.
    fn frame_first(&mut self, bare: &str, tag: &Tag, context: &Context<'_>) -> bool {
        let begun = bare.strip_prefix(BEGUN).and_then(|place| place::split(&format!("at {place}")).map(|(_, at)| at));
        let call = frames::call(bare.as_bytes());
        if begun.is_none() && (call.is_none() || !bare.starts_with('\t') && !bare.contains("called at")) {
            return false;
        }
        let above = context.before.iter().map(|line| tag.strip(&text::string(line)).to_owned());
        let mut above = above.filter(|line| !without_envelope(line).0.trim().is_empty());
        let nearest = above.next().unwrap_or_default();
        let (said, _) = without_envelope(&nearest);
        if begun.is_some() {
            self.say(said);
            self.place = begun;
        } else {
            let Some((text, place)) = place::split(said) else { return false };
            // A text that ends its line has its place on the next one.
            let head = text.trim().is_empty().then(|| above.next()).flatten();
            match &head {
                Some(head) => {
                    self.passage.first_line = self.passage.first_line.saturating_sub(1);
                    self.say(without_envelope(head).0);
                    self.quote(said.as_bytes());
                }
                None => self.say(said),
            }
            self.place = Some(place);
        }
        self.passage.first_line = self.passage.first_line.saturating_sub(1);
        self.quote(bare.as_bytes());
        self.calls.extend(call);
        self.traced = true;
        true
    }

    /// `text at lib/Feed.pm line 7.`
    fn placed(&mut self, bare: &str, indented: bool, above: impl FnOnce() -> Option<(u64, String)>) -> bool {
        let Some((said, place)) = place::split(bare) else { return false };
        let words = without_note(said);
        let perls_own = kinds::is_perls_own(words) || kinds::is_uncompiled(words);
        let again = place::last(bare).filter(|last| *last != place);
        if !place.ends_line && !perls_own && again.as_ref().is_none_or(|last| !last.ends_line) {
            return false;
        }
        // What another module said was thrown again, and the text holds both places.
        self.loading.extend(again.filter(|last| last.ends_line));
        if is_loading(said) {
            return false;
        }
        let continued = said.trim().is_empty() || indented;
        match continued.then(above).flatten() {
            Some((count, head)) => {
                self.passage.first_line = self.passage.first_line.saturating_sub(count);
                self.say(&head);
                self.quote(bare.as_bytes());
            }
            None if said.trim().is_empty() => return false,
            None => self.say(bare.trim_start()),
        }
        if words.len() < said.len() && self.standing == Standing::Printed {
            self.standing = Standing::Logged;
        }
        self.place = Some(place);
        true
    }

    fn say(&mut self, text: &str) {
        self.message = text.to_owned();
        self.quote(text.as_bytes());
    }

    fn quote(&mut self, line: &[u8]) {
        if self.quoted.len() < CALLS {
            self.quoted.push(line.to_vec());
        }
    }

    fn bare_line(&mut self, bare: &[u8], number: u64) -> Flow {
        let short = || frames::short_call(bare).filter(|_| self.traced);
        if let Some(call) = frames::call(bare).or_else(short) {
            self.traced = true;
            if self.calls.len() < CALLS {
                self.calls.push(call);
            }
            return self.taken(bare, number);
        }
        let shown = text::string(&bare[..bare.len().min(LINE_BYTES)]);
        match place::split(&shown) {
            Some((said, place)) if is_loading(said) || said.trim().is_empty() => {
                if self.loading.len() < CALLS {
                    self.loading.push(place);
                }
                self.taken(bare, number)
            }
            Some((said, _)) if kinds::is_uncompiled(said) && kinds::is_uncompiled(&self.message) => {
                self.taken(bare, number)
            }
            _ if is_closing(&shown) || is_reasoning(&shown) || shown.starts_with(BEGUN) => self.taken(bare, number),
            // A number instead of a class in Carp's text, the source near a syntax error, blank lines.
            _ if self.foreign < FOREIGN => {
                self.foreign += 1;
                Flow::Foreign
            }
            _ => Flow::Over,
        }
    }

    fn taken(&mut self, bare: &[u8], number: u64) -> Flow {
        self.foreign = 0;
        self.passage.last_line = number;
        self.quote(bare);
        Flow::Taken
    }
}

impl Parser for Trace {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let bare = self.prefix.strip(line.text).unwrap_or(line.text).to_vec();
        self.bare_line(&bare, line.number)
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let this = *self;
        let message = this.message;
        let said = place::split(&message).map_or(message.as_str(), |(said, _)| said);
        let reason = kinds::of(if said.trim().is_empty() { &message } else { said }, messages);
        let mut link = Link::default();
        link.exception = this.exception;
        link.say(&message);
        let loading = this.loading.into_iter().map(|place| frames::frame(String::new(), place));
        // Moose's constructors are generated: their place is where they were ordered.
        let place = this.place.filter(|_| this.calls.is_empty() || !said.ends_with("(defined"));
        let mut stack = frames::stack(place, this.calls);
        stack.extend(loading);
        stack.dedup_by(|below, above| below.file == above.file && below.line == above.line);
        link.frames = stack;
        this.quoted.iter().for_each(|line| link.quote(line));
        let object = object_class(message.trim_end()).is_some();
        let own = without_note(said) == said && kinds::is_perls_own(said) || link.frames.len() > 1 || object;
        let standing = match this.standing {
            // Any program prints such a line about what it has caught.
            Standing::Printed if !own && !this.headless && link.exception.is_empty() => Standing::Logged,
            standing => standing,
        };
        let kind = said.to_owned();
        let story = Story {
            runtime: Runtime::Perl,
            standing: standing.clone(),
            exits: if matches!(standing, Standing::Warned(_)) { &EXIT_OF_WARNING } else { &EXITS },
            passage: this.passage,
            headless: this.headless,
        };
        let candidate = story.tell(vec![(link, reason)], false, Names { stable, files: true })?;
        let kind = if candidate.exception.is_some() { candidate.kind.clone() } else { kind };
        Some(Candidate { kind, ..candidate })
    }
}

fn stable(name: &str) -> String {
    name.trim_start_matches("main::").to_owned()
}

/// A text without a program's own word before it: `feed stops: Can't call method …`.
fn without_note(said: &str) -> &str {
    let noted = said.match_indices(": ").take(4).map(|(at, word)| &said[at + word.len()..]);
    noted.filter(|rest| kinds::is_perls_own(rest)).last().unwrap_or(said)
}

/// The class of a reference that was printed, empty where it has none: `Feed::Error=HASH(0x55d0)`, `ARRAY(0x55d0)`.
fn object_class(text: &str) -> Option<&str> {
    let (head, address) = text.strip_suffix(')')?.split_once("(0x")?;
    let (class, kind) = head.split_once('=').unwrap_or(("", head));
    let name = class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'));
    let known = matches!(kind, "HASH" | "ARRAY" | "SCALAR" | "CODE" | "REF" | "GLOB");
    (name && known && address.bytes().all(|b| b.is_ascii_hexdigit())).then_some(class)
}

/// `BEGIN failed--compilation aborted`, `Compilation failed in require`: what is at fault stands above.
fn is_loading(said: &str) -> bool {
    said.ends_with("BEGIN failed--compilation aborted") || said.ends_with("Compilation failed in require")
}

fn is_closing(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("Execution of ") && line.ends_with("aborted due to compilation errors.")
        || line.ends_with(" had compilation errors.")
        || line.ends_with(" had too many errors.")
        || line.starts_with("BEGIN not safe after errors")
        || line.starts_with("(Maybe you just omitted")
        || line.starts_with("(Might be a runaway")
        || line.starts_with("Perhaps the DBD::")
        || line.starts_with("Available drivers:")
}

/// What Type::Tiny says below an error: why the value is none of that type.
fn is_reasoning(line: &str) -> bool {
    let words = ["\" is a subtype of \"", "\" is defined as: ", " did not pass type constraint \""];
    line.starts_with("    ") && words.iter().any(|words| line.contains(words))
}

/// What a tool that runs several programs puts before each line, if it looks as if one did.
fn tag_of(shown: &str, context: &Context<'_>) -> Tag {
    // The lines above are only collected for a line that begins like that.
    let above = std::iter::once(()).flat_map(|()| context.before.iter());
    Tag::learn(std::iter::once(shown).chain(above.filter_map(|line| std::str::from_utf8(line).ok())))
}

/// The first line of a text of several lines, and how many lines above it stands.
fn above(tag: &Tag, context: &Context<'_>) -> Option<(u64, String)> {
    let line = |line: &Vec<u8>| tag.strip(&text::string(line)).to_owned();
    // What another writer wrote in between is no part of the text.
    let own = context.before.iter().filter(|line| !is_chatter(line));
    let lines: Vec<String> = own.take(TEXT_ABOVE).map(line).collect();
    let head = |line: &String| {
        let (bare, _) = without_envelope(line);
        !is_indented(line, bare) && !bare.starts_with("LINE ") && !bare.trim().is_empty()
    };
    let at = lines.iter().position(head)?;
    let named = lines.iter().position(|line| begins_with_class(without_envelope(line).0)).filter(|named| *named > at);
    let text = |at: usize| without_envelope(&lines[at]).0.trim_end();
    match named {
        // A class that says a lot: all of it is the text.
        Some(named) => Some((named as u64 + 1, (0..=named).rev().map(text).collect::<Vec<_>>().join("\n"))),
        None => Some((at as u64 + 1, text(at).to_owned())),
    }
}

/// `MongoDB::SelectionError: No writable server available.`, `YAML::XS::Load Error: The problem:`
fn begins_with_class(line: &str) -> bool {
    let class = line.split([' ', ':']).next().unwrap_or_default();
    let rest = &line[class.len()..];
    let parted = rest.starts_with("::") && rest[2..].starts_with(|c: char| c.is_ascii_uppercase());
    class.starts_with(|c: char| c.is_ascii_uppercase()) && parted && rest.contains(": ")
        || parted && rest.ends_with(':')
}
