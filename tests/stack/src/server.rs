//! One server process: started, awaited, stopped.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long a server may take until it accepts.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// Why a server is not there.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The program is not installed.
    #[error("`{program}` is not installed; {install}")]
    Missing {
        /// Which.
        program: String,
        /// How to get it.
        install: &'static str,
    },
    /// It ended, or did not accept in time.
    #[error("{name} did not come up: {why}\n{log}")]
    NotUp {
        /// Which.
        name: String,
        /// What happened.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// The system said no.
    #[error("{what}: {error}")]
    Io {
        /// While doing what.
        what: String,
        /// What the system said.
        error: io::Error,
    },
}

/// What to start.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Name for messages and the log file.
    pub name: &'a str,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Added to the environment.
    pub environment: Vec<(String, String)>,
    /// Port that it will listen on, on 127.0.0.1.
    pub port: u16,
    /// How to install the program.
    pub install: &'static str,
}

/// A running server. Stopped, with everything that it started, when dropped.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    port: u16,
    host: Ipv4Addr,
    folder: TempDir,
}

/// A loopback port that is free now. Servers that lose the race to it fail to come up and say so.
pub fn free_port() -> Result<u16, StackError> {
    let seed = RandomSeed::new();
    let mut last = None;
    for attempt in 0..500 {
        let port = seed.port(attempt);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    Err(StackError::Io {
        what: "finding a free port".into(),
        error: last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()),
    })
}

/// Ports that differ between processes and calls.
pub(crate) struct RandomSeed(u64);

impl RandomSeed {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// A port below the range that outgoing connections take theirs from, so that none of these gets
    /// it before the server does.
    pub(crate) fn port(&self, step: u32) -> u16 {
        let mixed = self
            .0
            .wrapping_add(u64::from(step).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        10_240 + u16::try_from((mixed >> 20) & 0x7fff).unwrap_or_default() % 20_000
    }
}

/// A temp folder for a server's files, made before its config is written.
pub fn folder(name: &str) -> Result<TempDir, StackError> {
    let made = tempfile::Builder::new()
        .prefix(&format!("readygate-{name}-"))
        .tempdir();
    made.map_err(|error| StackError::Io {
        what: format!("making a folder for {name}"),
        error,
    })
}

impl Server {
    /// Starts a process in its own group and waits until its port accepts.
    pub fn start(launch: Launch<'_>, folder: TempDir) -> Result<Self, StackError> {
        Self::start_at(launch, folder, Ipv4Addr::LOCALHOST)
    }

    /// The same for a server that listens on another loopback address.
    pub fn start_at(
        launch: Launch<'_>,
        folder: TempDir,
        host: Ipv4Addr,
    ) -> Result<Self, StackError> {
        let io = |what: &str| {
            let what = format!("{what} {}", launch.name);
            move |error| StackError::Io { what, error }
        };
        let log = File::create(folder.path().join("log")).map_err(io("making the log of"))?;
        let errors = log.try_clone().map_err(io("making the log of"))?;
        let program = &launch.argv[0];
        let child = Command::new(program)
            .args(&launch.argv[1..])
            .envs(launch.environment)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn();
        let child = child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StackError::Missing {
                program: program.clone(),
                install: launch.install,
            },
            _ => StackError::Io {
                what: format!("starting {}", launch.name),
                error,
            },
        })?;
        let mut server = Self {
            name: launch.name.to_owned(),
            child,
            port: launch.port,
            host,
            folder,
        };
        server.wait_until_it_accepts()?;
        Ok(server)
    }

    /// `127.0.0.1:PORT`, or the other loopback address.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((self.host, self.port))
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Its folder: config, data, log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id, for faults.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap_or_default())
    }

    /// Sends a signal to the process: SIGSTOP makes it accept and never answer, SIGCONT wakes it.
    pub fn signal(&self, signal: Signal) -> Result<(), StackError> {
        kill(self.pid(), signal).map_err(|e| StackError::Io {
            what: format!("sending {signal} to {}", self.name),
            error: e.into(),
        })
    }

    /// Kills it and waits until it is gone. Its folder stays until the value is dropped.
    pub fn kill(&mut self) {
        let _ = killpg(self.pid(), Signal::SIGKILL);
        let _ = self.child.wait();
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn wait_until_it_accepts(&mut self) -> Result<(), StackError> {
        let deadline = now() + PATIENCE;
        loop {
            if TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.not_up(format!("it ended with {status}")));
            }
            if now() > deadline {
                return Err(self.not_up(format!("port {} does not accept", self.port)));
            }
            pause();
        }
    }

    fn not_up(&self, why: String) -> StackError {
        StackError::NotUp {
            name: self.name.clone(),
            why,
            log: self.log(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = killpg(self.pid(), Signal::SIGCONT);
        let _ = killpg(self.pid(), Signal::SIGTERM);
        let deadline = now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && now() < deadline {
            pause();
        }
        self.kill();
    }
}

/// Where a program is, looked up on PATH and in the places of system administration.
pub fn find_program(name: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "test infrastructure reads PATH like a shell"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

pub(crate) fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "test infrastructure waits in real time"
    )]
    Instant::now()
}

pub(crate) fn pause() {
    #[expect(
        clippy::disallowed_methods,
        reason = "polls a process that has no event to await"
    )]
    std::thread::sleep(POLL);
}
