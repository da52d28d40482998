//! What can be wrong.

use readygate_sdk::{Level, Rule};

/// Every rule that `judge` may push, in the order in which they are judged.
pub(crate) const RULES: &[Rule] = &[
    COMMAND_FAILED,
    NO_REPORT,
    UNREADABLE_REPORT,
    STALE_REPORT,
    OLDER_THAN_COMMIT,
    OTHER_COMMIT,
    DUPLICATE_FILE,
    NO_LINES,
    FLOOR_UNMATCHED,
    BELOW_FLOOR,
    NO_DIFF,
    UNKNOWN_FILE,
];

pub(crate) const COMMAND_FAILED: Rule = Rule {
    code: "coverage/command-failed",
    level: Level::Error,
    summary: "the command did not end with exit code 0",
    why: "Where tests failed or the run broke off, the coverage that was written is that of a part.",
    fix: "run the command by hand in the same folder and read what it prints last",
    source: "",
};

pub(crate) const NO_REPORT: Rule = Rule {
    code: "coverage/no-report",
    level: Level::Error,
    summary: "a pattern under `reports` matches no file",
    why: "A part of the code whose coverage was to be read left no report; the others say nothing \
          about it.",
    fix: "look whether that run happened and where it writes, or correct the pattern; it is \
          relative to the folder of the config",
    source: "",
};

pub(crate) const UNREADABLE_REPORT: Rule = Rule {
    code: "coverage/unreadable-report",
    level: Level::Error,
    summary: "a report is empty, cut off, not well-formed, or of no known format",
    why: "A report that breaks off covers a part of the code, and the rest would look as if it \
          did not exist.",
    fix: "write the report again; if it stays broken, the fault is in the tool that writes it",
    source: "",
};

pub(crate) const STALE_REPORT: Rule = Rule {
    code: "coverage/stale-report",
    level: Level::Error,
    summary: "a report is older than the run or than `max_age`",
    why: "A report of an earlier run says nothing about the code that is released.",
    fix: "delete old reports before the tests run",
    source: "",
};

pub(crate) const OLDER_THAN_COMMIT: Rule = Rule {
    code: "coverage/older-than-commit",
    level: Level::Warning,
    summary: "a report was made before the commit that it should be of",
    why: "Line numbers of another commit are those of other code. `max_age` sets a limit that \
          fails.",
    fix: "measure the coverage again on this commit",
    source: "",
};

pub(crate) const OTHER_COMMIT: Rule = Rule {
    code: "coverage/other-commit",
    level: Level::Error,
    summary: "a report names another commit",
    why: "The report says itself that it is of other code than what is released.",
    fix: "measure the coverage again on this commit, or correct `target.commit`",
    source: "",
};

pub(crate) const DUPLICATE_FILE: Rule = Rule {
    code: "coverage/duplicate-file",
    level: Level::Warning,
    summary: "two reports have the same bytes",
    why: "A copy adds nothing. Perhaps another report was meant to be there, of a shard whose \
          report was overwritten.",
    fix: "write each report to its own file and narrow the pattern down",
    source: "",
};

pub(crate) const NO_LINES: Rule = Rule {
    code: "coverage/no-lines",
    level: Level::Error,
    summary: "the reports hold no line that can be executed",
    why: "Nothing was instrumented: a wrong source folder, a filter that matches nothing, classes \
          without debug information. Tools print 0 %, 100 % or `Unknown` for it; none of them is \
          true.",
    fix: "look at the source folders and the filters of the coverage tool",
    source: "",
};

pub(crate) const FLOOR_UNMATCHED: Rule = Rule {
    code: "coverage/floor-unmatched",
    level: Level::Error,
    summary: "a pattern under `floors` matches no covered file",
    why: "A floor that applies to nothing guards nothing. It happens when a folder is renamed, and \
          when the code is in no report at all.",
    fix: "correct the pattern; it is matched against paths relative to the folder of the config, as \
          the reports name them",
    source: "",
};

pub(crate) const BELOW_FLOOR: Rule = Rule {
    code: "coverage/below-floor",
    level: Level::Error,
    summary: "the coverage of a path is below its floor",
    why: "An average over the whole hides that the part that matters most is tested least.",
    fix: "test the files below",
    source: "",
};

pub(crate) const NO_DIFF: Rule = Rule {
    code: "coverage/no-diff",
    level: Level::Error,
    summary: "it cannot be told what changed",
    why: "Without the history down to the point where the branches met, a change cannot be told \
          from all the code. CI systems fetch a single commit by default.",
    fix: "fetch the history (`fetch-depth: 0`, `git fetch --unshallow`) and the base branch",
    source: "https://git-scm.com/docs/git-merge-base",
};

pub(crate) const UNKNOWN_FILE: Rule = Rule {
    code: "coverage/unknown-file",
    level: Level::Warning,
    summary: "a changed source file is in no report",
    why: "A new file that no test loads is in the report of most tools not at all, rather than \
          with 0 %, and its lines count nowhere.",
    fix: "let the tool report files that are not loaded (`all: true`, `--source`, \
          `collectCoverageFrom`), or test the file",
    source: "",
};
