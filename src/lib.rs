//! Coroner: a Kubernetes pod-crash watcher.
//!
//! The modules stand in the order in which a crash passes through them:
//!
//! ```text
//! watch -> termination -> log -> classify -> ledger -> report -> publish / notify
//!  pods     which one      its      what       counted   one a     CrashReport, Event,
//!           is new?        bytes    killed it  once      bug       Slack
//! ```
//!
//! [`termination`], [`classify`], [`redact`], [`ledger`] and [`report`] are plain functions over values: no client, no
//! clock of their own. [`watch`], [`log`], [`context`], [`publish`] and [`notify`] are the edges that hold a client.
//! [`pipeline`] drives them; [`operator`] wires the tasks; [`cli`] is the face.

// Samples for tests are shared with the tests in `tests/`, which know this crate by its name.
#[cfg(test)]
extern crate self as coroner;

pub mod admin;
pub mod calls;
pub mod classify;
pub mod cli;
pub mod config;
pub mod context;
pub mod janitor;
pub mod leader;
pub mod ledger;
pub mod log;
pub mod notify;
pub mod observe;
pub mod operator;
pub mod pipeline;
pub mod publish;
pub mod redact;
pub mod report;
pub mod telemetry;
pub mod termination;
pub mod watch;
pub mod yaml;
