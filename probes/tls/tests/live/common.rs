//! One look of the probe, and its outcome in one word.

use std::{fmt::Write as _, time::Duration};

use readygate_sdk::{Check, CheckOutcome, Checks, Cx, Level, Probe as _, ProbeError};
use readygate_tls::{Tls, TlsConfig, TlsMeasurement};
use serde_json::Value;
use tokio::time::Instant;

pub const NAME: &str = "edge.test";

/// What a gate would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Warn,
    Fail,
    Unmeasured,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "pass, warns",
            Self::Fail => "fail",
            Self::Unmeasured => "could not tell",
        }
    }
}

pub struct Seen {
    pub measured: Result<TlsMeasurement, ProbeError>,
    pub checks: Vec<Check>,
    pub took: Duration,
}

impl Seen {
    pub fn verdict(&self) -> Verdict {
        let any = |outcome, level| {
            self.checks
                .iter()
                .any(|c| c.outcome == outcome && c.level == level)
        };
        if self.measured.is_err() {
            Verdict::Unmeasured
        } else if any(CheckOutcome::Failed, Level::Error) {
            Verdict::Fail
        } else if any(CheckOutcome::Unmeasured, Level::Error) {
            Verdict::Unmeasured
        } else if any(CheckOutcome::Failed, Level::Warning) {
            Verdict::Warn
        } else {
            Verdict::Pass
        }
    }

    /// What a person reads, worst first.
    pub fn causes(&self) -> Vec<(String, String)> {
        if let Err(error) = &self.measured {
            return vec![(
                error.kind.name().to_owned(),
                format!("{} (while {})", error.message, error.phase),
            )];
        }
        let mut found = Vec::new();
        for (outcome, level) in [
            (CheckOutcome::Failed, Level::Error),
            (CheckOutcome::Unmeasured, Level::Error),
            (CheckOutcome::Failed, Level::Warning),
        ] {
            let of = self
                .checks
                .iter()
                .filter(|c| c.outcome == outcome && c.level == level);
            found.extend(of.map(|c| (c.rule.clone(), c.message.clone())));
        }
        found
    }

    pub fn report(&self) -> String {
        let mut text = format!("{} after {:?}\n", self.verdict().name(), self.took);
        for (rule, message) in self.causes() {
            let _ = writeln!(text, "  {rule}: {message}");
        }
        text
    }
}

pub async fn look(with: Value) -> Seen {
    look_in(with, &Cx::builder(Duration::from_secs(30)).build()).await
}

pub async fn look_in(with: Value, cx: &Cx) -> Seen {
    let config: TlsConfig = serde_json::from_value(with).unwrap();
    Tls::validate(&config).unwrap();
    let begun = Instant::now();
    let measured = Tls::measure(&config, cx).await;
    let took = begun.elapsed();
    let mut checks = Checks::new();
    if let Ok(measurement) = &measured {
        let text = serde_json::to_string(measurement).unwrap();
        let back: TlsMeasurement = serde_json::from_str(&text).unwrap();
        assert_eq!(&back, measurement, "the record comes back as it was");
        let _ = Tls::metrics(measurement);
        Tls::judge(&config, measurement, &mut checks);
    }
    Seen {
        measured,
        checks: checks.into_vec(),
        took,
    }
}
