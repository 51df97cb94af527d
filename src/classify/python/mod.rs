//! Python: tracebacks and their chains, groups of exceptions, errors of the parser, fatal errors of the interpreter.

mod above;
mod boxed;
mod fatal;
mod frames;
mod kinds;
mod link;
mod notebook;
pub mod record;
mod traceback;

use super::grammar::{Context, Grammar, Line, Parser};
use super::text;
use boxed::Boxed;
use fatal::Fatal;
use notebook::Notebook;
use traceback::Traceback;

/// The grammar of Python.
#[derive(Debug)]
pub struct Python;

impl Grammar for Python {
    fn anchors(&self) -> &'static [&'static str] {
        &[traceback::HEAD, fatal::HEAD, "  File \"", "  File \\\"", "> File \"", "\"exc_type\""]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &["Traceback (most recent call last)", "Fatal Python error: ", "  File \""]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if boxed::is_head(line.text) {
            return Some(Box::new(Boxed::new(line, context)));
        }
        if let Some(at) = text::find(line.text, fatal::HEAD) {
            return (!line.logged).then(|| Box::new(Fatal::new(line, at, context)) as Box<dyn Parser>);
        }
        if let Some(at) = notebook::head(line.text) {
            return Some(Box::new(Notebook::new(line, at, context)));
        }
        // Nim writes the words alone.
        let head = text::find(line.text, traceback::HEAD).filter(|at| line.text.len() > at + traceback::HEAD.len());
        if let Some(at) = head {
            return Some(Box::new(Traceback::new(line, at, context)));
        }
        let at = frames::find(line.text)?;
        Some(Box::new(Traceback::from_frame(line, at, context)))
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Category, Classification, Engine, ExitFacts};

    fn classify(log: &str, code: i32) -> Classification {
        Engine::default().classify(log.as_bytes(), ExitFacts { exit_code: Some(code), ..ExitFacts::default() })
    }

    #[test]
    fn what_the_corpus_does_not_hold_is_read_too() {
        let head = "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in f\n    g()\n";
        let cases = [
            (format!("{head}TypeError: x\n"), "TypeMismatch", "a.py:3"),
            // An exception without frames of its own, as in a task group.
            ("  + Exception Group Traceback (most recent call last):\n  |   File \"/app/a.py\", line 3, in f\n  | ExceptionGroup: e (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: a\n    +---------------- 2 ----------------\n    | ZeroDivisionError: b\n    +------------------------------------\n".to_owned(), "ArithmeticError", "a.py:3"),
            // Its first frame is in the log's first line.
            ("  File \"/app/a.py\", line 3, in f\n    x[y]\nIndexError: list index out of range\n".to_owned(), "IndexOutOfBounds", "a.py:3"),
            // Dagster's form: what was raised stands above.
            ("KeyError: 'x'\n\nStack Trace:\n  File \"/app/a.py\", line 3, in f\n    x[y]\n\n2026-11-25 02:11:01 +0000 - dagster - ERROR - run failed\n".to_owned(), "MissingKey", "a.py:3"),
            // torchrun says last that one of its processes failed.
            (format!("[rank0]: {}[rank0]: KeyError: 'x'\nE1125 02:11:00.123000 1 torch/api.py:869] failed (exitcode: 1)\n{head}torch.distributed.ChildFailedError: \n=====\n/app/a.py FAILED\n", head.replace("\n  ", "\n[rank0]:   ")), "MissingKey", "a.py:3"),
            // uvicorn's level stands before the group's head alone.
            ("ERROR:      + Exception Group Traceback (most recent call last):\n  |   File \"/app/a.py\", line 3, in f\n  | ExceptionGroup: e (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | KeyError: 'x'\n    +------------------------------------\n".to_owned(), "MissingKey", "a.py:3"),
            // A log that stops inside of it.
            (head.to_owned(), "ErrorExit", ""),
            (format!("{head}{head}KeyError: 'x'\n"), "MissingKey", "a.py:3"),
        ];
        for (log, reason, place) in cases {
            let finding = classify(&log, 1).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, place), "{log}");
        }
    }

    #[test]
    fn an_interrupt_from_outside_is_no_bug() {
        let log =
            "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in f\n    sleep(9)\nKeyboardInterrupt\n";
        assert_eq!(classify(log, 130).finding.category, Category::Lifecycle);
    }

    #[test]
    fn what_follows_a_printed_traceback_tells_that_it_was_survived() {
        let trace = "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in f\n    x[y]\nKeyError: 'x'\n";
        let log = format!("{trace}{}error: no lanes\n", "2026-11-24 04:26:36 INFO x\n".repeat(30));
        let finding = classify(&log, 1).finding;
        assert_eq!((finding.reason.as_str(), finding.contributing.len()), ("ErrorExit", 1));
        assert_eq!(classify(trace, 1).finding.reason.as_str(), "MissingKey");
    }
}
