//! Members, votes, names.

use readygate_sdk::{Level, Rule};

pub const UNREACHABLE: Rule = Rule {
    code: "mongodb/member-unreachable",
    level: Level::Error,
    summary: "a member does not answer",
    why: "The set may still serve, but it has lost its spare: the next failure stops writes. The other members notice a dead member late, a hung one after ten seconds, and the drivers not at all.",
    fix: "on its host: systemctl status mongod, tail the log, df -h, dmesg (out of memory); from here: mongosh \"mongodb://HOST:PORT/?directConnection=true\" --eval 'db.hello()'",
    source: "https://www.mongodb.com/docs/manual/replication/",
};

pub const UNTRUSTED: Rule = Rule {
    code: "mongodb/member-untrusted",
    level: Level::Error,
    summary: "TLS with a member does not come about",
    why: "Applications with the same certificates cannot use this member either; after a failover to it they stop. Where it is so with every member, nothing is known of the set.",
    fix: "see the certificate: openssl s_client -connect HOST:PORT -showcerts; set `tls.ca` (and `tls.cert_key` where the server wants ours), or renew the certificate with the member's name in it",
    source: "https://www.mongodb.com/docs/manual/tutorial/configure-ssl/",
};

pub const LOGIN_REFUSED: Rule = Rule {
    code: "mongodb/login-refused",
    level: Level::Error,
    summary: "a member rejects the credentials of the URI",
    why: "The member is up, but most of what this gate asks needs a login: it cannot tell whether the set is well.",
    fix: "check user, password (percent-encoded) and authSource: mongosh \"$MONGODB_URI\" --eval 'db.runCommand({connectionStatus: 1})'; a user for this gate: db.getSiblingDB('admin').createUser({user: 'readygate', pwd: passwordPrompt(), roles: ['clusterMonitor']})",
    source: "https://www.mongodb.com/docs/manual/reference/built-in-roles/#mongodb-authrole-clusterMonitor",
};

pub const STANDALONE: Rule = Rule {
    code: "mongodb/not-a-replica-set",
    level: Level::Error,
    summary: "a member runs without replication",
    why: "A standalone mongod accepts writes that no other member will ever see. It is mostly a maintenance window that nobody closed.",
    fix: "see it: db.hello() has no setName; start it with --replSet NAME (replication.replSetName) again",
    source: "https://www.mongodb.com/docs/manual/tutorial/convert-standalone-to-replica-set/",
};

pub const UNINITIALISED: Rule = Rule {
    code: "mongodb/not-initiated",
    level: Level::Error,
    summary: "a member waits to be initiated",
    why: "The process runs with --replSet but belongs to no set yet: it takes neither reads nor writes.",
    fix: "see it: rs.status() says NotYetInitialized; run rs.initiate() once for a new set, or rs.add('HOST:PORT') on the primary to add this member",
    source: "https://www.mongodb.com/docs/manual/reference/method/rs.initiate/",
};

pub const NOT_A_MEMBER: Rule = Rule {
    code: "mongodb/not-a-member",
    level: Level::Error,
    summary: "a host that should be a member is not in the set's config",
    why: "A removed member looks fine from inside: the others no longer count it, so everything is green with one copy of the data less.",
    fix: "see it: rs.conf().members on the primary, rs.status() on the host; rs.add('HOST:PORT') to take it back, correct --replSet if it names another set, or take the host out of the config of this gate",
    source: "https://www.mongodb.com/docs/manual/reference/method/rs.add/",
};

pub const WRONG_SET: Rule = Rule {
    code: "mongodb/wrong-set-name",
    level: Level::Error,
    summary: "the set has another name than asked for",
    why: "Drivers given a wrong replicaSet find no server at all; and a gate that looks at another set than the application's proves nothing.",
    fix: "see it: db.hello().setName; correct replicaSet= in the URI (or `replica_set`), or the host that belongs to another set",
    source: "https://www.mongodb.com/docs/manual/reference/connection-string-options/",
};

pub const NO_PRIMARY: Rule = Rule {
    code: "mongodb/no-primary",
    level: Level::Error,
    summary: "no member accepts writes",
    why: "Without a primary every write fails. An election takes about electionTimeoutMillis, ten seconds by default; longer means that no majority can vote.",
    fix: "see it: rs.status().members.map(m => [m.name, m.stateStr]); bring members back until a majority of the votes is there; only then think of rs.reconfig with force",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-elections/",
};

pub const TWO_PRIMARIES: Rule = Rule {
    code: "mongodb/two-primaries",
    level: Level::Error,
    summary: "more than one member accepts writes",
    why: "The older primary is cut off from the majority: what it takes with w:1 will be rolled back. It should step down within ten seconds.",
    fix: "see it: db.hello().electionId on each, the higher one is real; look at the network between the members",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-rollbacks/",
};

pub const DISPUTED: Rule = Rule {
    code: "mongodb/primary-disputed",
    level: Level::Error,
    summary: "the members do not agree on who is the primary",
    why: "After an election this lasts a heartbeat; longer, some members cannot hear each other.",
    fix: "see it: db.hello().primary on each member; check that every member reaches every other by the names in rs.conf()",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-elections/",
};

pub const STATE: Rule = Rule {
    code: "mongodb/member-state",
    level: Level::Error,
    summary: "a member is neither primary, secondary nor arbiter",
    why: "A member in initial sync, recovery or rollback serves nobody and cannot take over.",
    fix: "see it on the member itself: rs.status().myState, rs.status().initialSyncStatus, db.adminCommand({replSetGetStatus: 1}).members",
    source: "https://www.mongodb.com/docs/manual/reference/replica-states/",
};

pub const PEER_DOWN: Rule = Rule {
    code: "mongodb/seen-down",
    level: Level::Warning,
    summary: "members take a member for down that answers us",
    why: "After a restart this passes with the next heartbeat. If it stays, the members cannot reach each other, and this one takes no part in elections and commits.",
    fix: "see it: rs.status().members[].lastHeartbeatMessage on each; check the network and the names of rs.conf() from the other members",
    source: "https://www.mongodb.com/docs/manual/tutorial/troubleshoot-replica-sets/",
};

pub const HEARTBEAT: Rule = Rule {
    code: "mongodb/heartbeat-stale",
    level: Level::Warning,
    summary: "a member has not heard from another one for too long",
    why: "Heartbeats that come in one direction only are the first sign of a firewall or a link that fails one way.",
    fix: "see it: rs.status().members.map(m => [m.name, m.lastHeartbeatRecv]) compared with rs.status().date; check the network both ways",
    source: "https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/",
};

pub const NO_MAJORITY: Rule = Rule {
    code: "mongodb/no-majority",
    level: Level::Error,
    summary: "too few healthy members for majority writes or elections",
    why: "With w:majority, the default since 5.0, writes wait for ever. A primary that has just lost its majority still looks healthy for ten seconds.",
    fix: "see it: rs.status().writeMajorityCount against the members that are PRIMARY or SECONDARY; bring members back",
    source: "https://www.mongodb.com/docs/manual/reference/write-concern/",
};

pub const NO_SPARE: Rule = Rule {
    code: "mongodb/no-spare-member",
    level: Level::Warning,
    summary: "one more failure stops majority writes",
    why: "A set without a spare has the cost of replication and the availability of a single server, and every maintenance is an outage.",
    fix: "see it: rs.status().writeMajorityCount against the healthy data-bearing voters; add a data-bearing voter",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-architectures/",
};

pub const FEW_VOTERS: Rule = Rule {
    code: "mongodb/few-data-voters",
    level: Level::Warning,
    summary: "the set has fewer than three data-bearing members with a vote",
    why: "Three is the least with which one may fail and majority writes go on.",
    fix: "see it: rs.conf().members; rs.add a member with data and a vote, in place of an arbiter if there is one",
    source: "https://www.mongodb.com/docs/manual/administration/production-checklist-operations/",
};

pub const EVEN_VOTERS: Rule = Rule {
    code: "mongodb/even-voters",
    level: Level::Warning,
    summary: "the number of voting members is even",
    why: "The last voter buys no tolerance for failures, and a network that splits in halves leaves no side with a majority.",
    fix: "see it: rs.status().votingMembersCount; give one member votes: 0 and priority: 0, or add one",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-architectures/",
};

pub const ARBITER: Rule = Rule {
    code: "mongodb/arbiter",
    level: Level::Warning,
    summary: "the set has an arbiter that is not declared",
    why: "With primary, secondary and arbiter, the loss of the secondary leaves a primary whose majority writes hang, and everything looks healthy.",
    fix: "see it: rs.conf().members.filter(m => m.arbiterOnly); replace it by a member with data, or declare `topology: { arbiters: 1 }`",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-arbiter/",
};

pub const ROLE: Rule = Rule {
    code: "mongodb/special-member",
    level: Level::Warning,
    summary: "a member is hidden, delayed, without a vote, unelectable or without indexes, and not declared so",
    why: "Such a member counts in every overview and does not take over when it is needed.",
    fix: "see it: rs.conf().members; correct it with rs.reconfig, or declare it under `topology` (hidden, delayed, voting)",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-hidden-member/",
};

pub const ONE_ELECTABLE: Rule = Rule {
    code: "mongodb/one-electable",
    level: Level::Error,
    summary: "only one member can become primary",
    why: "When it is gone, nobody takes over.",
    fix: "see it: rs.conf().members.map(m => [m.host, m.priority]); give a second member a priority above 0",
    source: "https://www.mongodb.com/docs/manual/core/replica-set-priority-0-member/",
};

pub const TOPOLOGY: Rule = Rule {
    code: "mongodb/topology-differs",
    level: Level::Error,
    summary: "the set is not the one that `topology` and `hosts` declare",
    why: "A set that lost a member by reconfiguration looks perfect from inside; only the declared shape shows it.",
    fix: "see it: rs.conf().members; correct the set with rs.add, rs.remove or rs.reconfig, or the declaration if the change was meant",
    source: "",
};

pub const UNDECLARED: Rule = Rule {
    code: "mongodb/topology-undeclared",
    level: Level::Info,
    summary: "neither `topology` nor `hosts` says what the set should look like",
    why: "A member removed from the set cannot be noticed by looking at the set.",
    fix: "declare `topology: { members: 3 }`, or list `hosts`",
    source: "",
};

pub const HOST_NAME: Rule = Rule {
    code: "mongodb/host-name-unusable",
    level: Level::Error,
    summary: "a host name of the set's config cannot be used from here",
    why: "Drivers take the seeds to find the set, and then connect to the names in its config. If those do not resolve or accept, applications find no server though every member is well.",
    fix: "see it: rs.conf().members.map(m => m.host), then getent hosts NAME and nc -vz NAME PORT from here; use names that hold inside and outside (rs.reconfig, or split horizon DNS)",
    source: "https://www.mongodb.com/docs/manual/tutorial/troubleshoot-replica-sets/",
};

pub const CLIENT: Rule = Rule {
    code: "mongodb/client-finds-no-primary",
    level: Level::Error,
    summary: "a driver that connects to the set as a whole finds no primary",
    why: "This is what the application does. Members that answer one by one are of no use to it if discovery fails.",
    fix: "see it: mongosh \"$MONGODB_URI\" --eval 'db.hello().primary'; compare the names of rs.conf() with what resolves here",
    source: "https://www.mongodb.com/docs/manual/reference/connection-string/",
};

pub const SETTLED: Rule = Rule {
    code: "mongodb/needed-settling",
    level: Level::Info,
    summary: "the set was not as wanted at first",
    why: "Elections and restarts pass by themselves; if every run shows this, they happen too often.",
    fix: "see what happened: the log of the primary, component REPL and ELECTION",
    source: "",
};
