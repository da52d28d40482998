//! Turns grades into checks. Pure.

use readygate_sdk::{Checks, Rule};

use crate::{
    config::AccessConfig,
    grade::{Grade, Graded, grades},
    grade_rate::{self, Spoof},
    held::missing,
    record::{AccessMeasurement, Claim, Control, Kind, RateFact, Try},
    rules,
};

/// Pushes every check.
pub(crate) fn judge(config: &AccessConfig, record: &AccessMeasurement, checks: &mut Checks) {
    for (claim, graded) in grades(record) {
        push(claim, graded, checks);
        match claim.kind {
            Kind::Cors => cors(claim, checks),
            Kind::Authentication => challenge(claim, checks),
            Kind::RateLimit => {
                if let Some(fact) = claim
                    .rate
                    .as_ref()
                    .filter(|f| f.limited > 0 && f.passed > 0)
                {
                    rate(claim, fact, checks);
                }
            }
            _ => {}
        }
    }
    for (subject, kind) in missing(config, record) {
        checks
            .check(&rules::NOT_CHECKED, subject)
            .unmeasured(format!(
                "not-checked: the record does not hold it; measure again ({})",
                rule(kind).code
            ));
    }
}

fn rule(kind: Kind) -> &'static Rule {
    match kind {
        Kind::Cors => &rules::CORS,
        Kind::Authentication => &rules::AUTHENTICATION,
        Kind::Authorization => &rules::AUTHORIZATION,
        Kind::RateLimit => &rules::RATE_LIMIT,
        Kind::Input => &rules::INPUT,
        Kind::Xss => &rules::XSS,
        Kind::Csrf => &rules::CSRF,
        Kind::Injection => &rules::INJECTION,
    }
}

fn push(claim: &Claim, graded: Graded, checks: &mut Checks) {
    let details = graded.details.into_iter().take(50);
    let untried = claim
        .untried
        .iter()
        .map(|what| format!("not tried: {what}"));
    let details = details.chain(untried);
    let own = rule(claim.kind);
    match graded.grade {
        Grade::Verified => checks
            .check(own, &claim.subject)
            .message(format!("verified: {}", graded.message))
            .details(details)
            .pass(),
        Grade::Refuted => checks
            .check(own, &claim.subject)
            .message(graded.message)
            .details(details)
            .fail(),
        Grade::NoEvidence => checks
            .check(&rules::NO_EVIDENCE, &claim.subject)
            .message(format!("no-evidence: {} ({})", graded.message, own.code))
            .details(details)
            .fail(),
        Grade::NotChecked => checks
            .check(&rules::NOT_CHECKED, &claim.subject)
            .details(details)
            .hint(rules::NOT_CHECKED.fix)
            .unmeasured(format!("not-checked: {} ({})", graded.message, own.code)),
    }
}

/// Carelessness that lets nobody read with credentials.
fn cors(claim: &Claim, checks: &mut Checks) {
    let answered = || claim.tries.iter().filter(|t| t.status.is_some());
    if answered().next().is_none() {
        return;
    }
    let echoed = |one: &&Try| one.origin.is_some() && one.saw.allow_origin == one.origin;
    let star = |one: &&Try| one.saw.allow_origin.as_deref() == Some("*");
    let mut careless: Vec<String> = answered()
        .filter(|one| one.control == Control::Negative && !claim.private)
        .filter(echoed)
        .filter(|one| !one.saw.allow_credentials)
        .map(|one| format!("{}: the origin is echoed without a look at it", one.name))
        .collect();
    let both = answered()
        .filter(star)
        .filter(|one| one.saw.allow_credentials);
    careless.extend(
        both.map(|one| format!("{}: `*` with credentials, which browsers refuse", one.name)),
    );
    let check = checks.check(&rules::CORS_CARELESS, &claim.subject);
    match careless.first().cloned() {
        Some(first) => check.message(first).details(careless).fail(),
        None => check
            .message("no origin is echoed without a look at it")
            .pass(),
    }
    let unvaried: Vec<_> = answered()
        .filter(echoed)
        .filter(|one| !one.saw.vary_origin)
        .map(|one| one.name.clone())
        .collect();
    if answered().any(|one| echoed(&one)) {
        let check = checks
            .check(&rules::CORS_VARY, &claim.subject)
            .expected("Vary: Origin");
        if unvaried.is_empty() {
            check
                .message("`Vary` names the origin where the answer depends on it")
                .pass();
        } else {
            check.details(unvaried).fail();
        }
    }
}

/// RFC 9110, section 15.5.2: a 401 says how to sign in.
fn challenge(claim: &Claim, checks: &mut Checks) {
    let refusals: Vec<_> = claim
        .tries
        .iter()
        .filter(|t| t.status == Some(401))
        .collect();
    if !refusals.is_empty() {
        let check = checks
            .check(&rules::CHALLENGE, &claim.subject)
            .expected("WWW-Authenticate");
        if refusals.iter().all(|t| t.saw.www_authenticate) {
            check.message("every 401 says how to sign in").pass();
        } else {
            check.fail();
        }
    }
}

fn rate(claim: &Claim, fact: &RateFact, checks: &mut Checks) {
    let check = checks.check(&rules::RATE_SPOOFABLE, &claim.subject);
    match grade_rate::spoof(fact) {
        Spoof::Refused => check.message("verified: a made-up X-Forwarded-For was refused all the same").pass(),
        Spoof::Passed => check.message("a made-up X-Forwarded-For opens the limit").fail(),
        Spoof::Unknown => check.unmeasured(
            "not-checked: the limit let requests pass again while it was tried; lower it, or slow its refill",
        ),
    }
    let check = checks
        .check(&rules::RATE_HEADERS, &claim.subject)
        .expected("Retry-After or RateLimit");
    if fact.headers.is_empty() {
        check.actual("neither").fail();
    } else {
        let found = fact.headers.join(", ");
        check
            .actual(&found)
            .message(format!("a refusal says more: {found}"))
            .pass();
    }
    if fact.recovery_asked {
        let check = checks.check(&rules::RATE_RECOVERY, &claim.subject);
        match fact.recovered {
            Some(true) => check
                .message("verified: a request passed after the time to recover")
                .pass(),
            Some(false) => check.fail(),
            None => check.unmeasured(
                "not-checked: the time of the gate did not suffice, or nobody answered",
            ),
        }
    }
}
