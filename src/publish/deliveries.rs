//! The state of deliveries, kept in the reports: claimed before a message is sent, settled after.

use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, Client};

use crate::calls::{CallError, call};
use crate::notify::delivery::{self, Outcome};
use crate::notify::{DeliveryStore, ReportKey, StoreError};
use crate::publish::reports::update_status;
use crate::report::CrashReport;
use crate::watch::Scope;

/// Reports in one page of a list: at 16 KiB each, one page is 0.8 MB, all of them would be 32 MB.
const PAGE: u32 = 50;

/// Deliveries kept in the reports of a cluster.
#[derive(Clone)]
pub struct Deliveries {
    client: Client,
}

impl Deliveries {
    /// Deliveries behind this client. RBAC: `get` and `list` on crashreports, `update` on their status.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The reports of a scope in which a message is due: what an operator that is gone could not send any more.
    ///
    /// # Errors
    /// When the reports cannot be listed.
    pub async fn due(&self, scope: &Scope) -> Result<Vec<ReportKey>, CallError> {
        let api: Api<CrashReport> = match scope {
            Scope::All => Api::all(self.client.clone()),
            Scope::Namespace(name) => Api::namespaced(self.client.clone(), name),
        };
        let mut page = ListParams::default().limit(PAGE);
        let mut due = Vec::new();
        loop {
            let reports = call(|| api.list(&page)).await?;
            due.extend(reports.items.iter().filter(|report| is_due(report)).filter_map(key));
            match reports.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => return Ok(due),
            }
        }
    }

    fn reports(&self, namespace: &str) -> Api<CrashReport> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// Whether a message about this report is due for any sink.
pub fn is_due(report: &CrashReport) -> bool {
    report.status.as_ref().is_some_and(|status| status.notifications.iter().any(delivery::is_due))
}

/// Which report it is; `None` for one that the API server has not seen.
pub fn key(report: &CrashReport) -> Option<ReportKey> {
    Some(ReportKey { namespace: report.metadata.namespace.clone()?, name: report.metadata.name.clone()? })
}

impl DeliveryStore for Deliveries {
    fn claim<'a>(
        &'a self,
        report: &'a ReportKey,
        sink: &'a str,
    ) -> BoxFuture<'a, Result<Option<CrashReport>, StoreError>> {
        Box::pin(async move {
            let mut claimed = false;
            let claim = |status: &mut crate::report::CrashReportStatus| {
                claimed = delivery::claim(&mut status.notifications, sink, &Time(Timestamp::now()));
                claimed
            };
            let updated = update_status(&self.reports(&report.namespace), &report.name, claim).await;
            let updated = updated.map_err(|error| StoreError(error.to_string()))?;
            Ok(updated.filter(|_| claimed))
        })
    }

    fn settle<'a>(
        &'a self,
        report: &'a ReportKey,
        sink: &'a str,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let settle = |status: &mut crate::report::CrashReportStatus| {
                delivery::settle(&mut status.notifications, sink, outcome);
                true
            };
            let updated = update_status(&self.reports(&report.namespace), &report.name, settle).await;
            updated.map(drop).map_err(|error| StoreError(error.to_string()))
        })
    }
}
