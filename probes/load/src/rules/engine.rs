//! What can be wrong with a load that this probe made: mostly with the probe's own part in it.

use readygate_sdk::{Level, Rule};

pub(crate) const ABORTED: Rule = Rule {
    code: "load/aborted",
    level: Level::Error,
    summary: "the load was stopped because the target broke",
    why: "A condition of `abort_on` came true, more than half of the requests failed for ten seconds, or requests \
          waited longer than `max_backlog`. More load would have shown nothing new, and might have done harm. In stress \
          the last two end the stress instead, and on the way back none of them is looked at.",
    fix: "look at the log of the target at that time; the kinds of errors are among the checks",
    source: "",
};

pub(crate) const INCOMPLETE: Rule = Rule {
    code: "load/incomplete",
    level: Level::Error,
    summary: "the load did not run as long as it should",
    why: "Leaks, full pools and garbage collection show late. A run that was interrupted, or lost a worker, has \
          not shown what it was to show, however good its numbers are.",
    fix: "run it again; raise the `timeout` of the gate or `max_requests` if these ended it",
    source: "",
};

pub(crate) const CLIENT_BUSY: Rule = Rule {
    code: "load/client-busy",
    level: Level::Error,
    summary: "a worker had hardly any CPU to spare",
    why: "A generator at its limit sends late and reads late, and blames the target for it: its latency is its own. \
          At 50,000 connections near one core, the same run gave a P95 between 24 ms and 1.2 s.",
    fix: "lower the rate, give the generator more cores (`sockets: { threads: 2 }`), or keep it apart from the \
          target",
    source: "",
};

pub(crate) const CLIENT_LATE: Rule = Rule {
    code: "load/client-late",
    level: Level::Error,
    summary: "requests were sent late, and not because of the target",
    why: "Latency counts from the time at which a request was due. What the generator delays is in it, and more than a \
          tenth of the tightest bound is too much to judge by that bound.",
    fix: "keep other work off this machine (`exclusive: true`), lower the rate, or use more cores",
    source: "",
};

pub(crate) const STOLEN_TIME: Rule = Rule {
    code: "load/stolen-time",
    level: Level::Error,
    summary: "the hypervisor took time from this machine",
    why: "While another guest runs, nothing is sent or read here, and the target seems slow.",
    fix: "run it again, on a machine with CPUs of its own; `vmstat 1` shows the time as `st`",
    source: "https://man7.org/linux/man-pages/man5/proc_stat.5.html",
};

pub(crate) const RATE_NOT_REACHED: Rule = Rule {
    code: "load/rate-not-reached",
    level: Level::Error,
    summary: "fewer requests came due than the rate asks for",
    why: "The generator itself did not get to it. The target has not seen the load that the gate is about.",
    fix: "lower the rate, or use more cores or machines",
    source: "",
};

pub(crate) const CONNECTIONS_MISSING: Rule = Rule {
    code: "load/connections-missing",
    level: Level::Error,
    summary: "fewer connections were open than asked for",
    why: "Each connection costs the target memory and a file. Where the target refuses them it does not hold the load; where \
          this machine has no ports or files left, the target has not seen it.",
    fix: "raise the limit of files (`ulimit -n`), add addresses under `sockets: { source_ips: [...] }`, or, if the \
          target refuses, its own limits (somaxconn, worker_connections)",
    source: "https://man7.org/linux/man-pages/man7/ip.7.html",
};

pub(crate) const TARGET_SLOW: Rule = Rule {
    code: "load/target-slow",
    level: Level::Error,
    summary: "requests that were due were never sent, or were answered only after the load had ended",
    why: "The backlog grew while the generator had CPU to spare. Users do not wait for each other: at this rate the \
          target falls behind without end.",
    fix: "make the target faster or the rate lower; if each response is fast enough, give the load more `connections`",
    source: "https://brooker.co.za/blog/2023/05/10/open-closed.html",
};

pub(crate) const CAPACITY_LATENCY: Rule = Rule {
    code: "load/capacity-latency",
    level: Level::Error,
    summary: "the latency of a search for capacity says nothing about a load",
    why: "With `max` the target is kept as busy as it can be, so latency is connections divided by throughput: it \
          tells how many connections were asked for.",
    fix: "use `open` at the rate that users will make, or accept it with `accept_closed_model: true`",
    source: "",
};

pub(crate) const NOT_RECOVERED: Rule = Rule {
    code: "load/not-recovered",
    level: Level::Error,
    summary: "the target did not recover from stress",
    why: "A peak passes. A target that stays slow after it (full queues, retries, a cache that was lost) needs a person \
          in the night.",
    fix: "bound queues and retries, shed load, and look at what grows during the stress",
    source: "https://sigops.org/s/conferences/hotos/2021/papers/hotos21-s11-bronson.pdf",
};

pub(crate) const INSECURE: Rule = Rule {
    code: "load/insecure",
    level: Level::Warning,
    summary: "certificates were not verified",
    why: "With `tls: { insecure: true }` the load may have gone to anybody, with the credentials in it.",
    fix: "name the authority with `tls: { ca: ca.pem }`",
    source: "",
};
