//! What happens at a time and not on an event: timeouts, redials, pauses, phases of users.

use std::cmp::Ordering;

use super::{
    Model, Worker,
    connection::{Connection, NONE, State as Stage, at},
    sweep_period,
};
use crate::engine::{
    clock::{NEVER, SECOND, index, nanos, whole},
    random,
    tally::{Kind, State},
};

/// Something to do at a time, for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timer {
    at: u64,
    id: u32,
}

impl Timer {
    /// A look at the phases of the closed model.
    pub(super) fn phase(at: u64) -> Self {
        Self { at, id: NONE }
    }
}

impl Ord for Timer {
    /// The earliest is the greatest: `BinaryHeap` gives that first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.id).cmp(&(self.at, self.id))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Worker {
    pub(super) fn next_timer(&self) -> u64 {
        self.timers.peek().map_or(NEVER, |timer| timer.at)
    }

    pub(super) fn fire_timers(&mut self) {
        while let Some(timer) = self.timers.peek().copied() {
            if timer.at > self.now {
                break;
            }
            self.timers.pop();
            if timer.id == NONE {
                self.change_users();
            } else {
                self.fire(timer);
            }
        }
    }

    /// Sets the timer of a connection.
    pub(super) fn set_timer(&mut self, id: u32, at_time: u64) {
        self.all[at(id)].timer = at_time;
        self.timers.push(Timer { at: at_time, id });
    }

    fn fire(&mut self, timer: Timer) {
        let connection = &mut self.all[at(timer.id)];
        if connection.timer != timer.at {
            return;
        }
        connection.timer = NEVER;
        match connection.state {
            Stage::Paused | Stage::Down if connection.engaged => {
                self.send_step(timer.id, timer.at);
            }
            Stage::Paused | Stage::Down if connection.active => self.user_turn(timer.id, timer.at),
            Stage::Down => self.redial(timer.id),
            _ => {}
        }
    }

    /// Activates the users of the phase that begins.
    fn change_users(&mut self) {
        if self.phase_state != State::Running {
            return;
        }
        let now = self.now;
        let Some(nth) = self.stretches.iter().position(|s| now < s.end) else {
            return;
        };
        self.phase = u16::try_from(nth).unwrap_or(u16::MAX);
        self.timers.push(Timer::phase(self.stretches[nth].end));
        let asked = self.job.spec.phases[nth].users;
        let asked = asked.unwrap_or(self.job.spec.connections);
        let users = index(usize::try_from(self.job.share.part(u64::from(asked))).unwrap_or(0));
        let (before, count) = (self.users, index(self.all.len()));
        self.users = users.min(count);
        for id in before..self.users {
            self.wake_user(id);
        }
    }

    /// Users begin spread over one pause, not all at once.
    fn wake_user(&mut self, id: u32) {
        let Model::Closed(think) = self.model else {
            return;
        };
        let connection = &mut self.all[at(id)];
        if connection.active {
            return;
        }
        connection.active = true;
        if matches!(connection.state, Stage::Paused | Stage::Down) {
            let bits = random::at(self.job.spec.seed ^ 0x5eed, u64::from(id));
            let pause = whole(random::unit(bits) * think as f64);
            self.set_timer(id, self.now + pause);
        }
    }

    /// A user begins its next scenario, or rests if there are fewer users now.
    pub(super) fn user_turn(&mut self, id: u32, due: u64) {
        if self.phase_state != State::Running || id >= self.users || due >= self.cutoff {
            let connection = &mut self.all[at(id)];
            connection.active = false;
            connection.granted = false;
            return;
        }
        if self.is_held(id) {
            return;
        }
        self.begin(id, due, self.phase_at(due));
    }

    /// Whether the next request must wait for its turn; the timer of its connection then says when.
    pub(super) fn is_held(&mut self, id: u32) -> bool {
        let connection = &mut self.all[at(id)];
        if std::mem::take(&mut connection.granted) {
            return false;
        }
        let turn = self.cap.turn(self.now);
        if turn <= self.now {
            return false;
        }
        connection.granted = true;
        self.set_timer(id, turn);
        true
    }

    /// The phase at a time.
    pub(super) fn phase_at(&self, due: u64) -> u16 {
        let nth = self.stretches.partition_point(|s| s.end <= due);
        let last = self.stretches.len().saturating_sub(1);
        u16::try_from(nth.min(last)).unwrap_or(u16::MAX)
    }

    /// Looks at all deadlines.
    pub(super) fn sweep(&mut self) {
        let spec = &self.job.spec;
        self.next_sweep = self.now + sweep_period(nanos(spec.timeout.min(spec.connect.timeout)));
        for id in 0..index(self.deadlines.len()) {
            if self.deadlines[at(id)] <= self.now {
                self.overdue(id);
            }
        }
        self.check_ready();
        self.release_unreachable();
    }

    fn overdue(&mut self, id: u32) {
        match self.all[at(id)].state {
            Stage::Connecting => {
                let seconds = self.job.spec.connect.timeout.as_secs_f64();
                self.dial_failed(
                    id,
                    Kind::Connect,
                    &format!("no connection within {seconds} s"),
                );
            }
            Stage::Handshake => {
                let seconds = self.job.spec.connect.timeout.as_secs_f64();
                self.dial_failed(id, Kind::Tls, &format!("no TLS session within {seconds} s"));
            }
            Stage::Busy => self.fail(id, Kind::Timeout),
            _ => self.deadlines[at(id)] = NEVER,
        }
    }

    /// The ramp is over when every connection is open or has failed for good.
    fn check_ready(&mut self) {
        if self.phase_state != State::Dialing {
            return;
        }
        let limit = self.ramp_began + nanos(self.job.spec.connect.ramp_limit);
        let settled = |c: &Connection| match c.state {
            Stage::Idle | Stage::Paused => true,
            _ => c.failures >= 3,
        };
        let all_tried = at(self.undialed) >= self.all.len();
        if self.now >= limit || (all_tried && self.all.iter().all(settled)) {
            self.phase_state = State::Ready;
            self.report(self.now);
            self.next_flush = self.now + SECOND;
        }
    }
}
