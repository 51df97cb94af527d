//! An error with its stack, its properties and its causes.

use super::around::{self, Above};
use super::frames;
use super::head::Head;
use super::kinds;
use super::link::{Link, held};
use super::told;
use crate::classify::chain::Weight;
use crate::classify::envelope::without_stamps;
use crate::classify::excerpt::Block;
use crate::classify::finding::{CrashReason, Culprit, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::{MISSING_MODULE, STACK_OVERFLOW};
use crate::classify::severity::Severity;
use crate::classify::stack::{culprit, shown, signature};
use crate::classify::text;

/// What announces a cause: Node.js itself, libraries, pino.
const CAUSES: [&str; 3] = ["[cause]: ", "Caused by: ", "caused by: "];
/// Most errors kept of one chain.
const LINKS: usize = 16;
/// Most frames kept of one error; V8 itself keeps 10.
const FRAMES: usize = 64;
/// Longest further text that is kept of one error, in bytes.
const TEXT_BYTES: usize = 4096;
/// Most lines of an error's text.
const TEXT_LINES: u32 = 120;
/// Most lines of something else inside of a stack.
const FOREIGN: u32 = 6;
/// Most lines of properties.
const PROPERTIES: u32 = 200;

/// The parser of an error and its causes, the outermost first.
#[derive(Debug)]
pub struct Thrower {
    links: Vec<Link>,
    prefix: Prefix,
    site: Option<(String, u32)>,
    /// The runtime's form for what nobody caught.
    uncaught: bool,
    logged: bool,
    survived: Option<&'static str>,
    in_text: bool,
    /// Below `Emitted 'error' event`: frames of the emitter, not of the error.
    emitted: bool,
    /// Inside of the properties of the error.
    depth: u32,
    members: bool,
    /// Frames above the last line that is none: if those below it begin where the error was thrown, they were text.
    broken_at: usize,
    expects_head: bool,
    text_lines: u32,
    foreign: u32,
    over: bool,
    passage: Passage,
}

impl Thrower {
    fn new(line: &Line<'_>, prefix: Prefix, above: Above, context: &Context<'_>) -> Self {
        let (quoted, before) = context.before.split_at(above.lines.min(context.before.len()));
        let mut block = Block::after(before);
        for line in quoted.iter().rev() {
            block.push(prefix.strip(line).unwrap_or(line));
        }
        let mut parser = Self {
            links: Vec::new(),
            site: above.site,
            uncaught: above.caret && !line.logged,
            logged: line.logged,
            survived: above.survived,
            in_text: true,
            emitted: false,
            depth: 0,
            members: false,
            broken_at: 0,
            expects_head: false,
            text_lines: 0,
            foreign: 0,
            over: false,
            passage: Passage::new(block, line.number.saturating_sub(above.lines as u64), line.number),
            prefix,
        };
        for (at, text) in above.text.iter().enumerate() {
            if at == 0 {
                parser.head(text);
            } else if !parser.text_line(text) {
                // Between the name and the first frame nothing but the text stands, whoever wrote it.
                parser.detail(text);
            }
        }
        parser
    }

    /// An error whose first frame this is; its name stands above.
    pub fn from_frame(line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        let prefix = Prefix::learn(&line.text[..at]);
        let above = around::above(&prefix, context, false);
        let mut parser = Self::new(line, prefix, above, context);
        if parser.links.is_empty() {
            parser.links.push(Link::default());
        }
        parser.take(&line.text[at..], line.number);
        parser
    }

    /// An error that this line names, if nobody caught it.
    pub fn from_head(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let prefix = Prefix::learn(&line.text[..at]);
        let above = around::above(&prefix, context, true);
        let deno =
            line.text[at..].starts_with(b"error: Uncaught ") || line.text[at..].starts_with(b"error: SyntaxError");
        let (caret, survived) = (above.caret, above.survived.is_some());
        let mut parser = Self::new(line, prefix, above, context);
        parser.uncaught |= deno && !line.logged;
        parser.head(&line.text[at..]);
        parser.passage.block.push(&line.text[at..]);
        ((caret || deno) && !survived).then_some(parser)
    }

    /// A thrown value that has no stack: this line is the runtime's last word, and what was thrown stands above.
    pub fn from_last_word(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let prefix = Prefix::learn(&line.text[..at]);
        let mut above = around::above(&prefix, context, false);
        if !above.caret {
            // Bun names what was thrown without quoting any source where there is none of the program's.
            let bun = line.text[at..].starts_with(b"Bun ");
            above.lines = around::plain_error(&prefix, context).filter(|_| bun)? + 1;
            above.text = context.before[..above.lines]
                .iter()
                .rev()
                .filter_map(|line| prefix.strip(line).map(<[u8]>::to_vec))
                .collect();
        }
        above.text.retain(|line| !around::is_epilogue(line) && !text::blank(line));
        above.text.truncate(8);
        // Below a lone `error` Bun writes the value that was thrown.
        if above.text.len() > 1 && above.text[0] == b"error" {
            above.text = vec![above.text[1..].iter().map(|line| line.trim_ascii()).collect::<Vec<_>>().join(&b' ')];
        }
        let source = context.before.get(..above.lines).unwrap_or_default().iter().rev().nth(1);
        let source = source.map(|line| prefix.strip(line).unwrap_or(line).to_vec());
        let mut parser = Self::new(line, prefix, above, context);
        if let Some(source) = source.filter(|_| parser.links.is_empty()) {
            // What was thrown has no text: the line that threw it is all there is.
            let line = text::string(source.trim_ascii());
            parser.links.push(Link { head: Head { line, ..Head::default() }, ..Link::default() });
        }
        (parser.uncaught, parser.in_text, parser.over) = (!line.logged, false, true);
        parser.passage.block.push(&line.text[at..]);
        Some(parser)
    }

    fn head(&mut self, line: &[u8]) {
        self.in_text = true;
        self.text_lines = 0;
        if line.trim_ascii_end().ends_with(b"{") {
            self.depth = 1;
            self.in_text = false;
        }
        if self.links.len() < LINKS {
            self.links.push(Link { head: Head::read(line), member: self.members, ..Link::default() });
        }
    }

    /// Takes a line of the trace; `false` where it is none.
    fn take(&mut self, bare: &[u8], number: u64) -> bool {
        let taken = self.frame(bare) || self.nested(bare) || self.other(bare);
        if taken && !text::blank(bare) {
            self.passage.last_line = number;
            self.foreign = 0;
            self.passage.block.push(bare);
        }
        taken
    }

    fn frame(&mut self, bare: &[u8]) -> bool {
        let Some(frame) = frames::read(bare).filter(|_| bare.starts_with(b"   ")) else { return false };
        self.in_text = false;
        let closes = bare.trim_ascii_end().ends_with(b"{");
        self.depth += u32::from(closes);
        if let Some(link) = self.links.last_mut().filter(|link| !self.emitted && link.frames.len() < FRAMES) {
            link.frames.push(frame);
        }
        true
    }

    /// A cause, or one of several errors.
    fn nested(&mut self, bare: &[u8]) -> bool {
        let inner = bare.trim_ascii();
        if let Some(cause) = CAUSES.iter().find_map(|words| inner.strip_prefix(words.as_bytes())) {
            self.emitted = false;
            self.head(cause);
            return true;
        }
        if inner.starts_with(b"[errors]: [") {
            self.members = true;
            return true;
        }
        let named = Head::find(inner).is_some_and(|at| at == 0);
        if let Some(error) = held(inner).filter(|_| self.depth > 0 && bare.starts_with(b"  ")) {
            self.emitted = false;
            self.head(error);
            if let Some(link) = self.links.last_mut() {
                link.member = true;
            }
            return true;
        }
        // Deno writes the members of an aggregate below it without brackets.
        let aggregate =
            self.links.last().is_some_and(|link| link.head.class == "AggregateError" && link.frames.is_empty());
        self.members |= aggregate && named && bare.starts_with(b"    ");
        let member = self.members && bare.starts_with(b"    ") && named;
        if member || self.expects_head && !text::blank(bare) {
            self.expects_head = false;
            self.head(inner);
            return true;
        }
        false
    }

    fn other(&mut self, bare: &[u8]) -> bool {
        if around::is_last_word(bare) {
            (self.uncaught, self.over) = (!self.logged, true);
            return true;
        }
        if bare.starts_with(b"Emitted 'error' event ") {
            (self.emitted, self.in_text) = (true, false);
            return true;
        }
        let inner = bare.trim_ascii();
        let elided = inner.starts_with(b"... ") && (inner.ends_with(b"...") || inner.ends_with(b"... {"));
        self.depth += u32::from(elided && inner.ends_with(b"{"));
        if text::blank(bare) || elided || around::is_numbered_source(bare) {
            return true;
        }
        if around::is_caret(bare) {
            // Bun quotes the source of the next error above its name.
            self.expects_head = !self.in_text && self.has_frames();
            return true;
        }
        self.property(bare, inner) || self.text_line(bare)
    }

    /// `  code: 'ECONNREFUSED',` between the braces behind the last frame, or without braces below the name in Bun's form.
    fn property(&mut self, bare: &[u8], inner: &[u8]) -> bool {
        let keyed = bare.starts_with(b" ") && text::find(inner, ": ").is_some_and(|at| at < 40);
        let closing = inner.starts_with(b"}") || inner.starts_with(b"]");
        if let Some(code) = inner.strip_prefix(b"code: ").filter(|_| bare.starts_with(b" ")) {
            let code = text::string(code).trim_matches(|c| matches!(c, '\'' | '"' | ',' | ' ')).to_owned();
            if let Some(link) = self.links.last_mut().filter(|link| link.head.code.is_empty()) {
                link.head.code = code;
            }
            return true;
        }
        if self.depth == 0 {
            return closing && inner.len() <= 2;
        }
        self.text_lines += 1;
        (closing || keyed || bare.starts_with(b" ")) && self.text_lines < PROPERTIES
    }

    /// A further line of the error's text, above its first frame.
    fn text_line(&mut self, bare: &[u8]) -> bool {
        let uncaught = self.uncaught || self.logged;
        let shown = text::string(bare);
        let leveled = Severity::of_line(bare).is_some() && told::refused(&shown).is_none();
        let record = leveled || without_stamps(&shown).len() < shown.trim().len();
        if !self.in_text || !uncaught || record {
            return false;
        }
        self.detail(bare);
        self.text_lines < TEXT_LINES
    }

    fn detail(&mut self, bare: &[u8]) {
        self.text_lines += 1;
        let Some(link) = self.links.last_mut() else { return };
        if link.details.len() + bare.len() < TEXT_BYTES {
            link.details.push_str(&text::string(bare));
            link.details.push('\n');
        }
    }
}

impl Parser for Thrower {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        if around::is_epilogue(line.text) {
            self.passage.last_line = line.number;
            self.in_text = false;
            // Below it stands where it was thrown, a second stack.
            self.emitted |= text::has(line.text, "Thrown at:");
            return Flow::Taken;
        }
        let bare = self.prefix.strip(line.text);
        // The place of the next throw: what was printed before it was caught.
        if bare.is_some_and(|bare| self.has_frames() && frames::throw_site(bare).is_some()) {
            return Flow::Over;
        }
        if bare.is_some_and(|bare| (!self.over || text::blank(bare)) && self.take(bare, line.number)) {
            return Flow::Taken;
        }
        if let [link] = self.links.as_slice() {
            self.broken_at = link.frames.len();
        }
        self.foreign += 1;
        let limit = if self.in_text && !self.uncaught { 1 } else { FOREIGN };
        if self.foreign > limit { Flow::Over } else { Flow::Foreign }
    }

    fn finish(mut self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        self.drop_text_like_frames();
        for link in self.links.iter_mut().filter(|link| link.head.class.is_empty() && !link.frames.is_empty()) {
            kinds::implied(&link.head.message).clone_into(&mut link.head.class);
        }
        self.links.iter_mut().for_each(|link| frames::mark_relative(&mut link.frames));
        let weights: Vec<Weight> = self.links.iter().map(|link| link.weight(messages)).collect();
        let mut best = 0;
        for (at, weight) in weights.iter().enumerate().skip(1) {
            // Of causes the innermost, of errors that stand side by side the first.
            // A cause that is no error, only a text, says less than the error.
            let link = &self.links[at];
            let inner = *weight == weights[best] && !link.member && !link.head.class.is_empty();
            if *weight > weights[best] || inner {
                best = at;
            }
        }
        let link = self.links.get(best)?;
        // A stack of which nobody knows what it is the stack of is no finding.
        if link.head.line.is_empty() {
            return None;
        }
        Some(self.candidate(best, link.reason(messages)))
    }
}

impl Thrower {
    fn has_frames(&self) -> bool {
        self.links.iter().any(|link| !link.frames.is_empty())
    }

    /// Lines of the text that look like frames: the stack begins where the error was thrown, below them.
    fn drop_text_like_frames(&mut self) {
        let (Some((file, line)), Some(link)) = (&self.site, self.links.first_mut()) else { return };
        let below = link.frames.get(self.broken_at).filter(|_| self.broken_at > 0);
        if below.is_some_and(|frame| frame.file == *file && frame.line == *line) {
            link.frames.drain(..self.broken_at);
        }
    }

    fn candidate(&self, best: usize, reason: CrashReason) -> Candidate {
        let link = &self.links[best];
        let around = (0..best).rev().chain(best + 1..self.links.len()).find(|at| self.links[*at].has_own());
        let frames = &self.links[if link.has_own() { best } else { around.unwrap_or(best) }].frames;
        let site = self.site.as_ref().filter(|(file, _)| frames::is_own(file));
        let site = site.map(|(file, line)| Culprit { function: None, file: Some(file.clone()), line: Some(*line) });
        let importer = link.importer().filter(|_| reason == MISSING_MODULE);
        let standing = match self.survived {
            Some(why) => Standing::Survived(why),
            None if self.uncaught => Standing::Fatal,
            None => Standing::Logged,
        };
        // Of a script that does not parse the frames are the loader's.
        let unparsed = link.head.class == "SyntaxError" && !link.has_own();
        let own = if unparsed { site.clone() } else { culprit(frames) };
        let mut signature = signature(frames, reason == STACK_OVERFLOW, frames::stable);
        let culprit = told::refused(&link.details).or(own).or(importer).or(site);
        if signature.is_empty()
            && let Some(file) = culprit.as_ref().and_then(|culprit| culprit.file.as_deref())
        {
            signature.push((String::new(), crate::classify::finding::base_name(file).to_owned()));
        }
        Candidate {
            kind: kinds::word(&link.head),
            exception: (!link.head.class.is_empty()).then(|| link.head.class.clone()),
            message: told::message(&link.head, &link.details),
            standing,
            exits: if self.uncaught { &[1] } else { &[] },
            culprit,
            stack: shown(frames),
            signature,
            reason,
            ..Candidate::of(Runtime::Nodejs, Passage { block: self.passage.block.clone(), ..self.passage })
        }
    }
}
