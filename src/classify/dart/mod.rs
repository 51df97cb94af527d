//! Dart: unhandled exceptions of its VM, traces that programs print, sources that do not compile.

pub mod frames;
pub mod kinds;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};
use trace::Trace;

/// The grammar of Dart.
#[derive(Debug)]
pub struct Dart;

impl Grammar for Dart {
    fn anchors(&self) -> &'static [&'static str] {
        &["Unhandled exception:", "#0      ", "===== CRASH =====", trace::BROKEN, ".dart:"]
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

    const RANGE: &str = "bakery opens\nUnhandled exception:\nRangeError (index): Invalid value: Not in inclusive range 0..2: 5\n#0      List.[] (dart:core-patch/growable_array.dart:264:36)\n#1      Oven.tray (package:bakery/oven.dart:14:18)\n#2      main (file:///app/bin/bakery.dart:9:8)\n#3      _delayEntrypointInvocation.<anonymous closure> (dart:isolate-patch/isolate_patch.dart:297:19)\n#4      _RawReceivePort._handleMessage (dart:isolate-patch/isolate_patch.dart:184:12)\n";

    fn unhandled(said: &str) -> String {
        format!(
            "Unhandled exception:\n{said}\n#0      Oven.bake (package:bakery/oven.dart:14:18)\n<asynchronous suspension>\n#1      main (file:///app/bin/bakery.dart:9:8)\n<asynchronous suspension>\n"
        )
    }

    #[test]
    fn every_kind_has_its_reason_and_place() {
        let cases = [
            ("Null check operator used on a null value", "NilDereference"),
            (
                "NoSuchMethodError: The getter 'name' was called on null.\nReceiver: null\nTried calling: name",
                "NilDereference",
            ),
            (
                "NoSuchMethodError: Class 'Oven' has no instance method 'x'.\nReceiver: Instance of 'Oven'\nTried calling: x()",
                "UnhandledError",
            ),
            ("type 'String' is not a subtype of type 'int' in type cast", "TypeMismatch"),
            ("Bad state: No element", "MissingKey"),
            ("Exception: the oven is cold", "UnhandledError"),
            (
                "'package:bakery/oven.dart': Failed assertion: line 14 pos 10: 'trays > 0': is not true.",
                "AssertionFailed",
            ),
            (
                "SocketException: Connection refused (OS Error: Connection refused, errno = 111), address = db, port = 5432",
                "ConnectionRefused",
            ),
            (
                "SocketException: Failed host lookup: 'db' (OS Error: Name or service not known, errno = -2)",
                "DnsFailure",
            ),
            (
                "SocketException: Failed to create server socket (OS Error: Address already in use, errno = 98), address = 0.0.0.0, port = 80",
                "PortInUse",
            ),
            (
                "HandshakeException: Handshake error in client (OS Error:\n\tCERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate(handshake.cc:393))",
                "TlsFailure",
            ),
            (
                "PathNotFoundException: Cannot open file, path = '/etc/b.yaml' (OS Error: No such file or directory, errno = 2)",
                "MissingFile",
            ),
            ("TimeoutException after 0:00:05.000000: Future not completed", "DependencyTimeout"),
            ("Stack Overflow", "StackOverflow"),
            ("Out of Memory", "HeapExhausted"),
            ("Unsupported operation: Result of truncating division is Infinity", "ArithmeticError"),
            ("IntegerDivisionByZeroException", "ArithmeticError"),
            ("Bad state: BAKERY_TOKEN is not set", "MissingConfiguration"),
        ];
        for (said, reason) in cases {
            let finding = classify(&unhandled(said), 255).finding;
            let culprit = finding.culprit.unwrap();
            assert_eq!((finding.reason.as_str(), culprit.short().as_str()), (reason, "oven.dart:14"), "{said}");
            assert_eq!((finding.runtime.as_str(), culprit.function.as_deref()), ("dart", Some("Oven.bake")), "{said}");
        }
    }

    #[test]
    fn a_trace_stands_in_any_envelope_and_stays_one_bug() {
        let plain = classify(RANGE, 255);
        assert_eq!(plain.finding.reason.as_str(), "IndexOutOfBounds");
        assert_eq!(plain.finding.exception.as_deref(), Some("RangeError"));
        let shifted = RANGE.replace(":14:18", ":19:18").replace(":9:8", ":12:8");
        let pod: String = shifted.lines().map(|line| format!("[pod/bakery-6d5f8c9b7-x2x4k/app] {line}\n")).collect();
        let stamped: String =
            RANGE.lines().enumerate().map(|(n, line)| format!("2026-11-25T02:00:{n:02}.5Z {line}\n")).collect();
        for log in [shifted, pod, stamped] {
            let found = classify(&log, 255);
            assert_eq!(found.fingerprint, plain.fingerprint, "{log}");
            assert_eq!(found.finding.culprit.unwrap().function.as_deref(), Some("Oven.tray"));
        }
        let other = classify(&RANGE.replace("Oven.tray", "Oven.rack"), 255);
        assert_ne!(other.fingerprint, plain.fingerprint);
        let headless = classify(&RANGE.lines().skip(4).map(|line| format!("{line}\n")).collect::<String>(), 255);
        assert!(headless.head_missing);
        assert_eq!(headless.finding.culprit.unwrap().short(), "oven.dart:14");
    }

    #[test]
    fn what_was_printed_may_have_been_survived() {
        let log =
            format!("skipped: {}{}", &RANGE["bakery opens\nUnhandled exception:\n".len()..], "baked\n".repeat(40));
        assert_eq!(classify(&log, 0).finding.reason.as_str(), "CleanExit");
        let died = classify(&format!("{log}{}", unhandled("Bad state: No element")), 255);
        assert_eq!(died.finding.reason.as_str(), "MissingKey");
    }

    #[test]
    fn sources_that_do_not_compile_are_to_blame() {
        let log = "bin/bakery.dart:5:3: Error: Expected ';' after this.\n  var x = 3\n  ^^^\n";
        let finding = classify(log, 254).finding;
        assert_eq!(
            (finding.reason.as_str(), finding.culprit.unwrap().short().as_str()),
            ("UnhandledError", "bakery.dart:5")
        );
        let absent = "bin/bakery.dart:1:8: Error: Couldn't resolve the package 'oven' in 'package:oven/oven.dart'.\n";
        assert_eq!(classify(absent, 254).finding.reason.as_str(), "MissingModule");
    }

    #[test]
    fn a_million_frames_stay_bounded() {
        let log = format!(
            "Unhandled exception:\nStack Overflow\n{}",
            "#1      deep (package:bakery/oven.dart:4:9)\n".repeat(100_000)
        );
        let found = classify(&log, 255);
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
        assert_eq!(found.finding.reason.as_str(), "StackOverflow");
    }
}
