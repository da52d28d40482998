//! Anchors, and the walk over one chain.

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::x509::X509Name;

use super::{
    Certificate, Flaw, PathEnd, Walk,
    parse::{facts, name, parse},
    path, staple,
};

/// Certificates of one chain that are looked at; what is beyond is counted.
pub const MOST_CERTIFICATES: usize = 32;

/// A trusted authority.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// As webpki wants it.
    pub anchor: TrustAnchor<'static>,
    /// Subject, in DER with its header.
    pub(super) subject: Vec<u8>,
    /// SubjectPublicKeyInfo, in DER with its header.
    pub(super) spki: Vec<u8>,
    /// Whether Mozilla trusts it.
    pub public: bool,
}

impl Anchor {
    pub(super) fn end(&self, subject: &X509Name<'_>) -> PathEnd {
        PathEnd::Anchor {
            name: name(subject),
            public: self.public,
        }
    }
}

/// All trusted authorities.
#[derive(Debug, Clone, Default)]
pub struct Anchors {
    list: Vec<Anchor>,
    webpki: Vec<TrustAnchor<'static>>,
}

impl Anchors {
    /// Adds one.
    pub fn add(&mut self, anchor: TrustAnchor<'static>) {
        let public = webpki_roots::TLS_SERVER_ROOTS.iter().any(|root| {
            root.subject == anchor.subject
                && root.subject_public_key_info == anchor.subject_public_key_info
        });
        self.list.push(Anchor {
            subject: sequence(anchor.subject.as_ref()),
            spki: sequence(anchor.subject_public_key_info.as_ref()),
            public,
            anchor: anchor.clone(),
        });
        self.webpki.push(anchor);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those of one name.
    pub(super) fn named<'a>(&'a self, subject: &'a [u8]) -> impl Iterator<Item = &'a Anchor> {
        self.list.iter().filter(move |a| a.subject == subject)
    }
}

/// `contents` with the header of a SEQUENCE.
fn sequence(contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut der = vec![0x30];
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        der.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let digits: Vec<u8> = bytes.into_iter().skip_while(|b| *b == 0).collect();
        der.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
        der.extend(digits);
    }
    der.extend(contents);
    der
}

/// Walks `chain`, leaf first, at `now` (Unix seconds). Never fails: what cannot be read is said so.
pub fn walk(chain: &[Vec<u8>], stapled: Option<&[u8]>, anchors: &Anchors, now: i64) -> Walk {
    let looked_at = &chain[..chain.len().min(MOST_CERTIFICATES)];
    let parsed: Vec<_> = looked_at.iter().map(|der| parse(der)).collect();
    let certificates: Vec<Certificate> = looked_at
        .iter()
        .zip(&parsed)
        .map(|(der, parsed)| facts(der, parsed))
        .collect();
    let path = path::build(&parsed, anchors, now);
    let staple = stapled
        .filter(|der| !der.is_empty())
        .map(|der| staple::read(der, &parsed, path.positions.get(1).copied(), anchors));
    let position = |at: &usize| u32::try_from(*at).unwrap_or(u32::MAX);
    Walk {
        certificates,
        omitted: u32::try_from(chain.len() - looked_at.len()).unwrap_or(u32::MAX),
        bytes: chain.iter().map(|der| der.len() as u64).sum(),
        path: path.positions.iter().map(position).collect(),
        links: path.links,
        end: path.end,
        flaw: verdict(looked_at, anchors, now).err(),
        staple,
    }
}

/// What webpki says; it knows name constraints, path lengths and critical extensions.
fn verdict(chain: &[Vec<u8>], anchors: &Anchors, now: i64) -> Result<(), Flaw> {
    let Some((leaf, others)) = chain.split_first() else {
        return Err(flaw("NoCertificate", "no certificate was sent"));
    };
    let leaf = CertificateDer::from(leaf.as_slice());
    let entity = EndEntityCert::try_from(&leaf).map_err(|e| of(&e))?;
    let others: Vec<_> = others
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    let time = std::time::Duration::from_secs(u64::try_from(now).unwrap_or(0));
    entity
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors.webpki,
            &others,
            UnixTime::since_unix_epoch(time),
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map(|_| ())
        .map_err(|e| of(&e))
}

fn flaw(kind: &str, message: &str) -> Flaw {
    Flaw {
        kind: kind.to_owned(),
        message: message.to_owned(),
    }
}

fn of(error: &webpki::Error) -> Flaw {
    use webpki::Error as E;
    let text = format!("{error:?}");
    let kind = text.split([' ', '(', '{']).next().unwrap_or_default();
    let message = match error {
        E::BadDer | E::TrailingData(_) => "a certificate is not valid DER",
        E::BadDerTime => "a date is before 1970, or not readable",
        E::CaUsedAsEndEntity => "the server's certificate is one of an authority (CA:TRUE)",
        E::EndEntityUsedAsCa => "a certificate that is no authority (CA:FALSE) issued another",
        E::CertExpired { .. } => "a certificate has expired",
        E::CertNotValidYet { .. } => "a certificate is not valid yet",
        E::InvalidCertValidity => "a certificate ends before it begins",
        E::InvalidSignatureForPublicKey => "a signature is wrong",
        E::NameConstraintViolation => "a name is outside of the name constraints of its issuer",
        E::PathLenConstraintViolated => "more authorities than the path length of one allows",
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => {
            "a certificate of the path is not meant for TLS servers (extended key usage)"
        }
        E::UnknownIssuer => "no path to a trusted authority",
        E::UnsupportedCertVersion => "a certificate is not of X.509 version 3",
        E::UnsupportedCriticalExtension => "a certificate has a critical extension that is unknown",
        E::MaximumPathDepthExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumNameConstraintComparisonsExceeded => {
            "the path is too long or too branched to follow"
        }
        _ => return flaw(kind, &format!("the path is not accepted ({kind})")),
    };
    flaw(kind, message)
}
