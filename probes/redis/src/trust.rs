//! Whom TLS trusts: the authorities of the config's file, or those of the operating system.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use rustls::{
    ClientConfig, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
};

use crate::config::RedisTls;

/// A file of certificates is larger only by mistake; Mozilla's whole store is 220 KiB.
const LARGEST_FILE: u64 = 4 << 20;
const PHASE: &str = "setting TLS up";

/// The client side of TLS as the config wants it.
pub(crate) async fn client(tls: &RedisTls, cx: &Cx) -> Result<Arc<ClientConfig>, ProbeError> {
    let files = Files {
        ca: tls.ca.as_ref().map(|p| (p.clone(), cx.resolve(p))),
        cert: tls.cert.as_ref().map(|p| (p.clone(), cx.resolve(p))),
        key: tls.key.as_ref().map(|p| (p.clone(), cx.resolve(p))),
    };
    let time = Arc::new(RunClock(cx.clone()));
    cx.blocking("TLS", PHASE, move || build(&files, time)).await
}

struct Files {
    ca: Option<(String, PathBuf)>,
    cert: Option<(String, PathBuf)>,
    key: Option<(String, PathBuf)>,
}

fn build(files: &Files, time: Arc<RunClock>) -> Result<Arc<ClientConfig>, ProbeError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = match &files.ca {
        Some(file) => authorities(file, &provider)?,
        None => system(&provider)?,
    };
    let config = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .map_err(|e| internal(&e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates(cert)?;
            let bad = |e: &dyn fmt::Display| unreadable(&key.0, e);
            let key = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|e| bad(&e))?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|e| bad(&e))?
        }
        _ => config.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn authorities(
    file: &(String, PathBuf),
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ProbeError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|e| unreadable(&file.0, &e))?;
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    Ok(verifier.build().map_err(|e| unreadable(&file.0, &e))?)
}

fn system(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, ProbeError> {
    match rustls_platform_verifier::Verifier::new(Arc::clone(provider)) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(cause) => {
            // Minimal containers have no store.
            tracing::warn!(%cause, "no system trust store; using Mozilla's roots");
            let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Ok(builder.build().map_err(|e| internal(&e))?)
        }
    }
}

fn certificates(file: &(String, PathBuf)) -> Result<Vec<CertificateDer<'static>>, ProbeError> {
    let pem = read(file)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|e| unreadable(&file.0, &e))?;
    if certificates.is_empty() {
        return Err(unreadable(&file.0, &"no certificate in it"));
    }
    Ok(certificates)
}

fn read((shown, path): &(String, PathBuf)) -> Result<Vec<u8>, ProbeError> {
    let size = std::fs::metadata(path)
        .map_err(|e| unreadable(shown, &e))?
        .len();
    if size > LARGEST_FILE {
        return Err(unreadable(
            shown,
            &format!("{size} bytes; at most {LARGEST_FILE} are read"),
        ));
    }
    std::fs::read(path).map_err(|e| unreadable(shown, &e))
}

fn unreadable(file: &str, cause: &dyn fmt::Display) -> ProbeError {
    ProbeError::new(ErrorKind::BadData, file, "reading the TLS files", cause)
        .hint("`ca`, `cert` and `key` want PEM files; paths are relative to the config's folder")
}

fn internal(error: &dyn fmt::Display) -> ProbeError {
    ProbeError::new(ErrorKind::Internal, "TLS", PHASE, error)
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
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now)))
    }
}
