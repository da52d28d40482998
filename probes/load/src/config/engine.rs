//! How much load, for how long, over which connections.

use std::{net::IpAddr, path::PathBuf};

use readygate_sdk::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;

/// Requests at a rate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenLoad {
    /// Arrivals a second. Each starts a scenario; with one request in it, these are requests a second.
    pub rate: Option<Rate>,
    /// How long it is measured, warm-up apart.
    #[serde(rename = "for")]
    pub length: Option<Period>,
    /// Rates one after the other, in place of `rate` and `for`.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Connections to hold open; when left out, as many as the rate needs at the latency of `expect`,
    /// at least 64.
    pub connections: Option<u32>,
    /// Time over which the connections are opened, before anything is sent; as fast as they open
    /// when left out.
    pub ramp: Option<Period>,
    /// The same load before the measured one; reported and not judged.
    pub warmup: Option<Period>,
    /// How arrivals are spread.
    #[serde(default)]
    pub arrivals: Spread,
}

/// One of several rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Arrivals a second.
    pub rate: Rate,
    /// How long.
    #[serde(rename = "for")]
    pub length: Period,
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// Evenly.
    #[default]
    Uniform,
    /// Independently of each other, as those of many users are.
    Poisson,
}

/// Users that wait.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserLoad {
    /// Users, each with a connection of its own.
    pub count: Option<u32>,
    /// How long it is measured, warm-up apart.
    #[serde(rename = "for")]
    pub length: Option<Period>,
    /// Numbers of users one after the other, in place of `count` and `for`.
    #[serde(default)]
    pub stages: Vec<UserStage>,
    /// Pause of a user between two scenarios; none when left out.
    pub think: Option<Period>,
    /// Time over which the connections are opened.
    pub ramp: Option<Period>,
    /// The same load before the measured one; reported and not judged.
    pub warmup: Option<Period>,
}

/// One of several numbers of users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserStage {
    /// Users.
    pub count: u32,
    /// How long.
    #[serde(rename = "for")]
    pub length: Period,
}

/// As fast as the target answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxLoad {
    /// Connections, each of which sends again as soon as it has its response.
    pub connections: u32,
    /// How long it is measured, warm-up apart.
    #[serde(rename = "for")]
    pub length: Period,
    /// Time over which the connections are opened.
    pub ramp: Option<Period>,
    /// The same load before the measured one; reported and not judged.
    pub warmup: Option<Period>,
}

/// More and more load after the measured one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stress {
    /// Steps, 1 to 20.
    pub steps: u32,
    /// Each step is so many times the one before; 1.2 unless said otherwise.
    #[serde(default = "factor")]
    pub factor: f64,
    /// Length of each step.
    #[serde(rename = "for")]
    pub length: Period,
    /// Time in which the latency of the measured load must be back, under the measured load, after
    /// the last step. Not looked at when left out.
    pub recover_within: Option<Period>,
}

const fn factor() -> f64 {
    1.2
}

/// A reason to stop early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbortOn {
    /// `error_rate`, `throughput`, `latency.p95` or another percentile; `routes.NAME.` before it for
    /// one route.
    pub metric: String,
    /// Stop when it is above: `5%`, `2s`, `100/s`.
    pub above: Option<String>,
    /// Stop when it is below.
    pub below: Option<String>,
    /// Over the last so many seconds; since the start when left out.
    pub window: Option<Period>,
    /// Not before so long after the start of the measured load; 10s unless said otherwise.
    pub after: Option<Period>,
}

/// How much load a target may get.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Requests a second that come due, stress included; after a stall of the target the backlog is
    /// caught up as fast as `connections` allow. `max`, and `users` without think time, are held to it.
    pub rate: Option<Rate>,
    /// Connections.
    pub connections: Option<u32>,
}

/// Connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sockets {
    /// Addresses of this machine to connect from. One address reaches one port of the target with
    /// some 28,000 connections, and slows down from 14,000 on.
    #[serde(default)]
    pub source_ips: Vec<IpAddr>,
    /// Whether a connection serves many requests; true unless said otherwise.
    pub keepalive: Option<bool>,
    /// Which idle connection sends next.
    #[serde(default)]
    pub reuse: Reuse,
    /// Version of HTTP.
    #[serde(default)]
    pub protocol: Wire,
    /// Streams in flight on each connection of HTTP/2; 100 unless said otherwise, and 1 with `users`.
    pub streams: Option<u32>,
    /// Worker processes; when left out, as many as the limit of open files asks for.
    pub processes: Option<u32>,
    /// Worker threads of each process; when left out, as many as rate and cores ask for.
    pub threads: Option<u32>,
}

/// Which idle connection sends next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reuse {
    /// The one idle for longest, so that all are used.
    #[default]
    Fifo,
    /// The one used last, so that few are: it flatters the target.
    Lifo,
}

/// Version of HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// HTTP/1.1, which whoever speaks HTTP/2 speaks as well.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, over plain TCP with prior knowledge.
    Http2,
}

/// TLS beyond the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Server name, if it is not the host of the URL.
    pub sni: Option<String>,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
    /// A PEM file with the client certificate and its chain.
    pub client_cert: Option<PathBuf>,
    /// A PEM file with its key.
    pub client_key: Option<PathBuf>,
    /// Accepts any certificate. The check `load/insecure` says so.
    #[serde(default)]
    pub insecure: bool,
}
