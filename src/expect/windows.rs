//! Conditions on the parts of a run: every window, or no breach that lasts.

use std::time::Duration;

use readygate_sdk::{CheckOutcome, Metric, Unit, Windows, count_of};

use super::{
    Condition, Op, Parts,
    evaluate::{Judged, describe, holds},
    honest::{samples_needed, values_needed},
};

/// Windows that are listed one by one.
const LISTED: usize = 10;

/// What one window says of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Say {
    Holds,
    Breaks,
    /// Nothing was measured in it, or too little.
    Unknown,
}

/// Judges a condition over windows.
pub fn judge(
    whole: &Condition,
    parts: Parts,
    one: &Condition,
    metric: &Metric,
    name: &str,
) -> Judged {
    let Some(windows) = choose(&metric.windows, parts) else {
        return missing(whole, parts, metric, name);
    };
    let says: Vec<Say> = (0..windows.values.len())
        .map(|index| say(one, windows, index, metric))
        .collect();
    if says.is_empty() {
        let message = format!(
            "the run was shorter than a window of {}",
            seconds(windows.seconds)
        );
        return Judged::unknown(whole, message);
    }
    let needed = match parts {
        Parts::Every(_) => 1,
        Parts::Lasting(length) => in_a_row(length, windows.seconds),
    };
    // A breach that lasts for longer than the run was never looked for.
    if says.len() < needed {
        let message = format!(
            "a breach of {} cannot show in {} that were measured",
            seconds(parts.length().as_secs_f64()),
            seconds(says.len() as f64 * windows.seconds)
        );
        return Judged::unknown(whole, message);
    }
    let outcome = match longest(&says, |say| *say == Say::Breaks) {
        run if run >= needed => CheckOutcome::Failed,
        // What is not known may have broken too.
        _ if longest(&says, |say| *say != Say::Holds) >= needed => CheckOutcome::Unmeasured,
        _ => CheckOutcome::Passed,
    };
    told(whole, one, outcome, windows, &says, metric, name)
}

/// The windows that fit: of that very length, or such as a lasting breach is made of.
fn choose(all: &[Windows], parts: Parts) -> Option<&Windows> {
    match parts {
        Parts::Every(length) => all.iter().find(|w| is(w.seconds, length.as_secs_f64())),
        Parts::Lasting(length) => {
            let length = length.as_secs_f64();
            let fits = |w: &&Windows| w.seconds > 0.0 && is((length / w.seconds).fract(), 0.0);
            let finer = |w: &&Windows| w.seconds * 2.0 <= length + 1e-9;
            let longest = |a: &&Windows, b: &&Windows| a.seconds.total_cmp(&b.seconds);
            let fitting = || all.iter().filter(fits);
            fitting().filter(finer).max_by(longest).or_else(|| {
                let same = |w: &&Windows| is(w.seconds, length);
                fitting().find(same)
            })
        }
    }
}

fn is(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of windows, checked when they were chosen"
)]
fn in_a_row(length: Duration, window: f64) -> usize {
    (length.as_secs_f64() / window).round().max(1.0) as usize
}

fn missing(whole: &Condition, parts: Parts, metric: &Metric, name: &str) -> Judged {
    let known: Vec<String> = metric.windows.iter().map(|w| seconds(w.seconds)).collect();
    let has = match known.as_slice() {
        [] => "it was measured over the whole run only".to_owned(),
        known => format!("it was measured in windows of {}", known.join(" and ")),
    };
    let length = seconds(parts.length().as_secs_f64());
    Judged::unknown(
        whole,
        format!("`{name}` was not measured in windows that fit {length}: {has}"),
    )
}

fn say(one: &Condition, windows: &Windows, index: usize, metric: &Metric) -> Say {
    let Some(value) = windows.values[index].filter(|v| v.is_finite()) else {
        return Say::Unknown;
    };
    let samples = windows.samples.get(index).copied().unwrap_or(0);
    let Some(holds) = holds(one, value) else {
        return Say::Unknown;
    };
    if let Some(interval) = &metric.interval
        && samples < values_needed(interval.quantile)
    {
        return Say::Unknown;
    }
    if metric.sample.is_some() && holds && samples < trials_needed(one) {
        return Say::Unknown;
    }
    if holds { Say::Holds } else { Say::Breaks }
}

fn trials_needed(one: &Condition) -> u64 {
    let needed = match one {
        Condition::Compare(op, bound) => samples_needed(*op, bound.value),
        Condition::Between(low, high) => {
            samples_needed(Op::AtLeast, low.value).max(samples_needed(Op::AtMost, high.value))
        }
        _ => None,
    };
    needed.unwrap_or(1)
}

fn longest(says: &[Say], counts: impl Fn(&Say) -> bool) -> usize {
    says.split(|say| !counts(say))
        .map(<[Say]>::len)
        .max()
        .unwrap_or(0)
}

fn told(
    whole: &Condition,
    one: &Condition,
    outcome: CheckOutcome,
    windows: &Windows,
    says: &[Say],
    metric: &Metric,
    name: &str,
) -> Judged {
    let span = |index: usize| {
        let start = index as f64 * windows.seconds;
        format!("{} to {}", seconds(start), seconds(start + windows.seconds))
    };
    let count = |wanted| says.iter().filter(|say| **say == wanted).count() as u64;
    let total = count_of(says.len() as u64, "window", "windows");
    let message = match outcome {
        CheckOutcome::Passed => match count(Say::Breaks) {
            0 => format!("`{name}` is as expected in {total}"),
            n => format!("`{name}` is not as expected in {n} of {total}, but never for so long"),
        },
        CheckOutcome::Failed => format!(
            "`{name}` is not as expected in {} of {total}",
            count(Say::Breaks)
        ),
        CheckOutcome::Unmeasured => format!(
            "{} of {total} hold too few samples to tell whether `{name}` is as expected; make the windows longer or the rate higher",
            count(Say::Unknown)
        ),
    };
    let shown = if outcome == CheckOutcome::Unmeasured {
        Say::Unknown
    } else {
        Say::Breaks
    };
    let listed: Vec<usize> = (0..says.len()).filter(|i| says[*i] == shown).collect();
    let mut details: Vec<String> = listed
        .iter()
        .take(LISTED)
        .map(|index| {
            let value = windows.values[*index].map_or("nothing".into(), |v| metric.unit.format(v));
            let samples = windows.samples.get(*index).copied().unwrap_or(0);
            let samples = count_of(samples, "sample", "samples");
            format!("{}: {value} ({samples})", span(*index))
        })
        .collect();
    if listed.len() > LISTED {
        details.push(format!("and {} more", listed.len() - LISTED));
    }
    let worst = worst(one, windows);
    Judged {
        outcome,
        message: Some(message),
        expected: describe(whole),
        actual: worst.map(|(index, value)| {
            format!("{} at worst, {}", metric.unit.format(value), span(index))
        }),
        details,
    }
}

/// The window that is furthest on the wrong side.
fn worst(one: &Condition, windows: &Windows) -> Option<(usize, f64)> {
    let known = windows.values.iter().enumerate();
    let mut known = known.filter_map(|(index, value)| Some((index, (*value)?)));
    match one {
        Condition::Compare(Op::Less | Op::AtMost, _) => known.max_by(|a, b| a.1.total_cmp(&b.1)),
        Condition::Compare(Op::Greater | Op::AtLeast, _) => {
            known.min_by(|a, b| a.1.total_cmp(&b.1))
        }
        _ => known.find(|(_, value)| holds(one, *value) == Some(false)),
    }
}

fn seconds(value: f64) -> String {
    Unit::Seconds.format(value)
}
