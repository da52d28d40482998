//! What a sample can show: rates by their trials, quantiles by their confidence interval.

use readygate_sdk::{CheckOutcome, Interval, Metric, Unit, count_of};

use super::{Op, evaluate::Judged};

/// Confidence with which a rate claim must be shown.
const CONFIDENCE: f64 = 0.95;
/// Values beyond a quantile from which on the point estimate may decide.
const BEYOND: f64 = 10.0;

/// Takes a decision back that its sample does not carry.
pub fn honest(judged: Judged, op: Op, bound: f64, metric: &Metric, name: &str) -> Judged {
    let judged = rate(judged, op, bound, metric);
    match &metric.interval {
        Some(interval) => quantile(judged, op, bound, metric, interval, name),
        None => judged,
    }
}

/// A rate that passes on too few trials has not been shown: that is could-not-tell.
fn rate(judged: Judged, op: Op, bound: f64, metric: &Metric) -> Judged {
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

/// Values from which on a quantile has ten beyond it: 200 for the 95th percentile.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive; what overflows saturates"
)]
pub fn values_needed(quantile: f64) -> u64 {
    let beyond = quantile.min(1.0 - quantile).max(1e-12);
    // 10 / (1 - 0.95) is a hair above 200.
    (BEYOND / beyond - 1e-6).ceil() as u64
}

/// Decided only where the interval is clear of the bound, or where ten values lie beyond the
/// quantile; then the point estimate decides, and the check says that it was close. An interval of no
/// samples is that of a histogram's bucket: within it nothing is decided.
fn quantile(
    judged: Judged,
    op: Op,
    bound: f64,
    metric: &Metric,
    interval: &Interval,
    name: &str,
) -> Judged {
    let holds = match judged.outcome {
        CheckOutcome::Passed => true,
        CheckOutcome::Failed => false,
        CheckOutcome::Unmeasured => return judged,
    };
    let end = match op {
        Op::Less | Op::AtMost if holds => interval.high,
        Op::Less | Op::AtMost => interval.low,
        Op::Greater | Op::AtLeast if holds => interval.low,
        Op::Greater | Op::AtLeast => interval.high,
        Op::Equal | Op::NotEqual => return judged,
    };
    if end.is_some_and(|end| op.holds(end, bound) == holds) {
        return judged;
    }
    let format = |end: Option<f64>, none: &str| {
        end.map_or_else(|| none.to_owned(), |end| metric.unit.format(end))
    };
    let range = format!(
        "from {} to {}",
        format(interval.low, "anything"),
        format(interval.high, "anything")
    );
    if interval.samples == 0 && interval.low.or(interval.high).is_some() {
        let claim = format!("{} {}", op.symbol(), metric.unit.format(bound));
        return within_bucket(judged, &claim, &range, name);
    }
    let needed = values_needed(interval.quantile);
    if interval.samples >= needed {
        // Nothing is known of the range, as where a tool tells one percentile and no other.
        if interval.low.is_none() && interval.high.is_none() {
            return judged;
        }
        let so = if holds { "is" } else { "is not" };
        return Judged {
            message: Some(format!(
                "`{name}` {so} as expected, but close: 95 % confidence reaches {range}"
            )),
            ..judged
        };
    }
    let samples = count_of(interval.samples, "sample", "samples");
    Judged {
        outcome: CheckOutcome::Unmeasured,
        message: Some(format!(
            "{samples} cannot tell whether `{name}` is {} {}: 95 % confidence reaches {range}; the claim needs at least {needed}",
            op.symbol(),
            metric.unit.format(bound),
        )),
        ..judged
    }
}

/// The ends of a bucket hold for certain; more samples would not narrow them.
fn within_bucket(judged: Judged, claim: &str, range: &str, name: &str) -> Judged {
    Judged {
        outcome: CheckOutcome::Unmeasured,
        message: Some(format!(
            "whether `{name}` is {claim} is not known: its histogram tells only that it lies {range}; end a bucket at the bound, or judge the share within the end of a bucket"
        )),
        ..judged
    }
}
