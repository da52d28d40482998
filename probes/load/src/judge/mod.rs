//! Applies the rules to a measurement.

mod engine;
mod import;

use readygate_sdk::Checks;

use crate::{config::LoadConfig, measurement::LoadMeasurement, observe};

/// Ten samples above the 95th percentile.
const LEAST_SAMPLES: u64 = 200;

/// Judges what the engine, or another tool, measured.
pub(crate) fn judge(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
    match &measurement.engine {
        Some(run) => engine::judge(config, run, checks),
        None => import::judge(config, measurement, checks),
    }
    match (&config.observe, &measurement.observed) {
        (Some(watched), Some(observed)) => observe::judge(watched, &observed.seen, checks),
        (Some(_), None) => checks
            .check(&observe::NOT_OBSERVED, "target")
            .unmeasured("the target was not watched in this run"),
        (None, _) => {}
    }
}
