//! A spec made ready to send: requests rendered where they can be, checks compiled, routes
//! numbered. Building it is also how a spec is checked before anything is sent.

use std::sync::Arc;

use regex::bytes::Regex;
use url::Url;

use super::{
    clock::{index, nanos},
    random,
    spec::{BodyCheck, CaptureFrom, Rows, Scenario, Spec, StatusSet, Step},
    template::{Compiled, Place, Values},
};

/// Where, what and how, for the hot path.
pub(super) struct Plan {
    /// Names of the routes by number.
    pub routes: Vec<String>,
    pub scenarios: Vec<Flow>,
    /// Upper ends of the scenarios' shares of the weights.
    weights: Vec<u64>,
    seed: u64,
}

/// A scenario.
pub(super) struct Flow {
    pub steps: Vec<Shot>,
    /// Variables: first the columns of the data, then captures.
    pub variables: usize,
    rows: Option<Arc<Rows>>,
}

/// A step.
pub(super) struct Shot {
    pub route: u16,
    /// `HEAD`: the response has no body, whatever it says.
    pub head: bool,
    /// It does no harm to send it twice (RFC 9110, 9.2.2).
    pub idempotent: bool,
    /// The bytes of the HTTP/1.1 request, if they are always the same.
    pub fixed: Option<Box<[u8]>>,
    pub parts: Parts,
    pub status: StatusSet,
    pub checks: Vec<Check>,
    pub captures: Vec<Take>,
    pub pause: u64,
    /// Whether the body of the response must be kept to check it.
    pub keeps_body: bool,
    /// Longest body of a response, in bytes.
    pub longest: u64,
    /// Whether the head of the response must be kept.
    pub keeps_head: bool,
}

/// The pieces of a request.
pub(super) struct Parts {
    method: String,
    target: Compiled,
    headers: Vec<(String, Compiled)>,
    body: Option<Compiled>,
    close: bool,
}

/// A compiled check of the body.
pub(super) enum Check {
    Contains(memchr::memmem::Finder<'static>),
    Lacks(memchr::memmem::Finder<'static>),
    Matches(Regex),
    Json(String, Option<serde_json::Value>),
    Length(u64, Option<u64>),
}

/// A compiled capture.
pub(super) struct Take {
    pub variable: usize,
    pub from: Source,
}

/// Where a capture comes from.
pub(super) enum Source {
    Json(String),
    Header(String),
    Regex(Regex),
}

impl Plan {
    /// Checks and compiles the scenarios of a spec.
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let host = host_header(&spec.base)?;
        let mut plan = Self {
            routes: Vec::new(),
            scenarios: Vec::new(),
            weights: Vec::new(),
            seed: spec.seed,
        };
        let mut total = 0;
        for scenario in &spec.scenarios {
            let flow = plan
                .flow(scenario, spec, &host)
                .map_err(|e| format!("scenario `{}`: {e}", scenario.name))?;
            plan.scenarios.push(flow);
            total += u64::from(scenario.weight);
            plan.weights.push(total);
        }
        if total == 0 {
            return Err("there is no scenario with a weight above 0".to_owned());
        }
        Ok(plan)
    }

    /// The scenario of an iteration: chosen by its number alone, so that it need not be stored.
    pub(super) fn choose(&self, iteration: u64) -> u16 {
        if self.weights.len() == 1 {
            return 0;
        }
        let total = self.weights.last().copied().unwrap_or(1);
        let pick = random::at(self.seed, iteration) % total;
        let nth = self.weights.partition_point(|end| *end <= pick);
        u16::try_from(nth).unwrap_or(u16::MAX)
    }

    fn flow(&mut self, scenario: &Scenario, spec: &Spec, host: &str) -> Result<Flow, String> {
        let mut names: Vec<String> = Vec::new();
        if let Some(data) = &scenario.data {
            names.clone_from(&data.columns);
            let bad = data.rows.iter().position(|r| r.len() != names.len());
            if let Some(row) = bad {
                return Err(format!("row {} of the data has another length", row + 1));
            }
            if data.rows.is_empty() {
                return Err("the data has no row".to_owned());
            }
        }
        if scenario.steps.is_empty() {
            return Err("it has no step".to_owned());
        }
        let mut steps = Vec::new();
        for step in &scenario.steps {
            let shot = self
                .shot(step, spec, host, &mut names)
                .map_err(|e| format!("step `{}`: {e}", step.name))?;
            steps.push(shot);
        }
        Ok(Flow {
            steps,
            variables: names.len(),
            rows: scenario.data.clone().map(Arc::new),
        })
    }

    fn shot(
        &mut self,
        step: &Step,
        spec: &Spec,
        host: &str,
        names: &mut Vec<String>,
    ) -> Result<Shot, String> {
        let number_of = |name: &str| names.iter().position(|n| n == name);
        let parts = parts(step, spec, host, &number_of)?;
        let checks = step
            .checks
            .iter()
            .map(check)
            .collect::<Result<Vec<_>, _>>()?;
        let mut captures = Vec::new();
        for capture in &step.captures {
            let variable = names
                .iter()
                .position(|n| *n == capture.name)
                .unwrap_or(names.len());
            if variable == names.len() {
                names.push(capture.name.clone());
            }
            let from = source(&capture.from)?;
            captures.push(Take { variable, from });
        }
        let from_body = |take: &Take| !matches!(take.from, Source::Header(_));
        let keeps_body = !checks.is_empty() || captures.iter().any(from_body);
        Ok(Shot {
            route: self.route(&step.name)?,
            head: step.method == "HEAD",
            idempotent: matches!(
                step.method.as_str(),
                "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE"
            ),
            fixed: parts.fixed(),
            parts,
            status: step.status.clone(),
            keeps_body,
            longest: if keeps_body {
                spec.max_body.min(spec.max_kept)
            } else {
                spec.max_body
            },
            keeps_head: captures.iter().any(|take| !from_body(take)),
            checks,
            captures,
            pause: nanos(step.pause),
        })
    }

    fn route(&mut self, name: &str) -> Result<u16, String> {
        let nth = self
            .routes
            .iter()
            .position(|r| r == name)
            .unwrap_or(self.routes.len());
        if nth == self.routes.len() {
            self.routes.push(name.to_owned());
        }
        u16::try_from(nth).map_err(|_| "there are more than 65,536 routes".to_owned())
    }
}

impl Flow {
    /// Variables at the start of an iteration.
    pub(super) fn begin(&self, iteration: u64) -> Vec<Option<String>> {
        let mut variables = vec![None; self.variables];
        if let Some(data) = &self.rows {
            let rows = u64::from(index(data.rows.len()));
            let row = usize::try_from(iteration % rows).unwrap_or(0);
            for (variable, value) in variables.iter_mut().zip(&data.rows[row]) {
                *variable = Some(value.clone());
            }
        }
        variables
    }

    /// Whether its requests have variables at all.
    pub(super) fn has_variables(&self) -> bool {
        self.variables > 0
    }
}

impl Parts {
    /// The bytes of a request.
    pub(super) fn render(&self, values: Values<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        self.target.render(values, Place::Target, out);
        out.extend_from_slice(b" HTTP/1.1\r\n");
        for (name, value) in &self.headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            value.render(values, Place::Header, out);
            out.extend_from_slice(b"\r\n");
        }
        if self.close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        let Some(body) = &self.body else {
            if matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
                out.extend_from_slice(b"Content-Length: 0\r\n");
            }
            out.extend_from_slice(b"\r\n");
            return;
        };
        let mut content = Vec::new();
        body.render(values, Place::Body, &mut content);
        out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", content.len()).as_bytes());
        out.extend_from_slice(&content);
    }

    /// The bytes of the request, if no variable is in it.
    fn fixed(&self) -> Option<Box<[u8]>> {
        self.target.fixed()?;
        for (_, value) in &self.headers {
            value.fixed()?;
        }
        if let Some(body) = &self.body {
            body.fixed()?;
        }
        let mut out = Vec::new();
        self.render(Values::NONE, &mut out);
        Some(out.into_boxed_slice())
    }

    /// The request for HTTP/2, with its body.
    pub(super) fn http2(
        &self,
        base: &Url,
        values: Values<'_>,
    ) -> Result<(http::Request<()>, Vec<u8>), String> {
        let mut target = Vec::new();
        self.target.render(values, Place::Target, &mut target);
        let target = String::from_utf8(target).map_err(|e| e.to_string())?;
        let mut request = http::Request::builder().method(self.method.as_str());
        for (name, value) in &self.headers {
            let mut bytes = Vec::new();
            value.render(values, Place::Header, &mut bytes);
            // HTTP/2 has `:authority` in its place (RFC 9113, 8.3.1).
            if name.eq_ignore_ascii_case("host") {
                let host = String::from_utf8(bytes).map_err(|e| e.to_string())?;
                request = request.uri(format!("{}://{host}{target}", base.scheme()));
            } else {
                request = request.header(name.as_str(), bytes);
            }
        }
        let mut content = Vec::new();
        if let Some(body) = &self.body {
            body.render(values, Place::Body, &mut content);
            request = request.header("content-length", content.len());
        }
        Ok((request.body(()).map_err(|e| e.to_string())?, content))
    }
}

fn parts(
    step: &Step,
    spec: &Spec,
    host: &str,
    number_of: &dyn Fn(&str) -> Option<usize>,
) -> Result<Parts, String> {
    if !token(&step.method) {
        return Err(format!("`{}` is no HTTP method", step.method));
    }
    let mut target = step.target.clone();
    let prefix = spec.base.path().trim_end_matches('/');
    target.0.insert_str(0, prefix);
    let bare = target.0.split("{{").next().unwrap_or("");
    if !target.0.starts_with('/') || bare.bytes().any(|b| b <= b' ' || b >= 0x7f) {
        return Err(format!(
            "the target `{}` must be a path that starts with `/`",
            target.0
        ));
    }
    let mut headers = Vec::new();
    for (name, value) in &step.headers {
        let own = ["content-length", "transfer-encoding", "connection"];
        if !token(name) || own.iter().any(|o| name.eq_ignore_ascii_case(o)) {
            return Err(format!("the header `{name}` cannot be set"));
        }
        if value.0.bytes().any(|b| b == b'\r' || b == b'\n' || b == 0) {
            return Err(format!(
                "the value of the header `{name}` has a line break in it"
            ));
        }
        headers.push((name.clone(), Compiled::new(value, number_of)?));
    }
    let agent = concat!("readygate/", env!("CARGO_PKG_VERSION"));
    for (name, value) in [("Accept", "*/*"), ("User-Agent", agent), ("Host", host)] {
        if !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
            let value = super::spec::Template(value.to_owned());
            headers.insert(0, (name.to_owned(), Compiled::new(&value, &|_| None)?));
        }
    }
    Ok(Parts {
        method: step.method.clone(),
        target: Compiled::new(&target, number_of)?,
        headers,
        body: step
            .body
            .as_ref()
            .map(|b| Compiled::new(b, number_of))
            .transpose()?,
        close: !spec.keepalive,
    })
}

/// RFC 9110, 5.6.2.
fn token(text: &str) -> bool {
    let special = b"!#$%&'*+-.^_`|~";
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || special.contains(&b))
}

fn host_header(base: &Url) -> Result<String, String> {
    if !matches!(base.scheme(), "http" | "https") {
        return Err(format!("`{}` is no http or https URL", base.scheme()));
    }
    let host = base.host_str().ok_or("the URL has no host")?;
    Ok(base
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn check(check: &BodyCheck) -> Result<Check, String> {
    let finder = |text: &str| memchr::memmem::Finder::new(text.as_bytes()).into_owned();
    Ok(match check {
        BodyCheck::Contains(text) => Check::Contains(finder(text)),
        BodyCheck::Lacks(text) => Check::Lacks(finder(text)),
        BodyCheck::Matches(pattern) => Check::Matches(compile(pattern)?),
        BodyCheck::Json { pointer, equals } => Check::Json(valid(pointer)?, equals.clone()),
        BodyCheck::Length { min, max } => Check::Length(*min, *max),
    })
}

fn source(from: &CaptureFrom) -> Result<Source, String> {
    Ok(match from {
        CaptureFrom::Json(pointer) => Source::Json(valid(pointer)?),
        CaptureFrom::Header(name) => Source::Header(name.clone()),
        CaptureFrom::Regex(pattern) => Source::Regex(compile(pattern)?),
    })
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|e| format!("the pattern `{pattern}`: {e}"))
}

fn valid(pointer: &str) -> Result<String, String> {
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(pointer.to_owned());
    }
    Err(format!(
        "the JSON pointer `{pointer}` must start with `/` (RFC 6901)"
    ))
}
