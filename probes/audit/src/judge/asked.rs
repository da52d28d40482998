//! Whether the measurement is of what the config asks for: a record is judged under a config that may
//! have changed since.

use jiff::tz::TimeZone;
use readygate_sdk::Checks;

use crate::{
    config::{AuditConfig, Ignore},
    measurement::{AuditMeasurement, IgnoreUse},
    rules,
};

pub(super) fn asked(config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
    let used = |entry: &&IgnoreUse| entry.matched > 0 && !entry.expired;
    for entry in measurement.ignores.iter().filter(used) {
        if !config
            .ignore
            .iter()
            .any(|now| covers(now, entry, measurement))
        {
            let reason = format!(
                "{} was ignored while measuring and is not ignored now; measure again",
                entry.id
            );
            missing(&entry.id, reason, checks);
        }
    }
    if let Some(argv) = &config.run {
        let ran = measurement.command.as_ref().is_some_and(|command| {
            command.argv.len() == argv.len()
                && command
                    .argv
                    .iter()
                    .zip(argv)
                    .all(|(ran, now)| same(ran, now))
        });
        if !ran {
            let line = argv.join(" ");
            let reason = format!("`{line}` was not run while measuring; measure again");
            missing(&line, reason, checks);
        }
    }
    patterns(config, measurement, checks);
}

fn missing(subject: &str, reason: String, checks: &mut Checks) {
    checks
        .check(&rules::NOTHING_AUDITED, subject)
        .hint("run the gate again: this measurement was made under another config")
        .unmeasured(reason);
}

fn patterns(config: &AuditConfig, measurement: &AuditMeasurement, checks: &mut Checks) {
    let recorded = measurement.asked.as_ref();
    let printed = |path: &str| path.starts_with("stdout of `") || path.starts_with("stderr of `");
    let files = measurement
        .reports
        .iter()
        .any(|report| !printed(&report.path));
    let told = !measurement.problems.is_empty();
    for (patterns, recorded, any) in [
        (&config.reports, recorded.map(|asked| &asked.reports), files),
        (
            &config.lockfiles,
            recorded.map(|asked| &asked.lockfiles),
            !measurement.locks.is_empty(),
        ),
    ] {
        for pattern in patterns.iter().flatten() {
            // A record without the list of patterns can only show that nothing at all was read.
            let held = recorded.map_or(any || told, |recorded| {
                recorded.iter().any(|text| same(text, pattern))
            });
            if !held {
                let reason =
                    format!("`{pattern}` was not looked for while measuring; measure again");
                missing(&format!("`{pattern}`"), reason, checks);
            }
        }
    }
}

/// Whether an entry of the config still covers what was ignored, on the day of the measurement.
fn covers(now: &Ignore, entry: &IgnoreUse, measurement: &AuditMeasurement) -> bool {
    let day = measurement.measured_at.to_zoned(TimeZone::UTC).date();
    now.id.eq_ignore_ascii_case(&entry.id)
        && (now.package.is_none() || now.package == entry.package)
        && now.until.is_none_or(|until| until >= day)
}

/// Secrets are masked in a record.
fn same(recorded: &str, now: &str) -> bool {
    recorded == now || recorded.contains("***")
}
