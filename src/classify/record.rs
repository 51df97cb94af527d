//! A log record: what a logger wrote, whether as JSON, as `key=value` pairs or in a form of its own.

use super::python::record::Exceptions;
use super::severity::Severity;
use super::thrown::{Monolog, Thrown};
use super::{json, logline};

/// Most lines that are taken from one record.
const RECORD_LINES: usize = 2048;

/// What a logger put into one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The level, where the record has one.
    pub severity: Option<Severity>,
    /// The message.
    pub message: String,
    /// The error, where it is a field of its own.
    pub error: String,
    /// The stack, where it is a field of its own.
    pub stack: String,
    /// The place of the log call: file and line.
    pub caller: Option<(String, u32)>,
    /// It looks like one of Go's loggers.
    pub go_logger: bool,
}

impl Record {
    /// Reads a line in any of the known forms, perhaps behind a collector's prefix.
    pub fn read(line: &[u8]) -> Option<Self> {
        json::record(line).or_else(|| logline::record(&super::text::string(line)))
    }

    /// The lines of message, error and stack in this order.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        [&self.message, &self.error, &self.stack].into_iter().flat_map(|text| text.lines()).take(RECORD_LINES)
    }

    /// The message, where it is one line and there is nothing else.
    pub fn line(&self) -> Option<&str> {
        let alone = self.error.is_empty() && self.stack.is_empty() && !self.message.trim_end().contains('\n');
        alone.then(|| self.message.trim_end_matches('\n'))
    }

    /// Message and error in one line, each thing said once.
    pub fn summary(&self) -> String {
        let (message, error) = (self.message.trim(), first_line(&self.error));
        match (message.is_empty(), error.is_empty() || message.contains(error)) {
            (_, true) => announced(message),
            (true, false) => announced(&self.error),
            (false, false) => format!("{}: {}", first_line(message), announced(&self.error)),
        }
    }
}

/// The first line of a text; where it only announces what is wrong (`yaml: unmarshal errors:`), with the next one.
fn announced(text: &str) -> String {
    let mut lines = text.trim_start().lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    match lines.find(|line| !line.is_empty()).filter(|_| first.ends_with(':')) {
        Some(next) => format!("{first} {next}"),
        None => first.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

/// Collects the fields of a record.
#[derive(Default)]
pub struct Builder {
    record: Record,
    seen: bool,
    frame: ZerologFrame,
    exceptions: Exceptions,
    thrown: Thrown,
    monolog: Monolog,
    panic: Panic,
    /// The error's class, where it is a field of its own.
    class: String,
    file: Option<String>,
    marks: Marks,
}

/// What tells the loggers of Go from others that write the same fields.
#[derive(Default)]
struct Marks {
    /// `time` as RFC 3339, or `ts` as a number.
    stamp: bool,
    /// `msg`
    msg: bool,
    /// The level is a word, where pino and bunyan write a number.
    level_word: bool,
    /// A field that loggers of other languages add.
    foreign: bool,
}

/// What the hook of Rust's tracing-panic puts into fields.
#[derive(Default)]
struct Panic {
    text: String,
    location: String,
}

/// zerolog's marshalled stack: an array of `{"func":…,"line":…,"source":…}`.
#[derive(Default)]
struct ZerologFrame {
    function: String,
    line: String,
}

impl Builder {
    /// Takes a field by the keys that lead to it; `quoted` tells a string from a number or word.
    pub fn field(&mut self, path: &[String], text: String, quoted: bool) {
        self.seen = true;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        self.mark(&path, &text, quoted);
        match path.as_slice() {
            [
                "level" | "severity" | "lvl" | "@l" | "levelname" | "log.level" | "severity_text" | "SeverityText"
                | "severityText" | "LogLevel" | "Level",
            ]
            | ["log", "level"]
            | ["record", "level", "name"] => {
                self.record.severity = Severity::of_word(&text);
            }
            // MongoDB: one letter, and what it is about in `attr`.
            ["s"] if self.record.severity.is_none() => self.record.severity = mongodb_severity(&text),
            ["attr", "error" | "reason" | "message"] | ["attr", "error", "errmsg"] => {
                append(&mut self.record.error, &text);
            }
            [
                "msg" | "message" | "@m" | "@mt" | "textPayload" | "event" | "log" | "short_message" | "body" | "Body"
                | "text",
            ]
            | ["fields", "message"] => set(&mut self.record.message, text),
            [
                "err" | "error" | "exception" | "exc" | "panic" | "panicValue" | "cause" | "@x" | "Exception"
                | "error.message" | "recovered",
            ]
            | ["err" | "error" | "exception", "message" | "msg"]
            | ["fields", "error" | "err"] => append(&mut self.record.error, &text),
            [
                "stack" | "stacktrace" | "stack_trace" | "trace" | "exc_info" | "exc_text" | "errorVerbose"
                | "backtrace",
            ]
            | ["error.stack_trace" | "error.stack"]
            | [
                "err" | "error" | "exception" | "_exception",
                "stack" | "stack_trace" | "stacktrace" | "stackTrace" | "backtrace",
            ] => {
                append(&mut self.record.stack, &text);
            }
            ["err" | "error" | "exception", "class" | "name" | "type" | "kind"]
            | ["error.type" | "error.kind" | "error_class" | "exception_class" | "exception.class"] => {
                set(&mut self.class, text);
            }
            ["full_message" | "exception.stacktrace"] | ["Attributes" | "attributes", "exception.stacktrace"] => {
                append(&mut self.record.stack, &text);
            }
            ["stack", "func"] => self.frame.function = text,
            ["stack", "line"] => self.frame.line = text,
            ["stack", "source"] => self.zerolog_frame(&text),
            ["fields", "panic.payload"] => self.panic.text = text,
            ["fields", "panic.location"] => self.panic.location = text,
            ["caller"] => self.caller(&text),
            ["source", "file"] => self.file = Some(text),
            ["source", "line"] => self.source_line(&text),
            ["thrown" | "throwable", inside @ ..] => self.thrown.value(inside, &text),
            ["context" | "extra", "exception", key] => self.monolog.value(key, &text),
            path => self.exceptions.value(path, &text),
        }
    }

    fn mark(&mut self, path: &[&str], text: &str, quoted: bool) {
        match path {
            ["time"] => self.marks.stamp |= text.contains('T'),
            ["ts"] => self.marks.stamp |= !quoted,
            ["msg"] => self.marks.msg = true,
            ["level"] => self.marks.level_word = text.starts_with(|c: char| c.is_ascii_alphabetic()),
            ["pid" | "hostname" | "logger" | "logger_name" | "thread" | "module" | "name"] => self.marks.foreign = true,
            _ => {}
        }
    }

    fn zerolog_frame(&mut self, source: &str) {
        self.record.go_logger |= source.ends_with(".go");
        let frame = format!("{}\n\t{source}:{}", self.frame.function, self.frame.line);
        append(&mut self.record.stack, &frame);
    }

    fn caller(&mut self, text: &str) {
        let Some((file, line)) = text.rsplit_once(':') else { return };
        self.record.go_logger |= file.ends_with(".go");
        self.record.caller = line.parse().ok().map(|line| (file.to_owned(), line));
    }

    fn source_line(&mut self, line: &str) {
        let Some(file) = self.file.take() else { return };
        self.record.go_logger |= file.ends_with(".go");
        self.record.caller = line.parse().ok().map(|line| (file, line));
    }

    /// The record; `None` where there was no field at all.
    pub fn finish(mut self) -> Option<Record> {
        let Marks { stamp, msg, level_word, foreign } = self.marks;
        self.record.go_logger |= stamp && msg && level_word && !foreign;
        let Panic { text, location } = &self.panic;
        if !location.is_empty() {
            append(&mut self.record.error, &format!("panicked at {location}:\n{text}"));
        }
        let traces = [self.exceptions.text(), self.thrown.text(), self.monolog.text()];
        traces.into_iter().flatten().for_each(|text| append(&mut self.record.stack, &text));
        // A bare list of frames is a trace only with what was thrown above it.
        let stack = &self.record.stack;
        if !self.class.is_empty() && !stack.is_empty() && !stack.contains(&self.class) {
            self.record.error = format!("{}: {}", self.class, self.record.error);
        }
        self.seen.then_some(self.record)
    }
}

fn mongodb_severity(letter: &str) -> Option<Severity> {
    Some(match letter {
        "F" => Severity::Fatal,
        "E" => Severity::Error,
        "W" => Severity::Warn,
        "I" | "D" | "D1" | "D2" => Severity::Info,
        _ => return None,
    })
}

fn set(text: &mut String, value: String) {
    if text.is_empty() {
        *text = value;
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loggers_of_go_are_told_from_others() {
        let cases = [
            (r#"{"time":"2026-11-24T04:15:10Z","level":"ERROR","msg":"x"}"#, true),
            (r#"{"level":"fatal","ts":1764000000.1,"msg":"x"}"#, true),
            (r#"{"level":60,"time":1764000000,"pid":7,"hostname":"a","msg":"x"}"#, false),
            (r#"{"ts": "2026-11-24 04:26:39,006", "level": "INFO", "logger": "store", "msg": "x"}"#, false),
            ("time=2026-11-24T04:15:10Z level=ERROR msg=x", true),
            ("level=info msg=routed path=/a", false),
        ];
        for (line, go) in cases {
            assert_eq!(Record::read(line.as_bytes()).map(|record| record.go_logger), Some(go), "{line}");
        }
    }
}
