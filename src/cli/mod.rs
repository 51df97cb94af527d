//! The commands. Exit codes: 0 done, 1 it ran and failed (or the answer is no), 2 wrong usage.

pub mod crd;
pub mod explain;
pub mod operator;
