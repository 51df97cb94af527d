//! Forms of Go's last words that programs of ours cannot easily be made to write: shortened by hand from logs as
//! loggers, test runners and supervisors write them.

use coroner::classify::{Engine, ExitFacts};

/// What it shows, exit code, reason, culprit, log.
type Case = (&'static str, i32, &'static str, &'static str, &'static str);

const CASES: [Case; 10] = [
    (
        "logrus panics with its entry, whose text is in the record above",
        2,
        "ConnectionRefused",
        "main.go:16",
        r#"time="2026-11-24T04:15:10Z" level=info msg="starting"
time="2026-11-24T04:15:10Z" level=panic msg="cannot start" error="dial tcp 10.0.0.1:5432: connect: connection refused"
panic: (*logrus.Entry) 0xc0000f2000

goroutine 1 [running]:
github.com/sirupsen/logrus.(*Entry).log(0xc0000f2000, 0x0, {0xc0000b6020, 0xc})
	/go/pkg/mod/github.com/sirupsen/logrus@v1.9.3/entry.go:260 +0x491
main.main()
	/app/main.go:16 +0xe5
exit status 2
"#,
    ),
    (
        "a stack inside of a key=value pair",
        1,
        "IndexOutOfBounds",
        "main.go:34",
        r#"time=2026-11-24T04:15:10Z level=INFO msg=starting
time=2026-11-24T04:15:10Z level=ERROR msg="job failed" panic="runtime error: index out of range [3] with length 0" stack="goroutine 1 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:26 +0x5e\nmain.run.func1()\n\t/app/main.go:139 +0x5c\npanic({0xc3dd40?, 0x1c1888910078?})\n\t/usr/local/go/src/runtime/panic.go:860 +0x13a\nmain.(*Tally).At(...)\n\t/app/main.go:34\nmain.run()\n\t/app/main.go:143 +0x11\n"
"#,
    ),
    (
        "an error printed with %+v brings its own stack",
        1,
        "ConnectionRefused",
        "store.go:12",
        r#"2026/11/24 04:15:10 starting
2026/11/24 04:15:10 dial tcp 10.0.0.1:5432: connect: connection refused
open store
main.connect
	/app/store.go:12
main.main
	/app/main.go:20
runtime.main
	/usr/local/go/src/runtime/proc.go:290
runtime.goexit
	/usr/local/go/src/runtime/asm_amd64.s:1771
"#,
    ),
    (
        "a usage text follows the error",
        1,
        "InvalidConfiguration",
        "",
        r#"Error: unknown flag: --lissten
Usage:
  tallyd serve [flags]

Flags:
  -h, --help            help for serve
      --listen string   address to listen on (default ":8080")
      --fail-fast       stop at the first error

"#,
    ),
    (
        "the testing package recovers and panics again",
        1,
        "IndexOutOfBounds",
        "tally.go:34",
        r#"=== RUN   TestAt
--- FAIL: TestAt (0.00s)
panic: runtime error: index out of range [3] with length 0 [recovered, repanicked]

goroutine 7 [running]:
testing.tRunner.func1.2({0x5f6b40, 0xc000012345})
	/usr/local/go/src/testing/testing.go:1872 +0x237
testing.tRunner.func1()
	/usr/local/go/src/testing/testing.go:1875 +0x35b
panic({0x5f6b40?, 0xc000012345?})
	/usr/local/go/src/runtime/panic.go:783 +0x132
example.com/acme/tally.(*Tally).At(...)
	/app/tally.go:34
example.com/acme/tally.TestAt(0xc000123456?)
	/app/tally_test.go:9 +0x1b
testing.tRunner(0xc000123456, 0x60d2a8)
	/usr/local/go/src/testing/testing.go:1934 +0xea
created by testing.(*T).Run in goroutine 1
	/usr/local/go/src/testing/testing.go:1997 +0x465
FAIL	example.com/acme/tally	0.005s
FAIL
"#,
    ),
    (
        "a supervisor goes on for a few lines",
        1,
        "UnhandledError",
        "main.go:5",
        r#"2026-11-24 04:15:10,100 INFO spawned: 'api' with pid 7
panic: boom

goroutine 1 [running]:
main.main()
	/app/main.go:5 +0x25
2026-11-24 04:15:10,200 INFO exited: api (exit status 2; not expected)
2026-11-24 04:15:11,200 INFO spawned: 'api' with pid 17
2026-11-24 04:15:12,200 INFO gave up: api entered FATAL state, too many start retries too quickly
"#,
    ),
    (
        "klog at level fatal dumps all goroutines",
        255,
        "UnhandledError",
        "main.go:42",
        r#"I1124 04:15:10.000000       1 main.go:30] starting
F1124 04:15:10.123456       1 main.go:42] leader election lost
goroutine 1 [running]:
k8s.io/klog/v2.stacks(0x1)
	/go/pkg/mod/k8s.io/klog/v2@v2.40.1/klog.go:1038 +0x8a
k8s.io/klog/v2.(*loggingT).output(0x4d6, 0x3, 0x0)
	/go/pkg/mod/k8s.io/klog/v2@v2.40.1/klog.go:987 +0x5fd
k8s.io/klog/v2.Fatal(...)
	/go/pkg/mod/k8s.io/klog/v2@v2.40.1/klog.go:1489
main.run.func2()
	/app/main.go:42 +0x5b
main.main()
	/app/main.go:20 +0x11

goroutine 18 [chan receive]:
k8s.io/klog/v2.(*loggingT).flushDaemon(0x0)
	/go/pkg/mod/k8s.io/klog/v2@v2.40.1/klog.go:1181 +0x6a
created by k8s.io/klog/v2.init.0
	/go/pkg/mod/k8s.io/klog/v2@v2.40.1/klog.go:420 +0xfb
"#,
    ),
    (
        "the last line says less than the one above",
        1,
        "DependencyTimeout",
        "",
        r#"2026/11/24 04:15:10 starting
2026/11/24 04:15:11 connect to store: dial tcp 10.0.0.1:5432: i/o timeout, retrying in 1s
2026/11/24 04:15:13 connect to store: dial tcp 10.0.0.1:5432: i/o timeout, retrying in 2s
2026/11/24 04:15:16 giving up after 2 attempts
"#,
    ),
    (
        "the line with the panic is cut off",
        2,
        "NilDereference",
        "orders.go:27",
        r#"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x66e50c]

goroutine 1 [running]:
github.com/acme/shopd/internal/orders.Quote(...)
	/app/internal/orders/orders.go:27
main.main()
	/app/cmd/shopd/main.go:37 +0x4ac
"#,
    ),
    (
        "JSON lines of another stream lie inside of the trace",
        2,
        "NilDereference",
        "s.go:8",
        r#"{"level":"error","ts":"2026-11-24T04:15:10Z","caller":"httpx/recover.go:22","msg":"panic recovered","panic":"boom","stacktrace":"main.h\n\t/app/h.go:3"}
{"level":"info","ts":"2026-11-24T04:15:10Z","caller":"httpx/x.go:2","msg":"request"}
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x66e50c]
{"level":"info","ts":"2026-11-24T04:15:10Z","caller":"httpx/x.go:2","msg":"request panic: fake"}

goroutine 9 [running]:
main.(*S).Do(0x0)
	/app/s.go:8 +0x1
created by main.main in goroutine 1
	/app/main.go:3 +0x2
"#,
    ),
];

#[test]
fn the_last_words_of_go_programs_are_understood_in_all_their_forms() {
    let engine = Engine::default();
    for (shows, exit_code, reason, culprit, log) in CASES {
        let facts = ExitFacts { exit_code: Some(exit_code), ..ExitFacts::default() };
        let finding = engine.classify(log.as_bytes(), facts).finding;
        let place = finding.culprit.as_ref().map_or(String::new(), |culprit| culprit.short());
        assert_eq!((finding.reason.as_str(), place.as_str()), (reason, culprit), "{shows}");
        assert_eq!(finding.runtime.as_str(), "go", "{shows}");
    }
}
