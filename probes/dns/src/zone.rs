//! The authoritative servers of a zone, each asked by itself.

use futures::future::join_all;
use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RData, RecordType},
};
use readygate_sdk::ProbeError;
use tokio::time::Instant;

use crate::{
    config::ZoneConfig,
    lookup::{Asker, blank},
    measurement::{Answer, DnssecFacts, Ended, NameServer, Transfer, ZoneFacts},
    names,
    server::Server,
    wire::{self, Question, Trouble},
};

/// Names of name servers, and addresses of each, that are asked.
const MOST_NAMES: usize = 20;
const MOST_ADDRESSES: usize = 4;

/// One name server that can be asked, and where its facts go.
pub(crate) struct Reached {
    pub server: Server,
    pub name: String,
}

impl Asker<'_> {
    /// The facts of a zone, and its servers that can be asked for more.
    pub async fn zone(
        &self,
        config: &ZoneConfig,
        resolvers: &[Server],
        validating: &[Server],
    ) -> Result<(ZoneFacts, Vec<Reached>), ProbeError> {
        let name = names::parse(&config.name).unwrap_or_default();
        let question = Question::new(name.clone(), RecordType::NS, true);
        let (delegation, resolver) = self.first_told(resolvers, &question).await?;
        let (mut name_servers, mut reached) = if config.name_servers.is_empty() {
            self.delegated(&delegation, resolver).await?
        } else {
            declared(&config.name_servers)
        };
        let mut asked = Vec::new();
        for one in &reached {
            asked.push(self.name_server(one, &name, config.refuse_transfer));
        }
        let asked: Result<Vec<NameServer>, ProbeError> =
            join_all(asked).await.into_iter().collect();
        let asked = asked?;
        // A server that says nothing of the zone is not asked for records.
        let mut is_heard = asked.iter().map(NameServer::is_heard);
        reached.retain(|_| is_heard.next().unwrap_or(false));
        name_servers.extend(asked);
        let mut dnssec = Vec::new();
        if config.dnssec {
            for &server in validating {
                dnssec.push(self.dnssec(server, &name).await?);
            }
        }
        let texts =
            |name: Option<Name>| Question::new(name.unwrap_or_default(), RecordType::TXT, true);
        let spf = if config.spf {
            let question = texts(Some(name.clone()));
            Some(self.first_told(resolvers, &question).await?.0)
        } else {
            None
        };
        let dmarc = if config.dmarc.is_some() {
            let question = texts(names::parse(&format!("_dmarc.{}", names::shown(&name))));
            Some(self.first_told(resolvers, &question).await?.0)
        } else {
            None
        };
        let facts = ZoneFacts {
            name: names::shown(&name),
            delegation,
            name_servers,
            dnssec,
            spf,
            dmarc,
        };
        Ok((facts, reached))
    }

    /// The answer of the first resolver that has one, else the last trouble.
    pub async fn first_told(
        &self,
        resolvers: &[Server],
        question: &Question,
    ) -> Result<(Answer, Option<Server>), ProbeError> {
        let mut last = blank("no resolver");
        for &server in resolvers {
            last = self.look_up(server, question).await?;
            if last.ended.is_told() {
                return Ok((last, Some(server)));
            }
        }
        Ok((last, None))
    }

    /// Looks up the addresses of the servers that NS records name.
    async fn delegated(
        &self,
        delegation: &Answer,
        resolver: Option<Server>,
    ) -> Result<(Vec<NameServer>, Vec<Reached>), ProbeError> {
        let (mut without, mut reached) = (Vec::new(), Vec::new());
        let Some(resolver) = resolver else {
            return Ok((without, reached));
        };
        for name in delegation.records.iter().take(MOST_NAMES) {
            let mut addresses = Vec::new();
            let mut ended = Ended::NoData;
            for kind in [RecordType::A, RecordType::AAAA] {
                let question = Question::new(names::parse(name).unwrap_or_default(), kind, true);
                let answer = self.look_up(resolver, &question).await?;
                addresses.extend(
                    answer
                        .records
                        .iter()
                        .filter_map(|r| r.parse::<std::net::IpAddr>().ok()),
                );
                // A trouble weighs more than a clean negative of the other type.
                if answer.ended != Ended::NoData && answer.ended != Ended::Answer {
                    ended = answer.ended;
                }
            }
            if addresses.is_empty() {
                without.push(NameServer {
                    unresolved: Some(ended),
                    ..bare(name)
                });
            }
            reached.extend(
                addresses
                    .into_iter()
                    .take(MOST_ADDRESSES)
                    .map(|ip| Reached {
                        server: Server::udp(ip),
                        name: name.clone(),
                    }),
            );
        }
        Ok((without, reached))
    }

    async fn name_server(
        &self,
        one: &Reached,
        zone: &Name,
        transfer: bool,
    ) -> Result<NameServer, ProbeError> {
        let soa = Question::new(zone.clone(), RecordType::SOA, false);
        let by = |tcp| Server { tcp, ..one.server };
        let udp = if one.server.tcp {
            None
        } else {
            Some(self.look_up(by(false), &soa).await?)
        };
        let no_route = udp.as_ref().is_some_and(|a| a.ended == Ended::NoRoute);
        let mut facts = NameServer {
            address: Some(one.server.to_string()),
            udp,
            ..bare(&one.name)
        };
        if no_route {
            return Ok(facts);
        }
        facts.tcp = Some(self.look_up(by(true), &soa).await?);
        if !facts.is_heard() {
            facts.transfer = transfer.then(|| Transfer::Untried("it does not answer".to_owned()));
            return Ok(facts);
        }
        let alias = Question::new(zone.clone(), RecordType::CNAME, false);
        let answer = self.look_up(one.server, &alias).await?;
        facts.apex_alias = answer.records.into_iter().next();
        if transfer {
            facts.transfer = Some(self.transfer(one.server, zone).await?);
        }
        Ok(facts)
    }

    /// Asks for the zone, and reads no more than the first message (RFC 5936).
    async fn transfer(&self, server: Server, zone: &Name) -> Result<Transfer, ProbeError> {
        let question = Question::new(zone.clone(), RecordType::AXFR, false);
        let until = Instant::now() + self.limit;
        let work = wire::ask_tcp(server.address, &question, until);
        let subject = server.to_string();
        let answer = self
            .cx
            .within(&subject, "asking for a zone transfer", work)
            .await?;
        Ok(match answer {
            Ok(message) => {
                let mut records = message.answers.iter();
                let begun = records.any(|r| matches!(r.data, RData::SOA(_)));
                match message.metadata.response_code {
                    ResponseCode::NoError if begun => Transfer::Open,
                    ResponseCode::NoError => {
                        Transfer::Untried("the answer holds neither the zone nor a refusal".into())
                    }
                    ResponseCode::ServFail => Transfer::Untried("it answers SERVFAIL".into()),
                    _ => Transfer::Refused,
                }
            }
            Err(Trouble::Broken(why)) if why.contains("closed") || why.contains("reset") => {
                Transfer::Refused
            }
            Err(Trouble::Silent) => Transfer::Untried("it does not answer by TCP in time".into()),
            Err(Trouble::Broken(why) | Trouble::Unreachable(why) | Trouble::NoRoute(why)) => {
                Transfer::Untried(why)
            }
        })
    }

    async fn dnssec(&self, server: Server, zone: &Name) -> Result<DnssecFacts, ProbeError> {
        let ask = |name: &Name, kind| Question {
            validate: true,
            ..Question::new(name.clone(), kind, true)
        };
        let root = self
            .look_up(server, &ask(&Name::root(), RecordType::NS))
            .await?;
        let question = ask(zone, RecordType::SOA);
        let answer = self.look_up(server, &question).await?;
        let unchecked = if answer.ended == Ended::ServFail {
            let question = Question {
                unchecked: true,
                ..question
            };
            Some(self.look_up(server, &question).await?)
        } else {
            None
        };
        Ok(DnssecFacts {
            server: server.to_string(),
            root,
            zone: answer,
            unchecked,
        })
    }
}

fn declared(list: &[String]) -> (Vec<NameServer>, Vec<Reached>) {
    let servers = list.iter().filter_map(|text| Server::parse(text));
    let reached = servers.map(|server| Reached {
        server,
        name: server.to_string(),
    });
    (Vec::new(), reached.collect())
}

fn bare(name: &str) -> NameServer {
    NameServer {
        name: name.to_owned(),
        address: None,
        unresolved: None,
        udp: None,
        tcp: None,
        apex_alias: None,
        transfer: None,
    }
}
