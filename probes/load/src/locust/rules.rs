//! What can be wrong with a run of Locust.

use readygate_sdk::{Level, Rule};

pub(crate) const LOCUST_RUN: Rule = Rule {
    code: "load/locust-run",
    level: Level::Error,
    summary: "the run of Locust did not go through to its end",
    why: "Locust exits with 0 when all its workers were killed, and with 1 both for one failed \
          request and for a run that never began. The exit code alone tells nothing.",
    fix: "read what the master and the workers said last, which stands below",
    source: "",
};

pub(crate) const LOCUST_WORKERS: Rule = Rule {
    code: "load/locust-workers",
    level: Level::Error,
    summary: "a worker was lost, or never came",
    why: "When a worker is killed its users stop and the rest of the run puts less load on the \
          target: half the load, better numbers, exit code 0. A worker that was only silent for some \
          seconds sent its users' requests late or not at all.",
    fix: "look at the machine of the worker (memory, CPU, network), and run again",
    source: "https://github.com/locustio/locust/issues/1707",
};

pub(crate) const LOCUST_USERS: Rule = Rule {
    code: "load/locust-users",
    level: Level::Error,
    summary: "fewer users were at work than asked for",
    why: "Numbers of half the users say nothing about all of them.",
    fix: "give the workers more time to start users (`spawn_rate`, `warmup`) or use more workers",
    source: "",
};

pub(crate) const LOCUST_CPU: Rule = Rule {
    code: "load/locust-cpu",
    level: Level::Error,
    summary: "a worker was short of CPU",
    why: "One worker is one Python process on one core. Beyond 90 % its own queueing is in every \
          latency, and it sends less than it should.",
    fix: "use more workers: one for each core, and 1,500 to 2,000 requests a second on each",
    source: "https://docs.locust.io/en/stable/running-distributed.html",
};

pub(crate) const LOCUST_RATE: Rule = Rule {
    code: "load/locust-rate",
    level: Level::Error,
    summary: "the rate that was asked for was not reached",
    why: "Locust's users wait for each answer. When the target slows down they send less, and what \
          they did not send is in no latency: the rate is what shows it.",
    fix: "if the target is as fast as it should be, give more users; else this is what it can do",
    source: "",
};

pub(crate) const LOCUST_TEST: Rule = Rule {
    code: "load/locust-test",
    level: Level::Error,
    summary: "the test itself raised errors",
    why: "A user whose task raises an exception sends nothing, and no request is counted as failed.",
    fix: "look at the message; most often the URL, a header or a body cannot be sent",
    source: "",
};
