//! Runs the linter, finds the reports, reads them.

use std::{
    collections::HashMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::{SignedDuration, Timestamp};
use readygate_reports::find::{self, Found, Pattern};
use readygate_sdk::{
    Cx, ErrorKind, ProbeError,
    process::{self, Ended, Finished},
};

use crate::{
    collect::{Collector, Origin},
    config::{Format, LintConfig},
    measurement::{LintCommand, LintMeasurement},
    read::{self, Fault},
};

/// Bytes of one report at most.
pub(crate) const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes kept of each output stream of a command.
const OUTPUT: usize = 16 * 1024;
/// Characters shown of it.
const SHOWN: usize = 2_000;
/// File systems keep time less exactly than the clock does.
const SKEW: SignedDuration = SignedDuration::from_secs(3);
const LOOKING: &str = "looking for files";

pub async fn measure(config: &LintConfig, cx: &Cx) -> Result<LintMeasurement, ProbeError> {
    let mut before = None;
    let mut command = None;
    let mut printed = None;
    if let Some(argv) = &config.run {
        before = Some(snapshot(config, cx).await?);
        let finished = run(argv, config, cx).await?;
        command = Some(LintCommand {
            argv: argv.clone(),
            ended: finished.ended,
            seconds: (finished.took.as_secs_f64() * 1e3).round() / 1e3,
            output: last_words(&finished, cx),
        });
        printed = config.read_output.then_some(finished);
    }
    let found = look(config.reports.as_deref().unwrap_or_default(), cx).await?;
    let (inner, config) = (cx.clone(), config.clone());
    let reports = cx
        .blocking("reports", "reading them", move || {
            let mut all = Collector::new(&inner, &config, &found);
            if let Some(finished) = &printed {
                output(finished, &mut all);
            }
            for (path, reason) in &found.troubles {
                let name = all.name(path);
                all.unreadable(&name, &Fault::new(reason.as_str()));
            }
            for path in &found.files {
                file(path, before.as_ref(), &inner, &mut all)?;
            }
            if let Some(baseline) = &config.baseline {
                let path = inner.resolve(baseline);
                let same = |file: &PathBuf| file.canonicalize().ok() == path.canonicalize().ok();
                let bytes = if path.exists() && found.files.iter().any(same) {
                    let reason = "it is one of the reports, in which nothing would be new";
                    Err(Fault::new(reason))
                } else {
                    bytes(&path)
                };
                all.compare(&baseline.display().to_string(), bytes);
            }
            Ok(all.finish())
        })
        .await?;
    if command.is_none() && reports.files_total == 0 {
        return Err(nothing(&reports, cx));
    }
    Ok(LintMeasurement {
        measured_at: cx.now(),
        command,
        reports,
    })
}

async fn run(argv: &[String], config: &LintConfig, cx: &Cx) -> Result<Finished, ProbeError> {
    cx.progress(&format!("running {}", argv.join(" ")));
    let keep = if config.read_output {
        2 * usize::try_from(MOST_BYTES).unwrap_or(OUTPUT)
    } else {
        OUTPUT
    };
    let job = process::Job {
        argv: argv.to_vec(),
        directory: cx.resolve(config.directory.as_deref().unwrap_or(Path::new(""))),
        environment: config.env.clone(),
        stdin: None,
        keep,
    };
    process::run(&job, cx).await
}

/// The end of stderr, or of stdout where stderr is empty.
fn last_words(finished: &Finished, cx: &Cx) -> String {
    let stream = match finished.stderr.text() {
        text if text.trim().is_empty() => finished.stdout.text(),
        text => text,
    };
    let text = cx.mask(&stream);
    let text = text.trim();
    match text.char_indices().rev().nth(SHOWN) {
        None => text.to_owned(),
        Some((start, _)) => format!("…{}", &text[start..]),
    }
}

/// What the command printed, as a report.
fn output(finished: &Finished, all: &mut Collector<'_>) {
    let origin = Origin {
        path: "output of the command".to_owned(),
        modified: None,
        before_run: false,
    };
    if finished.stdout.truncated() || finished.stdout.total > MOST_BYTES {
        return all.unreadable(&origin.path, &Fault::new("it is longer than 64 MiB"));
    }
    let stdout = finished.stdout.bytes();
    let is_blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    let both = || [&stdout, b"\n".as_slice(), &finished.stderr.bytes()].concat();
    // Prettier names the files on stderr and says how it ended on stdout.
    let is_prettier = all.wanted() == Some(Format::Prettier)
        || all.wanted().is_none() && read::is_prettier(&String::from_utf8_lossy(&both()));
    if is_prettier {
        return all.add(origin, &both());
    }
    let is_silent = is_blank(&stdout) && finished.ended == Ended::Code(0);
    if is_silent && all.wanted() == Some(Format::Tsc) {
        return all.add_silent_tsc(origin);
    }
    // Stylelint writes its report to stderr.
    let stderr = finished.stderr.bytes();
    let is_report = matches!(stderr.trim_ascii_start().first(), Some(b'[' | b'{' | b'<'));
    if is_blank(&stdout) && is_report && !finished.stderr.truncated() {
        return all.add(origin, &stderr);
    }
    all.add(origin, &stdout);
}

type Stamp = (SystemTime, u64);

/// The state of the files before the command runs; what is unchanged afterwards is not its work.
struct Snapshot {
    at: Timestamp,
    files: HashMap<PathBuf, Stamp>,
}

async fn snapshot(config: &LintConfig, cx: &Cx) -> Result<Snapshot, ProbeError> {
    let at = cx.now();
    let found = look(config.reports.as_deref().unwrap_or_default(), cx).await?;
    let stamped = |path: PathBuf| stamp(&path).map(|stamp| (path, stamp));
    Ok(Snapshot {
        at,
        files: found.files.into_iter().filter_map(stamped).collect(),
    })
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

async fn look(patterns: &[String], cx: &Cx) -> Result<Found, ProbeError> {
    let fail = |message: String| ProbeError::new(ErrorKind::BadData, "reports", LOOKING, message);
    let patterns: Result<Vec<Pattern>, _> = patterns.iter().map(|t| Pattern::new(t)).collect();
    let patterns = patterns.map_err(fail)?;
    let inner = cx.clone();
    cx.blocking("reports", LOOKING, move || {
        let found = find::find(inner.directory(), &patterns, &|| inner.is_over());
        in_time(&inner, "reports")?;
        found.map_err(fail)
    })
    .await
}

fn in_time(cx: &Cx, subject: &str) -> Result<(), ProbeError> {
    let (kind, message) = if cx.cancellation().is_cancelled() {
        (ErrorKind::Cancelled, "the run was interrupted")
    } else if cx.is_over() {
        (ErrorKind::Timeout, "the time of the gate was over")
    } else {
        return Ok(());
    };
    Err(ProbeError::new(kind, subject, "reading", message).hint("raise `timeout` of the gate"))
}

fn file(
    path: &Path,
    before: Option<&Snapshot>,
    cx: &Cx,
    all: &mut Collector<'_>,
) -> Result<(), ProbeError> {
    let stamp = stamp(path);
    let modified = stamp.and_then(|(time, _)| Timestamp::try_from(time).ok());
    let is_old = |before: &Snapshot| {
        let unchanged = stamp.is_some() && before.files.get(path).copied() == stamp;
        unchanged || modified.is_none_or(|modified| modified < before.at - SKEW)
    };
    let origin = Origin {
        path: all.name(path),
        modified,
        before_run: before.is_some_and(is_old),
    };
    in_time(cx, &origin.path)?;
    match bytes(path) {
        Ok(bytes) => all.add(origin, &bytes),
        Err(fault) => all.unreadable(&origin.path, &fault),
    }
    in_time(cx, "reports")
}

/// The bytes of a file, bounded.
fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let broken = |e: std::io::Error| Fault::new(format!("it could not be read: {e}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(broken)?;
    let mut file = file.take(MOST_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Fault::new("it is larger than 64 MiB"));
    }
    Ok(bytes)
}

/// Without a command whose end could be judged, nothing readable is an error of its own.
fn nothing(reports: &crate::LintReports, cx: &Cx) -> ProbeError {
    if let Some(first) = reports.unreadable.first() {
        let place = crate::judge::place(first).map_or(first.path.clone(), |l| l.to_string());
        return ProbeError::new(
            ErrorKind::BadData,
            place,
            "reading the report",
            &first.reason,
        );
    }
    let patterns = reports.unmatched.join("`, `");
    let message = format!("no file matches below {}", cx.directory().display());
    let subject = format!("`{patterns}`");
    ProbeError::new(ErrorKind::NoData, subject, "looking for reports", message).hint(
        "run the linter first, or correct the pattern; it is relative to the folder of the config",
    )
}
