//! Servers of a few bytes: what no library speaks any more, and what is no TLS at all.

use std::time::Duration;

use readygate_sdk::testkit::BlackHole;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::server::{AbortOnDrop, Guard, Server};

/// What a server does with a connection.
#[derive(Clone)]
pub enum Act {
    /// Reads the hello and answers these bytes, whatever was asked.
    Say(Vec<u8>),
    /// Closes with a reset, after having read the hello or before.
    Reset { after_hello: bool },
    /// Closes in good order.
    Close,
    /// Never stops talking.
    Flood(Vec<u8>),
    /// Answers hellos that offer this.
    Legacy(Legacy),
}

/// A server that speaks one version and one suite.
#[derive(Clone)]
pub struct Legacy {
    pub version: u16,
    pub suite: u16,
    pub compression: u8,
    pub chain: Vec<Vec<u8>>,
}

pub async fn serve(act: Act) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let act = act.clone();
            tokio::spawn(async move {
                let _ = perform(stream, act).await;
            });
        }
    });
    Server::new(address, Guard::Task(AbortOnDrop(task)))
}

pub fn silent() -> Server {
    let hole = BlackHole::start().unwrap();
    Server::new(hole.address(), Guard::Hole(hole))
}

async fn perform(mut stream: TcpStream, act: Act) -> std::io::Result<()> {
    if let Act::Reset { after_hello: false } = act {
        return reset(&stream);
    }
    let mut hello = vec![0; 4096];
    let read = stream.read(&mut hello).await?;
    hello.truncate(read);
    match act {
        Act::Say(bytes) => stream.write_all(&bytes).await?,
        Act::Reset { .. } => return reset(&stream),
        Act::Close => {}
        Act::Flood(bytes) => {
            for _ in 0..10 * 1024 * 1024 / bytes.len() {
                stream.write_all(&bytes).await?;
            }
        }
        Act::Legacy(legacy) => {
            stream.write_all(&legacy.answer(&hello)).await?;
            // Let the other side read before the close turns into a reset.
            let _ = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut [0; 1024])).await;
        }
    }
    stream.shutdown().await
}

fn reset(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_zero_linger()
}

fn record(kind: u8, version: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in payload.chunks(16_000) {
        out.push(kind);
        out.extend(version.to_be_bytes());
        out.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
        out.extend(piece);
    }
    out
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind][..], &length[1..], body].concat()
}

impl Legacy {
    fn answer(&self, hello: &[u8]) -> Vec<u8> {
        let Some(compresses) = self.suits(hello) else {
            // handshake_failure
            return record(21, self.version, &[2, 40]);
        };
        let mut server = self.version.to_be_bytes().to_vec();
        server.extend([7; 32]);
        server.push(0);
        server.extend(self.suite.to_be_bytes());
        server.push(if compresses { self.compression } else { 0 });
        if self.version > 0x0300 {
            // renegotiation_info and the extended master secret, so that there is one fault only
            server.extend([0, 9, 0xff, 1, 0, 1, 0, 0, 23, 0, 0]);
        }
        let mut list = Vec::new();
        for der in &self.chain {
            list.extend(&u32::try_from(der.len()).unwrap().to_be_bytes()[1..]);
            list.extend(der);
        }
        let certificates = [
            &u32::try_from(list.len()).unwrap().to_be_bytes()[1..],
            &list,
        ]
        .concat();
        let messages = [
            handshake(2, &server),
            handshake(11, &certificates),
            handshake(14, &[]),
        ];
        record(22, self.version, &messages.concat())
    }

    /// Whether the compression is offered, if version (by its own number) and suite are.
    fn suits(&self, hello: &[u8]) -> Option<bool> {
        let body = hello.get(9..)?;
        let version = u16::from_be_bytes([*body.first()?, *body.get(1)?]);
        let session = usize::from(*body.get(34)?);
        let rest = body.get(35 + session..)?;
        let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
        let suites = rest.get(2..2 + length)?;
        let offered = suites.chunks(2).any(|s| s == self.suite.to_be_bytes());
        let methods = rest.get(2 + length..)?;
        let methods = methods.get(1..=usize::from(*methods.first()?))?;
        let fits = hello.first() == Some(&22) && version >= self.version && offered;
        fits.then(|| methods.contains(&self.compression))
    }
}
