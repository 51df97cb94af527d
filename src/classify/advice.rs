//! How to prove and how to fix: texts for each reason, some for a runtime of its own, from `rules/advice.yaml`.

use serde::Deserialize;

use super::finding::{Advice, CrashReason, Runtime};

/// The texts that are compiled in.
const BUILT_IN: &str = include_str!("../../rules/advice.yaml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reason: String,
    /// Absent where the text holds for every runtime that has none of its own.
    #[serde(default)]
    runtime: Option<Runtime>,
    /// One sentence: what happened.
    summary: String,
    #[serde(default)]
    prove: Vec<String>,
    #[serde(default)]
    fix: Vec<String>,
}

/// The texts, read.
#[derive(Clone, Debug, Default)]
pub struct AdviceBook {
    entries: Vec<Entry>,
}

impl AdviceBook {
    /// The built-in texts; empty if they do not parse, which a test rules out.
    pub fn built_in() -> Self {
        crate::yaml::from_str(BUILT_IN).map(|entries| Self { entries }).unwrap_or_default()
    }

    /// The text for a reason in a runtime, else the one for the reason in any.
    pub fn of(&self, reason: &CrashReason, runtime: Runtime) -> Option<Advice> {
        let of = |wanted: Option<Runtime>| {
            self.entries.iter().find(|entry| entry.reason == reason.as_str() && entry.runtime == wanted)
        };
        let Entry { summary, prove, fix, .. } = of(Some(runtime)).or_else(|| of(None))?.clone();
        Some(Advice { summary, prove, fix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::reason;

    #[test]
    fn every_reason_has_advice_within_the_limits_of_a_report() {
        let book: Vec<Entry> = crate::yaml::from_str(BUILT_IN).unwrap();
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
    fn the_text_of_the_runtime_is_preferred() {
        let book = AdviceBook::built_in();
        let go = book.of(&reason::CONCURRENT_MAP_ACCESS, Runtime::Go).unwrap();
        assert!(
            go.prove.iter().any(|step| step.contains("-race")) && go.fix.iter().any(|step| step.contains("sync.Map"))
        );
        assert!(book.of(&reason::OOM_KILLED, Runtime::Perl).is_some());
    }
}
