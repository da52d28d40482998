//! What one hello got: bytes in, facts out, no I/O.

use super::{
    Alert, ClientCertificateRequest, Der, Foreign, Options, Suite, Version, foreign,
    messages::{self, KeyExchange, ServerHello, Ssl2},
    reader::{CERTIFICATE, Event, Fault, Reader},
};

/// How far to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// The ServerHello.
    Hello,
    /// The certificate chain.
    Certificate,
    /// The ServerKeyExchange.
    KeyExchange,
    /// The ServerHelloDone.
    Done,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All that was to be heard was heard.
    Enough,
    /// A fatal alert, or a warning and then a close.
    Alert(Alert),
    /// Closed in good order.
    Closed,
    /// Reset.
    Reset,
    /// The time was up.
    Silent,
    /// Bytes that are not TLS.
    NotTls(Foreign, String),
    /// Nonsense.
    Malformed(String),
    /// Longer than what is read.
    TooLong,
    /// No connection.
    Connect(String),
    /// The protocol's own upgrade was declined.
    Declined,
    /// There was no time to ask.
    NotAsked,
}

/// All that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The ServerHello.
    pub hello: Option<ServerHello>,
    /// The chain.
    pub chain: Option<Vec<Der>>,
    /// The stapled OCSP response.
    pub staple: Option<Der>,
    /// The group of the key exchange.
    pub exchange: Option<KeyExchange>,
    /// The request for a client certificate.
    pub request: Option<ClientCertificateRequest>,
    /// Whether the ServerHelloDone came: only then is what did not come known to be absent.
    pub complete: bool,
    /// Bytes that came.
    pub bytes: usize,
    /// Whether it ended in the middle of a record or message.
    pub partial: bool,
    /// What was being done at the end.
    pub phase: &'static str,
    /// The end.
    pub end: End,
}

impl Reply {
    /// A reply without a word.
    pub fn without(phase: &'static str, end: End) -> Self {
        Self {
            hello: None,
            chain: None,
            staple: None,
            exchange: None,
            request: None,
            complete: false,
            bytes: 0,
            partial: false,
            phase,
            end,
        }
    }

    /// Whether the connection broke down in a way that may be an accident.
    pub fn is_dropped(&self) -> bool {
        matches!(self.end, End::Closed | End::Reset | End::Connect(_))
    }

    /// In a few words, for the log of connections.
    pub fn outcome(&self) -> String {
        if let Some(hello) = &self.hello {
            let kind = if hello.retry {
                "HelloRetryRequest"
            } else {
                "ServerHello"
            };
            return format!("{kind} {}", hello.version);
        }
        match &self.end {
            End::Enough => "an answer".to_owned(),
            End::Alert(alert) => format!("alert {alert}"),
            End::Closed => "closed".to_owned(),
            End::Reset => "reset".to_owned(),
            End::Silent => "silence".to_owned(),
            End::NotTls(foreign, _) => foreign.name().to_owned(),
            End::Malformed(message) | End::Connect(message) => message.clone(),
            End::TooLong => "more bytes than are read".to_owned(),
            End::Declined => "TLS declined".to_owned(),
            End::NotAsked => "not asked".to_owned(),
        }
    }
}

/// Listens to the answer of one hello.
#[derive(Debug)]
pub struct Listener {
    reader: Reader,
    until: Until,
    /// SSLv2's framing is possible; what came so far.
    ssl2: Option<Vec<u8>>,
    warning: Option<Alert>,
    reply: Reply,
}

impl Listener {
    /// For a hello of `version`.
    pub fn new(version: Version, until: Until, options: &Options) -> Self {
        Self {
            reader: Reader::new(options.max_bytes, options.max_chain_bytes),
            until,
            ssl2: (version == Version::Ssl2).then(Vec::new),
            warning: None,
            reply: Reply::without("waiting for the ServerHello", End::Silent),
        }
    }

    /// Bytes of the peer; the end, if it is reached.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<End> {
        self.reply.bytes = self.reply.bytes.saturating_add(bytes.len());
        if let Some(mut so_far) = self.ssl2.take() {
            so_far.extend_from_slice(bytes);
            match messages::ssl2(&so_far) {
                Ok(None) if so_far.len() < 0x8000 + 3 && !looks_like_record(&so_far) => {
                    self.ssl2 = Some(so_far);
                    return None;
                }
                Ok(Some(message)) => return Some(self.ssl2_message(message)),
                Err(Some(message)) => return Some(End::Malformed(message)),
                // TLS after all, or nothing of the kind.
                Ok(None) | Err(None) => return self.records(&so_far),
            }
        }
        self.records(bytes)
    }

    /// Bytes held at the moment.
    pub fn held(&self) -> usize {
        self.reader.held() + self.ssl2.as_ref().map_or(0, Vec::len)
    }

    /// What was heard, ended by `end`.
    pub fn finish(mut self, end: End) -> Reply {
        self.reply.phase = match (&self.reply.hello, self.reply.bytes) {
            (Some(_), _) => "reading the server's certificate and keys",
            (None, 0) => "waiting for the ServerHello",
            (None, _) => "reading the ServerHello",
        };
        let ssl2_pending = self.ssl2.as_ref().is_some_and(|b| !b.is_empty());
        self.reply.partial = self.reader.is_within_message() || ssl2_pending;
        self.reply.end = match (end, self.warning) {
            // Old servers send their refusal as a warning, and hang up.
            (End::Closed, Some(warning)) if is_no(warning) => End::Alert(warning),
            (end, _) => end,
        };
        self.reply
    }

    fn ssl2_message(&mut self, message: Ssl2) -> End {
        match message {
            Ssl2::Hello(hello) => {
                self.reply.hello = Some(hello);
                End::Enough
            }
            Ssl2::Error(code) => End::Malformed(format!(
                "the server speaks SSLv2 and answers error {code} of it"
            )),
        }
    }

    fn records(&mut self, bytes: &[u8]) -> Option<End> {
        self.reader.push(bytes);
        loop {
            match self.reader.next() {
                Ok(None) => return None,
                Ok(Some(event)) => {
                    if let Some(end) = self.event(event) {
                        return Some(end);
                    }
                }
                Err(Fault::NotTls) => {
                    let (foreign, excerpt) = foreign::recognise(bytes);
                    return Some(End::NotTls(foreign, excerpt));
                }
                Err(Fault::Malformed(message)) => return Some(End::Malformed(message)),
                Err(Fault::TooLong) => return Some(End::TooLong),
            }
        }
    }

    fn event(&mut self, event: Event) -> Option<End> {
        match event {
            // close_notify says goodbye and nothing about the question.
            Event::Alert { alert, .. } if alert.0 == 0 => Some(End::Closed),
            Event::Alert { fatal, alert } if fatal => Some(End::Alert(alert)),
            Event::Alert { alert, .. } => {
                self.warning = Some(alert);
                None
            }
            Event::Message { kind, body } => match self.message(kind, &body) {
                Ok(true) => Some(End::Enough),
                Ok(false) => None,
                Err(message) => Some(End::Malformed(message)),
            },
        }
    }

    /// Takes a message in; whether it was the last one wanted.
    fn message(&mut self, kind: u8, body: &[u8]) -> Result<bool, String> {
        if kind == 2 && self.reply.hello.is_none() {
            let hello = messages::server_hello(body)?;
            let encrypted = hello.version == Version::Tls13;
            self.reply.hello = Some(hello);
            return Ok(encrypted || self.until == Until::Hello);
        }
        let Some((version, suite)) = self.agreed() else {
            return match kind {
                // HelloRequest may come at any time and is to be ignored.
                0 => Ok(false),
                _ => Err(format!("message {kind} comes before the ServerHello")),
            };
        };
        match kind {
            CERTIFICATE => self.reply.chain = Some(messages::certificates(body)?),
            22 => self.reply.staple = messages::staple(body)?,
            12 => self.reply.exchange = messages::key_exchange(suite, body)?,
            13 => self.reply.request = Some(messages::certificate_request(version, body)?),
            14 => self.reply.complete = true,
            0 => (),
            _ => return Err(format!("message {kind} comes after the ServerHello")),
        }
        Ok(match self.until {
            Until::Hello => true,
            Until::Certificate => matches!(kind, CERTIFICATE | 12 | 14),
            Until::KeyExchange => matches!(kind, 12 | 14),
            Until::Done => kind == 14,
        })
    }

    fn agreed(&self) -> Option<(Version, Suite)> {
        let hello = self.reply.hello.as_ref()?;
        Some((hello.version, hello.suite?))
    }
}

/// Whether a warning followed by a close says no. Most warnings do not: `unrecognized_name` is one
/// that says that the server goes on.
fn is_no(warning: Alert) -> bool {
    let protocol = [Alert::PROTOCOL_VERSION, Alert::INAPPROPRIATE_FALLBACK];
    let suites = [Alert::HANDSHAKE_FAILURE, Alert::INSUFFICIENT_SECURITY];
    protocol.contains(&warning) || suites.contains(&warning)
}

/// An alert or handshake record, not an SSLv2 message of the same first bytes.
fn looks_like_record(bytes: &[u8]) -> bool {
    matches!(bytes, [21 | 22, 3, ..])
}

/// Feeds arbitrary bytes to the parser, as a server would: the first byte chooses how.
#[doc(hidden)]
pub fn fuzz_entry(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else {
        return;
    };
    let version = Version::ALL[usize::from(mode % 6)];
    let all = [
        Until::Hello,
        Until::Certificate,
        Until::KeyExchange,
        Until::Done,
    ];
    let until = all[usize::from(mode / 6 % 4)];
    let options = Options {
        max_bytes: 4096,
        max_chain_bytes: 16_384,
        ..Options::default()
    };
    let mut listener = Listener::new(version, until, &options);
    let step = 1 + usize::from(mode / 24) * 7;
    let mut end = End::Closed;
    for chunk in rest.chunks(step) {
        if let Some(reached) = listener.feed(chunk) {
            end = reached;
            break;
        }
        assert!(
            listener.held() <= 32_768 + 3 + step,
            "holds more than its limits"
        );
    }
    let reply = listener.finish(end);
    assert!(!reply.outcome().is_empty(), "every reply has words");
}
