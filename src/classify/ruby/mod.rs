//! Ruby: uncaught exceptions with their causes, threads' ends, backtraces that programs print, faults of the interpreter.

pub mod bug;
pub mod frames;
pub mod head;
pub mod kinds;
mod lines;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};
use super::text;
use trace::Trace;

/// The grammar of Ruby.
#[derive(Debug)]
pub struct Ruby;

impl Grammar for Ruby {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            ":in `",
            ":in '",
            ".rb:",
            trace::THREAD,
            trace::PUMA,
            bug::HEAD,
            bug::NO_MEMORY,
            "(LoadError)",
            "(NoMemoryError)",
            "(SyntaxError)",
            ": syntax error",
            "ruby: ",
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[":in `", ":in '", "[BUG] "]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        // Erlang's compiler says before what.
        if text::has(line.text, ": syntax error before: ") {
            return None;
        }
        let bug = [bug::HEAD, bug::NO_MEMORY].iter().any(|head| text::has(line.text, head));
        if bug && let Some(report) = bug::Report::new(line, context) {
            return Some(Box::new(report));
        }
        let trace = Trace::raised(line, context).or_else(|| Trace::logged(line, context))?;
        Some(Box::new(trace))
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        let from = text::has(line.text, "from ") || text::has(line.text, ".rb:");
        from.then(|| Trace::without_head(line)).flatten().map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}
