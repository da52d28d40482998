//! The lines that the master writes, one a second, read while it runs.

use std::path::PathBuf;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::facts::{POINTS, Point};

/// An hour has 3,600 lines of some 200 bytes.
const MOST: usize = 100_000;
/// Read at once.
const CHUNK: u64 = 1024 * 1024;

/// What was read so far.
pub(super) struct Series {
    path: PathBuf,
    at: u64,
    rest: Vec<u8>,
    points: Vec<Point>,
    p95: Option<f64>,
    began: bool,
    start: Option<f64>,
    told: usize,
}

impl Series {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            at: 0,
            rest: Vec::new(),
            points: Vec::new(),
            p95: None,
            began: false,
            start: None,
            told: 0,
        }
    }

    /// Reads what is new. The file may not be there yet.
    pub(super) async fn read(&mut self) {
        let Ok(mut file) = tokio::fs::File::open(&self.path).await else {
            return;
        };
        if file.seek(std::io::SeekFrom::Start(self.at)).await.is_err() {
            return;
        }
        let mut new = Vec::new();
        let Ok(n) = file.take(CHUNK).read_to_end(&mut new).await else {
            return;
        };
        self.at += n as u64;
        self.rest.extend(new);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if let Ok(value) = serde_json::from_slice(&line) {
                self.push(&value);
            }
        }
    }

    fn push(&mut self, line: &Value) {
        let count = |key: &str| line.get(key).and_then(Value::as_u64).unwrap_or(0);
        let at = line.get("t").and_then(Value::as_f64).unwrap_or(0.0);
        let phase = line
            .get("phase")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let start = *self.start.get_or_insert(at);
        self.began |= phase != "waiting";
        self.p95 = line.get("p95").and_then(Value::as_f64);
        if self.points.len() < MOST {
            self.points.push(Point {
                t: ((at - start) * 10.0).round() / 10.0,
                phase: readygate_reports::clip(phase, 20),
                users: count("users"),
                workers: count("workers"),
                requests: count("requests"),
                failures: count("failures"),
            });
        }
    }

    pub(super) fn last(&self) -> Option<&Point> {
        self.points.last()
    }

    /// Whether users were started.
    pub(super) fn began(&self) -> bool {
        self.began
    }

    /// A line for the person who watches, where there is news.
    pub(super) fn news(&mut self) -> Option<String> {
        if self.told == self.points.len() {
            return None;
        }
        self.told = self.points.len();
        let last = self.points.last()?;
        let p95 = self
            .p95
            .map_or_else(String::new, |ms| format!(", p95 {ms} ms"));
        Some(format!(
            "Locust {}: {} users on {} workers, {} requests, {} failed{p95}",
            last.phase, last.users, last.workers, last.requests, last.failures
        ))
    }

    /// Fewest while it measured, and most.
    pub(super) fn users(&self) -> (Option<u64>, Option<u64>) {
        let measured = self.points.iter().filter(|p| p.phase == "measure");
        let least = measured.map(|p| p.users).min();
        (least, self.points.iter().map(|p| p.users).max())
    }

    /// Most workers at a time.
    pub(super) fn workers(&self) -> u64 {
        self.points.iter().map(|p| p.workers).max().unwrap_or(0)
    }

    /// At most 120 points, the last one among them.
    pub(super) fn thinned(&self) -> Vec<Point> {
        let step = self.points.len().div_ceil(POINTS).max(1);
        let kept = self.points.iter().rev().step_by(step).cloned();
        let mut kept: Vec<Point> = kept.collect();
        kept.reverse();
        kept
    }
}
