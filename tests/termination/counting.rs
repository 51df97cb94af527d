//! What is new, what was seen, and what nobody saw.

use super::*;

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
