//! Errors as loggers of JavaScript write them into records: the causes and members that they hold beside their own stack,
//! and tslog's frames as objects. All become the text that Node.js prints.

/// Most frames of tslog's that are written out.
const FRAMES: usize = 64;
/// Most errors that are taken out of one.
const HELD: usize = 16;

/// What one record tells of an error beside its own stack.
#[derive(Clone, Debug, Default)]
pub struct Held {
    causes: Vec<String>,
    members: Vec<String>,
    frames: Vec<String>,
    /// `Bank.door`, of the frame that is being read, and its place.
    place: String,
}

impl Held {
    /// Takes a value by the keys that lead to it, if it is one of these.
    pub fn value(&mut self, path: &[&str], text: &str) -> bool {
        let Some(("err" | "error" | "exception" | "reason", inside)) = path.split_first().map(|(a, b)| (*a, b)) else {
            return false;
        };
        let room = self.causes.len() + self.members.len() < HELD;
        match inside {
            ["cause" | "original" | "originalError" | "jse_cause", .., "stack"] if room => {
                self.causes.push(text.to_owned());
            }
            ["aggregateErrors" | "errors", "stack"] if room => self.members.push(text.to_owned()),
            ["stack", "fullFilePath"] => text.clone_into(&mut self.place),
            ["stack", "method"] => self.frame(text),
            _ => return false,
        }
        true
    }

    fn frame(&mut self, method: &str) {
        let place = std::mem::take(&mut self.place);
        if self.frames.len() < FRAMES && !place.is_empty() {
            let named = !method.is_empty() && method != "[undefined]";
            self.frames.push(if named { format!("    at {method} ({place})") } else { format!("    at {place}") });
        }
    }

    /// The lines that go below the error's own stack; `None` where there are none.
    pub fn text(&self) -> Option<String> {
        let mut lines = self.frames.clone();
        lines.extend(self.causes.iter().map(|cause| format!("[cause]: {cause}")));
        if !self.members.is_empty() {
            lines.push("[errors]: [".to_owned());
            lines.extend(self.members.iter().flat_map(|member| member.lines()).map(|line| format!("    {line}")));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn what_an_error_holds_stands_below_it() {
        let stack = r#""stack":"Error: no bank\n    at load (/app/src/load.js:3:9)""#;
        let refused = r#"{"message":"connect ECONNREFUSED ::1:5432","stack":"Error: connect ECONNREFUSED ::1:5432\n    at afterConnect (node:net:1682:16)","code":"ECONNREFUSED"}"#;
        let cases = [
            (format!(r#"{{"level":60,"err":{{"message":"no bank",{stack},"cause":{refused}}}}}"#), "ConnectionRefused"),
            (
                format!(r#"{{"level":60,"err":{{"message":"no bank",{stack},"aggregateErrors":[{refused}]}}}}"#),
                "ConnectionRefused",
            ),
            (format!(r#"{{"level":60,"err":{{"message":"no bank",{stack}}}}}"#), "UnhandledError"),
            (
                r#"{"level":"FATAL","error":{"name":"TypeError","message":"x is not a function","stack":[{"fullFilePath":"/app/src/load.js:3:9","fileLine":"3","method":"load"},{"fullFilePath":"node:internal/main:36:49","fileLine":"36","method":"[undefined]"}]}}"#.to_owned(),
                "TypeMismatch",
            ),
        ];
        for (log, reason) in cases {
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding = Engine::default().classify(log.as_bytes(), facts).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            assert_eq!((finding.reason.as_str(), culprit.as_str()), (reason, "load.js:3"), "{log}");
        }
    }
}
