//! As much of the protocol as tests need.

use std::{fmt::Write as _, io::Read as _, net::TcpStream};

/// Reads replies off a connection.
pub(super) struct Replies {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Replies {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Arrays come back as their elements, one a line.
    pub(super) fn next(&mut self) -> Result<Result<String, String>, String> {
        let line = self.line()?;
        let (kind, rest) = line.split_at(1.min(line.len()));
        match kind {
            "+" | ":" => Ok(Ok(rest.to_owned())),
            "-" => Ok(Err(rest.to_owned())),
            "$" => {
                let Ok(length) = rest.parse::<usize>() else {
                    return Ok(Ok(String::new()));
                };
                let bytes = self.take(length + 2)?;
                Ok(Ok(String::from_utf8_lossy(&bytes[..length]).into_owned()))
            }
            "*" => {
                let mut all = String::new();
                for _ in 0..rest.parse::<usize>().unwrap_or(0) {
                    let element = self.next()?.unwrap_or_else(|e| e);
                    let _ = writeln!(all, "{element}");
                }
                Ok(Ok(all))
            }
            other => Err(format!("not a reply: {other}{rest}")),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill()?;
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, String> {
        while self.buffer.len() < length {
            self.fill()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill(&mut self) -> Result<(), String> {
        let mut chunk = [0; 8_192];
        match self.stream.read(&mut chunk).map_err(|e| e.to_string())? {
            0 => Err("the connection was closed".to_owned()),
            n => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Ok(())
            }
        }
    }
}
