//! What to send: plain data, which travels to worker processes as JSON.
//!
//! A [`Spec`] may hold secrets (headers, bodies, a client key): it is never part of the record
//! and its `Debug` prints none of it. What came of it is in [`super::report`].

use std::{collections::BTreeMap, fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

/// Everything that a load run needs to know.
#[derive(Clone, Serialize, Deserialize)]
pub struct Spec {
    /// Where requests go: scheme, host and port. A path in it is put before each target.
    pub base: Url,
    /// Addresses of the host, all of A and AAAA. Empty: the engine resolves the host itself.
    pub addresses: Vec<IpAddr>,
    /// What is sent; one is chosen by weight for each arrival.
    pub scenarios: Vec<Scenario>,
    /// What makes requests due.
    pub shape: Shape,
    /// One after the other, without a pause between them.
    pub phases: Vec<Phase>,
    /// Connections to hold open, over all workers. Closed model: the most users of any phase.
    pub connections: u32,
    /// How they are opened.
    pub connect: Connect,
    /// Which idle connection sends next.
    pub reuse: Reuse,
    /// Off: every request opens a connection of its own, and its latency includes the opening.
    pub keepalive: bool,
    /// HTTP version.
    pub protocol: Protocol,
    /// Details for `https`; nothing means the defaults.
    pub tls: Option<Tls>,
    /// Longest time from the real send to the end of the response.
    pub timeout: Duration,
    /// Granularity of the pacer; [`quantum`] gives the right one for a latency bound.
    pub quantum: Duration,
    /// The run is stopped when the oldest unsent request has been due for longer.
    pub max_backlog: Duration,
    /// How long to wait at the end for requests in flight; those that are still open then are
    /// timeout errors.
    pub drain: Duration,
    /// Most requests a second over all workers, in the closed models; nothing: as many as the target
    /// answers. The open model has its rate.
    pub cap: Option<f64>,
    /// The run ends after so many requests, over all workers.
    pub max_requests: Option<u64>,
    /// Longest response body in bytes, after decoding of chunks. A longer one is an error
    /// (`body_too_large`) and its connection is closed; it is never kept in memory.
    pub max_body: u64,
    /// Longest response body in bytes of a step whose checks or captures look into it: such a body is
    /// kept, one on each connection. The smaller of both holds.
    pub max_kept: u64,
    /// Lengths of the windows in the report, each a whole number of seconds.
    pub windows: Vec<Duration>,
    /// Conditions that stop the run early.
    pub aborts: Vec<Abort>,
    /// Stop when more than half of the requests fail for 10 s, or nothing can be connected.
    pub safety_stop: bool,
    /// Every so many responses, look at the cache headers (`Cache-Status`, `X-Cache`,
    /// `CF-Cache-Status`, `Age`); 0 never does.
    pub cache_every: u32,
    /// Worker processes; nothing: as many as the limit of open files asks for.
    pub processes: Option<u32>,
    /// Worker threads of each process; nothing: as many as rate and cores ask for.
    pub threads: Option<u32>,
    /// Seed of every random choice, so that a run can be repeated.
    pub seed: u64,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("host", &self.base.host_str())
            .field("shape", &self.shape)
            .field("phases", &self.phases)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl Spec {
    /// A spec with the defaults: open model, one `GET` of `target` as route `target`, keep-alive,
    /// 5 s timeout and drain, 1 ms quantum, bodies up to 64 MiB (1 MiB where they are
    /// kept), no windows and no aborts. The caller sets phases and connections.
    pub fn get(base: Url, target: &str) -> Self {
        Self {
            base,
            addresses: Vec::new(),
            scenarios: vec![Scenario {
                name: target.to_owned(),
                weight: 1,
                steps: vec![Step::get(target)],
                data: None,
            }],
            shape: Shape::Open {
                arrivals: Arrivals::Uniform,
            },
            phases: Vec::new(),
            connections: 1,
            connect: Connect::default(),
            reuse: Reuse::Fifo,
            keepalive: true,
            protocol: Protocol::Auto,
            tls: None,
            timeout: Duration::from_secs(5),
            quantum: Duration::from_millis(1),
            max_backlog: Duration::from_secs(60),
            drain: Duration::from_secs(5),
            cap: None,
            max_requests: None,
            max_body: 64 << 20,
            max_kept: 1 << 20,
            windows: Vec::new(),
            aborts: Vec::new(),
            safety_stop: true,
            cache_every: 0,
            processes: None,
            threads: None,
            seed: 1,
        }
    }
}

/// The pacer's granularity for the tightest latency bound: a hundredth of it, within 100 us to 1 ms.
pub fn quantum(tightest: Option<Duration>) -> Duration {
    tightest
        .map_or(Duration::from_millis(1), |bound| bound / 100)
        .clamp(Duration::from_micros(100), Duration::from_millis(1))
}

/// What makes a request due.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A rate, whatever the target does (`Phase::rate`).
    Open {
        /// How arrivals are spread.
        arrivals: Arrivals,
    },
    /// Users, each with one connection, that wait for the response, think, and go on
    /// (`Phase::users`).
    Closed {
        /// Pause between the end of one scenario and the start of the next.
        think: Duration,
    },
    /// Every connection sends again at once: a search for capacity.
    Max,
}

/// Spread of arrivals in the open model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly spaced.
    Uniform,
    /// Independent: exponential gaps, seeded.
    Poisson,
}

/// A stretch of time with one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Unique name for the report: `warm-up`, `measure`, `stress 1`.
    pub name: String,
    /// What it is for.
    pub kind: PhaseKind,
    /// Arrivals a second over all workers (open model). An arrival starts one scenario, so with
    /// scenarios of one step this is requests a second.
    pub rate: Option<f64>,
    /// Active users over all workers (closed model); nothing: all connections.
    pub users: Option<u32>,
    /// Its length.
    pub duration: Duration,
}

/// What a phase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// Reported, not gated.
    WarmUp,
    /// What the bounds are about.
    Measure,
    /// More load than asked for, to find the knee.
    Stress,
    /// The measured load again after stress, to see the target recover.
    Recovery,
}

/// How connections are opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connect {
    /// New connections a second over all workers; nothing: as fast as they open.
    pub rate: Option<f64>,
    /// Most attempts in flight at once over all workers.
    pub in_flight: u32,
    /// Longest time for TCP and TLS handshake together.
    pub timeout: Duration,
    /// Source addresses. Empty: chosen by the kernel, or `127.0.1.x` where a loopback target
    /// needs several.
    pub sources: Vec<IpAddr>,
    /// The load starts without the missing connections after this time.
    pub ramp_limit: Duration,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            rate: None,
            in_flight: 1_000,
            timeout: Duration::from_secs(5),
            sources: Vec::new(),
            ramp_limit: Duration::from_secs(120),
        }
    }
}

/// Which idle connection sends next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// The one idle for longest: all connections are used.
    Fifo,
    /// The one used last: few are, which flatters the target.
    Lifo,
}

/// HTTP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1, which whoever speaks HTTP/2 speaks as well.
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; over plain TCP with prior knowledge.
    Http2 {
        /// Streams in flight on each connection.
        streams: u32,
    },
}

/// TLS beyond the defaults.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Tls {
    /// Server name, if it is not the host of the base URL.
    pub sni: Option<String>,
    /// Certificates (PEM) to trust beside the system's.
    pub ca_pem: Option<String>,
    /// Client certificate chain (PEM).
    pub client_cert_pem: Option<String>,
    /// Its key (PEM).
    pub client_key_pem: Option<String>,
    /// Accept any certificate.
    pub insecure: bool,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("sni", &self.sni)
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

/// A condition that stops the run, looked at once a second on the merged counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Abort {
    /// How the user wrote it; named in the report.
    pub expr: String,
    /// What is compared.
    pub metric: AbortMetric,
    /// The run stops when the metric is above (`true`) or below (`false`) the bound.
    pub above: bool,
    /// Bound in the metric's unit: seconds for latencies, a ratio for the error rate.
    pub bound: f64,
    /// Over the last so many seconds; nothing: since the start of the measure phase.
    pub window: Option<Duration>,
    /// Not before so long after the start of the measure phase.
    pub after: Duration,
    /// Only this route; nothing: all.
    pub route: Option<String>,
}

/// What an [`Abort`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbortMetric {
    /// Errors of all kinds by requests due.
    ErrorRate,
    /// Quantile of the response time; `percent` of 95 is P95.
    Latency {
        /// 0 to 100.
        percent: f64,
    },
    /// Good responses a second.
    Throughput,
}

/// A sequence of requests, with one connection and one set of variables.
#[derive(Clone, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Share of arrivals relative to the other scenarios; at least 1.
    pub weight: u32,
    /// Requests in order. When one fails, the rest is left out (and counted as abandoned).
    pub steps: Vec<Step>,
    /// Rows of variables; each iteration takes the next row, from the start again at the end.
    pub data: Option<Rows>,
}

/// Rows of a data file.
#[derive(Clone, Serialize, Deserialize)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values, each row as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// One request.
#[derive(Clone, Serialize, Deserialize)]
pub struct Step {
    /// Name of the route in the report. Steps with the same name are counted together.
    pub name: String,
    /// HTTP method, upper case.
    pub method: String,
    /// Path and query.
    pub target: Template,
    /// Headers in order. `Host`, `User-Agent` and `Accept` have defaults; `Content-Length` and
    /// `Connection` are the engine's.
    pub headers: Vec<(String, Template)>,
    /// Body; nothing sends none.
    pub body: Option<Template>,
    /// What the body of the response must satisfy.
    pub checks: Vec<BodyCheck>,
    /// Statuses that are no error.
    pub status: StatusSet,
    /// What to take from the response for later steps.
    pub captures: Vec<Capture>,
    /// Pause before the next step.
    pub pause: Duration,
}

impl Step {
    /// A `GET` of `target`, with the defaults.
    pub fn get(target: &str) -> Self {
        Self {
            name: target.to_owned(),
            method: "GET".to_owned(),
            target: Template(target.to_owned()),
            headers: Vec::new(),
            body: None,
            checks: Vec::new(),
            status: StatusSet::default(),
            captures: Vec::new(),
            pause: Duration::ZERO,
        }
    }
}

/// Text with variables: `/users/{{id}}`.
///
/// Variables are columns of the scenario's data, captures of earlier steps, and
/// `{{$iteration}}` (number of the iteration, from 0, unique over all workers),
/// `{{$random}}` (a random integer below 2^32). There is no escape for `{{`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(pub String);

impl Template {
    /// Names of its variables in order. An unclosed `{{` is an error with its byte offset.
    pub fn variables(&self) -> Result<Vec<&str>, usize> {
        let mut names = Vec::new();
        let mut rest = self.0.as_str();
        while let Some(open) = rest.find("{{") {
            let at = self.0.len() - rest.len() + open;
            let close = rest[open..].find("}}").ok_or(at)?;
            names.push(rest[open + 2..open + close].trim());
            rest = &rest[open + close + 2..];
        }
        Ok(names)
    }
}

/// Names that every template may use beside data columns and captures.
pub const BUILT_IN_VARIABLES: [&str; 2] = ["$iteration", "$random"];

/// Statuses that are no error, as inclusive ranges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSet(pub Vec<(u16, u16)>);

impl Default for StatusSet {
    /// 200 to 399.
    fn default() -> Self {
        Self(vec![(200, 399)])
    }
}

impl StatusSet {
    /// Whether `status` is in it.
    pub fn has(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&status))
    }
}

/// What the body of a response must satisfy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyCheck {
    /// It contains this text.
    Contains(String),
    /// It does not contain this text.
    Lacks(String),
    /// It matches this regular expression (crate `regex`).
    Matches(String),
    /// The JSON value at this pointer (RFC 6901) is this.
    Json {
        /// `/items/0/id`; empty for the whole document.
        pointer: String,
        /// Expected value; nothing: it must exist.
        equals: Option<serde_json::Value>,
    },
    /// Its length in bytes is within these, inclusive.
    Length {
        /// Shortest.
        min: u64,
        /// Longest.
        max: Option<u64>,
    },
}

/// A value taken from a response. One that cannot be taken is an error (`check`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// Name of the variable.
    pub name: String,
    /// Where it comes from.
    pub from: CaptureFrom,
}

/// Where a captured value comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFrom {
    /// JSON pointer (RFC 6901) into the body; texts are taken without quotes, others as JSON.
    Json(String),
    /// A response header, by name; the first if there are several.
    Header(String),
    /// First group of a regular expression over the body, or the whole match without a group.
    Regex(String),
}

/// Constant variables for tests and callers that build rows by hand.
impl Rows {
    /// One row of names and values.
    pub fn of(values: &BTreeMap<String, String>) -> Self {
        Self {
            columns: values.keys().cloned().collect(),
            rows: vec![values.values().cloned().collect()],
        }
    }
}
