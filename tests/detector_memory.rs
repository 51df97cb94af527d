//! What the detector remembers of pods that never restart. A binary of its own: it reads the memory of its process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use coroner::termination::{Detector, DetectorOptions};
use coroner::watch::SlimPod;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

/// Pages of 4 KiB that the process holds.
fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse().unwrap()
}

fn idle(number: u32) -> SlimPod {
    serde_json::from_value(json!({
        "metadata": {"name": format!("web-{number}"), "namespace": "shop",
            "uid": format!("{number:08x}-3c1d-4d8a-9c55-0c9f2b7a1e10")},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "app", "restartCount": 0, "containerID": "containerd://a", "state": {"running": {}}},
            {"name": "proxy", "restartCount": 0, "containerID": "containerd://b", "state": {"running": {}}},
        ]},
    }))
    .unwrap()
}

#[test]
fn a_pod_that_never_restarted_costs_less_than_a_hundred_bytes() {
    const PODS: u32 = 100_000;
    let mut detector = Detector::new(DetectorOptions::default());
    detector.observe(&idle(0), false, Timestamp::UNIX_EPOCH);
    let before = resident_pages();
    for number in 0..PODS {
        detector.observe(&idle(number), false, Timestamp::UNIX_EPOCH);
    }
    let bytes = (resident_pages() - before) * 4096 / PODS as usize;
    println!("{bytes} bytes a pod");
    assert_eq!(detector.pods(), PODS as usize);
    assert!(bytes < 100, "{bytes} bytes a pod");
}
