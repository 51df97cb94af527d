//! What an error holds, as loggers write it into records: the error's causes as objects below it, the members of an
//! aggregate, and tslog's frames as objects. All become the text that the runtime itself prints.

/// Most frames of one error that are written out.
const FRAMES: usize = 64;
/// Most causes, and most members.
const HELD: usize = 16;
/// The fields that an error is in.
const ROOTS: [&str; 4] = ["err", "error", "exception", "reason"];

/// One error: the one of the record, which only has frames here, or a cause.
#[derive(Clone, Debug, Default)]
struct Error {
    class: String,
    message: String,
    /// Its stack as one text.
    stack: String,
    /// Its frames one by one, as Node.js or as Ruby writes them.
    frames: Vec<String>,
    /// The place of the frame that is being read.
    place: String,
    is_ruby: bool,
    system: System,
}

/// What Node.js tells of a call of the system that failed, where a logger left out the text.
#[derive(Clone, Debug, Default)]
struct System {
    call: String,
    code: String,
    address: String,
    port: String,
}

/// What one record tells of an error beside its own stack.
#[derive(Clone, Debug, Default)]
pub struct Held {
    errors: Vec<Error>,
    members: Vec<String>,
}

impl Held {
    /// Takes a value by the keys that lead to it, if it is one of these.
    pub fn value(&mut self, path: &[&str], text: &str) -> bool {
        let mut inside = match path.split_first() {
            Some((root, inside)) if ROOTS.contains(root) => inside,
            Some((&"cause", inside)) if !inside.is_empty() => path,
            _ => return false,
        };
        if matches!(inside, ["aggregateErrors" | "errors", "stack"]) && self.members.len() < HELD {
            self.members.push(text.to_owned());
            return true;
        }
        let mut depth = 0;
        while let ["cause", below @ ..] = inside {
            (depth, inside) = (depth + 1, below);
        }
        let framed = matches!(inside, ["stack", _]);
        if depth > HELD || inside.is_empty() || depth == 0 && !framed {
            return false;
        }
        if self.errors.len() <= depth {
            self.errors.resize(depth + 1, Error::default());
        }
        self.errors[depth].value(inside, text)
    }

    /// The lines that go below the error's own stack; `None` where there are none.
    pub fn text(&self) -> Option<String> {
        let mut lines: Vec<String> = Vec::new();
        for (depth, error) in self.errors.iter().enumerate() {
            error.write(depth, &mut lines);
        }
        if !self.members.is_empty() {
            lines.push("[errors]: [".to_owned());
            lines.extend(self.members.iter().flat_map(|member| member.lines()).map(|line| format!("    {line}")));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl Error {
    fn value(&mut self, inside: &[&str], text: &str) -> bool {
        let set = match inside {
            ["class" | "name" | "type"] => &mut self.class,
            ["message" | "msg"] => &mut self.message,
            ["stack"] => &mut self.stack,
            ["stack", "fullFilePath"] => &mut self.place,
            ["stack", "method"] => return self.frame(text),
            ["backtrace"] => return self.ruby_frames(text),
            ["syscall"] => &mut self.system.call,
            ["code"] => &mut self.system.code,
            ["address"] => &mut self.system.address,
            ["port"] => &mut self.system.port,
            _ => return false,
        };
        text.clone_into(set);
        true
    }

    /// tslog: the place came before.
    fn frame(&mut self, method: &str) -> bool {
        let place = std::mem::take(&mut self.place);
        if self.frames.len() < FRAMES && !place.is_empty() {
            let named = !method.is_empty() && method != "[undefined]";
            self.frames.push(if named { format!("    at {method} ({place})") } else { format!("    at {place}") });
        }
        true
    }

    fn ruby_frames(&mut self, text: &str) -> bool {
        self.is_ruby = true;
        let room = FRAMES - self.frames.len().min(FRAMES);
        self.frames.extend(text.lines().take(room).map(str::to_owned));
        true
    }

    fn write(&self, depth: usize, lines: &mut Vec<String>) {
        let System { call, code, address, port } = &self.system;
        let said = format!("{}: {}", self.class, self.message);
        if depth > 0 && self.is_ruby {
            lines.extend(["Caused by:".to_owned(), said]);
        } else if depth > 0 && !self.stack.is_empty() {
            lines.push(format!("[cause]: {}", self.stack));
        } else if depth > 0 && !self.frames.is_empty() {
            lines.push(format!("[cause]: {said}"));
        } else if depth > 0 && !code.is_empty() && !call.is_empty() {
            lines.push(format!("[cause]: Error: {call} {code} {address}:{port}"));
        }
        lines.extend(self.frames.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::{Engine, ExitFacts};

    #[test]
    fn what_an_error_holds_stands_below_it() {
        let stack = r#""stack":"Error: no bank\n    at load (/app/src/load.js:3:9)""#;
        let refused = r#"{"message":"connect ECONNREFUSED ::1:5432","stack":"Error: connect ECONNREFUSED ::1:5432\n    at afterConnect (node:net:1682:16)","code":"ECONNREFUSED"}"#;
        let bare = r#"{"address":"127.0.0.1","code":"ECONNREFUSED","errno":-111,"port":1,"syscall":"connect"}"#;
        let frame = r#"{"fullFilePath":"/app/src/load.js:3:9","fileLine":"3","method":"load"}"#;
        let cases = [
            (format!(r#"{{"level":60,"err":{{"message":"no bank",{stack},"cause":{refused}}}}}"#), "ConnectionRefused"),
            (
                format!(r#"{{"level":60,"err":{{"message":"no bank",{stack},"aggregateErrors":[{refused}]}}}}"#),
                "ConnectionRefused",
            ),
            (format!(r#"{{"level":60,"err":{{"message":"no bank",{stack}}}}}"#), "UnhandledError"),
            (format!(r#"{{"cause":{bare},"level":"error","message":"no bank",{stack}}}"#), "ConnectionRefused"),
            (
                format!(
                    r#"{{"level":"FATAL","error":{{"name":"TypeError","message":"x is not a function","stack":[{frame},{{"fullFilePath":"node:internal/main:36:49","method":"[undefined]"}}]}}}}"#
                ),
                "TypeMismatch",
            ),
            (
                format!(
                    r#"{{"level":"FATAL","error":{{"name":"Error","message":"no bank","stack":[{{"fullFilePath":"/app/src/main.js:9:9","method":"main"}}],"cause":{{"name":"TypeError","message":"x is not a function","stack":[{frame}]}}}}}}"#
                ),
                "TypeMismatch",
            ),
            (
                r#"{"level":"FATAL","message":"no","error":{"class":"RuntimeError","message":"no bank","backtrace":["main.rb:9:in `<main>'"],"cause":{"class":"KeyError","message":"key not found: \"C\"","backtrace":["/app/src/load.rb:3:in `load'","main.rb:9:in `<main>'"]}}}"#
                    .to_owned(),
                "MissingKey",
            ),
        ];
        for (log, reason) in cases {
            let facts = ExitFacts { exit_code: Some(1), ..ExitFacts::default() };
            let finding = Engine::default().classify(log.as_bytes(), facts).finding;
            let culprit = finding.culprit.map_or(String::new(), |culprit| culprit.short());
            let place = culprit.replace(".rb:", ".js:");
            assert_eq!((finding.reason.as_str(), place.as_str()), (reason, "load.js:3"), "{log}");
        }
    }
}
