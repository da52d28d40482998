//! Properties of the writer and the parsers: any bytes, no panic, no more memory than allowed.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    Alert, ClientCertificateRequest, Der, Group, Options, Suite, Version,
    bytes::{Cursor, Writer},
    hello::Hello,
    messages::{self, KeyExchange, Ssl2},
    reader::{Event, Fault, Reader},
    reply::{End, Listener, Until, fuzz_entry},
};

const LIMIT: usize = 4096;

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    out.u8(kind).u16(0x0303).vector(2, |p| _ = p.raw(payload));
    out.0
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    out.u8(kind).vector(3, |b| _ = b.raw(body));
    out.0
}

/// All events, or the fault; the bytes arrive in chunks.
fn events(bytes: &[u8], step: usize) -> Result<Vec<Event>, Fault> {
    let mut reader = Reader::new(LIMIT, 4 * LIMIT);
    let mut events = Vec::new();
    for chunk in bytes.chunks(step) {
        reader.push(chunk);
        while let Some(event) = reader.next()? {
            events.push(event);
        }
        assert!(reader.held() <= 4 * LIMIT + step);
    }
    Ok(events)
}

fn hellos() -> impl Strategy<Value = Hello> {
    let groups = vec(select(vec![0x11ec, 0x1d, 0x17, 0x18]), 0..4);
    let names = proptest::option::of("[a-z]{1,20}\\.test");
    let versions = select(Version::ALL[1..].to_vec());
    let suites = vec(1u32..0xffff, 1..200);
    let flags = any::<(bool, bool)>();
    let alpn = vec("[a-z0-9/.]{1,12}", 0..3);
    (versions, suites, names, groups, alpn, flags).prop_map(
        |(version, suites, name, groups, alpn, (compression, fallback))| Hello {
            version,
            suites: suites.into_iter().map(Suite).collect(),
            name,
            groups: groups.into_iter().map(Group).collect(),
            alpn,
            compression,
            fallback,
        },
    )
}

/// The suites and extension numbers of a hello, as a server would read them.
fn as_server_reads(body: &[u8]) -> Option<(u16, Vec<u32>, Vec<u16>)> {
    let mut c = Cursor(body);
    let version = c.u16()?;
    c.take(32)?;
    c.vector(1)?;
    let mut list = c.vector(2)?;
    c.vector(1)?;
    let mut suites = Vec::new();
    while let Some(suite) = list.u16() {
        suites.push(u32::from(suite));
    }
    let mut kinds = Vec::new();
    if !c.is_empty() {
        let mut extensions = c.vector(2)?;
        while !extensions.is_empty() {
            kinds.push(extensions.u16()?);
            extensions.vector(2)?;
        }
    }
    c.is_empty().then_some((version, suites, kinds))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..600)) {
        fuzz_entry(&bytes);
        _ = messages::server_hello(&bytes);
        _ = messages::certificates(&bytes);
        _ = messages::staple(&bytes);
        _ = messages::certificate_request(Version::Tls12, &bytes);
        _ = messages::key_exchange(Suite(0x9e), &bytes);
        _ = messages::key_exchange(Suite(0xc02f), &bytes);
        _ = messages::ssl2(&bytes);
    }

    #[test]
    fn any_messages_are_survived(
        mode in any::<u8>(),
        parts in vec((0u8..24, vec(any::<u8>(), 0..80)), 0..12),
    ) {
        let mut bytes = vec![mode];
        for (kind, body) in &parts {
            bytes.extend(record(22, &message(*kind, body)));
        }
        fuzz_entry(&bytes);
    }

    #[test]
    fn what_is_written_is_read(hello in hellos(), step in 1usize..50) {
        let read = events(&hello.encode(), step).unwrap();
        let [Event::Message { kind: 1, body }] = &read[..] else {
            panic!("{read:?}");
        };
        let (version, suites, kinds) = as_server_reads(body).expect("it ends where it says");
        prop_assert_eq!(version, hello.version.number().min(0x0303));
        let offered: Vec<_> = hello.suites.iter().map(|s| s.0).collect();
        prop_assert_eq!(&suites[..offered.len()], &offered[..]);
        prop_assert_eq!(suites.contains(&0x5600), hello.fallback || offered.contains(&0x5600));
        prop_assert_eq!(kinds.contains(&0), hello.name.is_some() && hello.version > Version::Ssl3);
        prop_assert_eq!(kinds.contains(&43), hello.version == Version::Tls13);
        prop_assert_eq!(kinds.is_empty(), hello.version == Version::Ssl3);
    }

    #[test]
    fn fragments_and_shared_records_make_no_difference(
        bodies in vec((1u8..24, vec(any::<u8>(), 0..60)), 1..8),
        size in 1usize..70,
        step in 1usize..70,
    ) {
        let all: Vec<u8> = bodies.iter().flat_map(|(k, b)| message(*k, b)).collect();
        let wire: Vec<u8> = all.chunks(size).flat_map(|part| record(22, part)).collect();
        prop_assume!(wire.len() <= LIMIT);
        let expected: Vec<_> = bodies
            .into_iter()
            .map(|(kind, body)| Event::Message { kind, body })
            .collect();
        prop_assert_eq!(events(&wire, step), Ok(expected));
    }

    #[test]
    fn certificates_come_back(chain in vec(vec(any::<u8>(), 1..90), 0..9)) {
        let mut body = Writer::default();
        body.vector(3, |list| {
            for der in &chain {
                list.vector(3, |d| _ = d.raw(der));
            }
        });
        let expected: Vec<_> = chain.into_iter().map(Der).collect();
        prop_assert_eq!(messages::certificates(&body.0), Ok(expected));
    }
}

#[test]
fn alerts_in_the_middle_and_in_pieces() {
    let part = &message(2, &[0; 40])[..20];
    let cut = [record(22, part), record(21, &[2]), record(21, &[40])].concat();
    let (fatal, alert) = (true, Alert(40));
    assert_eq!(events(&cut, 3), Ok(vec![Event::Alert { fatal, alert }]));
}

#[test]
fn lies_are_told_at_once() {
    let lie = record(22, &[2, 0xff, 0xff, 0xff]);
    assert_eq!(events(&lie, 1), Err(Fault::TooLong));
    let long = [22, 3, 3, 0xff, 0xff];
    assert!(matches!(events(&long, 5), Err(Fault::Malformed(_))));
    assert_eq!(events(b"HTTP/1.1", 8), Err(Fault::NotTls));
    let empties = [22, 3, 3, 0, 0].repeat(LIMIT);
    assert_eq!(events(&empties, 64), Err(Fault::TooLong));
    let after = [record(20, &[1]), b"HTTP/".to_vec()].concat();
    assert!(matches!(events(&after, 64), Err(Fault::Malformed(_))));
}

#[test]
fn key_exchanges() {
    let dhe = |prime: &[u8]| {
        let mut body = Writer::default();
        body.vector(2, |p| _ = p.raw(prime));
        body.vector(2, |g| _ = g.u8(2)).vector(2, |y| _ = y.u8(5));
        messages::key_exchange(Suite(0x9e), &body.0).unwrap()
    };
    let mut prime = vec![0xff; 128];
    assert_eq!(dhe(&prime), Some(KeyExchange::FiniteField(1024)));
    prime[0] = 1;
    assert_eq!(dhe(&prime), Some(KeyExchange::FiniteField(1017)));
    // A leading zero does not make it longer.
    let padded = [vec![0; 128], vec![0xff; 128]].concat();
    assert_eq!(dhe(&padded), Some(KeyExchange::FiniteField(1024)));
    assert_eq!(dhe(&[0, 0]), Some(KeyExchange::FiniteField(0)));
    let curve = messages::key_exchange(Suite(0xc02f), &[3, 0, 0x1d, 0]);
    assert_eq!(curve, Ok(Some(KeyExchange::Curve(Group::X25519))));
}

#[test]
fn certificate_requests_by_version() {
    let names = [0, 5, 0, 3, 1, 2, 3];
    let new = [&[1, 1, 0, 2, 4, 3], &names[..]].concat();
    let old = [&[1, 1], &names[..]].concat();
    let one = Ok(ClientCertificateRequest { authorities: 1 });
    assert_eq!(messages::certificate_request(Version::Tls12, &new), one);
    assert_eq!(messages::certificate_request(Version::Tls10, &old), one);
}

#[test]
fn an_error_of_ssl2_is_no_refusal() {
    assert_eq!(
        messages::ssl2(&[0x80, 3, 0, 0, 1]),
        Ok(Some(Ssl2::Error(1)))
    );
    let mut listener = Listener::new(Version::Ssl2, Until::Hello, &Options::default());
    let end = listener.feed(&[0x80, 3, 0, 0, 1]);
    assert!(matches!(end, Some(End::Malformed(_))));
    // In the same dialogue a TLS alert is an alert.
    let mut listener = Listener::new(Version::Ssl2, Until::Hello, &Options::default());
    assert_eq!(listener.feed(&[21, 3, 1]), None);
    let end = listener.feed(&[0, 2, 2, 70]);
    assert_eq!(end, Some(End::Alert(Alert::PROTOCOL_VERSION)));
}

#[test]
fn a_warning_and_a_close_may_be_a_refusal_and_a_reset_never() {
    let end = |code: u8, last: End| {
        let mut listener = Listener::new(Version::Tls12, Until::Hello, &Options::default());
        assert_eq!(listener.feed(&record(21, &[1, code])), None);
        listener.finish(last).end
    };
    assert_eq!(end(40, End::Closed), End::Alert(Alert(40)));
    assert_eq!(end(112, End::Closed), End::Closed);
    assert_eq!(end(40, End::Reset), End::Reset);
    assert_eq!(end(40, End::Silent), End::Silent);
}
