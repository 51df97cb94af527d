//! What stands around a termination: whom the pod belongs to, and what its Events say of probes.

mod owner;
pub mod probes;

pub use owner::{OwnerCache, without_api};
pub use probes::ProbeEvents;
