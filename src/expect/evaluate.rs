//! Judging metrics against expectations.

use std::collections::BTreeMap;

use readygate_sdk::{Check, CheckOutcome, Level, Metric, Metrics, Quantity, Sample, Unit, Value};

use super::{Condition, Expectation, Margin, Op, Parts, honest::honest, windows};

/// Metrics of the baseline run for one gate; `None` when there is no baseline.
pub type Baseline<'a> = Option<&'a BTreeMap<String, Metric>>;

/// Judges every condition of an expectation: one check each.
pub fn evaluate(
    expectation: &Expectation,
    metrics: &Metrics,
    baseline: Baseline<'_>,
) -> Vec<Check> {
    expectation
        .conditions
        .iter()
        .map(|condition| {
            let judged = match metrics.get(&expectation.metric) {
                Some(metric) => judge(condition, metric, &expectation.metric, baseline),
                None => Judged::unknown(condition, absence(expectation, metrics)),
            };
            judged.into_check(expectation)
        })
        .collect()
}

fn absence(expectation: &Expectation, metrics: &Metrics) -> String {
    let metric = &expectation.metric;
    if let Some(reason) = metrics.why_absent(metric) {
        return format!("`{metric}` was not measured: {reason}");
    }
    let names: Vec<&str> = metrics.iter().map(|(name, _)| name).collect();
    let near = crate::config::nearest(metric, &names);
    let near = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
    format!("`{metric}` was not measured{near}")
}

/// What a condition came to.
pub(super) struct Judged {
    pub outcome: CheckOutcome,
    pub message: Option<String>,
    pub expected: String,
    pub actual: Option<String>,
    pub details: Vec<String>,
}

impl Judged {
    pub fn unknown(condition: &Condition, message: String) -> Self {
        Self {
            outcome: CheckOutcome::Unmeasured,
            message: Some(message),
            expected: describe(condition),
            actual: None,
            details: Vec::new(),
        }
    }

    fn into_check(self, expectation: &Expectation) -> Check {
        let metric = &expectation.metric;
        let message = self.message.unwrap_or_else(|| match self.outcome {
            CheckOutcome::Passed => format!("`{metric}` is as expected"),
            _ => format!("`{metric}` is not as expected"),
        });
        Check {
            rule: format!("expect/{metric}"),
            subject: metric.clone(),
            outcome: self.outcome,
            level: Level::Error,
            message,
            expected: Some(self.expected),
            actual: self.actual,
            hint: None,
            location: expectation.location.clone(),
            details: self.details,
        }
    }
}

fn judge(condition: &Condition, metric: &Metric, name: &str, baseline: Baseline<'_>) -> Judged {
    let value = match (&metric.value, condition) {
        (Value::Text(actual), Condition::Text(op, wanted)) => {
            return verdict((actual == wanted) == (*op == Op::Equal), condition, metric);
        }
        (
            Value::Number(value),
            Condition::Compare(..)
            | Condition::Between(..)
            | Condition::Baseline(..)
            | Condition::Windows(..),
        ) => *value,
        (found, _) => {
            let kind = if matches!(found, Value::Text(_)) {
                "text"
            } else {
                "a number"
            };
            let message = format!(
                "`{name}` is {kind} and does not compare with `{}`",
                describe(condition)
            );
            return Judged::unknown(condition, message);
        }
    };
    if let Some(unit) = foreign_unit(condition, metric.unit) {
        let message = format!(
            "`{name}` came in `{}`, the expectation is in `{}`",
            metric.unit.name(),
            unit.name()
        );
        return Judged::unknown(condition, message);
    }
    match condition {
        Condition::Compare(op, bound) => {
            let judged = verdict(op.holds(value, bound.value), condition, metric);
            honest(judged, *op, bound.value, metric, name)
        }
        Condition::Between(low, high) => {
            let judged = verdict((low.value..=high.value).contains(&value), condition, metric);
            within(judged, (low.value, high.value), value, metric, name)
        }
        Condition::Windows(one, parts) => windows::judge(condition, *parts, one, metric, name),
        Condition::Baseline(op, margin) => relative(*op, *margin, value, name, metric, baseline),
        Condition::Text(..) => Judged::unknown(condition, format!("`{name}` is a number")),
    }
}

/// A range is kept where both ends are, and broken where one is: the sample must carry that one.
fn within(
    judged: Judged,
    (low, high): (f64, f64),
    value: f64,
    metric: &Metric,
    name: &str,
) -> Judged {
    let below = value < low;
    let above = value > high;
    let judged = if above {
        judged
    } else {
        honest(judged, Op::AtLeast, low, metric, name)
    };
    if below {
        judged
    } else {
        honest(judged, Op::AtMost, high, metric, name)
    }
}

/// Whether an absolute condition holds of a value; nothing for the other kinds.
pub(super) fn holds(condition: &Condition, value: f64) -> Option<bool> {
    match condition {
        Condition::Compare(op, bound) => Some(op.holds(value, bound.value)),
        Condition::Between(low, high) => Some((low.value..=high.value).contains(&value)),
        Condition::Baseline(..) | Condition::Text(..) | Condition::Windows(..) => None,
    }
}

fn verdict(holds: bool, condition: &Condition, metric: &Metric) -> Judged {
    Judged {
        outcome: if holds {
            CheckOutcome::Passed
        } else {
            CheckOutcome::Failed
        },
        message: None,
        expected: describe(condition),
        actual: Some(actual(metric)),
        details: Vec::new(),
    }
}

fn actual(metric: &Metric) -> String {
    match metric.sample {
        Some(Sample { hits, trials }) => format!("{} ({hits} of {trials})", metric.display()),
        None => metric.display(),
    }
}

fn foreign_unit(condition: &Condition, unit: Unit) -> Option<Unit> {
    let bound = match condition {
        Condition::Compare(_, bound)
        | Condition::Between(bound, _)
        | Condition::Baseline(_, Margin::Amount(bound)) => bound.unit,
        Condition::Windows(one, _) => return foreign_unit(one, unit),
        Condition::Baseline(_, Margin::Percent(_)) | Condition::Text(..) => return None,
    };
    (bound != unit).then_some(bound)
}

fn relative(
    op: Op,
    margin: Margin,
    value: f64,
    name: &str,
    metric: &Metric,
    baseline: Baseline<'_>,
) -> Judged {
    let condition = Condition::Baseline(op, margin);
    let Some(baseline) = baseline else {
        let message = "no baseline was given for this gate; pass a record of an earlier GO: --baseline run.json";
        return Judged::unknown(&condition, message.to_owned());
    };
    let before = match baseline.get(name) {
        Some(Metric {
            value: Value::Number(before),
            unit,
            ..
        }) if *unit == metric.unit => *before,
        Some(_) => {
            return Judged::unknown(
                &condition,
                format!("the baseline has `{name}` in another unit"),
            );
        }
        None => {
            return Judged::unknown(&condition, format!("the baseline did not measure `{name}`"));
        }
    };
    let bound = match margin {
        Margin::Percent(percent) => before + before.abs() * percent / 100.0,
        Margin::Amount(amount) => before + amount.value,
    };
    let judged = verdict(op.holds(value, bound), &condition, metric);
    let mut judged = match metric.interval {
        Some(_) => honest(judged, op, bound, metric, name),
        None => judged,
    };
    judged.expected = format!(
        "{} (baseline {}, so {} {})",
        judged.expected,
        metric.unit.format(before),
        op.symbol(),
        metric.unit.format(bound)
    );
    judged
}

pub(super) fn describe(condition: &Condition) -> String {
    match condition {
        Condition::Windows(one, Parts::Every(length)) => {
            format!("{} for every {}", describe(one), period(*length))
        }
        Condition::Windows(one, Parts::Lasting(length)) => {
            format!("{} for {}", describe(one), period(*length))
        }
        Condition::Compare(op, bound) => format!("{} {bound}", op.symbol()),
        Condition::Between(low, high) => format!("between {low} and {high}"),
        Condition::Text(op, text) => format!("{} {text}", op.symbol()),
        Condition::Baseline(op, margin) => {
            let (sign, amount) = match margin {
                Margin::Percent(p) => (*p, Unit::Percent.format(p.abs())),
                Margin::Amount(q) => (
                    q.value,
                    Quantity {
                        value: q.value.abs(),
                        ..*q
                    }
                    .to_string(),
                ),
            };
            let sign = if sign < 0.0 { '-' } else { '+' };
            format!("{} baseline {sign} {amount}", op.symbol())
        }
    }
}

fn period(length: std::time::Duration) -> String {
    Unit::Seconds.format(length.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use readygate_sdk::{Interval, Windows};

    use super::*;
    use crate::expect::{parse, samples_needed, values_needed};

    fn outcome(text: &str, metrics: &Metrics, baseline: Baseline<'_>) -> Vec<CheckOutcome> {
        let unit = metrics.get("m").map(|m| m.unit);
        let conditions = parse(&[text], unit).unwrap();
        let expectation = Expectation {
            metric: "m".into(),
            conditions,
            location: None,
        };
        evaluate(&expectation, metrics, baseline)
            .into_iter()
            .map(|c| c.outcome)
            .collect()
    }

    fn number(value: f64, unit: Unit) -> Metrics {
        let mut metrics = Metrics::new();
        metrics.number("m", value, unit);
        metrics
    }

    use CheckOutcome::{Failed, Passed, Unmeasured};

    #[test]
    fn bounds_are_as_strict_as_written() {
        for (text, value, expected) in [
            ("< 50ms", 0.05, Failed),
            ("<= 50ms", 0.05, Passed),
            ("> 50ms", 0.05, Failed),
            (">= 50ms", 0.05, Passed),
            ("== 50ms", 0.05, Passed),
            ("!= 50ms", 0.05, Failed),
            ("between 50ms and 1s", 0.05, Passed),
            ("between 51ms and 1s", 0.05, Failed),
        ] {
            assert_eq!(
                outcome(text, &number(value, Unit::Seconds), None),
                [expected],
                "{text}"
            );
        }
    }

    #[test]
    fn nearly_eighty_is_not_eighty() {
        assert_eq!(
            outcome(">= 80%", &number(79.996, Unit::Percent), None),
            [Failed]
        );
    }

    #[test]
    fn nan_and_absence_never_pass() {
        for text in ["< 1", "> 1", "== 1", "!= 1", "between 0 and 9"] {
            assert_eq!(
                outcome(text, &number(f64::NAN, Unit::Count), None),
                [Unmeasured],
                "{text}"
            );
            assert_eq!(outcome(text, &Metrics::new(), None), [Unmeasured], "{text}");
        }
    }

    #[test]
    fn a_rate_claim_needs_its_sample() {
        assert_eq!(samples_needed(Op::Less, 0.1), Some(2_995));
        assert_eq!(samples_needed(Op::Less, 0.01), Some(29_956));
        let rate = |hits, trials| {
            let mut metrics = Metrics::new();
            metrics.rate("m", hits, trials);
            metrics
        };
        assert_eq!(outcome("< 0.1%", &rate(0, 31), None), [Unmeasured]);
        assert_eq!(outcome("< 0.1%", &rate(0, 2_995), None), [Passed]);
        assert_eq!(outcome("< 0.1%", &rate(0, 2_994), None), [Unmeasured]);
        assert_eq!(outcome("< 0.1%", &rate(5, 31), None), [Failed]);
        assert_eq!(outcome("== 0%", &rate(0, 31), None), [Passed]);
        assert_eq!(outcome("> 80%", &rate(9, 9), None), [Unmeasured]);
        assert_eq!(outcome("> 80%", &rate(90, 100), None), [Passed]);
        let range = "between 95% and 100%";
        assert_eq!(outcome(range, &rate(1, 1), None), [Unmeasured]);
        assert_eq!(outcome(range, &rate(59, 59), None), [Passed]);
    }

    #[test]
    fn a_baseline_is_relative_and_bounded() {
        let before: BTreeMap<String, Metric> = number(0.040, Unit::Seconds)
            .iter()
            .map(|(n, m)| (n.to_owned(), m.clone()))
            .collect();
        let text = "<= baseline + 10% and < 50ms";
        assert_eq!(
            outcome(text, &number(0.043, Unit::Seconds), Some(&before)),
            [Passed, Passed]
        );
        assert_eq!(
            outcome(text, &number(0.045, Unit::Seconds), Some(&before)),
            [Failed, Passed]
        );
        assert_eq!(
            outcome(text, &number(0.060, Unit::Seconds), Some(&before)),
            [Failed, Failed]
        );
        assert_eq!(
            outcome(text, &number(0.043, Unit::Seconds), None),
            [Unmeasured, Passed]
        );
        let empty = BTreeMap::new();
        assert_eq!(
            outcome(text, &number(0.043, Unit::Seconds), Some(&empty)),
            [Unmeasured, Passed]
        );
    }

    fn quantile(value: f64, low: Option<f64>, high: Option<f64>, samples: u64) -> Metrics {
        let interval = Interval {
            quantile: 0.95,
            samples,
            low,
            high,
        };
        let mut metrics = Metrics::new();
        metrics.put("m", Metric::number(value, Unit::Seconds).interval(interval));
        metrics
    }

    #[test]
    fn a_quantile_is_decided_by_its_interval_or_by_enough_samples() {
        assert_eq!(values_needed(0.95), 200);
        assert_eq!(values_needed(0.99), 1_000);
        assert_eq!(values_needed(0.999), 10_000);
        let at = |text: &str, metrics: &Metrics| outcome(text, metrics, None);
        let few = quantile(0.04, Some(0.03), Some(0.045), 80);
        assert_eq!(at("< 50ms", &few), [Passed], "clear of the bound");
        assert_eq!(at("< 20ms", &few), [Failed], "clear of the bound");
        assert_eq!(at("< 42ms", &few), [Unmeasured]);
        assert_eq!(at("< 35ms", &few), [Unmeasured]);
        assert_eq!(at("> 42ms", &few), [Unmeasured]);
        assert_eq!(at("> 50ms", &few), [Failed]);
        assert_eq!(at("between 20ms and 50ms", &few), [Passed]);
        assert_eq!(at("between 50ms and 60ms", &few), [Failed]);
        assert_eq!(at("between 10ms and 42ms", &few), [Unmeasured]);
        let none = quantile(0.04, None, None, 20);
        assert_eq!(at("< 1h", &none), [Unmeasured], "no upper end at all");
        let enough = quantile(0.04, None, None, 200);
        assert_eq!(
            at("< 50ms", &enough),
            [Passed],
            "the point estimate decides"
        );
        let many = quantile(0.04, Some(0.03), Some(0.045), 200);
        assert_eq!(at("< 42ms", &many), [Passed]);
        assert_eq!(at("< 35ms", &many), [Failed]);
    }

    /// The value is an estimate, and no number of samples tells where in its bucket the quantile is.
    #[test]
    fn a_bound_within_the_bucket_of_a_histogram_is_not_decided() {
        let at = |text: &str, metrics: &Metrics| outcome(text, metrics, None);
        let ended = quantile(0.042, Some(0.03 + 1e-11), Some(0.1 - 1e-11), 0);
        for (text, wanted) in [
            ("< 50ms", Unmeasured),
            ("< 40ms", Unmeasured),
            ("> 40ms", Unmeasured),
            ("< 100ms", Passed),
            ("<= 30ms", Failed),
            ("< 20ms", Failed),
            ("between 10ms and 50ms", Unmeasured),
        ] {
            assert_eq!(at(text, &ended), [wanted], "{text}");
        }
        let beyond = quantile(1.0, Some(1.0), None, 0);
        assert_eq!(at("< 2s", &beyond), [Unmeasured]);
        assert_eq!(at("< 500ms", &beyond), [Failed]);
        let expectation = Expectation {
            metric: "m".into(),
            conditions: parse(&["< 2s"], Some(Unit::Seconds)).unwrap(),
            location: None,
        };
        let message = evaluate(&expectation, &beyond, None).remove(0).message;
        assert!(message.contains("from 1 s to anything"), "{message}");
    }

    #[test]
    fn a_close_decision_says_so_and_a_small_sample_names_what_it_needs() {
        let said = |text: &str, samples| {
            let metrics = quantile(0.04, Some(0.03), Some(0.045), samples);
            let expectation = Expectation {
                metric: "m".into(),
                conditions: parse(&[text], Some(Unit::Seconds)).unwrap(),
                location: None,
            };
            evaluate(&expectation, &metrics, None).remove(0).message
        };
        assert_eq!(
            said("< 42ms", 500),
            "`m` is as expected, but close: 95 % confidence reaches from 30 ms to 45 ms"
        );
        assert_eq!(
            said("< 42ms", 80),
            "80 samples cannot tell whether `m` is < 42 ms: 95 % confidence reaches from 30 ms to 45 ms; \
             the claim needs at least 200"
        );
        let metrics = quantile(0.04, None, None, 200);
        let expectation = Expectation {
            metric: "m".into(),
            conditions: parse(&["< 50ms"], Some(Unit::Seconds)).unwrap(),
            location: None,
        };
        let message = evaluate(&expectation, &metrics, None).remove(0).message;
        assert!(!message.contains("close"), "nothing tells: {message}");
    }

    fn windowed(values: &[f64], samples: u64) -> Metrics {
        let windows = Windows {
            seconds: 10.0,
            values: values.iter().map(|ms| Some(ms / 1e3)).collect(),
            samples: vec![samples; values.len()],
        };
        let interval = Interval {
            quantile: 0.95,
            samples: 10_000,
            low: Some(0.03),
            high: Some(0.05),
        };
        let metric = Metric::number(0.04, Unit::Seconds).interval(interval);
        let mut metrics = Metrics::new();
        metrics.put("m", metric.windows(vec![windows]));
        metrics
    }

    #[test]
    fn every_window_counts() {
        let at = |text: &str, metrics: &Metrics| outcome(text, metrics, None);
        let slow = windowed(&[40.0, 40.0, 200.0, 40.0], 1_000);
        assert_eq!(at("< 150ms", &slow), [Passed], "over the whole run");
        assert_eq!(at("< 150ms for every 10s", &slow), [Failed]);
        assert_eq!(at("< 250ms for every 10s", &slow), [Passed]);
        assert_eq!(at("between 1ms and 150ms for every 10s", &slow), [Failed]);
        assert_eq!(
            at("< 250ms for every 20s", &slow),
            [Unmeasured],
            "no such windows"
        );
        assert_eq!(at("< 250ms for every 10s", &windowed(&[], 0)), [Unmeasured]);
        assert_eq!(
            at("< 250ms for every 10s", &windowed(&[40.0], 199)),
            [Unmeasured]
        );
        assert_eq!(
            at("< 1ms for every 10s", &windowed(&[40.0], 199)),
            [Unmeasured]
        );
    }

    #[test]
    fn a_breach_must_last() {
        let at = |text: &str, metrics: &Metrics| outcome(text, metrics, None);
        let short = windowed(&[40.0, 200.0, 200.0, 40.0, 200.0], 1_000);
        assert_eq!(at("< 150ms for 30s", &short), [Passed]);
        assert_eq!(at("< 150ms for 20s", &short), [Failed]);
        assert_eq!(at("< 150ms for 10s", &short), [Failed]);
        assert_eq!(at("< 150ms for 25s", &short), [Unmeasured]);
        let brief = windowed(&[40.0, 40.0], 1_000);
        assert_eq!(
            at("< 150ms for 30s", &brief),
            [Unmeasured],
            "shorter than the breach"
        );
        assert_eq!(at("< 150ms for 20s", &brief), [Passed]);
        let few = windowed(&[40.0, 200.0, 200.0], 10);
        assert_eq!(at("< 150ms for 30s", &few), [Unmeasured]);
    }
}
