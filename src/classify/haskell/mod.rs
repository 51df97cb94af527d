//! Haskell: exceptions of programs built by GHC, with call stacks of every version or without, and the runtime's limits.

pub mod frames;
pub mod kinds;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};
use trace::Trace;

/// The grammar of Haskell.
#[derive(Debug)]
pub struct Haskell;

impl Grammar for Haskell {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "CallStack (from ",
            "HasCallStack backtrace:",
            trace::UNCAUGHT,
            ": Prelude.",
            ": <<loop>>",
            "Non-exhaustive ",
            "Pattern match failure in ",
            ": No match in record selector",
            "divide by zero",
            "arithmetic overflow",
            "blocked indefinitely in an ",
            "Stack space overflow: ",
            ": stack overflow",
            "Heap exhausted;",
            "out of memory (requested ",
            ".index: Index ",
            ": user error (",
            ": does not exist (",
            ": resource ",
            ": permission denied (",
            ": internal error: ",
            ": HttpExceptionRequest ",
            ": libpq: failed (",
            "(cannot decode byte",
            "(cannot encode char",
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
