//! Writes what was found: reports ([`recorder`], [`reports`]) and Events ([`announcer`], [`events`]).

pub mod announcer;
pub mod deliveries;
pub mod events;
pub mod recorder;
pub mod reports;

pub use announcer::Announcer;
pub use deliveries::Deliveries;
pub use events::{EventNote, EventWriter};
pub use recorder::{Clock, RecordError, Recorded, Recorder, RecorderParts};
pub use reports::update_status;
