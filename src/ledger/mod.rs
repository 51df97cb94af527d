//! The ledger: who has counted what. A lease is advisory, reports can be deleted, and two operators can judge the same
//! death differently; so the counted set lives in objects of Coroner's own, one for each workload and container.
//!
//! 1. *Claim* ([`protocol`]): one guarded write moves the rows on and appends what is to be added to `pending`.
//! 2. *Apply* ([`round`]): the report is created or updated in one guarded write that also says up to which entry.
//! 3. *Clear*: the next claim, or an idle moment, drops what the report confirms.
//!
//! [`protocol`] and [`placing`] (in which report something is counted that has no log, or for which there are too many
//! reports) are pure, [`round`] needs only the few calls of [`Objects`], and [`store`] makes them on an API server.

pub mod before;
pub mod census;
pub mod key;
pub mod objects;
pub mod placing;
pub mod protocol;
pub mod round;
pub mod row;
pub mod store;

#[cfg(test)]
mod model;

pub use before::ClaimedBefore;
pub use key::LedgerKey;
pub use objects::{Objects, Refused, Stored};
pub use protocol::{Base, Batch, Claim, Claimed, Entry, Fold, Folded, Ledger, Pass};
pub use round::Recorded;
pub use row::Instance;
