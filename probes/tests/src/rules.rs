//! What can be wrong.

use readygate_sdk::{Level, Rule};

/// Every rule that `judge` may push, in the order in which they are judged.
pub(crate) const RULES: &[Rule] = &[
    COMMAND_FAILED,
    NO_REPORT,
    UNREADABLE_REPORT,
    STALE_REPORT,
    OLDER_THAN_COMMIT,
    FAILED,
    SUITE_ERROR,
    CONTRADICTORY_STATUS,
    COUNTS_DISAGREE,
    UNEXPANDED_ENTITY,
    AMBIGUOUS_RETRY,
    NOTHING_EXECUTED,
    FLAKY,
    DUPLICATE_FILE,
];

pub(crate) const COMMAND_FAILED: Rule = Rule {
    code: "tests/command-failed",
    level: Level::Error,
    summary: "the test command did not end with exit code 0",
    why: "A test runner says by its exit code whether the run as a whole went well. It can be the \
          only sign of a failure: of a coverage limit, an unhandled error, a suite that did not \
          load, or of a runner that was killed before it wrote its report.",
    fix: "run the command by hand in the same folder and read what it prints last",
    source: "",
};

pub(crate) const NO_REPORT: Rule = Rule {
    code: "tests/no-report",
    level: Level::Error,
    summary: "a pattern under `reports` matches no file",
    why: "A part of the tests that was to be read left no report. Its tests may not have run, or \
          have run and failed; the other reports say nothing about it.",
    fix: "look whether these tests ran and where their report is written, or correct the pattern; \
          it is relative to the folder of the config",
    source: "",
};

pub(crate) const UNREADABLE_REPORT: Rule = Rule {
    code: "tests/unreadable-report",
    level: Level::Error,
    summary: "a report is empty, cut off, not well-formed, or not JUnit XML",
    why: "A report that breaks off often does so because the test runner was killed: out of \
          memory, timeout, full disk. The failures may stand in the part that is missing, so \
          what was read of it does not count.",
    fix: "run the tests again; if the report stays broken, `xmllint --noout FILE` shows where, \
          and the fault is in the reporter that writes it",
    source: "https://www.w3.org/TR/xml/#sec-well-formed",
};

pub(crate) const STALE_REPORT: Rule = Rule {
    code: "tests/stale-report",
    level: Level::Error,
    summary: "a report is older than the test run or than `max_age`",
    why: "A report of an earlier run says nothing about the code that is released. It stays on \
          disk when the tests did not start, when a build tool skipped them as up to date, or \
          when a cache restored it.",
    fix: "delete old reports before the tests run (`rm -rf reports`), and make the build tool run \
          the tests again (`--rerun-tasks`, `-count=1`, `--no-cache`)",
    source: "https://github.com/jenkinsci/junit-plugin",
};

pub(crate) const OLDER_THAN_COMMIT: Rule = Rule {
    code: "tests/older-than-commit",
    level: Level::Warning,
    summary: "a report was made before the commit that it should be of",
    why: "Tests that ran before the commit existed did not test it. A build cache may restore such \
          a report honestly, which is why this only warns; `max_age` sets a limit that fails.",
    fix: "run the tests again on this commit",
    source: "https://github.com/jenkinsci/junit-plugin",
};

pub(crate) const FAILED: Rule = Rule {
    code: "tests/failed",
    level: Level::Error,
    summary: "tests failed",
    why: "A failed test is a promise about the system that does not hold.",
    fix: "fix the code or the test; the message and the place are below",
    source: "",
};

pub(crate) const SUITE_ERROR: Rule = Rule {
    code: "tests/suite-error",
    level: Level::Error,
    summary: "a whole suite failed, outside any test case",
    why: "When the set-up of a suite fails, its tests are not run and not in the report, so \
          nothing else in it looks wrong.",
    fix: "look at the set-up and the imports of the suite; its message is below",
    source: "https://github.com/jenkinsci/junit-plugin",
};

pub(crate) const CONTRADICTORY_STATUS: Rule = Rule {
    code: "tests/contradictory-status",
    level: Level::Error,
    summary: "a test case says that it failed and holds no failure",
    why: "The `status` or `result` attribute says failed, but there is no `<failure>` or \
          `<error>` element, by which every consumer counts. One of them is wrong, and it could \
          be the pass.",
    fix: "look at the test; if it passed, correct the reporter that writes the attribute",
    source: "",
};

pub(crate) const COUNTS_DISAGREE: Rule = Rule {
    code: "tests/counts-disagree",
    level: Level::Error,
    summary: "a report claims other counts than it holds",
    why: "The counts in the attributes of a suite often differ a little from its elements, and \
          the elements count. But where more executed tests or more failures are claimed than \
          there are elements, results are missing from the report.",
    fix: "run the tests again; if the counts stay apart, the fault is in the reporter or in the \
          tool that merged the reports",
    source: "",
};

pub(crate) const UNEXPANDED_ENTITY: Rule = Rule {
    code: "tests/unexpanded-entity",
    level: Level::Error,
    summary: "a report includes content by an entity, which is never expanded",
    why: "Entities of a DOCTYPE can stand for any content, failed tests too, and can be used to \
          read files or to fill the memory. They are therefore not expanded, and what they stand \
          for is unknown.",
    fix: "write the report without a DOCTYPE; `xmllint --noent FILE` writes entities out, for a \
          file that you trust",
    source: "https://cwe.mitre.org/data/definitions/611.html",
};

pub(crate) const AMBIGUOUS_RETRY: Rule = Rule {
    code: "tests/ambiguous-retry",
    level: Level::Error,
    summary: "attempts were folded that may be different tests",
    why: "With `retries: fold`, cases with the same name are attempts of one test. Cases without \
          a name cannot be told apart: the pass of one would hide the failure of another.",
    fix: "give the tests names in the report, or set `retries: separate`",
    source: "",
};

pub(crate) const NOTHING_EXECUTED: Rule = Rule {
    code: "tests/nothing-executed",
    level: Level::Error,
    summary: "no test was executed",
    why: "A run without tests has no failures either. It happens when a filter matches nothing, \
          when discovery fails, or when everything is skipped for want of a database.",
    fix: "look at the filter, the test discovery, and the reason of the skips",
    source: "",
};

pub(crate) const FLAKY: Rule = Rule {
    code: "tests/flaky",
    level: Level::Warning,
    summary: "tests passed in one attempt and not in another",
    why: "A flaky test hides a race in the test or in the system, and teaches people to press \
          retry. Limit them with `expect: { flaky: \"== 0\" }`.",
    fix: "repeat the test alone until it fails, and fix the race",
    source: "https://maven.apache.org/surefire/maven-surefire-plugin/examples/rerun-failing-tests.html",
};

pub(crate) const DUPLICATE_FILE: Rule = Rule {
    code: "tests/duplicate-file",
    level: Level::Warning,
    summary: "two reports have the same bytes",
    why: "A report that was copied would count its tests twice, so it is counted once. Perhaps \
          another one was meant to be there, of a shard whose report was overwritten.",
    fix: "write each report to its own file and narrow the pattern down",
    source: "",
};
