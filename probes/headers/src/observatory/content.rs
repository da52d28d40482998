//! Cookies, integrity, and the headers with one word each.

use url::Url;

use super::{Verdict, fail, pass};
use crate::{
    judge::site::site,
    parse::{cookie::Cookie, csp, list},
    record::Answer,
    words,
};

/// From bad to worse; the worst names the result.
const COOKIE_FAULTS: [Verdict; 7] = [
    fail("no-secure-but-hsts", -5),
    fail("no-secure", -20),
    fail("session-no-secure-but-hsts", -10),
    fail("samesite-invalid", -20),
    fail("anticsrf-no-samesite", -20),
    fail("session-no-httponly", -30),
    fail("session-no-secure", -40),
];

pub(super) fn cookies(answer: &Answer, hsts: bool) -> Verdict {
    let counts =
        |c: &&Cookie| !c.name.is_empty() && !c.expired && c.name != "heroku-session-affinity";
    let cookies: Vec<&Cookie> = answer.cookies.iter().filter(counts).collect();
    if cookies.is_empty() {
        return pass("none", 0);
    }
    let worst = cookies.iter().flat_map(|c| cookie_faults(c, hsts)).max();
    if let Some(verdict) = worst.and_then(|at| COOKIE_FAULTS.get(at)) {
        return *verdict;
    }
    if cookies.iter().all(|c| c.same_site.is_some()) {
        pass("secure-httponly-samesite", 5)
    } else {
        pass("secure-httponly", 0)
    }
}

/// Places in [`COOKIE_FAULTS`].
fn cookie_faults(cookie: &Cookie, hsts: bool) -> Vec<usize> {
    let name = cookie.name.to_lowercase();
    // The observatory's own, narrow idea of a session.
    let session = name.contains("login") || name.contains("sess");
    let mut faults = Vec::new();
    let same_site = cookie.same_site.as_deref().map(str::to_lowercase);
    let invalid = match same_site.as_deref() {
        Some("none") => !cookie.secure,
        Some(word) => !["lax", "strict"].contains(&word),
        None => false,
    };
    if invalid {
        faults.push(3);
    }
    if !cookie.secure {
        faults.push(usize::from(!hsts));
        if session {
            faults.push(if hsts { 2 } else { 6 });
        }
    }
    if name.contains("csrf") && same_site.is_none() {
        faults.push(4);
    }
    if session && !cookie.http_only {
        faults.push(5);
    }
    faults
}

pub(super) fn referrer(answer: &Answer) -> Verdict {
    let meta = answer
        .document
        .as_ref()
        .map(|d| d.referrer.as_slice())
        .unwrap_or_default();
    let header = answer.all("referrer-policy");
    let all: Vec<&str> = header.chain(meta.iter().map(String::as_str)).collect();
    if all.is_empty() {
        return pass("not-set", 0);
    }
    let tokens: Vec<String> = all
        .iter()
        .flat_map(|v| list(v))
        .map(str::to_lowercase)
        .collect();
    match tokens.iter().rev().find_map(|t| words::referrer(t)) {
        Some(true) => pass("private", 5),
        Some(false) => fail("unsafe", -5),
        None => fail("invalid", -5),
    }
}

pub(super) fn nosniff(answer: &Answer) -> Verdict {
    match answer.joined("x-content-type-options") {
        Some(value) if value.trim().eq_ignore_ascii_case("nosniff") => pass("nosniff", 0),
        Some(_) => fail("invalid", -5),
        None => fail("missing", -5),
    }
}

pub(super) fn framing(answer: &Answer) -> Verdict {
    let policies = answer
        .all("content-security-policy")
        .flat_map(csp::parse_list);
    let repeated = |p: &csp::Policy| p.repeated.iter().any(|name| !name.starts_with("report-"));
    let policies: Vec<csp::Policy> = policies.collect();
    let usable = !policies.iter().any(repeated);
    if usable
        && policies
            .iter()
            .any(|p| p.values("frame-ancestors").is_some())
    {
        return pass("via-csp", 5);
    }
    let value = answer
        .joined("x-frame-options")
        .map(|v| v.trim().to_lowercase());
    match value.as_deref() {
        Some("deny" | "sameorigin") => pass("deny-or-sameorigin", 5),
        Some(value) if value.starts_with("allow-from") => pass("allow-from", 0),
        Some(_) => fail("invalid", -20),
        None => fail("missing", -20),
    }
}

pub(super) fn corp(answer: &Answer) -> Verdict {
    let value = answer
        .joined("cross-origin-resource-policy")
        .map(|v| v.trim().to_lowercase());
    match value.as_deref() {
        None | Some("") => pass("none", 0),
        Some("same-origin") => pass("same-origin", 10),
        Some("same-site") => pass("same-site", 10),
        Some("cross-origin") => pass("cross-origin", 0),
        Some(_) => fail("invalid", -5),
    }
}

pub(super) fn coop(answer: &Answer) -> Verdict {
    let value = answer.joined("cross-origin-opener-policy");
    match value.as_deref().map(words::token) {
        None => pass("none", 0),
        Some(Some(word)) => match word.as_str() {
            "same-origin" => pass("same-origin", 10),
            "same-origin-allow-popups" => pass("same-origin-allow-popups", 10),
            "noopener-allow-popups" => pass("noopener-allow-popups", 10),
            "unsafe-none" => pass("unsafe-none", 0),
            _ => fail("invalid", -5),
        },
        Some(None) => fail("invalid", -5),
    }
}

pub(super) fn coep(answer: &Answer) -> Verdict {
    let value = answer.joined("cross-origin-embedder-policy");
    match value.as_deref().map(words::token) {
        None => pass("none", 0),
        Some(Some(word)) => match word.as_str() {
            "require-corp" => pass("require-corp", 10),
            "credentialless" => pass("credentialless", 10),
            "unsafe-none" => pass("unsafe-none", 0),
            _ => fail("invalid", -5),
        },
        Some(None) => fail("invalid", -5),
    }
}

pub(super) fn sri(answer: &Answer) -> Result<Verdict, String> {
    let kind = answer.media_type().unwrap_or_default();
    if !["text/html", "application/xhtml+xml"].contains(&kind.as_str()) {
        return Ok(pass("not-html", 0));
    }
    let document = answer
        .document
        .as_ref()
        .ok_or("the document was not read")?;
    if let Some(reason) = &document.unread {
        return Err(reason.clone());
    }
    let page = Url::parse(&answer.url).map_err(|e| e.to_string())?;
    let (mut worst, mut bonus): (Option<Verdict>, Option<Verdict>) = (None, None);
    for script in document.scripts.iter().filter(|s| !s.url.is_empty()) {
        let hashed = script.integrity.as_deref().is_some_and(|i| !i.is_empty());
        let absolute = script.url.starts_with("http://") || script.url.starts_with("https://");
        let schemeless = script.url.starts_with("//");
        let own = !absolute && !schemeless || absolute && same_site(&script.url, &page);
        let secure = if absolute {
            script.url.starts_with("https:")
        } else {
            !schemeless && page.scheme() == "https"
        };
        let found = match (own, hashed, secure) {
            (true, true, true) => {
                bonus = Some(pass("all-implemented", 5));
                continue;
            }
            (true, ..) => continue,
            (false, true, true) => {
                bonus = bonus.or(Some(pass("external-implemented", 5)));
                continue;
            }
            (false, true, false) => fail("implemented-but-insecure", -20),
            (false, false, true) => fail("external-without-integrity", -5),
            (false, false, false) => fail("neither", -50),
        };
        if worst.is_none_or(|w| found.modifier < w.modifier) {
            worst = Some(found);
        }
    }
    let scripts = !document.scripts.is_empty() || document.inline_scripts > 0;
    let quiet = if scripts { "same-origin" } else { "no-scripts" };
    Ok(worst.or(bonus).unwrap_or(pass(quiet, 0)))
}

fn same_site(url: &str, page: &Url) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    match (url.host_str(), page.host_str()) {
        (Some(a), Some(b)) => site(a) == site(b),
        _ => false,
    }
}
