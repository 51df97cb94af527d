//! The table of what is a crash.

use super::*;
use crate::support::samples::finding;

fn error_exit() -> Finding {
    finding(Category::Unknown, reason::ERROR_EXIT, Confidence::Low)
}

fn fatal_trace() -> Finding {
    finding(Category::Code, reason::NIL_DEREFERENCE, Confidence::High)
}

/// A termination with that exit code, changed.
fn died(exit_code: i32, change: impl FnOnce(&mut Termination)) -> Termination {
    let mut termination = one(first_look(&pod(dead("a", 0, exit_code, "04:59:00"), nothing())));
    change(&mut termination);
    termination
}

fn facts(termination: &mut Termination) -> &mut coroner::termination::PodFacts {
    std::sync::Arc::make_mut(&mut termination.pod)
}

const REPORT: Verdict = Verdict::Report { notify: true };
const QUIETLY: Verdict = Verdict::Report { notify: false };

#[test]
fn a_non_zero_exit_is_a_crash() {
    assert_eq!(judge(&died(1, |_| {}), &error_exit()), REPORT);
    assert_eq!(judge(&died(137, |_| {}), &finding(Category::Lifecycle, reason::KILLED, Confidence::Low)), REPORT);
}

#[test]
fn a_clean_exit_is_only_told_where_the_kubelet_restarts_it_and_never_notified() {
    for (kind, policy, expected) in [
        (ContainerKind::Regular, RestartPolicy::Always, QUIETLY),
        (ContainerKind::Sidecar, RestartPolicy::Always, QUIETLY),
        (ContainerKind::Regular, RestartPolicy::OnFailure, Verdict::Ignore(Ignored::Completed)),
        (ContainerKind::Regular, RestartPolicy::Never, Verdict::Ignore(Ignored::Completed)),
        (ContainerKind::Init, RestartPolicy::OnFailure, Verdict::Ignore(Ignored::Completed)),
        (ContainerKind::Ephemeral, RestartPolicy::Never, Verdict::Ignore(Ignored::Completed)),
    ] {
        let termination = died(0, |it| (it.kind, it.restart_policy) = (kind, policy));
        let clean = finding(Category::Lifecycle, reason::CLEAN_EXIT, Confidence::High);
        assert_eq!(judge(&termination, &clean), expected, "{kind:?} {policy:?}");
    }
}

#[test]
fn a_container_that_is_stopped_is_judged_by_its_log_alone() {
    let oom = finding(Category::Resource, reason::OOM_KILLED, Confidence::High);
    let killed = finding(Category::Lifecycle, reason::KILLED, Confidence::High);
    let guess = finding(Category::Code, reason::UNHANDLED_ERROR, Confidence::Medium);
    let refused = finding(Category::Dependency, reason::CONNECTION_REFUSED, Confidence::High);
    let traced = Finding { stack: vec![Frame::default()], ..refused.clone() };
    for (stopping, ignored) in [
        (Stopping::Deleted, Ignored::PodDeleted),
        (Stopping::Disrupted, Ignored::PodDisrupted),
        (Stopping::NodeShutdown, Ignored::NodeShutdown),
        (Stopping::MainDone, Ignored::MainDone),
    ] {
        let stopped = |code| died(code, |it| facts(it).stopping = Some(stopping));
        for finding in [error_exit(), killed.clone(), guess.clone(), refused.clone()] {
            for code in [0, 1, 2, 137, 143] {
                assert_eq!(judge(&stopped(code), &finding), Verdict::Ignore(ignored), "{code} {finding:?}");
            }
        }
        assert_eq!(judge(&stopped(0), &fatal_trace()), Verdict::Ignore(ignored), "it survived that");
        for finding in [&fatal_trace(), &oom, &traced] {
            assert_eq!(judge(&stopped(2), finding), REPORT, "{finding:?}");
        }
    }
}

#[test]
fn what_is_stated_is_told_whatever_the_exit_code_and_even_of_a_pod_that_is_stopped() {
    for stated in [
        Stated::LivenessProbe,
        Stated::StartupProbe,
        Stated::Evicted,
        Stated::Preempted,
        Stated::NodeLost,
        Stated::DeadlineExceeded,
        Stated::ImageUnavailable,
        Stated::MissingConfiguration,
    ] {
        let termination = died(0, |it| {
            it.stated = Some(stated);
            facts(it).stopping = Some(Stopping::Deleted);
        });
        assert_eq!(judge(&termination, &error_exit()), REPORT, "{stated:?}");
    }
}

#[test]
fn a_container_that_the_kubelet_lost_is_told_unless_its_pod_was_stopped() {
    let lost = |stopping| {
        died(137, |it| {
            it.stated = Some(Stated::ContainerLost);
            facts(it).stopping = stopping;
        })
    };
    let finding = finding(Category::Unknown, reason::CONTAINER_LOST, Confidence::High);
    assert_eq!(judge(&lost(None), &finding), REPORT);
    assert_eq!(judge(&lost(Some(Stopping::Deleted)), &finding), Verdict::Ignore(Ignored::PodDeleted));
}

#[test]
fn a_failing_task_is_told_but_not_notified_unless_its_log_says_more() {
    let owner = |kind: &str| Some(Controller { kind: kind.into(), ..Controller::default() });
    for (controller, policy, expected) in [
        (owner("Job"), RestartPolicy::Never, QUIETLY),
        (owner("Job"), RestartPolicy::OnFailure, QUIETLY),
        (None, RestartPolicy::Never, QUIETLY),
        (None, RestartPolicy::OnFailure, REPORT),
        (owner("Workflow"), RestartPolicy::Never, REPORT),
        (owner("ReplicaSet"), RestartPolicy::Always, REPORT),
    ] {
        let task = died(1, |it| {
            facts(it).controller = controller.clone();
            facts(it).restart_policy = policy;
        });
        assert_eq!(judge(&task, &error_exit()), expected, "{controller:?} {policy:?}");
        assert_eq!(judge(&task, &fatal_trace()), REPORT);
    }
}

#[test]
fn the_exit_facts_quote_why_the_pod_ended_rather_than_the_containers_own_message() {
    let termination = died(2, |it| {
        it.message = Some("shutting down".into());
        it.status_message = Some("The node was low on resource: memory.".into());
        it.stated = Some(Stated::Evicted);
    });
    let facts = exit_facts(&termination);
    assert_eq!(facts.message.as_deref(), Some("The node was low on resource: memory."));
    assert_eq!(
        (facts.exit_code, facts.reason.as_deref(), facts.stated),
        (Some(2), Some("Error"), Some(Stated::Evicted))
    );
    assert_eq!(exit_facts(&died(1, |it| it.message = Some("bye".into()))).message.as_deref(), Some("bye"));
}
