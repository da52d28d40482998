//! SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Fault, Reading, Settings};
use crate::{config::Severity, measurement::Finding};

#[derive(Deserialize)]
struct Log {
    #[serde(default, deserialize_with = "super::or_default")]
    version: String,
    runs: Option<Vec<Run>>,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    tool: Option<Tool>,
    /// Absent or `null` where the run did not get to results (3.14.23).
    results: Option<Vec<Outcome>>,
    #[serde(default)]
    invocations: Option<Vec<Invocation>>,
}

#[derive(Deserialize)]
struct Tool {
    #[serde(default)]
    driver: Option<Component>,
    #[serde(default)]
    extensions: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    guid: Option<String>,
    #[serde(default)]
    rules: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default, deserialize_with = "super::or_default")]
    id: String,
    #[serde(default)]
    guid: Option<String>,
    #[serde(default)]
    default_configuration: Option<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(default)]
    rule_id: Option<String>,
    #[serde(default)]
    rule_index: Option<i64>,
    #[serde(default)]
    rule: Option<Reference>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    locations: Option<Vec<Location>>,
    #[serde(default)]
    suppressions: Option<Vec<Suppression>>,
    #[serde(default)]
    baseline_state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    index: Option<i64>,
    #[serde(default)]
    guid: Option<String>,
    #[serde(default)]
    tool_component: Option<ComponentReference>,
}

#[derive(Deserialize)]
struct ComponentReference {
    #[serde(default)]
    index: Option<i64>,
    #[serde(default)]
    guid: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    markdown: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(default)]
    physical_location: Option<Physical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    #[serde(default)]
    artifact_location: Option<Artifact>,
    #[serde(default)]
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(default)]
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    #[serde(default)]
    start_line: Option<i64>,
    #[serde(default)]
    start_column: Option<i64>,
}

#[derive(Deserialize)]
struct Suppression {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    #[serde(default)]
    execution_successful: Option<bool>,
    #[serde(default)]
    end_time_utc: Option<Value>,
    #[serde(default)]
    tool_execution_notifications: Option<Vec<Notification>>,
    #[serde(default)]
    tool_configuration_notifications: Option<Vec<Notification>>,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    message: Option<Message>,
}

pub(super) fn read(text: &str, settings: &Settings<'_>) -> Result<Reading, Fault> {
    let log: Log = serde_json::from_str(text).map_err(|e| Fault::json(&e))?;
    let mut reading = Reading::default();
    if log.version != "2.1.0" {
        reading.incomplete(format!(
            "its SARIF version is {}, which other rules apply to than to 2.1.0",
            if log.version.is_empty() {
                "not stated"
            } else {
                &log.version
            }
        ));
    }
    let runs = log.runs.ok_or_else(|| Fault::new("`runs` is missing"))?;
    if runs.is_empty() {
        reading.linted = Some(0);
    }
    for run in runs {
        read_run(run, settings, &mut reading);
    }
    Ok(reading)
}

fn read_run(run: Run, settings: &Settings<'_>, reading: &mut Reading) {
    let tool = run.tool.as_ref();
    let driver = tool.and_then(|tool| tool.driver.as_ref());
    let name = driver.and_then(|d| d.name.clone()).unwrap_or_default();
    if !name.is_empty() && !reading.tools.contains(&name) {
        reading.tools.push(name.clone());
    }
    let shown = if name.is_empty() {
        "a tool without a name"
    } else {
        &name
    };
    for invocation in run.invocations.iter().flatten() {
        invoked(invocation, shown, reading);
    }
    let Some(results) = run.results else {
        return reading.incomplete(format!(
            "a run of {shown} has no `results`: it did not come to its end"
        ));
    };
    let rules = Rules::new(run.tool.as_ref());
    let lower = name.to_lowercase();
    let mut by_tool = settings.default_levels.iter();
    let fallback = by_tool.find(|(tool, _)| tool.to_lowercase() == lower);
    let fallback = fallback.map_or(Severity::Warning, |(_, level)| *level);
    for outcome in results {
        one(&outcome, &rules, fallback, reading);
    }
}

fn invoked(invocation: &Invocation, tool: &str, reading: &mut Reading) {
    if invocation.execution_successful == Some(false) {
        reading.incomplete(format!(
            "{tool} says that it failed (executionSuccessful: false)"
        ));
    }
    let lists = [
        &invocation.tool_execution_notifications,
        &invocation.tool_configuration_notifications,
    ];
    for notification in lists.into_iter().flatten().flatten() {
        if notification.level.as_deref() == Some("error") {
            let text = words(notification.message.as_ref());
            reading.incomplete(format!("{tool} reports an error of its own: {text}"));
        }
    }
    let ended = invocation.end_time_utc.as_ref().and_then(Value::as_str);
    let ended: Option<Timestamp> = ended.and_then(|text| text.parse().ok());
    // The oldest of several runs decides.
    reading.ended = reading.ended.into_iter().chain(ended).min();
}

fn words(message: Option<&Message>) -> String {
    let text = message.and_then(|m| m.text.clone().or_else(|| m.markdown.clone()));
    text.unwrap_or_default()
}

fn one(outcome: &Outcome, rules: &Rules<'_>, fallback: Severity, reading: &mut Reading) {
    if outcome.baseline_state.as_deref() == Some("absent") {
        reading.counts.gone += 1;
        return;
    }
    // Any suppression that is not accepted makes the result count (3.27.23).
    let suppressions = outcome.suppressions.as_deref().unwrap_or_default();
    let accepted = |s: &Suppression| {
        let status = s.status.as_deref().or(s.state.as_deref());
        status.is_none_or(|status| status == "accepted")
    };
    if !suppressions.is_empty() && suppressions.iter().all(accepted) {
        reading.counts.suppressed += 1;
        return;
    }
    let kind = outcome.kind.as_deref().filter(|kind| !kind.is_empty());
    let stated = outcome.level.as_deref().filter(|level| !level.is_empty());
    let level = match stated {
        Some(level) => Some(level),
        None if kind.is_some_and(|kind| kind != "fail") => Some("none"),
        None => rules.level(outcome),
    };
    let level = match level {
        Some("error") => Severity::Error,
        Some("note") => Severity::Note,
        // All but the first are words of older versions.
        Some("none" | "pass" | "notApplicable" | "open") => {
            reading.counts.none += 1;
            return;
        }
        Some("warning") => Severity::Warning,
        _ => fallback,
    };
    if let Some(state) = outcome.baseline_state.as_deref() {
        reading.stated += 1;
        reading.stated_new += u64::from(state == "new");
    }
    let location = outcome.locations.iter().flatten().next();
    let place = location.and_then(|l| l.physical_location.as_ref());
    let region = place.and_then(|p| p.region.as_ref());
    let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
    let uri = place.and_then(|p| p.artifact_location.as_ref()?.uri.clone());
    let by_reference = outcome.rule.as_ref().and_then(|rule| rule.id.clone());
    reading.push(Finding {
        level,
        rule: outcome
            .rule_id
            .clone()
            .or(by_reference)
            .or_else(|| rules.of(outcome).map(|rule| rule.id.clone()))
            .unwrap_or_default(),
        file: uri.unwrap_or_default(),
        line: number(region.and_then(|r| r.start_line)),
        column: number(region.and_then(|r| r.start_column)),
        message: words(outcome.message.as_ref()),
    });
}

/// The rules of a run, of its driver and of its extensions.
struct Rules<'a> {
    driver: &'a [Descriptor],
    extensions: &'a [Component],
    by_id: BTreeMap<&'a str, &'a Descriptor>,
}

impl<'a> Rules<'a> {
    fn new(tool: Option<&'a Tool>) -> Self {
        let of = |component: &'a Component| component.rules.as_deref().unwrap_or_default();
        let driver = tool.and_then(|t| t.driver.as_ref()).map_or(&[][..], of);
        let extensions = tool
            .and_then(|t| t.extensions.as_deref())
            .unwrap_or_default();
        let all = extensions.iter().flat_map(of).chain(driver);
        Self {
            driver,
            extensions,
            by_id: all.map(|rule| (rule.id.as_str(), rule)).collect(),
        }
    }

    /// The rule of a result: by index, by guid, by id, and by the head of a hierarchical id
    /// (`CA1000/1`), 3.52.
    fn of(&self, outcome: &Outcome) -> Option<&'a Descriptor> {
        let reference = outcome.rule.as_ref();
        let component = reference.and_then(|r| r.tool_component.as_ref());
        let list = match component {
            None => Some(self.driver),
            Some(c) => {
                let by_index = c
                    .index
                    .and_then(|i| self.extensions.get(usize::try_from(i).ok()?));
                let by_name = || {
                    self.extensions.iter().find(|e| {
                        c.guid.is_some() && e.guid == c.guid || c.name.is_some() && e.name == c.name
                    })
                };
                let found = by_index.or_else(by_name);
                found.map(|e| e.rules.as_deref().unwrap_or_default())
            }
        };
        let index = reference.and_then(|r| r.index).or(outcome.rule_index);
        let index = index.and_then(|i| usize::try_from(i).ok());
        let by_index = index.and_then(|i| list?.get(i));
        let guid = reference.and_then(|r| r.guid.as_ref());
        let by_guid = || {
            let guid = guid?;
            self.by_id
                .values()
                .find(|r| r.guid.as_ref() == Some(guid))
                .copied()
        };
        let id = outcome
            .rule_id
            .as_deref()
            .or(reference.and_then(|r| r.id.as_deref()));
        let by_id = || {
            let mut id = id?;
            loop {
                if let Some(rule) = self.by_id.get(id) {
                    return Some(*rule);
                }
                id = id.rsplit_once('/')?.0;
            }
        };
        by_index.or_else(by_guid).or_else(by_id)
    }

    fn level(&self, outcome: &Outcome) -> Option<&'a str> {
        let rule = self.of(outcome)?;
        rule.default_configuration.as_ref()?.level.as_deref()
    }
}
