//! Folding terminations into a report: counts, times, the better finding, triage and conditions. The clock is passed in.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;

use super::addition::{earliest, latest, newest_first};
use super::text::cut;
use super::{
    Addition, CrashReport, CrashReportStatus, DeliveryState, Draft, Notification, Occurrence, Standing, UNEXPLAINED,
    UNEXPLAINED_TOLD_AT, Workload, bound, label_value, triage,
};

/// The condition that a bug still strikes.
pub const ACTIVE: &str = "Active";
/// The condition that a bug came back after it was resolved.
pub const REGRESSED: &str = "Regressed";
/// Label of the reason; also a column of selectors: `kubectl get crash -l coroner.dev/reason=Deadlock`.
pub const LABEL_REASON: &str = "coroner.dev/reason";
/// Label of the category.
pub const LABEL_CATEGORY: &str = "coroner.dev/category";
/// Label of the runtime.
pub const LABEL_RUNTIME: &str = "coroner.dev/runtime";
/// Label of the workload's name.
pub const LABEL_WORKLOAD: &str = "coroner.dev/workload";
/// Label of the container.
pub const LABEL_CONTAINER: &str = "coroner.dev/container";
/// Longest text of the culprit column, as in the schema.
const CULPRIT_BYTES: usize = 256;
/// Most sinks of one report, as in the schema.
const NOTIFICATIONS: usize = 8;

/// A report as it is created: no status, since the API server drops it from a create.
pub fn new_report(namespace: &str, name: &str, draft: &Draft) -> CrashReport {
    let mut report = CrashReport::new(name, draft.spec.clone());
    report.metadata.namespace = Some(namespace.to_owned());
    report.metadata.labels = Some(draft_labels(draft));
    report.metadata.owner_references = owner(draft).map(|owner| vec![owner]);
    report
}

/// The workload as an owner, where that is wanted: the report is then deleted with it, but never keeps it from being
/// deleted. What has no UID, such as bare pods grouped by a name, cannot own anything.
fn owner(draft: &Draft) -> Option<OwnerReference> {
    let Workload { api_version, kind, name, uid } = &draft.spec.workload;
    let uid = uid.clone().filter(|_| draft.delete_with_workload)?;
    Some(OwnerReference {
        api_version: api_version.clone(),
        kind: kind.clone(),
        name: name.clone(),
        uid,
        controller: None,
        block_owner_deletion: Some(false),
    })
}

fn draft_labels(draft: &Draft) -> BTreeMap<String, String> {
    let mut labels = finding_labels(&draft.finding);
    labels.extend(place_labels(&draft.spec.workload, &draft.spec.container));
    labels
}

/// The labels that say whose report, or ledger, it is.
pub fn place_labels(workload: &Workload, container: &str) -> BTreeMap<String, String> {
    [(LABEL_WORKLOAD, workload.name.as_str()), (LABEL_CONTAINER, container)].map(as_label).into()
}

/// The labels that say what the report found.
fn finding_labels(finding: &crate::classify::Finding) -> BTreeMap<String, String> {
    [
        (LABEL_CATEGORY, finding.category.as_str()),
        (LABEL_REASON, finding.reason.as_str()),
        (LABEL_RUNTIME, finding.runtime.as_str()),
    ]
    .map(as_label)
    .into()
}

fn as_label((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), label_value(value))
}

/// The labels that a better finding changed, which a write of the status does not carry; empty if there are none.
pub fn stale_labels(report: &CrashReport) -> BTreeMap<String, String> {
    let wanted = report.status.as_ref().and_then(|status| status.finding.as_ref()).map(finding_labels);
    let has = |key: &str, value: &str| {
        report.metadata.labels.as_ref().is_some_and(|labels| labels.get(key).is_some_and(|label| label == value))
    };
    wanted.unwrap_or_default().into_iter().filter(|(key, value)| !has(key, value)).collect()
}

/// Adds terminations to a report. A finding is replaced only by a better one.
pub fn fold(report: &mut CrashReport, addition: &Addition, draft: Option<&Draft>, now: Timestamp) {
    let opens = report.status.as_ref().is_none_or(|status| status.finding.is_none());
    let mut status = report.status.take().unwrap_or_default();
    let before = status.count;
    triage::follow(&mut status, report.spec.triage.as_ref(), report.metadata.generation.unwrap_or(0), now);
    triage::detect_regression(&mut status, &addition.occurrences, now);
    add_counts(&mut status, addition);
    if let Some(draft) = draft {
        take_better(&mut status, draft);
    }
    if addition.last.is_some() {
        activate(&mut status, now);
    }
    let told = if report.spec.fingerprint == UNEXPLAINED {
        before < UNEXPLAINED_TOLD_AT && status.count >= UNEXPLAINED_TOLD_AT
    } else {
        opens
    };
    if told {
        request(&mut status, &addition.notify);
    }
    report.status = Some(status);
    bound::fit(report);
}

fn add_counts(status: &mut CrashReportStatus, addition: &Addition) {
    status.count += addition.count;
    status.inferred += addition.inferred;
    // It can fall where a termination was seen after all, but a report that was deleted since has nothing to give back.
    status.unseen = (status.unseen + addition.unseen).max(0);
    status.first_seen = earliest(status.first_seen.take(), addition.first.clone());
    status.last_seen = latest(status.last_seen.take(), addition.last.clone());
    newest_first(&mut status.occurrences, addition.occurrences.clone());
    status.pods = (status.pods + addition.pods).max(distinct_pods(&status.occurrences));
}

/// Pods among the last occurrences: the least that a report counts whose earlier life, which the ledger remembers, was
/// deleted.
fn distinct_pods(occurrences: &[Occurrence]) -> i64 {
    let pods: std::collections::BTreeSet<_> = occurrences.iter().map(|occurrence| &occurrence.pod_uid).collect();
    pods.len() as i64
}

/// Finding and evidence go together: an excerpt belongs to the finding that quotes it.
fn take_better(status: &mut CrashReportStatus, draft: &Draft) {
    let standing = status.finding.as_ref().zip(status.evidence.as_ref()).map(|(f, e)| Standing::of(f, e));
    if standing.is_some_and(|standing| standing >= draft.standing()) {
        return;
    }
    let culprit = draft.finding.culprit.as_ref().map(|culprit| culprit.short()).filter(|text| !text.is_empty());
    status.culprit_text = culprit.map(|text| cut(&text, CULPRIT_BYTES).to_owned());
    status.finding = Some(draft.finding.clone());
    status.evidence = Some(draft.evidence.clone());
}

fn activate(status: &mut CrashReportStatus, now: Timestamp) {
    let message = match status.occurrences.first() {
        Some(last) => format!("last seen in pod {}", last.pod),
        None => "its terminations are counted".to_owned(),
    };
    set_condition(status, ACTIVE, true, "Crashing", message, now);
}

/// Asks for a message to each sink, in the same write that opens the bug, so that no kill can part the two.
fn request(status: &mut CrashReportStatus, sinks: &[String]) {
    for sink in sinks.iter().filter(|sink| !sink.is_empty()) {
        let known = status.notifications.iter().any(|notification| &notification.sink == sink);
        if !known && status.notifications.len() < NOTIFICATIONS {
            status.notifications.push(Notification {
                sink: cut(sink, 63).to_owned(),
                state: DeliveryState::Pending,
                last_attempt: None,
                last_count: 0,
                thread: None,
                error: None,
            });
        }
    }
}

/// Sets a condition; its transition time moves only when its status changes.
pub fn set_condition(
    status: &mut CrashReportStatus,
    kind: &str,
    holds: bool,
    reason: &str,
    message: String,
    now: Timestamp,
) {
    let value = if holds { "True" } else { "False" };
    let found = status.conditions.iter_mut().find(|condition| condition.type_ == kind);
    let since = found.as_ref().filter(|condition| condition.status == value);
    let condition = Condition {
        type_: kind.to_owned(),
        status: value.to_owned(),
        reason: reason.to_owned(),
        message,
        last_transition_time: since.map_or(Time(now), |condition| condition.last_transition_time.clone()),
        observed_generation: None,
    };
    match found {
        Some(place) => *place = condition,
        None => status.conditions.push(condition),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::classify::{Confidence, reason};
    use crate::report::samples::{self, at, crash, with};
    use crate::report::{Counted, EvidenceState, Triage, TriageState};

    fn opened(counted: &Counted) -> CrashReport {
        let mut report = new_report("shop", &counted.report_name(), &counted.draft());
        report.metadata.generation = Some(1);
        count(&mut report, counted);
        report
    }

    fn count(report: &mut CrashReport, counted: &Counted) {
        let addition = Addition { pods: 1, ..Addition::of(counted) };
        fold(report, &addition, Some(&counted.draft()), counted.seen_at);
    }

    #[test]
    fn a_report_belongs_to_its_workload_only_where_that_is_wanted() {
        let mut counted = crash("a", 0, 10, 1);
        counted.workload.uid = Some("uid-w".into());
        assert_eq!(opened(&counted).metadata.owner_references, None);
        counted.delete_with_workload = true;
        let owner = opened(&counted).metadata.owner_references.unwrap().remove(0);
        assert_eq!((owner.uid.as_str(), owner.controller, owner.block_owner_deletion), ("uid-w", None, Some(false)));
        counted.workload.uid = None;
        assert_eq!(opened(&counted).metadata.owner_references, None);
    }

    fn status(report: &CrashReport) -> &CrashReportStatus {
        report.status.as_ref().unwrap()
    }

    fn condition<'a>(report: &'a CrashReport, kind: &str) -> Option<&'a Condition> {
        status(report).conditions.iter().find(|condition| condition.type_ == kind)
    }

    fn decide(report: &mut CrashReport, state: TriageState, until: Option<i64>) {
        report.spec.triage = Some(Triage { state, until: until.map(|second| Time(at(second))), note: None });
        report.metadata.generation = report.metadata.generation.map(|generation| generation + 1);
    }

    #[test]
    fn a_first_crash_says_what_where_and_when() {
        let report = opened(&crash("a", 0, 10, 1));
        let status = status(&report);
        assert_eq!((status.count, status.inferred, status.unseen, status.pods), (1, 0, 0, 1));
        assert_eq!(status.culprit_text.as_deref(), Some("cache.go:28"));
        assert_eq!(status.first_seen, Some(Time(at(10))));
        assert_eq!(status.triage.as_ref().unwrap().effective, TriageState::Open);
        assert_eq!(condition(&report, ACTIVE).unwrap().status, "True");
        let labels = report.metadata.labels.as_ref().unwrap();
        assert_eq!(labels[LABEL_REASON], "ConcurrentMapAccess");
        assert_eq!(labels.len(), 5);
    }

    #[test]
    fn the_last_five_occurrences_are_kept_newest_first_in_whatever_order_they_come() {
        let mut report = opened(&crash("a", 3, 40, 1));
        for second in [10, 70, 20, 60, 30, 50] {
            count(&mut report, &crash("a", second / 10 - 1, second.into(), 1));
        }
        let seconds: Vec<_> = status(&report).occurrences.iter().map(|o| o.finished_at.clone().unwrap().0).collect();
        assert_eq!(seconds, [70, 60, 50, 40, 30].map(at));
        assert_eq!(status(&report).first_seen, Some(Time(at(10))));
        assert_eq!(status(&report).last_seen, Some(Time(at(70))));
        assert_eq!(status(&report).count, 7);
    }

    #[test]
    fn a_better_finding_replaces_a_worse_one_with_its_labels_and_never_the_other_way() {
        let mut worse = crash("a", 0, 10, 1);
        worse.evidence = EvidenceState::Gone;
        worse.classification.finding.confidence = Confidence::Low;
        worse.classification.finding.reason = reason::ERROR_EXIT;
        let mut report = opened(&worse);
        count(&mut report, &crash("a", 1, 20, 1));
        assert_eq!(status(&report).finding.as_ref().unwrap().reason, reason::CONCURRENT_MAP_ACCESS);
        assert_eq!(stale_labels(&report)[LABEL_REASON], "ConcurrentMapAccess");
        count(&mut report, &worse);
        assert_eq!(status(&report).finding.as_ref().unwrap().reason, reason::CONCURRENT_MAP_ACCESS);
        assert_eq!(status(&report).evidence.as_ref().unwrap().state, EvidenceState::Verified);
    }

    #[test]
    fn a_verified_log_replaces_a_missing_one_of_the_same_confidence() {
        let mut gone = crash("a", 0, 10, 1);
        gone.evidence = EvidenceState::Gone;
        let mut report = opened(&gone);
        count(&mut report, &crash("a", 1, 20, 1));
        assert_eq!(status(&report).evidence.as_ref().unwrap().state, EvidenceState::Verified);
    }

    #[test]
    fn a_message_is_asked_for_once_when_the_bug_opens() {
        let mut first = crash("a", 0, 10, 1);
        first.notify = vec!["slack".into()];
        let mut report = opened(&first);
        let mut second = crash("a", 1, 20, 1);
        second.notify = vec!["slack".into(), "webhook".into()];
        count(&mut report, &second);
        let sinks: Vec<_> = status(&report).notifications.iter().map(|n| (n.sink.as_str(), n.state)).collect();
        assert_eq!(sinks, [("slack", DeliveryState::Pending)]);
    }

    #[test]
    fn unexplained_deaths_are_told_at_the_third_one() {
        let lost = |restart: i32| {
            let mut counted = samples::unread(crash("a", restart, i64::from(restart), 1)).unexplained();
            counted.notify = vec!["slack".into()];
            counted
        };
        let mut report = opened(&lost(0));
        count(&mut report, &lost(1));
        assert!(status(&report).notifications.is_empty());
        count(&mut report, &lost(2));
        assert_eq!(status(&report).notifications.len(), 1);
    }

    #[test]
    fn active_keeps_its_transition_time_while_it_holds() {
        let mut report = opened(&crash("a", 0, 10, 1));
        count(&mut report, &crash("b", 0, 20, 1));
        let active = condition(&report, ACTIVE).unwrap();
        assert_eq!(active.last_transition_time, Time(at(11)));
        assert_eq!(active.message, "last seen in pod b");
    }

    #[test]
    fn unseen_falls_where_one_was_seen_after_all_and_never_below_nothing() {
        let mut report = opened(&crash("a", 0, 10, 1));
        for (unseen, left) in [(2, 2), (-1, 1), (-5, 0)] {
            fold(&mut report, &Addition { unseen, ..Addition::default() }, None, at(20));
            assert_eq!(status(&report).unseen, left);
        }
        assert_eq!(status(&report).count, 1);
    }

    #[test]
    fn a_decision_holds_until_its_time_has_passed() {
        let mut report = opened(&crash("a", 0, 10, 1));
        decide(&mut report, TriageState::Muted, Some(100));
        count(&mut report, &crash("a", 1, 50, 1));
        assert_eq!(status(&report).triage.as_ref().unwrap().effective, TriageState::Muted);
        count(&mut report, &crash("a", 2, 100, 1));
        let triage = status(&report).triage.clone().unwrap();
        assert_eq!((triage.effective, triage.since), (TriageState::Open, Some(Time(at(101)))));
    }

    #[test]
    fn a_resolved_bug_in_an_old_build_stays_resolved_and_in_a_new_one_is_a_regression() {
        let mut report = opened(&crash("a", 0, 10, 1));
        decide(&mut report, TriageState::Resolved, None);
        count(&mut report, &crash("a", 1, 20, 1));
        assert_eq!(status(&report).triage.as_ref().unwrap().effective, TriageState::Resolved);
        assert!(condition(&report, REGRESSED).is_none());

        let fixed = |restart, ended| with(crash("b", restart, ended, 1), |t| t.image_id = "sha256:2".into());
        count(&mut report, &fixed(0, 30));
        assert_eq!(status(&report).triage.as_ref().unwrap().effective, TriageState::Open);
        assert_eq!(condition(&report, REGRESSED).unwrap().status, "True");
        count(&mut report, &fixed(1, 40));
        assert_eq!(status(&report).triage.as_ref().unwrap().effective, TriageState::Open, "it stays open");

        decide(&mut report, TriageState::Resolved, None);
        count(&mut report, &fixed(2, 50));
        assert_eq!(status(&report).triage.as_ref().unwrap().effective, TriageState::Resolved);
        assert_eq!(condition(&report, REGRESSED).unwrap().status, "False");
    }

    #[test]
    fn a_report_recreated_after_a_deletion_counts_the_pods_it_shows() {
        let counted = crash("a", 4, 10, 1);
        let mut report = new_report("shop", "r", &counted.draft());
        fold(&mut report, &Addition::of(&counted), Some(&counted.draft()), at(11));
        assert_eq!(status(&report).pods, 1);
    }
}
