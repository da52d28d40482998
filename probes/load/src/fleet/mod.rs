//! What Locust and k6 share: what to send, as it is written in the config and in generated files,
//! and child processes that are watched side by side.

pub(crate) mod children;
pub(crate) mod config;
pub(crate) mod request;

use readygate_reports::gather::FileFacts;
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{
    config::LoadConfig,
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

/// A measurement without imported files, to which `driven` and facts are added.
pub(crate) fn measurement(config: &LoadConfig, cx: &Cx, driven: Driven) -> LoadMeasurement {
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
        source: config.source,
        command: None,
        commit: None,
        gaps: readygate_reports::gather::Gaps::default(),
        files_total: files.len() as u64,
        files,
        total: Some(driven.total),
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
    written.map_err(|e| ProbeError::new(ErrorKind::Internal, tool, "writing the test of the run", e))
}
