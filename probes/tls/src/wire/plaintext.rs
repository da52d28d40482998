//! Does a port that should speak TLS only answer without it?

use std::net::SocketAddr;

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alert, Options};

/// What is said in plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `PING`.
    Redis,
    /// `hello` in an OP_MSG.
    Mongodb,
    /// A StartupMessage without a preceding SSLRequest.
    Postgres,
    /// `version`.
    Memcached,
    /// `GET / HTTP/1.1`.
    Http,
}

/// What a plaintext request got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Plaintext {
    /// It was answered, in the clear: the port does not insist on TLS.
    Answered {
        /// Whether the answer says that credentials are wanted first; they would be sent in the
        /// clear.
        needs_authentication: bool,
        /// The beginning of the answer, escaped.
        excerpt: String,
    },
    /// The answer, in the clear, is that TLS is wanted: nginx's and Go's 400 on an HTTPS port,
    /// PostgreSQL's `no encryption`.
    Declined {
        /// The beginning of the answer, escaped.
        excerpt: String,
    },
    /// A TLS alert.
    TlsAlert {
        /// Which one.
        alert: Alert,
    },
    /// The connection was closed in good order and nothing was said.
    Closed,
    /// The connection was reset, twice. On Linux this is also what a close looks like while some of
    /// the request was not read yet.
    Reset,
    /// Neither an answer nor a close in time. Not known, not a refusal.
    Silent {
        /// How long was waited, in seconds.
        seconds: f64,
    },
    /// Bytes that are neither the protocol nor TLS. Not known, not a refusal.
    Other {
        /// The beginning of the answer, escaped.
        excerpt: String,
    },
}

/// Sends one harmless request of `dialect` in plain text and reports what came.
///
/// A connect that fails is an error: nothing is known then. So is the end of time.
#[expect(clippy::unused_async, reason = "not written yet")]
pub async fn ask(
    address: SocketAddr,
    dialect: Dialect,
    options: &Options,
    cx: &Cx,
) -> Result<Plaintext, ProbeError> {
    let _ = (dialect, options, cx);
    let (kind, phase) = (ErrorKind::Internal, "asking in plain text");
    Err(ProbeError::new(
        kind,
        address.to_string(),
        phase,
        "is not written yet",
    ))
}
