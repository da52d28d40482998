//! Replication, elections, versions, clocks.

use readygate_sdk::{Level, Rule};

pub const LAG: Rule = Rule {
    code: "mongodb/replication-lag",
    level: Level::Error,
    summary: "a secondary is behind the primary",
    why: "Reads from it are stale by that much, and after a failover to it the newest writes without w:majority are gone.",
    fix: "see it: rs.printSecondaryReplicationInfo(); look for a slow disk, an index build, a long operation (db.currentOp()) or fsyncLock on that member",
    source: "https://www.mongodb.com/docs/manual/tutorial/troubleshoot-replica-sets/#check-the-replication-lag",
};

pub const COMMIT_LAG: Rule = Rule {
    code: "mongodb/commit-lag",
    level: Level::Error,
    summary: "the newest writes do not reach a majority",
    why: "Writes with w:majority, the default since 5.0, wait for exactly this. All states can be green meanwhile: secondaries that are up and do not replicate, or a set of primary, secondary and arbiter without its secondary.",
    fix: "see it: rs.status().optimes on the primary, lastAppliedWallTime against lastCommittedWallTime; find the secondaries that stand still with rs.printSecondaryReplicationInfo()",
    source: "https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/#mongodb-data-replSetGetStatus.optimes",
};

pub const OPLOG: Rule = Rule {
    code: "mongodb/oplog-window",
    level: Level::Error,
    summary: "the oplog reaches back too short a time",
    why: "A member that is away for longer than this cannot catch up and must copy all data anew; so must a point-in-time backup.",
    fix: "see it: rs.printReplicationInfo(); enlarge it: db.adminCommand({replSetResizeOplog: 1, size: MEGABYTES, minRetentionHours: 24})",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-oplog/",
};

pub const ELECTION: Rule = Rule {
    code: "mongodb/recent-election",
    level: Level::Warning,
    summary: "there was an election a short time ago",
    why: "An election before a release is either a maintenance still under way or a sign of trouble.",
    fix: "see it: rs.status().electionCandidateMetrics on the primary, lastElectionReason and lastElectionDate; then the log of the old primary",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-elections/",
};

pub const ELECTIONS: Rule = Rule {
    code: "mongodb/election-churn",
    level: Level::Warning,
    summary: "elections follow each other",
    why: "Each one is an outage for writes. Flapping networks, stalls of the disk and overload show themselves this way first.",
    fix: "see it: db.serverStatus().electionMetrics on each member, rs.status().term; look at the network and the load of the primaries",
    source: "https://www.mongodb.com/docs/manual/reference/command/serverStatus/#electionmetrics",
};

pub const VERSIONS: Rule = Rule {
    code: "mongodb/version-skew",
    level: Level::Warning,
    summary: "the members run different versions",
    why: "During a rolling upgrade this is right for an hour. If it stays, the upgrade was not finished, and after a failover the application talks to another version.",
    fix: "see it: db.version() on each member; finish the rolling upgrade. More than one major version apart is not supported at all",
    source: "https://www.mongodb.com/docs/manual/tutorial/upgrade-revision/",
};

pub const FCV: Rule = Rule {
    code: "mongodb/feature-version",
    level: Level::Warning,
    summary: "the feature compatibility version is not that of the programs",
    why: "The upgrade is half done: new features are off, and the next upgrade will be refused.",
    fix: "see it: db.adminCommand({getParameter: 1, featureCompatibilityVersion: 1}); finish it: db.adminCommand({setFeatureCompatibilityVersion: 'MAJOR.MINOR'}) (with confirm: true from 7.0 on)",
    source: "https://www.mongodb.com/docs/manual/reference/command/setFeatureCompatibilityVersion/",
};

pub const CLOCK: Rule = Rule {
    code: "mongodb/clock-skew",
    level: Level::Warning,
    summary: "the clocks of the members differ",
    why: "Timestamps, TTL indexes, sessions and certificates go by these clocks; lag does not show the difference.",
    fix: "see it: db.hello().localTime on each member; on the hosts: chronyc tracking or timedatectl",
    source: "https://www.mongodb.com/docs/manual/administration/production-notes/",
};
