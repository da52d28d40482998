//! Every metric, in the order of the documentation.

use readygate_sdk::{MetricSpec, Unit};

use crate::observe;

/// Metrics of one route, behind `routes.NAME.`.
pub(crate) const ROUTE: [&str; 11] = [
    "requests",
    "throughput",
    "error_rate",
    "latency.mean",
    "latency.p50",
    "latency.p75",
    "latency.p90",
    "latency.p95",
    "latency.p99",
    "latency.p99_9",
    "latency.max",
];

/// Every metric.
pub(crate) const SPECS: &[MetricSpec] = &[
    MetricSpec::new(
        "requests",
        Unit::Count,
        "Requests that ended, with a response or an error",
    ),
    MetricSpec::new(
        "throughput",
        Unit::PerSecond,
        "Requests in a second; where this probe makes the load, or drives Locust or k6, those with a good response",
    ),
    MetricSpec::new(
        "error_rate",
        Unit::Percent,
        "Failed requests among all that were due: no response, a status outside 200 to 399 or `expect_status`, a failed check, never sent",
    ),
    MetricSpec::new("latency.mean", Unit::Seconds, "Mean latency"),
    MetricSpec::new("latency.p50", Unit::Seconds, "Median latency"),
    MetricSpec::new("latency.p75", Unit::Seconds, "75th percentile of latency"),
    MetricSpec::new("latency.p90", Unit::Seconds, "90th percentile of latency"),
    MetricSpec::new("latency.p95", Unit::Seconds, "95th percentile of latency"),
    MetricSpec::new("latency.p99", Unit::Seconds, "99th percentile of latency"),
    MetricSpec::new(
        "latency.p99_9",
        Unit::Seconds,
        "99.9th percentile of latency; `latency.p99.9` is understood",
    ),
    MetricSpec::new("latency.max", Unit::Seconds, "Longest latency"),
    MetricSpec::new(
        "latency.stddev",
        Unit::Seconds,
        "Standard deviation of latency",
    ),
    MetricSpec::new("duration", Unit::Seconds, "Length of the measured load"),
    MetricSpec::new("users", Unit::Count, "Most users or connections at a time"),
    MetricSpec::new(
        "thresholds.failed",
        Unit::Count,
        "Import: thresholds of the tool's own that did not hold",
    ),
    MetricSpec::new(
        "files",
        Unit::Count,
        "Import: result files read, duplicates left out",
    ),
    MetricSpec::new(
        "command.duration",
        Unit::Seconds,
        "Import: time that the load tool took",
    ),
    MetricSpec::new(
        "command.exit_code",
        Unit::Count,
        "Import: exit code of the load tool",
    ),
    MetricSpec::new(
        "offered",
        Unit::PerSecond,
        "Engine: arrivals a second that were asked for",
    ),
    MetricSpec::new("errors", Unit::Count, "Engine: failed requests"),
    MetricSpec::new(
        "errors.*",
        Unit::Count,
        "Engine: failed requests by kind: connect, timeout, reset, closed, tls, parse, status, check, body_too_large, never_sent, port_exhausted, file_limit",
    ),
    MetricSpec::new(
        "timeouts",
        Unit::Count,
        "Engine: requests without a whole response in time",
    ),
    MetricSpec::new(
        "bytes_rate",
        Unit::BytesPerSecond,
        "Engine: bytes received in a second",
    ),
    MetricSpec::new(
        "service.p50",
        Unit::Seconds,
        "Engine: median time from the real send to the end of the response",
    ),
    MetricSpec::new(
        "service.p95",
        Unit::Seconds,
        "Engine: 95th percentile of the time from the real send to the end of the response",
    ),
    MetricSpec::new(
        "service.p99",
        Unit::Seconds,
        "Engine: 99th percentile of the time from the real send to the end of the response",
    ),
    MetricSpec::new(
        "ttfb.p50",
        Unit::Seconds,
        "Engine: median time from the real send to the first byte",
    ),
    MetricSpec::new(
        "ttfb.p95",
        Unit::Seconds,
        "Engine: 95th percentile of the time from the real send to the first byte",
    ),
    MetricSpec::new(
        "ttfb.p99",
        Unit::Seconds,
        "Engine: 99th percentile of the time from the real send to the first byte",
    ),
    MetricSpec::new(
        "send_lag.p99",
        Unit::Seconds,
        "Engine: 99th percentile of the delay that the generator itself added",
    ),
    MetricSpec::new(
        "backlog.max",
        Unit::Count,
        "Engine: most requests that were due and not sent",
    ),
    MetricSpec::new(
        "connections.open",
        Unit::Count,
        "Engine: fewest connections open at the end of any second of the measured load",
    ),
    MetricSpec::new(
        "connections.failed",
        Unit::Count,
        "Engine: attempts to connect that failed",
    ),
    MetricSpec::new(
        "connections.reopened",
        Unit::Count,
        "Engine: connections that had to be opened again",
    ),
    MetricSpec::new(
        "connect.p95",
        Unit::Seconds,
        "Engine: 95th percentile of the time to open a connection, TLS included",
    ),
    MetricSpec::new(
        "stress.knee",
        Unit::PerSecond,
        "Engine: highest load that still held",
    ),
    MetricSpec::new(
        "stress.recovery",
        Unit::Seconds,
        "Engine: time after the stress until the P95 of the measured load was back",
    ),
    MetricSpec::new(
        "client.cpu",
        Unit::Percent,
        "Engine: share of a core that the busiest worker used or waited for",
    ),
    MetricSpec::new(
        "client.memory",
        Unit::Bytes,
        "Engine: resident memory of the generator at the end",
    ),
    MetricSpec::new(
        "routes.*",
        Unit::Count,
        "Engine: `routes.NAME.` before requests, throughput, error_rate, and the latency metrics but stddev",
    ),
    observe::SPECS[0],
    observe::SPECS[1],
    observe::SPECS[2],
    observe::SPECS[3],
    observe::SPECS[4],
    observe::SPECS[5],
];
