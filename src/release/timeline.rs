//! The history of a release, read for people: when, how long, how it went. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    downtime::{self, Downtime, Sample},
    event::{Event, Type},
};

/// Something that starts and, maybe, ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// UTC.
    pub started: Timestamp,
    /// UTC; `None` while it goes on.
    pub finished: Option<Timestamp>,
}

impl Span {
    /// From start to finish.
    pub fn duration(&self) -> Option<SignedDuration> {
        Some(self.finished?.duration_since(self.started))
    }
}

/// A verdict of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictAt {
    /// UTC.
    pub at: Timestamp,
    /// `GO`, `NO-GO`, ...
    pub verdict: String,
    /// Stages that the run selected.
    pub stages: Vec<String>,
    /// Id of the run.
    pub run: Option<String>,
}

/// A breach that a watch saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Gates that failed.
    pub gates: Vec<String>,
    /// When they failed first, UTC.
    pub suspected: Timestamp,
    /// When they failed again at once, UTC.
    pub confirmed: Option<Timestamp>,
    /// When they passed when looked at again, UTC.
    pub cleared: Option<Timestamp>,
    /// When a rollback must have started, UTC.
    pub deadline: Option<Timestamp>,
}

/// What the last watch decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionAt {
    /// UTC.
    pub at: Timestamp,
    /// `accept`, `hold`, `rollback` or `inconclusive`.
    pub decision: String,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// When a rollback must have started, UTC.
    pub deadline: Option<Timestamp>,
}

/// Whether the rollback started in time: the rule `rollback.within-15m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// It did.
    Met {
        /// UTC.
        deadline: Timestamp,
        /// UTC.
        started: Timestamp,
    },
    /// It started too late.
    Late {
        /// UTC.
        deadline: Timestamp,
        /// UTC.
        started: Timestamp,
    },
    /// It has not started; whether that is a failure depends on the time of asking.
    NotStarted {
        /// UTC.
        deadline: Timestamp,
    },
}

impl Within {
    /// Whether the rule is broken at `now`; `None` while there is still time.
    pub fn failed(&self, now: Timestamp) -> Option<bool> {
        match self {
            Self::Met { .. } => Some(false),
            Self::Late { .. } => Some(true),
            Self::NotStarted { deadline } => (now > *deadline).then_some(true),
        }
    }

    /// One sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Met { deadline, started } => {
                format!("the rollback started at {started}, before its deadline of {deadline}")
            }
            Self::Late { deadline, started } => {
                format!("the rollback started at {started}, after its deadline of {deadline}")
            }
            Self::NotStarted { deadline } => {
                format!("no rollback was recorded; its deadline was {deadline}")
            }
        }
    }
}

/// The history of a release.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// Id of the release.
    pub release: Option<String>,
    /// When it was opened, UTC.
    pub opened: Option<Timestamp>,
    /// Facts that were given when it was opened: `version`, `commit`, `environment`.
    pub facts: Vec<(String, String)>,
    /// Verdicts of runs, in order.
    pub verdicts: Vec<VerdictAt>,
    /// Deployments that started outside of their window: when, and why that was not allowed.
    pub window: Vec<(Timestamp, String)>,
    /// When a deployment started inside of a declared window, UTC.
    pub window_ok: Option<Timestamp>,
    /// Deployments, in order; usually one.
    pub deployments: Vec<Span>,
    /// Downtime that the watches saw; `None` when nothing was watched.
    pub downtime: Option<Downtime>,
    /// Samples of the watches.
    pub samples: usize,
    /// Breaches that the watches saw.
    pub breaches: Vec<Breach>,
    /// What the last watch decided.
    pub decision: Option<DecisionAt>,
    /// Whether a watch started and no decision followed: it is under way, or was killed outright.
    pub watching: bool,
    /// The last rollback.
    pub rollback: Option<Span>,
    /// Whether the rollback that a confirmed breach asks for started in time.
    pub rollback_within: Option<Within>,
    /// When the release was accepted, UTC.
    pub accepted: Option<Timestamp>,
    /// When it was closed, UTC.
    pub closed: Option<Timestamp>,
}

impl Timeline {
    /// Reads a verified history.
    pub fn of(events: &[Event]) -> Self {
        let mut timeline = Self {
            release: events.first().map(|e| e.release.clone()),
            ..Self::default()
        };
        let mut open = Vec::new();
        for event in events {
            timeline.add(event, &mut open);
        }
        timeline.add_downtime(downtime::of(open));
        timeline.rollback_within = within(events);
        timeline
    }

    /// The last deployment.
    pub fn deployment(&self) -> Option<Span> {
        self.deployments.last().copied()
    }

    /// When the last deployment started, UTC.
    pub fn started(&self) -> Option<Timestamp> {
        Some(self.deployment()?.started)
    }

    /// When the last deployment finished, UTC.
    pub fn finished(&self) -> Option<Timestamp> {
        self.deployment()?.finished
    }

    /// How long the last deployment took.
    pub fn duration(&self) -> Option<SignedDuration> {
        self.deployment()?.duration()
    }

    /// A fact that was given when the release was opened.
    pub fn fact(&self, name: &str) -> Option<&str> {
        let fact = self.facts.iter().find(|(key, _)| key == name);
        fact.map(|(_, value)| value.as_str())
    }

    fn add(&mut self, event: &Event, open: &mut Vec<Sample>) {
        let at = event.at;
        match event.event {
            Type::ReleaseOpened => {
                self.opened = Some(at);
                self.facts = facts(event);
            }
            Type::GateVerdict => self.verdicts.push(VerdictAt {
                at,
                verdict: event.text("verdict").unwrap_or("unknown").to_owned(),
                stages: event.texts("stages"),
                run: event.text("run").map(str::to_owned),
            }),
            Type::WindowOk => self.window_ok = Some(at),
            Type::WindowRefused => {
                let reason = event.text("reason").unwrap_or("no reason given");
                self.window.push((at, reason.to_owned()));
            }
            Type::DeployStarted => self.deployments.push(Span {
                started: at,
                finished: None,
            }),
            Type::DeployFinished => finish(self.deployments.last_mut(), at),
            Type::WatchStarted => {
                self.watching = true;
                self.add_downtime(downtime::of(open.drain(..)));
            }
            Type::WatchSample => {
                self.samples += 1;
                let down = event.data.get("down").and_then(Value::as_bool);
                open.push(Sample { at, down });
            }
            Type::BreachSuspected => self.breaches.push(Breach {
                gates: event.texts("gates"),
                suspected: at,
                confirmed: None,
                cleared: None,
                deadline: None,
            }),
            Type::BreachConfirmed => {
                if let Some(breach) = self.breaches.last_mut() {
                    breach.confirmed = Some(at);
                    breach.deadline = event.time("deadline");
                }
            }
            Type::BreachCleared => {
                if let Some(breach) = self.breaches.last_mut() {
                    breach.cleared = Some(at);
                }
            }
            Type::Decision => self.decide(event, open),
            Type::RollbackStarted => {
                self.rollback = Some(Span {
                    started: at,
                    finished: None,
                });
            }
            Type::RollbackFinished => finish(self.rollback.as_mut(), at),
            Type::Accepted => self.accepted = Some(at),
            Type::Closed => self.closed = Some(at),
        }
    }

    /// The watch itself saw every sample; the history may hold fewer of them.
    fn decide(&mut self, event: &Event, open: &mut Vec<Sample>) {
        self.watching = false;
        let told = event.data.get("downtime").cloned();
        let told = told.and_then(|value| serde_json::from_value(value).ok());
        self.add_downtime(told.or_else(|| downtime::of(open.iter().copied())));
        open.clear();
        self.decision = Some(DecisionAt {
            at: event.at,
            decision: event.text("decision").unwrap_or("inconclusive").to_owned(),
            reasons: event.texts("reasons"),
            deadline: event.time("deadline"),
        });
    }

    fn add_downtime(&mut self, more: Option<Downtime>) {
        self.downtime = match (self.downtime.take(), more) {
            (Some(old), Some(more)) => Some(old.and(&more)),
            (old, more) => old.or(more),
        };
    }
}

/// The clock of a rollback.
#[derive(Default)]
struct Clock {
    suspected: Option<Timestamp>,
    /// When the breach was suspected that started the clock, and the deadline.
    running: Option<(Timestamp, Timestamp)>,
    /// The last rollback of this deployment.
    last: Option<Timestamp>,
    /// The one that counts.
    rollback: Option<Timestamp>,
    /// It ended: the next breach is another one.
    finished: bool,
}

/// The first confirmed breach of a deployment starts the clock, and no later watch starts it anew;
/// a deployment does, and so does a breach after the rollback has ended. The rollback that counts is the
/// first after the breach was suspected, so that one of last week is no answer to it.
fn within(events: &[Event]) -> Option<Within> {
    let mut clock = Clock::default();
    for event in events {
        match event.event {
            Type::DeployStarted => clock = Clock::default(),
            Type::BreachSuspected => clock.suspected = Some(event.at),
            Type::BreachConfirmed => {
                let suspected = clock.suspected.unwrap_or(event.at);
                let Some(deadline) = event.time("deadline") else {
                    continue;
                };
                if clock.running.is_none() || clock.finished {
                    clock.running = Some((suspected, deadline));
                    clock.rollback = clock.last.filter(|at| *at >= suspected);
                    clock.finished = false;
                }
            }
            Type::RollbackStarted => {
                clock.last = Some(event.at);
                let answers = clock.running.is_some_and(|(begun, _)| event.at >= begun);
                clock.rollback = clock.rollback.or(clock.last.filter(|_| answers));
            }
            Type::RollbackFinished => clock.finished = true,
            _ => {}
        }
    }
    let (_, deadline) = clock.running?;
    Some(match clock.rollback {
        Some(started) if started <= deadline => Within::Met { deadline, started },
        Some(started) => Within::Late { deadline, started },
        None => Within::NotStarted { deadline },
    })
}

fn finish(span: Option<&mut Span>, at: Timestamp) {
    if let Some(span) = span {
        span.finished = Some(at);
    }
}

fn facts(event: &Event) -> Vec<(String, String)> {
    let texts = event
        .data
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    texts.collect()
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
