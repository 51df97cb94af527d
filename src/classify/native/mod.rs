//! C and C++: what the C and C++ libraries, sanitizers, logging libraries and shells say of a death.

mod backtrace;
mod frames;
mod languages;
mod last_line;
mod libraries;
mod mangled;
mod sanitizer;
pub mod stacks;
mod symbols;
mod words;

use super::grammar::{Context, Grammar, Line, Parser};
use backtrace::Printed;
use languages::Spoken;
use last_line::LastLine;
use sanitizer::Report;
use stacks::Stack;

/// The grammar of native programs.
#[derive(Debug)]
pub struct Native;

impl Grammar for Native {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "terminate called ",
            "libc++abi",
            "Assertion `",
            "Assertion '",
            "Assertion failed: ",
            "Fatal glibc error: ",
            "free(): ",
            // malloc, realloc and calloc.
            "lloc(): ",
            "double free or corruption",
            "malloc_consolidate(): ",
            "corrupted size vs. prev_size",
            "corrupted double-linked list",
            "munmap_chunk(): ",
            "<jemalloc>: ",
            "Scudo ERROR: ",
            "mimalloc: error: ",
            "Attempt to free invalid pointer",
            "free_sized(): ",
            "tcache_thread_shutdown(): ",
            "aligned_free(): ",
            "break adjusted to free malloc",
            "*** stack smashing detected",
            "*** longjmp causes",
            "*** bit out of range",
            "*** invalid %N$",
            "ubsan: ",
            "ncaught exception ",
            // Failed assertions of GLib and gRPC, of libc++ and Qt, and what `g_error` says.
            ": assertion failed",
            "] assertion failed",
            "/c++/v1/",
            "ASSERT failure in ",
            "Error: attempt to ",
            "Fortran runtime error: ",
            "glibc detected ",
            "ASSERT: \"",
            "-ERROR **: ",
            "): ERROR **: ",
            "*** buffer overflow detected",
            "*** %n in writable segment",
            "*** Error in `",
            // A pure one, or a deleted one.
            " virtual method called",
            "Segmentation fault",
            "Bus error",
            "Illegal instruction",
            "Floating point exception",
            "Aborted",
            "Sanitizer: ",
            "runtime error: ",
            backtrace::HEADS[0],
            backtrace::HEADS[1],
            backtrace::HEADS[2],
            backtrace::HEADS[3],
            backtrace::HEADS[4],
            backtrace::HEADS[5],
            backtrace::HEADS[6],
            stacks::ANCHORS[0],
            stacks::ANCHORS[1],
            stacks::ANCHORS[2],
            stacks::ANCHORS[3],
            stacks::ANCHORS[4],
            stacks::ANCHORS[5],
            stacks::ANCHORS[6],
            stacks::ANCHORS[7],
            stacks::ANCHORS[8],
            "ERROR STOP ",
            // Zig; the anchor is also one of Go's.
            "panic: ",
            languages::ANCHORS[0],
            languages::ANCHORS[1],
            languages::ANCHORS[2],
            languages::ANCHORS[3],
            languages::ANCHORS[4],
            languages::ANCHORS[5],
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[
            "terminate called ",
            "Sanitizer: ",
            "runtime error: ",
            "*** Check failure stack trace: ***",
            "] Check failed: ",
        ]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(report) = Report::begin(line, context) {
            return Some(Box::new(report));
        }
        if let Some(printed) = Printed::begin(line, context).filter(|_| !line.logged) {
            return Some(Box::new(printed));
        }
        if let Some((at, words)) = words::read(line.text) {
            return Some(Box::new(LastLine::new(line, at, words, context)));
        }
        if let Some(spoken) = Spoken::begin(line, context) {
            return Some(Box::new(spoken));
        }
        let stack = Stack::begin(line, context).filter(|_| !line.logged)?;
        Some(Box::new(stack))
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Classification, Engine, ExitFacts};

    fn classify(log: &str, code: i32) -> Classification {
        Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
    }

    #[test]
    fn what_the_corpus_does_not_hold_is_read_too() {
        let envoy = "[2026-11-24 04:26:38.537][1][critical][backtrace] [./source/server/backtrace.h:127] Caught Segmentation fault, suspect faulting address 0x0\n[2026-11-24 04:26:38.537][1][critical][backtrace] [./source/server/backtrace.h:111] Backtrace (use tools/stack_decode.py to get line numbers):\n[2026-11-24 04:26:38.540][1][critical][backtrace] [./source/server/backtrace.h:119] #0: Envoy::Lane::gate() [0x55d5]\n";
        let absl = "F0000 00:00:1764.123456 1 lane.cc:42] Check failed: gates == 4 (2 vs. 4)\n*** Check failure stack trace: ***\n    @     0x5589  absl::log_internal::LogMessage::Fail()\n    @     0x5589  lanes::check()\n";
        let cases = [
            (envoy, 139, "Segfault", "Envoy::Lane::gate"),
            (absl, 134, "AssertionFailed", "lane.cc:42"),
            (
                "[2026-11-25 19:37:18.196][34][critical][main] [source/exe/terminate_handler.cc:12] std::terminate called! (possible uncaught exception, see trace)\n[2026-11-25 19:37:18.196][34][critical][backtrace] [./source/server/backtrace.h:91] Backtrace (use tools/stack_decode.py to get line numbers):\n[2026-11-25 19:37:18.197][34][critical][backtrace] [./source/server/backtrace.h:96] #0: Envoy::Lane::gate() [0x55d5]\n[2026-11-25 19:37:18.199][34][critical][backtrace] [./source/server/backtrace.h:104] Caught Aborted, suspect faulting address 0x1\n",
                134,
                "UnhandledError",
                "Envoy::Lane::gate",
            ),
            (
                "*** SIGSEGV received at time=1764 on cpu 1 ***\nPC: @     0x55d1  (unknown)  lanes::fault()\n    @     0x55d1   640  lanes::fault()\n",
                139,
                "Segfault",
                "lanes::fault",
            ),
            (
                "2026-11-25 01:35:29.101010: F core/framework/tensor.cc:733] Check failed: 1 == n (1 vs. 2)\nAborted (core dumped)\n",
                134,
                "AssertionFailed",
                "tensor.cc:733",
            ),
            (
                "Signal (11) received.\n 0# 0x000055F0 in sorter\n 1# Lane::weigh(int) in /app/sorter\n",
                1,
                "Segfault",
                "Lane::weigh",
            ),
            ("Segmentation fault (core dumped)\nentrypoint: server ended\n", 1, "Segfault", ""),
            (
                "loading lanes ... terminate called after throwing an instance of 'std::out_of_range'\n  what():  map::at\n",
                134,
                "MissingKey",
                "",
            ),
            ("m: a.c:3: f: Assertion `x' failed.\nAborted (core dumped)\n", 134, "AssertionFailed", "a.c:3"),
            (
                "terminate called after throwing an instance of 'nlohmann::json_abi_v3_11_2::detail::out_of_range'\n  what():  [json.exception.out_of_range.403] key 'lane' not found\n",
                134,
                "MissingKey",
                "",
            ),
            (
                "[12:12:1125/013529.101010:FATAL:lane.cc(31)] Check failed: n < size (4 vs. 4). \n#0 0x55d0 base::debug::CollectStackTrace()\n#1 0x55d0 sorter::Lane::weigh()\n\nReceived signal 6\n",
                133,
                "AssertionFailed",
                "lane.cc:31",
            ),
            (
                "[1125/013529.101010:FATAL:zygote.cc(127)] No usable sandbox! Update your kernel\n",
                133,
                "UnhandledError",
                "zygote.cc:127",
            ),
            (
                "At line 12 of file /app/lane.f90\nFortran runtime error: Index '4' of dimension 1 of array 'w' above upper bound of 3\n\nError termination. Backtrace:\n#0  0x7f9a in weigh_\n\tat /app/lane.f90:12\n#1  0x7f9b in main\n\tat /app/main.f90:20\n",
                2,
                "IndexOutOfBounds",
                "lane.f90:12",
            ),
            // Of a report with its head cut off the summary is left.
            (
                "    #1 0x55 in main /app/a.c:9\n\nSUMMARY: AddressSanitizer: heap-buffer-overflow /app/a.c:3:5 in sum\n==1==ABORTING\n",
                1,
                "SanitizerReport",
                "a.c:3",
            ),
            ("SUMMARY: ThreadSanitizer: data race /app/a.c:3 in count\n==================\n", 66, "DataRace", "a.c:3"),
            ("SUMMARY: AddressSanitizer: 400 byte(s) leaked in 1 allocation(s).\n", 23, "SanitizerReport", ""),
            ("a.cc:3:5: runtime error: index 4 out of bounds for type 'int [4]'\nlane open\n", 0, "CleanExit", ""),
            (
                "WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=1)\n    #0 lanes::take() /app/a.cc:3 (a+0x1)\n",
                66,
                "Deadlock",
                "a.cc:3",
            ),
        ];
        for (log, code, reason, place) in cases {
            let finding = classify(log, code).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
        }
    }

    #[test]
    fn a_report_without_end_stays_bounded() {
        let log = format!(
            "==1==ERROR: AddressSanitizer: stack-overflow on address 0x1\n{}",
            "    #1 0x1 in f(int) /app/a.cc:3\n".repeat(1_900)
        );
        let found = classify(&log, 1);
        assert!(found.excerpt.len() <= 4096 && found.finding.stack.len() <= 20);
        assert_eq!(found.finding.culprit.unwrap().short(), "a.cc:3");
        let endless = classify(&"    #1 0x1 in f(int) /app/a.cc:3\n".repeat(100_000), 1);
        assert!(endless.excerpt.len() <= 4096 && endless.finding.stack.is_empty());
    }
}
