//! Looking at reports: all of them page by page, or one.

use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::{Api, ResourceExt};

use super::Parts;
use super::chores::{self, Start};
use crate::calls::{CallError, call};
use crate::notify::ReportKey;
use crate::observe::Cleaned;
use crate::publish::deliveries::key;
use crate::publish::reports::{update_report, update_status};
use crate::report::CrashReport;
use crate::termination::fails_to_start;
use crate::watch::{Scope, SlimPod};

/// Reports in one page of a list: at 16 KiB each, 800 KB.
const PAGE: u32 = 50;

impl Parts {
    /// Looks at every report; gives the time at which something is due by itself.
    pub(super) async fn look_at_reports(&self) -> Option<Timestamp> {
        let mut next = None;
        for scope in &self.scopes {
            match self.look_at_scope(scope).await {
                Ok(due) => next = [next, due].into_iter().flatten().min(),
                Err(error) => tracing::warn!(%scope, %error, "cannot look through the reports; trying again later"),
            }
        }
        next
    }

    async fn look_at_scope(&self, scope: &Scope) -> Result<Option<Timestamp>, CallError> {
        let api: Api<CrashReport> = match scope {
            Scope::All => Api::all(self.client.clone()),
            Scope::Namespace(name) => Api::namespaced(self.client.clone(), name),
        };
        let (mut page, mut next) = (ListParams::default().limit(PAGE), None);
        loop {
            let reports = call(|| api.list(&page)).await?;
            for report in reports.items {
                let due = self.tend(report).await;
                next = [next, due].into_iter().flatten().min();
            }
            match reports.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(next),
            }
        }
    }

    /// Looks at one report.
    pub(super) async fn look_at(&self, report: &ReportKey) {
        let api = self.reports(&report.namespace);
        match call(|| api.get_opt(&report.name)).await {
            Ok(Some(found)) => drop(self.tend(found).await),
            Ok(None) => {}
            Err(error) => tracing::warn!(%report, %error, "cannot look at a report; trying again later"),
        }
    }

    /// Does what is to be done about a report; gives the time at which the next thing is due. A failure waits for the next look.
    async fn tend(&self, report: CrashReport) -> Option<Timestamp> {
        let (now, key) = (Timestamp::now(), key(&report)?);
        let done = if chores::is_over(&report, now, &self.policy) {
            self.expire(&key, &report).await
        } else {
            self.update(&key, &report, now).await
        };
        if let Err(error) = done {
            tracing::warn!(report = %key, %error, "a report is not up to date; trying again later");
        }
        chores::next_due(&report, now, &self.policy)
    }

    /// Deletes a report, unless it was written meanwhile: then it has come back to life.
    async fn expire(&self, key: &ReportKey, report: &CrashReport) -> Result<(), CallError> {
        let preconditions = Preconditions { uid: report.uid(), resource_version: report.resource_version() };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        let api = self.reports(&key.namespace);
        match call(|| api.delete(&key.name, &params)).await {
            Ok(_) => {
                tracing::info!(report = %key, "a report has expired");
                self.metrics.cleaned(Cleaned::ReportsExpired, 1);
                Ok(())
            }
            Err(error) if error.is_conflict() || error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn update(&self, key: &ReportKey, report: &CrashReport, now: Timestamp) -> Result<(), CallError> {
        let start = if chores::fails_to_start(report) { self.start_of(key, report).await? } else { Start::Failing };
        // Asked of a copy first: most reports need nothing, and then nothing is read again.
        if chores::tend(&mut report.clone(), start, now, &self.policy) {
            let tend = |report: &mut CrashReport| chores::tend(report, start, now, &self.policy);
            update_report(&self.reports(&key.namespace), &key.name, tend).await?;
            self.metrics.cleaned(Cleaned::ReportsUpdated, 1);
        }
        self.retry_refused(key, report).await
    }

    /// Makes messages due again that a sink refused before its credential was changed.
    async fn retry_refused(&self, key: &ReportKey, report: &CrashReport) -> Result<(), CallError> {
        let Some(status) = &report.status else { return Ok(()) };
        for sink in &self.sinks {
            let Some(changed) = sink.credential_changed() else { continue };
            if chores::retry_refused(&mut status.clone(), sink.name(), changed) {
                let retry = |status: &mut _| chores::retry_refused(status, sink.name(), changed);
                update_status(&self.reports(&key.namespace), &key.name, retry).await?;
                (self.on_due)(key.clone());
            }
        }
        Ok(())
    }

    /// What became of the container that could not start.
    async fn start_of(&self, key: &ReportKey, report: &CrashReport) -> Result<Start, CallError> {
        let last = report.status.as_ref().and_then(|status| status.occurrences.first());
        let Some(last) = last else { return Ok(Start::Failing) };
        let pods: Api<SlimPod> = Api::namespaced(self.client.clone(), &key.namespace);
        let pod = call(|| pods.get_opt(&last.pod)).await?;
        Ok(match pod.filter(|pod| pod.uid().as_ref() == Some(&last.pod_uid)) {
            None => Start::Gone,
            Some(pod) if fails_to_start(&pod, &report.spec.container) => Start::Failing,
            Some(_) => Start::Started,
        })
    }

    fn reports(&self, namespace: &str) -> Api<CrashReport> {
        Api::namespaced(self.client.clone(), namespace)
    }
}
