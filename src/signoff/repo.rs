//! What git knows of a release: its commits, who wrote them, and what they changed.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use gix::{ObjectId, Repository, ThreadSafeRepository, discover::upwards, sec::trust::Mapping};
use jiff::Timestamp;

use crate::config::Config;

/// Commits of one release.
const MOST_COMMITS: usize = 10_000;
/// Paths that a difference tells before it is plainly too large.
const MOST_PATHS: usize = 10_000;
/// Folders inside of folders, as deep as any real tree.
const DEEP: usize = 200;

/// A repository.
pub struct Repo {
    inner: Repository,
}

/// The whole story; gix puts it into the chain of causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl Repo {
    /// The repository of a release: the one that the ref of its policy was read from, else the one
    /// around its config. A policy of a ref has a folder by name only. What is there on disk is the
    /// change's: nothing, a link that leads elsewhere, or a submodule with commits of its own.
    ///
    /// # Errors
    /// There is none around the config.
    pub fn of(config: &Config) -> Result<Self, String> {
        match config.origin.repository() {
            Some(inner) => Ok(Self { inner }),
            None => Self::discover(&config.directory),
        }
    }

    /// The repository whose work tree holds a folder. A bare repository on the way is passed by:
    /// whoever can add files could put one beside the config, with another history.
    ///
    /// # Errors
    /// There is none, or its work tree is elsewhere.
    pub fn discover(directory: &Path) -> Result<Self, String> {
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        let options = upwards::Options {
            dot_git_only: true,
            ..upwards::Options::default()
        };
        let inner: Repository =
            ThreadSafeRepository::discover_opts(directory, options, Mapping::default())
                .map_err(|e| format!("no git repository: {}", chain(&e)))?
                .into();
        let real = |path: &Path| path.canonicalize().map_err(|e| e.to_string());
        let root = inner
            .workdir()
            .ok_or("the git repository has no work tree")?;
        if !real(directory)?.starts_with(real(root)?) {
            return Err(format!(
                "the work tree of the git repository is {}, elsewhere",
                root.display()
            ));
        }
        Ok(Self { inner })
    }

    /// The commit that a revision names.
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, String> {
        let id = self
            .inner
            .rev_parse_single(revision)
            .map_err(|e| format!("`{revision}` is not in the clone: {}", chain(&e)))?;
        let commit = id
            .object()
            .map_err(|e| chain(&e))
            .and_then(|o| {
                o.peel_to_kind(gix::object::Kind::Commit)
                    .map_err(|e| chain(&e))
            })
            .map_err(|e| format!("`{revision}` is no commit: {e}"))?;
        Ok(commit.id)
    }

    /// When a commit was made, by its committer's word.
    pub fn time(&self, commit: ObjectId) -> Option<Timestamp> {
        let time = self.inner.find_commit(commit).ok()?.time().ok()?;
        Timestamp::from_second(time.seconds).ok()
    }

    /// The first parent, where the clone has it.
    pub fn parent(&self, commit: ObjectId) -> Option<ObjectId> {
        let commit = self.inner.find_commit(commit).ok()?;
        let parent = commit.parent_ids().next()?.detach();
        self.inner.find_commit(parent).ok().map(|c| c.id)
    }

    /// A path relative to the work tree; `None` for one that is not inside.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let root = self.inner.workdir()?.canonicalize().ok()?;
        let folder = path.parent()?;
        // The file may exist in a commit only, and so may its folders.
        let real = folder.ancestors().find_map(|known| {
            let rest = folder.strip_prefix(known).ok()?;
            Some(known.canonicalize().ok()?.join(rest))
        })?;
        let full = real.join(path.file_name()?);
        full.strip_prefix(root).ok().map(Path::to_path_buf)
    }

    /// A path relative to the work tree as it is written: no link inside of it is followed.
    pub fn lexical(&self, path: &Path) -> Option<PathBuf> {
        let root = self.inner.workdir()?.canonicalize().ok()?;
        let full = std::path::absolute(path).ok()?;
        let is_root = |at: &&Path| at.canonicalize().is_ok_and(|at| at == root);
        let rest = full.strip_prefix(full.ancestors().find(is_root)?).ok()?;
        let mut plain = PathBuf::new();
        for part in rest.components() {
            match part {
                Component::Normal(name) => plain.push(name),
                Component::ParentDir if plain.pop() => {}
                _ => return None,
            }
        }
        Some(plain)
    }

    /// Where a path leads to, relative to the work tree; `None` for what is not there or outside.
    pub fn real(&self, path: &Path) -> Option<PathBuf> {
        let root = self.inner.workdir()?.canonicalize().ok()?;
        let real = path.canonicalize().ok()?;
        real.strip_prefix(root).ok().map(Path::to_path_buf)
    }

    /// The symbolic link inside of the work tree that a path leads through.
    pub fn link(&self, path: &Path) -> Option<PathBuf> {
        let root = self.inner.workdir()?.canonicalize().ok()?;
        let full = std::path::absolute(path).ok()?;
        let is_inside = |at: &Path| {
            let folder = at.parent().and_then(|folder| folder.canonicalize().ok());
            folder.is_some_and(|folder| folder.starts_with(&root))
        };
        let mut links = full.ancestors().filter(|at| at.is_symlink());
        links.find(|at| is_inside(at)).map(Path::to_path_buf)
    }

    /// Paths in which two commits differ.
    pub fn changed(&self, from: ObjectId, to: ObjectId) -> Result<Vec<PathBuf>, String> {
        let tree = |commit| {
            let commit = self.inner.find_commit(commit).map_err(|e| chain(&e))?;
            let tree = commit.tree_id().map_err(|e| chain(&e))?;
            Ok::<_, String>(Some(tree.detach()))
        };
        let mut paths = Vec::new();
        self.compare(tree(from)?, tree(to)?, Path::new(""), 0, &mut paths)?;
        Ok(paths)
    }

    /// Walks two trees side by side; what has the same id is the same all the way down.
    fn compare(
        &self,
        from: Option<ObjectId>,
        to: Option<ObjectId>,
        at: &Path,
        depth: usize,
        paths: &mut Vec<PathBuf>,
    ) -> Result<(), String> {
        if depth > DEEP || paths.len() > MOST_PATHS {
            return Err("the commits differ too much to compare".to_owned());
        }
        let (old, new) = (self.entries(from)?, self.entries(to)?);
        let names: BTreeSet<&PathBuf> = old.iter().chain(&new).map(|(name, _)| name).collect();
        for name in names {
            let find = |list: &[(PathBuf, Entry)]| {
                list.iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, entry)| *entry)
            };
            let (old, new) = (find(&old), find(&new));
            if old == new {
                continue;
            }
            let path = at.join(name);
            let folder = |entry: Option<Entry>| entry.filter(|e| e.is_tree).map(|e| e.id);
            let file = |entry: Option<Entry>| entry.filter(|e| !e.is_tree);
            if file(old) != file(new) {
                paths.push(path.clone());
            }
            if folder(old) != folder(new) {
                self.compare(folder(old), folder(new), &path, depth + 1, paths)?;
            }
        }
        Ok(())
    }

    fn entries(&self, tree: Option<ObjectId>) -> Result<Vec<(PathBuf, Entry)>, String> {
        let Some(tree) = tree else {
            return Ok(Vec::new());
        };
        let tree = self.inner.find_tree(tree).map_err(|e| chain(&e))?;
        let entries = tree.iter().map(|entry| {
            let entry = entry.map_err(|e| chain(&e))?;
            let name = gix::path::from_bstr(entry.filename())
                .map_err(|e| chain(&e))?
                .into_owned();
            let mode = entry.mode();
            let found = Entry {
                id: entry.object_id(),
                is_tree: mode.is_tree(),
                mode: mode.value(),
            };
            Ok((name, found))
        });
        entries.collect()
    }

    /// E-mail addresses, in lower case, of everybody who wrote or committed a commit of the range
    /// that `counts`. A commit that cannot be read makes the answer unknown.
    pub fn authors(
        &self,
        base: Option<ObjectId>,
        head: ObjectId,
        counts: impl Fn(&[PathBuf]) -> bool,
    ) -> Result<BTreeSet<String>, String> {
        let commits = match base {
            Some(base) => self.between(base, head)?,
            None => vec![head],
        };
        let mut found = BTreeSet::new();
        for id in commits {
            let commit = self.inner.find_commit(id).map_err(|e| chain(&e))?;
            // Where the clone is cut off, every file looks new, and so the commit counts.
            if let Some(parent) = self.parent(id)
                && !counts(&self.changed(parent, id)?)
            {
                continue;
            }
            for person in [commit.author(), commit.committer()] {
                let person = person.map_err(|e| chain(&e))?;
                found.insert(person.email.to_string().trim().to_lowercase());
            }
        }
        Ok(found)
    }

    fn between(&self, base: ObjectId, head: ObjectId) -> Result<Vec<ObjectId>, String> {
        let shallow: BTreeSet<ObjectId> = match self.inner.shallow_commits() {
            Ok(commits) => commits.iter().flat_map(|c| c.iter().copied()).collect(),
            Err(e) => return Err(chain(&e)),
        };
        let walk = self
            .inner
            .rev_walk([head])
            .with_hidden([base])
            .all()
            .map_err(|e| chain(&e))?;
        let mut commits = Vec::new();
        for info in walk {
            let info = info.map_err(|e| chain(&e))?;
            if shallow.contains(&info.id) {
                return Err("the clone is shallow: commits of the release are missing".to_owned());
            }
            commits.push(info.id);
            if commits.len() > MOST_COMMITS {
                return Err(format!("more than {MOST_COMMITS} commits"));
            }
        }
        Ok(commits)
    }
}

/// One line of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    id: ObjectId,
    is_tree: bool,
    mode: u16,
}
