//! Containers that never start, and the facts of a pod.

use super::*;

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
