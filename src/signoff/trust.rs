//! Where rules of trust are read from: who may sign, and with which keys.
//!
//! A change must not bring its own keys. In the work tree it can; at a protected ref it cannot.

use std::path::Path;

use crate::{config::Config, policy::Origin};

/// Lists of keys are written by people; more than this is a mistake or an attack.
const LARGEST: u64 = 1 << 20;

/// Where trusted files are: where the policy is.
#[derive(Clone, Default)]
pub struct Source(Origin);

/// Why a trusted file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct TrustError {
    path: String,
    message: String,
}

impl From<Origin> for Source {
    fn from(origin: Origin) -> Self {
        Self(origin)
    }
}

impl Source {
    /// That of a policy.
    pub fn of(config: &Config) -> Self {
        Self(config.origin.clone())
    }

    /// Reads a file, whose path is relative to `directory`.
    pub fn read(&self, directory: &Path, path: &Path) -> Result<Vec<u8>, TrustError> {
        let full = directory.join(path);
        let bytes = self.0.read(&full, LARGEST);
        bytes.map_err(|e| TrustError {
            path: match &self.0 {
                Origin::Disk => path.display().to_string(),
                Origin::Ref(_) => self.0.shown(&full),
            },
            message: e.message,
        })
    }

    /// Reads a text.
    pub fn read_text(&self, directory: &Path, path: &Path) -> Result<String, TrustError> {
        String::from_utf8(self.read(directory, path)?).map_err(|_| TrustError {
            path: path.display().to_string(),
            message: "not UTF-8 text".to_owned(),
        })
    }
}
