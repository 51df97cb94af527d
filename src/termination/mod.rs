//! Which terminations are new, and which of them are crashes. Pure: pods go in as plain values, terminations come out.
//!
//! One termination is one instance of one container: (pod UID, container name, container ID).

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;

use crate::classify::Stated;

pub mod detector;
mod history;
pub mod judge;
mod outside;
pub mod probe;
mod record;
mod startup;

pub use detector::{Detector, DetectorOptions};
pub use judge::{Ignored, Verdict, exit_facts, judge};
pub use startup::fails_to_start;

/// What is kept of a pod beside each of its terminations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodFacts {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// UID of the pod.
    pub uid: String,
    /// The node it was bound to.
    pub node: Option<String>,
    /// `metadata.generateName`, by which pods without a known controller are grouped.
    pub generate_name: Option<String>,
    /// Label `app.kubernetes.io/name`, by which pods without a known controller are grouped.
    pub app_name: Option<String>,
    /// Label `pod-template-hash` or `controller-revision-hash`: the revision that the pod belongs to.
    pub revision: Option<String>,
    /// The owner reference with `controller: true`.
    pub controller: Option<Controller>,
    /// The pod's restart policy.
    pub restart_policy: RestartPolicy,
    /// Names of its containers that have a liveness or startup probe, by which the kubelet may kill them.
    pub probed: Vec<String>,
    /// Why the pod, or this container of it, was being stopped when the instance ended, if it was.
    pub stopping: Option<Stopping>,
}

/// An owner reference with `controller: true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Controller {
    /// E.g. `apps/v1`.
    pub api_version: String,
    /// E.g. `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// `spec.restartPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // Kubernetes' own words
pub enum RestartPolicy {
    #[default]
    Always,
    OnFailure,
    Never,
}

impl RestartPolicy {
    /// From Kubernetes' word; what is missing or unknown is `Always`, the API server's default.
    pub fn from_word(word: Option<&str>) -> Self {
        match word {
            Some("OnFailure") => Self::OnFailure,
            Some("Never") => Self::Never,
            _ => Self::Always,
        }
    }
}

/// Why a pod, or this container of it, is being stopped: its exit code then says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopping {
    /// It has a deletionTimestamp.
    Deleted,
    /// Condition `DisruptionTarget` is true.
    Disrupted,
    /// `status.reason` is `Terminated`: its node shuts down.
    NodeShutdown,
    /// Every regular container is done, and this one is a sidecar.
    MainDone,
}

/// Which list of a pod a container stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContainerKind {
    /// `spec.containers`.
    Regular,
    /// `spec.initContainers`, run to completion.
    Init,
    /// `spec.initContainers` with restartPolicy Always.
    Sidecar,
    /// `spec.ephemeralContainers`.
    Ephemeral,
}

/// Where a terminated record was first seen; it decides which log is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeenIn {
    /// `state.terminated`: `previous=false` names this instance.
    State,
    /// `lastState.terminated`: `previous=true` names this instance.
    LastState,
    /// The pod's own status, or a waiting reason: there is no instance and no log.
    PodStatus,
}

/// One instance of one container that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Termination {
    /// The pod.
    pub pod: Arc<PodFacts>,
    /// Name of the container.
    pub container: String,
    /// Which list it stands in.
    pub kind: ContainerKind,
    /// The restart policy that holds for this container: its own, or else the pod's.
    pub restart_policy: RestartPolicy,
    /// E.g. `containerd://4f…`; `None` in the kubelet's synthetic records.
    pub container_id: Option<String>,
    /// How often this container had been restarted when the instance ran: 0 for the first one.
    pub restart_count: i32,
    /// Where the record was seen.
    pub seen_in: SeenIn,
    /// Whether there already is another instance, whose log `previous=false` would give.
    pub successor_running: bool,
    /// The exit code; `None` where no process ever ran.
    pub exit_code: Option<i32>,
    /// The signal, which containerd does not set.
    pub signal: Option<i32>,
    /// The kubelet's reason: `Error`, `OOMKilled`, `Completed`, `StartError`…
    pub reason: Option<String>,
    /// The termination message.
    pub message: Option<String>,
    /// What the pod's status, its condition or the waiting reason says in a sentence, where `stated` rests on one.
    pub status_message: Option<String>,
    /// What is stated beyond the container's own record.
    pub stated: Option<Stated>,
    /// When the instance started, at whole seconds; `None` where the kubelet gives the epoch or nothing.
    pub started_at: Option<Timestamp>,
    /// When it ended, at whole seconds.
    pub finished_at: Option<Timestamp>,
    /// Image as the status has it.
    pub image: String,
    /// Image ID (digest) as the status has it.
    pub image_id: String,
    /// Terminations of this container before this one that were never seen, by the jump of restartCount.
    pub unseen: u32,
}

impl Termination {
    /// What tells this instance from the others of its container: the container ID or, where there is none, the
    /// kubelet's reason and the restart count, which are the same whenever the status is read again.
    pub fn instance(&self) -> Cow<'_, str> {
        match &self.container_id {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(format!("{}#{}", self.reason.as_deref().unwrap_or("unknown"), self.restart_count)),
        }
    }
}
