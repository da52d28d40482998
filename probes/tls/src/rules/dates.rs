//! Rules about dates, keys and revocation.

use readygate_sdk::{Level, Rule};

/// A certificate has expired.
pub(crate) const EXPIRED: Rule = Rule {
    code: "tls/expired",
    level: Level::Error,
    summary: "a certificate has expired",
    why: "Clients refuse it from one second to the next, on every connection.",
    fix: "renew the certificate and reload the server; `openssl x509 -noout -dates` shows the dates",
    source: "RFC 5280, section 4.1.2.5",
};

/// A certificate expires soon.
pub(crate) const EXPIRES_SOON: Rule = Rule {
    code: "tls/expires-soon",
    level: Level::Error,
    summary: "a certificate expires soon",
    why: "A renewal that has not happened by now has probably failed. The bounds scale with the life of the certificate: it fails below a tenth of it or 7 days, warns below a third of it or 30 days.",
    fix: "renew the certificate, and find out why the renewal did not run",
    source: "CA/B Forum Baseline Requirements, section 6.3.2",
};

/// A certificate is not valid yet.
pub(crate) const NOT_YET_VALID: Rule = Rule {
    code: "tls/not-yet-valid",
    level: Level::Error,
    summary: "a certificate is not valid yet",
    why: "Clients refuse it until then. Either the wrong certificate was deployed or a clock is wrong.",
    fix: "deploy the certificate when it is valid, and check the clocks of the server, the authority and the gate",
    source: "RFC 5280, section 4.1.2.5",
};

/// The certificate is valid for longer than authorities may issue.
pub(crate) const VALIDITY_TOO_LONG: Rule = Rule {
    code: "tls/validity-too-long",
    level: Level::Error,
    summary: "the certificate is valid for longer than authorities may issue",
    why: "Browsers refuse certificates of public authorities that are valid for too long. The limit is 398 days, 200 from 2026-03-15, 100 from 2027-03-15 and 47 from 2029-03-15, by the first day of validity.",
    fix: "have a certificate issued with a shorter life, and automate its renewal",
    source: "CA/B Forum ballot SC-081v3",
};

/// A key is too weak.
pub(crate) const WEAK_KEY: Rule = Rule {
    code: "tls/weak-key",
    level: Level::Error,
    summary: "a key is too weak",
    why: "Whoever finds the private key can be the server. RSA below 2048 bits, DSA and small curves are within reach, and clients refuse them.",
    fix: "make a new key: P-256 or RSA with 2048 bits or more",
    source: "CA/B Forum Baseline Requirements, section 6.1.5",
};

/// A certificate is signed with a broken hash.
pub(crate) const WEAK_SIGNATURE: Rule = Rule {
    code: "tls/weak-signature",
    level: Level::Error,
    summary: "a certificate is signed with a broken hash",
    why: "Collisions of MD5 and SHA-1 let others forge certificates with the same signature; clients refuse them.",
    fix: "have the certificate issued anew with SHA-256 or better",
    source: "RFC 9155; CA/B Forum Baseline Requirements, section 7.1.3.2",
};

/// The certificate is revoked.
pub(crate) const REVOKED: Rule = Rule {
    code: "tls/revoked",
    level: Level::Error,
    summary: "the certificate is revoked",
    why: "The server itself staples the proof that its certificate is revoked; clients that look refuse it.",
    fix: "find out why it was revoked, make a new key, and have a new certificate issued",
    source: "RFC 6960, section 4.2.1",
};

/// The stapled OCSP response is of no use.
pub(crate) const BAD_STAPLE: Rule = Rule {
    code: "tls/bad-staple",
    level: Level::Warning,
    summary: "the stapled OCSP response is of no use",
    why: "Clients that look at the staple refuse the connection or go on without it; a server that staples old responses has lost its way to the responder.",
    fix: "check that the server reaches the OCSP responder and that its clock is right; `openssl s_client -status` shows the staple",
    source: "RFC 6960, section 4.2.2.1; RFC 6066, section 8",
};

/// The certificate demands a staple and the server sends none.
pub(crate) const MUST_STAPLE: Rule = Rule {
    code: "tls/must-staple",
    level: Level::Error,
    summary: "the certificate demands a staple and the server sends none",
    why: "Firefox refuses the connection then.",
    fix: "switch stapling on, or have the certificate issued without the TLS feature extension",
    source: "RFC 7633",
};

/// The certificate names neither an OCSP responder nor a revocation list.
pub(crate) const NO_REVOCATION_SOURCE: Rule = Rule {
    code: "tls/no-revocation-source",
    level: Level::Warning,
    summary: "the certificate names neither an OCSP responder nor a revocation list",
    why: "Nobody can learn that a certificate of a public authority is revoked. Without OCSP, a revocation list is normal; without both, it is not.",
    fix: "ask the authority; short-lived certificates (10 days, 7 days from 2026-03-15) need neither",
    source: "CA/B Forum Baseline Requirements, section 7.1.2.11",
};

/// The certificate has too few timestamps of transparency logs.
pub(crate) const FEW_SCTS: Rule = Rule {
    code: "tls/few-scts",
    level: Level::Warning,
    summary: "the certificate has too few timestamps of transparency logs",
    why: "Chrome and Safari refuse certificates of public authorities that are not logged: 2 timestamps are wanted up to 180 days of validity, 3 above.",
    fix: "have it issued anew by an authority that embeds them",
    source: "RFC 6962; Chrome Certificate Transparency Policy",
};

/// Not every address presents the same certificate.
pub(crate) const NOT_THE_SAME: Rule = Rule {
    code: "tls/not-the-same",
    level: Level::Warning,
    summary: "not every address presents the same certificate",
    why: "One node missed the renewal, or an old one still answers. Users see it now and then, and nobody can reproduce it.",
    fix: "deploy the certificate to every node, and take old ones out of the load balancer",
    source: "",
};
