//! Writes what operators that are gone had claimed and not written.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};

use super::{Inner, clear, lock, settle};
use crate::ledger::LedgerKey;
use crate::report::CrashReport;

/// Ledgers replayed at a time.
const AT_A_TIME: usize = 8;
/// How long a start waits for the replay. Counting is exact without it too; but what crashes while one call hangs for its
/// ten seconds would be seen too late for its log.
const WITHIN: Duration = Duration::from_secs(2);
/// First pause before what could not be written is tried again; it doubles up to the longest. Whoever hands in a
/// termination of the same workload and container writes it before that.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// See [`FIRST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Settles these ledgers; gives the reports that were written while the start waits. What takes longer, or fails, is gone
/// on with beside what comes.
pub(super) async fn begin(inner: &Arc<Inner>, owing: Vec<LedgerKey>) -> Vec<CrashReport> {
    let replay = inner.tasks.spawn(first(inner.clone(), owing));
    if let Ok(settled) = tokio::time::timeout(WITHIN, replay).await {
        return settled.unwrap_or_default();
    }
    tracing::warn!(seconds = WITHIN.as_secs(), "the replay takes long; it goes on beside what comes");
    Vec::new()
}

async fn first(inner: Arc<Inner>, owing: Vec<LedgerKey>) -> Vec<CrashReport> {
    if let Err(error) = inner.census.take().await {
        tracing::warn!(%error, "the reports could not be counted; their number is not bounded until they are");
    }
    let (settled, owing) = settle_all(&inner, owing).await;
    if !owing.is_empty() {
        inner.tasks.spawn(go_on(inner.clone(), owing));
    }
    settled
}

/// Tries again until nothing is owed or the operator stops; then the next start does.
async fn go_on(inner: Arc<Inner>, mut owing: Vec<LedgerKey>) {
    let mut pause = FIRST_PAUSE;
    while !owing.is_empty() {
        tokio::select! {
            () = inner.hurry.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        (_, owing) = settle_all(&inner, owing).await;
    }
}

/// The reports that were written, and the ledgers that still owe some.
async fn settle_all(inner: &Arc<Inner>, owing: Vec<LedgerKey>) -> (Vec<CrashReport>, Vec<LedgerKey>) {
    let settling = owing.into_iter().map(|key| one(inner, key));
    let done: Vec<_> = stream::iter(settling).buffer_unordered(AT_A_TIME).collect().await;
    let (reports, owing): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let reports = reports.concat();
    reports.iter().for_each(|report| (inner.on_settled)(report));
    (reports, owing.into_iter().flatten().collect())
}

async fn one(inner: &Arc<Inner>, key: LedgerKey) -> (Vec<CrashReport>, Option<LedgerKey>) {
    let mut clerk = {
        let mut desks = lock(&inner.desks);
        inner.clerk(&key, &mut desks)
    };
    let (written, owes) = settle(&mut clerk, &key, (inner.clock)()).await;
    clear(&mut clerk, &key).await;
    (written, owes.then_some(key))
}
