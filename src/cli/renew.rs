//! What `gate` looks at anew: the clock. A window that was open when the record was made may be
//! closed by the time that people have signed, or the other way round. Pure.

use jiff::Timestamp;
use readygate_sdk::ProbeError;
use readygate_window::{GITLAB, WindowConfig};
use serde_json::Value;

use crate::{
    config::Gate,
    engine,
    expect::Baseline,
    record::{Attempt, GateRecord, Outcome, Run, SkipReason},
};

/// Looks at every window again, and says of the gates that one which is open now held back why they
/// were not measured: no gate runs here.
pub fn renew_all(
    gates: &[&Gate],
    records: &mut [GateRecord],
    now: Timestamp,
    baseline: Option<&Run>,
) {
    let mut opened: Vec<&str> = Vec::new();
    for (gate, record) in gates.iter().zip(&mut *records) {
        let before = record.standing();
        renew(gate, record, now, engine::baseline_of(baseline, &gate.id));
        if before == Outcome::Failed && record.outcome == Outcome::Passed {
            opened.push(&gate.id);
        }
    }
    for (at, gate) in gates.iter().enumerate() {
        let window = gate.needs.iter().find(|id| opened.contains(&id.as_str()));
        let is_held_back = records[at].skipped == Some(SkipReason::Dependency);
        let Some(window) = window.filter(|_| is_held_back) else {
            continue;
        };
        records[at].reason = Some(match engine::lost(gate, records) {
            Some((need, ended)) => engine::needs(need, ended),
            None => {
                format!("was not measured, because `{window}` was closed then; run the gates again")
            }
        });
    }
}

/// Replaces the record of a `window` gate by what it is at `now`; every other gate stays.
fn renew(gate: &Gate, record: &mut GateRecord, now: Timestamp, baseline: Baseline<'_>) {
    // What was held back by a gate that it needs stays so: that one is not measured again.
    if record.outcome == Outcome::Skipped {
        return;
    }
    let Some(config) = gate.probe.config().downcast_ref::<WindowConfig>() else {
        return;
    };
    let fresh = look(gate, config, now, baseline);
    // A series says more than a moment: of one that did not pass, a moment makes no other.
    if gate.sustain.is_some() && fresh.outcome == Outcome::Passed {
        return;
    }
    *record = fresh;
}

fn look(gate: &Gate, config: &WindowConfig, now: Timestamp, baseline: Baseline<'_>) -> GateRecord {
    let record = match measure(gate, config, now) {
        Ok(measurement) => engine::rejudge(gate, measurement, baseline),
        Err(error) => GateRecord {
            reason: Some(error.to_string()),
            error: Some(error),
            ..engine::blank(gate)
        },
    };
    let attempt = Attempt {
        number: 1,
        started: now,
        duration_s: 0.0,
        outcome: record.outcome,
        reason: record.reason.clone(),
    };
    GateRecord {
        attempts: vec![attempt],
        started: Some(now),
        ..record
    }
}

fn measure(gate: &Gate, config: &WindowConfig, now: Timestamp) -> Result<Value, ProbeError> {
    let gitlab = gate.environment.get(GITLAB).map(String::as_str);
    let state = readygate_window::state(config, now, gitlab)?;
    serde_json::to_value(state).map_err(|e| {
        let kind = readygate_sdk::ErrorKind::Internal;
        ProbeError::new(kind, &gate.id, "writing the measurement", e.to_string())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{self, Config, Environment, Variables};

    fn config(more: &str, environment: &[(&str, &str)]) -> Config {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("readygate.yaml");
        let text = format!(
            "version: 1
gates:
- {{id: window, probe: window{more}, with: {{
    allow: [{{schedule: '0 22 * * *', duration: 4h, zone: UTC}}],
    freeze: [{{schedule: '0 0 28 11 *', duration: 1d, zone: UTC, reason: sale}}]}}}}
- {{id: here, probe: files, with: {{paths: [x]}}}}
- {{id: after, needs: [window, here], probe: files, with: {{paths: [x]}}}}
"
        );
        std::fs::write(&path, text).unwrap();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment =
            Environment::from(environment.iter().map(own).collect::<BTreeMap<_, _>>());
        config::load(&[path], &environment, Variables::default())
            .unwrap_or_else(|e| panic!("{}", e.render(false, true)))
    }

    /// What becomes of a record of `before` at a moment: its outcome, and the first rule that failed.
    fn at(config: &Config, before: Outcome, now: &str) -> (Outcome, Option<String>) {
        let gate = &config.gates[0];
        let mut record = GateRecord {
            outcome: before,
            ..engine::blank(gate)
        };
        renew(gate, &mut record, now.parse().unwrap(), None);
        let rule = record.failures().next().map(|check| check.rule.clone());
        (record.outcome, rule)
    }

    #[test]
    fn a_window_is_what_it_is_now() {
        let config = config("", &[]);
        for (now, outcome, rule) in [
            ("2026-11-26T22:30:00Z", Outcome::Passed, None),
            (
                "2026-11-27T10:00:00Z",
                Outcome::Failed,
                Some("window/closed"),
            ),
            ("2026-11-27T23:59:59Z", Outcome::Passed, None),
            (
                "2026-11-28T00:00:00Z",
                Outcome::Failed,
                Some("window/frozen"),
            ),
        ] {
            let found = at(&config, Outcome::Passed, now);
            assert_eq!(found, (outcome, rule.map(str::to_owned)), "{now}");
            assert_eq!(at(&config, Outcome::Failed, now), found);
        }
        let held_back = at(&config, Outcome::Skipped, "2026-11-26T22:30:00Z");
        assert_eq!(held_back, (Outcome::Skipped, None));
    }

    #[test]
    fn the_freeze_of_gitlab_is_that_of_now() {
        let config = config("", &[(GITLAB, "true")]);
        let (outcome, rule) = at(&config, Outcome::Passed, "2026-11-26T22:30:00Z");
        let rule = rule.unwrap();
        assert_eq!(
            (outcome, rule.as_str()),
            (Outcome::Failed, "window/gitlab-freeze")
        );
    }

    #[test]
    fn a_series_that_did_not_pass_is_not_made_good_by_a_moment() {
        let config = config(", sustain: {for: 1m, every: 10s}", &[]);
        let open = "2026-11-26T22:30:00Z";
        assert_eq!(at(&config, Outcome::Failed, open).0, Outcome::Failed);
        assert_eq!(at(&config, Outcome::Passed, open).0, Outcome::Passed);
        let closed = "2026-11-27T10:00:00Z";
        assert_eq!(at(&config, Outcome::Passed, closed).0, Outcome::Failed);
    }

    #[test]
    fn what_a_window_held_back_says_that_the_window_is_open_now() {
        let config = config("", &[]);
        let gates: Vec<&Gate> = config.gates.iter().collect();
        let told = |outcome: Outcome, now: &str| {
            let record = |gate, outcome| GateRecord {
                outcome,
                ..engine::blank(gate)
            };
            let mut records = [
                record(gates[0], Outcome::Failed),
                record(gates[1], outcome),
                engine::held_back(gates[2], "window", Outcome::Failed),
            ];
            renew_all(&gates, &mut records, now.parse().unwrap(), None);
            assert_eq!(records[2].outcome, Outcome::Skipped);
            records[2].reason.clone().unwrap()
        };
        let (open, closed) = ("2026-11-26T22:30:00Z", "2026-11-27T10:00:00Z");
        let then = "was not measured, because `window` was closed then; run the gates again";
        assert_eq!(told(Outcome::Passed, open), then);
        assert_eq!(told(Outcome::Failed, open), "needs `here`, which failed");
        let now = "needs `window`, which failed";
        assert_eq!(told(Outcome::Passed, closed), now);
    }

    #[test]
    fn nothing_else_is_touched() {
        let config = config("", &[]);
        let before = engine::blank(&config.gates[1]);
        let mut record = before.clone();
        renew(
            &config.gates[1],
            &mut record,
            "2026-11-27T10:00:00Z".parse().unwrap(),
            None,
        );
        assert_eq!(record, before);
    }
}
