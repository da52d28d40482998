//! Judges what other tools measured.

use readygate_reports::{
    judge::{self as shared, capped},
    record::Dated,
};
use readygate_sdk::{Checks, Unit, count_of};

use super::{
    LEAST_SAMPLES,
    engine::{FAILED, too_many},
};
use crate::{
    config::{LoadConfig, SourceKind},
    fleet,
    measurement::{Imported, LoadMeasurement, LoadResult, Model, Route, Safe},
    rules,
};

/// The command first, then whether the files can be relied on, then what they say.
pub(super) fn judge(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
    if let Some(command) = &measurement.command {
        shared::command(&rules::COMMAND_FAILED, command, &[0], checks);
    }
    fleet::judge(config, measurement, checks);
    evidence(config, measurement, checks);
    if measurement.total.is_none() && measurement.files_total > 1 {
        mixed(measurement, checks);
    }
    if measurement.files.is_empty() {
        checks
            .check(&rules::NO_REQUESTS, "results")
            .hint(rules::NO_REQUESTS.fix)
            .unmeasured("there is no result to count requests in");
    }
    let unlisted = measurement
        .files_total
        .saturating_sub(measurement.files.len() as u64);
    if unlisted > 0 {
        let more = count_of(unlisted, "more result", "more results");
        checks
            .check(&rules::UNREADABLE_REPORT, "other results")
            .hint("merge them, or use several gates")
            .unmeasured(format!("{more} than are looked at one by one"));
    }
    let many = fails_often(config, measurement);
    for file in &measurement.files {
        requests(file, many, checks);
        thresholds(file, checks);
        duration(config, file, checks);
        latency(config, file, checks);
    }
    if measurement.source == SourceKind::Locust {
        routes(measurement, checks);
    }
    samples(measurement, checks);
}

/// Few requests of one route are lost among those of all.
fn routes(measurement: &LoadMeasurement, checks: &mut Checks) {
    // The one route of a plain gate is all there is.
    let several = measurement
        .total
        .iter()
        .filter(|total| total.routes.len() > 1);
    let all = several.flat_map(|total| &total.routes);
    let failed = |route: &&Route| route.requests > 0 && route.errors == Some(route.requests);
    for route in all.filter(failed) {
        let n = route.requests;
        let check = checks
            .check(&rules::ALL_FAILED, &route.name)
            .expected("requests that succeed")
            .actual("100 % failed");
        let message = match n {
            1 => "the only request failed".to_owned(),
            n => format!("all {n} requests failed"),
        };
        match fleet::void(measurement) {
            None => check.message(message).fail(),
            Some(why) => check.unmeasured(format!("{message}, in a run that is in doubt: {why}")),
        }
    }
}

/// Percentiles with fewer than ten samples above them.
fn samples(measurement: &LoadMeasurement, checks: &mut Checks) {
    let Some(total) = measurement.total.as_ref().filter(|t| t.latency.is_some()) else {
        return;
    };
    let Some(n) = total.timed() else {
        return checks
            .check(&rules::FEW_SAMPLES, "results")
            .expected(format!("at least {LEAST_SAMPLES}"))
            .hint("use a format that counts requests")
            .unmeasured("the file does not say how many requests were timed");
    };
    let timed = count_of(n, "request was timed", "requests were timed");
    checks
        .check(&rules::FEW_SAMPLES, "results")
        .message(timed)
        .expected(format!("at least {LEAST_SAMPLES}"))
        .actual(n.to_string())
        .passed_if(n >= LEAST_SAMPLES);
}

fn evidence(config: &LoadConfig, measurement: &LoadMeasurement, checks: &mut Checks) {
    let gaps = &measurement.gaps;
    shared::unmatched(&rules::NO_REPORT, &gaps.unmatched, checks);
    let total = gaps.unreadable_total;
    shared::unreadable(&rules::UNREADABLE_REPORT, &gaps.unreadable, total, checks);
    let stale = measurement.files.iter().filter(|file| file.file.before_run);
    let stale: Vec<Dated> = stale.map(Imported::dated).collect();
    let (count, total) = (stale.len() as u64, measurement.files_total);
    shared::before_run(&rules::STALE, &stale, count, total, checks);
    let dated: Vec<Dated> = measurement.files.iter().map(Imported::dated).collect();
    if let Some(max_age) = config.max_age {
        let now = measurement.measured_at;
        shared::max_age(&rules::STALE, max_age, now, &dated, checks);
    }
    let commit = measurement.commit.as_ref();
    shared::before_commit(&rules::OLDER_THAN_COMMIT, commit, &dated, checks);
    let copies = gaps.duplicates_total;
    shared::duplicates(&rules::DUPLICATE_FILE, &gaps.duplicates, copies, checks);
}

fn mixed(measurement: &LoadMeasurement, checks: &mut Checks) {
    let lines = measurement.files.iter().map(|file| {
        let result = &file.result;
        format!(
            "{}: {} of {}",
            file.file.path,
            requests_said(result),
            result.tool
        )
    });
    checks
        .check(&rules::MIXED_FORMATS, "results")
        .hint(rules::MIXED_FORMATS.fix)
        .details(capped(lines, measurement.files_total))
        .unmeasured(rules::MIXED_FORMATS.summary);
}

fn requests_said(result: &LoadResult) -> String {
    match result.requests {
        Some(n) => count_of(n, "request", "requests"),
        None => "an unknown number of requests".to_owned(),
    }
}

/// Whether so many requests failed that the gate fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Often {
    No,
    /// They did, and perhaps by the tool that was driven.
    Doubtful,
    Sure,
}

/// Whether more failed than a gate accepts that says nothing of errors: over all files, as they are
/// parts of one run.
fn fails_often(config: &LoadConfig, measurement: &LoadMeasurement) -> Often {
    let accepted = config
        .k6
        .as_ref()
        .is_some_and(|k6| k6.max_error_rate.is_some());
    if accepted || super::engine::bounds_errors(config) {
        return Often::No;
    }
    let many = |result: &LoadResult| {
        let failed = known_failures(result) as f64;
        let requests = result.requests.unwrap_or(0) as f64;
        failed > requests * FAILED && !bounds_errors_itself(result)
    };
    let too_many = match &measurement.total {
        Some(total) => many(total),
        None => measurement.files.iter().any(|file| many(&file.result)),
    };
    match fleet::void(measurement) {
        _ if !too_many => Often::No,
        Some(_) => Often::Doubtful,
        None => Often::Sure,
    }
}

/// Whether whoever wrote the script said how many may fail, which is judged by its own check.
fn bounds_errors_itself(result: &LoadResult) -> bool {
    let mut all = result.thresholds.iter().flatten();
    all.any(|threshold| threshold.name.starts_with("http_req_failed:"))
}

/// Where failures without a response are left out of a format, those with one are known.
fn known_failures(result: &LoadResult) -> u64 {
    let known = result.errors.unwrap_or_else(|| result.bad_statuses());
    known.min(result.requests.unwrap_or(known))
}

fn requests(file: &Imported, many: Often, checks: &mut Checks) {
    let (path, result) = (file.file.path.as_str(), &file.result);
    let Some(n) = result.requests.filter(|n| *n > 0) else {
        let said = || result.absent.get("requests").cloned();
        let unknown = "the file does not say how many requests were made";
        let reason = if result.requests.is_some() {
            format!("{} made no request", result.tool)
        } else {
            said().unwrap_or_else(|| unknown.to_owned())
        };
        return checks
            .check(&rules::NO_REQUESTS, path)
            .expected("at least one request")
            .hint(rules::NO_REQUESTS.fix)
            .unmeasured(reason);
    };
    let made = count_of(n, "request", "requests");
    checks
        .check(&rules::NO_REQUESTS, path)
        .message(format!("{} made {made}", result.tool))
        .pass();
    failures(file, n, many, checks);
}

/// What came of the requests, of which there are some.
fn failures(file: &Imported, n: u64, many: Often, checks: &mut Checks) {
    let (path, result) = (file.file.path.as_str(), &file.result);
    let made = count_of(n, "request", "requests");
    let known = known_failures(result);
    if known == 0 {
        let check = checks.check(&rules::ERRORS, path);
        let said = || result.absent.get("error_rate").cloned();
        let unknown = || "the file does not say how many requests failed".to_owned();
        return match result.errors {
            Some(_) => check.message("no request failed").pass(),
            None => check
                .hint("use a format that counts failed requests")
                .unmeasured(said().unwrap_or_else(unknown)),
        };
    }
    if known == n {
        return checks
            .check(&rules::ALL_FAILED, path)
            .message(match n {
                1 => "the only request failed".to_owned(),
                n => format!("all {n} requests failed"),
            })
            .expected("requests that succeed")
            .actual("100 % failed")
            .details(kinds(result))
            .fail();
    }
    let percent = Unit::Percent.format(100.0 * known as f64 / n as f64);
    checks
        .check(&rules::ALL_FAILED, path)
        .message("some requests succeeded")
        .pass();
    let message = format!("{known} of {made} failed");
    let check = checks
        .check(&rules::ERRORS, path)
        .actual(format!("{percent} failed"))
        .details(kinds(result));
    if many == Often::No {
        return check.message(message).expected("no failed request").fail();
    }
    let doubt = (many != Often::Sure).then_some("in a run that is in doubt itself");
    too_many(check, message, doubt);
}

/// Statuses that are failures, and kinds of errors, the most frequent first.
fn kinds(result: &LoadResult) -> Vec<String> {
    let statuses = result.statuses.iter();
    let bad = statuses.filter(|(code, _)| crate::measurement::is_bad(code));
    let statuses = bad.map(|(code, n)| (*n, format!("status {code}")));
    let errors = result
        .error_kinds
        .iter()
        .map(|(kind, n)| (*n, kind.clone()));
    let mut all: Vec<(u64, String)> = statuses.chain(errors).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let total = all.len() as u64;
    let lines = all.into_iter().map(|(n, kind)| format!("{n} x {kind}"));
    let notes = result.notes.iter().cloned();
    capped(lines, total).into_iter().chain(notes).collect()
}

fn thresholds(file: &Imported, checks: &mut Checks) {
    let Some(all) = &file.result.thresholds else {
        return;
    };
    let failed: Vec<&str> = all
        .iter()
        .filter(|threshold| !threshold.passed)
        .map(|threshold| threshold.name.as_str())
        .collect();
    let tool = &file.result.tool;
    let count = count_of(all.len() as u64, "threshold", "thresholds");
    let check = checks.check(&rules::THRESHOLD_FAILED, &file.file.path);
    if failed.is_empty() {
        return check.message(format!("{count} of {tool} held")).pass();
    }
    let n = failed.len() as u64;
    check
        .message(format!("{n} of {count} of {tool} failed"))
        .details(capped(failed.into_iter().map(str::to_owned), n))
        .fail();
}

fn duration(config: &LoadConfig, file: &Imported, checks: &mut Checks) {
    let Some(least) = config.min_duration else {
        return;
    };
    let check = checks
        .check(&rules::TOO_SHORT, &file.file.path)
        .expected(format!("at least {least}"));
    match file.result.duration {
        None => check
            .hint("use a format that says how long the run was")
            .unmeasured("the file does not say how long the run was"),
        Some(seconds) => check
            .message(format!("the run took {}", Unit::Seconds.format(seconds)))
            .actual(Unit::Seconds.format(seconds))
            .passed_if(seconds >= least.0.as_secs_f64()),
    }
}

/// A warning beside whatever is expected of latency: so a pass on it is never a plain one.
fn latency(config: &LoadConfig, file: &Imported, checks: &mut Checks) {
    let result = &file.result;
    if result.latency.is_none() {
        return;
    }
    let model = match result.model {
        Model::Open => "an open model",
        Model::Closed => "a closed model",
        Model::Unknown => "a model that the file does not tell",
    };
    let check = checks.check(&rules::UNSAFE_LATENCY, &file.file.path);
    let tool = &result.tool;
    let unsafe_said = match result.corrected {
        Safe::Yes => {
            let message = format!("{tool} counts from the time at which a request was due");
            return check.message(message).pass();
        }
        Safe::No => "is not safe from coordinated omission",
        Safe::Unknown => "may not be safe from coordinated omission",
    };
    let message = format!("latency of {tool} ({model}) {unsafe_said}");
    if config.accept_closed_model {
        return check.message(format!("{message}; accepted")).pass();
    }
    check
        .message(message)
        .expected("latency from the time at which a request was due")
        .details(result.notes.iter().cloned())
        .fail();
}
