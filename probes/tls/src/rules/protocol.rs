//! Rules about protocol versions and suites.

use readygate_sdk::{Level, Rule};

/// The server could not be judged.
pub(crate) const NO_ANSWER: Rule = Rule {
    code: "tls/no-answer",
    level: Level::Error,
    summary: "the server could not be judged",
    why: "Silence, a reset or a handshake that fails is not a pass: nothing is known of the server.",
    fix: "look at the phase that is named: `openssl s_client -connect HOST:PORT -servername NAME` shows the same exchange",
    source: "RFC 8446, section 4",
};

/// The server accepts a version of SSL or TLS that is obsolete.
pub(crate) const OLD_VERSION: Rule = Rule {
    code: "tls/old-version",
    level: Level::Error,
    summary: "the server accepts a version of SSL or TLS that is obsolete",
    why: "SSLv2, SSLv3, TLS 1.0 and TLS 1.1 have known attacks and are forbidden. What is accepted can be forced by an attacker in the middle.",
    fix: "allow TLS 1.2 and 1.3 only; in nginx: `ssl_protocols TLSv1.2 TLSv1.3;`",
    source: "RFC 8996; RFC 7568; RFC 6176",
};

/// The server speaks neither TLS 1.2 nor TLS 1.3.
pub(crate) const NO_MODERN_VERSION: Rule = Rule {
    code: "tls/no-modern-version",
    level: Level::Error,
    summary: "the server speaks neither TLS 1.2 nor TLS 1.3",
    why: "Current clients cannot connect at all.",
    fix: "switch TLS 1.2 and 1.3 on",
    source: "RFC 8996",
};

/// The server does not speak TLS 1.3.
pub(crate) const NO_TLS13: Rule = Rule {
    code: "tls/no-tls13",
    level: Level::Warning,
    summary: "the server does not speak TLS 1.3",
    why: "TLS 1.3 is faster by a round trip and has no weak options.",
    fix: "switch TLS 1.3 on; it needs OpenSSL 1.1.1 or later",
    source: "RFC 9325, section 3.1.1",
};

/// The server accepts a version that the profile leaves out.
pub(crate) const OUTSIDE_PROFILE: Rule = Rule {
    code: "tls/outside-profile",
    level: Level::Error,
    summary: "the server accepts a version that the profile leaves out",
    why: "The gate says `profile: modern`, which is TLS 1.3 only.",
    fix: "switch TLS 1.2 off, or choose `profile: intermediate`",
    source: "Mozilla Server Side TLS 6.0",
};

/// The server accepts cipher suites that are broken.
pub(crate) const BROKEN_CIPHER: Rule = Rule {
    code: "tls/broken-cipher",
    level: Level::Error,
    summary: "the server accepts cipher suites that are broken",
    why: "Suites without encryption (NULL) or authentication (anonymous), export-grade keys, DES, RC4 and triple DES can be read or forged with known means.",
    fix: "allow ECDHE suites with AES-GCM or ChaCha20-Poly1305 only; `openssl s_client -cipher NAME` tries one",
    source: "RFC 9325, section 4.1; RFC 7465",
};

/// The server has no suite that current clients insist on.
pub(crate) const NO_MODERN_CIPHER: Rule = Rule {
    code: "tls/no-modern-cipher",
    level: Level::Error,
    summary: "the server has no suite that current clients insist on",
    why: "Without TLS 1.3 and without an ECDHE suite in an AEAD mode, strict clients cannot connect.",
    fix: "allow ECDHE suites with AES-GCM or ChaCha20-Poly1305",
    source: "RFC 9325, section 4.2",
};

/// The server accepts suites in CBC mode.
pub(crate) const CBC_CIPHER: Rule = Rule {
    code: "tls/cbc-cipher",
    level: Level::Warning,
    summary: "the server accepts suites in CBC mode",
    why: "CBC suites of TLS have a history of padding attacks (Lucky 13, POODLE) and every implementation has to defend against them anew.",
    fix: "take them out of the list of suites, once no old client needs them",
    source: "RFC 9325, section 4.2; Mozilla Server Side TLS 6.0",
};

/// The server accepts key exchanges without forward secrecy.
pub(crate) const STATIC_KEY_EXCHANGE: Rule = Rule {
    code: "tls/static-key-exchange",
    level: Level::Warning,
    summary: "the server accepts key exchanges without forward secrecy",
    why: "Whoever records the traffic and gets the key of the server later can read all of it.",
    fix: "take suites that begin with `TLS_RSA_` and static ECDH out of the list",
    source: "RFC 9325, section 4.1",
};

/// The Diffie-Hellman group is too short.
pub(crate) const SHORT_DH: Rule = Rule {
    code: "tls/short-dh",
    level: Level::Error,
    summary: "the Diffie-Hellman group is too short",
    why: "Groups of 1024 bits are within reach of states, and shared ones have been broken in advance (Logjam).",
    fix: "switch DHE off, or use a group of RFC 7919 with 2048 bits or more",
    source: "RFC 9325, section 4.3; RFC 7919",
};

/// The server offers neither X25519 nor P-256.
pub(crate) const MISSING_CURVES: Rule = Rule {
    code: "tls/missing-curves",
    level: Level::Warning,
    summary: "the server offers neither X25519 nor P-256",
    why: "These two are what clients offer first; without them a handshake takes a round trip more, or fails.",
    fix: "allow X25519 and P-256 (`ssl_ecdh_curve` in nginx)",
    source: "RFC 8446, section 9.1; Mozilla Server Side TLS 6.0",
};

/// The server does not offer X25519MLKEM768.
pub(crate) const NO_POST_QUANTUM: Rule = Rule {
    code: "tls/no-post-quantum",
    level: Level::Info,
    summary: "the server does not offer X25519MLKEM768",
    why: "Traffic recorded today can be read once quantum computers exist. Browsers offer the hybrid group already.",
    fix: "upgrade to OpenSSL 3.5 or later (or a server built on it), and put X25519MLKEM768 first",
    source: "draft-ietf-tls-ecdhe-mlkem; Mozilla Server Side TLS 6.0",
};
