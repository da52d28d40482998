//! Asks every server. Knows no thresholds.

use std::{collections::BTreeSet, net::IpAddr, path::Path};

use futures::future::join_all;
use hickory_proto::rr::RecordType;
use readygate_sdk::{Cx, ErrorKind, ProbeError};
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};

use crate::{
    DnsConfig,
    config::RecordConfig,
    lookup::Asker,
    measurement::{Answer, CaaEntry, CaaFacts, Connection, DnsMeasurement, Ended, Lookup, Reach},
    names,
    server::Server,
    wire::Question,
    zone::Reached,
};

/// Look-ups under way at the same time.
const AT_ONCE: usize = 16;
/// Addresses of one record that are connected to.
const MOST_CONNECTIONS: usize = 16;
const RESOLV_CONF: &str = "/etc/resolv.conf";

pub async fn measure(config: &DnsConfig, cx: &Cx) -> Result<DnsMeasurement, ProbeError> {
    let resolvers = resolvers(config, cx).await?;
    let validating = parsed(&config.validating);
    let asker = Asker {
        cx,
        limit: config.query_timeout.0,
    };
    let names: Vec<String> = resolvers.iter().map(Server::to_string).collect();
    cx.progress(&format!("asking {}", names.join(", ")));
    let (mut zones, mut reached) = (Vec::new(), Vec::new());
    let mut asked = Vec::new();
    for zone in &config.zones {
        asked.push(asker.zone(zone, &resolvers, &validating));
    }
    for zone in join_all(asked).await {
        let (facts, servers) = zone?;
        zones.push(facts);
        reached.push(servers);
    }
    let gate = Semaphore::new(AT_ONCE);
    let mut asked = Vec::new();
    for record in &config.records {
        let zone = config.zone_of(&record.name);
        let servers: &[Reached] = zone.map_or(&[], |zone| &reached[zone]);
        asked.push(look_up(record, &resolvers, servers, asker, &gate));
    }
    let records: Result<Vec<_>, _> = join_all(asked).await.into_iter().collect();
    let mut caa = Vec::new();
    for name in config.caa.iter().flat_map(|caa| &caa.names) {
        caa.push(authorities(name, &resolvers, asker).await?);
    }
    Ok(DnsMeasurement {
        measured_at: cx.now(),
        resolvers: names,
        system_resolvers: config.servers.is_empty(),
        records: records?,
        zones,
        caa,
    })
}

fn parsed(list: &[String]) -> Vec<Server> {
    list.iter().filter_map(|text| Server::parse(text)).collect()
}

async fn resolvers(config: &DnsConfig, cx: &Cx) -> Result<Vec<Server>, ProbeError> {
    if !config.servers.is_empty() {
        return Ok(parsed(&config.servers));
    }
    let fail = |kind, message: String| {
        ProbeError::new(kind, RESOLV_CONF, "looking for the resolvers", message)
            .hint("name them: `servers: [\"10.0.0.2\"]`")
    };
    let read = || std::fs::read(Path::new(RESOLV_CONF)).map_err(|e| e.to_string());
    let bytes = cx
        .blocking(RESOLV_CONF, "looking for the resolvers", move || Ok(read()))
        .await?
        .map_err(|e| fail(ErrorKind::NoData, e))?;
    let (parsed, _) = resolv_conf::Config::parse_with_errors(&bytes);
    let servers = parsed.nameservers.iter().map(|ip| Server::udp(ip.into()));
    // As the system does: no more than three, and this machine where none is named.
    let mut servers: Vec<Server> = servers.take(3).collect();
    if servers.is_empty() {
        servers.push(Server::udp(IpAddr::from([127, 0, 0, 1])));
    }
    Ok(servers)
}

/// One record of the config, at every resolver and every name server of its zone.
async fn look_up(
    record: &RecordConfig,
    resolvers: &[Server],
    name_servers: &[Reached],
    asker: Asker<'_>,
    gate: &Semaphore,
) -> Result<Lookup, ProbeError> {
    let name = names::parse(&record.name).unwrap_or_default();
    let kind = names::wire_type(record.kind);
    let recursive = Question::new(name.clone(), kind, true);
    let direct = Question::new(name.clone(), kind, false);
    let alias = Question::new(name.clone(), RecordType::CNAME, false);
    let mut asked = Vec::new();
    for &server in resolvers {
        asked.push(one(asker, server, &recursive, None, gate));
    }
    for reached in name_servers {
        let alias = (kind != RecordType::CNAME).then_some(&alias);
        asked.push(one(asker, reached.server, &direct, alias, gate));
    }
    let all: Result<Vec<Answer>, ProbeError> = join_all(asked).await.into_iter().collect();
    let mut answers = all?;
    let mut authoritative = answers.split_off(resolvers.len());
    for (answer, reached) in authoritative.iter_mut().zip(name_servers) {
        if reached.name != answer.server {
            answer.server = format!("{} ({})", reached.name, answer.server);
        }
    }
    let connections = match record.connect {
        Some(port) => connect(&answers, port, asker).await?,
        None => Vec::new(),
    };
    Ok(Lookup {
        name: names::shown(&name),
        kind: record.kind,
        answers,
        authoritative,
        connections,
    })
}

async fn one(
    asker: Asker<'_>,
    server: Server,
    question: &Question,
    alias: Option<&Question>,
    gate: &Semaphore,
) -> Result<Answer, ProbeError> {
    let _turn = gate.acquire().await;
    let mut answer = asker.look_up(server, question).await?;
    if let Some(alias) = alias
        && answer.ended == Ended::Answer
        && answer.chain.is_empty()
    {
        // The name has records of its own; an alias must not stand beside them.
        let beside = asker.look_up(server, alias).await?;
        answer.beside_alias |= beside.ended == Ended::Answer;
    }
    Ok(answer)
}

/// Connects to every address of the answers.
async fn connect(
    answers: &[Answer],
    port: u16,
    asker: Asker<'_>,
) -> Result<Vec<Connection>, ProbeError> {
    let addresses: BTreeSet<IpAddr> = answers
        .iter()
        .flat_map(|answer| &answer.records)
        .filter_map(|record| record.parse().ok())
        .collect();
    let mut tries = Vec::new();
    for ip in addresses.into_iter().take(MOST_CONNECTIONS) {
        tries.push(reach(ip, port, asker));
    }
    join_all(tries).await.into_iter().collect()
}

async fn reach(ip: IpAddr, port: u16, asker: Asker<'_>) -> Result<Connection, ProbeError> {
    let subject = ip.to_string();
    let work = timeout(asker.limit, TcpStream::connect((ip, port)));
    let connected = asker.cx.within(&subject, "connecting", work).await?;
    let ended = match connected {
        Err(_) => Reach::Timeout,
        Ok(Ok(_)) => Reach::Connected,
        Ok(Err(error)) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Reach::Refused,
            std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::AddrNotAvailable => {
                Reach::NoRoute
            }
            _ => Reach::Unreachable,
        },
    };
    Ok(Connection {
        address: subject,
        port,
        ended,
    })
}

/// Looks for CAA records from the name upwards, RFC 8659 section 3.
async fn authorities(
    text: &str,
    resolvers: &[Server],
    asker: Asker<'_>,
) -> Result<CaaFacts, ProbeError> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let mut name = names::parse(bare).unwrap_or_default();
    let mut facts = CaaFacts {
        name: text.to_lowercase(),
        found_at: None,
        records: Vec::new(),
        trouble: None,
    };
    while !name.is_root() {
        let question = Question::new(name.clone(), RecordType::CAA, true);
        let (answer, _) = asker.first_told(resolvers, &question).await?;
        match answer.ended {
            Ended::Answer => {
                facts.found_at = Some(names::shown(&name));
                facts.records = answer.records.iter().map(|r| entry(r)).collect();
                return Ok(facts);
            }
            Ended::NoData | Ended::NxDomain => name = name.base_name(),
            _ => {
                let at = names::shown(&name);
                let why = crate::judge::said(&answer);
                facts.trouble = Some(format!("CAA of {at}: {} {why}", answer.server));
                return Ok(facts);
            }
        }
    }
    Ok(facts)
}

/// Takes `0 issue "value"` apart, as `names::data` writes it.
fn entry(text: &str) -> CaaEntry {
    let mut parts = text.splitn(3, ' ');
    let flags: u8 = parts.next().and_then(|f| f.parse().ok()).unwrap_or(0);
    let tag = parts.next().unwrap_or_default().to_owned();
    let value = parts
        .next()
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned();
    CaaEntry {
        critical: flags & 0x80 != 0,
        tag,
        value,
    }
}
