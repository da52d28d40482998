//! What one certificate says.

use std::net::IpAddr;

use aws_lc_rs::digest;
use readygate_sdk::excerpt;
use x509_parser::{
    asn1_rs::Oid,
    certificate::X509Certificate,
    extensions::{DistributionPointName, GeneralName, ParsedExtension},
    prelude::FromDer as _,
    public_key::PublicKey,
    x509::{SubjectPublicKeyInfo, X509Name},
};

use super::{Certificate, Key};

/// Names and URLs of one certificate that are kept; public authorities put up to 100 into one.
const MOST_NAMES: usize = 250;
const MOST_URLS: usize = 4;
/// Characters of a name that are kept; a DNS name has 253.
const LONGEST: usize = 300;

/// Certificates are far smaller; more is junk.
pub(super) const LARGEST: usize = 256 * 1024;

/// Reads `der`, or says why not.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    if der.len() > LARGEST {
        return Err(format!("{} bytes, which no certificate has", der.len()));
    }
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => Err(format!("{} bytes follow after its end", rest.len())),
        Err(cause) => Err(excerpt(
            &format!("not DER as RFC 5280 has it: {cause}"),
            160,
        )),
    }
}

/// The record of `der`.
pub(super) fn facts(der: &[u8], parsed: &Result<X509Certificate<'_>, String>) -> Certificate {
    let sha256 = hex(digest::digest(&digest::SHA256, der).as_ref());
    let certificate = match parsed {
        Ok(certificate) => certificate,
        Err(cause) => {
            return Certificate {
                unreadable: Some(cause.clone()),
                sha256,
                ..Certificate::default()
            };
        }
    };
    let tbs = &certificate.tbs_certificate;
    let mut facts = Certificate {
        subject: name(&tbs.subject),
        issuer: name(&tbs.issuer),
        serial: excerpt(&hex(tbs.raw_serial()), 80),
        not_before: tbs.validity.not_before.timestamp(),
        not_after: tbs.validity.not_after.timestamp(),
        key: key(&tbs.subject_pki),
        signature: signature(&certificate.signature_algorithm.algorithm),
        may_sign: true,
        self_issued: tbs.subject.as_raw() == tbs.issuer.as_raw(),
        sha256,
        ..Certificate::default()
    };
    for extension in tbs.extensions() {
        take(&mut facts, extension.parsed_extension());
        // TLS feature (RFC 7633): a list of integers; 5 is status_request.
        if extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.24" {
            facts.must_staple |= extension.value.windows(3).any(|w| w == [0x02, 0x01, 0x05]);
        }
    }
    facts
}

fn take(facts: &mut Certificate, extension: &ParsedExtension<'_>) {
    match extension {
        ParsedExtension::BasicConstraints(basic) => facts.is_ca = basic.ca,
        ParsedExtension::KeyUsage(usage) => facts.may_sign = usage.key_cert_sign(),
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let known = [
                (usage.any, "any"),
                (usage.server_auth, "serverAuth"),
                (usage.client_auth, "clientAuth"),
                (usage.code_signing, "codeSigning"),
                (usage.email_protection, "emailProtection"),
                (usage.time_stamping, "timeStamping"),
                (usage.ocsp_signing, "OCSPSigning"),
            ];
            let known = known.iter().filter(|k| k.0).map(|k| k.1.to_owned());
            let others = usage.other.iter().map(Oid::to_id_string);
            facts.purposes = Some(known.chain(others).take(MOST_NAMES).collect());
        }
        ParsedExtension::SubjectAlternativeName(san) => {
            facts.names_cut |= san.general_names.len() > MOST_NAMES;
            for general in san.general_names.iter().take(MOST_NAMES) {
                match general {
                    GeneralName::DNSName(dns) => facts.dns_names.push(clean(dns)),
                    GeneralName::IPAddress(bytes) => facts.ip_addresses.extend(ip(bytes)),
                    _ => {}
                }
            }
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            for description in &access.accessdescs {
                let list = match description.access_method.to_id_string().as_str() {
                    "1.3.6.1.5.5.7.48.1" => &mut facts.ocsp,
                    "1.3.6.1.5.5.7.48.2" => &mut facts.ca_issuers,
                    _ => continue,
                };
                url(list, &description.access_location);
            }
        }
        ParsedExtension::CRLDistributionPoints(points) => {
            for point in &points.points {
                if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                    for name in names {
                        url(&mut facts.crl, name);
                    }
                }
            }
        }
        ParsedExtension::SCT(list) => {
            facts.scts = u32::try_from(list.len()).unwrap_or(u32::MAX);
        }
        _ => {}
    }
}

fn url(list: &mut Vec<String>, name: &GeneralName<'_>) {
    if let (GeneralName::URI(uri), true) = (name, list.len() < MOST_URLS) {
        list.push(clean(uri));
    }
}

fn ip(bytes: &[u8]) -> Option<String> {
    let address: IpAddr = match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok()?.into(),
        16 => <[u8; 16]>::try_from(bytes).ok()?.into(),
        _ => return None,
    };
    Some(address.to_string())
}

/// Printable, bounded: a NUL in a name must neither end it nor vanish.
pub(super) fn clean(text: &str) -> String {
    let escaped: String = text
        .chars()
        .take(LONGEST * 2)
        .flat_map(|c| {
            if c.is_control() {
                c.escape_unicode().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    excerpt(&escaped, LONGEST)
}

pub(super) fn name(name: &X509Name<'_>) -> String {
    // The formatter of the library stops at strings it cannot read; what it has is shown.
    clean(&name.to_string())
}

fn key(spki: &SubjectPublicKeyInfo<'_>) -> Key {
    let oid = spki.algorithm.algorithm.to_id_string();
    let named = |algorithm: &str, bits| Key {
        algorithm: algorithm.to_owned(),
        bits,
        exponent: None,
    };
    match (oid.as_str(), spki.parsed()) {
        ("1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10", Ok(PublicKey::RSA(rsa))) => Key {
            algorithm: "RSA".to_owned(),
            bits: integer_bits(rsa.modulus),
            exponent: rsa.try_exponent().ok(),
        },
        ("1.2.840.10045.2.1", _) => curve(spki),
        ("1.2.840.10040.4.1", parsed) => {
            let bits = parsed.map_or(0, |key| key.key_size());
            named("DSA", u32::try_from(bits).unwrap_or(0))
        }
        ("1.3.101.112", _) => named("Ed25519", 256),
        ("1.3.101.113", _) => named("Ed448", 456),
        ("2.16.840.1.101.3.4.3.17", _) => named("ML-DSA-44", 0),
        ("2.16.840.1.101.3.4.3.18", _) => named("ML-DSA-65", 0),
        ("2.16.840.1.101.3.4.3.19", _) => named("ML-DSA-87", 0),
        _ => named(&oid, 0),
    }
}

fn curve(spki: &SubjectPublicKeyInfo<'_>) -> Key {
    let parameters = spki.algorithm.parameters.as_ref();
    let oid = parameters.and_then(|any| any.as_oid().ok());
    let (name, bits) = match oid.map(|o| o.to_id_string()).as_deref() {
        Some("1.2.840.10045.3.1.7") => ("P-256", 256),
        Some("1.3.132.0.34") => ("P-384", 384),
        Some("1.3.132.0.35") => ("P-521", 521),
        Some("1.3.132.0.10") => ("secp256k1", 256),
        Some("1.3.132.0.33") => ("P-224", 224),
        Some("1.2.840.10045.3.1.1") => ("P-192", 192),
        _ => ("an unnamed curve", 0),
    };
    Key {
        algorithm: name.to_owned(),
        bits,
        exponent: None,
    }
}

/// Bits of a big-endian integer without its leading zeros.
fn integer_bits(bytes: &[u8]) -> u32 {
    let Some(first) = bytes.iter().position(|b| *b != 0) else {
        return 0;
    };
    let rest = u32::try_from(bytes.len() - first).unwrap_or(0);
    let leading = bytes.get(first).map_or(0, |b| b.leading_zeros());
    (rest * 8).saturating_sub(leading)
}

/// The usual name of a signature algorithm, or its OID.
pub(super) fn signature(oid: &Oid<'_>) -> String {
    let id = oid.to_id_string();
    let name = match id.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.3" => "md4WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.10040.4.3" => "dsa-with-sha1",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        _ => return id,
    };
    name.to_owned()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_do_not_count_leading_zeros() {
        assert_eq!(integer_bits(&[0, 0x80, 0]), 16);
        assert_eq!(integer_bits(&[0x01, 0]), 9);
        assert_eq!(integer_bits(&[0, 0]), 0);
    }

    #[test]
    fn a_nul_stays_visible() {
        assert_eq!(clean("good.test\0.evil.test"), "good.test\\u{0}.evil.test");
    }
}
