//! What Locust and k6 share: what to send, as it is written in the config and in generated files,
//! and child processes that are watched side by side.

pub(crate) mod children;
pub(crate) mod config;
pub(crate) mod request;

use readygate_reports::gather::FileFacts;
use readygate_sdk::{
    Activity, Checks, ConfigError, Cx, ErrorKind, Footprint, ProbeError, process::Ended,
};

use crate::{
    config::{LoadConfig, SourceKind, check_shape, rate::per_second},
    k6::config::K6Config,
    measurement::{Imported, LoadMeasurement, LoadResult},
};

/// Metrics of a result, which are absent together where a run is void.
pub(crate) const METRICS: [&str; 12] = [
    "requests",
    "throughput",
    "error_rate",
    "latency",
    "latency.mean",
    "latency.p50",
    "latency.p90",
    "latency.p95",
    "latency.p99",
    "latency.max",
    "duration",
    "users",
];

/// What a tool that was driven brought back.
pub(crate) struct Driven {
    /// By result file: one of Locust, one of each segment of k6.
    pub parts: Vec<(String, LoadResult)>,
    /// All together.
    pub total: LoadResult,
}

/// Finds blocks that contradict the source.
pub(crate) fn blocks(config: &LoadConfig, error: &mut ConfigError) {
    let blocks = [
        ("locust", SourceKind::Locust, config.locust.is_some()),
        ("k6", SourceKind::K6, config.k6.is_some()),
    ];
    for (name, kind, given) in blocks {
        let asked = config.source() == kind;
        if asked && !given {
            let message = format!("`source: {name}` has no block `{name}` that says what to send");
            let hint = Some("add `url`, `users`, `rate` and `for` under it");
            error.add("/source", message, hint);
        }
        if given && !asked {
            let hint = format!("write `source: {name}`, or leave the block out");
            error.add(format!("/{name}"), "the source is another", Some(&hint));
        }
    }
}

/// Finds what cannot work in the block of the tool, and what the target does not allow.
pub(crate) fn validate(config: &LoadConfig, error: &mut ConfigError) {
    if let Some(locust) = &config.locust {
        crate::locust::config::validate(locust, error);
        let think = locust
            .think
            .map(|think| f64::from(locust.users) / think.0.as_secs_f64());
        let rate = locust.rate.map(|rate| rate.0).or(think);
        check_shape::fits("/locust", rate, locust.users, config, error);
    }
    if let Some(k6) = &config.k6 {
        crate::k6::config::validate(k6, error);
        check_shape::fits("/k6", k6.rate.map(|rate| rate.0), k6.vus(), config, error);
        if k6.rate.is_none() {
            held(k6, config, error);
        }
    }
}

/// Users of k6 without a rate send as fast as the target answers: they are held to what it may get.
fn held(k6: &K6Config, config: &LoadConfig, error: &mut ConfigError) {
    check_shape::unpaced("/k6", "users without `rate` send", config, error);
    let allowed = check_shape::allowed(config).rate;
    if k6.each(allowed) == 0 {
        let message = format!(
            "{} segments cannot share {}: each is held to whole requests in a second",
            k6.segments,
            per_second(allowed)
        );
        error.add("/k6/segments", message, Some("use fewer segments"));
    }
}

/// What a run touches.
pub(crate) fn footprint(config: &LoadConfig) -> Footprint {
    let locust = config.locust.as_ref().map(|c| (c.sent(), c.longest()));
    let k6 = config.k6.as_ref().map(|c| (c.sent(), c.longest()));
    let (contacts, credentials, duration) = match locust.or(k6) {
        Some((sent, longest)) => (
            request::contacts(sent),
            sent.headers.keys().cloned().collect(),
            Some(longest),
        ),
        None => (Vec::new(), Vec::new(), None),
    };
    Footprint {
        contacts,
        credentials,
        activity: Activity::Disruptive,
        duration,
    }
}

/// Drives the tool that is configured.
pub(crate) async fn measure(config: &LoadConfig, cx: &Cx) -> Result<LoadMeasurement, ProbeError> {
    if let Some(locust) = &config.locust {
        return crate::locust::measure(locust, cx).await;
    }
    if let Some(k6) = &config.k6 {
        return crate::k6::measure(k6, check_shape::allowed(config).rate, cx).await;
    }
    let message = "neither `locust` nor `k6` says what to send";
    Err(ProbeError::new(
        ErrorKind::NoData,
        "the gate",
        "reading the config",
        message,
    ))
}

/// Judges how the tools were driven, by what the gate asks for.
pub(crate) fn judge(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
    crate::locust::judge::judge(config.locust.as_ref(), measurement, checks);
    crate::k6::judge::judge(config.k6.as_ref(), measurement, checks);
}

/// Why the numbers are not those of the run that was asked for.
pub(crate) fn void(measurement: &LoadMeasurement) -> Option<String> {
    let locust = measurement
        .locust
        .as_ref()
        .and_then(crate::locust::facts::LocustFacts::void);
    locust.or_else(|| measurement.k6.as_ref()?.void())
}

/// The `TestRun` of the k6-operator for a gate of this name, as YAML.
///
/// # Errors
/// The gate is not one of k6, or a path has no target to resolve it against.
pub fn manifest(gate: &str, config: &LoadConfig, target: Option<&str>) -> Result<String, String> {
    let none = || "its source is not k6: add a block `k6` to the gate".to_owned();
    let k6 = config.k6.as_ref().ok_or_else(none)?;
    crate::k6::manifest::manifest(gate, k6, check_shape::allowed(config).rate, target)
}

/// How a process ended, as a sentence goes on.
pub(crate) fn said(ended: Ended) -> String {
    match ended {
        Ended::Code(_) => format!("ended with {ended}"),
        Ended::Signal(_) => format!("was {ended}"),
    }
}

/// A measurement without imported files, to which `driven` and facts are added.
pub(crate) fn measurement(source: SourceKind, cx: &Cx, driven: Driven) -> LoadMeasurement {
    let now = cx.now();
    let files: Vec<Imported> = driven
        .parts
        .into_iter()
        .map(|(path, result)| Imported {
            file: FileFacts {
                path,
                encoding: "UTF-8".to_owned(),
                bytes: 0,
                modified: now,
                before_run: false,
            },
            result,
        })
        .collect();
    LoadMeasurement {
        measured_at: now,
        source,
        command: None,
        commit: None,
        gaps: readygate_reports::gather::Gaps::default(),
        files_total: files.len() as u64,
        files,
        total: Some(driven.total),
        observed: None,
        engine: None,
        locust: None,
        k6: None,
    }
}

/// Refuses a run that the deadline of the gate would cut off.
pub(crate) fn fits(cx: &Cx, tool: &str, needed: std::time::Duration) -> Result<(), ProbeError> {
    if needed <= cx.remaining() {
        return Ok(());
    }
    let seconds = |duration: std::time::Duration| {
        readygate_sdk::Unit::Seconds.format(duration.as_secs_f64().ceil())
    };
    Err(ProbeError::new(
        ErrorKind::Timeout,
        tool,
        "planning the run",
        format!(
            "the run needs up to {} and the gate has {} left; no request was sent",
            seconds(needed),
            seconds(cx.remaining())
        ),
    )
    .hint(format!(
        "set `timeout: {}s` or more on the gate",
        (needed.as_secs_f64() * 1.1).ceil()
    )))
}

/// Reads a JSON file that a generated script wrote; nothing when it is not there.
pub(crate) async fn read_json(path: std::path::PathBuf) -> Option<serde_json::Value> {
    /// Buckets of three digits for thousands of routes stay far below.
    const LARGEST: u64 = 64 * 1024 * 1024;
    let size = tokio::fs::metadata(&path).await.ok()?.len();
    if size > LARGEST {
        return None;
    }
    let bytes = tokio::fs::read(&path).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// A file of the run, for its own eyes only: it may hold what users send.
pub(crate) fn scratch(tool: &str) -> Result<tempfile::TempDir, ProbeError> {
    let made = tempfile::Builder::new().prefix("readygate-load-").tempdir();
    made.map_err(|e| ProbeError::new(ErrorKind::Internal, tool, "making a folder for the run", e))
}

/// Writes a generated file.
pub(crate) async fn write(
    path: &std::path::Path,
    text: &str,
    tool: &str,
) -> Result<(), ProbeError> {
    let written = tokio::fs::write(path, text).await;
    written
        .map_err(|e| ProbeError::new(ErrorKind::Internal, tool, "writing the test of the run", e))
}
