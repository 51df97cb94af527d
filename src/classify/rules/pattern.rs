//! The expressions of rules: bounded in what they may cost, and tried only on lines that hold a text which they need.

use std::sync::OnceLock;

use regex::{Captures, Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Longest expression, in bytes.
pub const PATTERN_BYTES: usize = 1024;
/// Largest compiled program of one expression, in bytes: `\w{1,1000}` would take megabytes.
const PROGRAM_BYTES: usize = 256 * 1024;
/// Memory for the automaton that one expression makes while it searches, in bytes.
const CACHE_BYTES: usize = 512 * 1024;
/// Deepest nesting of groups.
const NESTING: u32 = 32;
/// Shortest text that is worth looking for.
const LITERAL_BYTES: usize = 3;
/// Most texts of which a line must hold one; a longer choice is no choice.
const LITERALS: usize = 32;

/// One expression. It is compiled when a line first holds a text that it needs: most of the built-in ones never are, and all of
/// them together would take as much memory as the rest of the operator.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
    groups: Vec<Option<String>>,
    /// Texts of which a matching line holds at least one, in any case of letters; empty where there is no such choice.
    pub literals: Vec<String>,
}

impl Pattern {
    /// Reads an expression; `trusted` is one of which a test has shown that it compiles.
    ///
    /// # Errors
    /// In words, when it is malformed or, of one that is not trusted, when it would cost too much.
    pub fn new(pattern: &str, trusted: bool) -> Result<Self, String> {
        if pattern.is_empty() {
            return Err("the expression is empty and would match every line".to_owned());
        }
        if pattern.len() > PATTERN_BYTES {
            return Err(format!("the expression is longer than {PATTERN_BYTES} bytes"));
        }
        let mut parser = regex_syntax::ParserBuilder::new().nest_limit(NESTING).build();
        let hir = parser.parse(pattern).map_err(|error| syntax(&error))?;
        if !trusted {
            compile(pattern)?;
        }
        let mut groups = vec![None];
        named_groups(&hir, &mut groups);
        let literals = required(&hir).unwrap_or_default();
        Ok(Self { source: pattern.to_owned(), compiled: OnceLock::new(), groups, literals })
    }

    /// What the groups of the expression hold in a line that it matches.
    pub fn captures<'l>(&self, line: &'l str) -> Option<Captures<'l>> {
        self.compiled.get_or_init(|| compile(&self.source).ok()).as_ref()?.captures(line)
    }

    /// Whether a group of this name or number exists.
    pub fn has_group(&self, group: &str) -> bool {
        match group.parse::<usize>() {
            Ok(number) => number < self.groups.len(),
            Err(_) => self.groups.iter().flatten().any(|name| name == group),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    let limited =
        RegexBuilder::new(pattern).nest_limit(NESTING).size_limit(PROGRAM_BYTES).dfa_size_limit(CACHE_BYTES).build();
    limited.map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the expression takes more than {limit} bytes when compiled: use smaller repetitions")
        }
        other => one_line(&other.to_string()),
    })
}

/// The names of the groups, in the order of their numbers.
fn named_groups(hir: &Hir, groups: &mut Vec<Option<String>>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            groups.push(capture.name.as_deref().map(str::to_owned));
            named_groups(&capture.sub, groups);
        }
        HirKind::Repetition(repetition) => named_groups(&repetition.sub, groups),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| named_groups(part, groups))
        }
        _ => {}
    }
}

fn syntax(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => {
            format!("bad expression at character {}: {}", error.span().start.column, error.kind())
        }
        regex_syntax::Error::Translate(error) => {
            format!("bad expression at character {}: {}", error.span().start.column, error.kind())
        }
        other => one_line(&other.to_string()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Texts of which every match holds at least one.
fn required(hir: &Hir) -> Option<Vec<String>> {
    let found = match hir.kind() {
        HirKind::Literal(literal) => vec![String::from_utf8(literal.0.to_vec()).ok()?],
        HirKind::Capture(capture) => required(&capture.sub)?,
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub)?,
        HirKind::Concat(parts) => of_sequence(parts)?,
        HirKind::Alternation(branches) => {
            branches.iter().map(required).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
        }
        _ => return None,
    };
    let useful = found.len() <= LITERALS && found.iter().all(|text| text.len() >= LITERAL_BYTES);
    useful.then_some(found)
}

/// The longest of the texts that the parts of a sequence need, neighbours joined.
fn of_sequence(parts: &[Hir]) -> Option<Vec<String>> {
    let mut choices: Vec<Vec<String>> = Vec::new();
    let mut run = String::new();
    for part in parts {
        match exact(part) {
            Some(text) => run.push_str(&text),
            None => {
                choices.push(vec![std::mem::take(&mut run)]);
                choices.extend(required(part));
            }
        }
    }
    choices.push(vec![run]);
    choices.into_iter().max_by_key(|texts| texts.iter().map(String::len).min())
}

/// The one text that a part stands for, in any case of letters.
fn exact(part: &Hir) -> Option<String> {
    match part.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        HirKind::Class(class) => either_case(class).map(String::from),
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
        _ => None,
    }
}

/// The letter of `[aA]`, which `(?i)a` is. Unicode's other forms of k and s are left out of account.
fn either_case(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let letters: Vec<char> = class.iter().flat_map(|range| [range.start(), range.end()]).collect();
    let ranges_are_single = class.iter().all(|range| range.start() == range.end());
    let lower = letters.iter().find(|c| c.is_ascii_lowercase())?;
    let same = letters.iter().all(|c| c.eq_ignore_ascii_case(lower) || matches!(c, '\u{17f}' | '\u{212a}'));
    (ranges_are_single && same).then_some(*lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_that_an_expression_needs_are_found() {
        let cases: [(&str, &[&str]); 9] = [
            (r"\[emerg\] (\d+)#\d+: unknown directive", &[": unknown directive"]),
            (r"(?:FATAL|PANIC):  could not", &[":  could not"]),
            (r"(?i)out of memory", &["out of memory"]),
            (r"(?i)skip", &["skip"]),
            (r"(?P<what>cannot|could not) bind", &["cannot", "could not"]),
            (r"^(?:alpha|beta) \d", &["alpha", "beta"]),
            (r"x*", &[]),
            (r"\d+ .*", &[]),
            (r"ab?c|defg", &[]),
        ];
        for (pattern, literals) in cases {
            assert_eq!(Pattern::new(pattern, false).unwrap().literals, literals, "{pattern}");
        }
    }

    #[test]
    fn what_an_expression_may_cost_is_bounded() {
        let cases = [
            ("", "the expression is empty"),
            ("(", "bad expression at character 1: unclosed group"),
            (r"a\w{1,1000}", "use smaller repetitions"),
            ("(?=x)", "bad expression at character 1: look-around"),
        ];
        for (pattern, error) in cases {
            let said = Pattern::new(pattern, false).unwrap_err();
            assert!(said.starts_with(error) || said.ends_with(error), "{pattern}: {said}");
        }
        assert!(Pattern::new(&"a".repeat(PATTERN_BYTES + 1), true).is_err());
        assert!(Pattern::new(&format!("{}x{}", "(".repeat(40), ")".repeat(40)), true).is_err());
    }
}
