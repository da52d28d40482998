//! Connects to every port. Knows no thresholds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, SocketAddr},
};

use futures::future::join_all;
use readygate_sdk::{Cx, ProbeError};
use tokio::{
    net::{TcpStream, UdpSocket, lookup_host},
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::{
    config::{Family, PortsConfig, StoreKind},
    measurement::{AddressFacts, Nearness, PortFacts, PortState, PortsMeasurement},
    place::Place,
    store,
};

/// Connections under way at the same time.
const AT_ONCE: usize = 64;
/// Addresses of one host that are looked at.
const MOST_ADDRESSES: usize = 16;

/// The addresses of every host, or why it has none.
type Hosts = BTreeMap<String, Result<Vec<IpAddr>, String>>;

pub async fn measure(config: &PortsConfig, cx: &Cx) -> Result<PortsMeasurement, ProbeError> {
    let open = PortsConfig::places(&config.open);
    let closed = PortsConfig::places(&config.closed);
    let controls = PortsConfig::places(&config.controls);
    let mut kinds = BTreeMap::new();
    for store in &config.stores {
        let place = PortsConfig::places(std::slice::from_ref(&store.at));
        kinds.extend(place.into_iter().map(|place| (place, store.kind)));
    }
    let mut stores: BTreeSet<Place> = kinds.keys().cloned().collect();
    stores.retain(|place| !open.contains(place) && !closed.contains(place));
    let all = [&open, &closed, &stores, &controls];
    let total: usize = all.iter().map(|list| list.len()).sum();
    cx.progress(&format!("connecting to {total} ports"));
    let hosts = resolve(&all, config.family, cx).await?;
    let look = Look {
        cx,
        config,
        hosts: &hosts,
        kinds: &kinds,
        turns: &Semaphore::new(AT_ONCE),
    };
    Ok(PortsMeasurement {
        open: look.at_all(&open, true).await?,
        closed: look.at_all(&closed, true).await?,
        stores: look.at_all(&stores, true).await?,
        controls: look.at_all(&controls, false).await?,
    })
}

async fn resolve(lists: &[&BTreeSet<Place>], family: Family, cx: &Cx) -> Result<Hosts, ProbeError> {
    let names: BTreeSet<&String> = lists.iter().copied().flatten().map(|p| &p.host).collect();
    let mut asked = Vec::new();
    for &host in &names {
        asked.push(cx.within(host, "resolving the name", lookup_host((host.as_str(), 0))));
    }
    let mut hosts = Hosts::new();
    for (host, answer) in names.iter().zip(join_all(asked).await) {
        let of_family = |ip: &IpAddr| match family {
            Family::Any => true,
            Family::Ipv4 => ip.is_ipv4(),
            Family::Ipv6 => ip.is_ipv6(),
        };
        let found = match answer? {
            Err(error) => Err(error.to_string()),
            Ok(addresses) => {
                let all: BTreeSet<IpAddr> = addresses.map(|a| a.ip()).filter(of_family).collect();
                if all.is_empty() {
                    Err("it has no address of this family".to_owned())
                } else if all.len() > MOST_ADDRESSES {
                    Err(format!("it has more than {MOST_ADDRESSES} addresses"))
                } else {
                    Ok(all.into_iter().collect())
                }
            }
        };
        hosts.insert((*host).clone(), found);
    }
    Ok(hosts)
}

struct Look<'a> {
    cx: &'a Cx,
    config: &'a PortsConfig,
    hosts: &'a Hosts,
    kinds: &'a BTreeMap<Place, StoreKind>,
    turns: &'a Semaphore,
}

impl Look<'_> {
    async fn at_all(
        &self,
        places: &BTreeSet<Place>,
        stores: bool,
    ) -> Result<Vec<PortFacts>, ProbeError> {
        let mut looks = Vec::new();
        for place in places {
            looks.push(self.at(place, stores));
        }
        join_all(looks).await.into_iter().collect()
    }

    async fn at(&self, place: &Place, stores: bool) -> Result<PortFacts, ProbeError> {
        let mut facts = PortFacts {
            place: place.to_string(),
            unresolved: None,
            addresses: Vec::new(),
        };
        let addresses = match self.hosts.get(&place.host) {
            Some(Ok(addresses)) => addresses,
            Some(Err(why)) => {
                facts.unresolved = Some(why.clone());
                return Ok(facts);
            }
            None => return Ok(facts),
        };
        let declared = self.kinds.get(place).copied();
        let kind = declared
            .or_else(|| store::usual(place.port))
            .filter(|_| stores);
        let mut looks = Vec::new();
        for &ip in addresses {
            let address = SocketAddr::new(ip, place.port);
            looks.push(self.connect(address, kind, declared.is_some()));
        }
        let all: Result<Vec<AddressFacts>, ProbeError> =
            join_all(looks).await.into_iter().collect();
        facts.addresses = all?;
        Ok(facts)
    }

    async fn connect(
        &self,
        address: SocketAddr,
        kind: Option<StoreKind>,
        declared: bool,
    ) -> Result<AddressFacts, ProbeError> {
        let _turn = self.turns.acquire().await;
        let started = Instant::now();
        let limit = self.config.connect_timeout.0;
        let subject = address.to_string();
        let work = timeout(limit, TcpStream::connect(address));
        let connected = self.cx.within(&subject, "connecting", work).await?;
        let (state, reason, stream) = match connected {
            Err(_) => (PortState::Filtered, String::new(), None),
            Ok(Ok(stream)) => (PortState::Open, String::new(), Some(stream)),
            Ok(Err(error)) => {
                let (state, reason) = refused(&error);
                (state, reason, None)
            }
        };
        let seconds = (started.elapsed().as_secs_f64() * 1e6).round() / 1e6;
        let from = match &stream {
            Some(stream) => stream.local_addr().ok().map(|a| a.ip()),
            None => source_of(address).await,
        };
        drop(stream);
        let store = match kind.filter(|_| state == PortState::Open) {
            None => None,
            Some(kind) => {
                let work = store::ask(address, kind, declared, limit);
                let phase = "asking the store as a stranger";
                Some(self.cx.within(&subject, phase, work).await?)
            }
        };
        Ok(AddressFacts {
            address: subject,
            state,
            reason,
            vantage: nearness(address.ip(), from),
            from: from.map(|ip| ip.to_string()),
            seconds,
            store,
        })
    }
}

fn refused(error: &io::Error) -> (PortState, String) {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => (PortState::Closed, String::new()),
        // The kernel gave up on its own SYNs.
        io::ErrorKind::TimedOut => (PortState::Filtered, String::new()),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
            (PortState::NoRoute, error.to_string())
        }
        io::ErrorKind::HostUnreachable => (PortState::Unreachable, error.to_string()),
        _ => (PortState::Untried, error.to_string()),
    }
}

/// The address of this machine that packets to `address` leave from; none is sent.
async fn source_of(address: SocketAddr) -> Option<IpAddr> {
    let any = if address.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(address).await.ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn nearness(to: IpAddr, from: Option<IpAddr>) -> Nearness {
    let to = to.to_canonical();
    if to.is_loopback() || to.is_unspecified() {
        Nearness::Loopback
    } else if from.map(|ip| ip.to_canonical()) == Some(to) {
        Nearness::SameMachine
    } else if is_private(to) {
        Nearness::Private
    } else {
        Nearness::Public
    }
}

/// RFC 1918, RFC 6598, RFC 4193 and link-local addresses.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || a == 100 && (64..128).contains(&b)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vantage_point_is_told() {
        let near = |to: &str, from: &str| nearness(to.parse().unwrap(), from.parse().ok());
        assert_eq!(near("127.0.0.2", "127.0.0.1"), Nearness::Loopback);
        assert_eq!(near("::1", "::1"), Nearness::Loopback);
        assert_eq!(near("::ffff:127.0.0.1", ""), Nearness::Loopback);
        assert_eq!(
            near("93.184.216.34", "93.184.216.34"),
            Nearness::SameMachine
        );
        assert_eq!(near("10.0.0.5", "10.0.0.5"), Nearness::SameMachine);
        assert_eq!(near("10.0.0.5", "10.0.0.6"), Nearness::Private);
        assert_eq!(near("100.64.0.1", ""), Nearness::Private);
        assert_eq!(near("fd00::1", ""), Nearness::Private);
        assert_eq!(near("93.184.216.34", "10.0.0.6"), Nearness::Public);
    }
}
