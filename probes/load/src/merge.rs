//! Adds the parts of one run: counts are added, percentiles never averaged.

use jiff::Timestamp;

use crate::{
    measurement::{How, Latency, LoadResult, Model, Safe, cap, nanos},
    reader::Reading,
    sketch::Sketch,
};

/// All files as one result; nothing where they are of different formats.
pub(crate) fn merge(parts: &[&Reading]) -> Option<LoadResult> {
    let (first, rest) = parts.split_first()?;
    if rest.is_empty() {
        return Some(first.result.clone());
    }
    if rest.iter().any(|p| p.result.format != first.result.format) {
        return None;
    }
    let results: Vec<&LoadResult> = parts.iter().map(|part| &part.result).collect();
    let mut total = first.result.clone();
    total.routes.clear();
    total.notes.clear();
    for result in &results[1..] {
        add(&mut total, result);
    }
    total.requests = sum(&results, |r| r.requests);
    total.errors = sum(&results, |r| r.errors);
    total.users = sum(&results, |r| r.users);
    window(&mut total, &results);
    latency(&mut total, parts);
    Some(total)
}

/// A sum that is known only where every part is.
fn sum(results: &[&LoadResult], of: impl Fn(&LoadResult) -> Option<u64>) -> Option<u64> {
    results.iter().map(|result| of(result)).sum()
}

fn add(total: &mut LoadResult, other: &LoadResult) {
    for (kind, n) in &other.error_kinds {
        total.error(kind, *n);
    }
    for (status, n) in &other.statuses {
        total.status(status, *n);
    }
    if other.model != total.model {
        total.model = Model::Unknown;
    }
    total.corrected = match (total.corrected, other.corrected) {
        (Safe::No, _) | (_, Safe::No) => Safe::No,
        (Safe::Yes, Safe::Yes) => Safe::Yes,
        _ => Safe::Unknown,
    };
    total.zoneless |= other.zoneless;
    total.absent.extend(other.absent.clone());
    match (&mut total.thresholds, &other.thresholds) {
        (Some(all), Some(more)) => all.extend(more.iter().take(cap::ROWS).cloned()),
        (none, _) => *none = None,
    }
}

fn window(total: &mut LoadResult, results: &[&LoadResult]) {
    let starts: Option<Vec<Timestamp>> = results.iter().map(|r| r.started).collect();
    let ends: Option<Vec<Timestamp>> = results.iter().map(|r| r.ended).collect();
    total.started = starts.and_then(|all| all.into_iter().min());
    total.ended = ends.and_then(|all| all.into_iter().max());
    total.throughput = None;
    total.duration = None;
    let (Some(start), Some(end)) = (total.started, total.ended) else {
        let why = "the files do not say when each part ran, so their rates cannot be added";
        total.lacks("throughput", why);
        total.lacks("duration", why);
        return;
    };
    let seconds = end.duration_since(start).as_secs_f64();
    total.duration = Some(nanos(seconds));
    let rate = total.requests.map(|n| n as f64 / seconds);
    total.throughput = rate.filter(|r| r.is_finite()).map(nanos);
}

fn latency(total: &mut LoadResult, parts: &[&Reading]) {
    // A part without any response has no latency, and takes none away.
    let timed: Vec<&&Reading> = parts
        .iter()
        .filter(|part| part.result.latency.is_some())
        .collect();
    let sketches: Option<Vec<&Sketch>> = timed.iter().map(|part| part.sketch.as_ref()).collect();
    let lists: Vec<&Latency> = timed
        .iter()
        .filter_map(|p| p.result.latency.as_ref())
        .collect();
    let counts: Option<Vec<u64>> = lists.iter().map(|l| l.count).collect();
    let means: Option<Vec<f64>> = lists.iter().map(|l| l.mean).collect();
    let mean = counts.as_ref().zip(means).and_then(|(counts, means)| {
        let n: u64 = counts.iter().sum();
        let sum: f64 = counts.iter().zip(means).map(|(n, m)| *n as f64 * m).sum();
        (n > 0).then(|| nanos(sum / n as f64))
    });
    if let Some(sketches) = sketches {
        let mut all = Sketch::default();
        for sketch in sketches {
            all.merge(sketch);
        }
        let mut merged = all.latency(lists.first().map_or(How::Samples, |l| l.how));
        if let Some(merged) = &mut merged {
            merged.max = longest(&lists).or(merged.max);
            merged.mean = mean.or(merged.mean);
        }
        total.latency = merged;
        return;
    }
    total.latency = Some(Latency {
        how: How::Tool,
        count: counts.map(|counts| counts.iter().sum()),
        mean,
        max: longest(&lists),
        quantiles: Vec::new(),
    });
    let why = "percentiles of several files cannot be merged; the format has no samples";
    for name in ["latency.p50", "latency.p90", "latency.p95", "latency.p99"] {
        total.lacks(name, why);
    }
}

/// The longest latency, where every part says its own.
fn longest(lists: &[&Latency]) -> Option<f64> {
    let all: Option<Vec<f64>> = lists.iter().map(|l| l.max).collect();
    all?.into_iter().max_by(f64::total_cmp)
}
