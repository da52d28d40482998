//! Handshakes as a modern client does them, with rustls. Whatever the certificate is like, the
//! handshake goes on: it is recorded here and judged later.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use readygate_sdk::excerpt;
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme,
    client::{
        ResolvesClientCert, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use tokio::{
    io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::measurement::{After, Fault, Handshake};

/// How long one handshake may take, connect included.
const PATIENCE: Duration = Duration::from_millis(2_900);
/// How long session tickets are awaited: they come right behind the handshake.
const TICKETS: Duration = Duration::from_millis(150);
/// How long a server that asked for a certificate has to turn the client away.
const REFUSAL: Duration = Duration::from_secs(1);
/// How a handshake ends that the server gives up without an alert.
pub(crate) const CLOSED: &str = "the server closed the connection";
pub(crate) const RESET: &str = "the server reset the connection";
/// A server may say much before it is hung up on.
const MOST_BYTES: usize = 4_096;

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    // Ask for the hybrid group first: whether it is agreed on is one of the facts.
    provider
        .kx_groups
        .sort_by_key(|group| group.name() != rustls::NamedGroup::X25519MLKEM768);
    Arc::new(provider)
});

/// What is to be shaken hands on.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub address: SocketAddr,
    pub name: ServerName<'static>,
    pub alpn: Vec<Vec<u8>>,
    pub samples: u8,
    /// PostgreSQL wants to be asked for TLS first.
    pub postgres: bool,
    /// Whether a refusal may come as an HTTP response.
    pub http: bool,
}

/// A chain as it came, leaf first, and the staple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    pub chain: Vec<Vec<u8>>,
    pub staple: Vec<u8>,
}

/// Facts and chains of all handshakes.
pub(crate) async fn shake(plan: &Plan) -> (Handshake, Vec<Raw>) {
    let notes = Arc::new(Notes::default());
    let mut facts = Handshake::default();
    let config = Arc::new(client(plan, &notes));
    for sample in 0..plan.samples {
        // The first keeps its session for the one that resumes; the others begin anew.
        let fresh = if sample == 0 {
            Arc::clone(&config)
        } else {
            Arc::new(client(plan, &notes))
        };
        match timeout(PATIENCE, once(plan, fresh, &mut facts, &notes, sample == 0)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => {
                facts.fault = Some(fault);
                break;
            }
            Err(_) => {
                let message = format!("no answer within {} s", PATIENCE.as_secs_f64());
                facts.fault = Some(Fault {
                    message,
                    alert: None,
                });
                break;
            }
        }
    }
    if facts.fault.is_none() && facts.after.is_none() {
        other_key(plan, &notes).await;
        let again = timeout(PATIENCE, resume(plan, config));
        facts.resumed = again.await.ok().flatten();
    }
    facts.proof = notes.read(|inner| inner.proof.clone());
    (facts, notes.read(|inner| inner.chains.clone()))
}

async fn once(
    plan: &Plan,
    config: Arc<ClientConfig>,
    facts: &mut Handshake,
    notes: &Arc<Notes>,
    first: bool,
) -> Result<(), Fault> {
    let stream = connect(plan).await.map_err(|e| fault(&e))?;
    let begun = Instant::now();
    let connector = TlsConnector::from(config);
    let connected = connector.connect(plan.name.clone(), stream).await;
    facts.asks_certificate = notes.asked();
    let mut stream = connected.map_err(|e| fault(&e))?;
    facts.seconds.push(begun.elapsed().as_secs_f64());
    if first {
        describe(&stream, facts);
        if facts.asks_certificate && plan.http && facts.alpn.as_deref() == Some("h2") {
            // A refusal in HTTP/1.1 is easier to read.
            let plain = Plan {
                alpn: vec![b"http/1.1".to_vec()],
                ..plan.clone()
            };
            let config = Arc::new(client(&plain, notes));
            let again = connect(&plain).await.map_err(|e| fault(&e))?;
            let connected = TlsConnector::from(config)
                .connect(plan.name.clone(), again)
                .await;
            let mut again = connected.map_err(|e| fault(&e))?;
            facts.after = Some(after(&plain, &mut again).await);
        } else if facts.asks_certificate {
            facts.after = Some(after(plan, &mut stream).await);
        } else {
            let _ = timeout(TICKETS, ticket(&mut stream)).await;
        }
    }
    let _ = timeout(TICKETS, stream.shutdown()).await;
    Ok(())
}

/// Reads until a session ticket has come, or the server says something. In TLS 1.2 tickets come
/// within the handshake.
async fn ticket(stream: &mut TlsStream<TcpStream>) {
    if stream.get_ref().1.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_2) {
        return;
    }
    let mut byte = [0; 1];
    poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
        if read.is_ready() || stream.get_ref().1.tls13_tickets_received() > 0 {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

fn describe(stream: &TlsStream<TcpStream>, facts: &mut Handshake) {
    let connection = &stream.get_ref().1;
    facts.version = connection.protocol_version().map(|v| match v {
        rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    });
    let suite = connection.negotiated_cipher_suite();
    facts.suite = suite.map(|s| format!("{:?}", s.suite()).replace("TLS13_", "TLS_"));
    let group = connection.negotiated_key_exchange_group();
    facts.group = group.map(|g| format!("{:?}", g.name()));
    let alpn = connection.alpn_protocol();
    facts.alpn = alpn.map(|p| excerpt(&String::from_utf8_lossy(p), 40));
}

/// A server may have a certificate for each kind of key. The modern client was shown one; this asks
/// for the other, and no harm is done if there is none.
async fn other_key(plan: &Plan, notes: &Arc<Notes>) {
    let offered = match notes.read(|inner| inner.scheme) {
        Some(scheme) if is_rsa(scheme) => Offer::NoRsa,
        Some(_) => Offer::RsaOnly,
        None => return,
    };
    let other = Arc::new(Notes {
        offer: offered,
        ..Notes::default()
    });
    let config = Arc::new(client(plan, &other));
    let shaking = async {
        let stream = connect(plan).await?;
        let connector = TlsConnector::from(config);
        connector.connect(plan.name.clone(), stream).await
    };
    let _ = timeout(PATIENCE, shaking).await;
    notes.take_in(&other);
}

fn is_rsa(scheme: SignatureScheme) -> bool {
    format!("{scheme:?}").starts_with("RSA")
}

/// The second connection of a session.
async fn resume(plan: &Plan, config: Arc<ClientConfig>) -> Option<bool> {
    let stream = connect(plan).await.ok()?;
    let connector = TlsConnector::from(config);
    let mut stream = connector.connect(plan.name.clone(), stream).await.ok()?;
    let kind = stream.get_ref().1.handshake_kind();
    let _ = timeout(TICKETS, stream.shutdown()).await;
    Some(kind == Some(HandshakeKind::Resumed))
}

/// In TLS 1.3 the client is done before the server has looked at its (empty) certificate, so the
/// refusal comes afterwards; nginx sends it as an HTTP response.
async fn after(plan: &Plan, stream: &mut TlsStream<TcpStream>) -> After {
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if plan.http && !h2 {
        let host = plan.name.to_str();
        let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(request.as_bytes()).await;
        let _ = stream.flush().await;
    }
    let mut bytes = vec![0; MOST_BYTES];
    match timeout(REFUSAL, stream.read(&mut bytes)).await {
        Err(_) => After::Silence,
        Ok(Ok(0)) => After::Closed,
        Ok(Ok(n)) => http_status(bytes.get(..n).unwrap_or_default())
            .map_or(After::Data, |status| After::Http { status }),
        Ok(Err(error)) => match fault(&error).alert {
            Some(alert) => After::Alert { alert },
            None => After::Closed,
        },
    }
}

fn http_status(bytes: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(bytes.get(..12)?).ok()?;
    text.strip_prefix("HTTP/1.")
        .and_then(|t| t.get(2..5)?.parse().ok())
}

async fn connect(plan: &Plan) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(plan.address).await?;
    stream.set_nodelay(true)?;
    if plan.postgres {
        // SSLRequest: length 8, code 80877103.
        stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await?;
        let answer = stream.read_u8().await?;
        if answer != b'S' {
            return Err(io::Error::other("the server declined TLS"));
        }
    }
    Ok(stream)
}

fn fault(error: &io::Error) -> Fault {
    let tls = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    let (message, alert) = match tls {
        Some(Error::AlertReceived(alert)) => {
            let alert = alert_name(*alert);
            (
                format!("the server ended the handshake with the alert {alert}"),
                Some(alert),
            )
        }
        Some(Error::PeerIncompatible(why)) => (
            format!("no version or cipher suite in common ({why:?})"),
            None,
        ),
        Some(Error::InvalidMessage(why)) => (
            format!("what came back is not TLS, or broken ({why:?})"),
            None,
        ),
        Some(other) => (other.to_string(), None),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof => (CLOSED.to_owned(), None),
            io::ErrorKind::ConnectionReset => (RESET.to_owned(), None),
            io::ErrorKind::ConnectionRefused => ("connection refused".to_owned(), None),
            _ => (error.to_string(), None),
        },
    };
    let message = excerpt(&message, 200);
    Fault { message, alert }
}

/// `HandshakeFailure` as the registry writes it: `handshake_failure`.
fn alert_name(alert: AlertDescription) -> String {
    crate::wire::Alert(u8::from(alert)).to_string()
}

fn client(plan: &Plan, notes: &Arc<Notes>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER));
    // TLS 1.2 and 1.3 are the defaults; the versions are compiled in, so this cannot fail.
    let builder = match builder.with_safe_default_protocol_versions() {
        Ok(builder) => builder,
        Err(_) => ClientConfig::builder(),
    };
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(notes) as Arc<dyn ServerCertVerifier>)
        .with_client_cert_resolver(Arc::clone(notes) as Arc<dyn ResolvesClientCert>);
    config.alpn_protocols.clone_from(&plan.alpn);
    config.resumption = Resumption::in_memory_sessions(4);
    config
}

/// What the handshakes showed.
#[derive(Debug, Default)]
struct Notes {
    offer: Offer,
    inner: Mutex<Inner>,
}

/// Which signatures a client accepts, and so which certificates it is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Offer {
    #[default]
    All,
    RsaOnly,
    NoRsa,
}

#[derive(Debug, Default)]
struct Inner {
    chains: Vec<Raw>,
    proof: Option<String>,
    scheme: Option<SignatureScheme>,
    asked: bool,
}

impl Notes {
    fn with(&self, note: impl FnOnce(&mut Inner)) {
        note(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<T>(&self, read: impl FnOnce(&Inner) -> T) -> T {
        read(&self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn asked(&self) -> bool {
        self.read(|inner| inner.asked)
    }

    /// Adds what the handshake with the other kind of key showed: its chain, and a wrong proof.
    fn take_in(&self, other: &Self) {
        let (chains, proof) = other.read(|inner| (inner.chains.clone(), inner.proof.clone()));
        self.with(|inner| {
            let new = chains
                .into_iter()
                .filter(|raw| !inner.chains.iter().any(|c| c.chain == raw.chain));
            let new: Vec<Raw> = new.collect();
            inner.chains.extend(new);
            inner.proof = inner.proof.take().or(proof);
        });
    }

    /// A wrong proof is a fact for the judge; the handshake goes on to show the rest.
    fn proof(&self, checked: Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        if let Err(error) = checked {
            self.with(|inner| inner.proof = Some(excerpt(&error.to_string(), 200)));
        }
        HandshakeSignatureValid::assertion()
    }
}

impl ResolvesClientCert for Notes {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.with(|inner| inner.asked = true);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ServerCertVerifier for Notes {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        staple: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(others);
        let raw = Raw {
            chain: chain.map(|der| der.to_vec()).collect(),
            staple: staple.to_vec(),
        };
        self.with(|inner| {
            if !inner.chains.contains(&raw) {
                inner.chains.push(raw);
            }
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &PROVIDER.signature_verification_algorithms;
        self.with(|inner| inner.scheme = Some(signature.scheme));
        Ok(self.proof(verify_tls12_signature(
            message,
            certificate,
            signature,
            algorithms,
        )))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &PROVIDER.signature_verification_algorithms;
        self.with(|inner| inner.scheme = Some(signature.scheme));
        Ok(self.proof(verify_tls13_signature(
            message,
            certificate,
            signature,
            algorithms,
        )))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all = PROVIDER
            .signature_verification_algorithms
            .supported_schemes()
            .into_iter();
        let offer = self.offer;
        all.filter(|scheme| match offer {
            Offer::All => true,
            Offer::RsaOnly => is_rsa(*scheme),
            Offer::NoRsa => !is_rsa(*scheme),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_proof_of_the_other_key_is_kept() {
        let (notes, other) = (Notes::default(), Notes::default());
        other.proof(Err(Error::General("bad signature".to_owned())));
        notes.take_in(&other);
        let kept = notes.read(|inner| inner.proof.clone()).unwrap();
        assert!(kept.contains("bad signature"), "{kept}");
        // And the first is not lost.
        notes.take_in(&Notes::default());
        assert_eq!(notes.read(|inner| inner.proof.clone()), Some(kept));
    }
}
