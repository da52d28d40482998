//! The state of git.

use readygate_sdk::{Checks, count_of};

use super::shown;
use crate::{GitConfig, GitRecord, rules};

pub(super) fn judge(
    config: &GitConfig,
    found: &GitRecord,
    commit: Option<&str>,
    checks: &mut Checks,
) {
    let subject = &config.directory;
    checks
        .check(&rules::GIT_STATE, subject)
        .message(format!("HEAD is {}", short(&found.head)))
        .pass();
    if config.clean {
        clean(subject, found, checks);
    }
    if config.commit {
        head(subject, found, commit, checks);
    }
    if let Some(tag) = &config.tag {
        tagged(subject, tag, found, checks);
    }
    if config.signed {
        signed(subject, found, checks);
    }
    if let Some(reference) = &config.contains {
        contains(subject, reference, found, checks);
    }
}

fn clean(subject: &str, found: &GitRecord, checks: &mut Checks) {
    let check = checks
        .check(&rules::GIT_DIRTY, subject)
        .expected("no changed and no untracked file");
    match found.dirty_total {
        None => check.unmeasured("the measurement did not look for changes"),
        Some(0) => check
            .message("the work tree is clean")
            .actual("none")
            .pass(),
        Some(total) => check
            .message(format!(
                "{} differ from the commit",
                count_of(total, "file", "files")
            ))
            .actual(count_of(total, "file", "files"))
            .details(shown(found.dirty.iter().cloned(), total))
            .fail(),
    }
}

fn head(subject: &str, found: &GitRecord, commit: Option<&str>, checks: &mut Checks) {
    let check = checks
        .check(&rules::GIT_COMMIT, subject)
        .actual(short(&found.head));
    let Some(wanted) = commit.map(str::trim).filter(|c| !c.is_empty()) else {
        check.unmeasured("the target has no `commit` to compare with");
        return;
    };
    let check = check.expected(wanted);
    // An abbreviation of fewer digits could name several commits (git's own least is 7 by default).
    if wanted.len() < 7 {
        check.unmeasured(format!("`{wanted}` is too short to name a commit"));
    } else if found.head.starts_with(&wanted.to_ascii_lowercase()) {
        check.message("HEAD is the commit being released").pass();
    } else {
        check
            .message(format!(
                "HEAD is {}, not the commit being released",
                short(&found.head)
            ))
            .fail();
    }
}

fn tagged(subject: &str, tag: &str, found: &GitRecord, checks: &mut Checks) {
    let check = checks
        .check(&rules::GIT_TAG, subject)
        .expected(format!("the tag {tag} on HEAD"));
    match &found.tags {
        None => check.unmeasured("the measurement did not look for tags"),
        Some(tags) => {
            let shown = if tags.is_empty() {
                "no tag".to_owned()
            } else {
                tags.join(", ")
            };
            let there = tags.iter().any(|t| t == tag);
            let message = if there {
                "HEAD has the tag"
            } else {
                "HEAD lacks the tag"
            };
            check.actual(shown).message(message).passed_if(there);
        }
    }
}

fn signed(subject: &str, found: &GitRecord, checks: &mut Checks) {
    let check = checks
        .check(&rules::GIT_UNSIGNED, subject)
        .expected("a good signature on every commit")
        .actual(format!(
            "{} of {} lack one",
            found.unsigned_total, found.commits
        ));
    if let Some(problem) = &found.history_problem {
        check.unmeasured(format!("signatures could not be told: {problem}"));
        return;
    }
    if found.commits == 0 {
        check.unmeasured("no commit lies in the range");
        return;
    }
    let Some(first) = found.unsigned.first() else {
        check
            .message(format!(
                "{} signed",
                count_of(found.commits, "commit is", "commits are")
            ))
            .pass();
        return;
    };
    let lines = found
        .unsigned
        .iter()
        .map(|s| format!("{} {} {}", short(&s.commit), said(&s.state), s.subject));
    let check = check.details(shown(lines, found.unsigned_total));
    // `E`: the key or the program is missing here; the signature itself may be good.
    if found.unsigned.len() as u64 == found.unsigned_total
        && found.unsigned.iter().all(|s| s.state == "E")
    {
        check
            .unmeasured("signatures are there and could not be checked: the keys are missing here");
    } else {
        let message = format!("commit {} has {}", short(&first.commit), said(&first.state));
        check.message(message).fail();
    }
}

fn said(state: &str) -> &str {
    match state {
        "N" => "no signature",
        "B" => "a bad signature",
        "E" => "a signature that cannot be checked",
        "X" => "an expired signature",
        "Y" => "a signature by an expired key",
        "R" => "a signature by a revoked key",
        _ => "an unknown signature",
    }
}

fn contains(subject: &str, reference: &str, found: &GitRecord, checks: &mut Checks) {
    let check = checks
        .check(&rules::GIT_BEHIND, subject)
        .expected(format!("HEAD contains {reference}"));
    match (found.contains, &found.history_problem) {
        (Some(true), _) => check.message(format!("HEAD contains {reference}")).pass(),
        (Some(false), _) => {
            check
                .message(format!("{reference} has commits that HEAD lacks"))
                .fail();
        }
        (None, Some(problem)) => {
            check.unmeasured(format!("containment could not be told: {problem}"));
        }
        (None, None) => check.unmeasured("the measurement did not look for it"),
    }
}

fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}
