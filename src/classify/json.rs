//! JSON lines: a log record whose string fields hold a message, an error or a whole trace; and docker's own envelope.
//!
//! The reader is lenient: a record whose end was cut still yields the fields before the cut.

use super::envelope::{without_collector, without_stamps};
use super::python::record::Exceptions;
use super::severity::Severity;

/// Deepest nesting that is looked at; deeper values are passed over.
const DEPTH: usize = 6;
/// Most lines that are taken from one record.
const RECORD_LINES: usize = 2048;

/// What a logger put into one JSON record.
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
    /// Reads a line that holds a JSON object, perhaps behind a collector's prefix. An object at the end of a text, such as
    /// zap's console form has, is none, unless it states a level of its own.
    pub fn read(line: &[u8]) -> Option<Self> {
        let start = super::text::find(line, "{\"").or_else(|| super::text::find(line, "{ \""))?;
        if start > 128 {
            return None;
        }
        let mut builder = Builder::default();
        Reader { text: &line[start..], at: 0 }.object(&mut Vec::new(), &mut builder)?;
        let alone = is_envelope(&super::text::string(&line[..start]));
        (builder.seen && (alone || builder.record.severity.is_some())).then(|| builder.finish())
    }

    /// The lines of message, error and stack in this order.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        [&self.message, &self.error, &self.stack].into_iter().flat_map(|text| text.lines()).take(RECORD_LINES)
    }

    /// Message and error in one line, each thing said once.
    pub fn summary(&self) -> String {
        let (message, error) = (self.message.trim(), first_line(&self.error));
        match (message.is_empty(), error.is_empty() || message.contains(error)) {
            (_, true) => first_line(message).to_owned(),
            (true, false) => error.to_owned(),
            (false, false) => format!("{}: {error}", first_line(message)),
        }
    }
}

/// Whether nothing stands here but what collectors add.
fn is_envelope(prefix: &str) -> bool {
    let marked = format!("{prefix}{{");
    without_stamps(without_collector(&marked)) == "{"
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

/// The text inside of docker's envelope, `{"log":"…\n","stream":"stderr","time":"…"}`.
pub fn docker_line(line: &[u8]) -> Option<Vec<u8>> {
    if !line.starts_with(b"{\"log\":\"") || !super::text::has(line, "\"stream\":\"std") {
        return None;
    }
    let mut reader = Reader { text: line, at: b"{\"log\":".len() };
    let mut text = reader.string()?.into_bytes();
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    Some(text)
}

#[derive(Default)]
struct Builder {
    record: Record,
    seen: bool,
    frame: ZerologFrame,
    exceptions: Exceptions,
    file: Option<String>,
    keys: u8,
}

/// zerolog's marshalled stack: an array of `{"func":…,"line":…,"source":…}`.
#[derive(Default)]
struct ZerologFrame {
    function: String,
    line: String,
}

impl Builder {
    fn value(&mut self, path: &[String], text: String) {
        self.seen = true;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["level" | "severity" | "lvl" | "@l" | "levelname" | "log.level" | "severity_text"]
            | ["log", "level"]
            | ["record", "level", "name"] => {
                self.record.severity = Severity::of_word(&text);
            }
            // MongoDB: one letter, and what it is about in `attr`.
            ["s"] if self.record.severity.is_none() => self.record.severity = mongodb_severity(&text),
            ["attr", "error" | "reason" | "message"] | ["attr", "error", "errmsg"] => self.error(text),
            [
                "msg" | "message" | "@m" | "@mt" | "textPayload" | "event" | "log" | "short_message" | "body" | "text",
            ]
            | ["fields", "message"] => self.message(&path, text),
            [
                "err" | "error" | "exception" | "exc" | "panic" | "panicValue" | "cause" | "@x" | "Exception"
                | "error.message",
            ]
            | ["err" | "error" | "exception", "message" | "msg"]
            | ["fields", "error" | "err"] => self.error(text),
            [
                "stack" | "stacktrace" | "stack_trace" | "trace" | "exc_info" | "exc_text" | "errorVerbose"
                | "backtrace",
            ]
            | ["error.stack_trace" | "error.stack"]
            | ["err" | "error" | "exception", "stack" | "stack_trace" | "stacktrace"] => {
                append(&mut self.record.stack, &text)
            }
            ["stack", "func"] => self.frame.function = text,
            ["stack", "line"] => self.frame.line = text,
            ["stack", "source"] => self.zerolog_frame(&text),
            ["caller"] => self.caller(&text),
            ["source", "file"] => self.file = Some(text),
            ["source", "line"] => self.source_line(&text),
            ["ts" | "time"] => self.keys |= 1,
            path => self.exceptions.value(path, &text),
        }
    }

    fn message(&mut self, path: &[&str], text: String) {
        if path == ["msg"] {
            self.keys |= 2;
        }
        if self.record.message.is_empty() {
            self.record.message = text;
        }
    }

    /// An error of several lines is a trace.
    fn error(&mut self, text: String) {
        if self.record.error.is_empty() {
            self.record.error = text;
        } else {
            append(&mut self.record.error, &text);
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

    fn finish(mut self) -> Record {
        // slog, zap and logrus all write a time and `msg`; with a level in capitals or small letters.
        self.record.go_logger |= self.keys == 3 && self.record.severity.is_some();
        if let Some(text) = self.exceptions.text() {
            append(&mut self.record.stack, &text);
        }
        self.record
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

fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

/// A reader of JSON that stops where the text does not go on as JSON, keeping what it has read.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// `None` where the text is no object; an object without its end is one.
    fn object(&mut self, path: &mut Vec<String>, builder: &mut Builder) -> Option<()> {
        self.eat(b'{')?;
        while self.peek() == Some(b'"') {
            let Some(key) = self.string() else { break };
            self.eat(b':')?;
            path.push(key);
            let read = self.value(path, builder);
            path.pop();
            if read.is_none() || self.eat(b',').is_none() {
                break;
            }
        }
        // A record that was cut has no end, but what came before the cut is worth having.
        let _ = self.eat(b'}');
        Some(())
    }

    fn array(&mut self, path: &mut Vec<String>, builder: &mut Builder) -> Option<()> {
        self.eat(b'[')?;
        while self.peek()? != b']' {
            self.value(path, builder)?;
            if self.eat(b',').is_none() {
                break;
            }
        }
        self.eat(b']')
    }

    fn value(&mut self, path: &mut Vec<String>, builder: &mut Builder) -> Option<()> {
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                builder.value(path, text);
                Some(())
            }
            b'{' | b'[' if path.len() >= DEPTH => self.pass_over(),
            b'{' => self.object(path, builder),
            // Arrays of arrays add no key, so they are not followed: nesting stays bounded by the path.
            b'[' if self.text.get(self.at + 1) == Some(&b'[') => self.pass_over(),
            b'[' => self.array(path, builder),
            _ => {
                builder.value(path, self.bare()?);
                Some(())
            }
        }
    }

    /// Skips a nested value by its brackets.
    fn pass_over(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => (depth, self.at) = (depth + 1, self.at + 1),
                b'}' | b']' => (depth, self.at) = (depth.checked_sub(1)?, self.at + 1),
                _ => self.at += 1,
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn bare(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|b| !b.is_ascii_alphanumeric() && !b"+-.".contains(b)).unwrap_or(rest.len());
        self.at += length;
        (length > 0).then(|| super::text::string(&rest[..length]))
    }

    /// A string, unescaped. One without its closing quote ends with the text.
    fn string(&mut self) -> Option<String> {
        self.eat(b'"')?;
        let mut out = Vec::new();
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.escape(&mut out),
                _ => out.push(byte),
            }
        }
        Some(String::from_utf8(out).unwrap_or_else(|raw| String::from_utf8_lossy(raw.as_bytes()).into_owned()))
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let Some(&byte) = self.text.get(self.at) else { return };
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' | b'f' => {}
            b'u' => self.unicode(out),
            other => out.push(other),
        }
    }

    fn unicode(&mut self, out: &mut Vec<u8>) {
        let high = self.hex4().unwrap_or(0xfffd);
        let low = (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with(b"\\u");
        let code = if low {
            self.at += 2;
            0x10000 + ((high - 0xd800) << 10) + (self.hex4().unwrap_or(0xdc00) & 0x3ff)
        } else {
            high
        };
        let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = std::str::from_utf8(self.text.get(self.at..self.at + 4)?).ok()?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_common_loggers_are_found() {
        let cases = [
            (
                r#"{"time":"2026-11-24T04:15:10Z","level":"ERROR","msg":"startup failed","err":"open store: refused"}"#,
                "startup failed: open store: refused",
                Some(Severity::Error),
            ),
            (
                r#"{"level":"fatal","ts":1764000000.1,"caller":"cmd/main.go:31","msg":"no","error":"dial"}"#,
                "no: dial",
                Some(Severity::Fatal),
            ),
            (
                r#"{"level":60,"err":{"type":"Error","message":"boom","stack":"Error: boom\n at x"},"msg":"boom"}"#,
                "boom",
                Some(Severity::Fatal),
            ),
            (
                r#"{"t":{"$date":"2026-11-24T04:15:10.1+00:00"},"s":"F","c":"STORAGE","id":28595,"ctx":"initandlisten","msg":"Terminating.","attr":{"reason":"1: Operation not permitted"}}"#,
                "Terminating.: 1: Operation not permitted",
                Some(Severity::Fatal),
            ),
            (r#"2026 {"fields":{"message":"late"},"level":"WARN"}"#, "late", Some(Severity::Warn)),
        ];
        for (line, summary, severity) in cases {
            let record = Record::read(line.as_bytes()).unwrap();
            assert_eq!((record.summary().as_str(), record.severity), (summary, severity), "{line}");
        }
    }

    #[test]
    fn a_cut_record_yields_what_came_before_the_cut() {
        let record = Record::read(br#"{"msg":"boom","stack":"a\n\tb.go:1 \u00e4 \ud83d\ude00 and"#).unwrap();
        assert_eq!((record.message.as_str(), record.stack.as_str()), ("boom", "a\n\tb.go:1 ä 😀 and"));
    }

    #[test]
    fn zerolog_and_ecs_stacks_become_lines() {
        let record =
            Record::read(br#"{"stack":[{"func":"main","line":"7","source":"main.go"}],"message":"x"}"#).unwrap();
        assert_eq!(record.lines().collect::<Vec<_>>(), ["x", "main", "\tmain.go:7"]);
        let record = Record::read(br#"{"error":{"stack_trace":["A: b","\tat c"]}}"#).unwrap();
        assert_eq!(record.stack, "A: b\n\tat c");
    }

    #[test]
    fn deep_nesting_is_passed_over() {
        let deep = format!("{{\"a\":{}1{},\"msg\":\"m\"}}", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(Record::read(deep.as_bytes()).unwrap().message, "m");
        let deep = format!("{{\"msg\":\"m\",\"a\":{}", "{\"a\":[".repeat(30_000));
        assert_eq!(Record::read(deep.as_bytes()).unwrap().message, "m");
    }

    #[test]
    fn the_envelope_of_docker_is_opened() {
        let line = br#"{"log":"panic: \"x\"\n","stream":"stderr","time":"2026-11-24T04:15:10Z"}"#;
        assert_eq!(docker_line(line).unwrap(), b"panic: \"x\"");
        assert_eq!(docker_line(br#"{"log":"x"}"#), None);
    }
}
