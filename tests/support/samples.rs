//! Terminations for tests of counting: what they are is of no matter here, only who, when and how sure.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;

use coroner::classify::{Category, Classification, Confidence, CrashReason, Culprit, Finding, Runtime, reason};
use coroner::report::{Counted, EvidenceSource, EvidenceState, Workload};
use coroner::termination::{ContainerKind, PodFacts, RestartPolicy, SeenIn, Termination};

/// A moment: so many seconds after an arbitrary start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// The workload that all samples belong to.
pub fn workload() -> Workload {
    Workload { api_version: "apps/v1".into(), kind: "Deployment".into(), name: "checkout".into(), uid: None }
}

/// A crash of container `api` of `pod` in its `restart`-th instance, which ended at second `ended`, of bug `bug`.
pub fn crash(pod: &str, restart: i32, ended: i64, bug: u64) -> Counted {
    Counted {
        termination: Arc::new(Termination {
            pod: Arc::new(PodFacts {
                namespace: "shop".into(),
                name: pod.into(),
                uid: format!("uid-{pod}"),
                node: Some("node-1".into()),
                revision: Some("rev-1".into()),
                restart_policy: RestartPolicy::Always,
                ..PodFacts::default()
            }),
            container: "api".into(),
            kind: ContainerKind::Regular,
            restart_policy: RestartPolicy::Always,
            container_id: Some(format!("containerd://{pod}-{restart}-{ended}")),
            restart_count: restart,
            seen_in: SeenIn::State,
            successor_running: false,
            exit_code: Some(2),
            signal: None,
            reason: Some("Error".into()),
            message: None,
            status_message: None,
            stated: None,
            started_at: Some(at(ended - 5)),
            finished_at: Some(at(ended)),
            image: "checkout:1".into(),
            image_id: "sha256:1".into(),
            unseen: 0,
        }),
        workload: workload(),
        classification: classification(bug),
        evidence: EvidenceState::Verified,
        source: EvidenceSource::PreviousLog,
        delete_with_workload: false,
        notify: Vec::new(),
        seen_at: at(ended + 1),
    }
}

/// A finding of which nothing more is known.
pub fn finding(category: Category, reason: CrashReason, confidence: Confidence) -> Finding {
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

fn classification(bug: u64) -> Classification {
    Classification {
        finding: Finding {
            runtime: Runtime::Go,
            message: "fatal error: concurrent map writes".into(),
            culprit: Some(Culprit { function: None, file: Some("/src/cache.go".into()), line: Some(28) }),
            ..finding(Category::Code, reason::CONCURRENT_MAP_ACCESS, Confidence::High)
        },
        fingerprint: format!("1-{bug:016x}"),
        excerpt: "fatal error: concurrent map writes".into(),
        log_bytes: 100,
        truncated: false,
        decisive_from: 0,
        from_message: false,
        head_missing: false,
    }
}

/// Changes the termination inside a sample.
pub fn with(mut counted: Counted, change: impl FnOnce(&mut Termination)) -> Counted {
    change(Arc::make_mut(&mut counted.termination));
    counted
}

/// The same death, seen by one who could not read its log.
pub fn unread(mut counted: Counted) -> Counted {
    counted.evidence = EvidenceState::Gone;
    counted.source = EvidenceSource::Status;
    let Classification { finding, fingerprint, excerpt, log_bytes, .. } = &mut counted.classification;
    finding.category = Category::Unknown;
    finding.reason = reason::ERROR_EXIT;
    finding.confidence = Confidence::Low;
    finding.culprit = None;
    finding.message = "it exited with code 2, and its log could not be read".into();
    "1-00000000000000ff".clone_into(fingerprint);
    excerpt.clear();
    *log_bytes = 0;
    counted
}
