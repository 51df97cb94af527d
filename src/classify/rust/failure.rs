//! An error that `main` returned, with its causes: anyhow's and eyre's `Caused by:`, or a value as `{:?}` writes it.

use super::frames;
use super::kinds;
use crate::classify::chain::weight;
use crate::classify::chatter;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Runtime, base_name};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::UNHANDLED_ERROR;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// Most causes kept.
const LINKS: usize = 32;
/// Most frames kept.
const FRAMES: usize = 128;
/// Longest cause, in bytes.
const LINK_BYTES: usize = 2048;
/// Most lines of something else inside of it.
const FOREIGN: u32 = 4;

/// What stands before the causes in the chains that miette and error-stack draw; miette does so with plain letters where
/// the locale is not known to have others.
pub const DRAWN: [&str; 3] = ["├╴at ", "╰─▶ ", "`-> "];
/// What stands before what miette says first, and before a cause that is not the last one.
const LINKS_DRAWN: [&str; 4] = ["× ", "x ", "├─▶ ", "|-> "];

/// How many lines above a drawn cause the name may stand.
const NAME_LINES: usize = 8;

/// The parser of such an error.
#[derive(Debug)]
pub struct Failure {
    links: Vec<String>,
    frames: Vec<RawFrame>,
    location: Option<(String, u32)>,
    section: Section,
    prefix: Prefix,
    returned: bool,
    foreign: u32,
    passage: Passage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Causes,
    Location,
    Backtrace,
}

impl Failure {
    /// An error whose causes or frames begin below this line, which says `Caused by:` or `Stack backtrace:`; its name stands
    /// above, over a blank line.
    pub fn from_section(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let prefix = Prefix::learn(&line.text[..at]);
        let between = |line: &&[u8]| text::blank(line) || chatter::is_chatter(line);
        let above = context.before.iter().take(NAME_LINES).map(|line| prefix.strip(line).unwrap_or(line));
        let named = above.take_while(between).count();
        context.before.get(named)?;
        let head = prefix.strip(&context.before[named]).unwrap_or(&context.before[named]).to_vec();
        let mut parser = Self::new(line, prefix, &context.before[named + 1..]);
        parser.passage.first_line = line.number.saturating_sub(named as u64 + 1);
        parser.passage.block.push(&head);
        parser.passage.block.push(&line.text[at..]);
        parser.name(&head, line);
        parser.take(&line.text[at..]);
        Some(parser)
    }

    /// An error that is written as a value: `Error: Os { code: 2, … }`; or color-eyre's, whose causes are numbered from 0.
    pub fn from_name(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let rest = text::string(line.text[at..].strip_prefix(b"Error: ")?.trim_ascii());
        let mut parser = Self::new(line, Prefix::learn(&line.text[..at]), context.before);
        parser.passage.block.push(&line.text[at..]);
        if rest.is_empty() {
            parser.returned = !line.logged;
        } else {
            parser.name(&line.text[at..], line);
        }
        (rest.is_empty() || kinds::is_debug(&rest)).then_some(parser)
    }

    /// An error whose causes are drawn below its name: `├╴at src/rules.rs:22:10`, `╰─▶ No such file or directory`.
    pub fn from_drawing(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        DRAWN.iter().find(|drawn| text::has(line.text, drawn))?;
        let named = |line: &Vec<u8>| text::find(line, "Error: ").map(|at| Prefix::learn(&line[..at]));
        let (above, prefix) =
            context.before.iter().take(NAME_LINES).enumerate().find_map(|(at, line)| Some((at, named(line)?)))?;
        let bare = |line: &[u8]| prefix.strip(line).unwrap_or(line).to_vec();
        let head = bare(&context.before[above]);
        let mut parser = Self::new(line, prefix.clone(), &context.before[above + 1..]);
        parser.passage.first_line = line.number.saturating_sub(above as u64 + 1);
        parser.passage.block.push(&head);
        parser.name(&head, line);
        // `Error:   x cannot load rules`
        if let Some(link) = parser.links.last_mut() {
            let name = LINKS_DRAWN[..2].iter().find_map(|drawn| link.strip_prefix(drawn));
            *link = name.unwrap_or(link).to_owned();
        }
        for line in context.before[..above].iter().rev().map(Vec::as_slice).chain([line.text]).map(bare) {
            parser.passage.block.push(&line);
            parser.drawn(&line);
        }
        Some(parser)
    }

    fn new(line: &Line<'_>, prefix: Prefix, before: &[Vec<u8>]) -> Self {
        Self {
            links: Vec::new(),
            frames: Vec::new(),
            location: None,
            section: Section::Causes,
            prefix,
            returned: false,
            foreign: 0,
            passage: Passage::at(Block::after(before), line.number),
        }
    }

    fn name(&mut self, head: &[u8], line: &Line<'_>) {
        let head = text::string(&head[..head.len().min(LINK_BYTES)]);
        self.returned = head.starts_with("Error: ") && !line.logged;
        self.links.push(head.strip_prefix("Error: ").unwrap_or(&head).trim().to_owned());
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        let inner = bare.trim_ascii();
        match inner {
            b"" => return true,
            _ if inner.starts_with(b"Caused by") && inner.ends_with(b":") => self.section = Section::Causes,
            b"Location:" => self.section = Section::Location,
            b"Stack backtrace:" | b"Backtrace:" | b"stack backtrace:" => self.section = Section::Backtrace,
            _ if self.section == Section::Causes && self.drawn(bare) => {}
            // error-stack numbers the backtraces of a chain.
            _ if inner.starts_with(b"backtrace no. ") => self.section = Section::Backtrace,
            _ if inner.contains(&0xe2) && text::has(inner, "BACKTRACE") => self.section = Section::Backtrace,
            _ => return self.within(bare),
        }
        true
    }

    fn within(&mut self, bare: &[u8]) -> bool {
        let numbered = bare.strip_prefix(b"  ").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
        let indented = bare.starts_with(b"   ") || bare.starts_with(b"\t") || numbered;
        match self.section {
            Section::Causes if indented => self.cause(bare),
            Section::Location if indented => {
                let place = text::string(bare.trim_ascii());
                self.location = frames::location(&place).map(|(file, line)| (file.to_owned(), line));
                self.location.is_some()
            }
            Section::Backtrace => self.frame(bare),
            _ => false,
        }
    }

    /// A line of a drawn chain: a cause, or the place of what stands above it.
    fn drawn(&mut self, bare: &[u8]) -> bool {
        let shown = text::string(bare);
        let inner = shown.trim_start_matches([' ', '│']);
        let link = LINKS_DRAWN.iter().chain(&DRAWN[1..]).find_map(|drawn| inner.strip_prefix(drawn));
        if let Some(link) = link.filter(|_| self.links.len() < LINKS && shown.starts_with([' ', '│', '├', '╰', '`']))
        {
            self.links.push(link.trim().to_owned());
            return true;
        }
        let place = inner.strip_prefix(DRAWN[0]).or_else(|| inner.strip_prefix("╰╴at "));
        if let Some((file, line)) = place.and_then(|place| frames::location(place.trim())) {
            // The innermost error is the last one; where it was wrapped further out stands above.
            if self.location.is_none() || frames::is_own(file) {
                self.location = Some((file.to_owned(), line));
            }
            return true;
        }
        // The source that miette quotes, and its help.
        let quoted = |text: &str| {
            ["│", "|"]
                .iter()
                .any(|bar| text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with(bar))
        };
        const DRAWINGS: [&str; 11] = ["├╴", "╰╴", "╭", "·", "╰──", "━━━", ",-[", "`---", ": ", "help: ", "backtrace."];
        DRAWINGS.iter().any(|drawn| inner.starts_with(drawn)) || quoted(&shown)
    }

    fn cause(&mut self, bare: &[u8]) -> bool {
        let inner = bare.trim_ascii();
        let (digits, rest) = text::split_digits(inner);
        let cause = rest.strip_prefix(b": ").filter(|_| !digits.is_empty()).unwrap_or(inner);
        if self.links.len() < LINKS {
            self.links.push(text::string(&cause[..cause.len().min(LINK_BYTES)]));
        }
        true
    }

    fn frame(&mut self, bare: &[u8]) -> bool {
        if let Some((_, symbol)) = frames::symbol(bare) {
            if self.frames.len() < FRAMES {
                self.frames.push(frames::frame(symbol));
            }
            return true;
        }
        let Some((file, line)) = frames::place(bare) else { return false };
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.file.is_empty()) {
            frames::set_place(frame, file, line);
        }
        true
    }
}

impl Failure {
    /// The hook of miette draws a panic like an error: the thread, the place, the text. Leaves the text alone.
    fn panicked(&mut self) -> bool {
        let [thread, place, .., text] = self.links.as_slice() else { return false };
        let Some((file, line)) = place.strip_prefix("at ").and_then(frames::location) else { return false };
        if !thread.ends_with(" panicked.") {
            return false;
        }
        self.location = Some((file.to_owned(), line));
        self.links = vec![text.clone()];
        true
    }
}

fn reason(link: &str, messages: &Messages) -> CrashReason {
    let meant = || Some(messages.meaning(link, Voice::LastWords)?.reason);
    kinds::of_value(link).or_else(meant).unwrap_or(UNHANDLED_ERROR)
}

impl Parser for Failure {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        // Another error, whose causes are its own.
        if self.prefix.strip(line.text).is_some_and(|bare| bare.starts_with(b"Error: ")) {
            return Flow::Over;
        }
        if let Some(bare) = self.prefix.strip(line.text).filter(|bare| self.take(bare)) {
            if !text::blank(bare) {
                self.passage.push(bare, line.number);
                self.foreign = 0;
            }
            return Flow::Taken;
        }
        self.foreign += 1;
        if self.foreign > FOREIGN { Flow::Over } else { Flow::Foreign }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let panicked = self.panicked();
        let reason = |link: &str, messages: &Messages| match panicked {
            true => kinds::of_panic(link, &[], messages).reason,
            false => reason(link, messages),
        };
        let weights = self.links.iter().map(|link| weight(&reason(link, messages)));
        let (best, _) = weights.enumerate().max_by_key(|(at, weight)| (*weight, *at))?;
        let link = &self.links[best];
        // A name alone is no chain, unless it is a value or has a place.
        let placed = self.location.is_some() || !self.frames.is_empty();
        if self.links.len() < 2 && !kinds::is_debug(link) && !placed {
            return None;
        }
        let site = frames::site(self.location.as_ref());
        // A task that panicked has said so itself, above.
        let echo = kinds::is_told_panic(link);
        let mut marks = signature(&self.frames, false, frames::stable);
        marks.iter_mut().for_each(|(_, file)| file.clear());
        if let Some(file) = site.as_ref().and_then(|site| site.file.as_deref()).filter(|_| marks.is_empty()) {
            marks.push((String::new(), base_name(file).to_owned()));
        }
        Some(Candidate {
            reason: reason(link, messages),
            kind: self.links.join(": "),
            message: link.clone(),
            standing: match self.returned {
                true if echo => Standing::Closing,
                true => Standing::Printed,
                false => Standing::Logged,
            },
            exits: if panicked {
                &[101, 134, 139]
            } else if self.returned {
                &[1]
            } else {
                &[]
            },
            culprit: culprit(&self.frames).or(site),
            stack: shown(&self.frames),
            signature: marks,
            ..Candidate::of(Runtime::Rust, self.passage)
        })
    }
}
