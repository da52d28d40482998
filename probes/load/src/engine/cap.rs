//! Most requests a second, for users that would otherwise send as fast as the target answers.

use super::{
    clock::{MILLI, SECOND, whole},
    schedule::Share,
};

/// Turns that were not taken count for so long: what is slower than the cap is not held up by it.
const CREDIT: u64 = 10 * MILLI;

/// Hands out turns to send, first come, first served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    /// Nanoseconds between two turns of this worker; 0 without a cap.
    gap: u64,
    /// The next turn.
    next: u64,
}

impl Cap {
    /// This worker's part of a cap over all workers.
    pub(super) fn new(rate: Option<f64>, share: Share) -> Self {
        let gap = rate.map_or(0, |rate| {
            whole((f64::from(share.of) * SECOND as f64 / rate).ceil())
        });
        Self { gap, next: 0 }
    }

    /// When the request may be sent that wants to be sent now: now, or later.
    pub(super) fn turn(&mut self, now: u64) -> u64 {
        if self.gap == 0 {
            return now;
        }
        let turn = self.next.max(now.saturating_sub(CREDIT));
        self.next = turn.saturating_add(self.gap);
        turn.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(rate: Option<f64>, of: u32) -> Cap {
        Cap::new(rate, Share { index: 0, of })
    }

    /// Turns within a second of many that want to send at once.
    fn within_a_second(mut cap: Cap) -> usize {
        let turns = (0..100_000).map(|_| cap.turn(SECOND));
        turns.filter(|turn| *turn < 2 * SECOND).count()
    }

    #[test]
    fn no_more_than_the_rate_and_its_credit_is_sent() {
        assert_eq!(within_a_second(cap(Some(1_000.0), 1)), 1_010);
        // Four workers send a quarter each.
        assert_eq!(within_a_second(cap(Some(1_000.0), 4)), 253);
        assert_eq!(within_a_second(cap(None, 1)), 100_000);
    }

    #[test]
    fn what_is_slower_is_not_held_up() {
        let mut cap = cap(Some(1_000.0), 1);
        for nth in 1..100 {
            let now = SECOND + nth * 2 * MILLI;
            assert_eq!(cap.turn(now), now);
        }
    }
}
