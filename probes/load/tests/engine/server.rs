//! A server of threads that does what a test asks for.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// A server that ends with its value.
pub struct Server {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Gives every connection, with its number, to `handle` on a thread of its own.
    pub fn start(handle: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let (count, ended) = (Arc::clone(&connections), Arc::clone(&over));
        let handle = Arc::new(handle);
        thread::spawn(move || {
            for socket in listener.incoming() {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                let Ok(mut socket) = socket else { return };
                let nth = count.fetch_add(1, Ordering::AcqRel);
                let handle = Arc::clone(&handle);
                thread::spawn(move || {
                    socket.set_nodelay(true).unwrap();
                    handle(&mut socket, nth);
                });
            }
        });
        Self {
            address,
            connections,
            over,
        }
    }

    /// Answers every request with what `answer` gives for its number on the connection.
    pub fn answering(answer: impl Fn(&Request, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |socket, _| {
            let mut nth = 0;
            while let Some(request) = Request::read(socket) {
                if socket.write_all(&answer(&request, nth)).is_err() {
                    return;
                }
                nth += 1;
            }
        })
    }

    pub fn url(&self) -> url::Url {
        format!("http://{}/", self.address).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

/// A request.
#[derive(Debug, Default)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The next one; nothing at the end.
    pub fn read(socket: &mut impl Read) -> Option<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if socket.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let mut request = Self {
            line: lines.next().unwrap().to_owned(),
            ..Self::default()
        };
        for line in lines.filter(|l| !l.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            request
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = request
            .header("content-length")
            .and_then(|v| v.parse().ok())
            .unwrap_or(0);
        request.body = vec![0; length];
        socket.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// A plain response.
pub fn ok(body: &str) -> Vec<u8> {
    response("200 OK", body)
}

/// A response with this status.
pub fn response(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
