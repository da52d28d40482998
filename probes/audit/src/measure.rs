//! Runs the auditor, reads reports, matches lock files.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use readygate_reports::{
    Pattern,
    fresh::{self, Snapshot, look, stamp},
    plan::in_time,
    to_millis,
};
use readygate_sdk::{
    Cx, ErrorKind, ProbeError,
    process::{self, Ended, Finished},
};

use crate::{
    config::{AuditConfig, Format},
    fold, matching,
    measurement::{
        Asked, AuditCommand, AuditMeasurement, AuditReport, Finding, Problem, ProblemKind, cap,
    },
    reader::{self, Fault, Reading},
    text::clip,
};

/// Most bytes of a report.
const LARGEST: u64 = 512 << 20;
/// Most bytes of the auditor's output; a full report of a large project is far below.
const OUTPUT: usize = 64 << 20;
/// Characters shown of what it printed last.
const SHOWN: usize = 1_000;

/// What was gathered so far.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) reports: Vec<AuditReport>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) findings: Vec<Finding>,
}

/// The auditor first, then reports, then lock files.
pub(crate) async fn measure(config: &AuditConfig, cx: &Cx) -> Result<AuditMeasurement, ProbeError> {
    let mut all = Gathered::default();
    let patterns = patterns(config.reports.as_deref())?;
    let mut before = None;
    let mut command = None;
    if let Some(argv) = &config.run {
        if config.reports.is_some() {
            before = Some(Snapshot::take(&patterns, cx).await?);
        }
        let finished = run(argv, config, cx).await?;
        if config.reports.is_none() {
            printed(argv, &finished, config.format, cx, &mut all);
        }
        command = Some(ended(argv, &finished, cx));
    }
    if config.reports.is_some() {
        all = read_all(patterns, before, config.format, all, cx).await?;
    }
    let matched = match &config.lockfiles {
        None => matching::Matched::default(),
        Some(texts) => matching::run(self::patterns(Some(texts))?, config, cx, &mut all).await?,
    };
    if all.reports.is_empty() && matched.locks.is_empty() {
        return Err(nothing(command.as_ref(), &all.problems));
    }
    let folded = fold::fold(all.findings, &config.ignore, cx.now());
    let mut counts = folded.counts;
    let looked: u64 = all.reports.iter().filter_map(|report| report.audited).sum();
    counts.audited = looked + matched.locks.iter().map(|lock| lock.packages).sum::<u64>();
    all.problems.truncate(cap::LIST);
    Ok(AuditMeasurement {
        measured_at: cx.now(),
        command,
        asked: Some(Asked {
            reports: config.reports.clone().unwrap_or_default(),
            lockfiles: config.lockfiles.clone().unwrap_or_default(),
        }),
        reports: all.reports,
        locks: matched.locks,
        databases: matched.databases,
        problems: all.problems,
        counts,
        findings: folded.findings,
        ignored: folded.ignored,
        ignores: folded.ignores,
    })
}

fn patterns(texts: Option<&[String]>) -> Result<Vec<Pattern>, ProbeError> {
    let patterns = texts
        .unwrap_or_default()
        .iter()
        .map(|text| Pattern::new(text));
    patterns
        .collect::<Result<_, _>>()
        .map_err(|e| ProbeError::new(ErrorKind::Internal, "the patterns", "reading the config", e))
}

/// Where nothing at all was read, the first reason is the error.
fn nothing(command: Option<&AuditCommand>, problems: &[Problem]) -> ProbeError {
    let Some(first) = problems.first() else {
        return ProbeError::new(
            ErrorKind::NoData,
            "the audit",
            "looking for files",
            "nothing was found to read",
        );
    };
    let kind = match first.kind {
        ProblemKind::NoFile => ErrorKind::NoData,
        ProblemKind::Unreadable => ErrorKind::BadData,
        ProblemKind::AuditorFailed => ErrorKind::Protocol,
    };
    let mut reason = first.reason.clone();
    if problems.len() > 1 {
        reason = format!(
            "{reason} (and {} more files cannot be read)",
            problems.len() - 1
        );
    }
    if let Some(command) = command.filter(|command| command.ended != Ended::Code(0)) {
        reason = format!(
            "{reason}; `{}` {}",
            command.argv.join(" "),
            how(command.ended)
        );
        let last = command
            .output
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty());
        if let Some(last) = last.filter(|last| !reason.contains(last.trim())) {
            reason = format!("{reason} and printed `{}`", clip(last, 200));
        }
    }
    let subject = match (first.line, first.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", first.subject),
        (Some(line), None) => format!("{}:{line}", first.subject),
        _ => first.subject.clone(),
    };
    let error = ProbeError::new(kind, subject, "reading what was audited", reason);
    match &first.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// `ended with exit code 1`, `was killed by signal 9`.
pub(crate) fn how(ended: Ended) -> String {
    match ended {
        Ended::Code(code) => format!("ended with exit code {code}"),
        signal @ Ended::Signal(_) => format!("was {signal}"),
    }
}

async fn run(argv: &[String], config: &AuditConfig, cx: &Cx) -> Result<Finished, ProbeError> {
    cx.progress(&format!("running {}", argv.join(" ")));
    let job = process::Job {
        argv: argv.to_vec(),
        directory: cx.resolve(config.directory.as_deref().unwrap_or(Path::new(""))),
        environment: config.env.clone(),
        stdin: None,
        keep: OUTPUT,
    };
    process::run(&job, cx).await
}

fn ended(argv: &[String], finished: &Finished, cx: &Cx) -> AuditCommand {
    let errors = cx.mask(&finished.stderr.text());
    let errors = errors.trim();
    let output = match errors.char_indices().rev().nth(SHOWN) {
        None => errors.to_owned(),
        Some((start, _)) => format!("…{}", &errors[start..]),
    };
    AuditCommand {
        argv: argv.to_vec(),
        ended: finished.ended,
        seconds: to_millis(finished.took.as_secs_f64()),
        output,
    }
}

/// What the auditor printed is its report. Some (cargo-deny) write it on stderr.
fn printed(
    argv: &[String],
    finished: &Finished,
    format: Option<Format>,
    cx: &Cx,
    all: &mut Gathered,
) {
    let subject = format!("stdout of `{}`", argv.join(" "));
    if finished.stdout.truncated() {
        let fault = Fault::Unreadable {
            reason: format!("it is larger than {OUTPUT} bytes"),
            line: None,
            column: None,
            hint: Some("let the auditor write a file, and name it under `reports`"),
        };
        return all.problem(&subject, &fault);
    }
    let stdout = finished.stdout.bytes();
    let stderr = finished.stderr.bytes();
    let blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    let (bytes, subject) =
        if blank(&stdout) && !blank(&stderr) && stderr.trim_ascii_start().starts_with(b"{") {
            (&stderr, format!("stderr of `{}`", argv.join(" ")))
        } else {
            (&stdout, subject)
        };
    let file = FileFacts {
        path: subject,
        bytes: bytes.len() as u64,
        modified: Some(cx.now()),
        before_run: false,
    };
    all.add(&file, reader::read(bytes, format), cx);
}

struct FileFacts {
    path: String,
    bytes: u64,
    modified: Option<Timestamp>,
    before_run: bool,
}

async fn read_all(
    patterns: Vec<Pattern>,
    before: Option<Snapshot>,
    format: Option<Format>,
    mut all: Gathered,
    cx: &Cx,
) -> Result<Gathered, ProbeError> {
    let found = look(patterns, cx).await?;
    let inner = cx.clone();
    cx.blocking("reports", "reading them", move || {
        all.gaps(&found, inner.directory());
        for path in &found.files {
            let name = shown(path, inner.directory());
            in_time(&inner, &name, "reading")?;
            let stamp = stamp(path);
            let before_run = before
                .as_ref()
                .is_some_and(|before| before.is_stale(path, stamp));
            match read_bytes(path, LARGEST) {
                Err(reason) => all.problem(&name, &unreadable(reason)),
                Ok(bytes) => {
                    let file = FileFacts {
                        path: name,
                        bytes: bytes.len() as u64,
                        modified: fresh::modified(stamp),
                        before_run,
                    };
                    all.add(&file, reader::read(&bytes, format), &inner);
                }
            }
        }
        Ok(all)
    })
    .await
}

/// The path as the user knows it.
pub(crate) fn shown(path: &Path, directory: &Path) -> String {
    let path = path.strip_prefix(directory).unwrap_or(path);
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// A file, whole, up to `most` bytes.
pub(crate) fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(|e| format!("it cannot be opened: {e}"))?;
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("it cannot be read: {e}"))?;
    if bytes.len() as u64 > most {
        return Err(format!("it is larger than {most} bytes"));
    }
    Ok(bytes)
}

pub(crate) fn unreadable(reason: String) -> Fault {
    Fault::Unreadable {
        reason,
        line: None,
        column: None,
        hint: None,
    }
}

impl Gathered {
    /// What the patterns did not find, or found and cannot enter.
    pub(crate) fn gaps(&mut self, found: &readygate_reports::Found, directory: &Path) {
        for pattern in &found.unmatched {
            self.problems.push(Problem {
                kind: ProblemKind::NoFile,
                subject: format!("`{}`", clip(pattern, cap::NAME)),
                line: None,
                column: None,
                reason: format!("no file matches below {}", directory.display()),
                hint: Some("correct the pattern, which is relative to the folder of the config, or write the file first".to_owned()),
            });
        }
        let troubles: &[(PathBuf, String)] = &found.troubles;
        for (path, reason) in troubles {
            self.problem(&shown(path, directory), &unreadable(reason.clone()));
        }
    }

    pub(crate) fn problem(&mut self, subject: &str, fault: &Fault) {
        let (kind, reason, line, column, hint) = match fault {
            Fault::Unreadable { reason, line, column, hint } => (ProblemKind::Unreadable, reason.clone(), *line, *column, hint.map(str::to_owned)),
            Fault::Auditor(reason) => (ProblemKind::AuditorFailed, format!("the auditor failed: {reason}"), None, None, Some("an audit that failed says nothing; see that it can reach its database, and run it again".to_owned())),
        };
        self.problems.push(Problem {
            kind,
            subject: clip(subject, cap::TEXT),
            line,
            column,
            reason: clip(&reason, cap::TEXT),
            hint,
        });
    }

    fn add(&mut self, file: &FileFacts, read: Result<(Format, Reading), Fault>, cx: &Cx) {
        let (format, reading) = match read {
            Ok(read) => read,
            Err(fault) => {
                // An error payload may echo what it was sent.
                let fault = match fault {
                    Fault::Auditor(reason) => Fault::Auditor(cx.mask(&reason)),
                    other @ Fault::Unreadable { .. } => other,
                };
                return self.problem(&file.path, &fault);
            }
        };
        self.reports.push(AuditReport {
            format: format.name().to_owned(),
            bytes: file.bytes,
            made_at: reading.made_at.or(file.modified),
            file_time: reading.made_at.is_none(),
            before_run: file.before_run,
            entries: reading.listed(),
            advisories: reading.unique(),
            suppressed: reading.suppressed,
            packages: reading.packages(),
            audited: reading.audited,
            skipped_total: reading.skipped.len() as u64,
            skipped: reading.skipped.iter().take(cap::LIST).cloned().collect(),
            contradiction: reading.contradiction.clone(),
            path: file.path.clone(),
        });
        let source = clip(&file.path, cap::NAME);
        self.findings
            .extend(reading.entries.into_iter().map(|entry| Finding {
                source: source.clone(),
                ..entry.finding
            }));
    }
}
