//! The terminated records of one container status: which there are, and which instance each is about.

use k8s_openapi::jiff::Timestamp;

use super::{ContainerKind, RestartPolicy, SeenIn};
use crate::watch::SlimPod;
use crate::watch::slim::{ContainerStatus, SlimContainer, Terminated};

/// The kubelet's record for a container that it no longer finds.
pub(super) const STATUS_UNKNOWN: &str = "ContainerStatusUnknown";
/// The kubelet's record for every container of a pod that is restarted as a whole, healthy ones included.
pub(super) const RESTARTED_ALONG: &str = "RestartingAllContainers";

/// A container with its place in the pod.
#[derive(Clone, Copy)]
pub(super) struct Placed<'p> {
    pub kind: ContainerKind,
    pub policy: RestartPolicy,
    pub status: &'p ContainerStatus,
}

/// Every container of the pod that has a status: init containers and sidecars, regular, ephemeral.
pub(super) fn containers(pod: &SlimPod) -> impl Iterator<Item = Placed<'_>> {
    let (spec, status) = (&pod.spec, &pod.status);
    let pods = RestartPolicy::from_word(spec.restart_policy.as_deref());
    let init = status.init_container_statuses.iter().map(move |status| init(&spec.init_containers, pods, status));
    let regular = status.container_statuses.iter().map(move |status| Placed {
        kind: ContainerKind::Regular,
        policy: own_policy(&spec.containers, &status.name).unwrap_or(pods),
        status,
    });
    let ephemeral = status.ephemeral_container_statuses.iter().map(|status| Placed {
        kind: ContainerKind::Ephemeral,
        policy: RestartPolicy::Never,
        status,
    });
    init.chain(regular).chain(ephemeral)
}

/// An init container is a sidecar by its own restart policy; one that is none is never restarted after exit 0.
fn init<'p>(spec: &[SlimContainer], pods: RestartPolicy, status: &'p ContainerStatus) -> Placed<'p> {
    let (kind, policy) = match own_policy(spec, &status.name) {
        Some(RestartPolicy::Always) => (ContainerKind::Sidecar, RestartPolicy::Always),
        Some(own) => (ContainerKind::Init, own),
        None if pods == RestartPolicy::Never => (ContainerKind::Init, RestartPolicy::Never),
        None => (ContainerKind::Init, RestartPolicy::OnFailure),
    };
    Placed { kind, policy, status }
}

fn own_policy(spec: &[SlimContainer], name: &str) -> Option<RestartPolicy> {
    let container = spec.iter().find(|container| container.name == name)?;
    container.restart_policy.as_deref().map(|word| RestartPolicy::from_word(Some(word)))
}

/// One terminated record.
#[derive(Clone, Copy)]
pub(super) struct Record<'p> {
    pub seen_in: SeenIn,
    pub terminated: &'p Terminated,
    /// How often the container had been restarted when this instance ran.
    pub index: i32,
    /// There is a later instance.
    pub succeeded: bool,
}

impl Record<'_> {
    /// The container ID; the kubelet leaves it empty in synthetic records.
    pub fn id(&self) -> Option<&str> {
        id_of(self.terminated)
    }

    /// What tells it from the other records of its container.
    pub fn identity(&self) -> (&str, Option<(i32, Option<Timestamp>)>) {
        match self.id() {
            Some(id) => (id, None),
            None => {
                let reason = self.terminated.reason.as_deref().unwrap_or_default();
                (reason, Some((self.index, self.terminated.finished_at)))
            }
        }
    }
}

fn id_of(terminated: &Terminated) -> Option<&str> {
    terminated.container_id.as_deref().filter(|id| !id.is_empty())
}

/// The records of a container, the older one first.
pub(super) fn records(status: &ContainerStatus) -> impl Iterator<Item = Record<'_>> {
    let (last, state) = (status.last_state.terminated.as_ref(), status.state.terminated.as_ref());
    let last = last.filter(|last| !state.is_some_and(|state| id_of(last).is_some() && id_of(last) == id_of(state)));
    // A container that the kubelet lost has the same synthetic record in both places as soon as the pod ends.
    let state = state.filter(|state| !last.is_some_and(|last| both_lost(last, state)));
    let last = last.map(|last| last_record(status, last));
    let state = state.map(|terminated| Record {
        seen_in: SeenIn::State,
        terminated,
        index: status.restart_count,
        succeeded: false,
    });
    last.into_iter().chain(state).filter(|record| record.terminated.reason.as_deref() != Some(RESTARTED_ALONG))
}

fn both_lost(last: &Terminated, state: &Terminated) -> bool {
    [last, state].iter().all(|it| it.reason.as_deref() == Some(STATUS_UNKNOWN) && id_of(it).is_none())
}

/// The record in `lastState`. It is about the latest instance as long as `containerID` still names that one, as after a
/// StartError, a failed postStart hook or in back-off; else about the one before.
fn last_record<'p>(status: &'p ContainerStatus, terminated: &'p Terminated) -> Record<'p> {
    let latest = status.container_id.as_deref().filter(|id| !id.is_empty());
    let id = id_of(terminated);
    let is_latest = id.is_some() && id == latest;
    let before = status.restart_count.saturating_sub(1).max(0);
    Record {
        seen_in: SeenIn::LastState,
        terminated,
        index: if is_latest { status.restart_count } else { before },
        succeeded: id.is_some() && latest.is_some() && !is_latest,
    }
}

/// Whether the container was restarted along with the whole pod: its restart count moved on without a crash of its own.
pub(super) fn restarted_along(status: &ContainerStatus) -> bool {
    let last = status.last_state.terminated.as_ref();
    last.is_some_and(|last| last.reason.as_deref() == Some(RESTARTED_ALONG))
}
