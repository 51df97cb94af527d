//! A log record: what a logger wrote, whether as JSON, as `key=value` pairs or in a form of its own.

use super::dotnet::record::Objects;
use super::held::Held;
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
    /// Frames as objects, beside the fields that tell what was thrown.
    lone: Thrown,
    monolog: Monolog,
    php_error: Monolog,
    objects: Objects,
    held: Held,
    /// A trace in a field of any other name.
    loose: String,
    panic: Panic,
    /// The error's class, where it is a field of its own.
    class: String,
    /// The error's text, where the field for the error may hold its class.
    said: String,
    file: Option<String>,
    php: PhpPlace,
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

/// What PHP's programs write beside the calls of an exception: where it was thrown, and its class.
#[derive(Default)]
struct PhpPlace {
    file: String,
    line: String,
    class: String,
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
        if let ["err" | "error" | "exception", inside @ ..] = path.as_slice() {
            self.php_error.value(inside, &text);
        }
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
                "stack" | "stack_trace" | "stacktrace" | "stackTrace" | "backtrace" | "trace",
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
            ["error_message" | "exception_message" | "err_message" | "exception.message"] => set(&mut self.said, text),
            ["full_message" | "exception.stacktrace"] | ["Attributes" | "attributes", "exception.stacktrace"] => {
                append(&mut self.record.stack, &text);
            }
            [.., "stack" | "stackTrace" | "stack_trace" | "stacktrace", key] if self.lone.lone(key, &text) => {}
            ["stack", "func"] => self.frame.function = text,
            ["stack", "line"] => self.frame.line = text,
            ["stack", "source"] => self.zerolog_frame(&text),
            ["file"] | ["err" | "error" | "exception", "file"] => self.php.file = text,
            ["line"] | ["err" | "error" | "exception", "line"] => self.php.line = text,
            ["class"] => self.php.class = text,
            // A hook's own backtrace, below the text of the panic.
            ["fields", "backtrace"] => append(&mut self.record.stack, &format!("stack backtrace:\n{text}")),
            ["fields", "panic.payload"] => self.panic.text = text,
            ["fields", "panic.location"] => self.panic.location = text,
            ["caller"] => self.caller(&text),
            ["source", "file"] => self.file = Some(text),
            ["source", "line"] => self.source_line(&text),
            ["thrown" | "throwable", inside @ ..] if !inside.is_empty() => self.thrown.value(inside, &text),
            ["context" | "extra", "exception", inside @ ..] => self.monolog.value(inside, &text),
            path if self.held.value(path, &text) || self.objects.value(path, &text) => {}
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
        let Panic { text, location } = &self.panic;
        if !location.is_empty() {
            append(&mut self.record.error, &format!("panicked at {location}:\n{text}"));
        }
        // Serilog writes an exception as text, and its details beside it.
        let told = [&self.record.error, &self.record.stack].iter().any(|text| text.contains("   at "));
        let objects = self.objects.text().filter(|_| !told);
        let php = self.monolog.text().or_else(|| self.php_error.with_calls());
        let traces = [self.exceptions.text(), self.thrown.text(), php, objects, self.held.text()];
        traces.into_iter().flatten().for_each(|text| append(&mut self.record.stack, &text));
        if self.record.stack.is_empty() {
            self.record.stack = self.lone.frames();
        }
        let fields = [&self.record.message, &self.record.error, &self.record.stack];
        if !fields.iter().any(|text| text.contains(self.loose.as_str()) || holds_frames(text)) {
            append(&mut self.record.stack, &self.loose);
        }
        self.told();
        unfold(&mut self.record.message);
        self.php_trace();
        // A bare list of frames is a trace only with what was thrown above it; in Python's form, below it.
        let stack = &self.record.stack;
        if stack.starts_with("  File \"") && !self.class.is_empty() && !stack.contains(&self.class) {
            let thrown = format!("{}: {}", self.class, self.record.error);
            append(&mut self.record.stack, thrown.trim_end());
            self.record.error.clear();
        } else if !self.class.is_empty() && !stack.is_empty() && !stack.contains(&self.class) {
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

impl Builder {
    /// PHP's calls alone become the text of an exception, with what the other fields tell of it.
    fn php_trace(&mut self) {
        let PhpPlace { file, line, class } = std::mem::take(&mut self.php);
        let Record { message, error, stack, .. } = &mut self.record;
        if !stack.starts_with("#0 ") || !file.contains(".php") {
            return;
        }
        let place = if line.is_empty() { file } else { format!("{file}:{line}") };
        // `exception` or `error` holds the class, or the text.
        let classes = [&self.class, &class, &*error];
        let class = classes.into_iter().find(|class| is_class(class)).cloned().unwrap_or_default();
        let said = if error.is_empty() || is_class(error) { first_line(message) } else { first_line(error) };
        *stack = format!("{class}: {said} in {place}\nStack trace:\n{stack}");
        error.clear();
    }

    /// `error` is the class where another field has the text.
    fn told(&mut self) {
        let said = std::mem::take(&mut self.said);
        let Record { error, .. } = &mut self.record;
        if said.is_empty() || error.contains(&said) {
            return;
        }
        if is_class(error) {
            set(&mut self.class, std::mem::take(error));
        }
        append(error, &said);
    }
}

/// pm2 takes the line ends out of a stack.
fn unfold(text: &mut String) {
    const FRAME: &str = "    at ";
    if !text.contains('\n') && text.matches(FRAME).nth(1).is_some() {
        *text = text.replace(FRAME, &format!("\n{FRAME}"));
    }
}

/// `KeyError`, `Shop::RateError`, `Quay\NoBerth`, `java.lang.Error`: one word as classes have it.
fn is_class(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_' | b'\\'));
    plain && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.contains(|c: char| c.is_ascii_uppercase())
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
    fn the_calls_of_php_get_what_was_thrown_above_them() {
        let trace = r##""trace":"#0 /b.php(3): f()\n#1 {main}"}"##;
        let told = "Quay\\NoBerth: no Z9 in /a.php:9\nStack trace:\n#0 /b.php(3): f()\n#1 {main}";
        let lines = [
            r#"{"message":"no Z9","exception":"Quay\\NoBerth","file":"/a.php","line":9,"#.to_owned() + trace,
            r#"{"message":"no Z9","class":"Quay\\NoBerth","file":"/a.php:9","#.to_owned() + trace,
            r#"{"msg":"quay died","error":{"class":"Quay\\NoBerth","message":"no Z9","file":"/a.php","line":9,"#
                .to_owned()
                + trace
                + "}",
        ];
        for line in lines {
            assert_eq!(Record::read(line.as_bytes()).unwrap().stack, told, "{line}");
        }
    }

    #[test]
    fn a_stack_without_line_ends_is_unfolded() {
        let line = r#"{"message":"Error: x    at f (/a.js:1:2)    at g (/a.js:3:4)","type":"err"}"#;
        let record = Record::read(line.as_bytes()).unwrap();
        assert_eq!(record.message, "Error: x\n    at f (/a.js:1:2)\n    at g (/a.js:3:4)");
        let line = r#"{"message":"all    at once"}"#;
        assert_eq!(Record::read(line.as_bytes()).unwrap().message, "all    at once");
    }

    #[test]
    fn an_error_whose_text_is_another_field_is_a_class() {
        let line =
            r#"{"message":"quay died","error":"KeyError","error_message":"no Z9","backtrace":["a.rb:3:in `f'"]}"#;
        let record = Record::read(line.as_bytes()).unwrap();
        assert_eq!(record.lines().collect::<Vec<_>>(), ["quay died", "KeyError: no Z9", "a.rb:3:in `f'"]);
        let line = r#"{"message":"quay died","error":"refused: no Z9","error_message":"no Z9"}"#;
        assert_eq!(Record::read(line.as_bytes()).unwrap().error, "refused: no Z9");
    }

    #[test]
    fn python_frames_without_a_head_get_what_was_thrown_below_them() {
        let line = r#"{"error":{"message":"'CHF'","stack_trace":"  File \"/a.py\", line 3, in f\n    x[y]","type":"KeyError"}}"#;
        let record = Record::read(line.as_bytes()).unwrap();
        assert_eq!(record.stack, "  File \"/a.py\", line 3, in f\n    x[y]\nKeyError: 'CHF'");
    }

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
