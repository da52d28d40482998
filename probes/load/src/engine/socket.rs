//! Sockets: opening without waiting, and what their errors mean.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustls::ClientConnection;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use super::tally::Kind;

/// Begins to connect. The socket tells by its readiness how that ended.
pub(super) fn dial(to: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(to), kind, Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        // The port is then chosen at connect, where it must be free for this target only.
        // Old kernels, which do not know this, choose it now.
        let _ = setsockopt(&socket, IpBindAddressNoPort, &true);
        socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    }
    match socket.connect(&SockAddr::from(to)) {
        Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// Closes with a reset, so that no port is kept waiting: for connections that are given up.
pub(super) fn abandon(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// The kind of a failure to connect.
pub(super) fn connect_kind(error: &io::Error) -> Kind {
    match error.raw_os_error() {
        Some(nix::libc::EADDRNOTAVAIL) => Kind::PortExhausted,
        Some(nix::libc::EMFILE | nix::libc::ENFILE | nix::libc::ENOBUFS) => Kind::FileLimit,
        _ => Kind::Connect,
    }
}

/// The kind of a failure on an open connection.
pub(super) fn stream_kind(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::InvalidData => Kind::Tls,
        io::ErrorKind::UnexpectedEof => Kind::Closed,
        _ => Kind::Reset,
    }
}

/// Notices whether the last read left the socket empty: it was shorter than what it could take.
struct Watched<'a> {
    socket: &'a TcpStream,
    empty: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.socket.read(buffer)?;
        self.empty = n > 0 && n < buffer.len();
        Ok(n)
    }
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    /// So many bytes; whether the socket may hold more.
    Bytes { n: usize, more: bool },
    /// Nothing now.
    Nothing,
    /// The end of the stream.
    End,
}

/// Reads what there is.
pub(super) fn pull(
    mut socket: &TcpStream,
    tls: Option<&mut ClientConnection>,
    buffer: &mut [u8],
) -> io::Result<Pulled> {
    let Some(tls) = tls else {
        return match socket.read(buffer) {
            Ok(0) => Ok(Pulled::End),
            Ok(n) => Ok(Pulled::Bytes {
                n,
                more: n == buffer.len(),
            }),
            Err(error) => nothing(error),
        };
    };
    let mut watched = Watched {
        socket,
        empty: false,
    };
    loop {
        match tls.reader().read(buffer) {
            // The end without a close_notify: the body's own framing tells whether it is whole.
            Ok(0) => return Ok(Pulled::End),
            Ok(n) => {
                let more = n == buffer.len() || !watched.empty;
                return Ok(Pulled::Bytes { n, more });
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Pulled::End),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if watched.empty => return Ok(Pulled::Nothing),
            Err(_) => {}
        }
        match tls.read_tls(&mut watched) {
            Ok(_) => {}
            Err(error) => return nothing(error),
        }
        tls.process_new_packets()
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        if tls.wants_write() {
            send_tls(socket, tls)?;
        }
    }
}

fn nothing(error: io::Error) -> io::Result<Pulled> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(Pulled::Nothing),
        io::ErrorKind::Interrupted => Ok(Pulled::Bytes { n: 0, more: true }),
        _ => Err(error),
    }
}

/// Sends `bytes` as far as the socket takes them; says how many it did. With TLS they may stay
/// in its buffer: [`send_tls`] says when that is empty.
pub(super) fn push(
    mut socket: &TcpStream,
    tls: Option<&mut ClientConnection>,
    bytes: &[u8],
) -> io::Result<usize> {
    let Some(tls) = tls else {
        return match socket.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other,
        };
    };
    let mut sent = 0;
    loop {
        let n = tls.writer().write(&bytes[sent..])?;
        sent += n;
        if !send_tls(socket, tls)? || n == 0 {
            return Ok(sent);
        }
    }
}

/// Sends what TLS has to send; true when all of it is gone.
pub(super) fn send_tls(mut socket: &TcpStream, tls: &mut ClientConnection) -> io::Result<bool> {
    while tls.wants_write() {
        match tls.write_tls(&mut socket) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Goes on with a handshake; true when it is over.
pub(super) fn shake(mut socket: &TcpStream, tls: &mut ClientConnection) -> io::Result<bool> {
    loop {
        if !send_tls(socket, tls)? {
            return Ok(false);
        }
        if !tls.is_handshaking() {
            return Ok(true);
        }
        match tls.read_tls(&mut socket) {
            Ok(0) => {
                let text = "the connection was closed during the TLS handshake";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
        if let Err(error) = tls.process_new_packets() {
            // The alert tells the server why.
            let _ = send_tls(socket, tls);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
    }
}
