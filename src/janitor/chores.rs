//! What is to be done about one report by now. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::classify::reason;
use crate::report::merge::{ACTIVE, set_condition};
use crate::report::{CrashReport, CrashReportStatus, DeliveryState, Notification, Triage, TriageState, triage};

/// How long a bug has to be silent before it is no longer active. A container in back-off is restarted within five
/// minutes; what takes ten to strike again is still a loop.
pub const QUIET: SignedDuration = SignedDuration::from_mins(30);

/// When what is over.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long a report stays after its last crash.
    pub retention: SignedDuration,
    /// How long a bug has to be silent before it is no longer active.
    pub quiet: SignedDuration,
}

/// What is known of the container that a report of a failing start is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It still fails to start, or nothing is known of it.
    Failing,
    /// It got further.
    Started,
    /// Its pod is gone.
    Gone,
}

/// Whether a report has to go. What still fails to start has not been over since it was seen: it is told only once.
pub fn is_over(report: &CrashReport, now: Timestamp, policy: &Policy) -> bool {
    let last = report.status.as_ref().and_then(|status| status.last_seen.as_ref());
    let last = last.or(report.metadata.creation_timestamp.as_ref());
    last.is_some_and(|last| now.duration_since(last.0) > policy.retention) && !fails_to_start(report)
}

/// Whether it is about a container that could not be created, and that is not known to have started since.
pub fn fails_to_start(report: &CrashReport) -> bool {
    let Some(status) = &report.status else { return false };
    let startup = status
        .finding
        .as_ref()
        .is_some_and(|finding| [reason::MISSING_CONFIGURATION, reason::IMAGE_UNAVAILABLE].contains(&finding.reason));
    // One with a container ID is a process that found something missing by itself.
    let no_process = status.occurrences.first().is_some_and(|last| last.container_id.is_none());
    startup && no_process && is_active(status)
}

/// Brings the status of a report up to date. `start` counts only where the report is of a failing start. Says whether
/// anything changed.
pub fn tend(report: &mut CrashReport, start: Start, now: Timestamp, policy: &Policy) -> bool {
    let waits = fails_to_start(report);
    let generation = report.metadata.generation.unwrap_or(0);
    let Some(status) = &mut report.status else { return false };
    // Before its first crash is written into it, a report is none: its triage is followed then.
    if status.finding.is_none() {
        return false;
    }
    let before = status.clone();
    triage::follow(status, report.spec.triage.as_ref(), generation, now);
    match start {
        Start::Failing if waits => {}
        Start::Started if waits => calm(status, "Started", "the container has started".into(), now),
        Start::Gone if waits => calm(status, "PodGone", "the pod that could not start is gone".into(), now),
        _ => calm_when_quiet(status, now, policy),
    }
    *status != before
}

/// Makes refused messages due again that were refused before the sink's credential changed. Says whether there are any.
pub fn retry_refused(status: &mut CrashReportStatus, sink: &str, changed: Timestamp) -> bool {
    let mut any = false;
    for refused in status.notifications.iter_mut().filter(|it| it.sink == sink && was_refused_before(it, changed)) {
        refused.state = DeliveryState::Pending;
        any = true;
    }
    any
}

/// Whether a message was refused for good before that time.
pub fn was_refused_before(notification: &Notification, changed: Timestamp) -> bool {
    let tried = notification.last_attempt.as_ref().is_none_or(|tried| tried.0 < changed);
    notification.state == DeliveryState::Failed && tried
}

/// When something is due by itself in a report: a decision that runs out, a bug that has become quiet, the end.
pub fn next_due(report: &CrashReport, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let status = report.status.as_ref()?;
    let after = |time: &Time, duration| time.0.saturating_add(duration).ok();
    let last = status.last_seen.as_ref();
    let quiet = last.filter(|_| is_active(status) && !fails_to_start(report));
    let until = report.spec.triage.as_ref().filter(|triage| triage.state != TriageState::Open);
    let dues = [
        quiet.and_then(|last| after(last, policy.quiet)),
        last.and_then(|last| after(last, policy.retention)),
        until.and_then(|Triage { until, .. }| until.as_ref()).map(|until| until.0),
    ];
    dues.into_iter().flatten().filter(|due| *due > now).min()
}

fn is_active(status: &CrashReportStatus) -> bool {
    let holds = |condition: &Condition| condition.type_ == ACTIVE && condition.status == "True";
    status.conditions.iter().any(holds)
}

fn calm_when_quiet(status: &mut CrashReportStatus, now: Timestamp, policy: &Policy) {
    let Some(last) = status.last_seen.clone() else { return };
    if now.duration_since(last.0) > policy.quiet {
        calm(status, "Quiet", format!("it was last seen at {}", last.0.strftime("%Y-%m-%dT%H:%M:%SZ")), now);
    }
}

fn calm(status: &mut CrashReportStatus, reason: &str, message: String, now: Timestamp) {
    if is_active(status) {
        set_condition(status, ACTIVE, false, reason, message, now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::report::samples::{at, crash, with};
    use crate::report::{Addition, Counted, merge};

    const POLICY: Policy =
        Policy { retention: SignedDuration::from_secs(10_000), quiet: SignedDuration::from_secs(100) };

    fn report(counted: &Counted) -> CrashReport {
        let mut report = merge::new_report("shop", &counted.report_name(), &counted.draft());
        report.metadata.generation = Some(1);
        report.metadata.creation_timestamp = Some(Time(at(0)));
        merge::fold(&mut report, &Addition::of(counted), Some(&counted.draft()), counted.seen_at);
        report
    }

    fn failing() -> CrashReport {
        let mut counted = with(crash("a", 0, 10, 1), |termination| termination.container_id = None);
        counted.classification.finding.reason = reason::IMAGE_UNAVAILABLE;
        report(&counted)
    }

    fn active(report: &CrashReport) -> (String, String) {
        let conditions = &report.status.as_ref().unwrap().conditions;
        let active = conditions.iter().find(|condition| condition.type_ == ACTIVE).unwrap();
        (active.status.clone(), active.reason.clone())
    }

    fn decide(report: &mut CrashReport, state: TriageState, until: Option<i64>) {
        report.spec.triage = Some(Triage { state, until: until.map(|second| Time(at(second))), note: None });
        report.metadata.generation = Some(report.metadata.generation.unwrap() + 1);
    }

    fn effective(report: &CrashReport) -> TriageState {
        report.status.as_ref().unwrap().triage.as_ref().unwrap().effective
    }

    #[test]
    fn a_bug_is_active_until_it_has_been_quiet_for_long_enough_and_again_with_the_next_crash() {
        let mut report = report(&crash("a", 0, 10, 1));
        assert!(!tend(&mut report, Start::Failing, at(110), &POLICY));
        assert_eq!(active(&report).0, "True");
        assert!(tend(&mut report, Start::Failing, at(111), &POLICY));
        assert_eq!(active(&report), ("False".into(), "Quiet".into()));
        assert!(!tend(&mut report, Start::Failing, at(112), &POLICY), "nothing is written twice");
        let again = crash("a", 1, 120, 1);
        merge::fold(&mut report, &Addition::of(&again), None, again.seen_at);
        assert_eq!(active(&report).0, "True");
    }

    #[test]
    fn a_failing_start_stays_active_until_the_container_starts_or_its_pod_is_gone() {
        for (start, expected) in [(Start::Failing, "Crashing"), (Start::Started, "Started"), (Start::Gone, "PodGone")] {
            let mut report = failing();
            assert_eq!(tend(&mut report, start, at(9_000), &POLICY), start != Start::Failing);
            assert_eq!(active(&report).1, expected);
        }
        assert!(!is_over(&failing(), at(99_999), &POLICY));
    }

    #[test]
    fn what_a_process_found_missing_by_itself_is_no_failing_start() {
        let mut counted = crash("a", 0, 10, 1);
        counted.classification.finding.reason = reason::MISSING_CONFIGURATION;
        let mut report = report(&counted);
        assert!(tend(&mut report, Start::Failing, at(500), &POLICY));
        assert_eq!(active(&report).1, "Quiet");
    }

    #[test]
    fn a_report_is_over_when_its_last_crash_is_long_ago() {
        let report = report(&crash("a", 0, 10, 1));
        assert!(!is_over(&report, at(10_010), &POLICY));
        assert!(is_over(&report, at(10_011), &POLICY));
        // One that was never filled in.
        let mut empty = report;
        empty.status = None;
        assert!(!is_over(&empty, at(9_999), &POLICY) && is_over(&empty, at(10_001), &POLICY));
        assert!(!tend(&mut empty, Start::Failing, at(500), &POLICY));
    }

    #[test]
    fn triage_is_followed_at_once_and_runs_out_by_itself() {
        let mut report = report(&crash("a", 0, 10, 1));
        decide(&mut report, TriageState::Muted, Some(90));
        assert!(tend(&mut report, Start::Failing, at(20), &POLICY));
        assert_eq!(effective(&report), TriageState::Muted);
        assert_eq!(next_due(&report, at(20), &POLICY), Some(at(90)));
        assert!(tend(&mut report, Start::Failing, at(90), &POLICY));
        assert_eq!(effective(&report), TriageState::Open);
        assert_eq!(report.spec.triage.as_ref().unwrap().state, TriageState::Muted, "the user's words stay");
    }

    #[test]
    fn a_regression_is_not_undone_by_looking_at_it_again() {
        let mut report = report(&crash("a", 0, 10, 1));
        decide(&mut report, TriageState::Resolved, None);
        assert!(tend(&mut report, Start::Failing, at(20), &POLICY));
        assert_eq!(effective(&report), TriageState::Resolved);
        let back = with(crash("b", 0, 30, 1), |termination| termination.image_id = "another".into());
        merge::fold(&mut report, &Addition::of(&back), None, back.seen_at);
        assert_eq!(effective(&report), TriageState::Open);
        tend(&mut report, Start::Failing, at(50), &POLICY);
        assert_eq!(effective(&report), TriageState::Open);
    }

    #[test]
    fn a_refused_message_is_due_again_when_the_credential_has_changed_since() {
        let mut counted = crash("a", 0, 10, 1);
        counted.notify = vec!["slack".into(), "webhook".into()];
        let mut status = report(&counted).status.unwrap();
        for notification in &mut status.notifications {
            notification.state = DeliveryState::Failed;
            notification.last_attempt = Some(Time(at(20)));
        }
        assert!(!retry_refused(&mut status, "slack", at(20)));
        assert!(retry_refused(&mut status, "slack", at(21)));
        let states: Vec<_> = status.notifications.iter().map(|it| it.state).collect();
        assert_eq!(states, [DeliveryState::Pending, DeliveryState::Failed]);
        assert!(!retry_refused(&mut status, "slack", at(22)));
    }
}
