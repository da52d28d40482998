//! Does a port that should speak TLS only answer without it?

use std::net::SocketAddr;

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{Alert, Options, bytes::Writer, dial::describe, foreign::excerpt};

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

impl Dialect {
    /// The request: it changes nothing, and needs no credentials to be answered.
    fn request(self, address: SocketAddr) -> Vec<u8> {
        match self {
            Self::Redis => b"PING\r\n".to_vec(),
            Self::Memcached => b"version\r\n".to_vec(),
            Self::Http => {
                let host = address.to_string();
                format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").into_bytes()
            }
            Self::Mongodb => mongodb_hello(),
            Self::Postgres => postgres_startup(),
        }
    }

    /// What an answer means; `None` if more of it is needed, which `whole` says will not come.
    fn read(self, heard: &[u8], whole: bool) -> Option<Plaintext> {
        if heard.is_empty() {
            return None;
        }
        if let [21, 3, _, 0, 2, _, alert, ..] = *heard {
            return Some(Plaintext::TlsAlert {
                alert: Alert(alert),
            });
        }
        let record_may_follow =
            heard.len() < 7 && [21, 3, 1, 0, 2].starts_with(&heard[..heard.len().min(1)]);
        if record_may_follow && !whole {
            return None;
        }
        let excerpt = excerpt(heard);
        let answered = |needs_authentication| Plaintext::Answered {
            needs_authentication,
            excerpt: excerpt.clone(),
        };
        let starts = |prefix: &[u8]| heard.starts_with(prefix);
        let text = String::from_utf8_lossy(heard).to_lowercase();
        let answer = match self {
            Self::Redis if starts(b"+") || starts(b"-") => {
                answered(starts(b"-NOAUTH") || starts(b"-WRONGPASS"))
            }
            Self::Memcached if starts(b"VERSION") => answered(false),
            Self::Memcached if starts(b"CLIENT_ERROR") || starts(b"ERROR") => {
                answered(text.contains("unauthenticated"))
            }
            Self::Http if starts(b"HTTP/") => {
                if !whole && !text.contains("https") {
                    return None;
                }
                let wants_tls = text.contains(" 400 ") && text.contains("https");
                if wants_tls {
                    Plaintext::Declined { excerpt }
                } else {
                    answered(text.contains(" 401 "))
                }
            }
            // A reply to our request 1 of the kind OP_MSG or OP_REPLY.
            Self::Mongodb => match *heard {
                [_, _, _, _, _, _, _, _, 1, 0, 0, 0, 0xdd | 1, _, _, _, ..] => answered(false),
                _ if heard.len() < 16 && !whole => return None,
                _ => Plaintext::Other { excerpt },
            },
            Self::Postgres if starts(b"R") => answered(heard.get(5..9) != Some(&[0; 4])),
            Self::Postgres if starts(b"E") => {
                if text.contains("no encryption") || text.contains("ssl off") {
                    let excerpt = printable(heard);
                    Plaintext::Declined { excerpt }
                } else {
                    answered(false)
                }
            }
            _ if heard.len() < 4 && !whole => return None,
            _ => Plaintext::Other { excerpt },
        };
        Some(answer)
    }
}

/// Of a binary answer the text.
fn printable(bytes: &[u8]) -> String {
    let text: Vec<u8> = bytes
        .iter()
        .map(|b| if b.is_ascii_graphic() { *b } else { b' ' })
        .collect();
    excerpt(text.trim_ascii())
}

/// OP_MSG, request 1, one section of kind 0: `{hello: 1, $db: "admin"}`.
fn mongodb_hello() -> Vec<u8> {
    let mut document = Vec::new();
    document.extend_from_slice(b"\x10hello\0\x01\0\0\0");
    document.extend_from_slice(b"\x02$db\0\x06\0\0\0admin\0\0");
    let mut body = vec![0; 5];
    body.extend_from_slice(&length(document.len() + 4));
    body.extend_from_slice(&document);
    let mut message = length(body.len() + 16).to_vec();
    message.extend_from_slice(&1u32.to_le_bytes());
    message.extend_from_slice(&0u32.to_le_bytes());
    message.extend_from_slice(&2013u32.to_le_bytes());
    message.extend_from_slice(&body);
    message
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(0).to_le_bytes()
}

/// StartupMessage 3.0 for a user that need not exist.
fn postgres_startup() -> Vec<u8> {
    let mut message = Writer::default();
    let parameters = b"user\0readygate\0database\0postgres\0\0";
    let length = u32::try_from(parameters.len() + 8).unwrap_or(0);
    message.raw(&length.to_be_bytes()).u16(3).u16(0);
    message.raw(parameters);
    message.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dialect: Dialect, heard: &[u8]) -> Option<Plaintext> {
        dialect.read(heard, true)
    }

    fn answered(dialect: Dialect, heard: &[u8]) -> Option<bool> {
        match read(dialect, heard)? {
            Plaintext::Answered {
                needs_authentication,
                ..
            } => Some(needs_authentication),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_in_the_clear() {
        assert_eq!(answered(Dialect::Redis, b"+PONG\r\n"), Some(false));
        let noauth = b"-NOAUTH Authentication required.\r\n";
        assert_eq!(answered(Dialect::Redis, noauth), Some(true));
        assert_eq!(answered(Dialect::Redis, b"-DENIED Redis"), Some(false));
        assert_eq!(answered(Dialect::Memcached, b"VERSION 1.6"), Some(false));
        assert_eq!(answered(Dialect::Http, b"HTTP/1.1 200 OK\r\n"), Some(false));
        assert_eq!(
            answered(Dialect::Postgres, b"R\0\0\0\x08\0\0\0\x05salt"),
            Some(true)
        );
        assert_eq!(
            answered(Dialect::Postgres, b"R\0\0\0\x08\0\0\0\0"),
            Some(false)
        );
        let reply = b"\x30\0\0\0\x05\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0";
        assert_eq!(answered(Dialect::Mongodb, reply), Some(false));
    }

    #[test]
    fn refusals_are_not_answers() {
        let https = b"HTTP/1.1 400 Bad Request\r\n\r\nsent to HTTPS port";
        let declined = |p| matches!(p, Some(Plaintext::Declined { .. }));
        assert!(declined(read(Dialect::Http, https)));
        let hba = b"E\0\0\0\x40SFATAL\0Mno pg_hba.conf entry, no encryption\0";
        assert!(declined(read(Dialect::Postgres, hba)));
        let alert = read(Dialect::Redis, &[21, 3, 3, 0, 2, 2, 70]);
        assert_eq!(alert, Some(Plaintext::TlsAlert { alert: Alert(70) }));
        assert_eq!(Dialect::Redis.read(&[21, 3], false), None);
        assert!(matches!(
            read(Dialect::Redis, b"SSH-2.0"),
            Some(Plaintext::Other { .. })
        ));
        assert_eq!(read(Dialect::Redis, b""), None);
    }

    #[test]
    fn requests_say_their_own_length() {
        let hello = mongodb_hello();
        assert_eq!(hello[..4], length(hello.len()));
        let startup = postgres_startup();
        assert_eq!(usize::from(startup[3]), startup.len());
    }
}
