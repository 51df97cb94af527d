//! What stands around a traceback: who wrote it, and whether the process lived on.

use crate::classify::grammar::{Context, Standing};
use crate::classify::prefix::Prefix;
use crate::classify::severity::Severity;
use crate::classify::text;

/// Who wrote a traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    standing: Standing,
}

/// Words above a traceback that say that something went on, and what.
const SURVIVED: [(&str, &str); 13] = [
    ("Exception ignored in", "the interpreter ignored it"),
    ("--- Logging error ---", "it happened inside of the logger, which went on"),
    ("Exception in ASGI application", "the server answered the request with 500 and went on"),
    ("Exception on /", "the server answered the request with 500 and went on"),
    ("Internal Server Error: /", "the server answered the request with 500 and went on"),
    ("Error handling request", "the server answered the request with 500 and went on"),
    (" raised unexpected: ", "the worker marked the task as failed and went on"),
    ("Exception happened during processing of request", "the server closed the connection and went on"),
    ("\" raised an exception", "the scheduler went on"),
    ("Future exception was never retrieved", "nobody waited for the future, and the process went on"),
    ("Unhandled exception in client_connected_cb", "the server closed the connection and went on"),
    ("Error while processing", "the program went on"),
    ("Retry in ", "the worker tries again"),
];

/// Words above a traceback that are the last ones of a thread, a task or a child: the process lives on, unless it notices.
const OF_A_PART: [&str; 7] = [
    "Exception in thread ",
    "Task exception was never retrieved",
    "Exception in callback ",
    "Exception in worker process",
    "Error in atexit._run_exitfuncs",
    "Process Process-",
    "Process ForkProcess-",
];

/// How many lines above the head are looked at: `future: <Task …>` stands between.
const LINES: usize = 4;

/// Reads the lines above a traceback. `envelope` is what stands before its head in the same line.
pub fn of(envelope: &[u8], prefix: &Prefix, context: &Context<'_>) -> Above {
    let bare = |line: &'_ Vec<u8>| prefix.strip(line).map_or_else(|| line.clone(), <[u8]>::to_vec);
    let lines: Vec<Vec<u8>> = context.before.iter().take(LINES).map(bare).collect();
    // Words count as long as nothing but themselves is between them and the head.
    let title = lines.iter().take_while(|line| !ends_record(line)).chain(lines.first());
    for line in title {
        if let Some((_, why)) = SURVIVED.iter().find(|(words, _)| text::has(line, words)) {
            return Above { standing: Standing::Survived(why) };
        }
        if OF_A_PART.iter().any(|words| text::has(line, words)) {
            return Above { standing: Standing::Logged };
        }
    }
    let level = |line: &[u8]| Severity::of_line(line).is_some_and(|level| level >= Severity::Warn);
    let logged = level(envelope) || lines.first().is_some_and(|line| level(line) || celery(line));
    Above { standing: if logged { Standing::Logged } else { Standing::Printed } }
}

/// `[2026-11-24 04:26:36,578: ERROR/ForkPoolWorker-1] …`
fn celery(line: &[u8]) -> bool {
    text::has(line, ": ERROR/") || text::has(line, ": CRITICAL/")
}

/// A line of a trace or a record of another kind: what is above it has nothing to do with what is below it.
fn ends_record(line: &[u8]) -> bool {
    Severity::of_line(line).is_some_and(|level| level < Severity::Warn) || line.starts_with(b"    ")
}

/// Whether a line looks like a record of a log.
pub fn is_record(line: &[u8]) -> bool {
    let first = line.first().copied().unwrap_or(b' ');
    first.is_ascii_digit() || first == b'{' || first == b'[' || Severity::of_line(line).is_some()
}

impl Above {
    /// A logger wrote it.
    pub fn logged(&mut self) {
        if self.standing == Standing::Printed {
            self.standing = Standing::Logged;
        }
    }

    /// Whether it can be the end.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::grammar::Before;
    use crate::classify::messages::Messages;

    #[test]
    fn the_lines_above_tell_who_wrote_it() {
        let cases: [(&[&str], Standing); 8] = [
            (&["2026-11-24 04:26:36 INFO job 1"], Standing::Printed),
            (&["2026-11-24 04:26:36 ERROR job 1 failed"], Standing::Logged),
            (&["Exception in thread Thread-1 (run):"], Standing::Logged),
            (&["future: <Task finished>", "Task exception was never retrieved"], Standing::Logged),
            (&["Exception ignored in: <function A.__del__>"], Standing::Survived("the interpreter ignored it")),
            (&["[2026-11-24 04:26:36,578: ERROR/Main] x"], Standing::Logged),
            (&["INFO done", "Exception in thread Thread-1 (run):"], Standing::Printed),
            (&[], Standing::Printed),
        ];
        for (before, expected) in cases {
            let before: Vec<Vec<u8>> = before.iter().map(|line| line.as_bytes().to_vec()).collect();
            let collect = || before.clone();
            let context = Context { before: &Before::new(&collect), messages: &Messages::default() };
            assert_eq!(of(b"", &Prefix::default(), &context).standing(), expected, "{before:?}");
        }
    }
}
