//! Whether what was counted is what happened. Pure: played terminations and reports in, a verdict out.

use std::collections::{BTreeMap, BTreeSet};

use coroner::report::{CrashReport, CrashReportStatus, EvidenceState};
use serde::Deserialize;

/// One termination that was played, as `fakenode` tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Truth {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    pub kind: String,
    #[serde(rename = "containerID")]
    pub container_id: String,
    pub exit_code: i32,
    pub reason: String,
    #[serde(default)]
    pub cause: String,
    #[serde(default)]
    pub culprit: String,
}

impl Truth {
    /// Whether it is a crash by the contract: the end of an init container that has done its work is none.
    pub fn is_crash(&self) -> bool {
        !(self.kind == "init" && self.exit_code == 0)
    }

    fn place(&self) -> Place {
        // Pods of both kinds of workloads are named after it, up to the first dash.
        let workload = self.pod.split('-').next().unwrap_or_default();
        Place { namespace: self.namespace.clone(), workload: workload.to_owned(), container: self.container.clone() }
    }
}

/// A container of a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub namespace: String,
    pub workload: String,
    pub container: String,
}

impl Place {
    /// Where the crashes of a report come from.
    pub fn of(report: &CrashReport) -> Self {
        Self {
            namespace: report.metadata.namespace.clone().unwrap_or_default(),
            workload: report.spec.workload.name.clone(),
            container: report.spec.container.clone(),
        }
    }
}

/// What a report counts.
pub fn counted(report: &CrashReport) -> i64 {
    report.status.as_ref().map_or(0, |status| status.count + status.inferred + status.unseen)
}

/// What one report showed while it was there.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: String,
    reason: String,
    culprit: String,
    /// Whether the whole log of an instance stands behind it.
    logged: bool,
    inferred: i64,
    /// Container IDs.
    occurrences: BTreeSet<String>,
    /// The instances that its excerpts name.
    quoted: BTreeSet<String>,
    /// Of a report of one termination: which one, and whom its excerpt names.
    alone: Vec<(String, String)>,
}

/// What all reports showed, by UID: those that were deleted too.
#[derive(Debug, Default)]
pub struct Shown(BTreeMap<String, Seen>);

impl Shown {
    /// Takes note of a report as it is now.
    pub fn note(&mut self, report: &CrashReport) {
        let Some(status) = &report.status else { return };
        let (Some(finding), Some(evidence)) = (&status.finding, &status.evidence) else { return };
        let seen = self.0.entry(report.metadata.uid.clone().unwrap_or_default()).or_default();
        seen.name = report.metadata.name.clone().unwrap_or_default();
        seen.reason = finding.reason.to_string();
        seen.culprit = status.culprit_text.clone().unwrap_or_default();
        seen.logged = evidence.state == EvidenceState::Verified;
        seen.inferred = status.inferred;
        seen.occurrences.extend(status.occurrences.iter().filter_map(|occurrence| occurrence.container_id.clone()));
        seen.quoted.extend(quoted(&evidence.excerpt));
        seen.alone.extend(alone(status, &evidence.excerpt));
    }
}

/// The instances that an excerpt names: every line that a fake container prints does.
fn quoted(excerpt: &str) -> impl Iterator<Item = String> + '_ {
    let ids = excerpt.match_indices("instance=").map(|(at, mark)| &excerpt[at + mark.len()..]);
    ids.map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>()).filter(|id| id.len() == 16)
}

fn alone(status: &CrashReportStatus, excerpt: &str) -> Option<(String, String)> {
    let [only] = &status.occurrences[..] else { return None };
    if status.count != 1 || status.inferred + status.unseen != 0 {
        return None;
    }
    Some((only.container_id.clone()?, quoted(excerpt).next()?))
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Crashes that happened.
    pub crashes: i64,
    pub lost: i64,
    pub doubled: i64,
    pub wrong_logs: usize,
    pub wrong_causes: usize,
    /// Terminations that were seen in a report.
    pub witnessed: usize,
    /// Those of them in reports that say that the log could not be had, and name no cause.
    pub unexplained: usize,
    /// What is wrong, for people.
    pub faults: Vec<String>,
}

/// Compares what was played with what the reports hold now, what deleted ones held, and what all of them ever showed.
pub fn judge(truth: &[Truth], reports: &[CrashReport], deleted: &BTreeMap<Place, i64>, shown: &Shown) -> Verdict {
    let mut verdict = Verdict::default();
    compare_counts(&mut verdict, truth, reports, deleted);
    let by_id: BTreeMap<_, _> = truth.iter().map(|truth| (truth.container_id.as_str(), truth)).collect();
    let by_start: BTreeMap<_, _> = truth.iter().map(|truth| (start(&truth.container_id), truth)).collect();
    for seen in shown.0.values() {
        compare_causes(&mut verdict, seen, &by_id);
        compare_logs(&mut verdict, seen, &by_start);
    }
    verdict
}

fn compare_counts(verdict: &mut Verdict, truth: &[Truth], reports: &[CrashReport], deleted: &BTreeMap<Place, i64>) {
    let mut difference: BTreeMap<Place, i64> = BTreeMap::new();
    for truth in truth.iter().filter(|truth| truth.is_crash()) {
        verdict.crashes += 1;
        *difference.entry(truth.place()).or_default() -= 1;
    }
    for report in reports {
        *difference.entry(Place::of(report)).or_default() += counted(report);
    }
    for (place, held) in deleted {
        *difference.entry(place.clone()).or_default() += held;
    }
    for (place, difference) in difference.into_iter().filter(|(_, difference)| *difference != 0) {
        verdict.lost += (-difference).max(0);
        verdict.doubled += difference.max(0);
        verdict.faults.push(format!("{place:?}: counted {difference:+}"));
    }
}

fn compare_causes(verdict: &mut Verdict, seen: &Seen, truth: &BTreeMap<&str, &Truth>) {
    let mut others = 0;
    let of: Vec<_> = seen.occurrences.iter().filter_map(|id| truth.get(id.as_str())).collect();
    verdict.witnessed += of.len();
    for one in &of {
        // Without a log nothing is claimed about the cause beyond the exit facts.
        if one.cause == seen.reason || !seen.logged && is_unexplained(&seen.reason) {
            if one.cause == seen.reason && !one.culprit.is_empty() && one.culprit != seen.culprit {
                verdict.wrong_causes += 1;
                verdict.faults.push(format!("{}: culprit {} instead of {}", seen.name, seen.culprit, one.culprit));
            }
            verdict.unexplained += usize::from(one.cause != seen.reason);
            continue;
        }
        // One whose log nobody had may be counted where all that is known of it fits.
        let fits = of
            .iter()
            .any(|own| own.cause == seen.reason && (own.exit_code, &own.reason) == (one.exit_code, &one.reason));
        others += i64::from(fits);
        if !fits || others > seen.inferred {
            verdict.wrong_causes += 1;
            verdict.faults.push(format!(
                "{}: {} is told to be {}, inferred {}",
                seen.name,
                describe(one),
                seen.reason,
                seen.inferred
            ));
        }
    }
}

fn compare_logs(verdict: &mut Verdict, seen: &Seen, truth: &BTreeMap<&str, &Truth>) {
    for id in &seen.quoted {
        let right = truth.get(id.as_str()).is_some_and(|truth| truth.cause == seen.reason);
        if !right {
            verdict.wrong_logs += 1;
            let of = truth.get(id.as_str()).map_or("nobody".into(), |truth| describe(truth));
            verdict.faults.push(format!("{}: the log of {of} is shown for {}", seen.name, seen.reason));
        }
    }
    for (occurrence, quoted) in &seen.alone {
        if start(occurrence) != quoted {
            verdict.wrong_logs += 1;
            verdict.faults.push(format!("{}: the log of {quoted} is shown for {occurrence}", seen.name));
        }
    }
}

fn is_unexplained(reason: &str) -> bool {
    matches!(reason, "ErrorExit" | "Killed" | "CleanExit" | "Unexplained")
}

fn describe(truth: &Truth) -> String {
    format!(
        "{}/{} ({}, {}, exit {})",
        truth.pod,
        truth.container,
        start(&truth.container_id),
        truth.cause,
        truth.exit_code
    )
}

/// The part of a container ID that its log names.
fn start(id: &str) -> &str {
    let hash = id.rsplit('/').next().unwrap_or_default();
    hash.get(..16).unwrap_or(hash)
}
