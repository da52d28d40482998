//! What other origins may read, judged for each URL over all its answers.

use readygate_sdk::{Checks, excerpt};

use super::{SHOWN, error_if};
use crate::{
    config::HeadersConfig,
    parse::list,
    record::{CorsAnswer, HeadersMeasurement, Origin},
    rules,
};

pub(super) fn judge(config: &HeadersConfig, record: &HeadersMeasurement, checks: &mut Checks) {
    let mut urls: Vec<&str> = record.cors.iter().map(|c| c.url.as_str()).collect();
    urls.dedup();
    for url in urls {
        let answers: Vec<&CorsAnswer> = record.cors.iter().filter(|c| c.url == url).collect();
        let Some(first) = answers.first() else {
            continue;
        };
        let bench = Bench {
            config,
            private: config.is_private(&first.declared),
            url,
            answers: &answers,
        };
        bench.foreign(checks);
        bench.null(checks);
        bench.wildcard(checks);
        bench.vary(checks);
        bench.allowed(checks);
        bench.denied(checks);
        bench.methods(checks);
    }
}

struct Bench<'a> {
    config: &'a HeadersConfig,
    private: bool,
    url: &'a str,
    answers: &'a [&'a CorsAnswer],
}

fn shown(answer: &CorsAnswer) -> String {
    let origin = excerpt(&answer.sent, 100);
    match (&answer.error, &answer.allow_origin) {
        (Some(error), _) => format!("{} as {origin}: {error}", answer.method),
        (None, None) => format!("{} as {origin}: not let in", answer.method),
        (None, Some(allowed)) => {
            let with = if answer.allow_credentials {
                ", with credentials"
            } else {
                ""
            };
            format!(
                "{} as {origin}: Access-Control-Allow-Origin {}{with}",
                answer.method,
                excerpt(allowed, 100)
            )
        }
    }
}

/// `GET`, or `OPTIONS for PUT`.
fn method(answer: &CorsAnswer) -> String {
    match &answer.asked_for {
        Some(asked) => format!("{} for {asked}", answer.method),
        None => answer.method.clone(),
    }
}

fn is_wildcard(answer: &CorsAnswer) -> bool {
    answer.allow_origin.as_deref() == Some("*")
}

impl<'a> Bench<'a> {
    fn of(&self, origins: &'a [Origin]) -> impl Iterator<Item = &'a CorsAnswer> {
        self.answers
            .iter()
            .copied()
            .filter(|c| origins.contains(&c.origin))
    }

    /// Origins that nobody declared, `null` apart.
    fn hostile(&self) -> impl Iterator<Item = &'a CorsAnswer> {
        let config = self.config;
        let known = [
            Origin::Foreign,
            Origin::Prefix,
            Origin::Suffix,
            Origin::Insecure,
            Origin::Sibling,
        ];
        let answers = self.answers.iter().copied();
        answers.filter(move |c| known.contains(&c.origin) && !config.allows(&c.sent))
    }

    fn foreign(&self, checks: &mut Checks) {
        let open = |c: &&CorsAnswer| c.lets_in() || (is_wildcard(c) && self.private);
        let mut let_in: Vec<&CorsAnswer> = self.hostile().filter(open).collect();
        let_in.sort_by_key(|c| !c.allow_credentials);
        let check = checks
            .check(&rules::CORS_FOREIGN_ORIGIN, self.url)
            .expected("no undeclared origin is let in");
        let unknown = self.hostile().find(|c| c.error.is_some());
        match (let_in.first(), unknown) {
            (Some(worst), _)
                if worst.allow_credentials || self.private || !self.config.is_public() =>
            {
                check
                    .level(error_if(worst.allow_credentials || self.private))
                    .actual(shown(worst))
                    .message(format!("{} may read the answer", origin(worst)))
                    .details(let_in.iter().skip(1).take(11).map(|c| shown(c)))
                    .fail();
            }
            (_, Some(unknown)) => check.unmeasured(shown(unknown)),
            (None, None) if self.hostile().next().is_none() => {
                check.unmeasured("no other origin was tried");
            }
            (Some(_), None) => check
                .message("every origin may read the answer, as declared")
                .pass(),
            (None, None) if self.hostile().all(is_wildcard) => {
                check
                    .actual("*")
                    .message("every origin may read the answer, without credentials")
                    .pass();
            }
            (None, None) => check.message("no undeclared origin is let in").pass(),
        }
    }

    fn null(&self, checks: &mut Checks) {
        let mut tried = self.of(&[Origin::Null]).peekable();
        if tried.peek().is_none() {
            return;
        }
        let answers: Vec<_> = tried.collect();
        let check = checks.check(&rules::CORS_NULL_ORIGIN, self.url);
        let mut let_in: Vec<_> = answers.iter().filter(|c| c.lets_in()).collect();
        let_in.sort_by_key(|c| !c.allow_credentials);
        let unknown = answers.iter().find(|c| c.error.is_some());
        match (let_in.first(), unknown) {
            (Some(worst), _) => check
                .level(error_if(worst.allow_credentials || self.private))
                .actual(shown(worst))
                .message("the origin `null` may read the answer")
                .fail(),
            (None, Some(unknown)) => check.unmeasured(shown(unknown)),
            (None, None) => check.message("the origin `null` is not let in").pass(),
        }
    }

    fn wildcard(&self, checks: &mut Checks) {
        let check = checks.check(&rules::CORS_WILDCARD_CREDENTIALS, self.url);
        match self
            .answers
            .iter()
            .find(|c| is_wildcard(c) && c.allow_credentials)
        {
            Some(found) => check
                .actual(shown(found))
                .message("`*` is sent with credentials allowed")
                .fail(),
            None => match self.answers.iter().find(|c| c.error.is_some()) {
                Some(unknown) => check.unmeasured(shown(unknown)),
                None => check
                    .message("`*` is not sent with credentials allowed")
                    .pass(),
            },
        }
    }

    fn vary(&self, checks: &mut Checks) {
        let mut reflected = self
            .answers
            .iter()
            .filter(|c| c.lets_in() && !is_wildcard(c))
            .peekable();
        if reflected.peek().is_none() {
            return;
        }
        let check = checks
            .check(&rules::CORS_VARY, self.url)
            .expected("Vary: Origin");
        match reflected.find(|c| !c.varies) {
            Some(found) => check
                .actual(shown(found))
                .message("the answer for one origin does not vary by it")
                .fail(),
            None => check.message("answers vary by origin").pass(),
        }
    }

    fn allowed(&self, checks: &mut Checks) {
        for allowed in self.of(&[Origin::Allowed]) {
            let preflight = allowed.method == "OPTIONS";
            if preflight && self.config.cors.methods.is_empty() {
                continue;
            }
            let check = checks
                .check(
                    &rules::CORS_ALLOWED_ORIGIN,
                    format!("{} {} as {}", self.url, method(allowed), allowed.sent),
                )
                .expected(format!("Access-Control-Allow-Origin: {}", allowed.sent))
                .actual(shown(allowed));
            if let Some(error) = &allowed.error {
                check.unmeasured(error.clone());
            } else if allowed.lets_in() || is_wildcard(allowed) {
                check.message("the declared origin is let in").pass();
            } else {
                check.message("the declared origin is not let in").fail();
            }
        }
    }

    fn denied(&self, checks: &mut Checks) {
        for denied in self.of(&[Origin::Denied]) {
            let check = checks
                .check(
                    &rules::CORS_DENIED_ORIGIN,
                    format!("{} {} as {}", self.url, denied.method, denied.sent),
                )
                .actual(shown(denied));
            if let Some(error) = &denied.error {
                check.unmeasured(error.clone());
            } else if denied.lets_in() || is_wildcard(denied) {
                check.message("the denied origin is let in").fail();
            } else {
                check.message("the denied origin is not let in").pass();
            }
        }
    }

    fn methods(&self, checks: &mut Checks) {
        if self.config.cors.methods.is_empty() {
            return;
        }
        for preflight in self.of(&[Origin::Allowed]) {
            let Some(method) = preflight.asked_for.as_deref() else {
                continue;
            };
            let granted = preflight.allow_methods.clone().unwrap_or_default();
            let check = checks
                .check(
                    &rules::CORS_METHODS,
                    format!("{} {method} as {}", self.url, preflight.sent),
                )
                .expected(format!(
                    "a 2xx answer with {method} in Access-Control-Allow-Methods"
                ))
                .actual(format!(
                    "{} {}",
                    preflight.status.unwrap_or_default(),
                    excerpt(&granted, SHOWN)
                ));
            // Some methods need no grant (WHATWG Fetch, section 2.2.1).
            let has = ["GET", "HEAD", "POST"].contains(&method)
                || list(&granted)
                    .any(|g| g == method || (g == "*" && !preflight.allow_credentials));
            let refused = !preflight.status.is_some_and(|s| (200..300).contains(&s));
            match (&preflight.error, has) {
                (Some(error), _) => check.unmeasured(error.clone()),
                (None, _) if refused => check
                    .message("the preflight is not answered with 2xx")
                    .fail(),
                (None, false) => check
                    .message(format!("the preflight does not grant {method}"))
                    .fail(),
                (None, true) => check
                    .message(format!("the preflight grants {method}"))
                    .pass(),
            }
        }
    }
}

fn origin(answer: &CorsAnswer) -> String {
    let what = match answer.origin {
        Origin::Foreign => "an origin that nobody knows",
        Origin::Null => "the origin `null`",
        Origin::Prefix => "an origin that begins like the host",
        Origin::Suffix => "an origin that ends like the host",
        Origin::Insecure => "the host over plain HTTP",
        Origin::Sibling => "every host of the domain",
        Origin::Allowed => "an allowed origin",
        Origin::Denied => "a denied origin",
    };
    let with = if answer.allow_credentials {
        ", with credentials"
    } else {
        ""
    };
    format!("{what}{with}")
}
