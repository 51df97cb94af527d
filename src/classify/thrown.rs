//! Exceptions that a logger for Java writes into JSON as objects: log4j2's `thrown` with its `extendedStackTrace`,
//! logback's `throwable` with its `stepArray`. They become lines of a trace as the JVM writes them.

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
}

#[derive(Clone, Debug, Default)]
struct Frame {
    class: String,
    method: String,
    file: String,
    line: String,
}

impl Thrown {
    /// Takes a value of a record; `false` where it is not part of an exception.
    pub fn value(&mut self, path: &[&str], text: &str) -> bool {
        let [root @ ("thrown" | "throwable"), inside @ ..] = path else { return false };
        let depth = inside.iter().take_while(|key| **key == "cause").count();
        if depth >= LINKS {
            return true;
        }
        if self.links.len() <= depth {
            self.links.resize(depth + 1, Link::default());
        }
        self.links[depth].value(&inside[depth..], text, *root == "throwable");
        true
    }

    /// The lines of the trace; empty where there was none.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (at, link) in self.links.iter().enumerate() {
            link.write(&mut out, at > 0);
        }
        out
    }
}

impl Link {
    fn value(&mut self, path: &[&str], text: &str, logback: bool) {
        match path {
            ["name"] => self.class = text.to_owned(),
            ["className"] if logback => self.class = text.to_owned(),
            ["message"] => self.message = text.to_owned(),
            ["commonElementCount" | "commonFramesCount"] => self.common = text.to_owned(),
            ["extendedStackTrace" | "stepArray", key] => self.frame(key, text),
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
            out.push_str(&format!("\n\tat {}.{}({})", frame.class, frame.method, frame.place()));
        }
        if !matches!(self.common.as_str(), "" | "0") {
            out.push_str(&format!("\n\t... {} more", self.common));
        }
    }
}

impl Frame {
    fn place(&self) -> String {
        let counted = self.line.starts_with(|c: char| c.is_ascii_digit());
        match self.file.as_str() {
            "" | "null" => "Unknown Source".to_owned(),
            file if counted => format!("{file}:{}", self.line),
            file => file.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::record::Record;

    #[test]
    fn the_objects_of_log4j2_and_logback_become_traces() {
        let log4j2 = r#"{"level":"ERROR","message":"ledger stops","thrown":{"commonElementCount":0,"message":"cannot close","name":"a.Outer","cause":{"commonElementCount":1,"message":"/ by zero","name":"a.Inner","extendedStackTrace":[{"class":"a.B","method":"c","file":"B.java","line":3,"exact":true}]},"extendedStackTrace":[{"class":"a.M","method":"main","file":"M.java","line":9}]}}"#;
        let logback = r#"{"level":"ERROR","message":"ledger stops","throwable":{"className":"a.Outer","message":"cannot close","stepArray":[{"className":"a.M","methodName":"main","fileName":"M.java","lineNumber":9}],"cause":{"className":"a.Inner","message":"/ by zero","commonFramesCount":1,"stepArray":[{"className":"a.B","methodName":"c","fileName":"B.java","lineNumber":3}]}}}"#;
        let trace = "a.Outer: cannot close\n\tat a.M.main(M.java:9)\nCaused by: a.Inner: / by zero\n\tat a.B.c(B.java:3)\n\t... 1 more";
        for line in [log4j2, logback] {
            assert_eq!(Record::read(line.as_bytes()).unwrap().stack, trace);
        }
    }
}
