//! The client: no pool, no proxy, no redirects, no retries, and marks of the phases.

use std::{
    collections::BTreeMap,
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::{StatusCode, header::LOCATION};
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;
use tower::util::MapFutureLayer;

use crate::{
    Body, Request, Response, Timings,
    body::Reader,
    fault,
    trace::{Trace, seconds},
    trust::Trust,
};

/// Response headers of one message, in number. Ordinary pages have 10 to 40.
pub(crate) const MOST_HEADERS: usize = 256;
/// Bytes of all response headers of one message over HTTP/2; HTTP/1 has about as many.
const MOST_HEADER_BYTES: u32 = 400 << 10;

/// What a client is built with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A PEM file of certificate authorities that are trusted beside those of the system, relative to
    /// the config.
    pub ca: Option<String>,
    /// Addresses of names, in place of a look-up.
    pub resolve: BTreeMap<String, IpAddr>,
    /// Bytes of a (decompressed) body that are kept; what is beyond them is not read.
    pub max_body: u64,
    /// Whether HTTP/2 is offered to TLS servers.
    pub http2: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ca: None,
            resolve: BTreeMap::new(),
            max_body: 1 << 20,
            http2: true,
        }
    }
}

/// Sends requests, each over a connection of its own; requests may overlap.
#[derive(Debug, Clone)]
pub struct Client {
    trust: Trust,
    pinned: Arc<BTreeMap<String, IpAddr>>,
    max_body: u64,
    cx: Cx,
}

impl Client {
    /// Reads what TLS trusts. The system's store is read once per process.
    pub async fn build(settings: &Settings, cx: &Cx) -> Result<Self, ProbeError> {
        let pinned = settings.resolve.iter();
        Ok(Self {
            trust: Trust::load(settings.ca.as_deref(), settings.http2, cx).await?,
            pinned: Arc::new(
                pinned
                    .map(|(h, ip)| (h.to_ascii_lowercase(), *ip))
                    .collect(),
            ),
            max_body: settings.max_body,
            cx: cx.clone(),
        })
    }

    /// Sends `request` and reads the whole response, redirect or not.
    pub async fn send(&self, request: &Request) -> Result<Response, ProbeError> {
        self.head(request).await?.read().await
    }

    /// Sends `request` and waits for the response headers.
    pub(crate) async fn head(&self, request: &Request) -> Result<Head, ProbeError> {
        let subject = request.subject();
        let trace = Arc::new(Trace::default());
        trace.restart(request.host(), request.port());
        let client = self.one(request, &trace).await?;
        let started = Instant::now();
        let mut sending = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let sent = self.cx.within(&subject, "", sending.send()).await;
        let response = sent
            .map_err(|error| phased(error, &trace))?
            .map_err(|e| fault::sending(&e, &trace.marks(), &subject))?;
        trace.answered();
        Ok(Head {
            url: request.url.clone(),
            subject,
            started,
            answered: Instant::now(),
            response,
            trace,
            max_body: self.max_body,
            cx: self.cx.clone(),
        })
    }

    /// A client for one request: the marks are its own.
    async fn one(
        &self,
        request: &Request,
        trace: &Arc<Trace>,
    ) -> Result<reqwest::Client, ProbeError> {
        let https = request.url.scheme() == "https";
        let resolver = Resolver {
            pinned: Arc::clone(&self.pinned),
            trace: Arc::clone(trace),
        };
        let marks = Arc::clone(trace);
        reqwest::Client::builder()
            .tls_backend_preconfigured(self.trust.client(https, &self.cx, trace).await?)
            .dns_resolver(resolver)
            .connector_layer(MapFutureLayer::new(move |connection| {
                timed(Arc::clone(&marks), connection)
            }))
            // A request has a connection of its own.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_max_headers(MOST_HEADERS)
            .http2_max_header_list_size(MOST_HEADER_BYTES)
            // Proxies would come from the environment, which probes do not read.
            .no_proxy()
            .build()
            .map_err(|e| ProbeError::new(ErrorKind::Internal, "the client", "setting up", e))
    }
}

/// `within` does not know what was waited for; the marks do.
fn phased(mut error: ProbeError, trace: &Trace) -> ProbeError {
    error.phase = trace.phase();
    error
}

/// A response whose body is still to come.
pub(crate) struct Head {
    url: url::Url,
    subject: String,
    started: Instant,
    answered: Instant,
    response: reqwest::Response,
    trace: Arc<Trace>,
    max_body: u64,
    cx: Cx,
}

impl Head {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn location(&self) -> Option<String> {
        let location = self.response.headers().get(LOCATION)?;
        Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
    }

    /// Seconds from the request to here.
    pub(crate) fn seconds(&self) -> f64 {
        seconds(self.started, self.answered)
    }

    /// Reads the body.
    pub(crate) async fn read(mut self) -> Result<Response, ProbeError> {
        let cx = self.cx.clone();
        let subject = self.subject.clone();
        let body = cx
            .within(&subject, "reading the body", self.body())
            .await??;
        let ended = Instant::now();
        let marks = self.trace.marks();
        let (dns, connect, tls, first_byte) = marks.phases();
        Ok(Response {
            status: self.response.status(),
            version: self.response.version(),
            headers: self.response.headers().clone(),
            remote: self.response.remote_addr(),
            url: self.url,
            body,
            tls: marks.tls,
            timings: Timings {
                dns,
                connect,
                tls,
                first_byte,
                body: seconds(self.answered, ended),
                total: seconds(self.started, ended),
            },
        })
    }

    async fn body(&mut self) -> Result<Body, ProbeError> {
        let mut reader = Reader::new(self.response.headers(), self.max_body);
        let status = self.response.status();
        let declared = self.response.content_length();
        let subject = &self.subject;
        loop {
            let piece =
                self.response.chunk().await.map_err(|e| {
                    fault::reading(&e, subject, status, reader.wire_bytes(), declared)
                })?;
            let Some(piece) = piece else { break };
            let more = reader
                .take(&piece)
                .map_err(|e| fault::decoding(&e, subject, status))?;
            if !more {
                return Ok(reader.into_body());
            }
        }
        reader
            .end()
            .map_err(|e| fault::decoding(&e, subject, status))?;
        Ok(reader.into_body())
    }
}

/// The whole of the connector's work: look-up, connection, handshake.
async fn timed<T, E>(
    trace: Arc<Trace>,
    connection: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    trace.connecting();
    let done = connection.await?;
    trace.connected();
    Ok(done)
}

/// Looks names up as every program of the machine does, unless the config pins them.
struct Resolver {
    pinned: Arc<BTreeMap<String, IpAddr>>,
    trace: Arc<Trace>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let trace = Arc::clone(&self.trace);
        if let Some(ip) = self.pinned.get(&name.as_str().to_ascii_lowercase()) {
            let found = vec![SocketAddr::new(*ip, 0)];
            trace.addresses(found.clone());
            return Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) });
        }
        Box::pin(async move {
            trace.resolving();
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() {
                let cause = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                return Err(Box::new(cause) as Box<dyn Error + Send + Sync>);
            }
            trace.resolved();
            trace.addresses(found.clone());
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
