//! What of a user's triage holds now: an expired decision no longer does, and neither does Resolved once the bug came
//! back in something new.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::merge::{REGRESSED, set_condition};
use super::{CrashReportStatus, EffectiveTriage, Occurrence, Triage, TriageState};

/// Brings `status.triage` up to date with the user's decision and the time. An edit is known by the generation.
pub fn follow(status: &mut CrashReportStatus, triage: Option<&Triage>, generation: i64, now: Timestamp) {
    let wanted = in_force(triage, now);
    let current = status.triage.clone();
    let edited = current.as_ref().is_none_or(|current| current.observed_generation != generation);
    if edited && status.conditions.iter().any(|condition| condition.type_ == REGRESSED) {
        set_condition(status, REGRESSED, false, "Triaged", "it was decided anew after the regression".into(), now);
    }
    // Between edits only the passing of `until` changes anything: a regression stays Open whatever the spec says.
    let effective = match &current {
        Some(current) if !edited && wanted != TriageState::Open => current.effective,
        _ => wanted,
    };
    let since = current.filter(|current| current.effective == effective).map_or(Some(Time(now)), |it| it.since);
    status.triage = Some(EffectiveTriage { effective, since, observed_generation: generation });
}

fn in_force(triage: Option<&Triage>, now: Timestamp) -> TriageState {
    match triage {
        Some(Triage { until: Some(until), .. }) if until.0 <= now => TriageState::Open,
        Some(triage) => triage.state,
        None => TriageState::Open,
    }
}

/// Opens a resolved bug again when it strikes in an image or revision that none of its known occurrences had. To be
/// called before the new occurrences are added.
pub fn detect_regression(status: &mut CrashReportStatus, new: &[Occurrence], now: Timestamp) {
    let resolved = status.triage.as_ref().is_some_and(|triage| triage.effective == TriageState::Resolved);
    let new_build = new.iter().rfind(|occurrence| is_new(occurrence, &status.occurrences));
    let Some(first) = new_build.filter(|_| resolved) else { return };
    let message = format!("it came back in pod {}, image {}", first.pod, first.image);
    if let Some(triage) = &mut status.triage {
        triage.effective = TriageState::Open;
        triage.since = Some(Time(now));
    }
    set_condition(status, REGRESSED, true, "SeenAfterResolved", super::text::cut(&message, 1024).to_owned(), now);
}

fn is_new(occurrence: &Occurrence, known: &[Occurrence]) -> bool {
    let same_build =
        |other: &Occurrence| other.image_id == occurrence.image_id && other.revision == occurrence.revision;
    !known.iter().any(same_build)
}
