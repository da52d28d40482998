//! Numbers on the wire that have names: versions, cipher suites, groups, alerts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, suites::SUITES};

/// A version of SSL or TLS.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[schemars(rename = "TlsVersion")]
pub enum Version {
    /// SSL 2.0 (1995), forbidden by RFC 6176.
    #[serde(rename = "SSLv2")]
    Ssl2,
    /// SSL 3.0 (1996), forbidden by RFC 7568.
    #[serde(rename = "SSLv3")]
    Ssl3,
    /// TLS 1.0 (1999), deprecated by RFC 8996.
    #[serde(rename = "TLS 1.0")]
    Tls10,
    /// TLS 1.1 (2006), deprecated by RFC 8996.
    #[serde(rename = "TLS 1.1")]
    Tls11,
    /// TLS 1.2 (2008).
    #[serde(rename = "TLS 1.2")]
    Tls12,
    /// TLS 1.3 (2018).
    #[serde(rename = "TLS 1.3")]
    Tls13,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [
        Self::Ssl2,
        Self::Ssl3,
        Self::Tls10,
        Self::Tls11,
        Self::Tls12,
        Self::Tls13,
    ];

    /// The name: `SSLv3`, `TLS 1.2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ssl2 => "SSLv2",
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }

    /// The number in hellos.
    pub const fn number(self) -> u16 {
        match self {
            Self::Ssl2 => 0x0002,
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }

    /// The version of a number.
    pub fn of(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.number() == number)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number with a name in a registry: shown and recorded by its name, or as `0x1234` without one.
macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident($number:ty), $table:expr, $digits:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $type(pub $number);

        impl $type {
            /// The registered name, if it has one.
            pub fn name(self) -> Option<&'static str> {
                $table.iter().find(|row| row.0 == self.0).map(|row| row.1)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!("0x{:0", $digits, "x}"), self.0),
                }
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                if let Some(row) = $table.iter().find(|row| row.1 == text) {
                    return Ok(Self(row.0));
                }
                text.strip_prefix("0x")
                    .and_then(|hex| <$number>::from_str_radix(hex, 16).ok())
                    .map(Self)
                    .ok_or_else(|| format!(concat!("`{}` is not a ", stringify!($type)), text))
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                concat!("Tls", stringify!($type)).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": "The registered name, or the number as `0x1234`.",
                })
            }
        }
    };
}

numbered!(
    /// A cipher suite: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. SSLv2's have three bytes.
    Suite(u32), SUITES, "4"
);
numbered!(
    /// A named group: `x25519`, `X25519MLKEM768`.
    Group(u16), GROUPS, "4"
);
numbered!(
    /// The description of an alert: `protocol_version`.
    Alert(u8), ALERTS, "2"
);

const GROUPS: &[(u16, &str)] = &[
    (0x0016, "secp256k1"),
    (0x0017, "secp256r1"),
    (0x0018, "secp384r1"),
    (0x0019, "secp521r1"),
    (0x001a, "brainpoolP256r1"),
    (0x001b, "brainpoolP384r1"),
    (0x001c, "brainpoolP512r1"),
    (0x001d, "x25519"),
    (0x001e, "x448"),
    (0x0100, "ffdhe2048"),
    (0x0101, "ffdhe3072"),
    (0x0102, "ffdhe4096"),
    (0x0200, "MLKEM512"),
    (0x0201, "MLKEM768"),
    (0x0202, "MLKEM1024"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ec, "X25519MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
];

const ALERTS: &[(u8, &str)] = &[
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed"),
    (22, "record_overflow"),
    (30, "decompression_failure"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (60, "export_restriction"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (111, "certificate_unobtainable"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (120, "no_application_protocol"),
    (121, "ech_required"),
];

impl Alert {
    pub(crate) const HANDSHAKE_FAILURE: Self = Self(40);
    pub(crate) const INSUFFICIENT_SECURITY: Self = Self(71);
    pub(crate) const PROTOCOL_VERSION: Self = Self(70);
    pub(crate) const INAPPROPRIATE_FALLBACK: Self = Self(86);
    pub(crate) const UNRECOGNIZED_NAME: Self = Self(112);
    pub(crate) const NO_APPLICATION_PROTOCOL: Self = Self(120);
}

impl Group {
    /// Post-quantum hybrid of X25519 and ML-KEM-768.
    pub const X25519_MLKEM768: Self = Self(0x11ec);
    /// Curve25519.
    pub const X25519: Self = Self(0x001d);
    /// NIST P-256.
    pub const P256: Self = Self(0x0017);
    /// NIST P-384.
    pub const P384: Self = Self(0x0018);
    /// NIST P-521.
    pub const P521: Self = Self(0x0019);
    /// Curve448.
    pub const X448: Self = Self(0x001e);
}

impl Suite {
    /// Every suite with a number of two bytes, best first, up to TLS 1.2.
    pub fn legacy() -> impl Iterator<Item = Self> {
        SUITES
            .iter()
            .map(|row| Self(row.0))
            .filter(|s| s.0 <= 0xffff && !s.is_tls13())
    }

    /// The suites of TLS 1.3.
    pub fn tls13() -> impl Iterator<Item = Self> {
        SUITES
            .iter()
            .map(|row| Self(row.0))
            .filter(|s| s.is_tls13())
    }

    /// The suites of SSLv2.
    pub fn ssl2() -> impl Iterator<Item = Self> {
        SUITES
            .iter()
            .map(|row| Self(row.0))
            .filter(|s| s.0 > 0xffff)
    }

    /// Whether it is one of TLS 1.3 (which name no key exchange).
    pub const fn is_tls13(self) -> bool {
        self.0 >> 8 == 0x13
    }

    /// Whether sessions stay secret when the server's key is lost later.
    pub fn is_forward_secret(self) -> bool {
        self.is_tls13()
            || self.name().is_some_and(|n| {
                n.starts_with("TLS_ECDHE_") || n.starts_with("TLS_DHE_") || n.contains("_anon_")
            })
    }

    /// Whether it uses a block cipher in CBC mode.
    pub fn is_cbc(self) -> bool {
        self.name().is_some_and(|n| n.contains("_CBC_"))
    }

    /// The families it belongs to.
    pub fn families(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |f| f.contains(self))
    }

    /// The kind of key that its certificate has: `RSA`, `ECDSA`, `DSS`.
    pub(crate) fn authentication(self) -> Option<&'static str> {
        let name = self.name()?.strip_prefix("TLS_")?;
        let exchange = name.split("_WITH_").next()?;
        ["ECDSA", "RSA", "DSS"]
            .into_iter()
            .find(|kind| exchange.trim_end_matches("_EXPORT").ends_with(kind))
    }
}

impl Family {
    /// Whether `suite` belongs to it.
    pub fn contains(self, suite: Suite) -> bool {
        let Some(name) = suite.name().and_then(|n| n.strip_prefix("TLS_")) else {
            return false;
        };
        match broken(name) {
            Some(family) => family == self,
            None if suite.is_tls13() => false,
            None if name.starts_with("ECDHE_") => {
                self == if suite.is_cbc() {
                    Self::Cbc
                } else {
                    Self::EcdheAead
                }
            }
            None if name.starts_with("DHE_") => {
                self == Self::Dhe || suite.is_cbc() && self == Self::Cbc
            }
            None => self == Self::StaticKeyExchange,
        }
    }

    /// The suites of it, best first.
    pub fn suites(self) -> impl Iterator<Item = Suite> {
        Suite::legacy().filter(move |s| self.contains(*s))
    }

    /// The name in records: `static-key-exchange`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Anonymous => "anonymous",
            Self::Export => "export",
            Self::Des => "des",
            Self::TripleDes => "triple-des",
            Self::Rc4 => "rc4",
            Self::Cbc => "cbc",
            Self::StaticKeyExchange => "static-key-exchange",
            Self::Dhe => "dhe",
            Self::EcdheAead => "ecdhe-aead",
        }
    }
}

/// The worst thing about a suite, if there is one.
fn broken(name: &str) -> Option<Family> {
    let marks = [
        ("NULL", Family::Null),
        ("EXPORT", Family::Export),
        ("_anon_", Family::Anonymous),
        ("3DES", Family::TripleDes),
        ("_DES_", Family::Des),
        ("RC4", Family::Rc4),
    ];
    marks.into_iter().find(|m| name.contains(m.0)).map(|m| m.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_up_to_tls12_has_a_family() {
        for suite in Suite::legacy() {
            assert!(suite.families().next().is_some(), "{suite} has none");
        }
        assert_eq!(Family::Null.suites().count(), 8);
        assert!(Family::ALL.iter().all(|f| f.suites().next().is_some()));
    }

    #[test]
    fn numbers_are_unique_and_names_come_back() {
        let mut seen = std::collections::BTreeSet::new();
        for (number, name) in SUITES {
            assert!(seen.insert(number), "{name} twice");
            let text = String::from(Suite(*number));
            assert_eq!(Suite::try_from(text), Ok(Suite(*number)));
        }
        assert_eq!(Suite(0xabcd).to_string(), "0xabcd");
        assert_eq!(Suite::try_from("0xabcd".to_owned()), Ok(Suite(0xabcd)));
        assert!(Suite::try_from("nonsense".to_owned()).is_err());
    }

    #[test]
    fn families_by_example() {
        let of = |n: u32| Suite(n).families().collect::<Vec<_>>();
        assert_eq!(of(0xc02f), [Family::EcdheAead]);
        assert_eq!(of(0xc013), [Family::Cbc]);
        assert_eq!(of(0x0033), [Family::Cbc, Family::Dhe]);
        assert_eq!(of(0x002f), [Family::StaticKeyExchange]);
        assert_eq!(of(0xc031), [Family::StaticKeyExchange]);
        assert_eq!(of(0x0034), [Family::Anonymous]);
        assert_eq!(of(0x0009), [Family::Des]);
        assert_eq!(of(0x000a), [Family::TripleDes]);
        assert_eq!(of(0x0014), [Family::Export]);
        assert_eq!(Suite(0xc02b).authentication(), Some("ECDSA"));
        assert_eq!(Suite(0x0014).authentication(), Some("RSA"));
        assert_eq!(Suite(0x0034).authentication(), None);
    }
}
