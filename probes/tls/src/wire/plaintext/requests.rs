//! The requests: they change nothing, and need no credentials to be answered.

use std::net::SocketAddr;

use super::Dialect;
use crate::wire::bytes::Writer;

impl Dialect {
    /// The request: it changes nothing, and needs no credentials to be answered.
    pub(super) fn request(self, address: SocketAddr) -> Vec<u8> {
        match self {
            Self::Redis => b"PING\r\n".to_vec(),
            Self::Memcached => b"version\r\n".to_vec(),
            Self::Http => {
                let host = address.to_string();
                format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").into_bytes()
            }
            Self::Mongodb => mongodb_hello(),
            Self::Postgres => postgres_startup(),
        }
    }
}

/// OP_MSG, request 1, one section of kind 0: `{hello: 1, $db: "admin"}`.
fn mongodb_hello() -> Vec<u8> {
    let mut document = Vec::new();
    document.extend_from_slice(b"\x10hello\0\x01\0\0\0");
    document.extend_from_slice(b"\x02$db\0\x06\0\0\0admin\0\0");
    let mut body = vec![0; 5];
    body.extend_from_slice(&length(document.len() + 4));
    body.extend_from_slice(&document);
    let mut message = length(body.len() + 16).to_vec();
    message.extend_from_slice(&1u32.to_le_bytes());
    message.extend_from_slice(&0u32.to_le_bytes());
    message.extend_from_slice(&2013u32.to_le_bytes());
    message.extend_from_slice(&body);
    message
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(0).to_le_bytes()
}

/// StartupMessage 3.0 for a user that need not exist.
fn postgres_startup() -> Vec<u8> {
    let mut message = Writer::default();
    let parameters = b"user\0readygate\0database\0postgres\0\0";
    let length = u32::try_from(parameters.len() + 8).unwrap_or(0);
    message.raw(&length.to_be_bytes()).u16(3).u16(0);
    message.raw(parameters);
    message.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_say_their_own_length() {
        let hello = mongodb_hello();
        assert_eq!(hello[..4], length(hello.len()));
        let startup = postgres_startup();
        assert_eq!(usize::from(startup[3]), startup.len());
    }
}
