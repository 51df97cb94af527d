//! Rust: panics and their cascades, aborts of the runtime, errors that `main` returns.

mod failure;
mod frames;
mod hooks;
pub mod kinds;
mod outcome;
mod panic;
mod told;

use super::grammar::{Context, Grammar, Line, Parser};
use super::text;
use failure::Failure;
use panic::Panics;

/// The grammar of Rust.
#[derive(Debug)]
pub struct Rust;

/// What stands below the name of an error that anyhow or eyre print.
const SECTIONS: [&str; 4] = [
    "Caused by:",
    "Stack backtrace:",
    // snafu.
    "Caused by this error:",
    "Caused by these errors (recent errors listed first):",
];

/// How many lines into a log a backtrace may begin for its head to be cut off.
const HEAD_LINES: u64 = 2;

impl Grammar for Rust {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "panicked at ",
            "overflowed its stack",
            panic::FATAL[1],
            panic::FATAL[2],
            SECTIONS[0],
            "Error: ",
            "stack backtrace:",
            SECTIONS[1],
            SECTIONS[2],
            SECTIONS[3],
            panic::REPORT,
            // miette and error-stack draw their chains. The hook of tracing-panic logs its fields.
            failure::DRAWN[0],
            failure::DRAWN[1],
            failure::DRAWN[2],
            "panic.location",
            hooks::FILES,
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &["panicked at ", SECTIONS[0], SECTIONS[1]]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(parser) = Panics::from_header(line, context) {
            return Some(Box::new(parser));
        }
        let hooked = Panics::from_report(line, context).or_else(|| Panics::from_files(line, context));
        if let Some(parser) = hooked.or_else(|| Panics::from_fields(line, context)) {
            return Some(Box::new(parser));
        }
        if let Some(parser) = Panics::from_fatal(line, context) {
            return Some(Box::new(parser));
        }
        if let Some(section) = SECTIONS.iter().find(|section| line.text.ends_with(section.as_bytes())) {
            let at = line.text.len() - section.len();
            return Failure::from_section(line, at, context).map(|parser| Box::new(parser) as Box<dyn Parser>);
        }
        if let Some(parser) = Failure::from_drawing(line, context) {
            return Some(Box::new(parser));
        }
        if line.text.ends_with(b"stack backtrace:") && line.number <= HEAD_LINES {
            return Some(Box::new(Panics::headless(line, line.text.len() - b"stack backtrace:".len())));
        }
        let at = text::find(line.text, "Error: ").filter(|at| *at == 0 || matches!(line.text[at - 1], b' ' | b'\t'))?;
        Failure::from_name(line, at, context).map(|parser| Box::new(parser) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        let at = frames::find(line.text)?;
        Some(Box::new(Panics::headless(line, at)))
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Classification, Engine, ExitFacts};

    fn classify(log: &str, code: i32) -> Classification {
        Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
    }

    #[test]
    fn the_runtimes_own_frames_of_a_full_backtrace_are_not_shown() {
        let frame = |number: u32, symbol: &str, place: &str| {
            format!("{number:4}:     0x55be04b7ab9a - {symbol}\n{:31}at {place}\n", "")
        };
        let (panicking, own) = (
            frame(0, "core::panicking::panic_fmt", "/rustc/5980/library/core/src/panicking.rs:80:14"),
            frame(1, "lanes::Hub::sort::h0a042be8d59234ec", "/app/src/hub.rs:25:19"),
        );
        let start = frame(2, "__libc_start_call_main", "./csu/../sysdeps/nptl/libc_start_call_main.h:58:16");
        let log =
            format!("thread 'main' (7) panicked at src/hub.rs:25:19:\nboom\nstack backtrace:\n{panicking}{own}{start}");
        let facts = ExitFacts { exit_code: Some(101), ..ExitFacts::default() };
        let excerpt = Engine::default().classify(log.as_bytes(), facts).excerpt;
        assert_eq!(
            excerpt,
            format!("thread 'main' (7) panicked at src/hub.rs:25:19:\nboom\nstack backtrace:\n{}", own.trim_end())
        );
    }

    #[test]
    fn what_the_corpus_does_not_hold_is_read_too() {
        let cases = [
            // Before version 1.73, over several lines.
            (
                "thread 'main' panicked at 'assertion failed: `(left == right)`\n  left: `1`,\n right: `2`', src/a.rs:3:5\n",
                101,
                "AssertionFailed",
                "a.rs:3",
            ),
            // log-panics, and a hook that leaves the thread out.
            ("ERROR panic: thread 'main' panicked at 'boom': src/a.rs:3\n", 101, "UnhandledError", "a.rs:3"),
            (
                "panicked at src/a.rs:3:5:\nindex out of bounds: the len is 1 but the index is 2\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            // In a library the place is none of the user's.
            (
                "thread 'main' panicked at /root/.cargo/registry/src/x/tokio-1.0.0/src/a.rs:3:5:\nno reactor\n",
                101,
                "UnhandledError",
                "",
            ),
            ("fatal runtime error: Rust cannot catch foreign exceptions, aborting\n", 134, "Abort", ""),
            // A worker's panic with an orderly end is none.
            ("thread 'w' panicked at src/a.rs:3:5:\nboom\n", 0, "CleanExit", ""),
            (
                "   3: core::panicking::panic_bounds_check\n   4: lanes::gate\n             at ./src/a.rs:3:5\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            // anyhow, without causes.
            (
                "Error: no lanes\n\nStack backtrace:\n   0: anyhow::error::<impl anyhow::Error>::msg\n             at /root/.cargo/registry/src/x/anyhow-1.0/src/a.rs:10:14\n   1: lanes::run\n             at ./src/a.rs:3:13\n",
                1,
                "UnhandledError",
                "a.rs:3",
            ),
            // The report that color-eyre makes of a panic.
            (
                "The application panicked (crashed).\nMessage:  index out of bounds: the len is 1 but the index is 3\nLocation: src/a.rs:3\n\nBacktrace omitted. Run with RUST_BACKTRACE=1 environment variable to display it.\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            // A lock that a thread left poisoned ended the process; the thread's own panic did not.
            (
                "thread 'w' (7) panicked at src/b.rs:3:5:\nboom\n\nthread 'main' (1) panicked at src/a.rs:3:5:\ncalled `Result::unwrap()` on an `Err` value: PoisonError { .. }\n",
                101,
                "BorrowViolation",
                "a.rs:3",
            ),
            // A hook that logs it.
            (
                "{\"timestamp\":\"2026-11-25T06:52:59Z\",\"level\":\"ERROR\",\"fields\":{\"message\":\"panicked: panicked at src/a.rs:3:51:\\nindex out of bounds: the len is 1 but the index is 3\"},\"target\":\"lanes\"}\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            // Behind a line that the program left without end.
            (
                "loading lanes ... thread 'main' panicked at src/a.rs:3:5:\nindex out of bounds: the len is 1 but the index is 3\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            // miette, its hook for panics, error-stack, snafu, tracing-panic.
            (
                "Error: rules::bad\n\n  × cannot load rules\n  ╰─▶ Permission denied (os error 13)\n   ╭─[/etc/rules.kdl:2:3]\n 1 │ rule {\n   ·     ╰── here\n   ╰────\n  help: see above\n",
                1,
                "PermissionDenied",
                "",
            ),
            (
                "Error:   x Main thread panicked.\n  |-> at src/a.rs:3:5\n  `-> index out of bounds: the len is 0 but the index is 2\n  help: set the `RUST_BACKTRACE=1` environment variable\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            (
                "Error: cannot start\n├╴at src/b.rs:9:9\n│\n├─▶ could not load rules\n│   ╰╴at src/a.rs:3:5\n│\n╰─▶ No such file or directory (os error 2)\n    ├╴at /rustc/1/library/core/src/ops/function.rs:250:5\n    ╰╴/etc/rules.yaml\n",
                1,
                "MissingFile",
                "a.rs:3",
            ),
            (
                "Error: cannot open the store\n\nCaused by this error:\n  1: Connection refused (os error 111)\n",
                1,
                "ConnectionRefused",
                "",
            ),
            (
                "{\"level\":\"ERROR\",\"fields\":{\"message\":\"A panic occurred\",\"panic.payload\":\"called `Option::unwrap()` on a `None` value\",\"panic.location\":\"src/a.rs:3:5\"}}\n",
                101,
                "UnwrapFailed",
                "a.rs:3",
            ),
            // An error that was unwrapped brings its causes and where it was made.
            (
                "thread 'main' panicked at src/main.rs:9:5:\ncalled `Result::unwrap()` on an `Err` value: connect to scale\n\nCaused by:\n    Connection refused (os error 111)\n\nStack backtrace:\n   0: anyhow::error::<impl anyhow::Error>::msg\n             at ./root/.cargo/registry/src/x/anyhow-1.0.105/src/backtrace.rs:10:14\n   1: granary::refused\n             at ./src/a.rs:3:5\nstack backtrace:\n   0: core::result::unwrap_failed\n             at ./rustc/1/library/core/src/result.rs:1:5\n   1: granary::main\n             at ./src/main.rs:9:5\n",
                101,
                "ConnectionRefused",
                "a.rs:3",
            ),
            // The panic of a task, of which main's error only tells.
            (
                "thread 'tokio-rt-worker' (9) panicked at src/a.rs:3:5:\nindex out of bounds: the len is 3 but the index is 7\nError: grinder task\n\nCaused by:\n    task 3 panicked with message \"index out of bounds: the len is 3 but the index is 7\"\n",
                1,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            // log-panics with frames, of which some are inlined; better-panic; values without fields.
            (
                "[2026-11-25T14:26:13Z ERROR panic] thread 'main' panicked at 'boom': src/b.rs:17\n       0: <backtrace::capture::Backtrace as core::default::Default>::default\n                 at root/.cargo/registry/src/x/backtrace-0.3.77/src/capture.rs:523:9\n       1: core::panicking::panic_fmt\n                 at rustc/5968/library/core/src/panicking.rs:1:9\n          index<u32, usize>\n                 at rustc/5968/library/core/src/slice/index.rs:19:15\n       2: granary::silo::Silo::level\n                 at src/a.rs:3:57\n    \n",
                101,
                "UnhandledError",
                "a.rs:3",
            ),
            (
                "Backtrace (most recent call first):\n  File \"rust:library/std/src/panicking.rs\", line 689, in __rustc[b7]::rust_begin_unwind\n  File \"/app/src/a.rs\", line 3, in granary::silo::Silo::level\n    pub fn level(&self) -> u32 { self.tonnes[day] }\n  File \"/app/src/main.rs\", line 9, in granary::main\n\nThe application panicked (crashed).\n  index out of bounds: the len is 3 but the index is 7\nin src/a.rs, line 3\nthread: main\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            (
                "2026-11-25T14:26:12Z ERROR ret: A panic occurred panic.payload=\"index out of bounds: the len is 3 but the index is 7\" panic.location=\"src/a.rs:3:57\"\n",
                101,
                "IndexOutOfBounds",
                "a.rs:3",
            ),
            ("Error: NotPresent\n", 1, "MissingConfiguration", ""),
            // color-eyre numbers from 0 and has its name in the first cause.
            (
                "Error: \n   0: cannot start\n   1: Connection refused (os error 111)\n\nLocation:\n   src/a.rs:3\n",
                1,
                "ConnectionRefused",
                "a.rs:3",
            ),
        ];
        for (log, code, reason, place) in cases {
            let finding = classify(log, code).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
        }
    }

    #[test]
    fn a_cascade_without_end_stays_bounded() {
        let panic = "thread 'w' panicked at src/a.rs:3:5:\nboom\nstack backtrace:\n   0: a::b\n";
        let found = classify(&panic.repeat(20_000), 101);
        assert_eq!(found.finding.reason.as_str(), "UnhandledError");
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
    }
}
