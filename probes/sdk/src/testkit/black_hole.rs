//! A server that accepts and never answers.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Accepts every connection on a free loopback port, reads nothing, answers nothing.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    accepted: Arc<Mutex<Vec<TcpStream>>>,
}

impl BlackHole {
    /// Starts listening.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let held = Arc::clone(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(mut held) = held.lock() {
                    held.push(stream);
                }
            }
        });
        Ok(Self { address, accepted })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it swallowed.
    pub fn accepted(&self) -> usize {
        self.accepted.lock().map_or(0, |held| held.len())
    }
}
