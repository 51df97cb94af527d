//! What rules make of a decision.

use super::ExitFacts;
use super::engine::Engine;
use super::finding::{Advice, Category, Confidence, Contributing};
use super::grammar::Candidate;
use super::last_words::{Sight, for_rules};
use super::rules::{Hit, Rule};
use super::scan::Found;
use super::text;
use super::verdict::{Decision, contributing_of, exit_of};

/// What a rule adds to a decision beside its reason.
#[derive(Clone, Debug)]
pub struct Ruled {
    /// The category.
    pub category: Category,
    /// Its own advice.
    pub advice: Option<Advice>,
}

impl Ruled {
    /// What this rule adds.
    pub fn of(rule: &Rule) -> Self {
        Self { category: rule.category, advice: rule.advice.clone() }
    }
}

/// A decision of a user's rule.
#[derive(Debug)]
pub struct ByUser {
    /// The decision.
    pub decision: Decision,
    /// What was decided without it, where it is another matter.
    pub beside: Option<Contributing>,
}

/// What a user's rule decides. One that knows the trace which won, or no line at all, renames what was found and keeps its
/// place and its fingerprint; one that knows another line puts that in its place.
pub fn by_user(
    engine: &Engine,
    facts: &ExitFacts,
    found: &Found,
    winner: Option<&Candidate>,
    base: &Decision,
    stated: bool,
) -> Option<ByUser> {
    if !engine.rules.has_own() {
        return None;
    }
    let traced: Vec<String> = winner.map(lines_of).unwrap_or_default();
    let spoken = for_rules(found);
    let stated_text = facts.message.iter().cloned();
    let lines: Vec<String> =
        traced.iter().cloned().chain(spoken.iter().map(|sight| sight.text.clone())).chain(stated_text).collect();
    let exit = exit_of(facts, found);
    let may = |rule: &Rule| !stated || rule.names_fact();
    let (hit, at) = engine.rules.of_users(&lines, &exit, may)?;
    let sight = at.and_then(|at| spoken.get(at.checked_sub(traced.len())?));
    Some(match sight {
        Some(sight) => instead(&hit, sight, base, winner),
        None => ByUser { decision: renamed(&hit, base), beside: of_fact(&hit, base, stated) },
    })
}

/// The lines of a trace: what was thrown, then the rest.
fn lines_of(winner: &Candidate) -> Vec<String> {
    let thrown = match &winner.exception {
        Some(exception) => format!("{exception}: {}", winner.message),
        None => winner.message.clone(),
    };
    std::iter::once(thrown).chain(winner.passage.block.own_lines().map(text::string)).collect()
}

fn renamed(hit: &Hit<'_>, base: &Decision) -> Decision {
    Decision {
        reason: hit.rule.reason.clone(),
        runtime: hit.rule.by.unwrap_or(base.runtime),
        message: hit.message.clone().unwrap_or_else(|| base.message.clone()),
        confidence: Confidence::High,
        // Without a trace the fingerprint rests on the reason; that must not change with the rules either.
        kind: base.kind.clone().or_else(|| Some(base.reason.to_string())),
        ruled: Some(Ruled::of(hit.rule)),
        ..base.clone()
    }
}

/// A fact that a rule renames stays visible.
fn of_fact(hit: &Hit<'_>, base: &Decision, stated: bool) -> Option<Contributing> {
    stated.then(|| beside(base, format!("the rule {} names it {}", hit.rule.name, hit.rule.reason)))
}

fn instead(hit: &Hit<'_>, sight: &Sight, base: &Decision, winner: Option<&Candidate>) -> ByUser {
    let decision = Decision {
        reason: hit.rule.reason.clone(),
        runtime: hit.rule.by.unwrap_or(base.runtime),
        exception: None,
        message: hit.message.clone().unwrap_or_else(|| sight.message.clone()),
        confidence: Confidence::High,
        culprit: hit.culprit.clone(),
        stack: Vec::new(),
        related: Vec::new(),
        kind: None,
        signature: Vec::new(),
        excerpt: sight.excerpt.clone(),
        contributing: Vec::new(),
        head_missing: false,
        ruled: Some(Ruled::of(hit.rule)),
    };
    let why = format!("the rule {} knows a line after it", hit.rule.name);
    ByUser { decision, beside: winner.map(|winner| contributing_of(winner, why)) }
}

fn beside(base: &Decision, why_not: String) -> Contributing {
    Contributing {
        category: base.category(),
        reason: base.reason.clone(),
        message: base.message.clone(),
        why_not,
        culprit: base.culprit.clone(),
    }
}
