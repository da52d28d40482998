//! Judges what caches on the way did. Pure.

use readygate_sdk::{Checks, Level};

use crate::{
    cache::{CacheFact, CacheState},
    config::HttpConfig,
    grown::{CdnConfig, Provider},
    record::{Answer, HttpMeasurement},
    rules_grown as rules,
};

/// Pushes the checks on caches. What belongs to one user may come from no cache, asked or not.
pub(crate) fn judge(config: &HttpConfig, record: &HttpMeasurement, checks: &mut Checks) {
    for answer in &record.answers {
        leak(config, answer, record, checks);
        if let Some(cdn) = &config.cdn {
            hit(*cdn, answer, record, checks);
        }
    }
    if let (Some(_), true) = (&config.cdn, record.answers.is_empty()) {
        let check = checks.check(&rules::CDN_ABSENT, &record.url);
        check.unmeasured("the cache could not be judged: no sample was answered");
    }
}

fn leak(config: &HttpConfig, answer: &Answer, record: &HttpMeasurement, checks: &mut Checks) {
    let Some(fact) = &answer.cache else {
        return;
    };
    if fact.state != CacheState::Hit || !(fact.leaks() || config.cdn.is_some()) {
        return;
    }
    let check = checks
        .check(&rules::CACHE_LEAK, &record.url)
        .expected("nothing of one user in a cache")
        .actual(said(fact));
    if !fact.leaks() {
        let message = "what the cache answered sets no cookie, and was asked without credentials";
        return check.message(message).pass();
    }
    let mut what = Vec::new();
    if fact.authenticated {
        what.push("a request with credentials".to_owned());
    }
    if !fact.cookies.is_empty() {
        let cookies = fact.cookies.join("`, `");
        what.push(format!("a response that sets `{cookies}`"));
    }
    let message = format!("{} was answered from a cache", what.join(" and "));
    check.message(message).fail();
}

fn hit(cdn: CdnConfig, answer: &Answer, record: &HttpMeasurement, checks: &mut Checks) {
    let Some(fact) = &answer.cache else {
        let check = checks.check(&rules::CDN_ABSENT, &record.url);
        return check.unmeasured("the record does not hold what the cache said; measure again");
    };
    let cloudflare = cdn.provider == Provider::Cloudflare;
    let named = fact.header.as_deref() == Some("CF-Cache-Status");
    let present = fact.state != CacheState::Absent && (named || !cloudflare);
    let check = checks
        .check(&rules::CDN_ABSENT, &record.url)
        .expected(if cloudflare { "Cloudflare" } else { "a CDN" })
        .actual(said(fact));
    if !present {
        let message = match (cloudflare, fact.cloudflare) {
            (true, true) => {
                "Cloudflare answered without `CF-Cache-Status`: its cache was not asked"
            }
            (true, false) => {
                "the response has no `CF-Cache-Status`: it does not come from Cloudflare"
            }
            (false, _) => "no header of the response says that a cache was asked",
        };
        return check.message(message).fail();
    }
    check.message("a CDN answered").pass();
    if fact.state == CacheState::Bypass {
        let mut details = fact.why.clone();
        if details.is_empty() {
            details.push(
                "a rule, a filter or a program of the CDN answered, or a rule of it says so"
                    .to_owned(),
            );
        }
        let check = checks.check(&rules::CDN_BYPASS, &record.url);
        let message = format!("the CDN does not store it: {}", said(fact));
        return check
            .expected("HIT")
            .actual(said(fact))
            .message(message)
            .details(details)
            .fail();
    }
    checks
        .check(&rules::CDN_BYPASS, &record.url)
        .message("the CDN may store it")
        .pass();
    let mut check = checks
        .check(&rules::CDN_MISS, &record.url)
        .expected("HIT")
        .actual(said(fact));
    if cdn.must_hit {
        check = check.level(Level::Error);
    }
    if fact.state == CacheState::Hit {
        check
            .message(format!("the CDN answered: {}", said(fact)))
            .pass();
    } else {
        let message = format!("not in the cache after {} requests", fact.said.len());
        check.message(message).fail();
    }
}

/// `CF-Cache-Status: MISS, HIT`.
fn said(fact: &CacheFact) -> String {
    match &fact.header {
        Some(header) => format!("{header}: {}", fact.said.join(", ")),
        None => "no word of a cache".to_owned(),
    }
}
