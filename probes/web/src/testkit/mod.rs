//! Helpers for the tests of probes that speak HTTP.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by panicking"
)]

mod server;

pub use server::{Act, Seen, Server, closed_port, respond, send};
