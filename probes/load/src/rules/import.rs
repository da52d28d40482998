//! What can be wrong with results, whoever made them.

use readygate_sdk::{Level, Rule};

pub(crate) const COMMAND_FAILED: Rule = Rule {
    code: "load/command-failed",
    level: Level::Error,
    summary: "the load tool did not end with exit code 0",
    why: "The exit code tells more than the file: k6 says by 99 that a threshold failed, Locust by 1 that requests did, Gatling \
          by 2 that an assertion did. It can also be the only sign of a tool that was killed.",
    fix: "run the tool by hand in the same folder and read what it prints last",
    source: "",
};

pub(crate) const NO_REPORT: Rule = Rule {
    code: "load/no-report",
    level: Level::Error,
    summary: "a pattern under `reports` matches no file",
    why: "Locust writes no file when too few workers came, k6 none when it is killed. The other \
          parts of the run say nothing about the missing one.",
    fix: "look whether the tool ran to its end and where it writes, or correct the pattern; it is \
          relative to the folder of the config",
    source: "",
};

pub(crate) const UNREADABLE_REPORT: Rule = Rule {
    code: "load/unreadable-report",
    level: Level::Error,
    summary: "a result file is empty, cut off, or of no known format",
    why: "A file that breaks off lacks the end of the run, where a system under load fails first. \
          What was read of it does not count.",
    fix: "run the load tool again to its end, and name the format with `format` if it is not \
          recognised",
    source: "",
};

pub(crate) const STALE: Rule = Rule {
    code: "load/stale",
    level: Level::Error,
    summary: "a result is older than the run of the tool or than `max_age`",
    why: "A result of last month says nothing about the version that is released. It stays on disk \
          when the tool did not start, or when a cache restored it.",
    fix: "delete old results before the tool runs, and run it again",
    source: "",
};

pub(crate) const OLDER_THAN_COMMIT: Rule = Rule {
    code: "load/older-than-commit",
    level: Level::Error,
    summary: "a result was made before the commit that is released",
    why: "Load was put on another version.",
    fix: "deploy the commit and run the load tool again",
    source: "",
};

pub(crate) const DUPLICATE_FILE: Rule = Rule {
    code: "load/duplicate-file",
    level: Level::Warning,
    summary: "two result files have the same bytes",
    why: "A copy would count its requests twice, so it is counted once. Perhaps the result of \
          another worker was meant to be there.",
    fix: "write each result to its own file and narrow the pattern down",
    source: "",
};

pub(crate) const MIXED_FORMATS: Rule = Rule {
    code: "load/mixed-formats",
    level: Level::Error,
    summary: "the files are of different formats, so they are not parts of one run",
    why: "Two formats are often the same run written twice, whose requests would count double, or \
          two runs that should be judged apart: a good one would cover a bad one.",
    fix: "use one gate for each run, and one format in each",
    source: "",
};

pub(crate) const NO_REQUESTS: Rule = Rule {
    code: "load/no-requests",
    level: Level::Error,
    summary: "no request was made, or the file does not say how many",
    why: "A run without samples has no errors and no slow response. k6 exits with 0 when every \
          iteration throws an exception, Locust when no user started, wrk when no connection opened.",
    fix: "run the tool by hand and look whether it reaches the target; use a format that counts \
          requests",
    source: "",
};

pub(crate) const ALL_FAILED: Rule = Rule {
    code: "load/all-failed",
    level: Level::Error,
    summary: "every request failed",
    why: "A target that refuses every connection or answers 404 to everything is fast. Most load \
          tools exit with 0 all the same, and some call it a success rate of 100 %.",
    fix: "look at the URL, the target and its log; the kinds of errors are below",
    source: "",
};

pub(crate) const ERRORS: Rule = Rule {
    code: "load/errors",
    level: Level::Warning,
    summary: "requests failed",
    why: "Failures under load are what users will see. How many are too many is for the gate to say: \
          `expect: { error_rate: \"< 0.1%\" }`. Where it says nothing, more than 1 % of the \
          requests are an error.",
    fix: "look at the log of the target at the time of the run; the kinds of errors are below",
    source: "",
};

pub(crate) const THRESHOLD_FAILED: Rule = Rule {
    code: "load/threshold-failed",
    level: Level::Error,
    summary: "a threshold of the load tool's own did not hold",
    why: "Whoever wrote the script said what is good enough. In the summary export of k6 `true` says \
          that a threshold failed, which is easily read the other way round.",
    fix: "make the target fast enough, or correct the threshold in the script of the tool",
    source: "https://github.com/grafana/k6/issues/1498",
};

pub(crate) const TOO_SHORT: Rule = Rule {
    code: "load/too-short",
    level: Level::Error,
    summary: "the run is shorter than `min_duration`",
    why: "Leaks, full pools, expired caches and garbage collection show after minutes. A run that \
          was cut short has not shown what it was to show.",
    fix: "let the tool run as long as `min_duration` says",
    source: "",
};

pub(crate) const UNSAFE_LATENCY: Rule = Rule {
    code: "load/unsafe-latency",
    level: Level::Warning,
    summary: "the latency may leave out the worst (coordinated omission)",
    why: "A tool that waits for an answer before it sends again sends nothing while the target \
          stands still. With a stall of 500 ms every 5 s, oha, k6 with a limit of users, hey, \
          autocannon, Locust and Artillery tell a P95 of 1 to 29 ms, where users would see 250 ms.",
    fix: "use a constant rate and latency from the time at which a request was due: wrk2, oha with \
          `-q` and `--latency-correction` (then set `latency_corrected: true`), nighthawk with \
          `--open-loop`; or accept it with `accept_closed_model: true`",
    source: "https://www.usenix.org/conference/nsdi-06/open-versus-closed-cautionary-tale",
};

pub(crate) const FEW_SAMPLES: Rule = Rule {
    code: "load/few-samples",
    level: Level::Warning,
    summary: "too few requests were timed for a 95th percentile",
    why: "Of 100 requests five lie above the 95th percentile, so two slow ones more or less move it \
          anywhere. With ten above it, which takes 200 requests, it starts to tell something; the \
          99th takes 1000.",
    fix: "let the tool send more requests",
    source: "",
};
