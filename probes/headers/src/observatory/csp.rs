//! The observatory's view of Content Security Policy: every policy folded into one map.

use std::collections::BTreeMap;

use super::{Verdict, fail, pass};
use crate::{
    parse::csp::{self, NOT_IN_META, Policy},
    record::Answer,
};

const BROAD: [&str; 8] = [
    "ftp:",
    "http:",
    "https:",
    "*",
    "http://*",
    "http://*.*",
    "https://*",
    "https://*.*",
];
/// A shorter text is no policy to the observatory.
const SHORTEST: usize = 6;

type Folded = BTreeMap<String, Vec<String>>;

pub(super) fn judge(answer: &Answer) -> Result<Verdict, String> {
    for name in [
        "content-security-policy",
        "content-security-policy-report-only",
    ] {
        if answer.is_cut(name) {
            return Err(format!("`{name}` is too long to be kept whole"));
        }
    }
    let document = answer.document.as_ref();
    if let Some(reason) = document.and_then(|d| d.unread.as_ref()) {
        // A policy in the part that was not read may change everything.
        return Err(reason.clone());
    }
    let header: Vec<&str> = answer.all("content-security-policy").collect();
    let meta = document.map(|d| d.csp.as_slice()).unwrap_or_default();
    let mut policies: Vec<Policy> = Vec::new();
    for value in &header {
        let parts: Vec<&str> = value
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .collect();
        if parts.is_empty() || parts.iter().any(|part| part.trim().len() < SHORTEST) {
            return Ok(fail("header-invalid", -25));
        }
        policies.extend(parts.into_iter().map(csp::parse));
    }
    for text in meta {
        if text.content.trim().len() < SHORTEST {
            return Ok(fail("header-invalid", -25));
        }
        let mut policy = csp::parse(&text.content);
        policy
            .directives
            .retain(|d| !NOT_IN_META.contains(&d.name.as_str()));
        policies.push(policy);
    }
    if policies.iter().all(|policy| policy.directives.is_empty()) {
        let reported = answer
            .first("content-security-policy-report-only")
            .is_some_and(|v| !v.is_empty());
        let result = if reported {
            "report-only"
        } else {
            "not-implemented"
        };
        return Ok(fail(result, -25));
    }
    let repeated = policies.iter().flat_map(|p| &p.repeated);
    let (reports, others): (Vec<&String>, Vec<_>) =
        repeated.partition(|name| name.starts_with("report-"));
    if !others.is_empty() {
        return Ok(fail("header-invalid", -25));
    }
    let verdict = evaluate(&fold(&policies), answer.is_https());
    let plain =
        ["default-none", "no-unsafe", "unsafe-inline-in-style-only"].contains(&verdict.result);
    Ok(if plain && !reports.is_empty() {
        pass("duplicate-report", 0)
    } else {
        verdict
    })
}

/// A source counts when every policy that has the directive holds it.
fn fold(policies: &[Policy]) -> Folded {
    let mut folded = Folded::new();
    for policy in policies {
        for directive in &policy.directives {
            let mut values: Vec<String> =
                directive.values.iter().map(|v| v.to_lowercase()).collect();
            if values.is_empty() && directive.name.ends_with("-src") {
                values.push("'none'".to_owned());
            }
            let values = match folded.get(&directive.name) {
                Some(before) => both(before, &values),
                None => values,
            };
            let none = || vec!["'none'".to_owned()];
            let values = if values.is_empty() { none() } else { values };
            folded.insert(directive.name.clone(), values);
        }
    }
    folded
}

fn both(before: &[String], now: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    for a in before {
        for b in now {
            let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
            if short == long || (short.ends_with('/') && long.starts_with(short.as_str())) {
                kept.push(long.clone());
            }
        }
    }
    kept
}

fn is_nonce_or_hash(source: &str) -> bool {
    ["'sha256-", "'sha384-", "'sha512-", "'nonce-"]
        .iter()
        .any(|start| source.starts_with(start))
}

fn is_insecure(source: &str) -> bool {
    source.starts_with("http:") || source.starts_with("ftp:")
}

/// The sources of a directive; without it those of `default-src`, or everything.
fn sources(folded: &Folded, name: &str) -> Vec<String> {
    let found = folded.get(name).or_else(|| folded.get("default-src"));
    let mut found = found.cloned().unwrap_or_else(|| vec!["*".to_owned()]);
    if found.iter().any(|s| is_nonce_or_hash(s)) && name != "object-src" {
        found.retain(|s| s != "'unsafe-inline'");
    }
    found
}

/// The first finding names the result.
fn evaluate(folded: &Folded, https: bool) -> Verdict {
    let mut script = sources(folded, "script-src");
    let (object, style) = (sources(folded, "object-src"), sources(folded, "style-src"));
    if script.iter().any(|s| s == "'strict-dynamic'") {
        if !script.iter().any(|s| is_nonce_or_hash(s)) {
            return fail("header-invalid", -25);
        }
        script.retain(|s| {
            !BROAD.iter().any(|broad| s.starts_with(broad))
                && s != "'self'"
                && s != "'unsafe-inline'"
        });
    }
    let broad = |s: &String| BROAD.contains(&s.as_str());
    let unsafe_or_broad = |s: &String| broad(s) || s == "'unsafe-inline'" || s == "data:";
    let passive = ["img-src", "media-src"];
    let others = folded
        .iter()
        .filter(|(name, _)| *name != "script-src" && !passive.contains(&name.as_str()));
    let mut active = others.flat_map(|(_, values)| values).chain(&script);
    if script.iter().any(unsafe_or_broad) || object.iter().any(broad) {
        return fail("unsafe-inline", -20);
    }
    if https && active.any(|s| is_insecure(s)) {
        return fail("insecure-scheme", -20);
    }
    if script.iter().chain(&style).any(|s| s == "'unsafe-eval'") {
        return fail("unsafe-eval", -10);
    }
    let loads = |name: &&str| folded.get(*name).or_else(|| folded.get("default-src"));
    if https
        && passive
            .iter()
            .filter_map(loads)
            .flatten()
            .any(|s| is_insecure(s))
    {
        return pass("insecure-scheme-in-passive-only", -10);
    }
    if style.iter().any(unsafe_or_broad) {
        return pass("unsafe-inline-in-style-only", 0);
    }
    match folded.get("default-src").map(Vec::as_slice) {
        Some([one]) if one == "'none'" => pass("default-none", 10),
        _ => pass("no-unsafe", 5),
    }
}
