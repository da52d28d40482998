//! One connection and its request: as little as can be, for there are tens of thousands.

use std::net::TcpStream;

use rustls::ClientConnection;

use crate::engine::{
    clock::NEVER,
    http1::{Cache, Framing},
};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not connected, and waiting for a timer or for nothing.
    Down,
    /// TCP is being opened.
    Connecting,
    /// TLS is being set up.
    Handshake,
    /// Free for the next request. Without keep-alive it has no socket.
    Idle,
    /// A request is in flight.
    Busy,
    /// Between two steps of a scenario, or a user that thinks.
    Paused,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub socket: Option<TcpStream>,
    /// Distinguishes events of this socket from those of its predecessor.
    pub generation: u32,
    pub state: State,
    /// A scenario is going on.
    pub engaged: bool,
    /// A request waits for the connection to be opened.
    pub waiting: bool,
    /// The connection can be used again after this response.
    pub keep: bool,
    /// The request was sent again already.
    pub retried: bool,
    /// The socket served a response before.
    pub used: bool,
    /// The user of this connection has a next turn coming, or is having one.
    pub active: bool,
    /// Its next request has its turn under the cap.
    pub granted: bool,
    /// Failed attempts to connect in a row.
    pub failures: u8,
    pub cache: Cache,
    pub phase: u16,
    pub scenario: u16,
    pub step: u16,
    pub status: u16,
    /// Neighbours in the list of idle connections.
    pub before: u32,
    pub after: u32,
    /// Bytes of the request that were sent.
    pub written: u32,
    pub framing: Option<Framing>,
    pub iteration: u64,
    /// When the request was due.
    pub due: u64,
    /// When it was sent; before that, when the attempt to connect began.
    pub sent: u64,
    /// When the response began; 0 before it did.
    pub first: u64,
    /// When the connection became free.
    pub free_since: u64,
    /// When its timer fires; others in the heap are stale.
    pub timer: u64,
    /// Bytes of the response so far.
    pub received: u64,
    /// Bytes of its body so far.
    pub body: u64,
    pub tls: Option<Box<ClientConnection>>,
    pub extra: Option<Box<Extra>>,
}

/// What only some connections need.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// Start of a head that is not whole yet.
    pub partial: Vec<u8>,
    /// A request with variables.
    pub request: Vec<u8>,
    /// Head and body of the response, where they are looked at.
    pub head: Vec<u8>,
    pub content: Vec<u8>,
    pub variables: Vec<Option<String>>,
}

/// No connection.
pub(super) const NONE: u32 = u32::MAX;

impl Default for Connection {
    fn default() -> Self {
        Self {
            socket: None,
            generation: 0,
            state: State::Down,
            engaged: false,
            waiting: false,
            keep: false,
            retried: false,
            used: false,
            active: false,
            granted: false,
            failures: 0,
            cache: Cache::Unseen,
            phase: 0,
            scenario: 0,
            step: 0,
            status: 0,
            before: NONE,
            after: NONE,
            written: 0,
            framing: None,
            iteration: 0,
            due: 0,
            sent: 0,
            first: 0,
            free_since: 0,
            timer: NEVER,
            received: 0,
            body: 0,
            tls: None,
            extra: None,
        }
    }
}

impl Connection {
    /// Whether a request is due or in flight on it.
    pub(super) fn has_request(&self) -> bool {
        self.state == State::Busy || self.waiting
    }

    /// Ready to read the next response.
    pub(super) fn expect(&mut self) {
        self.framing = None;
        self.first = 0;
        self.received = 0;
        self.body = 0;
        self.status = 0;
        self.cache = Cache::Unseen;
    }
}

/// Idle connections in the order in which they became idle.
#[derive(Debug)]
pub(super) struct Idle {
    first: u32,
    last: u32,
}

impl Idle {
    pub(super) fn new() -> Self {
        Self {
            first: NONE,
            last: NONE,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The one idle for longest.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The one idle for shortest.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    pub(super) fn push(&mut self, all: &mut [Connection], id: u32) {
        all[at(id)].before = self.last;
        all[at(id)].after = NONE;
        match self.last {
            NONE => self.first = id,
            last => all[at(last)].after = id,
        }
        self.last = id;
    }

    pub(super) fn remove(&mut self, all: &mut [Connection], id: u32) {
        let (before, after) = (all[at(id)].before, all[at(id)].after);
        match before {
            NONE => self.first = after,
            before => all[at(before)].after = after,
        }
        match after {
            NONE => self.last = before,
            after => all[at(after)].before = before,
        }
    }
}

/// As an index.
pub(super) fn at(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}
