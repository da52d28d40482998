//! What a number of samples can show. Pure.

use crate::record::Bound;

/// Confidence of every statement.
pub const CONFIDENCE: f64 = 0.95;

/// The one-sided upper bound on the rate of failures (Clopper and Pearson, 1934): the rate at which
/// so few failures in `n` samples would be seen only once in twenty times. `None` without samples.
pub fn upper(n: u32, failed: u32) -> Option<Bound> {
    if n == 0 {
        return None;
    }
    let bound = |error_rate_below| Bound {
        confidence: CONFIDENCE,
        n,
        failed,
        error_rate_below,
    };
    if failed >= n {
        return Some(bound(1.0));
    }
    // The probability of at most `failed` falls as the rate grows.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(failed, n, middle) > 1.0 - CONFIDENCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(bound(high))
}

/// P(X <= k) for X ~ Binomial(n, p), summed in logarithms so that nothing underflows.
fn at_most(k: u32, n: u32, p: f64) -> f64 {
    if p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let mut log_choose = 0.0;
    let mut sum = 0.0;
    for i in 0..=k {
        if i > 0 {
            log_choose += f64::from(n - i + 1).ln() - f64::from(i).ln();
        }
        sum += (f64::from(i).mul_add(p.ln(), log_choose) + f64::from(n - i) * (-p).ln_1p()).exp();
    }
    sum.min(1.0)
}

impl Bound {
    /// `31 samples, 0 failed: the error rate is below 9.2 % (95 % confidence)`
    pub fn sentence(&self) -> String {
        let n = readygate_sdk::count_of(self.n.into(), "sample", "samples");
        // Rounded up: rounded down it would claim too much.
        let percent = (self.error_rate_below * 10_000.0).ceil() / 100.0;
        format!(
            "{n}, {} failed: this shows an error rate below {percent} %, and no less (95 % confidence)",
            self.failed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(n: u32, failed: u32) -> f64 {
        let rate = upper(n, failed).unwrap().error_rate_below;
        (rate * 10_000.0).round() / 10_000.0
    }

    fn assert_near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");
    }

    #[test]
    fn known_values() {
        // 1 - 0.05^(1/n) without failures.
        assert_near(rate(31, 0), 0.0921);
        assert_near(rate(1, 0), 0.95);
        assert_near(rate(299, 0), 0.01);
        // Clopper-Pearson, one-sided 95 %: beta quantiles.
        assert_near(rate(10, 1), 0.3942);
        assert_near(rate(100, 5), 0.1023);
    }

    #[test]
    fn the_ends() {
        assert_eq!(upper(0, 0), None);
        assert_near(rate(3, 3), 1.0);
        assert!(rate(20_000, 0) > 0.0);
        assert!(rate(5_000, 2_500) < 0.52);
    }

    #[test]
    fn the_sentence_rounds_up() {
        let said = upper(31, 0).unwrap().sentence();
        assert_eq!(
            said,
            "31 samples, 0 failed: this shows an error rate below 9.22 %, and no less (95 % confidence)"
        );
    }
}
