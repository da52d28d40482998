//! Drives Locust: a generated locustfile, a master, workers here and elsewhere.

pub(crate) mod config;
pub(crate) mod facts;
pub(crate) mod judge;
mod result;
pub(crate) mod rules;
mod run;
mod series;
mod workers;

pub(crate) use run::measure;
