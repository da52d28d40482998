//! Applies the rules to a measurement.

mod reports;
mod results;

use readygate_sdk::{Checks, process::Ended};

use crate::{
    config::TestsConfig,
    measurement::{TestCommand, TestsMeasurement},
    rules,
};

/// Lines of evidence in one check.
const SHOWN: usize = 20;

/// The command first, then whether the reports can be relied on, then what they say.
pub(crate) fn judge(config: &TestsConfig, measurement: &TestsMeasurement, checks: &mut Checks) {
    if let Some(command) = &measurement.command {
        judge_command(command, checks);
    }
    if let Some(all) = &measurement.reports {
        reports::judge(config, measurement.measured_at, all, checks);
        results::judge(all, checks);
    }
}

fn judge_command(command: &TestCommand, checks: &mut Checks) {
    let line = command.argv.join(" ");
    let program = command.argv.first().cloned().unwrap_or_default();
    let check = checks
        .check(&rules::COMMAND_FAILED, program)
        .expected("exit code 0")
        .actual(command.ended.to_string());
    if command.ended == Ended::Code(0) {
        return check
            .message(format!("`{line}` ended with exit code 0"))
            .pass();
    }
    let words = command
        .output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned);
    let words: Vec<String> = words.collect();
    let last = words.len().saturating_sub(SHOWN);
    let ended = match command.ended {
        Ended::Code(code) => format!("`{line}` ended with exit code {code}"),
        signal @ Ended::Signal(_) => format!("`{line}` was {signal}"),
    };
    check
        .message(ended)
        .details(words.into_iter().skip(last))
        .fail();
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
