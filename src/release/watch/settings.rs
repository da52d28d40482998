//! How long, how often, and what is tolerated.

use std::time::Duration;

use crate::release::config::Watch;

const MINUTE: Duration = Duration::from_secs(60);
/// More samples than this are a mistake: they are all kept in the record.
const MOST_SAMPLES: u128 = 5_000;
const SHORTEST: Duration = Duration::from_millis(50);

/// The settings of a watch, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long.
    pub duration: Duration,
    /// From one sample to the next.
    pub every: Duration,
    /// Pause before the first sample.
    pub initial_delay: Duration,
    /// Failed samples of one gate that are tolerated.
    pub failure_limit: u32,
    /// Samples in a row in which one gate may be unable to tell.
    pub consecutive_error_limit: u32,
    /// Samples in all in which a gate may be unable to tell.
    pub inconclusive_limit: u32,
    /// Time within which the rollback must have started.
    pub rollback_within: Duration,
    /// Time after which a missing rollback is warned of.
    pub warn_after: Duration,
    /// Gates that tell whether the target is up; empty for all.
    pub availability: Vec<String>,
    /// Gates that tell whether the runner is online.
    pub control: Vec<String>,
}

impl Settings {
    /// The config, with what the command line says instead.
    ///
    /// # Errors
    /// Times that cannot work, in one sentence.
    pub fn new(
        config: &Watch,
        duration: Option<Duration>,
        every: Option<Duration>,
    ) -> Result<Self, String> {
        let of = |given: Option<Duration>, config: &Option<readygate_sdk::Period>, default| {
            given.or(config.as_ref().map(|p| p.0)).unwrap_or(default)
        };
        let mut settings = Self {
            duration: of(duration, &config.duration, 15 * MINUTE),
            every: of(every, &config.every, MINUTE / 2),
            initial_delay: of(None, &config.initial_delay, Duration::ZERO),
            failure_limit: config.failure_limit.unwrap_or(3),
            consecutive_error_limit: config.consecutive_error_limit.unwrap_or(4),
            inconclusive_limit: 0,
            rollback_within: of(None, &config.rollback_within, 15 * MINUTE),
            warn_after: of(None, &config.warn_after, 10 * MINUTE),
            availability: config.availability.clone(),
            control: config.control.clone(),
        };
        settings.inconclusive_limit = config.inconclusive_limit.unwrap_or(settings.tenth());
        settings.check().map(|()| settings)
    }

    /// A tenth of the samples, and one of a short watch: a single hiccup is no alarm.
    fn tenth(&self) -> u32 {
        self.planned().div_ceil(10)
    }

    /// The fewest samples that speak for the whole time: four fifths of those planned.
    pub fn least(&self) -> u32 {
        let planned = self.planned();
        planned - planned / 5
    }

    fn check(&self) -> Result<(), String> {
        let shown = |d: Duration| readygate_sdk::Unit::Seconds.format(d.as_secs_f64());
        let (duration, every) = (shown(self.duration), shown(self.every));
        if self.every < SHORTEST {
            return Err(format!(
                "a sample every {every} is too often; {} is the least",
                shown(SHORTEST)
            ));
        }
        if self.every > self.duration {
            return Err(format!(
                "a watch of {duration} with a sample every {every} would see the start only; make `--every` shorter"
            ));
        }
        if self.duration.as_nanos() / self.every.as_nanos() > MOST_SAMPLES {
            return Err(format!(
                "a watch of {duration} with a sample every {every} would take more than {MOST_SAMPLES} samples; make `--every` longer"
            ));
        }
        Ok(())
    }

    /// Samples in full time: one at the start, and one every so often until the end.
    pub fn planned(&self) -> u32 {
        let intervals = self.duration.as_nanos() / self.every.as_nanos().max(1);
        u32::try_from(intervals + 1).unwrap_or(u32::MAX)
    }

    /// Whether a gate tells that the target is up.
    pub fn tells(&self, gate: &str) -> bool {
        self.availability.is_empty() || self.availability.iter().any(|id| id == gate)
    }
}
