//! PHP: uncaught exceptions and fatal errors on either stream, in servers, in loggers and on consoles; php-fpm's refusals.

pub mod fpm;
pub mod frames;
pub mod head;
pub mod kinds;
pub mod panel;
pub mod printed;
pub mod trace;
pub mod xdebug;

use super::grammar::{Context, Grammar, Line, Parser};

/// The grammar of PHP.
#[derive(Debug)]
pub struct Php;

impl Grammar for Php {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            "Fatal error: ",
            "Fatal error</b>: ",
            "Parse error: ",
            "Parse error</b>: ",
            "Core error: ",
            "Compile error: ",
            "fatal error: ",
            "[object] (",
            "\"exception\":{\"class\":",
            "\"error\":{\"class\":",
            "[stacktrace]",
            ".php line ",
            "Stack trace:",
            "#0 /",
            // The same in JSON, as PHP encodes it.
            "#0 \\/",
            panel::PLACE,
            fpm::LAST,
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &["Fatal error: ", "fatal error: "]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(refusal) = fpm::Refusal::new(line, context) {
            return Some(Box::new(refusal));
        }
        if let Some(panel) = panel::Panel::new(line, context) {
            return Some(Box::new(panel));
        }
        trace::Trace::new(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}
