//! GitLab's REST API, version 4.

use readygate_sdk::ProbeError;
use serde_json::Value;

use super::{bare, change_number, encoded, flag, issue_list, label_query, maybe, number, text};
use crate::{Change, CheckRun, CheckState, IssueRule, Issues, LastWord, ReviewVerdict, api::Api};

/// Access level from which a member may push (Developer).
const DEVELOPER: u64 = 30;

/// The merge request, with its approvals.
///
/// GitLab names the authors of commits by their addresses, and those of users are not public: who
/// wrote a commit is told by the name that both carry.
pub(super) async fn change(
    api: &Api<'_>,
    wanted: Option<u64>,
    commit: Option<&str>,
) -> Result<Change, ProbeError> {
    let listed = |commit: &str| format!("repository/commits/{}/merge_requests", encoded(commit));
    let wanted = change_number(api, wanted, commit, listed, "iid").await?;
    let request = api.get(&format!("merge_requests/{wanted}")).await?;
    let mut change = bare(
        number(api, &request, "iid")?,
        maybe(&request, "/web_url").unwrap_or_default(),
        text(api, &request, "/author/username")?.to_owned(),
        text(api, &request, "/sha")?.to_owned(),
    );
    change.draft = flag(&request, "/draft") || flag(&request, "/work_in_progress");
    change.merged = request["state"] == "merged";
    change.closed = request["state"] == "closed";
    change.merge_commit =
        maybe(&request, "/squash_commit_sha").or_else(|| maybe(&request, "/merge_commit_sha"));
    change.resolved = request["blocking_discussions_resolved"].as_bool();
    approvals(api, wanted, &mut change).await?;
    reviewers(api, wanted, &mut change).await?;
    Ok(change)
}

/// The approvals, and which of their givers wrote some of it.
async fn approvals(api: &Api<'_>, wanted: u64, change: &mut Change) -> Result<(), ProbeError> {
    let commits = api
        .list(&format!("merge_requests/{wanted}/commits"))
        .await?;
    change.authors_complete = !commits.is_empty();
    let names: Vec<String> = commits
        .iter()
        .flat_map(|c| [maybe(c, "/author_name"), maybe(c, "/committer_name")])
        .flatten()
        .collect();
    let pushed = last_push(
        &api.list(&format!("merge_requests/{wanted}/versions"))
            .await?,
        &change.head,
    );
    let approvals = api
        .get(&format!("merge_requests/{wanted}/approvals"))
        .await?;
    for item in approvals["approved_by"].as_array().into_iter().flatten() {
        let username = text(api, item, "/user/username")?;
        let named = maybe(item, "/user/name");
        if names
            .iter()
            .any(|name| Some(name) == named.as_ref() || name == username)
        {
            change.commit_authors.push(username.to_owned());
        }
        change.reviews.push(LastWord {
            reviewer: username.to_owned(),
            verdict: ReviewVerdict::Approved,
            current: current(item, pushed.as_deref()),
            writer: writer(api, item).await?,
            bot: flag(item, "/user/bot")
                || username.starts_with("project_") && username.contains("_bot"),
        });
    }
    Ok(())
}

/// When the newest version was pushed, if it is the one that is looked at.
fn last_push(versions: &[Value], head: &str) -> Option<String> {
    let newest = versions.iter().max_by_key(|v| v["id"].as_u64())?;
    (newest["head_commit_sha"] == head)
        .then(|| maybe(newest, "/created_at"))
        .flatten()
}

/// Whether the approval was given after the last push. Older servers do not date approvals.
fn current(approval: &Value, pushed: Option<&str>) -> Option<bool> {
    let at: jiff::Timestamp = approval["approved_at"].as_str()?.parse().ok()?;
    let pushed: jiff::Timestamp = pushed?.parse().ok()?;
    Some(at >= pushed)
}

async fn writer(api: &Api<'_>, approval: &Value) -> Result<Option<bool>, ProbeError> {
    let Some(id) = approval.pointer("/user/id").and_then(Value::as_u64) else {
        return Ok(None);
    };
    let member = api.get_optional(&format!("members/all/{id}")).await?;
    Ok(Some(member.is_some_and(|m| {
        m["access_level"].as_u64().is_some_and(|l| l >= DEVELOPER)
    })))
}

/// Reviewers who asked for changes; a server that does not list them has no such word.
async fn reviewers(api: &Api<'_>, wanted: u64, change: &mut Change) -> Result<(), ProbeError> {
    let Some(list) = api
        .get_optional(&format!("merge_requests/{wanted}/reviewers"))
        .await?
    else {
        return Ok(());
    };
    for item in list.as_array().into_iter().flatten() {
        if item["state"] == "requested_changes" {
            change.reviews.push(LastWord {
                reviewer: text(api, item, "/user/username")?.to_owned(),
                verdict: ReviewVerdict::ChangesRequested,
                current: None,
                writer: None,
                bot: false,
            });
        }
    }
    Ok(())
}

/// Jobs and external statuses of the commit, the newest of each name.
pub(super) async fn checks(api: &Api<'_>, commit: &str) -> Result<Vec<CheckRun>, ProbeError> {
    let path = format!("repository/commits/{}/statuses?all=false", encoded(commit));
    let list = api.list(&path).await?;
    let runs = list.iter().filter_map(|status| {
        let said = status["status"].as_str()?;
        let state = match said {
            "success" => CheckState::Passed,
            "skipped" | "manual" => CheckState::Neutral,
            "failed" | "canceled" | "canceling" => CheckState::Failed,
            // created, pending, running, preparing, scheduled, waiting_for_resource, and what is new
            _ => CheckState::Pending,
        };
        Some(CheckRun {
            name: maybe(status, "/name")?,
            state,
            said: said.to_owned(),
        })
    });
    Ok(runs.collect())
}

/// Open issues with all of the labels.
pub(super) async fn issues(api: &Api<'_>, rule: &IssueRule) -> Result<Issues, ProbeError> {
    let mut path = format!("issues?state=opened&scope=all&labels={}", label_query(rule));
    if let Some(milestone) = &rule.milestone {
        path = format!("{path}&milestone={}", encoded(milestone));
    }
    Ok(issue_list(&api.list(&path).await?, "iid"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_approval_before_the_last_push_is_stale() {
        let versions = [
            json!({"id": 1, "head_commit_sha": "a", "created_at": "2026-01-01T10:00:00Z"}),
            json!({"id": 2, "head_commit_sha": "b", "created_at": "2026-01-01T12:00:00.5+02:00"}),
        ];
        let pushed = last_push(&versions, "b");
        assert_eq!(last_push(&versions, "a"), None);
        for (at, is) in [
            (json!("2026-01-01T11:00:00Z"), Some(true)),
            (json!("2026-01-01T09:59:59Z"), Some(false)),
            (json!(null), None),
        ] {
            assert_eq!(current(&json!({"approved_at": at}), pushed.as_deref()), is);
        }
    }
}
