//! readygate: a headless CI gate that decides whether a system is ready for production.
//!
//! `docs/architecture.md` is the map of this crate.

pub mod checklist;
pub mod cli;
pub mod config;
pub mod engine;
pub mod evidence;
pub mod exit;
pub mod expect;
pub mod plan;
pub mod policy;
pub mod record;
pub mod registry;
pub mod release;
pub mod report;
pub mod signoff;
pub mod verdict;
pub mod waiver;
