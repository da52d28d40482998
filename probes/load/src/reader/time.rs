//! Times as tools print them.

use jiff::Timestamp;

/// A duration such as `1.5ms`, `10.00 secs`, `1m2.5s` or `0s 001ms 000us`, in seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(rest.len());
        total += number * unit(&rest[..end])?;
        rest = rest[end..].trim_start();
    }
    Some(total)
}

fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" => 60.0,
        "h" | "hr" => 3_600.0,
        _ => return None,
    })
}

/// A time in milliseconds of the Unix epoch.
pub(super) fn of_millis(millis: f64) -> Option<Timestamp> {
    of_seconds(millis / 1e3)
}

/// A time in seconds of the Unix epoch, to the millisecond.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
pub(super) fn of_seconds(seconds: f64) -> Option<Timestamp> {
    let plausible = (1.0..1e11).contains(&seconds);
    plausible.then(|| Timestamp::from_millisecond((seconds * 1e3).round() as i64).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        for (text, expected) in [
            ("341.00us", 341e-6),
            ("83.33m", 83.33 * 60.0),
            ("10.0024 secs", 10.0024),
            ("40.0470 ms", 0.040_047),
            ("1m2.5s", 62.5),
            ("0s 001ms 500us", 0.0015),
            ("145.082066ms", 0.145_082_066),
        ] {
            assert!(near(seconds(text).unwrap(), expected), "{text}");
        }
        for text in ["", "ms", "-nan%", "5", "5 parsecs"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
