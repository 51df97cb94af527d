//! Exceptions of .NET that a logger writes into JSON as objects, as Newtonsoft, Serilog's Elasticsearch formatter and
//! Serilog.Exceptions do, and NLog. They become lines of a trace as the runtime writes them.

/// Deepest chain that is read.
const LINKS: usize = 8;
/// Keys of the object, or of the array of them.
const ROOTS: [&str; 4] = ["exception", "Exception", "exceptions", "ExceptionDetail"];
/// Objects in which it may lie.
const AROUND: [&str; 3] = ["Properties", "fields", "State"];

/// An exception under way, the outermost one first.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    links: Vec<Link>,
}

#[derive(Clone, Debug, Default)]
struct Link {
    class: String,
    message: String,
    stack: String,
}

impl Objects {
    /// Takes a value by the keys that lead to it, if it is one of such an object.
    pub fn value(&mut self, path: &[&str], text: &str) -> bool {
        let path = path.strip_prefix(&path[..usize::from(AROUND.contains(&path[0]))]).unwrap_or(path);
        let Some((root, mut inside)) = path.split_first().filter(|(root, _)| ROOTS.contains(root)) else {
            return false;
        };
        let mut depth = 0;
        while let ["InnerException", below @ ..] = inside {
            (depth, inside) = (depth + 1, below);
        }
        // A list has one object after the other.
        if *root == "exceptions" {
            let next = usize::from(matches!(inside, ["Depth"]));
            depth = (self.links.len() + next).saturating_sub(1);
        }
        let known =
            matches!(inside, ["Type" | "Name" | "ClassName" | "Message" | "StackTrace" | "StackTraceString" | "Depth"]);
        if !known || depth >= LINKS {
            return false;
        }
        if self.links.len() <= depth {
            self.links.resize(depth + 1, Link::default());
        }
        self.links[depth].value(inside[0], text);
        true
    }

    /// The lines of the trace; `None` where there was none.
    pub fn text(&self) -> Option<String> {
        if self.links.iter().all(|link| link.class.is_empty()) {
            return None;
        }
        let heads: Vec<String> = self.links.iter().map(|link| format!("{}: {}", link.class, link.message)).collect();
        let mut text = heads.join("\n ---> ");
        for (at, link) in self.links.iter().enumerate().rev() {
            if !link.stack.is_empty() {
                text.push('\n');
                text.push_str(link.stack.trim_end());
            }
            if at > 0 {
                text.push_str("\n   --- End of inner exception stack trace ---");
            }
        }
        Some(text)
    }
}

impl Link {
    fn value(&mut self, key: &str, text: &str) {
        let field = match key {
            "Type" | "Name" | "ClassName" => &mut self.class,
            "Message" => &mut self.message,
            "StackTrace" | "StackTraceString" => &mut self.stack,
            _ => return,
        };
        if text != "null" {
            text.clone_into(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::record::Record;

    #[test]
    fn the_objects_of_loggers_become_traces() {
        let trace = "A.Outer: cannot close\n ---> A.Inner: zero\n   at A.B.C() in /b.cs:line 3\n   --- End of inner exception stack trace ---\n   at A.M.Main() in /m.cs:line 9";
        let lines = [
            r#"{"level":"FATAL","message":"stops","exception":{"Type":"A.Outer","StackTrace":"   at A.M.Main() in /m.cs:line 9","Message":"cannot close","InnerException":{"Type":"A.Inner","Message":"zero","StackTrace":"   at A.B.C() in /b.cs:line 3"}}}"#,
            r#"{"level":"Fatal","message":"stops","exceptions":[{"Depth":0,"ClassName":"A.Outer","Message":"cannot close","StackTraceString":"   at A.M.Main() in /m.cs:line 9","RemoteStackTraceString":null},{"Depth":1,"ClassName":"A.Inner","Message":"zero","StackTraceString":"   at A.B.C() in /b.cs:line 3"}]}"#,
            r#"{"Level":"Fatal","Properties":{"ExceptionDetail":{"Type":"A.Outer","Message":"cannot close","StackTrace":"   at A.M.Main() in /m.cs:line 9","InnerException":{"Type":"A.Inner","Message":"zero","StackTrace":"   at A.B.C() in /b.cs:line 3"}}}}"#,
        ];
        for line in lines {
            assert_eq!(Record::read(line.as_bytes()).unwrap().stack, trace, "{line}");
        }
        let both = r#"{"Level":"Fatal","Exception":"A.X: y\n   at A.M.Main()","Properties":{"ExceptionDetail":{"Type":"A.X","Message":"y"}}}"#;
        assert_eq!(Record::read(both.as_bytes()).unwrap().stack, "");
    }
}
