//! In which second a good response counts for throughput.
//!
//! A request belongs to the second in which it was due, and so do its latency and its errors. For
//! throughput that would tell what was asked for and not what the target did: a target that falls
//! behind works off the rest while the load is drained. So a response counts when it came, less the
//! time that an answer of its route usually takes: what is in flight at the end of a phase or of a
//! window still counts for it, and a backlog does not.

use super::clock::{MILLI, NEVER};

/// Answers after which it is known what is usual.
const BLOCK: u32 = 100;
/// At least so much is taken off, so that a moment in which a core is busy costs nothing.
const LEAST: u64 = 100 * MILLI;

/// How long the answers of a route usually take, from the real send: the lowest P99 of any hundred
/// in a row. A target that falls behind answers later and later, which must not become usual.
#[derive(Debug, Clone)]
pub(super) struct Usual {
    seen: u32,
    /// Of the current hundred.
    longest: u64,
    second: u64,
    least: u64,
}

impl Default for Usual {
    fn default() -> Self {
        Self {
            seen: 0,
            longest: 0,
            second: 0,
            least: NEVER,
        }
    }
}

impl Usual {
    /// Notes that an answer took so long.
    pub(super) fn note(&mut self, took: u64) {
        if took > self.longest {
            self.second = self.longest;
            self.longest = took;
        } else {
            self.second = self.second.max(took);
        }
        self.seen += 1;
        if self.seen == BLOCK {
            *self = Self {
                least: self.least.min(self.second),
                ..Self::default()
            };
        }
    }

    /// When an answer that came at `now`, to a request due at `due`, counts.
    pub(super) fn counts_at(&self, due: u64, now: u64) -> u64 {
        // Of the first hundred, all are usual.
        let usual = if self.least == NEVER {
            self.longest
        } else {
            self.least
        };
        due.max(now.saturating_sub(usual.max(LEAST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_as_long_as_usual_counts_when_it_was_due() {
        let mut usual = Usual::default();
        for nth in 0..250 {
            usual.note((300 + nth % 7) * MILLI);
            let took = (300 + nth % 7) * MILLI;
            assert_eq!(
                usual.counts_at(5_000 * MILLI, 5_000 * MILLI + took),
                5_000 * MILLI
            );
        }
    }

    #[test]
    fn falling_behind_does_not_become_usual() {
        let mut usual = Usual::default();
        (0..1_000).for_each(|nth| usual.note(nth * MILLI));
        let (due, now) = (1_000 * MILLI, 4_000 * MILLI);
        assert_eq!(usual.counts_at(due, now), now - LEAST);
    }

    #[test]
    fn a_slow_start_is_forgotten() {
        let mut usual = Usual::default();
        (0..100).for_each(|_| usual.note(900 * MILLI));
        assert_eq!(usual.counts_at(0, 1_000 * MILLI), 100 * MILLI);
        (0..100).for_each(|_| usual.note(200 * MILLI));
        assert_eq!(usual.counts_at(0, 1_000 * MILLI), 800 * MILLI);
    }
}
