//! The last words of the virtual machine: why it gives up while it boots, because of an application, or for memory.

use super::exits;
use super::told::{self, Voice};
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::links::Link;
use crate::classify::messages::{Messages, Voice as Speaker};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// The last words, as they stand in quotes, bare, and in a dump's slogan.
pub const HEADS: [&str; 3] =
    ["Kernel pid terminated", "init terminating in do_boot", "Runtime terminating during boot"];
/// What the allocators say: `eheap_alloc: Cannot allocate 1600 bytes of memory (of type "heap").`
pub const NO_MEMORY: &str = "_alloc: Cannot ";
/// Behind a slogan.
pub const DUMP: &str = "Crash dump is being written to: ";
/// The first line of a dump that says anything.
pub const SLOGAN: &str = "Slogan: ";

/// Most lines that may stand between the lines of the last words: other processes still write.
const FOREIGN: u32 = 12;

/// What nodes say before they end without distribution, which the last words do not repeat.
static DISTRIBUTION: [(&str, CrashReason); 5] = [
    ("seems to be in use by another Erlang node", PORT_IN_USE),
    ("register/listen error: econnrefused", CONNECTION_REFUSED),
    ("register/listen error: eaddrinuse", PORT_IN_USE),
    ("Can't set short node name", INVALID_CONFIGURATION),
    ("Can't set long node name", INVALID_CONFIGURATION),
];

/// The parser of the last words.
#[derive(Debug)]
pub struct Last {
    prefix: Prefix,
    links: Vec<Link>,
    /// What was said before it, where that tells more.
    told: Option<(CrashReason, String)>,
    /// Memory ran out.
    exhausted: Option<String>,
    foreign: u32,
    passage: Passage,
}

impl Last {
    /// The last words, which begin in this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = start(line.text)?;
        let mut last = Self {
            prefix: Prefix::learn(&line.text[..at]),
            links: Vec::new(),
            told: context.before.iter().find_map(|line| distribution(line)),
            exhausted: None,
            foreign: 0,
            passage: Passage::at(Block::after(context.before), line.number),
        };
        last.take(&line.text[at..], context.before).then_some(last)
    }

    fn take(&mut self, bare: &[u8], before: &[Vec<u8>]) -> bool {
        let said = text::string(bare);
        let said = said.trim_start_matches(SLOGAN);
        if text::has(bare, NO_MEMORY) || said.starts_with("no more index entries in atom_tab") {
            self.exhausted = Some(said.trim().to_owned());
        } else if let Some(reason) = reason(said) {
            let links = exits::links(&reason, b"");
            if self.links.is_empty() || !tells(&self.links) {
                // An orderly end says nothing by itself: then the whole line is quoted.
                self.links = if tells(&links) { links } else { vec![Link::new("", said.trim(), b"")] };
            }
        } else if text::has(bare, DUMP) {
            return self.slogan(before);
        } else if bare.starts_with(SLOGAN.as_bytes()) {
            self.links = vec![Link::new("", said.trim(), b"")];
        } else {
            return false;
        }
        self.passage.block.push(bare);
        true
    }

    /// `erlang:halt("slogan")` prints its text above the line with the dump.
    fn slogan(&mut self, before: &[Vec<u8>]) -> bool {
        let above = before.iter().take(3).map(|line| self.prefix.strip(line).unwrap_or(line));
        let Some(line) = above.into_iter().find(|line| !text::blank(line)) else { return false };
        self.links = vec![Link::new("", &text::string(line.trim_ascii()), b"")];
        self.passage.block = Block::default();
        self.passage.block.push(line);
        true
    }
}

impl Parser for Last {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let bare = self.prefix.strip(line.text).unwrap_or(line.text);
        let dump = text::has(bare, DUMP);
        if text::blank(bare) || dump && !text::has(bare, "** (") || bare.starts_with(b"done") {
            self.passage.last_line = line.number;
            return Flow::Taken;
        }
        let more = start(bare).is_some_and(|at| !dump && self.take(&bare[at..], &[]));
        if more {
            self.passage.last_line = line.number;
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let Self { mut links, told, exhausted, passage, .. } = *self;
        if let Some(message) = exhausted {
            let link = vec![Link::new("", &message, b"")];
            let candidate = told::tell(link, Voice::Closing, passage, messages)?;
            let exits = &[1, 134, 139];
            return Some(Candidate {
                reason: HEAP_EXHAUSTED,
                kind: kind(&message),
                standing: Standing::Fatal,
                exits,
                ..candidate
            });
        }
        if links.is_empty() {
            links.push(Link::default());
        }
        let mut candidate = told::tell(links, Voice::Closing, passage, messages)?;
        if candidate.reason == UNHANDLED_ERROR && candidate.exception.is_none() {
            let meaning = messages.meaning(&candidate.message, Speaker::LastWords);
            candidate.reason = meaning.map_or(UNHANDLED_ERROR, |meaning| meaning.reason);
        }
        if let Some((reason, message)) = told.filter(|_| candidate.message.contains("nodistribution")) {
            candidate.reason = reason;
            candidate.message = message;
        }
        debug_assert_eq!(candidate.runtime, Runtime::Beam);
        Some(candidate)
    }
}

/// The allocator's kind without the number of bytes.
fn kind(message: &str) -> String {
    message.split(' ').next().unwrap_or_default().trim_end_matches(':').to_owned()
}

/// Where the last words begin in a line, behind a collector's prefix.
fn start(line: &[u8]) -> Option<usize> {
    if let Some(at) = text::find(line, NO_MEMORY) {
        return Some(line[..at].iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1));
    }
    let slogan = text::find(line, SLOGAN);
    let found = HEADS.iter().find_map(|head| text::find(line, head)).map(|at| match line[..at].ends_with(b"{\"") {
        true => at - 2,
        false => at,
    });
    slogan
        .or(found)
        .or_else(|| text::find(line, DUMP))
        .or_else(|| text::find(line, "no more index entries in atom_tab"))
}

/// The term that the last words hold.
fn reason(said: &str) -> Option<String> {
    let quoted = said.strip_prefix("{\"");
    let said = quoted.unwrap_or(said);
    let head = HEADS.iter().find(|head| said.starts_with(**head))?;
    let rest = said[head.len()..].trim_start_matches(['"', ',', ' ']);
    let rest = rest.strip_prefix("application_controller,").unwrap_or(rest);
    let rest = rest.strip_prefix("(application_controller)").unwrap_or(rest).trim();
    if quoted.is_some() {
        return Some(rest.to_owned());
    }
    let inside = rest.strip_prefix('(').unwrap_or(rest);
    Some(inside.strip_suffix(')').unwrap_or(inside).to_owned())
}

/// Whether these links say more than that something ended.
fn tells(links: &[Link]) -> bool {
    links.iter().any(|link| !link.exception.is_empty() && !exits::is_orderly(&link.message))
}

fn distribution(line: &[u8]) -> Option<(CrashReason, String)> {
    let (words, reason) = DISTRIBUTION.iter().find(|(words, _)| text::has(line, words))?;
    let line = text::string(line);
    let start = line.find("Protocol ").or_else(|| line.find(words)).unwrap_or(0);
    Some((reason.clone(), line[start..].trim().to_owned()))
}
