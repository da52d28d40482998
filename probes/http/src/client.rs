//! The HTTP client of one gate: no pool, no proxy, no redirects, no retries, and marks of the phases.

use std::{
    collections::BTreeMap,
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tower::util::MapFutureLayer;

use crate::{config::HttpConfig, request::Request, trace::Trace, trust};

/// Builds the client that sends `request` and what it is redirected to.
pub(crate) async fn build(
    config: &HttpConfig,
    request: &Request,
    cx: &Cx,
    trace: &Arc<Trace>,
) -> Result<reqwest::Client, ProbeError> {
    let https = request.url.scheme() == "https" || config.redirects > 0;
    let tls = trust::client(https, config.ca.as_deref(), cx, trace).await?;
    let resolver = Resolver {
        pinned: config
            .resolve
            .iter()
            .map(|(host, ip)| (host.to_ascii_lowercase(), *ip))
            .collect(),
        trace: Arc::clone(trace),
    };
    let marks = Arc::clone(trace);
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .connector_layer(MapFutureLayer::new(move |connection| {
            timed(Arc::clone(&marks), connection)
        }))
        // A sample measures a connection of its own.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Proxies would come from the environment, which probes do not read.
        .no_proxy()
        .build()
        .map_err(|e| ProbeError::new(ErrorKind::Internal, "the client", "setting up", e))
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
    pinned: BTreeMap<String, IpAddr>,
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
