//! Asks the peer. Knows no thresholds.

use readygate_sdk::{Cx, ErrorKind, ProbeError, excerpt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::TlsConfig;

/// Bytes of the answer that are read at most.
const MOST: u64 = 64 * 1024;
/// Characters of the answer that are kept.
const KEPT: usize = 200;

/// What the peer answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsMeasurement {
    /// Host and port, as configured.
    pub address: String,
    /// Bytes of the answer.
    pub bytes: u64,
    /// The beginning of the answer.
    pub answer: String,
}

pub async fn measure(config: &TlsConfig, cx: &Cx) -> Result<TlsMeasurement, ProbeError> {
    let at = config.address.as_str();
    let failed = |kind, phase, e: std::io::Error| ProbeError::new(kind, at, phase, e);
    let phase = "connecting";
    let connected = cx.within(at, phase, TcpStream::connect(at)).await?;
    let mut stream = connected.map_err(|e| failed(ErrorKind::Connect, phase, e))?;
    if let Some(token) = &config.token {
        let line = format!("{}\r\n\r\n", token.expose());
        let phase = "sending the token";
        let sent = cx.within(at, phase, stream.write_all(line.as_bytes()));
        let sent = sent.await?;
        sent.map_err(|e| failed(ErrorKind::Protocol, phase, e))?;
    }
    let mut answer = Vec::new();
    let phase = "reading the answer";
    let mut stream = stream.take(MOST);
    let read = cx
        .within(at, phase, stream.read_to_end(&mut answer))
        .await?;
    read.map_err(|e| failed(ErrorKind::Protocol, phase, e))?;
    if answer.is_empty() {
        let message = "the peer closed the connection and said nothing";
        return Err(ProbeError::new(ErrorKind::NoData, at, phase, message));
    }
    Ok(TlsMeasurement {
        address: at.to_owned(),
        bytes: answer.len() as u64,
        answer: excerpt(&String::from_utf8_lossy(&answer), KEPT),
    })
}
