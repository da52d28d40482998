//! What a run of Locust was, beside its numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Points of the series in the record.
pub(crate) const POINTS: usize = 120;

/// Facts of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LocustFacts {
    /// Version of Locust, where it came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Workers that the run was planned with.
    pub expected: u32,
    /// Those that were seen or started.
    #[serde(default)]
    pub workers: Vec<Worker>,
    /// Most workers at a time that were at work or ready.
    #[serde(default)]
    pub workers_most: u64,
    /// Users that were asked for.
    pub users_asked: u32,
    /// Fewest users at a time while it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_least: Option<u64>,
    /// Most users at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_most: Option<u64>,
    /// Requests in a second that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_asked: Option<f64>,
    /// Seconds that it was to measure.
    pub window_asked: f64,
    /// Seconds that it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<f64>,
    /// How the master ended, in words; nothing where readygate ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// Whether the master went through its own end.
    #[serde(default)]
    pub finished: bool,
    /// Why readygate ended the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted: Option<String>,
    /// What the master said last, where the run did not go through.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Errors of the test itself, as Locust counts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
    /// The command that joins a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// What the master saw over time, thinned to 120 points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Point>,
}

/// One worker.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worker {
    /// `worker 2` for one of this machine, else its id, which starts with the name of its host.
    pub name: String,
    /// Its id in Locust; nothing where it never came up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the master saw it ready.
    #[serde(default)]
    pub seen: bool,
    /// What became of it before the end of the run; nothing where it stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Largest share of a core that it took while it measured, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_most: Option<f64>,
    /// Share of the measurement in which it took more than 90 % of a core, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_hot: Option<f64>,
    /// What it said last, where it did not end well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// One second of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Seconds since the first one.
    pub t: f64,
    /// `waiting`, `ramp`, `warm-up`, `measure` or `ending`.
    pub phase: String,
    /// Users at work.
    pub users: u64,
    /// Workers at work.
    pub workers: u64,
    /// Requests counted so far; workers report every three seconds.
    pub requests: u64,
    /// Failures so far.
    pub failures: u64,
}

/// Share of the measurement, in percent, in which a worker may be above 90 % of a core.
const HOT: f64 = 5.0;

impl Worker {
    /// Whether its own queueing is in the latencies.
    pub(crate) fn is_hot(&self) -> bool {
        self.cpu_hot.is_some_and(|share| share >= HOT)
    }
}

impl LocustFacts {
    /// Workers that were lost or never came, with what became of them.
    pub(crate) fn gone(&self) -> Vec<String> {
        let lost = self.workers.iter();
        let lost = lost.filter_map(|w| Some(format!("{} {}", w.name, w.lost.as_ref()?)));
        lost.collect()
    }

    /// Workers that the master saw ready.
    pub fn seen(&self) -> u64 {
        let named = self.workers.iter().filter(|w| w.seen).count() as u64;
        named.max(self.workers_most)
    }

    /// Why the numbers are not those of the run that was asked for.
    pub(crate) fn void(&self) -> Option<String> {
        if let Some(why) = &self.aborted {
            return Some(format!("the run was ended early: {why}"));
        }
        if !self.finished {
            return Some("Locust did not go through to the end of its run".to_owned());
        }
        let gone = self.gone();
        if !gone.is_empty() {
            return Some(format!(
                "the load was less than asked for: {}",
                gone.join(", ")
            ));
        }
        if let Some(hot) = self.workers.iter().find(|worker| worker.is_hot()) {
            return Some(format!("{} was short of CPU", hot.name));
        }
        if self
            .window
            .is_none_or(|window| window < self.window_asked * 0.98)
        {
            return Some("the measurement was shorter than asked for".to_owned());
        }
        if self
            .users_least
            .is_none_or(|n| n < u64::from(self.users_asked))
        {
            return Some("fewer users were at work than asked for".to_owned());
        }
        None
    }
}
