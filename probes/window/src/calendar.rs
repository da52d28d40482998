//! When a recurring span begins and ends, whatever the clocks of its zone do.
//!
//! A beginning that falls into the hour that is skipped in spring happens when the clocks have
//! jumped. One that falls into the hour that comes twice in autumn opens a window at its first
//! coming only, but begins a freeze at both: in doubt nothing is deployed.

use std::time::Duration;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};

use crate::cron::Cron;

/// Ends are looked for this far ahead.
pub const HORIZON: Duration = Duration::from_secs(48 * 3_600);
/// A schedule that exists comes at least once in eight years (29 February around 2100).
const AHEAD_DAYS: u32 = 8 * 366;
/// Days are looked at that far around a moment: zones have left out whole days.
const MARGIN: SignedDuration = SignedDuration::from_hours(26);
/// No zone sets its clocks back by more than this.
const BACK: SignedDuration = SignedDuration::from_hours(3);

/// A schedule in its zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// When it begins.
    pub cron: Cron,
    /// In which zone.
    pub zone: TimeZone,
    /// How long it lasts.
    pub duration: SignedDuration,
    /// Whether a beginning that comes twice counts twice.
    pub twice: bool,
}

impl Calendar {
    /// The last beginning at or before `at`, if what began then still matters: it ends after `at`.
    pub fn open_since(&self, at: Timestamp) -> Option<Timestamp> {
        let oldest = at.checked_sub(self.duration).ok()?;
        let first = self.date(oldest.checked_sub(MARGIN).ok()?);
        let mut day = self.date(at.checked_add(MARGIN).ok()?);
        let latest = self.zone.to_datetime(at).checked_add(BACK).ok()?;
        while day >= first {
            if self.cron.on(day) {
                let starts = self.cron.times().rev().filter(|(h, m)| {
                    Time::new(*h, *m, 0, 0).is_ok_and(|time| day.to_datetime(time) <= latest)
                });
                let mut begun = starts
                    .flat_map(|time| self.begins(day, time))
                    .filter(|s| *s <= at);
                if let Some(start) = begun.next() {
                    return (start > oldest).then_some(start);
                }
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    /// The first beginning after `at`.
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let mut day = self.date(at.checked_sub(MARGIN).ok()?);
        for _ in 0..AHEAD_DAYS {
            if self.cron.on(day) {
                let begins = self.cron.times().flat_map(|time| self.begins(day, time));
                if let Some(start) = begins.filter(|s| *s > at).min() {
                    return Some(start);
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// When the span that holds `at` ends, with what begins of the same schedule before its end;
    /// `horizon` is far enough.
    fn ends(&self, at: Timestamp, horizon: Timestamp) -> Option<Timestamp> {
        let mut end = self.open_since(at)?.checked_add(self.duration).ok()?;
        let earliest = self.zone.to_datetime(at).checked_sub(BACK).ok()?;
        let mut day = earliest.date();
        while end < horizon {
            for time in self.cron.times().filter(|_| self.cron.on(day)) {
                let early = |time: Time| day.to_datetime(time) < earliest;
                if Time::new(time.0, time.1, 0, 0).is_ok_and(early) {
                    continue;
                }
                for begin in self.begins(day, time).into_iter().rev() {
                    if begin > end {
                        return Some(end);
                    }
                    end = end.max(begin.checked_add(self.duration).ok()?);
                }
                if end >= horizon {
                    return Some(end);
                }
            }
            day = day.tomorrow().ok()?;
            if self.date(end) < day {
                return Some(end);
            }
        }
        Some(end)
    }

    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The moments at which a wall-clock time comes, the latest first: mostly one.
    fn begins(&self, day: Date, (hour, minute): (i8, i8)) -> Vec<Timestamp> {
        let Ok(time) = Time::new(hour, minute, 0, 0) else {
            return Vec::new();
        };
        let moment = self.zone.to_ambiguous_timestamp(day.to_datetime(time));
        let (first, second) = match moment.offset() {
            AmbiguousOffset::Unambiguous { .. } => (moment.compatible().ok(), None),
            AmbiguousOffset::Fold { .. } => {
                let second = moment.later().ok().filter(|_| self.twice);
                (moment.earlier().ok(), second)
            }
            AmbiguousOffset::Gap { .. } => {
                // The later reading lies behind the jump, by as much as was skipped before it.
                let behind = moment.later().ok();
                let jump = behind.and_then(|b| Some(self.zone.preceding(b).next()?.timestamp()));
                (jump.or(behind), None)
            }
        };
        [second, first].into_iter().flatten().collect()
    }
}

/// When the union of spans that holds `at` ends: `None` when `at` is in none of them, and the end
/// of the horizon when it goes on for longer.
pub fn open_until(calendars: &[Calendar], at: Timestamp) -> Option<Timestamp> {
    let horizon = at
        .checked_add(SignedDuration::try_from(HORIZON).ok()?)
        .ok()?;
    let ending = |at| calendars.iter().filter_map(|c| c.ends(at, horizon)).max();
    let mut end = ending(at)?;
    // A span that begins when another ends, or before, carries on.
    while end < horizon {
        match ending(end) {
            Some(later) if later > end => end = later,
            _ => return Some(end),
        }
    }
    Some(horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(schedule: &str, hours: i64, zone: &str, twice: bool) -> Calendar {
        Calendar {
            cron: schedule.parse().unwrap(),
            zone: TimeZone::get(zone).unwrap(),
            duration: SignedDuration::from_mins(hours * 60),
            twice,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn until(calendars: &[Calendar], time: &str) -> Option<String> {
        open_until(calendars, at(time)).map(|t| t.to_string())
    }

    #[test]
    fn a_window_holds_its_beginning_and_not_its_end() {
        let nights = [calendar("0 22 * * *", 4, "Europe/Berlin", false)];
        assert_eq!(until(&nights, "2026-11-27T20:59:59Z"), None);
        assert_eq!(
            until(&nights, "2026-11-27T21:00:00Z").unwrap(),
            "2026-11-28T01:00:00Z"
        );
        assert_eq!(
            until(&nights, "2026-11-28T00:59:59Z").unwrap(),
            "2026-11-28T01:00:00Z"
        );
        assert_eq!(until(&nights, "2026-11-28T01:00:00Z"), None);
        // In summer the same wall clock is another hour of UTC.
        assert!(until(&nights, "2026-07-01T20:00:00Z").is_some());
        assert!(until(&nights, "2026-07-02T00:00:00Z").is_none());
    }

    #[test]
    fn windows_that_touch_are_one() {
        let both = [
            calendar("0 20 * * *", 2, "UTC", false),
            calendar("0 22 * * *", 3, "UTC", false),
        ];
        assert_eq!(
            until(&both, "2026-11-27T20:30:00Z").unwrap(),
            "2026-11-28T01:00:00Z"
        );
        let always = [calendar("0 * * * *", 1, "UTC", false)];
        assert_eq!(
            until(&always, "2026-11-27T20:30:00Z").unwrap(),
            "2026-11-29T20:30:00Z"
        );
        let always = [calendar("* * * * *", 1, "UTC", false)];
        assert_eq!(
            until(&always, "2026-11-27T20:30:00Z").unwrap(),
            "2026-11-29T20:30:00Z"
        );
    }

    #[test]
    fn a_beginning_in_the_skipped_hour_happens_after_the_jump() {
        // Berlin jumps from 02:00 to 03:00 on 2026-03-29, at 01:00 UTC.
        let spring = [calendar("30 2 29 3 *", 1, "Europe/Berlin", false)];
        assert_eq!(until(&spring, "2026-03-29T00:59:59Z"), None);
        assert_eq!(
            until(&spring, "2026-03-29T01:00:00Z").unwrap(),
            "2026-03-29T02:00:00Z"
        );
        assert_eq!(
            spring[0].next(at("2026-03-28T12:00:00Z")),
            Some(at("2026-03-29T01:00:00Z"))
        );
        // Lord Howe moves by half an hour: 02:00 to 02:30 on 2026-10-04, at 15:30 UTC the day before.
        let howe = calendar("15 2 4 10 *", 1, "Australia/Lord_Howe", false);
        assert_eq!(
            howe.next(at("2026-10-01T00:00:00Z")),
            Some(at("2026-10-03T15:30:00Z"))
        );
    }

    #[test]
    fn a_beginning_in_the_hour_that_comes_twice_opens_once_and_freezes_twice() {
        // Berlin goes from 03:00 back to 02:00 on 2026-10-25, at 01:00 UTC.
        let open = [calendar("30 2 25 10 *", 1, "Europe/Berlin", false)];
        assert_eq!(
            until(&open, "2026-10-25T00:30:00Z").unwrap(),
            "2026-10-25T01:30:00Z"
        );
        assert_eq!(until(&open, "2026-10-25T01:45:00Z"), None);
        let freeze = [calendar("30 2 25 10 *", 1, "Europe/Berlin", true)];
        assert_eq!(
            until(&freeze, "2026-10-25T00:30:00Z").unwrap(),
            "2026-10-25T02:30:00Z"
        );
        assert!(until(&freeze, "2026-10-25T02:29:59Z").is_some());
    }

    #[test]
    fn a_window_over_a_change_lasts_its_time() {
        let night = [calendar("0 22 24 10 *", 8, "Europe/Berlin", false)];
        assert_eq!(
            until(&night, "2026-10-24T20:00:00Z").unwrap(),
            "2026-10-25T04:00:00Z"
        );
    }

    #[test]
    fn long_windows_and_rare_ones() {
        let christmas = [calendar("0 0 20 12 *", 16 * 24, "Asia/Riyadh", true)];
        assert!(until(&christmas, "2027-01-04T20:00:00Z").is_some());
        assert!(until(&christmas, "2027-01-04T21:00:00Z").is_none());
        let leap = calendar("0 0 29 2 *", 1, "UTC", false);
        assert_eq!(
            leap.next(at("2024-03-01T00:00:00Z")),
            Some(at("2028-02-29T00:00:00Z"))
        );
        // A day that a zone left out: Apia had no 2011-12-30.
        let apia = calendar("0 12 30 12 *", 1, "Pacific/Apia", false);
        assert!(apia.next(at("2011-12-29T00:00:00Z")).is_some());
    }
}
