//! A replica set on loopback.

use std::{fs, os::unix::fs::PermissionsExt as _, thread, time::Duration};

use mongodb::{
    Client,
    bson::{Document, doc},
    options::{ClientOptions, Credential},
};

use super::{Mongod, direct, hello};
use crate::server::{StackError, folder};

/// How long a set may take until it is as wanted.
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(50);

/// One member of a set in the making.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// Votes and holds no data.
    pub arbiter: bool,
    /// Not shown to applications; needs priority 0.
    pub hidden: bool,
    /// 0 makes it unelectable.
    pub priority: f64,
    /// 0 or 1.
    pub votes: i32,
    /// Applies what happened so many seconds ago; needs priority 0.
    pub delay_secs: i64,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            arbiter: false,
            hidden: false,
            priority: 1.0,
            votes: 1,
            delay_secs: 0,
        }
    }
}

impl Member {
    fn document(self, id: i32, host: &str) -> Document {
        doc! {
            "_id": id,
            "host": host,
            "arbiterOnly": self.arbiter,
            "hidden": self.hidden,
            "priority": if self.arbiter { 0.0 } else { self.priority },
            "votes": self.votes,
            "secondaryDelaySecs": self.delay_secs,
        }
    }
}

/// What set to start.
#[derive(Debug, Clone)]
pub struct SetSpec {
    /// Its members; three ordinary ones by default.
    pub members: Vec<Member>,
    /// Further arguments of every `mongod`.
    pub arguments: Vec<String>,
    /// A user `root` with this password, and a key file among the members.
    pub password: Option<String>,
    /// Milliseconds without a primary until the others elect one: 1000 is quick, and on a busy
    /// machine quick enough to elect when nobody asked for it; 10000 is the default of MongoDB.
    pub election_timeout_ms: i32,
}

impl Default for SetSpec {
    fn default() -> Self {
        Self {
            members: vec![Member::default(); 3],
            arguments: Vec::new(),
            password: None,
            election_timeout_ms: 3000,
        }
    }
}

/// A running replica set `rs0`.
#[derive(Debug)]
pub struct MongoSet {
    /// Its processes, in the order of the spec.
    pub nodes: Vec<Mongod>,
    /// What it was started from.
    pub spec: SetSpec,
    arguments: Vec<String>,
    _keys: tempfile::TempDir,
}

impl MongoSet {
    /// Starts the processes and leaves the set uninitialised.
    pub fn processes(spec: SetSpec) -> Result<Self, StackError> {
        let keys = folder("mongod-key")?;
        let mut arguments = vec!["--replSet".to_owned(), "rs0".to_owned()];
        if spec.password.is_some() {
            let file = keys.path().join("key");
            let io = |error| StackError::Io {
                what: "writing the key file".into(),
                error,
            };
            fs::write(&file, "c2hhcmVkIGJ5IHRoZSBtZW1iZXJzIG9mIG9uZSB0ZXN0").map_err(io)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).map_err(io)?;
            arguments.extend(["--keyFile".to_owned(), file.display().to_string()]);
        }
        arguments.extend(spec.arguments.iter().cloned());
        let nodes = thread::scope(|scope| {
            let starts: Vec<_> = spec
                .members
                .iter()
                .map(|_| {
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    scope.spawn(move || Mongod::start(&arguments))
                })
                .collect();
            let ended = starts.into_iter().map(thread::ScopedJoinHandle::join);
            ended
                .map(|node| node.unwrap_or_else(|_| Err(not_up("a thread panicked"))))
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok(Self {
            nodes,
            spec,
            arguments,
            _keys: keys,
        })
    }

    /// Starts a set and waits until every member has the state it should have.
    pub async fn start(spec: SetSpec) -> Result<Self, StackError> {
        let set = Self::processes(spec)?;
        let config = set.config();
        let first = set.client(0, false)?;
        let initiate = doc! { "replSetInitiate": config };
        first
            .database("admin")
            .run_command(initiate)
            .await
            .map_err(|e| not_up(&e.to_string()))?;
        if let Some(password) = &set.spec.password {
            set.until("a primary", async |set: &Self| {
                set.primary().await.is_some()
            })
            .await?;
            // The first user is made over loopback without a login, on whoever is the primary.
            let primary = set.client(set.primary().await.unwrap_or_default(), false)?;
            let user = doc! { "createUser": "root", "pwd": password, "roles": ["root"] };
            let made = primary.database("admin").run_command(user).await;
            made.map_err(|e| not_up(&e.to_string()))?;
        }
        set.ready().await?;
        Ok(set)
    }

    /// The document that initiates it.
    pub fn config(&self) -> Document {
        let members = self.spec.members.iter().zip(&self.nodes).zip(0..);
        let members: Vec<Document> = members
            .map(|((member, node), id)| member.document(id, &node.address()))
            .collect();
        doc! {
            "_id": "rs0",
            "members": members,
            "settings": {
                "electionTimeoutMillis": self.spec.election_timeout_ms,
                "heartbeatIntervalMillis": 100,
            },
        }
    }

    /// The arguments of its processes, for a restart with other ones.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// `mongodb://A,B,C/?replicaSet=rs0`, with the user where there is one.
    pub fn uri(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(Mongod::address).collect();
        let user = self
            .spec
            .password
            .as_ref()
            .map(|p| format!("root:{p}@"))
            .unwrap_or_default();
        format!("mongodb://{user}{}/?replicaSet=rs0", hosts.join(","))
    }

    /// A direct connection to one member, as the user `root` where there is one.
    pub fn client(&self, node: usize, as_root: bool) -> Result<Client, StackError> {
        let password = self.spec.password.clone().filter(|_| as_root);
        let user = move |options: &mut ClientOptions| {
            options.credential = password.map(|password| {
                Credential::builder()
                    .username("root".to_owned())
                    .password(password)
                    .build()
            });
        };
        direct(self.nodes[node].port, user).map_err(|e| not_up(&e.to_string()))
    }

    /// Runs a command on `admin` of one member.
    pub async fn run(&self, node: usize, command: Document) -> Result<Document, StackError> {
        let client = self.client(node, true)?;
        let run = client.database("admin").run_command(command).await;
        run.map_err(|e| not_up(&e.to_string()))
    }

    /// Which member is the primary now.
    pub async fn primary(&self) -> Option<usize> {
        for node in 0..self.nodes.len() {
            if self.has_writable(node).await {
                return Some(node);
            }
        }
        None
    }

    /// Waits until one member is a writable primary and every other one is a secondary or an
    /// arbiter, each by its own account.
    pub async fn ready(&self) -> Result<(), StackError> {
        self.until("one primary and the rest secondaries", Self::is_ready)
            .await
    }

    /// Waits until `holds`.
    pub async fn until(
        &self,
        what: &str,
        holds: impl AsyncFn(&Self) -> bool,
    ) -> Result<(), StackError> {
        let wait = async {
            while !holds(self).await {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.map_err(|_| not_up(&format!("no {what} within {PATIENCE:?}")))
    }

    async fn is_ready(&self) -> bool {
        let mut primaries = 0;
        for node in 0..self.nodes.len() {
            let Some(hello) = self.hello(node).await else {
                return false;
            };
            let is = |field| hello.get_bool(field).unwrap_or(false);
            primaries += usize::from(is("isWritablePrimary"));
            if !(is("isWritablePrimary") || is("secondary") || is("arbiterOnly")) {
                return false;
            }
        }
        primaries == 1
    }

    async fn has_writable(&self, node: usize) -> bool {
        let hello = self.hello(node).await;
        hello.is_some_and(|h| h.get_bool("isWritablePrimary").unwrap_or(false))
    }

    async fn hello(&self, node: usize) -> Option<Document> {
        let client = self.client(node, false).ok()?;
        let database = client.database("admin");
        let asked = tokio::time::timeout(Duration::from_secs(2), database.run_command(hello()));
        asked.await.ok()?.ok()
    }
}

fn not_up(why: &str) -> StackError {
    StackError::NotUp {
        name: "the replica set".into(),
        why: why.to_owned(),
        log: String::new(),
    }
}
