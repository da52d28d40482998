//! Where the policy is read from: the disk, or a git ref that the change under test cannot touch.

use std::{
    fs, io,
    io::Read as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use gix::{ObjectId, ThreadSafeRepository, object::Kind};

use crate::record::TrustRecord;

/// Where the files of a policy come from.
#[derive(Clone, Default)]
pub enum Origin {
    /// The working tree.
    #[default]
    Disk,
    /// The tree of a commit.
    Ref(Arc<Tree>),
}

/// The tree of one commit.
pub struct Tree {
    reference: String,
    repository: ThreadSafeRepository,
    commit: ObjectId,
    root: ObjectId,
    /// The folder of the work tree; paths are relative to it.
    workdir: Option<PathBuf>,
}

/// Why a file or a ref cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OriginError {
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

fn error(message: impl Into<String>, help: impl Into<String>) -> OriginError {
    OriginError {
        message: message.into(),
        help: help.into(),
    }
}

/// gix puts the story into the chain of causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

impl Origin {
    /// The tree of a ref, tag or commit in the repository around the current folder.
    ///
    /// # Errors
    /// No repository, no such ref, a name that means two things, a clone that lacks the commit.
    pub fn of_ref(reference: &str) -> Result<Self, OriginError> {
        Self::in_repository(reference, Path::new("."))
    }

    /// The same in the repository around a folder.
    pub fn in_repository(reference: &str, folder: &Path) -> Result<Self, OriginError> {
        let repository = ThreadSafeRepository::discover(folder).map_err(|e| {
            error(
                format!(
                    "`{reference}` cannot be read: no git repository here: {}",
                    chain(&e)
                ),
                "run readygate inside the clone",
            )
        })?;
        let local = repository.to_thread_local();
        refuse_ambiguous(reference, &local)?;
        let commit = local
            .rev_parse_single(reference)
            .map_err(|_| missing(reference, &local))?
            .object()
            .and_then(|object| object.peel_to_kind(Kind::Commit))
            .map_err(|e| incomplete(reference, &local, &chain(&e)))?;
        let commit = commit.id;
        let root = local
            .find_commit(commit)
            .and_then(|c| Ok(c.tree_id()?.detach()))
            .map_err(|e| incomplete(reference, &local, &chain(&e)))?;
        let workdir = local.workdir().and_then(|dir| fs::canonicalize(dir).ok());
        Ok(Self::Ref(Arc::new(Tree {
            reference: reference.to_owned(),
            repository,
            commit,
            root,
            workdir,
        })))
    }

    /// What the record says of it; nothing for the disk.
    pub fn record(&self) -> Option<TrustRecord> {
        match self {
            Self::Disk => None,
            Self::Ref(tree) => Some(TrustRecord {
                reference: tree.reference.clone(),
                commit: tree.commit.to_string(),
            }),
        }
    }

    /// A path as messages and records name it: `origin/main:ops/readygate.yaml`.
    pub fn shown(&self, path: &Path) -> String {
        match self {
            Self::Disk => path.display().to_string(),
            Self::Ref(tree) => match tree.inside(path) {
                Ok(inside) => format!("{}:{}", tree.reference, inside.display()),
                Err(_) => format!("{}:{}", tree.reference, path.display()),
            },
        }
    }

    /// What tells two paths to one file apart from two files.
    pub fn identity(&self, path: &Path) -> PathBuf {
        match self {
            Self::Disk => fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            Self::Ref(tree) => tree.inside(path).unwrap_or_else(|_| path.to_owned()),
        }
    }

    /// A path from the root of the repository, as `REF:path` has it; `./path` is relative to here.
    pub fn from_root(&self, path: &str) -> PathBuf {
        match self {
            Self::Ref(tree) if !path.starts_with("./") && !path.starts_with("../") => {
                let root = tree.workdir.clone();
                root.unwrap_or_else(|| PathBuf::from("/")).join(path)
            }
            Self::Ref(_) | Self::Disk => PathBuf::from(path),
        }
    }

    /// Whether a folder is there.
    pub fn is_folder(&self, path: &Path) -> bool {
        match self {
            Self::Disk => path.is_dir(),
            Self::Ref(tree) => {
                let repository = tree.repository.to_thread_local();
                let Ok(inside) = tree.clean(path) else {
                    return false;
                };
                let Ok(root) = repository.find_tree(tree.root) else {
                    return false;
                };
                let entry = root.lookup_entry_by_path(&inside);
                let entry = entry.ok().flatten();
                inside.as_os_str().is_empty() || entry.is_some_and(|e| e.mode().is_tree())
            }
        }
    }

    /// The bytes of a file of at most `most` bytes. The message does not repeat the path.
    pub fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, OriginError> {
        match self {
            Self::Disk => from_disk(path, most),
            Self::Ref(tree) => tree.read(path, most),
        }
    }
}

/// `origin/main` may be a tag, a branch and a remote branch at once, and whoever may push a tag
/// would choose which.
fn refuse_ambiguous(reference: &str, repository: &gix::Repository) -> Result<(), OriginError> {
    if reference.starts_with("refs/") {
        return Ok(());
    }
    let mut found = Vec::new();
    for space in ["refs/tags/", "refs/heads/", "refs/remotes/"] {
        let full = format!("{space}{reference}");
        if let Ok(Some(_)) = repository.try_find_reference(full.as_str()) {
            found.push(full);
        }
    }
    match found.as_slice() {
        [] | [_] => Ok(()),
        [first, second, ..] => Err(error(
            format!("`{reference}` means both `{first}` and `{second}`"),
            "write the one that you trust in full",
        )),
    }
}

fn missing(reference: &str, repository: &gix::Repository) -> OriginError {
    let shallow = repository.is_shallow().unwrap_or(false);
    let hint = match reference.split_once('/') {
        Some((remote, branch)) if remote != "refs" => {
            let depth = if shallow { "--depth=1 " } else { "" };
            format!("fetch it: git fetch {depth}{remote} {branch}:refs/remotes/{remote}/{branch}")
        }
        _ => "fetch it before the run".to_owned(),
    };
    let clone = if shallow {
        "this shallow clone"
    } else {
        "this clone"
    };
    error(
        format!("there is no ref, tag or commit `{reference}` in {clone}"),
        hint,
    )
}

fn incomplete(reference: &str, repository: &gix::Repository, why: &str) -> OriginError {
    let shallow = repository.is_shallow().unwrap_or(false);
    let clone = if shallow {
        "the clone is shallow and"
    } else {
        "the clone"
    };
    error(
        format!("`{reference}` cannot be read: {clone} lacks a part of it: {why}"),
        "fetch it whole, without `--filter`",
    )
}

impl Tree {
    fn inside(&self, path: &Path) -> Result<PathBuf, OriginError> {
        let inside = self.clean(path)?;
        if inside.as_os_str().is_empty() {
            return Err(error(
                "is the folder of the repository",
                "name the file in it",
            ));
        }
        Ok(inside)
    }

    /// A path relative to the root of the repository, without `.` and `..`.
    fn clean(&self, path: &Path) -> Result<PathBuf, OriginError> {
        let outside = || {
            error(
                format!("{} is outside of the repository", path.display()),
                "what a ref decides must be in that ref",
            )
        };
        let here = fs::canonicalize(".").unwrap_or_default();
        let joined = match &self.workdir {
            Some(_) => here.join(path),
            None => Path::new("/").join(path),
        };
        let mut clean = PathBuf::new();
        for part in joined.components() {
            match part {
                Component::ParentDir => {
                    clean.pop();
                }
                Component::CurDir => {}
                part => clean.push(part),
            }
        }
        let root = self.workdir.as_deref().unwrap_or(Path::new("/"));
        let inside = clean.strip_prefix(root).map_err(|_| outside())?;
        Ok(inside.to_owned())
    }

    fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, OriginError> {
        let inside = self.inside(path)?;
        let short = self.commit.to_hex_with_len(7);
        let repository = self.repository.to_thread_local();
        let lacks = |e: &dyn std::error::Error| incomplete(&self.reference, &repository, &chain(e));
        let tree = repository.find_tree(self.root).map_err(|e| lacks(&e))?;
        let entry = tree.lookup_entry_by_path(&inside).map_err(|e| lacks(&e))?;
        let Some(entry) = entry else {
            return Err(error(
                format!("no such file in {} ({short})", self.reference),
                "a policy must be merged before it can be trusted",
            ));
        };
        let mode = entry.mode();
        if mode.is_link() {
            return Err(error(
                "is a symbolic link, which is not followed in a ref",
                "name the file that it leads to",
            ));
        }
        if !mode.is_blob() {
            return Err(error("is a folder", "name the file in it"));
        }
        let size = repository
            .find_header(entry.object_id())
            .map_err(|e| lacks(&e))?;
        if size.size() > most {
            return Err(too_large(most));
        }
        let object = entry.object().map_err(|e| lacks(&e))?;
        Ok(object.detach().data)
    }
}

fn too_large(most: u64) -> OriginError {
    error(
        format!("larger than {} MiB", most / 1024 / 1024),
        "this is not a readygate config",
    )
}

fn from_disk(path: &Path, most: u64) -> Result<Vec<u8>, OriginError> {
    let plain = |e: io::Error| error(e.to_string(), "");
    let metadata = fs::metadata(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => error(
            "no such file",
            "name it with -c, or write one: readygate init",
        ),
        _ => plain(e),
    })?;
    if metadata.is_dir() {
        return Err(error(
            "is a folder",
            "name the file in it: -c FOLDER/readygate.yaml",
        ));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(plain)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(plain)?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}
