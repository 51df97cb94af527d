//! `CrashReport`: one bug of one container of one workload. Types, names and merging; pure.

mod addition;
mod bound;
pub mod crd;
pub mod merge;
mod name;
#[cfg(test)]
#[path = "../../tests/support/samples.rs"]
pub(crate) mod samples;
mod schema;
pub(crate) mod text;
pub mod triage;
mod unread;

pub use addition::{Addition, Counted, Draft, Standing};
pub use bound::REPORT_BYTES;
pub use crd::*;
pub(crate) use name::hex_hash;
pub use name::{label_value, report_name};
pub use schema::crd_yaml;
pub use unread::{Exit, OTHERS, UNEXPLAINED, UNEXPLAINED_TOLD_AT, is_open, stands_for_many};
