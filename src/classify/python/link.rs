//! One traceback of a chain: its frames, the exception below them, and how it came to the next one.

use std::collections::VecDeque;

use super::frames;
use super::kinds::{self, Raised};
use crate::classify::chain::{Weight, weight};
use crate::classify::finding::CrashReason;
use crate::classify::messages::Messages;
use crate::classify::stack::RawFrame;
use crate::classify::text;

/// Most frames kept of one traceback: the outermost ones and the innermost ones.
const OUTER_FRAMES: usize = 16;
/// See [`OUTER_FRAMES`].
const INNER_FRAMES: usize = 48;
/// Longest text that is kept of one exception, in bytes.
const TEXT_BYTES: usize = 4096;
/// Longest source line that is kept, in bytes.
const SOURCE_BYTES: usize = 256;

/// Most lines of frames that are quoted where all of them are too many.
const QUOTED_LINES: usize = 24;
/// Most of its characters that make up a message whose first line only announces the rest.
const MESSAGE_BYTES: usize = 1024;

/// How a traceback came to the one that follows it in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relation {
    /// It was raised from it, or stands in its group.
    #[default]
    Cause,
    /// It was raised while it was handled.
    Context,
}

/// A traceback.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// The class of the exception, with its module.
    pub class: String,
    /// The first line of its text.
    pub message: String,
    /// The other lines of its text.
    pub details: String,
    /// The line that names it, as it stands there.
    pub line: String,
    /// Its frames, the outermost first, as Python prints them.
    pub frames: Vec<RawFrame>,
    /// How it came to the link above it in the text.
    pub relation: Relation,
    source: String,
    reading_source: bool,
    /// The lines of the innermost frames of the user's own.
    quoted: VecDeque<Vec<u8>>,
}

impl Link {
    /// Appends a frame. Of many the ones in the middle are dropped.
    pub fn frame(&mut self, frame: RawFrame) {
        self.reading_source = true;
        if frame.own {
            self.source.clear();
        }
        if self.frames.len() >= OUTER_FRAMES + INNER_FRAMES {
            self.frames.remove(OUTER_FRAMES);
        }
        self.frames.push(frame);
    }

    /// Gives the last frame its line, where the frame itself has none.
    pub fn place(&mut self, line: u32) {
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.line == 0) {
            frame.line = line;
        }
    }

    /// Takes a source line below a frame: only the first one below the last frame of the user's own is of use.
    pub fn source(&mut self, line: &[u8]) {
        let wanted = self.reading_source && self.frames.last().is_some_and(|frame| frame.own);
        if wanted {
            let line = line.trim_ascii();
            self.source = text::string(&line[..line.len().min(SOURCE_BYTES)]);
        }
        self.reading_source = false;
    }

    /// Keeps a line of a frame, if that is one of the user's own.
    pub fn quote(&mut self, line: &[u8]) {
        if !self.frames.last().is_some_and(|frame| frame.own) {
            return;
        }
        if self.quoted.len() >= QUOTED_LINES {
            self.quoted.pop_front();
        }
        self.quoted.push_back(line[..line.len().min(SOURCE_BYTES)].to_vec());
    }

    /// Those lines, and the exception with its text.
    pub fn quoted(&self) -> impl Iterator<Item = &[u8]> {
        let details = self.details.lines().take(QUOTED_LINES).map(str::as_bytes);
        self.quoted.iter().map(Vec::as_slice).chain([self.line.as_bytes()]).chain(details)
    }

    /// The text, for those who read it: with the further lines, where the first one only announces them.
    pub fn said(&self) -> String {
        let announces = [':', '[', '{', '('].iter().any(|end| self.message.ends_with(*end));
        if self.message.is_empty() {
            self.class.clone()
        } else if announces && !self.details.is_empty() {
            let rest: Vec<&str> = self.details.lines().map(str::trim).collect();
            text::cut(&format!("{} {}", self.message, rest.join(" ")), MESSAGE_BYTES)
        } else {
            self.message.clone()
        }
    }

    /// Takes the line that names the exception.
    pub fn raised(&mut self, line: &[u8]) {
        let line = text::string(&line[..line.len().min(TEXT_BYTES)]);
        let (class, message) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        self.class = class.to_owned();
        self.message = message.trim().to_owned();
        self.line = line;
    }

    /// Takes a further line of its text.
    pub fn detail(&mut self, line: &[u8]) {
        let line = text::string(line.trim_ascii());
        if self.message.is_empty() && self.details.is_empty() {
            self.message.clone_from(&line);
        }
        if self.details.len() + line.len() < TEXT_BYTES {
            self.details.push_str(&line);
            self.details.push('\n');
        }
    }

    /// Whether the exception is known, so that its text is under way.
    pub fn is_raised(&self) -> bool {
        !self.class.is_empty()
    }

    /// A pool's quotation of a traceback in another process: no exception that anybody raised.
    pub fn is_quotation(&self) -> bool {
        self.class.ends_with("RemoteTraceback")
    }

    /// It only holds other exceptions.
    fn is_group(&self) -> bool {
        self.class.ends_with("ExceptionGroup")
    }

    /// What it means.
    pub fn reason(&self, messages: &Messages) -> CrashReason {
        self.judge(|raised| kinds::reason(raised, messages))
    }

    /// What the fingerprint is made of.
    pub fn word(&self, messages: &Messages) -> String {
        self.judge(|raised| kinds::word(raised, messages))
    }

    fn judge<T>(&self, by: impl FnOnce(&Raised<'_>) -> T) -> T {
        let own = self.frames.iter().rev().find(|frame| frame.own);
        let place = own.map(|frame| format!("{} {}", frame.file, frame.function)).unwrap_or_default();
        let below = self.frames.last().map(|frame| (frame.file.as_str(), frame.function.as_str()));
        let raised = Raised {
            class: &self.class,
            message: &self.message,
            details: &self.details,
            source: &self.source,
            place: &place,
            below: below.unwrap_or_default(),
        };
        by(&raised)
    }

    /// How much it says.
    pub fn weight(&self, messages: &Messages) -> Weight {
        if self.is_group() { Weight::Wrapper } else { weight(&self.reason(messages)) }
    }

    /// Whether it translates the exception of `inner`: a `raise` in the function that had called what failed. Else the
    /// handler went on to something else, which failed too.
    fn translates(&self, inner: &Link) -> bool {
        let raises = self.source.starts_with("raise ") || self.source == "raise";
        let handler = self.frames.iter().rev().find(|frame| frame.own);
        // Libraries translate each other's exceptions, and rarely fail in a handler.
        handler.is_none_or(|handler| {
            raises && inner.frames.first().is_some_and(|outer| outer.function == handler.function)
        })
    }

    /// The frames, the top one first.
    pub fn top_first(&self) -> Vec<RawFrame> {
        let mut frames: Vec<RawFrame> = self.frames.iter().rev().cloned().collect();
        frames::adopt(&mut frames);
        frames
    }
}

/// Position of the link that names the reason, and of the one whose frames are shown: itself, or the nearest around it that
/// has frames of the user's own.
pub fn choose(links: &[Link], messages: &Messages) -> Option<(usize, usize)> {
    let mut best = links.len().checked_sub(1)?;
    let mut best_weight = links[best].weight(messages);
    let mut handled = false;
    for at in (0..best).rev() {
        let (link, outer) = (&links[at], &links[at + 1]);
        handled |= link.relation == Relation::Context && !outer.translates(link);
        let weight = link.weight(messages);
        // What a handler dealt with is no cause, unless the world outside is.
        // Nor is what says nothing itself.
        let silent = links[best].message.is_empty();
        let better = if handled {
            weight == Weight::Actionable && (weight > best_weight || silent)
        } else {
            weight >= best_weight
        };
        if better {
            (best, best_weight, handled) = (at, weight, false);
        }
    }
    let own = |at: &usize| links[*at].frames.iter().any(|frame| frame.own);
    let shown = (best..links.len()).find(own).or_else(|| (0..best).rev().find(own)).unwrap_or(best);
    Some((best, shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(class: &str, message: &str, relation: Relation, frames: &[(&str, &str)]) -> Link {
        let mut link = Link { relation, ..Link::default() };
        for (function, source) in frames {
            link.frame(frames::read(format!("File \"/app/a.py\", line 3, in {function}").as_bytes()).unwrap());
            link.source(source.as_bytes());
        }
        link.raised(format!("{class}: {message}").as_bytes());
        link
    }

    fn chosen(links: &[Link]) -> String {
        let (best, _) = choose(links, &Messages::default()).unwrap();
        links[best].class.clone()
    }

    #[test]
    fn the_most_actionable_link_names_the_reason() {
        use Relation::*;
        let key = |relation| link("KeyError", "'x'", relation, &[("route", "lookup(d)"), ("lookup", "T[d]")]);
        let cases = [
            ("KeyError", vec![key(Cause), link("LaneError", "no", Cause, &[("route", "raise LaneError(d)")])]),
            ("KeyError", vec![key(Context), link("LaneError", "no", Cause, &[("route", "raise LaneError(d)")])]),
            ("ValueError", vec![key(Context), link("ValueError", "no", Cause, &[("route", "f(d)"), ("f", "int(d)")])]),
            (
                "ConnectionRefusedError",
                vec![
                    link("ConnectionRefusedError", "[Errno 111]", Context, &[("call", "connect()")]),
                    link("TypeError", "f", Cause, &[("call", "log(a % b)")]),
                ],
            ),
        ];
        for (class, links) in cases {
            assert_eq!(chosen(&links), class);
        }
    }

    #[test]
    fn what_says_nothing_leaves_the_word_to_what_it_handled() {
        // A library that fails, and says so below a blank line to the code that called it.
        let library = |class: &str, own: &[&str]| {
            let mut link = Link { relation: Relation::Context, ..Link::default() };
            let files = own.iter().chain(&["/v/site-packages/np/core.py"]);
            files.for_each(|file| {
                link.frame(frames::read(format!("File \"{file}\", line 3, in f").as_bytes()).unwrap())
            });
            link.raised(class.as_bytes());
            link
        };
        let links = [
            library("ImportError: libx.so.0: cannot open shared object file", &[]),
            library("ImportError: ", &["/app/a.py"]),
        ];
        assert_eq!(choose(&links, &Messages::default()), Some((0, 1)));
    }

    #[test]
    fn many_frames_keep_the_outermost_and_the_innermost() {
        let mut link = Link::default();
        for n in 0..5000 {
            link.frame(frames::read(format!("File \"/app/a.py\", line 3, in f{n}").as_bytes()).unwrap());
        }
        assert_eq!(link.frames.len(), OUTER_FRAMES + INNER_FRAMES);
        assert_eq!((link.frames[0].function.as_str(), link.frames.last().unwrap().function.as_str()), ("f0", "f4999"));
    }
}
