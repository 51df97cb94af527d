//! The format of a file of rules, read strictly: every mistake with its line and column.
//!
//! ```yaml
//! rules:
//!   - name: licence-expired             # unique; a user's rule replaces the built-in one of this name
//!     match:                            # all that is given must hold
//!       line: 'licence (?P<id>\S+) expired'
//!       exitCodes: [3]                  # one of these, or one of the signals
//!       signals: [6]
//!       kubeletReason: Error
//!       runtime: jvm                    # as far as the log shows it
//!     category: Startup                 # may be left out for a built-in reason
//!     reason: LicenceExpired            # built-in or a PascalCase word of one's own
//!     runtime: jvm                      # what such a line proves to have written it
//!     message: 'licence $id has expired'  # without it, the line
//!     advice: {summary: …, prove: […], fix: […]}
//! advice:                               # other texts for a reason, for one runtime or for all
//!   - {reason: OOMKilled, summary: …, fix: […]}
//! ```
//!
//! A list at the top is a list of rules. Where an expression has the groups `file` and `line`, e.g.
//! `in (?P<file>\S+):(?P<line>\d+)`, they are the culprit.

use std::fmt;

use serde::Deserialize;

use super::pattern::Pattern;
use super::template::Template;
use super::{Condition, Rule};
use crate::classify::advice::Entry;
use crate::classify::finding::{Advice, Category, CrashReason, Runtime};
use crate::classify::reason;
use crate::yaml::{self, Step};

/// Largest file, in bytes: as much as a ConfigMap holds.
pub const FILE_BYTES: usize = 1024 * 1024;
/// Most rules in one file.
pub const RULES: usize = 512;
/// Most rules in one file whose expression has no text that a line must hold, so that it is tried on every line that is
/// looked at.
pub const UNFILTERED: usize = 32;
/// Longest name of a rule, in bytes.
const NAME_BYTES: usize = 128;
/// Longest template of a message, in bytes.
const TEMPLATE_BYTES: usize = 512;
/// Longest text of an advice, in bytes, and most steps of one kind: as in a report.
const ADVICE_BYTES: usize = 512;
const ADVICE_STEPS: usize = 8;

/// One mistake in a file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// Texts for reasons.
    pub advice: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`rules:` and `advice:`, or a list of rules")]
struct RawFile {
    #[serde(default)]
    rules: Vec<RawRule>,
    #[serde(default)]
    advice: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule with `name`, `match` and `reason`")]
struct RawRule {
    name: String,
    r#match: RawMatch,
    #[serde(default)]
    category: Option<Category>,
    reason: String,
    #[serde(default)]
    runtime: Option<Runtime>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    advice: Option<Advice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "what must hold, e.g. `line` or `exitCodes`")]
struct RawMatch {
    #[serde(default)]
    line: Option<String>,
    #[serde(default)]
    exit_codes: Vec<i32>,
    #[serde(default)]
    signals: Vec<i32>,
    #[serde(default)]
    kubelet_reason: Option<String>,
    #[serde(default)]
    runtime: Option<Runtime>,
}

impl RuleFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// All mistakes that can be told, each with its place; of a text that is no YAML or has another shape, the first.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        Self::read(text, false)
    }

    /// The same for a built-in file, whose expressions a test has compiled.
    ///
    /// # Errors
    /// As [`RuleFile::parse`].
    pub fn built_in(text: &str) -> Result<Self, Vec<Fault>> {
        Self::read(text, true)
    }

    fn read(text: &str, trusted: bool) -> Result<Self, Vec<Fault>> {
        if text.len() > FILE_BYTES {
            return Err(vec![fault_at((1, 1), format!("the file is larger than {FILE_BYTES} bytes"))]);
        }
        let listed = is_list(text);
        let raw = read(text, listed)
            .map_err(|error| vec![fault_at(error.position().unwrap_or((1, 1)), error.reason().to_owned())])?;
        let mut reader = Reader { text, listed, trusted, faults: Vec::new() };
        let file = reader.file(raw);
        if reader.faults.is_empty() { Ok(file) } else { Err(reader.faults) }
    }
}

fn fault_at((line, column): (usize, usize), message: String) -> Fault {
    Fault { message, line, column }
}

/// Whether the document is a list: the first line that is no comment begins an element.
fn is_list(text: &str) -> bool {
    let significant =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#') && *line != "---");
    significant.is_some_and(|line| line.starts_with("- ") || line == "-" || line.starts_with('['))
}

fn read(text: &str, listed: bool) -> Result<RawFile, yaml::YamlError> {
    if listed {
        return Ok(RawFile { rules: yaml::from_str(text)?, advice: Vec::new() });
    }
    // An empty file, or one of comments alone, has no rules.
    Ok(yaml::from_str::<Option<RawFile>>(text)?.unwrap_or_default())
}

/// Checks what the shape of a file does not tell.
struct Reader<'a> {
    text: &'a str,
    listed: bool,
    trusted: bool,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn file(&mut self, raw: RawFile) -> RuleFile {
        let mut rules: Vec<Rule> = Vec::new();
        for (at, raw) in raw.rules.into_iter().enumerate() {
            if rules.iter().any(|rule| rule.name == raw.name) {
                self.rule_fault(at, &[Step::Key("name")], format!("the name `{}` is used twice", raw.name));
            }
            rules.extend(self.rule(at, raw));
        }
        self.limits(&rules);
        for (at, entry) in raw.advice.iter().enumerate() {
            self.entry(at, entry);
        }
        RuleFile { rules, advice: raw.advice }
    }

    fn limits(&mut self, rules: &[Rule]) {
        let unfiltered =
            |(_, rule): &(usize, &Rule)| rule.condition.line.as_ref().is_some_and(|l| l.literals.is_empty());
        if rules.len() > RULES {
            self.rule_fault(RULES, &[], format!("more than {RULES} rules in one file"));
        }
        if let Some((at, _)) = rules.iter().enumerate().filter(unfiltered).nth(UNFILTERED) {
            let message = format!("more than {UNFILTERED} rules without a text of 3 letters that a line must hold");
            self.rule_fault(at, &[Step::Key("match"), Step::Key("line")], message);
        }
    }

    fn fault(&mut self, path: &[Step<'_>], message: String) {
        let place = yaml::position_of(self.text, path).unwrap_or((1, 1));
        self.faults.push(fault_at(place, message));
    }

    fn rule_fault(&mut self, at: usize, inside: &[Step<'_>], message: String) {
        let mut path: Vec<Step<'_>> = Vec::new();
        if !self.listed {
            path.push(Step::Key("rules"));
        }
        path.push(Step::Index(at));
        path.extend(inside);
        self.fault(&path, message);
    }

    fn rule(&mut self, at: usize, raw: RawRule) -> Option<Rule> {
        let known = self.faults.len();
        if raw.name.trim().is_empty() || raw.name.len() > NAME_BYTES || raw.name.contains(char::is_control) {
            self.rule_fault(at, &[Step::Key("name")], format!("a name has 1 to {NAME_BYTES} printable characters"));
        }
        let condition = self.condition(at, raw.r#match);
        let classed = self.classed(at, &raw.reason, raw.category);
        let message = raw.message.and_then(|message| self.template(at, &message));
        // What the groups are is not known where the expression is wrong, which is a mistake of its own.
        if let (Some(template), Some(condition)) = (&message, &condition) {
            self.groups(at, template, condition.line.as_ref());
        }
        if let Some(advice) = &raw.advice
            && let Some((key, problem)) = advice_problem(&advice.summary, &advice.prove, &advice.fix)
        {
            self.rule_fault(at, &[Step::Key("advice"), Step::Key(key)], problem);
        }
        let (reason, category) = classed?;
        let rule = Rule {
            name: raw.name,
            condition: condition?,
            category,
            reason,
            by: raw.runtime,
            message,
            advice: raw.advice,
        };
        (self.faults.len() == known).then_some(rule)
    }

    fn condition(&mut self, at: usize, raw: RawMatch) -> Option<Condition> {
        let empty = raw.line.is_none() && raw.exit_codes.is_empty() && raw.signals.is_empty();
        if empty && raw.kubelet_reason.is_none() {
            let message = "`match` needs a line, exitCodes, signals or a kubeletReason".to_owned();
            self.rule_fault(at, &[Step::Key("match")], message);
            return None;
        }
        if let Some(bad) = raw.signals.iter().position(|signal| !(1..=64).contains(signal)) {
            let path = [Step::Key("match"), Step::Key("signals"), Step::Index(bad)];
            self.rule_fault(at, &path, "a signal is a number from 1 to 64".to_owned());
        }
        let line = match raw.line.as_deref().map(|line| Pattern::new(line, self.trusted)).transpose() {
            Ok(line) => line,
            Err(message) => {
                self.rule_fault(at, &[Step::Key("match"), Step::Key("line")], message);
                return None;
            }
        };
        let (exit_codes, signals, runtime) = (raw.exit_codes, raw.signals, raw.runtime);
        Some(Condition { line, exit_codes, signals, kubelet_reason: raw.kubelet_reason, runtime })
    }

    /// The reason and its category, which must fit each other.
    fn classed(&mut self, at: usize, word: &str, category: Option<Category>) -> Option<(CrashReason, Category)> {
        let Some(reason) = CrashReason::custom(word) else {
            let message = format!(
                "`{word}` is no reason: a reason is one PascalCase word of ASCII letters and digits, at most 64"
            );
            self.rule_fault(at, &[Step::Key("reason")], message);
            return None;
        };
        match (reason::category_of(&reason), category) {
            (Some(built_in), Some(given)) if built_in != given => {
                let message = format!("the built-in reason {reason} has category {built_in}, not {given}");
                self.rule_fault(at, &[Step::Key("category")], message);
                None
            }
            (Some(category), _) | (None, Some(category)) => Some((reason, category)),
            (None, None) => {
                let message = format!("{reason} is no built-in reason, so the rule needs a category");
                self.rule_fault(at, &[Step::Key("reason")], message);
                None
            }
        }
    }

    fn template(&mut self, at: usize, text: &str) -> Option<Template> {
        let path = [Step::Key("message")];
        if text.len() > TEMPLATE_BYTES {
            self.rule_fault(at, &path, format!("the message is longer than {TEMPLATE_BYTES} bytes"));
        }
        Template::new(text).map_err(|message| self.rule_fault(at, &path, message)).ok()
    }

    fn groups(&mut self, at: usize, template: &Template, line: Option<&Pattern>) {
        let lacks = |group: &&str| !line.is_some_and(|line| line.has_group(group));
        if let Some(unknown) = template.groups().find(lacks) {
            let message = match line {
                Some(_) => format!("unknown group `{unknown}`: the expression in match.line has none of that name"),
                None => format!("unknown group `{unknown}`: the rule has no match.line"),
            };
            self.rule_fault(at, &[Step::Key("message")], message);
        }
    }

    fn entry(&mut self, at: usize, entry: &Entry) {
        let known = CrashReason::custom(&entry.reason).is_some();
        if !known {
            let path = [Step::Key("advice"), Step::Index(at), Step::Key("reason")];
            self.fault(&path, format!("`{}` is no reason: a reason is one PascalCase word", entry.reason));
        }
        if let Some((key, problem)) = advice_problem(&entry.summary, &entry.prove, &entry.fix) {
            self.fault(&[Step::Key("advice"), Step::Index(at), Step::Key(key)], problem);
        }
    }
}

/// The key of an advice that does not fit a report, and why.
fn advice_problem(summary: &str, prove: &[String], fix: &[String]) -> Option<(&'static str, String)> {
    if summary.trim().is_empty() || summary.len() > ADVICE_BYTES {
        return Some(("summary", format!("a summary has 1 to {ADVICE_BYTES} bytes")));
    }
    [("prove", prove), ("fix", fix)].into_iter().find_map(|(key, steps)| {
        if steps.len() > ADVICE_STEPS {
            return Some((key, format!("more than {ADVICE_STEPS} steps")));
        }
        let long = steps.iter().any(|step| step.trim().is_empty() || step.len() > ADVICE_BYTES);
        long.then(|| (key, format!("a step has 1 to {ADVICE_BYTES} bytes")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
# our own
- name: licence
  match: {line: 'licence (?P<id>\\S+) expired', exitCodes: [3]}
  category: Startup
  reason: LicenceExpired
  message: licence $id has expired
";

    #[test]
    fn a_list_and_a_mapping_are_read() {
        let file = RuleFile::parse(GOOD).unwrap();
        assert_eq!((file.rules.len(), file.rules[0].reason.as_str()), (1, "LicenceExpired"));
        let mapping = format!("---\nrules:\n{GOOD}advice:\n- {{reason: OOMKilled, summary: Call us.}}\n");
        let file = RuleFile::parse(&mapping).unwrap();
        assert_eq!((file.rules.len(), file.advice.len()), (1, 1));
        assert!(RuleFile::parse("# nothing yet\n").unwrap().rules.is_empty());
        assert!(RuleFile::parse("").unwrap().rules.is_empty());
    }

    #[test]
    fn a_bad_expression_is_not_blamed_on_its_groups_too() {
        assert_eq!(RuleFile::parse(&GOOD.replace("expired'", "(expired'")).unwrap_err().len(), 1);
    }

    #[test]
    fn every_mistake_has_its_place() {
        let change = |from: &str, to: &str| GOOD.replace(from, to);
        let cases = [
            (change("category: Startup", "category: Start"), "4:13: ", "unknown variant `Start`"),
            (change("reason: Lic", "reason: lic"), "5:11: ", "`licenceExpired` is no reason"),
            (change("reason: LicenceExpired", "reason: DiskFull"), "4:13: ", "DiskFull has category Resource, not"),
            (change("  category: Startup\n", ""), "4:11: ", "needs a category"),
            (change("$id", "$who"), "6:12: ", "unknown group `who`"),
            (change("$id", "$"), "6:12: ", "names no group"),
            (change("expired'", "(expired'"), "3:17: ", "bad expression at character 21: unclosed group"),
            (change("exitCodes", "exitcodes"), "3:48: ", "unknown field `exitcodes`"),
            (change("[3]", "[three]"), "3:60: ", "invalid type: string \"three\", expected i32"),
            (change("name: licence", "title: licence"), "2:3: ", "unknown field `title`"),
            (change("- name: licence", "- name: ''"), "2:9: ", "a name has 1 to 128"),
            (change(", exitCodes: [3]", ", signals: [9, 99]"), "3:61: ", "a signal is a number from 1 to 64"),
            (change("'licence (?P<id>\\S+) expired', exitCodes: [3]", "~"), "3:10: ", "`match` needs a line"),
            (format!("{GOOD}{}", &GOOD[10..]), "7:9: ", "the name `licence` is used twice"),
            (format!("{GOOD}  advice: {{summary: ''}}\n"), "7:21: ", "a summary has 1 to 512"),
        ];
        for (text, place, message) in cases {
            let faults = RuleFile::parse(&text).unwrap_err();
            let said = faults[0].to_string();
            assert!(said.starts_with(place) && said.contains(message), "{said}\nfor {place}{message}\n{text}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = GOOD.replace("$id", "$who").replace("[3]", "[3], signals: [0]");
        let places: Vec<_> = RuleFile::parse(&text).unwrap_err().iter().map(|fault| fault.line).collect();
        assert_eq!(places, [3, 6]);
    }
}
