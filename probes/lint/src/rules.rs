//! The rules of the probe.

use readygate_sdk::{Level, Rule};

pub const COMMAND_FAILED: Rule = Rule {
    code: "lint/command-failed",
    level: Level::Error,
    summary: "the linter did not run to its end",
    why: "Linters end with one exit code when they find something, and with another when they could \
          not work: a broken config, an unknown rule, no files. Then there are no findings either.",
    fix: "run the command by hand in the same folder and read what it prints last; name other good \
          exit codes in `exit_codes`",
    source: "https://eslint.org/docs/latest/use/command-line-interface#exit-codes",
};

pub const NO_REPORT: Rule = Rule {
    code: "lint/no-report",
    level: Level::Error,
    summary: "a pattern under `reports` matches no file",
    why: "A linter that left no report may not have run; the other reports say nothing about it.",
    fix: "look whether the linter ran and where it writes, or correct the pattern; it is relative to \
          the folder of the config",
    source: "",
};

pub const UNREADABLE_REPORT: Rule = Rule {
    code: "lint/unreadable-report",
    level: Level::Error,
    summary: "a report is empty, cut off, or of no format known here",
    why: "A report that breaks off was written by a linter that was killed or crashed. What is \
          missing may be the findings.",
    fix: "run the linter again and look why it ended early; `format` names the format where its \
          content does not",
    source: "",
};

pub const INCOMPLETE_RUN: Rule = Rule {
    code: "lint/incomplete-run",
    level: Level::Error,
    summary: "the linter did not do all of its work, by its own report",
    why: "No findings of a run that failed are no good news.",
    fix: "repair what the linter complains about, and run it again",
    source: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html",
};

pub const DOUBTFUL_REPORT: Rule = Rule {
    code: "lint/doubtful-report",
    level: Level::Error,
    summary: "a report lists nothing that was linted, or fewer results than it claims",
    why: "A pattern that matches no file, or an ignore file that matches all, gives a clean report \
          of nothing.",
    fix: "look which files the linter takes; where it lists only files with results, set \
          `empty_is_clean: true`",
    source: "",
};

pub const STALE_REPORT: Rule = Rule {
    code: "lint/stale-report",
    level: Level::Error,
    summary: "a report is older than the run of the linter or than `max_age`",
    why: "A report of an earlier run says nothing about the code that is released.",
    fix: "delete old reports before the linter runs, and see that it writes them anew",
    source: "",
};

pub const ERRORS: Rule = Rule {
    code: "lint/errors",
    level: Level::Error,
    summary: "the linter found errors",
    why: "What a team has graded as an error is a fault by its own rules.",
    fix: "correct the code, or grade the rule otherwise in the config of the linter; known faults \
          can wait in a `baseline`",
    source: "",
};

pub const WARNINGS: Rule = Rule {
    code: "lint/warnings",
    level: Level::Warning,
    summary: "the linter found warnings",
    why: "Warnings pile up until nobody reads them. Limit them with `expect: { warnings: \"<= 10\" }`, \
          or the new ones with `baseline` and `expect: { new: \"== 0\" }`.",
    fix: "correct the code, or switch the rule off where it is wrong",
    source: "",
};

pub const SUPPRESSED: Rule = Rule {
    code: "lint/suppressed",
    level: Level::Info,
    summary: "results are suppressed, and do not count",
    why: "Each was accepted by somebody, in the code or in a tool. That should be known when a \
          release is decided.",
    fix: "look through the suppressions from time to time",
    source: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html",
};

pub const BASELINE: Rule = Rule {
    code: "lint/unreadable-baseline",
    level: Level::Error,
    summary: "the baseline cannot be read",
    why: "Without it, which results are new is not known.",
    fix: "put an earlier report of the linter there, in any of the formats",
    source: "",
};

pub const DUPLICATE_FILE: Rule = Rule {
    code: "lint/duplicate-file",
    level: Level::Warning,
    summary: "two reports have the same bytes",
    why: "They are counted once. Perhaps another one was meant to be there, of a part whose report \
          was overwritten.",
    fix: "write each report to its own file and narrow the pattern down",
    source: "",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[
    COMMAND_FAILED,
    NO_REPORT,
    UNREADABLE_REPORT,
    INCOMPLETE_RUN,
    DOUBTFUL_REPORT,
    STALE_REPORT,
    BASELINE,
    ERRORS,
    WARNINGS,
    SUPPRESSED,
    DUPLICATE_FILE,
];
