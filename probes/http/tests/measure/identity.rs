//! Certificates of every kind.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
    version::TLS12,
};
use tokio_rustls::TlsAcceptor;

/// An authority, and the file that `ca` names.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

/// What is special about a server.
#[derive(Default)]
pub struct Special {
    pub expired: bool,
    pub tls12: bool,
    pub wants_client_certificate: bool,
    pub alpn: Vec<Vec<u8>>,
}

impl Authority {
    pub fn new() -> Self {
        Self::named("readygate test authority")
    }

    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// Path of the PEM file.
    pub fn file(&self) -> String {
        self.file.path().to_str().unwrap().to_owned()
    }

    /// An ordinary server certificate for `name`.
    pub fn server(&self, name: &str) -> TlsAcceptor {
        self.special(name, Special::default())
    }

    pub fn special(&self, name: &str, special: Special) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if special.expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 2, 3);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = if special.tls12 {
            builder.with_protocol_versions(&[&TLS12])
        } else {
            builder.with_safe_default_protocol_versions()
        };
        let builder = if special.wants_client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder
                .unwrap()
                .with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.unwrap().with_no_client_auth()
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = special.alpn;
        TlsAcceptor::from(Arc::new(config))
    }
}
