//! A stapled OCSP response (RFC 6960): what it says of the leaf, and whether it counts.

use aws_lc_rs::digest;
use x509_parser::{
    certificate::X509Certificate, prelude::FromDer as _, x509::SubjectPublicKeyInfo,
};

use super::{
    Anchors, Staple, StapleStatus,
    der::{self, Element, Reader},
    parse,
    signature::{Verdict, verify},
};

/// Responses and responder certificates in one staple that are looked at.
const MOST: usize = 16;

const BASIC: [u8; 9] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// Reads `input`. `issuer` is the position of the leaf's issuer in `sent`; without one it is looked
/// for among the anchors.
pub(super) fn read(
    input: &[u8],
    sent: &[Result<X509Certificate<'_>, String>],
    issuer: Option<usize>,
    anchors: &Anchors,
) -> Staple {
    let none = |why: &str| Staple {
        status: StapleStatus::None,
        this_update: None,
        next_update: None,
        revoked_at: None,
        invalid: Some(why.to_owned()),
    };
    let basic = match basic(input) {
        Ok(basic) => basic,
        Err(why) => return none(&why),
    };
    let Some(Ok(leaf)) = sent.first() else {
        return none("the certificate that it is for cannot be read");
    };
    let keys = issuer_keys(leaf, sent, issuer, anchors);
    let Some(single) = basic.singles().find(|s| s.is_for(leaf, &keys)) else {
        return none("it is about another certificate");
    };
    let invalid = match (single.this_update, basic.is_signed_by(&keys)) {
        (None, _) => Some("it has no readable date".to_owned()),
        (_, false) => Some("its signature is not the issuer's".to_owned()),
        _ => None,
    };
    Staple {
        status: single.status,
        this_update: single.this_update,
        next_update: single.next_update,
        revoked_at: single.revoked_at,
        invalid,
    }
}

/// Public keys, in DER, that may have issued the leaf.
fn issuer_keys(
    leaf: &X509Certificate<'_>,
    sent: &[Result<X509Certificate<'_>, String>],
    issuer: Option<usize>,
    anchors: &Anchors,
) -> Vec<Vec<u8>> {
    let parent = issuer.and_then(|at| sent.get(at)?.as_ref().ok());
    let sent = parent.map(|p| p.tbs_certificate.subject_pki.raw.to_vec());
    let trusted = anchors.named(leaf.tbs_certificate.issuer.as_raw());
    sent.into_iter()
        .chain(trusted.map(|a| a.spki.clone()))
        .take(MOST)
        .collect()
}

struct Basic<'a> {
    data: Element<'a>,
    algorithm: String,
    signature: &'a [u8],
    certificates: Vec<&'a [u8]>,
}

/// One answer about one certificate.
struct Single<'a> {
    issuer_key_hash: &'a [u8],
    serial: &'a [u8],
    status: StapleStatus,
    revoked_at: Option<i64>,
    this_update: Option<i64>,
    next_update: Option<i64>,
}

fn basic(input: &[u8]) -> Result<Basic<'_>, String> {
    let unreadable = || "it is not an OCSP response".to_owned();
    let mut response = der::first(input, der::SEQUENCE)
        .ok_or_else(unreadable)?
        .inside();
    let status = response.take(der::ENUMERATED).ok_or_else(unreadable)?;
    let said = match status.contents {
        [0] => None,
        [1] => Some("malformedRequest"),
        [2] => Some("internalError"),
        [3] => Some("tryLater"),
        [5] => Some("sigRequired"),
        [6] => Some("unauthorized"),
        _ => Some("an unknown status"),
    };
    if let Some(said) = said {
        return Err(format!("the responder answered {said}"));
    }
    read_basic(response).ok_or_else(unreadable)
}

fn read_basic(mut response: Reader<'_>) -> Option<Basic<'_>> {
    let mut bytes = response.take(0xa0)?.inside().take(der::SEQUENCE)?.inside();
    if bytes.take(0x06)?.contents != BASIC {
        return None;
    }
    let octets = bytes.take(der::OCTET_STRING)?.contents;
    let mut basic = der::first(octets, der::SEQUENCE)?.inside();
    let data = basic.take(der::SEQUENCE)?;
    let algorithm = basic.take(der::SEQUENCE)?;
    let (unused, signature) = basic.take(der::BIT_STRING)?.contents.split_first()?;
    if *unused != 0 {
        return None;
    }
    let (_, algorithm) = x509_parser::x509::AlgorithmIdentifier::from_der(algorithm.whole).ok()?;
    let mut certificates = Vec::new();
    if let Some(list) = basic.take(0xa0) {
        let mut list = list.inside().take(der::SEQUENCE)?.inside();
        while let (Some(element), true) = (list.take(der::SEQUENCE), certificates.len() < MOST) {
            certificates.push(element.whole);
        }
    }
    Some(Basic {
        data,
        algorithm: algorithm.algorithm.to_id_string(),
        signature,
        certificates,
    })
}

impl<'a> Basic<'a> {
    fn singles(&self) -> impl Iterator<Item = Single<'a>> + use<'a> {
        let mut data = self.data.inside();
        data.take(0xa0); // version
        data.next(); // responderID
        data.take(der::GENERALIZED_TIME); // producedAt
        let list = data.take(der::SEQUENCE).map(Element::inside);
        let mut list = list.unwrap_or(Reader(&[]));
        std::iter::from_fn(move || list.take(der::SEQUENCE))
            .take(MOST)
            .filter_map(single)
    }

    /// By the issuer itself, or by a responder that the issuer certified for OCSP (4.2.2.2).
    fn is_signed_by(&self, keys: &[Vec<u8>]) -> bool {
        keys.iter().any(|key| {
            let Ok((_, spki)) = SubjectPublicKeyInfo::from_der(key) else {
                return false;
            };
            self.has_signature_of(&spki)
                || self.certificates.iter().any(|der| {
                    parse::parse(der).is_ok_and(|responder| {
                        is_delegate(&responder, &spki)
                            && self.has_signature_of(&responder.tbs_certificate.subject_pki)
                    })
                })
        })
    }

    fn has_signature_of(&self, spki: &SubjectPublicKeyInfo<'_>) -> bool {
        verify(&self.algorithm, spki, self.data.whole, self.signature) == Verdict::Right
    }
}

fn is_delegate(responder: &X509Certificate<'_>, issuer: &SubjectPublicKeyInfo<'_>) -> bool {
    let usage = responder.tbs_certificate.extended_key_usage();
    let may = usage.is_ok_and(|u| u.is_some_and(|u| u.value.ocsp_signing));
    let oid = responder.signature_algorithm.algorithm.to_id_string();
    let message = responder.tbs_certificate.as_ref();
    may && verify(
        &oid,
        issuer,
        message,
        responder.signature_value.data.as_ref(),
    ) == Verdict::Right
}

fn single(element: Element<'_>) -> Option<Single<'_>> {
    let mut fields = element.inside();
    let mut id = fields.take(der::SEQUENCE)?.inside();
    id.take(der::SEQUENCE)?; // hashAlgorithm
    id.take(der::OCTET_STRING)?; // issuerNameHash
    let issuer_key_hash = id.take(der::OCTET_STRING)?.contents;
    let serial = id.take(der::INTEGER)?.contents;
    let said = fields.next()?;
    let mut revoked_at = None;
    let status = match said.tag {
        0x80 => StapleStatus::Good,
        0xa1 => {
            let at = said.inside().take(der::GENERALIZED_TIME)?;
            revoked_at = der::time(at.contents);
            StapleStatus::Revoked
        }
        _ => StapleStatus::Unknown,
    };
    let this_update = fields.take(der::GENERALIZED_TIME)?;
    let next_update = fields.take(0xa0);
    let next_update = next_update.and_then(|n| n.inside().take(der::GENERALIZED_TIME));
    Some(Single {
        issuer_key_hash,
        serial,
        status,
        revoked_at,
        this_update: der::time(this_update.contents),
        next_update: next_update.and_then(|n| der::time(n.contents)),
    })
}

impl Single<'_> {
    fn is_for(&self, leaf: &X509Certificate<'_>, keys: &[Vec<u8>]) -> bool {
        let hash = |algorithm: &'static digest::Algorithm, key: &[u8]| {
            let Ok((_, spki)) = SubjectPublicKeyInfo::from_der(key) else {
                return false;
            };
            let bits = spki.subject_public_key.data.as_ref();
            digest::digest(algorithm, bits).as_ref() == self.issuer_key_hash
        };
        let issued = |key: &Vec<u8>| {
            hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, key) || hash(&digest::SHA256, key)
        };
        self.serial == leaf.tbs_certificate.raw_serial() && keys.iter().any(issued)
    }
}
