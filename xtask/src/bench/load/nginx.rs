//! The server of most tables: nginx on its core, which answers from its configuration.

use std::{fmt::Write as _, fs, path::Path};

use nix::unistd::Pid;
use readygate_stack::{Authority, Launch, Server, find_program, folder, free_port};

use super::{Bench, SERVER_CORE, run::FRONT};
use crate::workspace;

/// Addresses that it listens on: a tool that binds to none can open 28,000 connections to each.
pub const ADDRESSES: [&str; 3] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];

/// A running nginx.
pub struct Nginx {
    server: Server,
    port: u16,
    tls: bool,
}

impl Nginx {
    /// `workers` share the port by SO_REUSEPORT, all on one core: together they hold more connections than
    /// one process may have files.
    pub fn start(bench: &Bench<'_>, workers: u32, tls: bool) -> Result<Self, String> {
        let folder = folder("bench-nginx").map_err(|e| e.to_string())?;
        let port = free_port().map_err(|e| e.to_string())?;
        let program = find_program("nginx").ok_or("nginx is not installed")?;
        if tls {
            certificate(folder.path())?;
        }
        let root = folder.path().display().to_string();
        fs::write(
            folder.path().join("nginx.conf"),
            config(&root, port, workers, tls),
        )
        .map_err(|e| format!("nginx.conf: {e}"))?;
        let front: &[&str] = if bench.options.realtime { &FRONT } else { &[] };
        let argv = ["setpriv", "--pdeathsig", "TERM"];
        let rest = [
            "taskset",
            "-c",
            &SERVER_CORE.to_string(),
            &program.display().to_string(),
            "-p",
            &root,
            "-e",
            "stderr",
            "-c",
            &format!("{root}/nginx.conf"),
        ];
        let launch = Launch {
            name: "nginx",
            argv: argv
                .iter()
                .chain(front)
                .chain(&rest)
                .map(|&word| word.to_owned())
                .collect(),
            environment: Vec::new(),
            port,
            install: "apt-get install nginx-light",
        };
        let server = Server::start(launch, folder).map_err(|e| e.to_string())?;
        Ok(Self { server, port, tls })
    }

    /// The resource, on one of the addresses.
    pub fn url(&self, address: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{address}:{}/r", self.port)
    }

    /// Its main process.
    pub fn pid(&self) -> Pid {
        self.server.pid()
    }

    /// The root of its certificate.
    pub fn root(&self) -> String {
        let path = self.server.folder().join("root.pem");
        path.display().to_string()
    }
}

fn config(root: &str, port: u16, workers: u32, tls: bool) -> String {
    let reuseport = if workers > 1 { " reuseport" } else { "" };
    let ssl = if tls { " ssl" } else { "" };
    let mut listen = String::new();
    for address in ADDRESSES {
        let _ = writeln!(
            listen,
            "    listen {address}:{port}{ssl}{reuseport} backlog=65535;"
        );
    }
    let tls = if tls {
        format!(
            "    ssl_certificate {root}/cert.pem;\n    ssl_certificate_key {root}/key.pem;\n    \
             ssl_protocols TLSv1.3;\n    ssl_session_cache shared:S:10m;\n"
        )
    } else {
        String::new()
    };
    let limit = files_limit();
    format!(
        "daemon off;
worker_processes {workers};
worker_rlimit_nofile {limit};
error_log stderr warn;
pid {root}/pid;
events {{ worker_connections {}; use epoll; multi_accept on; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  connection_pool_size 256;
  client_header_buffer_size 1k;
  default_type text/plain;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  server {{
{listen}{tls}    location = /r {{ return 200 \"hello world\\n\"; }}
  }}
}}
",
        limit.saturating_sub(100),
    )
}

/// How many files a process may have.
fn files_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(_, hard)| hard.min(200_000))
}

/// A certificate of a root of its own: a client that checks it is told to trust the root.
fn certificate(folder: &Path) -> Result<(), String> {
    let authority = Authority::new().map_err(|e| e.to_string())?;
    let own = authority.issue(&ADDRESSES, 7).map_err(|e| e.to_string())?;
    workspace::write(&folder.join("root.pem"), &authority.pem())?;
    workspace::write(&folder.join("cert.pem"), &own.chain)?;
    workspace::write(&folder.join("key.pem"), &own.key)
}
