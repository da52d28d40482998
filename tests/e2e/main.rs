//! End to end: the real binary, from arguments to exit code, stdout, stderr and reports.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod bad_input;
mod checklist;
mod commands;
mod config;
mod engine;
mod events;
mod exit_codes;
mod expect;
mod gate;
mod load;
mod load_faults;
mod manifest;
mod pitfalls;
mod policy;
mod properties;
mod redaction;
mod reports;
mod signals;
mod signoff;
mod story;
mod support;
mod verify;
mod waivers;
mod watch;
