//! The rules of the probe.

use readygate_sdk::{Level, Rule};

const GUIDELINES: &str = "https://www.monitoring-plugins.org/doc/guidelines.html";

pub const EXIT_CODE: Rule = Rule {
    code: "command/exit-code",
    level: Level::Error,
    summary: "the program ended with another exit code than it should",
    why: "The exit code is how a program says that its work is done; what failed in the pipeline fails in production.",
    fix: "run the command by hand in the same folder, and read what it says on standard error",
    source: "POSIX.1-2024, 2.8.2 Exit Status for Commands",
};

pub const STDOUT: Rule = Rule {
    code: "command/stdout",
    level: Level::Error,
    summary: "standard output is not as the config wants it",
    why: "Many programs end with 0 and say in their output what went wrong.",
    fix: "run the command by hand and compare its output with `stdout`",
    source: "",
};

pub const STDERR: Rule = Rule {
    code: "command/stderr",
    level: Level::Error,
    summary: "standard error is not as the config wants it",
    why: "Warnings and deprecations are printed there by programs that end with 0 all the same.",
    fix: "run the command by hand and compare its messages with `stderr`",
    source: "",
};

pub const NOT_JSON: Rule = Rule {
    code: "command/not-json",
    level: Level::Error,
    summary: "standard output is not JSON, and the config asks for values in it",
    why: "Values that cannot be read cannot be judged.",
    fix: "make the program print nothing but JSON (--json, --silent; messages go to standard error)",
    source: "RFC 8259",
};

pub const JSON_VALUE: Rule = Rule {
    code: "command/json-value",
    level: Level::Error,
    summary: "a value in the JSON output is not as the config wants it",
    why: "The program measured, and what it measured is not what a release needs.",
    fix: "look at the output by hand (COMMAND | jq); correct the system, or the pointer and the expectation in `json`",
    source: "RFC 6901",
};

pub const CRITICAL: Rule = Rule {
    code: "command/critical",
    level: Level::Error,
    summary: "the plugin reports a critical state (exit code 2)",
    why: "Monitoring would wake somebody for this; releasing into it makes it worse.",
    fix: "see to what the plugin names, or correct its thresholds (mostly -w and -c)",
    source: GUIDELINES,
};

pub const WARNING: Rule = Rule {
    code: "command/warning",
    level: Level::Warning,
    summary: "the plugin reports a warning state (exit code 1)",
    why: "Something is on its way to being critical.",
    fix: "see to what the plugin names, or correct its thresholds (mostly -w and -c)",
    source: GUIDELINES,
};

pub const UNKNOWN: Rule = Rule {
    code: "command/unknown",
    level: Level::Error,
    summary: "the plugin could not tell (exit code 3, or one that no plugin has)",
    why: "Wrong arguments, a missing right or a crash of the plugin say nothing about the system.",
    fix: "run the plugin by hand and read its usage (--help)",
    source: GUIDELINES,
};

pub const PERFDATA_RANGE: Rule = Rule {
    code: "command/perfdata-range",
    level: Level::Info,
    summary: "a value lies in the critical range that the plugin itself names, and the plugin says ok",
    why: "The exit code counts, never the data; but one of the two is wrong.",
    fix: "look at the thresholds of the plugin, or report it to its authors",
    source: GUIDELINES,
};

pub const BAD_PERFDATA: Rule = Rule {
    code: "command/bad-perfdata",
    level: Level::Info,
    summary: "performance data of the plugin could not be read",
    why: "Metrics are missing; an expectation on one of them is unmeasured.",
    fix: "run the plugin with LC_ALL=C (`env`): some print a decimal comma; else report it to its authors",
    source: GUIDELINES,
};

pub const EXTERNAL: Rule = Rule {
    code: "command/external",
    level: Level::Error,
    summary: "a program that speaks readygate/1 could not measure everything",
    why: "Its own rules appear as `ext/NAME/PROBLEM` with the words of the program; this one tells that some are missing.",
    fix: "see what the program says, and run it by hand with the request on its standard input",
    source: "",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[
    EXIT_CODE,
    STDOUT,
    STDERR,
    NOT_JSON,
    JSON_VALUE,
    CRITICAL,
    WARNING,
    UNKNOWN,
    PERFDATA_RANGE,
    BAD_PERFDATA,
    EXTERNAL,
];
