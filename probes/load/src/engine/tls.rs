//! TLS as the spec wants it.

use std::sync::Arc;

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::spec::{Protocol, Spec, Tls};

/// How TLS connections are begun.
#[derive(Clone)]
pub(super) struct Setup {
    pub config: Arc<ClientConfig>,
    pub name: ServerName<'static>,
}

impl Setup {
    /// Nothing for plain `http`.
    pub(super) fn new(spec: &Spec) -> Result<Option<Self>, String> {
        if spec.base.scheme() != "https" {
            return Ok(None);
        }
        let tls = spec.tls.clone().unwrap_or_default();
        let host = spec.base.host_str().unwrap_or_default();
        let name = tls.sni.as_deref().unwrap_or(host);
        let name = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(name.clone())
            .map_err(|_| format!("`{name}` is no name that TLS can ask for"))?;
        let mut config = config(&tls)?;
        config.alpn_protocols = vec![alpn(spec).as_bytes().to_vec()];
        Ok(Some(Self {
            config: Arc::new(config),
            name,
        }))
    }

    /// A connection before its handshake.
    pub(super) fn connect(&self) -> Result<ClientConnection, String> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|e| e.to_string())
    }
}

/// The protocol of a run, as ALPN names it (RFC 7301).
pub(super) fn alpn(spec: &Spec) -> &'static str {
    match spec.protocol {
        Protocol::Http2 { .. } => "h2",
        Protocol::Auto | Protocol::Http1 => "http/1.1",
    }
}

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = verifier(tls, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some(chain) = &tls.client_cert_pem else {
        return Ok(builder.with_no_client_auth());
    };
    let key = tls
        .client_key_pem
        .as_ref()
        .ok_or("the client certificate has no key")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|e| format!("the key of the client certificate: {e}"))?;
    builder
        .with_client_auth_cert(certificates(chain)?, key)
        .map_err(|e| format!("the client certificate: {e}"))
}

fn verifier(
    tls: &Tls,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if tls.insecure {
        return Ok(Arc::new(Anyone(Arc::clone(provider))));
    }
    if let Some(pem) = &tls.ca_pem {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|e| format!("the CA certificates: {e}"))?;
        }
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        return Ok(builder.build().map_err(|e| e.to_string())?);
    }
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider))
        .map_err(|e| format!("the system's certificates cannot be used: {e}"))?;
    Ok(Arc::new(verifier))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let all = all.map_err(|e| format!("certificates: {e}"))?;
    if all.is_empty() {
        return Err("there is no certificate in the PEM text".to_owned());
    }
    Ok(all)
}

/// Accepts any certificate, though not a wrong signature of the handshake.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
