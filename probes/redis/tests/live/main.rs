//! The probe against real servers with real faults. Each test starts what it needs on loopback;
//! a cluster takes about two seconds to come up, so that faults that can be undone share one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic"
)]

mod alone;
mod common;
mod drill;
mod faults;
mod matrix;
mod serving;
mod tls;
mod topology;
