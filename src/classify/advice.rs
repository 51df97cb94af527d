//! How to prove and how to fix: texts for each reason, some for a runtime of its own, from `rules/advice.yaml`.

use serde::Deserialize;

use super::finding::{Advice, CrashReason, Runtime};
use super::rules::RuleFile;

/// The texts that are compiled in.
const BUILT_IN: &str = include_str!("../../rules/advice.yaml");

/// The text for one reason.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The reason.
    pub reason: String,
    /// Absent where the text holds for every runtime that has none of its own.
    #[serde(default)]
    pub runtime: Option<Runtime>,
    /// One sentence: what happened.
    pub summary: String,
    /// Steps that prove it.
    #[serde(default)]
    pub prove: Vec<String>,
    /// Steps that fix it.
    #[serde(default)]
    pub fix: Vec<String>,
}

/// The texts, read.
#[derive(Clone, Debug, Default)]
pub struct AdviceBook {
    /// The users' own.
    own: Vec<Entry>,
    built_in: Vec<Entry>,
}

impl AdviceBook {
    /// The built-in texts, which are none if they do not parse, which a test rules out; and before them these.
    pub fn with(own: Vec<Entry>) -> Self {
        Self { own, built_in: RuleFile::parse(BUILT_IN).unwrap_or_default().advice }
    }

    /// The text for a reason in a runtime, else the one for the reason in any: of the users' texts, else of the built-in
    /// ones.
    pub fn of(&self, reason: &CrashReason, runtime: Runtime) -> Option<Advice> {
        let of = |entries: &'_ [Entry]| {
            let of = |wanted| entries.iter().find(|entry| entry.reason == reason.as_str() && entry.runtime == wanted);
            of(Some(runtime)).or_else(|| of(None)).cloned()
        };
        let Entry { summary, prove, fix, .. } = of(&self.own).or_else(|| of(&self.built_in))?;
        Some(Advice { summary, prove, fix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Subject, reason};

    #[test]
    fn every_reason_has_advice_within_the_limits_of_a_report() {
        let book = RuleFile::parse(BUILT_IN).unwrap().advice;
        for (word, _) in reason::ALL {
            assert!(book.iter().any(|entry| entry.reason == *word && entry.runtime.is_none()), "{word} has none");
        }
        for Entry { reason, runtime, summary, prove, fix } in &book {
            assert!(reason::ALL.iter().any(|(word, _)| word == reason), "{reason} is no reason");
            let steps = prove.iter().chain(fix);
            assert!(summary.len() <= 512 && steps.clone().all(|step| step.len() <= 512), "{reason} {runtime:?}");
            assert!(prove.len() <= 8 && fix.len() <= 8 && steps.count() > 0, "{reason} {runtime:?}");
        }
    }

    #[test]
    fn a_command_with_long_names_still_fits_into_a_report() {
        let name = |length: usize| Some("n".repeat(length));
        let subject = Subject {
            namespace: name(40),
            pod: name(63),
            container: name(40),
            workload: name(60),
            node: name(63),
            image: name(120),
        };
        for Entry { reason, runtime, summary, prove, fix } in RuleFile::parse(BUILT_IN).unwrap().advice {
            let Advice { prove, fix, .. } = subject.fill(&Advice { summary, prove, fix });
            for step in prove.iter().chain(&fix) {
                assert!(step.len() <= 512, "{reason} {runtime:?}: {} bytes in {step}", step.len());
            }
        }
    }

    #[test]
    fn the_text_of_the_runtime_is_preferred() {
        let book = AdviceBook::with(Vec::new());
        let go = book.of(&reason::CONCURRENT_MAP_ACCESS, Runtime::Go).unwrap();
        assert!(
            go.prove.iter().any(|step| step.contains("-race")) && go.fix.iter().any(|step| step.contains("sync.Map"))
        );
        assert!(book.of(&reason::OOM_KILLED, Runtime::Perl).is_some());
    }

    #[test]
    fn a_users_text_is_preferred_to_every_built_in_one() {
        let own = RuleFile::parse("advice:\n- {reason: OOMKilled, summary: See our runbook.}\n").unwrap().advice;
        let book = AdviceBook::with(own);
        assert_eq!(book.of(&reason::OOM_KILLED, Runtime::Jvm).unwrap().summary, "See our runbook.");
        assert!(book.of(&reason::DEADLOCK, Runtime::Go).is_some());
    }
}
