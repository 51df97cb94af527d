//! The few calls that counting needs.

use std::collections::BTreeMap;
use std::future::Future;

use super::Ledger;
use crate::report::CrashReport;

/// Why a write was not made.
#[derive(Debug)]
pub enum Refused<E> {
    /// The object has changed, or exists already.
    Conflict,
    /// The object is gone.
    Absent,
    /// The namespace is gone or being deleted: nothing can be created in it any more.
    NamespaceGone,
    /// Anything else, after all retries.
    Failed(E),
}

/// A ledger as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// UID of the object.
    pub uid: String,
    /// Its resourceVersion, by which a write is guarded.
    pub version: String,
    /// What it holds.
    pub ledger: Ledger,
}

/// The objects of one key, as far as counting needs them. Every write is guarded by a resourceVersion.
pub trait Objects {
    /// Why a call failed for good.
    type Error: std::fmt::Display;

    /// The ledger, if there is one.
    fn read_ledger(&self) -> impl Future<Output = Result<Option<Stored>, Self::Error>> + Send;

    /// Writes the ledger over the one that was read, or creates it.
    fn write_ledger(
        &self,
        over: Option<&Stored>,
        ledger: &Ledger,
    ) -> impl Future<Output = Result<Stored, Refused<Self::Error>>> + Send;

    /// All reports of this workload and container by name, those of others left out.
    fn list_reports(&self) -> impl Future<Output = Result<BTreeMap<String, CrashReport>, Self::Error>> + Send;

    /// How many reports more there may be.
    fn room(&self) -> impl Future<Output = usize> + Send;

    /// Whether a report is so old that nobody can still be about to make it.
    fn is_settled(&self, report: &CrashReport) -> bool;

    /// Deletes a report with that UID; one that is gone, or is another one by now, is no error.
    fn delete_report(&self, name: &str, uid: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A report, if there is one.
    fn read_report(&self, name: &str) -> impl Future<Output = Result<Option<CrashReport>, Self::Error>> + Send;

    /// Creates a report without its status.
    fn create_report(
        &self,
        report: &CrashReport,
    ) -> impl Future<Output = Result<CrashReport, Refused<Self::Error>>> + Send;

    /// Writes the status of a report.
    fn write_status(
        &self,
        report: &CrashReport,
    ) -> impl Future<Output = Result<CrashReport, Refused<Self::Error>>> + Send;

    /// Sets labels of a report.
    fn set_labels(
        &self,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
