//! How a waiver's end reads.

use jiff::{Timestamp, tz::TimeZone};
use readygate_sdk::count_of;

/// The date where it is the end of a day, else the time, UTC.
pub fn until(expires: Timestamp) -> String {
    let at = expires.to_zoned(TimeZone::UTC);
    let second = (at.hour(), at.minute(), at.second(), at.subsec_nanosecond());
    if second == (23, 59, 59, 0) {
        at.date().to_string()
    } else {
        expires.to_string()
    }
}

/// `3 days`, `5 hours`, `1 second`: the largest unit that fits, cut off.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match seconds {
        0..60 => count_of(seconds, "second", "seconds"),
        60..3600 => count_of(seconds / 60, "minute", "minutes"),
        3600..86_400 => count_of(seconds / 3600, "hour", "hours"),
        _ => count_of(seconds / 86_400, "day", "days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_reads_as_it_was_written() {
        let shown = |text: &str| until(text.parse().unwrap());
        assert_eq!(shown("2026-12-31T23:59:59Z"), "2026-12-31");
        assert_eq!(shown("2026-12-31T18:00:00Z"), "2026-12-31T18:00:00Z");
    }

    #[test]
    fn spans_use_the_largest_unit() {
        for (seconds, text) in [
            (1, "1 second"),
            (119, "1 minute"),
            (-7200, "2 hours"),
            (259_199, "2 days"),
            (259_200, "3 days"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
