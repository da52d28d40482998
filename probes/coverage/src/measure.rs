//! Runs the command, reads the reports, merges them.

use std::collections::{BTreeMap, BTreeSet};

use readygate_reports::gather::{self, FileFacts, Gathered};
use readygate_sdk::{Cx, ProbeError};

use crate::{
    config::{self, CoverageConfig},
    diff::{self, Changed},
    measurement::{Change, CoverageMeasurement, CoveredFile, FloorResult, ReportFile, Totals, cap},
    model::{Count, Counts, FileCoverage, Report},
    paths, reader,
};

type Sources = BTreeMap<String, FileCoverage>;

/// The command first, then the reports, then the change.
pub(crate) async fn measure(
    config: &CoverageConfig,
    cx: &Cx,
) -> Result<CoverageMeasurement, ProbeError> {
    let format = config.format;
    let directory = cx.directory().to_path_buf();
    let read = move |name: &str, source: &mut gather::ReportSource<'_>| {
        let mut report = reader::read(source, format)?;
        let rest = report.totals.beyond(report.sum());
        paths::normalise(&mut report, name, &directory);
        Ok((report, rest))
    };
    let Gathered {
        command,
        commit,
        gaps,
        files,
    } = gather::gather(&config.plan(), cx, read).await?;
    let mut merged = Merged::default();
    for (facts, (report, rest)) in files {
        merged.add(facts, report, rest);
    }
    let change = match &config.diff {
        None => None,
        Some(diff) => Some(match diff::changed(&diff.base, cx).await? {
            Ok(changed) => change_of(&diff.base, &changed, &merged.sources),
            Err(unknown) => Change {
                unknown: Some(unknown),
                ..no_change(&diff.base)
            },
        }),
    };
    Ok(CoverageMeasurement {
        measured_at: cx.now(),
        command,
        commit,
        gaps,
        reports_total: merged.reports_total,
        totals: merged.totals(),
        worst: worst(&merged.sources),
        floors: config
            .floors
            .keys()
            .map(|pattern| floor(pattern, &merged.sources))
            .collect(),
        reports: shortened(merged.reports),
        change,
    })
}

/// The reports so far.
#[derive(Default)]
struct Merged {
    reports_total: u64,
    reports: Vec<ReportFile>,
    sources: Sources,
    /// What reports count beyond the files that they list.
    rest: Counts,
    carries_branches: bool,
    carries_functions: bool,
    /// The totals that the last report gives itself.
    own: Counts,
}

impl Merged {
    fn add(&mut self, file: FileFacts, report: Report, rest: Counts) {
        self.reports_total += 1;
        self.rest = self.rest.sum(rest);
        self.carries_branches |= report.carries_branches;
        self.carries_functions |= report.carries_functions;
        self.own = report.totals;
        self.reports.push(ReportFile {
            file,
            format: report.format.to_owned(),
            sources: report.files.len() as u64,
            lines: report.sum().sum(rest).lines,
            timestamp: report.started.map(|started| started.at),
            zoneless: report.started.is_some_and(|started| started.zoneless),
            commit: report.commit,
        });
        for (path, file) in report.files {
            self.sources.entry(path).or_default().merge(file);
        }
    }

    fn totals(&self) -> Totals {
        let counts = self.sources.values().map(FileCoverage::counts);
        let mut sum = counts.fold(self.rest, Counts::sum);
        // A report alone is believed what it counts itself; nothing can be counted twice there.
        if self.reports_total == 1 {
            sum = self.own.or(sum);
        }
        Totals {
            files: self.sources.len() as u64,
            lines: sum.lines,
            branches: sum.branches,
            functions: sum.functions,
            carries_branches: self.carries_branches,
            carries_functions: self.carries_functions,
            unlisted_lines: self.rest.lines.unwrap_or_default().total,
        }
    }
}

/// Where reports must be left out of the list, those with a problem and the oldest stay.
fn shortened(mut reports: Vec<ReportFile>) -> Vec<ReportFile> {
    if reports.len() > cap::REPORTS {
        reports.sort_by_key(|report| {
            let told = report.file.before_run || report.commit.is_some();
            (!told, report.dated().evidence_at())
        });
        reports.truncate(cap::REPORTS);
    }
    reports
}

fn lines(file: &FileCoverage) -> Count {
    file.counts().lines.unwrap_or_default()
}

fn worst(sources: &Sources) -> Vec<CoveredFile> {
    let files = sources.iter().map(|(path, file)| CoveredFile {
        path: path.clone(),
        lines: lines(file),
    });
    let mut files: Vec<_> = files
        .filter(|file| file.lines.covered < file.lines.total)
        .collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.lines.total - file.lines.covered));
    files.truncate(cap::WORST);
    files
}

fn floor(pattern: &str, sources: &Sources) -> FloorResult {
    let mut result = FloorResult {
        pattern: pattern.to_owned(),
        files: 0,
        lines: Count::default(),
        worst: None,
    };
    // `validate` has refused what is no glob.
    let Ok(glob) = config::glob(pattern) else {
        return result;
    };
    let mut most = 0;
    for (path, file) in sources.iter().filter(|(path, _)| glob.is_match(path)) {
        let lines = lines(file);
        result.files += 1;
        result.lines.add(lines);
        let uncovered = lines.total - lines.covered;
        if uncovered > most {
            most = uncovered;
            let path = path.clone();
            result.worst = Some(CoveredFile { path, lines });
        }
    }
    result
}

fn no_change(base: &str) -> Change {
    Change {
        base: base.to_owned(),
        unknown: None,
        files: 0,
        lines: Count::default(),
        uncovered: crate::Places::default(),
        unknown_files: crate::Places::default(),
    }
}

fn change_of(base: &str, changed: &Changed, sources: &Sources) -> Change {
    let mut change = no_change(base);
    let extension = |path: &str| path.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    let kinds: BTreeSet<_> = sources.keys().filter_map(|path| extension(path)).collect();
    for (path, lines) in changed {
        let Some(file) = source_of(path, sources).filter(|file| file.has_lines()) else {
            if extension(path).is_some_and(|kind| kinds.contains(&kind)) && !lines.is_empty() {
                change.unknown_files.push(path.clone());
            }
            continue;
        };
        change.files += 1;
        for line in lines {
            let Some(hit) = file.at(*line) else { continue };
            change.lines.add(Count::new(u64::from(hit), 1));
            if !hit {
                change.uncovered.push(format!("{path}:{line}"));
            }
        }
    }
    change
}

/// The source file of a path of git's: itself, or the only one that is an end of the other. JaCoCo
/// names `com/example/App.java` what is `app/src/main/java/com/example/App.java`.
fn source_of<'a>(path: &str, sources: &'a Sources) -> Option<&'a FileCoverage> {
    if let Some(file) = sources.get(path) {
        return Some(file);
    }
    let is_end = |long: &str, short: &str| {
        long.strip_suffix(short)
            .is_some_and(|rest| rest.ends_with('/'))
    };
    let mut similar = sources
        .iter()
        .filter(|(known, _)| is_end(path, known) || is_end(known, path));
    match (similar.next(), similar.next()) {
        (Some((_, file)), None) => Some(file),
        _ => None,
    }
}
