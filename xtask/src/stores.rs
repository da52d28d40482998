//! The data stores of the demo, also on their own: `cargo xtask stack up|down`.

use std::{fs, path::PathBuf};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use readygate_stack::{MongoSet, RedisCluster, RedisOptions, SetSpec};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Done, setup, workspace};

/// A replica set of three and a cluster of six, on loopback.
pub struct Stores {
    /// Members of `rs0`.
    pub mongo: MongoSet,
    /// Three masters, three replicas.
    pub redis: RedisCluster,
}

impl Stores {
    /// Starts both and waits until both are well.
    pub fn start() -> Result<Self, String> {
        setup::need_program("redis-server", "redis-server")?;
        let mongo = runtime()?.block_on(MongoSet::start(SetSpec::default()));
        let mongo = mongo.map_err(|e| e.to_string())?;
        let redis = RedisCluster::start(&RedisOptions::default()).map_err(|e| e.to_string())?;
        Ok(Self { mongo, redis })
    }

    /// What the gates of the demo are told: names and values of variables.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![("MONGODB_URI".to_owned(), self.mongo.uri())];
        let nodes = self.redis.addresses().into_iter().enumerate();
        variables.extend(nodes.map(|(index, node)| (format!("REDIS_{}", index + 1), node)));
        variables
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
}

fn pid_file() -> PathBuf {
    workspace::root().join("target/stack.pid")
}

/// Starts the stores, prints where they are, and keeps them until SIGINT, SIGTERM or `stack down`.
pub fn up() -> Done {
    let stores = Stores::start()?;
    let pid = std::process::id().to_string();
    fs::write(pid_file(), &pid).map_err(|e| format!("target/stack.pid: {e}"))?;
    println!("the stores are up; they stop with Ctrl-C, or with `cargo xtask stack down`\n");
    for (name, value) in stores.variables() {
        println!("export {name}='{value}'");
    }
    let nodes = stores.redis.addresses();
    println!("\ncargo run -- probe mongodb uri='{}'", stores.mongo.uri());
    println!("cargo run -- probe redis 'nodes={nodes:?}'");
    runtime()?.block_on(async {
        let catch = |kind| signal(kind).map_err(|e| e.to_string());
        let (mut interrupt, mut terminate) = (
            catch(SignalKind::interrupt())?,
            catch(SignalKind::terminate())?,
        );
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok::<_, String>(())
    })?;
    drop(stores);
    let _ = fs::remove_file(pid_file());
    Ok(true)
}

/// Stops what `stack up` started.
pub fn down() -> Done {
    let text = fs::read_to_string(pid_file()).map_err(|_| "no stack is up".to_owned())?;
    let pid = text
        .trim()
        .parse()
        .map_err(|e| format!("target/stack.pid: {e}"))?;
    match kill(Pid::from_raw(pid), Signal::SIGTERM) {
        Ok(()) => Ok(true),
        Err(error) => {
            let _ = fs::remove_file(pid_file());
            Err(format!("the stack is not up any more: {error}"))
        }
    }
}
