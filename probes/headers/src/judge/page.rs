//! Headers with a value of their own.

use readygate_sdk::{Checks, Level, excerpt};

use super::{Case, SHOWN, error_if};
use crate::{
    config::Profile,
    leaks,
    parse::{csp, list},
    record::Kind,
    rules, words,
};

pub(super) fn judge(case: Case<'_>, checks: &mut Checks) {
    let subject = case.subject();
    let subject = subject.as_str();
    if case.answer.document.is_some() {
        framing(case, subject, checks);
        referrer(case, subject, checks);
        permissions(case, subject, checks);
    }
    nosniff(case, subject, checks);
    cross_origin(case, subject, checks);
    leak(case, subject, checks);
    filter(case, subject, checks);
    caches(case, subject, checks);
}

/// `frame-ancestors` wins over X-Frame-Options where both are there (CSP 3, section 6.4.2).
fn framing(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let policies: Vec<_> = case
        .answer
        .all("content-security-policy")
        .flat_map(csp::parse_list)
        .collect();
    let ancestors: Vec<_> = policies
        .iter()
        .filter_map(|p| p.values("frame-ancestors"))
        .collect();
    let check = checks
        .check(&rules::FRAMING, subject)
        .expected("frame-ancestors with named sources, or X-Frame-Options DENY or SAMEORIGIN");
    if let Some(first) = ancestors.first() {
        let open = |values: &&[String]| values.iter().any(|v| csp::is_broad(v));
        let check = check.actual(format!(
            "frame-ancestors {}",
            excerpt(&first.join(" "), SHOWN)
        ));
        if ancestors.iter().all(open) {
            check.message("`frame-ancestors` allows every site, and X-Frame-Options does not count beside it").fail();
        } else {
            check
                .message("`frame-ancestors` names who may frame the page")
                .pass();
        }
        return;
    }
    let Some(value) = case.answer.joined("x-frame-options") else {
        check
            .actual("neither")
            .message("neither `frame-ancestors` nor X-Frame-Options is there")
            .fail();
        return;
    };
    let mut words: Vec<String> = list(&value).map(str::to_lowercase).collect();
    words.sort();
    words.dedup();
    let check = check.actual(format!("X-Frame-Options: {}", excerpt(&value, SHOWN)));
    match words.as_slice() {
        [one] if one == "deny" || one == "sameorigin" => {
            check
                .message("X-Frame-Options restricts who may frame the page")
                .pass();
        }
        [one] if one.starts_with("allow-from") => {
            check.message("no browser obeys ALLOW-FROM").fail();
        }
        // WHATWG HTML, section 7.3: contradictions with a known word deny.
        [_, _, ..] if words.iter().any(|w| w == "deny" || w == "sameorigin") => {
            check
                .message("X-Frame-Options contradicts itself, and browsers deny")
                .pass();
        }
        _ => check
            .message("browsers do not know this X-Frame-Options")
            .fail(),
    }
}

fn referrer(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let meta = case
        .answer
        .document
        .as_ref()
        .map(|d| d.referrer.as_slice())
        .unwrap_or_default();
    let header: Vec<&str> = case.answer.all("referrer-policy").collect();
    let all: Vec<&str> = header
        .into_iter()
        .chain(meta.iter().map(String::as_str))
        .collect();
    let check = checks
        .check(&rules::REFERRER_POLICY, subject)
        .expected("strict-origin-when-cross-origin or stricter");
    if all.is_empty() {
        check
            .level(Level::Warning)
            .actual("none")
            .message("there is no referrer policy")
            .fail();
        return;
    }
    let tokens: Vec<String> = all
        .iter()
        .flat_map(|v| list(v))
        .map(str::to_lowercase)
        .collect();
    let known = tokens
        .iter()
        .rev()
        .find_map(|t| Some((t, words::referrer(t)?)));
    let check = check.actual(excerpt(&all.join(", "), SHOWN));
    match known {
        Some((_, true)) => check
            .message("the referrer policy keeps paths from other sites")
            .pass(),
        Some((token, false)) => check
            .message(format!("`{token}` tells other sites too much"))
            .fail(),
        None => check
            .message("browsers do not know this referrer policy")
            .fail(),
    }
}

fn permissions(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let check = checks.check(&rules::PERMISSIONS_POLICY, subject);
    match case.answer.joined("permissions-policy") {
        // The profile asks for it by itself, or is known to do without.
        None if matches!(case.config.profile, Profile::Owasp | Profile::Helmet) => drop(check),
        None => check
            .level(Level::Info)
            .actual("none")
            .message("there is no permissions policy")
            .fail(),
        Some(value) => {
            let check = check.actual(excerpt(&value, SHOWN));
            match words::permissions(&value) {
                Ok(features) => check
                    .message(format!("it restricts {} features", features.len()))
                    .pass(),
                Err(why) => check
                    .message(format!("browsers ignore the permissions policy: {why}"))
                    .fail(),
            }
        }
    }
}

fn nosniff(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let value = case.answer.joined("x-content-type-options");
    let check = checks
        .check(&rules::NOSNIFF, subject)
        .expected("X-Content-Type-Options: nosniff")
        .actual(
            value
                .as_deref()
                .map_or_else(|| "none".to_owned(), |v| excerpt(v, SHOWN)),
        );
    // The first value of the list counts, an empty one too (WHATWG Fetch, section 3.5).
    let first = value.as_deref().map(|v| {
        v.split(',')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase()
    });
    match first.as_deref() {
        Some("nosniff") => check.message("the content type is not guessed").pass(),
        Some(_) => check
            .message("browsers do not know this X-Content-Type-Options")
            .fail(),
        None => check.message("X-Content-Type-Options is missing").fail(),
    }
}

const POLICIES: [(&str, &str, &[&str]); 3] = [
    (
        "cross-origin-opener-policy",
        "Cross-Origin-Opener-Policy",
        &[
            "same-origin",
            "same-origin-allow-popups",
            "noopener-allow-popups",
            "unsafe-none",
        ],
    ),
    (
        "cross-origin-embedder-policy",
        "Cross-Origin-Embedder-Policy",
        &["require-corp", "credentialless", "unsafe-none"],
    ),
    (
        "cross-origin-resource-policy",
        "Cross-Origin-Resource-Policy",
        &["same-origin", "same-site", "cross-origin"],
    ),
];

fn cross_origin(case: Case<'_>, subject: &str, checks: &mut Checks) {
    for (name, shown, known) in POLICIES {
        let Some(value) = case.answer.joined(name) else {
            continue;
        };
        // The resource policy is compared as a whole, the others are structured (WHATWG Fetch, 3.7).
        let word = if name.contains("resource") {
            Some(value.trim().to_owned())
        } else {
            words::token(&value)
        };
        let fine = word.is_some_and(|word| known.contains(&word.as_str()));
        let check = checks
            .check(&rules::CROSS_ORIGIN_POLICY, subject)
            .expected(format!("{shown}: {}", known.join(", ")))
            .actual(excerpt(&value, SHOWN));
        if fine {
            check.message(format!("browsers know this {shown}")).pass();
        } else {
            check
                .message(format!("browsers do not know this {shown}"))
                .fail();
        }
    }
}

fn leak(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let strict = matches!(case.config.profile, Profile::Owasp | Profile::Helmet);
    let found: Vec<String> = case
        .answer
        .fields
        .iter()
        .filter(|field| leaks::tells(&field.name, &field.value))
        .map(|field| format!("{}: {}", field.name, excerpt(&field.value, 100)))
        .collect();
    let check = checks.check(&rules::LEAK, subject);
    match found.split_first() {
        Some((first, more)) => check
            .level(error_if(strict))
            .actual(first.clone())
            .message(format!("a header tells what software answers: {first}"))
            .details(more.iter().cloned())
            .fail(),
        None => check.message("no header tells software and version").pass(),
    }
}

fn filter(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let Some(value) = case.answer.joined("x-xss-protection") else {
        return;
    };
    let off = value.split(';').next().unwrap_or_default().trim() == "0";
    checks
        .check(&rules::XSS_PROTECTION, subject)
        .expected("0, or no X-XSS-Protection")
        .actual(excerpt(&value, SHOWN))
        .message(if off {
            "the old filter is off"
        } else {
            "the old filter is on"
        })
        .passed_if(off);
}

fn caches(case: Case<'_>, subject: &str, checks: &mut Checks) {
    let private = case.is_private();
    let json = case
        .answer
        .media_type()
        .is_some_and(|kind| kind.ends_with("json"));
    if !(private || case.page.kind == Kind::Api || (json && case.page.kind == Kind::Page)) {
        return;
    }
    let value = case.answer.joined("cache-control");
    let directives: Vec<String> = value
        .iter()
        .flat_map(|value| list(value))
        .map(|d| {
            d.split('=')
                .next()
                .unwrap_or_default()
                .trim()
                .to_lowercase()
        })
        .collect();
    let has = |name: &str| directives.iter().any(|d| d == name);
    let check = checks
        .check(&rules::CACHE_CONTROL, subject)
        .expected("Cache-Control: no-store, or private")
        .actual(
            value
                .as_deref()
                .map_or_else(|| "none".to_owned(), |v| excerpt(v, SHOWN)),
        );
    let shared = has("public") || has("s-maxage");
    if has("no-store") || (has("private") && !shared) {
        check
            .message("shared caches do not store the answer")
            .pass();
    } else if shared && private {
        let message = "the answer is declared `private`, and caches are told to share it";
        check.level(Level::Error).message(message).fail();
    } else if has("public") {
        check
            .message("the API says that its answer is public")
            .pass();
    } else {
        check.message("a shared cache may store the answer").fail();
    }
}
