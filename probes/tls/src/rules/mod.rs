//! The rules of the probe.

mod behaviour;
mod dates;
mod protocol;
mod trust;

use readygate_sdk::Rule;

pub(crate) use behaviour::*;
pub(crate) use dates::*;
pub(crate) use protocol::*;
pub(crate) use trust::*;

/// Every rule, in the order of judgement.
pub const RULES: &[Rule] = &[
    UNTRUSTED,
    MISSING_INTERMEDIATE,
    CHAIN_INVALID,
    UNREADABLE,
    WRONG_NAME,
    WRONG_PURPOSE,
    KEY_NOT_PROVEN,
    CHAIN_ORDER,
    CHAIN_EXTRA,
    CHAIN_OVERSIZED,
    EXPIRED,
    EXPIRES_SOON,
    NOT_YET_VALID,
    VALIDITY_TOO_LONG,
    WEAK_KEY,
    WEAK_SIGNATURE,
    REVOKED,
    BAD_STAPLE,
    MUST_STAPLE,
    NO_REVOCATION_SOURCE,
    FEW_SCTS,
    NOT_THE_SAME,
    NO_ANSWER,
    OLD_VERSION,
    NO_MODERN_VERSION,
    NO_TLS13,
    OUTSIDE_PROFILE,
    BROKEN_CIPHER,
    NO_MODERN_CIPHER,
    CBC_CIPHER,
    STATIC_KEY_EXCHANGE,
    SHORT_DH,
    MISSING_CURVES,
    NO_POST_QUANTUM,
    ALPN,
    INSECURE_RENEGOTIATION,
    COMPRESSION,
    NO_FALLBACK_SCSV,
    NO_EMS,
    NO_RESUMPTION,
    DEFAULT_CERTIFICATE,
    CLIENT_CERTIFICATE,
    PLAINTEXT,
];
