//! What a role signs: an in-toto Statement. The bytes on disk are the bytes that are signed, and
//! the bytes that were verified are the bytes that are read.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, Error as _, MapAccess, Visitor},
};
use sha2::{Digest as _, Sha256};

use super::vector::Item;
use crate::{record::SignDecision, waiver::Accept};

/// The `_type` of in-toto Statements.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The `predicateType` of sign-offs.
pub const PREDICATE: &str = "https://readygate.dev/signoff/v1";
/// Predicates of this project; those that are no sign-offs belong to somebody else.
const OWN: &str = "https://readygate.dev/";

/// Named digests: `gitCommit`, `sha256`.
pub type Digests = BTreeMap<String, String>;

/// An in-toto Statement that signs off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`STATEMENT`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What is released.
    pub subject: Vec<Subject>,
    /// Always [`PREDICATE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said of it.
    pub predicate: Predicate,
}

/// Something that is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `release` for the commit, `artifact` for what is deployed.
    pub name: String,
    /// Its digest.
    #[serde(deserialize_with = "unique")]
    pub digest: Digests,
}

/// Something that is known by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digested {
    /// `sha256`.
    #[serde(deserialize_with = "unique")]
    pub digest: Digests,
}

impl Digested {
    /// From hex.
    pub fn sha256(hex: &str) -> Self {
        Self {
            digest: [("sha256".to_owned(), hex.to_owned())].into(),
        }
    }

    /// Whether this is it.
    pub fn is(&self, sha256: &str) -> bool {
        self.digest.get("sha256").is_some_and(|hex| hex == sha256)
    }
}

/// What a person says of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Predicate {
    /// In whose name.
    pub role: String,
    /// Who signs.
    pub principal: String,
    /// What it decides.
    pub decision: SignDecision,
    /// Why, in the signer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the release goes.
    pub environment: String,
    /// Which stages of the checklist the evidence is of, sorted.
    pub stages: Vec<String>,
    /// Which release, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_id: Option<String>,
    /// Thresholds, roles and texts.
    pub policy: Digested,
    /// The run that the signer was shown; for people.
    pub run: String,
    /// What is vouched for.
    pub gates: Vec<Vouched>,
    /// What the signer was shown of the evidence.
    pub items: Vec<Item>,
    /// The digest over `items`.
    pub verdict: Seen,
    /// Blanks that the signer filled in.
    #[serde(default, deserialize_with = "unique")]
    pub answers: BTreeMap<String, String>,
    /// Failures that the signer accepts: waivers, as far as the role may waive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<Accept>,
    /// Of the final approval: every other statement that counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_attestations: Vec<Digested>,
    /// When, UTC.
    pub issued_at: Timestamp,
    /// Until when, UTC.
    pub expires_at: Timestamp,
}

/// A sign-off gate, in the words that the signer was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// Its id.
    pub id: String,
    /// What is vouched for.
    pub statement: String,
    /// What was asked, by the id of the answer.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique"
    )]
    pub questions: BTreeMap<String, String>,
}

/// The verdict that the signer was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// `GO`, `NO-GO`, ...: without the sign-offs themselves.
    pub name: String,
    /// SHA-256 over the sorted lines `id TAB status`.
    #[serde(deserialize_with = "unique")]
    pub digest: Digests,
}

/// What a file in the folder of sign-offs is.
#[derive(Debug)]
pub enum Parsed {
    /// A sign-off.
    Signoff(Box<Statement>),
    /// A statement of another kind, which is none of ours.
    Other,
}

/// Only what tells the kind.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    kind: Option<String>,
    #[serde(rename = "predicateType")]
    predicate_type: Option<String>,
}

/// Reads the bytes of a statement.
pub fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let not = |e: serde_json::Error| format!("it is not a sign-off statement: {e}");
    let head: Head = serde_json::from_slice(bytes).map_err(not)?;
    let kind = head.kind.unwrap_or_default();
    if kind != STATEMENT {
        return Err(format!(
            "it is not an in-toto Statement: its _type is `{kind}`"
        ));
    }
    let predicate = head.predicate_type.unwrap_or_default();
    if predicate != PREDICATE {
        if predicate.starts_with(OWN) {
            return Ok(Parsed::Other);
        }
        return Err(format!(
            "its predicate type is `{predicate}`, not {PREDICATE}"
        ));
    }
    let statement: Statement = serde_json::from_slice(bytes).map_err(not)?;
    Ok(Parsed::Signoff(Box::new(statement)))
}

/// The bytes that are signed, and written.
pub fn bytes(statement: &Statement) -> Result<Vec<u8>, String> {
    let mut text = serde_json::to_vec_pretty(statement).map_err(|e| e.to_string())?;
    text.push(b'\n');
    Ok(text)
}

impl Statement {
    /// The commit that it is about.
    pub fn commit(&self) -> Option<&str> {
        self.digest("gitCommit")
    }

    /// The artifact that it is about: bare hex.
    pub fn artifact(&self) -> Option<&str> {
        self.digest("sha256")
    }

    fn digest(&self, kind: &str) -> Option<&str> {
        let digests = self.subject.iter().filter_map(|s| s.digest.get(kind));
        let mut digests = digests.map(String::as_str);
        // Two of a kind would let the reader choose.
        digests.next().filter(|_| digests.next().is_none())
    }
}

/// SHA-256, hex.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A map in which a key given twice is an error: who read it would decide which one counts.
fn unique<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digests, D::Error> {
    struct Unique;

    impl<'de> Visitor<'de> for Unique {
        type Value = Digests;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digests, A::Error> {
            let mut found = Digests::new();
            while let Some((key, value)) = map.next_entry::<String, String>()? {
                if found.contains_key(&key) {
                    return Err(A::Error::custom(format!("duplicate field `{key}`")));
                }
                found.insert(key, value);
            }
            Ok(found)
        }
    }

    deserializer.deserialize_map(Unique)
}
