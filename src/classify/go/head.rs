//! What stands above the first goroutine of a dump: the panic, the fatal error, the signal, or what printed it.

use super::kinds::{self, Kind};
use crate::classify::grammar::Standing;
use crate::classify::messages::Messages;
use crate::classify::reason::{
    CONCURRENT_MAP_ACCESS, DEADLOCK, ERROR_EXIT, NIL_DEREFERENCE, SEGFAULT, THREAD_LIMIT, UNHANDLED_ERROR,
};
use crate::classify::text;

/// Most panics of a chain that are kept.
const LINKS: usize = 16;
/// Longest text of one of them, in bytes.
const LINK_BYTES: usize = 4096;

/// The head of a dump.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Which form it has.
    pub form: Form,
    /// The signal of `[signal SIGSEGV: …]`, or of the line before `PC=`.
    pub signal: Option<String>,
    /// It was proven to be Go's: a `PC=` line, a `[signal` line.
    pub proven: bool,
}

/// The forms of a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Cut off.
    #[default]
    Missing,
    /// `panic: …`, and the panics that deferred functions raised while it unwound. The first is the original.
    Panic(Vec<String>),
    /// `fatal error: …`
    Fatal(String),
    /// `SIGQUIT: quit`, `SIGSEGV: segmentation violation` with `PC=…`; the text is the line.
    Signal(String),
    /// cgo could not start a thread, and said so before it aborted.
    NoThread(String),
    /// A record of klog or glog at level fatal.
    Klog(String),
    /// The program printed the stack itself.
    Printed(Printed),
}

/// Who printed a stack, and with which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The line above the stack; empty where there is none that has to do with it.
    pub title: String,
    /// Whether it can be the end.
    pub standing: Standing,
}

/// What a head means: the kind, the line that says so, and which panic of a chain it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The kind.
    pub kind: Kind,
    /// The decisive line.
    pub message: String,
    /// How many panics of the chain were raised before it: 0 for the original.
    pub earlier_panics: usize,
}

impl Head {
    /// A head of this form.
    pub fn new(form: Form) -> Self {
        Self { form, signal: None, proven: false }
    }

    /// Appends a panic that was raised while the first one unwound.
    pub fn nested_panic(&mut self, value: &[u8]) {
        if let Form::Panic(links) = &mut self.form
            && links.len() < LINKS
        {
            links.push(panic_value(value));
        }
    }

    /// Appends a line to the value of the last panic.
    pub fn continued(&mut self, line: &[u8]) {
        if let Form::Panic(links) = &mut self.form
            && let Some(last) = links.last_mut()
            && last.len() + line.len() < LINK_BYTES
        {
            last.push('\n');
            last.push_str(&panic_value(line));
        }
    }

    /// Exit codes that it leads to. `GOTRACEBACK=crash` turns 2 into 134.
    pub fn exits(&self) -> &'static [i32] {
        match self.form {
            Form::Panic(_) | Form::Fatal(_) | Form::Signal(_) | Form::NoThread(_) | Form::Missing => &[2, 134],
            Form::Klog(_) => &[255],
            Form::Printed(_) => &[],
        }
    }

    /// Whether the runtime itself, or a logger that then exits, wrote it.
    pub fn is_raw(&self) -> bool {
        !matches!(self.form, Form::Printed(_))
    }

    /// Whether other goroutines are worth reading: those that are inside of the same map, or asleep too.
    pub fn wants_others(&self) -> bool {
        matches!(&self.form, Form::Fatal(text)
            if kinds::of_fatal(text).is_some_and(|kind| kind.reason == CONCURRENT_MAP_ACCESS || kind.reason == DEADLOCK))
            || self.form == Form::Missing
    }

    /// Whether the goroutine that matters need not be the first: a fault outside of Go, a deadlock.
    pub fn may_choose(&self) -> bool {
        !matches!(self.form, Form::Panic(_) | Form::Printed(_))
    }

    /// What it means. `functions` are those of the goroutine that matters, the top one first.
    pub fn meaning<'a>(
        &self,
        functions: impl Iterator<Item = &'a str> + Clone,
        messages: &Messages,
    ) -> Option<Meaning> {
        let one = |kind, message: &str| Some(Meaning { kind, message: message.to_owned(), earlier_panics: 0 });
        match &self.form {
            Form::Panic(links) => Some(of_chain(links, messages)),
            Form::Fatal(text) => one(self.of_fatal(text), &format!("fatal error: {text}")),
            Form::Signal(line) => one(kinds::of_signal(line.split(':').next()?)?, line),
            Form::NoThread(line) => one(kind(THREAD_LIMIT, "pthread_create failed"), line),
            Form::Klog(line) => one(of_log(line.split_once("] ").map_or("", |(_, text)| text), messages), line),
            Form::Printed(printed) => one(of_title(&printed.title, functions, messages), &printed.title),
            Form::Missing => one(self.of_missing(functions), ""),
        }
    }

    fn of_fatal(&self, text: &str) -> Kind {
        let kind = kinds::of_fatal(text).unwrap_or_else(|| kinds::of_unknown_fatal(text));
        let signal = self.signal.as_deref().and_then(kinds::of_signal);
        // `unexpected signal` and `fault` leave it to the signal to say which.
        match signal {
            Some(signal) if kind.reason == SEGFAULT => Kind { exception: kind.exception, ..signal },
            _ => kind,
        }
    }

    fn of_missing<'a>(&self, mut functions: impl Iterator<Item = &'a str> + Clone) -> Kind {
        if self.signal.as_deref() == Some("SIGSEGV") {
            return kind(NIL_DEREFERENCE, "nil pointer dereference");
        }
        kinds::of_frames(functions.clone()).unwrap_or_else(|| {
            let panicked = functions.any(|f| matches!(f, "panic" | "runtime.gopanic"));
            kind(if panicked { UNHANDLED_ERROR } else { ERROR_EXIT }, "head missing")
        })
    }
}

fn kind(reason: crate::classify::finding::CrashReason, word: &str) -> Kind {
    Kind { reason, word: word.to_owned(), exception: None }
}

/// Of a chain of panics the most actionable one; of equals the original, which stands first.
fn of_chain(links: &[String], messages: &Messages) -> Meaning {
    let kinds: Vec<Kind> = links.iter().map(|link| kinds::of_panic(link, messages)).collect();
    let at = kinds
        .iter()
        .position(Kind::is_actionable)
        .or_else(|| kinds.iter().position(|kind| !kind.is_vague()))
        .unwrap_or(0);
    let value = links.get(at).and_then(|link| link.lines().find(|line| !line.trim().is_empty())).unwrap_or_default();
    let kind = kinds.into_iter().nth(at).unwrap_or_else(|| kind(UNHANDLED_ERROR, "panic"));
    Meaning { kind, message: format!("panic: {}", value.trim()), earlier_panics: at }
}

/// A logger's last words with a stack below them.
fn of_log(text: &str, messages: &Messages) -> Kind {
    use crate::classify::messages::Voice;
    let reason = messages.meaning(text, Voice::LastWords).map_or(UNHANDLED_ERROR, |meaning| meaning.reason);
    kind(reason, text)
}

/// Words after which the title of a printed stack quotes the value of the panic.
const QUOTES: [&str; 6] =
    ["panic serving ", "Observed a panic: ", "panic recovered: ", "recovered from panic: ", "panic: ", "recovered: "];

fn of_title<'a>(title: &str, functions: impl Iterator<Item = &'a str> + Clone, messages: &Messages) -> Kind {
    let value = QUOTES.iter().find_map(|quote| title.split_once(quote)).map_or(title, |(_, value)| value);
    // net/http names the client first: `127.0.0.1:58452: runtime error: …`.
    let value = match value.split_once(": ") {
        Some((address, value)) if title.contains("panic serving ") && address.contains(':') => value,
        _ => value,
    };
    let kind = kinds::of_panic(value.trim_start_matches('"'), messages);
    if kind.is_vague() { kinds::of_frames(functions).unwrap_or(kind) } else { kind }
}

/// The value in a line behind `panic: `, without what the runtime adds behind it.
pub fn panic_value(value: &[u8]) -> String {
    let mut value = text::string(&value[..value.len().min(LINK_BYTES)]);
    while let Some(open) = value.rfind(" [").filter(|_| value.ends_with(']')) {
        let added = value[open + 2..value.len() - 1]
            .split(", ")
            .all(|word| matches!(word, "recovered" | "repanicked" | "goexit"));
        if !added {
            break;
        }
        value.truncate(open);
    }
    value
}

/// Lines above a stack that say what caught the panic.
pub fn survived_by(line: &[u8]) -> Option<Standing> {
    const CAUGHT: [(&str, &str); 6] = [
        ("http: panic serving ", "recovered by net/http, which went on serving"),
        ("http2: panic serving ", "recovered by net/http, which went on serving"),
        ("[Recovery]", "recovered by gin, which went on serving"),
        ("[PANIC RECOVER]", "recovered by echo, which went on serving"),
        ("panic recovered:", "it was recovered, and the program went on"),
        ("recovered from panic", "it was recovered, and the program went on"),
    ];
    let caught = CAUGHT.iter().find(|(words, _)| text::has(line, words));
    caught
        .map(|(_, why)| Standing::Survived(why))
        .or_else(|| text::has(line, "Observed a panic").then_some(Standing::Logged))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(links: &[&str]) -> (String, String, usize) {
        let links: Vec<String> = links.iter().map(|link| panic_value(link.as_bytes())).collect();
        let meaning = of_chain(&links, &Messages::default());
        (meaning.kind.reason.to_string(), meaning.message, meaning.earlier_panics)
    }

    #[test]
    fn the_most_actionable_panic_of_a_chain_counts_and_of_equals_the_original() {
        let cases = [
            (vec!["boom [recovered]", "boom"], ("UnhandledError", "panic: boom", 0)),
            (vec!["boom [recovered, repanicked]"], ("UnhandledError", "panic: boom", 0)),
            (
                vec!["boom", "runtime error: index out of range [1] with length 0"],
                ("IndexOutOfBounds", "panic: runtime error: index out of range [1] with length 0", 1),
            ),
            (
                vec![
                    "dial tcp 10.0.0.1:1: connect: connection refused [recovered]",
                    "runtime error: integer divide by zero",
                ],
                ("ConnectionRefused", "panic: dial tcp 10.0.0.1:1: connect: connection refused", 0),
            ),
        ];
        for (links, (reason, message, earlier)) in cases {
            assert_eq!(meaning(&links), (reason.to_owned(), message.to_owned(), earlier));
        }
    }

    #[test]
    fn the_title_of_a_recovered_panic_names_its_kind() {
        let title = "2026/11/24 04:15:10 http: panic serving 127.0.0.1:58452: runtime error: integer divide by zero";
        let kind = of_title(title, std::iter::empty(), &Messages::default());
        assert_eq!(kind.reason.as_str(), "ArithmeticError");
    }
}
