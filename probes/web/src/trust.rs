//! Whom TLS trusts: the authorities of the operating system, or Mozilla's where it has none, and
//! those of the config.

use std::{
    fmt,
    path::Path,
    sync::{Arc, LazyLock},
};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, NamedGroup, RootCertStore, SignatureScheme,
    client::{
        ClientConfig, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls12Resumption,
        Tls13ClientSessionValue, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    time_provider::TimeProvider,
};
use tokio::sync::OnceCell;

use crate::trace::Trace;

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// Reading the system's store takes tens of milliseconds; every gate of a run shares it.
static SYSTEM: OnceCell<Arc<dyn ServerCertVerifier>> = OnceCell::const_new();

/// A file of authorities is larger only by mistake; Mozilla's whole store is 220 KiB.
const LARGEST_FILE: u64 = 4 << 20;

/// Whom the client trusts.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    extra: Option<Arc<WebPkiServerVerifier>>,
    http2: bool,
}

impl Trust {
    /// Reads the authorities of the config.
    pub(crate) async fn load(ca: Option<&str>, http2: bool, cx: &Cx) -> Result<Self, ProbeError> {
        let extra = match ca {
            Some(path) => Some(authorities(path, cx).await?),
            None => None,
        };
        Ok(Self { extra, http2 })
    }

    /// A TLS client that leaves marks in `trace`. Without `https` it trusts no one and reads nothing.
    pub(crate) async fn client(
        &self,
        https: bool,
        cx: &Cx,
        trace: &Arc<Trace>,
    ) -> Result<ClientConfig, ProbeError> {
        let verifier = Verifier {
            system: if https { Some(system(cx).await?) } else { None },
            extra: self.extra.clone(),
            trace: Arc::clone(trace),
        };
        let time = Arc::new(RunClock(cx.clone()));
        let mut config = ClientConfig::builder_with_details(Arc::clone(&PROVIDER), time)
            .with_safe_default_protocol_versions()
            .map_err(|e| internal(&e))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        if self.http2 {
            config.alpn_protocols.push(b"h2".to_vec());
        }
        config.alpn_protocols.push(b"http/1.1".to_vec());
        config.resumption = Resumption::store(Arc::new(NoSessions(Arc::clone(trace))))
            .tls12_resumption(Tls12Resumption::Disabled);
        Ok(config)
    }
}

async fn system(cx: &Cx) -> Result<Arc<dyn ServerCertVerifier>, ProbeError> {
    let phase = "reading the trust store";
    let load = SYSTEM.get_or_try_init(|| {
        cx.blocking("the operating system", phase, || {
            match rustls_platform_verifier::Verifier::new(Arc::clone(&PROVIDER)) {
                Ok(verifier) => Ok(Arc::new(verifier) as Arc<dyn ServerCertVerifier>),
                Err(cause) => {
                    // Minimal containers have no store.
                    tracing::warn!(%cause, "no system trust store; using Mozilla's roots");
                    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
                    Ok(webpki(roots).map_err(|e| internal(&e))? as Arc<dyn ServerCertVerifier>)
                }
            }
        })
    });
    cx.within("the operating system", phase, load)
        .await?
        .cloned()
}

async fn authorities(path: &str, cx: &Cx) -> Result<Arc<WebPkiServerVerifier>, ProbeError> {
    let file = cx.resolve(path);
    let shown = path.to_owned();
    cx.blocking(path, "reading the CA file", move || {
        read_authorities(&file).map_err(|message| {
            ProbeError::new(ErrorKind::BadData, shown, "reading the CA file", message)
                .hint("`ca` wants a PEM file with BEGIN CERTIFICATE blocks")
        })
    })
    .await
}

fn read_authorities(file: &Path) -> Result<Arc<WebPkiServerVerifier>, String> {
    let size = std::fs::metadata(file).map_err(|e| e.to_string())?.len();
    if size > LARGEST_FILE {
        return Err(format!("{size} bytes; at most {LARGEST_FILE} are read"));
    }
    let pem = std::fs::read(file).map_err(|e| e.to_string())?;
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(&pem).enumerate() {
        certificate
            .map_err(|e| e.to_string())
            .and_then(|der| roots.add(der).map_err(|e| e.to_string()))
            .map_err(|e| format!("certificate {}: {e}", index + 1))?;
    }
    if roots.is_empty() {
        return Err("no certificate in it".to_owned());
    }
    webpki(roots).map_err(|e| e.to_string())
}

fn webpki(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&PROVIDER))
        .build()
        .map_err(|e| Error::General(e.to_string()))
}

fn internal(error: &Error) -> ProbeError {
    ProbeError::new(ErrorKind::Internal, "TLS", "setting TLS up", error)
}

/// Certificates are judged at the time of the run.
struct RunClock(Cx);

impl fmt::Debug for RunClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunClock")
    }
}

impl TimeProvider for RunClock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            now,
        )))
    }
}

/// Asks the system first and the config's authorities next. It decides nothing by itself.
#[derive(Debug)]
struct Verifier {
    system: Option<Arc<dyn ServerCertVerifier>>,
    extra: Option<Arc<WebPkiServerVerifier>>,
    trace: Arc<Trace>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let first = match &self.system {
            Some(system) => system.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            None => Err(unknown()),
        };
        match (first, &self.extra) {
            (Err(cause), Some(extra)) => {
                let second = extra.verify_server_cert(end_entity, intermediates, name, ocsp, now);
                // The store that knows the issuer says what is wrong with the certificate.
                second.map_err(|e| if e == unknown() { cause } else { e })
            }
            (first, _) => first,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trace.tls("TLS 1.2");
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trace.tls("TLS 1.3");
        let algorithms = &PROVIDER.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Keeps no session, so that every sample does a whole handshake. rustls asks it for a hint when it
/// writes the ClientHello, which is the moment the handshake begins.
#[derive(Debug)]
struct NoSessions(Arc<Trace>);

impl ClientSessionStore for NoSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.handshake();
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}
