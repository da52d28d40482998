//! Lock files against OSV.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use readygate_reports::{Pattern, fresh::look, plan::in_time};
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{
    config::AuditConfig,
    lock::{self, Locked, LockedPackage, Staleness},
    measure::{Gathered, read_bytes, shown, unreadable},
    measurement::{Database, Finding, LockFile, cap},
    osv::{
        api::Api,
        offline::{self, Stop},
        report::{Answer, Index, finding, key, matched},
    },
    reader::Fault,
    severity::Severity,
};

/// Most bytes of a lock file or manifest.
const LARGEST: u64 = 128 << 20;

/// Lock files and what they were matched against.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    pub(crate) locks: Vec<LockFile>,
    pub(crate) databases: Vec<Database>,
}

/// A lock file that was read.
struct Read {
    path: String,
    locked: Locked,
    stale: Option<Staleness>,
}

/// Reads the lock files, then asks about all their packages at once.
pub(crate) async fn run(
    patterns: Vec<Pattern>,
    config: &AuditConfig,
    cx: &Cx,
    all: &mut Gathered,
) -> Result<Matched, ProbeError> {
    let found = look(patterns, cx).await?;
    all.gaps(&found, cx.directory());
    let files = found.files.clone();
    let inner = cx.clone();
    let outcomes = cx
        .blocking("lock files", "reading them", move || {
            let mut outcomes = Vec::new();
            for path in files {
                let name = shown(&path, inner.directory());
                in_time(&inner, &name, "reading")?;
                outcomes.push((name, read(&path)));
            }
            Ok(outcomes)
        })
        .await?;
    let mut reads = Vec::new();
    for (path, outcome) in outcomes {
        match outcome {
            Err(fault) => all.problem(&path, &fault),
            Ok((locked, stale)) => reads.push(Read {
                path,
                locked,
                stale,
            }),
        }
    }
    if reads.is_empty() {
        return Ok(Matched::default());
    }
    match &config.database {
        Some(paths) => {
            offline(
                paths
                    .iter()
                    .map(|path| (path.to_owned(), cx.resolve(path)))
                    .collect(),
                reads,
                cx,
                all,
            )
            .await
        }
        None => online(config, reads, cx, all).await,
    }
}

fn read(path: &Path) -> Result<(Locked, Option<Staleness>), Fault> {
    let text = read_text(path).map_err(unreadable)?;
    let locked = lock::read(path, &text).map_err(|fault| Fault::Unreadable {
        reason: fault.reason,
        line: fault.line,
        column: fault.column,
        hint: fault.hint,
    })?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let manifest = lock::manifest_of(&name).map(|manifest| path.with_file_name(manifest));
    let manifest = manifest.filter(|manifest| manifest.is_file());
    let stale = manifest.and_then(|manifest| match read_text(&manifest) {
        Ok(manifest) => lock::compare(&name, &text, &locked, &manifest),
        Err(reason) => Some(Staleness {
            manifest: "the manifest",
            missing: vec![reason],
        }),
    });
    Ok((locked, stale))
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = read_bytes(path, LARGEST)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec())
        .map_err(|e| format!("it is not UTF-8 (byte {})", e.utf8_error().valid_up_to()))
}

fn lock_file(read: &Read) -> LockFile {
    let locked = &read.locked;
    LockFile {
        path: read.path.clone(),
        format: locked.format.clone(),
        ecosystem: locked.ecosystem.clone(),
        packages: locked.packages.len() as u64,
        local: locked.local,
        unmatched_total: locked.unmatched.len() as u64,
        unmatched: locked.unmatched.clone(),
        stale: read
            .stale
            .as_ref()
            .map(|stale| stale.missing.iter().take(cap::LIST).cloned().collect())
            .unwrap_or_default(),
        manifest: read.stale.as_ref().map(|stale| stale.manifest.to_owned()),
    }
}

/// Those whose absence matters come first where the list is cut.
fn bound(lock: &mut LockFile) {
    lock.unmatched
        .sort_by_key(|unmatched| !unmatched.from_registry);
    lock.unmatched.truncate(cap::LIST);
}

async fn offline(
    paths: Vec<(String, PathBuf)>,
    reads: Vec<Read>,
    cx: &Cx,
    all: &mut Gathered,
) -> Result<Matched, ProbeError> {
    let inner = cx.clone();
    let (matched, findings) = cx
        .blocking("the database", LOADING, move || {
            let packages = reads.iter().flat_map(|read| &read.locked.packages);
            let wanted: HashSet<_> = packages
                .map(|package| key(&package.ecosystem, &package.name))
                .collect();
            let mut index = Index::default();
            let mut out = Matched::default();
            let mut known = BTreeSet::new();
            for (name, path) in &paths {
                inner.progress(&format!("reading {name}"));
                let loaded = offline::load(path, &wanted, &mut index, &|| inner.is_over())
                    .map_err(|stop| stopped(stop, name, &inner))?;
                known.extend(loaded.ecosystems);
                out.databases.push(Database {
                    source: name.clone(),
                    records: Some(loaded.records),
                    newest: loaded.newest,
                    missing: Vec::new(),
                });
            }
            let needed: BTreeSet<String> = wanted
                .iter()
                .map(|(ecosystem, _)| ecosystem.clone())
                .collect();
            if let Some(last) = out.databases.last_mut() {
                last.missing = needed.difference(&known).cloned().collect();
            }
            let mut findings = Vec::new();
            for read in &reads {
                in_time(&inner, &read.path, "matching")?;
                let (found, open) = index.findings(&read.locked, &read.path);
                let mut lock = lock_file(read);
                lock.unmatched_total += open.len() as u64;
                lock.unmatched.extend(open);
                bound(&mut lock);
                out.locks.push(lock);
                findings.extend(found);
            }
            Ok((out, findings))
        })
        .await?;
    all.findings.extend(findings);
    Ok(matched)
}

const LOADING: &str = "reading the database of advisories";

fn stopped(stop: Stop, name: &str, cx: &Cx) -> ProbeError {
    match stop {
        Stop::Over => in_time(cx, name, LOADING).err().unwrap_or_else(|| ProbeError::new(ErrorKind::Timeout, name, LOADING, "the time of the gate was over")),
        Stop::Bad { file, reason } => ProbeError::new(ErrorKind::BadData, file, LOADING, reason)
            .hint("fetch it again: https://storage.googleapis.com/osv-vulnerabilities/ECOSYSTEM/all.zip"),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one format, read from its top to its end"
)]
async fn online(
    config: &AuditConfig,
    reads: Vec<Read>,
    cx: &Cx,
    all: &mut Gathered,
) -> Result<Matched, ProbeError> {
    let base = config
        .api()
        .map_err(|e| ProbeError::new(ErrorKind::Internal, "`api`", "reading the config", e))?;
    let api = Api::new(&base, cx)?;
    // One query for each package, however many lock files hold it.
    let mut order: Vec<&LockedPackage> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for package in reads.iter().flat_map(|read| &read.locked.packages) {
        let identity = (&package.ecosystem, &package.name, &package.version);
        places.entry(identity).or_insert_with(|| {
            order.push(package);
            order.len() - 1
        });
    }
    let ids = api.ids(&order).await?;
    let wanted: BTreeSet<String> = ids.iter().flatten().cloned().collect();
    let records = api.records(wanted).await?;
    let mut out = Matched::default();
    for read in &reads {
        let parents = read.locked.parents();
        for (at, package) in read.locked.packages.iter().enumerate() {
            let place = places.get(&(&package.ecosystem, &package.name, &package.version));
            for id in place.into_iter().flat_map(|place| &ids[*place]) {
                let Some(record) = records.get(id).filter(|record| record.withdrawn.is_none())
                else {
                    continue;
                };
                // The service has matched; here only the details are looked up.
                let found = match matched(record, package) {
                    Answer::Yes(found) => *found,
                    Answer::No | Answer::CannotTell => {
                        let (score, severity) = record
                            .affected
                            .first()
                            .map_or((None, Severity::default()), |affected| {
                                record.severity_for(affected)
                            });
                        Finding {
                            severity,
                            score,
                            ..finding(record, package)
                        }
                    }
                };
                all.findings.push(Finding {
                    path: read.locked.path_to(at, &parents),
                    source: read.path.clone(),
                    ..found
                });
            }
        }
        let mut lock = lock_file(read);
        bound(&mut lock);
        out.locks.push(lock);
    }
    out.databases.push(Database {
        source: base.to_string(),
        records: None,
        newest: None,
        missing: Vec::new(),
    });
    Ok(out)
}
