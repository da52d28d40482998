//! A small HTTP server on loopback, and the way through the probe.

#![expect(dead_code, reason = "each test crate uses a part")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use readygate_audit::{Audit, AuditConfig, AuditMeasurement};
use readygate_sdk::{CheckOutcome, Checks, Cx, Probe as _, ProbeError};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: String,
    body: String,
    cut_off: bool,
}

impl Answer {
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.to_owned(),
            cut_off: false,
        }
    }
    pub fn ok(body: &Value) -> Self {
        Self::text(200, &body.to_string())
    }
    pub fn status(status: u16) -> Self {
        Self::text(status, "{}")
    }
    /// Promises more than it sends.
    pub fn cut_off() -> Self {
        Self {
            cut_off: true,
            ..Self::text(200, "{\"results\": [")
        }
    }
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers = format!("{}{name}: {value}\r\n", self.headers);
        self
    }
}

type Requests = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers each request by a function of its number, path and body.
pub struct Server {
    address: SocketAddr,
    requests: Requests,
}

impl Server {
    pub async fn start(
        answer: impl Fn(usize, &str, &Value) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Requests::default();
        let (answer, noted) = (Arc::new(answer), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                tokio::spawn(async move {
                    let _ = serve(stream, &*answer, &noted).await;
                });
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }
}

/// One request on one connection.
async fn serve(
    stream: TcpStream,
    answer: &(impl Fn(usize, &str, &Value) -> Answer + Send + Sync),
    noted: &Requests,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let number = {
        let mut noted = noted.lock().unwrap();
        noted.push((path.clone(), body.clone()));
        noted.len() - 1
    };
    let answer = answer(number, &path, &body);
    let promised = answer.body.len() + if answer.cut_off { 100 } else { 0 };
    let head = format!(
        "HTTP/1.1 {} Status\r\nContent-Length: {promised}\r\nConnection: close\r\n{}\r\n",
        answer.status, answer.headers
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(answer.body.as_bytes()).await?;
    stream.shutdown().await
}

pub async fn measure(
    with: Value,
    folder: &Path,
    timeout: Duration,
) -> Result<AuditMeasurement, ProbeError> {
    measure_with(with, folder, timeout, BTreeMap::new()).await
}

pub async fn measure_with(
    with: Value,
    folder: &Path,
    timeout: Duration,
    environment: BTreeMap<String, String>,
) -> Result<AuditMeasurement, ProbeError> {
    let config: AuditConfig = serde_json::from_value(with).unwrap();
    Audit::validate(&config).unwrap();
    let cx = Cx::builder(timeout)
        .directory(folder)
        .environment(environment)
        .build();
    let measured = Audit::measure(&config, &cx).await?;
    let json = serde_json::to_string(&measured).unwrap();
    let again: AuditMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(again, measured, "a measurement survives JSON");
    Ok(measured)
}

/// Whether a measurement is judged could-not-tell: a check says so, and no count is given out.
pub fn is_unmeasured(with: Value, measured: &AuditMeasurement) -> bool {
    let config: AuditConfig = serde_json::from_value(with).unwrap();
    let mut checks = Checks::new();
    Audit::judge(&config, measured, &mut checks);
    let told = checks
        .as_slice()
        .iter()
        .any(|check| check.outcome == CheckOutcome::Unmeasured);
    told && Audit::metrics(measured).get("total").is_none()
}
