//! One connection per question.

use std::{io, net::SocketAddr, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Connection, Options, Upgrade, foreign,
    reply::{End, Listener, Reply},
    topic::Question,
};

/// Bytes taken off the socket at a time.
const CHUNK: usize = 16 * 1024;
/// PostgreSQL's SSLRequest: its length and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Connections at a time when a question is asked again: gently, as it may be the rate.
pub const AGAIN: usize = 2;

/// Asks questions of one address.
pub struct Dialer<'a> {
    address: SocketAddr,
    options: &'a Options,
    deadline: Instant,
}

/// A question, and what became of it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub question: Question,
    pub reply: Reply,
    pub attempts: u8,
}

impl<'a> Dialer<'a> {
    pub fn new(address: SocketAddr, options: &'a Options, deadline: Instant) -> Self {
        Self {
            address,
            options,
            deadline,
        }
    }

    /// Asks all of them, some at a time, and those that broke down a second time.
    pub async fn ask(&self, questions: Vec<Question>, log: &mut Vec<Connection>) -> Vec<Asked> {
        let first = self.round(questions, self.options.concurrency, log).await;
        let (broken, mut asked): (Vec<_>, Vec<_>) =
            first.into_iter().partition(|a| a.reply.is_dropped());
        if broken.is_empty() {
            return asked;
        }
        sleep(self.options.retry_pause).await;
        let questions = broken.into_iter().map(|a| a.question).collect();
        for mut again in self.round(questions, AGAIN, log).await {
            again.attempts = 2;
            asked.push(again);
        }
        asked
    }

    /// Asks each of them once.
    pub async fn round(
        &self,
        questions: Vec<Question>,
        concurrency: usize,
        log: &mut Vec<Connection>,
    ) -> Vec<Asked> {
        let places = Semaphore::new(concurrency.max(1));
        let mut pending: FuturesUnordered<_> = questions
            .into_iter()
            .map(|question| async {
                let _place = places.acquire().await;
                let started = Instant::now();
                let reply = self.once(&question).await;
                (question, reply, started.elapsed())
            })
            .collect();
        let mut asked = Vec::new();
        while let Some((question, reply, took)) = pending.next().await {
            log.push(Connection {
                question: question.topic.to_string(),
                outcome: reply.outcome(),
                milliseconds: milliseconds(took),
            });
            asked.push(Asked {
                question,
                reply,
                attempts: 1,
            });
        }
        asked
    }

    async fn once(&self, question: &Question) -> Reply {
        let phase = "connecting";
        if Instant::now() >= self.deadline {
            return Reply::without(phase, End::NotAsked);
        }
        let end = (Instant::now() + self.options.connect_timeout).min(self.deadline);
        let mut stream = match timeout_at(end, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => return Reply::without(phase, End::Connect(describe(&e))),
            Err(_) => {
                let message = "no connection in time".to_owned();
                return Reply::without(phase, End::Connect(message));
            }
        };
        // Small writes that wait for nothing; a failure costs time only.
        _ = stream.set_nodelay(true);
        let end = (Instant::now() + self.options.answer_timeout).min(self.deadline);
        if let Some(reply) = self.upgrade(&mut stream, end).await {
            return reply;
        }
        self.converse(&mut stream, question, end).await
    }

    /// What comes before TLS; the reply if TLS will not come.
    async fn upgrade(&self, stream: &mut TcpStream, end: Instant) -> Option<Reply> {
        if self.options.upgrade == Upgrade::None {
            return None;
        }
        let mut answer = [0; 1];
        let exchange = async {
            stream.write_all(&SSL_REQUEST).await?;
            stream.read_exact(&mut answer).await
        };
        let end = match timeout_at(end, exchange).await {
            Err(_) => End::Silent,
            Ok(Err(e)) => closed_or_reset(&e),
            Ok(Ok(_)) => match answer[0] {
                b'S' => return None,
                b'N' => End::Declined,
                _ => {
                    let (foreign, excerpt) = foreign::recognise(&answer);
                    End::NotTls(foreign, excerpt)
                }
            },
        };
        Some(Reply::without("asking for TLS by SSLRequest", end))
    }

    async fn converse(&self, stream: &mut TcpStream, question: &Question, end: Instant) -> Reply {
        let mut listener = Listener::new(question.hello.version, question.until, self.options);
        let hello = question.hello.encode();
        // A peer that hung up may have said why: of a failed write the read finds out.
        if timeout_at(end, stream.write_all(&hello)).await.is_err() {
            return Reply::without("sending the hello", End::Silent);
        }
        let mut buffer = vec![0; CHUNK];
        loop {
            let over = match timeout_at(end, stream.read(&mut buffer)).await {
                Err(_) => Some(End::Silent),
                Ok(Err(e)) => Some(closed_or_reset(&e)),
                Ok(Ok(0)) => Some(End::Closed),
                Ok(Ok(n)) => listener.feed(&buffer[..n]),
            };
            if let Some(over) = over {
                return listener.finish(over);
            }
        }
    }
}

fn closed_or_reset(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => End::Closed,
        _ => End::Reset,
    }
}

/// The words for a failed connect, without the number of the operating system.
pub fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        _ => error.to_string(),
    }
}

/// To a microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
