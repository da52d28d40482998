//! `measure` against a server that says what a real one does not say on demand, and against real ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod alerts;
mod faults;
mod live;
mod queries;
mod support;
