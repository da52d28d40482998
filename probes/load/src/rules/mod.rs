//! What can be wrong.

mod engine;
mod import;

use readygate_sdk::Rule;

pub(crate) use engine::*;
pub(crate) use import::*;

/// Every rule that `judge` may push, in the order in which they are judged.
pub(crate) const RULES: &[Rule] = &[
    COMMAND_FAILED,
    NO_REPORT,
    UNREADABLE_REPORT,
    STALE,
    OLDER_THAN_COMMIT,
    DUPLICATE_FILE,
    MIXED_FORMATS,
    ABORTED,
    INCOMPLETE,
    CLIENT_BUSY,
    CLIENT_LATE,
    STOLEN_TIME,
    RATE_NOT_REACHED,
    CONNECTIONS_MISSING,
    NO_REQUESTS,
    ALL_FAILED,
    ERRORS,
    TARGET_SLOW,
    THRESHOLD_FAILED,
    TOO_SHORT,
    UNSAFE_LATENCY,
    CAPACITY_LATENCY,
    FEW_SAMPLES,
    NOT_RECOVERED,
    INSECURE,
];
