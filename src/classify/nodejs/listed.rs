//! Errors whose frames stand in a list of another form than V8's: below `FROM`, where Node.js was told to abort on what
//! nobody caught; below `error stack:`, as tslog writes them; and the await that was never settled, which is one place.

use super::frames;
use super::head::Head;
use super::kinds::{self, Thrown};
use crate::classify::chain::weight;
use crate::classify::finding::{CrashReason, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser, Standing};
use crate::classify::messages::Messages;
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::stack::{RawFrame, culprit, shown, signature};
use crate::classify::text;

/// What `--abort-on-uncaught-exception` puts before the error.
pub const ABORTED: &str = "Uncaught ";
/// With what tslog begins a frame.
pub const TSLOG: &str = "  • ";
/// What Node.js says before it ends with exit code 13, behind `Warning: Detected `.
pub const UNSETTLED: &str = "unsettled top-level await at ";
/// Most frames kept.
const FRAMES: usize = 64;
/// Most errors kept of one chain.
const LINKS: usize = 16;

/// Which of the forms it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The error's line was seen, `FROM` not yet.
    Announced,
    /// Below `FROM`.
    From,
    /// Below `error stack:`.
    Tslog,
    /// The source line of an await and its caret.
    Unsettled,
}

/// One error of a chain.
#[derive(Debug)]
struct Link {
    head: Head,
    frames: Vec<RawFrame>,
}

/// The parser of such an error.
#[derive(Debug)]
pub struct Listed {
    form: Form,
    /// The error, and those that caused it, the innermost last.
    links: Vec<Link>,
    /// The function of a frame of tslog's, of which the place is still to come.
    function: String,
    prefix: Prefix,
    passage: Passage,
}

impl Listed {
    fn new(form: Form, head: Head, line: &Line<'_>, at: usize, context: &Context<'_>) -> Self {
        Self {
            form,
            links: vec![Link { head, frames: Vec::new() }],
            function: String::new(),
            prefix: Prefix::learn(&line.text[..at]),
            passage: Passage::begin(line, at, context),
        }
    }

    /// A line with which one of the forms may begin.
    pub fn begin(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        if let Some(at) = text::find(line.text, UNSETTLED) {
            let place = &line.text[at + UNSETTLED.len()..];
            let (file, number) = frames::throw_site(place)?;
            let own = frames::is_own(&file);
            let message = format!("Detected {}", UNSETTLED.trim_end_matches(" at "));
            let head = Head { line: message.clone(), message, ..Head::default() };
            let mut listed = Self::new(Form::Unsettled, head, line, at, context);
            listed.frame(Some(RawFrame { function: String::new(), file, line: number, own }));
            return Some(listed);
        }
        if let Some(at) = text::find(line.text, TSLOG) {
            return Self::tslog(line, at, context);
        }
        let at = text::find(line.text, ABORTED).filter(|_| !line.logged)?;
        // Deno's `error: Uncaught (in promise) …` is another form.
        let class = Head::find(&line.text[at + ABORTED.len()..]);
        let named = class == Some(0) && !line.text[..at].ends_with(b"error: ");
        named.then(|| Self::new(Form::Announced, Head::read(&line.text[at..]), line, at, context))
    }

    fn tslog(line: &Line<'_>, at: usize, context: &Context<'_>) -> Option<Self> {
        let prefix = Prefix::learn(&line.text[..at]);
        let above = |at: usize| prefix.strip(context.before.get(at)?);
        let head = tslog_head(above(1).filter(|_| above(0) == Some(b"error stack:"))?)?;
        let mut listed = Self::new(Form::Tslog, head, line, at, context);
        listed.take(&line.text[at..]);
        Some(listed)
    }

    fn take(&mut self, bare: &[u8]) -> bool {
        match self.form {
            Form::Announced if bare == b"FROM" => {
                self.form = Form::From;
                true
            }
            Form::Announced => text::blank(bare),
            Form::From => self.frame(frames::read(&[b"at ", bare].concat())),
            Form::Tslog => self.tslog_line(bare),
            Form::Unsettled => !text::blank(bare) && self.passage.last_line < self.passage.first_line + 2,
        }
    }

    fn frame(&mut self, frame: Option<RawFrame>) -> bool {
        let (Some(frame), Some(link)) = (frame, self.links.last_mut()) else { return false };
        if link.frames.len() < FRAMES {
            link.frames.push(frame);
        }
        true
    }

    /// `  • bank.js<tab>Bank.door`, and the place in the next line, behind a tab.
    fn tslog_line(&mut self, bare: &[u8]) -> bool {
        let line = text::string(bare);
        if let Some(call) = line.trim_start().strip_prefix("• ") {
            call.split('\t').nth(1).unwrap_or_default().clone_into(&mut self.function);
            return true;
        }
        if let Some((_, cause)) = line.strip_prefix("Caused by (").and_then(|rest| rest.split_once("): ")) {
            let room = self.links.len() < LINKS;
            if room {
                self.links.push(Link { head: Head::read(cause.as_bytes()), frames: Vec::new() });
            }
            return room;
        }
        let Some(place) = line.strip_prefix('\t') else { return false };
        let Some((file, number)) = place.trim_end().rsplit_once(':') else { return false };
        let call = format!("at {} ({file}:{number}:1)", std::mem::take(&mut self.function));
        let frame = frames::read(call.as_bytes()).map(|frame| RawFrame { own: is_own_relative(file), ..frame });
        self.frame(frame)
    }
}

impl Link {
    fn reason(&self, messages: &Messages) -> CrashReason {
        let own = self.frames.iter().find(|frame| frame.own);
        let place = own.map(|frame| format!("{} {}", frame.file, frame.function)).unwrap_or_default();
        kinds::reason(&Thrown { head: &self.head, details: "", place: &place }, messages)
    }
}

/// tslog names files below the working directory by their relative path, where even one without a folder is the user's.
fn is_own_relative(file: &str) -> bool {
    frames::is_own(&format!("./{file}")) && !file.starts_with("node:")
}

/// ` TypeError  x is not a function`, with two blanks instead of a colon.
fn tslog_head(above: &[u8]) -> Option<Head> {
    let line = text::string(above);
    let (class, message) = line.trim().split_once("  ")?;
    let named = class.ends_with("Error") || class.ends_with("Exception");
    named.then(|| Head::read(format!("{class}: {}", message.trim()).as_bytes()))
}

impl Parser for Listed {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        let bare = self.prefix.strip(line.text).map(<[u8]>::to_vec);
        let Some(bare) = bare.filter(|bare| self.take(bare)) else { return Flow::Over };
        if !text::blank(&bare) {
            self.passage.push(&bare, line.number);
        }
        Flow::Taken
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        // The innermost of those that say most; its frames, or those of the nearest link around it that is the user's.
        let (best, link) = self.links.iter().enumerate().max_by_key(|(_, link)| weight(&link.reason(messages)))?;
        let own = |link: &&Link| link.frames.iter().any(|frame| frame.own);
        let around = self.links[..=best].iter().rev().find(own).unwrap_or(link);
        if around.frames.is_empty() {
            return None;
        }
        let (standing, exits): (_, &'static [i32]) = match self.form {
            Form::Tslog => (Standing::Logged, &[]),
            Form::Unsettled => (Standing::Fatal, &[13]),
            Form::Announced | Form::From => (Standing::Fatal, &[132, 133, 134, 139]),
        };
        Some(Candidate {
            reason: link.reason(messages),
            kind: kinds::word(&link.head),
            exception: (!link.head.class.is_empty()).then(|| link.head.class.clone()),
            message: link.head.message.clone(),
            standing,
            exits,
            culprit: culprit(&around.frames),
            stack: shown(&around.frames),
            signature: signature(&around.frames, false, frames::stable),
            ..Candidate::of(Runtime::Nodejs, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn errors_with_frames_in_other_forms_are_read() {
        let aborted = "Uncaught TypeError: x is not a function\n\nFROM\nBank.door (/app/src/bank.js:8:28)\nnode:internal/main:28:49\n";
        let tslog = "2026-11-25 14:31:24.499\tFATAL\tlibs.js:3\tlockers\tcannot open\n\n TypeError  x is not a function\nerror stack:\n  • bank.js\tBank.door\n\tsrc/bank.js:8\n  • loader\tModule._compile\n\tnode:internal/modules/cjs/loader:1781\n";
        let unsettled = "Warning: Detected unsettled top-level await at file:///app/bank.mjs:8\nawait open();\n^\n\n\n";
        let caused = format!(
            "{}Caused by (1): RangeError: Maximum call stack size exceeded\n  • depth.js\tdepth\n\tsrc/depth.js:3\n",
            tslog.replace("TypeError  x is not a function", "Error  no bank")
        );
        let cases = [
            (caused, 1, "StackOverflow", "depth.js:3"),
            (aborted.to_owned(), 133, "TypeMismatch", "bank.js:8"),
            (aborted.replace("FROM\n", ""), 133, "Abort", ""),
            (tslog.to_owned(), 1, "TypeMismatch", "bank.js:8"),
            (tslog.replace("src/bank.js", "bank.js"), 1, "TypeMismatch", "bank.js:8"),
            (unsettled.to_owned(), 13, "UnhandledError", "bank.mjs:8"),
        ];
        for (log, code, reason, place) in cases {
            let facts = ExitFacts { exit_code: Some(code), ..ExitFacts::default() };
            let finding = Engine::default().classify(log.as_bytes(), facts).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
        }
    }
}
