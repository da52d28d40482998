//! One question to one server: UDP, and TCP where the answer does not fit (RFC 1035, RFC 7766).

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Message, MessageType, Query},
    rr::{Name, RecordType},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout_at},
};

use crate::server::Server;

/// What avoids fragments on all common networks; the default of resolvers since the DNS flag day
/// of 2020.
const PAYLOAD: u16 = 1232;
/// Datagrams looked at for one question; a flood of wrong ones ends it.
const MOST_DATAGRAMS: u32 = 64;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub name: Name,
    pub kind: RecordType,
    /// The server is to ask others.
    pub recurse: bool,
    /// Wants to know whether the answer was validated (AD, RFC 6840 section 5.7).
    pub validate: bool,
    /// Wants the answer although its validation fails (CD).
    pub unchecked: bool,
}

impl Question {
    pub fn new(name: Name, kind: RecordType, recurse: bool) -> Self {
        Self {
            name,
            kind,
            recurse,
            validate: false,
            unchecked: false,
        }
    }

    fn message(&self) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = self.recurse;
        message.metadata.authentic_data = self.validate;
        message.metadata.checking_disabled = self.unchecked;
        message.add_query(Query::query(self.name.clone(), self.kind));
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD).set_version(0);
        edns.set_dnssec_ok(self.validate);
        message.set_edns(edns);
        message
    }
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing came.
    Silent,
    /// The machine or port cannot be reached: why.
    Unreachable(String),
    /// This machine has no way to such addresses.
    NoRoute(String),
    /// Something came that is no answer: what.
    Broken(String),
}

/// Asks by UDP, and by TCP where the server or a truncated answer wants it.
pub(crate) async fn ask(
    server: Server,
    question: &Question,
    limit: Duration,
) -> Result<Message, Trouble> {
    let until = Instant::now() + limit;
    if !server.tcp {
        let message = ask_udp(server.address, question, until, limit / 2).await?;
        if !message.metadata.truncation {
            return Ok(message);
        }
    }
    ask_tcp(server.address, question, until).await
}

/// Asks by UDP only; the answer may be truncated.
async fn ask_udp(
    server: SocketAddr,
    question: &Question,
    until: Instant,
    repeat: Duration,
) -> Result<Message, Trouble> {
    let local: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(local).await.map_err(|e| unreachable(&e))?;
    // A connected socket takes datagrams of this peer only, and hears that its port is closed.
    socket.connect(server).await.map_err(|e| unreachable(&e))?;
    let query = question.message();
    let bytes = query
        .to_vec()
        .map_err(|e| Trouble::Broken(format!("the question cannot be written: {e}")))?;
    let mut strange: Option<String> = None;
    let mut buffer = vec![0; 65_535];
    let mut datagrams = 0;
    let mut pause = (Instant::now() + repeat).min(until);
    socket.send(&bytes).await.map_err(|e| unreachable(&e))?;
    let mut repeated = false;
    while datagrams < MOST_DATAGRAMS {
        match timeout_at(pause, socket.recv(&mut buffer)).await {
            Err(_) if !repeated => {
                repeated = true;
                pause = until;
                socket.send(&bytes).await.map_err(|e| unreachable(&e))?;
            }
            Err(_) => break,
            Ok(Err(error)) => return Err(unreachable(&error)),
            Ok(Ok(length)) => match accept(&buffer[..length], &query) {
                Ok(message) => return Ok(message),
                // It may be forged: go on listening for the right one.
                Err(why) => strange = Some(why),
            },
        }
        datagrams += 1;
    }
    Err(strange.map_or(Trouble::Silent, Trouble::Broken))
}

/// Asks by TCP only.
pub(crate) async fn ask_tcp(
    server: SocketAddr,
    question: &Question,
    until: Instant,
) -> Result<Message, Trouble> {
    let query = question.message();
    let bytes = query
        .to_vec()
        .map_err(|e| Trouble::Broken(format!("the question cannot be written: {e}")))?;
    match timeout_at(until, exchange_tcp(server, &bytes)).await {
        Err(_) => Err(Trouble::Silent),
        Ok(answer) => {
            let message = accept(&answer?, &query).map_err(Trouble::Broken)?;
            if message.metadata.truncation {
                let why = "the answer is truncated, though it came by TCP";
                return Err(Trouble::Broken(why.to_owned()));
            }
            Ok(message)
        }
    }
}

async fn exchange_tcp(server: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut stream = TcpStream::connect(server)
        .await
        .map_err(|e| unreachable(&e))?;
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let framed = [&length.to_be_bytes(), bytes].concat();
    stream.write_all(&framed).await.map_err(|e| broke(&e))?;
    let mut length = [0; 2];
    stream
        .read_exact(&mut length)
        .await
        .map_err(|e| broke(&e))?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream
        .read_exact(&mut answer)
        .await
        .map_err(|e| broke(&e))?;
    Ok(answer)
}

/// Whether bytes answer a query; the error says why not.
fn accept(bytes: &[u8], query: &Message) -> Result<Message, String> {
    let message =
        Message::from_vec(bytes).map_err(|e| format!("the answer is not a DNS message: {e}"))?;
    if message.metadata.id != query.metadata.id {
        return Err("the answer has another id than the question".to_owned());
    }
    if message.metadata.message_type != MessageType::Response {
        return Err("the answer is a question".to_owned());
    }
    // An error may come without the question (RFC 8020 and common practice for FORMERR).
    let asked = query.queries.first();
    let about = message.queries.first();
    let same = match (asked, about) {
        (Some(asked), Some(about)) => {
            asked.name() == about.name() && asked.query_type() == about.query_type()
        }
        _ => !message
            .metadata
            .response_code
            .eq(&hickory_proto::op::ResponseCode::NoError),
    };
    if same {
        Ok(message)
    } else {
        Err("the answer is to another question".to_owned())
    }
}

fn unreachable(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Trouble::Unreachable("connection refused".to_owned()),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
            Trouble::NoRoute(error.to_string())
        }
        io::ErrorKind::ConnectionReset => Trouble::Broken("the connection was reset".to_owned()),
        _ => Trouble::Unreachable(error.to_string()),
    }
}

fn broke(error: &io::Error) -> Trouble {
    Trouble::Broken(match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        io::ErrorKind::ConnectionReset => "the server reset the connection".to_owned(),
        _ => error.to_string(),
    })
}
