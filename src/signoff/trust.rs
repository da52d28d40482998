//! Where rules of trust are read from: who may sign, and with which keys.
//!
//! A change must not bring its own keys. In the work tree it can; at a protected ref it cannot.

use std::{
    fs, io,
    io::Read as _,
    path::{Component, Path, PathBuf},
};

use super::repo::Repo;

/// Lists of keys are written by people; more than this is a mistake or an attack.
const LARGEST: u64 = 1 << 20;

/// Where trusted files are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// On disk, as they are.
    #[default]
    Worktree,
    /// In a commit of the repository around them: `origin/main`.
    GitRef(String),
}

/// Why a trusted file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct TrustError {
    path: String,
    message: String,
}

impl Source {
    /// Reads a file, whose path is relative to `directory`.
    pub fn read(&self, directory: &Path, path: &Path) -> Result<Vec<u8>, TrustError> {
        let full = directory.join(path);
        let bytes = match self {
            Self::Worktree => from_disk(&full).map_err(|e| e.to_string()),
            Self::GitRef(revision) => from_git(revision, directory, &full),
        };
        let at = match self {
            Self::Worktree => String::new(),
            Self::GitRef(revision) => format!(" at {revision}"),
        };
        bytes.map_err(|message| TrustError {
            path: format!("{}{at}", path.display()),
            message,
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

fn from_disk(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than 1 MiB"));
    }
    Ok(bytes)
}

fn from_git(revision: &str, directory: &Path, path: &Path) -> Result<Vec<u8>, String> {
    let repo = Repo::discover(directory)?;
    let inside = repo
        .inside(&normal(path)?)
        .ok_or("not inside of the repository")?;
    let commit = repo.resolve(revision)?;
    repo.file(commit, &inside, LARGEST)
}

/// An absolute path without `.` and `..`, which need not exist: it is looked up in a commit.
fn normal(path: &Path) -> Result<PathBuf, String> {
    let path = std::path::absolute(path).map_err(|e| e.to_string())?;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Ok(plain)
}
