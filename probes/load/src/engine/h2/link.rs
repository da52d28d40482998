//! Connections: opened, kept, and opened again when they end.

use std::{
    future::{Future as _, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Reason,
    client::{Builder, Connection, SendRequest},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Notify,
    task,
};
use tokio_rustls::TlsConnector;

use super::{Desk, Shared, pause, stream::kind};
use crate::engine::{
    clock::{self, MILLI, SECOND, nanos},
    socket::{connect_kind, dial},
    tally::{Kind, State, record},
    worker::Job,
};

/// A connection.
#[derive(Default)]
pub(super) struct Link {
    /// Nothing while it is not open.
    pub sender: Option<SendRequest<Bytes>>,
    /// Failed attempts in a row.
    pub failures: u32,
    /// A request was answered on it.
    used: bool,
    /// The target said goodbye before it had answered anything.
    parted: bool,
    /// Tells who waits for it that it is open, or that an attempt failed.
    news: Rc<Notify>,
}

impl Link {
    /// It is of use.
    pub(super) fn answered(&mut self) {
        self.used = true;
        self.parted = false;
        self.failures = 0;
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

type Wire = Connection<Box<dyn Stream>, Bytes>;

/// Why an attempt failed.
struct Failure(Kind, String);

/// Opens all connections, within the rate and with few enough attempts at once.
pub(super) fn open_all(desk: &Shared) {
    let this = desk.borrow();
    let of = this.job.share.of;
    let connect = &this.job.spec.connect;
    let at_once = usize::try_from((connect.in_flight / of).max(1)).unwrap_or(1);
    let gap = connect.rate.map_or(0.0, |rate| f64::from(of) / rate);
    let permits = Rc::new(tokio::sync::Semaphore::new(at_once));
    for nth in 0..this.links.len() {
        let (desk, permits) = (Rc::clone(desk), Rc::clone(&permits));
        task::spawn_local(async move {
            pause(clock::whole(gap * nth as f64 * SECOND as f64)).await;
            keep(desk, nth, &permits).await;
        });
    }
}

/// Keeps a connection open for as long as the worker works.
async fn keep(desk: Shared, nth: usize, permits: &tokio::sync::Semaphore) {
    let mut before = false;
    while desk.borrow().state != State::Done {
        let job = desk.borrow().job.clone();
        let began = clock::now();
        let attempt = async {
            let _permit = permits.acquire().await;
            tokio::time::timeout(job.spec.connect.timeout, open(&job, nth)).await
        };
        let outcome = attempt.await.unwrap_or_else(|_| {
            let seconds = job.spec.connect.timeout.as_secs_f64();
            Err(Failure(
                Kind::Connect,
                format!("no connection within {seconds} s"),
            ))
        });
        match outcome {
            Ok((sender, wire, tls)) => {
                let opened = clock::now();
                let watch = sender.clone();
                desk.borrow_mut()
                    .opened(nth, sender, tls, opened - began, before);
                before = true;
                let why = serve(wire, watch).await;
                let wait = desk.borrow_mut().ended(nth, opened, why.as_ref());
                if wait > 0 {
                    pause(wait).await;
                }
            }
            Err(failure) => {
                let wait = desk.borrow_mut().failed(nth, failure);
                pause(wait).await;
            }
        }
    }
}

/// Works a connection for as long as it takes requests, and tells why it takes no more. A target
/// that says goodbye (GOAWAY) still answers what it has begun (RFC 9113, 6.8); that goes on aside.
async fn serve(mut wire: Wire, mut watch: SendRequest<Bytes>) -> Option<h2::Error> {
    let (over, why) = poll_fn(|cx| {
        let over = Pin::new(&mut wire).poll(cx).is_ready();
        match watch.poll_ready(cx) {
            Poll::Ready(Err(why)) => Poll::Ready((over, Some(why))),
            _ if over => Poll::Ready((over, None)),
            _ => Poll::Pending,
        }
    })
    .await;
    if !over {
        task::spawn_local(wire);
    }
    why
}

/// The target wants no more requests on this connection, and has not begun this one: it may be
/// sent again, whatever it is (RFC 9113, 8.7).
pub(super) fn is_goodbye(error: &h2::Error) -> bool {
    error.is_go_away() && error.is_remote() && error.reason() == Some(Reason::NO_ERROR)
}

/// The connection of a stream, as soon as it is open; nothing where it cannot be opened.
pub(super) async fn sender(desk: &Shared, nth: usize) -> Option<SendRequest<Bytes>> {
    loop {
        let news = {
            let this = desk.borrow();
            let link = &this.links[nth];
            if link.sender.is_some() || link.failures > 0 {
                return link.sender.clone();
            }
            Rc::clone(&link.news)
        };
        news.notified().await;
    }
}

impl Desk {
    fn opened(
        &mut self,
        nth: usize,
        sender: SendRequest<Bytes>,
        tls: Option<String>,
        took: u64,
        again: bool,
    ) {
        record(&mut self.connect_times, took);
        self.gauges.opened += 1;
        self.gauges.reopened += u64::from(again);
        self.gauges.tls = self.gauges.tls.take().or(tls);
        let link = &mut self.links[nth];
        link.sender = Some(sender);
        link.used = false;
        link.news.notify_waiters();
        self.news.notify_one();
    }

    /// The connection takes no more requests. Says how long to wait before it is opened again: not
    /// at all, unless it was of no use.
    fn ended(&mut self, nth: usize, opened: u64, why: Option<&h2::Error>) -> u64 {
        let link = &mut self.links[nth];
        link.sender = None;
        if link.used || clock::now() - opened > SECOND {
            link.failures = 0;
            link.parted = false;
            return 0;
        }
        if why.is_some_and(is_goodbye) && !std::mem::replace(&mut link.parted, true) {
            return 0;
        }
        let kind = why.map_or(Kind::Closed, kind);
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let said = format!("HTTP/2: closed before a request was answered{why}");
        self.failed(nth, Failure(kind, said))
    }

    /// Notes a failed attempt; says how long to wait.
    fn failed(&mut self, nth: usize, Failure(kind, said): Failure) -> u64 {
        self.gauges.failed[kind as usize] += 1;
        self.gauges.first_failure.get_or_insert(said);
        self.last_failure = kind;
        let link = &mut self.links[nth];
        link.failures += 1;
        link.news.notify_waiters();
        let wait = ((5 * MILLI) << link.failures.min(8)).min(SECOND);
        self.news.notify_one();
        wait
    }
}

async fn open(
    job: &Job,
    nth: usize,
) -> Result<(SendRequest<Bytes>, Wire, Option<String>), Failure> {
    let nth = nth * usize::try_from(job.share.of).unwrap_or(1)
        + usize::try_from(job.share.index).unwrap_or(0);
    let to = job.targets[nth % job.targets.len()];
    let sources: Vec<_> = job
        .sources
        .iter()
        .filter(|s| s.is_ipv4() == to.is_ipv4())
        .collect();
    let turn = nth / job.targets.len();
    let source = sources.get(turn.checked_rem(sources.len()).unwrap_or(0));
    let failed = |e: io::Error| Failure(connect_kind(&e), format!("{to}: {e}"));
    let socket = dial(to, source.map(|s| **s))
        .and_then(TcpStream::from_std)
        .map_err(failed)?;
    socket.writable().await.map_err(failed)?;
    if let Some(error) = socket.take_error().map_err(failed)? {
        return Err(failed(error));
    }
    let mut version = None;
    let stream: Box<dyn Stream> = match &job.tls {
        None => Box::new(socket),
        Some(setup) => {
            let connector = TlsConnector::from(Arc::clone(&setup.config));
            let stream = connector.connect(setup.name.clone(), socket).await;
            let host = job.spec.base.host_str().unwrap_or_default();
            let stream = stream.map_err(|e| Failure(Kind::Tls, format!("{host}: TLS: {e}")))?;
            let session = stream.get_ref().1;
            if session.alpn_protocol() != Some(b"h2") {
                let text = format!("{host}: TLS: the target does not offer HTTP/2 (ALPN `h2`)");
                return Err(Failure(Kind::Tls, text));
            }
            let known = session.protocol_version().and_then(|v| v.as_str());
            version = known.map(|v| v.replace('_', "."));
            Box::new(stream)
        }
    };
    let (sender, wire) = Builder::new()
        .enable_push(false)
        .reset_stream_duration(Duration::from_nanos(nanos(job.spec.timeout)))
        .handshake(stream)
        .await
        .map_err(|e| Failure(Kind::Parse, format!("{to}: HTTP/2: {e}")))?;
    Ok((sender, wire, version))
}
