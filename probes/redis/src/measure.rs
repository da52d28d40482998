//! Looks until the picture is at rest, and long enough for the counters; then holds the drill.

use std::{collections::BTreeMap, time::Duration};

use readygate_sdk::{Check, CheckOutcome, Checks, Cx, ErrorKind, Level, ProbeError};
use tokio::time::Instant;

use crate::{
    config::RedisConfig,
    dial::Door,
    drill, judge,
    look::{Looked, Looker, seconds},
    measurement::{NodeRecord, RedisMeasurement, SettleRecord, WindowRecord},
    rules, trust,
};

/// Between two looks while something is wrong.
const PAUSE: Duration = Duration::from_millis(250);
/// Kept free at the end, to report.
const RESERVE: Duration = Duration::from_millis(100);

pub(crate) async fn measure(config: &RedisConfig, cx: &Cx) -> Result<RedisMeasurement, ProbeError> {
    let looker = looker(config, cx).await?;
    let work = async {
        let mut measurement = settle(&looker).await;
        if let Some(wanted) = config.drill.get() {
            measurement.drill = Some(drill::hold(&looker, wanted, &measurement).await);
        }
        measurement
    };
    // Not `cx.within`: every step ends by the deadline itself, and what was learned is reported.
    tokio::select! {
        biased;
        () = cx.cancellation().cancelled() => Err(ProbeError::new(
            ErrorKind::Cancelled,
            config.nodes.join(", "),
            "asking the nodes",
            "the run was interrupted",
        )),
        measurement = work => Ok(measurement),
    }
}

async fn looker<'a>(config: &'a RedisConfig, cx: &'a Cx) -> Result<Looker<'a>, ProbeError> {
    let plain = Door {
        tls: None,
        server_name: None,
        username: config.username.clone(),
        password: config.password().cloned(),
        cx: cx.clone(),
    };
    let mut door = plain.clone();
    if config.uses_tls() {
        let tls = config.tls.get().cloned().unwrap_or_default();
        door.tls = Some(trust::client(&tls, cx).await?);
        door.server_name = tls.server_name;
    }
    Ok(Looker {
        config,
        door,
        plain,
        cx,
    })
}

async fn settle(looker: &Looker<'_>) -> RedisMeasurement {
    let (config, cx) = (looker.config, looker.cx);
    let begun = Instant::now();
    let mut settle = SettleRecord {
        looks: 0,
        well: false,
        seconds: 0.0,
        first: Vec::new(),
    };
    let mut first: Option<(Instant, Vec<NodeRecord>)> = None;
    loop {
        let looked_at = Instant::now();
        let Looked { nodes, left_out } = looker.look().await;
        settle.looks += 1;
        let (before, earlier) = first.get_or_insert_with(|| (looked_at, nodes.clone()));
        let span = looked_at.duration_since(*before);
        let measurement = RedisMeasurement {
            taken_at: cx.now(),
            mode: config.topology.mode,
            settle: settle.clone(),
            window: window(config, span, earlier, &nodes),
            nodes,
            left_out,
            drill: None,
        };
        let wrong = wrong(config, &measurement);
        if settle.looks == 1 {
            settle.first = wrong.iter().map(named).take(20).collect();
        }
        settle.well = wrong.is_empty();
        if !settle.well {
            settle.seconds = seconds(begun.elapsed());
        }
        // A look that is cut off by the deadline would blame nodes that are merely far away.
        let room = cx
            .remaining()
            .saturating_sub(config.node_timeout.0 + RESERVE);
        let Some(pause) = pause(config, &wrong, begun.elapsed(), span).filter(|_| !room.is_zero())
        else {
            return RedisMeasurement {
                settle,
                ..measurement
            };
        };
        if !wrong.is_empty() {
            cx.progress(&format!("waiting for {}", named(&wrong[0])));
        }
        tokio::time::sleep(pause.min(room)).await;
    }
}

/// How long until the next look; none when this one was the last.
fn pause(
    config: &RedisConfig,
    wrong: &[Check],
    since: Duration,
    span: Duration,
) -> Option<Duration> {
    if wrong.is_empty() {
        let left = config.hit_rate.window.0.saturating_sub(span);
        return (!left.is_zero()).then_some(left);
    }
    let left = config.settle.0.saturating_sub(since);
    let may_pass = wrong.iter().all(|check| rules::may_pass(&check.rule));
    (may_pass && !left.is_zero()).then_some(left.min(PAUSE))
}

/// What fails the gate, or keeps it from being told.
pub(crate) fn wrong(config: &RedisConfig, measurement: &RedisMeasurement) -> Vec<Check> {
    let mut checks = Checks::new();
    judge::judge(config, measurement, &mut checks);
    let weighs = |check: &Check| match check.outcome {
        CheckOutcome::Passed => false,
        CheckOutcome::Failed => check.level == Level::Error,
        CheckOutcome::Unmeasured => check.rule != rules::DRILL_FAILED.code,
    };
    checks.into_vec().into_iter().filter(weighs).collect()
}

pub(crate) fn named(check: &Check) -> String {
    format!("{} {}", check.rule, check.subject)
}

fn window(
    config: &RedisConfig,
    span: Duration,
    before: &[NodeRecord],
    after: &[NodeRecord],
) -> WindowRecord {
    let mut window = WindowRecord {
        seconds: seconds(span),
        min_lookups: config.hit_rate.min_lookups,
        ..WindowRecord::default()
    };
    if span.is_zero() {
        return window;
    }
    let before: BTreeMap<&str, &NodeRecord> =
        before.iter().map(|n| (n.address.as_str(), n)).collect();
    for node in after {
        let earlier = before
            .get(node.address.as_str())
            .and_then(|n| n.info.value());
        let (Some(then), Some(now)) = (earlier, node.info.value()) else {
            continue;
        };
        // Counters start again with the server, and with CONFIG RESETSTAT.
        let gain = |read: fn(&crate::Stats) -> Option<u64>| {
            read(&now.stats)?.checked_sub(read(&then.stats)?)
        };
        if then.run_id != now.run_id {
            continue;
        }
        let (Some(hits), Some(misses)) = (gain(|s| s.hits), gain(|s| s.misses)) else {
            continue;
        };
        window.nodes += 1;
        window.hits += hits;
        window.misses += misses;
        let mut note = |list: fn(&mut WindowRecord) -> &mut BTreeMap<String, u64>,
                        n: Option<u64>| {
            if let Some(n) = n.filter(|n| *n > 0) {
                list(&mut window).insert(node.address.clone(), n);
            }
        };
        note(|w| &mut w.evicted, gain(|s| s.evicted));
        note(|w| &mut w.rejected, gain(|s| s.rejected));
    }
    window
}
