//! Certificates of every kind, with key identifiers, as public authorities write them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, SerialNumber,
};
use time::{Duration, OffsetDateTime};

use crate::common::NAME;

pub const DAY: Duration = Duration::days(1);

#[expect(
    clippy::disallowed_methods,
    reason = "certificates are made for the machine's own time"
)]
pub fn now() -> OffsetDateTime {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    OffsetDateTime::from_unix_timestamp(i64::try_from(now.as_secs()).unwrap()).unwrap()
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

pub struct Pki {
    pub root: Issuer,
    pub intermediate: Issuer,
    pub stranger: Issuer,
    pub directory: tempfile::TempDir,
}

/// A chain with the key of its leaf.
#[derive(Clone)]
pub struct Identity {
    pub chain: Vec<Vec<u8>>,
    pub key: Vec<u8>,
}

fn named(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

pub fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = named(name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now() - DAY * 100;
    params.not_after = now() + DAY * 3650;
    params
}

pub fn root(name: &str) -> Issuer {
    CertifiedIssuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap()
}

pub fn below(params: CertificateParams, issuer: &Issuer) -> Issuer {
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), issuer).unwrap()
}

/// An ordinary leaf for `edge.test`: 90 days, 80 of them left.
pub fn leaf() -> CertificateParams {
    leaf_for(&[NAME])
}

pub fn leaf_for(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = named(NAME);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = now() - DAY * 10;
    params.not_after = now() + DAY * 80;
    params.serial_number = Some(SerialNumber::from_slice(&[0x11, 0x22, 0x33]));
    params
}

/// A validity, in days from now.
pub fn valid(mut params: CertificateParams, from: i64, to: i64) -> CertificateParams {
    params.not_before = now() + Duration::days(from);
    params.not_after = now() + Duration::days(to);
    params
}

/// The extension that demands a staple (RFC 7633).
pub fn must_staple() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5])
}

/// AIA with a URL of the issuer's certificate.
pub fn issuer_at(url: &str) -> CustomExtension {
    let wrap = |tag: u8, inner: &[u8]| {
        let mut der = vec![tag, u8::try_from(inner.len()).unwrap()];
        der.extend(inner);
        der
    };
    let oid = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let description = wrap(0x30, &[&oid[..], &wrap(0x86, url.as_bytes())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], wrap(0x30, &description))
}

/// An intermediate that may certify names below `other.test` only.
pub fn constrained() -> CertificateParams {
    let mut params = authority("Constrained Intermediate");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("other.test".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    params
}

impl Pki {
    pub fn new() -> Self {
        let root = root("Test Root");
        let intermediate = below(authority("Test Intermediate"), &root);
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(directory.path().join(name), text).unwrap();
        };
        write("root.pem", root.pem());
        write("int.pem", intermediate.pem());
        write("int.key", intermediate.key().serialize_pem());
        Self {
            root,
            intermediate,
            stranger: self::root("Stranger Root"),
            directory,
        }
    }

    pub fn ca(&self) -> String {
        self.directory
            .path()
            .join("root.pem")
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Leaf and intermediate.
    pub fn good(&self) -> Identity {
        self.issue(&leaf())
    }

    pub fn issue(&self, params: &CertificateParams) -> Identity {
        Self::issue_by(params, &self.intermediate).with(self.intermediate.der())
    }

    pub fn issue_by(params: &CertificateParams, issuer: &Issuer) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        Identity::of(vec![certificate.der().to_vec()], &key)
    }
}

impl Identity {
    pub fn of(chain: Vec<Vec<u8>>, key: &KeyPair) -> Self {
        Self {
            chain,
            key: key.serialize_der(),
        }
    }

    pub fn with(mut self, der: &[u8]) -> Self {
        self.chain.push(der.to_vec());
        self
    }

    pub fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::of(vec![certificate.der().to_vec()], &key)
    }
}
