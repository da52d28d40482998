//! The `with` block of a `window` gate, which is also the block `windows` of the file.

use std::time::Duration;

use jiff::tz::TimeZone;
use readygate_sdk::{ConfigError, Period};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{calendar, cron::Cron};

const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// When deployments may start. Without `allow` they always may, with it only inside of one of its
/// windows; an active freeze always wins. A gate without `with` takes the block `windows` of its
/// file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// Times in which a deployment may start.
    #[serde(default)]
    pub allow: Vec<Recurring>,
    /// Times in which it may not.
    #[serde(default)]
    pub freeze: Vec<Recurring>,
    /// Time that must be left before the window closes or a freeze begins.
    pub reserve: Option<Reserve>,
}

/// A span of time that comes again and again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// When it begins, as in cron: minute, hour, day of month, month, day of week. Names (`MON`,
    /// `JAN`), lists, ranges and steps work; with both kinds of days restricted, either counts.
    pub schedule: String,
    /// How long it lasts in elapsed time, whatever the clocks do meanwhile.
    pub duration: Period,
    /// IANA time zone of the schedule: `Europe/Berlin`.
    pub zone: String,
    /// Why, for the reports.
    pub reason: Option<String>,
}

/// Parts of the time that must be left; their sum counts.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// How long the deployment takes.
    pub deploy: Option<Period>,
    /// How long it is watched.
    pub watch: Option<Period>,
    /// How long a rollback takes.
    pub rollback: Option<Period>,
}

impl Reserve {
    /// All parts together.
    pub fn total(&self) -> Duration {
        let parts = [self.deploy, self.watch, self.rollback];
        parts
            .into_iter()
            .flatten()
            .fold(Duration::ZERO, |sum, p| sum.saturating_add(p.0))
    }
}

impl Recurring {
    /// What it is called in a report.
    pub fn name(&self) -> String {
        match &self.reason {
            Some(reason) => reason.clone(),
            None => format!("{} for {} in {}", self.schedule, self.duration, self.zone),
        }
    }
}

impl WindowConfig {
    /// Finds what cannot work, without I/O; every problem, not the first only.
    ///
    /// # Errors
    /// No windows at all; a schedule, duration or zone that is none.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut error = ConfigError::new();
        if self.allow.is_empty() && self.freeze.is_empty() {
            error.add(
                "",
                "neither `allow` nor `freeze` has a window",
                Some("allow: [{schedule: \"0 22 * * TUE\", duration: 4h, zone: Europe/Berlin}]"),
            );
        }
        for (list, windows) in [("allow", &self.allow), ("freeze", &self.freeze)] {
            for (index, window) in windows.iter().enumerate() {
                window.validate(&format!("/{list}/{index}"), &mut error);
            }
        }
        let total = self.reserve.map_or(Duration::ZERO, |r| r.total());
        if self.reserve.is_some() && total.is_zero() {
            error.add(
                "/reserve",
                "it reserves no time",
                Some("reserve: {deploy: 20m, watch: 15m, rollback: 15m}"),
            );
        }
        if total > calendar::HORIZON {
            error.add("/reserve", "it reserves more than 48 hours", None);
        }
        error.into_result()
    }
}

impl Recurring {
    fn validate(&self, at: &str, error: &mut ConfigError) {
        match self.schedule.parse::<Cron>() {
            Err(message) => {
                let hint = "minute hour day-of-month month day-of-week: \"0 22 * * TUE\"";
                error.add(format!("{at}/schedule"), message, Some(hint));
            }
            Ok(cron) if !cron.ever() => {
                let message = format!("`{}` never comes: no month has such a day", self.schedule);
                error.add(format!("{at}/schedule"), message, None);
            }
            Ok(_) => {}
        }
        if self.duration.0.is_zero() || self.duration.0 > LONGEST {
            let message = format!("a window cannot last {}", self.duration);
            error.add(format!("{at}/duration"), message, Some("from 1s to 400d"));
        }
        if TimeZone::get(&self.zone).is_err() {
            let message = format!("`{}` is no time zone", self.zone);
            error.add(
                format!("{at}/zone"),
                message,
                Some("an IANA name: Europe/Berlin, Asia/Riyadh, UTC"),
            );
        }
    }
}
