//! Reads a forge's REST API: pages, rate limits, and what refusals mean.

use std::time::Duration;

use http::{Method, StatusCode};
use readygate_sdk::{Cx, ErrorKind, ProbeError, excerpt};
use readygate_web::{Client, Request, Response, Settings, shown};
use serde_json::Value;
use url::Url;

use crate::{ForgeKind, ReviewConfig};

/// Items asked for with each page; both forges give no more.
const PAGE: usize = 100;
/// Pages of one list that are read; what is longer is told to be too long.
const MOST_PAGES: usize = 50;
/// A page of a hundred pull requests is about 3 MiB.
const LARGEST_PAGE: u64 = 32 << 20;
/// Tries of one request that is told to come back later.
const TRIES: usize = 3;

/// The API of one repository.
pub(crate) struct Api<'a> {
    config: &'a ReviewConfig,
    cx: &'a Cx,
    client: Client,
    base: Url,
}

impl<'a> Api<'a> {
    /// Reads what TLS trusts; sends nothing yet.
    pub(crate) async fn new(config: &'a ReviewConfig, cx: &'a Cx) -> Result<Self, ProbeError> {
        let settings = Settings {
            ca: config.ca.clone(),
            max_body: LARGEST_PAGE,
            ..Settings::default()
        };
        let base = base(config).map_err(|e| {
            ProbeError::new(
                ErrorKind::BadData,
                &config.repository,
                "reading the config",
                e,
            )
        })?;
        let client = Client::build(&settings, cx).await?;
        Ok(Self {
            config,
            cx,
            client,
            base,
        })
    }

    /// An error about this repository.
    pub(crate) fn error(&self, kind: ErrorKind, phase: &str, message: &str) -> ProbeError {
        ProbeError::new(kind, &self.config.repository, phase, message)
    }

    /// One object.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, ProbeError> {
        let url = self.url(path)?;
        let response = self.send(&url).await?;
        json(&url, &response)
    }

    /// One object, or `None` where the forge has none there (404).
    pub(crate) async fn get_optional(&self, path: &str) -> Result<Option<Value>, ProbeError> {
        let url = self.url(path)?;
        let response = self.ask(&url).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        well(&url, &response)?;
        json(&url, &response).map(Some)
    }

    /// Every item of a list, over all of its pages.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, ProbeError> {
        self.pages(path, None).await
    }

    /// Every item of a list that is wrapped in an object.
    pub(crate) async fn list_in(&self, path: &str, key: &str) -> Result<Vec<Value>, ProbeError> {
        self.pages(path, Some(key)).await
    }

    async fn pages(&self, path: &str, key: Option<&str>) -> Result<Vec<Value>, ProbeError> {
        let mut url = self.url(path)?;
        url.query_pairs_mut()
            .append_pair("per_page", &PAGE.to_string());
        let mut items = Vec::new();
        for _ in 0..MOST_PAGES {
            let response = self.send(&url).await?;
            let page = json(&url, &response)?;
            let list = match key {
                Some(key) => page.get(key),
                None => Some(&page),
            };
            let Some(list) = list.and_then(Value::as_array) else {
                return Err(broken(&url, "not a list"));
            };
            items.extend(list.iter().cloned());
            match next(&response, &url) {
                Some(next) if next.origin() == self.base.origin() => url = next,
                // The token goes nowhere else.
                Some(next) => {
                    let message = format!("the next page lies at another host: {}", shown(&next));
                    return Err(broken(&url, &message));
                }
                None => return Ok(items),
            }
        }
        let message = format!("more than {MOST_PAGES} pages; ask for less");
        Err(broken(&url, &message))
    }

    fn url(&self, path: &str) -> Result<Url, ProbeError> {
        let url = Url::parse(&format!("{}{path}", self.base));
        url.map_err(|e| self.error(ErrorKind::Internal, "making the URL", &e.to_string()))
    }

    async fn send(&self, url: &Url) -> Result<Response, ProbeError> {
        let response = self.ask(url).await?;
        well(url, &response)?;
        Ok(response)
    }

    /// Asks, and asks again where the forge says when to.
    async fn ask(&self, url: &Url) -> Result<Response, ProbeError> {
        let mut request = Request::new(Method::GET, url.clone());
        let token = self
            .config
            .token
            .as_ref()
            .map(readygate_sdk::Secret::expose);
        match (self.config.forge, token) {
            (ForgeKind::Github, token) => {
                request.set("accept", "application/vnd.github+json", false)?;
                request.set("x-github-api-version", "2022-11-28", false)?;
                if let Some(token) = token {
                    request.set("authorization", &format!("Bearer {token}"), true)?;
                }
            }
            (ForgeKind::Gitlab, Some(token)) => request.set("private-token", token, true)?,
            (ForgeKind::Gitlab, None) => {}
        }
        for _ in 1..TRIES {
            let response = self.client.send(&request).await?;
            let Some(wait) = comes_back(&response, self.cx.now().as_second()) else {
                return Ok(response);
            };
            // Waiting past the deadline would say "timeout" where the truth is "rate limit".
            if wait >= self.cx.remaining() {
                return Ok(response);
            }
            self.cx
                .progress(&format!("the forge asks to wait {} s", wait.as_secs()));
            self.cx.sleep(wait).await?;
        }
        self.client.send(&request).await
    }
}

fn base(config: &ReviewConfig) -> Result<Url, String> {
    let (api, repository) = (config.api(), &config.repository);
    let text = match config.forge {
        ForgeKind::Github => format!("{api}/repos/{repository}/"),
        ForgeKind::Gitlab => format!("{api}/projects/{}/", repository.replace('/', "%2F")),
    };
    Url::parse(&text).map_err(|e| format!("`api` is not a URL: {e}"))
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.get(name)?.to_str().ok()
}

/// The page that follows, from the `Link` header (RFC 8288).
fn next(response: &Response, base: &Url) -> Option<Url> {
    let links = response.text("link")?;
    let target = links.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|p| matches!(p.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(target)
    })?;
    base.join(target).ok()
}

fn is_limited(response: &Response) -> bool {
    let spent = ["x-ratelimit-remaining", "ratelimit-remaining"]
        .iter()
        .any(|name| header(response, name).is_some_and(|left| left.trim() == "0"));
    response.status == StatusCode::TOO_MANY_REQUESTS
        || response.status == StatusCode::FORBIDDEN && spent
}

/// How long to wait before the next try, where the forge says so or is in trouble for a moment.
fn comes_back(response: &Response, now: i64) -> Option<Duration> {
    let seconds = |name: &str| header(response, name)?.trim().parse::<i64>().ok();
    let wait = if is_limited(response) || response.status == StatusCode::FORBIDDEN {
        let reset = seconds("x-ratelimit-reset").or_else(|| seconds("ratelimit-reset"));
        seconds("retry-after").or_else(|| {
            is_limited(response)
                .then(|| reset.map(|at| at - now))
                .flatten()
        })?
    } else if matches!(response.status.as_u16(), 502..=504) {
        seconds("retry-after").unwrap_or(1)
    } else {
        return None;
    };
    Some(Duration::from_secs(wait.clamp(1, 86_400).unsigned_abs()))
}

fn broken(url: &Url, message: &str) -> ProbeError {
    ProbeError::new(
        ErrorKind::Protocol,
        shown(url),
        "reading the answer",
        message,
    )
    .hint("is `api` the base URL of the forge's REST API?")
}

/// What a status other than success means.
fn well(url: &Url, response: &Response) -> Result<(), ProbeError> {
    let status = response.status;
    if status == StatusCode::OK {
        return Ok(());
    }
    let said: Option<Value> = serde_json::from_slice(&response.body.bytes).ok();
    let said = said
        .as_ref()
        .and_then(|v| v["message"].as_str().or(v["error"].as_str()));
    let said = said.map_or(String::new(), |said| format!(": {}", excerpt(said, 200)));
    let limited = is_limited(response);
    let (kind, hint) = match status.as_u16() {
        _ if limited => (
            ErrorKind::Connect,
            "the rate limit is used up; use a token, or one of its own",
        ),
        401 => (ErrorKind::Refused, "the token is missing, wrong or expired"),
        403 => (
            ErrorKind::Refused,
            "the token may not read this; it needs read access to code, checks and issues",
        ),
        404 => (
            ErrorKind::Refused,
            "the repository, the change or the commit is not there, or the token cannot see it",
        ),
        _ => (
            ErrorKind::Protocol,
            "the forge is in trouble, or `api` is not its REST API",
        ),
    };
    let message = format!("answered {status}{said}");
    Err(ProbeError::new(kind, shown(url), "asking the forge", message).hint(hint))
}

fn json(url: &Url, response: &Response) -> Result<Value, ProbeError> {
    if response.body.truncated {
        return Err(broken(url, "larger than 32 MiB"));
    }
    serde_json::from_slice(&response.body.bytes).map_err(|e| broken(url, &format!("not JSON: {e}")))
}
