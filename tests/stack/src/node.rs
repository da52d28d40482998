//! A Node.js program that listens on `PORT`.

use std::path::Path;

use crate::server::{Launch, Server, StackError, folder, free_port};

/// Starts `node SCRIPT` with `PORT` and more environment.
pub fn node(script: &Path, environment: &[(&str, &str)]) -> Result<Server, StackError> {
    let port = free_port()?;
    let mut variables: Vec<(String, String)> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    variables.push(("PORT".into(), port.to_string()));
    let launch = Launch {
        name: "node",
        argv: vec!["node".into(), script.display().to_string()],
        environment: variables,
        port,
        install: "apt-get install nodejs",
    };
    Server::start(launch, folder("node")?)
}
