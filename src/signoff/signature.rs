//! SSH signatures (OpenSSH's PROTOCOL.sshsig), verified in-process.

use jiff::Timestamp;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig, public::KeyData};

use super::{allowed_signers::AllowedSigners, revoked::Revoked};

/// Bits of the flags byte of a FIDO signature (PROTOCOL.u2f).
const USER_PRESENT: u8 = 0x01;

/// Whose signatures count.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Who may sign.
    pub allowed: AllowedSigners,
    /// With which keys no more.
    pub revoked: Revoked,
    /// For what.
    pub namespace: String,
}

/// Who made a signature, by the key alone.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The key.
    pub key: KeyData,
    /// `SHA256:...`.
    pub fingerprint: String,
    /// Whether the key lives in a FIDO device.
    pub hardware: bool,
    /// Whether the device was touched for this signature.
    pub touched: bool,
}

/// Reads a signature without believing it.
pub fn read(armored: &[u8]) -> Result<SshSig, String> {
    let text = std::str::from_utf8(armored).map_err(|_| "the signature is not text")?;
    // OpenSSH ends the armor with a line feed; an editor may have added one.
    SshSig::from_pem(format!("{}\n", text.trim_end()))
        .map_err(|e| format!("the signature cannot be read: {e}"))
}

/// Verifies that the key in the signature signed exactly these bytes, in this namespace.
pub fn verify(bytes: &[u8], signature: &SshSig, namespace: &str) -> Result<Signer, String> {
    let key = signature.public_key();
    supported(&key.algorithm())?;
    if signature.namespace() != namespace {
        return Err(format!(
            "it was signed in namespace {}, not {namespace}",
            signature.namespace()
        ));
    }
    if signature.algorithm() != key.algorithm() {
        return Err("the signature is of another kind than its key".to_owned());
    }
    PublicKey::from(key.clone())
        .verify(namespace, bytes, signature)
        .map_err(|_| "the signature does not match: the statement was edited".to_owned())?;
    let hardware = key.is_sk_ed25519() || key.is_sk_ecdsa_p256();
    Ok(Signer {
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        touched: hardware && flags(signature).is_some_and(|f| f & USER_PRESENT != 0),
        hardware,
        key: key.clone(),
    })
}

/// The flags byte stands before the counter of four bytes, at the end.
fn flags(signature: &SshSig) -> Option<u8> {
    let bytes = signature.signature_bytes();
    bytes
        .len()
        .checked_sub(5)
        .and_then(|at| bytes.get(at))
        .copied()
}

fn supported(algorithm: &Algorithm) -> Result<(), String> {
    match algorithm {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::Ecdsa { .. }
        | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        Algorithm::Rsa { .. } => Err("RSA keys are not supported; use ed25519".to_owned()),
        other => Err(format!("{other} keys are not supported; use ed25519")),
    }
}

impl Trust {
    /// Whether the signer may be this principal, at each of these times.
    pub fn check(
        &self,
        signer: &Signer,
        principal: &str,
        times: &[Timestamp],
    ) -> Result<(), String> {
        if self.revoked.has(&signer.key) {
            return Err(format!("the key {} is revoked", signer.fingerprint));
        }
        self.allowed
            .allows(principal, &signer.key, &self.namespace, times)
            .map_err(|why| format!("the key {why}"))
    }
}
