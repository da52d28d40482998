//! The addresses of the target, and whether they can be reached at all.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::spec::Spec;

/// Addresses that are used; more are left out.
const MOST: usize = 64;

/// All addresses of the target. A family (IPv4, IPv6) of which no address can be reached is left
/// out, as browsers do, and a note says so. A single address that fails is kept: some users get it.
pub(super) async fn find(
    spec: &Spec,
    cx: &Cx,
) -> Result<(Vec<SocketAddr>, Vec<String>), ProbeError> {
    let host = spec.base.host_str().unwrap_or_default().to_owned();
    let port = spec.base.port_or_known_default().unwrap_or(80);
    let mut all: Vec<SocketAddr> = if spec.addresses.is_empty() {
        resolve(&host, port, cx).await?
    } else {
        spec.addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, port))
            .collect()
    };
    all.sort_unstable();
    all.dedup();
    all.truncate(MOST);
    let attempts = all.iter().map(|to| attempt(*to, spec));
    let attempts = futures_join(attempts.collect());
    let outcomes = cx.within(&host, "connecting", attempts).await?;
    let reached = |family: bool| {
        let outcomes = all.iter().zip(&outcomes);
        outcomes
            .filter(|(to, _)| to.is_ipv4() == family)
            .any(|(_, outcome)| outcome.is_ok())
    };
    let reached = [
        (true, "IPv4", reached(true)),
        (false, "IPv6", reached(false)),
    ];
    if !reached.iter().any(|(_, _, any)| *any) {
        let error = outcomes.iter().find_map(|o| o.as_ref().err());
        let said = error.map_or_else(|| "there is no address".to_owned(), ToString::to_string);
        return Err(
            ProbeError::new(ErrorKind::Connect, host, "connecting", said)
                .hint("the target must accept connections before load is put on it"),
        );
    }
    let mut notes = Vec::new();
    for (family, name, any) in reached {
        let left_out: Vec<String> = all
            .iter()
            .filter(|a| a.is_ipv4() == family)
            .map(|a| a.ip().to_string())
            .collect();
        if !any && !left_out.is_empty() {
            notes.push(format!(
                "{name} was left out: {} cannot be reached.",
                left_out.join(", ")
            ));
            all.retain(|a| a.is_ipv4() != family);
        }
    }
    Ok((all, notes))
}

async fn resolve(host: &str, port: u16, cx: &Cx) -> Result<Vec<SocketAddr>, ProbeError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let phase = "resolving the name";
    let found = cx.within(host, phase, lookup_host((bare, port))).await?;
    let found = found.map_err(|e| ProbeError::new(ErrorKind::Connect, host, phase, e))?;
    Ok(found.collect())
}

async fn attempt(to: SocketAddr, spec: &Spec) -> io::Result<()> {
    let connecting = async {
        let source = spec
            .connect
            .sources
            .iter()
            .find(|s| s.is_ipv4() == to.is_ipv4());
        let Some(source) = source else {
            return TcpStream::connect(to).await;
        };
        let socket = if to.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.bind(SocketAddr::new(*source, 0))?;
        socket.connect(to).await
    };
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{to}: {e}"));
    let outcome = tokio::time::timeout(spec.connect.timeout, connecting).await;
    let late = |_| {
        let text = format!("{to}: no connection within {:?}", spec.connect.timeout);
        io::Error::new(io::ErrorKind::TimedOut, text)
    };
    outcome.map_err(late)?.map(drop).map_err(named)
}

/// All of them at once, outcomes in order.
async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, outcome) in &mut futures {
            if outcome.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *outcome = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    futures
        .into_iter()
        .filter_map(|(_, outcome)| outcome)
        .collect()
}

/// Whether this machine has the source addresses.
pub(super) fn check_sources(sources: &[IpAddr], host: String) -> Result<(), ProbeError> {
    for source in sources {
        if let Err(error) = std::net::TcpListener::bind(SocketAddr::new(*source, 0)) {
            let text = format!("the source address {source} cannot be used: {error}");
            return Err(
                ProbeError::new(ErrorKind::NoData, host, "planning the load", text)
                    .hint("every address of `sockets.source_ips` must be one of this machine's"),
            );
        }
    }
    Ok(())
}
