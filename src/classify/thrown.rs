//! Exceptions that a logger writes into JSON as objects: log4j2's `thrown` with its `extendedStackTrace`,
//! logback's `throwable` with its `stepArray`, the `exception` of Quarkus and WildFly with its `frames`, PHP's Monolog. They become lines of a trace as the runtime writes them.

/// Deepest chain that is read.
const LINKS: usize = 8;
/// Most frames of one link that are read.
const FRAMES: usize = 256;

/// An exception under way, with its causes.
#[derive(Clone, Debug, Default)]
pub struct Thrown {
    links: Vec<Link>,
}

#[derive(Clone, Debug, Default)]
struct Link {
    class: String,
    message: String,
    frames: Vec<Frame>,
    common: String,
    /// All of it as one text, with its causes: log4j2's `stacktraceAsString`.
    whole: String,
}

#[derive(Clone, Debug, Default)]
struct Frame {
    class: String,
    method: String,
    file: String,
    line: String,
}

impl Thrown {
    /// Takes a value by the keys below `thrown` or `throwable` that lead to it.
    pub fn value(&mut self, inside: &[&str], text: &str) {
        let (mut depth, mut rest) = (0, inside);
        while let ["cause", below @ ..] | ["causedBy", "exception", below @ ..] = rest {
            (depth, rest) = (depth + 1, below);
        }
        if depth >= LINKS {
            return;
        }
        if self.links.len() <= depth {
            self.links.resize(depth + 1, Link::default());
        }
        self.links[depth].value(rest, text);
    }

    /// Takes a value of a frame that stands alone; the first one names its class.
    pub fn lone(&mut self, key: &str, text: &str) -> bool {
        const KEYS: [&str; 8] =
            ["class", "className", "method", "methodName", "file", "fileName", "line", "lineNumber"];
        let known = KEYS.contains(&key);
        let begun = !self.links.is_empty() || matches!(key, "class" | "className");
        if known && begun {
            self.value(&["frames", key], text);
        }
        known && begun
    }

    /// The lines of the frames alone.
    pub fn frames(&self) -> String {
        self.links.iter().flat_map(|link| &link.frames).map(Frame::line).collect::<Vec<_>>().join("\n")
    }

    /// The lines of the trace; `None` where there was none.
    pub fn text(&self) -> Option<String> {
        if let Some(link) = self.links.first().filter(|link| !link.whole.is_empty()) {
            return Some(link.whole.clone());
        }
        let mut out = String::new();
        if self.links.iter().all(|link| link.class.is_empty()) {
            return None;
        }
        for (at, link) in self.links.iter().enumerate() {
            link.write(&mut out, at > 0);
        }
        (!out.is_empty()).then_some(out)
    }
}

impl Link {
    fn value(&mut self, path: &[&str], text: &str) {
        match path {
            ["name" | "className" | "exceptionType"] => self.class = text.to_owned(),
            ["extendedStackTrace"] => self.whole = text.to_owned(),
            ["message"] => self.message = text.to_owned(),
            ["commonElementCount" | "commonFramesCount"] => self.common = text.to_owned(),
            ["extendedStackTrace" | "stepArray" | "frames", key] => self.frame(key, text),
            _ => {}
        }
    }

    fn frame(&mut self, key: &str, text: &str) {
        let first = matches!(key, "class" | "className");
        if first && self.frames.len() < FRAMES {
            self.frames.push(Frame::default());
        }
        let Some(frame) = self.frames.last_mut() else { return };
        match key {
            "class" | "className" => frame.class = text.to_owned(),
            "method" | "methodName" => frame.method = text.to_owned(),
            "file" | "fileName" => frame.file = text.to_owned(),
            "line" | "lineNumber" => frame.line = text.to_owned(),
            _ => {}
        }
    }

    fn write(&self, out: &mut String, cause: bool) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(if cause { "Caused by: " } else { "" });
        out.push_str(&self.class);
        if !self.message.is_empty() && self.message != "null" {
            out.push_str(": ");
            out.push_str(&self.message);
        }
        for frame in &self.frames {
            out.push('\n');
            out.push_str(&frame.line());
        }
        if !matches!(self.common.as_str(), "" | "0") {
            out.push_str(&format!("\n\t... {} more", self.common));
        }
    }
}

impl Frame {
    fn line(&self) -> String {
        format!("\tat {}.{}({})", self.class, self.method, self.place())
    }

    fn place(&self) -> String {
        let counted = self.line.starts_with(|c: char| c.is_ascii_digit());
        match self.file.as_str() {
            "" | "null" if counted => format!("Unknown Source:{}", self.line),
            "" | "null" => "Unknown Source".to_owned(),
            file if counted => format!("{file}:{}", self.line),
            file => file.to_owned(),
        }
    }
}

/// The exceptions of PHP's Monolog, the outermost one first.
#[derive(Clone, Debug, Default)]
pub struct Monolog {
    links: Vec<MonologLink>,
}

/// One of them: `file` and the members of `trace` are places, `/srv/a.php:12`.
#[derive(Clone, Debug, Default)]
struct MonologLink {
    class: String,
    message: String,
    file: String,
    line: String,
    trace: Vec<String>,
    /// The calls as PHP itself gives them, where they are objects.
    calls: Vec<PhpCall>,
}

/// A member of `Exception::getTrace()`.
#[derive(Clone, Debug, Default)]
struct PhpCall {
    file: String,
    line: String,
    function: String,
    class: String,
}

impl Monolog {
    /// Takes a value by the keys below `exception` that lead to it.
    pub fn value(&mut self, inside: &[&str], text: &str) {
        let depth = inside.iter().take_while(|key| **key == "previous").count();
        if depth >= LINKS {
            return;
        }
        if self.links.len() <= depth {
            self.links.resize(depth + 1, MonologLink::default());
        }
        self.links[depth].value(&inside[depth..], text);
    }

    /// The text in the form of Monolog's lines; `None` where there was none.
    pub fn text(&self) -> Option<String> {
        let links = self.links.iter().filter(|link| !link.class.is_empty());
        let texts: Vec<String> = links.map(MonologLink::text).collect();
        (!texts.is_empty()).then(|| texts.join("\n[previous exception] "))
    }
}

impl Monolog {
    /// The text, where the calls are objects: what else an error has is read elsewhere.
    pub fn with_calls(&self) -> Option<String> {
        self.text().filter(|_| self.links.iter().any(|link| !link.calls.is_empty()))
    }
}

impl PhpCall {
    fn text(&self) -> String {
        let class = if self.class.is_empty() { String::new() } else { format!("{}->", self.class) };
        let place = if self.file.is_empty() { "[internal function]" } else { &format!("{}({})", self.file, self.line) };
        format!("{place}: {class}{}()", self.function)
    }
}

impl MonologLink {
    fn call(&mut self, key: &str, text: &str) {
        // A call of PHP itself has no file.
        let begun = self.calls.last().is_some_and(|call| !call.function.is_empty());
        let first = key == "file" || key == "function" && (begun || self.calls.is_empty());
        if first && self.calls.len() < FRAMES {
            self.calls.push(PhpCall::default());
        }
        let Some(call) = self.calls.last_mut() else { return };
        match key {
            "file" => call.file = text.to_owned(),
            "line" => call.line = text.to_owned(),
            "function" => call.function = text.to_owned(),
            "class" => call.class = text.to_owned(),
            _ => {}
        }
    }

    fn value(&mut self, path: &[&str], text: &str) {
        match path {
            ["class"] => self.class = text.to_owned(),
            ["message"] => self.message = text.to_owned(),
            ["file"] => self.file = text.to_owned(),
            ["line"] => self.line = text.to_owned(),
            ["trace", key] => self.call(key, text),
            ["trace"] if self.trace.len() < FRAMES => self.trace.push(text.to_owned()),
            _ => {}
        }
    }

    fn text(&self) -> String {
        let line = if self.line.is_empty() { String::new() } else { format!(":{}", self.line) };
        let mut text = format!("[object] ({}(code: 0): {} at {}{line})", self.class, self.message, self.file);
        for (number, call) in self.calls.iter().enumerate() {
            text.push_str(&format!("\n#{number} {}", call.text()));
        }
        for (number, place) in self.trace.iter().enumerate() {
            if let Some((file, line)) = place.rsplit_once(':') {
                text.push_str(&format!("\n#{number} {file}({line}): ?()"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::record::Record;

    #[test]
    fn the_object_of_monolog_becomes_its_line() {
        let line = r#"{"message":"stops","context":{"exception":{"class":"A\\B","message":"x","code":0,"file":"/a.php:14","trace":["/b.php:3"]}},"level":400}"#;
        let record = Record::read(line.as_bytes()).unwrap();
        assert_eq!(record.stack, "[object] (A\\B(code: 0): x at /a.php:14)\n#0 /b.php(3): ?()");
    }

    #[test]
    fn what_an_exception_of_monolog_was_thrown_for_stands_below_it() {
        let line = r#"{"message":"stops","context":{"exception":{"class":"A","message":"x","file":"/a.php:14","trace":["/b.php:3"],"previous":{"class":"B","message":"y","file":"/c.php:4"}}},"level":400}"#;
        let record = Record::read(line.as_bytes()).unwrap();
        let below = "[previous exception] [object] (B(code: 0): y at /c.php:4)";
        assert_eq!(record.stack, format!("[object] (A(code: 0): x at /a.php:14)\n#0 /b.php(3): ?()\n{below}"));
    }

    #[test]
    fn the_objects_of_log4j2_and_logback_become_traces() {
        let log4j2 = r#"{"level":"ERROR","message":"ledger stops","thrown":{"commonElementCount":0,"message":"cannot close","name":"a.Outer","cause":{"commonElementCount":1,"message":"/ by zero","name":"a.Inner","extendedStackTrace":[{"class":"a.B","method":"c","file":"B.java","line":3,"exact":true}]},"extendedStackTrace":[{"class":"a.M","method":"main","file":"M.java","line":9}]}}"#;
        let logback = r#"{"level":"ERROR","message":"ledger stops","throwable":{"className":"a.Outer","message":"cannot close","stepArray":[{"className":"a.M","methodName":"main","fileName":"M.java","lineNumber":9}],"cause":{"className":"a.Inner","message":"/ by zero","commonFramesCount":1,"stepArray":[{"className":"a.B","methodName":"c","fileName":"B.java","lineNumber":3}]}}}"#;
        let trace = "a.Outer: cannot close\n\tat a.M.main(M.java:9)\nCaused by: a.Inner: / by zero\n\tat a.B.c(B.java:3)\n\t... 1 more";
        for line in [log4j2, logback] {
            assert_eq!(Record::read(line.as_bytes()).unwrap().stack, trace);
        }
        let whole = r#"{"level":"ERROR","thrown":{"message":"x","name":"a.B","extendedStackTrace":"a.B: x\n\tat a.M.main(M.java:9)"}}"#;
        let loose = r#"{"level":"ERROR","msg":"stops","details":{"cause_text":"a.B: x\n\tat a.M.main(M.java:9)"}}"#;
        let string = r#"{"level":"ERROR","thrown":"a.B: x\n\tat a.M.main(M.java:9)"}"#;
        for line in [whole, loose, string] {
            assert_eq!(Record::read(line.as_bytes()).unwrap().stack, "a.B: x\n\tat a.M.main(M.java:9)");
        }
    }

    #[test]
    fn frames_alone_stand_below_what_other_fields_tell() {
        let line = r#"{"level":"ERROR","message":"stops","error":{"type":"a.Boom","message":"zero","stack":[{"class":"a.B","method":"c","file":"B.java","line":3}]}}"#;
        let record = Record::read(line.as_bytes()).unwrap();
        assert_eq!(record.lines().collect::<Vec<_>>(), ["stops", "a.Boom: zero", "\tat a.B.c(B.java:3)"]);
    }

    #[test]
    fn the_objects_of_quarkus_become_traces() {
        let line = r#"{"level":"ERROR","message":"stops","exception":{"refId":1,"exceptionType":"a.Outer","message":"cannot close","frames":[{"class":"a.M","method":"main","line":9}],"causedBy":{"exception":{"refId":2,"exceptionType":"a.Inner","message":"/ by zero","frames":[{"class":"a.B","method":"c"}]}}}}"#;
        let trace = "a.Outer: cannot close\n\tat a.M.main(Unknown Source:9)\nCaused by: a.Inner: / by zero\n\tat a.B.c(Unknown Source)";
        let record = Record::read(line.as_bytes()).unwrap();
        assert_eq!((record.stack.as_str(), record.summary().as_str()), (trace, "stops: cannot close"));
    }
}
