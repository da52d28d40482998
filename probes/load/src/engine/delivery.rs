//! In which second a good response counts for throughput.
//!
//! A request belongs to the second in which it was due, and so do its latency and its errors. For
//! throughput that would tell what was asked for and not what the target did: a target that falls
//! behind works off the rest while the load is drained. So a response counts when it came, less the
//! time that an answer of its route usually takes: what is in flight at the end of a phase or of a
//! window still counts for it, and a backlog does not.

use super::clock::{MILLI, NEVER};

/// Answers of which the P99 is taken.
const BLOCK: u32 = 100;
/// So many of these blocks tell what is usual.
const BLOCKS: u32 = 5;
/// Before, it is told by fewer answers.
const FEW: usize = 10;
/// At least so much is taken off, so that a moment in which a core is busy costs nothing.
const LEAST: u64 = 100 * MILLI;

/// How long the answers of a route usually take, from the real send: the lowest P99 of any hundred
/// in a row. A target that falls behind answers later and later, which must not become usual: so it
/// is twice the longest of the quickest ten in a row until five hundred have come, and the median of
/// those before there are ten.
#[derive(Debug, Clone)]
pub(super) struct Usual {
    seen: u32,
    /// Of the current hundred.
    longest: u64,
    second: u64,
    /// The lowest P99, of so many hundreds.
    least: u64,
    blocks: u32,
    /// The current ten.
    few: Vec<u64>,
    /// The lowest of what was the longest of ten.
    quick: u64,
}

impl Default for Usual {
    fn default() -> Self {
        Self {
            seen: 0,
            longest: 0,
            second: 0,
            least: NEVER,
            blocks: 0,
            few: Vec::new(),
            quick: NEVER,
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
            self.least = self.least.min(self.second);
            self.blocks = self.blocks.saturating_add(1);
            (self.seen, self.longest, self.second) = (0, 0, 0);
        }
        if self.blocks < BLOCKS {
            self.few.push(took);
            if self.few.len() >= FEW {
                let longest = self.few.iter().max().copied();
                self.quick = self.quick.min(longest.unwrap_or(NEVER));
                self.few.clear();
            }
        }
    }

    fn usual(&self) -> u64 {
        if self.blocks >= BLOCKS {
            return self.least;
        }
        if self.quick < NEVER {
            return self.quick.saturating_mul(2);
        }
        let mut few = self.few.clone();
        few.sort_unstable();
        let middle = few.len().saturating_sub(1) / 2;
        few.get(middle).copied().unwrap_or(0)
    }

    /// When an answer that came at `now`, to a request due at `due`, counts.
    pub(super) fn counts_at(&self, due: u64, now: u64) -> u64 {
        due.max(now.saturating_sub(self.usual().max(LEAST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        clock::{SECOND, whole},
        random::{self, Random},
    };

    #[test]
    fn what_takes_as_long_as_usual_counts_when_it_was_due() {
        let mut usual = Usual::default();
        for nth in 0..750 {
            let took = (300 + nth % 7) * MILLI;
            usual.note(took);
            let late = usual.counts_at(5_000 * MILLI, 5_000 * MILLI + took) - 5_000 * MILLI;
            let most = if nth < 10 { 6 * MILLI } else { 0 };
            assert!(late <= most, "{nth}: {late}");
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
        (0..500).for_each(|_| usual.note(900 * MILLI));
        assert_eq!(usual.counts_at(0, 1_000 * MILLI), 100 * MILLI);
        (0..100).for_each(|_| usual.note(200 * MILLI));
        assert_eq!(usual.counts_at(0, 1_000 * MILLI), 800 * MILLI);
    }

    /// How many answers count in each ten seconds, of requests due at these times in nanoseconds,
    /// which take so long; what comes after the last ten counts nowhere.
    fn delivered(due: &[u64], took: impl Fn(usize) -> u64) -> Vec<u64> {
        let mut answers: Vec<(u64, u64, u64)> = due
            .iter()
            .enumerate()
            .map(|(nth, due)| (due + took(nth), *due, took(nth)))
            .collect();
        answers.sort_unstable();
        let windows = due.last().unwrap().div_ceil(WINDOW);
        let mut counts = vec![0; usize::try_from(windows).unwrap()];
        let mut usual = Usual::default();
        for (now, due, took) in answers {
            usual.note(took);
            let at = usize::try_from(usual.counts_at(due, now) / WINDOW).unwrap();
            if let Some(count) = counts.get_mut(at) {
                *count += 1;
            }
        }
        counts
    }

    const WINDOW: u64 = 10 * SECOND;

    /// How many come due in each ten seconds.
    fn scheduled(due: &[u64]) -> Vec<u64> {
        delivered(due, |_| 0)
    }

    /// Due `rate` times a second for half a minute.
    fn even(rate: u64) -> Vec<u64> {
        (0..rate * 30).map(|nth| nth * SECOND / rate).collect()
    }

    #[test]
    fn a_target_that_keeps_up_gets_the_rate() {
        for rate in [5, 50, 1_000] {
            for took in [20, 100, 300] {
                let due = even(rate);
                assert_eq!(delivered(&due, |_| took * MILLI), scheduled(&due));
            }
        }
        // From 20 ms to 300 ms, at random; chance costs a few at the end of each window.
        let took = |nth: usize| (20 + random::at(7, nth as u64) % 281) * MILLI;
        let mut ramp = Vec::new();
        let mut at = 0;
        while at < 3 * WINDOW {
            ramp.push(at);
            // From 100/s to 1000/s.
            at += SECOND * 30 / (3_000 + 900 * at / SECOND);
        }
        let mut chance = Random::new(11);
        let mut poisson = Vec::new();
        let mut at = 0.0;
        while at < 30.0 {
            poisson.push(whole(at * 1e9));
            at -= chance.unit().ln() / 1_000.0;
        }
        for due in [even(50), even(450), even(1_000), ramp, poisson] {
            let (due, counts) = (scheduled(&due), delivered(&due, took));
            for (due, count) in due.iter().zip(&counts) {
                assert!(*count as f64 >= *due as f64 * 0.99, "{counts:?} of {due}");
            }
        }
    }

    /// 4.5 come due in a second, and three are answered: of 90, sixty in time.
    #[test]
    fn few_answers_that_come_later_and_later_are_late() {
        let due: Vec<u64> = (0..90).map(|nth| nth * SECOND * 2 / 9).collect();
        let took = |nth: usize| (nth as u64 + 1) * SECOND / 3 - due[nth];
        let counts = delivered(&due, took);
        let all: u64 = counts.iter().sum();
        assert!((60..=69).contains(&all), "{counts:?}");
        // The same with nine on each worker.
        let due: Vec<u64> = (0..9).map(|nth| nth * SECOND * 2).collect();
        let took = |nth: usize| (nth as u64 + 1) * SECOND * 4 - due[nth];
        let all: u64 = delivered(&due, took).iter().sum();
        assert!((5..=8).contains(&all), "{all}");
    }
}
