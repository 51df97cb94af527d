//! The log of exactly the instance that died, or an honest statement that it could not be had.
//!
//! The API names no instance: `previous=true` and `previous=false` are relative to what the kubelet knows at that
//! moment, the answer says nothing of its container, and errors come as if they were the log. So [`choice`] says which
//! read is right, [`stamps`] proves it line by line, [`answer`] knows the kubelet's error texts, and [`fetch`] puts them
//! together, within the bounds of [`limit`], in the order of [`queue`].

pub mod answer;
pub mod choice;
pub mod fetch;
pub mod limit;
pub mod queue;
mod read;
pub mod stamps;

pub use choice::{Choice, Which, choose};
pub use fetch::{FetchOptions, Fetcher, LogAnswer};
pub use limit::{LimitOptions, Limiter};
