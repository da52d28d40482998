//! What servers can be like.

#![expect(clippy::too_many_lines, reason = "each function is a table")]

use rustls::version::{TLS12, TLS13};
use serde_json::json;

use super::{
    Row,
    Verdict::{Fail, Pass, Warn},
    row,
};
use crate::{
    canned::{self, Act, Legacy},
    openssl::{self, GOOD},
    pki::Pki,
    server::{Behaviour, Mtls, serve},
};

pub async fn with_openssl(pki: &Pki) -> Vec<Row> {
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

pub async fn legacy(pki: &Pki) -> Vec<Row> {
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

pub async fn clients(pki: &Pki) -> Vec<Row> {
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

pub async fn stores(pki: &Pki) -> Vec<Row> {
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
