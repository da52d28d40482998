//! The records of a walk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One certificate, as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Certificate {
    /// Why it cannot be read; then every other field but `sha256` is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Subject, as `CN=..., O=...`; may be empty.
    pub subject: String,
    /// Issuer, in the same form.
    pub issuer: String,
    /// Serial number in hex.
    pub serial: String,
    /// Start of the validity, Unix seconds.
    pub not_before: i64,
    /// Last second of the validity, Unix seconds.
    pub not_after: i64,
    /// The public key.
    pub key: Key,
    /// Name of the signature algorithm, or its OID.
    pub signature: String,
    /// Whether it may issue certificates.
    pub is_ca: bool,
    /// Whether the key usage, if there is one, lets a CA sign certificates.
    pub may_sign: bool,
    /// Extended key usages (`serverAuth`, `any`, OIDs); absent without the extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purposes: Option<Vec<String>>,
    /// DNS names of the SAN, control characters escaped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_names: Vec<String>,
    /// IP addresses of the SAN.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
    /// Whether names were left out of the lists above because there are too many.
    #[serde(skip_serializing_if = "is_false")]
    pub names_cut: bool,
    /// Whether the TLS feature extension demands a staple (RFC 7633).
    #[serde(skip_serializing_if = "is_false")]
    pub must_staple: bool,
    /// Embedded signed certificate timestamps.
    pub scts: u32,
    /// URLs of OCSP responders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<String>,
    /// URLs of revocation lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub crl: Vec<String>,
    /// URLs of the issuer's certificate (AIA caIssuers).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_issuers: Vec<String>,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// SHA-256 of the DER, in hex.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A public key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// `RSA`, `P-256`, `P-384`, `P-521`, `Ed25519`, `DSA`, or an OID.
    pub algorithm: String,
    /// Size in bits; of RSA the modulus. Zero if not known.
    pub bits: u32,
    /// The exponent of an RSA key, if it fits into 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponent: Option<u64>,
}

/// How one certificate of the path is tied to the one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The signature is right.
    Signed,
    /// The names fit; the algorithm is one that is not checked here (MD5, DSA).
    Unchecked,
}

/// Where the path from the leaf upwards ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PathEnd {
    /// At a trusted authority.
    Anchor {
        /// Its name.
        name: String,
        /// Whether it is one of Mozilla's: then the rules of public authorities apply.
        public: bool,
    },
    /// The leaf is its own issuer, and nobody trusts it.
    SelfSigned,
    /// At a root that was sent and that nobody trusts.
    UntrustedRoot {
        /// Position of the root in what was sent.
        index: u32,
    },
    /// At a certificate whose issuer was not sent and is not trusted.
    MissingIssuer {
        /// Position of that certificate.
        index: u32,
        /// Name of the issuer.
        issuer: String,
    },
    /// The issuer is there by its name, but its key did not sign.
    WrongKey {
        /// Position of the certificate whose signature is wrong.
        index: u32,
        /// Name of the issuer.
        issuer: String,
    },
    /// A certificate on the way cannot be read.
    Unreadable {
        /// Its position.
        index: u32,
    },
    /// The path is longer than what is followed.
    TooLong,
}

/// What the verifier complains about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flaw {
    /// The name of the complaint.
    pub kind: String,
    /// In words, a lowercase fragment.
    pub message: String,
}

/// A chain that was sent, walked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Walk {
    /// The certificates in the order sent, leaf first.
    pub certificates: Vec<Certificate>,
    /// How many more were sent than are recorded.
    pub omitted: u32,
    /// Bytes of all certificates.
    pub bytes: u64,
    /// Positions of the certificates of the path, leaf first.
    pub path: Vec<u32>,
    /// How each of them is tied to the next.
    pub links: Vec<Link>,
    /// Where the path ends.
    pub end: PathEnd,
    /// What a strict verifier (webpki) says at the time of the run; absent if it is content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<Flaw>,
    /// The stapled OCSP response, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staple: Option<Staple>,
}

impl Walk {
    /// The leaf; every chain has one.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    /// The certificates of the path with their positions.
    pub fn on_path(&self) -> impl Iterator<Item = (u32, &Certificate)> {
        self.path
            .iter()
            .filter_map(|at| Some((*at, self.certificates.get(*at as usize)?)))
    }

    /// Whether a public authority issued it.
    pub fn is_public(&self) -> bool {
        matches!(self.end, PathEnd::Anchor { public: true, .. })
    }
}

/// A stapled OCSP response (RFC 6960).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Staple {
    /// What it says of the leaf.
    pub status: StapleStatus,
    /// Start of its validity, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub this_update: Option<i64>,
    /// End of its validity, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_update: Option<i64>,
    /// When the leaf was revoked, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// Why the response does not count: wrong signature, another certificate, unreadable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
}

/// What a staple says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StapleStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
    /// The responder answered an error, or what came cannot be read.
    None,
}
