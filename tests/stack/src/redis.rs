//! Redis servers: alone, with replicas, and as a cluster with its own faults.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

mod cluster;
mod reply;

pub use cluster::RedisCluster;
use reply::Replies;

use crate::server::{Launch, RandomSeed, Server, StackError, find_program, folder, now, pause};

const INSTALL: &str = "apt-get install redis-server";
const IO: Duration = Duration::from_secs(5);

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    /// More lines of `redis.conf`: `("requirepass", "secret")`.
    pub settings: Vec<(String, String)>,
    /// Password that the helpers of this module log in with.
    pub password: Option<String>,
    /// TLS in place of plain text: folder with `ca.crt`, `server.crt`, `server.key`.
    pub tls: Option<PathBuf>,
    /// Milliseconds after which nodes of a cluster take each other for dead; 2000 unless given.
    pub node_timeout_ms: Option<u64>,
    /// Loopback address of each node of a cluster; 127.0.0.1 where the list ends.
    pub hosts: Vec<Ipv4Addr>,
}

impl RedisOptions {
    /// With one more line of `redis.conf`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a password for clients and replicas.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.set("requirepass", password)
            .set("masterauth", password)
    }
}

/// One Redis server.
#[derive(Debug)]
pub struct Redis {
    server: Option<Server>,
    launch: Blueprint,
}

#[derive(Debug, Clone)]
struct Blueprint {
    host: Ipv4Addr,
    port: u16,
    bus: Option<u16>,
    options: RedisOptions,
    data: PathBuf,
    program: PathBuf,
}

/// Starts one server that belongs to no cluster.
pub fn redis(options: RedisOptions) -> Result<Redis, StackError> {
    let (port, _) = ports()?;
    let folder = folder("redis")?;
    let mut redis = Redis {
        launch: Blueprint {
            host: Ipv4Addr::LOCALHOST,
            port,
            bus: None,
            options,
            data: folder.keep(),
            program: program()?,
        },
        server: None,
    };
    redis.start()?;
    Ok(redis)
}

fn program() -> Result<PathBuf, StackError> {
    find_program("redis-server").ok_or_else(|| StackError::Missing {
        program: "redis-server".into(),
        install: INSTALL,
    })
}

/// A port for clients and one for the cluster bus. Both are held at once, so that they differ, and
/// both are below the range that outgoing connections take theirs from, or a node that is down
/// could lose its port to a connection and never come back.
fn ports() -> Result<(u16, u16), StackError> {
    let seed = RandomSeed::new();
    for attempt in 0..500_u32 {
        let port = seed.port(attempt);
        let Some(bus) = port.checked_add(1) else {
            continue;
        };
        let bound = [port, bus].map(|p| TcpListener::bind((Ipv4Addr::LOCALHOST, p)));
        if bound.iter().all(Result::is_ok) {
            return Ok((port, bus));
        }
    }
    Err(StackError::NotUp {
        name: "redis".into(),
        why: "no pair of free ports".into(),
        log: String::new(),
    })
}

impl Redis {
    /// `127.0.0.1:PORT`
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((self.launch.host, self.launch.port))
    }

    /// Its process, unless it was killed.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.launch.data
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            // SIGTERM would let a master wait for its replicas.
            server.kill();
        }
    }

    /// Makes it accept and never answer.
    pub fn freeze(&self) -> Result<(), StackError> {
        self.signal(Signal::SIGSTOP)
    }

    /// Wakes it.
    pub fn thaw(&self) -> Result<(), StackError> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), StackError> {
        self.server
            .as_ref()
            .map_or(Ok(()), |server| server.signal(signal))
    }

    /// Starts it again with its data.
    pub fn start(&mut self) -> Result<(), StackError> {
        let folder = folder("redis-log")?;
        let launch = Launch {
            name: "redis-server",
            argv: self.launch.argv(),
            environment: Vec::new(),
            port: self.launch.port,
            install: INSTALL,
        };
        self.server = Some(Server::start_at(launch, folder, self.launch.host)?);
        Ok(())
    }

    /// Sends one command over a connection of its own; error replies come back as `Err`.
    pub fn command(&self, words: &[&str]) -> Result<String, String> {
        self.converse(&[words])
            .map(|mut replies| replies.remove(0))
            .and_then(|reply| reply)
    }

    /// Sends commands over one connection. Plain text only.
    pub fn converse(&self, commands: &[&[&str]]) -> Result<Vec<Result<String, String>>, String> {
        let mut stream =
            TcpStream::connect_timeout(&self.address(), IO).map_err(|e| e.to_string())?;
        let _ = stream.set_read_timeout(Some(IO));
        let password = self.launch.options.password.as_deref();
        let auth = password.map(|password| vec!["AUTH", password]);
        let mut sent = String::new();
        for words in auth
            .iter()
            .map(Vec::as_slice)
            .chain(commands.iter().copied())
        {
            let _ = write!(sent, "*{}\r\n", words.len());
            for word in words {
                let _ = write!(sent, "${}\r\n{word}\r\n", word.len());
            }
        }
        stream
            .write_all(sent.as_bytes())
            .map_err(|e| e.to_string())?;
        let mut reader = Replies::new(stream);
        let mut replies = Vec::new();
        for _ in 0..commands.len() + usize::from(auth.is_some()) {
            replies.push(reader.next()?);
        }
        if auth.is_some() {
            replies.remove(0)?;
        }
        Ok(replies)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.launch.data);
    }
}

impl Blueprint {
    fn argv(&self) -> Vec<String> {
        let (port, host) = (self.port.to_string(), self.host.to_string());
        let data = self.data.display().to_string();
        let mut argv = vec![self.program.display().to_string()];
        let mut add = |name: &str, value: &str| {
            argv.push(format!("--{name}"));
            argv.push(value.to_owned());
        };
        match &self.options.tls {
            None => add("port", &port),
            Some(folder) => {
                let file = |name: &str| folder.join(name).display().to_string();
                add("port", "0");
                add("tls-port", &port);
                add("tls-ca-cert-file", &file("ca.crt"));
                add("tls-cert-file", &file("server.crt"));
                add("tls-key-file", &file("server.key"));
                add("tls-cluster", "yes");
                add("tls-replication", "yes");
                add("tls-auth-clients", "no");
            }
        }
        add("bind", &host);
        add("dir", &data);
        add("save", "");
        add("protected-mode", "no");
        add("repl-diskless-sync-delay", "0");
        add("repl-ping-replica-period", "1");
        if let Some(bus) = self.bus {
            add("cluster-enabled", "yes");
            add("cluster-config-file", "nodes.conf");
            add("cluster-port", &bus.to_string());
            if self.host != Ipv4Addr::LOCALHOST {
                // Nodes take the address that a connection comes from, which is 127.0.0.1.
                add("cluster-announce-ip", &host);
            }
            let timeout = self.options.node_timeout_ms.unwrap_or(2_000);
            add("cluster-node-timeout", &timeout.to_string());
        }
        for (name, value) in &self.options.settings {
            add(name, value);
        }
        argv
    }
}

/// Waits until something holds, and says whether it did in time.
#[must_use]
pub fn eventually(within: Duration, holds: impl Fn() -> bool) -> bool {
    let deadline: Instant = now() + within;
    loop {
        if holds() {
            return true;
        }
        if now() > deadline {
            return false;
        }
        pause();
    }
}

/// What `redis-cli --cluster check` says of a cluster.
#[derive(Debug, Clone, Copy)]
pub struct ClusterCheck {
    /// Its exit code; none when it was cut off because it hung.
    pub exit: Option<i32>,
    /// How long it took.
    pub took: Duration,
}

/// Runs `redis-cli --cluster check` against one node, for at most so long; `access` is more
/// arguments: `["--user", "gate", "--pass", "secret"]`.
pub fn cluster_check(
    node: SocketAddr,
    access: &[&str],
    within: Duration,
) -> Result<ClusterCheck, StackError> {
    let missing = || StackError::Missing {
        program: "redis-cli".into(),
        install: INSTALL,
    };
    let begun = now();
    let mut child = std::process::Command::new(find_program("redis-cli").ok_or_else(missing)?)
        .args(["--cluster", "check", &node.to_string()])
        .args(access)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .map_err(|error| StackError::Io {
            what: "starting redis-cli".into(),
            error,
        })?;
    let mut exit = None;
    while begun.elapsed() < within {
        if let Ok(Some(status)) = child.try_wait() {
            exit = status.code();
            break;
        }
        pause();
    }
    let took = begun.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    Ok(ClusterCheck { exit, took })
}
