//! What must hold for the runtimes that have exceptions, whatever a log holds: the same answer however it is cut into
//! chunks, no panic on any mixture of their lines, and lines of one that never become another's.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use coroner::classify::{Classification, Engine, ExitFacts};
use proptest::prelude::*;

/// Made once: it compiles all patterns.
static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);

/// Pieces of which hostile and half-broken logs are made.
const PIECES: [&str; 52] = [
    "Exception in thread \"main\" java.lang.IllegalStateException: cannot close\n",
    "Exception in thread \"pool-1\" java.lang.OutOfMemoryError: Java heap space\n",
    "java.lang.NullPointerException: Cannot invoke \"a\" because \"b\" is null\n",
    "\tat com.acme.Depot.main(Depot.java:3)\n",
    "\tat java.base/java.util.ArrayList.get(ArrayList.java:427)\n",
    "\tSuppressed: java.lang.Error: x\n",
    "\t\tat com.acme.Depot.close(Depot.java:7)\n",
    "Caused by: java.net.ConnectException: Connection refused\n",
    "Wrapped by: java.lang.RuntimeException: y\n",
    "\t... 2 more\n",
    "\t... 99999999999999999999 more\n",
    "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=2\n",
    "# Problematic frame:\n# C  [libx.so+0x1]  poke+0x9\n",
    "APPLICATION FAILED TO START\n***\n\nDescription:\n\nPort 8080 was already in use.\n\nAction:\n\nStop it.\n",
    "Error occurred during initialization of VM\n",
    "Error: Could not find or load main class a.B\n",
    "Unhandled exception. System.InvalidOperationException: cannot open\n",
    "Unhandled Exception:\n",
    "System.AggregateException: One or more (a) ---> System.Exception: b ---> \n",
    " ---> System.Net.Sockets.SocketException (111): Connection refused\n",
    "   at Acme.Depot.Open(Int32 port) in /src/Depot.cs:line 7\n",
    "  at Acme.Depot.Open () [0x00001] in /src/Depot.cs:11 \n",
    "   --- End of inner exception stack trace ---\n",
    "---> (Inner Exception #0) System.Exception: b\n",
    "[ERROR] FATAL UNHANDLED EXCEPTION: System.Exception: b\n",
    "Stack overflow.\nRepeat 9 times:\n--------------------------------\n",
    "Process terminated. Assertion failed.\n",
    "app.rb:3:in `rate': key not found: \"CHF\" (KeyError)\n",
    "app.rb:3:in 'Depot#rate': boom (Depot::Error)\n",
    "\tfrom app.rb:9:in `<main>'\n",
    " ... 10067 levels...\n",
    "#<Thread:0x1 app.rb:5 run> terminated with exception (report_on_exception is true):\n",
    "app.rb:3: [BUG] Segmentation fault at 0x1\n",
    "-- Ruby level backtrace information ----\napp.rb:3:in `<main>'\n",
    "rake aborted!\nDepot::Error: x\n/a.rb:3:in `y'\n",
    "PHP Fatal error:  Uncaught Error: Call to a member function a() on null in /a.php:3\n",
    "Fatal error: Uncaught Error: Call to a member function a() on null in /a.php:3\n",
    "Stack trace:\n#0 /a.php(3): A->b()\n#1 {main}\n",
    "\nNext LogicException: x in /a.php:9\n",
    "  thrown in /a.php on line 3\n",
    "[x] a.ERROR: y {\"exception\":\"[object] (A(code: 0): x at /a.php:3)\n[stacktrace]\n#0 {main}\n\"}\n",
    "In A.php line 3:\n\n  [RuntimeException]\n  x\n\n",
    "[24-Nov-2026 06:49:20] ERROR: FPM initialization failed\n",
    "{\"level\":\"ERROR\",\"message\":\"x\",\"stack_trace\":\"a.B: c\\n\\tat a.D.e(D.java:1)\\nCaused by: f.G: h\\n\\t... 1 more\"}\n",
    "{\"error.stack_trace\":[\n\t\"a.B: c\",\n\t\"\\tat a.D.e(D.java:1)\"]}\n",
    "{\"@l\":\"Fatal\",\"@x\":\"System.X: y\\n   at A.B() in /a.cs:line 3\"}\n",
    "2026-11-24 04:15:10 INFO  depot - order packed\n",
    "[pod/a-1/b] \tat com.acme.Depot.main(Depot.java:3)\n",
    "\n",
    "\u{fc}\u{1F600} in :in `\u{e9}': \u{fc} (\u{c9}rror)\n",
    "at (at (at (\n",
    "x",
];

fn facts(exit_code: i32) -> ExitFacts {
    ExitFacts { exit_code: Some(exit_code), ..ExitFacts::default() }
}

fn in_chunks(log: &[u8], size: usize, exit_code: i32) -> Classification {
    let mut classifier = ENGINE.classifier(facts(exit_code));
    log.chunks(size).for_each(|chunk| classifier.feed(chunk));
    classifier.finish()
}

fn log_of_pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        19 => prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_does_not_depend_on_how_a_log_is_cut(log in log_of_pieces(), size in 1usize..200, code in 0i32..260) {
        let whole = ENGINE.classify(&log, facts(code));
        prop_assert!(whole.excerpt.len() <= 4096 && whole.finding.message.len() <= 1024);
        prop_assert_eq!(in_chunks(&log, size, code), whole);
    }
}

#[test]
fn a_trace_of_many_links_and_frames_still_names_its_first_and_its_last() {
    let mut log = "Exception in thread \"main\" a.Outer: first\n".to_owned();
    for number in 0..50_000 {
        log.push_str(&format!("\tat com.acme.Depot.f{number}(Depot.java:3)\nCaused by: a.Inner{number}: x\n"));
    }
    log.push_str("\tat com.acme.Depot.last(Depot.java:9)\nCaused by: java.net.ConnectException: Connection refused\n\t... 1 more\n");
    let finding = ENGINE.classify(log.as_bytes(), facts(1)).finding;
    assert_eq!(finding.reason.as_str(), "ConnectionRefused");
    assert_eq!(finding.culprit.unwrap().function.as_deref(), Some("com.acme.Depot.last"));
}

#[test]
fn an_exception_that_was_logged_long_before_the_end_is_not_the_cause() {
    let quiet = "2026-11-24 04:31:10 INFO  depot - order packed\n".repeat(40);
    let logged = "2026-11-24 04:31:09 WARN  depot - order skipped\n";
    let traces = [
        "java.lang.IllegalStateException: x\n\tat com.acme.Depot.main(Depot.java:3)\n",
        "System.InvalidOperationException: x\n   at Acme.Depot.Main() in /src/Depot.cs:line 3\n",
        "Depot::Error: x\napp.rb:3:in `close'\napp.rb:9:in `<main>'\n",
        "[x] a.ERROR: y {\"exception\":\"[object] (A(code: 0): x at /a.php:3)\n[stacktrace]\n#0 {main}\n\"}\n",
    ];
    for trace in traces {
        let log = format!("{quiet}{logged}{trace}{quiet}2026-11-24 04:31:50 ERROR depot - DEPOT_URL is not set\n");
        let finding = ENGINE.classify(log.as_bytes(), facts(1)).finding;
        assert_eq!(finding.reason.as_str(), "MissingConfiguration", "{trace}");
        assert_eq!(finding.contributing.len(), 1, "{trace}");
        assert!(finding.contributing[0].why_not.contains("went on"), "{trace}");
    }
}

#[test]
fn the_words_of_an_orderly_shutdown_may_follow_the_trace_that_was_its_reason() {
    let trace = "2026-11-24 04:31:09 ERROR depot - cannot go on\njava.lang.IllegalStateException: sealed\n\tat com.acme.Depot.main(Depot.java:3)\n";
    let quiet = "2026-11-24 04:31:10 INFO  pool - shutdown completed\n".repeat(9);
    let of = |log: String| ENGINE.classify(log.as_bytes(), facts(1)).finding;
    let shutdown = of(format!("{trace}{quiet}"));
    assert_eq!(shutdown.exception.as_deref(), Some("java.lang.IllegalStateException"));
    // An error behind it is nearer to the end.
    let later = of(format!("{trace}{quiet}2026-11-24 04:31:11 ERROR depot - DEPOT_URL is not set\n"));
    assert_eq!(later.reason.as_str(), "MissingConfiguration");
}
