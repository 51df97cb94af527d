//! Erlang and Elixir: exceptions of scripts, tasks and releases, reports of processes and supervisors in every logger's
//! form, and the last words of the virtual machine, which mostly point back at such a report.

pub mod exits;
pub mod frames;
pub mod kinds;
pub mod last;
pub mod report;
pub mod term;
#[cfg(test)]
mod tests;
pub mod told;
pub mod trace;

use super::grammar::{Context, Grammar, Line, Parser};

/// The grammar of the BEAM.
#[derive(Debug)]
pub struct Beam;

impl Grammar for Beam {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            trace::MARK,
            report::HEADS[0],
            report::HEADS[1],
            report::HEADS[2],
            report::HEADS[3],
            " terminating. Reason: ",
            ". Context: ",
            ". Exited: ",
            "with reason",
            report::HEADS[4],
            last::HEADS[0],
            last::HEADS[1],
            last::HEADS[2],
            last::NO_MEMORY,
            last::DUMP,
            last::SLOGAN,
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        // Two processes that write at once mix within a line: the exception says more than the last words.
        let trace = trace::Trace::new(line, context);
        if let Some(last) = last::Last::new(line, context).filter(|_| trace.is_none()) {
            return Some(Box::new(last));
        }
        if let Some(trace) = trace {
            return Some(Box::new(trace));
        }
        if let Some(report) = report::Report::new(line, context) {
            return Some(Box::new(report));
        }
        report::OneLine::new(line, context).map(|report| Box::new(report) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        trace::Trace::without_head(line).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}
