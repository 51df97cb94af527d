//! Which terminations are crashes.

use super::{ContainerKind, RestartPolicy, SeenIn, Stopping, Termination};
use crate::classify::{Category, Confidence, ExitFacts, Finding, Stated, reason};

/// What becomes of a termination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is a crash, or at least worth counting.
    Report {
        /// Whether it may be notified at all, whatever the policy says of its category.
        notify: bool,
    },
    /// It is none.
    Ignore(Ignored),
}

/// Why a termination is no crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// It did its work, and nobody restarts it.
    Completed,
    /// Its pod was being deleted.
    PodDeleted,
    /// Its pod was being drained or moved.
    PodDisrupted,
    /// Its node was shutting down.
    NodeShutdown,
    /// A sidecar, stopped because the regular containers were done.
    MainDone,
}

impl Ignored {
    /// A bounded word for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::PodDeleted => "pod_deleted",
            Self::PodDisrupted => "pod_disrupted",
            Self::NodeShutdown => "node_shutdown",
            Self::MainDone => "main_done",
        }
    }
}

impl From<Stopping> for Ignored {
    fn from(stopping: Stopping) -> Self {
        match stopping {
            Stopping::Deleted => Self::PodDeleted,
            Stopping::Disrupted => Self::PodDisrupted,
            Stopping::NodeShutdown => Self::NodeShutdown,
            Stopping::MainDone => Self::MainDone,
        }
    }
}

/// Decides whether a termination, with what its log came to, is a crash.
pub fn judge(termination: &Termination, finding: &Finding) -> Verdict {
    if stated_from_outside(termination) || killed_by_probe(termination) || finding.reason == reason::OOM_KILLED {
        return Verdict::Report { notify: true };
    }
    if let Some(stopping) = termination.pod.stopping {
        let fatal = termination.exit_code != Some(0) && fatal_trace(finding);
        return if fatal { Verdict::Report { notify: true } } else { Verdict::Ignore(stopping.into()) };
    }
    match termination.exit_code {
        Some(0) if restarted_after_success(termination) => Verdict::Report { notify: false },
        Some(0) => Verdict::Ignore(Ignored::Completed),
        _ => Verdict::Report { notify: !failed_task(termination, finding) },
    }
}

/// What a classification needs to know beside the log.
pub fn exit_facts(termination: &Termination) -> ExitFacts {
    // The container's own message says nothing of why its pod was ended.
    let message = termination.status_message.as_ref().or(termination.message.as_ref());
    ExitFacts {
        exit_code: termination.exit_code,
        signal: termination.signal,
        reason: termination.reason.clone(),
        message: message.cloned(),
        stated: termination.stated,
    }
}

/// Something was done to the pod, or a container could not be created: the exit code does not matter. A container that
/// the kubelet lost while it stopped the pod is no such thing.
fn stated_from_outside(termination: &Termination) -> bool {
    match termination.stated {
        None | Some(Stated::LivenessProbe | Stated::StartupProbe) => false,
        Some(Stated::ContainerLost) => termination.pod.stopping.is_none(),
        Some(
            Stated::Evicted
            | Stated::Preempted
            | Stated::NodeLost
            | Stated::DeadlineExceeded
            | Stated::ImageUnavailable
            | Stated::MissingConfiguration,
        ) => true,
    }
}

fn killed_by_probe(termination: &Termination) -> bool {
    matches!(termination.stated, Some(Stated::LivenessProbe | Stated::StartupProbe))
}

/// Whether the log shows that the program broke, rather than did what it was told. High confidence is given to traces
/// that agree with the exit; a command that does not start in a pod that goes away is a race, not a trace.
fn fatal_trace(finding: &Finding) -> bool {
    let broke = match finding.category {
        Category::Code | Category::Native | Category::Resource => true,
        Category::Startup | Category::Dependency => !finding.stack.is_empty(),
        Category::Probe | Category::Lifecycle | Category::Unknown => false,
    };
    broke && finding.confidence == Confidence::High
}

/// Whether the kubelet starts the container again although it ended well.
fn restarted_after_success(termination: &Termination) -> bool {
    let kind = matches!(termination.kind, ContainerKind::Regular | ContainerKind::Sidecar);
    kind && termination.restart_policy == RestartPolicy::Always && termination.seen_in != SeenIn::PodStatus
}

/// A failing build or test is no crash of a service.
fn failed_task(termination: &Termination, finding: &Finding) -> bool {
    let task = match &termination.pod.controller {
        Some(controller) => controller.kind == "Job",
        None => termination.pod.restart_policy == RestartPolicy::Never,
    };
    task && finding.reason == reason::ERROR_EXIT
}
