//! Scans the git history: every file content that a commit adds, once.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use gix::{ObjectId, Repository, ThreadSafeRepository, objs::TreeRefIter};
use readygate_sdk::{Cx, ProbeError};

use crate::{
    collect::{Collector, Origin},
    detect,
    measurement::{HistoryScan, Unread},
    tree::{in_time, is_binary, lock, scan_text, wide_text, workers},
};

/// Folders inside of folders, as deep as any real tree.
const DEEP: usize = 200;
/// Contents that wait to be scanned.
const WAITING: usize = 256;
/// Things that are named in the record.
const NAMED: usize = 100;

/// A repository that was found.
pub(crate) struct Repo {
    shared: ThreadSafeRepository,
}

/// One content to scan.
struct Job {
    blob: ObjectId,
    path: String,
    commit: ObjectId,
    order: u64,
}

impl Repo {
    /// The repository around `directory`, if there is one.
    pub fn discover(directory: &Path) -> Result<Option<Self>, String> {
        match ThreadSafeRepository::discover(directory) {
            Ok(shared) => Ok(Some(Self { shared })),
            Err(_) if !is_inside(directory) => Ok(None),
            Err(e) => Err(chain(&e)),
        }
    }

    /// The folder of the work tree.
    pub fn root(&self) -> Option<PathBuf> {
        self.shared
            .to_thread_local()
            .workdir()
            .map(Path::to_path_buf)
    }

    /// The files of the index, relative to the work tree.
    pub fn tracked(&self) -> Result<Vec<PathBuf>, String> {
        let repo = self.shared.to_thread_local();
        let index = repo.index_or_empty().map_err(|e| chain(&e))?;
        let paths = index.entries().iter().filter(|e| !e.mode.is_submodule());
        let path = |e: &gix::index::Entry| {
            gix::path::from_bstr(e.path(&index)).map(std::borrow::Cow::into_owned)
        };
        Ok(paths.filter_map(|e| path(e).ok()).collect())
    }

    /// Scans `all` or a range.
    pub fn scan(
        &self,
        range: &str,
        max_blob: u64,
        collector: &Mutex<Collector>,
        cx: &Cx,
    ) -> Result<HistoryScan, ProbeError> {
        let mut repo = self.shared.to_thread_local();
        repo.object_cache_size(16 << 20);
        let mut done = HistoryScan {
            range: range.to_owned(),
            ..HistoryScan::default()
        };
        let walk = match walk(&repo, range, cx)? {
            Ok(walk) => walk,
            Err(why) => {
                done.incomplete = Some(why);
                return Ok(done);
            }
        };
        done.incomplete = walk.incomplete;
        let mut plan = Plan::new(&repo, collector);
        for base in &walk.bases {
            plan.know(*base);
        }
        let reader = Reader::new(collector, cx, max_blob);
        let (send, receive) = mpsc::sync_channel::<Job>(WAITING);
        let receive = Mutex::new(receive);
        std::thread::scope(|scope| {
            for _ in 0..workers() {
                scope.spawn(|| reader.work(self.shared.to_thread_local(), &receive));
            }
            let total = walk.commits.len();
            for (number, commit) in walk.commits.iter().enumerate() {
                if cx.is_over() {
                    break;
                }
                if number > 0 && number % 5_000 == 0 {
                    cx.progress(&format!("{number} of {total} commits looked at"));
                }
                plan.commit(*commit, &send);
                done.commits += 1;
            }
            drop(send);
        });
        in_time(cx, "the git history")?;
        reader.finish(&mut done);
        let lost = plan.lost.or(reader_lost(&reader));
        if done.incomplete.is_none() {
            done.incomplete = lost;
        }
        Ok(done)
    }
}

fn reader_lost(reader: &Reader<'_>) -> Option<String> {
    lock(&reader.lost).clone()
}

/// Whether a folder or one above it looks like a repository, broken or not.
fn is_inside(directory: &Path) -> bool {
    let path = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_path_buf());
    path.ancestors().any(|folder| folder.join(".git").exists())
}

/// What to look at.
struct Walk {
    /// The oldest first.
    commits: Vec<ObjectId>,
    /// Commits just below the range, whose contents are not new.
    bases: Vec<ObjectId>,
    incomplete: Option<String>,
}

/// Lists the commits; the inner error says why the history is missing.
fn walk(repo: &Repository, range: &str, cx: &Cx) -> Result<Result<Walk, String>, ProbeError> {
    let Ends {
        tips,
        hidden,
        mut incomplete,
    } = match ends(repo, range) {
        Ok(ends) => ends,
        Err(why) => return Ok(Err(why)),
    };
    if tips.is_empty() {
        let why = incomplete.unwrap_or_else(|| "the repository has no commit".to_owned());
        return Ok(Err(why));
    }
    let shallow: HashSet<ObjectId> = match repo.shallow_commits() {
        Ok(commits) => commits.iter().flat_map(|c| c.iter().copied()).collect(),
        Err(e) => return Ok(Err(chain(&e))),
    };
    let order = gix::revision::walk::Sorting::ByCommitTime(
        gix::traverse::commit::simple::CommitTimeOrder::NewestFirst,
    );
    let walk = match repo.rev_walk(tips).with_hidden(hidden).sorting(order).all() {
        Ok(walk) => walk,
        Err(e) => return Ok(Err(chain(&e))),
    };
    let (mut commits, mut parents) = (Vec::new(), HashSet::new());
    for info in walk {
        in_time(cx, "the git history")?;
        match info {
            Ok(info) => {
                if shallow.contains(&info.id) {
                    incomplete =
                        Some("the clone is shallow: commits before it are missing".to_owned());
                }
                commits.push(info.id);
                if range != "all" {
                    parents.extend(info.parent_ids.iter().copied());
                }
            }
            Err(e) => {
                incomplete = Some(format!("a commit cannot be read: {}", chain(&e)));
                break;
            }
        }
    }
    if commits.is_empty() && incomplete.is_none() {
        incomplete = Some("no commit lies in the range".to_owned());
    }
    commits.reverse();
    for commit in &commits {
        parents.remove(commit);
    }
    Ok(Ok(Walk {
        commits,
        bases: parents.into_iter().collect(),
        incomplete,
    }))
}

/// Where to walk from and what to hide.
struct Ends {
    tips: Vec<ObjectId>,
    hidden: Vec<ObjectId>,
    /// Why tips are missing, if some are.
    incomplete: Option<String>,
}

fn ends(repo: &Repository, range: &str) -> Result<Ends, String> {
    if let Some((base, head)) = range.split_once("..").filter(|_| range != "all") {
        let find = |spec: &str| {
            let id = repo
                .rev_parse_single(spec.trim())
                .map_err(|e| format!("`{spec}` is not in the clone: {}", chain(&e)))?;
            let commit = id
                .object()
                .and_then(|o| o.peel_to_kind(gix::object::Kind::Commit));
            commit
                .map(|c| c.id)
                .map_err(|e| format!("`{spec}` is no commit: {}", chain(&e)))
        };
        return Ok(Ends {
            tips: vec![find(head)?],
            hidden: vec![find(base)?],
            incomplete: None,
        });
    }
    all_ends(repo)
}

/// Every branch, tag and other ref, and HEAD.
fn all_ends(repo: &Repository) -> Result<Ends, String> {
    let (mut tips, mut incomplete) = (Vec::new(), None);
    let platform = repo.references().map_err(|e| chain(&e))?;
    for reference in platform.all().map_err(|e| chain(&e))? {
        let mut reference = match reference {
            Ok(reference) => reference,
            Err(e) => {
                incomplete.get_or_insert_with(|| format!("a ref cannot be read: {e}"));
                continue;
            }
        };
        // What a symbolic ref points to is a ref of its own, or gone, such as the branch of a
        // stale `origin/HEAD`.
        if matches!(reference.target(), gix::refs::TargetRef::Symbolic(_)) {
            continue;
        }
        let name = reference.name().as_bstr().to_string();
        let peeled = reference.peel_to_id().map_err(|e| chain(&e));
        let kind = peeled.and_then(|id| {
            let header = id.header().map_err(|e| chain(&e))?;
            Ok((id.detach(), header.kind()))
        });
        match kind {
            Ok((id, gix::object::Kind::Commit)) => tips.push(id),
            Ok(_) => {}
            Err(why) => {
                incomplete.get_or_insert_with(|| {
                    format!("what `{name}` points to is missing in the clone: {why}")
                });
            }
        }
    }
    match repo.head_id() {
        Ok(head) => tips.push(head.detach()),
        Err(e) if !repo.head().is_ok_and(|head| head.is_unborn()) => {
            incomplete.get_or_insert_with(|| {
                format!(
                    "what `HEAD` points to is missing in the clone: {}",
                    chain(&e)
                )
            });
        }
        Err(_) => {}
    }
    tips.sort();
    tips.dedup();
    Ok(Ends {
        tips,
        hidden: Vec::new(),
        incomplete,
    })
}

/// Goes through the trees of commits and picks contents that were not there before. A tree that was
/// gone through holds nothing new, so each is read once; where paths are allowed, once a folder.
struct Plan<'a> {
    repo: &'a Repository,
    collector: &'a Mutex<Collector>,
    by_path: bool,
    trees: HashSet<(ObjectId, String)>,
    blobs: HashSet<ObjectId>,
    /// Contents at paths that an allowance names: they say nothing about other paths.
    placed: HashSet<(ObjectId, String)>,
    jobs: u64,
    lost: Option<String>,
}

impl<'a> Plan<'a> {
    fn new(repo: &'a Repository, collector: &'a Mutex<Collector>) -> Self {
        Self {
            repo,
            collector,
            by_path: lock(collector).allowed().names_paths(),
            trees: HashSet::new(),
            blobs: HashSet::new(),
            placed: HashSet::new(),
            jobs: 0,
            lost: None,
        }
    }

    fn tree_of(&mut self, commit: ObjectId) -> Option<ObjectId> {
        let found = self.repo.find_commit(commit).map_err(|e| chain(&e));
        let tree = found.and_then(|c| c.tree_id().map(gix::Id::detach).map_err(|e| chain(&e)));
        tree.map_err(|e| self.lose(commit, &e)).ok()
    }

    fn lose(&mut self, id: ObjectId, why: &str) {
        self.lost
            .get_or_insert_with(|| format!("object {id} is missing in the clone: {why}"));
    }

    /// Marks what a commit below the range holds.
    fn know(&mut self, commit: ObjectId) {
        if let Some(tree) = self.tree_of(commit) {
            self.visit(tree, "", 0, &mut |plan, blob, path| {
                plan.is_new(blob, &path);
            });
        }
    }

    /// Whether a content was not met before, as far as this path is concerned; it is from now on.
    fn is_new(&mut self, blob: ObjectId, path: &str) -> bool {
        if self.blobs.contains(&blob) {
            return false;
        }
        if self.by_path && lock(self.collector).allowed().depends_on(path) {
            return self.placed.insert((blob, path.to_owned()));
        }
        self.blobs.insert(blob)
    }

    fn commit(&mut self, commit: ObjectId, send: &mpsc::SyncSender<Job>) {
        let Some(tree) = self.tree_of(commit) else {
            return;
        };
        self.visit(tree, "", 0, &mut |plan, blob, path| {
            if !plan.is_new(blob, &path) {
                return;
            }
            plan.jobs += 1;
            let order = plan.jobs;
            // Where no one receives, the time is over.
            let _ = send.send(Job {
                blob,
                path,
                commit,
                order,
            });
        });
    }

    fn visit(
        &mut self,
        tree: ObjectId,
        folder: &str,
        depth: usize,
        found: &mut dyn FnMut(&mut Self, ObjectId, String),
    ) {
        if depth > DEEP {
            self.lost.get_or_insert_with(|| {
                format!("folders lie deeper than {DEEP}, and what is in them was not scanned")
            });
            return;
        }
        let place = if self.by_path { folder } else { "" };
        if !self.trees.insert((tree, place.to_owned())) {
            return;
        }
        let data = match self.repo.find_object(tree) {
            Ok(object) => object.detach().data,
            Err(e) => return self.lose(tree, &chain(&e)),
        };
        for entry in TreeRefIter::from_bytes(&data, tree.kind()) {
            let Ok(entry) = entry else {
                return self.lose(tree, "the tree is damaged");
            };
            let path = format!("{folder}{}", entry.filename);
            if entry.mode.is_tree() {
                self.visit(entry.oid.to_owned(), &format!("{path}/"), depth + 1, found);
            } else if entry.mode.is_blob() {
                found(self, entry.oid.to_owned(), path);
            }
        }
    }
}

/// Reads and scans contents, on several threads.
struct Reader<'a> {
    collector: &'a Mutex<Collector>,
    cx: &'a Cx,
    max_blob: u64,
    blobs: AtomicU64,
    bytes: AtomicU64,
    binaries: AtomicU64,
    too_large: Mutex<Vec<Unread>>,
    lost: Mutex<Option<String>>,
}

impl<'a> Reader<'a> {
    fn new(collector: &'a Mutex<Collector>, cx: &'a Cx, max_blob: u64) -> Self {
        Self {
            collector,
            cx,
            max_blob,
            blobs: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            binaries: AtomicU64::new(0),
            too_large: Mutex::new(Vec::new()),
            lost: Mutex::new(None),
        }
    }

    fn work(&self, mut repo: Repository, jobs: &Mutex<mpsc::Receiver<Job>>) {
        repo.object_cache_size(None);
        loop {
            let job = lock(jobs).recv();
            let Ok(job) = job else { return };
            if !self.cx.is_over()
                && let Err(why) = self.read(&repo, &job)
            {
                lock(&self.lost).get_or_insert_with(|| {
                    format!(
                        "object {} ({}) is missing in the clone: {why}",
                        job.blob, job.path
                    )
                });
            }
        }
    }

    fn read(&self, repo: &Repository, job: &Job) -> Result<(), String> {
        let size = repo.find_header(job.blob).map_err(|e| chain(&e))?.size();
        if size > self.max_blob {
            let mut list = lock(&self.too_large);
            if list.len() < NAMED {
                list.push(Unread {
                    path: job.path.clone(),
                    reason: format!("it has {size} bytes in commit {}", job.commit),
                });
            }
            return Ok(());
        }
        let object = repo.find_object(job.blob).map_err(|e| chain(&e))?;
        let commit = job.commit.to_string();
        let origin = Origin {
            path: &job.path,
            commit: Some(&commit),
            lines: 0,
            order: job.order,
        };
        if is_binary(&object.data) {
            self.binaries.fetch_add(1, Ordering::Relaxed);
            if let Some(hit) = detect::key_store(&job.path, &object.data) {
                lock(self.collector).take(origin, &object.data[..hit.end], &[hit]);
            }
            return Ok(());
        }
        self.blobs.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        match wide_text(&object.data) {
            Some(text) => scan_text(origin, &text, self.collector),
            None => scan_text(origin, &object.data, self.collector),
        }
        Ok(())
    }

    fn finish(&self, done: &mut HistoryScan) {
        done.blobs = self.blobs.load(Ordering::Relaxed);
        done.bytes = self.bytes.load(Ordering::Relaxed);
        done.binaries = self.binaries.load(Ordering::Relaxed);
        done.too_large = std::mem::take(&mut *lock(&self.too_large));
        done.too_large.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.replace('\n', " ")
}
