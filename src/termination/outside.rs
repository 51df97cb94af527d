//! What is done to a pod from outside: it is stopped, evicted, preempted, or its node is lost.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::record::{Placed, Record, STATUS_UNKNOWN};
use super::{ContainerKind, RestartPolicy, Stopping};
use crate::classify::Stated;
use crate::watch::SlimPod;
use crate::watch::slim::{ContainerStatus, SlimCondition};

/// How far a node's clock may lag behind the API server's before a container that was stopped with its pod looks as if
/// it had ended by itself before that. Only used on the first look at a pod; it errs towards "was stopped".
const CLOCK_LAG: SignedDuration = SignedDuration::from_secs(30);

/// What is done to a pod, from one look at it.
pub(super) struct Outside {
    stopping: Option<(Stopping, Option<Timestamp>)>,
    stated: Option<(Stated, Option<Timestamp>)>,
    main_done: Option<MainDone>,
    /// The word that `stated` rests on.
    pub reason: Option<String>,
    /// The sentence that `stated` rests on.
    pub message: Option<String>,
    /// The pod will never run again.
    pub ended: bool,
}

/// Every regular container ended for good, the last one then.
struct MainDone(Option<Timestamp>);

impl Outside {
    /// Reads it from the pod. `deleted` means that this is the last state of a pod that is no more.
    pub fn of(pod: &SlimPod, deleted: bool) -> Self {
        let status = &pod.status;
        let disruption = status.conditions.iter().find(|condition| condition.status == "True");
        let ended = deleted || matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
        let stated = stated(pod, disruption);
        Self {
            stopping: stopping(pod, disruption, deleted),
            reason: status.reason.clone().or_else(|| disruption?.reason.clone()),
            message: status.message.clone().or_else(|| disruption?.message.clone()),
            stated,
            main_done: main_done(pod, ended),
            ended,
        }
    }

    /// The fact stated about the whole pod, and since when it holds.
    pub fn stated(&self) -> Option<(Stated, Option<Timestamp>)> {
        self.stated
    }

    /// Whether the pod is being stopped.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// The fact that the pod's status states about the end of this instance.
    pub fn stated_for(&self, placed: Placed<'_>, record: &Record<'_>, first_sight: bool) -> Option<Stated> {
        let (stated, since) = self.stated?;
        let init_done = placed.kind == ContainerKind::Init && record.terminated.exit_code == 0;
        let unrelated = record.succeeded || init_done || (first_sight && ended_before(record, since));
        (!unrelated).then_some(stated)
    }

    /// Why this instance was being stopped when it ended. A container that was started again afterwards was not; and
    /// what is new since the last look ended after that look, whatever the clocks say.
    pub fn stopping_for(&self, placed: Placed<'_>, record: &Record<'_>, first_sight: bool) -> Option<Stopping> {
        if record.succeeded {
            return None;
        }
        let pod = self.stopping.filter(|(_, since)| !(first_sight && ended_before(record, *since)));
        pod.map(|(why, _)| why).or_else(|| self.main_done_for(placed, record))
    }

    fn main_done_for(&self, placed: Placed<'_>, record: &Record<'_>) -> Option<Stopping> {
        let MainDone(at) = self.main_done.as_ref().filter(|_| placed.kind == ContainerKind::Sidecar)?;
        let earlier = at.zip(record.terminated.finished_at).is_some_and(|(main, own)| own < main);
        (!earlier).then_some(Stopping::MainDone)
    }
}

/// Whether the record is surely about something earlier.
fn ended_before(record: &Record<'_>, since: Option<Timestamp>) -> bool {
    let both = record.terminated.finished_at.zip(since);
    both.is_some_and(|(finished, since)| since.duration_since(finished) > CLOCK_LAG)
}

/// Why the whole pod is being stopped, and since when.
fn stopping(pod: &SlimPod, disruption: Option<&SlimCondition>, deleted: bool) -> Option<(Stopping, Option<Timestamp>)> {
    let disrupted_since = disruption.and_then(|condition| condition.last_transition_time);
    if deleted || pod.metadata.deletion_timestamp.is_some() {
        Some((Stopping::Deleted, deleted_since(pod)))
    } else if pod.status.reason.as_deref() == Some("Terminated") {
        Some((Stopping::NodeShutdown, disrupted_since))
    } else {
        disruption.map(|_| (Stopping::Disrupted, disrupted_since))
    }
}

/// When the deletion was asked for: the time stamp is when its grace period ends.
fn deleted_since(pod: &SlimPod) -> Option<Timestamp> {
    let end = pod.metadata.deletion_timestamp.as_ref()?.0;
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
    end.checked_sub(SignedDuration::from_secs(grace)).ok()
}

/// What the status or the disruption says of the pod's end. An eviction by the API (a drain) and the shutdown of a node
/// only stop the pod.
fn stated(pod: &SlimPod, disruption: Option<&SlimCondition>) -> Option<(Stated, Option<Timestamp>)> {
    let disrupted_since = disruption.and_then(|condition| condition.last_transition_time);
    match pod.status.reason.as_deref() {
        Some("Evicted") => return Some((Stated::Evicted, disrupted_since)),
        Some("Preempting") => return Some((Stated::Preempted, disrupted_since)),
        Some("NodeLost") => return Some((Stated::NodeLost, disrupted_since)),
        Some("DeadlineExceeded") => return Some((Stated::DeadlineExceeded, deadline(pod))),
        Some("Terminated") => return None,
        _ => {}
    }
    let disruption = disruption?;
    let stated = match disruption.reason.as_deref()? {
        "DeletionByTaintManager" | "DeletionByPodGC" => Stated::NodeLost,
        "PreemptionByScheduler" => Stated::Preempted,
        "TerminationByKubelet" => by_kubelet(disruption.message.as_deref().unwrap_or_default())?,
        _ => return None,
    };
    Some((stated, disrupted_since))
}

/// The kubelet gives one reason for three things, and the status's own reason only comes with the end of the pod.
fn by_kubelet(message: &str) -> Option<Stated> {
    if message.contains("node shutdown") {
        None
    } else if message.starts_with("Preempted") {
        Some(Stated::Preempted)
    } else {
        Some(Stated::Evicted)
    }
}

fn deadline(pod: &SlimPod) -> Option<Timestamp> {
    let seconds = SignedDuration::from_secs(pod.spec.active_deadline_seconds?);
    pod.status.start_time?.checked_add(seconds).ok()
}

/// Whether every regular container ended for good, so that the kubelet now stops the sidecars.
fn main_done(pod: &SlimPod, ended: bool) -> Option<MainDone> {
    let statuses = &pod.status.container_statuses;
    if pod.status.init_container_statuses.is_empty() || statuses.is_empty() {
        return None;
    }
    let policy = RestartPolicy::from_word(pod.spec.restart_policy.as_deref());
    let done = |status: &ContainerStatus| {
        let terminated = status.state.terminated.as_ref();
        terminated.is_some_and(|it| ended || stays_ended(policy, it.exit_code))
    };
    let finished = |status: &ContainerStatus| status.state.terminated.as_ref()?.finished_at;
    statuses.iter().all(done).then(|| MainDone(statuses.iter().filter_map(finished).max()))
}

fn stays_ended(policy: RestartPolicy, exit_code: i32) -> bool {
    match policy {
        RestartPolicy::Always => false,
        RestartPolicy::OnFailure => exit_code == 0,
        RestartPolicy::Never => true,
    }
}

/// What the kubelet's synthetic record states by itself.
pub(super) fn stated_by_record(record: &Record<'_>) -> Option<Stated> {
    let lost = record.terminated.reason.as_deref() == Some(STATUS_UNKNOWN);
    lost.then_some(Stated::ContainerLost)
}
