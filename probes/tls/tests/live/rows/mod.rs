//! The fixtures, one fault each.

mod bad;
mod certificates;
mod protocol;

use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use crate::{
    canned,
    common::Verdict,
    pki::{Identity, Pki, leaf, valid},
    server::{Behaviour, Server, serve, serve_on},
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
    rows.extend(certificates::dates(pki).await);
    rows.extend(certificates::trust(pki).await);
    rows.extend(certificates::names(pki).await);
    rows.extend(certificates::revocation(pki).await);
    rows.extend(protocol::with_openssl(pki).await);
    rows.extend(protocol::legacy(pki).await);
    rows.extend(protocol::clients(pki).await);
    rows.extend(protocol::stores(pki).await);
    rows.extend(several(pki).await);
    rows.extend(bad::bad_input(pki).await);
    rows.extend(bad::no_tls().await);
    rows
}

async fn shown(pki: &Pki, identity: &Identity) -> Server {
    serve(pki, identity, Behaviour::default()).await
}

#[expect(clippy::too_many_lines, reason = "a table")]
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
