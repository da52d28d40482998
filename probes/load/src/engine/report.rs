//! What came of a run: plain data for the record, bounded in size.
//!
//! Times of requests are whole microseconds (`_us`), other times are seconds (`_s`) on the run's
//! own clock, whose zero is the start of the first phase.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::PhaseKind;

/// All of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Start of the first phase, UTC.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// From the start of the first phase to the end of the drain.
    pub wall_s: f64,
    /// How the load was made.
    pub model: LoadModel,
    /// `http/1.1` or `h2`.
    pub protocol: String,
    /// TLS version of the first connection: `TLSv1.3`; nothing for plain `http`.
    pub tls: Option<String>,
    /// Addresses of the target that were used.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpAddr>,
    /// Phases that began, in order.
    pub phases: Vec<PhaseReport>,
    /// All measure phases together, all routes.
    pub measured: Tally,
    /// Seconds of measure phases that were run.
    pub measured_s: f64,
    /// Each route over the measure phases, in the order of the scenarios.
    pub routes: Vec<RouteReport>,
    /// Windows over the measure phases, by length and then by time.
    pub windows: Vec<WindowReport>,
    /// One row a second, of all phases and the drain.
    pub series: Vec<Second>,
    /// What the generator knows about itself.
    pub generator: Generator,
    /// When and why the stress was ended early, in words: the target broke, and the recovery
    /// followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stress_ended: Option<String>,
    /// Why the run ended.
    pub ended: Ended,
}

/// How load was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadModel {
    /// A rate, whatever the target does; latency counts from the time at which a request was due.
    Open,
    /// Users that wait for responses: latency hides what a stall keeps from being sent.
    Closed,
    /// Closed without pauses: a search for capacity.
    Max,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Ended {
    /// All phases were run.
    Complete,
    /// The run was interrupted; the numbers are partial.
    Interrupted {
        /// When.
        at_s: f64,
    },
    /// A condition of `abort_on` came true.
    Aborted {
        /// As the user wrote it.
        expr: String,
        /// Value seen.
        value: f64,
        /// When.
        at_s: f64,
    },
    /// The engine stopped by itself.
    SafetyStop {
        /// Reason in words.
        reason: String,
        /// When.
        at_s: f64,
    },
    /// `max_requests` were sent.
    MaxRequests {
        /// When.
        at_s: f64,
    },
    /// The time of the gate was over.
    Deadline {
        /// When.
        at_s: f64,
    },
    /// A worker was lost; the numbers are partial.
    WorkerLost {
        /// Which, and how it ended.
        reason: String,
        /// When.
        at_s: f64,
    },
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseReport {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: PhaseKind,
    /// Start.
    pub at_s: f64,
    /// Length that was asked for.
    pub asked_s: f64,
    /// Length that was run.
    pub ran_s: f64,
    /// Arrivals a second that were asked for (open model).
    pub offered: Option<f64>,
    /// Users that were asked for (closed model).
    pub users: Option<u32>,
    /// Arrivals that were due in the phase (open model) or scenarios begun.
    pub arrivals: u64,
    /// Arrivals that were sent, in the phase or later.
    pub arrivals_sent: u64,
    /// Arrivals that were due and not begun at its end; nothing of a phase that was cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u64>,
    /// Requests that were due in the phase, whenever they ended.
    pub tally: Tally,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteReport {
    /// Name of the step.
    pub name: String,
    /// Its requests in the measure phases.
    pub tally: Tally,
}

/// One window of the measure phases. A request is in the window in which it was due; windows
/// that were cut short are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowReport {
    /// Length.
    pub length_s: f64,
    /// Start, since the start of the first measure phase.
    pub at_s: f64,
    /// All routes.
    pub tally: Tally,
    /// Each route, in the order of `Report::routes`, if there are several.
    pub routes: Vec<Tally>,
}

/// Counts and times of a set of requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tally {
    /// Requests that were due. Denominator of the error rate.
    pub scheduled: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Requests that ended with a good response, whenever that came.
    pub completed: u64,
    /// Good responses that came in this time, or as soon after it as an answer usually takes, to
    /// whatever request: what throughput counts. Nothing where it was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
    /// Requests that failed, by kind.
    pub errors: Errors,
    /// Responses by status, good or not.
    pub statuses: Vec<(u16, u64)>,
    /// Bytes received, heads included (and TLS excluded).
    pub bytes_in: u64,
    /// Bytes sent, likewise.
    pub bytes_out: u64,
    /// Steps that were left out because an earlier one of the scenario failed. They were never
    /// due and count nowhere else.
    pub abandoned: u64,
    /// Responses whose cache headers tell of a hit, of those that were looked at.
    pub cache_hits: u64,
    /// ... of a miss.
    pub cache_misses: u64,
    /// ... of neither.
    pub cache_silent: u64,
    /// From the time at which the request was due to the end of a good response. Errors are left
    /// out, except that a timeout, and a request that was never sent, count with the time at which
    /// they were given up.
    pub response: Distribution,
    /// From the real send to the end of a good response.
    pub service: Distribution,
    /// From the time due to the error, of requests that failed (timeouts included).
    pub error_latency: Distribution,
    /// From the real send to the first byte of a response head.
    pub ttfb: Distribution,
    /// Real send minus time due. In the open model this holds the wait for a free connection.
    pub send_lag: Distribution,
}

impl Tally {
    /// Failed requests of all kinds.
    pub fn failed(&self) -> u64 {
        self.errors.total()
    }

    /// Good responses that came in time.
    pub fn delivered(&self) -> u64 {
        self.delivered.unwrap_or(self.completed)
    }

    /// Good responses that came too late to count for throughput.
    pub fn late(&self) -> u64 {
        self.completed.saturating_sub(self.delivered())
    }

    /// Failed by due; nothing if none was due.
    pub fn error_rate(&self) -> Option<f64> {
        (self.scheduled > 0).then(|| self.failed() as f64 / self.scheduled as f64)
    }
}

/// Failed requests by kind. Each failed request is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Errors {
    /// No connection: refused, unreachable, or the handshake took too long.
    pub connect: u64,
    /// No whole response in time.
    pub timeout: u64,
    /// The connection was reset before the response was whole.
    pub reset: u64,
    /// The connection was closed before the response was whole.
    pub closed: u64,
    /// TLS failed.
    pub tls: u64,
    /// The response is no HTTP.
    pub parse: u64,
    /// A status outside those expected.
    pub status: u64,
    /// A check of the body, or a capture, failed.
    pub check: u64,
    /// The body is longer than `max_body`.
    pub body_too_large: u64,
    /// Due, but never sent before the end: the backlog.
    pub never_sent: u64,
    /// No local port was free for a connection.
    pub port_exhausted: u64,
    /// No file descriptor was free for a connection.
    pub file_limit: u64,
}

impl Errors {
    /// Names and counts of all kinds, zeros included.
    pub fn by_kind(&self) -> [(&'static str, u64); 12] {
        [
            ("connect", self.connect),
            ("timeout", self.timeout),
            ("reset", self.reset),
            ("closed", self.closed),
            ("tls", self.tls),
            ("parse", self.parse),
            ("status", self.status),
            ("check", self.check),
            ("body_too_large", self.body_too_large),
            ("never_sent", self.never_sent),
            ("port_exhausted", self.port_exhausted),
            ("file_limit", self.file_limit),
        ]
    }

    /// Sum of all kinds.
    pub fn total(&self) -> u64 {
        self.by_kind().iter().map(|(_, n)| n).sum()
    }
}

/// A distribution of times in microseconds, from an HDR histogram with three significant digits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Distribution {
    /// Values.
    pub n: u64,
    /// Mean; 0 without values.
    pub mean: f64,
    /// Standard deviation; 0 without values.
    pub stddev: f64,
    /// Pairs of percent and microseconds, ascending: 0, 50, 75, 90, 95, 99, 99.9, 99.99, 100.
    /// Empty without values.
    pub quantiles: Vec<(f64, u64)>,
    /// Counts of the buckets that are not empty, as pairs of the highest value of the bucket and
    /// its count, ascending: for other quantiles and exact confidence intervals. Left out where
    /// only the quantiles are of use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<(u64, u64)>,
}

impl Distribution {
    /// The quantile at `percent` in microseconds: from the table, or else from the counts by
    /// nearest rank. Nothing without values, or where neither tells.
    pub fn at(&self, percent: f64) -> Option<u64> {
        let same = |p: &f64| (p - percent).abs() < 1e-9;
        if let Some((_, us)) = self.quantiles.iter().find(|(p, _)| same(p)) {
            return Some(*us);
        }
        let rank = ((percent / 100.0 * self.n as f64).ceil()).max(1.0);
        let mut seen = 0_u64;
        self.counts.iter().find_map(|(us, n)| {
            seen += n;
            (seen as f64 >= rank).then_some(*us)
        })
    }

    /// The smallest value.
    pub fn min(&self) -> Option<u64> {
        self.at(0.0)
    }

    /// The largest value.
    pub fn max(&self) -> Option<u64> {
        self.at(100.0)
    }
}

/// One second of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Second {
    /// End of the second.
    pub t_s: f64,
    /// Index into `Report::phases`; nothing during the drain.
    pub phase: Option<u32>,
    /// Requests that became due.
    pub scheduled: u64,
    /// Requests sent.
    pub sent: u64,
    /// Good responses.
    pub completed: u64,
    /// Failed requests.
    pub errors: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Open connections at its end.
    pub open: u64,
    /// Requests in flight at its end.
    pub in_flight: u64,
    /// Arrivals due and not sent at its end.
    pub backlog: u64,
    /// P50 of the response time of requests that ended in it; nothing if none did.
    pub p50_us: Option<u64>,
    /// P95, likewise.
    pub p95_us: Option<u64>,
    /// P99, likewise.
    pub p99_us: Option<u64>,
    /// Longest, likewise.
    pub max_us: Option<u64>,
    /// P99 of the send lag that is the generator's own (see `Generator::own_lag`).
    pub lag_p99_us: Option<u64>,
    /// CPU of the busiest worker, as a share of one core.
    pub cpu: f64,
}

/// What the generator knows about itself: facts for the judge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Generator {
    /// Worker processes; 0 when the workers were threads of the gate's own process.
    pub processes: u32,
    /// Worker threads over all processes.
    pub threads: u32,
    /// CPU of each worker thread over the measure phases, as a share of one core. A thread that
    /// shares a core with the target can starve with a low share: see `waiting` too.
    pub cpu: Vec<f64>,
    /// Time that each worker was runnable but had no core, as a share of the measure phases
    /// (`/proc/.../schedstat`); empty where the kernel does not tell.
    pub waiting: Vec<f64>,
    /// Time that the hypervisor took from the machine, as a share of all cores over the measure
    /// phases; nothing where `/proc/stat` does not tell.
    pub steal: Option<f64>,
    /// Idle time of the machine, likewise.
    pub idle: Option<f64>,
    /// Real send minus the later of the time due and the time at which the connection was free:
    /// the generator's own delay, in the measure phases. Large values mean that the generator,
    /// not the target, was slow.
    pub own_lag: Distribution,
    /// Granularity of the pacer.
    pub quantum_us: u64,
    /// Connections.
    pub connections: Connections,
    /// Resident memory of all worker processes at the end in bytes, or that of the gate's process.
    pub rss_bytes: u64,
    /// CPU seconds (user and system) of all workers over the whole run.
    pub cpu_s: f64,
    /// What a reader of the numbers should know, in whole sentences.
    pub notes: Vec<String>,
}

/// Connections of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Connections {
    /// Asked for; 0 without keep-alive, where none is held open.
    pub asked: u64,
    /// Open at the start of the first phase.
    pub ready: u64,
    /// Most open at the end of any second.
    pub peak: u64,
    /// Fewest open at the end of any second of the measure phases.
    pub lowest: u64,
    /// Opened over the whole run, reconnects included.
    pub opened: u64,
    /// Opened again after a connection ended.
    pub reopened: u64,
    /// Attempts that failed, by kind (`connect`, `tls`, `port_exhausted`, `file_limit`). These
    /// are attempts, not requests.
    pub failed: Errors,
    /// Text of the first failure.
    pub first_failure: Option<String>,
    /// Seconds that the connect ramp took.
    pub ramp_s: f64,
    /// From the start of an attempt to an open connection, TLS included.
    pub connect: Distribution,
    /// Source addresses used beside the kernel's own choice.
    #[schemars(with = "Vec<String>")]
    pub sources: Vec<IpAddr>,
}
