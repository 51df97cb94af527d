//! `CrashReport`: one bug of one container of one workload. Types, names and merging; pure.

pub mod crd;

pub use crd::*;
