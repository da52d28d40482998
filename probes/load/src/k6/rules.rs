//! What can be wrong with a run of k6.

use readygate_sdk::{Level, Rule};

pub(crate) const K6_RUN: Rule = Rule {
    code: "load/k6-run",
    level: Level::Error,
    summary: "a process of k6 did not go through to the end of its run",
    why: "Each segment makes its share of the load. Where one did not start, was killed or was \
          aborted, the others measured a target under less load than asked for.",
    fix: "read what the segment said last, which stands below",
    source: "https://github.com/grafana/k6/blob/master/errext/exitcodes/codes.go",
};

pub(crate) const K6_SCRIPT: Rule = Rule {
    code: "load/k6-script",
    level: Level::Error,
    summary: "iterations of the test raised exceptions, or none ran",
    why: "Even when every iteration throws, or none runs at all, k6 exits with 0. Such iterations send \
          nothing, and no request is counted as failed.",
    fix: "look at the message; most often the URL, a header or a body cannot be sent",
    source: "",
};

pub(crate) const K6_DROPPED: Rule = Rule {
    code: "load/k6-dropped-iterations",
    level: Level::Error,
    summary: "requests that were due were never sent",
    why: "A request is left out by k6 when every user still waits for an answer. That happens while the \
          target stands still, so the slowest latencies are the ones that are missing: with a stall of \
          500 ms every 5 s and 64 users it told a P95 of 8 ms, where the truth was 250 ms.",
    fix: "if the target is as fast as it should be, raise `users` (rate x worst latency x 2)",
    source: "https://grafana.com/docs/k6/latest/using-k6/scenarios/concepts/dropped-iterations/",
};

pub(crate) const K6_LAG: Rule = Rule {
    code: "load/k6-lag",
    level: Level::Error,
    summary: "k6 was late with its own requests",
    why: "Where iterations begin late although users are free, this machine is short of CPU. The \
          wait is counted in the latency, so it says more about k6 than about the target.",
    fix: "lower the rate, give k6 more cores, or use more machines; k6 makes some 10,000 requests a \
          second on a core",
    source: "",
};

pub(crate) const K6_RATE: Rule = Rule {
    code: "load/k6-rate",
    level: Level::Error,
    summary: "fewer requests were made than asked for",
    why: "A run that sent less than it should has not shown that the target bears the rate.",
    fix: "look at dropped iterations and at the CPU of this machine",
    source: "",
};

pub(crate) const K6_BOUND: Rule = Rule {
    code: "load/k6-bound",
    level: Level::Error,
    summary: "too few requests succeeded within the bound",
    why: "Percentiles of several segments cannot be merged; counts can. The share of requests that \
          succeeded within a bound is exact over all of them, and a failed request is in none.",
    fix: "make the target faster under this load, or correct the bound",
    source: "",
};

pub(crate) const K6_ERRORS: Rule = Rule {
    code: "load/k6-error-rate",
    level: Level::Error,
    summary: "more requests failed than `max_error_rate` allows",
    why: "Failures under load are what users will see.",
    fix: "look at the log of the target at the time of the run",
    source: "",
};
