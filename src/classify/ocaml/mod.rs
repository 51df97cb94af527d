//! OCaml: exceptions that nobody handled, with or without a backtrace, of threads and of Jane Street's libraries.

pub mod frames;
pub mod kinds;
pub mod source;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};
use trace::Trace;

/// The grammar of OCaml.
#[derive(Debug)]
pub struct Ocaml;

impl Grammar for Ocaml {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            trace::FATAL,
            trace::THREAD,
            trace::UNCAUGHT,
            trace::INTERNAL,
            trace::MONITOR,
            trace::SCRIPT,
            source::MARK,
            frames::MARKS[0],
            frames::MARKS[1],
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
