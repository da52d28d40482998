//! Whether one key signed another's bytes. Weak algorithms are checked too: that they are weak is
//! for a rule to say, and a wrong signature is another matter.

use aws_lc_rs::signature::{self as aws, UnparsedPublicKey, VerificationAlgorithm};

/// What became of one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// An algorithm that is not checked here.
    Unchecked,
}

const RSA: &str = "1.2.840.113549.1.1.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

/// The kind of a public key, as far as it decides the algorithm.
fn kind(spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>) -> String {
    let oid = spki.algorithm.algorithm.to_id_string();
    if oid != "1.2.840.10045.2.1" {
        return oid;
    }
    let parameters = spki.algorithm.parameters.as_ref();
    let curve = parameters.and_then(|any| any.as_oid().ok());
    curve.map_or_else(String::new, |o| o.to_id_string())
}

fn algorithm(signature: &str, key: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (signature, key) {
        ("1.2.840.113549.1.1.5" | "1.3.14.3.2.29", RSA) => {
            &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
        }
        ("1.2.840.113549.1.1.11", RSA) => &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        ("1.2.840.113549.1.1.12", RSA) => &aws::RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", RSA) => &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        ("1.2.840.10045.4.1", P256) => &aws::ECDSA_P256_SHA1_ASN1,
        ("1.2.840.10045.4.3.2", P256) => &aws::ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", P256) => &aws::ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", P256) => &aws::ECDSA_P256_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", P384) => &aws::ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", P384) => &aws::ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", P384) => &aws::ECDSA_P384_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", P521) => &aws::ECDSA_P521_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", P521) => &aws::ECDSA_P521_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", P521) => &aws::ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", "1.3.101.112") => &aws::ED25519,
        _ => return None,
    })
}

/// Checks `signature` over `message` under the key in `spki`, by the algorithm's OID.
pub(super) fn verify(
    oid: &str,
    spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>,
    message: &[u8],
    signature: &[u8],
) -> Verdict {
    let key_kind = kind(spki);
    let bits = spki.subject_public_key.data.as_ref();
    // The hash of RSASSA-PSS is a parameter; one of three fits.
    if oid == "1.2.840.113549.1.1.10" {
        let hashes: [&'static dyn VerificationAlgorithm; 3] = [
            &aws::RSA_PSS_2048_8192_SHA256,
            &aws::RSA_PSS_2048_8192_SHA384,
            &aws::RSA_PSS_2048_8192_SHA512,
        ];
        let right = |hash| {
            UnparsedPublicKey::new(hash, bits)
                .verify(message, signature)
                .is_ok()
        };
        return if hashes.into_iter().any(right) {
            Verdict::Right
        } else {
            Verdict::Unchecked
        };
    }
    let Some(algorithm) = algorithm(oid, &key_kind) else {
        return Verdict::Unchecked;
    };
    match UnparsedPublicKey::new(algorithm, bits).verify(message, signature) {
        Ok(()) => Verdict::Right,
        // Keys of fewer than 1024 bits are refused before the signature is looked at.
        Err(_) if key_kind == RSA && bits.len() < 130 => Verdict::Unchecked,
        Err(_) => Verdict::Wrong,
    }
}
