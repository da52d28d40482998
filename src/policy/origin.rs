//! Where the policy is read from: the disk, or a git ref that the change under test cannot touch.

use std::{
    fs, io,
    io::Read as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use gix::{ObjectId, ThreadSafeRepository, discover::upwards, object::Kind};

use super::name;
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
    workdir: PathBuf,
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

pub(super) fn error(message: impl Into<String>, help: impl Into<String>) -> OriginError {
    OriginError {
        message: message.into(),
        help: help.into(),
    }
}

/// gix puts the story into the chain of causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

impl Origin {
    /// The tree of a ref, tag or commit in the repository around the current folder.
    ///
    /// # Errors
    /// No repository, no such ref, a name that means two things or a tag without saying so, a clone
    /// that lacks the commit.
    pub fn of_ref(reference: &str) -> Result<Self, OriginError> {
        Self::in_repository(reference, Path::new("."))
    }

    /// The same in the repository around a folder.
    pub fn in_repository(reference: &str, folder: &Path) -> Result<Self, OriginError> {
        let (repository, workdir) = around(reference, folder)?;
        let local = repository.to_thread_local();
        let commit = name::find(reference, &local)?
            .object()
            .and_then(|object| object.peel_to_kind(Kind::Commit))
            .map_err(|e| incomplete(reference, &local, &chain(&e)))?;
        let commit = commit.id;
        let root = local
            .find_commit(commit)
            .and_then(|c| Ok(c.tree_id()?.detach()))
            .map_err(|e| incomplete(reference, &local, &chain(&e)))?;
        Ok(Self::Ref(Arc::new(Tree {
            reference: reference.to_owned(),
            repository,
            commit,
            root,
            workdir,
        })))
    }

    /// Whether the repository around the current folder knows a ref, tag or commit of this name, be
    /// it one that would not be trusted.
    pub fn is_ref(name: &str) -> bool {
        around(name, Path::new("."))
            .is_ok_and(|(repository, _)| name::is_known(name, &repository.to_thread_local()))
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

    /// The repository that a ref was read from; none for the disk.
    pub fn repository(&self) -> Option<gix::Repository> {
        match self {
            Self::Disk => None,
            Self::Ref(tree) => Some(tree.repository.to_thread_local()),
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
                tree.workdir.join(path)
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

    /// The bytes of a regular file of at most `most` bytes. The message does not repeat the path.
    pub fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, OriginError> {
        self.read_as(path, most, false)
    }

    /// The same of what the user named: that may also be a pipe, as in `-c <(generate)`. What a file
    /// of the policy names must not be: a change could keep a run waiting for good.
    pub fn read_named(&self, path: &Path, most: u64) -> Result<Vec<u8>, OriginError> {
        self.read_as(path, most, true)
    }

    fn read_as(&self, path: &Path, most: u64, may_wait: bool) -> Result<Vec<u8>, OriginError> {
        match self {
            Self::Disk => from_disk(path, most, may_wait),
            Self::Ref(tree) => tree.read(path, most),
        }
    }
}

/// The repository around a folder, and its work tree. A folder that itself looks like a bare
/// repository is none: files of a change can look like one, and would say what every ref is.
fn around(reference: &str, folder: &Path) -> Result<(ThreadSafeRepository, PathBuf), OriginError> {
    let none = |why: &str| {
        error(
            format!("`{reference}` cannot be read: no git repository here: {why}"),
            "run readygate inside the clone",
        )
    };
    let options = upwards::Options {
        dot_git_only: true,
        ..upwards::Options::default()
    };
    let folder = fs::canonicalize(folder).map_err(|e| none(&e.to_string()))?;
    let trust = gix::sec::trust::Mapping::default();
    let repository = ThreadSafeRepository::discover_opts(&folder, options, trust)
        .map_err(|e| none(&chain(&e)))?;
    let workdir = repository.work_dir().map(fs::canonicalize);
    let Some(Ok(workdir)) = workdir else {
        return Err(none("the one that was found has no work tree"));
    };
    if !folder.starts_with(&workdir) {
        let workdir = workdir.display();
        return Err(none(&format!("the one that was found is about {workdir}")));
    }
    Ok((repository, workdir))
}

pub(super) fn missing(reference: &str, repository: &gix::Repository) -> OriginError {
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

pub(super) fn incomplete(reference: &str, repository: &gix::Repository, why: &str) -> OriginError {
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
        let joined = here.join(path);
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
        let inside = clean.strip_prefix(&self.workdir).map_err(|_| outside())?;
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

fn from_disk(path: &Path, most: u64, may_wait: bool) -> Result<Vec<u8>, OriginError> {
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
    if !may_wait && !metadata.is_file() {
        return Err(error(
            "is not a regular file",
            "name a regular file: a pipe or a device could keep the run waiting",
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
