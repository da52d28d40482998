//! Exact confidence intervals of quantiles, from order statistics.
//!
//! Of `n` independent values, the number at or below the `q`-quantile is binomial (n, q), whatever
//! the values' distribution. So the value of rank `l` is at most the quantile, and that of rank `u`
//! at least, each but for a probability of 2.5 %, when `P(B < l) <= 2.5 %` and `P(B >= u) <= 2.5 %`.
//! Source: Conover, Practical Nonparametric Statistics, section 3.2.

use readygate_sdk::Interval;

use crate::{
    engine::report::Distribution,
    measurement::{Latency, nanos},
};

/// Probability of missing on each side.
const TAIL: f64 = 0.025;
/// Values beyond a quantile from which on its point estimate decides.
const BEYOND: f64 = 10.0;
/// Relative weight below which a term of the binomial is nothing.
const NOTHING: f64 = 1e-18;

/// The interval of a quantile of some distribution, in seconds.
pub(crate) fn interval(times: &Distribution, percent: f64) -> Interval {
    let quantile = nanos(percent / 100.0);
    let (low, high) = ranks(times.n, quantile);
    let at = |rank: Option<u64>| rank.and_then(|rank| value(times, rank));
    Interval {
        quantile,
        samples: times.n,
        low: at(low),
        high: at(high),
    }
}

/// The interval of a percentile of another tool, of which some percentiles and the longest are all that
/// is known: each end is the nearest known one that lies beyond its rank, so the interval is rather too
/// wide. An end beyond which none is known stays open.
///
/// So wide an interval can tell that a small sample shows something, and not that a value is close to a
/// bound: with ten values beyond the quantile, where the percentile itself decides, both ends are open.
///
/// Tools take ranks from `n p` rounded down to `(n - 1) p + 1` rounded up, or interpolate between; the
/// ends hold for all of these.
pub(crate) fn told(latency: &Latency, n: u64, percent: f64) -> Interval {
    let quantile = nanos(percent / 100.0);
    // 10 / (1 - 0.95) is a hair above 200.
    if n as f64 * quantile.min(1.0 - quantile) >= BEYOND - 1e-6 {
        return Interval {
            quantile,
            samples: n,
            low: None,
            high: None,
        };
    }
    let (low, high) = ranks(n, quantile);
    let at = |percent: f64| n as f64 * percent / 100.0;
    let known = || latency.quantiles.iter();
    let low = low.and_then(|rank| {
        let below = known().filter(|(p, _)| at(*p) + 1.0 <= rank as f64);
        below.map(|(_, seconds)| *seconds).max_by(f64::total_cmp)
    });
    let high = high.and_then(|rank| {
        let above = known().filter(|(p, _)| at(*p) >= rank as f64);
        let above = above.map(|(_, seconds)| *seconds);
        above.chain(latency.max).min_by(f64::total_cmp)
    });
    Interval {
        quantile,
        samples: n,
        low,
        high,
    }
}

/// The value of a rank, in seconds.
fn value(times: &Distribution, rank: u64) -> Option<f64> {
    let mut below = 0;
    times.counts.iter().find_map(|(us, n)| {
        below += n;
        (below >= rank).then(|| nanos(*us as f64 / 1e6))
    })
}

/// The ranks (from 1) of the two ends; nothing where no value is sure enough.
///
/// The binomial's terms are taken relative to its largest, and walked from there by the ratio of
/// neighbours, so that nothing over- or underflows at any size.
fn ranks(n: u64, q: f64) -> (Option<u64>, Option<u64>) {
    if n == 0 || q <= 0.0 || q >= 1.0 {
        return (None, None);
    }
    let odds = q / (1.0 - q);
    let (first, weights) = weights(n, q, odds);
    let total: f64 = weights.iter().sum();
    let mut below = 0.0;
    let (mut low, mut high) = (None, None);
    for (at, weight) in (first..).zip(&weights) {
        // `below` is P(B < at): rank `at` may be the lower end.
        if below <= TAIL && at >= 1 {
            low = Some(at);
        }
        below += weight / total;
        // Now it is P(B <= at): what is left lies at rank `at + 1` and above.
        if high.is_none() && 1.0 - below <= TAIL && at < n {
            high = Some(at + 1);
        }
    }
    (low, high)
}

/// Terms of the binomial that weigh anything, and for which count the first is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and n"
)]
fn weights(n: u64, q: f64, odds: f64) -> (u64, Vec<f64>) {
    let mode = (((n as f64 + 1.0) * q) as u64).min(n);
    let mut down = Vec::new();
    let (mut at, mut weight) = (mode, 1.0);
    while at > 0 {
        weight *= at as f64 / ((n - at) as f64 + 1.0) / odds;
        if weight < NOTHING {
            break;
        }
        down.push(weight);
        at -= 1;
    }
    let first = mode - down.len() as u64;
    let mut all: Vec<f64> = down.into_iter().rev().collect();
    all.push(1.0);
    let (mut at, mut weight) = (mode, 1.0);
    while at < n {
        weight *= (n - at) as f64 / (at as f64 + 1.0) * odds;
        if weight < NOTHING {
            break;
        }
        all.push(weight);
        at += 1;
    }
    (first, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(B <= k) by adding up, for small n.
    fn below(n: u64, q: f64, k: u64) -> f64 {
        // In logarithms: 0.01^600 is below the smallest float.
        let mut term = n as f64 * (1.0 - q).ln();
        let mut sum = term.exp();
        for i in 0..k {
            term += ((n - i) as f64 / (i as f64 + 1.0) * q / (1.0 - q)).ln();
            sum += term.exp();
        }
        sum
    }

    #[test]
    fn ranks_are_those_of_the_binomial() {
        for (n, q) in [(20, 0.5), (100, 0.5), (100, 0.95), (200, 0.95), (600, 0.99)] {
            let (low, high) = ranks(n, q);
            if let Some(low) = low {
                assert!(below(n, q, low - 1) <= TAIL, "{n} {q} {low}");
                assert!(below(n, q, low) > TAIL, "{n} {q} {low}: too low");
            }
            if let Some(high) = high {
                assert!(1.0 - below(n, q, high - 1) <= TAIL, "{n} {q} {high}");
                assert!(
                    1.0 - below(n, q, high - 2) > TAIL,
                    "{n} {q} {high}: too high"
                );
            }
        }
        // The median of 20: ranks 6 and 15, as in the tables.
        assert_eq!(ranks(20, 0.5), (Some(6), Some(15)));
        // 72 values are the fewest whose largest is above the 95th percentile: 0.95^72 = 2.49 %.
        assert_eq!(ranks(71, 0.95).1, None);
        assert_eq!(ranks(72, 0.95).1, Some(72));
        assert_eq!(ranks(0, 0.95), (None, None));
    }

    #[test]
    fn an_hour_at_full_rate_is_no_trouble() {
        let (low, high) = ranks(162_000_000, 0.95);
        let middle: f64 = 162_000_000.0 * 0.95;
        let spread = 1.96 * (middle * 0.05).sqrt();
        assert!((low.unwrap() as f64 - (middle - spread)).abs() < 10.0);
        assert!((high.unwrap() as f64 - (middle + spread)).abs() < 10.0);
    }

    #[test]
    fn the_ends_are_values() {
        let times = Distribution {
            n: 100,
            counts: (1..=100).map(|ms| (ms * 1_000, 1)).collect(),
            ..Distribution::default()
        };
        let interval = interval(&times, 50.0);
        assert_eq!((interval.low, interval.high), (Some(0.04), Some(0.061)));
        assert_eq!(interval.samples, 100);
    }

    fn of_tool(max: Option<f64>, quantiles: &[(f64, f64)]) -> Latency {
        let mut latency = Latency::of_tool();
        (latency.max, latency.quantiles) = (max, quantiles.to_vec());
        latency
    }

    #[test]
    fn percentiles_of_another_tool_are_as_sure_as_its_samples() {
        let known = [(50.0, 0.04), (90.0, 0.06), (95.0, 0.07), (99.0, 0.09)];
        let latency = of_tool(Some(0.3), &known);
        // Of twelve requests none need lie beyond the 99th percentile.
        let few = told(&latency, 12, 99.0);
        assert_eq!((few.samples, few.quantile), (12, 0.99));
        assert_eq!((few.low, few.high), (Some(0.04), None));
        // Rank 99 of 100 bounds the 95th from above with nothing but the longest beyond it.
        assert_eq!(told(&latency, 100, 95.0).high, Some(0.3));
        let fewer = told(&latency, 199, 95.0);
        assert_eq!((fewer.low, fewer.high), (Some(0.06), Some(0.09)));
        // The longest and the next percentiles do not make a percentile close to a bound.
        for n in [200, 10_000, 100_000] {
            let many = told(&latency, n, 95.0);
            assert_eq!((many.samples, many.low, many.high), (n, None, None));
        }
        let median = told(&latency, 12, 50.0);
        assert_eq!((median.low, median.high), (None, Some(0.06)));
        let alone = told(&of_tool(None, &[(95.0, 0.07)]), 10_000, 95.0);
        assert_eq!((alone.low, alone.high), (None, None));
    }
}
