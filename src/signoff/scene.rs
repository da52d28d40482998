//! What statements are held against: the run, its policy, its commit, and who may sign.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use gix::ObjectId;
use jiff::Timestamp;
use readygate_sdk::Masker;
use readygate_signoff::SignoffConfig;

use super::{
    allowed_signers::AllowedSigners,
    config::Role,
    repo::Repo,
    revoked::Revoked,
    signature::Trust,
    statement::{Digests, Subject},
    trust::Source,
    vector::shown,
};
use crate::{
    config::{Config, Gate},
    record::Run,
};

/// Says that nobody looks at who wrote the release.
const UNCHECKED: &str = "unchecked";

/// What deciding needs besides the record.
pub struct Inputs<'a> {
    /// The policy.
    pub config: &'a Config,
    /// Its gates, in the order of the record.
    pub gates: &'a [&'a Gate],
    /// The folder of statements and requests, where it is not that of the config.
    pub directory: Option<&'a Path>,
    /// The run was made just now in this work tree, so that its commit is that of the work tree
    /// where the config names none.
    pub fresh: bool,
    /// Where the lists of keys are read from.
    pub trust: &'a Source,
    /// Now, UTC.
    pub now: Timestamp,
    /// The moment at which waivers must hold: the end of the run, or now where it is decided anew.
    pub waived_at: Timestamp,
}

/// The circumstances of one run.
pub struct Scene<'a> {
    /// The policy.
    pub config: &'a Config,
    /// Its gates.
    pub gates: &'a [&'a Gate],
    /// Now, UTC.
    pub now: Timestamp,
    /// The secrets, which no text that is shown may hold.
    pub masker: Masker,
    /// The folder of statements and requests.
    pub directory: PathBuf,
    /// The commit that is released: a full hash.
    pub commit: Option<String>,
    /// Its artifact: bare hex.
    pub artifact: Option<String>,
    /// Where it goes.
    pub environment: String,
    /// The stages that were selected, sorted.
    pub stages: Vec<String>,
    /// The release, where one was named.
    pub release: Option<String>,
    /// The policy, by its digest.
    pub policy: String,
    named: Option<String>,
    repo: Option<Repo>,
    head: Option<ObjectId>,
    authors: OnceCell<Result<BTreeSet<String>, String>>,
}

impl<'a> Scene<'a> {
    /// Looks at the repository of the release.
    pub fn new(run: &Run, inputs: &Inputs<'a>) -> Self {
        let config = inputs.config;
        let repo = Repo::of(config).ok();
        let named = run.target.commit.as_deref().map(str::trim);
        let revision = named.or(inputs.fresh.then_some("HEAD"));
        let revision = revision.filter(|name| !name.is_empty());
        let head = repo.as_ref().and_then(|repo| repo.resolve(revision?).ok());
        let mut stages = run.selection.stages.clone();
        stages.sort();
        stages.dedup();
        let target = &run.target;
        let own = || plain(&config.directory.join(config.signoffs.directory()));
        Self {
            config,
            gates: inputs.gates,
            now: inputs.now,
            masker: Masker::new(config.secrets.iter().map(String::as_str)),
            directory: inputs.directory.map_or_else(own, Path::to_path_buf),
            commit: head.map(|id| id.to_string()).or_else(|| {
                let hash = named.filter(|name| is_hash(name));
                hash.map(str::to_owned)
            }),
            artifact: target
                .artifact
                .as_ref()
                .map(|a| a.strip_prefix("sha256:").unwrap_or(a).to_owned()),
            environment: target.environment.as_ref().unwrap_or(&target.name).clone(),
            stages,
            release: run.release.clone(),
            policy: run.config.sha256.clone(),
            named: named.map(str::to_owned),
            repo,
            head,
            authors: OnceCell::new(),
        }
    }

    /// What is released, as a statement names it.
    pub fn subject(&self) -> Vec<Subject> {
        let subject = |name: &str, kind: &str, hex: &String| Subject {
            name: name.to_owned(),
            digest: Digests::from([(kind.to_owned(), hex.clone())]),
        };
        let commit = self.commit.iter();
        let artifact = self.artifact.iter();
        commit
            .map(|hex| subject("release", "gitCommit", hex))
            .chain(artifact.map(|hex| subject("artifact", "sha256", hex)))
            .collect()
    }

    /// Roles, by name.
    pub fn roles(&self) -> &BTreeMap<String, Role> {
        &self.config.roles
    }

    /// Reads who may sign; the error says why nobody can.
    pub fn trust(&self, source: &Source) -> Result<Trust, String> {
        self.is_bound()?;
        let settings = &self.config.signoffs;
        let Some(path) = &settings.allowed_signers else {
            return Err("the config names no `signoffs: { allowed_signers: FILE }`".to_owned());
        };
        let read = |path: &Path| source.read_text(&self.config.directory, path);
        let text = read(path).map_err(|e| e.to_string())?;
        let place = |path: &Path, e: &dyn std::fmt::Display| format!("{}:{e}", path.display());
        let allowed = AllowedSigners::parse(&text).map_err(|e| place(path, &e))?;
        let revoked = match &settings.revoked {
            Some(path) => {
                let text = read(path).map_err(|e| e.to_string())?;
                Revoked::parse(&text).map_err(|e| place(path, &e))?
            }
            None => Revoked::default(),
        };
        Ok(Trust {
            allowed,
            revoked,
            namespace: settings.namespace().to_owned(),
        })
    }

    /// Whether there is something that a signature can be for, and a folder that holds nothing else.
    fn is_bound(&self) -> Result<(), String> {
        let named = self.named.as_deref();
        if named == Some("") {
            return Err(
                "`target.commit` is empty, and a signature is for one commit; give its full hash, \
                 or leave the line out"
                    .to_owned(),
            );
        }
        if self.subject().is_empty() {
            return Err(match named {
                Some(named) => format!(
                    "nothing says what is released: `target.commit` is `{named}`, which git does \
                     not know here; give the full hash, 40 or 64 hex digits"
                ),
                None => "nothing says what is released; set `target: { commit: ... }` or \
                         `artifact`, or run in the git work tree"
                    .to_owned(),
            });
        }
        match self.link() {
            Some(link) => Err(format!(
                "the folder of sign-offs must be one: {} is a symbolic link, and what it leads to \
                 would pass for statements",
                link.display()
            )),
            None => Ok(()),
        }
    }

    /// The symbolic link of the work tree that the folder of sign-offs is behind.
    pub fn link(&self) -> Option<PathBuf> {
        self.repo.as_ref()?.link(&self.directory)
    }

    /// What a sign-off vouches for, as it is shown.
    pub fn vouched(&self, gate: &Gate, config: &SignoffConfig) -> String {
        let text = config.statement.as_ref().unwrap_or(&gate.title);
        shown(text, &self.masker)
    }

    /// What a sign-off asks, by the id of the answer, as it is shown.
    pub fn questions(&self, config: &SignoffConfig) -> BTreeMap<String, String> {
        let answers = config.answers.iter();
        answers
            .map(|a| (a.id.clone(), shown(&a.ask, &self.masker)))
            .collect()
    }

    /// Whether a statement for another commit is one for this: a statement that is stored in the
    /// repository changes the commit. So nothing but statements and requests may differ.
    pub fn is_same_release(&self, signed: &str) -> Result<bool, String> {
        if Some(signed) == self.commit.as_deref() {
            return Ok(true);
        }
        let (Some(repo), Some(head)) = (&self.repo, self.head) else {
            return Ok(false);
        };
        if !is_hash(signed) {
            return Ok(false);
        }
        let signed = repo.resolve(signed).map_err(|_| {
            format!(
                "it is for commit {signed}, which is not in the clone, and this is {head}; if only \
                 statements were committed since, fetch it: git fetch origin {signed}"
            )
        })?;
        let changed = repo.changed(signed, head)?;
        Ok(self.are_statements(&changed))
    }

    /// Whether git knows both commits, so that [`Self::is_same_release`] can tell.
    pub fn knows(&self, signed: &str) -> bool {
        let repo = self.repo.as_ref().filter(|_| self.head.is_some());
        is_hash(signed) && repo.is_some_and(|repo| repo.resolve(signed).is_ok())
    }

    /// When a signed commit was made, where git knows it.
    pub fn time_of(&self, commit: &str) -> Option<Timestamp> {
        let repo = self.repo.as_ref()?;
        repo.time(repo.resolve(commit).ok()?)
    }

    /// Whether all paths are statements, signatures or requests, and none says whom to trust.
    fn are_statements(&self, paths: &[PathBuf]) -> bool {
        let Some(repo) = &self.repo else { return false };
        if self.link().is_some() {
            return false;
        }
        let folder = repo.lexical(&self.directory);
        let Some(folder) = folder.filter(|f| !f.as_os_str().is_empty()) else {
            return false;
        };
        let folder = folder.as_path();
        let absolute = |path: &Path| std::path::absolute(path).ok();
        let inside = |path: PathBuf| {
            // By every name that it has: the one written, and what it leads to.
            let parent = absolute(&path).and_then(|path| repo.inside(&path));
            [repo.lexical(&path), parent, repo.real(&path)]
        };
        let settings = &self.config.signoffs;
        let lists = settings.allowed_signers.iter().chain(&settings.revoked);
        let lists = lists.map(|path| self.config.directory.join(path));
        let configs = self.config.sources.names().map(PathBuf::from);
        let trusted = lists.chain(configs).flat_map(inside).flatten();
        let trusted: Vec<PathBuf> = trusted.collect();
        paths.iter().all(|path| {
            let parent = path.parent();
            let place = parent == Some(folder) || parent == Some(&folder.join("requests"));
            let kind = path.extension().is_some_and(|e| e == "json" || e == "sig");
            place && kind && !trusted.contains(path)
        })
    }

    /// Whether a principal wrote a part of the release; the error says why that is not known.
    pub fn is_author(&self, principal: &str) -> Result<bool, String> {
        let settings = &self.config.signoffs;
        if settings.authors.as_deref() == Some(UNCHECKED) {
            return Ok(false);
        }
        let authors = self.authors.get_or_init(|| self.find_authors()).as_ref();
        let authors = authors.map_err(|why| {
            format!(
                "who wrote the release is not known: {why}; fetch its history, or set \
                 `signoffs: {{ authors: {UNCHECKED} }}`"
            )
        })?;
        Ok(!authors.is_disjoint(&self.addresses(principal)))
    }

    /// One name for a person, whichever of their addresses is used. Two addresses are not two people.
    pub fn person(&self, principal: &str) -> String {
        let own = self.addresses(principal);
        let names = self.config.signoffs.also_known_as.keys();
        let mut names = names.map(|name| name.to_lowercase());
        let first = names.find(|name| own.contains(name));
        first.unwrap_or_else(|| principal.to_lowercase())
    }

    /// Every address of a person, in lower case, by any of them. Entries of `also_known_as` that
    /// share an address are one person, and so is who shares one with either.
    fn addresses(&self, principal: &str) -> BTreeSet<String> {
        let lower = |name: &String| name.to_lowercase();
        let entries = self.config.signoffs.also_known_as.iter();
        let entries = entries.map(|(name, others)| others.iter().chain([name]).map(lower));
        let mut entries: Vec<BTreeSet<String>> = entries.map(Iterator::collect).collect();
        let mut own = BTreeSet::from([principal.to_lowercase()]);
        while let Some(at) = entries.iter().position(|entry| !entry.is_disjoint(&own)) {
            own.extend(entries.swap_remove(at));
        }
        own
    }

    fn find_authors(&self) -> Result<BTreeSet<String>, String> {
        let repo = self.repo.as_ref().ok_or("no git repository")?;
        let head = self.head.ok_or("the released commit is not in the clone")?;
        let counts = |paths: &[PathBuf]| !self.are_statements(paths);
        let range = self.config.signoffs.authors.as_deref();
        let (base, to) = match range.map(|r| r.split_once("..").unwrap_or((r, ""))) {
            Some((base, to)) => (Some(repo.resolve(base.trim())?), to.trim()),
            None => (None, ""),
        };
        let head = if to.is_empty() {
            head
        } else {
            repo.resolve(to)?
        };
        let found = repo.authors(base, head, counts)?;
        if !found.is_empty() {
            return Ok(found);
        }
        // An empty range names nobody, and the last commit has an author all the same.
        last_author(repo, head, &counts)
    }
}

/// Whether the commit of a record is the one that is released, but for statements and requests.
pub fn is_release_of(
    recorded: &str,
    released: &str,
    run: &Run,
    inputs: &Inputs<'_>,
) -> Result<bool, String> {
    let mut own = run.clone();
    own.target.commit = Some(released.to_owned());
    Scene::new(&own, inputs).is_same_release(recorded)
}

/// The commit of the work tree, where there is one.
pub fn head(config: &Config) -> Option<String> {
    let repo = Repo::of(config).ok()?;
    repo.resolve("HEAD").ok().map(|id| id.to_string())
}

/// Whether git knows a commit by this name here.
pub fn resolves(config: &Config, name: &str) -> bool {
    let repo = Repo::of(config);
    repo.is_ok_and(|repo| repo.resolve(name.trim()).is_ok())
}

/// A full hash, SHA-1 or SHA-256: whatever else names a commit may name another one tomorrow.
fn is_hash(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Of the newest commit that is more than statements.
fn last_author(
    repo: &Repo,
    head: ObjectId,
    counts: &impl Fn(&[PathBuf]) -> bool,
) -> Result<BTreeSet<String>, String> {
    let mut at = head;
    for _ in 0..1000 {
        let found = repo.authors(None, at, counts)?;
        match repo.parent(at) {
            Some(parent) if found.is_empty() => at = parent,
            _ => return Ok(found),
        }
    }
    Err("none of the last 1000 commits changes anything".to_owned())
}

/// `./signoffs` reads better as `signoffs`.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".")
        .map_or_else(|_| path.to_owned(), Path::to_path_buf)
}
