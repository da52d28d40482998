//! When the phases of one request began: marks that the resolver, the connector and the TLS client
//! leave while reqwest drives them.

use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// The marks of the request that is under way. A gate sends one request at a time.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    marks: Mutex<Marks>,
}

/// What has happened so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Marks {
    /// `host:port` of the URL.
    peer: String,
    port: u16,
    addresses: Vec<SocketAddr>,
    resolving: Option<Instant>,
    resolved: Option<Instant>,
    connecting: Option<Instant>,
    handshake: Option<Instant>,
    connected: Option<Instant>,
    answered: Option<Instant>,
    /// Negotiated TLS version.
    pub(crate) tls: Option<&'static str>,
}

impl Trace {
    /// Forgets everything: a new request begins.
    pub(crate) fn restart(&self, host: &str, port: u16) {
        *self.lock() = Marks {
            peer: format!("{host}:{port}"),
            port,
            ..Marks::default()
        };
    }

    pub(crate) fn connecting(&self) {
        self.lock().connecting = Some(Instant::now());
    }

    pub(crate) fn resolving(&self) {
        self.lock().resolving = Some(Instant::now());
    }

    pub(crate) fn resolved(&self) {
        self.lock().resolved = Some(Instant::now());
    }

    /// The addresses that the name stands for.
    pub(crate) fn addresses(&self, addresses: Vec<SocketAddr>) {
        self.lock().addresses = addresses;
    }

    pub(crate) fn handshake(&self) {
        self.lock().handshake.get_or_insert_with(Instant::now);
    }

    pub(crate) fn tls(&self, version: &'static str) {
        self.lock().tls = Some(version);
    }

    pub(crate) fn connected(&self) {
        self.lock().connected = Some(Instant::now());
    }

    pub(crate) fn answered(&self) {
        self.lock().answered = Some(Instant::now());
    }

    /// A copy of the marks.
    pub(crate) fn marks(&self) -> Marks {
        self.lock().clone()
    }

    /// What is being done now, as errors name it.
    pub(crate) fn phase(&self) -> String {
        self.lock().phase()
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    /// What was being done last.
    pub(crate) fn phase(&self) -> String {
        if self.answered.is_some() {
            "reading the body".to_owned()
        } else if self.connected.is_some() {
            "waiting for the response headers".to_owned()
        } else if self.handshake.is_some() {
            "TLS handshake".to_owned()
        } else if self.resolving.is_some() && self.resolved.is_none() {
            "resolving the name".to_owned()
        } else {
            format!("connecting to {}", self.place())
        }
    }

    /// Whether the name has no address yet.
    pub(crate) fn is_resolving(&self) -> bool {
        self.resolving.is_some() && self.resolved.is_none()
    }

    /// The address that is connected to; the name where there are none or many.
    pub(crate) fn place(&self) -> String {
        match self.addresses.as_slice() {
            [] => self.peer.clone(),
            [one] => SocketAddr::new(one.ip(), self.port).to_string(),
            many => format!("{} ({} addresses)", self.peer, many.len()),
        }
    }

    /// Seconds of: look-up, connection, handshake, wait for the headers.
    pub(crate) fn phases(&self) -> (Option<f64>, f64, Option<f64>, f64) {
        let dns = self
            .resolving
            .zip(self.resolved)
            .map(|(a, b)| seconds(a, b));
        let opening = self.resolved.or(self.connecting);
        let open = self.handshake.or(self.connected);
        let between = |from: Option<Instant>, to: Option<Instant>| {
            from.zip(to).map(|(from, to)| seconds(from, to))
        };
        (
            dns,
            between(opening, open).unwrap_or_default(),
            between(self.handshake, self.connected),
            between(self.connected, self.answered).unwrap_or_default(),
        )
    }
}

/// From one moment to another, rounded to a microsecond: a short decimal survives JSON exactly.
pub(crate) fn seconds(from: Instant, to: Instant) -> f64 {
    (to.saturating_duration_since(from).as_secs_f64() * 1e6).round() / 1e6
}
