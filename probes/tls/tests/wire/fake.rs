//! A server without cryptography: it reads a hello, follows its policy, and has one fault.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(crate) const PROTOCOL_VERSION: u8 = 70;
pub(crate) const HANDSHAKE_FAILURE: u8 = 40;

/// What it does besides being a server.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    /// Says nothing, ever, after so many bytes of the answer.
    HangAfter(usize),
    /// Hangs up in good order after so many bytes.
    CloseAfter(usize),
    /// Resets after so many bytes.
    ResetAfter(usize),
    /// Every byte is a record of its own, and a segment of its own.
    ByteByByte,
    /// Sends this instead, before reading anything.
    Greet(Vec<u8>),
    /// Sends this instead, so many times.
    Flood(Vec<u8>, usize),
}

/// The policy. The defaults are a good TLS 1.2 server.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    pub versions: Vec<u16>,
    pub suites: Vec<u16>,
    pub groups: Vec<u16>,
    pub renegotiation: bool,
    pub extended_master_secret: bool,
    pub compression: bool,
    pub dh_bytes: usize,
    pub chain: usize,
    pub staple: bool,
    pub postgres: Option<u8>,
    /// Picks this suite, offered or not.
    pub insist: Option<u16>,
    /// The alert for ALPN.
    pub alpn_alert: Option<u8>,
    pub fault: Fault,
    /// Only hellos of these versions meet the fault; empty for all of them.
    pub fault_for: Vec<u16>,
    /// Only connections from this one on meet it, counted from 0.
    pub fault_from: usize,
    /// And up to but without this one.
    pub fault_until: usize,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            versions: vec![0x0303],
            suites: vec![0xc02f],
            groups: vec![],
            renegotiation: true,
            extended_master_secret: true,
            compression: false,
            dh_bytes: 256,
            chain: 1,
            staple: false,
            postgres: None,
            insist: None,
            alpn_alert: None,
            fault: Fault::None,
            fault_for: vec![],
            fault_from: 0,
            fault_until: usize::MAX,
        }
    }
}

/// A hello, as far as the policy looks at it.
#[derive(Debug, Default)]
struct Hello {
    version: u16,
    suites: Vec<u16>,
    fallback: bool,
    deflate: bool,
    groups: Vec<u16>,
    alpn: bool,
}

impl Fake {
    pub(crate) fn with_fault(fault: Fault) -> Self {
        Self {
            fault,
            ..Self::default()
        }
    }

    /// Starts it; it ends with the test.
    pub(crate) async fn start(self) -> SocketAddr {
        self.start_counted().await.0
    }

    /// Also counts the bytes that were sent.
    pub(crate) async fn start_counted(self) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let (fake, counter) = (Arc::new(self), Arc::clone(&sent));
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let (fake, counter) = (Arc::clone(&fake), Arc::clone(&counter));
                tokio::spawn(async move { fake.serve(stream, number, &counter).await });
            }
        });
        (address, sent)
    }

    async fn serve(&self, mut stream: TcpStream, number: usize, sent: &AtomicUsize) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let in_turn = (self.fault_from..self.fault_until).contains(&number);
        if let (Fault::Greet(bytes), true) = (&self.fault, in_turn) {
            stream.write_all(bytes).await.ok()?;
            return hang(stream).await;
        }
        if let Some(answer) = self.postgres {
            stream.read_exact(&mut [0; 8]).await.ok()?;
            stream.write_all(&[answer]).await.ok()?;
        }
        let hello = read_hello(&mut stream).await?;
        let hit = self.fault_for.is_empty() || self.fault_for.contains(&hello.version);
        let answer = self.answer(&hello);
        if !(in_turn && hit) {
            return stream.write_all(&answer).await.ok();
        }
        let cut = |n: usize| &answer[..n.min(answer.len())];
        match &self.fault {
            Fault::None => stream.write_all(&answer).await.ok(),
            Fault::HangAfter(n) => {
                stream.write_all(cut(*n)).await.ok()?;
                hang(stream).await
            }
            Fault::CloseAfter(n) => stream.write_all(cut(*n)).await.ok(),
            Fault::ResetAfter(n) => {
                stream.write_all(cut(*n)).await.ok()?;
                stream.set_zero_linger().ok()
            }
            Fault::ByteByByte => {
                for record in singles(&answer) {
                    for byte in record {
                        stream.write_all(&[byte]).await.ok()?;
                    }
                }
                hang(stream).await
            }
            Fault::Greet(_) => None,
            Fault::Flood(bytes, times) => {
                for _ in 0..*times {
                    stream.write_all(bytes).await.ok()?;
                    sent.fetch_add(bytes.len(), Ordering::Relaxed);
                }
                hang(stream).await
            }
        }
    }

    /// The whole flight, or an alert.
    fn answer(&self, hello: &Hello) -> Vec<u8> {
        // SSLv2 is spoken to those who speak it.
        let speaks = |v: &&u16| **v <= hello.version && (**v == 2) == (hello.version == 2);
        let Some(&version) = self.versions.iter().filter(speaks).max() else {
            return alert(PROTOCOL_VERSION);
        };
        if version == 2 {
            return ssl2_hello();
        }
        if hello.fallback && self.versions.iter().any(|v| *v > hello.version) {
            return alert(86);
        }
        if let (Some(code), true) = (self.alpn_alert, hello.alpn) {
            return alert(code);
        }
        if version == 0x0304 {
            let group = self.groups.iter().find(|g| hello.groups.contains(g));
            return group.map_or_else(|| alert(HANDSHAKE_FAILURE), |g| retry(*g));
        }
        let shared = self.suites.iter().find(|s| hello.suites.contains(s));
        match self.insist.or(shared.copied()) {
            Some(suite) => self.flight(hello, version, suite),
            None => alert(HANDSHAKE_FAILURE),
        }
    }

    fn flight(&self, hello: &Hello, version: u16, suite: u16) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(u8::from(self.compression && hello.deflate));
        let mut extensions = Vec::new();
        if self.renegotiation {
            extensions.extend([0xff, 1, 0, 1, 0]);
        }
        if self.extended_master_secret {
            extensions.extend([0, 23, 0, 0]);
        }
        if version > 0x0300 {
            body.extend(prefixed(2, &extensions));
        }
        let mut messages = vec![message(2, &body)];
        let certificate = prefixed(3, &[0x30; 700]);
        messages.push(message(11, &prefixed(3, &certificate.repeat(self.chain))));
        if self.staple {
            let mut status = vec![1];
            status.extend(prefixed(3, b"a staple"));
            messages.push(message(22, &status));
        }
        if matches!(suite, 0x9e | 0x33) {
            let mut prime = vec![0xff; self.dh_bytes];
            prime[0] = 0x80;
            let mut exchange = prefixed(2, &prime);
            exchange.extend(prefixed(2, &[2]));
            exchange.extend(prefixed(2, &prime));
            messages.push(message(12, &exchange));
        } else if suite >> 8 == 0xc0 {
            messages.push(message(12, &[3, 0, 0x17, 1, 4, 0, 0]));
        }
        messages.push(message(14, &[]));
        // A record for each, or several for a long one.
        let one = |m: &Vec<u8>| records(22, m, 16_000);
        messages.iter().flat_map(one).collect()
    }
}

async fn hang(stream: TcpStream) -> Option<()> {
    tokio::time::sleep(Duration::from_secs(60)).await;
    drop(stream);
    None
}

/// The first record, or SSLv2 message.
async fn read_hello(stream: &mut TcpStream) -> Option<Hello> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.ok()?;
    if head[0] & 0x80 != 0 {
        let length = usize::from(head[0] & 0x7f) << 8 | usize::from(head[1]);
        let mut rest = vec![0; length - 3];
        stream.read_exact(&mut rest).await.ok()?;
        return Some(Hello {
            version: 2,
            ..Hello::default()
        });
    }
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    parse(&body[4..])
}

fn number(bytes: &mut &[u8], width: usize) -> Option<usize> {
    let head = bytes.split_off(..width)?;
    Some(head.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
}

fn vector<'a>(bytes: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let length = number(bytes, width)?;
    bytes.split_off(..length)
}

fn pairs(bytes: &[u8]) -> Vec<u16> {
    let pair = |p: &[u8]| u16::from_be_bytes([p[0], p[1]]);
    bytes.chunks_exact(2).map(pair).collect()
}

fn parse(mut body: &[u8]) -> Option<Hello> {
    let mut hello = Hello {
        version: u16::try_from(number(&mut body, 2)?).ok()?,
        ..Hello::default()
    };
    body.split_off(..32)?;
    vector(&mut body, 1)?;
    hello.suites = pairs(vector(&mut body, 2)?);
    hello.fallback = hello.suites.contains(&0x5600);
    hello.deflate = vector(&mut body, 1)?.contains(&1);
    let mut extensions = vector(&mut body, 2).unwrap_or_default();
    while !extensions.is_empty() {
        let kind = number(&mut extensions, 2)?;
        let data = vector(&mut extensions, 2)?;
        match kind {
            10 => hello.groups = pairs(&data[2..]),
            16 => hello.alpn = true,
            43 => hello.version = 0x0304,
            _ => (),
        }
    }
    assert!(body.is_empty(), "bytes after the extensions");
    Some(hello)
}

fn prefixed(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - width..], bytes].concat()
}

pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], prefixed(3, body)].concat()
}

pub(crate) fn records(kind: u8, bytes: &[u8], size: usize) -> Vec<u8> {
    let one = |part: &[u8]| [vec![kind, 3, 3], prefixed(2, part)].concat();
    bytes.chunks(size).flat_map(one).collect()
}

pub(crate) fn alert(code: u8) -> Vec<u8> {
    records(21, &[2, code], 2)
}

/// The same handshake bytes with one byte in each record.
fn singles(answer: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut out) = (answer, Vec::new());
    while let Some(head) = rest.split_off(..5) {
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        let payload = rest.split_off(..length).unwrap();
        out.extend(payload.iter().map(|b| records(head[0], &[*b], 1)));
    }
    out
}

/// HelloRetryRequest that names a group.
fn retry(group: u16) -> Vec<u8> {
    let random = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
        0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
        0x33, 0x9c,
    ];
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend([0, 0x13, 1, 0]);
    let mut extensions = vec![0, 43, 0, 2, 3, 4, 0, 51, 0, 2];
    extensions.extend(group.to_be_bytes());
    body.extend(prefixed(2, &extensions));
    records(22, &message(2, &body), 16_000)
}

fn ssl2_hello() -> Vec<u8> {
    let mut body = vec![4, 0, 1, 0, 2, 0, 3, 0, 3, 0, 16];
    body.extend([0x30, 1, 0]);
    body.extend([1, 0, 0x80]);
    body.extend([9; 16]);
    let length = 0x8000 | u16::try_from(body.len()).unwrap();
    [length.to_be_bytes().to_vec(), body].concat()
}
