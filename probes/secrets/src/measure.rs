//! Scans the tree, then the history, then reads the reports.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use jiff::Timestamp;
use readygate_reports::find::{self, Pattern};
use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{
    allow::Allowed,
    collect::Collector,
    config::SecretsConfig,
    history::Repo,
    measurement::{HistoryScan, ReportsRead, SecretReport, SecretsMeasurement, TreeScan, Unread},
    report,
    tree::{self, in_time},
};

/// Largest content of the history that is scanned, where the config does not say.
const BLOB: u64 = 64 << 20;
/// Largest report.
const REPORT: u64 = 256 << 20;
/// Largest baseline.
const BASELINE: u64 = 16 << 20;

/// Does the work off the async threads.
pub(crate) async fn measure(
    config: &SecretsConfig,
    cx: &Cx,
) -> Result<SecretsMeasurement, ProbeError> {
    let (config, inner) = (config.clone(), cx.clone());
    cx.blocking("secrets", "scanning for secrets", move || {
        all(&config, &inner)
    })
    .await
}

fn all(config: &SecretsConfig, cx: &Cx) -> Result<SecretsMeasurement, ProbeError> {
    let salt = config.salt.as_ref().map_or("readygate", |s| s.expose());
    let collector = Mutex::new(Collector::new(allowed(config, cx)?, salt));
    let directory = cx.resolve(config.directory.as_deref().unwrap_or(Path::new("")));
    let mut tree = None;
    let mut history = None;
    if config.scans_tree() || config.history.is_some() {
        if !directory.is_dir() {
            let shown = directory.display().to_string();
            return Err(ProbeError::new(
                ErrorKind::NoData,
                shown,
                "looking for files",
                "there is no such folder",
            ));
        }
        let repo = Repo::discover(&directory);
        if config.scans_tree() {
            tree = Some(scan_tree(&directory, repo.as_ref(), &collector, cx)?);
        }
        if let Some(range) = &config.history {
            history = Some(scan_history(range, repo, config, &collector, cx)?);
        }
    }
    let reports = match &config.reports {
        Some(patterns) => Some(read_reports(patterns, &collector, cx)?),
        None => None,
    };
    let collected = collector
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .finish();
    Ok(SecretsMeasurement {
        measured_at: cx.now(),
        tree,
        history,
        reports,
        counts: collected.counts,
        findings: collected.findings,
        allowed: collected.allowed,
        unexplained: collected.unexplained,
    })
}

fn allowed(config: &SecretsConfig, cx: &Cx) -> Result<Allowed, ProbeError> {
    let mut allowed = Allowed::new(&config.allow, config.foreign_markers, cx.now());
    if let Some(path) = &config.baseline {
        let fault = |message: String| {
            ProbeError::new(
                ErrorKind::BadData,
                path.display().to_string(),
                "reading the baseline",
                message,
            )
        };
        let text = read_bounded(&cx.resolve(path), BASELINE).map_err(fault)?;
        let text = String::from_utf8(text).map_err(|_| fault("it is not UTF-8".to_owned()))?;
        allowed
            .read_baseline(&text)
            .map_err(|(line, why)| fault(format!("line {line}: {why}")))?;
    }
    Ok(allowed)
}

fn scan_tree(
    directory: &Path,
    repo: Result<&Option<Repo>, &String>,
    collector: &Mutex<Collector>,
    cx: &Cx,
) -> Result<TreeScan, ProbeError> {
    let mut troubles = None;
    let repo = repo.unwrap_or_else(|why| {
        troubles = Some((
            ".git",
            format!(
                "the git repository cannot be opened ({why}), so tracked files that are ignored were not scanned"
            ),
        ));
        &None
    });
    let repo = repo.as_ref();
    let root = repo
        .and_then(Repo::root)
        .and_then(|root| root.canonicalize().ok());
    let here = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_path_buf());
    let prefix = root
        .as_ref()
        .and_then(|root| here.strip_prefix(root).ok())
        .map(Path::to_path_buf);
    let tracked = match (repo, &prefix) {
        (Some(repo), Some(prefix)) => match repo.tracked() {
            Ok(paths) => paths
                .into_iter()
                .filter_map(|p| p.strip_prefix(prefix).ok().map(Path::to_path_buf))
                .collect(),
            Err(why) => {
                troubles = Some((".git/index", why));
                Vec::new()
            }
        },
        _ => Vec::new(),
    };
    let prefix = prefix
        .map(|p| p.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut done = tree::scan(directory, &prefix, tracked, collector, cx)?;
    if let Some((path, reason)) = troubles {
        let path = path.to_owned();
        done.unreadable.insert(0, Unread { path, reason });
    }
    Ok(done)
}

fn scan_history(
    range: &str,
    repo: Result<Option<Repo>, String>,
    config: &SecretsConfig,
    collector: &Mutex<Collector>,
    cx: &Cx,
) -> Result<HistoryScan, ProbeError> {
    let missing = |why: String| {
        Ok(HistoryScan {
            range: range.to_owned(),
            incomplete: Some(why),
            ..HistoryScan::default()
        })
    };
    match repo {
        Ok(Some(repo)) => {
            cx.progress("scanning the git history");
            repo.scan(
                range,
                config.max_blob.map_or(BLOB, |size| size.0),
                collector,
                cx,
            )
        }
        Ok(None) => missing("the folder is in no git repository".to_owned()),
        Err(why) => missing(format!("the git repository cannot be opened: {why}")),
    }
}

fn read_reports(
    patterns: &[String],
    collector: &Mutex<Collector>,
    cx: &Cx,
) -> Result<ReportsRead, ProbeError> {
    let patterns: Vec<Pattern> = patterns
        .iter()
        .filter_map(|p| Pattern::new(p).ok())
        .collect();
    let found = find::find(cx.directory(), &patterns, &|| cx.is_over());
    in_time(cx, "reports")?;
    let found = found
        .map_err(|e| ProbeError::new(ErrorKind::BadData, "reports", "looking for files", e))?;
    let name = |path: &Path| {
        let path = path.strip_prefix(cx.directory()).unwrap_or(path);
        path.display().to_string()
    };
    let unread = |(path, reason): (PathBuf, String)| Unread {
        path: name(&path),
        reason,
    };
    let mut done = ReportsRead {
        unmatched: found.unmatched,
        unreadable: found.troubles.into_iter().map(unread).collect(),
        ..ReportsRead::default()
    };
    for path in found.files {
        in_time(cx, "reports")?;
        let name = name(&path);
        match read_bounded(&path, REPORT).and_then(|bytes| report::read(&bytes)) {
            Ok(read) => {
                done.files.push(SecretReport {
                    path: name.clone(),
                    format: read.format.to_owned(),
                    findings: read.findings.len() as u64,
                    modified: modified(&path),
                });
                let mut collector = tree::lock(collector);
                for found in read.findings {
                    collector.take_reported(&name, found);
                }
            }
            Err(reason) => done.unreadable.push(Unread { path: name, reason }),
        }
    }
    Ok(done)
}

fn modified(path: &PathBuf) -> Timestamp {
    let time = fs::metadata(path)
        .and_then(|m| m.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH);
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|e| format!("it could not be opened: {e}"))?;
    if !size.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if size.len() > most {
        return Err(format!(
            "it has {} bytes, and at most {most} are read",
            size.len()
        ));
    }
    fs::read(path).map_err(|e| format!("it could not be read: {e}"))
}
