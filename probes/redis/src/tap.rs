//! A stream that is read up to a limit, and remembers how it began.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that one node may send in one look. The largest answer is CLUSTER NODES, some 150 bytes
/// for every node it knows.
const MOST_BYTES: usize = 16 << 20;
/// How much of the beginning is kept.
const KEPT: usize = 512;

/// What came first on a stream. A server that has no room for another client says so unasked and
/// hangs up, and the client library drops what answers no question.
#[derive(Debug, Clone, Default)]
pub(crate) struct First(Arc<Mutex<Vec<u8>>>);

impl First {
    /// An error reply that came before anything else.
    pub fn error(&self) -> Option<String> {
        let kept = self.0.lock().ok()?;
        let line = kept.strip_prefix(b"-")?;
        let end = line.iter().position(|b| *b == b'\r').unwrap_or(line.len());
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }
}

pub(crate) struct Tap<S> {
    stream: S,
    read: usize,
    first: First,
}

impl<S> Tap<S> {
    pub fn new(stream: S, first: First) -> Self {
        Self {
            stream,
            read: 0,
            first,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read > MOST_BYTES {
            return Poll::Ready(Err(io::Error::other("sent more than 16 MiB")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let new = &buffer.filled()[before..];
        if self.read < KEPT
            && let Ok(mut kept) = self.first.0.lock()
        {
            let room = KEPT - kept.len().min(KEPT);
            kept.extend(new.iter().take(room));
        }
        self.read += new.len();
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
