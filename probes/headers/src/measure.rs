//! Asks every declared URL. Knows no thresholds.

mod cors;
mod plain;

use std::borrow::Cow;

use http::Method;
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use readygate_web::{Client, Request, Response, Settings};

use crate::{
    capture,
    config::HeadersConfig,
    facts::{self, Raw},
    parse::csp,
    record::{Again, Answer, HeadersMeasurement, Kind, Page},
};

/// What one gate asks with.
struct Asker<'a> {
    config: &'a HeadersConfig,
    cx: &'a Cx,
    client: Client,
}

/// Asks every declared URL, or reads the captures. An answer that does not come is recorded when
/// another one did; when none did, there is nothing to judge.
pub(crate) async fn measure(
    config: &HeadersConfig,
    cx: &Cx,
) -> Result<HeadersMeasurement, ProbeError> {
    if !config.from_file.is_empty() {
        return capture::read(config, cx).await;
    }
    let settings = Settings {
        ca: config.ca.clone(),
        resolve: config.resolve.clone(),
        max_body: config.max_body.0,
        http2: true,
    };
    let asker = Asker {
        config,
        cx,
        client: Client::build(&settings, cx).await?,
    };
    let mut record = HeadersMeasurement::default();
    for (kind, declared) in config.urls() {
        let page = asker.page(kind, declared).await?;
        record.pages.push(page);
    }
    let first = record.pages.iter().find_map(|page| page.error.clone());
    if let Some(error) = first.filter(|_| record.pages.iter().all(|page| page.answer.is_none())) {
        return Err(error);
    }
    for declared in config.cors_urls() {
        record.cors.extend(asker.cors(declared).await?);
    }
    record.plain = asker.plain().await?;
    Ok(record)
}

/// Errors that end the gate and not one page.
fn is_final(error: &ProbeError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Cancelled | ErrorKind::Timeout | ErrorKind::Internal
    )
}

impl Asker<'_> {
    /// A request with the headers of the config.
    fn request(&self, method: Method, declared: &str) -> Result<Request, ProbeError> {
        let url = readygate_web::resolve(declared, self.cx.target())?;
        let mut request = Request::new(method, url);
        for (name, value) in &self.config.headers {
            request.set(name, value, false)?;
        }
        for (name, value) in &self.config.secret_headers {
            request.set(name, value.expose(), true)?;
        }
        Ok(request)
    }

    async fn page(&self, kind: Kind, declared: &str) -> Result<Page, ProbeError> {
        let request = self.request(Method::GET, declared)?;
        let mut page = Page {
            declared: declared.to_owned(),
            url: self.cx.mask(&request.subject()),
            kind,
            ..Page::default()
        };
        self.cx.progress(&page.url);
        match self.answer(request.clone(), kind).await {
            Ok(mut answer) => {
                if !nonces(&answer).is_empty() {
                    answer.again = Some(self.again(request, kind).await?);
                }
                page.answer = Some(answer);
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => page.error = Some(error),
        }
        Ok(page)
    }

    /// The answer after redirects on the same origin. Cookies of the redirects are its own, too.
    async fn answer(&self, mut request: Request, kind: Kind) -> Result<Answer, ProbeError> {
        let mut cookies = Vec::new();
        let mut redirects = Vec::new();
        loop {
            let response = self.client.send(&request).await?;
            let mut answer = self.facts(&response, kind);
            cookies.append(&mut answer.cookies);
            let next = response
                .location()
                .map(|to| request.redirected(response.status, &to));
            match next {
                Some(Ok(next))
                    if next.is_home() && redirects.len() < usize::from(self.config.redirects) =>
                {
                    redirects.push(answer.url);
                    request = next;
                }
                next => {
                    answer.leads_to = next.map(|next| match next {
                        Ok(next) => self.cx.mask(&next.subject()),
                        Err(_) => "a place that is no URL".to_owned(),
                    });
                    answer.cookies = cookies;
                    answer.redirects = redirects;
                    return Ok(answer);
                }
            }
        }
    }

    fn facts(&self, response: &Response, kind: Kind) -> Answer {
        let fields = response
            .fields()
            .map(|(name, value)| (name.to_owned(), Cow::Borrowed(value)));
        let body = match (response.body.text(), &response.body.unread_encoding) {
            (Some(text), _) => Ok(text),
            (None, encoding) => {
                let encoding = encoding.as_deref().unwrap_or_default();
                Err(format!(
                    "the body is encoded as `{encoding}`, which was not asked for"
                ))
            }
        };
        let limit = self.config.max_body;
        let raw = Raw {
            url: &response.url,
            status: response.status.as_u16(),
            fields: fields.collect(),
            body,
            cut: response
                .body
                .truncated
                .then(|| format!("the document is longer than {limit} (`max_body`)")),
        };
        facts::answer(&raw, kind, |text| self.cx.mask(text))
    }

    /// Only whether nonces come again is asked of the second answer.
    async fn again(&self, request: Request, kind: Kind) -> Result<Again, ProbeError> {
        match self.answer(request, kind).await {
            Ok(answer) => Ok(Again {
                nonces: nonces(&answer),
                error: None,
            }),
            Err(error) if is_final(&error) => Err(error),
            Err(error) => Ok(Again {
                nonces: Vec::new(),
                error: Some(error.to_string()),
            }),
        }
    }
}

/// The nonces of every enforced policy.
fn nonces(answer: &Answer) -> Vec<String> {
    let header = answer
        .all("content-security-policy")
        .flat_map(csp::parse_list);
    let meta = answer
        .document
        .iter()
        .flat_map(|d| &d.csp)
        .map(|meta| csp::parse(&meta.content));
    let policies: Vec<csp::Policy> = header.chain(meta).collect();
    let nonces = policies.iter().flat_map(csp::Policy::nonces);
    nonces.map(str::to_owned).collect()
}
