//! Who was being stopped, and what the pod states of its end.

use super::*;

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
