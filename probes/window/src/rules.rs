//! The rules of the probe.

use readygate_sdk::{Level, Rule};

pub const CLOSED: Rule = Rule {
    code: "window/closed",
    level: Level::Error,
    summary: "no maintenance window is open",
    why: "Outside of the agreed window nobody is at hand when it goes wrong, and users are told of no interruption.",
    fix: "deploy inside of a window; an emergency needs a waiver of this rule with reason and approver",
    source: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/",
};

pub const FROZEN: Rule = Rule {
    code: "window/frozen",
    level: Level::Error,
    summary: "a deployment freeze is active",
    why: "Freezes protect the days on which an outage costs most or on which nobody can repair it. They win over any window.",
    fix: "wait until the freeze ends; an emergency needs a waiver of this rule with reason and approver",
    source: "https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/",
};

pub const GITLAB_FREEZE: Rule = Rule {
    code: "window/gitlab-freeze",
    level: Level::Error,
    summary: "deployments are frozen, as GitLab says",
    why: "The project has a deploy freeze period; a gate that does not know of it would let through what the team has stopped.",
    fix: "wait until it ends: Settings, CI/CD, Deploy freezes; or run the job without CI_DEPLOY_FREEZE if it does not deploy",
    source: "https://docs.gitlab.com/user/project/releases/#prevent-unintentional-releases-by-setting-a-deploy-freeze",
};

pub const TOO_SHORT: Rule = Rule {
    code: "window/too-short",
    level: Level::Error,
    summary: "too little time is left for deployment, watch and rollback",
    why: "A deployment that starts late in its window is watched, and if need be rolled back, outside of it.",
    fix: "wait for the next window, or shorten `reserve` if the parts really take less",
    source: "",
};

/// Every rule, in the order of the documentation.
pub const RULES: &[Rule] = &[CLOSED, FROZEN, GITLAB_FREEZE, TOO_SHORT];
