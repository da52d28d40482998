//! `llvm-cov export -format=text`, which is JSON.

use readygate_reports::Fault;
use serde_json::Value;

use super::json::{Object, line, number};
use crate::model::{Count, Counts, FileCoverage, Report};

pub(super) fn read(document: &Object) -> Result<Report, Fault> {
    let mut report = Report {
        format: "llvm-cov",
        carries_branches: true,
        carries_functions: true,
        ..Report::default()
    };
    let data = document.get("data").and_then(Value::as_array);
    let data = data.ok_or_else(|| Fault::new("`data` is missing or is no list"))?;
    for export in data {
        if let Some(totals) = export.get("totals") {
            report.totals = report.totals.sum(summary(totals)?);
        }
        for entry in export
            .get("files")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let path = entry.get("filename").and_then(Value::as_str);
            let path = path.ok_or_else(|| Fault::new("a file without `filename`"))?;
            let mut file = FileCoverage::default();
            if let Some(counts) = entry.get("summary") {
                file.summary = summary(counts)?;
            }
            if let Some(segments) = entry.get("segments").and_then(Value::as_array) {
                let read = segments
                    .iter()
                    .map(Segment::read)
                    .collect::<Option<Vec<_>>>();
                let read =
                    read.ok_or_else(|| Fault::new("a segment is not of llvm-cov's shape"))?;
                lines(&read, &mut file);
            }
            report.file(path).merge(file);
        }
    }
    Ok(report)
}

fn summary(counts: &Value) -> Result<Counts, Fault> {
    let count = |key: &str| match counts.get(key) {
        None => Ok(None),
        Some(part) => Ok(Some(Count::new(
            number(part, "covered")?,
            number(part, "count")?,
        ))),
    };
    Ok(Counts {
        lines: count("lines")?,
        branches: count("branches")?,
        functions: count("functions")?,
    })
}

/// Where the count of executions changes: `[line, column, count, has count, starts region, is gap]`.
#[derive(Clone, Copy)]
struct Segment {
    line: u32,
    count: f64,
    has_count: bool,
    starts: bool,
    gap: bool,
}

impl Segment {
    fn read(value: &Value) -> Option<Self> {
        let parts = value.as_array()?;
        let flag = |at: usize| parts.get(at).and_then(Value::as_bool).unwrap_or(false);
        Some(Self {
            line: line(parts.first()?)?,
            count: parts.get(2)?.as_f64()?,
            has_count: flag(3),
            starts: flag(4),
            gap: flag(5),
        })
    }
}

/// The longest stretch between two segments that is filled in.
const LONGEST: u32 = 100_000;

/// Lines by the rule of LLVM's `LineCoverageStats`: the largest count of the regions that start in
/// the line, or of the one that it lies in.
fn lines(segments: &[Segment], file: &mut FileCoverage) {
    let mut around: Option<Segment> = None;
    let mut at = 0;
    while at < segments.len() {
        let line = segments[at].line;
        let end = segments[at..].iter().position(|s| s.line != line);
        let end = end.map_or(segments.len(), |n| at + n);
        let here = &segments[at..end];
        let regions = here.iter().filter(|s| s.starts && s.has_count && !s.gap);
        let counts: Vec<f64> = regions.map(|s| s.count).collect();
        let skipped = here.first().is_some_and(|s| s.starts && !s.has_count);
        let inside = around.filter(|s| s.has_count);
        if !skipped && (inside.is_some() || !counts.is_empty()) {
            let most = inside.map_or(0.0, |s| s.count);
            let most = counts.iter().copied().fold(most, f64::max);
            file.view.insert(line, most > 0.0);
        }
        around = here.last().copied();
        if let (Some(around), Some(next)) = (around.filter(|s| s.has_count), segments.get(end)) {
            let last = next.line.min(line.saturating_add(LONGEST));
            file.view
                .extend((line.saturating_add(1)..last).map(|n| (n, around.count > 0.0)));
        }
        at = end;
    }
}
