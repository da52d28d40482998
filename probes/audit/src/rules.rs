//! The rules of the probe.

use readygate_sdk::{Level, Rule};

pub const NOT_YET: Rule = Rule {
    code: "audit/not-yet",
    level: Level::Error,
    summary: "nothing judges this yet",
    why: "A probe that is not written must not let a release pass.",
    fix: "write the rules of the probe in probes/audit/src/rules.rs, and judge by them in judge.rs",
    source: "",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[NOT_YET];
