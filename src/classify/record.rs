//! A log record: what a logger wrote, whether as JSON, as `key=value` pairs or in a form of its own.

use super::dotnet::record::Objects;
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
        let record = json::record(line).or_else(|| logline::record(&super::text::string(line)))?;
        Some(record.opened())
    }

    /// What a record holds that is the message of another one, as collectors write it.
    fn opened(self) -> Self {
        let text = self.message.trim();
        let inner = (text.starts_with("{\"") && text.ends_with('}')).then(|| json::record(text.as_bytes())).flatten();
        match inner.filter(|inner| inner.severity.is_some() || !inner.stack.is_empty()) {
            Some(inner) => Self { severity: inner.severity.or(self.severity), ..inner },
            None => self,
        }
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
    objects: Objects,
    /// A trace in a field of any other name.
    loose: String,
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
            ["attr", "error" | "reason" | "message"] | ["attr", "error", "errmsg"] | ["attr", "message", "msg"] => {
                // Beside a message an error is a number of the system's.
                if quoted {
                    append(&mut self.record.error, &text);
                }
            }
            ["attr", "message", "error_str"] => {
                self.record.error.push_str(": ");
                self.record.error.push_str(&text);
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
            | ["fields", "error" | "err"] => {
                if path[0] == "exception" {
                    self.thrown.value(&path[1..], &text);
                }
                append(&mut self.record.error, &text);
            }
            [
                "stack" | "stacktrace" | "stack_trace" | "stackTrace" | "trace" | "exc_info" | "exc_text"
                | "errorVerbose" | "backtrace",
            ]
            | ["error.stack_trace" | "error.stack"]
            | [
                "err" | "error" | "exception" | "_exception",
                "stack" | "stack_trace" | "stacktrace" | "stackTrace" | "backtrace",
            ] => {
                append(&mut self.record.stack, &framed(text));
            }
            // Quarkus and WildFly write an exception as an object; its text is the error's too.
            ["exception", "exceptionType" | "frames" | "causedBy", ..] => {
                self.thrown.value(&path[1..], &text);
                // structlog has frames of this name too.
                self.exceptions.value(&path, &text);
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
            ["caller"] => self.caller(&text),
            ["source", "file"] => self.file = Some(text),
            ["source", "line"] => self.source_line(&text),
            ["thrown" | "throwable", inside @ ..] if !inside.is_empty() => self.thrown.value(inside, &text),
            ["context" | "extra", "exception", key] => self.monolog.value(key, &text),
            path if self.objects.value(path, &text) => {}
            path => {
                self.exceptions.value(path, &text);
                if self.loose.is_empty() && holds_frames(&text) {
                    self.loose = text;
                }
            }
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
        // Serilog writes an exception as text, and its details beside it.
        let told = [&self.record.error, &self.record.stack].iter().any(|text| text.contains("   at "));
        let objects = self.objects.text().filter(|_| !told);
        let traces = [self.exceptions.text(), self.thrown.text(), self.monolog.text(), objects];
        traces.into_iter().flatten().for_each(|text| append(&mut self.record.stack, &text));
        let fields = [&self.record.message, &self.record.error, &self.record.stack];
        if !fields.iter().any(|text| text.contains(self.loose.as_str()) || holds_frames(text)) {
            append(&mut self.record.stack, &self.loose);
        }
        // A bare list of frames is a trace only with what was thrown above it.
        let stack = &self.record.stack;
        if !self.class.is_empty() && !stack.is_empty() && !stack.contains(&self.class) {
            self.record.error = format!("{}: {}", self.class, self.record.error);
        }
        self.seen.then_some(self.record)
    }
}

/// Whether a text goes on with frames in lines of their own.
fn holds_frames(text: &str) -> bool {
    const FRAMES: [&str; 5] = ["\n\tat ", "\n    at ", "\n   at ", "\n  File \"", "\n\tfrom "];
    FRAMES.iter().any(|frame| text.contains(frame))
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

/// A frame in a list of lines, where Elasticsearch leaves out the blank before it.
fn framed(text: String) -> String {
    if text.starts_with("at ") && !text.contains('\n') { format!("\t{text}") } else { text }
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
