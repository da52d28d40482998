//! One sample: the request, its redirects, the response and its body.

use std::sync::Arc;

use http::{StatusCode, header::LOCATION};
use readygate_sdk::ProbeError;
use reqwest::Response;
use tokio::time::Instant;

use crate::{
    address::shown,
    body::Reader,
    facts::Recorder,
    fault,
    record::{Answer, Body, Facts, Hop, Latency, Stop},
    request::Request,
    trace::{Trace, seconds},
};

/// Characters kept of a `Location`.
const LOCATION_LENGTH: usize = 512;

/// Sends requests of one endpoint.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a reqwest::Client,
    pub(crate) recorder: &'a Recorder<'a>,
    pub(crate) trace: &'a Arc<Trace>,
}

/// Where the redirects led.
struct Arrival {
    response: Response,
    request: Request,
    hops: Vec<Hop>,
    stopped: Option<Stop>,
}

impl Exchange<'_> {
    /// Sends `first`, follows redirects as far as the config allows, and reads the body.
    pub(crate) async fn run(&self, first: &Request) -> Result<(Answer, Latency), ProbeError> {
        let started = Instant::now();
        let arrival = self.follow(first).await?;
        let head = Instant::now();
        let Arrival {
            response,
            request,
            hops,
            stopped,
        } = arrival;
        let mut answer = Answer {
            url: self.recorder.text(&shown(&request.url), usize::MAX),
            status: response.status().as_u16(),
            http_version: format!("{:?}", response.version()),
            remote: response.remote_addr().map(|address| address.to_string()),
            tls: self.trace.marks().tls.map(str::to_owned),
            headers: self.recorder.headers(response.headers()),
            headers_total: response.headers().len(),
            redirects: hops,
            stopped,
            body: Body::default(),
            facts: Facts::default(),
        };
        let headers = response.headers().clone();
        let reader = self.read(response, &request).await?;
        let ended = Instant::now();
        answer.body = self.recorder.body(&reader);
        answer.facts = self
            .recorder
            .facts(&headers, reader.bytes(), &mut answer.body);
        let (dns, connect, tls, first_byte) = self.trace.marks().phases();
        let latency = Latency {
            dns,
            connect,
            tls,
            first_byte,
            body: seconds(head, ended),
            total: seconds(started, ended),
        };
        Ok((answer, latency))
    }

    async fn follow(&self, first: &Request) -> Result<Arrival, ProbeError> {
        let limit = usize::from(self.recorder.config.redirects);
        let mut request = first.clone();
        let mut hops = Vec::new();
        let mut sent = Vec::new();
        loop {
            let started = Instant::now();
            let response = self.send(&request).await?;
            let location = response.headers().get(LOCATION);
            let location = location.map(|l| String::from_utf8_lossy(l.as_bytes()).into_owned());
            sent.push((request.method.clone(), request.url.clone()));
            let next = if limit > 0 && is_redirect(response.status()) {
                next(&request, response.status(), location.as_deref(), &sent)
            } else {
                Ok(None)
            };
            let (next, stopped) = match next {
                Ok(Some(_)) if hops.len() >= limit => (None, Some(Stop::Limit)),
                Ok(next) => (next, None),
                Err(stop) => (None, Some(stop)),
            };
            let Some(next) = next else {
                return Ok(Arrival {
                    response,
                    request,
                    hops,
                    stopped,
                });
            };
            hops.push(Hop {
                url: self.recorder.text(&shown(&request.url), usize::MAX),
                status: response.status().as_u16(),
                location: self.recorder.text(&shown(&next.url), LOCATION_LENGTH),
                elsewhere: !next.is_home(),
                seconds: seconds(started, Instant::now()),
            });
            request = next;
        }
    }

    async fn send(&self, request: &Request) -> Result<Response, ProbeError> {
        self.trace.restart(request.host(), request.port());
        let mut sending = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let response = sending
            .send()
            .await
            .map_err(|e| fault::sending(&e, &self.trace.marks(), &self.subject(request)))?;
        self.trace.answered();
        Ok(response)
    }

    async fn read(&self, mut response: Response, request: &Request) -> Result<Reader, ProbeError> {
        let mut reader = Reader::new(response.headers(), self.recorder.config.max_body.0);
        let status = response.status();
        let declared = response.content_length();
        let subject = self.subject(request);
        loop {
            let piece = response
                .chunk()
                .await
                .map_err(|e| fault::reading(&e, &subject, status, reader.wire_bytes, declared))?;
            let Some(piece) = piece else { break };
            let more = reader
                .take(&piece)
                .map_err(|e| fault::decoding(&e, &subject, status))?;
            if !more {
                return Ok(reader);
            }
        }
        reader
            .end()
            .map_err(|e| fault::decoding(&e, &subject, status))?;
        Ok(reader)
    }

    fn subject(&self, request: &Request) -> String {
        self.recorder.text(&shown(&request.url), usize::MAX)
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
    sent: &[(http::Method, url::Url)],
) -> Result<Option<Request>, Stop> {
    let location = location.ok_or(Stop::NoLocation)?;
    let next = request.redirected(status, location)?;
    if sent
        .iter()
        .any(|(method, url)| *method == next.method && *url == next.url)
    {
        return Err(Stop::Loop);
    }
    Ok(Some(next))
}
