//! Ways to end that only a real kubelet plays: what it kills, evicts, refuses to start and restarts, and what it merely stops.

use coroner::report::CrashReport;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::{Place, count, kubectl, summary};

/// A manifest, and by workload and container the reason that its report must give.
type Scenario = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const REPORTED: [Scenario; 6] = [
    ("sidecar-crash", &[("with-proxy", "proxy", "NilDereference")]),
    ("deadline", &[("too-slow", "app", "DeadlineExceeded")]),
    ("evicted", &[("hoarder", "app", "Evicted")]),
    ("missing-configmap", &[("unconfigured", "app", "MissingConfiguration")]),
    (
        "liveness-kill",
        &[
            ("go-default", "app", "LivenessProbeFailed"),
            ("clean-exit", "app", "LivenessProbeFailed"),
            ("ignores-term", "app", "LivenessProbeFailed"),
        ],
    ),
    ("startup-kill", &[("slow-starter", "app", "StartupProbeFailed")]),
];

/// Whose report it is, and what it gives as the reason.
fn told(report: &CrashReport) -> (String, String, String) {
    (report.spec.workload.name.clone(), report.spec.container.clone(), summary(report).0)
}

async fn is_reported((manifest, wanted): Scenario) {
    let place = Place::new(manifest).await;
    place.apply(manifest);
    let is_there = |reports: &[CrashReport], wanted: &(&str, &str, &str)| {
        reports
            .iter()
            .any(|report| count(report) > 0 && told(report) == (wanted.0.into(), wanted.1.into(), wanted.2.into()))
    };
    let what = format!("{manifest}: {wanted:?}");
    place.reports(&what, |reports| wanted.iter().all(|wanted| is_there(reports, wanted))).await;
    kubectl(&["delete", "namespace", manifest, "--wait=false"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the testbed: testbed/e2e runs it"]
async fn what_the_kubelet_kills_evicts_or_cannot_start_is_reported_with_its_reason() {
    let running = REPORTED.map(|scenario| tokio::spawn(is_reported(scenario)));
    for one in running {
        one.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the testbed: testbed/e2e runs it"]
async fn each_try_of_a_failing_job_is_counted() {
    let place = Place::new("jobs").await;
    place.apply("job-backoff");
    let failed = |jobs: &[Job]| {
        let failed = |job: &Job| {
            job.status.iter().flat_map(|status| status.conditions.iter().flatten()).any(|it| it.type_ == "Failed")
        };
        jobs.len() == 2 && jobs.iter().all(failed)
    };
    place.until("the end of both Jobs", failed).await;
    let total = |reports: &[CrashReport], job: &str| -> i64 {
        reports.iter().filter(|report| report.spec.workload.name == job).map(count).sum()
    };
    // One makes a new pod for its second try. The other one restarts the container in place, and deletes the pod as soon as that
    // has reached the limit: its second instance may be stopped before it crashes.
    let tried = |reports: &[CrashReport]| total(reports, "nightly") == 2 && total(reports, "hourly") >= 1;
    let reports = place.reports("the tries of both", tried).await;
    assert!(total(&reports, "hourly") <= 2, "{reports:#?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the testbed: testbed/e2e runs it"]
async fn a_sidecar_that_is_stopped_when_the_work_is_done_is_no_crash() {
    let place = Place::new("job-sidecar").await;
    place.apply("job-sidecar");
    let sidecar_ended = |pod: &Pod| {
        let statuses = pod.status.iter().flat_map(|status| status.init_container_statuses.iter().flatten());
        statuses
            .filter_map(|status| status.state.as_ref()?.terminated.as_ref())
            .any(|terminated| terminated.exit_code == 2)
    };
    place.until("the end of the sidecar, by SIGTERM", |pods: &[Pod]| pods.iter().any(sidecar_ended)).await;
    // A crash that comes after it is told: so would the sidecar's have been.
    place.apply("go-panic");
    let reports = place.reports("the report of the panic", |reports| !reports.is_empty()).await;
    assert!(reports.iter().all(|report| report.spec.workload.name != "export"), "{reports:#?}");
}

/// The lowest restart count among the deaths that a report shows.
fn earliest(report: &CrashReport) -> Option<i64> {
    let occurrences = &report.status.as_ref()?.occurrences;
    occurrences.iter().map(|occurrence| i64::from(occurrence.restart_count)).min()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the testbed: testbed/e2e runs it"]
async fn a_pod_that_is_deleted_while_it_crash_loops_has_its_crashes_and_no_more() {
    let place = Place::new("delete-while-crashing").await;
    place.apply("delete-while-crashing");
    let reports = place.reports("two crashes", |reports| reports.iter().map(count).sum::<i64>() >= 2).await;
    // Another test restarts operators: what ended before one saw the pod for the first time is known to none.
    let before = reports.iter().filter_map(earliest).min().unwrap_or(0);
    place.kubectl(&["delete", "pod", "doomed", "--wait=false"]);
    let ended = place.ended("app").await - before;
    place.until("the end of the pod", |pods: &[Pod]| pods.is_empty()).await;
    let reports = place.reports("what was seen", |reports| reports.iter().map(count).sum::<i64>() >= ended).await;
    assert_eq!(reports.len(), 1, "being deleted is no bug of its own: {reports:#?}");
    assert!(count(&reports[0]) <= ended + 1, "{} are counted, the kubelet had {ended}", count(&reports[0]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the testbed: testbed/e2e runs it"]
async fn a_container_that_crashed_once_and_then_runs_is_reported_once() {
    let place = Place::new("once").await;
    place.apply("once");
    let runs = |deployments: &[Deployment]| {
        deployments.iter().any(|it| it.status.as_ref().is_some_and(|status| status.available_replicas == Some(1)))
    };
    place.reports("the crash", |reports| reports.iter().map(count).sum::<i64>() == 1).await;
    place.until("its recovery", runs).await;
    assert_eq!(place.ended("app").await, 1, "it crashed once");
}
