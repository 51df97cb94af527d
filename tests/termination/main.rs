//! What the recordings do not show: counts that jump and fall, pods that are stopped, preempted and lost, containers
//! that never start; and the table of what is a crash.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod counting;
mod starting;
mod stopping;
mod verdicts;

use coroner::classify::{Category, Confidence, Finding, Frame, Stated, reason};
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
