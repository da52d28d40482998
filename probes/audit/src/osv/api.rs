//! The OSV API (<https://google.github.io/osv.dev/api/>): `querybatch` for ids, `vulns/ID` for
//! the records.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use reqwest::{Client, Response, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::Record;
use crate::lock::LockedPackage;

/// Queries in one request; the service takes no more.
const BATCH: usize = 1_000;
/// Pages of one query; a package has at most some hundred advisories.
const MOST_PAGES: usize = 50;
/// Records fetched in all, and at a time.
const MOST_RECORDS: usize = 20_000;
const AT_A_TIME: usize = 8;
/// Largest answer. The service itself cuts at 32 MiB.
const LARGEST_ANSWER: usize = 64 << 20;
/// Tries of one request, and the first pause between them.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);
/// Longest pause that a server may ask for; beyond it, the gate says so instead of waiting.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// One request, so that one slow answer does not take the whole time of the gate.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one service.
pub(crate) struct Api<'a> {
    client: Client,
    base: Url,
    cx: &'a Cx,
}

#[derive(Deserialize)]
struct Batch {
    results: Vec<Answer>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    vulns: Vec<Id>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// A query that is not answered to its end.
struct Open {
    package: usize,
    page: Option<String>,
}

impl<'a> Api<'a> {
    pub(crate) fn new(base: &Url, cx: &'a Cx) -> Result<Self, ProbeError> {
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let internal =
            |e: String| ProbeError::new(ErrorKind::Internal, "the client", "setting up", e);
        let tls = tls().map_err(internal)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(|e| internal(e.to_string()))?;
        Ok(Self { client, base, cx })
    }

    /// The ids about each package, in the order of the packages.
    pub(crate) async fn ids(
        &self,
        packages: &[&LockedPackage],
    ) -> Result<Vec<BTreeSet<String>>, ProbeError> {
        let mut found = vec![BTreeSet::new(); packages.len()];
        let mut open: Vec<Open> = (0..packages.len())
            .map(|package| Open {
                package,
                page: None,
            })
            .collect();
        for _ in 0..MOST_PAGES {
            if open.is_empty() {
                return Ok(found);
            }
            let mut next = Vec::new();
            for chunk in open.chunks(BATCH) {
                self.cx.progress(&format!(
                    "asking {} about {} packages",
                    self.host(),
                    chunk.len()
                ));
                self.batch(packages, chunk, &mut found, &mut next).await?;
            }
            open = next;
        }
        let reason = format!("a query has more than {MOST_PAGES} pages");
        Err(self.error(ErrorKind::Protocol, QUERYING, reason))
    }

    async fn batch(
        &self,
        packages: &[&LockedPackage],
        chunk: &[Open],
        found: &mut [BTreeSet<String>],
        next: &mut Vec<Open>,
    ) -> Result<(), ProbeError> {
        let queries: Vec<Value> = chunk
            .iter()
            .map(|open| {
                let package = packages[open.package];
                let mut query = json!({
                    "package": {"name": package.name, "ecosystem": package.ecosystem},
                    "version": package.version,
                });
                if let Some(page) = &open.page {
                    query["page_token"] = json!(page);
                }
                query
            })
            .collect();
        let body = json!({"queries": queries});
        let answer = self.ask("v1/querybatch", Some(&body), QUERYING).await?;
        let batch: Batch = serde_json::from_slice(&answer).map_err(|e| {
            self.error(
                ErrorKind::Protocol,
                QUERYING,
                format!("the answer is no batch: {e}"),
            )
        })?;
        if batch.results.len() != chunk.len() {
            let reason = format!(
                "{} queries got {} results",
                chunk.len(),
                batch.results.len()
            );
            return Err(self.error(ErrorKind::Protocol, QUERYING, reason));
        }
        for (open, answer) in chunk.iter().zip(batch.results) {
            found[open.package].extend(answer.vulns.into_iter().map(|vuln| vuln.id));
            if let Some(page) = answer.next_page_token.filter(|page| !page.is_empty()) {
                next.push(Open {
                    package: open.package,
                    page: Some(page),
                });
            }
        }
        Ok(())
    }

    /// The records of these ids.
    pub(crate) async fn records(
        &self,
        ids: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Record>, ProbeError> {
        if ids.len() > MOST_RECORDS {
            let reason = format!("{} advisories match, more than {MOST_RECORDS}", ids.len());
            return Err(self.error(ErrorKind::Protocol, FETCHING, reason));
        }
        stream::iter(ids)
            .map(|id| async move {
                let plain =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
                if id.is_empty() || id.len() > 200 || !id.chars().all(plain) || id.starts_with('.')
                {
                    let reason = "an id of the answer cannot be part of a URL";
                    return Err(self.error(ErrorKind::Protocol, FETCHING, reason));
                }
                let answer = self.ask(&format!("v1/vulns/{id}"), None, FETCHING).await?;
                let record = serde_json::from_slice::<Record>(&answer).map_err(|e| {
                    self.error(
                        ErrorKind::Protocol,
                        FETCHING,
                        format!("{id} is no OSV record: {e}"),
                    )
                })?;
                Ok((id, record))
            })
            .buffer_unordered(AT_A_TIME)
            .try_collect()
            .await
    }

    /// One request, repeated where repeating can help.
    async fn ask(
        &self,
        path: &str,
        body: Option<&Value>,
        phase: &str,
    ) -> Result<Vec<u8>, ProbeError> {
        let internal = |e: url::ParseError| self.error(ErrorKind::Internal, phase, e.to_string());
        // `./`, since an id with a colon would else read as a scheme.
        let url = self.base.join(&format!("./{path}")).map_err(internal)?;
        let mut pause = PAUSE;
        for attempt in 1.. {
            let request = match body {
                Some(body) => self
                    .client
                    .post(url.clone())
                    .header("content-type", "application/json")
                    .body(body.to_string()),
                None => self.client.get(url.clone()),
            };
            let sent = self.cx.within(&self.host(), phase, request.send()).await?;
            let (fault, wait) = match sent {
                Ok(response) if response.status() == StatusCode::OK => {
                    match self.body(response, phase).await {
                        Ok(body) => return Ok(body),
                        Err(fault) => (fault, pause),
                    }
                }
                Ok(response) => {
                    let wait = retry_after(&response).unwrap_or(pause);
                    let status = response.status();
                    let fault =
                        self.error(kind(status), phase, format!("the answer is HTTP {status}"));
                    let worth = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
                    if !worth || wait > LONGEST_PAUSE {
                        return Err(fault);
                    }
                    (fault, wait)
                }
                Err(e) => (self.transport(&e, phase), pause),
            };
            if attempt >= TRIES || fault.kind == ErrorKind::Timeout && self.cx.is_over() {
                return Err(fault);
            }
            if wait > self.cx.remaining() {
                return Err(fault);
            }
            self.cx.sleep(wait).await?;
            pause *= 2;
        }
        Err(self.error(ErrorKind::Internal, phase, "no attempt was made"))
    }

    async fn body(&self, mut response: Response, phase: &str) -> Result<Vec<u8>, ProbeError> {
        let mut body = Vec::new();
        loop {
            let chunk = self
                .cx
                .within(&self.host(), phase, response.chunk())
                .await?;
            match chunk.map_err(|e| self.transport(&e, phase))? {
                None => return Ok(body),
                Some(chunk) if body.len() + chunk.len() > LARGEST_ANSWER => {
                    let reason = format!("the answer is larger than {LARGEST_ANSWER} bytes");
                    return Err(self.error(ErrorKind::Protocol, phase, reason));
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
    }

    fn transport(&self, error: &reqwest::Error, phase: &str) -> ProbeError {
        let kind = if error.is_timeout() {
            ErrorKind::Timeout
        } else if error.is_connect() {
            ErrorKind::Connect
        } else {
            ErrorKind::Protocol
        };
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            reason = format!("{reason}: {inner}");
            cause = inner.source();
        }
        let hint = "give a copy under `database` where the API cannot be reached";
        self.error(kind, phase, reason).hint(hint)
    }

    fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn error(&self, kind: ErrorKind, phase: &str, reason: impl Into<String>) -> ProbeError {
        ProbeError::new(kind, self.host(), phase, reason.into())
    }
}

const QUERYING: &str = "asking for advisories";
const FETCHING: &str = "fetching advisories";

fn kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 | 403 | 429 => ErrorKind::Refused,
        _ => ErrorKind::Protocol,
    }
}

/// Seconds; the form with a date is left to the ordinary pause.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The trust store of the operating system.
fn tls() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
        .map_err(|e| e.to_string())?;
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
