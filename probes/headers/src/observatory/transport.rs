//! HSTS and the way from plain HTTP.

use url::Url;

use super::{Verdict, fail, pass};
use crate::{
    parse::hsts,
    record::{Answer, Plain},
};

/// Half a year, as the observatory rounds it: 180 days.
pub const HALF_A_YEAR: u64 = 15_552_000;

pub(super) fn hsts(answer: &Answer) -> Verdict {
    if !answer.is_https() {
        return fail("no-https", -20);
    }
    // Repeated fields arrive there joined by a comma, which is invalid to it.
    let Some(value) = answer.joined("strict-transport-security") else {
        return fail("none", -20);
    };
    if value.contains(',') {
        return fail("invalid", -20);
    }
    match hsts::parse(&value) {
        Ok(hsts) if hsts.max_age >= HALF_A_YEAR => pass("at-least-six-months", 0),
        Ok(_) => fail("less-than-six-months", -10),
        Err(_) => fail("invalid", -20),
    }
}

/// The way from plain HTTP.
pub(super) fn redirection(plain: &Plain) -> Result<Verdict, String> {
    if plain.closed || plain.url == "none" {
        return Ok(pass("not-needed-no-http", 0));
    }
    if let Some(error) = &plain.error {
        if error.message.contains("certificate") {
            return Ok(fail("invalid-cert", -20));
        }
        return Err(error.to_string());
    }
    let urls: Vec<Url> = plain
        .steps
        .iter()
        .filter_map(|s| Url::parse(&s.url).ok())
        .collect();
    let [first, rest @ ..] = urls.as_slice() else {
        return Err("nothing was asked".to_owned());
    };
    let (Some(second), Some(last)) = (rest.first(), rest.last()) else {
        return Ok(fail("missing", -20));
    };
    Ok(if plain.endless || last.scheme() != "https" {
        fail("not-to-https", -20)
    } else if second.scheme() == "http" {
        fail("not-https-first", -10)
    } else if first.host_str() != second.host_str() {
        fail("off-host", -5)
    } else {
        pass("to-https", 0)
    })
}
