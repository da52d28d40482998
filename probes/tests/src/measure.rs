//! Runs the command, finds the reports, reads them.

use std::{collections::HashMap, fs::File, path::Path, path::PathBuf, time::SystemTime};

use jiff::{SignedDuration, Timestamp};
use readygate_sdk::{
    Cx, ErrorKind, ProbeError,
    process::{self, Finished},
};

use crate::{
    collect::Collector,
    config::TestsConfig,
    find::{self, Found, Pattern},
    measurement::{TestCommand, TestReports, TestsMeasurement},
    number::to_millis,
    reader,
    tally::Tally,
};

/// Bytes kept of each output stream of the command.
const OUTPUT: usize = 16 * 1_024;
/// Characters shown of it.
const SHOWN: usize = 2_000;
/// File systems keep time less exactly than the clock does; Jenkins allows as much.
const SKEW: SignedDuration = SignedDuration::from_secs(3);

/// The command first, then the reports.
pub(crate) async fn measure(config: &TestsConfig, cx: &Cx) -> Result<TestsMeasurement, ProbeError> {
    let patterns = patterns(config)?;
    let mut before = None;
    let mut command = None;
    if let Some(argv) = &config.run {
        before = Some(snapshot(&patterns, cx).await?);
        command = Some(run(argv, config, cx).await?);
    }
    let reports = match &config.reports {
        None => None,
        Some(_) => Some(read_all(patterns, before, config, cx).await?),
    };
    if let (None, Some(reports)) = (&command, &reports) {
        refuse_nothing(reports, cx)?;
    }
    Ok(TestsMeasurement {
        measured_at: cx.now(),
        command,
        reports,
    })
}

fn patterns(config: &TestsConfig) -> Result<Vec<Pattern>, ProbeError> {
    let patterns = config
        .reports
        .iter()
        .flatten()
        .map(|text| Pattern::new(text));
    patterns
        .collect::<Result<_, _>>()
        .map_err(|e| ProbeError::new(ErrorKind::Internal, "reports", "reading the patterns", e))
}

/// The state of the files before the command runs; what is unchanged afterwards is stale.
struct Snapshot {
    at: Timestamp,
    files: HashMap<PathBuf, (SystemTime, u64)>,
}

async fn snapshot(patterns: &[Pattern], cx: &Cx) -> Result<Snapshot, ProbeError> {
    let at = cx.now();
    let files = look(patterns.to_vec(), cx).await?.files;
    let stamp = |path: PathBuf| {
        let stamp = stamp(&path)?;
        Some((path, stamp))
    };
    Ok(Snapshot {
        at,
        files: files.into_iter().filter_map(stamp).collect(),
    })
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

async fn look(patterns: Vec<Pattern>, cx: &Cx) -> Result<Found, ProbeError> {
    let inner = cx.clone();
    cx.blocking("reports", LOOKING, move || {
        let found = find::find(inner.directory(), &patterns, &|| inner.is_over());
        in_time(&inner, "reports", LOOKING)?;
        found.map_err(|e| ProbeError::new(ErrorKind::BadData, "reports", LOOKING, e))
    })
    .await
}

const LOOKING: &str = "looking for files";

/// The fault of whatever was cut short, by the deadline or by an interruption.
fn in_time(cx: &Cx, subject: &str, phase: &str) -> Result<(), ProbeError> {
    if cx.cancellation().is_cancelled() {
        let reason = "the run was interrupted";
        return Err(ProbeError::new(
            ErrorKind::Cancelled,
            subject,
            phase,
            reason,
        ));
    }
    if cx.is_over() {
        let reason = "the time of the gate was over";
        return Err(ProbeError::new(ErrorKind::Timeout, subject, phase, reason)
            .hint("raise `timeout` of the gate"));
    }
    Ok(())
}

async fn run(argv: &[String], config: &TestsConfig, cx: &Cx) -> Result<TestCommand, ProbeError> {
    cx.progress(&format!("running {}", argv.join(" ")));
    let job = process::Job {
        argv: argv.to_vec(),
        directory: cx.resolve(config.directory.as_deref().unwrap_or(Path::new(""))),
        environment: config.env.clone(),
        stdin: None,
        keep: OUTPUT,
    };
    let finished = process::run(&job, cx).await?;
    Ok(TestCommand {
        argv: argv.to_vec(),
        ended: finished.ended,
        seconds: to_millis(finished.took.as_secs_f64()),
        output: last_words(&finished, cx),
    })
}

/// The end of stderr, or of stdout where stderr is empty: test runners end with a summary.
fn last_words(finished: &Finished, cx: &Cx) -> String {
    let stream = if finished.stderr.text().trim().is_empty() {
        &finished.stdout
    } else {
        &finished.stderr
    };
    let text = cx.mask(&stream.text());
    let text = text.trim();
    match text.char_indices().rev().nth(SHOWN) {
        None => text.to_owned(),
        Some((start, _)) => format!("…{}", &text[start..]),
    }
}

async fn read_all(
    patterns: Vec<Pattern>,
    before: Option<Snapshot>,
    config: &TestsConfig,
    cx: &Cx,
) -> Result<TestReports, ProbeError> {
    let found = look(patterns, cx).await?;
    let retries = config.retries;
    let inner = cx.clone();
    cx.blocking("reports", "reading them", move || {
        let mask = |text: &str| inner.mask(text);
        let mut all = Collector::new(inner.directory(), &found);
        for path in &found.files {
            let stamp = stamp(path);
            let name = all.name(path);
            let mut tally = Tally::new(&name, retries, &mask);
            let read = File::open(path)
                .map_err(|e| reader::Fault::new(format!("it could not be opened: {e}")))
                .and_then(|file| reader::read(file, &|| inner.is_over(), &mut tally));
            in_time(&inner, &name, "reading")?;
            let modified = stamp.and_then(|(time, _)| Timestamp::try_from(time).ok());
            let stale = before
                .as_ref()
                .is_some_and(|b| b.is_stale(path, stamp, modified));
            all.add(
                name,
                tally,
                read,
                modified.unwrap_or(Timestamp::UNIX_EPOCH),
                stale,
            );
        }
        Ok(all.finish())
    })
    .await
}

impl Snapshot {
    /// Whether a file is not the command's work: unchanged, or written before it started.
    fn is_stale(
        &self,
        path: &Path,
        now: Option<(SystemTime, u64)>,
        modified: Option<Timestamp>,
    ) -> bool {
        let unchanged = now.is_some() && self.files.get(path).copied() == now;
        let older = modified.is_none_or(|modified| modified < self.at - SKEW);
        unchanged || older
    }
}

/// Without a command whose end could be judged, nothing readable is an error of its own.
fn refuse_nothing(reports: &TestReports, cx: &Cx) -> Result<(), ProbeError> {
    if reports.files_total > 0 {
        return Ok(());
    }
    if let Some(first) = reports.unreadable.first() {
        let more = match reports.unreadable_total {
            1 => String::new(),
            n => format!(" (and none of the other {} can be read)", n - 1),
        };
        let error = ProbeError::new(
            ErrorKind::BadData,
            first.place(),
            "reading the report",
            format!("{}{more}", first.sentence()),
        );
        return Err(match &first.hint {
            Some(hint) => error.hint(hint),
            None => error,
        });
    }
    let patterns = reports.unmatched.join("`, `");
    Err(ProbeError::new(
        ErrorKind::NoData,
        format!("`{patterns}`"),
        "looking for reports",
        format!("no file matches below {}", cx.directory().display()),
    )
    .hint(
        "run the tests first, or correct the pattern; it is relative to the folder of the config",
    ))
}
