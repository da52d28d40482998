//! Load on targets that do wrong: every fault is named, nothing hangs, and nothing measured is no pass.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::Value;

use tokio::time::Instant;

use crate::support::{Project, Ran, readygate};

/// A run of a second may take so long on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(20);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A server that does the same with each connection, until the tests end.
struct Target {
    address: SocketAddr,
    /// Requests by the address that they came from.
    peers: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Target {
    fn new(serve: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peers = Arc::new(Mutex::new(BTreeMap::new()));
        let (counted, serve) = (Arc::clone(&peers), Arc::new(serve));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (serve, peers) = (Arc::clone(&serve), Arc::clone(&counted));
                let from = socket.peer_addr().map(|address| address.ip());
                thread::spawn(move || {
                    let Ok(from) = from else { return };
                    serve(&mut Peer {
                        socket,
                        from,
                        peers,
                    });
                });
            }
        });
        Self { address, peers }
    }

    /// Answers every request like this.
    fn always(answer: &'static [u8]) -> Self {
        Self::new(move |peer| while peer.request() && peer.send(answer) {})
    }

    /// A gate that sends 50 requests in half a second, each of which finds a connection, and bears any rate
    /// of errors.
    fn gate(&self, more: &str) -> Project {
        self.gate_of(&format!(
            "open: {{ rate: 100/s, connections: 64, for: 500ms }}{more}"
        ))
    }

    fn gate_of(&self, with: &str) -> Project {
        gate(&format!("{{ url: 'http://{}/', {with} }}", self.address))
    }
}

fn gate(with: &str) -> Project {
    let text = format!(
        "version: 1\n\
         target: {{ name: stage, url: 'http://127.0.0.1:1', allow_disruptive: [l] }}\n\
         gates:\n  - id: l\n    probe: load\n    with: {with}\n    expect: {{ error_rate: '<= 100%' }}\n"
    );
    readygate().config(&text).within(LIMIT)
}

/// One connection.
struct Peer {
    socket: TcpStream,
    from: IpAddr,
    peers: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Peer {
    /// Waits for a whole request; whether one came.
    fn request(&mut self) -> bool {
        let (mut text, mut part) = (Vec::new(), [0; 4096]);
        loop {
            match self.socket.read(&mut part) {
                Ok(n @ 1..) => text.extend_from_slice(&part[..n]),
                _ => return false,
            }
            if text.ends_with(b"\r\n\r\n") {
                *self.peers.lock().unwrap().entry(self.from).or_default() += 1;
                return true;
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }
}

/// What a record says that went wrong, by kind.
fn errors(ran: &Ran) -> BTreeMap<String, u64> {
    let gate = ran.gate("l");
    let metrics = gate["metrics"].as_object().unwrap();
    let kinds = metrics.iter().filter_map(|(name, metric)| {
        let kind = name.strip_prefix("errors.")?;
        let n = metric["value"].as_u64().filter(|n| *n > 0)?;
        Some((kind.to_owned(), n))
    });
    kinds.collect()
}

/// Nothing came back: the gate fails, names the kind, and says how many.
#[track_caller]
fn all_fail(ran: &Ran, kind: &str) {
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("all 50 requests failed"),
        "{}",
        ran.stdout
    );
    let errors = errors(ran);
    assert_eq!(errors.get(kind), Some(&50), "{errors:?}");
    assert_eq!(errors.len(), 1, "{errors:?}");
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let begun = Instant::now();
    let ran = gate(&format!(
        "{{ url: 'http://{address}/', open: {{ rate: 100/s, connections: 8, for: 1s }} }}"
    ))
    .run();
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("refused"), "{}", ran.stdout);
    assert!(begun.elapsed() < LIMIT);
}

#[test]
fn it_accepts_and_hangs() {
    let target = Target::new(|peer| {
        peer.request();
        let _ = peer.socket.read(&mut [0; 1]);
    });
    all_fail(&target.gate(", timeout: 300ms").run(), "timeout");
}

#[test]
fn it_resets_midway() {
    let target = Target::new(|peer| {
        if peer.request() {
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
            // What is unread when a socket closes makes the kernel reset the connection.
            socket2::SockRef::from(&peer.socket)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        }
    });
    all_fail(&target.gate("").run(), "reset");
}

#[test]
fn it_closes_midway() {
    let target = Target::new(|peer| {
        if peer.request() {
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
        }
    });
    all_fail(&target.gate("").run(), "closed");
}

#[test]
fn it_always_fails() {
    for status in ["500 Internal Server Error", "404 Not Found", "503 Busy"] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nno");
        let target =
            Target::new(move |peer| while peer.request() && peer.send(answer.as_bytes()) {});
        let ran = target.gate("").run();
        all_fail(&ran, "status");
        let code = &status[..3];
        assert!(
            ran.stdout.contains(&format!("by status: {code} (50)")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn it_speaks_no_http() {
    for answer in [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n",
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\r\n\r\n",
    ] {
        all_fail(&Target::always(answer).gate("").run(), "parse");
    }
}

#[test]
fn its_bodies_never_end() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n",
        "HTTP/1.1 200 OK\r\nserver: x\r\n\r\n",
    ] {
        let target = Target::new(move |peer| {
            let piece = vec![b'x'; 1 << 16];
            if peer.request() && peer.send(head.as_bytes()) {
                for _ in 0..(1 << 30) / piece.len() {
                    if !peer.send(&piece) {
                        return;
                    }
                }
            }
        });
        let ran = target.gate(", max_body: 1MiB").run();
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        let errors = errors(&ran);
        assert!(errors.contains_key("body_too_large"), "{errors:?}");
        let gate = ran.gate("l");
        let memory = gate["metrics"]["client.memory"]["value"].as_u64().unwrap();
        assert!(memory < 200 << 20, "{memory}");
    }
}

#[test]
fn its_heads_never_end() {
    let target = Target::new(|peer| {
        if peer.request() && peer.send(b"HTTP/1.1 200 OK\r\n") {
            while peer
                .send(b"x-more: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
            {
            }
        }
    });
    let ran = target.gate(", timeout: 2s").run();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let errors = errors(&ran);
    // A machine that is busy may not get to the longest head in time.
    let failed: u64 = errors.values().sum();
    assert!(failed == 50 && errors.contains_key("parse"), "{errors:?}");
}

#[test]
fn it_answers_byte_by_byte() {
    let target = Target::new(|peer| {
        let _ = peer.socket.set_nodelay(true);
        while peer.request() {
            for byte in OK {
                if !peer.send(&[*byte]) {
                    return;
                }
            }
        }
    });
    let ran = target.gate(", expect_status: 200").run();
    assert!(errors(&ran).is_empty(), "{:?}", errors(&ran));
    let gate = ran.gate("l");
    assert_eq!(gate["metrics"]["requests"]["value"], 50);
}

#[test]
fn it_closes_after_each_reply() {
    let polite = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    for answer in [
        polite.as_slice(),
        OK,
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    ] {
        let target = Target::new(move |peer| {
            if peer.request() {
                peer.send(answer);
            }
        });
        let project = target.gate_of("open: { rate: 50/s, connections: 64, for: 1s }");
        let ran = project.run();
        let record = ran.gate("l");
        // Each request finds a connection, and each is answered: closing is no error.
        assert!(errors(&ran).is_empty(), "{:?}", errors(&ran));
        let again = record["metrics"]["connections.reopened"]["value"].as_u64();
        assert!(again.is_some_and(|n| n >= 20), "{again:?}");
    }
}

#[test]
fn it_goes_away_midway() {
    let answered = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&answered);
    let target = Target::new(move |peer| {
        while peer.request() && seen.fetch_add(1, Ordering::Relaxed) < 20 && peer.send(OK) {}
    });
    let ran = target.gate("").run();
    let errors = errors(&ran);
    let failed: u64 = errors.values().sum();
    assert!((25..=30).contains(&failed), "{errors:?}");
    assert!(
        ran.stdout.contains("of 50 requests failed"),
        "{}",
        ran.stdout
    );
}

#[test]
fn files_run_out() {
    let target = Target::always(OK);
    let project = target
        .gate_of("open: { rate: 100/s, connections: 200, for: 500ms }, sockets: { processes: 1 }");
    let ran = project.shell("ulimit -n 100; exec $readygate run --report json=run.json");
    assert_ne!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains("file"), "{all}");
}

fn report(ran: &Ran) -> Value {
    ran.gate("l")["measurement"]["engine"]["report"].clone()
}

#[test]
fn two_processes_send_from_several_addresses() {
    let target = Target::always(OK);
    let project = target.gate_of(
        "open: { rate: 200/s, connections: 24, for: 1s }, \
         sockets: { processes: 2, source_ips: [127.0.1.1, 127.0.1.2, 127.0.1.3] }",
    );
    let ran = project.run();
    let report = report(&ran);
    assert_eq!(report["generator"]["processes"], 2, "{}", ran.stdout);
    assert_eq!(report["measured"]["scheduled"], 200);
    assert_eq!(report["measured"]["completed"], 200);
    assert_eq!(report["generator"]["connections"]["ready"], 24);
    let peers = target.peers.lock().unwrap();
    let from: Vec<String> = peers.keys().map(ToString::to_string).collect();
    assert_eq!(from, ["127.0.1.1", "127.0.1.2", "127.0.1.3"]);
    assert_eq!(peers.values().sum::<usize>(), 200, "{peers:?}");
}

#[test]
fn an_interrupt_keeps_what_was_measured() {
    let (sender, requests) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    let target = Target::new(move |peer| {
        while peer.request() && peer.send(OK) {
            let _ = sender.lock().unwrap().send(());
        }
    });
    for processes in [1, 2] {
        let project = target.gate_of(&format!(
            "open: {{ rate: 100/s, connections: 4, for: 60s }}, sockets: {{ processes: {processes} }}"
        ));
        let running = project.start();
        for _ in 0..150 {
            requests.recv_timeout(LIMIT).unwrap();
        }
        let begun = Instant::now();
        running.signal(Signal::SIGINT);
        let ran = running.finish();
        // A second, and what a busy machine adds; a minute was asked for.
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
        let gate = ran.gate("l");
        assert_eq!(gate["outcome"], "unmeasured", "{}", ran.stdout);
        let measured = &report(&ran)["measured"];
        assert!(
            measured["completed"].as_u64().is_some_and(|n| n >= 20),
            "{measured}"
        );
        while requests.try_recv().is_ok() {}
    }
}
