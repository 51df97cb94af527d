//! .NET and Mono: unhandled exceptions, logged ones, the runtime's own last words, and the host that cannot start.

pub mod above;
pub mod frames;
pub mod head;
pub mod host;
pub mod kinds;
pub mod native;
pub mod record;
pub mod trace;

use super::compiler;
use super::grammar::{Context, Grammar, Line, Parser};
use trace::Trace;

/// The grammar of .NET.
#[derive(Debug)]
pub struct Dotnet;

impl Grammar for Dotnet {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "Unhandled exception. ",
            "Unhandled Exception:",
            "FATAL UNHANDLED EXCEPTION: ",
            "Process terminated.",
            "Stack overflow.",
            "Out of memory.",
            "Fatal error.",
            "CLR: Managed code called FailFast",
            native::HEAD,
            compiler::DOTNET,
            "  at ",
            host::ANCHORS[0],
            host::ANCHORS[1],
            host::ANCHORS[2],
            host::ANCHORS[3],
            host::ANCHORS[4],
            host::ANCHORS[5],
            host::ANCHORS[6],
            host::ANCHORS[7],
            host::ANCHORS[8],
            host::ANCHORS[9],
            host::ANCHORS[10],
            host::ANCHORS[11],
            host::ANCHORS[12],
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[
            "Unhandled exception. ",
            "Unhandled Exception:",
            "Process terminated.",
            "Stack overflow.",
            "Fatal error.",
            native::HEAD,
            "  at ",
        ]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(trace) = Trace::unhandled(line, context) {
            return Some(Box::new(trace));
        }
        if let Some(report) = native::Report::new(line, context) {
            return Some(Box::new(report));
        }
        if let Some(failure) = compiler::Failure::of_dotnet(line, context) {
            return Some(Box::new(failure));
        }
        if let Some(refusal) = host::Refusal::new(line, context) {
            return Some(Box::new(refusal));
        }
        Trace::logged(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        Trace::without_head(line).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}
