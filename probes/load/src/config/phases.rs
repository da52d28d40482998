//! The load as phases, one after the other.

use std::{fmt::Write as _, time::Duration};

use readygate_sdk::{Activity, Footprint};

use super::{
    LoadConfig,
    check_shape::scaled,
    littles_law,
    rate::{grouped, per_second},
};
use crate::engine::spec::{Phase, PhaseKind};

/// Longest response unless the config says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Connections a second that are sure to open, to know how long that may take.
const OPENING: f64 = 2_000.0;

/// One measured stretch: a rate or a number of users.
#[derive(Debug, Clone, Copy)]
struct Level {
    rate: Option<f64>,
    users: Option<u32>,
    length: Duration,
}

impl LoadConfig {
    fn levels(&self) -> Vec<Level> {
        let rate = |rate: f64, length| Level {
            rate: Some(rate),
            users: None,
            length,
        };
        let users = |users: u32, length| Level {
            rate: None,
            users: Some(users),
            length,
        };
        if let Some(open) = &self.open {
            let one = open.rate.zip(open.length).map(|(r, l)| rate(r.0, l.0));
            let stages = open.stages.iter().map(|s| rate(s.rate.0, s.length.0));
            return one.into_iter().chain(stages).collect();
        }
        if let Some(load) = &self.users {
            let one = load.count.zip(load.length).map(|(n, l)| users(n, l.0));
            let stages = load.stages.iter().map(|s| users(s.count, s.length.0));
            return one.into_iter().chain(stages).collect();
        }
        let max = self.max.as_ref();
        max.map(|max| users(max.connections, max.length.0))
            .into_iter()
            .collect()
    }

    /// Length of the measured load.
    pub(crate) fn measured(&self) -> Duration {
        self.levels().iter().map(|level| level.length).sum()
    }

    fn warmup(&self) -> Option<Duration> {
        let open = self.open.as_ref().and_then(|load| load.warmup);
        let users = || self.users.as_ref().and_then(|load| load.warmup);
        let max = || self.max.as_ref().and_then(|load| load.warmup);
        open.or_else(users).or_else(max).map(|warmup| warmup.0)
    }

    /// Time over which connections are opened, where the config says.
    pub(crate) fn ramp(&self) -> Option<Duration> {
        let open = self.open.as_ref().and_then(|load| load.ramp);
        let users = || self.users.as_ref().and_then(|load| load.ramp);
        let max = || self.max.as_ref().and_then(|load| load.ramp);
        open.or_else(users).or_else(max).map(|ramp| ramp.0)
    }

    /// Longest time of a response.
    pub(crate) fn response_timeout(&self) -> Duration {
        self.timeout.map_or(TIMEOUT, |timeout| timeout.0)
    }

    /// Time after which the load starts without the connections that are missing.
    pub(crate) fn ramp_limit(&self) -> Duration {
        let opening = Duration::from_secs_f64(f64::from(self.connections_asked()) / OPENING);
        self.ramp().map_or(opening, |ramp| ramp + ramp / 2) + self.response_timeout()
    }

    /// Connections to hold open.
    pub(crate) fn connections_asked(&self) -> u32 {
        let growth = super::check_shape::growth(self);
        if let Some(open) = &self.open {
            let rates = self.levels().into_iter().filter_map(|level| level.rate);
            let peak = rates.fold(0.0, f64::max) * growth;
            return open
                .connections
                .unwrap_or_else(|| littles_law::connections(self, peak));
        }
        let users = self.levels().into_iter().filter_map(|level| level.users);
        scaled(users.max().unwrap_or(1), growth)
    }

    /// All phases in order. Without warm-up or stress there is only what is measured.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        let levels = self.levels();
        let (Some(first), Some(last)) = (levels.first(), levels.last()) else {
            return Vec::new();
        };
        let phase = |name: String, kind, level: &Level, factor: f64, duration| Phase {
            name,
            kind,
            rate: level.rate.map(|rate| rate * factor),
            users: level.users.map(|users| scaled(users, factor)),
            duration,
        };
        let mut phases = Vec::new();
        if let Some(length) = self.warmup().filter(|length| !length.is_zero()) {
            phases.push(phase(
                "warm-up".to_owned(),
                PhaseKind::WarmUp,
                first,
                1.0,
                length,
            ));
        }
        for (index, level) in levels.iter().enumerate() {
            let name = match levels.len() {
                1 => "measure".to_owned(),
                _ => format!("measure {}", index + 1),
            };
            phases.push(phase(name, PhaseKind::Measure, level, 1.0, level.length));
        }
        let Some(stress) = &self.stress else {
            return phases;
        };
        for step in 1..=stress.steps {
            let factor = stress.factor.powi(i32::try_from(step).unwrap_or(i32::MAX));
            let name = format!("stress {step}");
            phases.push(phase(
                name,
                PhaseKind::Stress,
                last,
                factor,
                stress.length.0,
            ));
        }
        if let Some(within) = stress.recover_within {
            let name = "recovery".to_owned();
            phases.push(phase(name, PhaseKind::Recovery, last, 1.0, within.0));
        }
        phases
    }

    /// How long the run is meant to take, until the last response may be given up.
    pub(crate) fn takes(&self) -> Duration {
        let phases: Duration = self.phases().iter().map(|phase| phase.duration).sum();
        self.ramp().unwrap_or_default() + phases + self.response_timeout()
    }

    /// What the engine will touch.
    pub(crate) fn engine_footprint(&self) -> Footprint {
        let urls = self.scenarios.iter().flat_map(|s| &s.steps);
        let urls = urls.filter_map(|step| step.requests().next().map(|(_, url)| url));
        let mut contacts: Vec<String> = Vec::new();
        for url in self.url.as_deref().into_iter().chain(urls) {
            let shown = readygate_web::shown_text(url);
            if !contacts.contains(&shown) {
                contacts.push(shown);
            }
        }
        if let Some(last) = contacts.last_mut() {
            let _ = write!(last, " ({})", self.load_in_words());
        }
        let steps = self.scenarios.iter().flat_map(|s| &s.steps);
        let headers = steps.flat_map(|step| step.secret_headers.keys());
        let headers = self.secret_headers.keys().chain(headers);
        let mut credentials: Vec<String> = headers.map(|name| format!("header {name}")).collect();
        credentials.dedup();
        Footprint {
            contacts,
            credentials,
            activity: Activity::Disruptive,
            duration: Some(self.takes()),
        }
    }

    /// The load in a few words, for the plan: `450/s over 64 connections for 60 s`.
    pub(crate) fn load_in_words(&self) -> String {
        let levels: Vec<String> = self
            .levels()
            .iter()
            .map(|level| {
                let what = match (level.rate, level.users) {
                    (Some(rate), _) => per_second(rate),
                    (None, Some(users)) if self.max.is_some() => {
                        format!(
                            "as much as it takes up to {} over {} connections",
                            per_second(super::check_shape::allowed(self).rate),
                            grouped(&users.to_string())
                        )
                    }
                    (None, users) => {
                        format!("{} users", grouped(&users.unwrap_or(1).to_string()))
                    }
                };
                format!("{what} for {}", readygate_sdk::Period(level.length))
            })
            .collect();
        let mut words = levels.join(", then ");
        if self.open.is_some() {
            let connections = grouped(&self.connections_asked().to_string());
            let _ = write!(words, " over {connections} connections");
        }
        if let Some(stress) = &self.stress {
            let _ = write!(
                words,
                ", then {} steps of x{} more",
                stress.steps, stress.factor
            );
        }
        words
    }
}
