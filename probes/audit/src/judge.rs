//! Applies the rules to a measurement: whether the audit can be relied on, then what it found.

mod asked;
mod found;
mod sources;

use readygate_sdk::Checks;

use crate::{config::AuditConfig, measurement::AuditMeasurement};

/// Lines of evidence in one check.
const SHOWN: usize = 20;

pub(crate) fn judge(config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
    asked::asked(config, measurement, checks);
    sources::command(measurement, checks);
    sources::problems(measurement, checks);
    sources::reports(config, measurement, checks);
    sources::locks(measurement, checks);
    sources::databases(config, measurement, checks);
    found::findings(measurement, checks);
    found::ignores(measurement, checks);
}

/// The first lines, and how many there are besides.
fn capped(lines: impl Iterator<Item = String>, total: u64) -> Vec<String> {
    let mut lines: Vec<String> = lines.take(SHOWN).collect();
    let more = total.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}
