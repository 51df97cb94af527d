//! Swift: `Fatal error` lines of its runtime, and the backtraces below them.

pub mod frames;
pub mod head;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};
use trace::Trace;

/// The grammar of Swift.
#[derive(Debug)]
pub struct Swift;

impl Grammar for Swift {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "Fatal error: ",
            "Precondition failed",
            "Assertion failed",
            "Program crashed: ",
            "Could not cast value of type ",
            "Fatal access conflict detected",
            "Simultaneous accesses to 0x",
            "Current stack trace:",
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        Trace::new(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        Trace::without_head(line).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Classification, Engine, ExitFacts};

    fn classify(log: &str, code: i32) -> Classification {
        Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
    }

    const CRASHED: &str = "Swift/ContiguousArrayBuffer.swift:600: Fatal error: Index out of range\n\n💣 Program crashed: System trap at 0x00007f3e5c2f1a10\n\nPlatform: x86_64 Linux (Ubuntu 22.04.4 LTS)\n\nThread 0 \"orchard\" crashed:\n\n 0 [inlined] [system] _assertionFailure(_:_:file:line:flags:) in libswiftCore.so at /home/build/swift/AssertCommon.swift:144\n 1 [ra] Orchard.row(_:) + 112 in orchard at /src/Sources/orchard/Orchard.swift:14:22\n\n    12│     func row(_ n: Int) -> Row {\n    13│         // trees\n    14│         return rows[n]\n      │                ^\n\n 2 [ra] static Main.main() + 40 in orchard at /src/Sources/orchard/Main.swift:9:13\n\nRegisters:\n\nrax 0x0000000000000001  1\n\nBacktrace took 0.05s\n";

    #[test]
    fn every_form_has_its_reason_and_place() {
        let cases = [
            (CRASHED.to_owned(), 132, "IndexOutOfBounds", "Orchard.swift:14"),
            (
                "orchard/Orchard.swift:21: Fatal error: Unexpectedly found nil while unwrapping an Optional value\n".into(),
                132,
                "UnwrapFailed",
                "Orchard.swift:21",
            ),
            (
                "Fatal error: no tree: file /src/Sources/orchard/Orchard.swift, line 30\n".into(),
                132,
                "UnhandledError",
                "Orchard.swift:30",
            ),
            (
                "Swift/ErrorType.swift:253: Fatal error: Error raised at top level: orchard.OrchardError.shut\n".into(),
                133,
                "UnhandledError",
                "",
            ),
            (
                "Swift/ErrorType.swift:200: Fatal error: Error raised at top level: NIOPosix.NIOConnectionError(host: \"db\", port: 5432, connectionErrors: [connect(descriptor:addr:size:): Connection refused (errno: 111)])\n".into(),
                132,
                "ConnectionRefused",
                "",
            ),
            ("Could not cast value of type 'A' (0x55d0) to 'B' (0x55d8).\n".into(), 134, "TypeMismatch", ""),
            (
                "*** Program crashed: Bad pointer dereference at 0x0000000000000008 ***\n\nThread 2 crashed:\n\n0 0x000055d0 Orchard.peek() + 16 in orchard at /src/Sources/orchard/Orchard.swift:44:9\n".into(),
                139,
                "Segfault",
                "Orchard.swift:44",
            ),
            ("orchard/Orchard.swift:9: Fatal error: Division by zero\n".into(), 132, "ArithmeticError", "Orchard.swift:9"),
            (
                "orchard/Orchard.swift:9: Precondition failed: lane is open\n".into(),
                132,
                "AssertionFailed",
                "Orchard.swift:9",
            ),
        ];
        for (log, code, reason, place) in cases {
            let finding = classify(&log, code).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
            assert_eq!(finding.runtime.as_str(), "swift", "{log}");
        }
    }

    #[test]
    fn a_backtrace_stands_in_any_envelope_and_stays_one_bug() {
        let plain = classify(CRASHED, 132);
        let shifted = CRASHED.replace("Orchard.swift:14", "Orchard.swift:19").replace("5c2f1a10", "5c2f1b20");
        let pod: String = shifted.lines().map(|line| format!("[pod/orchard-6d5f8c9b7-x2x4k/app] {line}\n")).collect();
        let stamped: String =
            CRASHED.lines().enumerate().map(|(n, line)| format!("2026-11-25T02:00:{n:02}.5Z {line}\n")).collect();
        for log in [shifted, pod, stamped] {
            let found = classify(&log, 132);
            assert_eq!(found.fingerprint, plain.fingerprint, "{log}");
            assert_eq!(found.finding.culprit.unwrap().function.as_deref(), Some("Orchard.row"));
        }
        let other = classify(&CRASHED.replace("Orchard.row(_:)", "Orchard.tree(_:)"), 132);
        assert_ne!(other.fingerprint, plain.fingerprint);
    }

    #[test]
    fn a_million_frames_stay_bounded() {
        let log = format!(
            "💣 Program crashed: Bad pointer dereference at 0x1\n\nThread 0 crashed:\n\n{}",
            "1 [ra] deep(_:) + 16 in orchard at /src/Orchard.swift:4:9\n".repeat(100_000)
        );
        let found = classify(&log, 139);
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
        assert_eq!(found.finding.reason.as_str(), "StackOverflow");
    }
}
