//! Strict-Transport-Security of one answer.

use readygate_sdk::{Checks, Level, Unit, excerpt};

use super::{Case, SHOWN, error_if};
use crate::{parse::hsts, rules};

/// Half a year, as sites round it.
const LEAST: u64 = 15_552_000;
/// What preloading and most guides ask for.
const GOOD: u64 = 31_536_000;

/// Over plain HTTP browsers ignore the header, so nothing is judged there.
pub(super) fn judge(case: Case<'_>, checks: &mut Checks) {
    if !case.answer.is_https() {
        return;
    }
    let subject = case.subject();
    let values: Vec<&str> = case.answer.all("strict-transport-security").collect();
    let check = checks
        .check(&rules::HSTS_MISSING, &subject)
        .expected("Strict-Transport-Security");
    let Some(first) = values.first() else {
        check
            .actual("none")
            .message("Strict-Transport-Security is missing")
            .fail();
        return;
    };
    check.message("Strict-Transport-Security is sent").pass();
    let repeated = values.len() > 1;
    let check = checks.check(&rules::HSTS_REPEATED, &subject);
    if repeated {
        let message = format!(
            "Strict-Transport-Security comes {} times; the first counts",
            values.len()
        );
        check
            .message(message)
            .actual(excerpt(&values.join(" | "), SHOWN))
            .fail();
    } else {
        check.message("Strict-Transport-Security comes once").pass();
    }
    let check = checks
        .check(&rules::HSTS_INVALID, &subject)
        .actual(excerpt(first, SHOWN));
    match hsts::parse(first) {
        Err(why) => check
            .message(format!("browsers ignore the field: {why}"))
            .fail(),
        Ok(hsts) => {
            check
                .message("Strict-Transport-Security is well-formed")
                .pass();
            age(&hsts, &subject, checks);
        }
    }
}

fn age(hsts: &hsts::Hsts, subject: &str, checks: &mut Checks) {
    let shown = Unit::Seconds.format(hsts.max_age as f64);
    let check = checks
        .check(&rules::HSTS_MAX_AGE, subject)
        .expected("365 d or more")
        .actual(shown.clone())
        .level(error_if(hsts.max_age < LEAST));
    match hsts.max_age {
        0 => check.message("`max-age=0` switches HSTS off").fail(),
        age if age < GOOD => check.message(format!("HSTS holds for {shown} only")).fail(),
        _ => check.message(format!("HSTS holds for {shown}")).pass(),
    }
    let check = checks
        .check(&rules::HSTS_SUBDOMAINS, subject)
        .level(Level::Info);
    if hsts.include_subdomains {
        check.message("subdomains are covered").pass();
    } else {
        check.message("subdomains are not covered").fail();
    }
}
