//! The probe against real servers with real faults.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

mod common;
mod members;
