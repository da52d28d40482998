//! Asks every address under every name. Knows no thresholds.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::{StreamExt as _, stream};
use readygate_sdk::{Cx, ErrorKind, ProbeError, excerpt};
use rustls::pki_types::ServerName;
use tokio::{net::lookup_host, time::Duration};

use crate::{
    config::{Endpoint, IpVersions, Store, TlsConfig},
    handshake::{self, Plan, Raw},
    measurement::{Chain, Handshake, Peer, Plain, TlsMeasurement},
    trust::{self, Trusted},
    wire::{
        self, Contact, Known, Presented, Survey,
        plaintext::{Dialect, Plaintext},
    },
    x509::walk,
};

/// Peers asked at a time.
const AT_A_TIME: usize = 4;
/// Addresses of one host that are asked.
const MOST_ADDRESSES: usize = 16;
/// For one look-up; the resolver of the system may try for 30 s.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Asks everything. With no peer that could be asked at all, the first one's fault is the error.
pub(crate) async fn measure(config: &TlsConfig, cx: &Cx) -> Result<TlsMeasurement, ProbeError> {
    let trusted = trust::load(config, cx).await?;
    let now = cx.now().as_second();
    let mut asked = Vec::new();
    let mut peers = Vec::new();
    for (endpoint, name) in config.pairs() {
        match addresses(config, &endpoint, cx).await {
            Ok(found) => asked.extend(
                found
                    .into_iter()
                    .map(|a| (endpoint.clone(), name.clone(), a)),
            ),
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(fault) => peers.push(Peer {
                fault: Some(fault),
                ..empty(&endpoint, name)
            }),
        }
    }
    let all = asked.len();
    let known = &trusted;
    let asking =
        asked
            .into_iter()
            .enumerate()
            .map(|(index, (endpoint, name, address))| async move {
                cx.progress(&format!("{name} at {address}: {} of {all}", index + 1));
                peer(config, cx, known, now, &endpoint, name, address).await
            });
    let mut answers = stream::iter(asking).buffered(AT_A_TIME);
    while let Some(answer) = answers.next().await {
        match answer.fault {
            Some(fault) if fault.kind == ErrorKind::Cancelled => return Err(fault),
            _ => peers.push(answer),
        }
    }
    drop(answers);
    // A port that answers without TLS is a finding, even where TLS is not spoken at all.
    let bare = |p: &Peer| {
        matches!(
            &p.plaintext,
            Some(Plain::Seen {
                answer: Plaintext::Answered { .. }
            })
        )
    };
    if let Some(Some(first)) = peers.first().map(|p| p.fault.clone())
        && peers.iter().all(|p| p.fault.is_some() && !bare(p))
    {
        return Err(first);
    }
    Ok(TlsMeasurement {
        at: now,
        trust: trusted.named,
        peers,
    })
}

fn empty(endpoint: &Endpoint, name: String) -> Peer {
    Peer {
        endpoint: endpoint.shown(),
        name,
        address: None,
        fault: None,
        survey: None,
        handshake: None,
        chains: Vec::new(),
        plaintext: None,
    }
}

async fn addresses(
    config: &TlsConfig,
    endpoint: &Endpoint,
    cx: &Cx,
) -> Result<Vec<SocketAddr>, ProbeError> {
    let subject = endpoint.shown();
    let fail = |message: String| {
        ProbeError::new(ErrorKind::Connect, &subject, "looking the name up", message)
            .hint("check the spelling, and the name servers of the machine that runs the gate")
    };
    let given = config
        .resolve
        .iter()
        .find(|(host, _)| host.eq_ignore_ascii_case(&endpoint.host));
    let mut found: Vec<SocketAddr> = match (given, endpoint.host.parse::<IpAddr>()) {
        (Some((_, ips)), _) => ips.iter().map(|ip| (*ip, endpoint.port).into()).collect(),
        (None, Ok(ip)) => vec![(ip, endpoint.port).into()],
        (None, Err(_)) => {
            let host = (endpoint.host.as_str(), endpoint.port);
            let looking = tokio::time::timeout(LOOK_UP, lookup_host(host));
            let looked = cx.within(&subject, "looking the name up", looking).await?;
            let looked = looked.map_err(|_| fail(format!("no answer within {LOOK_UP:?}")))?;
            looked
                .map_err(|e| fail(format!("the name does not resolve: {e}")))?
                .collect()
        }
    };
    found.retain(|address| match config.ip {
        IpVersions::Any => true,
        IpVersions::V4 => address.is_ipv4(),
        IpVersions::V6 => address.is_ipv6(),
    });
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Err(fail("no address of the wanted IP version".to_owned()));
    }
    if found.len() > MOST_ADDRESSES {
        let message = format!(
            "{} addresses; at most {MOST_ADDRESSES} are asked",
            found.len()
        );
        return Err(fail(message).hint("name the addresses in `resolve`, in several gates"));
    }
    Ok(found)
}

async fn peer(
    config: &TlsConfig,
    cx: &Cx,
    trusted: &Trusted,
    now: i64,
    endpoint: &Endpoint,
    name: String,
    address: SocketAddr,
) -> Peer {
    let mut peer = Peer {
        address: Some(address.to_string()),
        ..empty(endpoint, name)
    };
    let subject = peer.subject();
    let sni = peer
        .name
        .parse::<IpAddr>()
        .is_err()
        .then_some(peer.name.as_str());
    let options = options(config);
    let surveying = wire::survey(address, sni, &options, cx);
    let (survey, plaintext) = tokio::join!(surveying, plain(config, address, &options, cx));
    peer.plaintext = plaintext;
    let problem = survey
        .as_ref()
        .map_or_else(|e| Some(e.clone()), Survey::problem);
    let Ok(survey) = survey else {
        peer.fault = problem.map(|error| with_subject(error, &subject));
        return peer;
    };
    // Only a server that answers alerts to everything may still answer a modern client; the others
    // have had their time. One after the other: some servers take one connection at a time.
    let hopeless = !matches!(survey.contact, Contact::Tls | Contact::OnlyAlerts { .. });
    if let (Some(error), true) = (&problem, hopeless) {
        peer.fault = Some(with_subject(error.clone(), &subject));
        return peer;
    }
    let shaking = cx.within(
        &subject,
        "doing the handshake",
        shake(config, &peer.name, address),
    );
    let (handshake, raws) = match shaking.await {
        Ok(shaken) => shaken,
        Err(error) => {
            peer.fault = Some(error);
            return peer;
        }
    };
    if let (Some(error), None) = (problem, &handshake.version) {
        peer.fault = Some(with_subject(error, &subject));
        return peer;
    }
    let (survey, chains) = chains(survey, &handshake, raws, trusted, now, cx).await;
    Peer {
        survey: Some(survey),
        handshake: Some(handshake),
        chains,
        ..peer
    }
}

/// Names the peer as the checks do, and says what to do where this machine has no way there.
fn with_subject(mut error: ProbeError, subject: &str) -> ProbeError {
    subject.clone_into(&mut error.subject);
    error.message = excerpt(&error.message, 200);
    if error.message.contains("unreachable") || error.message.contains("os error 99") {
        return error.hint(
            "does this machine have a route of this IP version? `ip: v4` leaves IPv6 out; run the gate elsewhere for it",
        );
    }
    error
}

fn options(config: &TlsConfig) -> wire::Options {
    let mut options = wire::Options::default();
    if config.store.is_some() {
        options.alpn.clear();
    } else if !config.alpn.is_empty() {
        options.alpn = config.alpn.iter().map(str::to_owned).collect();
    }
    if config.store == Some(Store::Postgres) {
        options.upgrade = wire::Upgrade::Postgres;
    }
    options
}

async fn shake(config: &TlsConfig, name: &str, address: SocketAddr) -> (Handshake, Vec<Raw>) {
    let Ok(name) = ServerName::try_from(name.to_owned()) else {
        return <_>::default();
    };
    let plan = Plan {
        address,
        name,
        alpn: options(config)
            .alpn
            .into_iter()
            .map(String::into_bytes)
            .collect(),
        samples: config.samples,
        postgres: config.store == Some(Store::Postgres),
        http: config.store.is_none(),
    };
    handshake::shake(&plan).await
}

async fn plain(
    config: &TlsConfig,
    address: SocketAddr,
    options: &wire::Options,
    cx: &Cx,
) -> Option<Plain> {
    let dialect = match config.store? {
        Store::Redis => Dialect::Redis,
        Store::Mongodb => Dialect::Mongodb,
        Store::Postgres => Dialect::Postgres,
        Store::Memcached => Dialect::Memcached,
    };
    Some(
        match wire::plaintext::ask(address, dialect, options, cx).await {
            Ok(answer) => Plain::Seen { answer },
            Err(error) => Plain::Unknown { error },
        },
    )
}

/// Walks every chain once; the survey keeps none of its own, since the bytes are not needed twice.
async fn chains(
    mut survey: Survey,
    handshake: &Handshake,
    raws: Vec<Raw>,
    trusted: &Trusted,
    now: i64,
    cx: &Cx,
) -> (Survey, Vec<Chain>) {
    let version = handshake
        .version
        .clone()
        .unwrap_or_else(|| "TLS".to_owned());
    let mut seen: Vec<(Vec<String>, Raw)> = raws
        .into_iter()
        .map(|raw| (vec![version.clone()], raw))
        .collect();
    let first = match &mut survey.chain {
        Known::Known { value } => Some(value),
        _ => None,
    };
    let second = match &mut survey.other_chain {
        Known::Known { value } => value.as_mut(),
        _ => None,
    };
    for presented in first.into_iter().chain(second) {
        merge(&mut seen, presented);
    }
    let anchors = Arc::clone(&trusted.anchors);
    let walked = cx.blocking("the certificates", "reading them", move || {
        let chains = seen.into_iter().map(|(seen_in, raw)| Chain {
            seen_in,
            walk: walk(&raw.chain, Some(&raw.staple), &anchors, now),
        });
        Ok(chains.collect())
    });
    (survey, walked.await.unwrap_or_default())
}

/// Moves a chain of the survey to those seen. The staple may be renewed between two hellos; the
/// certificates tell chains apart.
fn merge(seen: &mut Vec<(Vec<String>, Raw)>, presented: &mut Presented) {
    let chain = std::mem::take(&mut presented.chain);
    let staple = presented.staple.take().map(|der| der.0).unwrap_or_default();
    let chain: Vec<Vec<u8>> = chain.into_iter().map(|der| der.0).collect();
    let version = presented.version.to_string();
    match seen.iter_mut().find(|(_, known)| known.chain == chain) {
        Some((versions, known)) => {
            if !versions.contains(&version) {
                versions.push(version);
            }
            if known.staple.is_empty() {
                known.staple = staple;
            }
        }
        None if chain.is_empty() => {}
        None => seen.push((vec![version], Raw { chain, staple })),
    }
}
