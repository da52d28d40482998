//! A secret goes through the whole program and shows up in no output, in no form.

use std::{fs, path::Path};

use base64::Engine as _;
use readygate::{
    config::{self, Environment, Variables},
    registry::Entry,
    report::Format,
};
use readygate_sdk::testkit::CANARY;
use serde_json::Value;

use crate::{
    echo,
    schema::secret_fields,
    support::{conformance, none, probes, readygate, write_config},
};

/// The part of the canary that survives URL encoding, JSON and XML as it is.
const CORE: &str = "5ecr3t";

/// What any form of the canary must contain: itself, in hex, or in base64 at any of three offsets.
fn needles() -> Vec<String> {
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    assert!(CANARY.contains(CORE));
    let hex = CORE
        .bytes()
        .fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
    let mut needles = vec![CORE.to_owned(), hex.to_uppercase(), hex];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for lead in 0..3 {
            let encoded = engine.encode([&vec![0; lead], CANARY.as_bytes()].concat());
            needles.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    needles
}

fn leaks(name: &str, text: &str) -> Option<String> {
    let needle = needles().into_iter().find(|needle| text.contains(needle))?;
    let line = text.lines().find(|line| line.contains(&needle));
    Some(format!(
        "{name} holds `{needle}`: {}",
        line.unwrap_or_default()
    ))
}

/// Every output of every command that sees the config, by name.
fn outputs(scene: &Scene, arguments: &[&str]) -> (Option<i32>, Vec<(String, String)>) {
    let output = readygate(scene.folder)
        .envs(scene.environment.iter().copied())
        .args(arguments)
        .output()
        .unwrap();
    let name = arguments.join(" ");
    let streams = [("stdout", output.stdout), ("stderr", output.stderr)];
    let texts = streams.map(|(stream, bytes)| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (format!("{stream} of `{name}`"), text)
    });
    (output.status.code(), texts.into())
}

/// What one canary goes through.
struct Scene<'a> {
    probe: &'a Entry,
    folder: &'a Path,
    environment: &'a [(&'a str, &'a str)],
    /// How `readygate probe` is told that it is a secret, where no field says so.
    secret: &'static str,
}

impl Scene<'_> {
    fn everything(&self) -> Vec<(String, String)> {
        let reports: Vec<String> = Format::all()
            .iter()
            .map(|format| format!("--report={format}={format}.out"))
            .collect();
        let mut run = vec!["--log", "trace", "run", "--verbose"];
        run.extend(reports.iter().map(String::as_str));
        let (code, mut texts) = outputs(self, &run);
        let id = self.probe.meta.id;
        assert!(matches!(code, Some(0 | 1 | 3 | 4)), "{id}: {texts:?}");
        for format in Format::all() {
            let path = self.folder.join(format!("{format}.out"));
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            assert!(text.contains("gate"), "the {format} report: {text}");
            texts.push((format!("the {format} report"), text));
        }
        let shown: &[&[&str]] = &[&["plan"], &["explain", "gate"], &["judge", "json.out"]];
        let ad_hoc: &[&[&str]] = &[
            &["probe", id, "--with=with.yaml", self.secret],
            &["probe", id, "--with=with.yaml", self.secret, "--json"],
            &[
                "probe",
                id,
                "--with=with.yaml",
                self.secret,
                "no_such_field=${CANARY}",
            ],
        ];
        for arguments in shown.iter().chain(ad_hoc) {
            texts.extend(outputs(self, arguments).1);
        }
        texts
    }
}

fn has_key(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(map) => map.contains_key(key) || map.values().any(|v| has_key(v, key)),
        Value::Array(items) => items.iter().any(|v| has_key(v, key)),
        _ => false,
    }
}

fn canary(probe: &Entry, problems: &mut Vec<String>) {
    let id = probe.meta.id;
    let fields = secret_fields(probe);
    let settings = conformance(probe).canary;
    for field in &fields {
        if !settings.iter().any(|with| has_key(with, field)) {
            problems.push(format!(
                "probes/{id}/conformance.yaml: no `canary` sets `{field}`"
            ));
        }
    }
    // The type of the field must do; only a probe without such fields needs the list in the config.
    let listed: &[&str] = if fields.is_empty() { &["CANARY"] } else { &[] };
    for with in &settings {
        if !with.to_string().contains("${CANARY}") {
            problems.push(format!(
                "probes/{id}/conformance.yaml: a `canary` without ${{CANARY}}"
            ));
        }
        let folder = tempfile::tempdir().unwrap();
        let echo = echo::start().to_string();
        let environment = [("CANARY", CANARY), ("ECHO", &echo)];
        let path = write_config(folder.path(), probe, with, listed);
        let owned = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = Variables::new(owned.into());
        match config::load(&[path], &Environment::default(), variables) {
            Err(error) => {
                problems.push(format!("{id}: {}", error.render(false, true)));
                continue;
            }
            Ok(config) if !config.secrets.iter().any(|secret| secret == CANARY) => {
                problems.push(format!(
                    "{id}: the canary is not taken for a secret: {with}"
                ));
                continue;
            }
            Ok(_) => {}
        }
        fs::write(folder.path().join("with.yaml"), with.to_string()).unwrap();
        let scene = Scene {
            probe,
            folder: folder.path(),
            environment: &environment,
            secret: if fields.is_empty() {
                "--secret=CANARY"
            } else {
                "--secret=OTHER"
            },
        };
        let texts = scene.everything();
        let found = texts.iter().filter_map(|(name, text)| leaks(name, text));
        problems.extend(found.map(|leak| format!("{id}: {leak}")));
    }
}

#[test]
fn a_secret_never_shows() {
    let mut problems = Vec::new();
    for probe in probes() {
        canary(probe, &mut problems);
    }
    none(&problems);
}

#[test]
fn every_form_would_be_found() {
    use base64::engine::general_purpose::STANDARD;
    for form in [
        CANARY.to_owned(),
        serde_json::to_string(CANARY).unwrap(),
        STANDARD.encode(CANARY),
        STANDARD.encode(format!("u:{CANARY}")),
        STANDARD.encode(format!("us:{CANARY}")),
        CANARY.replace('"', "&quot;"),
    ] {
        assert!(
            leaks("x", &format!("before {form} after")).is_some(),
            "{form}"
        );
    }
    assert_eq!(leaks("x", "nothing of the kind ***"), None);
}
