//! Drives k6: a generated script, segments on this machine, a manifest for a cluster.

pub(crate) mod config;
pub(crate) mod facts;
pub(crate) mod judge;
pub(crate) mod manifest;
mod result;
pub(crate) mod rules;
mod run;
mod script;

pub(crate) use run::measure;
