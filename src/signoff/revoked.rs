//! Keys that no longer count: a plain list, one public key or `SHA256:` fingerprint a line.

use ssh_key::{Fingerprint, HashAlg, PublicKey, public::KeyData};

use super::allowed_signers::ParseError;

/// The list.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    fingerprints: Vec<Fingerprint>,
}

impl Revoked {
    /// Reads the text of the file. A line that is neither is an error: a key that somebody meant to
    /// revoke must not go on counting for a slip.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut fingerprints = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let plain = line.trim();
            if plain.is_empty() || plain.starts_with('#') {
                continue;
            }
            let error = |message: &str| ParseError {
                line: index + 1,
                column: 1 + line.chars().take_while(|c| c.is_whitespace()).count(),
                message: message.to_owned(),
            };
            if plain.starts_with("SSHKRL") {
                return Err(error(
                    "binary revocation lists are not supported; write one fingerprint a line",
                ));
            }
            let mut words = plain.split_whitespace();
            let first = words.next().unwrap_or_default();
            let fingerprint = if first.contains(':') {
                first.parse().ok().filter(|f: &Fingerprint| f.is_sha256())
            } else {
                let key = format!("{first} {}", words.next().unwrap_or_default());
                let key = PublicKey::from_openssh(&key).ok();
                key.map(|key| key.fingerprint(HashAlg::Sha256))
            };
            let wanted = "neither a public key nor a fingerprint such as SHA256:...";
            fingerprints.push(fingerprint.ok_or_else(|| error(wanted))?);
        }
        Ok(Self { fingerprints })
    }

    /// Whether a key is on the list.
    pub fn has(&self, key: &KeyData) -> bool {
        self.fingerprints
            .contains(&key.fingerprint(HashAlg::Sha256))
    }
}
