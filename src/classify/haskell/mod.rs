//! Haskell: exceptions of programs built by GHC, with call stacks of every version or without, and the runtime's limits.

pub mod frames;
pub mod kinds;
pub mod source;
pub mod trace;
pub mod value;

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
            "Irrefutable pattern",
            "Pattern match failure in ",
            ": No match in record selector",
            ": Missing field in record",
            ": No instance nor default method",
            "divide by zero",
            "arithmetic overflow",
            "arithmetic underflow",
            "Ratio has zero denominator",
            "Negative exponent",
            "Error in array index",
            ": thread killed",
            "blocked indefinitely in an ",
            "Stack space overflow: ",
            ": stack overflow",
            ": heap overflow",
            "Heap exhausted;",
            "out of memory (requested ",
            "allocation failed (requested ",
            ".index: Index ",
            ": user error (",
            ": does not exist (",
            ": resource ",
            ": permission denied (",
            ": invalid argument (",
            ": illegal operation (",
            ": inappropriate type (",
            ": end of file",
            ": empty list",
            ": empty structure",
            ": callProcess: ",
            ": callCommand: ",
            ": readCreateProcess: ",
            ": InvalidYaml (",
            ": AesonException ",
            "Cannot decode byte '",
            ": failed to create OS thread: ",
            ": unknown RTS option: ",
            ": Most RTS options are ",
            ".hs:",
            ".lhs:",
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
        if let Some(source) = source::Source::new(line, context) {
            return Some(Box::new(source));
        }
        Trace::new(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        Trace::without_head(line).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}
