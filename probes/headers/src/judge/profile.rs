//! Headers that a profile wants.

use readygate_sdk::{Checks, excerpt};

use super::{Case, SHOWN, subject};
use crate::{
    config::{HeadersConfig, Profile},
    observatory,
    parse::{csp, hsts, list},
    record::{Answer, HeadersMeasurement, Kind},
    rules, words,
};

/// One header: its name, what is wanted, and whether an answer has it.
type Wanted = (&'static str, &'static str, fn(&Answer) -> bool);

fn word(answer: &Answer, name: &str, wanted: &[&str]) -> bool {
    let value = answer.joined(name).map(|v| v.trim().to_ascii_lowercase());
    value.is_some_and(|v| wanted.contains(&v.as_str()))
}

fn has_hsts(answer: &Answer, least: u64) -> bool {
    let parsed = answer.first("strict-transport-security").map(hsts::parse);
    parsed.is_some_and(|h| h.is_ok_and(|h| h.max_age >= least && h.include_subdomains))
}

fn has_csp(answer: &Answer) -> bool {
    answer
        .all("content-security-policy")
        .any(|v| !csp::parse_list(v).is_empty())
}

fn keeps_referrer(answer: &Answer) -> bool {
    let value = answer
        .joined("referrer-policy")
        .map(|v| v.to_ascii_lowercase());
    let last = value
        .as_deref()
        .and_then(|v| list(v).filter_map(words::referrer).last());
    last == Some(true)
}

/// What Helmet 8 sends by default; stricter values of the same headers are as good.
const HELMET: [Wanted; 12] = [
    ("Content-Security-Policy", "a policy", has_csp),
    ("Cross-Origin-Opener-Policy", "same-origin", |a| {
        a.joined("cross-origin-opener-policy")
            .and_then(|v| words::token(&v))
            .as_deref()
            == Some("same-origin")
    }),
    ("Cross-Origin-Resource-Policy", "same-origin", |a| {
        word(a, "cross-origin-resource-policy", &["same-origin"])
    }),
    ("Origin-Agent-Cluster", "?1", |a| {
        a.joined("origin-agent-cluster")
            .is_some_and(|v| words::is_true(&v))
    }),
    ("Referrer-Policy", "no-referrer", keeps_referrer),
    (
        "Strict-Transport-Security",
        "max-age=31536000; includeSubDomains",
        |a| has_hsts(a, 31_536_000),
    ),
    ("X-Content-Type-Options", "nosniff", |a| {
        word(a, "x-content-type-options", &["nosniff"])
    }),
    ("X-DNS-Prefetch-Control", "off", |a| {
        word(a, "x-dns-prefetch-control", &["off"])
    }),
    ("X-Download-Options", "noopen", |a| {
        word(a, "x-download-options", &["noopen"])
    }),
    ("X-Frame-Options", "SAMEORIGIN", |a| {
        word(a, "x-frame-options", &["sameorigin", "deny"])
    }),
    ("X-Permitted-Cross-Domain-Policies", "none", |a| {
        word(a, "x-permitted-cross-domain-policies", &["none"])
    }),
    ("X-XSS-Protection", "0", |a| {
        word(a, "x-xss-protection", &["0"])
    }),
];

const OWASP: [Wanted; 11] = [
    (
        "Strict-Transport-Security",
        "max-age=63072000; includeSubDomains",
        |a| has_hsts(a, 63_072_000),
    ),
    ("X-Frame-Options", "deny, or frame-ancestors 'none'", |a| {
        let mut policies = a.all("content-security-policy").flat_map(csp::parse_list);
        word(a, "x-frame-options", &["deny"])
            || policies.any(|p| {
                p.values("frame-ancestors")
                    .is_some_and(|v| v.is_empty() || v == ["'none'"])
            })
    }),
    ("X-Content-Type-Options", "nosniff", |a| {
        word(a, "x-content-type-options", &["nosniff"])
    }),
    ("Content-Security-Policy", "a policy", has_csp),
    ("X-Permitted-Cross-Domain-Policies", "none", |a| {
        word(a, "x-permitted-cross-domain-policies", &["none"])
    }),
    ("Referrer-Policy", "no-referrer", keeps_referrer),
    ("Permissions-Policy", "a policy", |a| {
        a.joined("permissions-policy")
            .is_some_and(|v| words::permissions(&v).is_ok())
    }),
    ("Cross-Origin-Embedder-Policy", "require-corp", |a| {
        a.joined("cross-origin-embedder-policy")
            .and_then(|v| words::token(&v))
            .as_deref()
            == Some("require-corp")
    }),
    ("Cross-Origin-Opener-Policy", "same-origin", |a| {
        a.joined("cross-origin-opener-policy")
            .and_then(|v| words::token(&v))
            .as_deref()
            == Some("same-origin")
    }),
    ("Cross-Origin-Resource-Policy", "same-origin", |a| {
        word(a, "cross-origin-resource-policy", &["same-origin"])
    }),
    ("Cache-Control", "no-store", |a| {
        let value = a.joined("cache-control").map(|v| v.to_ascii_lowercase());
        value.is_some_and(|v| list(&v).any(|d| d == "no-store"))
    }),
];

pub(super) fn judge(case: Case<'_>, checks: &mut Checks) {
    let (wanted, owner): (&[Wanted], _) = match case.config.profile {
        Profile::Default | Profile::Observatory => return,
        Profile::Helmet => (&HELMET, "Helmet 8"),
        Profile::Owasp => (&OWASP, "OWASP"),
    };
    for (name, value, holds) in wanted {
        // Static files are meant to be stored.
        if *name == "Cache-Control" && case.page.kind == Kind::Static {
            continue;
        }
        let found = case.answer.joined(&name.to_ascii_lowercase());
        let check = checks
            .check(&rules::PROFILE_HEADER, format!("{} {name}", case.subject()))
            .expected(format!("{name}: {value}"))
            .actual(
                found
                    .as_deref()
                    .map_or_else(|| "none".to_owned(), |v| excerpt(v, SHOWN)),
            );
        match (holds(case.answer), found.is_some()) {
            (true, _) => check
                .message(format!("{name} is as {owner} sends it, or stricter"))
                .pass(),
            (false, true) => check
                .message(format!("{name} is weaker than what {owner} sends"))
                .fail(),
            (false, false) => check.message(format!("{name} is missing")).fail(),
        }
    }
}

/// Every test of the observatory, for every page.
pub(super) fn observatory(
    config: &HeadersConfig,
    record: &HeadersMeasurement,
    checks: &mut Checks,
) {
    if config.profile != Profile::Observatory {
        return;
    }
    for page in record.pages.iter().filter(|page| page.kind == Kind::Page) {
        let subject = subject(page, record.captured);
        let scan = match observatory::scan(page, record) {
            Ok(scan) => scan,
            Err(reason) => {
                checks
                    .check(&rules::OBSERVATORY_TEST, subject)
                    .unmeasured(reason);
                continue;
            }
        };
        for test in scan.tests {
            // Only the page that is asked as another origin has a CORS test.
            if test.name == "cors"
                && test.verdict.is_err()
                && !config.cors_urls().contains(&page.declared.as_str())
            {
                continue;
            }
            let check = checks.check(&rules::OBSERVATORY_TEST, format!("{subject} {}", test.name));
            match test.verdict {
                Ok(verdict) => check
                    .actual(format!("{} ({:+})", verdict.result, verdict.modifier))
                    .message(format!("the observatory says `{}`", verdict.result))
                    .passed_if(verdict.passes),
                Err(reason) => check.unmeasured(reason),
            }
        }
    }
}
