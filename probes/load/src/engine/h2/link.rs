//! Connections: opened, kept, and opened again when they end.

use std::{io, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task,
};
use tokio_rustls::TlsConnector;

use super::{Desk, Shared, pause};
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
                desk.borrow_mut()
                    .opened(nth, sender, tls, clock::now() - began, before);
                before = true;
                let _ = wire.await;
                desk.borrow_mut().links[nth].sender = None;
            }
            Err(failure) => {
                let wait = desk.borrow_mut().failed(nth, failure);
                pause(wait).await;
            }
        }
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
        self.links[nth] = Link {
            sender: Some(sender),
            failures: 0,
        };
        self.news.notify_one();
    }

    /// Notes a failed attempt; says how long to wait.
    fn failed(&mut self, nth: usize, Failure(kind, said): Failure) -> u64 {
        self.gauges.failed[kind as usize] += 1;
        self.gauges.first_failure.get_or_insert(said);
        self.last_failure = kind;
        let link = &mut self.links[nth];
        link.failures += 1;
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
