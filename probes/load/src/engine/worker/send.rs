//! Beginning scenarios and sending their requests.

use super::{
    Model, Worker,
    connection::{Extra, State as Stage, at},
};
use crate::engine::{
    clock::{self, MILLI, NEVER, index, nanos},
    plan::Plan,
    schedule::Schedule,
    socket::{push, send_tls, stream_kind},
    spec::Reuse,
    tally::{State, Time, record},
    template::Values,
};

impl Worker {
    /// Begins what is due, as far as connections are free. The oldest comes first.
    pub(super) fn release(&mut self) {
        let Some(schedule) = &self.schedule else {
            self.next_release = NEVER;
            return;
        };
        let mut next = schedule.next_at();
        while next <= self.now && next < self.cutoff && !self.idle.is_empty() {
            let id = match self.job.spec.reuse {
                Reuse::Fifo => self.idle.first(),
                Reuse::Lifo => self.idle.last(),
            };
            self.idle.remove(&mut self.all, id);
            // Off the list; `begin_next` gives it its real state.
            self.all[at(id)].state = Stage::Paused;
            self.begin_next(id);
            next = self.schedule.as_ref().map_or(NEVER, Schedule::next_at);
        }
        // With a backlog, connections that become free take from it themselves.
        let pause = if next <= self.now {
            10 * MILLI
        } else {
            nanos(self.job.spec.quantum)
        };
        self.next_release = if next < self.cutoff {
            next.max(self.now + pause)
        } else {
            NEVER
        };
    }

    /// Takes the next arrival for a free connection.
    fn begin_next(&mut self, id: u32) {
        let due = self.schedule.as_mut().and_then(Schedule::take);
        match due {
            Some(due) => self.begin(id, due.at, due.phase),
            None => self.free(id),
        }
    }

    /// A connection has nothing to do (open model): it takes from the backlog or becomes idle.
    pub(super) fn free(&mut self, id: u32) {
        let next = self.schedule.as_ref().map_or(NEVER, Schedule::next_at);
        self.all[at(id)].free_since = self.now;
        self.all[at(id)].state = Stage::Paused;
        if next <= self.now && next < self.cutoff {
            self.begin_next(id);
            return;
        }
        self.shelve(id);
    }

    fn shelve(&mut self, id: u32) {
        self.all[at(id)].state = Stage::Idle;
        self.idle.push(&mut self.all, id);
    }

    /// Begins a scenario on a connection.
    pub(super) fn begin(&mut self, id: u32, due: u64, phase: u16) {
        if self.allowance == 0 {
            self.stop_at_limit();
            self.disengage(id);
            return;
        }
        let iteration = self.number();
        let scenario = self.job.plan.choose(iteration);
        self.book.bucket(phase, due).begun += 1;
        let flow = &self.job.plan.scenarios[usize::from(scenario)];
        let connection = &mut self.all[at(id)];
        connection.phase = phase;
        connection.scenario = scenario;
        connection.step = 0;
        connection.iteration = iteration;
        connection.engaged = true;
        if flow.has_variables() {
            let extra = connection.extra.get_or_insert_default();
            extra.variables = flow.begin(iteration);
        }
        self.request(id, due);
    }

    /// Sends the current step, due now, after a pause.
    pub(super) fn send_step(&mut self, id: u32, due: u64) {
        if due >= self.cutoff || self.phase_state == State::Draining || self.allowance == 0 {
            self.disengage(id);
            return;
        }
        if self.is_held(id) {
            return;
        }
        self.all[at(id)].phase = self.phase_at(due);
        self.request(id, due);
    }

    /// A request is due: it is sent, or waits for its connection to be opened.
    fn request(&mut self, id: u32, due: u64) {
        self.allowance -= 1;
        let connection = &mut self.all[at(id)];
        connection.due = due;
        connection.retried = false;
        let (phase, route) = (connection.phase, route(&self.job.plan, connection));
        self.book.route(phase, due, route).counts.scheduled += 1;
        self.engage(id);
        if self.allowance == 0 {
            self.stop_at_limit();
        }
    }

    /// Sends the request of a connection, opening it first if need be.
    pub(super) fn engage(&mut self, id: u32) {
        if self.all[at(id)].socket.is_some() {
            self.transmit(id, true);
            return;
        }
        self.record_own_lag(id, clock::now());
        let connection = &mut self.all[at(id)];
        connection.waiting = true;
        self.in_flight += 1;
        self.redial(id);
    }

    /// `max_requests` were sent: nothing becomes due any more.
    fn stop_at_limit(&mut self) {
        if !self.gauges.limit_reached {
            self.gauges.limit_reached = true;
            self.schedule = None;
            self.wind_down(self.now);
        }
    }

    /// The generator's own delay ends when it sends, or begins to open a connection for that.
    fn record_own_lag(&mut self, id: u32, now: u64) {
        let connection = &self.all[at(id)];
        if connection.step > 0 || connection.retried {
            return;
        }
        let free = connection.free_since.max(connection.due);
        let bucket = self.book.bucket(connection.phase, connection.due);
        record(&mut bucket.own_lag, now.saturating_sub(free));
    }

    /// Sends on an open connection. `at_once`: it did not have to be opened first.
    pub(super) fn transmit(&mut self, id: u32, at_once: bool) {
        self.render(id);
        let now = clock::now();
        self.now = now;
        if at_once {
            self.record_own_lag(id, now);
        }
        let connection = &mut self.all[at(id)];
        connection.state = Stage::Busy;
        self.in_flight += 1;
        connection.sent = now;
        connection.written = 0;
        connection.expect();
        self.deadlines[at(id)] = now + nanos(self.job.spec.timeout);
        let plan = &self.job.plan;
        let shot =
            &plan.scenarios[usize::from(connection.scenario)].steps[usize::from(connection.step)];
        let tally = self
            .book
            .route(connection.phase, connection.due, shot.route);
        if !connection.retried {
            tally.counts.sent += 1;
            tally.record(Time::SendLag, now.saturating_sub(connection.due));
        }
        self.write(id);
    }

    fn render(&mut self, id: u32) {
        let connection = &mut self.all[at(id)];
        let plan = &self.job.plan;
        let flow = &plan.scenarios[usize::from(connection.scenario)];
        let shot = &flow.steps[usize::from(connection.step)];
        if shot.fixed.is_some() {
            return;
        }
        let Extra {
            request, variables, ..
        } = &mut **connection.extra.get_or_insert_default();
        request.clear();
        let values = Values {
            variables,
            iteration: connection.iteration,
            seed: self.job.spec.seed,
        };
        shot.parts.render(values, request);
    }

    /// Writes on, as far as the socket takes it.
    pub(super) fn write(&mut self, id: u32) {
        let connection = &mut self.all[at(id)];
        let plan = &self.job.plan;
        let shot =
            &plan.scenarios[usize::from(connection.scenario)].steps[usize::from(connection.step)];
        let rendered = connection.extra.as_ref().map(|e| e.request.as_slice());
        let bytes = shot.fixed.as_deref().or(rendered).unwrap_or_default();
        let Some(socket) = &connection.socket else {
            return;
        };
        let mut tls = connection.tls.as_deref_mut();
        let mut outcome = Ok(());
        let before = connection.written;
        while at(connection.written) < bytes.len() {
            match push(socket, tls.as_deref_mut(), &bytes[at(connection.written)..]) {
                Ok(0) => break,
                Ok(n) => connection.written += index(n),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if let (Ok(()), Some(tls)) = (&outcome, tls) {
            outcome = send_tls(socket, tls).map(|_| ());
        }
        let sent = u64::from(connection.written - before);
        let (phase, due) = (connection.phase, connection.due);
        self.book.route(phase, due, shot.route).counts.bytes_out += sent;
        if let Err(error) = outcome {
            self.lost(id, stream_kind(&error));
        }
    }

    /// The scenario of a connection is over: the connection is freed, or its user thinks.
    pub(super) fn disengage(&mut self, id: u32) {
        let connection = &mut self.all[at(id)];
        connection.engaged = false;
        let down = connection.socket.is_none();
        connection.free_since = self.now;
        if let Some(extra) = &mut connection.extra
            && (extra.content.capacity() > 16 << 10 || extra.partial.capacity() > 0)
        {
            extra.content = Vec::new();
            extra.partial = Vec::new();
        }
        match self.model {
            // Not `free`, which would begin the next arrival from within the failure of this one.
            Model::Open if self.all[at(id)].failures > 0 && !self.job.spec.keepalive => {
                self.shelve(id);
            }
            Model::Open if !down || !self.job.spec.keepalive => self.free(id),
            Model::Open if self.all[at(id)].failures > 0 => self.rest(id),
            Model::Open if self.phase_state == State::Draining => {}
            Model::Open => self.redial(id),
            Model::Closed(think) => self.think(id, think, down),
        }
    }

    fn think(&mut self, id: u32, think: u64, down: bool) {
        let connection = &mut self.all[at(id)];
        connection.state = if down { Stage::Down } else { Stage::Paused };
        let failing = connection.failures > 0 || (down && self.job.spec.keepalive);
        // A target that breaks every connection is not to be hammered without a pause.
        let pause = if failing {
            self.pause(id).max(think)
        } else {
            think
        };
        if pause == 0 {
            self.user_turn(id, self.now);
        } else {
            self.set_timer(id, self.now + pause);
        }
    }
}

/// The route of the current step.
pub(super) fn route(plan: &Plan, connection: &super::connection::Connection) -> u16 {
    plan.scenarios[usize::from(connection.scenario)].steps[usize::from(connection.step)].route
}
