//! What git knows of a release: its commits, who wrote them, and what they changed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use gix::{ObjectId, Repository};
use jiff::Timestamp;

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
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

impl Repo {
    /// The repository around a folder.
    pub fn discover(directory: &Path) -> Result<Self, String> {
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        gix::discover(directory)
            .map(|inner| Self { inner })
            .map_err(|e| format!("no git repository: {}", chain(&e)))
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
