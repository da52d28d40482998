//! The forges. Each turns its own answers into the one record.

mod github;
mod gitlab;

use readygate_sdk::{Cx, ErrorKind, ProbeError};
use serde_json::Value;

use crate::{
    Answer, Change, CheckRun, ForgeKind, IssueCount, IssueRule, Issues, ReviewConfig,
    ReviewMeasurement, api::Api,
};

/// Issues kept by number and title.
const KEPT: usize = 10;

/// Asks the forge. A part that cannot be read leaves the others alone.
pub(crate) async fn measure(
    config: &ReviewConfig,
    cx: &Cx,
) -> Result<ReviewMeasurement, ProbeError> {
    let api = Api::new(config, cx).await?;
    let commit = cx.target().commit.clone();
    let mut measurement = ReviewMeasurement {
        commit: commit.clone(),
        ..ReviewMeasurement::default()
    };
    if config.asks_change() {
        let change = match config.forge {
            ForgeKind::Github => github::change(&api, config.change, commit.as_deref()).await,
            ForgeKind::Gitlab => gitlab::change(&api, config.change, commit.as_deref()).await,
        };
        measurement.change = Some(Answer::of(change)?);
    }
    if !config.checks.is_empty() {
        measurement.checks = Some(Answer::of(checks(&api, config, &measurement).await)?);
    }
    for rule in &config.issues {
        let open = match config.forge {
            ForgeKind::Github => github::issues(&api, rule).await,
            ForgeKind::Gitlab => gitlab::issues(&api, rule).await,
        };
        let open = Answer::of(open)?;
        measurement.issues.push(IssueCount {
            rule: rule.name(),
            open,
        });
    }
    Ok(measurement)
}

/// The checks of the target's commit, or of the change's newest one where the target names none.
async fn checks(
    api: &Api<'_>,
    config: &ReviewConfig,
    measurement: &ReviewMeasurement,
) -> Result<Vec<CheckRun>, ProbeError> {
    let head = measurement
        .change
        .as_ref()
        .and_then(|c| c.found().ok())
        .map(|c| c.head.as_str());
    let Some(commit) = measurement.commit.as_deref().or(head) else {
        let message = "neither a target `commit` nor a change says whose checks are meant";
        return Err(api
            .error(ErrorKind::NoData, "reading the checks", message)
            .hint("set `target.commit`, or `change`"));
    };
    match config.forge {
        ForgeKind::Github => github::checks(api, commit).await,
        ForgeKind::Gitlab => gitlab::checks(api, commit).await,
    }
}

/// The number of the change: the config's, or that of the one change that the commit belongs to.
async fn change_number(
    api: &Api<'_>,
    wanted: Option<u64>,
    commit: Option<&str>,
    listed: impl Fn(&str) -> String,
    key: &str,
) -> Result<u64, ProbeError> {
    match (wanted, commit) {
        (Some(number), _) => Ok(number),
        (None, Some(commit)) => {
            let found = api.list(&listed(commit)).await?;
            number(api, only(api, &found, key, commit)?, key)
        }
        (None, None) => {
            let message = "neither `change` nor the target's `commit` says which change is meant";
            Err(api
                .error(ErrorKind::NoData, "looking for the change", message)
                .hint("set `target.commit`, or `change: NUMBER`"))
        }
    }
}

/// Finds the one change of a commit among those that the forge lists for it.
fn only<'a>(
    api: &Api<'_>,
    changes: &'a [Value],
    key: &str,
    commit: &str,
) -> Result<&'a Value, ProbeError> {
    let phase = "looking for the change of the commit";
    match changes {
        [one] => Ok(one),
        [] => Err(api
            .error(
                ErrorKind::NoData,
                phase,
                &format!("commit {commit} belongs to no change"),
            )
            .hint(
                "it was pushed without a review, or the token cannot see it; `change` names one",
            )),
        several => {
            let numbers: Vec<String> = several.iter().map(|c| c[key].to_string()).collect();
            let message = format!(
                "commit {commit} belongs to several changes: {}",
                numbers.join(", ")
            );
            Err(api
                .error(ErrorKind::BadData, phase, &message)
                .hint("say which one: `change: NUMBER`"))
        }
    }
}

/// A text that must be there.
fn text<'a>(api: &Api<'_>, value: &'a Value, pointer: &str) -> Result<&'a str, ProbeError> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| {
            api.error(
                ErrorKind::Protocol,
                "reading the answer",
                &format!("no text at {pointer}"),
            )
        })
}

/// A text, where `null` and absence are the same.
fn maybe(value: &Value, pointer: &str) -> Option<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}

fn flag(value: &Value, pointer: &str) -> bool {
    value
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// The change of a number, which must be the config's.
fn number(api: &Api<'_>, value: &Value, key: &str) -> Result<u64, ProbeError> {
    value[key].as_u64().ok_or_else(|| {
        api.error(
            ErrorKind::Protocol,
            "reading the answer",
            &format!("no number `{key}`"),
        )
    })
}

fn issue_list(items: &[Value], number: &str) -> Issues {
    let shown = |item: &Value| {
        let title = item["title"].as_str().unwrap_or_default();
        format!("#{} {}", item[number], readygate_sdk::excerpt(title, 100))
    };
    Issues {
        total: items.len() as u64,
        first: items.iter().take(KEPT).map(shown).collect(),
    }
}

/// Percent-encodes what goes into a path or query.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The labels of a rule, as both forges take them.
fn label_query(rule: &IssueRule) -> String {
    encoded(&rule.labels.join(","))
}

/// Sorts and removes duplicates of login names.
fn unique(mut logins: Vec<String>) -> Vec<String> {
    logins.sort_by_key(|login| login.to_lowercase());
    logins.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    logins
}

/// A change whose reviews are still to come.
fn bare(number: u64, url: String, author: String, head: String) -> Change {
    Change {
        number,
        url,
        author,
        head,
        authors_complete: true,
        ..Change::default()
    }
}
