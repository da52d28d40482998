//! One request, ready to be sent.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT},
};
use percent_encoding::percent_decode_str;
use readygate_sdk::{ErrorKind, ProbeError};
use url::Url;

use crate::{
    address::{shown, strip_userinfo},
    auth::basic,
};

/// One request, ready to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to; without credentials and fragment.
    pub url: Url,
    /// Method.
    pub method: Method,
    /// Headers. Start with `Accept: */*`, `Accept-Encoding: gzip` and the `User-Agent` of readygate.
    pub headers: HeaderMap,
    /// Body.
    pub body: Option<Vec<u8>>,
    /// Still on the origin that the credentials are meant for.
    pub(crate) home: bool,
}

impl Request {
    /// A request without a body. Credentials in the URL become an `Authorization` header.
    pub fn new(method: Method, mut url: Url) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let agent = concat!("readygate/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        if let Some(mut value) = userinfo(&url) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        strip_userinfo(&mut url);
        Self {
            url,
            method,
            headers,
            body: None,
            home: true,
        }
    }

    /// Sets a header in place of any of its name. A `secret` one goes to no other origin, whatever
    /// its name.
    pub fn set(&mut self, name: &str, value: &str, secret: bool) -> Result<(), ProbeError> {
        let parsed = HeaderName::try_from(name)
            .ok()
            .zip(HeaderValue::try_from(value).ok());
        let Some((name, mut value)) = parsed else {
            let message = "holds characters that no header may hold";
            let subject = format!("header {name}");
            let phase = "preparing the request";
            return Err(ProbeError::new(ErrorKind::BadData, subject, phase, message));
        };
        value.set_sensitive(secret);
        self.headers.insert(name, value);
        Ok(())
    }

    /// Whether the credentials of the config are still sent.
    pub fn is_home(&self) -> bool {
        self.home
    }

    /// The URL as it may be shown.
    pub fn subject(&self) -> String {
        shown(&self.url)
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

fn userinfo(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    HeaderValue::try_from(basic(&decoded(user), &decoded(password))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userinfo_becomes_basic_auth() {
        let url = Url::parse("https://me:p%40ss@a.example/#x").unwrap();
        let request = Request::new(Method::GET, url);
        assert_eq!(request.url.as_str(), "https://a.example/");
        let value = &request.headers[AUTHORIZATION];
        assert!(value.is_sensitive());
        assert_eq!(value, &basic("me", "p@ss"));
    }
}
