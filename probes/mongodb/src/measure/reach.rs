//! How far a connection gets, and why it gets no further.

use std::{io, sync::Arc, time::Duration};

use mongodb::{
    Client,
    bson::doc,
    error::{Error, ErrorKind},
    options::{ClientOptions, Tls},
};
use readygate_sdk::excerpt;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

use crate::measurement::{Reach, TlsProblem};

/// Resolves a name and connects to it.
pub async fn dial(host: &str, deadline: Instant) -> Result<TcpStream, Reach> {
    let started = Instant::now();
    let unresolved = |message: String| Reach::Unresolved { message };
    let addresses = match timeout_at(deadline, lookup_host(host)).await {
        Err(_) => return Err(unresolved("the resolver did not answer in time".to_owned())),
        Ok(Err(error)) => return Err(unresolved(error.to_string())),
        Ok(Ok(addresses)) => addresses,
    };
    let mut last = unresolved("no address".to_owned());
    for address in addresses {
        match timeout_at(deadline, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                last = Reach::Refused {
                    message: error.to_string(),
                };
            }
            Ok(Err(error)) => {
                last = Reach::Unroutable {
                    message: error.to_string(),
                }
            }
            Err(_) => {
                let waited = started.elapsed().as_secs_f64();
                let message = format!("no connection within {waited:.1} s");
                return Err(Reach::Unroutable { message });
            }
        }
    }
    Err(last)
}

/// What stopped us, in a sentence without the host.
pub fn sentence(reach: &Reach) -> String {
    match reach {
        Reach::Answered => "answers".to_owned(),
        Reach::NotAsked => "was not asked".to_owned(),
        Reach::Refused { .. } => "refuses connections: nothing listens on the port".to_owned(),
        Reach::Unresolved { message } => format!("the name does not resolve: {message}"),
        Reach::Unroutable { message } => format!("cannot be reached over the network: {message}"),
        Reach::Hung { waited_s } => {
            format!("accepts connections and does not answer: waited {waited_s:.1} s")
        }
        Reach::Closed { message } => format!("closes every connection at once: {message}"),
        Reach::Tls { message, .. } => format!("TLS did not come about: {message}"),
        Reach::Failed { message } => message.clone(),
    }
}

/// What an error of the driver says about the connection. `None`: nothing, it is about the login or
/// the command.
pub fn of(error: &Error, tls: bool, waited: Duration) -> Option<Reach> {
    let message = excerpt(&error.kind.to_string(), 300);
    Some(match &*error.kind {
        ErrorKind::Authentication { .. } | ErrorKind::Command(_) => return None,
        ErrorKind::InvalidTlsConfig { .. } => Reach::Tls {
            problem: TlsProblem::OurFiles,
            message,
        },
        ErrorKind::Io(io) => of_io(io, tls, message, waited),
        ErrorKind::DnsResolve { .. } => Reach::Unresolved { message },
        ErrorKind::ServerSelection { .. } => Reach::Hung {
            waited_s: super::timed::seconds(waited),
        },
        _ => Reach::Failed { message },
    })
}

fn of_io(error: &Arc<io::Error>, tls: bool, message: String, waited: Duration) -> Reach {
    use io::ErrorKind as Io;
    match error.kind() {
        Io::ConnectionRefused => Reach::Refused { message },
        Io::TimedOut => Reach::Hung {
            waited_s: super::timed::seconds(waited),
        },
        Io::NotFound | Io::PermissionDenied if tls => Reach::Tls {
            problem: TlsProblem::OurFiles,
            message,
        },
        Io::UnexpectedEof | Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
            Reach::Closed { message }
        }
        Io::InvalidData if tls => Reach::Tls {
            problem: tls_problem(&message),
            message,
        },
        _ => Reach::Failed { message },
    }
}

/// rustls says what is wrong in words only, once it has passed through `io::Error`.
fn tls_problem(message: &str) -> TlsProblem {
    if message.contains("not valid for name") {
        TlsProblem::WrongName
    } else if message.contains("peer certificate") {
        TlsProblem::Untrusted
    } else if message.contains("alert") {
        TlsProblem::ClientCertificate
    } else {
        TlsProblem::NotSpoken
    }
}

/// A server that closes at once may want TLS, want none, want our certificate, or be out of
/// connections: all look alike to a client. Two questions tell them apart.
pub async fn diagnose(
    host: &str,
    options: &ClientOptions,
    message: String,
    deadline: Instant,
) -> Reach {
    let tls = matches!(options.tls, Some(Tls::Enabled(_)));
    if tls && answers_plainly(options, deadline).await {
        return Reach::Tls {
            problem: TlsProblem::NotSpoken,
            message,
        };
    }
    let problem = if tls {
        TlsProblem::ClientCertificate
    } else {
        TlsProblem::Required
    };
    if speaks_tls(host, deadline).await {
        Reach::Tls { problem, message }
    } else {
        Reach::Closed { message }
    }
}

async fn answers_plainly(options: &ClientOptions, deadline: Instant) -> bool {
    let mut plain = options.clone();
    plain.tls = Some(Tls::Disabled);
    plain.credential = None;
    plain.sdam_event_handler = None;
    plain.server_selection_timeout = Some(Duration::from_millis(500));
    let Ok(client) = Client::with_options(plain) else {
        return false;
    };
    let database = client.database("admin");
    matches!(
        timeout_at(deadline, database.run_command(doc! { "hello": 1 })).await,
        Ok(Ok(_))
    )
}

/// Whether anything that looks like TLS comes back for a ClientHello (RFC 8446 section 5.1: a
/// record of type alert, 21, or handshake, 22).
async fn speaks_tls(host: &str, deadline: Instant) -> bool {
    let Some(greeting) = client_hello(host) else {
        return false;
    };
    let ask = async {
        let mut stream = dial(host, deadline).await.ok()?;
        stream.write_all(&greeting).await.ok()?;
        stream.read_u8().await.ok()
    };
    matches!(timeout_at(deadline, ask).await, Ok(Some(21 | 22)))
}

fn client_hello(host: &str) -> Option<Vec<u8>> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_matches(['[', ']']).to_owned().try_into().ok()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name).ok()?;
    let mut greeting = Vec::new();
    connection.write_tls(&mut greeting).ok()?;
    Some(greeting)
}
