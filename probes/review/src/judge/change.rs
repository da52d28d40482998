//! The pull or merge request.

use readygate_sdk::{Checks, count_of};

use crate::{
    Change, ReviewConfig, ReviewVerdict,
    approval::{count, objections, standing},
    rules,
};

pub(super) fn judge(
    config: &ReviewConfig,
    change: &Change,
    commit: Option<&str>,
    checks: &mut Checks,
) {
    let subject = format!("#{}", change.number);
    if config.approvals > 0 {
        approved(config, change, &subject, checks);
    }
    let against = objections(change, config);
    let check = checks
        .check(&rules::CHANGES_REQUESTED, &subject)
        .expected("nobody asks for changes")
        .actual(if against.is_empty() {
            "nobody".to_owned()
        } else {
            against.join(", ")
        });
    if against.is_empty() {
        check.message("nobody asks for changes").pass();
    } else {
        check
            .message(format!("{} asks for changes", against.join(", ")))
            .fail();
    }
    released(change, commit, &subject, checks);
    open(change, &subject, checks);
    if let Some(resolved) = change.resolved {
        let message = if resolved {
            "every discussion is resolved"
        } else {
            "a discussion is not resolved"
        };
        checks
            .check(&rules::UNRESOLVED, &subject)
            .message(message)
            .passed_if(resolved);
    }
}

fn approved(config: &ReviewConfig, change: &Change, subject: &str, checks: &mut Checks) {
    let (sure, maybe) = count(change, config.any_reviewer);
    let wanted = u64::from(config.approvals);
    let approvals = change
        .reviews
        .iter()
        .filter(|r| r.verdict == ReviewVerdict::Approved);
    let lines = approvals.map(|review| {
        format!(
            "{}: {}",
            review.reviewer,
            standing(review, change, config.any_reviewer).reason()
        )
    });
    let check = checks
        .check(&rules::NOT_APPROVED, subject)
        .expected(format!(
            "at least {}",
            count_of(wanted, "approval that counts", "approvals that count")
        ))
        .actual(count_of(sure, "approval", "approvals"))
        .details(lines);
    if sure >= wanted && change.authors_complete {
        check
            .message(format!(
                "approved by {}",
                count_of(sure, "reviewer", "reviewers")
            ))
            .pass();
    } else if sure >= wanted {
        check.unmeasured(
            "the authors of some commits are not known, so an approval may be one's own",
        );
    } else if sure + maybe >= wanted {
        check.unmeasured("whether enough approvals count cannot be told");
    } else {
        let message = match sure {
            0 => "no approval that counts".to_owned(),
            n => format!("only {n} of {wanted} approvals"),
        };
        check.message(message).fail();
    }
}

/// What was reviewed must be what is released.
fn released(change: &Change, commit: Option<&str>, subject: &str, checks: &mut Checks) {
    let Some(commit) = commit.map(str::trim).filter(|c| c.len() >= 7) else {
        return;
    };
    let is = |full: &str| full.starts_with(&commit.to_ascii_lowercase());
    let merged = change.merge_commit.as_deref().filter(|_| change.merged);
    let check = checks
        .check(&rules::OTHER_COMMIT, subject)
        .expected(commit)
        .actual(merged.unwrap_or(&change.head));
    if is(&change.head) || merged.is_some_and(is) {
        check
            .message("the reviewed commit is the one being released")
            .pass();
    } else {
        check
            .message("what was reviewed is not the commit being released")
            .fail();
    }
}

fn open(change: &Change, subject: &str, checks: &mut Checks) {
    let (holds, message) = match (change.draft, change.closed) {
        (true, _) => (false, "the change is still a draft"),
        (_, true) => (false, "the change was closed without being merged"),
        _ if change.merged => (true, "the change is merged"),
        _ => (true, "the change is ready for review"),
    };
    checks
        .check(&rules::NOT_READY, subject)
        .expected("neither a draft nor given up")
        .message(message)
        .passed_if(holds);
}
