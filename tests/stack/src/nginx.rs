//! nginx, as a reverse proxy or a file server.

use std::fs;

use crate::server::{Launch, Server, StackError, find_program, folder, free_port};

/// Starts nginx with the body of one `server { ... }` block; `listen` is added.
pub fn nginx(server_block: &str) -> Result<Server, StackError> {
    nginx_with("", server_block)
}

/// The same with directives before it that only the `http { ... }` block may hold: `limit_req_zone`.
pub fn nginx_with(http_block: &str, server_block: &str) -> Result<Server, StackError> {
    let install = "apt-get install nginx-light";
    let program = find_program("nginx").ok_or_else(|| StackError::Missing {
        program: "nginx".into(),
        install,
    })?;
    let port = free_port()?;
    let folder = folder("nginx")?;
    let root = folder.path().display().to_string();
    let config = format!(
        "daemon off;
worker_processes 1;
error_log stderr warn;
pid {root}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type text/plain;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
{http_block}
  server {{
    listen 127.0.0.1:{port};
{server_block}
  }}
}}
"
    );
    let path = folder.path().join("nginx.conf");
    fs::write(&path, config).map_err(|error| StackError::Io {
        what: "writing nginx.conf".into(),
        error,
    })?;
    let argv = vec![
        program.display().to_string(),
        "-p".into(),
        root.clone(),
        "-e".into(),
        "stderr".into(),
        "-c".into(),
        path.display().to_string(),
    ];
    let launch = Launch {
        name: "nginx",
        argv,
        environment: Vec::new(),
        port,
        install,
    };
    Server::start(launch, folder)
}
