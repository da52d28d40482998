//! What every probe promises, checked over the registry. A probe that keeps less fails here, with
//! a message that says what to add.
//!
//! Two promises need settings that only the author of a probe knows. They are in
//! `probes/ID/conformance.yaml`; [`support::Conformance`] documents its fields.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod canary;
mod cases;
mod configs;
mod deadline;
mod echo;
mod meta;
mod readme;
mod schema;
mod support;
