//! What one or more terminations add to a report: small, mergeable, and complete enough to write the report from it
//! after a kill. It is what the ledger keeps until the report confirms it.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::{cut, cut_opt};
use super::{
    CrashReportSpec, CrashReportStatus, EXCERPT_BYTES, Evidence, EvidenceSource, EvidenceState, OCCURRENCES,
    Occurrence, Workload, bound,
};
use crate::classify::{Classification, Finding};
use crate::termination::Termination;

/// One termination with its classification, ready to be counted.
#[derive(Clone, Debug)]
pub struct Counted {
    /// What ended.
    pub termination: Arc<Termination>,
    /// The workload that it is counted for.
    pub workload: Workload,
    /// What killed it.
    pub classification: Classification,
    /// Whether its log was had.
    pub evidence: EvidenceState,
    /// Where the excerpt comes from.
    pub source: EvidenceSource,
    /// The sinks that shall be told if this opens a new bug.
    pub notify: Vec<String>,
    /// Whether the report that this opens goes when its workload is deleted.
    pub delete_with_workload: bool,
    /// When it was seen: stands in for finishedAt where the kubelet gives none.
    pub seen_at: Timestamp,
}

impl Counted {
    /// When the instance ended, or else when that was seen.
    pub fn ended_at(&self) -> Timestamp {
        self.termination.finished_at.unwrap_or(self.seen_at)
    }

    /// Name of the report that it belongs to.
    pub fn report_name(&self) -> String {
        super::report_name(&self.workload, &self.termination.container, &self.classification.fingerprint)
    }

    /// All that a report is made of beside its counts, within a report's size.
    pub fn draft(&self) -> Draft {
        let classification = &self.classification;
        let mut finding = classification.finding.clone();
        bound::clamp(&mut finding);
        let spec = CrashReportSpec {
            workload: self.workload.clone(),
            container: self.termination.container.clone(),
            fingerprint: classification.fingerprint.clone(),
            triage: None,
        };
        let delete_with_workload = self.delete_with_workload;
        let mut draft = Draft { spec, finding, evidence: self.evidence(), delete_with_workload };
        bound::fit_draft(&mut draft);
        draft
    }

    fn evidence(&self) -> Evidence {
        let Classification { excerpt, log_bytes, truncated, .. } = &self.classification;
        Evidence {
            state: self.evidence,
            source: self.source,
            excerpt: cut(excerpt, EXCERPT_BYTES).to_owned(),
            log_bytes: i64::try_from(*log_bytes).unwrap_or(i64::MAX),
            truncated: *truncated || excerpt.len() > EXCERPT_BYTES,
        }
    }

    /// The occurrence that the report shows.
    fn occurrence(&self) -> Occurrence {
        let (termination, pod) = (&self.termination, &self.termination.pod);
        Occurrence {
            pod: pod.name.clone(),
            pod_uid: pod.uid.clone(),
            node: pod.node.clone(),
            container_id: cut_opt(termination.container_id.as_deref(), 256),
            restart_count: termination.restart_count,
            exit_code: termination.exit_code,
            signal: termination.signal,
            reason: cut_opt(termination.reason.as_deref(), 128),
            started_at: termination.started_at.map(Time),
            finished_at: Some(Time(self.ended_at())),
            image: cut(&termination.image, 512).to_owned(),
            image_id: cut(&termination.image_id, 512).to_owned(),
            revision: cut_opt(pod.revision.as_deref(), 63),
        }
    }
}

/// What a new report is made of beside its counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// Which bug it is.
    pub spec: CrashReportSpec,
    /// What killed the process.
    pub finding: Finding,
    /// What that rests on.
    pub evidence: Evidence,
    /// Whether the report goes when its workload is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_with_workload: bool,
}

/// How much is known: what a better finding is compared by. Later is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing(crate::classify::Confidence, u8);

impl Standing {
    /// The standing of a finding and its evidence. Confidence counts first: it already includes what the log showed.
    pub fn of(finding: &Finding, evidence: &Evidence) -> Self {
        let had = match evidence.state {
            EvidenceState::Verified => 3,
            EvidenceState::Unverified => 2,
            EvidenceState::Empty => 1,
            EvidenceState::Gone | EvidenceState::Forbidden | EvidenceState::RateLimited => 0,
        };
        Self(finding.confidence, had)
    }
}

impl Draft {
    /// How much it knows.
    pub fn standing(&self) -> Standing {
        Standing::of(&self.finding, &self.evidence)
    }
}

/// What is added to one report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addition {
    /// Terminations with a log or facts of their own.
    pub count: i64,
    /// Terminations counted without a log of their own.
    pub inferred: i64,
    /// Terminations that were never seen; negative where one was seen after all.
    pub unseen: i64,
    /// Pods that were not counted in this report before.
    pub pods: i64,
    /// When the first of them ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    /// When the last of them ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
    /// The newest of them, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub occurrences: Vec<Occurrence>,
    /// Sinks to be told if this opens a new bug.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
}

impl Addition {
    /// What one termination adds.
    pub fn of(counted: &Counted) -> Self {
        let ended = Time(counted.ended_at());
        Self {
            count: 1,
            first: Some(ended.clone()),
            last: Some(ended),
            occurrences: vec![counted.occurrence()],
            notify: counted.notify.clone(),
            ..Self::default()
        }
    }

    /// What a report has counted, for another one to take over; nobody is told again.
    pub fn of_status(status: &CrashReportStatus) -> Self {
        Self {
            count: status.count,
            inferred: status.inferred,
            unseen: status.unseen,
            pods: status.pods,
            first: status.first_seen.clone(),
            last: status.last_seen.clone(),
            occurrences: status.occurrences.clone(),
            notify: Vec::new(),
        }
    }

    /// Has it counted as one without a log of its own in a bug that it fits, which is therefore known: nobody is told.
    pub fn infer(&mut self) {
        self.inferred += std::mem::take(&mut self.count);
        self.notify.clear();
    }

    /// Takes in what another one adds to the same report. The order of the two does not matter.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.inferred += other.inferred;
        self.unseen += other.unseen;
        self.pods += other.pods;
        self.first = earliest(self.first.take(), other.first);
        self.last = latest(self.last.take(), other.last);
        newest_first(&mut self.occurrences, other.occurrences);
        for sink in other.notify {
            if !self.notify.contains(&sink) {
                self.notify.push(sink);
            }
        }
    }
}

/// The earlier of two times, where there are any.
pub(super) fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    [a, b].into_iter().flatten().min_by_key(|time| time.0)
}

/// The later of two times, where there are any.
pub(super) fn latest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    [a, b].into_iter().flatten().max_by_key(|time| time.0)
}

/// Adds occurrences to a list that is kept newest first and bounded.
pub(super) fn newest_first(list: &mut Vec<Occurrence>, more: Vec<Occurrence>) {
    list.extend(more);
    // By all that orders them, so that the list does not depend on the order in which they came.
    list.sort_by(|a, b| order(b).cmp(&order(a)));
    list.truncate(OCCURRENCES);
}

fn order(occurrence: &Occurrence) -> (Option<Timestamp>, i32, &str, &str) {
    let Occurrence { finished_at, restart_count, pod_uid, .. } = occurrence;
    (finished_at.as_ref().map(|time| time.0), *restart_count, pod_uid, occurrence.container_id.as_deref().unwrap_or(""))
}
