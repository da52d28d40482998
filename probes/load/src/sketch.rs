//! Counts of latencies, from which quantiles can be told and which can be merged.

use std::collections::BTreeMap;

use crate::measurement::{How, Latency, nanos};

/// Different values that are kept exactly; beyond, four digits are.
const EXACT: usize = 200_000;
/// Quantiles in thousandths.
const QUANTILES: [u64; 6] = [500, 750, 900, 950, 990, 999];

/// A multiset of latencies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sketch {
    counts: BTreeMap<u64, u64>,
    n: u64,
    sum: f64,
    coarse: bool,
}

impl Sketch {
    /// Adds `n` latencies of some seconds; what is no time is left out.
    pub(crate) fn add(&mut self, seconds: f64, n: u64) {
        if !(0.0..1e9).contains(&seconds) {
            return;
        }
        self.n += n;
        self.sum += seconds * n as f64;
        self.put(to_nanos(seconds), n);
    }

    fn put(&mut self, value: u64, n: u64) {
        let key = if self.coarse {
            four_digits(value)
        } else {
            value
        };
        *self.counts.entry(key).or_default() += n;
        if !self.coarse && self.counts.len() > EXACT {
            self.coarse = true;
            for (value, n) in std::mem::take(&mut self.counts) {
                *self.counts.entry(four_digits(value)).or_default() += n;
            }
        }
    }

    /// Adds another.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        for (value, n) in &other.counts {
            self.put(*value, *n);
        }
    }

    /// Quantiles by nearest rank; nothing without a latency.
    pub(crate) fn latency(&self, how: How) -> Option<Latency> {
        let (last, _) = self.counts.last_key_value()?;
        let seconds = |value: u64| nanos(value as f64 / 1e9);
        let mut quantiles = Vec::new();
        let mut ranks = QUANTILES.iter().peekable();
        let mut below = 0;
        for (value, n) in &self.counts {
            below += n;
            while let Some(q) = ranks.next_if(|q| (self.n * **q).div_ceil(1_000) <= below) {
                quantiles.push((*q as f64 / 10.0, seconds(*value)));
            }
        }
        Some(Latency {
            how: if self.coarse { How::Histogram } else { how },
            count: Some(self.n),
            mean: Some(nanos(self.sum / self.n as f64)),
            max: Some(seconds(*last)),
            quantiles,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller keeps it between 0 and 1e9 seconds"
)]
fn to_nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

fn four_digits(value: u64) -> u64 {
    let step = 10_u64.pow(value.checked_ilog10().unwrap_or(0).saturating_sub(3));
    (value + step / 2) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank() {
        let mut sketch = Sketch::default();
        for ms in 1..=20 {
            sketch.add(f64::from(ms) / 1e3, 1);
        }
        let latency = sketch.latency(How::Samples).unwrap();
        assert_eq!(latency.at(50.0), Some(0.010));
        assert_eq!(latency.at(95.0), Some(0.019));
        assert_eq!(latency.at(99.0), Some(0.020));
        assert_eq!(latency.mean, Some(0.0105));
        assert!(Sketch::default().latency(How::Samples).is_none());
    }

    #[test]
    fn merging_is_not_averaging() {
        let (mut fast, mut slow) = (Sketch::default(), Sketch::default());
        fast.add(0.001, 900);
        slow.add(1.0, 100);
        fast.merge(&slow);
        let latency = fast.latency(How::Samples).unwrap();
        assert_eq!(latency.at(95.0), Some(1.0));
        assert_eq!(latency.at(90.0), Some(0.001));
    }
}
