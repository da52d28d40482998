//! GitHub's REST API, version 2022-11-28.

use std::collections::BTreeMap;

use readygate_sdk::{ErrorKind, ProbeError};
use serde_json::Value;

use super::{
    bare, change_number, encoded, flag, issue_list, label_query, maybe, number, text, unique,
};
use crate::{Change, CheckRun, CheckState, IssueRule, Issues, LastWord, ReviewVerdict, api::Api};

/// The forge lists at most so many commits of a pull request.
const MOST_COMMITS: usize = 250;

/// The pull request, with its commits' authors and the last word of each reviewer.
pub(super) async fn change(
    api: &Api<'_>,
    wanted: Option<u64>,
    commit: Option<&str>,
) -> Result<Change, ProbeError> {
    let listed = |commit: &str| format!("commits/{}/pulls", encoded(commit));
    let wanted = change_number(api, wanted, commit, listed, "number").await?;
    let pull = api.get(&format!("pulls/{wanted}")).await?;
    let mut change = bare(
        number(api, &pull, "number")?,
        maybe(&pull, "/html_url").unwrap_or_default(),
        text(api, &pull, "/user/login")?.to_owned(),
        text(api, &pull, "/head/sha")?.to_owned(),
    );
    change.draft = flag(&pull, "/draft");
    change.merged = flag(&pull, "/merged");
    change.closed = !change.merged && pull["state"] == "closed";
    change.merge_commit = maybe(&pull, "/merge_commit_sha");
    let commits = api.list(&format!("pulls/{wanted}/commits")).await?;
    change.authors_complete = commits.len() < MOST_COMMITS && !commits.is_empty();
    let mut authors = Vec::new();
    for commit in &commits {
        // No login: the address of the commit belongs to no account, so it may be a reviewer's own.
        match maybe(commit, "/author/login") {
            Some(login) => authors.push(login),
            None => change.authors_complete = false,
        }
        // Whoever commits on behalf of others has touched it too; the web interface has not.
        authors.extend(maybe(commit, "/committer/login").filter(|login| login != "web-flow"));
    }
    change.commit_authors = unique(authors);
    change.reviews = reviews(
        &api.list(&format!("pulls/{wanted}/reviews")).await?,
        &change.head,
    );
    Ok(change)
}

/// The last word of each reviewer. A comment takes nothing back; a dismissal does.
fn reviews(list: &[Value], head: &str) -> Vec<LastWord> {
    let mut last: BTreeMap<String, (String, Option<LastWord>)> = BTreeMap::new();
    for item in list {
        let (Some(reviewer), Some(state)) = (maybe(item, "/user/login"), item["state"].as_str())
        else {
            continue;
        };
        let verdict = match state {
            "APPROVED" => Some(ReviewVerdict::Approved),
            "CHANGES_REQUESTED" => Some(ReviewVerdict::ChangesRequested),
            "DISMISSED" => None,
            _ => continue,
        };
        let at = maybe(item, "/submitted_at").unwrap_or_default();
        if last
            .get(&reviewer)
            .is_some_and(|(earlier, _)| *earlier > at)
        {
            continue;
        }
        let review = verdict.map(|verdict| LastWord {
            reviewer: reviewer.clone(),
            verdict,
            current: maybe(item, "/commit_id").map(|commit| commit == head),
            writer: item["author_association"]
                .as_str()
                .map(|role| matches!(role, "OWNER" | "MEMBER" | "COLLABORATOR")),
            bot: item.pointer("/user/type").is_some_and(|kind| kind == "Bot"),
        });
        last.insert(reviewer, (at, review));
    }
    last.into_values()
        .filter_map(|(_, review)| review)
        .collect()
}

/// Check runs and commit statuses; the newest of each name.
pub(super) async fn checks(api: &Api<'_>, commit: &str) -> Result<Vec<CheckRun>, ProbeError> {
    let commit = encoded(commit);
    let runs = api
        .list_in(
            &format!("commits/{commit}/check-runs?filter=latest"),
            "check_runs",
        )
        .await?;
    let statuses = api
        .list_in(&format!("commits/{commit}/status"), "statuses")
        .await?;
    let runs = runs.iter().filter_map(|run| {
        let status = run["status"].as_str()?;
        let said = run["conclusion"].as_str().unwrap_or(status);
        let state = match said {
            "success" if status == "completed" => CheckState::Passed,
            "skipped" | "neutral" => CheckState::Neutral,
            _ if status != "completed" => CheckState::Pending,
            _ => CheckState::Failed,
        };
        Some(CheckRun {
            name: maybe(run, "/name")?,
            state,
            said: said.to_owned(),
        })
    });
    let statuses = statuses.iter().filter_map(|status| {
        let said = status["state"].as_str()?;
        let state = match said {
            "success" => CheckState::Passed,
            "pending" => CheckState::Pending,
            _ => CheckState::Failed,
        };
        Some(CheckRun {
            name: maybe(status, "/context")?,
            state,
            said: said.to_owned(),
        })
    });
    Ok(runs.chain(statuses).collect())
}

/// Open issues with all of the labels; pull requests are issues to GitHub, and not to us.
pub(super) async fn issues(api: &Api<'_>, rule: &IssueRule) -> Result<Issues, ProbeError> {
    let mut path = format!("issues?state=open&labels={}", label_query(rule));
    if let Some(title) = &rule.milestone {
        let milestones = api.list("milestones?state=all").await?;
        let Some(milestone) = milestones.iter().find(|m| m["title"] == *title) else {
            let message = format!("there is no milestone `{title}`");
            return Err(api.error(ErrorKind::NoData, "reading the issues", &message));
        };
        path = format!("{path}&milestone={}", number(api, milestone, "number")?);
    }
    let mut items = api.list(&path).await?;
    items.retain(|item| item.get("pull_request").is_none());
    Ok(issue_list(&items, "number"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_word_counts_and_a_comment_is_none() {
        let review = |login: &str, state: &str, at: &str, commit: &str| {
            json!({"user": {"login": login, "type": "User"}, "state": state, "submitted_at": at,
                "commit_id": commit, "author_association": "MEMBER"})
        };
        let found = reviews(
            &[
                review("ann", "CHANGES_REQUESTED", "2026-01-01", "a"),
                review("ann", "APPROVED", "2026-01-02", "b"),
                review("ann", "COMMENTED", "2026-01-03", "b"),
                review("bob", "APPROVED", "2026-01-01", "a"),
                review("cem", "APPROVED", "2026-01-01", "b"),
                review("cem", "DISMISSED", "2026-01-02", "b"),
                review("dan", "APPROVED", "2026-01-05", "b"),
                review("dan", "CHANGES_REQUESTED", "2026-01-04", "b"),
            ],
            "b",
        );
        let shown: Vec<_> = found
            .iter()
            .map(|r| (r.reviewer.as_str(), r.verdict, r.current))
            .collect();
        assert_eq!(
            shown,
            [
                ("ann", ReviewVerdict::Approved, Some(true)),
                ("bob", ReviewVerdict::Approved, Some(false)),
                ("dan", ReviewVerdict::Approved, Some(true)),
            ]
        );
    }
}
