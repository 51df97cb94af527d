//! Go: panics, fatal errors, signals, race reports, and the stacks that programs print themselves.

pub mod dump;
pub mod frames;
pub mod goroutine;
pub mod head;
pub mod kinds;
pub mod others;
pub mod race;
pub mod recovered;

use super::grammar::{Context, Grammar, Line, Parser, Standing};
use super::record::Record;
use super::severity::Severity;
use super::text;
use dump::Dump;
use goroutine::find_header;
use head::{Form, Head, Printed, panic_value, survived_by};

/// The grammar of Go.
#[derive(Debug)]
pub struct Go;

/// How the lines of a signal begin that Go's runtime did not turn into a panic.
const SIGNALS: [&str; 7] = [
    "SIGQUIT: quit",
    "SIGSEGV: segmentation violation",
    "SIGABRT: abort",
    "SIGBUS: bus error",
    "SIGFPE: floating-point exception",
    "SIGILL: illegal instruction",
    "SIGTRAP: trace trap",
];

/// How far above a printed stack its title is looked for, blank lines included.
const TITLE_LINES: usize = 4;

impl Grammar for Go {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "panic: ",
            "fatal error: ",
            "goroutine ",
            race::HEAD,
            recovered::HEAD,
            SIGNALS[0],
            SIGNALS[1],
            SIGNALS[2],
            SIGNALS[3],
            SIGNALS[4],
            SIGNALS[5],
            SIGNALS[6],
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        self.anchors()
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(at) = text::find(line.text, race::HEAD) {
            return Some(Box::new(race::Race::new(line, at, context)));
        }
        if text::has(line.text, recovered::HEAD) && !line.logged {
            return Some(Box::new(recovered::Recovered::new(line, context)));
        }
        if find_header(line.text).is_some() {
            return Some(Box::new(printed(line, context)));
        }
        headed(line, context).map(|dump| Box::new(dump) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        let inside = frames::place(line.text).is_some()
            || frames::creator(line.text).is_some()
            || (frames::call(line.text).is_some()
                && ["(0x", "({0x", "(...)", "()"].iter().any(|args| text::has(line.text, args)));
        inside.then(|| Box::new(Dump::headless(line)) as Box<dyn Parser>)
    }
}

/// A dump whose head is in this line.
fn headed(line: &Line<'_>, context: &Context<'_>) -> Option<Dump> {
    let after = |words: &str| {
        let at = text::find(line.text, words)?;
        separate(line.text, at).then(|| (at, &line.text[at + words.len()..]))
    };
    // PHP has such errors of two kinds.
    let of_php =
        |at: usize| ["Catchable ", "Recoverable "].iter().any(|kind| line.text[..at].ends_with(kind.as_bytes()));
    if let Some((at, text)) = after("fatal error: ").filter(|(at, _)| !of_php(*at)) {
        return Some(Dump::new(Head::new(Form::Fatal(text::string(text.trim_ascii_end()))), line, at, context));
    }
    if let Some((at, value)) = after("panic: ").filter(|(at, _)| !is_zig(&line.text[..*at])) {
        let value = said_before(value, context).unwrap_or_else(|| panic_value(value));
        return Some(Dump::new(Head::new(Form::Panic(vec![value])), line, at, context));
    }
    let (at, signal) = SIGNALS.iter().find_map(|signal| after(signal).map(|(at, _)| (at, *signal)))?;
    // `[signal SIGSEGV: …]` is a line inside of a head.
    (!line.text[..at].ends_with(b"[signal ")).then(|| Dump::new(signalled(signal, context), line, at, context))
}

/// Loggers that panic write a record first, which tells more: logrus panics with its own entry, of which Go prints no more
/// than the address, zerolog and zap with the message alone and not with the error.
fn said_before(value: &[u8], context: &Context<'_>) -> Option<String> {
    let entry = value.starts_with(b"(*logrus.Entry) ") || value.starts_with(b"(*logrus.Entry)(");
    let above = context.before.iter().find(|line| !text::blank(line))?;
    let record = Record::read(above).filter(|record| record.severity == Some(Severity::Fatal))?;
    let same = !record.error.is_empty() && record.message.as_bytes() == value.trim_ascii_end();
    (entry || same).then(|| record.summary())
}

/// Zig writes `thread 12 panic: …`.
fn is_zig(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let digits = before.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && before[..before.len() - digits].ends_with(b"thread ")
}

/// Nothing that makes it part of a longer word stands before it. A program may have left a line without end, e.g. that of a
/// progress bar: `loading... 50%panic: …`.
fn separate(line: &[u8], at: usize) -> bool {
    at == 0
        || !(line[at - 1].is_ascii_alphanumeric() || matches!(line[at - 1], b'_' | b'-' | b'/' | b'\'' | b'`' | b'*'))
}

fn signalled(signal: &str, context: &Context<'_>) -> Head {
    let thread = context.before.first().filter(|line| text::has(line, "pthread_create failed"));
    match thread {
        Some(line) => Head::new(Form::NoThread(text::string(line))),
        None => Head::new(Form::Signal(signal.to_owned())),
    }
}

/// A stack without the runtime's own head: what is above it tells who printed it.
fn printed(line: &Line<'_>, context: &Context<'_>) -> Dump {
    if line.logged && !context.before.is_empty() {
        return Dump::printed(Head::new(recorded(context)), line, context, context.before.len());
    }
    let above = context.before.iter().take(TITLE_LINES).enumerate();
    for (at, title) in above.filter(|(_, line)| !text::blank(line)) {
        if let Some(form) = title_form(title, at == 0) {
            return Dump::printed(Head::new(form), line, context, at + 1);
        }
    }
    let mut head = Head::default();
    if !begins_inside_dump(line, context) {
        head.form = Form::Printed(Printed {
            title: String::new(),
            standing: Standing::Survived("a dump of goroutines that the program printed itself"),
        });
    } else if context.before.iter().any(|line| line.starts_with(b"[signal SIGSEGV")) {
        head.signal = Some("SIGSEGV".to_owned());
    }
    Dump::printed(head, line, context, 0)
}

/// The title of a stack in a JSON record: the message and the error that stand in it.
fn recorded(context: &Context<'_>) -> Form {
    let lines: Vec<String> = context.before.iter().rev().map(|line| text::string(line)).collect();
    let title = lines.join(": ");
    let standing = survived_by(title.as_bytes()).unwrap_or(Standing::Logged);
    Form::Printed(Printed { title, standing })
}

fn title_form(title: &[u8], adjacent: bool) -> Option<Form> {
    let text = text::string(title);
    if let Some(standing) = survived_by(title) {
        return Some(Form::Printed(Printed { title: text, standing }));
    }
    if !adjacent {
        return None;
    }
    if let Some(at) = klog_fatal(title) {
        return Some(Form::Klog(text[at.min(text.len())..].to_owned()));
    }
    let lower = title.to_ascii_lowercase();
    let telling = ["panic", "fatal", "recover", "crash", "unhandled", "runtime error", "failed"]
        .iter()
        .any(|word| text::has(&lower, word));
    telling.then_some(Form::Printed(Printed { title: text, standing: Standing::Logged }))
}

/// Where `F1124 04:15:10.123456       1 main.go:42] …` begins in a line.
fn klog_fatal(line: &[u8]) -> Option<usize> {
    let starts = |at: &usize| {
        let text = &line[*at..];
        let (digits, rest) = text::split_digits(text.get(1..).unwrap_or_default());
        text.first() == Some(&b'F') && digits.len() == 4 && rest.starts_with(b" ") && text::has(rest, "] ")
    };
    (0..line.len().min(128)).find(|at| starts(at) && separate(line, *at) && line.is_ascii())
}

/// The log begins here, or with nothing but the rest of a stack above.
fn begins_inside_dump(line: &Line<'_>, context: &Context<'_>) -> bool {
    let is_rest = |line: &Vec<u8>| {
        text::blank(line)
            || frames::place(line).is_some()
            || frames::call(line).is_some()
            || frames::creator(line).is_some()
            || line.starts_with(b"[signal ")
    };
    line.number == 1 + context.before.len() as u64 && context.before.iter().all(is_rest) && !line.logged
}
