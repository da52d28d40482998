//! A certificate authority for one test or demo. Nobody else trusts it.

use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::StackError;

/// A root that signs certificates of servers.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a server shows, as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its certificate; the root is not sent.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

fn failed(error: &rcgen::Error) -> StackError {
    StackError::Io {
        what: "making certificates".into(),
        error: std::io::Error::other(error.to_string()),
    }
}

/// A clock before 1970 or beyond year 9999 gives no certificate that anybody would take.
fn now() -> Result<OffsetDateTime, StackError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "certificates begin when they are made"
    )]
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.ok().and_then(|d| i64::try_from(d.as_secs()).ok());
    let now = seconds.and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    now.ok_or_else(|| StackError::Io {
        what: "reading the clock".into(),
        error: std::io::Error::other("no usable date"),
    })
}

impl Authority {
    /// A new root, good from yesterday for a year.
    pub fn new() -> Result<Self, StackError> {
        let now = now()?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "readygate test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = now - Duration::days(1);
        params.not_after = now + Duration::days(365);
        let key = KeyPair::generate().map_err(|e| failed(&e))?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(|e| failed(&e))?;
        Ok(Self { issuer })
    }

    /// The root as PEM, for clients that are to trust it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for names and addresses that ends in so many days.
    pub fn issue(&self, names: &[&str], days: i64) -> Result<Identity, StackError> {
        let now = now()?;
        let mut params = CertificateParams::default();
        for name in names {
            params.subject_alt_names.push(match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().map_err(|e| failed(&e))?),
            });
        }
        params
            .distinguished_name
            .push(DnType::CommonName, "readygate test server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = now - Duration::hours(1);
        params.not_after = now + Duration::days(days);
        let key = KeyPair::generate().map_err(|e| failed(&e))?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|e| failed(&e))?;
        Ok(Identity {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}
