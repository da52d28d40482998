//! Redis servers: alone, with replicas, and as a cluster with its own faults.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::server::{Launch, Server, StackError, find_program, folder, now, pause};

const INSTALL: &str = "apt-get install redis-server";
/// How long a cluster may take to come together.
const PATIENCE: Duration = Duration::from_secs(60);
const IO: Duration = Duration::from_secs(5);
const SLOTS: u16 = 16_384;

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
        let port = 10_240 + seed.at(attempt) % 20_000;
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

/// Numbers that differ between processes and calls.
struct RandomSeed(u64);

impl RandomSeed {
    fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        Self(RandomState::new().hash_one(std::process::id()))
    }

    fn at(&self, step: u32) -> u16 {
        let mixed = self
            .0
            .wrapping_add(u64::from(step).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        u16::try_from((mixed >> 20) & 0x7fff).unwrap_or_default()
    }
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
        let mut reader = Replies {
            stream,
            buffer: Vec::new(),
        };
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

struct Replies {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Replies {
    /// Arrays come back as their elements, one a line.
    fn next(&mut self) -> Result<Result<String, String>, String> {
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
        let mut chunk = [0; 65_536];
        match self.stream.read(&mut chunk).map_err(|e| e.to_string())? {
            0 => Err("the connection was closed".to_owned()),
            n => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Ok(())
            }
        }
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

/// A cluster on loopback: the first half are masters, each followed by one of the second half.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    ids: Vec<String>,
}

impl RedisCluster {
    /// Starts three masters and three replicas, and waits until all agree.
    pub fn start(options: &RedisOptions) -> Result<Self, StackError> {
        let cluster = Self::prepare(options, true)?;
        cluster.wait_until_well()?;
        Ok(cluster)
    }

    /// Starts six nodes that were never joined.
    pub fn apart(options: &RedisOptions) -> Result<Self, StackError> {
        Self::prepare(options, false)
    }

    /// Every node gets the finished map on disk before it starts: no MEET, no gossip to await.
    fn prepare(options: &RedisOptions, joined: bool) -> Result<Self, StackError> {
        let program = program()?;
        let mut plans = Vec::new();
        let mut taken = BTreeSet::new();
        while plans.len() < 6 {
            let (port, bus) = ports()?;
            if taken.contains(&port) || taken.contains(&bus) {
                continue;
            }
            taken.extend([port, bus]);
            let host = options
                .hosts
                .get(plans.len())
                .copied()
                .unwrap_or(Ipv4Addr::LOCALHOST);
            plans.push(Blueprint {
                host,
                port,
                bus: Some(bus),
                options: options.clone(),
                data: folder("redis")?.keep(),
                program: program.clone(),
            });
        }
        let ids: Vec<String> = plans
            .iter()
            .enumerate()
            .map(|(i, plan)| id(i, plan.port))
            .collect();
        if joined {
            for (index, plan) in plans.iter().enumerate() {
                let path = plan.data.join("nodes.conf");
                fs::write(path, map(&plans, &ids, index)).map_err(|error| StackError::Io {
                    what: "writing nodes.conf".into(),
                    error,
                })?;
            }
        }
        let mut nodes: Vec<Redis> = plans
            .into_iter()
            .map(|launch| Redis {
                server: None,
                launch,
            })
            .collect();
        for node in &mut nodes {
            node.start()?;
        }
        Ok(Self { nodes, ids })
    }

    /// The node at a position: 0 to 2 were started as masters, 3 to 5 as their replicas.
    pub fn node(&self, index: usize) -> &Redis {
        &self.nodes[index]
    }

    /// The same, to kill or start it.
    pub fn node_mut(&mut self, index: usize) -> &mut Redis {
        &mut self.nodes[index]
    }

    /// Its id in the cluster.
    pub fn id(&self, index: usize) -> &str {
        &self.ids[index]
    }

    /// `host:port` of every node.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| node.address().to_string())
            .collect()
    }

    /// Waits until all six see the same whole cluster, with three replicas connected.
    pub fn wait_until_well(&self) -> Result<(), StackError> {
        self.wait("the cluster", |cluster| cluster.ailment().is_none())
    }

    /// Waits for anything else.
    pub fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<(), StackError> {
        let deadline = now() + PATIENCE;
        while !holds(self) {
            if now() > deadline {
                return Err(StackError::NotUp {
                    name: what.to_owned(),
                    why: self.ailment().unwrap_or_else(|| "still waiting".to_owned()),
                    log: self.logs(),
                });
            }
            pause();
        }
        Ok(())
    }

    fn logs(&self) -> String {
        let logs = self
            .nodes
            .iter()
            .filter_map(|node| Some(node.server()?.log()));
        logs.collect::<Vec<_>>().join("\n")
    }

    /// What keeps the cluster from being well.
    fn ailment(&self) -> Option<String> {
        let mut views = BTreeSet::new();
        for node in &self.nodes {
            let asked: [&[&str]; 3] = [
                &["CLUSTER", "INFO"],
                &["CLUSTER", "NODES"],
                &["INFO", "replication"],
            ];
            let replies = match node.converse(&asked) {
                Ok(replies) => replies,
                Err(why) => return Some(format!("{}: {why}", node.address())),
            };
            let mut texts = replies.into_iter().map(|r| r.unwrap_or_else(|e| e));
            let (info, nodes, replication) = (texts.next()?, texts.next()?, texts.next()?);
            if !info.contains("cluster_state:ok") {
                return Some(format!(
                    "{}: {}",
                    node.address(),
                    info.lines().next().unwrap_or("")
                ));
            }
            let marks = ["fail", "handshake", "noaddr", "disconnected"];
            let lines = || nodes.lines().map(|l| l.split(' ').collect::<Vec<_>>());
            if let Some(mark) = marks.iter().find(|mark| {
                lines().any(|w| {
                    w.get(2)
                        .is_some_and(|f| f.split(',').any(|f| f.trim_end_matches('?') == **mark))
                        || w.get(7) == Some(*mark)
                })
            }) {
                return Some(format!("{}: {mark}", node.address()));
            }
            if replication.contains("master_link_status:down")
                || replication.contains("role:master") && replication.contains("connected_slaves:0")
            {
                return Some(format!("{}: replication is not up", node.address()));
            }
            views.insert(canonical(&nodes));
        }
        (views.len() != 1).then(|| "the views differ".to_owned())
    }
}

/// Ids, roles, masters and slots, sorted.
fn canonical(nodes: &str) -> Vec<String> {
    let mut lines: Vec<String> = nodes
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let role = words.get(2).map_or("", |flags| {
                if flags.contains("master") {
                    "master"
                } else {
                    "slave"
                }
            });
            let rest = words.get(8..).unwrap_or_default().join(" ");
            format!("{} {role} {} {rest}", words[0], words.get(3).unwrap_or(&""))
        })
        .collect();
    lines.sort();
    lines
}

fn id(index: usize, port: u16) -> String {
    format!("{:08x}{index:032x}", u32::from(port) * 65_537)
}

fn map(plans: &[Blueprint], ids: &[String], me: usize) -> String {
    let third = |n: u32| u32::from(SLOTS) * n / 3;
    let mut text = String::new();
    for (index, plan) in plans.iter().enumerate() {
        let myself = if index == me { "myself," } else { "" };
        let bus = plan.bus.unwrap_or_default();
        let _ = write!(
            text,
            "{} {}:{}@{bus} {myself}",
            ids[index], plan.host, plan.port
        );
        let _ = match (u32::try_from(index), index.checked_sub(3)) {
            (Ok(n @ 0..3), _) => {
                let (from, to) = (third(n), third(n + 1) - 1);
                writeln!(text, "master - 0 0 {} connected {from}-{to}", n + 1)
            }
            (n, master) => {
                let epoch = n.unwrap_or_default() + 1;
                writeln!(
                    text,
                    "slave {} 0 0 {epoch} connected",
                    ids[master.unwrap_or_default()]
                )
            }
        };
    }
    text + "vars currentEpoch 6 lastVoteEpoch 0\n"
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

/// Runs `redis-cli --cluster check` against one node, for at most so long.
pub fn cluster_check(node: SocketAddr, within: Duration) -> Result<ClusterCheck, StackError> {
    let missing = || StackError::Missing {
        program: "redis-cli".into(),
        install: INSTALL,
    };
    let begun = now();
    let mut child = std::process::Command::new(find_program("redis-cli").ok_or_else(missing)?)
        .args(["--cluster", "check", &node.to_string()])
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
