//! Opening connections, and what happens when that fails.

use super::{
    Model, Worker,
    connection::{State as Stage, at},
};
use crate::engine::{
    clock::{self, MILLI, NEVER, SECOND, index, nanos, seconds, whole},
    poller::Flags,
    random,
    socket::{abandon, connect_kind, dial, send_tls, shake},
    tally::{Kind, State, record},
};

/// Longest pause between attempts.
const LONGEST_PAUSE: u64 = SECOND;

impl Worker {
    /// Without keep-alive there is nothing to open beforehand.
    pub(super) fn make_cold(&mut self) {
        for id in 0..index(self.all.len()) {
            if self.model == Model::Open {
                self.all[at(id)].state = Stage::Idle;
                self.idle.push(&mut self.all, id);
            } else {
                self.all[at(id)].state = Stage::Paused;
            }
        }
        self.undialed = index(self.all.len());
    }

    /// Goes on with the ramp, within its rate and with few enough attempts in flight.
    pub(super) fn dial_more(&mut self) {
        let count = index(self.all.len());
        if self.undialed >= count {
            return;
        }
        let connect = &self.job.spec.connect;
        let of = self.job.share.of;
        let limit = (connect.in_flight / of).max(1);
        let allowed = connect.rate.map_or(count, |rate| {
            let passed = seconds(self.now - self.ramp_began);
            let n = whole(passed * rate / f64::from(of)) + 1;
            u32::try_from(n).unwrap_or(u32::MAX)
        });
        while self.undialed < count.min(allowed) && self.connecting < limit {
            let id = self.undialed;
            self.undialed += 1;
            self.redial(id);
        }
        if self.undialed < count {
            // Attempts end by events; the rate is kept by the clock.
            self.next_sweep = self.next_sweep.min(self.now + MILLI);
        }
    }

    /// Begins an attempt.
    pub(super) fn redial(&mut self, id: u32) {
        let nth = u64::from(id) * u64::from(self.job.share.of) + u64::from(self.job.share.index);
        let pick = |n: u64, of: usize| usize::try_from(n % (of.max(1) as u64)).unwrap_or(0);
        let targets = &self.job.targets;
        let to = targets[pick(nth, targets.len())];
        let fitting = |ip: &&std::net::IpAddr| ip.is_ipv4() == to.is_ipv4();
        let sources = self.job.sources.iter().filter(fitting).count();
        let turn = pick(nth / targets.len().max(1) as u64, sources);
        let source = self.job.sources.iter().filter(fitting).nth(turn).copied();
        let now = clock::now();
        let connection = &mut self.all[at(id)];
        connection.generation = connection.generation.wrapping_add(1);
        connection.sent = now;
        connection.used = false;
        let token = u64::from(connection.generation) << 32 | u64::from(id);
        match dial(to, source).and_then(|s| self.poller.watch(&s, token).map(|()| s)) {
            Ok(socket) => {
                self.all[at(id)].socket = Some(socket);
                self.all[at(id)].state = Stage::Connecting;
                self.connecting += 1;
                self.deadlines[at(id)] = now + nanos(self.job.spec.connect.timeout);
            }
            Err(error) => {
                let said = format!("{to}: {error}");
                self.all[at(id)].state = Stage::Down;
                self.dial_failed(id, connect_kind(&error), &said);
            }
        }
    }

    /// The socket has something to say about the attempt.
    pub(super) fn established(&mut self, id: u32, flags: Flags) {
        let connection = &mut self.all[at(id)];
        let Some(socket) = &connection.socket else {
            return;
        };
        if flags.intersects(Flags::ERR | Flags::HUP) {
            let error = socket.take_error().ok().flatten();
            let to = socket
                .peer_addr()
                .map_or_else(|_| self.host(), |a| a.to_string());
            let (kind, said) = match error {
                Some(error) => (connect_kind(&error), format!("{to}: {error}")),
                None => (Kind::Connect, format!("{to}: closed while connecting")),
            };
            self.dial_failed(id, kind, &said);
            return;
        }
        let Some(setup) = &self.job.tls else {
            self.opened(id);
            return;
        };
        match setup.connect() {
            Ok(tls) => {
                connection.tls = Some(Box::new(tls));
                connection.state = Stage::Handshake;
                self.handshake(id);
            }
            Err(said) => self.dial_failed(id, Kind::Tls, &said),
        }
    }

    /// Goes on with TLS.
    pub(super) fn handshake(&mut self, id: u32) {
        let connection = &mut self.all[at(id)];
        let (Some(socket), Some(tls)) = (&connection.socket, &mut connection.tls) else {
            return;
        };
        match shake(socket, tls) {
            Ok(false) => {}
            Ok(true) => {
                if self.gauges.tls.is_none() {
                    let version = tls.protocol_version().and_then(|v| v.as_str());
                    self.gauges.tls = version.map(|v| v.replace('_', "."));
                }
                // Whatever the last flight of the handshake brought beyond it is read later.
                let _ = send_tls(socket, tls);
                self.opened(id);
            }
            Err(error) => {
                let said = format!("{}: TLS: {error}", self.host());
                self.dial_failed(id, Kind::Tls, &said);
            }
        }
    }

    fn host(&self) -> String {
        self.job.spec.base.host_str().unwrap_or_default().to_owned()
    }

    /// A connection is there.
    fn opened(&mut self, id: u32) {
        self.now = clock::now();
        self.connecting -= 1;
        self.deadlines[at(id)] = NEVER;
        self.gauges.open += 1;
        self.gauges.opened += 1;
        if self.started != NEVER && self.job.spec.keepalive {
            self.gauges.reopened += 1;
        }
        let connection = &mut self.all[at(id)];
        record(&mut self.connect_times, self.now - connection.sent);
        if connection.failures > 0 {
            connection.failures = 0;
            self.broken = self.broken.saturating_sub(1);
        }
        if connection.waiting {
            connection.waiting = false;
            self.in_flight -= 1;
            self.transmit(id, false);
        } else if self.model == Model::Open {
            self.free(id);
        } else {
            connection.state = Stage::Paused;
            if connection.active {
                self.user_turn(id, self.now);
            }
        }
    }

    /// An attempt failed. A request that waits for it fails with it.
    pub(super) fn dial_failed(&mut self, id: u32, kind: Kind, said: &str) {
        self.now = clock::now();
        self.gauges.failed[kind as usize] += 1;
        self.gauges
            .first_failure
            .get_or_insert_with(|| said.to_owned());
        self.last_failure = kind;
        self.close(id, true);
        let connection = &mut self.all[at(id)];
        if connection.failures == 0 {
            self.broken += 1;
        }
        connection.failures = connection.failures.saturating_add(1);
        if connection.waiting {
            self.record_failure(id, kind);
            let connection = &mut self.all[at(id)];
            connection.waiting = false;
            self.in_flight -= 1;
            self.disengage(id);
        } else {
            self.rest(id);
        }
    }

    /// Waits before the next attempt.
    pub(super) fn rest(&mut self, id: u32) {
        self.all[at(id)].state = Stage::Down;
        if self.phase_state != State::Draining {
            let pause = self.pause(id);
            self.set_timer(id, self.now + pause);
        }
    }

    /// 10 ms, doubled with every failure up to a second, and spread by a quarter.
    pub(super) fn pause(&self, id: u32) -> u64 {
        let failures = u32::from(self.all[at(id)].failures).clamp(1, 8);
        let pause = ((5 * MILLI) << failures).min(LONGEST_PAUSE);
        let bits = random::at(self.now, u64::from(id));
        pause - whole(random::unit(bits) * pause as f64 / 4.0)
    }

    /// Closes the socket, if there is one. `hard`: what is in flight is given up.
    pub(super) fn close(&mut self, id: u32, hard: bool) {
        let connection = &mut self.all[at(id)];
        self.deadlines[at(id)] = NEVER;
        match connection.state {
            Stage::Connecting | Stage::Handshake => self.connecting -= 1,
            Stage::Idle => {
                if connection.socket.is_some() {
                    self.gauges.open -= 1;
                }
                self.idle.remove(&mut self.all, id);
            }
            Stage::Busy => {
                self.gauges.open -= 1;
                self.in_flight -= 1;
            }
            Stage::Paused if connection.socket.is_some() => self.gauges.open -= 1,
            Stage::Paused | Stage::Down => {}
        }
        let connection = &mut self.all[at(id)];
        connection.state = Stage::Down;
        connection.tls = None;
        if let Some(socket) = connection.socket.take()
            && hard
        {
            abandon(&socket);
        }
        if let Some(extra) = &mut connection.extra {
            extra.partial = Vec::new();
        }
    }

    /// Fails what is due at once where no connection is to be had.
    pub(super) fn release_unreachable(&mut self) {
        let none = at(self.broken) == self.all.len();
        if !none || !self.job.spec.keepalive || !self.idle.is_empty() {
            return;
        }
        let Some(mut schedule) = self.schedule.take() else {
            return;
        };
        let until = self.now.min(self.cutoff.saturating_sub(1));
        while schedule.next_at() <= until {
            let Some(due) = schedule.take() else { break };
            self.never_sent(due.at, due.phase, self.last_failure);
        }
        self.schedule = Some(schedule);
    }
}
