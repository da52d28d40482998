//! When requests are due. Nothing is stored for a request: the time of the next unsent one is
//! computed from its index (uniform) or from the state of a seeded generator (Poisson), so a
//! backlog of any length costs nothing.

use super::{
    clock::{NEVER, SECOND, nanos, seconds, whole},
    random::Random,
    spec::{Arrivals, Phase, PhaseKind},
};

/// One worker among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Its number, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl Share {
    /// This worker's part of `total`, so that all parts add up.
    pub(super) fn part(self, total: u64) -> u64 {
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        total / of + u64::from(index < total % of)
    }
}

/// A phase on the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// Start.
    pub start: u64,
    /// End.
    pub end: u64,
    /// Arrivals a second over all workers; 0 sends nothing.
    pub rate: f64,
}

/// Puts the phases on the clock, from `start`.
pub(super) fn stretches(phases: &[Phase], start: u64) -> Vec<Stretch> {
    let mut at = start;
    let place = |phase: &Phase| {
        let start = at;
        at = at.saturating_add(nanos(phase.duration));
        Stretch {
            start,
            end: at,
            rate: phase.rate.unwrap_or(0.0),
        }
    };
    phases.iter().map(place).collect()
}

/// Ends the stress at a time: what follows it follows at once. The number of the first phase after
/// it; nothing where it is over by then.
pub(super) fn end_stress(stretches: &mut [Stretch], phases: &[Phase], at: u64) -> Option<usize> {
    let last = phases.iter().rposition(|p| p.kind == PhaseKind::Stress)?;
    let early = stretches
        .get(last)?
        .end
        .checked_sub(at)
        .filter(|n| *n > 0)?;
    for (nth, stretch) in stretches.iter_mut().enumerate() {
        if nth > last {
            stretch.start -= early;
            stretch.end -= early;
        } else {
            stretch.start = stretch.start.min(at);
            stretch.end = stretch.end.min(at);
        }
    }
    Some(last + 1)
}

/// A request that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// When.
    pub at: u64,
    /// In which phase.
    pub phase: u16,
}

/// The arrivals of one worker, in order.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    stretches: Vec<Stretch>,
    share: Share,
    arrivals: Arrivals,
    random: Random,
    /// Current phase.
    phase: usize,
    /// Arrivals of this worker in the current phase that were taken.
    taken: u64,
    next: Option<Due>,
}

impl Schedule {
    /// All arrivals of this worker.
    pub(super) fn new(
        stretches: Vec<Stretch>,
        share: Share,
        arrivals: Arrivals,
        seed: u64,
    ) -> Self {
        let mut schedule = Self {
            stretches,
            share,
            arrivals,
            random: Random::new(seed ^ (u64::from(share.index) << 32)),
            phase: 0,
            taken: 0,
            next: None,
        };
        schedule.next = schedule.find(None);
        schedule
    }

    /// The same from a phase on, after the phases have been put elsewhere on the clock.
    pub(super) fn resume(&self, stretches: Vec<Stretch>, phase: usize) -> Self {
        let mut schedule = Self {
            stretches,
            phase,
            taken: 0,
            ..self.clone()
        };
        schedule.next = schedule.find(None);
        schedule
    }

    /// When the next one is due; never, if none is left.
    pub(super) fn next_at(&self) -> u64 {
        self.next.map_or(NEVER, |due| due.at)
    }

    /// Takes the next arrival.
    pub(super) fn take(&mut self) -> Option<Due> {
        let due = self.next?;
        self.taken += 1;
        self.next = self.find(Some(due.at));
        Some(due)
    }

    /// The arrival at the cursor, moving on to later phases where one is exhausted.
    fn find(&mut self, last: Option<u64>) -> Option<Due> {
        let mut last = last;
        while let Some(stretch) = self.stretches.get(self.phase).copied() {
            let at = self.within(stretch, last);
            if at < stretch.end {
                let phase = u16::try_from(self.phase).unwrap_or(u16::MAX);
                return Some(Due { at, phase });
            }
            self.phase += 1;
            self.taken = 0;
            last = None;
        }
        None
    }

    fn within(&mut self, stretch: Stretch, last: Option<u64>) -> u64 {
        if stretch.rate <= 0.0 {
            return NEVER;
        }
        match self.arrivals {
            Arrivals::Uniform => {
                let index = self.taken * u64::from(self.share.of) + u64::from(self.share.index);
                // The last arrival of a phase is kept off its end by the rounding of floats.
                if index >= whole((seconds(stretch.end - stretch.start) * stretch.rate).round()) {
                    return NEVER;
                }
                let offset = whole(index as f64 * SECOND as f64 / stretch.rate);
                (stretch.start + offset).min(stretch.end - 1)
            }
            Arrivals::Poisson => {
                let rate = stretch.rate / f64::from(self.share.of);
                let gap = whole(-self.random.unit().ln() / rate * SECOND as f64);
                last.unwrap_or(stretch.start).saturating_add(gap)
            }
        }
    }

    /// Arrivals that are due at `now` and were not taken.
    pub(super) fn backlog(&self, now: u64) -> u64 {
        if self.next_at() > now {
            return 0;
        }
        let mut ahead = self.clone();
        match self.arrivals {
            Arrivals::Uniform => ahead.skip_to(now),
            Arrivals::Poisson => {
                let mut n = 0;
                while ahead.next_at() <= now {
                    ahead.take();
                    n += 1;
                }
                n
            }
        }
    }

    /// Counts uniform arrivals up to `now` without walking through them.
    fn skip_to(&mut self, now: u64) -> u64 {
        let mut total = 0;
        let mut taken = self.taken;
        for stretch in &self.stretches[self.phase.min(self.stretches.len())..] {
            if stretch.start > now || stretch.rate <= 0.0 {
                taken = 0;
                continue;
            }
            let all = whole((seconds(stretch.end - stretch.start) * stretch.rate).round());
            let passed = seconds(now - stretch.start) * stretch.rate;
            let due = (whole(passed) + 1).min(all);
            let mine = self.share.part(due);
            total += mine.saturating_sub(taken);
            taken = 0;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::spec::PhaseKind;

    fn phase(rate: f64, seconds: u64) -> Phase {
        Phase {
            name: "p".into(),
            kind: PhaseKind::Measure,
            rate: Some(rate),
            users: None,
            duration: Duration::from_secs(seconds),
        }
    }

    fn all(phases: &[Phase], of: u32, arrivals: Arrivals) -> Vec<u64> {
        let mut times = Vec::new();
        for index in 0..of {
            let share = Share { index, of };
            let mut schedule = Schedule::new(stretches(phases, 1_000), share, arrivals, 7);
            while let Some(due) = schedule.take() {
                times.push(due.at - 1_000);
            }
        }
        times.sort_unstable();
        times
    }

    #[test]
    fn workers_together_are_uniform() {
        for of in [1, 2, 3, 7] {
            let times = all(&[phase(1_000.0, 2)], of, Arrivals::Uniform);
            assert_eq!(times.len(), 2_000, "{of} workers");
            for (k, at) in times.iter().enumerate() {
                assert_eq!(*at, k as u64 * MILLI_TEST, "{of} workers, arrival {k}");
            }
        }
    }
    const MILLI_TEST: u64 = 1_000_000;

    #[test]
    fn phases_follow_each_other() {
        let phases = [phase(10.0, 1), phase(0.0, 1), phase(20.0, 1)];
        let times = all(&phases, 2, Arrivals::Uniform);
        assert_eq!(times.len(), 30);
        assert_eq!(times.iter().filter(|t| **t < SECOND).count(), 10);
        assert_eq!(times.iter().filter(|t| **t >= 2 * SECOND).count(), 20);
    }

    #[test]
    fn a_rate_that_is_no_whole_number_loses_nothing() {
        assert_eq!(all(&[phase(33.333, 30)], 4, Arrivals::Uniform).len(), 1_000);
        assert_eq!(all(&[phase(0.5, 10)], 3, Arrivals::Uniform).len(), 5);
    }

    #[test]
    fn poisson_has_the_rate_and_the_spread_and_repeats() {
        let times = all(&[phase(1_000.0, 20)], 2, Arrivals::Poisson);
        assert!((19_300..20_700).contains(&times.len()), "{}", times.len());
        let gaps: Vec<f64> = times.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        let ratio = variance.sqrt() / mean;
        assert!(
            (0.95..1.05).contains(&ratio),
            "coefficient of variation {ratio}"
        );
        assert_eq!(times, all(&[phase(1_000.0, 20)], 2, Arrivals::Poisson));
    }

    #[test]
    fn backlog_is_what_a_walk_counts() {
        for arrivals in [Arrivals::Uniform, Arrivals::Poisson] {
            let phases = [phase(997.0, 1), phase(1_500.0, 2)];
            let share = Share { index: 1, of: 3 };
            let mut schedule = Schedule::new(stretches(&phases, 0), share, arrivals, 3);
            for _ in 0..100 {
                schedule.take();
            }
            for now in [0, SECOND / 2, SECOND, 3 * SECOND / 2, 5 * SECOND] {
                let mut walk = schedule.clone();
                let mut n = 0;
                while walk.next_at() <= now {
                    walk.take();
                    n += 1;
                }
                assert_eq!(schedule.backlog(now), n, "{arrivals:?} at {now}");
            }
        }
    }
}
