//! Judging metrics against expectations.

use std::collections::BTreeMap;

use readygate_sdk::{Check, CheckOutcome, Level, Metric, Metrics, Quantity, Sample, Unit, Value};

use super::{Condition, Expectation, Margin, Op};

/// Metrics of the baseline run for one gate; `None` when there is no baseline.
pub type Baseline<'a> = Option<&'a BTreeMap<String, Metric>>;

/// Confidence with which a rate claim must be shown.
const CONFIDENCE: f64 = 0.95;

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

struct Judged {
    outcome: CheckOutcome,
    message: Option<String>,
    expected: String,
    actual: Option<String>,
}

impl Judged {
    fn unknown(condition: &Condition, message: String) -> Self {
        Self {
            outcome: CheckOutcome::Unmeasured,
            message: Some(message),
            expected: describe(condition),
            actual: None,
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
            details: Vec::new(),
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
            Condition::Compare(..) | Condition::Between(..) | Condition::Baseline(..),
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
            honest(judged, *op, bound.value, metric)
        }
        Condition::Between(low, high) => {
            let judged = verdict((low.value..=high.value).contains(&value), condition, metric);
            let judged = honest(judged, Op::AtLeast, low.value, metric);
            honest(judged, Op::AtMost, high.value, metric)
        }
        Condition::Baseline(op, margin) => relative(*op, *margin, value, name, metric, baseline),
        Condition::Text(..) => Judged::unknown(condition, format!("`{name}` is a number")),
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
        Condition::Baseline(_, Margin::Percent(_)) | Condition::Text(..) => return None,
    };
    (bound != unit).then_some(bound)
}

/// A rate that passes on too few trials has not been shown: that is could-not-tell.
fn honest(judged: Judged, op: Op, bound: f64, metric: &Metric) -> Judged {
    let Some(sample) = metric
        .sample
        .filter(|_| judged.outcome == CheckOutcome::Passed)
    else {
        return judged;
    };
    match samples_needed(op, bound) {
        Some(needed) if sample.trials < needed => Judged {
            outcome: CheckOutcome::Unmeasured,
            message: Some(format!(
                "{} of {} is too small a sample to show {} {}: the claim needs at least {needed}",
                sample.hits,
                sample.trials,
                op.symbol(),
                Unit::Percent.format(bound),
            )),
            ..judged
        },
        _ => judged,
    }
}

/// Trials that a claim on a rate needs, at 95 % confidence.
///
/// With no event in `n` trials the true rate may still be `p` with probability `(1-p)^n`; the
/// claim "below p" is shown once that is under 5 %: `n >= ln(0.05) / ln(1-p)`. For `p` = 0.1 %
/// that is 2,995 (the "rule of three" says 3,000). A claim from below mirrors it. `None` where
/// no sample size matters: equalities, and bounds at 0 % or 100 % that only state what was seen.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "finite, positive and rounded up on the line before"
)]
pub fn samples_needed(op: Op, bound_percent: f64) -> Option<u64> {
    let share = match op {
        Op::Less | Op::AtMost => bound_percent / 100.0,
        Op::Greater | Op::AtLeast => 1.0 - bound_percent / 100.0,
        Op::Equal | Op::NotEqual => return None,
    };
    if share <= 0.0 || share >= 1.0 {
        return None;
    }
    let needed = ((1.0 - CONFIDENCE).ln() / (1.0 - share).ln()).ceil();
    needed.is_finite().then_some(needed as u64)
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
    let mut judged = verdict(op.holds(value, bound), &condition, metric);
    judged.expected = format!(
        "{} (baseline {}, so {} {})",
        judged.expected,
        metric.unit.format(before),
        op.symbol(),
        metric.unit.format(bound)
    );
    judged
}

fn describe(condition: &Condition) -> String {
    match condition {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::parse;

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
}
