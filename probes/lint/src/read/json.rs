//! JSON of ESLint, Stylelint, RuboCop and golangci-lint.

use serde::Deserialize;
use serde_json::Value;

use super::{Fault, Reading, Settings};
use crate::{config::Severity, measurement::Finding};

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::json(&e))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EslintFile {
    #[serde(default, deserialize_with = "super::or_default")]
    file_path: String,
    messages: Vec<EslintMessage>,
    #[serde(default, deserialize_with = "super::or_default")]
    suppressed_messages: Vec<serde::de::IgnoredAny>,
    error_count: Option<u64>,
    warning_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EslintMessage {
    #[serde(default)]
    rule_id: Option<String>,
    #[serde(default)]
    severity: Value,
    #[serde(default, deserialize_with = "super::or_default")]
    message: String,
    #[serde(default)]
    line: Option<f64>,
    #[serde(default)]
    column: Option<f64>,
    #[serde(default)]
    fatal: Option<bool>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn number(value: Option<f64>) -> Option<u64> {
    value.filter(|n| (0.0..1e15).contains(n)).map(|n| n as u64)
}

/// <https://eslint.org/docs/latest/use/formatters/#json>
pub(super) fn eslint(text: &str, settings: &Settings<'_>) -> Result<Reading, Fault> {
    let files: Vec<EslintFile> = parse(text)?;
    let mut reading = Reading::default();
    for file in &files {
        let (mut errors, mut warnings, mut unstated) = (0, 0, 0);
        reading.counts.suppressed += file.suppressed_messages.len() as u64;
        for message in &file.messages {
            let level = match &message.severity {
                Value::Number(n) if n.as_u64() == Some(0) => {
                    reading.counts.none += 1;
                    continue;
                }
                Value::Null => {
                    unstated += 1;
                    continue;
                }
                Value::Number(n) if n.as_u64() == Some(1) => Severity::Warning,
                // Tools that write like ESLint write words.
                Value::String(word) if word == "warning" => Severity::Warning,
                Value::String(word) if word == "info" => Severity::Note,
                _ => Severity::Error,
            };
            errors += u64::from(level == Severity::Error);
            warnings += u64::from(level == Severity::Warning);
            let fatal = message.fatal == Some(true);
            let rule = message.rule_id.clone().unwrap_or_default();
            reading.push(Finding {
                level,
                rule: if rule.is_empty() && fatal {
                    "fatal".to_owned()
                } else {
                    rule
                },
                file: file.file_path.clone(),
                line: number(message.line),
                column: number(message.column),
                message: message.message.clone(),
            });
        }
        if unstated > 0 {
            let path = &file.file_path;
            let n = readygate_sdk::count_of(unstated, "message", "messages");
            reading
                .doubtful
                .push(format!("{n} of {path} without a severity"));
        }
        let claims = [
            ("errors", file.error_count, errors),
            ("warnings", file.warning_count, warnings),
        ];
        for (what, claim, held) in claims {
            if let Some(claim) = claim.filter(|claim| *claim > held) {
                reading.doubtful.push(format!(
                    "{} claims {claim} {what}, and the report holds {held} of them",
                    file.file_path
                ));
            }
        }
    }
    let n = files.len() as u64;
    reading.linted = Some(n).filter(|n| *n > 0 || !settings.empty_is_clean);
    Ok(reading)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StylelintFile {
    #[serde(default)]
    source: Option<String>,
    warnings: Vec<StylelintWarning>,
    #[serde(default, deserialize_with = "super::or_default")]
    parse_errors: Vec<StylelintText>,
    #[serde(default, deserialize_with = "super::or_default")]
    invalid_option_warnings: Vec<StylelintText>,
    #[serde(default)]
    errored: Option<bool>,
    #[serde(default)]
    ignored: Option<bool>,
}

#[derive(Deserialize)]
struct StylelintWarning {
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    column: Option<u64>,
    #[serde(default, deserialize_with = "super::or_default")]
    rule: String,
    #[serde(default, deserialize_with = "super::or_default")]
    severity: String,
    #[serde(default, deserialize_with = "super::or_default")]
    text: String,
}

#[derive(Deserialize)]
struct StylelintText {
    #[serde(default, deserialize_with = "super::or_default")]
    text: String,
}

/// <https://stylelint.io/user-guide/options/#formatter>
pub(super) fn stylelint(text: &str, settings: &Settings<'_>) -> Result<Reading, Fault> {
    let files: Vec<StylelintFile> = parse(text)?;
    let mut reading = Reading::default();
    let mut linted = 0;
    for file in files {
        linted += u64::from(file.ignored != Some(true));
        let name = file.source.unwrap_or_default();
        let before = reading.counts.errors;
        for warning in file.warnings {
            let level = if warning.severity == "warning" {
                Severity::Warning
            } else {
                Severity::Error
            };
            reading.push(Finding {
                level,
                rule: warning.rule,
                file: name.clone(),
                line: warning.line,
                column: warning.column,
                message: warning.text,
            });
        }
        for problem in file.parse_errors {
            reading.push(Finding {
                level: Severity::Error,
                rule: "parse-error".to_owned(),
                file: name.clone(),
                line: None,
                column: None,
                message: problem.text,
            });
        }
        for problem in file.invalid_option_warnings {
            reading.incomplete(format!("a rule did not run: {}", problem.text));
        }
        if file.errored == Some(true) && reading.counts.errors == before {
            reading.doubtful.push(format!(
                "{name} has errors by its own words, and none is listed"
            ));
        }
    }
    reading.linted = Some(linted).filter(|n| *n > 0 || !settings.empty_is_clean);
    Ok(reading)
}

#[derive(Deserialize)]
struct Rubocop {
    files: Vec<RubocopFile>,
    #[serde(default)]
    summary: Option<RubocopSummary>,
}

#[derive(Deserialize)]
struct RubocopFile {
    #[serde(default, deserialize_with = "super::or_default")]
    path: String,
    offenses: Vec<Offense>,
}

#[derive(Deserialize)]
struct Offense {
    #[serde(default, deserialize_with = "super::or_default")]
    severity: String,
    #[serde(default, deserialize_with = "super::or_default")]
    message: String,
    #[serde(default, deserialize_with = "super::or_default")]
    cop_name: String,
    #[serde(default)]
    corrected: Option<bool>,
    #[serde(default)]
    location: Option<OffenseLocation>,
}

#[derive(Deserialize)]
struct OffenseLocation {
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    column: Option<u64>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of RuboCop")]
struct RubocopSummary {
    #[serde(default)]
    offense_count: Option<u64>,
    #[serde(default)]
    target_file_count: Option<u64>,
    #[serde(default)]
    inspected_file_count: Option<u64>,
}

/// <https://docs.rubocop.org/rubocop/formatters.html#json-formatter>
pub(super) fn rubocop(text: &str) -> Result<Reading, Fault> {
    let report: Rubocop = parse(text)?;
    let mut reading = Reading {
        tools: vec!["RuboCop".to_owned()],
        ..Reading::default()
    };
    let mut all = 0;
    for file in &report.files {
        for offense in &file.offenses {
            all += 1;
            if offense.corrected == Some(true) {
                reading.counts.none += 1;
                continue;
            }
            let level = match offense.severity.as_str() {
                "info" => Severity::Note,
                "refactor" | "convention" | "warning" => Severity::Warning,
                _ => Severity::Error,
            };
            reading.push(Finding {
                level,
                rule: offense.cop_name.clone(),
                file: file.path.clone(),
                line: offense.location.as_ref().and_then(|l| l.line),
                column: offense.location.as_ref().and_then(|l| l.column),
                message: offense.message.clone(),
            });
        }
    }
    let mut linted = report.files.len() as u64;
    match report.summary {
        None => reading.incomplete("the summary is missing"),
        Some(summary) => {
            if summary.offense_count.is_some_and(|claim| claim > all) {
                let reason = "the summary counts more offenses than the report holds";
                reading.doubtful.push(reason.to_owned());
            }
            if let Some(inspected) = summary.inspected_file_count {
                linted = inspected;
                if summary
                    .target_file_count
                    .is_some_and(|target| target > inspected)
                {
                    reading.incomplete("not all files were inspected");
                }
            }
        }
    }
    reading.linted = Some(linted);
    Ok(reading)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Golangci {
    /// `null` where there is none.
    issues: Option<Vec<Issue>>,
    #[serde(default)]
    report: Option<GolangciReport>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issue {
    #[serde(default, deserialize_with = "super::or_default")]
    from_linter: String,
    #[serde(default, deserialize_with = "super::or_default")]
    text: String,
    #[serde(default, deserialize_with = "super::or_default")]
    severity: String,
    #[serde(default)]
    pos: Option<Position>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Position {
    #[serde(default, deserialize_with = "super::or_default")]
    filename: String,
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    column: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GolangciReport {
    #[serde(default)]
    error: Option<String>,
    #[serde(default, deserialize_with = "super::or_default")]
    linters: Vec<Linter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Linter {
    #[serde(default, deserialize_with = "super::or_default")]
    enabled: bool,
}

/// <https://golangci-lint.run/docs/configuration/file/#output-configuration>
pub(super) fn golangci(text: &str) -> Result<Reading, Fault> {
    let report: Golangci = parse(text)?;
    let mut reading = Reading {
        tools: vec!["golangci-lint".to_owned()],
        ..Reading::default()
    };
    for issue in report.issues.unwrap_or_default() {
        let level = match issue.severity.to_lowercase().as_str() {
            "warning" | "medium" | "minor" => Severity::Warning,
            "info" | "low" | "note" => Severity::Note,
            // Without a severity an issue fails golangci-lint, as an error does.
            _ => Severity::Error,
        };
        let (file, line, column) = issue.pos.map_or((String::new(), None, None), |p| {
            (p.filename, p.line, p.column)
        });
        if issue.from_linter == "typecheck" {
            reading
                .incomplete("the code does not compile, so linters did not run on it (typecheck)");
        }
        reading.push(Finding {
            level,
            rule: issue.from_linter,
            file,
            line,
            column,
            message: issue.text,
        });
    }
    match report.report {
        None => reading.incomplete("it does not say which linters ran (`Report` is missing)"),
        Some(about) => {
            if let Some(error) = about.error.filter(|e| !e.is_empty()) {
                reading.incomplete(format!("golangci-lint ended with an error: {error}"));
            }
            if !about.linters.is_empty() && !about.linters.iter().any(|l| l.enabled) {
                reading.linted = Some(0);
            }
        }
    }
    Ok(reading)
}
