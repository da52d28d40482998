//! Applies the rules to a measurement.

mod engine;
mod import;

use readygate_sdk::Checks;

use crate::{config::LoadConfig, measurement::LoadMeasurement};

/// Ten samples above the 95th percentile.
const LEAST_SAMPLES: u64 = 200;

/// Judges what the engine, or another tool, measured.
pub(crate) fn judge(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
    match &measurement.engine {
        Some(run) => engine::judge(config, run, checks),
        None => import::judge(config, measurement, checks),
    }
}
