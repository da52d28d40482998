//! Rules about trust, names and chains.

use readygate_sdk::{Level, Rule};

/// No trusted authority issued the certificate.
pub(crate) const UNTRUSTED: Rule = Rule {
    code: "tls/untrusted",
    level: Level::Error,
    summary: "no trusted authority issued the certificate",
    why: "Clients refuse the connection, or people learn to click warnings away. A self-signed certificate proves nothing about who answers.",
    fix: "get a certificate from an authority that clients trust, or name your own in `ca`; `openssl s_client -showcerts -connect HOST:PORT` shows the chain",
    source: "RFC 5280, section 6",
};

/// The server does not send the certificate of the issuer.
pub(crate) const MISSING_INTERMEDIATE: Rule = Rule {
    code: "tls/missing-intermediate",
    level: Level::Error,
    summary: "the server does not send the certificate of the issuer",
    why: "Browsers often have the intermediate in a cache and succeed; other clients, phones and services do not. It looks fine to the person who tests it.",
    fix: "configure the full chain (leaf first, then the intermediates) on the server",
    source: "RFC 8446, section 4.4.2",
};

/// The chain breaks a rule of path validation.
pub(crate) const CHAIN_INVALID: Rule = Rule {
    code: "tls/chain-invalid",
    level: Level::Error,
    summary: "the chain breaks a rule of path validation",
    why: "A verifier that follows the standard refuses such a chain, whichever authority stands at its end.",
    fix: "have the certificate issued anew under an authority that may issue it; `openssl verify -untrusted CHAIN LEAF` names the place",
    source: "RFC 5280, section 6.1",
};

/// A certificate cannot be read.
pub(crate) const UNREADABLE: Rule = Rule {
    code: "tls/unreadable-certificate",
    level: Level::Error,
    summary: "a certificate cannot be read",
    why: "No client gets past a certificate that is not valid DER.",
    fix: "configure the certificate anew; `openssl x509 -noout -text` must read it",
    source: "RFC 5280, section 4.1",
};

/// The certificate is not for this name.
pub(crate) const WRONG_NAME: Rule = Rule {
    code: "tls/wrong-name",
    level: Level::Error,
    summary: "the certificate is not for this name",
    why: "Clients compare the name they asked for with the subject alternative names, and refuse any other. The common name counts for nothing.",
    fix: "have the name put into the certificate as a subject alternative name, or serve the right certificate for it",
    source: "RFC 9525, section 6",
};

/// The certificate is not one for TLS servers.
pub(crate) const WRONG_PURPOSE: Rule = Rule {
    code: "tls/wrong-purpose",
    level: Level::Error,
    summary: "the certificate is not one for TLS servers",
    why: "A certificate of an authority on a server puts the key of the authority at risk, and clients refuse certificates that are not meant for servers.",
    fix: "have a certificate issued with CA:FALSE and the extended key usage serverAuth",
    source: "RFC 5280, sections 4.2.1.9 and 4.2.1.12",
};

/// The server does not prove that it holds the key of its certificate.
pub(crate) const KEY_NOT_PROVEN: Rule = Rule {
    code: "tls/key-not-proven",
    level: Level::Error,
    summary: "the server does not prove that it holds the key of its certificate",
    why: "The signature in the handshake is what ties the connection to the certificate. If it is wrong, somebody else may be answering.",
    fix: "check that the configured key belongs to the certificate",
    source: "RFC 8446, section 4.4.3",
};

/// The certificates are not sent in order.
pub(crate) const CHAIN_ORDER: Rule = Rule {
    code: "tls/chain-order",
    level: Level::Warning,
    summary: "the certificates are not sent in order",
    why: "TLS 1.2 demands that each certificate certifies the one before it. Tolerant clients sort, others fail.",
    fix: "put the leaf first and every issuer behind the certificate that it issued",
    source: "RFC 5246, section 7.4.2; RFC 8446, section 4.4.2",
};

/// Certificates are sent that nobody needs.
pub(crate) const CHAIN_EXTRA: Rule = Rule {
    code: "tls/chain-extra",
    level: Level::Warning,
    summary: "certificates are sent that nobody needs",
    why: "They cost every handshake bytes, may push it over a round trip, and an expired one makes some clients fail.",
    fix: "send the leaf and its intermediates only",
    source: "RFC 8446, section 4.4.2",
};

/// The chain is longer than clients read.
pub(crate) const CHAIN_OVERSIZED: Rule = Rule {
    code: "tls/chain-oversized",
    level: Level::Error,
    summary: "the chain is longer than clients read",
    why: "Clients bound the certificate message: rustls at 64 KiB, OpenSSL at 100 KiB. Beyond that the handshake fails.",
    fix: "send the leaf and its intermediates only",
    source: "",
};
