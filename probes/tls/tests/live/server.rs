//! Good servers with one fault in what they show: rustls, in this process.

use std::{net::SocketAddr, sync::Arc};

use readygate_sdk::testkit::BlackHole;
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    common::NAME,
    pki::{Identity, Pki},
};

/// How a server behaves.
#[derive(Clone)]
pub struct Behaviour {
    pub staple: Option<Vec<u8>>,
    pub versions: Vec<&'static SupportedProtocolVersion>,
    pub needs_name: bool,
    pub classical: bool,
    pub client_certificate: Option<Mtls>,
    pub alpn: Vec<Vec<u8>>,
    pub no_sessions: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mtls {
    Optional,
    Required,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            staple: None,
            versions: vec![&TLS12, &TLS13],
            needs_name: false,
            classical: false,
            client_certificate: None,
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            no_sessions: false,
        }
    }
}

/// A running server; it ends with the value.
pub struct Server {
    pub address: SocketAddr,
    _guards: Vec<Guard>,
}

#[expect(dead_code, reason = "held until the end")]
pub enum Guard {
    Task(AbortOnDrop),
    Child(tokio::process::Child),
    Hole(BlackHole),
}

pub struct AbortOnDrop(pub tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Server {
    pub fn new(address: SocketAddr, guard: Guard) -> Self {
        Self {
            address,
            _guards: vec![guard],
        }
    }
}

#[derive(Debug)]
struct One {
    key: Arc<CertifiedKey>,
    needs_name: bool,
}

impl ResolvesServerCert for One {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let known = !self.needs_name || hello.server_name() == Some(NAME);
        known.then(|| Arc::clone(&self.key))
    }
}

pub async fn serve(pki: &Pki, identity: &Identity, behaviour: Behaviour) -> Server {
    serve_on("127.0.0.1:0", pki, identity, behaviour).await
}

fn config(pki: &Pki, identity: &Identity, behaviour: Behaviour) -> ServerConfig {
    let mut provider = aws_lc_rs::default_provider();
    if behaviour.classical {
        provider
            .kx_groups
            .retain(|g| g.name() != rustls::NamedGroup::X25519MLKEM768);
    }
    let provider = Arc::new(provider);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.clone()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    let chain = identity
        .chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()));
    let mut signer = CertifiedKey::new(chain.collect(), key);
    signer.ocsp.clone_from(&behaviour.staple);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&behaviour.versions)
        .unwrap();
    let builder = match behaviour.client_certificate {
        None => builder.with_no_client_auth(),
        Some(mtls) => {
            let mut roots = RootCertStore::empty();
            roots.add(pki.root.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match mtls {
                Mtls::Optional => verifier.allow_unauthenticated(),
                Mtls::Required => verifier,
            };
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(One {
        key: Arc::new(signer),
        needs_name: behaviour.needs_name,
    }));
    config.alpn_protocols = behaviour.alpn;
    if behaviour.no_sessions {
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config
}

pub async fn serve_on(at: &str, pki: &Pki, identity: &Identity, behaviour: Behaviour) -> Server {
    let acceptor = TlsAcceptor::from(Arc::new(config(pki, identity, behaviour)));
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut bytes = [0; 1024];
                if matches!(stream.read(&mut bytes).await, Ok(1..)) {
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .await;
                }
                let _ = stream.shutdown().await;
            });
        }
    });
    Server::new(address, Guard::Task(AbortOnDrop(task)))
}
