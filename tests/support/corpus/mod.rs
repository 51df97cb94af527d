//! The corpus of real crash logs: its cases, what is right, what it covers.

pub mod case;
pub mod coverage;
pub mod envelope;
pub mod judge;
