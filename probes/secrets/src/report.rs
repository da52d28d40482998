//! Reads the reports of other scanners, told apart by their content.

use serde_json::Value;

use crate::{
    collect::Reported,
    measurement::{Confidence, SecretPlace},
};

/// What a report holds.
#[derive(Debug)]
pub(crate) struct Read {
    pub format: &'static str,
    pub findings: Vec<Reported>,
}

/// Reads a report; the error says why it says nothing.
pub(crate) fn read(bytes: &[u8]) -> Result<Read, String> {
    let wide = crate::tree::wide_text(bytes);
    let bytes = wide.as_deref().unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    if text.trim().is_empty() {
        return Err(
            "the file is empty: a scanner that found nothing and one that did not start look alike"
                .to_owned(),
        );
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => document(&value),
        Err(error) => lines(&text).unwrap_or_else(|| {
            Err(format!(
                "it is not complete JSON: line {}, column {}: {}",
                error.line(),
                error.column(),
                kind(&error)
            ))
        }),
    }
}

/// The category only: a message can quote the text, and the text can be a secret.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it breaks off",
        _ => "it is malformed",
    }
}

/// Whether `error` or `errors` of a document holds anything.
fn has_error(value: &Value) -> bool {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    ["error", "errors"]
        .iter()
        .any(|key| value.get(key).is_some_and(says))
}

fn is_log(value: &Value) -> bool {
    value.get("level").is_some() && value.get("msg").is_some()
}

fn document(value: &Value) -> Result<Read, String> {
    if is_log(value) {
        return logged(vec![value.clone()]);
    }
    if has_error(value) {
        return Err("it holds an error message, so the scan is not complete".to_owned());
    }
    match value {
        Value::Array(list) => array(list),
        Value::Object(map) if map.contains_key("runs") => sarif(value),
        Value::Object(map) if map.get("results").is_some_and(Value::is_object) => {
            detect_secrets(value)
        }
        Value::Object(map) if map.get("findings").is_some_and(Value::is_array) => {
            let list = map["findings"].as_array().map_or(&[][..], Vec::as_slice);
            if map.contains_key("scan") && map.contains_key("schema_version") {
                return betterleaks_report(value, list);
            }
            each("kingfisher", list, kingfisher)
        }
        Value::Object(map)
            if is_trufflehog(value) || is_kingfisher(value) || map.contains_key("RuleID") =>
        {
            array(std::slice::from_ref(value))
        }
        Value::Object(map) => match map.get("error").or_else(|| map.get("message")) {
            Some(_) => Err("it holds an error message and no findings".to_owned()),
            None => Err(
                "it is no report of gitleaks, trufflehog, detect-secrets, Kingfisher, nor SARIF"
                    .to_owned(),
            ),
        },
        _ => Err("it holds no list of findings".to_owned()),
    }
}

/// One JSON document a line; `None` where the first line is none.
fn lines(text: &str) -> Option<Result<Read, String>> {
    let mut list = Vec::new();
    for (number, line) in (1_u64..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_str::<Value>(line) {
            Ok(value) if value.is_object() => list.push(value),
            _ if list.is_empty() => return None,
            _ => return Some(Err(format!("line {number} is not complete JSON"))),
        }
    }
    Some(logged(list))
}

/// Findings among lines of a log: trufflehog writes both into one stream where nobody separates them.
fn logged(list: Vec<Value>) -> Result<Read, String> {
    let (log, list): (Vec<Value>, Vec<Value>) = list.into_iter().partition(is_log);
    let failed = |line: &&Value| {
        let level = text(line, "level").unwrap_or_default().to_ascii_lowercase();
        ["error", "fatal", "panic", "dpanic"].contains(&level.as_str())
    };
    let count = log.iter().filter(failed).count();
    if count > 0 {
        return Err(format!(
            "the log in it tells of errors ({count}), so the scan is not complete"
        ));
    }
    if list.iter().any(has_error) {
        return Err("it holds an error message, so the scan is not complete".to_owned());
    }
    if !list.is_empty() {
        return array(&list);
    }
    if log
        .iter()
        .any(|l| text(l, "msg") == Some("finished scanning"))
    {
        return each("trufflehog", &list, trufflehog);
    }
    Err("it holds lines of a log alone, and none says `finished scanning`".to_owned())
}

fn array(list: &[Value]) -> Result<Read, String> {
    let Some(first) = list.first() else {
        return Ok(Read {
            format: "gitleaks",
            findings: Vec::new(),
        });
    };
    if first.get("RuleID").is_some() {
        each("gitleaks", list, gitleaks)
    } else if first.get("offender").is_some() {
        each("gitleaks", list, gitleaks_7)
    } else if is_trufflehog(first) {
        each("trufflehog", list, trufflehog)
    } else if is_kingfisher(first) {
        each("kingfisher", list, kingfisher)
    } else {
        Err("its entries are of no scanner known here".to_owned())
    }
}

fn each(
    format: &'static str,
    list: &[Value],
    one: fn(&Value) -> Option<Vec<Reported>>,
) -> Result<Read, String> {
    let mut findings = Vec::new();
    for (number, value) in (1_u64..).zip(list) {
        match one(value) {
            Some(found) => findings.extend(found),
            None => return Err(format!("entry {number} is no finding of {format}")),
        }
    }
    Ok(Read { format, findings })
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn place(path: &str, line: u64, column: u64, commit: Option<&str>) -> SecretPlace {
    SecretPlace {
        path: path.to_owned(),
        line,
        column,
        commit: commit.filter(|c| !c.is_empty()).map(str::to_owned),
    }
}

fn gitleaks(value: &Value) -> Option<Vec<Reported>> {
    Some(vec![Reported {
        rule: text(value, "RuleID")?.to_owned(),
        name: text(value, "Description").unwrap_or_default().to_owned(),
        confidence: Confidence::Likely,
        place: place(
            text(value, "File")?,
            number(value, "StartLine"),
            number(value, "StartColumn"),
            text(value, "Commit"),
        ),
        secret: text(value, "Secret").map(str::to_owned),
    }])
}

/// betterleaks 2, which says whether its scan is complete.
fn betterleaks_report(value: &Value, list: &[Value]) -> Result<Read, String> {
    match value.pointer("/scan/state").and_then(Value::as_str) {
        Some("complete") => each("betterleaks", list, betterleaks),
        _ => Err("the scanner says that its scan is not complete (`scan.state`)".to_owned()),
    }
}

fn betterleaks(value: &Value) -> Option<Vec<Reported>> {
    let location = value.get("location")?;
    let secret = value.pointer("/match/value").and_then(Value::as_str);
    let valid = value.pointer("/validation/status").and_then(Value::as_str) == Some("valid");
    Some(vec![Reported {
        rule: text(value, "rule_id")?.to_owned(),
        name: text(value, "description").unwrap_or_default().to_owned(),
        confidence: if valid {
            Confidence::Verified
        } else {
            Confidence::Likely
        },
        place: place(
            text(location, "path")?,
            number(location, "start_line"),
            number(location, "start_column"),
            value.pointer("/attributes/git.sha").and_then(Value::as_str),
        ),
        secret: secret.map(str::to_owned),
    }])
}

fn gitleaks_7(value: &Value) -> Option<Vec<Reported>> {
    let rule = text(value, "rule")?;
    Some(vec![Reported {
        rule: rule.to_owned(),
        name: rule.to_owned(),
        confidence: Confidence::Likely,
        place: place(
            text(value, "file")?,
            number(value, "lineNumber"),
            0,
            text(value, "commit"),
        ),
        secret: text(value, "offender").map(str::to_owned),
    }])
}

fn is_trufflehog(value: &Value) -> bool {
    value.get("DetectorName").is_some()
        || value.get("SourceMetadata").is_some()
        || value.get("stringsFound").is_some()
}

/// Version 3, and version 2 with `reason` and `stringsFound`.
fn trufflehog(value: &Value) -> Option<Vec<Reported>> {
    if let Some(strings) = value.get("stringsFound").and_then(Value::as_array) {
        let reason = text(value, "reason")?;
        let place = place(
            text(value, "path").unwrap_or_default(),
            0,
            0,
            text(value, "commitHash"),
        );
        let found = strings.iter().map(|s| Reported {
            rule: reason.to_owned(),
            name: reason.to_owned(),
            confidence: Confidence::Likely,
            place: place.clone(),
            secret: s.as_str().map(str::to_owned),
        });
        return Some(found.collect());
    }
    let detector = text(value, "DetectorName")?;
    let data = value
        .get("SourceMetadata")
        .and_then(|m| m.get("Data"))
        .and_then(Value::as_object);
    let source = data.and_then(|d| d.values().next()).unwrap_or(&Value::Null);
    let verified = value
        .get("Verified")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    Some(vec![Reported {
        rule: detector.to_owned(),
        name: detector.to_owned(),
        confidence: if verified {
            Confidence::Verified
        } else {
            Confidence::Likely
        },
        place: place(
            text(source, "file").unwrap_or_default(),
            number(source, "line"),
            0,
            text(source, "commit"),
        ),
        secret: text(value, "Raw").map(str::to_owned),
    }])
}

/// `results{file: [..]}`; what an audit called no secret does not count.
fn detect_secrets(value: &Value) -> Result<Read, String> {
    let mut findings = Vec::new();
    let results = value
        .get("results")
        .and_then(Value::as_object)
        .ok_or("it has no `results`")?;
    for (path, list) in results {
        let list = list.as_array().ok_or("a file of `results` has no list")?;
        for entry in list
            .iter()
            .filter(|e| e.get("is_secret") != Some(&Value::Bool(false)))
        {
            let kind = text(entry, "type").ok_or("an entry of `results` has no `type`")?;
            let verified = entry.get("is_verified") == Some(&Value::Bool(true));
            findings.push(Reported {
                rule: kind.to_owned(),
                name: kind.to_owned(),
                confidence: if verified {
                    Confidence::Verified
                } else {
                    Confidence::Likely
                },
                place: place(path, number(entry, "line_number"), 0, None),
                secret: text(entry, "hashed_secret").map(str::to_owned),
            });
        }
    }
    Ok(Read {
        format: "detect-secrets",
        findings,
    })
}

fn is_kingfisher(value: &Value) -> bool {
    value.get("rule").is_some_and(Value::is_object)
        && value.get("finding").is_some_and(Value::is_object)
}

fn kingfisher(value: &Value) -> Option<Vec<Reported>> {
    let (rule, finding) = (value.get("rule")?, value.get("finding")?);
    let status = finding
        .get("validation")
        .and_then(|v| text(v, "status"))
        .unwrap_or_default();
    let git = finding
        .get("git_metadata")
        .and_then(|g| g.get("commit"))
        .and_then(|c| text(c, "id"));
    Some(vec![Reported {
        rule: text(rule, "id")?.to_owned(),
        name: text(rule, "name").unwrap_or_default().to_owned(),
        confidence: if status.eq_ignore_ascii_case("active credential") {
            Confidence::Verified
        } else {
            Confidence::Likely
        },
        place: place(
            text(finding, "path").unwrap_or_default(),
            number(finding, "line"),
            number(finding, "column_start"),
            git,
        ),
        secret: text(finding, "snippet").map(str::to_owned),
    }])
}

/// SARIF 2.1.0. Levels are not looked at: secret scanners leave them out, and a leak is no note.
fn sarif(value: &Value) -> Result<Read, String> {
    let runs = value
        .get("runs")
        .and_then(Value::as_array)
        .filter(|r| !r.is_empty())
        .ok_or("it holds no run")?;
    let mut findings = Vec::new();
    for run in runs {
        let invocations = run.get("invocations").and_then(Value::as_array);
        let failed = |i: &Value| i.get("executionSuccessful") == Some(&Value::Bool(false));
        if invocations.is_some_and(|list| list.iter().any(failed)) {
            return Err(
                "the scanner says that its run failed (`executionSuccessful: false`)".to_owned(),
            );
        }
        let results = run
            .get("results")
            .and_then(Value::as_array)
            .ok_or("a run has no `results`, which means that it failed")?;
        findings.extend(results.iter().filter(|r| counts(r)).map(sarif_result));
    }
    Ok(Read {
        format: "sarif",
        findings,
    })
}

/// Not suppressed, not gone, and a problem.
fn counts(result: &Value) -> bool {
    let suppressions = result.get("suppressions").and_then(Value::as_array);
    let accepted = |s: &Value| text(s, "status").is_none_or(|s| s == "accepted");
    let suppressed = suppressions.is_some_and(|list| !list.is_empty() && list.iter().all(accepted));
    !suppressed
        && text(result, "baselineState") != Some("absent")
        && text(result, "kind").is_none_or(|k| k == "fail")
}

fn sarif_result(result: &Value) -> Reported {
    let physical = result
        .pointer("/locations/0/physicalLocation")
        .unwrap_or(&Value::Null);
    let region = physical.get("region").unwrap_or(&Value::Null);
    let path = physical
        .pointer("/artifactLocation/uri")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let commit = result
        .pointer("/partialFingerprints/commitSha")
        .and_then(Value::as_str);
    let rule = text(result, "ruleId")
        .or_else(|| result.pointer("/rule/id").and_then(Value::as_str))
        .unwrap_or("unnamed");
    Reported {
        rule: rule.to_owned(),
        name: rule.to_owned(),
        confidence: Confidence::Likely,
        place: place(
            path,
            number(region, "startLine"),
            number(region, "startColumn"),
            commit,
        ),
        secret: region
            .pointer("/snippet/text")
            .and_then(Value::as_str)
            .map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Result<(&'static str, usize), String> {
        read(text.as_bytes()).map(|r| (r.format, r.findings.len()))
    }

    #[test]
    fn each_format_is_told_by_its_content() {
        let gitleaks = r#"[{"RuleID":"a","File":"f","StartLine":3,"Secret":"s","Commit":"c"}]"#;
        assert_eq!(counted(gitleaks), Ok(("gitleaks", 1)));
        assert_eq!(
            counted(r#"[{"rule":"a","offender":"s","file":"f","lineNumber":3}]"#),
            Ok(("gitleaks", 1))
        );
        assert_eq!(counted("[]"), Ok(("gitleaks", 0)));
        let hog = r#"{"SourceMetadata":{"Data":{"Git":{"file":"f","line":4}}},"DetectorName":"AWS","Verified":true,"Raw":"s"}"#;
        assert_eq!(counted(&format!("{hog}\n{hog}\n")), Ok(("trufflehog", 2)));
        assert_eq!(counted(hog), Ok(("trufflehog", 1)));
        let done = r#"{"level":"info-0","msg":"finished scanning"}"#;
        assert_eq!(counted(done), Ok(("trufflehog", 0)));
        assert_eq!(counted(&format!("{done}\n{hog}\n")), Ok(("trufflehog", 1)));
        let yelp = r#"{"version":"1.5.0","results":{"f":[{"type":"x","line_number":1},{"type":"y","is_secret":false}]}}"#;
        assert_eq!(counted(yelp), Ok(("detect-secrets", 1)));
        let king = r#"[{"rule":{"id":"k.1","name":"n"},"finding":{"path":"f","line":2,"validation":{"status":"Active Credential"}}}]"#;
        assert_eq!(counted(king), Ok(("kingfisher", 1)));
        let better = r#"{"schema_version":"1","findings":[{"rule_id":"a","location":{"path":"f","start_line":4}}],"scan":{"state":"complete"}}"#;
        assert_eq!(counted(better), Ok(("betterleaks", 1)));
        let cut = better.replace("complete", "incomplete");
        assert!(counted(&cut).is_err_and(|why| why.contains("not complete")));
        let sarif = r#"{"version":"2.1.0","runs":[{"results":[{"ruleId":"a"},{"ruleId":"b","baselineState":"absent"},{"ruleId":"c","suppressions":[{"status":"rejected"}]},{"ruleId":"d","suppressions":[{}]}]}]}"#;
        assert_eq!(counted(sarif), Ok(("sarif", 2)));
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for (text, why) in [
            ("", "empty"),
            ("[{\"RuleID\":\"a\",\"Fi", "not complete JSON: line 1"),
            ("{\"error\":\"no access\"}", "error message"),
            (
                "{\"findings\":[],\"errors\":[\"clone failed\"]}",
                "error message",
            ),
            (
                "{\"error\":\"scan failed\",\"results\":{}}",
                "error message",
            ),
            (
                "{\"level\":\"info-0\",\"msg\":\"running source\"}\n{\"level\":\"error\",\"msg\":\"clone failed\"}\n{\"level\":\"info-0\",\"msg\":\"finished scanning\"}",
                "tells of errors",
            ),
            (
                "{\"level\":\"fatal\",\"msg\":\"no such repository\"}",
                "tells of errors",
            ),
            (
                "{\"level\":\"info-0\",\"msg\":\"running source\"}\n{\"level\":\"info-0\",\"msg\":\"x\"}",
                "finished scanning",
            ),
            ("{\"runs\":[{\"results\":null}]}", "no `results`"),
            (
                "{\"runs\":[{\"results\":[],\"invocations\":[{\"executionSuccessful\":false}]}]}",
                "run failed",
            ),
            ("{\"runs\":[]}", "no run"),
            ("{\"a\":1}", "no report"),
            ("null", "no list"),
            ("[{\"x\":1}]", "no scanner"),
            ("<html>", "malformed"),
            ("{\"DetectorName\":\"a\"}\n{\"Detec", "line 2"),
        ] {
            let error = counted(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
