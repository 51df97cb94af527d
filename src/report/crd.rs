//! The custom resource. `coroner crd` prints its definition; `crds/` and the chart hold what it prints.

// Each printer column has a type and a priority of its own; the lint takes those of two columns for the same attribute.
#![allow(clippy::duplicated_attributes)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::classify::Finding;

/// Most occurrences that a report keeps.
pub const OCCURRENCES: usize = 5;
/// Longest excerpt in a report, in bytes.
pub const EXCERPT_BYTES: usize = 4096;

/// Who crashed and which bug it was: set once, immutable; and the user's own triage.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "coroner.dev",
    version = "v1alpha1",
    kind = "CrashReport",
    plural = "crashreports",
    shortname = "crash",
    namespaced,
    status = "CrashReportStatus",
    doc = "One bug that kills one container of one workload: what it is, where it is, and how often it struck.",
    derive = "PartialEq",
    printcolumn(
        name = "Workload",
        type_ = "string",
        json_path = ".spec.workload.name",
        description = "The workload whose pod died"
    ),
    printcolumn(
        name = "Container",
        type_ = "string",
        json_path = ".spec.container",
        description = "The container that died"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.finding.reason",
        description = "The cause, one word"
    ),
    printcolumn(
        name = "Culprit",
        type_ = "string",
        json_path = ".status.culpritText",
        description = "The top frame in the user's own code"
    ),
    printcolumn(name = "Count", type_ = "integer", json_path = ".status.count", description = "Terminations counted"),
    printcolumn(
        name = "Last seen",
        type_ = "date",
        json_path = ".status.lastSeen",
        description = "When the last one ended"
    ),
    printcolumn(name = "Runtime", type_ = "string", json_path = ".status.finding.runtime", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.finding.message", priority = 1),
    printcolumn(name = "Exit", type_ = "integer", json_path = ".status.occurrences[0].exitCode", priority = 1),
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.occurrences[0].revision", priority = 1),
    printcolumn(name = "Evidence", type_ = "string", json_path = ".status.evidence.state", priority = 1),
    printcolumn(name = "Triage", type_ = "string", json_path = ".status.triage.effective", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.workload == oldSelf.workload && self.container == oldSelf.container && self.fingerprint == oldSelf.fingerprint")
        .message("workload, container and fingerprint say which bug this report is about and cannot be changed; only triage can")
)]
pub struct CrashReportSpec {
    /// The workload whose pod died.
    pub workload: Workload,
    /// The container that died.
    #[schemars(length(min = 1, max = 63))]
    pub container: String,
    /// Which bug it is: the version of the algorithm, a dash, 16 hexadecimal digits.
    #[schemars(length(max = 24), regex(pattern = r"^[0-9]+-[0-9a-f]{16}$"))]
    pub fingerprint: String,
    /// What you decided about this bug. The only part of a report that is yours to edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triage: Option<Triage>,
}

/// The top controller of a pod, or what stands in for one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// E.g. `apps/v1`; `v1` for a pod without a controller.
    #[schemars(length(max = 253))]
    pub api_version: String,
    /// E.g. `Deployment`; `Pod` for a pod without a controller.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its name; for pods without a controller, what groups them.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its UID, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub uid: Option<String>,
}

/// The user's decision about a bug.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Triage {
    /// What was decided.
    pub state: TriageState,
    /// Until when that holds; then it is Open again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Why, for the next reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub note: Option<String>,
}

/// What a user can decide about a bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TriageState {
    /// Nobody has looked yet, or it came back.
    #[default]
    Open,
    /// Somebody works on it.
    Acknowledged,
    /// Count it, but send nothing.
    Muted,
    /// It is fixed: the next crash in a new image or revision is a regression.
    Resolved,
}

/// What Coroner found and counted. Written by the operator alone.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrashReportStatus {
    /// What killed the process, where in the code, how sure that is, and how to prove and fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// The culprit in short, as the printer column shows it: `cache.go:28`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub culprit_text: Option<String>,
    /// What the finding rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Terminations counted, each instance of a container exactly once.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub count: i64,
    /// Terminations counted here without a log of their own, because all that is known of them fits this bug.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub inferred: i64,
    /// Terminations that were never seen, known by a jump of the restart count.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub unseen: i64,
    /// How many pods it struck.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub pods: i64,
    /// When the first one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Time>,
    /// When the last one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
    /// The last terminations, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub occurrences: Vec<Occurrence>,
    /// What of the triage holds now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triage: Option<EffectiveTriage>,
    /// What was sent about this bug, one entry for each sink.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["sink".into()]))]
    pub notifications: Vec<Notification>,
    /// Up to which entry of its ledger this report has counted: what makes a repeated write harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerMark>,
    /// `Active`: the bug still strikes. `Regressed`: it came back after Resolved. `Delivered`: notifications went out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), schema_with = "super::schema::conditions")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// What a finding rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Whether the log of exactly the dead instance was had.
    pub state: EvidenceState,
    /// Where the excerpt comes from.
    pub source: EvidenceSource,
    /// The decisive lines with a few before them, redacted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 4096))]
    pub excerpt: String,
    /// Bytes of log that were read.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub log_bytes: i64,
    /// Whether the excerpt was cut, or the log was not read to its end.
    #[serde(default)]
    pub truncated: bool,
}

/// Whether the log of exactly the dead instance was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EvidenceState {
    /// Its time stamps lie within the life of the instance.
    Verified,
    /// It could not be proven, e.g. on a node that ignores `timestamps`.
    Unverified,
    /// The log is gone.
    Gone,
    /// The API server refused the read.
    Forbidden,
    /// Too many logs were wanted at once.
    RateLimited,
    /// The instance wrote nothing.
    Empty,
}

/// Where an excerpt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EvidenceSource {
    /// The log read with `previous=true`.
    PreviousLog,
    /// The log read with `previous=false`.
    CurrentLog,
    /// The container's termination message.
    TerminationMessage,
    /// The exit facts alone.
    Status,
}

/// One counted termination.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Occurrence {
    /// Name of the pod.
    #[schemars(length(max = 253))]
    pub pod: String,
    /// UID of the pod.
    #[serde(rename = "podUID")]
    #[schemars(length(max = 64))]
    pub pod_uid: String,
    /// Its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub node: Option<String>,
    /// The instance.
    #[serde(default, rename = "containerID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub container_id: Option<String>,
    /// How often the container had been restarted when this instance ran.
    pub restart_count: i32,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal that ended it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The kubelet's word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub reason: Option<String>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// The image it ran.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub image: String,
    /// The digest of that image.
    #[serde(default, rename = "imageID", skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub image_id: String,
    /// The revision of the workload that the pod belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub revision: Option<String>,
}

/// What of the triage holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveTriage {
    /// The state in force: `until` may have passed, or the bug came back after Resolved.
    pub effective: TriageState,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The generation of the report whose triage this follows: a later edit of yours is taken anew, even one back to
    /// Resolved after a regression.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub observed_generation: i64,
}

/// What was sent about a bug to one sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The sink: `slack`…
    #[schemars(length(max = 63))]
    pub sink: String,
    /// How far the delivery is.
    pub state: DeliveryState,
    /// When it was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Time>,
    /// The count that the last message told.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub last_count: i64,
    /// The thread that later messages continue, where the sink has threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub thread: Option<String>,
    /// Why the last attempt failed; never holds a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub error: Option<String>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeliveryState {
    /// It is due.
    Pending,
    /// Somebody is sending it.
    Sending,
    /// It arrived.
    Sent,
    /// The sink refused it for good.
    Failed,
}

/// Up to which entry of which ledger a report has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerMark {
    /// UID of the ledger object: a new ledger counts from 1 again.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// The last entry that is counted here.
    #[schemars(range(min = 0))]
    pub seq: i64,
}
