//! Waiting until a time, to the microsecond: the runtime's own timers are a millisecond late.

use std::io;

use rustix::{
    fd::OwnedFd,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create,
        timerfd_settime,
    },
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::engine::clock::timespec;

/// A timer.
pub(super) struct Pacer(AsyncFd<OwnedFd>);

impl Pacer {
    #[expect(
        deprecated,
        reason = "an `OwnedFd` keeps its promise; the successor is unsafe, which is forbidden here"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
    }

    /// Waits until `at` on the monotonic clock.
    pub(super) async fn until(&mut self, at: u64) -> io::Result<()> {
        let value = Itimerspec {
            it_interval: timespec(0),
            it_value: timespec(at.max(1)),
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::ABSTIME, &value)?;
        loop {
            let mut guard = self.0.readable().await?;
            let mut count = [0; 8];
            match rustix::io::read(guard.get_inner(), &mut count) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::AGAIN) => guard.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
