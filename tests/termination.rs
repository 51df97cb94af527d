//! What the recordings do not show: counts that jump and fall, pods that are stopped, preempted and lost, containers
//! that never start; and the table of what is a crash.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use coroner::classify::{Category, Confidence, CrashReason, Finding, Frame, Runtime, Stated, reason};
use coroner::termination::{
    ContainerKind, Controller, Detector, DetectorOptions, Ignored, RestartPolicy, SeenIn, Stopping, Termination,
    Verdict, exit_facts, judge,
};
use coroner::watch::{Scope, SlimPod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn at(time: &str) -> Timestamp {
    format!("2026-11-24T{time}Z").parse().unwrap()
}

fn now() -> Timestamp {
    at("05:00:00")
}

/// A pod of one namespace with those container statuses; `changes` are merged over it.
fn pod(statuses: Value, changes: Value) -> SlimPod {
    let mut pod = json!({
        "metadata": {"name": "web-0", "namespace": "shop", "uid": "0f9b6e0a-3c1d-4d8a-9c55-0c9f2b7a1e10"},
        "spec": {"restartPolicy": "Always", "nodeName": "node-a", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "startTime": "2026-11-24T04:00:00Z", "containerStatuses": statuses},
    });
    merge(&mut pod, changes);
    serde_json::from_value(pod).unwrap()
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            changes.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value));
        }
        (into, changes) => *into = changes,
    }
}

fn ended(id: &str, exit_code: i32, finished: &str) -> Value {
    json!({"terminated": {
        "exitCode": exit_code, "reason": if exit_code == 0 { "Completed" } else { "Error" },
        "startedAt": "2026-11-24T04:10:00Z", "finishedAt": format!("2026-11-24T{finished}Z"),
        "containerID": format!("containerd://{id}"),
    }})
}

/// A running container that was restarted so often, the instance before it being `last`.
fn running(id: &str, restarts: i32, last: Value) -> Value {
    json!([{"name": "app", "restartCount": restarts, "containerID": format!("containerd://{id}"),
        "state": {"running": {"startedAt": "2026-11-24T04:50:00Z"}}, "lastState": last}])
}

/// A container that ended after so many restarts.
fn dead(id: &str, restarts: i32, exit_code: i32, finished: &str) -> Value {
    json!([{"name": "app", "restartCount": restarts, "containerID": format!("containerd://{id}"),
        "state": ended(id, exit_code, finished), "lastState": {}}])
}

fn detector() -> Detector {
    Detector::new(DetectorOptions::default())
}

fn look(detector: &mut Detector, pod: &SlimPod) -> Vec<Termination> {
    detector.observe(pod, false, now())
}

/// What a first look finds.
fn first_look(pod: &SlimPod) -> Vec<Termination> {
    look(&mut detector(), pod)
}

fn one(found: Vec<Termination>) -> Termination {
    let [termination] = <[_; 1]>::try_from(found).expect("exactly one termination");
    termination
}

fn nothing() -> Value {
    json!({})
}

#[test]
fn a_jump_of_the_restart_count_counts_what_was_not_seen() {
    let mut detector = detector();
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    let termination = one(look(&mut detector, &pod(running("e", 4, ended("d", 2, "04:49:00")), nothing())));
    assert_eq!((termination.restart_count, termination.unseen), (3, 3));
    let termination = one(look(&mut detector, &pod(dead("e", 4, 2, "04:59:00"), nothing())));
    assert_eq!((termination.restart_count, termination.unseen), (4, 0));
}

#[test]
fn at_the_first_sight_of_a_pod_nothing_is_unseen() {
    let termination = one(first_look(&pod(running("e", 4, ended("d", 2, "04:49:00")), nothing())));
    assert_eq!((termination.restart_count, termination.unseen, termination.seen_in), (3, 0, SeenIn::LastState));
}

#[test]
fn a_count_that_fell_starts_anew() {
    let mut detector = detector();
    look(&mut detector, &pod(running("e", 4, ended("d", 2, "04:49:00")), nothing()));
    let rebooted = one(look(&mut detector, &pod(running("g", 2, ended("f", 255, "04:55:00")), nothing())));
    assert_eq!((rebooted.restart_count, rebooted.unseen), (1, 0));
    let next = one(look(&mut detector, &pod(running("j", 4, ended("i", 2, "04:57:00")), nothing())));
    assert_eq!((next.restart_count, next.unseen), (3, 1));
}

#[test]
fn a_restart_without_a_record_is_counted_with_the_next_termination() {
    let mut detector = detector();
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    assert_eq!(look(&mut detector, &pod(running("b", 1, nothing()), nothing())), []);
    let termination = one(look(&mut detector, &pod(dead("b", 1, 2, "04:59:00"), nothing())));
    assert_eq!((termination.restart_count, termination.unseen), (1, 1));
}

#[test]
fn a_healthy_container_that_is_restarted_along_with_its_pod_neither_ended_nor_counts_as_unseen() {
    let along = json!({"terminated": {"exitCode": 137, "reason": "RestartingAllContainers"}});
    let mut detector = detector();
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    assert_eq!(look(&mut detector, &pod(running("c", 2, along), nothing())), []);
    let termination = one(look(&mut detector, &pod(dead("c", 2, 2, "04:59:00"), nothing())));
    assert_eq!((termination.restart_count, termination.unseen), (2, 0));
}

#[test]
fn both_records_of_a_first_look_are_found_the_older_one_first() {
    let mut statuses = dead("b", 1, 2, "04:59:00");
    statuses[0]["lastState"] = ended("a", 1, "04:40:00");
    let found = first_look(&pod(statuses, nothing()));
    let ids: Vec<_> = found.iter().map(|it| (it.instance(), it.successor_running, it.seen_in)).collect();
    assert_eq!(
        ids,
        [("containerd://a".into(), true, SeenIn::LastState), ("containerd://b".into(), false, SeenIn::State),]
    );
}

#[test]
fn what_is_older_than_the_time_to_live_of_reports_is_not_found() {
    let found = detector().observe(
        &pod(dead("a", 0, 2, "04:00:00"), nothing()),
        false,
        "2026-12-24T04:00:00Z".parse().unwrap(),
    );
    assert_eq!(found, []);
}

#[test]
fn a_forgotten_pod_is_seen_for_the_first_time_again() {
    let dead = pod(dead("a", 0, 2, "04:59:00"), nothing());
    let mut detector = detector();
    one(look(&mut detector, &dead));
    assert_eq!(look(&mut detector, &dead), []);
    detector.forget(dead.metadata.uid.as_deref().unwrap());
    one(look(&mut detector, &dead));
}

fn named(uid: &str, namespace: &str) -> SlimPod {
    pod(dead("a", 0, 2, "04:59:00"), json!({"metadata": {"uid": uid, "namespace": namespace}}))
}

#[test]
fn a_complete_list_forgets_the_pods_of_its_own_scope_that_are_gone() {
    let mut detector = detector();
    let scopes = ["shop", "bank"].map(|name| Scope::Namespace(name.into()));
    for (uid, namespace) in [("stays", "shop"), ("goes", "shop"), ("elsewhere", "bank")] {
        look(&mut detector, &named(uid, namespace));
    }
    detector.list_started(&scopes[0]);
    look(&mut detector, &named("stays", "shop"));
    // A list of another scope under way at the same time makes no difference.
    detector.list_started(&scopes[1]);
    detector.list_done(&scopes[0]);
    assert_eq!(["stays", "goes", "elsewhere"].map(|uid| detector.knows(uid)), [true, false, true]);
    detector.list_done(&scopes[1]);
    assert!(!detector.knows("elsewhere"));
    assert_eq!(detector.pods(), 1);
}

#[test]
fn a_list_that_breaks_off_forgets_nothing() {
    let mut detector = detector();
    look(&mut detector, &named("a", "shop"));
    detector.list_started(&Scope::All);
    detector.list_started(&Scope::All);
    look(&mut detector, &named("a", "shop"));
    detector.list_done(&Scope::All);
    assert!(detector.knows("a"));
}

fn deleted(at: &str, grace: i64) -> Value {
    let end = format!("2026-11-24T{at}Z");
    json!({"metadata": {"deletionTimestamp": end, "deletionGracePeriodSeconds": grace}})
}

#[test]
fn what_ended_long_before_its_pod_was_deleted_was_not_being_stopped() {
    // Deleted at 04:59:00, with 30 s of grace.
    for (finished, stopping) in
        [("04:50:00", None), ("04:59:02", Some(Stopping::Deleted)), ("04:58:50", Some(Stopping::Deleted))]
    {
        let found = one(first_look(&pod(dead("a", 0, 2, finished), deleted("04:59:30", 30))));
        assert_eq!(found.pod.stopping, stopping, "{finished}");
    }
}

#[test]
fn what_ends_while_its_pod_is_being_deleted_was_being_stopped_whatever_the_clocks_say() {
    let mut detector = detector();
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    // The node's clock is ten minutes slow.
    let found = one(look(&mut detector, &pod(dead("a", 0, 2, "04:49:00"), deleted("04:59:30", 30))));
    assert_eq!(found.pod.stopping, Some(Stopping::Deleted));
}

#[test]
fn a_container_that_was_restarted_before_the_deletion_was_not_being_stopped() {
    let found = one(first_look(&pod(running("b", 1, ended("a", 2, "04:59:10")), deleted("04:59:30", 30))));
    assert_eq!(found.pod.stopping, None);
}

#[test]
fn the_last_state_of_a_deleted_pod_is_a_last_chance() {
    let mut detector = detector();
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    let found = one(detector.observe(&pod(dead("a", 0, 2, "04:59:00"), nothing()), true, now()));
    assert_eq!(found.pod.stopping, Some(Stopping::Deleted));
    assert_eq!(detector.pods(), 0);
}

fn disrupted(reason: &str, message: &str) -> Value {
    json!({"status": {"conditions": [
        {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-24T04:00:00Z"},
        {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message,
         "lastTransitionTime": "2026-11-24T04:58:00Z"},
    ]}})
}

#[test]
fn what_a_disruption_states() {
    let shutdown = "Pod was terminated in response to imminent node shutdown.";
    for (reason, message, stated) in [
        ("EvictionByEvictionAPI", "", None),
        ("DeletionByTaintManager", "", Some(Stated::NodeLost)),
        ("DeletionByPodGC", "", Some(Stated::NodeLost)),
        ("PreemptionByScheduler", "", Some(Stated::Preempted)),
        ("TerminationByKubelet", shutdown, None),
        ("TerminationByKubelet", "Preempted in order to admit critical pod", Some(Stated::Preempted)),
        ("TerminationByKubelet", "The node was low on resource: memory.", Some(Stated::Evicted)),
    ] {
        let found = one(first_look(&pod(dead("a", 0, 143, "04:58:05"), disrupted(reason, message))));
        assert_eq!((found.stated, found.pod.stopping), (stated, Some(Stopping::Disrupted)), "{reason} {message}");
        let expected = stated.map(|_| message);
        assert_eq!(found.status_message.as_deref(), expected, "{reason}");
    }
}

#[test]
fn a_crash_long_before_a_disruption_is_a_crash() {
    let found = one(first_look(&pod(dead("a", 0, 2, "04:30:00"), disrupted("PreemptionByScheduler", ""))));
    assert_eq!((found.stated, found.pod.stopping), (None, None));
}

#[test]
fn what_the_reason_of_the_pod_states() {
    for (reason, stated, stopping) in [
        ("Evicted", Some(Stated::Evicted), None),
        ("Preempting", Some(Stated::Preempted), None),
        ("NodeLost", Some(Stated::NodeLost), None),
        ("DeadlineExceeded", Some(Stated::DeadlineExceeded), None),
        ("Terminated", None, Some(Stopping::NodeShutdown)),
        ("UnexpectedAdmissionError", None, None),
    ] {
        let status = json!({"status": {"phase": "Failed", "reason": reason, "message": "in words"}});
        let found = one(first_look(&pod(dead("a", 0, 137, "04:58:05"), status)));
        assert_eq!((found.stated, found.pod.stopping), (stated, stopping), "{reason}");
    }
}

#[test]
fn an_eviction_says_nothing_of_an_earlier_crash_nor_of_an_init_container_that_was_done() {
    let mut statuses = dead("b", 1, 137, "04:58:05");
    statuses[0]["lastState"] = ended("a", 2, "04:58:01");
    let init = json!([{"name": "migrate", "restartCount": 0, "state": ended("i", 0, "04:57:59"), "lastState": {}}]);
    let status = json!({"status": {"phase": "Failed", "reason": "Evicted", "initContainerStatuses": init}});
    let found = first_look(&pod(statuses, status));
    let stated: Vec<_> = found.iter().map(|it| (it.container.as_str(), it.restart_count, it.stated)).collect();
    assert_eq!(stated, [("migrate", 0, None), ("app", 0, None), ("app", 1, Some(Stated::Evicted))]);
}

#[test]
fn an_evicted_pod_without_any_record_is_one_termination_of_its_own() {
    let status = json!({"status": {"phase": "Failed", "reason": "Evicted", "message": "The node had condition: [DiskPressure]."}});
    let evicted = pod(json!([]), status);
    let mut detector = detector();
    let found = one(look(&mut detector, &evicted));
    assert_eq!(
        (found.container.as_str(), found.seen_in, found.stated),
        ("app", SeenIn::PodStatus, Some(Stated::Evicted))
    );
    assert_eq!((found.exit_code, found.container_id.as_deref(), &*found.instance()), (None, None, "Evicted#0"));
    assert_eq!(found.finished_at, Some(at("04:00:00")));
    assert_eq!(look(&mut detector, &evicted), []);
}

#[test]
fn an_end_that_is_stated_waits_for_the_records_of_containers_that_still_run() {
    let status = json!({"status": {"phase": "Failed", "reason": "Evicted"}});
    let mut detector = detector();
    assert_eq!(look(&mut detector, &pod(running("a", 0, nothing()), status.clone())), []);
    let found = one(look(&mut detector, &pod(dead("a", 0, 137, "04:58:05"), status)));
    assert_eq!((found.seen_in, found.stated), (SeenIn::State, Some(Stated::Evicted)));
}

#[test]
fn the_containers_of_a_lost_node_never_say_that_they_ended() {
    let lost = json!({"status": {"phase": "Failed"}});
    let mut changes = disrupted("DeletionByPodGC", "");
    merge(&mut changes, lost);
    let mut detector = detector();
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    let found = one(look(&mut detector, &pod(running("a", 0, nothing()), changes.clone())));
    assert_eq!((found.seen_in, found.stated), (SeenIn::PodStatus, Some(Stated::NodeLost)));
    assert_eq!(detector.observe(&pod(running("a", 0, nothing()), changes), true, now()), []);
}

#[test]
fn a_pod_that_is_deleted_while_stated_to_be_preempted_tells_so_at_the_latest_then() {
    let preempted = pod(running("a", 0, nothing()), disrupted("PreemptionByScheduler", "for a pod of higher priority"));
    let mut detector = detector();
    assert_eq!(look(&mut detector, &preempted), []);
    let found = one(detector.observe(&preempted, true, now()));
    assert_eq!((found.stated, found.seen_in), (Some(Stated::Preempted), SeenIn::PodStatus));
}

fn with_sidecar(sidecar: Value, main: Value) -> SlimPod {
    pod(
        main,
        json!({
            "spec": {"restartPolicy": "Never", "initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
            "status": {"initContainerStatuses": [{"name": "proxy", "restartCount": 0, "state": sidecar, "lastState": {}}]},
        }),
    )
}

#[test]
fn a_sidecar_that_ends_after_the_main_container_was_being_stopped() {
    for (main, sidecar, stopping) in [
        ("04:50:00", "04:50:01", Some(Stopping::MainDone)),
        ("04:50:00", "04:50:00", Some(Stopping::MainDone)),
        ("04:50:00", "04:40:00", None),
    ] {
        let found = first_look(&with_sidecar(ended("s", 2, sidecar), dead("a", 0, 0, main)));
        assert_eq!((found[0].kind, found[0].pod.stopping), (ContainerKind::Sidecar, stopping), "{sidecar}");
        assert_eq!((found[1].kind, found[1].pod.stopping), (ContainerKind::Regular, None));
    }
}

#[test]
fn a_sidecar_that_ends_while_the_main_container_runs_or_will_run_again_was_not() {
    let found = first_look(&with_sidecar(ended("s", 2, "04:50:00"), running("a", 0, nothing())));
    assert_eq!(one(found).pod.stopping, None);

    let mut again = with_sidecar(ended("s", 2, "04:50:01"), dead("a", 0, 1, "04:50:00"));
    again.spec.restart_policy = Some("OnFailure".into());
    assert_eq!(first_look(&again)[0].pod.stopping, None);
}

fn waiting(reason: &str) -> SlimPod {
    let state = json!({"waiting": {"reason": reason, "message": "in words"}});
    pod(
        json!([{"name": "app", "restartCount": 0, "state": state, "lastState": {}}]),
        json!({"status": {"phase": "Pending"}}),
    )
}

fn minutes(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

#[test]
fn a_container_that_cannot_be_created_is_told_once_after_the_startup_grace() {
    for (reason, stated) in [
        ("CreateContainerConfigError", Stated::MissingConfiguration),
        ("ErrImagePull", Stated::ImageUnavailable),
        ("ErrImageNeverPull", Stated::ImageUnavailable),
        ("InvalidImageName", Stated::ImageUnavailable),
    ] {
        let mut detector = detector();
        look(&mut detector, &waiting(reason));
        assert_eq!(detector.next_due(), Some(minutes(2)));
        assert_eq!(detector.due(minutes(1)), []);
        let found = one(detector.due(minutes(2)));
        assert_eq!((found.stated, found.seen_in, found.exit_code), (Some(stated), SeenIn::PodStatus, None));
        assert_eq!((found.reason.as_deref(), found.status_message.as_deref()), (Some(reason), Some("in words")));
        assert_eq!(found.finished_at, Some(now()), "it is told since when it fails");
        detector.observe(&waiting(reason), false, minutes(3));
        assert_eq!((detector.due(minutes(60)), detector.next_due()), (vec![], None));
    }
}

#[test]
fn the_grace_goes_on_while_a_pull_is_tried_again() {
    let mut detector = detector();
    look(&mut detector, &waiting("ErrImagePull"));
    detector.observe(&waiting("ContainerCreating"), false, minutes(1));
    detector.observe(&waiting("ImagePullBackOff"), false, minutes(1));
    assert_eq!(one(detector.due(minutes(2))).reason.as_deref(), Some("ImagePullBackOff"));
}

#[test]
fn a_container_that_is_created_in_time_is_not_told() {
    let mut detector = detector();
    look(&mut detector, &waiting("ErrImagePull"));
    look(&mut detector, &pod(running("a", 0, nothing()), nothing()));
    assert_eq!((detector.next_due(), detector.due(minutes(9))), (None, vec![]));
    // When it fails again after that, the grace begins anew, and it is told again.
    detector.observe(&waiting("ErrImagePull"), false, minutes(10));
    assert_eq!(detector.next_due(), Some(minutes(12)));
}

#[test]
fn a_pod_that_goes_away_fails_to_start_no_more() {
    let mut stopped = waiting("ErrImagePull");
    stopped.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now()));
    for last in [stopped, waiting("ErrImagePull")] {
        let mut detector = detector();
        look(&mut detector, &waiting("ErrImagePull"));
        detector.observe(&last, last.metadata.deletion_timestamp.is_none(), minutes(1));
        assert_eq!((detector.next_due(), detector.due(minutes(9))), (None, vec![]));
    }
}

#[test]
fn the_facts_of_a_pod_are_those_that_a_report_needs() {
    let changes = json!({
        "metadata": {"generateName": "web-", "labels": {"app.kubernetes.io/name": "web", "pod-template-hash": "7f69"},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Owner", "name": "o", "uid": "1"},
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7f69", "uid": "2", "controller": true},
            ]},
        "spec": {"restartPolicy": "OnFailure"},
    });
    let found = one(first_look(&pod(dead("a", 0, 2, "04:59:00"), changes)));
    let facts = &found.pod;
    assert_eq!(
        (facts.namespace.as_str(), facts.name.as_str(), facts.node.as_deref()),
        ("shop", "web-0", Some("node-a"))
    );
    assert_eq!(
        (facts.generate_name.as_deref(), facts.app_name.as_deref(), facts.revision.as_deref()),
        (Some("web-"), Some("web"), Some("7f69"))
    );
    assert_eq!((facts.restart_policy, found.restart_policy), (RestartPolicy::OnFailure, RestartPolicy::OnFailure));
    let controller = facts.controller.clone().unwrap();
    assert_eq!((controller.kind.as_str(), controller.name.as_str()), ("ReplicaSet", "web-7f69"));
}

// ---- judge ----

fn finding(category: Category, reason: CrashReason, confidence: Confidence) -> Finding {
    Finding {
        category,
        reason,
        runtime: Runtime::Unknown,
        exception: None,
        message: String::new(),
        confidence,
        culprit: None,
        stack: Vec::new(),
        related: Vec::new(),
        contributing: Vec::new(),
        advice: None,
    }
}

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
