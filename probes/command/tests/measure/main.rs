//! `measure` with real programs, from the record through JSON to the checks.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]
#![expect(clippy::panic, reason = "helpers of tests may panic")]

mod common;
mod exit;
mod external;
mod nagios;
