//! A server that does exactly what a script says, over TCP or TLS.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// One step of a script. After the last one the connection is closed in order.
#[derive(Clone)]
pub enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends them one at a time, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Sends this piece until the peer has enough.
    Forever(Vec<u8>),
    /// Waits for the peer to go.
    Hang,
    /// Ends the connection with a TCP reset.
    Reset,
}

/// Sends these bytes.
pub fn send(text: impl AsRef<[u8]>) -> Act {
    Act::Send(text.as_ref().to_vec())
}

/// A whole response with a `Content-Length`.
pub fn respond(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    vec![send([head.as_bytes(), body].concat())]
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `GET /path HTTP/1.1`.
    pub line: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As long as `Content-Length` says.
    pub body: Vec<u8>,
}

type Script = dyn Fn(&Seen) -> Vec<Act> + Send + Sync;

/// Listens on a free loopback port until the test ends.
#[derive(Clone)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    sent: Arc<AtomicU64>,
}

impl Server {
    /// Answers each request as the script says.
    pub async fn start(script: impl Fn(&Seen) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::listen(Some(Arc::new(script)), Vec::new(), None).await
    }

    /// The same over TLS.
    pub async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(&Seen) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(Arc::new(script)), Vec::new(), Some(tls)).await
    }

    /// Acts on every connection without reading a request.
    pub async fn rude(acts: Vec<Act>) -> Self {
        Self::listen(None, acts, None).await
    }

    /// Gives the same answer to everything.
    pub async fn always(acts: Vec<Act>) -> Self {
        Self::start(move |_| acts.clone()).await
    }

    async fn listen(script: Option<Arc<Script>>, rude: Vec<Act>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
            seen: Arc::default(),
            sent: Arc::default(),
        };
        let shared = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, script) = (shared.clone(), script.clone());
                let (rude, tls) = (rude.clone(), tls.clone());
                // Errors are the peer's business: half of these tests want them.
                tokio::spawn(async move {
                    let _ = server.serve(stream, script, rude, tls).await;
                });
            }
        });
        server
    }

    async fn serve(
        &self,
        mut stream: TcpStream,
        script: Option<Arc<Script>>,
        rude: Vec<Act>,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<()> {
        let Some(script) = script else {
            let reset = self.act(&mut stream, rude).await?;
            return finish(&stream, reset);
        };
        if let Some(tls) = tls {
            let mut stream = tls.accept(stream).await?;
            let seen = self.receive(&mut stream).await?;
            self.act(&mut stream, script(&seen)).await?;
            return stream.shutdown().await;
        }
        let seen = self.receive(&mut stream).await?;
        let reset = self.act(&mut stream, script(&seen)).await?;
        finish(&stream, reset)
    }

    async fn receive(&self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Seen> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).await?;
            bytes.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&bytes);
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let headers: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").and_then(|l| l.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        let seen = Seen {
            line,
            headers,
            body,
        };
        self.seen.lock().unwrap().push(seen.clone());
        Ok(seen)
    }

    /// Returns whether the connection is to be reset.
    async fn act<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        acts: Vec<Act>,
    ) -> io::Result<bool> {
        for act in acts {
            match act {
                Act::Send(bytes) => self.write(stream, &bytes).await?,
                Act::Drip(bytes, pause) => {
                    for byte in bytes {
                        tokio::time::sleep(pause).await;
                        self.write(stream, &[byte]).await?;
                    }
                }
                Act::Forever(piece) => loop {
                    self.write(stream, &piece).await?;
                },
                Act::Hang => while stream.read(&mut [0; 512]).await? > 0 {},
                Act::Reset => return Ok(true),
            }
        }
        Ok(false)
    }

    async fn write(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await?;
        stream.flush().await?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A URL on this server.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// A URL on this server under another name.
    pub fn url_as(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.port())
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Bytes that left so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

fn finish(stream: &TcpStream, reset: bool) -> io::Result<()> {
    if reset {
        stream.set_zero_linger()?;
    }
    Ok(())
}

/// A port that nobody listens on.
pub async fn closed_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    listener.local_addr().unwrap().port()
}
