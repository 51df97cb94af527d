//! The text of a message with the groups of an expression in it: `$1`, `$name`, `${name}`, and `$$` for a dollar sign.

use regex::Captures;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// In words, when a `${` has no end or names nothing.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            parts.push(Part::Text(rest[..at].to_owned()));
            let (part, length) = group(&rest[at + 1..])?;
            parts.push(part);
            rest = &rest[at + 1 + length..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { parts })
    }

    /// The groups that it names.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Group(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text, with what the groups hold. A group that took no part in the match is empty.
    pub fn fill(&self, captures: Option<&Captures<'_>>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            out.push_str(match part {
                Part::Text(text) => text,
                Part::Group(name) => captures.and_then(|captures| of_group(captures, name)).unwrap_or_default(),
            });
        }
        out
    }
}

fn of_group<'a>(captures: &Captures<'a>, name: &str) -> Option<&'a str> {
    let found = match name.parse::<usize>() {
        Ok(number) => captures.get(number),
        Err(_) => captures.name(name),
    };
    found.map(|found| found.as_str())
}

/// What stands behind a `$`, and its length.
fn group(text: &str) -> Result<(Part, usize), String> {
    if text.starts_with('$') {
        return Ok((Part::Text("$".to_owned()), 1));
    }
    if let Some(inside) = text.strip_prefix('{') {
        let name = inside.split_once('}').map(|(name, _)| name).ok_or("`${` has no `}`")?;
        return match name {
            "" => Err("`${}` names no group".to_owned()),
            name => Ok((Part::Group(name.to_owned()), name.len() + 2)),
        };
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = text.find(|c| !word(c)).unwrap_or(text.len());
    match &text[..length] {
        "" => Err("`$` names no group: write `$$` for a dollar sign".to_owned()),
        name => Ok((Part::Group(name.to_owned()), length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn groups_are_filled_in() {
        let regex = Regex::new(r"(?P<what>\w+) on (\d+)( now)?").unwrap();
        let captures = regex.captures("bind on 80");
        let cases = [
            ("no group", "no group"),
            ("$what fails: ${2}x$3", "bind fails: 80x"),
            ("$$5 for $0", "$5 for bind on 80"),
        ];
        for (template, text) in cases {
            assert_eq!(Template::new(template).unwrap().fill(captures.as_ref()), text);
        }
        assert_eq!(Template::new("a $1 ${b}").unwrap().groups().collect::<Vec<_>>(), ["1", "b"]);
    }

    #[test]
    fn a_dollar_sign_that_names_nothing_is_a_mistake() {
        for template in ["5 $", "$-", "${x", "${}"] {
            assert!(Template::new(template).is_err(), "{template}");
        }
    }
}
