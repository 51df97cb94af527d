//! Deaths without a usable log: what is known of them, and the reports for what has no report of its own.

use super::{Counted, CrashReport, CrashReportSpec, Draft, EvidenceSource, EvidenceState, Occurrence, TriageState};
use crate::classify::{Category, Confidence, CrashReason, Finding, Runtime, reason};
use crate::termination::SeenIn;

/// The fingerprint of a container's one report for deaths whose cause nobody knows.
pub const UNEXPLAINED: &str = "1-756e6578706c6169";
/// The fingerprint of a container's one report for bugs that have none of their own, because there are too many.
pub const OTHERS: &str = "1-6f74686572732020";
/// From which one on unexplained deaths are told: the log of one may be lost by chance, that of three seldom is.
pub const UNEXPLAINED_TOLD_AT: i64 = 3;

/// The exit facts by which a death without a log is found to fit a bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit code.
    pub code: Option<i32>,
    /// The kubelet's reason.
    pub reason: Option<String>,
    /// The cause, where something outside the container states it (a probe, an eviction): a bug of another cause is
    /// then none that it fits.
    pub cause: Option<CrashReason>,
}

impl Exit {
    /// Whether an occurrence of a bug with this cause ended in the same way.
    pub fn fits(&self, occurrence: &Occurrence, cause: &CrashReason) -> bool {
        let Occurrence { exit_code, reason, .. } = occurrence;
        *exit_code == self.code && *reason == self.reason && self.cause.as_ref().is_none_or(|own| own == cause)
    }
}

impl Counted {
    /// How it ended, if that is all that is known of it: there was an instance, but neither its log nor a termination
    /// message could be had. A log that is empty was had.
    pub fn exit_alone(&self) -> Option<Exit> {
        let missing =
            matches!(self.evidence, EvidenceState::Gone | EvidenceState::Forbidden | EvidenceState::RateLimited);
        let unread = missing && self.source == EvidenceSource::Status && self.termination.seen_in != SeenIn::PodStatus;
        unread.then(|| Exit {
            code: self.termination.exit_code,
            reason: self.termination.reason.clone(),
            cause: self.termination.stated.map(|_| self.classification.finding.reason.clone()),
        })
    }

    /// Whether its exit leaves open what it died of. The kubelet's and the kernel's own words do not, nor does a fault of
    /// the machine or an orderly end; an exit code of the program's own does, and so does a SIGKILL or an abort.
    pub fn is_unexplained(&self) -> bool {
        let finding = &self.classification.finding;
        let vague = [reason::ERROR_EXIT, reason::KILLED, reason::ABORT].contains(&finding.reason);
        let stated = self.termination.stated.is_some();
        self.exit_alone().is_some() && !stated && (vague || finding.confidence == Confidence::Low)
    }

    /// The same, for the container's one report of unexplained deaths.
    pub(crate) fn unexplained(mut self) -> Self {
        self.classification.finding = placeholder("it died, and its log could not be read");
        UNEXPLAINED.clone_into(&mut self.classification.fingerprint);
        self
    }
}

impl Draft {
    /// What the report for bugs that have none of their own is made of; nothing of any one bug.
    pub fn for_others(&self) -> Self {
        let mut draft = self.clone();
        OTHERS.clone_into(&mut draft.spec.fingerprint);
        draft.finding = placeholder("crashes that have no report of their own: there are too many different ones");
        draft.evidence.excerpt.clear();
        draft.evidence.log_bytes = 0;
        draft.evidence.state = EvidenceState::Unverified;
        draft
    }

    /// Whether its bug may be counted among others: what is surely a fault of the program itself never is.
    pub fn may_fold(&self) -> bool {
        let own_fault = matches!(self.finding.category, Category::Code | Category::Native);
        let certain = own_fault && self.finding.confidence == Confidence::High;
        !certain && !stands_for_many(&self.spec)
    }
}

/// Whether a report is about no one bug: unexplained deaths, or what has no report of its own.
pub fn stands_for_many(spec: &CrashReportSpec) -> bool {
    [UNEXPLAINED, OTHERS].contains(&spec.fingerprint.as_str())
}

/// Whether a report's bug is still open: not resolved, as far as the user's last word goes.
pub fn is_open(report: &CrashReport) -> bool {
    let Some(status) = &report.status else { return true };
    let followed = status.triage.as_ref().filter(|it| Some(it.observed_generation) == report.metadata.generation);
    let state = match followed {
        Some(triage) => triage.effective,
        None => report.spec.triage.as_ref().map_or(TriageState::Open, |triage| triage.state),
    };
    state != TriageState::Resolved
}

fn placeholder(message: &str) -> Finding {
    Finding {
        category: Category::Unknown,
        reason: reason::ERROR_EXIT,
        runtime: Runtime::Unknown,
        exception: None,
        message: message.to_owned(),
        confidence: Confidence::Low,
        culprit: None,
        stack: Vec::new(),
        related: Vec::new(),
        contributing: Vec::new(),
        advice: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::classify::Stated;
    use crate::report::samples::{crash, unread, with};

    #[test]
    fn only_a_death_whose_log_and_message_are_both_missing_is_known_by_its_exit_alone() {
        let lost = unread(crash("a", 0, 10, 1));
        assert_eq!(lost.exit_alone().unwrap().code, Some(2));
        for state in [EvidenceState::Verified, EvidenceState::Unverified, EvidenceState::Empty] {
            assert!(Counted { evidence: state, ..lost.clone() }.exit_alone().is_none(), "{state:?}");
        }
        let message = Counted { source: EvidenceSource::TerminationMessage, ..lost.clone() };
        assert!(message.exit_alone().is_none());
        assert!(with(lost, |it| it.seen_in = SeenIn::PodStatus).exit_alone().is_none());
    }

    #[test]
    fn what_the_kubelet_or_the_machine_states_is_explained() {
        let lost = unread(crash("a", 0, 10, 1));
        assert!(lost.is_unexplained());
        let probe = with(lost.clone(), |it| it.stated = Some(Stated::LivenessProbe));
        assert!(!probe.is_unexplained());
        assert!(probe.exit_alone().unwrap().cause.is_some());
        for (reason, unexplained) in
            [(reason::OOM_KILLED, false), (reason::SEGFAULT, false), (reason::KILLED, true), (reason::ABORT, true)]
        {
            let mut other = lost.clone();
            other.classification.finding.reason = reason.clone();
            other.classification.finding.confidence = Confidence::High;
            assert_eq!(other.is_unexplained(), unexplained, "{}", reason.as_str());
        }
    }

    #[test]
    fn a_sure_fault_of_the_program_is_never_folded() {
        let mut draft = crash("a", 0, 10, 1).draft();
        assert!(!draft.may_fold());
        draft.finding.confidence = Confidence::Medium;
        assert!(draft.may_fold());
        assert!(!draft.for_others().may_fold() && stands_for_many(&draft.for_others().spec));
    }
}
