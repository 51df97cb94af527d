//! Work grows with the bytes and no faster, on what hostile programs may write. Compared are processor times of one run, of
//! an input and of the same four times as long: linear work takes four times as much, quadratic work sixteen times.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::hint::black_box;

use coroner::classify::proof::{Crash, RaceReader, compare};
use coroner::classify::{Engine, ExitFacts};
use coroner::redact::Redactor;

/// Between linear and quadratic, away from both: caches and an allocator that has to grow cost something, too.
const MOST: f64 = 8.0;
/// Turns, of which the fastest counts: what else the machine does only makes them slower.
const TURNS: usize = 3;

/// Time that this thread has spent on a processor, in nanoseconds, whatever else runs on the machine.
fn processor_time() -> u64 {
    // The kernel counts up to the last time that it looked, and looks when a thread offers its place.
    std::thread::yield_now();
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split_whitespace().next().unwrap().parse().unwrap()
}

fn cost(work: &dyn Fn(&[u8]), input: &[u8]) -> u64 {
    let turn = || {
        let before = processor_time();
        work(input);
        processor_time() - before
    };
    (0..TURNS).map(|_| turn()).min().unwrap()
}

/// Fails with the names of the inputs on which `work` is not linear. `make` makes an input of about so many bytes.
fn assert_linear(work: &dyn Fn(&[u8]), inputs: &[(&str, &dyn Fn(usize) -> Vec<u8>)], bytes: usize) {
    let mut slow = Vec::new();
    for (name, make) in inputs {
        let (short, long) = (make(bytes), make(4 * bytes));
        let ratio = cost(work, &long) as f64 / cost(work, &short) as f64;
        let grown = long.len() as f64 / short.len() as f64;
        if ratio > MOST * grown / 4.0 {
            slow.push(format!("{name}: {ratio:.1} times the work for {grown:.1} times the bytes"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

/// A text of so many bytes, of numbered pieces.
fn repeated(piece: impl Fn(usize) -> String) -> impl Fn(usize) -> Vec<u8> {
    move |bytes| {
        let mut text = String::new();
        for number in 1.. {
            if text.len() >= bytes {
                break;
            }
            text.push_str(&piece(number));
        }
        text.into_bytes()
    }
}

/// `head`, then as much of the pieces.
fn behind(head: &'static str, pieces: impl Fn(usize) -> Vec<u8>) -> impl Fn(usize) -> Vec<u8> {
    move |bytes| [head.as_bytes(), &pieces(bytes)].concat()
}

#[test]
fn many_lines_are_classified_in_linear_time() {
    let engine = Engine::default();
    let work = |log: &[u8]| {
        black_box(engine.classify(log, ExitFacts { exit_code: Some(2), ..ExitFacts::default() }));
    };
    let goroutine = |n: usize| format!("goroutine {n} [select]:\nmain.f{n}(0x1)\n\t/app/main.go:{n} +0x1\n\n");
    let inputs: [(&str, &dyn Fn(usize) -> Vec<u8>); 14] = [
        ("fields without a record", &repeated(|n| format!("\"a{n}\": \"Caused by: \",\n"))),
        ("records without an end", &repeated(|n| format!("{{\n\"a{n}\": \"Caused by: \",\n"))),
        (
            "Caused by",
            &behind(
                "Exception in thread \"main\" a.B: x\n\tat a.B.c(B.java:1)\n",
                repeated(|n| format!("Caused by: a.B{n}: x\n\tat a.B.c(B.java:{n})\n")),
            ),
        ),
        ("goroutines", &behind("fatal error: concurrent map writes\n\n", repeated(goroutine))),
        ("goroutines without a head", &repeated(goroutine)),
        ("headers of goroutines", &repeated(|n| format!("goroutine {n} [running]:\n"))),
        ("panics", &repeated(|n| format!("panic: boom {n}\n"))),
        ("nested panics", &behind("panic: first\n", repeated(|n| format!("\tpanic: again {n} [recovered]\n")))),
        (
            "frames of one goroutine",
            &behind(
                "panic: x\n\ngoroutine 1 [running]:\n",
                repeated(|n| format!("main.f{n}(0x1)\n\t/app/main.go:{n} +0x1\n")),
            ),
        ),
        (
            "races",
            &repeated(|n| {
                format!(
                    "WARNING: DATA RACE\nWrite at 0x1 by goroutine {n}:\n  main.f{n}()\n      /app/main.go:{n} +0x1\n==================\n"
                )
            }),
        ),
        (
            "tracebacks",
            &repeated(|n| {
                format!(
                    "Traceback (most recent call last):\n  File \"a.py\", line {n}, in f\nE: x\n\nThe above exception was the direct cause of the following exception:\n\n"
                )
            }),
        ),
        (
            "records with a trace",
            &repeated(|n| {
                format!(
                    "{{\"level\":\"error\",\"msg\":\"panic: x {n}\",\"stack\":\"goroutine {n} [running]:\\nmain.f()\\n\\t/a.go:1\"}}\n"
                )
            }),
        ),
        (
            "words that look like secrets",
            &repeated(|n| format!("panic: token={n} password={n} Authorization: Bearer {n}\n")),
        ),
        ("empty lines", &behind("panic: x\n", repeated(|_| "\n".to_owned()))),
    ];
    assert_linear(&work, &inputs, 96 * 1024);
}

#[test]
fn long_lines_are_classified_in_linear_time() {
    let engine = Engine::default();
    let work = |log: &[u8]| {
        black_box(engine.classify(log, ExitFacts { exit_code: Some(1), ..ExitFacts::default() }));
    };
    // No line is looked at beyond 64 KiB, so these stay below: nesting, escapes, and anchors by the thousand in one line.
    let one_line = |head: &'static str, piece: &'static str| {
        move |bytes: usize| {
            let line = format!("start\n{head}{}\n", piece.repeat(bytes / piece.len()));
            line.repeat(8).into_bytes()
        }
    };
    let inputs: [(&str, &dyn Fn(usize) -> Vec<u8>); 8] = [
        ("nested objects", &one_line("{\"msg\":\"x\",\"panic: \":", "{\"a\":")),
        ("nested arrays", &one_line("{\"panic: \":", "[")),
        ("fields", &one_line("{\"msg\":\"panic: x\"", ",\"error\":\"y\"")),
        ("escapes", &one_line("{\"msg\":\"panic: ", "\\n\\t\\u0041")),
        ("pairs", &one_line("level=error panic: ", "msg=\"a\" ")),
        ("anchors", &one_line("", "panic: goroutine 1 [fatal error: ")),
        ("terminal escapes", &one_line("panic: ", "\x1b[31m\x1b]0;")),
        ("brackets of a symbol", &one_line("panic: x\n\ngoroutine 1 [running]:\nmain.f", "[(")),
    ];
    assert_linear(&work, &inputs, 15 * 1024);
}

#[test]
fn one_line_of_any_length_costs_no_more_than_its_bytes() {
    let engine = Engine::default();
    let work = |log: &[u8]| {
        black_box(engine.classify(log, ExitFacts::default()));
    };
    let line = |bytes: usize| [b"panic: ".as_slice(), &vec![b'x'; bytes]].concat();
    assert_linear(&work, &[("a long line", &line)], 25 << 20);
}

#[test]
fn texts_are_redacted_in_linear_time() {
    let redactor = Redactor::default();
    let work = |text: &[u8]| {
        black_box(redactor.clean(text));
    };
    let inputs: [(&str, &dyn Fn(usize) -> Vec<u8>); 8] = [
        ("pairs", &repeated(|n| format!("password=a{n}b; "))),
        ("keys without values", &repeated(|_| "password=".to_owned())),
        ("quotes", &repeated(|_| "token=\"".to_owned())),
        ("URLs", &repeated(|n| format!("https://u{n}:p@"))),
        ("keys that never end", &repeated(|_| "-----BEGIN PRIVATE KEY-----\n".to_owned())),
        ("tokens", &repeated(|_| "eyJhbGciOi.".to_owned())),
        ("credentials in JSON", &repeated(|_| "{\"secret\":{\"token\":[".to_owned())),
        ("escapes", &repeated(|_| "\x1b]8;;".to_owned())),
    ];
    assert_linear(&work, &inputs, 32 * 1024);
}

#[test]
fn races_are_compared_in_linear_time() {
    let engine = Engine::default();
    let crash = engine.classify(
        b"fatal error: concurrent map writes\n\ngoroutine 1 [running]:\nmain.f7(0x1)\n\t/app/main.go:7 +0x1\n",
        ExitFacts::default(),
    );
    let work = |log: &[u8]| {
        let mut reader = RaceReader::default();
        reader.feed(log);
        black_box(compare(&reader.finish(), Crash::of(&crash)));
    };
    let race = |n: usize| {
        format!("WARNING: DATA RACE\nWrite at 0x{n:x} by goroutine {n}:\n  main.f{n}()\n      /app/main.go:{n} +0x1\n")
    };
    let frames = behind(
        "WARNING: DATA RACE\nWrite at 0x1 by goroutine 1:\n",
        repeated(|n| format!("  main.f{n}()\n      /app/main.go:{n} +0x1\n")),
    );
    assert_linear(&work, &[("races", &repeated(race)), ("frames", &frames)], 128 * 1024);
}
