//! Asks a store what it tells a stranger. Nothing is written to it, and no key or document is read.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    config::StoreKind,
    measurement::{StoreAnswer, StoreFacts},
};

/// Bytes read of an answer.
const MOST: usize = 4 * 1024;
/// Characters of an answer that are kept.
const KEPT: usize = 120;

/// The store that usually has this port.
pub(crate) const fn usual(port: u16) -> Option<StoreKind> {
    match port {
        6379 => Some(StoreKind::Redis),
        11211 => Some(StoreKind::Memcached),
        27017 => Some(StoreKind::Mongodb),
        9200 => Some(StoreKind::Elasticsearch),
        _ => None,
    }
}

/// Asks on a connection of its own.
pub(crate) async fn ask(
    address: SocketAddr,
    kind: StoreKind,
    declared: bool,
    limit: Duration,
) -> StoreFacts {
    let mut answer = Vec::new();
    let spoke = timeout(limit, exchange(address, kind, &mut answer)).await;
    let outcome = match (answer.is_empty(), spoke) {
        (false, _) => judge(kind, &answer),
        (true, Ok(Ok(()))) => StoreAnswer::Other,
        (true, _) => StoreAnswer::Silent,
    };
    let said = match outcome {
        StoreAnswer::Served if kind == StoreKind::Mongodb => "the list of its databases".to_owned(),
        StoreAnswer::Other if kind == StoreKind::Mongodb && contains(&answer, EMPTY_LIST) => {
            "an empty list of databases: it has no users yet".to_owned()
        }
        StoreAnswer::Refused | StoreAnswer::Served | StoreAnswer::Other => first_line(&answer),
        StoreAnswer::Silent => String::new(),
    };
    StoreFacts {
        kind,
        declared,
        answer: outcome,
        said,
    }
}

fn contains(answer: &[u8], needle: &[u8]) -> bool {
    answer.windows(needle.len()).any(|window| window == needle)
}

fn first_line(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let line = text.lines().next().unwrap_or_default();
    let clean = line.chars().map(|c| if c.is_control() { '.' } else { c });
    clean.take(KEPT).collect()
}

async fn exchange(
    address: SocketAddr,
    kind: StoreKind,
    answer: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&question(kind, address)).await?;
    let mut piece = [0; 1024];
    while answer.len() < MOST && !complete(kind, answer) {
        match stream.read(&mut piece).await? {
            0 => break,
            n => answer.extend_from_slice(&piece[..n]),
        }
    }
    Ok(())
}

fn question(kind: StoreKind, address: SocketAddr) -> Vec<u8> {
    match kind {
        StoreKind::Redis => b"*1\r\n$4\r\nPING\r\n".to_vec(),
        StoreKind::Memcached => b"version\r\n".to_vec(),
        StoreKind::Elasticsearch => {
            format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").into_bytes()
        }
        StoreKind::Mongodb => list_databases(),
    }
}

/// Whether enough has come to tell.
fn complete(kind: StoreKind, answer: &[u8]) -> bool {
    match kind {
        StoreKind::Redis | StoreKind::Memcached => answer.contains(&b'\n'),
        StoreKind::Mongodb => answer
            .first_chunk::<4>()
            .is_some_and(|length| answer.len() as u64 >= u64::from(u32::from_le_bytes(*length))),
        StoreKind::Elasticsearch => false,
    }
}

fn judge(kind: StoreKind, answer: &[u8]) -> StoreAnswer {
    let text = String::from_utf8_lossy(answer);
    match kind {
        StoreKind::Redis if text.starts_with("+PONG") => StoreAnswer::Served,
        StoreKind::Redis
            if [
                "-NOAUTH",
                "-DENIED",
                "-NOPERM",
                "-WRONGPASS",
                "-ERR operation not permitted",
            ]
            .iter()
            .any(|lead| text.starts_with(lead)) =>
        {
            StoreAnswer::Refused
        }
        // LOADING, BUSY, MASTERDOWN, MISCONF: it listens to strangers, and is not well besides.
        StoreKind::Redis
            if ["-LOADING", "-BUSY", "-MASTERDOWN", "-MISCONF"]
                .iter()
                .any(|lead| text.starts_with(lead)) =>
        {
            StoreAnswer::Served
        }
        StoreKind::Memcached if text.starts_with("VERSION ") => StoreAnswer::Served,
        StoreKind::Memcached if text.starts_with("CLIENT_ERROR unauthenticated") => {
            StoreAnswer::Refused
        }
        StoreKind::Elasticsearch => http(&text),
        StoreKind::Mongodb => mongodb(answer),
        _ => StoreAnswer::Other,
    }
}

fn http(text: &str) -> StoreAnswer {
    let status = text
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse::<u16>().ok());
    let of_store = text.contains("\"cluster_name\"") || text.contains("\"tagline\"");
    match status {
        Some(200) if of_store => StoreAnswer::Served,
        Some(401 | 403) => StoreAnswer::Refused,
        _ => StoreAnswer::Other,
    }
}

/// `{ listDatabases: 1, nameOnly: true, $db: "admin" }` as an OP_MSG.
fn list_databases() -> Vec<u8> {
    let mut document = Vec::new();
    document.extend(b"\x10listDatabases\0\x01\0\0\0");
    document.extend(b"\x08nameOnly\0\x01");
    document.extend(b"\x02$db\0\x06\0\0\0admin\0\0");
    let length = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    let document = [&length(document.len() + 4)[..], &document].concat();
    let body = [&[0, 0, 0, 0, 0][..], &document].concat();
    // Length, request id, response to, opcode 2013.
    let mut message = length(body.len() + 16).to_vec();
    message.extend(1_u32.to_le_bytes());
    message.extend(0_u32.to_le_bytes());
    message.extend(2013_u32.to_le_bytes());
    message.extend(body);
    message
}

/// `databases: []`. A server without access control has at least one, `local`. With access control
/// and no user yet, it answers so over loopback (the localhost exception), and refuses others.
const EMPTY_LIST: &[u8] = b"\x04databases\0\x05\0\0\0\0";

/// Looks for the fields of the reply without reading all of its BSON.
fn mongodb(answer: &[u8]) -> StoreAnswer {
    let has = |needle: &[u8]| contains(answer, needle);
    let is_message = answer
        .get(12..16)
        .is_some_and(|opcode| opcode == 2013_u32.to_le_bytes());
    if !is_message || has(EMPTY_LIST) {
        StoreAnswer::Other
    } else if has(b"\x04databases\0") {
        StoreAnswer::Served
    } else if has(b"\x10code\0\x0d\0\0\0") || has(b"\x10code\0\x12\0\0\0") || has(b"authentication")
    {
        StoreAnswer::Refused
    } else {
        StoreAnswer::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        use StoreAnswer::{Other, Refused, Served};
        for (kind, answer, expected) in [
            (StoreKind::Redis, &b"+PONG\r\n"[..], Served),
            (
                StoreKind::Redis,
                b"-NOAUTH Authentication required.\r\n",
                Refused,
            ),
            (
                StoreKind::Redis,
                b"-DENIED Redis is running in protected mode\r\n",
                Refused,
            ),
            (StoreKind::Redis, b"-LOADING Redis is loading\r\n", Served),
            (StoreKind::Redis, b"\x15\x03\x01\0\x02\x02\x46", Other),
            (StoreKind::Redis, b"SSH-2.0-OpenSSH\r\n", Other),
            (StoreKind::Memcached, b"VERSION 1.6.18\r\n", Served),
            (
                StoreKind::Memcached,
                b"CLIENT_ERROR unauthenticated\r\n",
                Refused,
            ),
            (StoreKind::Memcached, b"ERROR\r\n", Other),
            (
                StoreKind::Elasticsearch,
                b"HTTP/1.1 200 OK\r\n\r\n{\"cluster_name\": \"x\"}",
                Served,
            ),
            (
                StoreKind::Elasticsearch,
                b"HTTP/1.1 401 Unauthorized\r\n\r\n",
                Refused,
            ),
            (
                StoreKind::Elasticsearch,
                b"HTTP/1.1 200 OK\r\n\r\n<html>",
                Other,
            ),
            (
                StoreKind::Mongodb,
                b"HTTP/1.0 200 OK\r\n\r\nIt looks like",
                Other,
            ),
        ] {
            assert_eq!(judge(kind, answer), expected, "{}", first_line(answer));
        }
        let message = |tail: &[u8]| [&[0; 12][..], &2013_u32.to_le_bytes(), tail].concat();
        assert_eq!(mongodb(&message(b"...\x04databases\0...")), Served);
        assert_eq!(mongodb(&message(b"..\x10code\0\x0d\0\0\0..")), Refused);
        assert_eq!(mongodb(&message(b"nothing")), Other);
        assert_eq!(
            mongodb(&message(b"..\x04databases\0\x05\0\0\0\0\x01ok\0")),
            Other
        );
    }

    #[test]
    fn the_question_to_mongodb_is_framed() {
        let message = list_databases();
        assert_eq!(message.len(), usize::from(message[0]));
        assert_eq!(message[20 + 1], u8::try_from(message.len() - 21).unwrap());
    }
}
