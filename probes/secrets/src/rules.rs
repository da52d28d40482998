//! The rules of the probe.

use readygate_sdk::{Level, Rule};

const ROTATE: &str = "revoke the secret at its provider and make a new one, since whoever has the repository has it; then take it out of the file (and out of the history, if it must not stay readable) and give it to the program by its environment or a secret store. If it is no secret, allow it with a reason: `readygate:allow-secret REASON` in its line, an entry of `allow`, or its fingerprint in the `baseline`";

pub(crate) const FOUND: Rule = Rule {
    code: "secrets/found",
    level: Level::Error,
    summary: "a secret is in the repository",
    why: "Everybody who can read the repository, its forks, its backups or its build logs can use the secret, and deleting it in a later commit does not take it out of the history. Leaked keys are found and used within minutes.",
    fix: ROTATE,
    source: "https://cwe.mitre.org/data/definitions/798.html",
};

pub(crate) const POSSIBLE: Rule = Rule {
    code: "secrets/possible",
    level: Level::Error,
    summary: "what may be a secret is in the repository",
    why: "A telling name, or a form whose checksum does not hold, is no proof; but passwords that people choose look like nothing else. Where this says too much, grade the rule down to `warning`.",
    fix: ROTATE,
    source: "https://cwe.mitre.org/data/definitions/798.html",
};

pub(crate) const UNEXPLAINED: Rule = Rule {
    code: "secrets/allow-without-reason",
    level: Level::Error,
    summary: "a marker allows a secret without a reason",
    why: "Nobody can tell later whether the secret was looked at, revoked, or only in the way. Without a reason the marker allows nothing.",
    fix: "write the reason behind the marker: `readygate:allow-secret revoked in May`",
    source: "",
};

pub(crate) const NOTHING: Rule = Rule {
    code: "secrets/nothing-scanned",
    level: Level::Error,
    summary: "nothing was scanned",
    why: "A scan of no file and no commit finds nothing, whatever is in the repository. It happens with a wrong folder, or with a range that is empty.",
    fix: "look at `directory` and at the range of `history`: `git log --oneline BASE..HEAD` shows its commits",
    source: "",
};

pub(crate) const HISTORY: Rule = Rule {
    code: "secrets/incomplete-history",
    level: Level::Error,
    summary: "a part of the git history is missing",
    why: "CI systems clone the last commit alone unless they are told otherwise. What was committed and deleted before is then not there to be scanned, and is still readable at the remote.",
    fix: "fetch the whole history before the gate (`git fetch --unshallow`; in GitHub Actions `fetch-depth: 0`, in GitLab CI `GIT_DEPTH: 0`), and the base of the range",
    source: "https://git-scm.com/docs/shallow",
};

pub(crate) const UNREADABLE: Rule = Rule {
    code: "secrets/unreadable-file",
    level: Level::Error,
    summary: "a file could not be read",
    why: "What is in it is unknown.",
    fix: "give the user that runs the gate the right to read it",
    source: "",
};

pub(crate) const TOO_LARGE: Rule = Rule {
    code: "secrets/not-scanned",
    level: Level::Warning,
    summary: "a content of the history is too large and was not scanned",
    why: "Contents of the history are held in memory as a whole, so there is a limit; what is beyond it is nearly always a binary.",
    fix: "raise `max_blob` of the gate",
    source: "",
};

pub(crate) const NO_REPORT: Rule = Rule {
    code: "secrets/no-report",
    level: Level::Error,
    summary: "a pattern of `reports` matches no file",
    why: "The scanner that was to write it may not have run.",
    fix: "run the scanner first, or correct the pattern; it is relative to the folder of the config",
    source: "",
};

pub(crate) const UNREADABLE_REPORT: Rule = Rule {
    code: "secrets/unreadable-report",
    level: Level::Error,
    summary: "a report says nothing",
    why: "A scanner that was killed, or that could not start, leaves an empty or broken report. That is not the same as no findings.",
    fix: "run the scanner again and look at its exit code and its log",
    source: "",
};

pub(crate) const STALE_REPORT: Rule = Rule {
    code: "secrets/stale-report",
    level: Level::Error,
    summary: "a report is older than `max_age`",
    why: "A report of an earlier run says nothing about what was committed since.",
    fix: "delete old reports before the scanner runs",
    source: "",
};

/// Every rule, in the order of the documentation.
pub(crate) const RULES: &[Rule] = &[
    FOUND,
    POSSIBLE,
    UNEXPLAINED,
    NOTHING,
    HISTORY,
    UNREADABLE,
    TOO_LARGE,
    NO_REPORT,
    UNREADABLE_REPORT,
    STALE_REPORT,
];
