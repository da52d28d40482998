//! The probe against real servers with real faults.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    clippy::too_many_lines,
    reason = "helpers of tests may panic"
)]

mod common;
mod drill;
mod login;
mod members;
mod operations;
mod outside;
mod replication;
mod tls;
