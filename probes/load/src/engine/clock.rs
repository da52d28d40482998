//! Time as whole nanoseconds of `CLOCK_MONOTONIC`, which all processes of a machine share.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// One second.
pub(super) const SECOND: u64 = 1_000_000_000;
/// One millisecond.
pub(super) const MILLI: u64 = 1_000_000;
/// Later than any time.
pub(super) const NEVER: u64 = u64::MAX;

/// Now.
pub(super) fn now() -> u64 {
    of(clock_gettime(ClockId::Monotonic))
}

/// CPU time of this thread so far.
pub(super) fn thread_cpu() -> u64 {
    of(clock_gettime(ClockId::ThreadCPUTime))
}

fn of(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * SECOND + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// As the kernel wants it.
pub(super) fn timespec(nanos: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(nanos / SECOND).unwrap_or(i64::MAX),
        tv_nsec: (nanos % SECOND).try_into().unwrap_or(0),
    }
}

/// A duration in nanoseconds; the longest is 584 years.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

/// Nanoseconds as seconds.
pub(super) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// A float that is known to be a count, as one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates and sends NaN to 0, which is what is wanted"
)]
pub(super) fn whole(value: f64) -> u64 {
    value as u64
}

/// An index as `u32`; there are never more than 2^32 of what the engine counts in it.
pub(super) fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
