//! The whole gate against ports of loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::SocketAddr, time::Duration};

use readygate_ports::{Nearness, PortState, Ports, PortsConfig, PortsMeasurement};
use readygate_sdk::{Check, CheckOutcome, Checks, Level, Metrics, Probe as _, testkit};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::Instant,
};

struct Gate {
    measurement: PortsMeasurement,
    metrics: Metrics,
    checks: Vec<Check>,
}

impl Gate {
    async fn run(with: Value) -> Self {
        let config: PortsConfig = serde_json::from_value(with).unwrap();
        Ports::validate(&config).unwrap();
        let cx = testkit::cx(Duration::from_secs(10));
        let measured = Ports::measure(&config, &cx).await.unwrap();
        let json = serde_json::to_string(&measured).unwrap();
        let measurement: PortsMeasurement = serde_json::from_str(&json).unwrap();
        assert_eq!(measurement, measured);
        let mut checks = Checks::new();
        Ports::judge(&config, &measurement, &mut checks);
        Self {
            metrics: Ports::metrics(&measurement),
            checks: checks.into_vec(),
            measurement,
        }
    }

    fn problems(&self) -> Vec<String> {
        let shown = |c: &Check| {
            let how = match (c.outcome, c.level) {
                (CheckOutcome::Passed, _) => return None,
                (CheckOutcome::Unmeasured, Level::Error) => "unmeasured",
                (CheckOutcome::Unmeasured, _) => "unmeasured (warning)",
                (CheckOutcome::Failed, _) => "failed",
            };
            Some(format!("{how} {}", c.rule.trim_start_matches("ports/")))
        };
        self.checks.iter().filter_map(shown).collect()
    }
}

/// Says `answer` to whatever comes.
async fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut question = [0; 1024];
                if stream.read(&mut question).await.unwrap_or(0) > 0 {
                    let _ = stream.write_all(answer).await;
                }
            });
        }
    });
    address
}

async fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn open_and_closed_are_told_apart() {
    let (up, down) = (server(b"").await, closed().await);
    let gate = Gate::run(json!({"open": [up], "closed": [down]})).await;
    assert_eq!(gate.problems(), [""; 0]);
    assert_eq!(gate.metrics.get("open").unwrap().display(), "1");
    assert_eq!(gate.metrics.get("closed").unwrap().display(), "1");
    let facts = &gate.measurement.open[0].addresses[0];
    assert_eq!(facts.vantage, Nearness::Loopback);
    assert_eq!(facts.from.as_deref(), Some("127.0.0.1"));

    let gate = Gate::run(json!({"open": [down]})).await;
    assert_eq!(gate.problems(), ["failed not-open"]);
    assert_eq!(
        gate.measurement.open[0].addresses[0].state,
        PortState::Closed
    );
}

#[tokio::test]
async fn what_listens_on_loopback_says_nothing_of_a_firewall() {
    let up = server(b"").await;
    let gate = Gate::run(json!({"closed": [up]})).await;
    assert_eq!(gate.problems(), ["unmeasured not-closed"]);
    let gate = Gate::run(json!({"closed": [up], "vantage": "here"})).await;
    assert_eq!(gate.problems(), ["failed not-closed"]);
}

/// A listener whose queue is full drops what comes, as a firewall does.
#[tokio::test]
async fn a_port_that_drops_packets_is_filtered() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let _filler = tokio::net::TcpStream::connect(address).await.unwrap();
    let started = Instant::now();
    let with = json!({"closed": [address], "connect_timeout": "200ms"});
    let gate = Gate::run(with.clone()).await;
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(
        gate.measurement.closed[0].addresses[0].state,
        PortState::Filtered
    );
    assert_eq!(gate.problems(), ["unmeasured not-closed"]);
    let mut here = with;
    here["vantage"] = json!("here");
    // Silence alone could be a broken network.
    assert_eq!(
        Gate::run(here.clone()).await.problems(),
        ["unmeasured not-closed"]
    );
    here["controls"] = json!([server(b"").await]);
    here["connect_timeout"] = json!("2s");
    assert_eq!(Gate::run(here).await.problems(), [""; 0]);
    let gate = Gate::run(json!({"open": [address], "connect_timeout": "200ms"})).await;
    assert_eq!(gate.problems(), ["failed not-open"]);
}

#[tokio::test]
async fn names_are_looked_up_and_every_address_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gate = Gate::run(json!({"open": [format!("localhost:{port}")], "family": "ipv4"})).await;
    assert_eq!(gate.problems(), [""; 0]);
    // A label of 64 characters is refused before any name server is asked.
    let nowhere = format!("{}:80", "a".repeat(64));
    let gate = Gate::run(json!({"closed": [nowhere], "open": [format!("127.0.0.1:{port}")]})).await;
    assert_eq!(gate.problems(), ["unmeasured unresolved"]);
    assert!(gate.metrics.get("open").is_none());
}

#[tokio::test]
async fn stores_that_serve_strangers_fail() {
    for (kind, answer, problem) in [
        ("redis", &b"+PONG\r\n"[..], "failed open-store"),
        ("redis", b"-NOAUTH Authentication required.\r\n", ""),
        (
            "redis",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "unmeasured open-store",
        ),
        ("memcached", b"VERSION 1.6\r\n", "failed open-store"),
        (
            "elasticsearch",
            b"HTTP/1.1 200 OK\r\n\r\n{\"cluster_name\":\"a\"}",
            "failed open-store",
        ),
        ("elasticsearch", b"HTTP/1.1 401 Unauthorized\r\n\r\n", ""),
        (
            "mongodb",
            b"\x20\0\0\0\x01\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\x04databases\0",
            "failed open-store",
        ),
        (
            "mongodb",
            b"\x20\0\0\0\x01\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\x10code\0\x0d\0\0\0",
            "",
        ),
        ("redis", b"", "unmeasured open-store"),
    ] {
        let at = server(answer).await;
        let with =
            json!({"open": [at], "stores": [{"at": at, "kind": kind}], "connect_timeout": "2s"});
        let gate = Gate::run(with).await;
        let expected = Vec::from_iter(Some(problem).filter(|p| !p.is_empty()));
        assert_eq!(
            gate.problems(),
            expected,
            "{kind} {}",
            String::from_utf8_lossy(answer)
        );
    }
    let gate = Gate::run(json!({"stores": [{"at": closed().await, "kind": "redis"}]})).await;
    assert_eq!(gate.problems(), ["unmeasured open-store"]);
    let silent = testkit::BlackHole::start().unwrap();
    let with =
        json!({"stores": [{"at": silent.address(), "kind": "redis"}], "connect_timeout": "200ms"});
    assert_eq!(Gate::run(with).await.problems(), ["unmeasured open-store"]);
}

#[tokio::test]
async fn a_thousand_ports_are_looked_at_in_bounded_time() {
    // An address of its own: the ports below may be those of other tests' servers.
    let listener = TcpListener::bind("127.0.0.77:0").await.unwrap();
    let up = listener.local_addr().unwrap();
    let started = Instant::now();
    let range = format!(
        "127.0.0.77:{}-{}",
        up.port().saturating_sub(200).max(1),
        up.port()
    );
    let gate = Gate::run(json!({"closed": [range], "vantage": "here"})).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(gate.problems().contains(&"failed not-closed".to_owned()));
}
