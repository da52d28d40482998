//! Unix seconds and dates, from year 1 to 9999: certificates go where `jiff::Timestamp` does not.

use jiff::{SignedDuration, civil::DateTime};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Days as people count them in certificates: 86,400 s.
pub(crate) const DAY: i64 = 86_400;

/// Seconds since 1970 of a date in UTC.
pub(crate) fn seconds(date: DateTime) -> i64 {
    date.duration_since(EPOCH).as_secs()
}

/// `2026-11-27`, in UTC; the bare number where there is no such date.
pub(crate) fn date(seconds: i64) -> String {
    match EPOCH.checked_add(SignedDuration::from_secs(seconds)) {
        Ok(at) => at.date().to_string(),
        Err(_) => format!("{seconds} s after 1970"),
    }
}

/// `2026-11-27 11:08 UTC`.
pub(crate) fn moment(seconds: i64) -> String {
    match EPOCH.checked_add(SignedDuration::from_secs(seconds)) {
        Ok(at) => format!("{} UTC", at.strftime("%Y-%m-%d %H:%M")),
        Err(_) => date(seconds),
    }
}

/// `5 days`, `1 day`, `3 hours`, `1 minute`: of a length of time, rounded down.
pub(crate) fn length(seconds: i64) -> String {
    let s = seconds.unsigned_abs();
    let (n, one, many) = match s {
        172_800.. => (s / 86_400, "day", "days"),
        7_200.. => (s / 3_600, "hour", "hours"),
        120.. => (s / 60, "minute", "minutes"),
        _ => (s, "second", "seconds"),
    };
    readygate_sdk::count_of(n, one, many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_ages() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-631_152_000), "1950-01-01");
        assert_eq!(date(253_402_300_799), "9999-12-31");
        assert!(date(i64::MAX).contains("after 1970"));
        assert_eq!(moment(1_795_777_722), "2026-11-27 11:08 UTC");
        assert_eq!(length(86_400 * 5 + 3), "5 days");
        assert_eq!(length(-7_200), "2 hours");
        assert_eq!(length(1), "1 second");
    }
}
