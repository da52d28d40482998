//! What the policies of a document allow, all of them taken together: a browser does what every
//! policy allows.

use readygate_sdk::{Checks, Level, excerpt};

use super::{Case, SHOWN, csp_syntax, error_if};
use crate::{
    config::Profile,
    parse::csp::{self, NOT_IN_META, Policy, Sources},
    rules,
};

/// Hosts where anyone's script can be had: package mirrors, and JSONP endpoints.
const BYPASSABLE: [&str; 12] = [
    "accounts.google.com",
    "ajax.googleapis.com",
    "cdn.jsdelivr.net",
    "cdn.rawgit.com",
    "cdn.skypack.dev",
    "cdnjs.cloudflare.com",
    "code.angularjs.org",
    "esm.sh",
    "raw.githubusercontent.com",
    "unpkg.com",
    "www.google.com",
    "yastatic.net",
];

pub(super) fn judge(case: Case<'_>, checks: &mut Checks) {
    let Some(document) = &case.answer.document else {
        return;
    };
    let subject = case.subject();
    let header = case
        .answer
        .all("content-security-policy")
        .flat_map(csp::parse_list);
    let in_head = document.csp.iter().filter(|meta| meta.in_head);
    let meta = in_head.map(|meta| {
        let mut policy = csp::parse(&meta.content);
        policy
            .directives
            .retain(|d| !NOT_IN_META.contains(&d.name.as_str()));
        policy
    });
    let policies: Vec<Policy> = header
        .chain(meta)
        .filter(|p| !p.directives.is_empty())
        .collect();
    csp_syntax::ignored(document, &subject, checks);
    if !present(case, &policies, &subject, checks) {
        return;
    }
    valid(&policies, &subject, checks);
    inline(&policies, &subject, checks);
    // What nothing restricts is said once, by the rules around.
    let restricted = policies.iter().any(|p| p.script_elements().is_some());
    if restricted {
        eval(&policies, &subject, checks);
        hosts(&policies, &subject, checks);
    }
    broad(&policies, &subject, checks);
    if case.answer.is_https() {
        insecure(&policies, &subject, checks);
    }
    base_uri(&policies, &subject, checks);
    nonces(case, &policies, &subject, checks);
    if case.config.profile != Profile::Helmet {
        styles(&policies, &subject, checks);
    }
    csp_syntax::judge(&policies, &subject, checks);
}

fn present(case: Case<'_>, policies: &[Policy], subject: &str, checks: &mut Checks) -> bool {
    let check = checks
        .check(&rules::CSP_MISSING, subject)
        .expected("an enforced Content-Security-Policy");
    if !policies.is_empty() {
        let enforced = match policies.len() {
            1 => "a policy is enforced".to_owned(),
            n => format!("{n} policies are enforced together"),
        };
        check.message(enforced).pass();
        return true;
    }
    let unread = case
        .answer
        .document
        .as_ref()
        .and_then(|d| d.unread.as_ref());
    let reported = case.answer.joined("content-security-policy-report-only");
    match (unread, reported) {
        (Some(reason), _) => check.unmeasured(format!(
            "no policy in the headers, and whether the document has one is not known: {reason}"
        )),
        (None, Some(policy)) => check
            .actual(format!(
                "Content-Security-Policy-Report-Only: {}",
                excerpt(&policy, SHOWN)
            ))
            .message("the only policy is one that reports and stops nothing")
            .fail(),
        (None, None) => check.actual("none").message("there is no policy").fail(),
    }
    false
}

/// What every policy allows, in the words of the first that says something about it; a policy that
/// says nothing allows it all. `None` when some policy forbids it.
fn allowed(policies: &[Policy], look: impl Fn(&Policy) -> Allowed) -> Option<String> {
    let mut words = None;
    for policy in policies {
        match look(policy) {
            Allowed::No => return None,
            Allowed::Unsaid => {}
            Allowed::Yes(found) => words = words.or(Some(found)),
        }
    }
    words
}

enum Allowed {
    No,
    /// The policy has no directive for it.
    Unsaid,
    Yes(String),
}

fn said(
    found: Option<(&str, Sources<'_>)>,
    holds: impl Fn(Sources<'_>) -> Option<String>,
) -> Allowed {
    match found {
        None => Allowed::Unsaid,
        Some((name, sources)) => match holds(sources) {
            Some(what) => Allowed::Yes(format!("`{name}` has {what}")),
            None => Allowed::No,
        },
    }
}

fn valid(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let lonely = policies.iter().find_map(|policy| {
        let (name, sources) = policy.script_elements()?;
        (sources.has("'strict-dynamic'") && !sources.has_nonce_or_hash()).then_some(name)
    });
    let known = |policy: &&Policy| {
        policy
            .directives
            .iter()
            .any(|d| csp::DIRECTIVES.contains(&d.name.as_str()))
    };
    let empty = policies.iter().find(|policy| !known(policy));
    let check = checks.check(&rules::CSP_INVALID, subject);
    if let Some(name) = lonely {
        let message = format!(
            "`{name}` has `'strict-dynamic'` and neither a nonce nor a hash: no script runs"
        );
        check.message(message).fail();
    } else if let Some(policy) = empty {
        let names: Vec<&str> = policy
            .directives
            .iter()
            .map(|d| d.name.as_str())
            .take(5)
            .collect();
        check
            .message("a policy has no directive that browsers know")
            .actual(names.join("; "))
            .fail();
    } else {
        check.message("the policy can work as it is written").pass();
    }
}

fn inline(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let unsafe_inline = |sources: Sources<'_>| {
        sources
            .allows_inline()
            .then(|| "`'unsafe-inline'`".to_owned())
    };
    let elements = allowed(policies, |p| said(p.script_elements(), unsafe_inline));
    let attributes = allowed(policies, |p| said(p.script_attributes(), unsafe_inline));
    let unsaid = policies.iter().all(|p| p.script_elements().is_none());
    let check = checks.check(&rules::CSP_UNSAFE_INLINE, subject);
    match elements.or(attributes) {
        Some(found) => check.message(format!("inline scripts run: {found}")).fail(),
        None if unsaid => check
            .message("inline scripts run: nothing restricts scripts")
            .fail(),
        None => check.message("inline scripts do not run").pass(),
    }
}

fn eval(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let found = allowed(policies, |p| {
        said(p.eval(), |s| {
            s.has("'unsafe-eval'").then(|| "`'unsafe-eval'`".to_owned())
        })
    });
    let check = checks.check(&rules::CSP_UNSAFE_EVAL, subject);
    match found {
        Some(found) => check.message(format!("text runs as code: {found}")).fail(),
        None => check
            .message("no policy of scripts allows `'unsafe-eval'`")
            .pass(),
    }
}

fn listed(sources: &[&str]) -> Option<String> {
    (!sources.is_empty()).then(|| {
        let quoted: Vec<String> = sources
            .iter()
            .take(5)
            .map(|s| format!("`{}`", excerpt(s, 80)))
            .collect();
        quoted.join(", ")
    })
}

fn broad(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let wide = |s: Sources<'_>| listed(&s.broad());
    let mut found = Vec::new();
    for (what, unsaid, look) in [
        (
            "script-src",
            policies.iter().all(|p| p.script_elements().is_none()),
            allowed(policies, |p| said(p.script_elements(), wide)),
        ),
        (
            "object-src",
            policies.iter().all(|p| p.objects().is_none()),
            allowed(policies, |p| said(p.objects(), wide)),
        ),
        (
            "base-uri",
            false,
            allowed(policies, |p| said(p.first_of(&["base-uri"]), wide)),
        ),
    ] {
        if unsaid {
            found.push(format!("neither `{what}` nor `default-src` is there"));
        }
        found.extend(look);
    }
    let check = checks.check(&rules::CSP_BROAD_SOURCE, subject);
    match found.first() {
        Some(first) => check
            .message(first.clone())
            .details(found.iter().skip(1).cloned())
            .fail(),
        None => check
            .message("scripts, plug-ins and the base come from named sources")
            .pass(),
    }
}

/// Directives that load what is seen and not run.
const PASSIVE: [&str; 2] = ["img-src", "media-src"];

fn insecure(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let upgraded = policies
        .iter()
        .any(|p| p.values("upgrade-insecure-requests").is_some());
    let mut found: Vec<(bool, String)> = Vec::new();
    for directive in policies.iter().flat_map(|p| &p.directives) {
        let name = directive.name.as_str();
        if name.starts_with("report-") || name.starts_with("trusted-") {
            continue;
        }
        let sources: Vec<&str> = Sources(&directive.values).insecure().collect();
        if let Some(sources) = listed(&sources) {
            found.push((
                !PASSIVE.contains(&name) && !upgraded,
                format!("`{name}` has {sources}"),
            ));
        }
    }
    found.sort_by_key(|(grave, _)| !grave);
    let check = checks.check(&rules::CSP_INSECURE_SCHEME, subject);
    match found.first() {
        Some((grave, first)) => check
            .level(error_if(*grave))
            .message(format!("plain HTTP is allowed: {first}"))
            .details(found.iter().skip(1).take(9).map(|(_, more)| more.clone()))
            .fail(),
        None => check.message("no source is over plain HTTP").pass(),
    }
}

fn base_uri(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let needed = policies.iter().find_map(|policy| {
        let (name, sources) = policy.script_elements()?;
        let by_hash = sources.has_hash() && sources.has("'strict-dynamic'");
        (sources.has_nonce() || by_hash).then_some(name)
    });
    let set = policies
        .iter()
        .any(|policy| policy.values("base-uri").is_some());
    let check = checks.check(&rules::CSP_BASE_URI, subject);
    match (needed, set) {
        (Some(name), false) => check
            .message(format!(
                "`{name}` allows scripts by nonce or hash, and `base-uri` is missing"
            ))
            .fail(),
        (_, true) => check.message("`base-uri` is set").pass(),
        (None, false) => check
            .message("no script is allowed by nonce, and `<base>` moves none elsewhere")
            .pass(),
    }
}

fn nonces(case: Case<'_>, policies: &[Policy], subject: &str, checks: &mut Checks) {
    let nonces: Vec<&str> = policies.iter().flat_map(Policy::nonces).collect();
    if nonces.is_empty() {
        return;
    }
    let weak = |nonce: &&&str| {
        let bare = nonce.trim_end_matches('=');
        bare.len() < 22
            || !bare
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b))
    };
    let check = checks.check(&rules::CSP_WEAK_NONCE, subject);
    match nonces.iter().find(weak) {
        Some(nonce) => {
            let long = nonce.chars().count();
            check
                .message(format!(
                    "a nonce has {long} characters, or others than those of base64"
                ))
                .fail();
        }
        None => check.message("nonces are long enough").pass(),
    }
    let check = checks.check(&rules::CSP_NONCE_REUSE, subject);
    match &case.answer.again {
        // A capture is one response; nobody can ask it again.
        None if case.captured => check
            .level(Level::Info)
            .message("one captured response cannot show whether its nonce comes again")
            .hint("ask the running service with `pages` as well")
            .fail(),
        None => check.unmeasured("the URL was asked only once"),
        Some(again) if again.error.is_some() => {
            let reason = again.error.clone().unwrap_or_default();
            check.unmeasured(format!("the URL did not answer a second time: {reason}"));
        }
        Some(again) if again.nonces.is_empty() => {
            check.unmeasured("the second response has no nonce");
        }
        Some(again) => match again.nonces.iter().find(|n| nonces.contains(&n.as_str())) {
            Some(nonce) => check
                .message(format!(
                    "two responses have the nonce `{}`",
                    excerpt(nonce, 60)
                ))
                .fail(),
            None => check.message("a second response has another nonce").pass(),
        },
    }
}

fn hosts(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let found = allowed(policies, |policy| {
        said(policy.script_elements(), |sources| {
            if sources.has("'strict-dynamic'") {
                return None;
            }
            let known = sources
                .0
                .iter()
                .map(String::as_str)
                .filter(|s| is_bypassable(s));
            listed(&known.collect::<Vec<_>>())
        })
    });
    let check = checks.check(&rules::CSP_BYPASSABLE_HOST, subject);
    match found {
        Some(found) => check
            .message(format!("{found}, where anyone's script can be had"))
            .fail(),
        None => check
            .message("no script comes from a public package mirror")
            .pass(),
    }
}

/// A whole host of the list: a source with a path allows one file only.
fn is_bypassable(source: &str) -> bool {
    let rest = source.split_once("://").map_or(source, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let covers = |known: &str| match host.strip_prefix("*.") {
        Some(domain) => known.strip_suffix(domain).is_some_and(|s| s.ends_with('.')),
        None => known == host,
    };
    path.is_empty() && !host.is_empty() && BYPASSABLE.iter().any(|known| covers(known))
}

fn styles(policies: &[Policy], subject: &str, checks: &mut Checks) {
    let found = allowed(policies, |policy| {
        said(policy.styles(), |sources| {
            let mut wide = sources.broad();
            if sources.allows_inline() {
                wide.push("'unsafe-inline'");
            }
            listed(&wide)
        })
    });
    let unsaid = policies.iter().all(|p| p.styles().is_none());
    let check = checks.check(&rules::CSP_UNSAFE_STYLE, subject);
    match found {
        Some(found) => check.message(found).fail(),
        None if unsaid => check.message("nothing restricts styles").fail(),
        None => check.message("styles come from named sources").pass(),
    }
}
