//! Requests to the API of a server, and what may come back in place of an answer.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use readygate_sdk::{Cx, ErrorKind, Masker, ProbeError, excerpt};
use readygate_web::{Auth, Client, Method, Request, Response, Settings, resolve, shown};
use serde::de::{DeserializeOwned, IgnoredAny};
use url::{Host, Url};

use crate::{answers::Envelope, config::PrometheusConfig};

/// Bytes of one answer; the rules of a large installation are a few MiB.
const MOST_BODY: u64 = 16 << 20;
/// Characters kept of a text from outside.
const TEXT: usize = 300;

/// One server with its credentials.
pub(crate) struct Api<'a> {
    client: Client,
    base: Url,
    headers: Vec<(String, String, bool)>,
    masker: Masker,
    cx: &'a Cx,
}

/// An answer that could be read.
pub(crate) enum Said<T> {
    /// `status: success`
    Data(Answer<T>),
    /// `status: error`
    No(Refusal),
}

/// Data, and what the server adds to it.
pub(crate) struct Answer<T> {
    pub data: T,
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

/// What the server says in place of data.
pub(crate) struct Refusal {
    pub kind: String,
    pub text: String,
}

impl<'a> Api<'a> {
    /// Prepares; sends nothing.
    pub async fn prometheus(config: &PrometheusConfig, cx: &'a Cx) -> Result<Self, ProbeError> {
        let mut api = Self::at(config, &config.url, config.auth.as_ref(), cx).await?;
        let open = config.headers.iter().map(|(n, v)| (n, v.as_str(), false));
        let secret = &config.secret_headers;
        let secret = secret.iter().map(|(n, v)| (n, v.expose(), true));
        for (name, value, is_secret) in open.chain(secret) {
            api.headers
                .push((name.clone(), value.to_owned(), is_secret));
        }
        api.masker = api.masker_with(config, config.auth.as_ref());
        Ok(api)
    }

    /// The same for another server of the config.
    pub async fn at(
        config: &PrometheusConfig,
        url: &str,
        auth: Option<&Auth>,
        cx: &'a Cx,
    ) -> Result<Self, ProbeError> {
        let settings = Settings {
            ca: config.ca.clone(),
            resolve: config.resolve.clone(),
            max_body: MOST_BODY,
            ..Settings::default()
        };
        let mut api = Self {
            base: resolve(url, cx.target())?,
            client: Client::build(&settings, cx).await?,
            headers: Vec::new(),
            masker: Masker::new([]),
            cx,
        };
        if let Some(auth) = auth {
            api.headers
                .push(("authorization".into(), auth.header(), true));
        }
        api.masker = api.masker_with(config, auth);
        Ok(api)
    }

    /// Everything secret that this server is sent, and what its URL holds.
    fn masker_with(&self, config: &PrometheusConfig, auth: Option<&Auth>) -> Masker {
        let mut secrets: Vec<String> = Vec::new();
        secrets.extend(auth.map(|auth| auth.secret().to_owned()));
        secrets.extend(
            config
                .secret_headers
                .values()
                .map(|s| s.expose().to_owned()),
        );
        if let Some(password) = self.base.password() {
            let decoded = percent_decode_str(password).decode_utf8_lossy();
            secrets.extend([password.to_owned(), decoded.into_owned()]);
        }
        Masker::new(secrets.iter().map(String::as_str))
    }

    /// Where it is, as it may be shown.
    pub fn shown(&self) -> String {
        self.text(shown(&self.base).trim_end_matches('/'))
    }

    /// Whether a target is this server itself: at its address, or beside it at its port or the default.
    pub fn is_itself(&self, scrape_url: &str) -> bool {
        let Ok(url) = Url::parse(scrape_url) else {
            return false;
        };
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let (port, own) = (
            url.port_or_known_default(),
            self.base.port_or_known_default(),
        );
        let same = port == own && url.host() == self.base.host();
        same || here && (port == own || port == Some(9090))
    }

    /// A text from outside: masked, and not too long.
    pub fn text(&self, text: &str) -> String {
        excerpt(&self.cx.mask(&self.masker.mask(text)), TEXT)
    }

    /// Labels from outside.
    pub fn labels(&self, labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let pairs = labels.iter().take(40);
        pairs
            .map(|(name, value)| (self.text(name), self.text(value)))
            .collect()
    }

    /// Data of an endpoint that every server has. What the server refuses is an error.
    pub async fn must<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Answer<T>, ProbeError> {
        match self.ask(path, pairs).await? {
            Said::Data(answer) => Ok(answer),
            Said::No(no) => {
                let message = format!("the server refuses: {}: {}", no.kind, no.text);
                Err(self.error(path, ErrorKind::BadData, message))
            }
        }
    }

    /// Data of an endpoint that relatives of Prometheus do not all have, and that not everybody may
    /// read.
    pub async fn may<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ProbeError> {
        self.optional(path, &[400, 403, 404, 405, 501]).await
    }

    /// Data of an endpoint that relatives of Prometheus do not all have; one that is there and not
    /// for us is an error.
    pub async fn if_served<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<T>, ProbeError> {
        self.optional(path, &[400, 404, 405, 501]).await
    }

    /// Nothing where the status says that there is nothing.
    async fn optional<T: DeserializeOwned>(
        &self,
        path: &str,
        absent: &[u16],
    ) -> Result<Option<T>, ProbeError> {
        let response = self.send(path, &[]).await?;
        match response.status.as_u16() {
            200 => match self.read(path, &response)? {
                Said::Data(answer) => Ok(Some(answer.data)),
                Said::No(_) => Ok(None),
            },
            status if absent.contains(&status) => Ok(None),
            _ => Err(self.refused(path, &response)),
        }
    }

    /// Asks, and reads the answer.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Said<T>, ProbeError> {
        let response = self.send(path, pairs).await?;
        match response.status.as_u16() {
            200 | 400 | 422 => self.read(path, &response),
            // A query that took too long is 503 with an envelope; a server that starts has none.
            500 | 503 => match self.read::<IgnoredAny>(path, &response) {
                Ok(Said::No(no)) if !no.kind.is_empty() => Ok(Said::No(no)),
                _ => Err(self.refused(path, &response)),
            },
            _ => Err(self.refused(path, &response)),
        }
    }

    /// JSON without an envelope.
    pub async fn plain<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> Result<T, ProbeError> {
        let response = self.send(path, pairs).await?;
        if response.status.as_u16() == 200 {
            return self.json(path, &response);
        }
        Err(self.refused(path, &response))
    }

    /// Whether it is ready to answer queries; relatives without this page are asked all the same.
    pub async fn ready(&self) -> Result<(), ProbeError> {
        let response = self.send("-/ready", &[]).await?;
        match response.status.as_u16() {
            401 | 503 => Err(self.refused("-/ready", &response)),
            _ => Ok(()),
        }
    }

    async fn send(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Response, ProbeError> {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/{path}",
            self.base.path().trim_end_matches('/')
        ));
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut request = Request::new(Method::Get.into(), url);
        request.set("accept", "application/json", false)?;
        for (name, value, secret) in &self.headers {
            request.set(name, value, *secret)?;
        }
        self.client.send(&request).await.map_err(|mut error| {
            // The URL of a query is the query once more, percent-encoded.
            error.subject = self.subject(path);
            error.message = self.text(&error.message);
            error
        })
    }

    fn subject(&self, path: &str) -> String {
        format!("{}/{path}", self.shown())
    }

    fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        response: &Response,
    ) -> Result<Said<T>, ProbeError> {
        let envelope: Envelope<T> = self.json(path, response)?;
        let texts = |list: Vec<String>| list.iter().take(10).map(|t| self.text(t)).collect();
        // Before Prometheus 2.54 what is only a remark comes among the warnings.
        let is_info = |text: &String| text.starts_with("PromQL info:");
        let (mut infos, mut warnings): (Vec<_>, Vec<_>) =
            envelope.warnings.into_iter().partition(is_info);
        infos.extend(envelope.infos);
        if envelope.is_partial {
            warnings.insert(0, "a part of its stores did not answer".to_owned());
        }
        match (envelope.status.as_str(), envelope.data) {
            ("success", Some(data)) => Ok(Said::Data(Answer {
                data,
                warnings: texts(warnings),
                infos: texts(infos),
            })),
            ("error", _) => Ok(Said::No(Refusal {
                kind: self.text(&envelope.error_type),
                text: self.text(&envelope.error),
            })),
            (other, _) => {
                let message = format!("the answer has status `{}` and no data", self.text(other));
                Err(self.error(path, ErrorKind::BadData, message))
            }
        }
    }

    fn json<T: DeserializeOwned>(&self, path: &str, response: &Response) -> Result<T, ProbeError> {
        let bad = |message: String| self.error(path, ErrorKind::BadData, message);
        let body = &response.body;
        if let Some(encoding) = &body.unread_encoding {
            let encoding = self.text(encoding);
            return Err(bad(format!(
                "the answer is encoded as `{encoding}`, which was not asked for"
            )));
        }
        let start = body.bytes.trim_ascii_start();
        if start.starts_with(b"<") {
            let error =
                bad("the answer is HTML, not JSON: a sign-in page, or another server".into());
            return Err(error.hint(
                "give `auth`, and the URL of the server itself, not of what stands before it",
            ));
        }
        if body.truncated {
            let most = MOST_BODY >> 20;
            return Err(bad(format!(
                "the answer is longer than {most} MiB; the rest was not read"
            )));
        }
        serde_json::from_slice(&body.bytes).map_err(|error| {
            // What serde_json quotes of the answer may be anything.
            bad(format!(
                "the answer cannot be read: {}",
                self.text(&error.to_string())
            ))
        })
    }

    /// Why a status is no answer.
    fn refused(&self, path: &str, response: &Response) -> ProbeError {
        let code = response.status.as_u16();
        let said = response.body.text().unwrap_or_default();
        let said = excerpt(self.text(said.trim()).trim(), 120);
        let said = match said.as_str() {
            "" => String::new(),
            text if text.starts_with('<') => ": a page of HTML".to_owned(),
            text => format!(": {text}"),
        };
        match code {
            300..=399 => {
                let place = response.location().unwrap_or_default();
                let place = self.text(&readygate_web::shown_text(&place));
                let message = format!(
                    "it redirects to `{place}` (status {code}), which is not followed: a sign-in page?"
                );
                self.error(path, ErrorKind::Refused, message).hint(
                    "give `auth`, and the URL with its path prefix (`https://HOST/prometheus`)",
                )
            }
            401 | 403 => {
                let message =
                    format!("the credentials are missing or refused (status {code}){said}");
                self.error(path, ErrorKind::Refused, message)
                    .hint("give `auth: { bearer: \"${TOKEN}\" }` or `basic`, of a user that may read the API")
            }
            404 => {
                let message = format!("there is no such page (status 404){said}");
                self.error(path, ErrorKind::BadData, message)
                    .hint("is this Prometheus, and does `url` hold the path prefix (`--web.external-url`)?")
            }
            503 => {
                let message = format!("it is not ready to answer (status 503){said}");
                self.error(path, ErrorKind::NoData, message)
                    .hint("a server that starts replays its write-ahead log first; try again when `/-/ready` answers 200")
            }
            429 => {
                let message = format!("it has too many requests (status 429){said}");
                self.error(path, ErrorKind::NoData, message)
            }
            _ => self.error(path, ErrorKind::Protocol, format!("status {code}{said}")),
        }
    }

    fn error(&self, path: &str, kind: ErrorKind, message: String) -> ProbeError {
        ProbeError::new(kind, self.subject(path), "reading the answer", message)
    }
}
