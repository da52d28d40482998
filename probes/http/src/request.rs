//! The request of one endpoint: prepared from the config once, sent for every sample.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use readygate_sdk::{Masker, ProbeError, Target};
use readygate_web::{Request, resolve};

use crate::config::HttpConfig;

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
        let url = resolve(&config.url, target)?;
        let mut secrets: Vec<String> = config
            .secret_headers
            .values()
            .map(|value| value.expose().to_owned())
            .collect();
        secrets.extend(url.password().map(str::to_owned));
        if let Some(password) = url.password() {
            secrets.push(
                percent_decode_str(password)
                    .decode_utf8_lossy()
                    .into_owned(),
            );
        }
        let mut request = Request::new(config.method.into(), url);
        if let Some((kind, body)) = body_of(config) {
            request.set(CONTENT_TYPE.as_str(), kind, false)?;
            request.body = Some(body);
        }
        for (name, value) in &config.headers {
            request.set(name, value, false)?;
        }
        for (name, value) in &config.secret_headers {
            request.set(name, value.expose(), true)?;
        }
        if let Some(auth) = &config.auth {
            secrets.push(auth.secret().to_owned());
            request.set(AUTHORIZATION.as_str(), &auth.header(), true)?;
        }
        Ok(Self {
            request,
            masker: Masker::new(secrets.iter().map(String::as_str)),
            // `\u{10ffff}` and `%F0%9F%98%80` are the longest ways to write a byte of text.
            longest_secret: secrets.iter().map(|s| 10 * s.len()).max().unwrap_or(0),
        })
    }
}

/// The body, and its type.
fn body_of(config: &HttpConfig) -> Option<(&'static str, Vec<u8>)> {
    if let Some(json) = &config.json {
        return Some(("application/json", json.to_string().into_bytes()));
    }
    if let Some(form) = &config.form {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        let encoded = text.extend_pairs(form).finish();
        return Some(("application/x-www-form-urlencoded", encoded.into_bytes()));
    }
    let body = config.body.as_ref()?;
    Some(("text/plain; charset=utf-8", body.clone().into_bytes()))
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
}
