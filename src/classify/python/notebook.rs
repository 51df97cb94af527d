//! Tracebacks as IPython prints them, in notebooks that papermill or nbconvert run: the class stands left of the head,
//! each frame quotes the lines around its own, and an arrow marks that one.

use super::frames;
use super::link::{Link, choose};
use super::traceback::{self, HEAD, is_exception, relation};
use crate::classify::finding::Runtime;
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::STACK_OVERFLOW;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// Most lines that are taken.
const LINES: u32 = 2000;
/// Most tracebacks kept of one chain.
const LINKS: usize = 16;

/// The parser of such a traceback and its chain.
#[derive(Debug)]
pub struct Notebook {
    links: Vec<Link>,
    link: Link,
    /// The class that the head names.
    class: String,
    prefix: Prefix,
    lines: u32,
    passage: Passage,
}

/// Where such a head begins: `KeyError            Traceback (most recent call last)`.
pub fn head(line: &[u8]) -> Option<usize> {
    let head = text::find(line, HEAD)?;
    let named = line[..head].strip_suffix(b"  ")?.trim_ascii_end();
    let start = named.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
    is_exception(&named[start..], true).then_some(start)
}

impl Notebook {
    /// A traceback with this head.
    pub fn new(line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        Self {
            links: Vec::new(),
            link: Link::default(),
            class: class(&line.text[at..]),
            prefix: Prefix::learn(&line.text[..at]),
            lines: 0,
            passage: Passage::begin(line, at, context),
        }
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        let line = text::string(bare.trim_ascii_end());
        if self.link.is_raised() {
            return self.below(bare);
        }
        if let Some(frame) = frame(&line) {
            self.link.frame(frame);
            self.link.quote(bare);
        } else if let Some((number, source)) = arrow(&line) {
            self.link.place(number);
            self.link.source(source.as_bytes());
            self.link.quote(bare);
        } else if self.is_end(bare) {
            self.link.raised(bare.trim_ascii_end());
        }
        true
    }

    /// The line that names the exception again, with its text.
    fn is_end(&self, bare: &[u8]) -> bool {
        let rest = bare.strip_prefix(self.class.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b":"))
    }

    fn below(&mut self, bare: &[u8]) -> bool {
        if text::blank(bare) {
            return true;
        }
        if let Some(relation) = relation(bare) {
            self.link.relation = relation;
            return true;
        }
        let Some(at) = head(bare) else { return false };
        self.class = class(&bare[at..]);
        self.close_link();
        true
    }

    fn close_link(&mut self) {
        let link = std::mem::take(&mut self.link);
        if link.is_raised() && self.links.len() < LINKS {
            self.links.push(link);
        }
    }
}

fn class(head: &[u8]) -> String {
    text::string(head.split(|b| *b == b' ').next().unwrap_or_default())
}

/// `File ~/notebooks/fees.py:14, in fee(weight)`, `Cell In[3], line 2`, and before version 8 `/srv/fees.py in fee(weight)`, whose
/// line the arrow has.
fn frame(line: &str) -> Option<RawFrame> {
    let (file, number, function) = if let Some(place) = line.strip_prefix("File ") {
        let (place, function) = place.split_once(", in ").unwrap_or((place, "<module>"));
        let (file, number) = place.rsplit_once(':')?;
        (file, number.parse().ok()?, function)
    } else if let Some(cell) = line.strip_prefix("Cell ").or_else(|| line.strip_prefix("Input ")) {
        let (cell, rest) = cell.split_once([',', ' ']).filter(|(cell, _)| cell.starts_with("In"))?;
        let number = rest.trim_start().strip_prefix("line ").and_then(|number| number.parse().ok());
        (cell, number.unwrap_or(0), "<module>")
    } else {
        let (file, function) = line.split_once(" in ")?;
        let path = file.starts_with(['/', '~']) || file.starts_with("<ipython-input-");
        (path && !file.contains(' ') && function.ends_with(')')).then_some((file, 0, function))?
    };
    let function = function.split('(').next().unwrap_or(function);
    let own = frames::is_own(file) || file.starts_with("<ipython-input-");
    Some(RawFrame { function: function.to_owned(), file: file.to_owned(), line: number, own })
}

/// `---> 17     return x`: the number and the source.
fn arrow(line: &str) -> Option<(u32, &str)> {
    let rest = line.trim_start_matches('-').strip_prefix("> ").filter(|_| line.starts_with("--"))?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((rest[..end].parse().ok()?, &rest[end..]))
}

impl Parser for Notebook {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        self.lines += 1;
        let Some(bare) = self.prefix.strip(line.text).map(<[u8]>::to_vec).filter(|_| self.lines < LINES) else {
            return Flow::Over;
        };
        if !self.take(&bare) {
            return Flow::Over;
        }
        if !text::blank(&bare) {
            self.passage.push(&bare, line.number);
        }
        Flow::Taken
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        self.close_link();
        let (best, around) = choose(&self.links, messages)?;
        let (link, frames) = (&self.links[best], self.links[around].top_first());
        let reason = link.reason(messages);
        Some(Candidate {
            kind: link.word(messages),
            exception: Some(link.class.clone()),
            message: link.said(),
            standing: Standing::Printed,
            exits: &[1],
            culprit: culprit(&frames),
            stack: shown(&frames),
            signature: signature(&frames, reason == STACK_OVERFLOW, frames::stable),
            reason,
            ..Candidate::of(
                Runtime::Python,
                Passage { block: traceback::quoted(&self.passage.block, &self.links, best), ..self.passage },
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn tracebacks_of_ipython_are_read() {
        let head = "-----\nKeyError                                  Traceback (most recent call last)\n";
        let cases = [
            (
                "Cell In[3], line 2\n      1 rates = load()\n----> 2 total = price(basket)\n\nFile ~/notebooks/pricing.py:17, in price(basket)\n     15 def price(basket):\n---> 17     return RATES[basket]\n\nKeyError: 'JPY'\n",
                "pricing.py:17",
            ),
            (
                "<ipython-input-3-1a2b> in <module>\n----> 1 price(basket)\n\n/srv/pricing.py in price(basket)\n     15 def price(basket):\n---> 17     return RATES[basket]\n\nKeyError: 'JPY'\n",
                "pricing.py:17",
            ),
            ("Cell In[3], line 2\n      1 a\n----> 2 RATES[x]\n\nKeyError: 'JPY'\n", "In[3]:2"),
            (
                "File /srv/pricing.py:17, in price(basket)\n---> 17     return RATES[basket]\nFile /opt/venv/lib/python3.11/site-packages/x.py:4, in get(self)\n----> 4 y\nKeyError: 'JPY'\n",
                "pricing.py:17",
            ),
        ];
        for (frames, place) in cases {
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding = Engine::default().classify(format!("{head}{frames}").as_bytes(), facts).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), ("MissingKey", place), "{frames}");
            assert_eq!(finding.message, "'JPY'");
        }
    }
}
