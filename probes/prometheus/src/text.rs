//! Durations and times as Prometheus writes them.

use jiff::Timestamp;

/// Seconds of a duration of Prometheus: `1m30s`, `15d`, `2w`, `1y`, `500ms`.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0.0);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let unit = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |n| digits + n);
        let factor = match &rest[digits..unit] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "y" => 31_536_000.0,
            _ => return None,
        };
        total += rest[..digits].parse::<f64>().ok()? * factor;
        rest = &rest[unit..];
    }
    (!text.trim().is_empty()).then_some(total)
}

/// For how long a server keeps samples, and whether a size may end it earlier: `15d`,
/// `15d or 10GiB`, `10GiB`.
pub(crate) fn retention(text: &str) -> (Option<f64>, bool) {
    let parts = || text.split(" or ");
    let time = parts().find_map(seconds);
    (time, parts().any(|part| seconds(part).is_none()))
}

/// Seconds since the epoch of a time in RFC 3339; nothing for Go's zero time, which says never.
pub(crate) fn time(text: &str) -> Option<f64> {
    let time: Timestamp = text.parse().ok()?;
    (time.as_second() > 0).then(|| since_epoch(time))
}

/// Seconds since the epoch, to a millisecond.
pub(crate) fn since_epoch(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1e3
}

/// To a millisecond: ages and skews.
pub(crate) fn milli(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// To ten digits: such a number survives JSON exactly.
pub(crate) fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, wanted) in [
            ("15d", Some(1_296_000.0)),
            ("1m30s", Some(90.0)),
            ("2w", Some(1_209_600.0)),
            ("500ms", Some(0.5)),
            ("0", Some(0.0)),
            ("10GiB", None),
            ("", None),
            ("15", None),
            ("d", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
        assert_eq!(retention("15d or 10GiB"), (Some(1_296_000.0), true));
        assert_eq!(retention("10GiB"), (None, true));
        assert_eq!(retention("15d"), (Some(1_296_000.0), false));
    }

    #[test]
    fn the_zero_time_is_never() {
        assert_eq!(time("0001-01-01T00:00:00Z"), None);
        assert_eq!(time("1970-01-01T00:01:00.5+00:00"), Some(60.5));
        assert_eq!(time("yesterday"), None);
    }
}
