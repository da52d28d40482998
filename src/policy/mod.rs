//! The policy guard: what a change of the config loosens, and where trusted rules come from.

pub mod config;
