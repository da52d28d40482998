//! How long the target was down, from samples. Pure.
//!
//! A sample sees one moment. What lies between two samples is not known, so a downtime has a
//! resolution, and a least and a most that it can have been.

use jiff::Timestamp;

pub use crate::record::Downtime;

/// What one look at the target found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken, UTC.
    pub at: Timestamp,
    /// Whether the target was down; `None` when the sample could not tell.
    pub down: Option<bool>,
}

/// The downtime in a series of samples, in their order; `None` without a sample that could tell.
pub fn of(samples: impl IntoIterator<Item = Sample>) -> Option<Downtime> {
    let mut result = Downtime::default();
    let mut last: Option<Sample> = None;
    let mut outage: Option<Outage> = None;
    for sample in samples.into_iter().filter(|s| s.down.is_some()) {
        result.samples += 1;
        if let Some(last) = last {
            result.resolution_s = result.resolution_s.max(seconds(last.at, sample.at));
        }
        match (sample.down == Some(true), &mut outage) {
            (true, Some(open)) => open.last = sample.at,
            (true, None) => {
                outage = Some(Outage {
                    up_before: last.map_or(sample.at, |l| l.at),
                    first: sample.at,
                    last: sample.at,
                });
            }
            (false, Some(open)) => {
                open.add(sample.at, &mut result);
                outage = None;
            }
            (false, None) => {}
        }
        last = Some(sample);
    }
    if let Some(open) = outage {
        open.add(open.last, &mut result);
        result.ongoing = true;
    }
    last.map(|_| result)
}

struct Outage {
    up_before: Timestamp,
    first: Timestamp,
    last: Timestamp,
}

impl Outage {
    fn add(&self, up: Timestamp, to: &mut Downtime) {
        to.outages += 1;
        to.seconds += seconds(self.first, up);
        to.least_s += seconds(self.first, self.last);
        to.most_s += seconds(self.up_before, up);
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

impl Downtime {
    /// `42 s (between 12 s and 1 min 12 s; a sample every 30 s)`, or that none was seen.
    pub fn sentence(&self) -> String {
        let of = |s: f64| readygate_sdk::Unit::Seconds.format((s * 10.0).round() / 10.0);
        let looked = readygate_sdk::count_of(self.samples as u64, "sample", "samples");
        if self.outages == 0 {
            return format!(
                "none seen in {looked}; outages shorter than {} may have been missed",
                of(self.resolution_s)
            );
        }
        let still = if self.ongoing {
            ", still down when last looked at"
        } else {
            ""
        };
        format!(
            "{}, between {} and {} ({looked}, at most {} apart){still}",
            of(self.seconds),
            of(self.least_s),
            of(self.most_s),
            of(self.resolution_s)
        )
    }

    /// The downtime of several watches, one after the other.
    #[must_use]
    pub fn and(&self, next: &Self) -> Self {
        Self {
            seconds: self.seconds + next.seconds,
            least_s: self.least_s + next.least_s,
            most_s: self.most_s + next.most_s,
            resolution_s: self.resolution_s.max(next.resolution_s),
            outages: self.outages + next.outages,
            ongoing: next.ongoing,
            samples: self.samples + next.samples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `^` up, `v` down, `?` unknown; one sample every ten seconds.
    fn seen(samples: &str) -> Option<Downtime> {
        of(samples.chars().enumerate().map(|(n, c)| Sample {
            at: Timestamp::from_second(1_000 + 10 * i64::try_from(n).unwrap()).unwrap(),
            down: match c {
                '^' => Some(false),
                'v' => Some(true),
                _ => None,
            },
        }))
    }

    #[test]
    fn an_outage_has_a_least_and_a_most() {
        let down = seen("^^vvv^^").unwrap();
        assert_eq!(
            (down.least_s, down.seconds, down.most_s),
            (20.0, 30.0, 40.0)
        );
        assert_eq!(
            (down.outages, down.ongoing, down.resolution_s),
            (1, false, 10.0)
        );
    }

    #[test]
    fn one_sample_down_is_not_zero_seconds_down() {
        let down = seen("^v^").unwrap();
        assert_eq!((down.least_s, down.seconds, down.most_s), (0.0, 10.0, 20.0));
    }

    #[test]
    fn what_could_not_be_told_widens_the_resolution() {
        let down = seen("^?v??^").unwrap();
        assert_eq!((down.least_s, down.seconds, down.most_s), (0.0, 30.0, 50.0));
        assert_eq!((down.samples, down.resolution_s), (3, 30.0));
    }

    #[test]
    fn an_outage_at_the_end_goes_on() {
        let down = seen("^vv").unwrap();
        assert!(down.ongoing);
        assert_eq!((down.seconds, down.most_s), (10.0, 20.0));
        assert!(down.sentence().contains("still down"));
    }

    #[test]
    fn nothing_told_is_nothing_known() {
        assert_eq!(seen("??"), None);
        assert_eq!(seen(""), None);
        assert!(
            seen("^^")
                .unwrap()
                .sentence()
                .starts_with("none seen in 2 samples")
        );
    }
}
