//! Requests: a scenario on a stream, one step after the other.

use std::sync::Arc;

use bytes::Bytes;
use h2::{Reason, client::SendRequest};

use super::{
    Desk, Shared,
    link::{is_goodbye, sender},
    pause,
};
use crate::engine::{
    cache,
    clock::{self, MILLI, NEVER},
    content,
    http1::{Cache, MOST_HEADERS},
    plan::{Flow, Shot},
    schedule::Due,
    tally::{Kind, State, Time, record},
    template::Values,
};

/// A response.
struct Answer {
    status: u16,
    first: u64,
    received: u64,
    cache: Cache,
    /// As HTTP/1.1 would write it, where it is looked at.
    head: Vec<u8>,
    content: Vec<u8>,
}

/// A request that failed, with the bytes of the response so far.
struct Fault(Kind, u64);

/// Why a request came to nothing.
enum Lost {
    /// The target has not begun it, and says so.
    Refused,
    Failed(Fault),
}

/// One after the other, arrivals that are due; then the stream is idle.
pub(super) async fn arrival(desk: Shared, slot: usize, first: Due) {
    let mut next = Some(first);
    desk.borrow_mut().unbegun -= 1;
    while let Some(due) = next {
        iteration(&desk, slot, due.at, due.phase).await;
        let mut this = desk.borrow_mut();
        let now = clock::now();
        // Without a request, at `max_requests`, it is still there.
        this.due[slot] = NEVER;
        this.free_since[slot] = now;
        next = this.take_due(now);
    }
    let mut this = desk.borrow_mut();
    this.idle.push_back(slot);
    if this.idle.len() == 1 {
        this.news.notify_one();
    }
}

/// A user: scenarios with pauses between them.
pub(super) async fn user(desk: Shared, slot: usize, first: u64, think: u64) {
    let mut due = first;
    loop {
        pause(due.saturating_sub(clock::now())).await;
        due = due.max(turn(&desk).await);
        let phase = {
            let mut this = desk.borrow_mut();
            this.asleep[slot] = NEVER;
            if this.state != State::Running || due >= this.cutoff {
                return;
            }
            this.free_since[slot] = due;
            this.phase_at(due)
        };
        let failed = !iteration(&desk, slot, due, phase).await;
        // Not to spin where there is no connection.
        let wait = if failed { think.max(10 * MILLI) } else { think };
        due = clock::now() + wait;
        desk.borrow_mut().asleep[slot] = due;
        if wait == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Waits for the turn of the next request, and says when that was: at once, unless there is a cap.
async fn turn(desk: &Shared) -> u64 {
    let now = clock::now();
    let turn = desk.borrow_mut().cap.turn(now);
    if turn <= now {
        return 0;
    }
    pause(turn - now).await;
    turn
}

/// One scenario; whether all of it went well.
async fn iteration(desk: &Shared, slot: usize, due: u64, phase: u16) -> bool {
    let (plan, number, seed) = {
        let mut this = desk.borrow_mut();
        if this.allowance == 0 {
            this.limit();
            return true;
        }
        this.book.bucket(phase, due).begun += 1;
        (
            Arc::clone(&this.job.plan),
            this.number(),
            this.job.spec.seed,
        )
    };
    let flow = &plan.scenarios[usize::from(plan.choose(number))];
    let mut variables = if flow.has_variables() {
        flow.begin(number)
    } else {
        Vec::new()
    };
    let (mut due, mut phase) = (due, phase);
    for (nth, shot) in flow.steps.iter().enumerate() {
        if nth > 0 {
            desk.borrow_mut().asleep[slot] = due;
            due = due.max(turn(desk).await);
            let mut this = desk.borrow_mut();
            this.asleep[slot] = NEVER;
            if this.state != State::Running || due >= this.cutoff || this.allowance == 0 {
                return true;
            }
            phase = this.phase_at(due);
        }
        let values = Values {
            variables: &variables,
            iteration: number,
            seed,
        };
        let place = Place {
            slot,
            due,
            phase,
            first: nth == 0,
        };
        let outcome = step(desk, shot, values, place).await;
        if !settle(desk, flow, nth, place, outcome, &mut variables) {
            return false;
        }
        if shot.pause > 0 {
            pause(shot.pause).await;
        }
        due = clock::now();
    }
    true
}

/// Where a request belongs.
#[derive(Clone, Copy)]
struct Place {
    slot: usize,
    due: u64,
    phase: u16,
    first: bool,
}

impl Desk {
    fn limit(&mut self) {
        if !self.gauges.limit_reached {
            self.gauges.limit_reached = true;
            self.schedule = None;
            self.wind_down(clock::now());
            self.news.notify_one();
        }
    }
}

/// One request; with it when it was sent.
async fn step(
    desk: &Shared,
    shot: &Shot,
    values: Values<'_>,
    place: Place,
) -> (u64, Result<Answer, Fault>) {
    let (link, timeout) = {
        let mut this = desk.borrow_mut();
        this.allowance -= 1;
        this.in_flight += 1;
        this.due[place.slot] = place.due;
        this.routes[place.slot] = shot.route;
        let tally = this.book.route(place.phase, place.due, shot.route);
        tally.counts.scheduled += 1;
        (place.slot / this.streams, this.job.spec.timeout)
    };
    let now = clock::now();
    if place.first {
        let mut this = desk.borrow_mut();
        let free = this.free_since[place.slot].max(place.due);
        let bucket = this.book.bucket(place.phase, place.due);
        record(&mut bucket.own_lag, now.saturating_sub(free));
    }
    let mut begun = now;
    let sending = async {
        let (mut again, mut counted) = (false, false);
        loop {
            let Some(sender) = sender(desk, link).await else {
                return Err(Fault(desk.borrow().last_failure, 0));
            };
            begun = clock::now();
            match send(desk, sender, shot, values, place, &mut counted).await {
                Ok(answer) => {
                    desk.borrow_mut().links[link].answered();
                    return Ok(answer);
                }
                Err(Lost::Refused) if !again => again = true,
                Err(Lost::Refused) => return Err(Fault(Kind::Closed, 0)),
                Err(Lost::Failed(fault)) => return Err(fault),
            }
        }
    };
    let outcome = tokio::time::timeout(timeout, sending).await;
    (begun, outcome.unwrap_or(Err(Fault(Kind::Timeout, 0))))
}

/// Sends a request, which counts as sent once, and reads the response.
async fn send(
    desk: &Shared,
    sender: SendRequest<Bytes>,
    shot: &Shot,
    values: Values<'_>,
    place: Place,
    counted: &mut bool,
) -> Result<Answer, Lost> {
    let job = desk.borrow().job.clone();
    let built = shot.parts.http2(&job.spec.base, values);
    let failed = |kind, received| Lost::Failed(Fault(kind, received));
    let (request, body) = built.map_err(|_| failed(Kind::Parse, 0))?;
    let fault = |e: h2::Error| {
        if is_goodbye(&e) {
            Lost::Refused
        } else {
            failed(kind(&e), 0)
        }
    };
    let mut sender = sender.ready().await.map_err(fault)?;
    let (response, mut stream) = sender
        .send_request(request, body.is_empty())
        .map_err(fault)?;
    if !std::mem::replace(counted, true) {
        let mut this = desk.borrow_mut();
        let tally = this.book.route(place.phase, place.due, shot.route);
        tally.counts.sent += 1;
        tally.counts.bytes_out += body.len() as u64;
        tally.record(Time::SendLag, clock::now().saturating_sub(place.due));
    }
    if !body.is_empty() {
        stream.send_data(Bytes::from(body), true).map_err(fault)?;
    }
    let response = response.await.map_err(fault)?;
    let looks = job.spec.cache_every > 0;
    let mut answer = Answer {
        status: response.status().as_u16(),
        first: clock::now(),
        received: 0,
        cache: if looks {
            look(response.headers())
        } else {
            Cache::Unseen
        },
        head: if shot.keeps_head {
            head(response.headers())
        } else {
            Vec::new()
        },
        content: Vec::new(),
    };
    let mut body = response.into_body();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|e| failed(kind(&e), answer.received))?;
        answer.received += piece.len() as u64;
        if answer.received > shot.longest {
            stream.send_reset(Reason::CANCEL);
            return Err(failed(Kind::BodyTooLarge, answer.received));
        }
        if shot.keeps_body {
            answer.content.extend_from_slice(&piece);
        }
        // Fails only where the stream is over.
        let _ = body.flow_control().release_capacity(piece.len());
    }
    Ok(answer)
}

pub(super) fn kind(error: &h2::Error) -> Kind {
    if error.is_io() || error.is_reset() {
        Kind::Reset
    } else if error.is_go_away() {
        Kind::Closed
    } else {
        Kind::Parse
    }
}

fn head(headers: &http::HeaderMap) -> Vec<u8> {
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn look(headers: &http::HeaderMap) -> Cache {
    let fields: Vec<_> = headers
        .iter()
        .take(MOST_HEADERS)
        .map(|(name, value)| httparse::Header {
            name: name.as_str(),
            value: value.as_bytes(),
        })
        .collect();
    cache::tell(&fields)
}

/// Counts what came of a request; whether the scenario goes on.
fn settle(
    desk: &Shared,
    flow: &Flow,
    nth: usize,
    place: Place,
    (sent, outcome): (u64, Result<Answer, Fault>),
    variables: &mut [Option<String>],
) -> bool {
    let shot = &flow.steps[nth];
    let now = clock::now();
    let mut this = desk.borrow_mut();
    // What was given up at the end of the drain is counted there.
    if this.state == State::Done || this.due[place.slot] == NEVER {
        return false;
    }
    this.in_flight -= 1;
    this.due[place.slot] = NEVER;
    let tally = this.book.route(place.phase, place.due, shot.route);
    let whole = now.saturating_sub(place.due);
    let wrong = match outcome {
        Err(Fault(kind, received)) => {
            tally.counts.bytes_in += received;
            Some(kind)
        }
        Ok(answer) => {
            tally.counts.status(answer.status);
            tally.counts.cache(answer.cache);
            tally.counts.bytes_in += answer.received;
            tally.record(Time::FirstByte, answer.first.saturating_sub(sent));
            let mut checked = || content::accept(shot, &answer.head, &answer.content, variables);
            if !shot.status.has(answer.status) {
                Some(Kind::Status)
            } else if (shot.keeps_body || shot.keeps_head) && !checked() {
                Some(Kind::Check)
            } else {
                None
            }
        }
    };
    if let Some(kind) = wrong {
        tally.fail(kind, whole);
        tally.counts.abandoned += (flow.steps.len() - 1 - nth) as u64;
    } else {
        tally.counts.completed += 1;
        tally.record(Time::Response, whole);
        tally.record(Time::Service, now.saturating_sub(sent));
        let cutoff = this.cutoff;
        this.book
            .deliver(shot.route, (place.due, sent, now), cutoff);
    }
    if this.allowance == 0 {
        this.limit();
    }
    if this.state == State::Draining {
        this.news.notify_one();
    }
    wrong.is_none()
}
