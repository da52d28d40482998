//! The rules, in the order of their checks.

use readygate_sdk::{Level, Rule};

/// All of them.
pub(crate) const RULES: &[Rule] = &[
    AUDITOR_FAILED,
    NO_FILE,
    UNREADABLE_FILE,
    STALE_REPORT,
    CONTRADICTORY_REPORT,
    SKIPPED_PACKAGE,
    NOTHING_AUDITED,
    STALE_LOCKFILE,
    UNPINNED_PACKAGE,
    UNMATCHED_PACKAGE,
    OLD_DATABASE,
    MISSING_ECOSYSTEM,
    CRITICAL,
    HIGH,
    UNKNOWN_SEVERITY,
    MODERATE,
    LOW,
    NOTICE,
    EXPIRED_IGNORE,
    UNUSED_IGNORE,
    ENDLESS_IGNORE,
];

pub(crate) const AUDITOR_FAILED: Rule = Rule {
    code: "audit/auditor-failed",
    level: Level::Error,
    summary: "the auditor did not finish its work",
    why: "Auditors use the same exit code for \"found something\" and for \"could not reach the \
          database\", and write an error object where a report is expected. A reader that counts \
          its vulnerabilities gets zero.",
    fix: "run the auditor by hand in the same folder and read what it prints; see that it can reach \
          its database",
    source: "https://docs.npmjs.com/cli/commands/npm-audit#exit-code",
};

pub(crate) const NO_FILE: Rule = Rule {
    code: "audit/no-file",
    level: Level::Error,
    summary: "a pattern under `reports` or `lockfiles` matches no file",
    why: "A part of the system that was to be audited was not. The other files say nothing about it.",
    fix: "write the report first, or correct the pattern; it is relative to the folder of the config",
    source: "",
};

pub(crate) const UNREADABLE_FILE: Rule = Rule {
    code: "audit/unreadable-file",
    level: Level::Error,
    summary: "a report or lock file is empty, cut off, or not what it should be",
    why: "An auditor that was killed, or that failed before it looked, leaves an empty or broken \
          file. The vulnerabilities may stand in the part that is missing.",
    fix: "run the auditor again and let it write JSON; lock files keep the name that their tool gives",
    source: "",
};

pub(crate) const STALE_REPORT: Rule = Rule {
    code: "audit/stale-report",
    level: Level::Error,
    summary: "a report is older than the run or than `max_age`",
    why: "Advisories are published every day, and dependencies change with every merge. A report of \
          last month says nothing about either.",
    fix: "delete old reports before the auditor runs, and run it in this pipeline",
    source: "",
};

pub(crate) const CONTRADICTORY_REPORT: Rule = Rule {
    code: "audit/contradictory-report",
    level: Level::Error,
    summary: "a report says that something was found and does not list it",
    why: "The counts of the report, or the exit code of the auditor, speak of vulnerabilities that \
          are not in the list. A filter or a fault may have removed them; zero is not the answer.",
    fix: "run the auditor again without filters, and compare its summary with its list",
    source: "",
};

pub(crate) const SKIPPED_PACKAGE: Rule = Rule {
    code: "audit/skipped-package",
    level: Level::Error,
    summary: "the auditor skipped packages",
    why: "An auditor may skip in silence: pip-audit says \"No known vulnerabilities found\" and exits with 0 although it could not \
          look a single package up. What was skipped was not audited.",
    fix: "see why they were skipped (the reasons are below), and run the auditor again; `pip-audit \
          --strict` fails by itself",
    source: "https://github.com/pypa/pip-audit",
};

pub(crate) const NOTHING_AUDITED: Rule = Rule {
    code: "audit/nothing-audited",
    level: Level::Error,
    summary: "nothing was looked at",
    why: "An audit of no package finds no vulnerability. It happens when the auditor runs in the \
          wrong folder, finds no lock file, or scans an image without packages.",
    fix: "run the auditor where the lock file is, and see that its report names packages or targets",
    source: "",
};

pub(crate) const STALE_LOCKFILE: Rule = Rule {
    code: "audit/stale-lockfile",
    level: Level::Error,
    summary: "a lock file does not hold what its manifest asks for",
    why: "The next installation will resolve other versions than those that were audited.",
    fix: "lock again and commit the lock file: npm install, cargo update --workspace, composer update \
          --lock",
    source: "",
};

pub(crate) const UNPINNED_PACKAGE: Rule = Rule {
    code: "audit/unpinned-package",
    level: Level::Error,
    summary: "packages have no version that could be matched",
    why: "`requests>=2` is whatever is newest on the day of the installation. No one can say whether \
          that is vulnerable.",
    fix: "pin every package, also those that others bring: pip-compile, uv pip compile, poetry lock",
    source: "https://pip.pypa.io/en/stable/topics/repeatable-installs/",
};

pub(crate) const UNMATCHED_PACKAGE: Rule = Rule {
    code: "audit/unmatched-package",
    level: Level::Warning,
    summary: "packages do not come from a public registry, so no advisory can name them",
    why: "Advisories name packages of registries by their versions. A fork in git may carry the \
          vulnerability of its original, and nobody will say so.",
    fix: "use a released version where there is one; look at the others by hand",
    source: "",
};

pub(crate) const OLD_DATABASE: Rule = Rule {
    code: "audit/old-database",
    level: Level::Error,
    summary: "the newest record of the database is older than `database_max_age`",
    why: "A copy of last month does not hold the advisories of this month.",
    fix: "fetch it again: https://storage.googleapis.com/osv-vulnerabilities/ECOSYSTEM/all.zip",
    source: "https://google.github.io/osv.dev/data/",
};

pub(crate) const MISSING_ECOSYSTEM: Rule = Rule {
    code: "audit/missing-ecosystem",
    level: Level::Error,
    summary: "no database has records about an ecosystem that is used",
    why: "A database of Rust advisories knows nothing of npm packages, and would find none of them \
          vulnerable.",
    fix: "add the archive of that ecosystem under `database`",
    source: "https://google.github.io/osv.dev/data/",
};

pub(crate) const CRITICAL: Rule = Rule {
    code: "audit/critical",
    level: Level::Error,
    summary: "a package has a critical vulnerability",
    why: "Critical advisories are about taking over the system or its data without help from anyone.",
    fix: "update the package to a fixed version; the path shows which dependency brings it",
    source: "https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale",
};

pub(crate) const HIGH: Rule = Rule {
    code: "audit/high",
    level: Level::Error,
    summary: "a package has a vulnerability of high severity",
    why: "Advisories of high severity are exploited in practice within days of their publication.",
    fix: "update the package to a fixed version; the path shows which dependency brings it",
    source: "https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale",
};

pub(crate) const UNKNOWN_SEVERITY: Rule = Rule {
    code: "audit/unknown-severity",
    level: Level::Error,
    summary: "a package has a vulnerability whose severity nobody gave",
    why: "Most advisories of RustSec and PyPA have no score. Unknown is not low: it may be critical.",
    fix: "read the advisory; update the package, or ignore it with a reason and a date",
    source: "",
};

pub(crate) const MODERATE: Rule = Rule {
    code: "audit/moderate",
    level: Level::Warning,
    summary: "a package has a vulnerability of moderate severity",
    why: "It needs circumstances that may or may not be given here.",
    fix: "update the package to a fixed version; the path shows which dependency brings it",
    source: "https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale",
};

pub(crate) const LOW: Rule = Rule {
    code: "audit/low",
    level: Level::Warning,
    summary: "a package has a vulnerability of low severity",
    why: "Alone it does little; attackers combine such.",
    fix: "update the package to a fixed version with the next update of dependencies",
    source: "https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale",
};

pub(crate) const NOTICE: Rule = Rule {
    code: "audit/notice",
    level: Level::Warning,
    summary: "a package is unmaintained, unsound, yanked, or used only in part where it is vulnerable",
    why: "It is no vulnerability today. An unmaintained package will not be fixed when it has one.",
    fix: "plan a replacement; the advisory often names one",
    source: "",
};

pub(crate) const EXPIRED_IGNORE: Rule = Rule {
    code: "audit/expired-ignore",
    level: Level::Warning,
    summary: "an entry under `ignore` is over, and its advisory counts again",
    why: "The day was set so that somebody looks again.",
    fix: "update the package, or look again and set a new day",
    source: "",
};

pub(crate) const UNUSED_IGNORE: Rule = Rule {
    code: "audit/unused-ignore",
    level: Level::Warning,
    summary: "an entry under `ignore` names nothing that was found",
    why: "It hides the advisory if the package ever comes back, or it was mistyped and never worked.",
    fix: "remove the entry, or correct its id",
    source: "",
};

pub(crate) const ENDLESS_IGNORE: Rule = Rule {
    code: "audit/endless-ignore",
    level: Level::Warning,
    summary: "an entry under `ignore` has no `until`",
    why: "What is ignored without an end is forgotten; the reason given today may not hold next year.",
    fix: "add the day on which to look again: `until: 2027-06-30`",
    source: "",
};
