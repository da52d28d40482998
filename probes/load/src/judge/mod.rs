//! Applies the rules to a measurement.

mod engine;
mod import;

use readygate_sdk::Checks;

use crate::{
    config::{LoadConfig, SourceKind},
    measurement::LoadMeasurement,
    observe, rules,
};

/// Ten samples above the 95th percentile.
const LEAST_SAMPLES: u64 = 200;

/// Judges what the engine, or another tool, measured.
pub(crate) fn judge(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
    let asked = config.source() == SourceKind::Engine;
    match &measurement.engine {
        Some(run) if asked => engine::judge(config, run, checks),
        None if !asked => import::judge(config, measurement, checks),
        _ => checks
            .check(&rules::INCOMPLETE, "load")
            .expected("a record of the load that the gate asks for")
            .hint("measure it again with this config")
            .unmeasured("the record is of a load from another source than the gate asks for"),
    }
    match (&config.observe, &measurement.observed) {
        (Some(watched), Some(observed)) => observe::judge(watched, &observed.seen, checks),
        (Some(_), None) => checks
            .check(&observe::NOT_OBSERVED, "target")
            .unmeasured("the target was not watched in this run"),
        (None, _) => {}
    }
}
