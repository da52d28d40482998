//! Indexes, profiler, connections, URI, migrations, drill.

use readygate_sdk::{Level, Rule};

pub const FSYNC: Rule = Rule {
    code: "mongodb/fsync-locked",
    level: Level::Error,
    summary: "writes to a member are blocked by fsyncLock",
    why: "A forgotten backup script: rs.status() is perfect and every write hangs. On a secondary it stops replication.",
    fix: "see it: db.currentOp().fsyncLock; release it: db.fsyncUnlock() on that member, as often as it was locked",
    source: "https://www.mongodb.com/docs/manual/reference/method/db.fsyncUnlock/",
};

pub const CONNECTIONS: Rule = Rule {
    code: "mongodb/connections-used",
    level: Level::Error,
    summary: "a member runs out of connections",
    why: "At the limit new connections are closed without a word; a release that restarts every client needs twice the usual number for a moment.",
    fix: "see it: db.serverStatus().connections, db.currentOp(true) by client and appName; lower maxPoolSize times the number of clients, or raise net.maxIncomingConnections and the ulimit",
    source: "https://www.mongodb.com/docs/manual/administration/connection-pool-overview/",
};

pub const INDEX_MISSING: Rule = Rule {
    code: "mongodb/index-missing",
    level: Level::Error,
    summary: "a declared index is missing on a member",
    why: "Queries that need it scan the whole collection. An index missing on one member only shows itself after the next failover.",
    fix: "see it on the member itself: db.COLLECTION.aggregate([{$indexStats: {}}]); db.COLLECTION.createIndex(KEYS, OPTIONS), or repeat the rolling build on that member",
    source: "https://www.mongodb.com/docs/manual/tutorial/build-indexes-on-replica-sets/",
};

pub const INDEX_DIFFERS: Rule = Rule {
    code: "mongodb/index-differs",
    level: Level::Error,
    summary: "an index has other options than declared",
    why: "An index that should be unique and is not lets duplicates in; a wrong time to live deletes too early or never.",
    fix: "see it: db.COLLECTION.getIndexes(); drop and create it anew, or change expireAfterSeconds and hidden with collMod",
    source: "https://www.mongodb.com/docs/manual/reference/command/collMod/",
};

pub const INDEX_BUILDING: Rule = Rule {
    code: "mongodb/index-building",
    level: Level::Error,
    summary: "a declared index is still being built",
    why: "Until it is finished no query uses it; getIndexes() lists it as if it were.",
    fix: "see it: db.COLLECTION.aggregate([{$indexStats: {}}]) shows building: true; wait for it, db.currentOp({msg: /^Index Build/}) shows how far it is",
    source: "https://www.mongodb.com/docs/manual/core/index-creation/",
};

pub const INDEX_HIDDEN: Rule = Rule {
    code: "mongodb/index-hidden",
    level: Level::Warning,
    summary: "an index is hidden from queries",
    why: "A hidden index costs every write and helps no read; it is meant for the days before an index is dropped.",
    fix: "see it: db.COLLECTION.getIndexes(); db.COLLECTION.unhideIndex(NAME) or dropIndex(NAME)",
    source: "https://www.mongodb.com/docs/manual/core/index-hidden/",
};

pub const INDEX_UNDECLARED: Rule = Rule {
    code: "mongodb/index-undeclared",
    level: Level::Info,
    summary: "a collection has indexes that are not declared",
    why: "Each index costs every write; one made by hand is missing in the next environment.",
    fix: "see it: db.COLLECTION.getIndexes(); declare it under `indexes`, or drop it if $indexStats shows no accesses",
    source: "",
};

pub const BUILD_RUNNING: Rule = Rule {
    code: "mongodb/index-build-running",
    level: Level::Warning,
    summary: "an index is being built on a member",
    why: "A build takes disk, memory and replication with it; a release in the middle of one is slower than it was tested.",
    fix: "see it: db.currentOp({msg: /^Index Build/}); wait for it",
    source: "https://www.mongodb.com/docs/manual/core/index-creation/",
};

pub const SLOW_LOG: Rule = Rule {
    code: "mongodb/slow-query-log",
    level: Level::Warning,
    summary: "slow queries are not logged, or only in part",
    why: "After the release the slow query log is the first place to look. It works with the profiler off, too.",
    fix: "see it: db.getProfilingStatus(); set it: db.setProfilingLevel(0, {slowms: 100, sampleRate: 1.0}) on every member, and operationProfiling in mongod.conf",
    source: "https://www.mongodb.com/docs/manual/reference/method/db.setProfilingLevel/",
};

pub const PROFILER: Rule = Rule {
    code: "mongodb/profiler-on",
    level: Level::Warning,
    summary: "the profiler records every operation",
    why: "Level 2 writes a document for each operation: it slows the database down and holds data in clear.",
    fix: "see it: db.getProfilingStatus(); db.setProfilingLevel(0, {slowms: 100})",
    source: "https://www.mongodb.com/docs/manual/tutorial/manage-the-database-profiler/",
};

pub const URI: Rule = Rule {
    code: "mongodb/uri",
    level: Level::Warning,
    summary: "the URI is not fit for an application of a replica set",
    why: "With one seed, or with directConnection, the application is down with that one member; w=0 loses writes without a word; without retryWrites every failover is an error for users.",
    fix: "mongodb://A,B,C/?replicaSet=NAME&retryWrites=true&w=majority, or mongodb+srv://; what the application should say goes under `client`",
    source: "https://www.mongodb.com/docs/manual/reference/connection-string-options/",
};

pub const MIGRATIONS: Rule = Rule {
    code: "mongodb/migrations-missing",
    level: Level::Error,
    summary: "migrations that this release needs are not recorded as applied",
    why: "The release would run against a schema that it does not know.",
    fix: "see it: db.COLLECTION.find({}, {FIELD: 1}); run the migrations, then this gate again",
    source: "",
};

pub const MIGRATIONS_AHEAD: Rule = Rule {
    code: "mongodb/migrations-unknown",
    level: Level::Warning,
    summary: "the database has migrations that this release does not know",
    why: "It was migrated by a newer release: going back to this one is a rollback in disguise.",
    fix: "see it: db.COLLECTION.find({}, {FIELD: 1}); compare with the migrations of this commit, and list them under `expected` if they are its own",
    source: "",
};

pub const DRILL: Rule = Rule {
    code: "mongodb/drill-not-recovered",
    level: Level::Error,
    summary: "the set did not recover from the failover drill",
    why: "A failover that does not work in a drill does not work at night either. The set needs attention now.",
    fix: "see it: rs.status() on every member, and what the checks of this gate name; rs.freeze(0) on the old primary lets it be elected at once",
    source: "https://www.mongodb.com/docs/manual/reference/command/replSetStepDown/",
};

pub const DRILL_NOT_BEGUN: Rule = Rule {
    code: "mongodb/drill-not-begun",
    level: Level::Error,
    summary: "the failover drill was not begun",
    why: "A drill on a set that is not well makes an outage of a fault.",
    fix: "make the set healthy first; the user needs the role clusterManager and readWrite on the database of `drill.collection`",
    source: "https://www.mongodb.com/docs/manual/reference/command/replSetStepDown/",
};
