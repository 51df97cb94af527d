//! JavaScript: what nobody caught in Node.js, Deno and Bun, rejected promises, `error` events, the end of the heap.

mod around;
mod error;
mod frames;
mod head;
mod kinds;
mod link;
mod listed;
mod native;
mod told;

use super::grammar::{Context, Grammar, Line, Parser};
use super::text;
use error::Thrower;
use head::Head;
use listed::Listed;
use native::Native;

/// The grammar of Node.js, Deno and Bun.
#[derive(Debug)]
pub struct Nodejs;

impl Grammar for Nodejs {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "    at ",
            "Error: ",
            "Error [",
            "Uncaught ",
            "Node.js v",
            "Bun v",
            around::HINT,
            "[UnhandledPromiseRejection: ",
            native::HEADS[0],
            native::HEADS[1],
            native::HEADS[2],
            native::HEADS[3],
            native::HEADS[4],
            listed::TSLOG,
            "\"fullFilePath\"",
            listed::UNSETTLED,
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(at) = native::HEADS.iter().find_map(|head| text::find(line.text, head)).filter(|_| !line.logged) {
            return Some(Box::new(Native::new(line, at, context)));
        }
        if let Some(at) = frames::find(line.text) {
            return Some(Box::new(Thrower::from_frame(line, at, context)));
        }
        let last_word = ["Node.js v", "Bun v", around::HINT].iter().find_map(|word| text::find(line.text, word));
        if let Some(at) = last_word.filter(|at| around::is_last_word(&line.text[*at..])) {
            return Thrower::from_last_word(line, at, context).map(|parser| Box::new(parser) as Box<dyn Parser>);
        }
        if let Some(listed) = Listed::begin(line, context) {
            return Some(Box::new(listed));
        }
        let at = text::find(line.text, "error: Uncaught ").or_else(|| Head::find(line.text))?;
        Thrower::from_head(line, at, context).map(|parser| Box::new(parser) as Box<dyn Parser>)
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
        let stack = "    at gate (/app/src/a.js:3:9)\n    at emitOne (events.js:116:13)\n";
        let cases = [
            // Node.js 14 warns and goes on.
            (format!("(node:1) UnhandledPromiseRejectionWarning: Error: x\n{stack}"), 1, "ErrorExit", ""),
            // A logger's prefix before the name alone.
            (
                format!("2026-11-25T01:45:06Z error TypeError: x is not a function\n{stack}"),
                1,
                "TypeMismatch",
                "a.js:3",
            ),
            // What was caught and printed right before another throw.
            (
                format!(
                    "TypeError: x is not a function\n{stack}/app/src/b.js:9\n  throw late;\n  ^\n\nRangeError: late\n    at b (/app/src/b.js:9:3)\n\nNode.js v22.1.0\n"
                ),
                1,
                "UnhandledError",
                "b.js:9",
            ),
            (format!("Unhandled Rejection: TypeError: x is not a function\n{stack}"), 1, "TypeMismatch", "a.js:3"),
            // pnpm and yarn say how it ended.
            (
                format!(
                    "/app/src/a.js:3\n  x();\n  ^\n\nTypeError: x is not a function\n{stack}\nNode.js v22.1.0\nELIFECYCLE  Command failed with exit code 1.\n"
                ),
                1,
                "TypeMismatch",
                "a.js:3",
            ),
            ("error: Uncaught (in promise) \"no lanes\"\n".to_owned(), 1, "UnhandledError", ""),
            (
                "#\n# Fatal error in , line 0\n# Fatal JavaScript invalid size error 169220804\n#\n".to_owned(),
                133,
                "HeapExhausted",
                "",
            ),
            (
                "  #  node[1]: std::unique_ptr<long> node::Start() at ../src/node_platform.cc:68\n  #  Assertion failed: (0) == (uv_thread_create(t.get(), start_thread, this))\n\n----- Native stack trace -----\n\n 1: 0xf75397 node::Assert(node::AssertionInfo const&) [node]\n".to_owned(),
                134,
                "ThreadLimit",
                "",
            ),
            (
                "node[1]: ../src/node_platform.cc:68:std::unique_ptr<long> node::Start(): Assertion `(0) == (uv_thread_create(t.get(), start_thread, this))' failed.\n 1: 0xb090e0 node::Abort() [node]\n".to_owned(),
                134,
                "ThreadLimit",
                "",
            ),
            // Asked for where it was thrown, Node.js 20 prints the stack twice.
            (
                format!("/app/src/a.js:3\n  x();\n  ^\n\nTypeError: x is not a function\n{stack}Thrown at:\n    at /app/src/late.js:9:3\n\n\nNode.js v20.1.0\n"),
                1,
                "TypeMismatch",
                "a.js:3",
            ),
            // Bun: properties between the name and the frames, a value that is no error, an error of the system.
            (
                "error: connect ECONNREFUSED 127.0.0.1:1\n   errno: -111,\n    code: \"ECONNREFUSED\"\n\n      at open (/app/src/a.js:3:39)\n\nBun v1.4.5 (Linux x64)\n".to_owned(),
                1,
                "ConnectionRefused",
                "a.js:3",
            ),
            ("error\n{\n  code: \"E_JAM\",\n  door: 12,\n}\n\nBun v1.4.5 (Linux x64)\n".to_owned(), 1, "UnhandledError", ""),
            (
                "ENOENT: no such file or directory, open '/etc/banks.json'\n    path: \"/etc/banks.json\",\n    code: \"ENOENT\"\n\n\nBun v1.4.5 (Linux x64)\n".to_owned(),
                1,
                "MissingFile",
                "",
            ),
            (
                "error: Uncaught (in promise) AggregateError: All promises were rejected\n    TypeError: x is not a function\n        at open (file:///app/src/a.js:3:37)\n        at async Promise.any (<anonymous>)\n    RangeError: late\n        at b (file:///app/src/b.js:9:3)\n".to_owned(),
                1,
                "TypeMismatch",
                "a.js:3",
            ),
            // Deno's check of equality has many lines of text.
            (
                "error: Uncaught (in promise) AssertionError: Expected values to be strictly deep-equal:\n+ actual - expected\n\n  {\n    doors: [\n+     5\n-     6\n    ]\n  }\n\n  equal() { x(); },\n            ^\n    at equal (file:///app/src/a.js:3:36)\n".to_owned(),
                1,
                "AssertionFailed",
                "a.js:3",
            ),
            ("error: Uncaught (in promise) TypeError: Module not found \"file:///app/src/nothing.mjs\".\n".to_owned(), 1, "MissingModule", ""),
            // A symbol has no text.
            (
                "/app/src/a.js:3\n  throw Symbol();\n  ^\n\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n\nNode.js v20.1.0\n".to_owned(),
                1,
                "UnhandledError",
                "a.js:3",
            ),
            // Up to version 16 there is no version below it.
            (
                "/app/src/a.js:3\n  throw 'no berth';\n  ^\nno berth\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n".to_owned(),
                1,
                "UnhandledError",
                "a.js:3",
            ),
            // A text with lines that look like frames.
            (
                "/app/src/a.js:3\n  throw e;\n  ^\n\nError: one\n    at fake (/app/src/fake.js:1:1)\nthree\n    at gate (/app/src/a.js:3:9)\n\nNode.js v20.1.0\n".to_owned(),
                1,
                "UnhandledError",
                "a.js:3",
            ),
            // Tabs and one number: another runtime's.
            ("java.lang.Error: x\n\tat a.B.c(B.java:3)\n".to_owned(), 1, "UnhandledError", "B.java:3"),
        ];
        for (log, code, reason, place) in cases {
            let finding = classify(&log, code).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
        }
    }

    #[test]
    fn versions_and_module_systems_make_no_other_bug() {
        let log = |receiver: &str, prefix: &str| {
            format!(
                "{prefix}TypeError: x\n{prefix}    at {receiver}.gate (/app/src/a.js:3:9)\n{prefix}    at process.x (node:internal/a:1:2)\n"
            )
        };
        let mark = |log: &str| classify(log, 1).fingerprint;
        assert_eq!(mark(&log("Object", "")), mark(&log("Module", "web.1 | ")));
        assert_ne!(mark(&log("Object", "")), mark(&log("Object", "").replace("gate", "open")));
    }
}
