//! The rules of the probe.

use readygate_sdk::{Level, Rule};

pub const MISSING: Rule = Rule {
    code: "files/missing",
    level: Level::Error,
    summary: "no regular file is at the path",
    why: "A release without its manifest, its licence or its runbook is found out by whoever needs that file first.",
    fix: "create the file, or correct the path (it is relative to the folder of the config); by hand: ls -l PATH",
    source: "",
};

pub const UNEXPECTED: Rule = Rule {
    code: "files/unexpected",
    level: Level::Error,
    summary: "something exists where nothing may be",
    why: "Files that slip into an image or a release (.env, keys, dumps, source maps) are handed out with it.",
    fix: "remove it from the build, and list it in .dockerignore or .gitignore",
    source: "",
};

pub const UNREADABLE: Rule = Rule {
    code: "files/unreadable",
    level: Level::Error,
    summary: "a file or folder could not be read",
    why: "What cannot be looked at may be missing, empty or wrong; the gate does not guess.",
    fix: "give the user that runs the gate the right to read it; by hand: namei -l PATH",
    source: "",
};

pub const EMPTY: Rule = Rule {
    code: "files/empty",
    level: Level::Warning,
    summary: "a file has zero bytes",
    why: "An empty file is mostly the trace of a step that failed half-way: a dump that broke off, a report never written.",
    fix: "look at the step that writes it; if empty is right, say so with `min_size: 0B`",
    source: "",
};

pub const TOO_SMALL: Rule = Rule {
    code: "files/too-small",
    level: Level::Error,
    summary: "a file is smaller than `min_size`",
    why: "A backup or an artifact that shrank is likely cut off.",
    fix: "look at the step that writes it; by hand: ls -l PATH",
    source: "",
};

pub const TOO_LARGE: Rule = Rule {
    code: "files/too-large",
    level: Level::Error,
    summary: "a file is larger than `max_size`",
    why: "A bundle over its budget is slow for every user; a log that grew may fill the disk.",
    fix: "find what makes it grow; if the size is right, raise `max_size`",
    source: "",
};

pub const TOO_OLD: Rule = Rule {
    code: "files/too-old",
    level: Level::Error,
    summary: "a file was last modified longer ago than `max_age`",
    why: "A file that nobody wrote lately belongs to an earlier release, or its job has stopped.",
    fix: "run the job that writes it; if only the newest of several counts, use `expect: { age.newest: ... }`; by hand: stat PATH",
    source: "",
};

pub const FUTURE_MTIME: Rule = Rule {
    code: "files/future-mtime",
    level: Level::Error,
    summary: "a file was modified in the future",
    why: "Its age cannot be told: it would look fresh for as long as the date lies ahead. A clock is wrong, here or where the file was written.",
    fix: "set the clocks (chronyc tracking) and write the file again, or touch it; two minutes of difference are allowed",
    source: "",
};

pub const LACKS_TEXT: Rule = Rule {
    code: "files/lacks-text",
    level: Level::Error,
    summary: "a file lacks a text that it must have",
    why: "The file is there and does not say what it is for: a placeholder, an old version, another file.",
    fix: "correct the file; texts are compared byte by byte, upper and lower case differ; by hand: grep -F -L TEXT PATH",
    source: "",
};

pub const HAS_TEXT: Rule = Rule {
    code: "files/has-text",
    level: Level::Error,
    summary: "a file has a text that it must not have",
    why: "Placeholders, debug switches and test addresses in a release act on real users.",
    fix: "remove the text; by hand: grep -F -n TEXT PATH",
    source: "",
};

pub const CHECKSUM: Rule = Rule {
    code: "files/checksum",
    level: Level::Error,
    summary: "the SHA-256 checksum of the file is another one",
    why: "This is not the file that was reviewed, tested or signed.",
    fix: "take the file from where the checksum was made, or update `sha256` after a review; by hand: sha256sum PATH",
    source: "FIPS 180-4",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[
    MISSING,
    UNEXPECTED,
    UNREADABLE,
    EMPTY,
    TOO_SMALL,
    TOO_LARGE,
    TOO_OLD,
    FUTURE_MTIME,
    LACKS_TEXT,
    HAS_TEXT,
    CHECKSUM,
];
