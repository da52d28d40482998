//! The way from plain HTTP.

use readygate_sdk::{Checks, count_of};
use url::Url;

use crate::{record::Plain, rules};

pub(super) fn judge(plain: &Plain, checks: &mut Checks) {
    let subject = plain.url.as_str();
    // Taken on the user's word: nothing was seen that could pass.
    if subject == "none" {
        return;
    }
    let check = checks
        .check(&rules::REDIRECT_TO_HTTPS, subject)
        .expected("HTTPS, or nothing that listens");
    if plain.closed {
        check
            .actual("nothing listens")
            .message("nothing listens on plain HTTP")
            .pass();
        return;
    }
    let urls: Vec<Url> = plain
        .steps
        .iter()
        .filter_map(|step| Url::parse(&step.url).ok())
        .collect();
    let certificate = plain
        .error
        .as_ref()
        .filter(|e| e.message.contains("certificate"));
    match (urls.as_slice(), &plain.error) {
        (_, Some(error)) if certificate.is_some() => check
            .message(format!("it leads to a broken HTTPS: {error}"))
            .fail(),
        (_, Some(error)) => check.unmeasured(error.to_string()),
        ([], None) => check.unmeasured("nothing was asked"),
        ([only], None) => {
            let status = plain.steps.first().map_or(0, |step| step.status);
            check
                .actual(format!("{status} from {only}"))
                .message("it answers without a redirect")
                .fail();
        }
        ([.., last], None) => {
            let check = check.actual(last.to_string());
            if last.scheme() == "https" && !plain.endless {
                check
                    .message(format!("it leads to HTTPS, after {}", hops(&urls)))
                    .pass();
            } else {
                check
                    .message(format!("it does not lead to HTTPS, after {}", hops(&urls)))
                    .fail();
            }
        }
    }
    way(plain, &urls, subject, checks);
    if let [first, second, ..] = urls.as_slice() {
        first_step(plain, first, second, subject, checks);
    }
}

fn hops(urls: &[Url]) -> String {
    count_of(urls.len().saturating_sub(1) as u64, "redirect", "redirects")
}

fn way(plain: &Plain, urls: &[Url], subject: &str, checks: &mut Checks) {
    if urls.len() < 2 {
        return;
    }
    let route: Vec<String> = plain
        .steps
        .iter()
        .map(|s| format!("{} {}", s.status, s.url))
        .collect();
    let again = urls
        .iter()
        .enumerate()
        .any(|(at, url)| urls[..at].contains(url));
    let check = checks
        .check(&rules::REDIRECT_LOOP, subject)
        .details(route.iter().take(12).cloned());
    if again {
        check
            .message("the redirects come back to a URL that was asked before")
            .fail();
    } else if plain.endless {
        check
            .message(format!("the redirects do not end after {}", hops(urls)))
            .fail();
    } else if plain.error.is_some() {
        check.unmeasured("the end of the redirects is not known");
    } else {
        check
            .message(format!("the redirects end, after {}", hops(urls)))
            .pass();
    }
    let down = urls
        .windows(2)
        .find(|two| two[0].scheme() == "https" && two[1].scheme() == "http");
    let check = checks.check(&rules::REDIRECT_DOWNGRADE, subject);
    match down {
        Some([from, to]) => check.message(format!("{from} redirects to {to}")).fail(),
        _ => check.message("no redirect leads back to plain HTTP").pass(),
    }
}

fn first_step(plain: &Plain, first: &Url, second: &Url, subject: &str, checks: &mut Checks) {
    let status = plain.steps.first().map_or(0, |step| step.status);
    let secure = second.scheme() == "https";
    checks
        .check(&rules::REDIRECT_HTTPS_FIRST, subject)
        .actual(second.to_string())
        .message(if secure {
            "the first redirect leads to HTTPS"
        } else {
            "the first redirect stays on plain HTTP"
        })
        .passed_if(secure);
    let same = first.host_str() == second.host_str();
    checks
        .check(&rules::REDIRECT_HOST, subject)
        .actual(second.to_string())
        .message(if same {
            "the first redirect stays on the host"
        } else {
            "the first redirect leaves the host"
        })
        .passed_if(same);
    let permanent = matches!(status, 301 | 308);
    checks
        .check(&rules::REDIRECT_PERMANENT, subject)
        .expected("301 or 308")
        .actual(status.to_string())
        .message(if permanent {
            "the redirect is permanent"
        } else {
            "the redirect is temporary"
        })
        .passed_if(permanent);
    let kept = first.path() == second.path() && first.query() == second.query();
    checks
        .check(&rules::REDIRECT_PATH, subject)
        .actual(second.to_string())
        .message(if kept {
            "path and query are kept"
        } else {
            "path or query are lost"
        })
        .passed_if(kept);
}
