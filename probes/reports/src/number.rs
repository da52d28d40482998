//! Numbers and times as reports write them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Longest time that is believed: some thirty thousand years, and exact to the millisecond.
const LONGEST: f64 = 1e12;

/// Seconds to the millisecond: such a number survives JSON exactly.
pub fn to_millis(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// Reads a `time` attribute: seconds, perhaps with thousands separators (`1,234.56`) or a decimal
/// comma (`0,015`). `None` for what is no such number.
pub fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = match text.split_once(',') {
        None => text.to_owned(),
        Some((whole, rest)) if is_decimal_comma(whole, rest) => format!("{whole}.{rest}"),
        Some(_) => text.replace(',', ""),
    };
    let number: f64 = plain.parse().ok()?;
    (0.0..=LONGEST).contains(&number).then_some(number)
}

/// A single comma is decimal unless exactly three digits follow it, as in `1,234`; `0,123` has
/// nothing to separate.
fn is_decimal_comma(whole: &str, rest: &str) -> bool {
    let digits = rest.bytes().all(|b| b.is_ascii_digit());
    digits && (rest.len() != 3 || whole.trim_start_matches('0').is_empty())
}

/// Reads a count attribute.
pub fn count(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// When a suite started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// No time zone is written; `at` is the reading as UTC.
    pub zoneless: bool,
}

/// Reads a suite's `timestamp`: RFC 3339, or the same without a zone.
pub fn started(text: &str) -> Option<Started> {
    let text = text.trim();
    if let Ok(at) = text.parse() {
        return Some(Started {
            at,
            zoneless: false,
        });
    }
    let local: DateTime = text.parse().ok()?;
    let at = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Started { at, zoneless: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("0.5", Some(0.5)),
            (" 3 ", Some(3.0)),
            ("1.7e-05", Some(1.7e-5)),
            ("1,234.56", Some(1_234.56)),
            ("1,234,567.8", Some(1_234_567.8)),
            ("1,234", Some(1_234.0)),
            ("0,015", Some(0.015)),
            ("12,5", Some(12.5)),
            ("", None),
            ("NaN", None),
            ("inf", None),
            ("-1", None),
            ("1e300", None),
            ("1.2s", None),
            ("2020-09-04T16:18:04", None),
            ("<<computed>>", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn timestamps_without_a_zone_are_utc() {
        let expected: Timestamp = "2020-09-04T16:18:04.5Z".parse().unwrap();
        for (text, zoneless) in [
            ("2020-09-04T16:18:04.5", true),
            ("2020-09-04T18:18:04.5+02:00", false),
        ] {
            assert_eq!(
                started(text),
                Some(Started {
                    at: expected,
                    zoneless
                })
            );
        }
        assert_eq!(started("Fri Sep 04 2020"), None);
    }
}
