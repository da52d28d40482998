//! nginx, as a reverse proxy or a file server.

use std::{fs, path::Path};

use crate::{
    pki::Identity,
    server::{Launch, Server, StackError, find_program, folder, free_port},
};

/// Starts nginx with the body of one `server { ... }` block; `listen` is added.
pub fn nginx(server_block: &str) -> Result<Server, StackError> {
    start(server_block, None)
}

/// The same over TLS, 1.2 and 1.3 with forward secrecy and authenticated encryption only.
pub fn nginx_tls(server_block: &str, identity: &Identity) -> Result<Server, StackError> {
    start(server_block, Some(identity))
}

/// Writes certificate and key, and says where they are.
fn tls_lines(root: &Path, identity: &Identity) -> Result<String, StackError> {
    let files = [("chain.pem", &identity.chain), ("key.pem", &identity.key)];
    for (name, text) in files {
        fs::write(root.join(name), text).map_err(|error| StackError::Io {
            what: format!("writing {name}"),
            error,
        })?;
    }
    let root = root.display();
    Ok(format!(
        "    ssl_certificate {root}/chain.pem;
    ssl_certificate_key {root}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
    ssl_ecdh_curve X25519:prime256v1;"
    ))
}

fn start(server_block: &str, identity: Option<&Identity>) -> Result<Server, StackError> {
    let install = "apt-get install nginx-light";
    let program = find_program("nginx").ok_or_else(|| StackError::Missing {
        program: "nginx".into(),
        install,
    })?;
    let port = free_port()?;
    let folder = folder("nginx")?;
    let (ssl, tls) = match identity {
        Some(identity) => (" ssl http2", tls_lines(folder.path(), identity)?),
        None => ("", String::new()),
    };
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
  server {{
    listen 127.0.0.1:{port}{ssl};
{tls}
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
