//! Who issued it, and whether the cryptography holds.

use readygate_sdk::{Checks, Level, count_of};

use super::AboutChain;
use crate::{
    rules,
    x509::{Certificate, Key, PathEnd},
};

/// Names the certificate: `the server's certificate`, `certificate 2 (CN=Intermediate)`.
pub(super) fn which(index: u32, certificate: &Certificate) -> String {
    match (index, certificate.subject.as_str()) {
        (0, _) => "the server's certificate".to_owned(),
        (n, "") => format!("certificate {}", n + 1),
        (n, subject) => format!("certificate {} ({subject})", n + 1),
    }
}

pub(super) fn unreadable(about: &AboutChain<'_>, checks: &mut Checks) {
    let all = about.chain.walk.certificates.iter().enumerate();
    let broken = all.filter_map(|(at, c)| Some((at, c.unreadable.as_ref()?)));
    let broken: Vec<_> = broken
        .map(|(at, why)| format!("certificate {}: {why}", at + 1))
        .collect();
    let check = about.check(&rules::UNREADABLE, checks);
    match broken.first() {
        None => {
            let n = about.chain.walk.certificates.len() as u64;
            check
                .message(format!(
                    "{} read",
                    count_of(n, "certificate is", "certificates are")
                ))
                .pass();
        }
        Some(first) => check
            .message(first.clone())
            .details(broken.iter().skip(1).cloned())
            .fail(),
    }
}

/// Trusted, or not and why. What stands in the way but has a rule of its own (dates, purposes,
/// hashes) is left to that.
pub(super) fn trust(about: &AboutChain<'_>, checks: &mut Checks) {
    let walk = &about.chain.walk;
    if walk.flaw.is_none() || matches!(walk.end, PathEnd::Anchor { .. }) {
        trusted(about, checks);
        return;
    }
    let named = |at: u32| {
        let certificate = walk.certificates.get(at as usize);
        certificate.map_or_else(String::new, |c| which(at, c))
    };
    let (actual, message) = match &walk.end {
        PathEnd::SelfSigned => (
            "self-signed",
            "the certificate is self-signed, and not trusted".to_owned(),
        ),
        PathEnd::UntrustedRoot { index } => {
            let root = walk
                .certificates
                .get(*index as usize)
                .map_or("", |c| &c.subject);
            (
                "untrusted root",
                format!("the chain ends at the root {root}, which is not trusted"),
            )
        }
        PathEnd::MissingIssuer { index, issuer }
            if *index > 0 && !has_source(&walk.certificates, *index) =>
        {
            (
                "untrusted root",
                format!("the chain ends at {issuer}, which is not trusted"),
            )
        }
        PathEnd::MissingIssuer { index, issuer } => {
            missing(about, *index, issuer, &named(*index), checks);
            return;
        }
        PathEnd::WrongKey { index, issuer } => {
            let who = named(*index);
            (
                "signed by another key",
                format!("{who} names {issuer} as its issuer, whose known key did not sign it"),
            )
        }
        PathEnd::TooLong => (
            "a path too long",
            "the path is too long to follow".to_owned(),
        ),
        // Its own rule has failed.
        PathEnd::Unreadable { .. } | PathEnd::Anchor { .. } => return,
    };
    about
        .check(&rules::UNTRUSTED, checks)
        .expected(format!(
            "a path to one of {}",
            about.about.measurement.trust
        ))
        .actual(actual)
        .message(message)
        .fail();
}

fn trusted(about: &AboutChain<'_>, checks: &mut Checks) {
    let anchor = match &about.chain.walk.end {
        PathEnd::Anchor { name, .. } => name.clone(),
        _ => "a trusted authority".to_owned(),
    };
    about
        .check(&rules::UNTRUSTED, checks)
        .actual(&anchor)
        .message(format!("the path leads to {anchor}"))
        .pass();
    about
        .check(&rules::MISSING_INTERMEDIATE, checks)
        .message("every issuer up to the authority was sent")
        .pass();
}

fn has_source(certificates: &[Certificate], index: u32) -> bool {
    certificates
        .get(index as usize)
        .is_some_and(|c| !c.ca_issuers.is_empty())
}

fn missing(about: &AboutChain<'_>, index: u32, issuer: &str, who: &str, checks: &mut Checks) {
    let certificates = &about.chain.walk.certificates;
    let source = certificates
        .get(index as usize)
        .and_then(|c| c.ca_issuers.first());
    let hint = match source {
        Some(url) => format!(
            "add the certificate of the issuer to the chain that the server sends; it is at {url}"
        ),
        None => format!(
            "add the certificate of {issuer} to the chain that the server sends; if it is a root of your own, name it in `ca`"
        ),
    };
    about
        .check(&rules::MISSING_INTERMEDIATE, checks)
        .expected(format!(
            "a path to one of {}",
            about.about.measurement.trust
        ))
        .actual("missing intermediate")
        .message(format!(
            "{issuer}, the issuer of {who}, was not sent and is not trusted"
        ))
        .hint(hint)
        .fail();
}

pub(super) fn keys(about: &AboutChain<'_>, checks: &mut Checks) {
    let walk = &about.chain.walk;
    if walk.leaf().is_none_or(|leaf| leaf.unreadable.is_some()) {
        return; // its own rule has failed
    }
    let mut weak = Vec::new();
    let mut unknown = Vec::new();
    for (at, certificate) in walk.on_path().filter(|(_, c)| c.unreadable.is_none()) {
        let (key, who) = (&certificate.key, which(at, certificate));
        match strength(key) {
            Strength::Weak(why) => weak.push((format!("the key of {who} is {why}"), shown(key))),
            Strength::Unknown => unknown.push(format!(
                "the key of {who} is of an unknown kind, {}",
                key.algorithm
            )),
            Strength::Enough => {}
        }
    }
    let check = about
        .check(&rules::WEAK_KEY, checks)
        .expected("RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519");
    match (weak.first(), unknown.first(), walk.leaf()) {
        (Some((message, key)), _, _) => {
            let more = weak.iter().skip(1).map(|w| w.0.clone());
            check.actual(key).message(message).details(more).fail();
        }
        (None, Some(why), _) => check.unmeasured(why.clone()),
        (None, None, Some(leaf)) if leaf.unreadable.is_none() => {
            let key = shown(&leaf.key);
            check
                .actual(&key)
                .message(format!("the key is {key}"))
                .pass();
        }
        _ => check.unmeasured("the certificate cannot be read"),
    }
    signatures(about, checks);
}

/// The anchor itself is trusted for what it is: nobody checks its signature.
fn signatures(about: &AboutChain<'_>, checks: &mut Checks) {
    let walk = &about.chain.walk;
    let counts = |at: u32, c: &Certificate| c.unreadable.is_none() && (at == 0 || !c.self_issued);
    let signed: Vec<_> = walk.on_path().filter(|(at, c)| counts(*at, c)).collect();
    let weak: Vec<_> = signed
        .iter()
        .filter(|(_, c)| is_broken(&c.signature))
        .collect();
    let check = about
        .check(&rules::WEAK_SIGNATURE, checks)
        .expected("SHA-256 or better");
    match (weak.first(), signed.first()) {
        (Some((at, certificate)), _) => {
            let message = format!(
                "{} is signed with {}",
                which(*at, certificate),
                certificate.signature
            );
            check.actual(&certificate.signature).message(message).fail();
        }
        (None, Some((_, leaf))) => {
            let message = format!("the certificate is signed with {}", leaf.signature);
            check.actual(&leaf.signature).message(message).pass();
        }
        (None, None) => check.unmeasured("the certificate cannot be read"),
    }
}

fn is_broken(signature: &str) -> bool {
    let lower = signature.to_ascii_lowercase();
    ["md2", "md4", "md5", "sha1"]
        .iter()
        .any(|hash| lower.contains(hash))
}

enum Strength {
    Enough,
    Weak(String),
    Unknown,
}

fn strength(key: &Key) -> Strength {
    match (key.algorithm.as_str(), key.bits) {
        ("RSA", bits @ ..2048) => Strength::Weak(format!("RSA with {bits} bits")),
        // 1 encrypts nothing, an even exponent cannot be undone.
        ("RSA", _) if key.exponent.is_some_and(|e| e < 3 || e % 2 == 0) => Strength::Weak(format!(
            "RSA with the exponent {}",
            key.exponent.unwrap_or_default()
        )),
        (
            "RSA" | "P-256" | "P-384" | "P-521" | "Ed25519" | "Ed448" | "ML-DSA-44" | "ML-DSA-65"
            | "ML-DSA-87",
            _,
        ) => Strength::Enough,
        ("DSA" | "P-192" | "P-224" | "secp256k1", _) => Strength::Weak(key.algorithm.clone()),
        _ => Strength::Unknown,
    }
}

fn shown(key: &Key) -> String {
    match (key.algorithm.as_str(), key.bits) {
        ("RSA" | "DSA", bits) => format!("{} with {bits} bits", key.algorithm),
        _ => key.algorithm.clone(),
    }
}

/// Complaints of the verifier that no other rule is about.
const OWN: [&str; 9] = [
    "NameConstraintViolation",
    "PathLenConstraintViolated",
    "EndEntityUsedAsCa",
    "UnsupportedCriticalExtension",
    "UnsupportedCertVersion",
    "InvalidCertValidity",
    "InvalidSignatureForPublicKey",
    "ExtensionValueInvalid",
    "MalformedExtensions",
];

/// Whatever the verifier complains about must have failed a rule: its own, or this one.
pub(super) fn rest(about: &AboutChain<'_>, failed: bool, checks: &mut Checks) {
    let check = about.check(&rules::CHAIN_INVALID, checks);
    match &about.chain.walk.flaw {
        None => check.message("a strict verifier accepts the path").pass(),
        Some(flaw) if !failed || OWN.contains(&flaw.kind.as_str()) => {
            check
                .actual(&flaw.kind)
                .message(flaw.message.clone())
                .fail();
        }
        // Another rule has said it, with the cause.
        Some(_) => {}
    }
    proof(about, checks);
}

fn proof(about: &AboutChain<'_>, checks: &mut Checks) {
    let walk = &about.chain.walk;
    let Some(shaken) = about.about.peer.handshake.as_ref() else {
        return;
    };
    if shaken.version.is_none() || about.chain.seen_in.first() != shaken.version.as_ref() {
        return;
    }
    // A key that the verifier does not accept proves nothing, and its own rule has failed.
    let leaf = walk.leaf();
    let unusable = leaf
        .is_none_or(|l| l.unreadable.is_some() || !matches!(strength(&l.key), Strength::Enough));
    match &shaken.proof {
        None => about
            .check(&rules::KEY_NOT_PROVEN, checks)
            .message("the server signed the handshake with the key of its certificate")
            .pass(),
        Some(_) if unusable => {}
        Some(why) => about
            .check(&rules::KEY_NOT_PROVEN, checks)
            .level(Level::Error)
            .message(format!(
                "the signature of the handshake is not accepted: {why}"
            ))
            .fail(),
    }
}
