//! Readiness: epoll, edge-triggered, with a timer of nanosecond resolution and a wake-up from
//! other threads.
//!
//! The timer is a timerfd: `epoll_wait` itself rounds to milliseconds, and its nanosecond variant
//! is denied by some container profiles. Edge-triggered, it need not be read.

use std::{io, os::fd::AsFd, sync::Arc};

use rustix::{
    event::{
        EventfdFlags,
        epoll::{self, CreateFlags, EventData, EventFlags},
        eventfd,
    },
    fd::OwnedFd,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};

use super::clock::{self, NEVER, timespec};

pub(super) use epoll::EventFlags as Flags;

const TIMER: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;
/// Events taken at once: enough to share the cost of the call, few enough for the pacer to come
/// in between.
const BATCH: usize = 64;

/// Wakes a poller from another thread.
#[derive(Debug, Clone)]
pub(super) struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Makes the wait that is going on, or the next one, return.
    pub(super) fn wake(&self) {
        // A full counter wakes as well.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

/// What is waited for.
pub(super) struct Poller {
    epoll: OwnedFd,
    timer: OwnedFd,
    waker: Waker,
    armed: u64,
}

/// Events of a wait. They cannot go from thread to thread, as a [`Poller`] can.
pub(super) struct Events(Vec<epoll::Event>);

impl Events {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(BATCH))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Token and flags of the event at `index`; nothing for the timer and the waker.
    pub(super) fn at(&self, index: usize) -> Option<(u64, EventFlags)> {
        let event = self.0.get(index)?;
        let token = event.data.u64();
        (token < WAKER).then_some((token, event.flags))
    }
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let waker = Waker(Arc::new(eventfd(0, flags)?));
        let edge = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), edge)?;
        epoll::add(&epoll, &*waker.0, EventData::new_u64(WAKER), edge)?;
        Ok(Self {
            epoll,
            timer,
            waker,
            armed: NEVER,
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Watches a socket for both directions until it is closed.
    pub(super) fn watch(&self, socket: impl AsFd, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(
            &self.epoll,
            socket,
            EventData::new_u64(token),
            flags,
        )?)
    }

    /// Waits for events until `precise` (kept to microseconds) or `coarse` (to a millisecond).
    pub(super) fn wait(
        &mut self,
        events: &mut Events,
        precise: u64,
        coarse: u64,
    ) -> io::Result<()> {
        events.0.clear();
        let now = clock::now();
        let pause = if precise <= now {
            0
        } else {
            if precise < coarse && precise != self.armed {
                self.arm(precise)?;
            }
            // Never earlier than asked for: half a millisecond too late is fine here.
            coarse.saturating_sub(now).div_ceil(clock::MILLI).min(1_000)
        };
        let timeout: Timespec = timespec(pause * clock::MILLI);
        let spare = rustix::buffer::spare_capacity(&mut events.0);
        match epoll::wait(&self.epoll, spare, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn arm(&mut self, at: u64) -> io::Result<()> {
        let value = Itimerspec {
            it_interval: timespec(0),
            it_value: timespec(at),
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &value)?;
        self.armed = at;
        Ok(())
    }
}
