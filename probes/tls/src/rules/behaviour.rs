//! Rules about how the server behaves.

use readygate_sdk::{Level, Rule};

/// The server does not agree on the declared protocol.
pub(crate) const ALPN: Rule = Rule {
    code: "tls/alpn",
    level: Level::Error,
    summary: "the server does not agree on the declared protocol",
    why: "Without ALPN clients fall back to HTTP/1.1, and clients of gRPC fail.",
    fix: "switch the protocol on: `http2 on;` in nginx",
    source: "RFC 7301",
};

/// The server does not protect renegotiation.
pub(crate) const INSECURE_RENEGOTIATION: Rule = Rule {
    code: "tls/insecure-renegotiation",
    level: Level::Error,
    summary: "the server does not protect renegotiation",
    why: "An attacker can put a request of their own before that of a client (CVE-2009-3555).",
    fix: "upgrade the TLS library; every one since 2010 sends renegotiation_info",
    source: "RFC 5746",
};

/// The server compresses.
pub(crate) const COMPRESSION: Rule = Rule {
    code: "tls/compression",
    level: Level::Error,
    summary: "the server compresses",
    why: "The length of what is compressed together tells secrets (CRIME).",
    fix: "switch TLS compression off; `SSL_OP_NO_COMPRESSION` in OpenSSL",
    source: "RFC 7525, section 3.3; CVE-2012-4929",
};

/// The server does not notice a forced downgrade.
pub(crate) const NO_FALLBACK_SCSV: Rule = Rule {
    code: "tls/no-fallback-scsv",
    level: Level::Warning,
    summary: "the server does not notice a forced downgrade",
    why: "An attacker who breaks the first hellos makes a client retry with older versions; the signal tells the server of it.",
    fix: "allow one version less, or upgrade the TLS library",
    source: "RFC 7507",
};

/// The server does not bind sessions to their handshake.
pub(crate) const NO_EMS: Rule = Rule {
    code: "tls/no-ems",
    level: Level::Warning,
    summary: "the server does not bind sessions to their handshake",
    why: "Without the extended master secret, two connections can be made to share keys (triple handshake).",
    fix: "upgrade the TLS library",
    source: "RFC 7627",
};

/// Sessions are not resumed.
pub(crate) const NO_RESUMPTION: Rule = Rule {
    code: "tls/no-resumption",
    level: Level::Info,
    summary: "sessions are not resumed",
    why: "Every connection costs a full handshake, which is CPU time of the server and waiting time of the client.",
    fix: "switch session tickets or the session cache on; behind a load balancer, share the ticket keys",
    source: "RFC 8446, section 2.2",
};

/// A wrong or missing server name gets another certificate.
pub(crate) const DEFAULT_CERTIFICATE: Rule = Rule {
    code: "tls/default-certificate",
    level: Level::Info,
    summary: "a wrong or missing server name gets another certificate",
    why: "It tells whoever scans the address which other names live there.",
    fix: "refuse unknown names: `ssl_reject_handshake on;` in the default server of nginx",
    source: "RFC 6066, section 3",
};

/// The server does not treat clients without a certificate as declared.
pub(crate) const CLIENT_CERTIFICATE: Rule = Rule {
    code: "tls/client-certificate",
    level: Level::Error,
    summary: "the server does not treat clients without a certificate as declared",
    why: "Where mutual TLS is the lock of the door, a server that lets others in has none; where it is not, one that asks shuts users out.",
    fix: "set `client_certificate` of the gate to what is meant, or verification on the server: `ssl_verify_client` in nginx, `tls-auth-clients` in Redis",
    source: "RFC 8446, section 4.3.2",
};

/// The port answers without TLS.
pub(crate) const PLAINTEXT: Rule = Rule {
    code: "tls/plaintext-accepted",
    level: Level::Error,
    summary: "the port answers without TLS",
    why: "Passwords and data go over the network in the clear for every client that is configured wrong, and nobody notices.",
    fix: "switch the plain port off: `port 0` and `tls-port` in Redis, `tls.mode: requireTLS` in MongoDB, `hostssl` lines only in pg_hba.conf",
    source: "",
};
