//! Which of the claims that a config makes a record holds: the config may have changed since. Pure.

use readygate_web::{Method, shown, shown_text};
use url::Url;

use crate::{
    ask::masker,
    config::AccessConfig,
    record::{AccessMeasurement, Claim, Kind},
};

/// One claim of a config.
struct Asked<'a> {
    kind: Kind,
    method: http::Method,
    url: &'a str,
    /// Who it is about, where that tells claims on the same URL apart.
    who: Who<'a>,
}

enum Who<'a> {
    Any,
    User(&'a str),
    Object { owner: &'a str, other: &'a str },
}

/// What the config asks and the record does not hold: subject and kind.
pub(crate) fn missing(config: &AccessConfig, record: &AccessMeasurement) -> Vec<(String, Kind)> {
    let masker = masker(config);
    let mut left: Vec<&Claim> = record.claims.iter().collect();
    let mut missing = Vec::new();
    for asked in asked(config) {
        match left.iter().position(|claim| asked.is_held_by(claim)) {
            Some(index) => {
                left.remove(index);
            }
            None => missing.push((
                format!("{} {}", asked.method, masker.mask(&shown_text(asked.url))),
                asked.kind,
            )),
        }
    }
    // Its rows stand in a file; what is left after the objects comes from there.
    let matrix = config
        .authorization
        .as_ref()
        .and_then(|a| a.matrix.as_ref());
    if let Some(path) = matrix
        && !left
            .iter()
            .any(|claim| claim.kind == Kind::Authorization && !is_object(claim))
    {
        missing.push((path.clone(), Kind::Authorization));
    }
    missing
}

fn asked(config: &AccessConfig) -> Vec<Asked<'_>> {
    let mut all = Vec::new();
    let mut add = |kind, method: Method, url, who| {
        all.push(Asked {
            kind,
            method: method.into(),
            url,
            who,
        });
    };
    let get = Method::default();
    for one in &config.cors {
        add(Kind::Cors, get, one.url.as_str(), Who::Any);
    }
    for one in &config.authentication {
        add(Kind::Authentication, get, &one.url, Who::User(&one.user));
    }
    for one in config.authorization.iter().flat_map(|a| &a.objects) {
        let (owner, other) = (one.owner.as_str(), one.other.as_str());
        let who = Who::Object { owner, other };
        add(Kind::Authorization, one.method, &one.url, who);
    }
    for one in &config.rate_limit {
        add(Kind::RateLimit, one.method, &one.url, Who::Any);
    }
    for one in &config.input {
        add(Kind::Input, one.method, &one.url, Who::Any);
    }
    for one in &config.xss {
        add(Kind::Xss, get, &one.url, Who::Any);
    }
    for one in &config.csrf {
        add(Kind::Csrf, one.method, &one.url, Who::Any);
    }
    for one in &config.injection {
        add(Kind::Injection, one.method, &one.url, Who::Any);
    }
    all
}

/// What stands between the two names of the try of another user.
pub(crate) const ASKS: &str = " asks for what is ";

fn is_object(claim: &Claim) -> bool {
    claim.tries.iter().any(|one| one.name.contains(ASKS))
}

impl Asked<'_> {
    fn is_held_by(&self, claim: &Claim) -> bool {
        let url = claim
            .subject
            .strip_prefix(self.method.as_str())
            .and_then(|rest| rest.strip_prefix(' '));
        let who = || {
            let mut tries = claim.tries.iter();
            match self.who {
                _ if claim.refused.is_some() => true,
                Who::Any => true,
                Who::User(user) => tries.any(|one| one.role.as_deref() == Some(user)),
                Who::Object { owner, other } => {
                    let name = format!("{other}{ASKS}{owner}'s");
                    tries.any(|one| one.name == name)
                }
            }
        };
        claim.kind == self.kind && url.is_some_and(|url| same(url, self.url)) && who()
    }
}

/// Whether a URL of a record, which is absolute, is that of the config. What a relative one was
/// relative to is not known: its end must be the same.
fn same(recorded: &str, asked: &str) -> bool {
    if let Ok(url) = Url::parse(asked) {
        return like(recorded, &shown(&url));
    }
    let base = Url::parse("http://x/").and_then(|base| base.join(asked));
    let Ok(url) = base else {
        return false;
    };
    let url = shown(&url);
    let path = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..]).to_owned()
    };
    let (recorded, asked_path) = (path(recorded), path(&url));
    if asked.starts_with('/') {
        return like(&recorded, &asked_path);
    }
    let end = asked_path.trim_start_matches('/');
    let mut ends = recorded.char_indices().map(|(at, _)| &recorded[at..]);
    end.is_empty() || ends.any(|recorded| like(recorded, end))
}

/// Whether the two are the same but for what is masked in the first.
fn like(masked: &str, text: &str) -> bool {
    let Some((head, tail)) = masked.split_once("***") else {
        return masked == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    let mut rests = rest.char_indices().map(|(at, _)| &rest[at..]);
    tail.is_empty() || rests.any(|rest| like(tail, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_apart() {
        for (recorded, asked, yes) in [
            ("https://a.example/api", "/api", true),
            ("https://a.example/v1/api", "/api", false),
            ("https://a.example/v1/api", "api", true),
            ("https://a.example/api", "/api/2", false),
            ("https://a.example/api", "https://a.example/api", true),
            ("https://b.example/api", "https://a.example/api", false),
            ("https://a.example/", "https://a.example", true),
            ("https://a.example/x?token=***", "/x?token=abc", true),
            ("https://a.example/x/***/y", "/x/s3cret/y", true),
            ("https://a.example/x/***/y", "/x/s3cret/z", false),
            ("https://a.example/v1?q=1", "?q=1", true),
        ] {
            assert_eq!(same(recorded, asked), yes, "{recorded} {asked}");
        }
    }
}
