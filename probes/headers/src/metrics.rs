//! The scalars of a measurement.

use readygate_sdk::{MetricSpec, Metrics, Unit};

use crate::{
    observatory,
    parse::{csp, hsts},
    record::{HeadersMeasurement, Kind, Origin},
};

/// What `expect` may name.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec::new("responses", Unit::Count, "Declared URLs that answered"),
    MetricSpec::new(
        "unanswered",
        Unit::Count,
        "Declared URLs that gave no answer",
    ),
    MetricSpec::new(
        "hsts.max_age",
        Unit::Seconds,
        "Strict-Transport-Security `max-age`; of several responses, the shortest",
    ),
    MetricSpec::new(
        "csp.policies",
        Unit::Count,
        "Enforced policies in headers, of all responses",
    ),
    MetricSpec::new("cookies", Unit::Count, "Cookies set, of all responses"),
    MetricSpec::new(
        "cookies.session",
        Unit::Count,
        "Cookies that carry a session, by name or value",
    ),
    MetricSpec::new("cookies.insecure", Unit::Count, "Cookies without `Secure`"),
    MetricSpec::new(
        "scripts",
        Unit::Count,
        "Scripts with a URL, of all documents",
    ),
    MetricSpec::new(
        "scripts.inline",
        Unit::Count,
        "Scripts without a URL, of all documents",
    ),
    MetricSpec::new(
        "cors.let_in",
        Unit::Count,
        "Cross-origin requests that were let in, those of allowed origins left out",
    ),
    MetricSpec::new("redirects", Unit::Count, "Redirects from `http_url` on"),
    MetricSpec::new(
        "observatory.score",
        Unit::Count,
        "Score of the first page by algorithm 6 of the HTTP Observatory; absent unless all twelve tests could be told",
    ),
    MetricSpec::new(
        "observatory.grade",
        Unit::Text,
        "Grade of that score: A+ to F",
    ),
    MetricSpec::new(
        "observatory.tests",
        Unit::Count,
        "Tests of the observatory that could be told, of 12",
    ),
    MetricSpec::new(
        "observatory.known_score",
        Unit::Count,
        "Score of the tests that could be told alone; not the observatory's where one is missing",
    ),
    MetricSpec::new(
        "observatory.modifier.*",
        Unit::Count,
        "Points of each test: `csp`, `cookies`, `cors`, `redirection`, `referrer_policy`, `hsts`, `sri`, `nosniff`, `framing`, `corp`, `coop`, `coep`",
    ),
];

/// The metrics of `record`.
pub(crate) fn metrics(record: &HeadersMeasurement) -> Metrics {
    let mut metrics = Metrics::new();
    let answers = || record.pages.iter().filter_map(|page| page.answer.as_ref());
    let answered = answers().count() as u64;
    metrics.count("responses", answered);
    metrics.count("unanswered", record.pages.len() as u64 - answered);
    hsts_age(record, &mut metrics);
    let policies = answers()
        .flat_map(|a| a.all("content-security-policy"))
        .flat_map(csp::parse_list);
    metrics.count("csp.policies", policies.count() as u64);
    let cookies = || answers().flat_map(|a| &a.cookies).filter(|c| !c.expired);
    metrics.count("cookies", cookies().count() as u64);
    metrics.count(
        "cookies.session",
        cookies().filter(|c| c.is_session()).count() as u64,
    );
    metrics.count(
        "cookies.insecure",
        cookies().filter(|c| !c.secure).count() as u64,
    );
    scripts(record, &mut metrics);
    if record.cors.iter().any(|c| c.error.is_none()) {
        let strangers = record.cors.iter().filter(|c| c.origin != Origin::Allowed);
        metrics.count(
            "cors.let_in",
            strangers.filter(|c| c.lets_in()).count() as u64,
        );
    } else {
        metrics.absent("cors.let_in", "no other origin asked, or none was answered");
    }
    match &record.plain {
        Some(plain) if !plain.steps.is_empty() && plain.error.is_none() => {
            metrics.count("redirects", plain.steps.len() as u64 - 1);
        }
        Some(_) => drop(metrics.absent("redirects", "`http_url` gave no whole answer")),
        None => drop(metrics.absent("redirects", "the gate names no `http_url`")),
    }
    score(record, &mut metrics);
    metrics
}

fn hsts_age(record: &HeadersMeasurement, metrics: &mut Metrics) {
    let answers = record.pages.iter().filter_map(|page| page.answer.as_ref());
    let mut shortest: Option<u64> = None;
    for answer in answers.filter(|answer| answer.is_https()) {
        let age = match answer.first("strict-transport-security").map(hsts::parse) {
            Some(Ok(hsts)) => hsts.max_age,
            Some(Err(why)) => {
                metrics.absent("hsts.max_age", format!("{}: {why}", answer.url));
                return;
            }
            None => {
                metrics.absent("hsts.max_age", format!("{} does not send it", answer.url));
                return;
            }
        };
        shortest = Some(shortest.map_or(age, |s| s.min(age)));
    }
    match shortest {
        Some(age) => metrics.seconds("hsts.max_age", age as f64),
        None => metrics.absent("hsts.max_age", "nothing answered over HTTPS"),
    };
}

fn scripts(record: &HeadersMeasurement, metrics: &mut Metrics) {
    let answers = record.pages.iter().filter_map(|page| page.answer.as_ref());
    let documents: Vec<_> = answers.filter_map(|a| a.document.as_ref()).collect();
    let unread = documents.iter().find_map(|d| d.unread.as_ref());
    match (unread, documents.is_empty()) {
        (Some(reason), _) => {
            metrics.absent("scripts", reason.clone());
            metrics.absent("scripts.inline", reason.clone());
        }
        (None, true) => {
            metrics.absent("scripts", "no response is a document");
            metrics.absent("scripts.inline", "no response is a document");
        }
        (None, false) => {
            metrics.count(
                "scripts",
                documents.iter().map(|d| d.scripts.len() as u64).sum(),
            );
            metrics.count(
                "scripts.inline",
                documents.iter().map(|d| d.inline_scripts).sum(),
            );
        }
    }
}

fn score(record: &HeadersMeasurement, metrics: &mut Metrics) {
    let names = [
        "observatory.score",
        "observatory.grade",
        "observatory.tests",
        "observatory.known_score",
    ];
    let first = record.pages.iter().find(|page| page.kind == Kind::Page);
    let scan = first.ok_or_else(|| "no page is declared".to_owned());
    let scan = match scan.and_then(|page| observatory::scan(page, record)) {
        Ok(scan) => scan,
        Err(reason) => {
            for name in names {
                metrics.absent(name, reason.clone());
            }
            return;
        }
    };
    match scan.score() {
        Ok(score) => {
            metrics.count("observatory.score", score.into());
            metrics.text("observatory.grade", observatory::grade(score));
        }
        Err(reason) => {
            metrics.absent("observatory.score", reason.clone());
            metrics.absent("observatory.grade", reason);
        }
    }
    let told = scan
        .tests
        .iter()
        .filter(|test| test.verdict.is_ok())
        .count();
    metrics.count("observatory.tests", told as u64);
    metrics.count("observatory.known_score", scan.known_score().into());
    for test in &scan.tests {
        let name = format!("observatory.modifier.{}", test.name);
        match &test.verdict {
            Ok(verdict) => metrics.number(name, f64::from(verdict.modifier), Unit::Count),
            Err(reason) => metrics.absent(name, reason.clone()),
        };
    }
}
