//! What must hold for the classifier whatever a log holds: the same answer however it is cut into chunks, no panic on any
//! bytes, memory that does not grow, and a statement when the head of a dump is missing.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use coroner::classify::{Classification, Engine, ExitFacts};
use proptest::prelude::*;

/// Made once: it compiles all patterns.
static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::default);

fn facts(exit_code: i32) -> ExitFacts {
    ExitFacts { exit_code: Some(exit_code), ..ExitFacts::default() }
}

fn in_chunks(engine: &Engine, log: &[u8], sizes: &[usize], exit_code: i32) -> Classification {
    let mut classifier = engine.classifier(facts(exit_code));
    let (mut rest, mut sizes) = (log, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = (*sizes.next().unwrap()).clamp(1, rest.len());
        classifier.feed(&rest[..size]);
        rest = &rest[size..];
    }
    classifier.finish()
}

fn corpus(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/corpus/{name}/log.txt", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Pieces of which hostile and half-broken logs are made.
const PIECES: [&str; 24] = [
    "panic: boom\n",
    "\tpanic: again [recovered]\n",
    "fatal error: concurrent map writes\n",
    "fatal error: all goroutines are asleep - deadlock!\n",
    "\n",
    "goroutine 1 [running]:\n",
    "goroutine 7 [chan receive]:\n",
    "main.f(0x1)\n",
    "\t/app/main.go:7 +0x1\n",
    "created by main.main in goroutine 1\n",
    "runtime.mapassign_faststr(0x1)\n\t/usr/local/go/src/runtime/map.go:1 +0x1\n",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n",
    "WARNING: DATA RACE\nWrite at 0x1 by goroutine 7:\n  main.w()\n      /app/main.go:9 +0x1\n",
    "==================\n",
    "2026/11/24 04:15:10 http: panic serving 1.2.3.4:5: boom\n",
    "{\"level\":\"fatal\",\"msg\":\"panic: x\\n\\ngoroutine 1 [running]:\\nmain.f()\\n\\t/a.go:1\"}\n",
    "{\"log\":\"panic: boom\\n\",\"stream\":\"stderr\"}\n",
    "2026/11/24 04:15:10 GET /api 200\r\n",
    "\x1b[31mERROR\x1b[0m dial tcp 10.0.0.1:1: connect: connection refused\n",
    "[pod/a-1/b] panic: boom\n",
    "[pod/a-1/b] goroutine 1 [running]:\n",
    "SIGQUIT: quit\nPC=0x1 m=0\n",
    "runtime stack:\n",
    "x",
];

fn log_of_pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_does_not_depend_on_how_a_log_is_cut(log in log_of_pieces(), sizes in prop::collection::vec(1usize..300, 1..8), code in 0i32..260) {
        prop_assert_eq!(in_chunks(&ENGINE, &log, &sizes, code), ENGINE.classify(&log, facts(code)));
    }

    #[test]
    fn no_bytes_make_it_panic(log in prop::collection::vec(any::<u8>(), 0..4096), code in any::<i32>()) {
        let classification = ENGINE.classify(&log, facts(code));
        prop_assert!(classification.excerpt.len() <= 4096);
    }
}

#[test]
fn every_log_of_the_corpus_gives_the_same_answer_in_any_chunks() {
    let engine = Engine::default();
    for name in [
        "go-concurrent-map-writes",
        "go-trap-recovered-then-sigterm",
        "go-connection-refused",
        "jvm-close-month-logstash",
    ] {
        let log = corpus(name);
        let whole = engine.classify(&log, facts(2));
        for size in [1, 2, 7, 100, 4096, 1 << 20] {
            assert_eq!(in_chunks(&engine, &log, &[size], 2), whole, "{name} in chunks of {size}");
        }
    }
}

/// The middle of a log begins in a line, not where a chunk happens to begin.
#[test]
fn a_log_with_a_middle_gives_the_same_answer_in_any_chunks() {
    let traffic: String = (0..40_000).map(|n| format!("served request {n}\n")).collect();
    let survived = "http: panic serving 10.0.0.1:1: boom\ngoroutine 9 [running]:\nmain.g()\n\t/src/b.go:9 +0x1\n";
    for end in [
        "lua: gate.lua:7: no lane\nstack traceback:\n\tgate.lua:7: in main chunk\n",
        "panic: late\n\ngoroutine 1 [running]:\nmain.f()\n\t/src/a.go:7 +0x1\n",
    ] {
        let log = [&traffic, survived, &traffic, end].concat();
        let whole = in_chunks(&ENGINE, log.as_bytes(), &[log.len()], 1);
        assert!(whole.finding.culprit.is_some(), "{whole:?}");
        for sizes in [&[1 << 16][..], &[511, 70_001], &[524_287, 2, 999_999]] {
            assert_eq!(in_chunks(&ENGINE, log.as_bytes(), sizes, 1), whole, "{sizes:?}");
        }
    }
}

#[test]
fn long_lines_are_cut_the_same_way_in_any_chunks() {
    let engine = Engine::default();
    let mut log = b"start\npanic: ".to_vec();
    log.extend(std::iter::repeat_n(b'x', 300_000));
    log.extend_from_slice(b"\n\ngoroutine 1 [running]:\nmain.f()\n\t/app/main.go:7 +0x1\n");
    log.extend(std::iter::repeat_n(b'y', 200_000));
    let whole = engine.classify(&log, facts(2));
    assert_eq!(whole.finding.culprit.as_ref().unwrap().short(), "main.go:7");
    assert!(whole.finding.message.len() <= 1024 && whole.truncated);
    for size in [1000, 65_536, 65_537] {
        assert_eq!(in_chunks(&engine, &log, &[size], 2), whole, "chunks of {size}");
    }
}

#[test]
fn a_dump_without_its_head_is_said_to_be_one() {
    let engine = Engine::default();
    let text = String::from_utf8(corpus("go-concurrent-map-writes")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let head = lines.iter().position(|line| line.starts_with("fatal error")).unwrap();
    let whole = engine.classify(text.as_bytes(), facts(2));
    assert!(!whole.head_missing);
    for cut in head + 1..lines.len() - 4 {
        let rest = lines[cut..].join("\n");
        let classification = engine.classify(rest.as_bytes(), facts(2));
        assert!(classification.head_missing, "from {:?} on", lines[cut]);
        // While the goroutine that died is whole, its frames still tell what happened.
        if cut <= head + 3 {
            assert_eq!(classification.finding.reason, whole.finding.reason);
            assert_eq!(classification.finding.culprit, whole.finding.culprit);
        }
    }
}

#[test]
fn a_dump_that_the_program_printed_itself_is_no_missing_head() {
    let log = "ready\ngoroutine 5 [select]:\nmain.loop()\n\t/app/main.go:9 +0x1\n\nready again\n".repeat(3);
    let classification = Engine::default().classify(log.as_bytes(), facts(1));
    assert!(!classification.head_missing);
    assert_eq!(classification.finding.reason.as_str(), "ErrorExit");
}

#[test]
fn an_empty_log_is_explained_by_the_termination_message() {
    let engine = Engine::default();
    let message = String::from_utf8(corpus("go-index-out-of-range")).unwrap();
    let from_log = engine.classify(message.as_bytes(), facts(2));
    let facts = ExitFacts { message: Some(message), reason: Some("Error".into()), ..facts(2) };
    let classification = engine.classify(b"", facts);
    assert!(classification.from_message && classification.log_bytes == 0);
    assert_eq!(classification.finding, from_log.finding);
    assert_eq!(classification.fingerprint, from_log.fingerprint);
}

#[test]
fn what_the_kernel_states_wins_and_the_log_is_kept_beside_it() {
    let facts = ExitFacts { reason: Some("OOMKilled".into()), exit_code: Some(137), ..ExitFacts::default() };
    let classification = Engine::default().classify(&corpus("go-index-out-of-range"), facts);
    let finding = classification.finding;
    assert_eq!((finding.reason.as_str(), finding.runtime.as_str()), ("OOMKilled", "go"));
    assert_eq!(finding.contributing[0].reason.as_str(), "IndexOutOfBounds");
}
