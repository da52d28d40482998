//! Applies the expectations of one endpoint to its answers. Pure.

use readygate_sdk::{CheckBuilder, Checks, count_of, excerpt};
use readygate_web::Stop;

use crate::{
    config::HttpConfig,
    judge_body,
    record::{Answer, HttpMeasurement},
    rules,
};

/// What one answer is to one expectation.
pub(crate) enum Finding {
    /// Right; what was found.
    Holds(String),
    /// Wrong; what was found.
    Broken(String),
    /// Not to be told; why.
    Unknown(String),
}

/// Whether the beginning of the body helps to understand a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    Body,
    None,
}

/// Pushes every check of one endpoint.
pub(crate) fn judge(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    failed_samples(record, checks);
    status(config, record, checks);
    redirects(config, record, checks);
    for (name, matcher) in &config.response_headers {
        let check = checks
            .check(&rules::HEADER, &record.url)
            .expected(format!("{name}: {matcher}"));
        settle(
            check,
            record,
            &format!("header `{name}`"),
            Evidence::None,
            |answer| judge_body::header(answer, name, matcher),
        );
    }
    judge_body::judge(config, record, checks);
}

/// One check over all answers: a wrong one fails it, an unknown one leaves it open.
pub(crate) fn settle(
    check: CheckBuilder<'_>,
    record: &HttpMeasurement,
    what: &str,
    evidence: Evidence,
    look: impl Fn(&Answer) -> Finding,
) {
    let mut unknown = None;
    let mut right = None;
    let mut wrong = Vec::new();
    for (index, answer) in record.answers.iter().enumerate() {
        match look(answer) {
            Finding::Holds(found) => right = right.or(Some(found)),
            Finding::Broken(found) => wrong.push((index, found)),
            Finding::Unknown(reason) => unknown = unknown.or(Some(reason)),
        }
    }
    if let Some((index, found)) = wrong.first() {
        let samples = wrong.iter().map(|(index, _)| record.times(*index)).sum();
        let message = format!("{what} is {found}{}", among(record, samples));
        let details = details(record, *index, &wrong, evidence);
        check.actual(found).message(message).details(details).fail();
    } else if let Some(reason) = unknown {
        check.unmeasured(format!("{what} could not be judged: {reason}"));
    } else if let Some(found) = right {
        let message = format!("{what} is {found}");
        check.actual(found).message(message).pass();
    } else {
        check.unmeasured(format!(
            "{what} could not be judged: no sample was answered"
        ));
    }
}

/// ` in 3 of 10 samples`, where there are several.
pub(crate) fn among(record: &HttpMeasurement, samples: u64) -> String {
    match record.samples.len() as u64 {
        0 | 1 => String::new(),
        all => format!(" in {samples} of {}", count_of(all, "sample", "samples")),
    }
}

/// Where the wrong answers came from, and how the first one's body begins.
fn details(
    record: &HttpMeasurement,
    first: usize,
    wrong: &[(usize, String)],
    evidence: Evidence,
) -> Vec<String> {
    let mut details = Vec::new();
    for (index, found) in wrong.iter().take(5).skip(usize::from(wrong.len() == 1)) {
        let samples = count_of(record.times(*index), "sample", "samples");
        details.push(format!("{found} ({samples})"));
    }
    if let Some(answer) = record.answers.get(first) {
        if answer.url != record.url {
            details.push(format!("answered by {}", answer.url));
        }
        let body = answer.body.excerpt.trim();
        if evidence == Evidence::Body && !body.is_empty() {
            details.push(format!("body: {}", excerpt(body, 200)));
        }
    }
    details
}

fn failed_samples(record: &HttpMeasurement, checks: &mut Checks) {
    let all = record.samples.len() as u64;
    let failed = record.errors().count() as u64;
    if all < 2 && failed == 0 {
        return;
    }
    let check = checks
        .check(&rules::FAILED_SAMPLE, &record.url)
        .expected(format!("{all} of {all} answered"))
        .actual(format!("{} of {all} answered", all - failed));
    match record.errors().next() {
        None => check
            .message(format!("all {all} samples were answered"))
            .pass(),
        Some(first) => {
            let samples = count_of(all, "sample", "samples");
            let message = format!("{failed} of {samples} got no answer: {}", first.message);
            let mut seen: Vec<String> = record.errors().map(ToString::to_string).collect();
            seen.dedup();
            check
                .message(message)
                .details(seen.into_iter().take(5))
                .fail();
        }
    }
}

fn status(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    let wanted = &config.status;
    let wrong = record.answers.iter().find(|a| !wanted.allow(a.status));
    let mut check = checks
        .check(&rules::STATUS, &record.url)
        .expected(wanted.to_string());
    if let Some(hint) = wrong.and_then(|answer| status_hint(config, answer)) {
        check = check.hint(hint);
    }
    settle(check, record, "the status", Evidence::Body, |answer| {
        let found = answer.status.to_string();
        if wanted.allow(answer.status) {
            Finding::Holds(found)
        } else {
            Finding::Broken(found)
        }
    });
}

/// What commonly stands behind a status.
fn status_hint(config: &HttpConfig, answer: &Answer) -> Option<String> {
    let location = || {
        let field = answer.headers.iter().find(|h| h.name == "location");
        field.map_or_else(|| "another place".to_owned(), |h| h.value.clone())
    };
    let away = answer.redirects.iter().find(|hop| hop.elsewhere);
    match answer.status {
        300..=399 if config.redirects == 0 => Some(format!(
            "it redirects to {}; ask that URL, set `redirects: 1` to follow, or expect the redirect with `status`",
            location()
        )),
        401 | 403 if away.is_some() => Some(format!(
            "the redirect to {} leaves the origin, and credentials do not go along; ask that URL itself",
            away.map(|hop| hop.location.as_str()).unwrap_or_default()
        )),
        401 | 403 if config.auth.is_none() && config.secret_headers.is_empty() => Some(
            "the endpoint wants credentials: give them in `auth` or `secret_headers`".to_owned(),
        ),
        401 | 403 => Some("check the credentials of the gate, and their rights".to_owned()),
        _ => None,
    }
}

fn redirects(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    if config.redirects == 0 {
        return;
    }
    let most = u64::from(config.redirects);
    let check = checks
        .check(&rules::REDIRECT_LOOP, &record.url)
        .expected(format!(
            "an answer after at most {}",
            count_of(most, "redirect", "redirects")
        ));
    let what = "the end of the redirects";
    settle(check, record, what, Evidence::None, |answer| {
        match answer.stopped {
            None => Finding::Holds(format!("{} (after {})", answer.url, hops(answer))),
            Some(stop) => Finding::Broken(format!("{} (after {})", reason(stop), hops(answer))),
        }
    });
}

fn hops(answer: &Answer) -> String {
    count_of(answer.redirects.len() as u64, "redirect", "redirects")
}

fn reason(stop: Stop) -> &'static str {
    match stop {
        Stop::Limit => "one redirect too many",
        Stop::Loop => "a loop, back to a request that was sent before",
        Stop::NoLocation => "a redirect without `Location`",
        Stop::BadLocation => "a `Location` that is no HTTP URL",
        Stop::BodyElsewhere => "a redirect that would send the request body to another origin",
    }
}
