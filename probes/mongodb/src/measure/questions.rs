//! The commands that a member is asked.

use std::collections::BTreeSet;

use mongodb::{
    Client,
    bson::{Bson, Document, doc},
    error::Error,
};
use readygate_sdk::{Cx, excerpt};
use tokio::time::{Instant, timeout_at};

use super::{look::Asked, node, timed};
use crate::{
    config::{MigrationsWanted, MongodbConfig},
    facts,
    measurement::{
        Answer, Hello, IndexRecord, IndexesRecord, MigrationsRecord, NodeRecord, Oplog,
        ProfilerRecord,
    },
};

const MOST_INDEXES: usize = 100; // MongoDB allows 64 in a collection
const MOST_DATABASES: usize = 10;
const MOST_MIGRATIONS: i64 = 10_000;
/// Codes after which a member has nothing more to say: no replication, not a member, not initiated.
const NOT_IN_A_SET: [i32; 3] = [76, 93, 94];
const UNAUTHORIZED: i32 = 13;
const NO_SUCH_COLLECTION: i32 = 26;

/// Asks over one connection, one question after the other; keeps what came until the deadline.
pub async fn ask(
    config: &MongodbConfig,
    cx: &Cx,
    client: &Client,
    hello: &Hello,
    record: &mut NodeRecord,
    deadline: Instant,
) {
    let to = Questions {
        cx,
        client,
        deadline,
    };
    record.status = Some(
        to.admin(doc! { "replSetGetStatus": 1 }, facts::status)
            .await,
    );
    record.config = Some(
        to.admin(doc! { "replSetGetConfig": 1 }, facts::config)
            .await,
    );
    let rest = doc! {
        "serverStatus": 1, "metrics": 0, "wiredTiger": 0, "repl": 0, "locks": 0, "tcmalloc": 0,
        "opLatencies": 0, "transactions": 0, "network": 0, "tenantMigrations": 0,
    };
    record.server = Some(to.admin(rest, facts::server).await);
    if hello.arbiter {
        // It has no users, hence no rights to give, and no data to look at.
        let denied = |code: Option<i32>| code == Some(UNAUTHORIZED);
        record.status.take_if(|answer| denied(answer.code()));
        record.config.take_if(|answer| denied(answer.code()));
        record.server.take_if(|answer| denied(answer.code()));
        return;
    }
    let code = record.status.as_ref().and_then(Answer::code);
    if hello.mongos || code.is_some_and(|code| NOT_IN_A_SET.contains(&code)) {
        return;
    }
    record.oplog = Some(to.oplog().await);
    let fcv = doc! { "getParameter": 1, "featureCompatibilityVersion": 1 };
    record.fcv = Some(to.admin(fcv, facts::fcv).await);
    let builds = doc! {
        "currentOp": 1,
        "$or": [{ "msg": { "$regex": "^Index Build" } }, { "command.createIndexes": { "$exists": true } }],
    };
    record.operations = Some(to.admin(builds, facts::operations).await);
    for database in databases(config, client) {
        let settings = to
            .run(&database, doc! { "profile": -1 }, facts::profiler)
            .await;
        record.profilers.push(ProfilerRecord { database, settings });
    }
    let collections: BTreeSet<_> = config.indexes.iter().map(|i| &i.collection).collect();
    for collection in collections {
        let indexes = to.indexes(collection).await;
        let collection = collection.clone();
        record.indexes.push(IndexesRecord {
            collection,
            indexes,
        });
    }
}

fn databases(config: &MongodbConfig, client: &Client) -> Vec<String> {
    let collections = config.indexes.iter().map(|i| i.collection.as_str());
    let collections = collections.chain(config.migrations.iter().map(|m| m.collection.as_str()));
    let mut names: Vec<String> = config.databases.clone();
    names.extend(collections.filter_map(|c| Some(c.split_once('.')?.0.to_owned())));
    names.extend(client.default_database().map(|d| d.name().to_owned()));
    if names.is_empty() {
        // `slowms` and `sampleRate` hold for the whole process; any database shows them.
        names.push("admin".to_owned());
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.truncate(MOST_DATABASES);
    names
}

struct Questions<'a> {
    cx: &'a Cx,
    client: &'a Client,
    deadline: Instant,
}

impl Questions<'_> {
    async fn admin<T>(
        &self,
        command: Document,
        read: impl FnOnce(&Document) -> Option<T>,
    ) -> Answer<T> {
        self.run("admin", command, read).await
    }

    async fn run<T>(
        &self,
        database: &str,
        command: Document,
        read: impl FnOnce(&Document) -> Option<T>,
    ) -> Answer<T> {
        let database = self.client.database(database);
        let answer = timeout_at(self.deadline, database.run_command(command)).await;
        match answer {
            Err(_) => Answer::Lost {
                message: "no answer in time".to_owned(),
            },
            Ok(Err(error)) => self.refused(&error),
            Ok(Ok(answer)) => match read(&answer) {
                Some(value) => Answer::Got { value },
                None => Answer::Lost {
                    message: "this service leaves out what the answer should hold".to_owned(),
                },
            },
        }
    }

    fn refused<T>(&self, error: &Error) -> Answer<T> {
        match node::refusal(error) {
            Some((code, name, message)) => {
                let message = self.cx.mask(&message);
                Answer::Refused {
                    code,
                    name,
                    message,
                }
            }
            None => Answer::Lost {
                message: excerpt(&self.cx.mask(&error.kind.to_string()), 200),
            },
        }
    }

    async fn oplog(&self) -> Answer<Oplog> {
        let end = |natural: i32| {
            doc! {
                "find": "oplog.rs", "filter": {}, "sort": { "$natural": natural }, "limit": 1,
                "singleBatch": true, "projection": { "ts": 1 },
            }
        };
        let ts = |answer: &Document| facts::timestamp(batch(answer)?.first()?.as_document()?, "ts");
        let first = match self.run("local", end(1), ts).await {
            Answer::Got { value } => value,
            other => return other.without_value(),
        };
        let last = match self.run("local", end(-1), ts).await {
            Answer::Got { value } => value,
            other => return other.without_value(),
        };
        let stats = doc! { "collStats": "oplog.rs" };
        self.run("local", stats, |stats| {
            let bytes = |name| facts::number(stats, name).and_then(|n| u64::try_from(n).ok());
            Some(Oplog {
                first,
                last,
                size: bytes("size")?,
                max_size: bytes("maxSize")?,
            })
        })
        .await
    }

    /// `$indexStats` tells a finished index from one being built, and `clusterMonitor` may run it;
    /// `listIndexes` needs `read` on the database.
    async fn indexes(&self, collection: &str) -> Answer<Vec<IndexRecord>> {
        let Some((database, collection)) = collection.split_once('.') else {
            return Answer::Lost {
                message: "no such name".to_owned(),
            };
        };
        let stats = doc! {
            "aggregate": collection, "pipeline": [{ "$indexStats": {} }],
            "cursor": { "batchSize": 200 },
        };
        let list = doc! {
            "listIndexes": collection, "includeBuildUUIDs": true, "cursor": { "batchSize": 200 },
        };
        let mut answer = self.run(database, stats, indexes).await;
        if answer.code() == Some(UNAUTHORIZED) {
            let listed = self.run(database, list, indexes).await;
            if listed.code() != Some(UNAUTHORIZED) {
                answer = listed;
            }
        }
        if answer.code() == Some(NO_SUCH_COLLECTION) {
            return Answer::Got { value: Vec::new() };
        }
        answer
    }
}

impl<T> Answer<T> {
    fn without_value<U>(self) -> Answer<U> {
        match self {
            Self::Got { .. } => Answer::Lost {
                message: "the oplog is empty".to_owned(),
            },
            Self::Refused {
                code,
                name,
                message,
            } => Answer::Refused {
                code,
                name,
                message,
            },
            Self::Lost { message } => Answer::Lost { message },
        }
    }
}

fn batch(answer: &Document) -> Option<&Vec<Bson>> {
    answer
        .get_document("cursor")
        .ok()?
        .get_array("firstBatch")
        .ok()
}

fn indexes(answer: &Document) -> Option<Vec<IndexRecord>> {
    let entries = batch(answer)?.iter().filter_map(Bson::as_document);
    let mut found: Vec<_> = entries
        .filter_map(facts::index)
        .take(MOST_INDEXES)
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Some(found)
}

/// Reads the names of the migrations from the primary, or from whoever has data.
pub async fn migrations(
    wanted: &MigrationsWanted,
    asked: &[Asked],
    cx: &Cx,
) -> Answer<MigrationsRecord> {
    let with_data = |member: &&Asked| {
        let hello = member.record.hello.as_ref();
        member.client.is_some() && hello.is_some_and(|h| h.writable || h.secondary)
    };
    let writable = |member: &&Asked| member.record.hello.as_ref().is_some_and(|h| h.writable);
    let from = asked.iter().filter(with_data).max_by_key(writable);
    let Some((client, (database, collection))) = from
        .and_then(|m| m.client.as_ref())
        .zip(wanted.collection.split_once('.'))
    else {
        return Answer::Lost {
            message: "no member with data answers".to_owned(),
        };
    };
    let find = doc! {
        "find": collection, "projection": { &wanted.field: 1 }, "limit": MOST_MIGRATIONS,
        "batchSize": MOST_MIGRATIONS, "singleBatch": true,
    };
    let deadline = timed::until(cx, std::time::Duration::from_secs(3));
    let to = Questions {
        cx,
        client,
        deadline,
    };
    to.run(database, find, |answer| {
        let entries = batch(answer)?.iter().filter_map(Bson::as_document);
        let names: BTreeSet<String> = entries
            .filter_map(|e| name(e.get(&wanted.field)?))
            .collect();
        Some(record(&names, &wanted.expected))
    })
    .await
}

/// The expected ones that are there, and the newest of the others.
fn record(names: &BTreeSet<String>, expected: &[String]) -> MigrationsRecord {
    let expected: BTreeSet<_> = expected.iter().collect();
    let missing = expected
        .iter()
        .filter(|name| !names.contains(**name))
        .count() as u64;
    let (found, others): (Vec<_>, Vec<_>) = names.iter().partition(|name| expected.contains(name));
    let others = others.into_iter().rev().take(20);
    MigrationsRecord {
        applied: found.into_iter().chain(others).cloned().collect(),
        total: names.len() as u64,
        missing,
    }
}

fn name(value: &Bson) -> Option<String> {
    match value {
        Bson::String(text) => Some(excerpt(text, 200)),
        Bson::Int32(n) => Some(n.to_string()),
        Bson::Int64(n) => Some(n.to_string()),
        Bson::Double(n) => Some(n.to_string()),
        Bson::ObjectId(id) => Some(id.to_hex()),
        _ => None,
    }
}
