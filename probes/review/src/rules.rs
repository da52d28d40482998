//! The rules of the probe.

use readygate_sdk::{Level, Rule};

const fn rule(
    code: &'static str,
    summary: &'static str,
    why: &'static str,
    fix: &'static str,
) -> Rule {
    Rule {
        code,
        level: Level::Error,
        summary,
        why,
        fix,
        source: "",
    }
}

pub(crate) const NOT_APPROVED: Rule = rule(
    "review/not-approved",
    "too few approvals count",
    "A second pair of eyes finds what the author cannot see. An approval of one's own change, or of what it was before the last push, is none.",
    "ask a person with write access, who wrote none of it, to review the newest commit",
);

pub(crate) const CHANGES_REQUESTED: Rule = rule(
    "review/changes-requested",
    "a reviewer asks for changes",
    "An objection that is outvoted is still unanswered.",
    "make the changes and ask for another review, or have the review dismissed with a reason",
);

pub(crate) const OTHER_COMMIT: Rule = rule(
    "review/other-commit",
    "what was reviewed is not the commit being released",
    "The approval is of another state of the code.",
    "release the reviewed commit, or correct the target's `commit` or the number under `change`",
);

pub(crate) const NOT_READY: Rule = rule(
    "review/not-ready",
    "the change is a draft, or was given up",
    "Its author says that it is not to be released.",
    "mark it as ready for review, or name the change that took its place",
);

pub(crate) const UNRESOLVED: Rule = rule(
    "review/unresolved",
    "a discussion that must be resolved is not",
    "A question of a reviewer is open.",
    "answer it, and resolve the discussion",
);

pub(crate) const CHECK_MISSING: Rule = rule(
    "review/check-missing",
    "a required check did not run on the commit",
    "A check that never ran has found nothing.",
    "run it; or correct the name under `checks`, which must be the one that the forge shows",
);

pub(crate) const CHECK_FAILED: Rule = rule(
    "review/check-failed",
    "a required check did not pass",
    "The team made it required for a reason. A skipped check proves nothing.",
    "look at its log, and run it again once mended",
);

pub(crate) const CHECK_PENDING: Rule = rule(
    "review/check-pending",
    "a required check has not ended",
    "Its result is not known.",
    "wait for it: `retry` on the gate does",
);

pub(crate) const OPEN_ISSUES: Rule = rule(
    "review/open-issues",
    "issues are open that keep a release back",
    "A known critical bug that is released is a decision that nobody took.",
    "close them, or lower their severity with a reason",
);

/// Every rule, in the order of the documentation.
pub(crate) const RULES: &[Rule] = &[
    NOT_APPROVED,
    CHANGES_REQUESTED,
    OTHER_COMMIT,
    NOT_READY,
    UNRESOLVED,
    CHECK_MISSING,
    CHECK_FAILED,
    CHECK_PENDING,
    OPEN_ISSUES,
];
