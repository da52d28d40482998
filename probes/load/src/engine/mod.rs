//! The load engine: makes HTTP load from this machine and reports what came of it.
//!
//! It knows no bound: it counts and times. The judge decides.

pub mod report;
pub mod spec;
