//! What no server should send.

use serde_json::json;

use super::{
    Row,
    Verdict::{Fail, Unmeasured},
    row, shown,
};
use crate::{
    canned::{self, Act},
    pki::{Identity, Pki},
};

pub async fn bad_input(pki: &Pki) -> Vec<Row> {
    let good = pki.good();
    let mut broken = good.clone();
    broken.chain[0].truncate(200);
    let mut lower = good.clone();
    lower.chain[1] = vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff];
    let copies = std::iter::repeat_n(good.chain[1].clone(), 199);
    let long = Identity {
        chain: std::iter::once(good.chain[0].clone())
            .chain(copies)
            .collect(),
        ..good.clone()
    };
    let mut junk = good.clone();
    junk.chain[0] = vec![0xff; 3000];
    vec![
        row(
            "chain of 200 certificates",
            Fail,
            "tls/chain-oversized",
            json!({}),
            shown(pki, &long).await,
        ),
        row(
            "leaf cut off",
            Fail,
            "tls/unreadable-certificate",
            json!({}),
            shown(pki, &broken).await,
        ),
        row(
            "leaf is junk",
            Fail,
            "tls/unreadable-certificate",
            json!({}),
            shown(pki, &junk).await,
        ),
        row(
            "intermediate is broken DER",
            Fail,
            "tls/unreadable-certificate",
            json!({}),
            shown(pki, &lower).await,
        ),
    ]
}

pub async fn no_tls() -> Vec<Row> {
    let http = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec();
    let mut rows = vec![row(
        "hang",
        Unmeasured,
        "timeout",
        json!({}),
        canned::silent(),
    )];
    for (fixture, act, cause) in [
        ("plain-http", Act::Say(http), "protocol"),
        (
            "ssh",
            Act::Say(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "protocol",
        ),
        ("reset", Act::Reset { after_hello: false }, "connect"),
        (
            "reset after the hello",
            Act::Reset { after_hello: true },
            "connect",
        ),
        ("close after the hello", Act::Close, "protocol"),
        (
            "alert to everything",
            Act::Say(vec![21, 3, 3, 0, 2, 2, 80]),
            "protocol",
        ),
        ("10 MB of junk", Act::Flood(vec![0xa5; 65_536]), "protocol"),
        (
            "10 MB of TLS records",
            Act::Flood([&[22, 3, 3, 0x40, 0][..], &[0; 0x4000]].concat()),
            "protocol",
        ),
        (
            "half a record",
            Act::Say(vec![22, 3, 3, 0x40, 0, 2, 0]),
            "protocol",
        ),
    ] {
        rows.push(row(
            fixture,
            Unmeasured,
            cause,
            json!({}),
            canned::serve(act).await,
        ));
    }
    rows
}
