//! Case files: Markdown that documents a probe and tests its judgement at once.
//!
//! Every `## heading` starts a case. Its fenced blocks say what goes in and what must come out:
//!
//! - `yaml config`: the `with` block;
//! - `yaml expect`: what the gate expects, as far as the probe hears of it (optional): one
//!   `metric: "op value"` a line, with `for every 10s` behind it or not;
//! - `json measurement`: what `measure` would bring back;
//! - `text metrics`: one `name = value` a line (optional);
//! - `text checks`: the checks as [`render`] prints them;
//! - `text config-error`: in place of the three above, what `validate` must say.
//!
//! Set `READYGATE_UPDATE_CASES=1` to rewrite the expected blocks from what came out; read the diff.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde::de::DeserializeOwned;

use crate::{Bound, Check, CheckOutcome, Checks, Comparison, Level, Metrics, Period, Probe};

/// Runs every case of every `.md` file in `directory` and returns the rule codes that failed in
/// some case, for the conformance suite.
///
/// # Panics
/// On the first case whose output differs, with both sides; on a directory without cases.
#[expect(clippy::panic, reason = "a test helper reports by panicking")]
pub fn run_cases<P: Probe>(directory: impl AsRef<Path>) -> Vec<String> {
    let mut produced = Vec::new();
    let mut seen = 0;
    let mut files: Vec<_> = fs::read_dir(directory.as_ref())
        .unwrap_or_else(|e| panic!("{}: {e}", directory.as_ref().display()))
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    files.sort();
    for path in files {
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut updated = text.clone();
        for case in split(&text) {
            seen += 1;
            let name = format!("{}: {}", path.display(), case.title);
            for (kind, actual) in evaluate::<P>(&name, &case, &mut produced) {
                let expected = case.block(kind).unwrap_or_default();
                if actual.trim_end() != expected.trim_end() {
                    if updating() {
                        updated = updated.replacen(
                            &format!("```text {kind}\n{expected}```"),
                            &format!("```text {kind}\n{}\n```", actual.trim_end()),
                            1,
                        );
                    } else {
                        panic!(
                            "{name}: `{kind}` differs\n--- expected\n{expected}\n--- actual\n{actual}"
                        );
                    }
                }
            }
        }
        if updated != text {
            fs::write(&path, updated).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
    assert!(seen > 0, "no case in {}", directory.as_ref().display());
    produced.sort();
    produced.dedup();
    produced
}

#[expect(clippy::disallowed_methods, reason = "the switch of a test helper")]
fn updating() -> bool {
    std::env::var_os("READYGATE_UPDATE_CASES").is_some()
}

struct Case<'a> {
    title: &'a str,
    blocks: Vec<(&'a str, &'a str)>,
}

impl Case<'_> {
    fn block(&self, kind: &str) -> Option<&str> {
        self.blocks
            .iter()
            .find(|(k, _)| *k == kind)
            .map(|(_, text)| *text)
    }
}

fn split(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        match open {
            Some((kind, start)) if bare == "```" => {
                if let Some(case) = cases.last_mut() {
                    case.blocks.push((kind, &text[start..offset]));
                }
                open = None;
            }
            Some(_) => {}
            None => {
                if let Some(title) = bare.strip_prefix("## ") {
                    cases.push(Case {
                        title,
                        blocks: Vec::new(),
                    });
                } else if let Some(info) = bare.strip_prefix("```") {
                    let kind = info.split_once(' ').map_or(info, |(_, kind)| kind);
                    open = Some((kind, offset + line.len()));
                }
            }
        }
        offset += line.len();
    }
    cases.retain(|case| !case.blocks.is_empty());
    cases
}

#[expect(clippy::panic, reason = "a test helper reports by panicking")]
fn evaluate<P: Probe>(
    name: &str,
    case: &Case<'_>,
    produced: &mut Vec<String>,
) -> Vec<(&'static str, String)> {
    let yaml = case.block("config").unwrap_or("{}");
    let mut config: P::Config = match from_yaml(yaml) {
        Ok(config) => config,
        Err(error) => panic!("{name}: the config is not readable: {error}"),
    };
    let expect: BTreeMap<String, String> =
        from_yaml(case.block("expect").unwrap_or("{}")).unwrap_or_else(|e| panic!("{name}: {e}"));
    let bounds: Vec<Bound> = expect
        .iter()
        .map(|(metric, text)| bound(metric, text).unwrap_or_else(|| panic!("{name}: `{text}`")))
        .collect();
    let heard = P::expect(&mut config, &bounds);
    if case.block("config-error").is_some() {
        let said = heard.and_then(|()| P::validate(&config)).err().map_or_else(
            || "valid".to_owned(),
            |e| {
                let lines = e
                    .problems
                    .iter()
                    .map(|p| format!("{}: {}", p.pointer, p.message));
                lines.collect::<Vec<_>>().join("\n")
            },
        );
        return vec![("config-error", said)];
    }
    if let Err(error) = heard.and_then(|()| P::validate(&config)) {
        panic!("{name}: the config does not validate: {error}");
    }
    let json = case
        .block("measurement")
        .unwrap_or_else(|| panic!("{name}: no `json measurement`"));
    let measurement: P::Measurement =
        serde_json::from_str(json).unwrap_or_else(|e| panic!("{name}: measurement: {e}"));
    let mut checks = Checks::new();
    P::judge(&config, &measurement, &mut checks);
    let failed = checks
        .as_slice()
        .iter()
        .filter(|c| c.outcome != CheckOutcome::Passed);
    produced.extend(failed.map(|c| c.rule.clone()));
    let mut out = vec![("checks", render(checks.as_slice()))];
    if case.block("metrics").is_some() {
        out.push(("metrics", render_metrics(&P::metrics(&measurement))));
    }
    out
}

/// `< 50ms`, `>= 100/s for every 10s`, as the core would tell it to the probe.
fn bound(metric: &str, text: &str) -> Option<Bound> {
    let (text, every) = match text.split_once(" for every ") {
        Some((text, length)) => (text, Some(length.parse::<Period>().ok()?.0)),
        None => (text, None),
    };
    let (comparison, rest) = match text.as_bytes() {
        [b'<', ..] => (Comparison::Below, &text[1..]),
        [b'>', ..] => (Comparison::Above, &text[1..]),
        [b'=', ..] => (Comparison::Equal, &text[1..]),
        _ => return None,
    };
    Some(Bound {
        metric: metric.to_owned(),
        comparison,
        value: rest.trim_start_matches('=').trim().parse().ok()?,
        every,
        lasting: None,
    })
}

fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|e| e.to_string())
}

/// One check a line, then its details and hint indented.
fn render(checks: &[Check]) -> String {
    let mut out = String::new();
    for check in checks {
        let word = match (check.outcome, check.level) {
            (CheckOutcome::Passed, _) => "passed",
            (CheckOutcome::Failed, Level::Error) => "FAILED",
            (CheckOutcome::Failed, Level::Warning) => "WARNING",
            (CheckOutcome::Failed, Level::Info) => "info",
            (CheckOutcome::Unmeasured, _) => "UNMEASURED",
        };
        let _ = write!(
            out,
            "{word} {} {}: {}",
            check.rule, check.subject, check.message
        );
        if let Some(expected) = &check.expected {
            let _ = write!(out, " | expected {expected}");
        }
        if let Some(actual) = &check.actual {
            let _ = write!(out, " | actual {actual}");
        }
        if let Some(location) = &check.location {
            let _ = write!(out, " | at {location}");
        }
        out.push('\n');
        for line in &check.details {
            let _ = writeln!(out, "  - {line}");
        }
        if let Some(hint) = &check.hint {
            let _ = writeln!(out, "  fix: {hint}");
        }
    }
    if out.is_empty() {
        "(no checks)\n".to_owned()
    } else {
        out
    }
}

fn render_metrics(metrics: &Metrics) -> String {
    let mut out = String::new();
    for (name, metric) in metrics.iter() {
        let _ = writeln!(out, "{name} = {}", metric.display());
    }
    for (name, reason) in metrics.iter_absent() {
        let _ = writeln!(out, "{name} absent: {reason}");
    }
    out
}
