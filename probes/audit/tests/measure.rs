//! `measure` against peers on loopback that answer, say nothing, or never end.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{net::SocketAddr, time::Duration};

use readygate_audit::{Audit, AuditConfig, AuditMeasurement};
use readygate_sdk::{ErrorKind, Probe as _, ProbeError, testkit};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

async fn measure(address: SocketAddr, timeout: Duration) -> Result<AuditMeasurement, ProbeError> {
    let with = json!({"address": address.to_string()});
    let config: AuditConfig = serde_json::from_value(with).unwrap();
    Audit::validate(&config).unwrap();
    Audit::measure(&config, &testkit::cx(timeout)).await
}

/// A peer that says `answer` to the first who connects, and closes.
async fn peer(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(answer).await.unwrap();
    });
    address
}

#[tokio::test]
async fn an_answer_is_recorded_and_survives_json() {
    let address = peer(b"hello").await;
    let measured = measure(address, Duration::from_secs(10)).await.unwrap();
    assert_eq!((measured.bytes, measured.answer.as_str()), (5, "hello"));
    let json = serde_json::to_string(&measured).unwrap();
    let read: AuditMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, measured);
}

#[tokio::test]
async fn silence_is_no_data() {
    let error = measure(peer(b"").await, Duration::from_secs(10))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoData);
}

#[tokio::test]
async fn a_peer_that_never_answers_is_a_timeout() {
    let hole = testkit::BlackHole::start().unwrap();
    let error = measure(hole.address(), Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
}
