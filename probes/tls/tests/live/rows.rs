//! The fixtures, one fault each.

use rcgen::{DistinguishedName, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use crate::{
    canned::{self, Act, Legacy},
    common::Verdict,
    openssl::{self, GOOD},
    pki::{self, DAY, Identity, Pki, below, leaf, leaf_for, valid},
    server::{Behaviour, Mtls, Server, serve, serve_on},
    staple::{Says, response},
};

/// One line of the matrix.
pub struct Row {
    pub fixture: &'static str,
    pub wanted: Verdict,
    /// The rule that must say so; the kind of error where nothing can be told.
    pub cause: &'static str,
    pub with: Value,
    pub servers: Vec<Server>,
    pub addresses: Vec<&'static str>,
}

fn row(
    fixture: &'static str,
    wanted: Verdict,
    cause: &'static str,
    with: Value,
    server: Server,
) -> Row {
    Row {
        fixture,
        wanted,
        cause,
        with,
        servers: vec![server],
        addresses: vec!["127.0.0.1"],
    }
}

use Verdict::{Fail, Pass, Unmeasured, Warn};

pub async fn all(pki: &Pki) -> Vec<Row> {
    let mut rows = good(pki).await;
    rows.extend(dates(pki).await);
    rows.extend(trust(pki).await);
    rows.extend(names(pki).await);
    rows.extend(revocation(pki).await);
    rows.extend(with_openssl(pki).await);
    rows.extend(legacy(pki).await);
    rows.extend(clients(pki).await);
    rows.extend(stores(pki).await);
    rows.extend(several(pki).await);
    rows.extend(bad_input(pki).await);
    rows.extend(no_tls().await);
    rows
}

async fn shown(pki: &Pki, identity: &Identity) -> Server {
    serve(pki, identity, Behaviour::default()).await
}

async fn good(pki: &Pki) -> Vec<Row> {
    let identity = pki.good();
    let with = |b: Behaviour| serve(pki, &identity, b);
    let only12 = Behaviour {
        versions: vec![&TLS12],
        ..Behaviour::default()
    };
    let only13 = Behaviour {
        versions: vec![&TLS13],
        ..Behaviour::default()
    };
    let named = Behaviour {
        needs_name: true,
        ..Behaviour::default()
    };
    let silent = Behaviour {
        no_sessions: true,
        ..Behaviour::default()
    };
    let classical = Behaviour {
        classical: true,
        ..Behaviour::default()
    };
    let root = identity.clone().with(pki.root.der());
    vec![
        row("good-ec", Pass, "", json!({}), shown(pki, &identity).await),
        row(
            "good-ec, profile intermediate",
            Pass,
            "",
            json!({"profile": "intermediate"}),
            shown(pki, &identity).await,
        ),
        row(
            "good-ec, alpn h2",
            Pass,
            "",
            json!({"alpn": ["h2"]}),
            shown(pki, &identity).await,
        ),
        row(
            "tls12-only",
            Warn,
            "tls/no-tls13",
            json!({}),
            with(only12.clone()).await,
        ),
        row(
            "tls12-only, profile modern",
            Fail,
            "tls/outside-profile",
            json!({"profile": "modern"}),
            with(only12).await,
        ),
        row(
            "tls13-only",
            Pass,
            "",
            json!({"profile": "modern"}),
            with(only13).await,
        ),
        row("sni-required", Pass, "", json!({}), with(named).await),
        row("no-resume", Pass, "", json!({}), with(silent).await),
        row("extra-root", Pass, "", json!({}), shown(pki, &root).await),
        row(
            "pq, profile pq",
            Pass,
            "",
            json!({"profile": "pq"}),
            shown(pki, &identity).await,
        ),
        row(
            "classical",
            Pass,
            "",
            json!({}),
            with(classical.clone()).await,
        ),
        row(
            "classical, profile pq",
            Fail,
            "tls/no-post-quantum",
            json!({"profile": "pq"}),
            with(classical).await,
        ),
        row(
            "no h2, alpn h2",
            Fail,
            "tls/alpn",
            json!({"alpn": ["h2"]}),
            with(Behaviour {
                alpn: vec![b"http/1.1".to_vec()],
                ..Behaviour::default()
            })
            .await,
        ),
    ]
}

async fn dates(pki: &Pki) -> Vec<Row> {
    let of = |from, to| pki.issue(&valid(leaf(), from, to));
    let old = below(
        valid(pki::authority("Expired Intermediate"), -200, -1),
        &pki.root,
    );
    let expired_above = pki.issue_by(&leaf(), &old).with(old.der());
    let public = || json!({"public_rules": true});
    let mut rows = Vec::new();
    for (fixture, from, to, wanted, cause, with) in [
        ("expired", -100, -1, Fail, "tls/expired", json!({})),
        ("not-yet-valid", 1, 90, Fail, "tls/not-yet-valid", json!({})),
        ("exp-1d", -89, 1, Fail, "tls/expires-soon", json!({})),
        ("exp-10d", -80, 10, Warn, "tls/expires-soon", json!({})),
        ("exp-3d of 6", -3, 3, Pass, "", json!({})),
        ("life-250d, own authority", -1, 249, Pass, "", json!({})),
        (
            "life-250d, public rules",
            -1,
            249,
            Fail,
            "tls/validity-too-long",
            public(),
        ),
        (
            "life-398d, public rules",
            -1,
            397,
            Fail,
            "tls/validity-too-long",
            public(),
        ),
        (
            "life-825d, public rules",
            -1,
            824,
            Fail,
            "tls/validity-too-long",
            public(),
        ),
        (
            "until 9999",
            -10,
            2_900_000,
            Warn,
            "tls/validity-too-long",
            json!({}),
        ),
        (
            "1950 to 9999",
            -27_700,
            2_900_000,
            Fail,
            "tls/chain-invalid",
            json!({}),
        ),
        (
            "1950 to 1951",
            -27_700,
            -27_400,
            Fail,
            "tls/expired",
            json!({}),
        ),
    ] {
        rows.push(row(
            fixture,
            wanted,
            cause,
            with,
            shown(pki, &of(from, to)).await,
        ));
    }
    rows.push(row(
        "expired-intermediate",
        Fail,
        "tls/expired",
        json!({}),
        shown(pki, &expired_above).await,
    ));
    rows
}

async fn trust(pki: &Pki) -> Vec<Row> {
    let stranger = below(pki::authority("Stranger Intermediate"), &pki.stranger);
    let foreign = pki.issue_by(&leaf(), &stranger).with(stranger.der());
    let constrained = below(pki::constrained(), &pki.root);
    let constrained = pki.issue_by(&leaf(), &constrained).with(constrained.der());
    let namesake = pki::root("Test Root");
    let forged = below(pki::authority("Test Intermediate"), &namesake);
    let forged = pki.issue_by(&leaf(), &forged).with(forged.der());
    let mut located = leaf();
    located.custom_extensions = vec![pki::issuer_at("http://ca.test/int.crt")];
    let alone = pki.issue_by(&located, &pki.intermediate);
    let good = pki.good();
    let plain = Identity {
        chain: vec![
            good.chain[0].clone(),
            good.chain[0].clone(),
            good.chain[1].clone(),
        ],
        ..good.clone()
    };
    let unrelated = good.clone().with(stranger.der());
    let longer = below(pki::authority("Lower Intermediate"), &pki.intermediate);
    let longer = pki.issue_by(&leaf(), &longer);
    let swapped = longer.clone().with(pki.intermediate.der());
    let lower = below(pki::authority("Lower Intermediate"), &pki.intermediate);
    let leafed = pki.issue_by(&leaf(), &lower);
    let disordered = leafed.with(pki.intermediate.der()).with(lower.der());
    let mut other_key = pki.good();
    other_key.key = KeyPair::generate().unwrap().serialize_der();
    vec![
        row(
            "self-signed",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &Identity::self_signed(&leaf())).await,
        ),
        row(
            "untrusted-root",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &foreign).await,
        ),
        row(
            "untrusted-root, sent along",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &foreign.clone().with(pki.stranger.der())).await,
        ),
        row(
            "namesake of the root",
            Fail,
            "tls/untrusted",
            json!({}),
            shown(pki, &forged).await,
        ),
        row(
            "incomplete-chain",
            Fail,
            "tls/missing-intermediate",
            json!({}),
            shown(pki, &alone).await,
        ),
        row(
            "intermediate of another level",
            Fail,
            "tls/missing-intermediate",
            json!({}),
            shown(pki, &swapped).await,
        ),
        row(
            "nc-violation",
            Fail,
            "tls/chain-invalid",
            json!({}),
            shown(pki, &constrained).await,
        ),
        row(
            "key of another certificate",
            Fail,
            "tls/key-not-proven",
            json!({}),
            shown(pki, &other_key).await,
        ),
        row(
            "dup-cert",
            Warn,
            "tls/chain-extra",
            json!({}),
            shown(pki, &plain).await,
        ),
        row(
            "unrelated-cert",
            Warn,
            "tls/chain-extra",
            json!({}),
            shown(pki, &unrelated).await,
        ),
        row(
            "wrong-order",
            Warn,
            "tls/chain-order",
            json!({}),
            shown(pki, &disordered).await,
        ),
        row(
            "own authority, bundled trust",
            Fail,
            "tls/untrusted",
            json!({"ca": null}),
            shown(pki, &good).await,
        ),
    ]
}

async fn names(pki: &Pki) -> Vec<Row> {
    let mut client = leaf();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut ca = leaf();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let mut nul = leaf_for(&[]);
    let name = "edge.test\0.evil.test".try_into().unwrap();
    nul.subject_alt_names = vec![SanType::DnsName(name)];
    let mut nobody = leaf();
    nobody.distinguished_name = DistinguishedName::new();
    let issue = |params| pki.issue(&params);
    let mut rows = Vec::new();
    for (fixture, identity, wanted, cause) in [
        (
            "wrong-host",
            issue(leaf_for(&["other.test"])),
            Fail,
            "tls/wrong-name",
        ),
        ("no-san", issue(leaf_for(&[])), Fail, "tls/wrong-name"),
        (
            "wild-only",
            issue(leaf_for(&["*.edge.test"])),
            Fail,
            "tls/wrong-name",
        ),
        ("NUL in the name", issue(nul), Fail, "tls/wrong-name"),
        ("empty subject", issue(nobody), Pass, ""),
        ("eku-client", issue(client), Fail, "tls/wrong-purpose"),
        ("leaf-is-ca", issue(ca), Fail, "tls/wrong-purpose"),
    ] {
        rows.push(row(
            fixture,
            wanted,
            cause,
            json!({}),
            shown(pki, &identity).await,
        ));
    }
    let www = json!({"names": ["www.edge.test"]});
    rows.push(row(
        "second name not served",
        Fail,
        "tls/wrong-name",
        www,
        shown(pki, &pki.good()).await,
    ));
    rows
}

async fn revocation(pki: &Pki) -> Vec<Row> {
    let mut demanding = leaf();
    demanding.custom_extensions = vec![pki::must_staple()];
    let says = |revoked, from: i64, to: i64| Says {
        serial: vec![0x11, 0x22, 0x33],
        revoked,
        this_update: pki::now() + DAY * i32::try_from(from).unwrap(),
        next_update: pki::now() + DAY * i32::try_from(to).unwrap(),
    };
    let by = |issuer, says| response(issuer, &says);
    let good = by(&pki.intermediate, says(false, -1, 3));
    let other = by(
        &pki.intermediate,
        Says {
            serial: vec![9],
            ..says(false, -1, 3)
        },
    );
    let stranger = by(&pki.stranger, says(false, -1, 3));
    let mut rows = Vec::new();
    for (fixture, params, staple, wanted, cause) in [
        ("staple-good", leaf(), Some(good.clone()), Pass, ""),
        (
            "staple-revoked",
            leaf(),
            Some(by(&pki.intermediate, says(true, -1, 3))),
            Fail,
            "tls/revoked",
        ),
        (
            "staple-expired",
            leaf(),
            Some(by(&pki.intermediate, says(false, -9, -2))),
            Warn,
            "tls/bad-staple",
        ),
        (
            "staple of another certificate",
            leaf(),
            Some(other),
            Warn,
            "tls/bad-staple",
        ),
        (
            "staple of another authority",
            leaf(),
            Some(stranger),
            Warn,
            "tls/bad-staple",
        ),
        (
            "staple is junk",
            leaf(),
            Some(vec![0x30, 0x82, 0xff, 0xff, 1]),
            Warn,
            "tls/bad-staple",
        ),
        (
            "must-staple, stapled",
            demanding.clone(),
            Some(good),
            Pass,
            "",
        ),
        (
            "must-staple without staple",
            demanding,
            None,
            Fail,
            "tls/must-staple",
        ),
    ] {
        let behaviour = Behaviour {
            staple,
            ..Behaviour::default()
        };
        let server = serve(pki, &pki.issue(&params), behaviour).await;
        rows.push(row(fixture, wanted, cause, json!({}), server));
    }
    rows
}

async fn with_openssl(pki: &Pki) -> Vec<Row> {
    tokio::join!(
        openssl::issue(pki, "rsa", "rsa:2048", "-sha256"),
        openssl::issue(pki, "rsa1024", "rsa:1024", "-sha256"),
        openssl::issue(pki, "sha1", "rsa:2048", "-sha1"),
    );
    // The intermediate is ECDSA, which cannot be combined with MD5: this one is self-signed.
    openssl::md5(pki).await;
    let zero = "@SECLEVEL=0";
    let intermediate = || json!({"profile": "intermediate"});
    let mut rows = Vec::new();
    for (fixture, certificate, args, wanted, cause, with) in [
        ("good-rsa", "rsa", GOOD.to_owned(), Pass, "", json!({})),
        (
            "rsa1024",
            "rsa1024",
            format!("-cipher ECDHE+AESGCM:{zero}"),
            Fail,
            "tls/weak-key",
            json!({}),
        ),
        (
            "sha1",
            "sha1",
            format!("-cipher ECDHE+AESGCM:{zero}"),
            Fail,
            "tls/weak-signature",
            json!({}),
        ),
        (
            "md5",
            "md5",
            format!("-cipher ECDHE+AESGCM:{zero}"),
            Fail,
            "tls/weak-signature",
            json!({}),
        ),
        (
            "tls10-only",
            "rsa",
            format!("-tls1 -cipher ALL:{zero}"),
            Fail,
            "tls/old-version",
            json!({}),
        ),
        (
            "tls11-only",
            "rsa",
            format!("-tls1_1 -cipher ALL:{zero}"),
            Fail,
            "tls/old-version",
            json!({}),
        ),
        (
            "tls10-to-13",
            "rsa",
            format!("-min_protocol TLSv1 -cipher ECDHE+AESGCM:ECDHE+AES:{zero}"),
            Fail,
            "tls/old-version",
            json!({}),
        ),
        (
            "rsa-kx-only",
            "rsa",
            "-tls1_2 -cipher kRSA+AESGCM".to_owned(),
            Fail,
            "tls/static-key-exchange",
            json!({}),
        ),
        (
            "rsa-kx too",
            "rsa",
            "-cipher ECDHE+AESGCM:kRSA+AESGCM".to_owned(),
            Warn,
            "tls/static-key-exchange",
            json!({}),
        ),
        (
            "rsa-kx too, profile intermediate",
            "rsa",
            "-cipher ECDHE+AESGCM:kRSA+AESGCM".to_owned(),
            Fail,
            "tls/static-key-exchange",
            intermediate(),
        ),
        (
            "cbc-only",
            "rsa",
            "-tls1_2 -cipher ECDHE+AES:!AESGCM:!AESCCM".to_owned(),
            Fail,
            "tls/no-modern-cipher",
            json!({}),
        ),
        (
            "cbc too",
            "rsa",
            "-cipher ECDHE+AESGCM:ECDHE+AES".to_owned(),
            Warn,
            "tls/cbc-cipher",
            json!({}),
        ),
        (
            "cbc too, profile intermediate",
            "rsa",
            "-cipher ECDHE+AESGCM:ECDHE+AES".to_owned(),
            Fail,
            "tls/cbc-cipher",
            intermediate(),
        ),
        (
            "null-cipher",
            "rsa",
            format!("-cipher ECDHE+AESGCM:eNULL:{zero}"),
            Fail,
            "tls/broken-cipher",
            json!({}),
        ),
        (
            "anon-cipher",
            "rsa",
            format!("-cipher ECDHE+AESGCM:aNULL:{zero}"),
            Fail,
            "tls/broken-cipher",
            json!({}),
        ),
        (
            "dh1024",
            "rsa",
            format!("-dhparam dh.pem -cipher ECDHE+AESGCM:DHE+AESGCM:{zero}"),
            Fail,
            "tls/short-dh",
            json!({}),
        ),
        (
            "client certificate demanded",
            "rsa",
            format!("{GOOD} -Verify 2 -CAfile root.pem"),
            Fail,
            "tls/client-certificate",
            json!({}),
        ),
        (
            "client certificate demanded, declared",
            "rsa",
            format!("{GOOD} -Verify 2 -CAfile root.pem"),
            Pass,
            "",
            json!({"client_certificate": "required"}),
        ),
        (
            "curves of P-384 only",
            "rsa",
            "-cipher ECDHE+AESGCM -curves P-384".to_owned(),
            Warn,
            "tls/missing-curves",
            json!({}),
        ),
        (
            "curves of P-521 only",
            "rsa",
            "-cipher ECDHE+AESGCM -curves P-521".to_owned(),
            Fail,
            "tls/missing-curves",
            json!({}),
        ),
        (
            "client-reneg",
            "rsa",
            format!("{GOOD} -client_renegotiation"),
            Pass,
            "",
            json!({}),
        ),
    ] {
        rows.push(row(
            fixture,
            wanted,
            cause,
            with,
            openssl::serve(pki, certificate, &args).await,
        ));
    }
    rows
}

async fn legacy(pki: &Pki) -> Vec<Row> {
    let chain = pki.good().chain;
    let mut rows = Vec::new();
    for (fixture, version, suite, compression, cause) in [
        ("sslv3-only", 0x0300, 0x002f, 0, "tls/old-version"),
        ("rc4", 0x0303, 0x0005, 0, "tls/broken-cipher"),
        ("3des", 0x0303, 0x000a, 0, "tls/broken-cipher"),
        ("export", 0x0301, 0x0003, 0, "tls/broken-cipher"),
        ("compress", 0x0303, 0x009c, 1, "tls/compression"),
    ] {
        let act = Act::Legacy(Legacy {
            version,
            suite,
            compression,
            chain: chain.clone(),
        });
        rows.push(row(
            fixture,
            Fail,
            cause,
            json!({}),
            canned::serve(act).await,
        ));
    }
    rows
}

async fn clients(pki: &Pki) -> Vec<Row> {
    let identity = pki.good();
    let mut rows = Vec::new();
    for (fixture, mtls, tls12, declared, wanted, cause) in [
        ("mtls", Some(Mtls::Required), false, "required", Pass, ""),
        (
            "mtls, TLS 1.2",
            Some(Mtls::Required),
            true,
            "required",
            Warn,
            "tls/no-tls13",
        ),
        (
            "mtls, undeclared",
            Some(Mtls::Required),
            false,
            "none",
            Fail,
            "tls/client-certificate",
        ),
        (
            "mtls declared, optional in fact",
            Some(Mtls::Optional),
            false,
            "required",
            Fail,
            "tls/client-certificate",
        ),
        (
            "mtls declared, not asked for",
            None,
            false,
            "required",
            Fail,
            "tls/client-certificate",
        ),
        (
            "client certificate optional",
            Some(Mtls::Optional),
            false,
            "optional",
            Pass,
            "",
        ),
    ] {
        let behaviour = Behaviour {
            client_certificate: mtls,
            versions: if tls12 {
                vec![&TLS12]
            } else {
                vec![&TLS12, &TLS13]
            },
            ..Behaviour::default()
        };
        let server = serve(pki, &identity, behaviour).await;
        rows.push(row(
            fixture,
            wanted,
            cause,
            json!({"client_certificate": declared}),
            server,
        ));
    }
    rows
}

async fn stores(pki: &Pki) -> Vec<Row> {
    let quiet = Behaviour {
        alpn: Vec::new(),
        ..Behaviour::default()
    };
    let pong = canned::serve(Act::Say(b"+PONG\r\n".to_vec())).await;
    vec![
        row(
            "store: redis, TLS only",
            Pass,
            "",
            json!({"store": "redis"}),
            serve(pki, &pki.good(), quiet).await,
        ),
        row(
            "store: redis, plain",
            Fail,
            "tls/plaintext-accepted",
            json!({"store": "redis"}),
            pong,
        ),
    ]
}

/// Two addresses of one name.
async fn several(pki: &Pki) -> Vec<Row> {
    let mut rows = Vec::new();
    let good = pki.good();
    for (fixture, other, wanted, cause) in [
        ("both addresses good", good.clone(), Pass, ""),
        ("addresses differ", pki.good(), Warn, "tls/not-the-same"),
        (
            "one address expired",
            pki.issue(&valid(leaf(), -90, -1)),
            Fail,
            "tls/expired",
        ),
    ] {
        let first = shown(pki, &good).await;
        let at = format!("127.0.0.2:{}", first.address.port());
        let second = serve_on(&at, pki, &other, Behaviour::default()).await;
        rows.push(Row {
            servers: vec![first, second],
            addresses: vec!["127.0.0.1", "127.0.0.2"],
            ..row(fixture, wanted, cause, json!({}), canned::silent())
        });
    }
    let mut one = shown(pki, &good).await;
    let port = one.address.port();
    let dead = Row {
        addresses: vec!["127.0.0.1", "127.0.0.3"],
        ..row(
            "one address refuses",
            Unmeasured,
            "tls/no-answer",
            json!({}),
            canned::silent(),
        )
    };
    one.address.set_port(port);
    rows.push(Row {
        servers: vec![one],
        ..dead
    });
    rows
}

async fn bad_input(pki: &Pki) -> Vec<Row> {
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

async fn no_tls() -> Vec<Row> {
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
