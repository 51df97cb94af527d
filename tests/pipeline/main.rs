//! From a pod in the API to a report, an Event and a message, in process: what stands in the API at the end, whatever
//! went wrong on the way.

#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod counting;
mod events;
mod faults;
mod logs;
mod operator;
mod probes;
