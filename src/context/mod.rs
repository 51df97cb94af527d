//! Who a pod belongs to: from its controller up to the workload that people know by name.

mod owner;

pub use owner::{OwnerCache, without_api};
