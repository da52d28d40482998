//! Slips of the pen in a policy.

use readygate_sdk::{Checks, Level, excerpt};

use crate::{
    parse::{
        csp::{self, DEPRECATED, DIRECTIVES, Directive, NOT_IN_META, Policy},
        html::Document,
        integrity::is_base64,
    },
    rules,
};

/// Keywords that browsers know, in their quotes.
const KEYWORDS: [&str; 20] = [
    "'self'",
    "'none'",
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'unsafe-hashes'",
    "'strict-dynamic'",
    "'report-sample'",
    "'wasm-unsafe-eval'",
    "'inline-speculation-rules'",
    "'trusted-types-eval'",
    "'unsafe-allow-redirects'",
    "'unsafe-webtransport-hashes'",
    "'report-sha256'",
    "'report-sha384'",
    "'report-sha512'",
    "'script'",
    "'allow-duplicates'",
    "'allow'",
    "'block'",
    "'src'",
];

pub(super) fn judge(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let directives: Vec<&Directive> = policies.iter().flat_map(|p| &p.directives).collect();
    names(&directives, subject, checks);
    semicolons(&directives, subject, checks);
    keywords(&directives, subject, checks);
    let repeated: Vec<&String> = policies.iter().flat_map(|p| &p.repeated).collect();
    let check = checks.check(&rules::CSP_REPEATED_DIRECTIVE, subject);
    match repeated.first() {
        Some(name) => check
            .message(format!(
                "`{}` comes twice; the second is ignored",
                excerpt(name, 60)
            ))
            .fail(),
        None => check.message("every directive comes once").pass(),
    }
}

fn names(directives: &[&Directive], subject: &str, checks: &mut Checks) {
    let known = |name: &str| DIRECTIVES.contains(&name);
    let unknown: Vec<&str> = directives
        .iter()
        .map(|d| d.name.as_str())
        .filter(|n| !known(n))
        .collect();
    let misspelled = unknown.iter().find(|name| !DEPRECATED.contains(name));
    let check = checks.check(&rules::CSP_UNKNOWN_DIRECTIVE, subject);
    if let Some(name) = misspelled {
        let near = DIRECTIVES
            .iter()
            .map(|known| (strsim::jaro_winkler(known, name), known));
        let near = near
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(score, _)| *score > 0.85);
        let meant = near.map_or_else(String::new, |(_, known)| format!("; was `{known}` meant?"));
        let message = format!("browsers do not know `{}`{meant}", excerpt(name, 60));
        check.message(message).fail();
    } else if let Some(name) = unknown.first() {
        check
            .level(Level::Info)
            .message(format!("browsers have given `{name}` up"))
            .fail();
    } else {
        check.message("browsers know every directive").pass();
    }
}

/// Directives whose values are free words.
fn has_sources(directive: &Directive) -> bool {
    let name = directive.name.as_str();
    name.contains("-src") || ["base-uri", "form-action", "frame-ancestors"].contains(&name)
}

fn semicolons(directives: &[&Directive], subject: &str, checks: &mut Checks) {
    let mut swallowed = directives.iter().filter(|d| has_sources(d)).flat_map(|d| {
        let values = d.values.iter().map(|v| v.to_ascii_lowercase());
        values
            .filter(|v| v.contains('-') && DIRECTIVES.contains(&v.as_str()))
            .map(|v| (d.name.as_str(), v))
    });
    let check = checks.check(&rules::CSP_MISSING_SEMICOLON, subject);
    match swallowed.next() {
        Some((name, value)) => check
            .message(format!("`{value}` stands among the sources of `{name}`"))
            .fail(),
        None => check
            .message("no directive stands among the sources of another")
            .pass(),
    }
}

fn keywords(directives: &[&Directive], subject: &str, checks: &mut Checks) {
    let slips = directives.iter().filter(|d| has_sources(d)).flat_map(|d| {
        let alone = d.values.len() > 1 && d.values.iter().any(|v| v.eq_ignore_ascii_case("'none'"));
        let crowded = alone.then(|| "`'none'` beside other sources is ignored".to_owned());
        let wrong = d.values.iter().filter_map(|v| slip(v));
        wrong
            .chain(crowded)
            .map(|slip| format!("`{}`: {slip}", d.name))
    });
    let slips: Vec<String> = slips.take(10).collect();
    let check = checks.check(&rules::CSP_INVALID_KEYWORD, subject);
    match slips.split_first() {
        Some((first, more)) => check
            .message(first.clone())
            .details(more.iter().cloned())
            .fail(),
        None => check
            .message("every keyword is written as browsers read it")
            .pass(),
    }
}

/// What is wrong with one source.
fn slip(value: &str) -> Option<String> {
    let lower = value.to_lowercase();
    let shown = excerpt(value, 60);
    let quoted = format!("'{lower}'");
    let is_hash = |text: &str| {
        ["sha256-", "sha384-", "sha512-"]
            .iter()
            .any(|start| text.starts_with(start))
    };
    if KEYWORDS[..12].contains(&quoted.as_str()) || lower.starts_with("nonce-") || is_hash(&lower) {
        return Some(format!("`{shown}` without quotes is the name of a host"));
    }
    let is_quote = |c: char| {
        matches!(
            c,
            '\'' | '"' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' | '`'
        )
    };
    if !lower.contains(is_quote) {
        return None;
    }
    let inner = lower
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    let Some(inner) = inner.filter(|inner| !inner.contains(is_quote)) else {
        return Some(format!("`{shown}` is not in straight single quotes"));
    };
    if inner.starts_with("nonce-") {
        return (inner.len() == 6).then(|| "a nonce is empty".to_owned());
    }
    if let Some((algorithm, digest)) = inner.split_once('-').filter(|_| is_hash(inner)) {
        let length = match algorithm {
            "sha256" => 44,
            "sha384" => 64,
            _ => 88,
        };
        return (!is_base64(digest, length))
            .then(|| format!("`{shown}` is no whole {algorithm} hash"));
    }
    (!KEYWORDS.contains(&lower.as_str())).then(|| format!("`{shown}` is no keyword"))
}

/// Policies and headers that a document tries to set where browsers do not look.
pub(super) fn ignored(document: &Document, subject: &str, checks: &mut Checks) {
    if document.csp.is_empty() && document.futile.is_empty() {
        return;
    }
    let mut found = Vec::new();
    if document.csp.iter().any(|meta| !meta.in_head) {
        found.push("a policy in `<meta>` stands outside of the head".to_owned());
    }
    for meta in document.csp.iter().filter(|meta| meta.in_head) {
        let policy = csp::parse(&meta.content);
        let names = policy.directives.iter().map(|d| d.name.as_str());
        found.extend(
            names
                .filter(|n| NOT_IN_META.contains(n))
                .map(|n| format!("`{n}` in `<meta>`")),
        );
    }
    found.extend(
        document
            .futile
            .iter()
            .map(|name| format!("`{name}` in `<meta>`")),
    );
    let check = checks.check(&rules::META_IGNORED, subject);
    match found.split_first() {
        Some((first, more)) => check
            .message(format!("browsers ignore this: {first}"))
            .details(more.iter().take(9).cloned())
            .fail(),
        None => check.message("browsers obey what `<meta>` sets").pass(),
    }
}
