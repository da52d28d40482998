//! Durations as records hold them, and deadlines.

use std::time::Duration;

use readygate_sdk::Cx;
use tokio::time::Instant;

/// Seconds to the millisecond.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

/// Milliseconds to the microsecond.
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// `timeout` from now, but with time left to report.
pub fn until(cx: &Cx, timeout: Duration) -> Instant {
    let last = cx
        .deadline()
        .checked_sub(super::SPARE)
        .unwrap_or_else(Instant::now);
    (Instant::now() + timeout).min(last)
}
