//! Does a port that should speak TLS only answer without it?

mod answers;
mod requests;

use std::net::SocketAddr;

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{Alert, Options, dial::describe};

/// Bytes of an answer that are read.
const MOST: usize = 4 * 1024;

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
pub async fn ask(
    address: SocketAddr,
    dialect: Dialect,
    options: &Options,
    cx: &Cx,
) -> Result<Plaintext, ProbeError> {
    let subject = address.to_string();
    let phase = "asking in plain text";
    let first = cx.within(&subject, phase, once(address, dialect, options));
    match first.await? {
        // A reset or close may be an accident; twice it is a habit.
        Ok(Plaintext::Reset | Plaintext::Closed) | Err(_) => {
            cx.sleep(options.retry_pause).await?;
            let second = cx.within(&subject, phase, once(address, dialect, options));
            second.await?.map_err(|message| {
                ProbeError::new(ErrorKind::Connect, subject.as_str(), "connecting", message)
                    .hint("check the address and port, and that the server is up")
            })
        }
        Ok(answer) => Ok(answer),
    }
}

async fn once(
    address: SocketAddr,
    dialect: Dialect,
    options: &Options,
) -> Result<Plaintext, String> {
    let end = Instant::now() + options.connect_timeout;
    let mut stream = match timeout_at(end, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return Err(describe(&e)),
        Err(_) => return Err("no connection in time".to_owned()),
    };
    let started = Instant::now();
    let end = started + options.answer_timeout;
    let request = dialect.request(address);
    // A peer that hung up may have said why; the read finds out.
    _ = timeout_at(end, stream.write_all(&request)).await;
    let mut heard = Vec::new();
    let mut buffer = vec![0; MOST];
    loop {
        let read = timeout_at(end, stream.read(&mut buffer)).await;
        let over = match read {
            Err(_) => Some(Plaintext::Silent {
                seconds: (started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
            }),
            Ok(Ok(0)) => Some(Plaintext::Closed),
            Ok(Err(_)) => Some(Plaintext::Reset),
            Ok(Ok(n)) => {
                heard.extend_from_slice(&buffer[..n]);
                None
            }
        };
        if let Some(over) = over {
            // Half an answer is an answer, if it can be told what it is.
            return Ok(match dialect.read(&heard, true) {
                Some(answer) => answer,
                None => over,
            });
        }
        if let Some(answer) = dialect.read(&heard, heard.len() >= MOST) {
            return Ok(answer);
        }
    }
}
