//! Rules: what needs no grammar. One line, an exit code, a word of the kubelet's, and what it means, in YAML: the built-in
//! ones (`rules/*.yaml`), compiled in, and the users' own in the same format.
//!
//! Rules cost nothing while a log is read. They are tried at its end, on the lines that can be the cause: the last
//! [`LINES`] ones and those of the trace that won. Of these, an expression sees only the lines that hold a text which it
//! needs (all built-in ones have one); an expression without any, which users may write, sees each of them.
//!
//! - A user's rule wins over everything that Coroner finds itself, but not over a fact that the kernel or the kubelet
//!   states, unless the rule names that fact (`kubeletReason`). The first rule of the file that holds wins; of several
//!   lines the last.
//! - A built-in rule gives a line its meaning. Which of the last lines counts is decided as for any other line.
//! - An exit that came from outside (0, SIGTERM, SIGKILL…) has no cause in the log: only a rule that names the exit code,
//!   the signal or the kubelet's reason holds there.

pub mod file;
pub mod load;
mod pattern;
mod template;

use aho_corasick::AhoCorasick;
use regex::Captures;

use super::advice::Entry;
use super::finding::{Advice, Category, CrashReason, Culprit, Runtime};
pub use file::{Fault, RuleFile};
pub use load::RulesError;
use pattern::Pattern;
use template::Template;

/// How many of the last lines of a log users' rules see.
pub const LINES: usize = 200;
/// How much of a line an expression sees, in bytes.
const LINE_BYTES: usize = 4096;

/// The rules that are compiled in.
const BUILT_IN: [&str; 2] = [include_str!("../../../rules/servers.yaml"), include_str!("../../../rules/wrappers.yaml")];

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    condition: Condition,
    /// The category of what it finds.
    pub category: Category,
    /// The reason.
    pub reason: CrashReason,
    /// What its line proves to have written it.
    pub by: Option<Runtime>,
    message: Option<Template>,
    /// How to prove and to fix it, where the rule knows better than the texts for its reason.
    pub advice: Option<Advice>,
}

/// When a rule holds: all that is given must.
#[derive(Clone, Debug, Default)]
struct Condition {
    line: Option<Pattern>,
    exit_codes: Vec<i32>,
    signals: Vec<i32>,
    kubelet_reason: Option<String>,
    runtime: Option<Runtime>,
}

/// What rules know of an exit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exit<'a> {
    /// The exit code, 128 + n for signal n.
    pub code: Option<i32>,
    /// The kubelet's own word.
    pub kubelet_reason: Option<&'a str>,
    /// The runtime that the log shows.
    pub runtime: Option<Runtime>,
}

/// A rule that holds, and what it says.
#[derive(Clone, Debug)]
pub struct Hit<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Its message; `None` where the line itself is the message.
    pub message: Option<String>,
    /// The place that the line names, of which the groups `file` and `line` of the expression tell.
    pub culprit: Option<Culprit>,
}

impl Rule {
    /// Whether the exit fits.
    fn admits(&self, exit: &Exit<'_>) -> bool {
        let Condition { exit_codes, signals, kubelet_reason, runtime, .. } = &self.condition;
        let fits = |code: i32| exit_codes.contains(&code) || signals.iter().any(|signal| code == 128 + signal);
        let by_code = exit_codes.is_empty() && signals.is_empty() || exit.code.is_some_and(fits);
        let by_reason = kubelet_reason.as_deref().is_none_or(|word| exit.kubelet_reason == Some(word));
        let by_runtime = runtime.is_none_or(|runtime| exit.runtime == Some(runtime));
        by_code && by_reason && by_runtime && (self.names_exit() || !exit.code.is_some_and(is_from_outside))
    }

    fn names_exit(&self) -> bool {
        self.names_code() || self.names_fact()
    }

    /// Whether it holds for some exit codes only.
    pub fn names_code(&self) -> bool {
        !self.condition.exit_codes.is_empty() || !self.condition.signals.is_empty()
    }

    /// Whether it is about what the kubelet states.
    pub fn names_fact(&self) -> bool {
        self.condition.kubelet_reason.is_some()
    }

    /// Whether it looks at lines.
    pub fn wants_line(&self) -> bool {
        self.condition.line.is_some()
    }

    /// Whether its expression needs a text that a line can be searched for before.
    pub fn is_filtered(&self) -> bool {
        self.condition.line.as_ref().is_none_or(|line| !line.literals.is_empty())
    }

    fn on_line(&self, line: &str) -> Option<Hit<'_>> {
        let captures = self.condition.line.as_ref()?.captures(line)?;
        Some(self.hit(Some(&captures)))
    }

    fn hit(&self, captures: Option<&Captures<'_>>) -> Hit<'_> {
        let message = self.message.as_ref().map(|template| template.fill(captures));
        let culprit = captures.and_then(place);
        Hit { rule: self, message: message.filter(|message| !message.trim().is_empty()), culprit }
    }
}

fn place(captures: &Captures<'_>) -> Option<Culprit> {
    let file = captures.name("file")?.as_str().to_owned();
    let line = captures.name("line")?.as_str().parse().ok()?;
    Some(Culprit { function: None, file: Some(file), line: Some(line) })
}

/// Exits whose cause is not in the log.
fn is_from_outside(code: i32) -> bool {
    super::exit::is_orderly(code) || code == 137
}

/// Rules of one origin with a search for the texts that they need.
#[derive(Debug, Default)]
struct Set {
    rules: Vec<Rule>,
    /// `None` where no rule needs a text.
    literals: Option<AhoCorasick>,
    /// The rule to which each of the texts belongs.
    owners: Vec<usize>,
}

impl Set {
    fn new(rules: Vec<Rule>) -> Self {
        let mut owners = Vec::new();
        let mut texts: Vec<&str> = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            for text in rule.condition.line.iter().flat_map(|line| &line.literals) {
                owners.push(at);
                texts.push(text);
            }
        }
        let literals = AhoCorasick::builder().ascii_case_insensitive(true).build(&texts).ok();
        Self { literals: literals.filter(|_| !owners.is_empty()), rules, owners }
    }

    /// For each rule, whether its expression is worth trying on this line.
    fn worth_trying(&self, line: &str) -> Vec<bool> {
        let mut worth: Vec<bool> = self.rules.iter().map(|rule| rule.wants_line() && !rule.is_filtered()).collect();
        for found in self.literals.iter().flat_map(|literals| literals.find_overlapping_iter(line)) {
            worth[self.owners[found.pattern().as_usize()]] = true;
        }
        worth
    }
}

/// All rules.
#[derive(Debug)]
pub struct Rules {
    own: Set,
    built_in: Set,
    advice: Vec<Entry>,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Rules {
    /// The built-in rules and those of the users' files, in the order of the files.
    pub fn new(files: Vec<RuleFile>) -> Self {
        let (rules, advice): (Vec<_>, Vec<_>) = files.into_iter().map(|file| (file.rules, file.advice)).unzip();
        let own: Vec<Rule> = rules.into_iter().flatten().collect();
        let replaced = |rule: &Rule| own.iter().any(|own| own.name == rule.name);
        // A test rules out that the built-in files do not parse.
        let built_in = BUILT_IN.iter().flat_map(|text| RuleFile::built_in(text).unwrap_or_default().rules);
        let built_in = Set::new(built_in.filter(|rule| !replaced(rule)).collect());
        Self { own: Set::new(own), built_in, advice: advice.into_iter().flatten().collect() }
    }

    /// The users' texts for reasons.
    pub fn advice(&self) -> &[Entry] {
        &self.advice
    }

    /// Whether users have rules of their own.
    pub fn has_own(&self) -> bool {
        !self.own.rules.is_empty()
    }

    /// What the first of the built-in rules that hold says of a line.
    pub fn meaning(&self, line: &str, exit: &Exit<'_>) -> Option<Hit<'_>> {
        let line = shortened(line);
        let set = &self.built_in;
        // Most lines hold none of the texts.
        set.literals.as_ref()?.find(line)?;
        let worth = set.worth_trying(line);
        let mut tried = set.rules.iter().zip(worth).filter(|(rule, worth)| *worth && rule.admits(exit));
        tried.find_map(|(rule, _)| rule.on_line(line))
    }

    /// The first of the users' rules that holds, with the index of its line; the lines stand in the order in which they
    /// are to be tried. `may` tells whether a rule may speak at all.
    pub fn of_users(
        &self,
        lines: &[String],
        exit: &Exit<'_>,
        may: impl Fn(&Rule) -> bool,
    ) -> Option<(Hit<'_>, Option<usize>)> {
        let set = &self.own;
        let worth: Vec<Vec<bool>> = lines.iter().map(|line| set.worth_trying(shortened(line))).collect();
        let admitted = set.rules.iter().enumerate().filter(|(_, rule)| rule.admits(exit) && may(rule));
        admitted.into_iter().find_map(|(at, rule)| {
            if !rule.wants_line() {
                return Some((rule.hit(None), None));
            }
            let mut tried = lines.iter().enumerate().filter(|(number, _)| worth[*number][at]);
            tried.find_map(|(number, line)| Some((rule.on_line(shortened(line))?, Some(number))))
        })
    }
}

/// As much of a line as an expression sees.
fn shortened(line: &str) -> &str {
    let end = (0..=line.len().min(LINE_BYTES)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_parses_and_every_rule_needs_a_text() {
        let mut names = Vec::new();
        for text in BUILT_IN {
            for rule in RuleFile::parse(text).unwrap().rules {
                let line = rule.condition.line.as_ref();
                let shortest = line.and_then(|line| line.literals.iter().map(String::len).min());
                assert!(shortest.is_some_and(|length| length >= 4), "{}: {:?}", rule.name, line.map(|l| &l.literals));
                names.push(rule.name);
            }
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "two built-in rules have one name");
    }

    fn rules(text: &str) -> Rules {
        Rules::new(vec![RuleFile::parse(text).unwrap()])
    }

    fn first<'a>(rules: &'a Rules, lines: &[&str], code: i32) -> Option<(&'a str, Option<usize>)> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let exit = Exit { code: Some(code), ..Exit::default() };
        rules.of_users(&lines, &exit, |_| true).map(|(hit, at)| (hit.rule.name.as_str(), at))
    }

    #[test]
    fn the_first_rule_that_holds_wins_and_of_its_lines_the_first_given() {
        let rules = rules(
            "- {name: coded, match: {line: 'boom', exitCodes: [7]}, category: Code, reason: A}\n\
             - {name: any, match: {line: '(?i)BOOM|b.g'}, category: Code, reason: B}\n\
             - {name: bare, match: {exitCodes: [9], signals: [6]}, category: Code, reason: C}\n",
        );
        let cases = [
            (&["quiet", "boom 1", "boom 2"][..], 7, Some(("coded", Some(1)))),
            (&["quiet", "Boom 1"][..], 1, Some(("any", Some(1)))),
            (&["big"][..], 1, Some(("any", Some(0)))),
            (&["quiet"][..], 1, None),
            (&["quiet"][..], 9, Some(("bare", None))),
            (&["quiet"][..], 134, Some(("bare", None))),
            // Stopped from outside: what the log says is not why.
            (&["boom"][..], 143, None),
            (&["boom"][..], 0, None),
        ];
        for (lines, code, expected) in cases {
            assert_eq!(first(&rules, lines, code), expected, "{lines:?} {code}");
        }
    }

    #[test]
    fn the_groups_file_and_line_name_the_culprit() {
        let rules = rules(
            "- {name: a, match: {line: 'bad (?P<file>\\S+):(?P<line>\\d+)'}, category: Startup, reason: A}\n\
             - {name: b, match: {line: 'no (?P<file>\\S+)'}, category: Startup, reason: A}\n",
        );
        let culprit = |line: &str| {
            let exit = Exit { code: Some(1), ..Exit::default() };
            rules.of_users(&[line.to_owned()], &exit, |_| true).unwrap().0.culprit
        };
        let place = culprit("bad /etc/shop/a.conf:7").unwrap();
        assert_eq!((place.file.as_deref(), place.line), (Some("/etc/shop/a.conf"), Some(7)));
        assert_eq!(culprit("no /etc/shop/a.conf"), None);
    }

    #[test]
    fn a_rule_of_the_same_name_replaces_the_built_in_one() {
        let line = "2026/11/24 05:17:25 [emerg] 1#1: unknown directive \"proxy_pas\" in /etc/nginx/nginx.conf:6";
        let exit = Exit { code: Some(1), ..Exit::default() };
        let name = Rules::default().meaning(line, &exit).unwrap().rule.name.clone();
        let own = rules(&format!("- {{name: {name}, match: {{line: never}}, category: Code, reason: A}}\n"));
        assert!(own.meaning(line, &exit).is_none_or(|hit| hit.rule.name != name));
    }

    #[test]
    fn long_lines_are_looked_at_in_part_and_on_a_character_border() {
        assert_eq!(shortened(&"ü".repeat(5000)).len(), LINE_BYTES);
        assert_eq!(shortened(&format!("x{}", "ü".repeat(5000))).len(), LINE_BYTES - 1);
    }
}
