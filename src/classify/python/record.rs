//! structlog's `dict_tracebacks`: a traceback as JSON values, which is written out as the text that Python prints.

/// Most frames that are written out of one exception.
const FRAMES: usize = 64;
/// Most exceptions of a chain.
const LINKS: usize = 16;

/// The exceptions of one record, the last raised one first, as structlog orders them.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    links: Vec<Link>,
}

#[derive(Clone, Debug, Default)]
struct Link {
    class: String,
    value: String,
    caused: bool,
    frames: Vec<String>,
    file: String,
    line: String,
    function: String,
}

impl Exceptions {
    /// Takes a value of the record, if it is one of these.
    pub fn value(&mut self, path: &[&str], text: &str) {
        let ["exception", path @ ..] = path else { return };
        if path == ["exc_type"] && self.links.len() < LINKS {
            self.links.push(Link { class: text.to_owned(), ..Link::default() });
            return;
        }
        let Some(link) = self.links.last_mut() else { return };
        match path {
            ["exc_value"] => text.clone_into(&mut link.value),
            ["is_cause"] => link.caused = text == "true",
            ["frames", "filename"] => text.clone_into(&mut link.file),
            ["frames", "lineno"] => text.clone_into(&mut link.line),
            ["frames", "name"] => link.frame(text),
            ["frames", "line"] if !text.is_empty() => link.source(text),
            _ => {}
        }
    }

    /// The text; `None` where the record holds no such exception.
    pub fn text(&self) -> Option<String> {
        let mut text = String::new();
        for (at, link) in self.links.iter().enumerate().rev() {
            text.push_str("Traceback (most recent call last):\n");
            link.frames.iter().for_each(|frame| text.push_str(frame));
            text.push_str(&format!("{}: {}\n", link.class, link.value));
            if at > 0 {
                text.push_str(match link.caused {
                    true => "\nThe above exception was the direct cause of the following exception:\n\n",
                    false => "\nDuring handling of the above exception, another exception occurred:\n\n",
                });
            }
        }
        (!self.links.is_empty()).then_some(text)
    }
}

impl Link {
    fn frame(&mut self, function: &str) {
        function.clone_into(&mut self.function);
        if self.frames.len() < FRAMES {
            self.frames.push(format!("  File \"{}\", line {}, in {function}\n", self.file, self.line));
        }
    }

    fn source(&mut self, line: &str) {
        if let Some(frame) = self.frames.last_mut().filter(|frame| !frame.contains("\n    ")) {
            frame.push_str(&format!("    {}\n", line.trim()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_written_out_innermost_first() {
        let mut exceptions = Exceptions::default();
        let values = [
            ("exc_type", "LaneError"),
            ("exc_value", "no lane"),
            ("exc_type", "KeyError"),
            ("exc_value", "'x'"),
            ("is_cause", "true"),
        ];
        for (key, value) in values {
            exceptions.value(&["exception", key], value);
        }
        for (key, value) in [("filename", "/app/a.py"), ("lineno", "3"), ("name", "f"), ("line", "T[d]")] {
            exceptions.value(&["exception", "frames", key], value);
        }
        let text = exceptions.text().unwrap();
        assert!(text.starts_with(
            "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in f\n    T[d]\nKeyError: 'x'\n"
        ));
        assert!(text.contains("direct cause") && text.ends_with("LaneError: no lane\n"));
        assert_eq!(Exceptions::default().text(), None);
    }
}
