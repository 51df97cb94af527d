//! The JVM: uncaught and logged exceptions, the launcher's refusals, fatal errors of the machine itself, and what
//! Spring Boot says when an application does not start.

pub mod clojure;
pub mod fatal;
pub mod fault;
pub mod frames;
pub mod head;
pub mod header;
pub mod kinds;
pub mod launcher;
pub mod one_line;
pub mod spring;
pub mod trace;

use super::compiler;
use super::grammar::{Context, Grammar, Line, Parser};
use super::text;
use trace::Trace;

/// The grammar of the JVM.
#[derive(Debug)]
pub struct Jvm;

impl Grammar for Jvm {
    fn anchors(&self) -> &'static [&'static str] {
        &[
            // With its quote, which is escaped inside of a JSON string.
            "Exception in thread ",
            "\tat ",
            // The same inside of a JSON string.
            "\\tat ",
            // And as rsyslog writes it.
            "#011at ",
            "    at ",
            "Caused by: ",
            "Wrapped by: ",
            "\"extendedStackTrace",
            "\"stepArray",
            "\"exceptionType",
            fatal::ANCHOR,
            spring::HEAD,
            "Java Virtual Machine",
            "during initialization of ",
            "main class ",
            " jarfile",
            "java.lang.OutOfMemoryError",
            launcher::HANDLER,
            launcher::NOT_STATIC,
            clojure::ANCHORS[0],
            clojure::ANCHORS[1],
            clojure::ANCHORS[2],
            clojure::ANCHORS[3],
            clojure::ANCHORS[4],
            clojure::ANCHORS[5],
            clojure::CLASSED,
            compiler::JAVA,
            fault::NATIVE_IMAGE,
            fault::OPENJ9,
            "main manifest attribute",
            "Main method not found",
        ]
    }

    fn lasting(&self) -> &'static [&'static str] {
        &[
            "Exception in thread ",
            "\tat ",
            "    at ",
            "Caused by: ",
            "Wrapped by: ",
            " the Java Runtime Environment",
            "java.lang.OutOfMemoryError",
        ]
    }

    fn begin(&self, line: &Line<'_>, context: &Context<'_>) -> Option<Box<dyn Parser>> {
        if let Some(trace) = Trace::uncaught(line, context) {
            return Some(Box::new(trace));
        }
        if let Some(report) = fatal::Report::new(line, context) {
            return Some(Box::new(report));
        }
        if let Some(failure) = spring::Failure::new(line, context) {
            return Some(Box::new(failure));
        }
        if let Some(refusal) = launcher::Refusal::new(line, context) {
            return Some(Box::new(refusal));
        }
        if let Some(report) = fault::Report::new(line, context) {
            return Some(Box::new(report));
        }
        if let Some(failure) = compiler::Failure::of_java(line, context) {
            return Some(Box::new(failure));
        }
        if let Some(report) = clojure::Report::new(line, context) {
            return Some(Box::new(report));
        }
        Trace::logged(line, context).map(|trace| Box::new(trace) as Box<dyn Parser>)
    }

    fn resume(&self, line: &Line<'_>) -> Option<Box<dyn Parser>> {
        let inside = frames::find(line.text).is_some() || trace::cause(line.text).is_some() && !text::blank(line.text);
        inside.then(|| Trace::without_head(line)).flatten().map(|trace| Box::new(trace) as Box<dyn Parser>)
    }
}
