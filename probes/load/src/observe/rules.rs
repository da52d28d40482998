//! What can be wrong with what was observed.

use readygate_sdk::{Level, Rule};

/// See its texts.
pub const NOT_OBSERVED: Rule = Rule {
    code: "load/not-observed",
    level: Level::Error,
    summary: "what `observe` names could not be watched while the load was measured",
    why: "A process that is on another machine, a Redis that asks for a password, a query that gives no series: \
          without the numbers nobody knows how the target bore the load.",
    fix: "look at the reason; processes and cgroups are watched on the machine that runs the gate only, so \
          ask Prometheus about others",
    source: "",
};

/// See its texts.
pub const PROCESS_ENDED: Rule = Rule {
    code: "load/process-ended",
    level: Level::Error,
    summary: "the watched process ended, or was started anew, under load",
    why: "A supervisor that starts a crashed server at once hides the crash: a few requests fail, and memory \
          starts low again, so that a leak does not show.",
    fix: "look for the reason in the log of the process and of the kernel (`dmesg` tells of processes killed for \
          want of memory)",
    source: "",
};

/// See its texts.
pub const MEMORY_LEAK: Rule = Rule {
    code: "load/memory-leak",
    level: Level::Error,
    summary: "memory keeps growing under steady load",
    why: "Growth of a few percent an hour is invisible in a test of minutes and ends a process in days, often all \
          of them at the same time. The slope is the median of all pairs (Theil-Sen) of the smallest memory of each \
          minute, after the warm-up, so that garbage that waits to be collected is no leak.",
    fix: "take two heap profiles an hour apart and compare them; a cache without a limit is the usual reason. \
          Where growth is meant, set `max_growth`",
    source: "https://doi.org/10.1080/01621459.1968.10480934",
};
