//! Reading responses, and what they or their absence mean.

use super::{
    Model, Worker,
    connection::{State as Stage, at},
    send::route,
};
use crate::engine::{
    clock::{self, MILLI, NEVER, SECOND, nanos},
    content,
    http1::{self, Body, Framing, Head, LONGEST_HEAD},
    poller::Flags,
    socket::{Pulled, pull, stream_kind},
    tally::{Kind, Time},
};

/// A connection that was idle for this long may have been closed by the server's own timeout
/// while the request was on its way: such a request is sent again, once, if its method allows that.
const IDLE_LONG: u64 = SECOND;

/// What a piece of a response led to.
enum Fed {
    /// More is to come.
    More,
    /// The connection has gone on to something else.
    Settled,
}

impl Worker {
    /// Something happened on a socket.
    pub(super) fn event(&mut self, token: u64, flags: Flags) {
        let id = u32::try_from(token & 0xffff_ffff).unwrap_or(u32::MAX);
        let Some(connection) = self.all.get(at(id)) else {
            return;
        };
        // The socket of this event may have been closed earlier in the same batch.
        if u64::from(connection.generation) != token >> 32 {
            return;
        }
        let readable = flags.intersects(Flags::IN | Flags::RDHUP | Flags::HUP | Flags::ERR);
        match connection.state {
            Stage::Connecting if flags.intersects(Flags::OUT | Flags::ERR | Flags::HUP) => {
                self.established(id, flags);
            }
            Stage::Handshake => self.handshake(id),
            Stage::Busy => {
                if flags.contains(Flags::OUT) && self.is_unsent(id) {
                    self.write(id);
                }
                if readable {
                    self.receive(id, flags.contains(Flags::RDHUP));
                }
            }
            Stage::Idle | Stage::Paused if readable => self.disturbed(id),
            _ => {}
        }
    }

    fn is_unsent(&self, id: u32) -> bool {
        let connection = &self.all[at(id)];
        let waiting = connection.tls.as_ref().is_some_and(|tls| tls.wants_write());
        waiting || {
            let plan = &self.job.plan;
            let flow = &plan.scenarios[usize::from(connection.scenario)];
            let shot = &flow.steps[usize::from(connection.step)];
            let rendered = connection.extra.as_ref().map_or(0, |e| e.request.len());
            let length = shot.fixed.as_ref().map_or(rendered, |bytes| bytes.len());
            at(connection.written) < length
        }
    }

    /// Something came on a connection that waits for nothing: mostly its end.
    fn disturbed(&mut self, id: u32) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let connection = &mut self.all[at(id)];
        let pulled = connection
            .socket
            .as_ref()
            .map(|socket| pull(socket, connection.tls.as_deref_mut(), &mut buffer));
        self.buffer = buffer;
        // TLS has things to say that are no data: session tickets, new keys.
        if matches!(pulled, None | Some(Ok(Pulled::Nothing))) {
            return;
        }
        self.now = clock::now();
        let (before, used) = (self.all[at(id)].state, self.all[at(id)].used);
        self.close(id, false);
        if !used && !self.all[at(id)].engaged && self.model == Model::Open {
            // It accepts and closes: not to be tried again without a pause.
            self.gauges.failed[Kind::Closed as usize] += 1;
            let said = || "closed before a request was sent".to_owned();
            self.gauges.first_failure.get_or_insert_with(said);
            self.set_timer(id, self.now + SECOND / 4);
        } else if before == Stage::Idle || (self.model == Model::Open && !self.all[at(id)].engaged)
        {
            self.redial(id);
        } else {
            // A user that thinks opens it again when it goes on.
            self.all[at(id)].state = Stage::Paused;
        }
    }

    /// Reads the response as far as it is there.
    fn receive(&mut self, id: u32, ending: bool) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let generation = self.all[at(id)].generation;
        loop {
            let connection = &mut self.all[at(id)];
            let Some(socket) = &connection.socket else {
                break;
            };
            match pull(socket, connection.tls.as_deref_mut(), &mut buffer) {
                Ok(Pulled::Nothing) => break,
                Ok(Pulled::Bytes { n: 0, .. }) => {}
                Ok(Pulled::Bytes { n, more }) => {
                    self.now = clock::now();
                    connection.keep = connection.keep && !ending;
                    let fed = self.feed(id, &buffer[..n], ending);
                    let connection = &self.all[at(id)];
                    let gone = connection.generation != generation || connection.socket.is_none();
                    if matches!(fed, Fed::Settled) || gone || !(more || ending) {
                        break;
                    }
                }
                Ok(Pulled::End) => {
                    self.now = clock::now();
                    self.ended(id);
                    break;
                }
                Err(error) => {
                    self.now = clock::now();
                    self.lost(id, stream_kind(&error));
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn feed(&mut self, id: u32, input: &[u8], ending: bool) -> Fed {
        let connection = &mut self.all[at(id)];
        if connection.first == 0 {
            connection.first = self.now;
        }
        connection.received += input.len() as u64;
        if connection.framing.is_some() {
            return self.read_body(id, input);
        }
        let mut joined = Vec::new();
        let partial = connection.extra.as_mut().map(|e| &mut e.partial);
        let source = match partial {
            Some(partial) if !partial.is_empty() => {
                partial.extend_from_slice(input);
                // A head ends with a line feed: without one there is nothing new to parse.
                if !input.contains(&b'\n') && partial.len() <= LONGEST_HEAD {
                    return Fed::More;
                }
                joined.append(partial);
                joined.as_slice()
            }
            _ => input,
        };
        self.read_head(id, source, ending)
    }

    fn read_head(&mut self, id: u32, source: &[u8], ending: bool) -> Fed {
        let every = u64::from(self.job.spec.cache_every);
        let mut start = 0;
        loop {
            let connection = &mut self.all[at(id)];
            let flow = &self.job.plan.scenarios[usize::from(connection.scenario)];
            let shot = &flow.steps[usize::from(connection.step)];
            let look = every > 0 && self.responses.is_multiple_of(every);
            match http1::head(&source[start..], shot.head, look) {
                Head::Partial => {
                    let extra = connection.extra.get_or_insert_default();
                    extra.partial.extend_from_slice(&source[start..]);
                    return Fed::More;
                }
                Head::Informational(used) => start += used,
                Head::Bad(_) => {
                    self.fail(id, Kind::Parse);
                    return Fed::Settled;
                }
                Head::Whole(facts) => {
                    connection.status = facts.status;
                    connection.framing = Some(facts.framing);
                    connection.keep = facts.keep && self.job.spec.keepalive && !ending;
                    connection.cache = facts.cache;
                    if shot.keeps_head || shot.keeps_body {
                        let extra = connection.extra.get_or_insert_default();
                        extra.head.clear();
                        extra.content.clear();
                        if shot.keeps_head {
                            extra
                                .head
                                .extend_from_slice(&source[start..start + facts.used]);
                        }
                    }
                    let too_long = |n: u64| n > shot.longest;
                    if matches!(facts.framing, Framing::Length(n) if too_long(n)) {
                        self.fail(id, Kind::BodyTooLarge);
                        return Fed::Settled;
                    }
                    return self.read_body(id, &source[start + facts.used..]);
                }
            }
        }
    }

    fn read_body(&mut self, id: u32, input: &[u8]) -> Fed {
        let connection = &mut self.all[at(id)];
        let flow = &self.job.plan.scenarios[usize::from(connection.scenario)];
        let shot = &flow.steps[usize::from(connection.step)];
        let (keeps, longest) = (shot.keeps_body, shot.longest);
        let Some(framing) = &mut connection.framing else {
            return Fed::More;
        };
        let (body, extra) = (&mut connection.body, &mut connection.extra);
        let outcome = framing.read(input, &mut |piece| {
            *body += piece.len() as u64;
            if keeps
                && *body <= longest
                && let Some(extra) = extra
            {
                extra.content.extend_from_slice(piece);
            }
        });
        if connection.body > longest {
            self.fail(id, Kind::BodyTooLarge);
            return Fed::Settled;
        }
        match outcome {
            Body::More => return Fed::More,
            Body::Bad(_) => self.fail(id, Kind::Parse),
            Body::Done(used) => {
                // Nothing was asked for that could follow.
                connection.keep &= used == input.len();
                self.complete(id);
            }
        }
        Fed::Settled
    }

    /// The stream ended: the end of the response, if that is how it is framed.
    fn ended(&mut self, id: u32) {
        let connection = &mut self.all[at(id)];
        if connection.framing == Some(Framing::UntilClose) {
            connection.keep = false;
            self.complete(id);
        } else {
            self.lost(id, Kind::Closed);
        }
    }

    /// The connection was lost before the response was whole.
    pub(super) fn lost(&mut self, id: u32, kind: Kind) {
        let connection = &self.all[at(id)];
        let idle = connection.sent.saturating_sub(connection.free_since);
        let at_once = self.now.saturating_sub(connection.sent) < 100 * MILLI;
        let plan = &self.job.plan;
        let flow = &plan.scenarios[usize::from(connection.scenario)];
        let again = connection.first == 0
            && flow.steps[usize::from(connection.step)].idempotent
            && !connection.retried
            && idle >= IDLE_LONG
            && at_once
            && kind != Kind::Tls;
        if !again {
            self.fail(id, kind);
            return;
        }
        self.gauges.retried += 1;
        self.close(id, true);
        self.all[at(id)].retried = true;
        self.engage(id);
    }

    /// The response is whole.
    fn complete(&mut self, id: u32) {
        self.responses += 1;
        let now = self.now;
        self.deadlines[at(id)] = NEVER;
        let unsent = self.is_unsent(id);
        let connection = &mut self.all[at(id)];
        connection.used = true;
        // A response before the end of its request: the rest is not worth sending.
        connection.keep &= !unsent;
        let flow = &self.job.plan.scenarios[usize::from(connection.scenario)];
        let shot = &flow.steps[usize::from(connection.step)];
        let mut wrong = (!shot.status.has(connection.status)).then_some(Kind::Status);
        if wrong.is_none()
            && (shot.keeps_body || shot.keeps_head)
            && let Some(extra) = &mut connection.extra
            && !content::accept(shot, &extra.head, &extra.content, &mut extra.variables)
        {
            wrong = Some(Kind::Check);
        }
        let tally = self
            .book
            .route(connection.phase, connection.due, shot.route);
        tally.counts.status(connection.status);
        tally.counts.cache(connection.cache);
        tally.counts.bytes_in += connection.received;
        tally.record(
            Time::FirstByte,
            connection.first.saturating_sub(connection.sent),
        );
        let whole = now.saturating_sub(connection.due);
        if let Some(kind) = wrong {
            tally.fail(kind, whole);
            let left = flow.steps.len() - 1 - usize::from(connection.step);
            tally.counts.abandoned += left as u64;
        } else {
            tally.counts.completed += 1;
            tally.record(Time::Response, whole);
            tally.record(Time::Service, now.saturating_sub(connection.sent));
            let times = (connection.due, connection.sent, now);
            self.book.deliver(shot.route, times, self.cutoff);
        }
        let last = usize::from(connection.step) + 1 == flow.steps.len();
        let pause = shot.pause;
        self.settle(id);
        if wrong.is_some() || last {
            self.disengage(id);
        } else {
            self.all[at(id)].step += 1;
            if pause == 0 {
                self.send_step(id, now);
            } else {
                self.set_timer(id, now + pause);
            }
        }
    }

    /// The request is over: the connection is free, or closed if it cannot be used again.
    fn settle(&mut self, id: u32) {
        if self.all[at(id)].keep {
            self.in_flight -= 1;
            self.all[at(id)].state = Stage::Paused;
        } else {
            self.close(id, false);
        }
        self.all[at(id)].free_since = self.now;
    }

    /// The request failed, and its connection cannot be used again.
    pub(super) fn fail(&mut self, id: u32, kind: Kind) {
        self.record_failure(id, kind);
        self.close(id, true);
        self.disengage(id);
    }

    /// Counts a failed request and the steps that it keeps from being sent.
    pub(super) fn record_failure(&mut self, id: u32, kind: Kind) {
        let connection = &self.all[at(id)];
        let plan = &self.job.plan;
        let steps = plan.scenarios[usize::from(connection.scenario)].steps.len();
        let left = steps - 1 - usize::from(connection.step);
        let route = route(plan, connection);
        let tally = self.book.route(connection.phase, connection.due, route);
        tally.counts.bytes_in += connection.received;
        tally.counts.abandoned += left as u64;
        let mut took = self.now.saturating_sub(connection.due);
        if kind == Kind::Timeout {
            // The drain may be shorter; the response would have been no faster for that.
            took = took.max(nanos(self.job.spec.timeout));
        }
        tally.fail(kind, took);
    }
}
