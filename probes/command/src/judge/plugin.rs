//! Nagios and Icinga plugins: the exit code is the status, the text never.

use readygate_sdk::{Checks, excerpt, process::Ended};

use crate::{CommandMeasurement, PerfDatum, PluginRecord, plugin::Range, rules};

pub fn judge(measurement: &CommandMeasurement, checks: &mut Checks) {
    let program = &measurement.program;
    let Some(plugin) = &measurement.plugin else {
        let reason = "the measurement was not taken with protocol nagios";
        return checks.check(&rules::UNKNOWN, program).unmeasured(reason);
    };
    let said = match plugin.summary.as_str() {
        "" => "(no output)".to_owned(),
        summary => excerpt(summary, 300),
    };
    match measurement.ended {
        Ended::Code(code @ 0..=2) => {
            let status = match code {
                0 => "ok",
                1 => "warning",
                _ => "critical",
            };
            for (rule, bad) in [(&rules::CRITICAL, 2), (&rules::WARNING, 1)] {
                checks
                    .check(rule, program)
                    .message(said.clone())
                    .expected("ok")
                    .actual(status)
                    .passed_if(code != bad);
            }
        }
        ended => {
            let said = match ended {
                Ended::Code(3) => format!("the plugin could not tell: {said}"),
                Ended::Code(126 | 127) => {
                    format!("{ended}: mostly the plugin or its interpreter was not found: {said}")
                }
                Ended::Signal(_) => format!("the plugin was {ended}: {said}"),
                Ended::Code(_) => format!("{ended} is none of a plugin's (0 to 3): {said}"),
            };
            checks
                .check(&rules::UNKNOWN, program)
                .hint(rules::UNKNOWN.fix)
                .unmeasured(said);
        }
    }
    performance(measurement, plugin, checks);
}

fn performance(measurement: &CommandMeasurement, plugin: &PluginRecord, checks: &mut Checks) {
    let program = &measurement.program;
    let mut malformed = plugin.malformed.clone();
    if measurement.stdout.truncated {
        malformed.push("output beyond `output_limit` was left out".to_owned());
    }
    if !malformed.is_empty() {
        checks
            .check(&rules::BAD_PERFDATA, program)
            .details(malformed)
            .fail();
    }
    let ranged: Vec<_> = plugin
        .perfdata
        .iter()
        .filter(|d| critical_range(d).is_some())
        .collect();
    if ranged.is_empty() || measurement.ended != Ended::Code(0) {
        return;
    }
    let critical: Vec<&PerfDatum> = ranged.into_iter().filter(|d| is_critical(d)).collect();
    let check = checks.check(&rules::PERFDATA_RANGE, program);
    let Some(first) = critical.first() else {
        return check
            .message("no value lies in a critical range of the plugin")
            .pass();
    };
    let shown = |datum: &PerfDatum| {
        let value = datum.value.unwrap_or_default();
        format!("{}={value}{}", datum.label, datum.unit)
    };
    check
        .message(format!(
            "{} is critical by the plugin's own range, and the plugin says ok",
            first.label
        ))
        .expected(format!(
            "within {}",
            first.crit.as_deref().unwrap_or_default()
        ))
        .actual(shown(first))
        .details(critical.iter().take(20).map(|d| shown(d)))
        .fail();
}

fn is_critical(datum: &PerfDatum) -> bool {
    match (critical_range(datum), datum.value) {
        (Some(range), Some(value)) => range.alerts(value),
        _ => false,
    }
}

/// Many plugins print the bare `0` where no threshold was set.
fn critical_range(datum: &PerfDatum) -> Option<Range> {
    let text = datum.crit.as_deref().filter(|text| *text != "0")?;
    text.parse().ok()
}
