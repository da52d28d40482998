//! Runs the command of a plan and reads every report once.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Fault, Source,
    command::{self, CommandRun},
    find::{Found, Pattern},
    fresh::{self, Snapshot},
    plan::{Plan, in_time},
    record::{Commit, Dated, DuplicateReport, UnreadableReport},
};

/// Unreadable files and duplicates listed.
const LISTED: usize = 50;

/// One report as its reader gets it.
pub type ReportSource<'s> = Source<'s, File>;

/// What is known of a file beside its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileFacts {
    /// Path, relative to the folder of the config where it lies below it.
    pub path: String,
    /// Character encoding, by its WHATWG name.
    pub encoding: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time of the file, UTC.
    #[schemars(with = "String")]
    pub modified: Timestamp,
    /// Whether the file was there before the command started and was not written by it.
    #[serde(default)]
    pub before_run: bool,
}

impl FileFacts {
    /// When it was made, by the time inside where there is one.
    pub fn dated(&self, inside: Option<crate::Started>) -> Dated {
        Dated {
            path: self.path.clone(),
            timestamp: inside.map(|inside| inside.at),
            zoneless: inside.is_some_and(|inside| inside.zoneless),
            modified: self.modified,
        }
    }
}

/// What could not be read, beside what could.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Gaps {
    /// Patterns that matched no file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<String>,
    /// Files that could not be read.
    pub unreadable_total: u64,
    /// The first 50 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableReport>,
    /// Files with the same bytes as another file; they are counted once.
    pub duplicates_total: u64,
    /// The first 50 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<DuplicateReport>,
}

impl Gaps {
    /// Why numbers would be partial, if they would be.
    pub fn partial(&self) -> Option<String> {
        use readygate_sdk::count_of;
        let mut missing = Vec::new();
        if self.unreadable_total > 0 {
            let files = count_of(self.unreadable_total, "report", "reports");
            missing.push(format!("{files} could not be read"));
        }
        if !self.unmatched.is_empty() {
            let patterns = count_of(self.unmatched.len() as u64, "pattern", "patterns");
            missing.push(format!("{patterns} matched no file"));
        }
        let missing = missing.join(" and ");
        (!missing.is_empty()).then(|| format!("{missing}, so the numbers would be partial"))
    }
}

/// What came of a plan.
#[derive(Debug)]
pub struct Gathered<T> {
    /// How the command ended, if one was run.
    pub command: Option<CommandRun>,
    /// The commit that the reports should be of.
    pub commit: Option<Commit>,
    /// What could not be read.
    pub gaps: Gaps,
    /// What could, in order of the paths; duplicates left out.
    pub files: Vec<(FileFacts, T)>,
}

/// Runs the command, then reads the reports with `read`.
///
/// # Errors
/// What the command or the search meets. Without a command, nothing readable is an error as well.
pub async fn gather<T, F>(plan: &Plan<'_>, cx: &Cx, read: F) -> Result<Gathered<T>, ProbeError>
where
    T: Send + 'static,
    F: FnMut(&str, &mut ReportSource<'_>) -> Result<T, Fault> + Send + 'static,
{
    let patterns = plan.patterns()?;
    let before = match plan.run {
        Some(_) => Some(Snapshot::take(&patterns, cx).await?),
        None => None,
    };
    let command = command::run(plan, cx).await?;
    let (gaps, files) = match plan.reports {
        Some(_) => read_all(patterns, before, cx, read).await?,
        None => (Gaps::default(), Vec::new()),
    };
    if command.is_none() && plan.reports.is_some() && files.is_empty() {
        return Err(nothing(&gaps, cx));
    }
    let commit = fresh::commit(cx).await;
    Ok(Gathered {
        command,
        commit,
        gaps,
        files,
    })
}

type Read<T> = (Gaps, Vec<(FileFacts, T)>);

async fn read_all<T, F>(
    patterns: Vec<Pattern>,
    before: Option<Snapshot>,
    cx: &Cx,
    mut read: F,
) -> Result<Read<T>, ProbeError>
where
    T: Send + 'static,
    F: FnMut(&str, &mut ReportSource<'_>) -> Result<T, Fault> + Send + 'static,
{
    let found = fresh::look(patterns, cx).await?;
    let inner = cx.clone();
    cx.blocking("reports", "reading them", move || {
        let mut gaps = gaps_of(&found, inner.directory());
        let mut files = Vec::new();
        let mut known = HashMap::new();
        for path in &found.files {
            let stamp = fresh::stamp(path);
            let name = name(path, inner.directory());
            let one = one(path, &name, &inner, &mut read);
            in_time(&inner, &name, "reading")?;
            let (encoding, digest, value) = match one {
                Ok(one) => one,
                Err(fault) => {
                    gaps.unreadable_total += 1;
                    push(&mut gaps.unreadable, UnreadableReport::new(name, &fault));
                    continue;
                }
            };
            if let Some(of) = known.get(&digest.fingerprint) {
                gaps.duplicates_total += 1;
                let of = String::clone(of);
                push(&mut gaps.duplicates, DuplicateReport { path: name, of });
                continue;
            }
            known.insert(digest.fingerprint, name.clone());
            let facts = FileFacts {
                path: name,
                encoding: encoding.to_owned(),
                bytes: digest.bytes,
                modified: fresh::modified(stamp).unwrap_or(Timestamp::UNIX_EPOCH),
                before_run: before.as_ref().is_some_and(|b| b.is_stale(path, stamp)),
            };
            files.push((facts, value));
        }
        Ok((gaps, files))
    })
    .await
}

fn one<T>(
    path: &PathBuf,
    name: &str,
    cx: &Cx,
    read: &mut impl FnMut(&str, &mut ReportSource<'_>) -> Result<T, Fault>,
) -> Result<(&'static str, crate::Digest, T), Fault> {
    let file = File::open(path).map_err(|e| Fault::new(format!("it could not be opened: {e}")))?;
    let stop = || cx.is_over();
    let mut source = Source::open(file, &stop)?;
    let encoding = source.encoding();
    let value = read(name, &mut source)?;
    Ok((encoding, source.digest()?, value))
}

fn gaps_of(found: &Found, directory: &Path) -> Gaps {
    let mut gaps = Gaps {
        unmatched: found.unmatched.clone(),
        unreadable_total: found.troubles.len() as u64,
        ..Gaps::default()
    };
    for (path, reason) in &found.troubles {
        let fault = Fault::new(reason.as_str());
        let report = UnreadableReport::new(name(path, directory), &fault);
        push(&mut gaps.unreadable, report);
    }
    gaps
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < LISTED {
        list.push(item);
    }
}

/// A path as the user knows it: relative to the folder of the config where it lies below it.
pub fn name(path: &Path, directory: &Path) -> String {
    let path = path.strip_prefix(directory).unwrap_or(path);
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// The error for a plan of which nothing could be read.
pub fn nothing(gaps: &Gaps, cx: &Cx) -> ProbeError {
    if let Some(first) = gaps.unreadable.first() {
        let more = match gaps.unreadable_total {
            1 => String::new(),
            n => format!(" (and none of the other {} can be read)", n - 1),
        };
        let error = ProbeError::new(
            ErrorKind::BadData,
            first.place(),
            "reading the report",
            format!("{}{more}", first.sentence()),
        );
        return match &first.hint {
            Some(hint) => error.hint(hint),
            None => error,
        };
    }
    let patterns = gaps.unmatched.join("`, `");
    let below = cx.directory().display();
    let message = format!("no file matches below {below}");
    let hint = "let the tool write its report first, or correct the pattern; it is relative to \
                the folder of the config";
    ProbeError::new(
        ErrorKind::NoData,
        format!("`{patterns}`"),
        "looking for reports",
        message,
    )
    .hint(hint)
}
