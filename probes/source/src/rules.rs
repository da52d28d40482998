//! The rules of the probe.

use readygate_sdk::{Level, Rule};

/// A rule of this probe.
const fn rule(
    code: &'static str,
    level: Level,
    summary: &'static str,
    why: &'static str,
    fix: &'static str,
) -> Rule {
    Rule {
        code,
        level,
        summary,
        why,
        fix,
        source: "",
    }
}

pub(crate) const DEBUG_CODE: Rule = rule(
    "source/debug-code",
    Level::Error,
    "a statement that stops the program or dumps its state is left in the code",
    "A breakpoint halts a worker until it is killed; a dump shows users what only developers should see.",
    "remove it; where it must stay, write `readygate:allow-debug REASON` in a comment on its line",
);

pub(crate) const DEBUG_PRINT: Rule = rule(
    "source/debug-print",
    Level::Error,
    "a debug print is left in the code",
    "Prints slow the hot path, fill logs without level or time, and leak what they print.",
    "remove it or use the logger; list programs whose output it is under `may_print`",
);

pub(crate) const FOCUSED_TEST: Rule = rule(
    "source/focused-test",
    Level::Error,
    "a focused test leaves out all the others",
    "The suite is green because it ran one test: the greenest way to test nothing.",
    "remove `.only`, `fit` or `fdescribe`, and run the whole suite again",
);

pub(crate) const FORBIDDEN_PATTERN: Rule = rule(
    "source/forbidden-pattern",
    Level::Error,
    "a line matches a pattern that the config forbids",
    "The team itself said that this must not go to production.",
    "remove the line, or correct the pattern",
);

pub(crate) const ALLOW_WITHOUT_REASON: Rule = rule(
    "source/allow-without-reason",
    Level::Error,
    "a comment allows debug code and gives no reason",
    "An exception without a reason cannot be reviewed, and outlives the day it was made for.",
    "write `readygate:allow-debug REASON`",
);

pub(crate) const UNREAD: Rule = rule(
    "source/unread",
    Level::Error,
    "a source file could not be read",
    "What was not read may hold anything.",
    "make it readable, or leave it out with `exclude`",
);

pub(crate) const ENV_MISSING: Rule = rule(
    "source/env-missing",
    Level::Error,
    "a variable that the program declares is not deployed",
    "The program fails at its start, or worse: runs with a default that was meant for development.",
    "set it in the deployment, or list it under `optional`",
);

pub(crate) const ENV_EMPTY: Rule = rule(
    "source/env-empty",
    Level::Error,
    "a variable is deployed without a value",
    "Most programs take an empty text for a value and not for an absence.",
    "give it a value, or list it under `optional`",
);

pub(crate) const ENV_PLACEHOLDER: Rule = rule(
    "source/env-placeholder",
    Level::Error,
    "a variable is deployed with a placeholder, or a secret with the value of the example file",
    "`changeme` is a password that everybody knows.",
    "set the real value, best from the secret store",
);

pub(crate) const ENV_UNDECLARED: Rule = rule(
    "source/env-undeclared",
    Level::Warning,
    "a variable is deployed that the program does not declare",
    "A name misspelt in the deployment looks like this, and its right spelling is then missing or at its default.",
    "declare it, correct its name, or remove it",
);

pub(crate) const DOCUMENT_MISSING: Rule = rule(
    "source/document-missing",
    Level::Error,
    "a document is missing or empty",
    "Whoever is on call at night needs it first.",
    "write it; the path is relative to the folder of the config",
);

pub(crate) const DOCUMENT_LACKS_VERSION: Rule = rule(
    "source/document-lacks-version",
    Level::Error,
    "a document does not name the version being released",
    "Last release's notes describe last release's changes.",
    "bring it up to date; the version counts only as a whole, so 14.0.0 does not name 4.0.0",
);

pub(crate) const CHANGELOG: Rule = rule(
    "source/changelog",
    Level::Error,
    "the changelog has no section of the version being released",
    "Users cannot tell what changed, nor whom it hurts.",
    "add a heading with the version and its date, and write below it what changed",
);

pub(crate) const DOCUMENT_LACKS_SECTION: Rule = rule(
    "source/document-lacks-section",
    Level::Error,
    "a document lacks a section, or the section is empty",
    "A runbook without its rollback ends where it begins to matter.",
    "write the section",
);

pub(crate) const DEAD_LINK: Rule = rule(
    "source/dead-link",
    Level::Error,
    "a link to a file or a heading leads nowhere",
    "A step that says `see there` is missing when there is nothing.",
    "correct the link, or add what it leads to",
);

pub(crate) const GIT_STATE: Rule = rule(
    "source/git-state",
    Level::Error,
    "git cannot tell the state of the work tree",
    "Without it nobody knows what is being released.",
    "run the gate in the work tree of the release; by hand: git status",
);

pub(crate) const GIT_DIRTY: Rule = rule(
    "source/git-dirty",
    Level::Error,
    "files differ from the commit",
    "What is released is then in no history, and cannot be built again.",
    "commit them, or list what tools make in .gitignore; by hand: git status",
);

pub(crate) const GIT_COMMIT: Rule = rule(
    "source/git-commit",
    Level::Error,
    "HEAD is not the commit being released",
    "Everything that was measured here is about another commit.",
    "check out the commit, or correct the target's `commit`; by hand: git rev-parse HEAD",
);

pub(crate) const GIT_TAG: Rule = rule(
    "source/git-tag",
    Level::Error,
    "HEAD lacks the tag of the release",
    "The version cannot be found again by its name.",
    "git tag -s TAG; in a shallow clone of a CI, fetch the tags first",
);

pub(crate) const GIT_UNSIGNED: Rule = rule(
    "source/git-unsigned",
    Level::Error,
    "a commit has no good signature",
    "Anybody can commit under anybody's name.",
    "git commit --amend -S; by hand: git log --show-signature",
);

pub(crate) const GIT_BEHIND: Rule = rule(
    "source/git-behind",
    Level::Error,
    "HEAD lacks commits that it should contain",
    "A release cut from an old branch takes back what was fixed since.",
    "merge or rebase; by hand: git log HEAD..REF",
);

/// Every rule, in the order of the documentation.
pub(crate) const RULES: &[Rule] = &[
    DEBUG_CODE,
    DEBUG_PRINT,
    FOCUSED_TEST,
    FORBIDDEN_PATTERN,
    ALLOW_WITHOUT_REASON,
    UNREAD,
    ENV_MISSING,
    ENV_EMPTY,
    ENV_PLACEHOLDER,
    ENV_UNDECLARED,
    DOCUMENT_MISSING,
    DOCUMENT_LACKS_VERSION,
    CHANGELOG,
    DOCUMENT_LACKS_SECTION,
    DEAD_LINK,
    GIT_STATE,
    GIT_DIRTY,
    GIT_COMMIT,
    GIT_TAG,
    GIT_UNSIGNED,
    GIT_BEHIND,
];
