//! The rules of the probe.

use readygate_sdk::{Level, Rule};

/// Nobody has signed. The gate waits; nothing has failed.
pub const MISSING: Rule = Rule {
    code: "signoff/missing",
    level: Level::Error,
    summary: "nobody has signed in the name of the role",
    why: "What no probe can see, somebody has to vouch for by name. Until then the run is pending, whatever else passed.",
    fix: "let a person who holds the role read and sign the request: readygate sign REQUEST --role ROLE",
    source: "https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig",
};

pub const REJECTED: Rule = Rule {
    code: "signoff/rejected",
    level: Level::Error,
    summary: "somebody who holds the role has signed against the release",
    why: "A person who was asked, and said no, knows something that the probes do not.",
    fix: "settle the reason given; then the same person signs anew, which replaces the rejection",
    source: "",
};

pub const REFUSED: Rule = Rule {
    code: "signoff/refused",
    level: Level::Warning,
    summary: "a signed statement does not count",
    why: "A statement for another commit, of another person, or by a key that is no longer valid vouches for nothing; one that was forged must be seen.",
    fix: "sign the current request anew, and remove the statement that does not count",
    source: "",
};

/// A question was left open. The gate waits; nothing has failed.
pub const ANSWER: Rule = Rule {
    code: "signoff/answer",
    level: Level::Error,
    summary: "the signer left a question open, or answered beside it",
    why: "The blanks of a checklist are part of what is vouched for.",
    fix: "sign anew with the answer: readygate sign REQUEST --role ROLE --answer ID=TEXT",
    source: "",
};

pub const OUTDATED: Rule = Rule {
    code: "signoff/outdated-answer",
    level: Level::Error,
    summary: "the day that the signer named is too long ago, or has not come yet",
    why: "A security review or a failover drill of last year says little about this release.",
    fix: "do again what the question asks for, then sign anew with the new date",
    source: "",
};

pub const RULES: &[Rule] = &[MISSING, REJECTED, REFUSED, ANSWER, OUTDATED];
