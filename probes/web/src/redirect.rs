//! Redirects: what the next request is, and what it must not carry along.

use http::{
    Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, LOCATION, USER_AGENT},
};
use readygate_sdk::ProbeError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Client, Request, Response, address::strip_userinfo};

/// A redirect that was followed.
#[derive(Debug, Clone)]
pub struct Hop {
    /// The URL that redirected.
    pub url: Url,
    /// Its status code.
    pub status: StatusCode,
    /// Where it pointed to, absolute.
    pub location: Url,
    /// Whether that left the origin that the credentials are meant for.
    pub elsewhere: bool,
    /// Seconds from the request to the response headers.
    pub seconds: f64,
}

/// Why a redirect was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// As many as the config allows were followed.
    Limit,
    /// It leads to a request that was sent before.
    Loop,
    /// It names no place.
    NoLocation,
    /// It names a place that is no HTTP URL.
    BadLocation,
    /// It would send the request body to another origin.
    BodyElsewhere,
}

/// Where redirects led.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The last response, with its body.
    pub response: Response,
    /// The redirects on the way.
    pub hops: Vec<Hop>,
    /// Why the last redirect was not followed, if it was one and `limit` is not 0.
    pub stopped: Option<Stop>,
}

impl Client {
    /// Sends `first` and follows at most `limit` redirects; bodies of redirects are not read.
    pub async fn follow(&self, first: &Request, limit: u8) -> Result<Arrival, ProbeError> {
        let limit = usize::from(limit);
        let mut request = first.clone();
        let mut hops: Vec<Hop> = Vec::new();
        let mut sent = Vec::new();
        loop {
            let head = self.head(&request).await?;
            let status = head.status();
            sent.push((request.method.clone(), request.url.clone()));
            let next = if limit > 0 && is_redirect(status) {
                next(&request, status, head.location().as_deref(), &sent)
            } else {
                Ok(None)
            };
            let (next, stopped) = match next {
                Ok(Some(_)) if hops.len() >= limit => (None, Some(Stop::Limit)),
                Ok(next) => (next, None),
                Err(stop) => (None, Some(stop)),
            };
            let Some(next) = next else {
                let response = head.read().await?;
                return Ok(Arrival {
                    response,
                    hops,
                    stopped,
                });
            };
            hops.push(Hop {
                url: request.url.clone(),
                status,
                location: next.url.clone(),
                elsewhere: !next.home,
                seconds: head.seconds(),
            });
            request = next;
        }
    }
}

impl Request {
    /// The request that a redirect asks for, or why it is not sent (RFC 9110, section 15.4).
    pub fn redirected(&self, status: StatusCode, location: &str) -> Result<Self, Stop> {
        let mut url = self.url.join(location).map_err(|_| Stop::BadLocation)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Stop::BadLocation);
        }
        strip_userinfo(&mut url);
        let mut next = self.clone();
        let home = self.home && url.origin() == self.url.origin();
        next.url = url;
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            next.method = Method::GET;
            next.body = None;
            next.headers.remove(CONTENT_TYPE);
        }
        if !home {
            // A body may hold a password as well as a header may.
            if next.body.is_some() {
                return Err(Stop::BodyElsewhere);
            }
            // Whatever the user set may be a credential, under any name; once away from home, they
            // stay away: the way back was not ours.
            let harmless = [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, USER_AGENT];
            next.headers = harmless
                .iter()
                .filter_map(|name| Some((name.clone(), self.headers.get(name)?.clone())))
                .filter(|(_, value)| !value.is_sensitive())
                .collect();
        }
        next.home = home;
        Ok(next)
    }
}

impl Response {
    /// Where it redirects to, as it was written; absent if it does not.
    pub fn location(&self) -> Option<String> {
        let location = self
            .headers
            .get(LOCATION)
            .filter(|_| is_redirect(self.status))?;
        Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
    }
}

/// The statuses that name another place (RFC 9110, section 15.4); 300 and 304 do not.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn next(
    request: &Request,
    status: StatusCode,
    location: Option<&str>,
    sent: &[(Method, Url)],
) -> Result<Option<Request>, Stop> {
    let next = request.redirected(status, location.ok_or(Stop::NoLocation)?)?;
    let known = |(method, url): &(Method, Url)| *method == next.method && *url == next.url;
    if sent.iter().any(known) {
        return Err(Stop::Loop);
    }
    Ok(Some(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secretive() -> Request {
        let mut request = Request::new(Method::POST, Url::parse("https://a.example/x").unwrap());
        request.body = Some(b"b".to_vec());
        for (name, value, secret) in [
            ("Authorization", "Bearer t0ken", true),
            ("X-Key", "k", false),
            ("Accept", "text/html", false),
            ("Cookie", "c", true),
        ] {
            request.set(name, value, secret).unwrap();
        }
        request
    }

    #[test]
    fn credentials_stay_on_their_origin() {
        let first = secretive();
        let see_other = StatusCode::SEE_OTHER;
        let same = first.redirected(see_other, "/y").unwrap();
        assert!(same.headers.contains_key("x-key") && same.headers.contains_key("cookie"));
        for elsewhere in [
            "https://b.example/",
            "http://a.example/x",
            "https://a.example:8443/",
            "https://a.example.evil.example/",
            "//b.example/",
        ] {
            let away = first.redirected(see_other, elsewhere).unwrap();
            let mut names: Vec<_> = away.headers.keys().map(http::HeaderName::as_str).collect();
            names.sort_unstable();
            let harmless = ["accept", "accept-encoding", "user-agent"];
            assert_eq!(names, harmless, "{elsewhere}");
            let back = away.redirected(see_other, "https://a.example/x").unwrap();
            let farther = away.redirected(see_other, "/farther").unwrap();
            assert!(!away.is_home() && !back.is_home() && !farther.is_home());
            assert!(!back.headers.contains_key("authorization"), "{elsewhere}");
        }
    }

    #[test]
    fn bodies_stay_on_their_origin() {
        let first = secretive();
        let kept = StatusCode::PERMANENT_REDIRECT;
        let stop = first.redirected(kept, "https://b.example/").err();
        assert_eq!(stop, Some(Stop::BodyElsewhere));
        assert!(first.redirected(kept, "/y").unwrap().body.is_some());
        let get = first.redirected(StatusCode::FOUND, "/y").unwrap();
        assert_eq!((get.method, get.body), (Method::GET, None));
    }

    #[test]
    fn only_the_web_is_followed() {
        let first = Request::new(Method::GET, Url::parse("https://a.example/").unwrap());
        for location in [
            "file:///etc/passwd",
            "javascript:1",
            "http://",
            "ftp://a.example/",
        ] {
            let stop = first.redirected(StatusCode::FOUND, location).err();
            assert_eq!(stop, Some(Stop::BadLocation), "{location}");
        }
    }
}
