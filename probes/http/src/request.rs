//! The request of one endpoint: prepared from the config once, sent for every sample, and rewritten
//! for every redirect.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use percent_encoding::percent_decode_str;
use readygate_sdk::{ErrorKind, Masker, ProbeError, Target};
use url::Url;

use crate::{
    address::{resolve, strip_userinfo},
    config::{Auth, HttpConfig},
    record::Stop,
};

/// One request, ready to be sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) url: Url,
    pub(crate) method: http::Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    /// Still on the origin that the credentials are meant for.
    home: bool,
}

/// A request, and what masks its secrets in all that is recorded.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) masker: Masker,
    /// Bytes of the longest secret, in the longest of its forms.
    pub(crate) longest_secret: usize,
}

impl Prepared {
    /// Puts URL, headers, credentials and body together.
    pub(crate) fn new(config: &HttpConfig, target: &Target) -> Result<Self, ProbeError> {
        let mut url = resolve(&config.url, target)?;
        let mut secrets: Vec<String> = config
            .secret_headers
            .values()
            .map(|value| value.expose().to_owned())
            .collect();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let agent = concat!("readygate/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let body = body_of(config, &mut headers);
        for (name, value) in &config.headers {
            insert(&mut headers, name, value, false)?;
        }
        for (name, value) in &config.secret_headers {
            insert(&mut headers, name, value.expose(), true)?;
        }
        if let Some((value, secret)) = credentials(config, &url) {
            secrets.push(secret);
            insert(&mut headers, AUTHORIZATION.as_str(), &value, true)?;
        }
        secrets.extend(url.password().map(str::to_owned));
        strip_userinfo(&mut url);
        Ok(Self {
            request: Request {
                url,
                method: config.method.into(),
                headers,
                body,
                home: true,
            },
            masker: Masker::new(secrets.iter().map(String::as_str)),
            // `\u{10ffff}` and `%F0%9F%98%80` are the longest ways to write a byte of text.
            longest_secret: secrets.iter().map(|s| 10 * s.len()).max().unwrap_or(0),
        })
    }
}

impl Request {
    /// The request that a redirect asks for, or why it is not sent (RFC 9110, section 15.4).
    pub(crate) fn redirected(&self, status: StatusCode, location: &str) -> Result<Self, Stop> {
        let mut url = self.url.join(location).map_err(|_| Stop::BadLocation)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Stop::BadLocation);
        }
        strip_userinfo(&mut url);
        let mut next = self.clone();
        let home = self.home && url.origin() == self.url.origin();
        next.url = url;
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != http::Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == http::Method::POST,
            _ => false,
        };
        if becomes_get {
            next.method = http::Method::GET;
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

    /// Whether the credentials of the config are still sent.
    pub(crate) fn is_home(&self) -> bool {
        self.home
    }

    /// The host, as it is connected to.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, given or known by the scheme.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }
}

fn body_of(config: &HttpConfig, headers: &mut HeaderMap) -> Option<Vec<u8>> {
    let (kind, bytes) = if let Some(json) = &config.json {
        ("application/json", json.to_string().into_bytes())
    } else if let Some(form) = &config.form {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        let encoded = text.extend_pairs(form).finish();
        ("application/x-www-form-urlencoded", encoded.into_bytes())
    } else {
        let body = config.body.as_ref()?;
        ("text/plain; charset=utf-8", body.clone().into_bytes())
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Some(bytes)
}

/// The `Authorization` header, and the secret in it.
fn credentials(config: &HttpConfig, url: &Url) -> Option<(String, String)> {
    let basic = |user: &str, password: &str| {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        (format!("Basic {pair}"), password.to_owned())
    };
    match &config.auth {
        Some(Auth::Basic(auth)) => Some(basic(&auth.user, auth.password.expose())),
        Some(Auth::Bearer(token)) => {
            let token = token.expose();
            Some((format!("Bearer {token}"), token.to_owned()))
        }
        None if !url.username().is_empty() || url.password().is_some() => {
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            Some(basic(
                &decoded(url.username()),
                &decoded(url.password().unwrap_or_default()),
            ))
        }
        None => None,
    }
}

fn insert(
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
    secret: bool,
) -> Result<(), ProbeError> {
    let parsed = HeaderName::try_from(name)
        .ok()
        .zip(HeaderValue::try_from(value).ok());
    let Some((name, mut value)) = parsed else {
        let message = "holds characters that no header may hold";
        let subject = format!("header {name}");
        return Err(ProbeError::new(
            ErrorKind::BadData,
            subject,
            "reading the config",
            message,
        ));
    };
    value.set_sensitive(secret);
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(yaml: &str, target: Option<&str>) -> Result<Request, ProbeError> {
        let config: HttpConfig = serde_saphyr::from_str(yaml).unwrap();
        let target = Target {
            url: target.map(str::to_owned),
            ..Target::default()
        };
        Prepared::new(&config, &target).map(|p| p.request)
    }

    const SECRETIVE: &str = "{url: 'https://a.example/x', method: POST, body: b, auth: {bearer: t0ken}, headers: {X-Key: k, Accept: text/html}, secret_headers: {Cookie: c}}";

    #[test]
    fn relative_urls_need_a_target() {
        let url = |text: &str| request(&format!("{{url: {text}}}"), Some("https://a.example/app/"));
        assert_eq!(
            url("/health").unwrap().url.as_str(),
            "https://a.example/health"
        );
        assert_eq!(
            url("health").unwrap().url.as_str(),
            "https://a.example/app/health"
        );
        let error = request("{url: /health}", None).map(|_| ()).unwrap_err();
        assert!(error.hint.unwrap().contains("target.url"));
    }

    #[test]
    fn credentials_stay_on_their_origin() {
        let first = request(SECRETIVE, None).unwrap();
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
            let mut names: Vec<_> = away.headers.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(
                names,
                ["accept", "accept-encoding", "user-agent"],
                "{elsewhere}"
            );
            let back = away.redirected(see_other, "https://a.example/x").unwrap();
            let farther = away.redirected(see_other, "/farther").unwrap();
            assert!(!away.is_home() && !back.is_home() && !farther.is_home());
            assert!(!back.headers.contains_key("authorization"), "{elsewhere}");
        }
    }

    #[test]
    fn bodies_stay_on_their_origin() {
        let first = request(SECRETIVE, None).unwrap();
        let kept = StatusCode::PERMANENT_REDIRECT;
        assert_eq!(
            first.redirected(kept, "https://b.example/").err(),
            Some(Stop::BodyElsewhere)
        );
        assert!(first.redirected(kept, "/y").unwrap().body.is_some());
        let get = first.redirected(StatusCode::FOUND, "/y").unwrap();
        assert_eq!((get.method, get.body), (http::Method::GET, None));
    }

    #[test]
    fn only_the_web_is_followed() {
        let first = request("{url: 'https://a.example/'}", None).unwrap();
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

    #[test]
    fn userinfo_becomes_basic_auth() {
        let request = request("{url: 'https://me:p%40ss@a.example/'}", None).unwrap();
        assert_eq!(request.url.as_str(), "https://a.example/");
        assert_eq!(
            request.headers[AUTHORIZATION],
            format!("Basic {}", STANDARD.encode("me:p@ss"))
        );
    }
}
