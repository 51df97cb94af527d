//! What Spring Boot says when an application does not start and it knows why.

use crate::classify::finding::{CrashReason, Culprit, Runtime};
use crate::classify::grammar::{Candidate, Context, Flow, Line, Parser};
use crate::classify::messages::{Messages, Voice};
use crate::classify::passage::Passage;
use crate::classify::prefix::Prefix;
use crate::classify::reason::*;
use crate::classify::text;

/// The line with which it begins, between two rows of stars.
pub const HEAD: &str = "APPLICATION FAILED TO START";

/// Most lines of one such text.
const LINES: u32 = 80;

/// What a description says, in small letters; the first that holds wins.
static DESCRIPTIONS: &[(&str, CrashReason)] = &[
    ("was already in use", PORT_IN_USE),
    ("required a single bean, but", INVALID_CONFIGURATION),
    ("that could not be found", MISSING_CONFIGURATION),
    ("is not specified", MISSING_CONFIGURATION),
    ("failed to determine a suitable driver class", MISSING_CONFIGURATION),
    ("could not resolve placeholder", MISSING_CONFIGURATION),
    ("must not be null", MISSING_CONFIGURATION),
    ("must not be empty", MISSING_CONFIGURATION),
    ("must not be blank", MISSING_CONFIGURATION),
    ("failed to bind properties", INVALID_CONFIGURATION),
    ("binding to target", INVALID_CONFIGURATION),
    ("method that does not exist", MISSING_MODULE),
    ("class hierarchy was loaded", MISSING_MODULE),
    ("no changelog could be found", MISSING_FILE),
    ("scripts locations could be found", MISSING_FILE),
    ("no spring.config.import property has been defined", MISSING_CONFIGURATION),
    ("does not exist", MISSING_FILE),
    ("could not be registered", INVALID_CONFIGURATION),
    ("is not valid", INVALID_CONFIGURATION),
    ("invalid", INVALID_CONFIGURATION),
    ("form a cycle", UNHANDLED_ERROR),
];

/// The parser of such a text.
#[derive(Debug)]
pub struct Failure {
    prefix: Prefix,
    part: Part,
    description: Vec<String>,
    count: u32,
    passage: Passage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Head,
    Description,
    Action,
}

impl Failure {
    /// Such a text, if it begins with this line.
    pub fn new(line: &Line<'_>, context: &Context<'_>) -> Option<Self> {
        let at = text::find(line.text, HEAD)?;
        Some(Self {
            prefix: Prefix::learn(&line.text[..at]),
            part: Part::Head,
            description: Vec::new(),
            count: 0,
            passage: Passage::begin(line, at, context),
        })
    }

    fn bare(&mut self, bare: &[u8], number: u64) -> Flow {
        let said = bare.trim_ascii();
        match (self.part, said) {
            (_, b"Description:") => self.part = Part::Description,
            (_, b"Action:") => self.part = Part::Action,
            (Part::Head, _) if !said.iter().all(|b| *b == b'*') => return Flow::Foreign,
            (Part::Description, _) if !said.is_empty() => self.description.push(text::string(said)),
            // The advice is one paragraph; what follows is another log.
            (Part::Action, b"") if self.passage.last_line + 1 < number => return Flow::Over,
            _ => {}
        }
        self.passage.block.push(bare);
        if !said.is_empty() {
            self.passage.last_line = number;
        }
        Flow::Taken
    }
}

fn reason_of(description: &str, messages: &Messages) -> CrashReason {
    let lower = description.to_ascii_lowercase();
    let known = DESCRIPTIONS.iter().find(|(words, _)| lower.contains(words)).map(|(_, reason)| reason.clone());
    known
        .or_else(|| messages.meaning(description, Voice::LastWords).map(|meaning| meaning.reason))
        .unwrap_or(UNHANDLED_ERROR)
}

/// `Parameter 0 of constructor in com.acme.OrderService required a bean…`: the class, or the method, that it names.
fn place(description: &str) -> Option<Culprit> {
    let (head, rest) = description.split_once(" in ")?;
    let class = rest.split([' ', ',']).next().filter(|class| class.contains('.'))?;
    let method = head.split_once(" of method ").map(|(_, method)| format!(".{method}"));
    let names = head.starts_with("Parameter ") || head.starts_with("Field ");
    let function = format!("{class}{}", method.unwrap_or_default());
    names.then_some(Culprit { function: Some(function), file: None, line: None })
}

impl Parser for Failure {
    fn line(&mut self, line: &Line<'_>) -> Flow {
        self.count += 1;
        if self.count > LINES {
            return Flow::Over;
        }
        match self.prefix.strip(line.text).map(<[u8]>::to_vec) {
            Some(bare) => self.bare(&bare, line.number),
            None => Flow::Foreign,
        }
    }

    fn finish(self: Box<Self>, messages: &Messages) -> Option<Candidate> {
        let message = self.description.join(" ");
        let first = self.description.first()?.clone();
        let culprit = place(&first);
        let named = culprit.as_ref().and_then(|culprit| culprit.function.clone());
        Some(Candidate {
            reason: reason_of(&message, messages),
            kind: first,
            signature: named.map(|function| (function, String::new())).into_iter().collect(),
            culprit,
            message,
            exits: &[1],
            ..Candidate::of(Runtime::Jvm, self.passage)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_have_their_reason() {
        let cases = [
            ("Web server failed to start. Port 8080 was already in use.", "PortInUse"),
            (
                "Parameter 0 of constructor in a.B required a bean of type 'a.C' that could not be found.",
                "MissingConfiguration",
            ),
            ("Parameter 0 of constructor in a.B required a single bean, but 2 were found:", "InvalidConfiguration"),
            (
                "Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource could be configured.",
                "MissingConfiguration",
            ),
            ("Failed to bind properties under 'shop.timeout' to java.time.Duration:", "InvalidConfiguration"),
            ("Could not resolve placeholder 'DB_URL' in value \"${DB_URL}\"", "MissingConfiguration"),
            (
                "Config data resource 'file [/etc/app.yaml]' via location 'file:/etc/app.yaml' does not exist",
                "MissingFile",
            ),
            (
                "An attempt was made to call a method that does not exist. The attempt was made from the following location:",
                "MissingModule",
            ),
            ("No spring.config.import property has been defined", "MissingConfiguration"),
            (
                "Flyway failed to initialize: none of the following migration scripts locations could be found:",
                "MissingFile",
            ),
            ("The dependencies of some of the beans in the application context form a cycle:", "UnhandledError"),
        ];
        for (description, reason) in cases {
            assert_eq!(reason_of(description, &Messages::default()).as_str(), reason, "{description}");
        }
    }

    #[test]
    fn the_class_that_lacks_a_bean_is_named() {
        let of = |text| place(text).and_then(|culprit| culprit.function);
        assert_eq!(of("Parameter 0 of constructor in a.B required a bean").as_deref(), Some("a.B"));
        assert_eq!(of("Parameter 0 of method run in a.B required a bean").as_deref(), Some("a.B.run"));
        assert_eq!(of("Field client in a.B required a bean").as_deref(), Some("a.B"));
        assert_eq!(of("Web server failed to start. Port 8080 in use"), None);
    }
}
