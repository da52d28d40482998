//! Runs the command, finds the reports, reads them.

use std::fs::File;

use jiff::Timestamp;
use readygate_reports::{
    Fault, Pattern, command,
    fresh::{self, Snapshot, look, stamp},
    gather::{self, Gaps},
    plan::in_time,
};
use readygate_sdk::{Cx, ProbeError};

use crate::{
    collect::Collector,
    config::TestsConfig,
    measurement::{TestReports, TestsMeasurement},
    reader,
    tally::Tally,
};

/// The command first, then the reports.
pub(crate) async fn measure(config: &TestsConfig, cx: &Cx) -> Result<TestsMeasurement, ProbeError> {
    let plan = config.plan();
    let patterns = plan.patterns()?;
    let mut before = None;
    if config.run.is_some() {
        before = Some(Snapshot::take(&patterns, cx).await?);
    }
    let command = command::run(&plan, cx).await?;
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
        commit: fresh::commit(cx).await,
        reports,
    })
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
                .map_err(|e| Fault::new(format!("it could not be opened: {e}")))
                .and_then(|file| reader::read(file, &|| inner.is_over(), &mut tally));
            in_time(&inner, &name, "reading")?;
            let modified = fresh::modified(stamp);
            let stale = before.as_ref().is_some_and(|b| b.is_stale(path, stamp));
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

/// Without a command whose end could be judged, nothing readable is an error of its own.
fn refuse_nothing(reports: &TestReports, cx: &Cx) -> Result<(), ProbeError> {
    if reports.files_total > 0 {
        return Ok(());
    }
    let gaps = Gaps {
        unmatched: reports.unmatched.clone(),
        unreadable_total: reports.unreadable_total,
        unreadable: reports.unreadable.clone(),
        ..Gaps::default()
    };
    Err(gather::nothing(&gaps, cx))
}
