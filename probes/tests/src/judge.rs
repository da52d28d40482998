//! Applies the rules to a measurement.

mod reports;
mod results;

use readygate_reports::judge as shared;
use readygate_sdk::Checks;

use crate::{config::TestsConfig, measurement::TestsMeasurement, rules};

/// The command first, then whether the reports can be relied on, then what they say.
pub(crate) fn judge(config: &TestsConfig, measurement: &TestsMeasurement, checks: &mut Checks) {
    if let Some(command) = &measurement.command {
        shared::command(&rules::COMMAND_FAILED, command, &[0], checks);
    } else if let Some(argv) = &config.run {
        shared::not_run(&rules::COMMAND_FAILED, argv, checks);
    }
    if let Some(all) = &measurement.reports {
        reports::judge(config, measurement, all, checks);
        results::judge(all, checks);
    } else if let Some(patterns) = &config.reports {
        shared::not_read(&rules::NO_REPORT, patterns, checks);
    }
}
