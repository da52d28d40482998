//! Tells the evidence of this run and this commit from that of an earlier one.

use std::{collections::HashMap, path::Path, path::PathBuf, time::SystemTime};

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{
    Cx, ErrorKind, ProbeError,
    process::{self, Ended},
};

use crate::{
    find::{self, Found, Pattern},
    plan::in_time,
    record::Commit,
};

/// File systems keep time less exactly than the clock does; Jenkins allows as much.
const SKEW: SignedDuration = SignedDuration::from_secs(3);
const LOOKING: &str = "looking for files";

/// Modification time and size of a file.
pub type Stamp = (SystemTime, u64);

/// The state of the files before the command runs; what is unchanged afterwards is stale.
#[derive(Debug, Clone)]
pub struct Snapshot {
    at: Timestamp,
    files: HashMap<PathBuf, Stamp>,
}

impl Snapshot {
    /// Looks at the files that match now.
    ///
    /// # Errors
    /// As [`look`].
    pub async fn take(patterns: &[Pattern], cx: &Cx) -> Result<Self, ProbeError> {
        let at = cx.now();
        let files = look(patterns.to_vec(), cx).await?.files;
        let stamped = |path: PathBuf| {
            let stamp = stamp(&path)?;
            Some((path, stamp))
        };
        Ok(Self {
            at,
            files: files.into_iter().filter_map(stamped).collect(),
        })
    }

    /// Whether a file is not the command's work: unchanged, or written before it started.
    pub fn is_stale(&self, path: &Path, now: Option<Stamp>) -> bool {
        let unchanged = now.is_some() && self.files.get(path).copied() == now;
        let older = modified(now).is_none_or(|modified| modified < self.at - SKEW);
        unchanged || older
    }
}

/// Modification time and size of a file, where both are known.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The modification time of a stamp.
pub fn modified(stamp: Option<Stamp>) -> Option<Timestamp> {
    stamp.and_then(|(time, _)| Timestamp::try_from(time).ok())
}

/// Looks for the files that match.
///
/// # Errors
/// Too many files match, or the time is over.
pub async fn look(patterns: Vec<Pattern>, cx: &Cx) -> Result<Found, ProbeError> {
    let inner = cx.clone();
    cx.blocking("reports", LOOKING, move || {
        let found = find::find(inner.directory(), &patterns, &|| inner.is_over());
        in_time(&inner, "reports", LOOKING)?;
        found.map_err(|e| ProbeError::new(ErrorKind::BadData, "reports", LOOKING, e))
    })
    .await
}

/// The commit that the evidence should be of: the target's, or else the one that is checked out.
/// Nothing where there is neither, or no git.
pub async fn commit(cx: &Cx) -> Option<Commit> {
    let wanted = cx.target().commit.clone().filter(|c| !c.trim().is_empty());
    let from_target = wanted.is_some();
    let revision = wanted.clone().unwrap_or_else(|| "HEAD".to_owned());
    let shown = format!("{revision}^{{commit}}");
    let argv = [
        "git",
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "show",
        "--no-patch",
        "--no-show-signature",
        "--no-ext-diff",
        "--no-textconv",
        "--format=%H %ct",
        "--end-of-options",
    ];
    let job = process::Job {
        argv: argv
            .iter()
            .map(|s| (*s).to_owned())
            .chain([shown])
            .collect(),
        directory: cx.directory().to_path_buf(),
        environment: std::collections::BTreeMap::new(),
        stdin: None,
        keep: 4_096,
    };
    let finished = process::run(&job, cx).await.ok();
    let text = finished
        .filter(|f| f.ended == Ended::Code(0))
        .map(|f| f.stdout.text());
    let parsed = text.as_deref().and_then(|text| {
        let (id, seconds) = text.trim().split_once(' ')?;
        let at = Timestamp::from_second(seconds.parse().ok()?).ok()?;
        Some((id.to_owned(), at))
    });
    match (parsed, wanted) {
        (Some((id, at)), _) => Some(Commit {
            id,
            at: Some(at),
            from_target,
        }),
        (None, Some(id)) => Some(Commit {
            id: id.trim().to_owned(),
            at: None,
            from_target,
        }),
        (None, None) => None,
    }
}
