//! The release flow: events, windows, the watch after a deployment, the breach clock, the decision.

pub mod config;
