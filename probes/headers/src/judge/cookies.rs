//! Cookies of one answer.

use readygate_sdk::{Checks, Level};
use url::Url;

use super::{Case, error_if};
use crate::{
    parse::{cookie::Cookie, hsts},
    rules,
};

pub(super) fn judge(case: Case<'_>, checks: &mut Checks) {
    let hsts = case.answer.is_https()
        && case
            .answer
            .first("strict-transport-security")
            .and_then(|value| hsts::parse(value).ok())
            .is_some_and(|hsts| hsts.max_age > 0);
    let host = Url::parse(&case.answer.url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    // One that takes a cookie away protects nothing.
    for cookie in case.answer.cookies.iter().filter(|cookie| !cookie.expired) {
        let subject = format!("{} cookie {}", case.subject(), named(cookie));
        dropped(cookie, &host, &subject, checks);
        secure(cookie, hsts, &subject, checks);
        if cookie.is_session() {
            let check = checks.check(&rules::COOKIE_HTTP_ONLY, &subject);
            if cookie.http_only {
                check
                    .message("scripts cannot read the session cookie")
                    .pass();
            } else {
                let why = known_by(cookie);
                check
                    .message(format!("scripts can read a session cookie ({why})"))
                    .fail();
            }
        }
        same_site(cookie, &subject, checks);
        domain(cookie, &host, &subject, checks);
    }
}

fn named(cookie: &Cookie) -> &str {
    if cookie.name.is_empty() {
        "without a name"
    } else {
        &cookie.name
    }
}

fn known_by(cookie: &Cookie) -> &'static str {
    if cookie.jwt {
        "its value is a JSON Web Token"
    } else {
        "by its name"
    }
}

fn dropped(cookie: &Cookie, host: &str, subject: &str, checks: &mut Checks) {
    let reason = cookie
        .dropped
        .clone()
        .or_else(|| prefix(cookie))
        .or_else(|| foreign(cookie, host));
    let check = checks.check(&rules::COOKIE_DROPPED, subject);
    match reason {
        Some(reason) => check.message(format!("browsers drop it: {reason}")).fail(),
        None => check.message("browsers store it").pass(),
    }
}

/// What a prefix of the name promises, and the attributes do not keep.
fn prefix(cookie: &Cookie) -> Option<String> {
    let name = cookie.name.to_ascii_lowercase();
    let (prefix, broken) = if name.starts_with("__host-") {
        let broken = [
            (!cookie.secure, "`Secure` is missing"),
            (cookie.domain.is_some(), "it has a `Domain`"),
            (cookie.path.as_deref() != Some("/"), "`Path=/` is missing"),
        ];
        ("__Host-", broken)
    } else if name.starts_with("__secure-") {
        (
            "__Secure-",
            [
                (!cookie.secure, "`Secure` is missing"),
                (false, ""),
                (false, ""),
            ],
        )
    } else {
        return None;
    };
    let reason = broken
        .iter()
        .find(|(is, _)| *is)
        .map(|(_, reason)| reason)?;
    Some(format!("its name begins with `{prefix}`, and {reason}"))
}

fn foreign(cookie: &Cookie, host: &str) -> Option<String> {
    let domain = cookie.domain.as_deref()?;
    if domain == host {
        return None;
    }
    let below = host
        .strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'));
    if !below {
        Some(format!("`Domain={domain}` is not the domain of {host}"))
    } else if !domain.contains('.') {
        Some(format!("`Domain={domain}` is a whole top-level domain"))
    } else {
        None
    }
}

fn secure(cookie: &Cookie, hsts: bool, subject: &str, checks: &mut Checks) {
    let check = checks.check(&rules::COOKIE_SECURE, subject);
    if cookie.secure {
        check.message("it goes over HTTPS only").pass();
        return;
    }
    let guarded = if hsts {
        "; HSTS keeps most browsers on HTTPS"
    } else {
        ""
    };
    check
        .level(error_if(cookie.is_session() || !hsts))
        .message(format!("it goes over plain HTTP as well{guarded}"))
        .fail();
}

fn same_site(cookie: &Cookie, subject: &str, checks: &mut Checks) {
    let check = checks
        .check(&rules::COOKIE_SAME_SITE, subject)
        .expected("SameSite=Lax or Strict");
    let Some(written) = &cookie.same_site else {
        let check = check.actual("none");
        if cookie.is_anti_csrf() {
            check
                .message("a token against request forgery has no SameSite")
                .fail();
        } else if cookie.is_session() {
            check
                .level(Level::Warning)
                .message("a session cookie has no SameSite")
                .fail();
        } else {
            check.message("no session, and no SameSite").pass();
        }
        return;
    };
    let check = check.actual(written.clone());
    match written.to_ascii_lowercase().as_str() {
        "lax" | "strict" => check.message("other sites cannot use it").pass(),
        "none" if cookie.secure => check.message("other sites may use it, over HTTPS").pass(),
        "none" => check
            .message("browsers refuse `SameSite=None` without `Secure`")
            .fail(),
        _ => check.message("browsers do not know this SameSite").fail(),
    }
}

fn domain(cookie: &Cookie, host: &str, subject: &str, checks: &mut Checks) {
    let Some(domain) = cookie.domain.as_deref() else {
        return;
    };
    let check = checks
        .check(&rules::COOKIE_DOMAIN, subject)
        .actual(format!("Domain={domain}"));
    if domain == host {
        check.message("it is for this host and those below").pass();
    } else {
        check
            .message(format!(
                "every host below {domain} gets it, not {host} alone"
            ))
            .fail();
    }
}
