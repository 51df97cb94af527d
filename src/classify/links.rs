//! Chains of exceptions, as managed runtimes print them: which link names the reason, whose frame is to blame, and what
//! of it is shown.

use super::chain::weight;
use super::excerpt::{Block, REPEATS};
use super::finding::{CrashReason, Culprit, Frame, Runtime, STACK_FRAMES, base_name};
use super::grammar::{Candidate, Standing};
use super::passage::Passage;
use super::reason::STACK_OVERFLOW;
use super::stack::recurring;
use super::text;

/// Most links kept of one chain, the first ones and the last ones: a hostile chain has a million.
const LINKS: usize = 24;
/// Of those, how many are the outermost ones.
const FIRST_LINKS: usize = 8;
/// Most frames kept of one link: what a JVM itself prints at most.
const FRAMES: usize = 1024;
/// Most lines quoted of one link.
const QUOTED_LINES: usize = 24;
/// Longest line that is quoted, in bytes.
const QUOTED_BYTES: usize = 1024;
/// Longest text of an exception, in bytes.
const MESSAGE_BYTES: usize = 4096;
/// Lines quoted of a link that does not name the reason.
const ASIDE_LINES: usize = 3;
/// Longest line quoted of such a link: a wrapper that repeats every text below it must not push out the cause.
const ASIDE_BYTES: usize = 400;
/// What may be quoted before the link that names the reason, so that it is shown itself.
const ASIDE_TOTAL: usize = 1600;

/// One exception of a chain.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Its class; empty where only its frames are known.
    pub exception: String,
    /// Its text, perhaps of several lines.
    pub message: String,
    /// Its frames, the top one first.
    pub frames: Vec<Frame>,
    /// How many frames it shares with the link around it, which alone prints them (`... 7 more`).
    pub common: usize,
    lines: Vec<Vec<u8>>,
}

impl Link {
    /// A link whose head was just read.
    pub fn new(exception: &str, message: &str, line: &[u8]) -> Self {
        let mut link = Self { exception: exception.to_owned(), ..Self::default() };
        link.say(message);
        link.quote(line);
        link
    }

    /// Appends a line to the text.
    pub fn say(&mut self, more: &str) {
        if self.message.len() + more.len() < MESSAGE_BYTES {
            if !self.message.is_empty() {
                self.message.push('\n');
            }
            self.message.push_str(more);
        } else if self.message.is_empty() {
            self.message = text::cut(more, MESSAGE_BYTES);
        }
    }

    /// Appends a frame with its line.
    pub fn push(&mut self, frame: Frame, line: &[u8]) {
        // Own frames are worth showing however deep they are.
        if frame.in_app || self.lines.len() < QUOTED_LINES / 2 {
            self.quote(line);
        }
        if self.frames.len() < FRAMES {
            self.frames.push(frame);
        }
    }

    /// Appends a line to what is shown.
    pub fn quote(&mut self, line: &[u8]) {
        let last = self.lines.iter().rev().take(REPEATS);
        if self.lines.len() < QUOTED_LINES && last.filter(|last| *last == line).count() < REPEATS {
            self.lines.push(line[..line.len().min(QUOTED_BYTES)].to_vec());
        }
    }

    /// The first line of the text that says something.
    pub fn first_line(&self) -> &str {
        self.message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }

    /// That line; where it only announces what is wrong (`Configuration validation failed:`), with the next one.
    fn said(&self) -> String {
        let mut lines = self.message.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        match lines.next().filter(|_| first.ends_with(':')) {
            Some(next) => format!("{first} {next}"),
            None => first.to_owned(),
        }
    }

    fn own(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.in_app)
    }
}

/// Appends a link; of too many the middle ones go.
pub fn push_link(links: &mut Vec<Link>, link: Link) {
    if links.len() >= LINKS {
        links.remove(FIRST_LINKS);
    }
    links.push(link);
}

/// What surrounds a chain.
#[derive(Debug)]
pub struct Story {
    /// The runtime that wrote it.
    pub runtime: Runtime,
    /// Whether it can be what ended the process.
    pub standing: Standing,
    /// Exit codes that it leads to.
    pub exits: &'static [i32],
    /// Where it stands, and the lines before it.
    pub passage: Passage,
    /// Its head is not in the log.
    pub headless: bool,
}

/// How a runtime names functions.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Takes out of a function's name what changes from build to build.
    pub stable: fn(&str) -> String,
    /// Files tell functions apart. Where a name has its package in it they do not, and a build without debug information
    /// lacks them.
    pub files: bool,
}

impl Story {
    /// The chain as a candidate. `links` stand in the order of the log; the outermost one first unless `inner_first`.
    pub fn tell(self, mut links: Vec<(Link, CrashReason)>, inner_first: bool, names: Names) -> Option<Candidate> {
        let outer_first: Vec<usize> =
            if inner_first { (0..links.len()).rev().collect() } else { (0..links.len()).collect() };
        complete(&mut links, &outer_first);
        let depth = most_actionable(&outer_first.iter().map(|at| links[*at].1.clone()).collect::<Vec<_>>())?;
        let at = outer_first[depth];
        // The nearest link around it with a frame of the user's own, else the nearest one inside of it.
        let around = outer_first[..=depth].iter().rev().chain(&outer_first[depth + 1..]);
        let blamed = around.copied().find(|at| links[*at].0.own().is_some());
        let mut passage = self.passage;
        quote(&mut passage.block, &links, at);
        let (link, reason) = &links[at];
        let signature = signature(&links[blamed.unwrap_or(at)].0.frames, names, *reason == STACK_OVERFLOW);
        let said = link.said();
        let exception = Some(link.exception.clone()).filter(|exception| !exception.is_empty());
        Some(Candidate {
            reason: reason.clone(),
            kind: exception.as_deref().map_or_else(|| link.first_line().to_owned(), names.stable),
            message: if said.is_empty() { link.exception.clone() } else { said },
            exception,
            standing: self.standing,
            exits: self.exits,
            culprit: blamed.and_then(|at| links[at].0.own()).map(place_of),
            stack: link.frames.iter().take(STACK_FRAMES).cloned().collect(),
            signature,
            headless: self.headless,
            ..Candidate::of(self.runtime, passage)
        })
    }
}

/// Gives each link the frames that it shares with the link around it.
fn complete(links: &mut [(Link, CrashReason)], outer_first: &[usize]) {
    for pair in outer_first.windows(2) {
        let (outer, inner) = (&links[pair[0]].0.frames, &links[pair[1]].0);
        let shared = outer.len().min(inner.common).min(FRAMES.saturating_sub(inner.frames.len()));
        let shared = outer[outer.len() - shared..].to_vec();
        links[pair[1]].0.frames.extend(shared);
    }
}

/// Where a frame is.
pub fn place_of(frame: &Frame) -> Culprit {
    let function = Some(frame.function.clone()).filter(|function| !function.is_empty());
    Culprit { function, file: frame.file.clone(), line: frame.line }
}

/// Of the reasons of a chain, the outermost first, the one to act on: a dependency, a setting or a resource before a
/// precise bug, and that before an error that says no more than that nobody handled it; of equals the innermost.
fn most_actionable(reasons: &[CrashReason]) -> Option<usize> {
    (0..reasons.len()).max_by_key(|at| (weight(&reasons[*at]), *at))
}

/// What the fingerprint is made of.
fn signature(frames: &[Frame], names: Names, recursion: bool) -> Vec<(String, String)> {
    let file = |frame: &Frame| frame.file.as_deref().filter(|_| names.files).map_or("", base_name).to_owned();
    let own = frames.iter().filter(|frame| frame.in_app);
    let all = own.map(|frame| ((names.stable)(&frame.function), file(frame))).collect();
    if recursion { recurring(all) } else { all }
}

/// The links that are shown: the one that names the reason as it is, of the others what there is room for.
fn quote(block: &mut Block, links: &[(Link, CrashReason)], chosen: usize) {
    let mut room = ASIDE_TOTAL;
    for (at, (link, _)) in links.iter().enumerate() {
        if at == chosen {
            link.lines.iter().for_each(|line| block.push(line));
            room = ASIDE_TOTAL;
            continue;
        }
        for line in link.lines.iter().take(ASIDE_LINES) {
            let line = &line[..line.len().min(ASIDE_BYTES)];
            if line.len() <= room {
                room -= line.len();
                block.push(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reason::*;
    use super::*;

    #[test]
    fn the_most_actionable_link_names_the_reason_and_of_equals_the_innermost() {
        let cases: [(&[CrashReason], usize); 6] = [
            (&[UNHANDLED_ERROR], 0),
            (&[UNHANDLED_ERROR, UNHANDLED_ERROR], 1),
            (&[UNHANDLED_ERROR, NIL_DEREFERENCE, UNHANDLED_ERROR], 1),
            (&[CONNECTION_REFUSED, CONNECTION_REFUSED, UNHANDLED_ERROR], 1),
            (&[MISSING_CONFIGURATION, MISSING_KEY], 0),
            (&[NIL_DEREFERENCE, ARITHMETIC_ERROR], 1),
        ];
        for (reasons, expected) in cases {
            assert_eq!(most_actionable(reasons), Some(expected), "{reasons:?}");
        }
        assert_eq!(most_actionable(&[]), None);
    }

    #[test]
    fn of_a_million_links_the_first_and_the_last_ones_are_kept() {
        let mut links = Vec::new();
        for number in 0..1_000_000 {
            push_link(&mut links, Link::new(&number.to_string(), "", b""));
        }
        assert_eq!((links.len(), links[0].exception.as_str()), (LINKS, "0"));
        assert_eq!(links[LINKS - 1].exception, "999999");
    }

    #[test]
    fn a_long_wrapper_does_not_push_the_cause_out_of_the_excerpt() {
        let long = |name: &str| {
            let mut link = Link::new(name, "", format!("{name}: {}", "x".repeat(5000)).as_bytes());
            (0..40).for_each(|_| link.quote(b"\tat frame"));
            (link, UNHANDLED_ERROR)
        };
        let links: Vec<_> = ["A", "B", "C", "D", "Cause"].map(long).into();
        let mut block = Block::default();
        quote(&mut block, &links, 4);
        let shown = block.render(&crate::redact::Redactor::default()).text;
        assert!(shown.contains("A: xxx") && shown.contains("Cause: xxx"), "{shown}");
    }

    #[test]
    fn a_recursion_is_the_functions_that_recur() {
        let frame = |name: &str| Frame { function: name.into(), in_app: true, ..Frame::default() };
        let of = |names: &[&str]| {
            let frames: Vec<Frame> = names.iter().map(|name| frame(name)).collect();
            signature(&frames, Names { stable: str::to_owned, files: true }, true)
        };
        assert_eq!(of(&["x", "a", "b", "a", "b", "a", "b"]), of(&["b", "a", "b", "a", "b", "a"]));
        assert_ne!(of(&["a", "a", "a"]), of(&["b", "b", "b"]));
    }
}
