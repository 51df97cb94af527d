//! JSON lines: the fields of a log record, and docker's own envelope.
//!
//! The reader is lenient: a record whose end was cut still yields the fields before the cut.

use super::envelope::is_envelope;
use super::record::{Builder, Record};
use super::severity::Severity;

/// Deepest nesting that is looked at; deeper values are passed over.
const DEPTH: usize = 16;
/// Longest prefix of a collector's before an object, in bytes.
const PREFIX: usize = 128;

/// Reads a line that holds a JSON object, perhaps behind a collector's prefix. An object at the end of a text, such as
/// zap's console form has, is none, unless it states a level of its own.
pub fn record(line: &[u8]) -> Option<Record> {
    if let Some(stack) = behind_text(line) {
        return Some(stack);
    }
    let head = &line[..line.len().min(PREFIX + 3)];
    let start = ["{\"", "{ \""].iter().filter_map(|mark| super::text::find(head, mark)).min()?;
    let mut builder = Builder::default();
    Reader::new(&line[start..]).object(&mut Vec::new(), &mut builder)?;
    let record = builder.finish()?;
    let alone = is_envelope(&super::text::string(&line[..start]));
    (alone || record.severity.is_some()).then_some(record)
}

/// winston's simple form: `error: cannot start: x {"stack":"Error: x\n    at …"}`.
fn behind_text(line: &[u8]) -> Option<Record> {
    const STACK: &str = "{\"stack\":\"";
    // The first brace, so that the line of a record, which begins with one, is not searched for another.
    let start = memchr::memchr(b'{', line).filter(|at| *at > 0 && line[*at..].starts_with(STACK.as_bytes()))?;
    let said = super::text::string(line[..start].trim_ascii());
    if is_envelope(&super::text::string(&line[..start])) {
        return None;
    }
    let mut builder = Builder::default();
    Reader::new(&line[start..]).object(&mut Vec::new(), &mut builder)?;
    let record = builder.finish()?;
    let severity = record.severity.or_else(|| Severity::of_line(said.as_bytes()));
    Some(Record { message: said, severity, ..record })
}

/// A reader of JSON that stops where the text does not go on as JSON, keeping what it has read.
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of this text, from its start.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Hands on the keys of an object with their values; `None` for a value that is an object or an array. What follows a
    /// cut is missing; the answer is `None` where the text is no object.
    pub fn top(&mut self, mut field: impl FnMut(&str, Option<String>)) -> Option<()> {
        self.eat(b'{')?;
        while self.peek() == Some(b'"') {
            let key = self.string()?;
            self.eat(b':')?;
            let value = match self.peek() {
                Some(b'"') => self.string(),
                Some(b'{' | b'[') => {
                    let whole = self.pass_over();
                    field(&key, None);
                    if whole.is_none() || self.eat(b',').is_none() {
                        break;
                    }
                    continue;
                }
                _ => self.bare(),
            };
            let Some(value) = value else { break };
            field(&key, Some(value));
            if self.eat(b',').is_none() {
                break;
            }
        }
        Some(())
    }

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
                builder.field(path, text, true);
                Some(())
            }
            b'{' | b'[' if path.len() >= DEPTH => self.pass_over(),
            b'{' => self.object(path, builder),
            // Arrays of arrays add no key, so they are not followed: nesting stays bounded by the path.
            b'[' if self.text.get(self.at + 1) == Some(&b'[') => self.pass_over(),
            b'[' => self.array(path, builder),
            _ => {
                builder.field(path, self.bare()?, false);
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
                r#"{ "time": "t", "level": "FATAL", "message": "no", "exception": {"Data":{}} }"#,
                "no",
                Some(Severity::Fatal),
            ),
            (r#"2026 {"fields":{"message":"late"},"level":"WARN"}"#, "late", Some(Severity::Warn)),
        ];
        for (line, summary, severity) in cases {
            let read = record(line.as_bytes()).unwrap();
            assert_eq!((read.summary().as_str(), read.severity), (summary, severity), "{line}");
        }
    }

    #[test]
    fn a_stack_behind_a_text_belongs_to_it() {
        let read = record(br#"error: quay died x {"stack":"TypeError: x\n    at f (/a.js:1:2)"}"#).unwrap();
        assert_eq!((read.message.as_str(), read.severity), ("error: quay died x", Some(Severity::Error)));
        assert_eq!(read.stack, "TypeError: x\n    at f (/a.js:1:2)");
    }

    #[test]
    fn a_cut_record_yields_what_came_before_the_cut() {
        let read = record(br#"{"msg":"boom","stack":"a\n\tb.go:1 \u00e4 \ud83d\ude00 and"#).unwrap();
        assert_eq!((read.message.as_str(), read.stack.as_str()), ("boom", "a\n\tb.go:1 ä 😀 and"));
    }

    #[test]
    fn zerolog_and_ecs_stacks_become_lines() {
        let read = record(br#"{"stack":[{"func":"main","line":"7","source":"main.go"}],"message":"x"}"#).unwrap();
        assert_eq!(read.lines().collect::<Vec<_>>(), ["x", "main", "\tmain.go:7"]);
        let read = record(br#"{"error":{"stack_trace":["A: b","\tat c"]}}"#).unwrap();
        assert_eq!(read.stack, "A: b\n\tat c");
    }

    #[test]
    fn deep_nesting_is_passed_over() {
        let deep = format!("{{\"a\":{}1{},\"msg\":\"m\"}}", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(record(deep.as_bytes()).unwrap().message, "m");
        let deep = format!("{{\"msg\":\"m\",\"a\":{}", "{\"a\":[".repeat(30_000));
        assert_eq!(record(deep.as_bytes()).unwrap().message, "m");
    }
}
