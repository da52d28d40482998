//! An HTTP/1.1 server that answers as a test says.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// What comes back.
pub enum Answer {
    /// Status and body.
    Now(u16, String),
    /// 200, after a while.
    After(Duration),
    /// Nothing.
    Never,
}

impl Answer {
    pub fn ok(body: &str) -> Self {
        Self::Now(200, body.to_owned())
    }

    pub fn status(status: u16) -> Self {
        Self::Now(status, String::new())
    }
}

/// One request.
pub struct Request {
    pub path: String,
    pub headers: String,
    pub body: String,
}

impl Request {
    /// The value of a header, empty without.
    pub fn header(&self, name: &str) -> String {
        let mut lines = self.headers.lines();
        let found = lines.find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }
}

/// A server that ends with its value.
pub struct Server {
    address: SocketAddr,
    count: Arc<AtomicU64>,
    news: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, news) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let answer = Arc::new(answer);
        let (counted, noted) = (Arc::clone(&count), Arc::clone(&news));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, count) = (Arc::clone(&answer), Arc::clone(&counted));
                let news = Arc::clone(&noted);
                tokio::spawn(async move {
                    let _ = serve(socket, &*answer, &count, &news).await;
                });
            }
        });
        Self {
            address,
            count,
            news,
            task,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Waits for so many requests.
    pub async fn asked(&self, n: u64) {
        while self.count() < n {
            let next = self.news.notified();
            let _ = tokio::time::timeout(Duration::from_millis(20), next).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    socket: TcpStream,
    answer: &(impl Fn(&Request) -> Answer + Send + Sync),
    count: &AtomicU64,
    news: &Notify,
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::new(socket);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if socket.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let (line, headers) = head.split_once("\r\n").unwrap_or_default();
        let target = line.split(' ').nth(1).unwrap_or_default();
        let mut request = Request {
            path: target.split('?').next().unwrap_or_default().to_owned(),
            headers: headers.to_owned(),
            body: String::new(),
        };
        let length = request.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await?;
        request.body = String::from_utf8_lossy(&body).into_owned();
        count.fetch_add(1, Ordering::AcqRel);
        news.notify_waiters();
        let (status, body) = match answer(&request) {
            Answer::Now(status, body) => (status, body),
            Answer::After(wait) => {
                tokio::time::sleep(wait).await;
                (200, String::new())
            }
            Answer::Never => std::future::pending().await,
        };
        let text = format!(
            "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(text.as_bytes()).await?;
    }
}
