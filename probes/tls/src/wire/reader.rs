//! Records and handshake messages out of a stream of bytes that may lie.

use super::{Alert, bytes::Cursor};

/// Most that a record may carry: 2^14 and 2048 for what ciphers add (RFC 5246 6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2048;
/// The one message that may be longer than the others.
pub const CERTIFICATE: u8 = 11;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole handshake message.
    Message {
        /// Its type: 2 ServerHello, 11 Certificate, ...
        kind: u8,
        /// Without the header.
        body: Vec<u8>,
    },
    /// An alert.
    Alert {
        /// Or a warning.
        fatal: bool,
        /// Which one.
        alert: Alert,
    },
}

/// Why reading cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The first bytes are no record.
    NotTls,
    /// Records, but nonsense.
    Malformed(String),
    /// More than we want to read, or promised to be more.
    TooLong,
}

/// Cuts records, joins fragments, splits what shares a record. Holds no more than it was given,
/// and is given no more than its limits by whoever reads.
#[derive(Debug)]
pub struct Reader {
    limit: usize,
    chain_limit: usize,
    total: usize,
    records: u64,
    raw: Vec<u8>,
    used: usize,
    handshake: Vec<u8>,
    taken: usize,
    alerts: Vec<u8>,
}

impl Reader {
    /// Reads at most `limit` bytes, `chain_limit` where a certificate message is that long.
    pub fn new(limit: usize, chain_limit: usize) -> Self {
        Self {
            limit,
            chain_limit: chain_limit.max(limit),
            total: 0,
            records: 0,
            raw: Vec::new(),
            used: 0,
            handshake: Vec::new(),
            taken: 0,
            alerts: Vec::new(),
        }
    }

    /// More bytes from the peer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total = self.total.saturating_add(bytes.len());
        self.raw.drain(..self.used);
        self.used = 0;
        self.raw.extend_from_slice(bytes);
    }

    /// Bytes held at the moment.
    pub fn held(&self) -> usize {
        self.raw.len() + self.handshake.len() + self.alerts.len()
    }

    /// Whether a handshake message has begun and not ended.
    pub fn is_within_message(&self) -> bool {
        self.handshake.len() > self.taken || self.raw.len() > self.used
    }

    /// The next thing, or `None` if more bytes are needed.
    pub fn next(&mut self) -> Result<Option<Event>, Fault> {
        loop {
            if let Some(event) = self.buffered()? {
                return Ok(Some(event));
            }
            if !self.record()? {
                break;
            }
        }
        if self.total > self.allowance() {
            return Err(Fault::TooLong);
        }
        Ok(None)
    }

    fn allowance(&self) -> usize {
        match self.handshake.get(self.taken) {
            Some(&CERTIFICATE) => self.chain_limit,
            _ => self.limit,
        }
    }

    /// What the records so far add up to.
    fn buffered(&mut self) -> Result<Option<Event>, Fault> {
        if let [level, alert, ..] = self.alerts[..] {
            self.alerts.drain(..2);
            let (fatal, alert) = (level != 1, Alert(alert));
            return Ok(Some(Event::Alert { fatal, alert }));
        }
        let pending = &self.handshake[self.taken..];
        let mut cursor = Cursor(pending);
        let (Some(kind), Some(length)) = (cursor.u8(), cursor.take(3)) else {
            return Ok(None);
        };
        let length = length.iter().fold(0, |n, b| n << 8 | usize::from(*b));
        // Decided by the promise, before any of it is read.
        let most = if kind == CERTIFICATE {
            self.chain_limit
        } else {
            self.limit
        };
        if length > most {
            return Err(Fault::TooLong);
        }
        let Some(body) = cursor.take(length) else {
            return Ok(None);
        };
        let body = body.to_vec();
        self.taken += 4 + length;
        Ok(Some(Event::Message { kind, body }))
    }

    /// Takes one record off the stream; `false` if there is no whole one.
    fn record(&mut self) -> Result<bool, Fault> {
        let mut cursor = Cursor(&self.raw[self.used..]);
        let Some(kind) = cursor.u8() else {
            return Ok(false);
        };
        let major = cursor.0.first().copied();
        if !(20..=24).contains(&kind) || major.is_some_and(|m| m != 3) {
            return Err(match self.records {
                0 => Fault::NotTls,
                n => Fault::Malformed(format!("after record {n} come bytes that are no record")),
            });
        }
        let (Some(_), Some(length)) = (cursor.u16(), cursor.u16()) else {
            return Ok(false);
        };
        if usize::from(length) > MAX_RECORD {
            return Err(Fault::Malformed(format!(
                "a record says it has {length} bytes"
            )));
        }
        let Some(payload) = cursor.take(usize::from(length)) else {
            return Ok(false);
        };
        self.handshake.drain(..self.taken);
        self.taken = 0;
        match kind {
            21 => self.alerts.extend_from_slice(payload),
            22 => self.handshake.extend_from_slice(payload),
            23 => {
                let message = "encrypted data comes before the handshake is done".to_owned();
                return Err(Fault::Malformed(message));
            }
            // ChangeCipherSpec for the sake of middleboxes, heartbeats: no answer to our question.
            _ => (),
        }
        self.records += 1;
        self.used += 5 + usize::from(length);
        Ok(true)
    }
}
