//! What can be wrong.

mod engine;
mod import;

use readygate_sdk::Rule;

use crate::observe;

use crate::{k6::rules as k6, locust::rules as locust};

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
    locust::LOCUST_RUN,
    locust::LOCUST_WORKERS,
    locust::LOCUST_USERS,
    locust::LOCUST_CPU,
    locust::LOCUST_TEST,
    locust::LOCUST_RATE,
    k6::K6_RUN,
    k6::K6_SCRIPT,
    k6::K6_LAG,
    k6::K6_DROPPED,
    k6::K6_RATE,
    k6::K6_BOUND,
    k6::K6_ERRORS,
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
    observe::NOT_OBSERVED,
    observe::PROCESS_ENDED,
    observe::MEMORY_LEAK,
];
