//! readygate: one run of its load engine, and its reading of what a peer wrote.

use std::{path::Path, process::Command, time::Duration};

use nix::unistd::Pid;
use serde_json::Value;

use super::{
    Bench,
    run::{self, Ran},
};

/// What a run of the `load` probe says.
#[derive(Debug)]
pub struct Said {
    json: Value,
}

impl Said {
    fn parse(text: &str) -> Result<Self, String> {
        let json = serde_json::from_str(text).map_err(|e| format!("{e}: {text}"))?;
        Ok(Self { json })
    }

    /// A metric in its own unit (seconds, percent); not a number where it is absent.
    pub fn metric(&self, name: &str) -> f64 {
        let metric = &self.json["metrics"][name];
        metric["value"].as_f64().unwrap_or(f64::NAN)
    }

    /// `passed`, `failed` or `unmeasured`.
    pub fn outcome(&self) -> &str {
        self.json["outcome"].as_str().unwrap_or("no outcome")
    }

    /// The engine's own report, wherever the record keeps it.
    fn report(&self) -> &Value {
        find(&self.json["measurement"]).unwrap_or(&Value::Null)
    }

    /// A number of the report, by JSON pointer.
    pub fn number(&self, pointer: &str) -> f64 {
        let found = self.report().pointer(pointer);
        found.and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// A quantile of a distribution of the report, in seconds.
    pub fn quantile(&self, distribution: &str, percent: f64) -> f64 {
        let all = self.report().pointer(&format!("{distribution}/quantiles"));
        let pairs = all.and_then(Value::as_array).into_iter().flatten();
        let mut pairs = pairs.filter_map(|pair| Some((pair[0].as_f64()?, pair[1].as_f64()?)));
        let found = pairs.find(|(p, _)| (p - percent).abs() < 1e-9);
        found.map_or(f64::NAN, |(_, micros)| micros / 1e6)
    }

    /// The metrics that peers have too, from the report of the engine.
    pub fn figure(&self, metric: &str) -> f64 {
        match metric {
            "requests" => self.number("/measured/completed"),
            "throughput" => self.number("/measured/completed") / self.number("/measured_s"),
            "latency.p50" => self.quantile("/measured/response", 50.0),
            "latency.p95" => self.quantile("/measured/response", 95.0),
            "latency.p99" => self.quantile("/measured/response", 99.0),
            "latency.max" => self.quantile("/measured/response", 100.0),
            _ => self.metric(metric),
        }
    }

    /// Failed requests of those that were due, in percent.
    pub fn error_percent(&self) -> f64 {
        let errors = self.report()["measured"]["errors"].as_object();
        let failed = errors.map(|kinds| kinds.values().filter_map(Value::as_f64).sum::<f64>());
        failed.unwrap_or(f64::NAN) * 100.0 / self.number("/measured/scheduled")
    }

    /// Requests of all phases, warm-up included: what the CPU time was spent on.
    pub fn sent(&self) -> f64 {
        let phases = self.report()["phases"].as_array().into_iter().flatten();
        phases
            .filter_map(|phase| phase["tally"]["sent"].as_f64())
            .sum()
    }

    /// Requests sent in a second, by the clock of the engine, over all whole seconds but the first.
    pub fn sent_rate(&self) -> f64 {
        let rows = self.report()["series"].as_array().into_iter().flatten();
        let rows: Vec<(f64, f64)> = rows
            .filter(|row| !row["phase"].is_null())
            .filter_map(|row| Some((row["t_s"].as_f64()?, row["sent"].as_f64()?)))
            .collect();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return f64::NAN;
        };
        rows[1..].iter().map(|(_, sent)| sent).sum::<f64>() / (last.0 - first.0)
    }

    /// Fewest connections that were open while it was measured.
    pub fn open(&self) -> f64 {
        let at_start = self.number("/generator/connections/ready");
        at_start.min(self.number("/generator/connections/lowest"))
    }

    /// The message of the first check that did not pass, for a person.
    pub fn complaint(&self) -> String {
        let checks = self.json["checks"].as_array();
        let bad = checks
            .into_iter()
            .flatten()
            .find(|check| check["outcome"] != "passed" && check["level"] != "warning");
        let message = bad.map(|check| &check["message"]);
        let text = message
            .or(Some(&self.json["reason"]))
            .and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }
}

/// The part of a record that is a report of the engine.
fn find(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(map) if map.contains_key("generator") && map.contains_key("measured") => {
            Some(value)
        }
        Value::Object(map) => map.values().find_map(find),
        Value::Array(all) => all.iter().find_map(find),
        _ => None,
    }
}

/// A run of the engine.
pub struct Run {
    pub ran: Ran,
    pub said: Said,
}

/// Settings of one gate.
pub struct Gate {
    pub url: String,
    /// `open={...}`, `max={...}`, and whatever else.
    pub settings: Vec<String>,
    pub expect: Vec<String>,
    /// Seconds that it should take, with connecting and draining.
    pub limit: u64,
}

/// Runs the engine on the core of the client.
pub fn run(bench: &Bench<'_>, gate: &Gate, server: Option<Pid>) -> Result<Run, String> {
    let mut command = run::client(bench, &bench.program);
    command
        .current_dir(bench.folder.path())
        .args(["probe", "load", "--json", "--allow-disruptive"])
        .arg(format!("--timeout={}s", gate.limit + 60))
        .args(gate.expect.iter().map(|bound| format!("--expect={bound}")))
        .arg(format!("url={}", gate.url))
        // More than can be sent.
        .arg("allow={rate: 1000000/s, connections: 100000}")
        .args(&gate.settings);
    let limit = Duration::from_secs(gate.limit + 90);
    let ran = run::run(vec![command], server, limit)?;
    let one = ran.first();
    let said = Said::parse(&one.out).map_err(|e| {
        let code = one
            .code
            .map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        format!("readygate ended with {code}: {}{e}", one.err)
    })?;
    Ok(Run { ran, said })
}

/// Tells whoever waits how far it is; the tables come at the end.
pub fn told(what: &str, run: &Result<Run, String>) {
    match run {
        Ok(run) => eprintln!(
            "{what}: {:.0} req/s, P95 {:.2} ms, {}",
            run.said.figure("throughput"),
            run.said.figure("latency.p95") * 1e3,
            run.said.outcome()
        ),
        Err(problem) => eprintln!("{what}: {problem}"),
    }
}

/// Reads the result file of a peer.
pub fn read(program: &Path, file: &Path) -> Result<Said, String> {
    let output = Command::new(program)
        .args(["probe", "load", "--json"])
        .arg(format!("reports=['{}']", file.display()))
        .output()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    Said::parse(&String::from_utf8_lossy(&output.stdout))
        .map_err(|e| format!("{e}{}", String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn what_is_absent_is_not_a_number() {
        let said = Said::parse(
            r#"{"outcome": "unmeasured", "reason": "no request", "checks": [],
                "metrics": {"latency.p95": {"value": 0.25, "unit": "s"}},
                "measurement": {}}"#,
        )
        .unwrap();
        assert!(close(said.metric("latency.p95"), 0.25));
        assert!(said.metric("latency.p99").is_nan());
        assert!(said.figure("throughput").is_nan() && said.sent_rate().is_nan());
        assert!(said.open().is_nan() && said.error_percent().is_nan());
        assert_eq!(said.outcome(), "unmeasured");
        assert_eq!(said.complaint(), "no request");
        assert!(Said::parse("").is_err());
    }

    #[test]
    fn figures_come_from_the_report() {
        let said = Said::parse(
            r#"{"outcome": "passed", "measurement": {"run": {"report": {
                "measured_s": 2.0,
                "measured": {"scheduled": 1000, "completed": 990, "errors": {"reset": 9, "status": 1},
                    "response": {"quantiles": [[50.0, 100], [95.0, 250000]]}},
                "phases": [{"tally": {"sent": 100}}, {"tally": {"sent": 1000}}],
                "series": [{"t_s": 1.0, "phase": 0, "sent": 400}, {"t_s": 2.5, "phase": 0, "sent": 600},
                    {"t_s": 3.5, "phase": null, "sent": 0}],
                "generator": {"quantum_us": 500, "connections": {"ready": 64, "lowest": 63}}}}}}"#,
        )
        .unwrap();
        assert!(close(said.figure("throughput"), 495.0));
        assert!(close(said.figure("latency.p95"), 0.25));
        assert!(close(said.error_percent(), 1.0));
        assert!(close(said.sent(), 1100.0));
        assert!(close(said.sent_rate(), 400.0));
        assert!(close(said.open(), 63.0));
        assert!(close(said.number("/generator/quantum_us"), 500.0));
    }
}
