//! Changing the status of a report beside counting: what was sent about it, and what of its triage holds.

use kube::api::{Api, PostParams};

use crate::calls::{CallError, call};
use crate::report::{CrashReport, CrashReportStatus};

/// Conflicts in a row before a change is given up: each means that another write went through.
const CONFLICTS: usize = 32;

/// Changes the status of a report in one guarded write, on whatever it is by then. `change` says whether there is
/// anything to write, and is called again with the newer status after a conflict: so it can claim something, like a
/// message to be sent, and exactly one of several callers has it. Gives the report as it is then; `None` if it is gone.
///
/// Permissions: `crashreports` get, `crashreports/status` update.
///
/// # Errors
/// When a call failed for good, or every write met a newer version.
pub async fn update_status(
    api: &Api<CrashReport>,
    name: &str,
    mut change: impl FnMut(&mut CrashReportStatus) -> bool,
) -> Result<Option<CrashReport>, CallError> {
    update_report(api, name, |report| {
        let mut status = report.status.take().unwrap_or_default();
        let changed = change(&mut status);
        report.status = Some(status);
        changed
    })
    .await
}

/// The same for a change that depends on the rest of the report. Only the status is written.
///
/// # Errors
/// As [`update_status`].
pub async fn update_report(
    api: &Api<CrashReport>,
    name: &str,
    mut change: impl FnMut(&mut CrashReport) -> bool,
) -> Result<Option<CrashReport>, CallError> {
    let params = PostParams { field_manager: Some("coroner".into()), ..PostParams::default() };
    let mut last = None;
    for _ in 0..CONFLICTS {
        let Some(mut report) = call(|| api.get_opt(name)).await? else { return Ok(None) };
        if !change(&mut report) {
            return Ok(Some(report));
        }
        match call(|| api.replace_status(name, &params, &report)).await {
            Ok(report) => return Ok(Some(report)),
            Err(error) if error.is_conflict() => last = Some(error),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| CallError::Unusable(format!("report {name} changed under every write"))))
}
