//! The rules of the probe: the user documentation of what can be wrong.

mod members;
mod operations;
mod replication;

use readygate_sdk::Rule;

pub use members::*;
pub use operations::*;
pub use replication::*;

pub const RULES: &[Rule] = &[
    UNREACHABLE,
    UNTRUSTED,
    LOGIN_REFUSED,
    STANDALONE,
    UNINITIALISED,
    NOT_A_MEMBER,
    WRONG_SET,
    NO_PRIMARY,
    TWO_PRIMARIES,
    DISPUTED,
    STATE,
    PEER_DOWN,
    HEARTBEAT,
    NO_MAJORITY,
    NO_SPARE,
    FEW_VOTERS,
    EVEN_VOTERS,
    ARBITER,
    ROLE,
    ONE_ELECTABLE,
    TOPOLOGY,
    UNDECLARED,
    HOST_NAME,
    CLIENT,
    SETTLED,
    LAG,
    COMMIT_LAG,
    OPLOG,
    ELECTION,
    ELECTIONS,
    VERSIONS,
    FCV,
    CLOCK,
    FSYNC,
    CONNECTIONS,
    INDEX_MISSING,
    INDEX_DIFFERS,
    INDEX_BUILDING,
    INDEX_HIDDEN,
    INDEX_UNDECLARED,
    BUILD_RUNNING,
    SLOW_LOG,
    PROFILER,
    URI,
    MIGRATIONS,
    MIGRATIONS_AHEAD,
    DRILL,
    DRILL_NOT_BEGUN,
];

/// What an election, a restart or a slow moment can cause; worth another look before it is judged.
pub const PASSING: &[Rule] = &[
    UNREACHABLE,
    UNINITIALISED,
    NOT_A_MEMBER,
    NO_PRIMARY,
    TWO_PRIMARIES,
    DISPUTED,
    STATE,
    PEER_DOWN,
    HEARTBEAT,
    NO_MAJORITY,
    LAG,
    COMMIT_LAG,
    FSYNC,
    CLIENT,
    HOST_NAME,
];
