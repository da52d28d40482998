//! The bounds of a survey.

use std::time::Duration;

/// What is said before TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upgrade {
    /// TLS from the first byte: HTTPS, Redis, MongoDB, memcached.
    #[default]
    None,
    /// PostgreSQL's SSLRequest, answered `S` (go on) or `N` (no TLS).
    Postgres,
}

/// How a survey asks: deadlines, concurrency, what is offered.
#[derive(Debug, Clone)]
pub struct Options {
    /// For one TCP connect.
    pub connect_timeout: Duration,
    /// From the hello being sent until the question is decided. The first two hellos go out
    /// together, so this is also how long a silent server takes.
    pub answer_timeout: Duration,
    /// For the whole survey; what was not asked by then is unknown.
    pub budget: Duration,
    /// Connections open at a time; some servers limit the rate.
    pub concurrency: usize,
    /// Before a question that was reset or closed upon is asked a second time.
    pub retry_pause: Duration,
    /// Bytes read of one connection. A certificate message may take [`Self::max_chain_bytes`].
    pub max_bytes: usize,
    /// Bytes read of one connection that sends a certificate message longer than `max_bytes`.
    pub max_chain_bytes: usize,
    /// Protocols offered in ALPN, best first; empty to offer none (data stores).
    pub alpn: Vec<String>,
    /// What is said before TLS begins.
    pub upgrade: Upgrade,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_millis(2_800),
            budget: Duration::from_secs(15),
            concurrency: 6,
            retry_pause: Duration::from_millis(60),
            max_bytes: 256 * 1024,
            max_chain_bytes: 1024 * 1024,
            alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
            upgrade: Upgrade::None,
        }
    }
}
