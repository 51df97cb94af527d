//! Which crashes somebody is told about. Pure.

use std::collections::BTreeSet;

use crate::classify::Category;
use crate::report::{CrashReport, CrashReportStatus, DeliveryState, Notification, TriageState};

/// What is notified where the user says nothing. A dependency that does not answer is usually known to its own alerts,
/// a lifecycle event is nobody's fault, and of an unknown cause there is nothing to say.
pub const DEFAULT_CATEGORIES: &[Category] =
    &[Category::Code, Category::Native, Category::Resource, Category::Startup, Category::Probe];

/// The first count of a known bug that is worth another message; then ten times that, and so on.
const FIRST_REMINDER: i64 = 10;

/// Which findings are notified.
#[derive(Clone, Debug)]
pub struct Policy {
    categories: BTreeSet<Category>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(DEFAULT_CATEGORIES.iter().copied())
    }
}

/// Whether a report is to be notified, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send.
    Notify(Occasion),
    /// Send nothing.
    Silent(Silence),
}

/// What is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The bug.
    NewBug,
    /// Its count has passed this many.
    CountPassed(i64),
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing is known about the cause yet.
    NoFinding,
    /// The policy leaves this category out.
    Category,
    /// The verdict on the termination says so: a failing job, what was dead before the installation.
    Verdict,
    /// The user muted it.
    Muted,
    /// Somebody works on it.
    Acknowledged,
    /// A message is due already.
    AlreadyDue,
    /// It was told, and not enough has happened since.
    KnownBug,
}

impl Policy {
    /// Notifies findings of these categories.
    pub fn new(categories: impl IntoIterator<Item = Category>) -> Self {
        Self { categories: categories.into_iter().collect() }
    }

    /// Decides about one report and one sink, after a termination was counted in it. `no_notify` is what the verdict on
    /// that termination says. `Resolved` is silent only while it holds: a regression has made the triage `Open` again.
    pub fn decide(&self, report: &CrashReport, sink: &str, no_notify: bool) -> Decision {
        match self.occasion(report, sink, no_notify) {
            Ok(occasion) => Decision::Notify(occasion),
            Err(silence) => Decision::Silent(silence),
        }
    }

    fn occasion(&self, report: &CrashReport, sink: &str, no_notify: bool) -> Result<Occasion, Silence> {
        let status = report.status.as_ref().ok_or(Silence::NoFinding)?;
        let finding = status.finding.as_ref().ok_or(Silence::NoFinding)?;
        if no_notify {
            return Err(Silence::Verdict);
        }
        if !self.categories.contains(&finding.category) {
            return Err(Silence::Category);
        }
        let told = status.notifications.iter().find(|told| told.sink == sink);
        triage_allows(report, status, told.is_some())?;
        match told {
            None => Ok(Occasion::NewBug),
            Some(told) => reminder(told, status.count),
        }
    }
}

fn triage_allows(report: &CrashReport, status: &CrashReportStatus, told: bool) -> Result<(), Silence> {
    let wanted = report.spec.triage.as_ref().map(|triage| triage.state);
    match status.triage.as_ref().map(|triage| triage.effective).or(wanted).unwrap_or_default() {
        TriageState::Muted => Err(Silence::Muted),
        TriageState::Acknowledged if told => Err(Silence::Acknowledged),
        TriageState::Resolved if told => Err(Silence::KnownBug),
        TriageState::Open | TriageState::Acknowledged | TriageState::Resolved => Ok(()),
    }
}

fn reminder(told: &Notification, count: i64) -> Result<Occasion, Silence> {
    if matches!(told.state, DeliveryState::Pending | DeliveryState::Sending) {
        return Err(Silence::AlreadyDue);
    }
    let passed = last_threshold(count).filter(|threshold| *threshold > told.last_count);
    passed.map(Occasion::CountPassed).ok_or(Silence::KnownBug)
}

/// The highest of 10, 100, 1,000… that the count has reached.
fn last_threshold(count: i64) -> Option<i64> {
    let thresholds = std::iter::successors(Some(FIRST_REMINDER), |threshold| threshold.checked_mul(10));
    thresholds.take_while(|threshold| *threshold <= count).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::delivery::{Outcome, mark_due, settle};
    use crate::notify::message::tests::report;
    use crate::report::{EffectiveTriage, Triage};

    fn decide(report: &CrashReport) -> Decision {
        Policy::default().decide(report, "slack", false)
    }

    fn told(count: i64, last_count: i64) -> CrashReport {
        let mut report = report();
        let status = report.status.as_mut().unwrap();
        status.count = count;
        mark_due(&mut status.notifications, "slack");
        settle(&mut status.notifications, "slack", &Outcome::Sent { count: last_count, thread: None });
        report
    }

    fn triaged(mut report: CrashReport, state: TriageState) -> CrashReport {
        report.spec.triage = Some(Triage { state, ..Triage::default() });
        report
    }

    #[test]
    fn a_new_bug_is_notified_in_the_default_categories_only() {
        for (category, notified) in [
            (Category::Code, true),
            (Category::Native, true),
            (Category::Resource, true),
            (Category::Startup, true),
            (Category::Probe, true),
            (Category::Dependency, false),
            (Category::Lifecycle, false),
            (Category::Unknown, false),
        ] {
            let mut report = report();
            report.status.as_mut().unwrap().finding.as_mut().unwrap().category = category;
            let expected =
                if notified { Decision::Notify(Occasion::NewBug) } else { Decision::Silent(Silence::Category) };
            assert_eq!(decide(&report), expected, "{category}");
            let all = Policy::new([Category::Dependency, Category::Lifecycle, Category::Unknown]);
            assert_eq!(
                all.decide(&report, "slack", false) == Decision::Notify(Occasion::NewBug),
                !notified,
                "{category}"
            );
        }
    }

    #[test]
    fn the_verdict_silences() {
        assert_eq!(Policy::default().decide(&report(), "slack", true), Decision::Silent(Silence::Verdict));
    }

    #[test]
    fn a_report_without_a_finding_is_silent() {
        let mut report = report();
        report.status.as_mut().unwrap().finding = None;
        assert_eq!(decide(&report), Decision::Silent(Silence::NoFinding));
        report.status = None;
        assert_eq!(decide(&report), Decision::Silent(Silence::NoFinding));
    }

    #[test]
    fn a_known_bug_is_told_again_when_its_count_passes_a_power_of_ten() {
        let silent = Decision::Silent(Silence::KnownBug);
        let passed = |count| Decision::Notify(Occasion::CountPassed(count));
        for (count, last, expected) in [
            (2, 1, silent),
            (9, 1, silent),
            (10, 1, passed(10)),
            (14, 1, passed(10)),
            (14, 10, silent),
            (99, 14, silent),
            (100, 14, passed(100)),
            (2500, 14, passed(1000)),
            (1001, 1000, silent),
            (i64::MAX, 1, passed(1_000_000_000_000_000_000)),
        ] {
            assert_eq!(decide(&told(count, last)), expected, "{count} after {last}");
        }
    }

    #[test]
    fn what_is_due_is_not_made_due_again() {
        let mut report = told(100, 1);
        mark_due(&mut report.status.as_mut().unwrap().notifications, "slack");
        assert_eq!(decide(&report), Decision::Silent(Silence::AlreadyDue));
        assert_eq!(Policy::default().decide(&report, "webhook", false), Decision::Notify(Occasion::NewBug));
    }

    #[test]
    fn triage_silences_as_far_as_it_goes() {
        assert_eq!(decide(&triaged(report(), TriageState::Muted)), Decision::Silent(Silence::Muted));
        assert_eq!(decide(&triaged(report(), TriageState::Open)), Decision::Notify(Occasion::NewBug));
        assert_eq!(decide(&triaged(told(10, 1), TriageState::Acknowledged)), Decision::Silent(Silence::Acknowledged));
        assert_eq!(decide(&triaged(told(10, 1), TriageState::Resolved)), Decision::Silent(Silence::KnownBug));
    }

    #[test]
    fn what_holds_now_counts_more_than_what_was_wanted() {
        let mut report = triaged(report(), TriageState::Muted);
        let expired = EffectiveTriage { effective: TriageState::Open, ..EffectiveTriage::default() };
        report.status.as_mut().unwrap().triage = Some(expired);
        assert_eq!(decide(&report), Decision::Notify(Occasion::NewBug));
    }
}
