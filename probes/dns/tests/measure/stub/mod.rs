//! A name server on loopback, with one fault each.

use std::{net::SocketAddr, sync::Arc};

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CAA, CNAME, MX, NS, SOA, TXT},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

/// What a server does with one question; no bytes is silence.
type Behave = dyn Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync;

/// Listens by UDP and TCP on one port.
pub struct Stub {
    pub address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Stub {
    /// Sends what `behave` makes of each question; the flag says that it came by TCP.
    pub async fn raw(
        behave: impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let behave: Arc<Behave> = Arc::new(behave);
        let (listener, socket) = loop {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            if let Ok(socket) = UdpSocket::bind(address).await {
                break (listener, socket);
            }
        };
        let address = listener.local_addr().unwrap();
        let tasks = vec![
            tokio::spawn(serve_udp(socket, Arc::clone(&behave))),
            tokio::spawn(serve_tcp(listener, behave)),
        ];
        Self { address, tasks }
    }

    /// Answers each question properly, from a zone.
    pub async fn zone(zone: Zone) -> Self {
        Self::raw(move |question, _| vec![zone.answer(question).to_vec().unwrap()]).await
    }

    pub fn text(&self) -> String {
        self.address.to_string()
    }
}

async fn serve_udp(socket: UdpSocket, behave: Arc<Behave>) {
    let mut buffer = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let Ok(question) = Message::from_vec(&buffer[..length]) else {
            continue;
        };
        for answer in behave(&question, false) {
            let _ = socket.send_to(&answer, peer).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, behave: Arc<Behave>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let behave = Arc::clone(&behave);
        tokio::spawn(async move {
            let length = stream.read_u16().await.unwrap_or(0);
            let mut bytes = vec![0; usize::from(length)];
            if stream.read_exact(&mut bytes).await.is_err() {
                return;
            }
            let Ok(question) = Message::from_vec(&bytes) else {
                return;
            };
            let answers = behave(&question, true);
            for answer in &answers {
                let length = u16::try_from(answer.len()).unwrap();
                let _ = stream.write_all(&length.to_be_bytes()).await;
                let _ = stream.write_all(answer).await;
            }
        });
    }
}

/// Records, and how the server is.
#[derive(Clone, Default)]
pub struct Zone {
    pub records: Vec<(String, u32, RData)>,
    /// Sets AA.
    pub authority: bool,
    /// Sets AD when it was asked for.
    pub validates: bool,
    /// Follows aliases itself, as a resolver does.
    pub follows: bool,
    /// Names that get this code.
    pub codes: Vec<(String, ResponseCode)>,
    /// Answers transfers.
    pub transfers: bool,
}

impl Zone {
    pub fn with(mut self, name: &str, data: RData) -> Self {
        self.records.push((name.to_owned(), 300, data));
        self
    }

    pub fn code(mut self, name: &str, code: ResponseCode) -> Self {
        self.codes.push((name.to_owned(), code));
        self
    }

    fn of(&self, name: &Name, kind: RecordType) -> Vec<Record> {
        let found = self.records.iter().map(|(owner, ttl, data)| {
            Record::from_rdata(Name::from_ascii(owner).unwrap(), *ttl, data.clone())
        });
        let mut found: Vec<Record> = found
            .filter(|r| r.name.eq_ignore_root(name) && r.record_type() == kind)
            .collect();
        for record in &mut found {
            record.name.set_fqdn(true);
        }
        found
    }

    pub fn answer(&self, question: &Message) -> Message {
        let mut answer = reply(question);
        answer.metadata.authoritative = self.authority;
        let query = question.queries[0].clone();
        answer.metadata.authentic_data = self.validates && question.metadata.authentic_data;
        let code = self
            .codes
            .iter()
            .find(|(name, _)| Name::from_ascii(name).unwrap().eq_ignore_root(query.name()));
        if let Some((_, code)) = code
            && !question.metadata.checking_disabled
        {
            answer.metadata.response_code = *code;
            return answer;
        }
        if query.query_type() == RecordType::AXFR {
            if self.transfers {
                answer.add_answers(self.of(query.name(), RecordType::SOA));
            } else {
                answer.metadata.response_code = ResponseCode::Refused;
            }
            return answer;
        }
        let mut name = query.name().clone();
        for _ in 0..12 {
            let found = self.of(&name, query.query_type());
            let done = !found.is_empty();
            answer.add_answers(found);
            let aliases = self.of(&name, RecordType::CNAME);
            let Some(alias) = aliases.first().filter(|_| !done) else {
                break;
            };
            answer.add_answer(alias.clone());
            let RData::CNAME(target) = &alias.data else {
                break;
            };
            name = target.0.clone();
            if !self.follows {
                break;
            }
        }
        let exists = self
            .records
            .iter()
            .any(|(owner, ..)| Name::from_ascii(owner).unwrap().eq_ignore_root(&name));
        if !exists && (self.follows || answer.answers.is_empty()) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        answer
    }
}

/// An empty answer to a question.
pub fn reply(question: &Message) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(question.queries[0].clone());
    answer
}

pub fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

pub fn a(text: &str) -> RData {
    RData::A(A(text.parse().unwrap()))
}

pub fn aaaa(text: &str) -> RData {
    RData::AAAA(AAAA(text.parse().unwrap()))
}

pub fn cname(text: &str) -> RData {
    RData::CNAME(CNAME(name(text)))
}

pub fn ns(text: &str) -> RData {
    RData::NS(NS(name(text)))
}

pub fn mx(preference: u16, text: &str) -> RData {
    RData::MX(MX::new(preference, name(text)))
}

pub fn txt(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.to_owned()]))
}

pub fn caa(issuer: &str) -> RData {
    RData::CAA(CAA::new_issue(false, Some(name(issuer)), Vec::new()))
}

pub fn soa(serial: u32) -> RData {
    let (primary, mailbox) = (name("ns1.example.com"), name("root.example.com"));
    RData::SOA(SOA::new(primary, mailbox, serial, 1, 1, 1, 60))
}
