//! What the tests share: folders of probes, their conformance settings, the binary.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use readygate::registry::{Entry, PROBES};
use serde_json::{Value, json};

/// `probes/ID/conformance.yaml`.
///
/// Values may name `${BLACK_HOLE}` (`127.0.0.1:PORT` of a server that accepts and never answers),
/// `${ECHO}` (`127.0.0.1:PORT` of an HTTP server that answers 500 with the request as its body),
/// `${MAZE}` (a folder that no walk gets out of), `${STARTED}` (a file to create once at work) and
/// `${CANARY}` (the secret).
pub struct Conformance {
    /// `hang`: a `with` block that gets no answer. The probe must end at its deadline and on
    /// cancellation all the same.
    pub hang: Value,
    /// `canary`: `with` blocks that hold `${CANARY}`, in every field for secrets; a probe without
    /// such fields puts it where a user might.
    pub canary: Vec<Value>,
}

/// The probes to look at: all, or the one that `READYGATE_PROBE` names.
pub fn probes() -> impl Iterator<Item = &'static Entry> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of a test, for authors of one probe"
    )]
    let only = std::env::var("READYGATE_PROBE").ok();
    if let Some(id) = &only {
        assert!(readygate::registry::find(id).is_some(), "no probe `{id}`");
    }
    let wanted = move |probe: &&Entry| only.as_ref().is_none_or(|id| probe.meta.id == id);
    PROBES.iter().filter(wanted)
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of a probe.
pub fn folder(probe: &Entry) -> PathBuf {
    root().join("probes").join(probe.meta.id)
}

/// The settings of a probe.
pub fn conformance(probe: &Entry) -> Conformance {
    let path = folder(probe).join("conformance.yaml");
    let shown = format!("probes/{}/conformance.yaml", probe.meta.id);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{shown}: {error}\n\
             write it: `hang:` with settings that get no answer (${{BLACK_HOLE}}, ${{MAZE}}, or a \
             program that creates ${{STARTED}} and sleeps), and `canary:` with a list of settings \
             that hold ${{CANARY}}; tests/conformance/support.rs says more"
        )
    });
    let value: Value =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let canary = value["canary"].as_array().cloned().unwrap_or_default();
    assert!(value["hang"].is_object(), "{shown}: add `hang:`");
    assert!(
        !canary.is_empty(),
        "{shown}: add `canary:` with one block or more"
    );
    Conformance {
        hang: value["hang"].clone(),
        canary,
    }
}

/// A config with one gate, `id: gate`, in `folder`.
pub fn write_config(folder: &Path, probe: &Entry, with: &Value, secrets: &[&str]) -> PathBuf {
    let config = json!({
        "version": 1,
        "target": {"name": "conformance", "version": "1.0.0", "allow_disruptive": ["gate"]},
        "secrets": secrets,
        // As a default: a gate that is meant to take longer gets its time on top.
        "defaults": {"timeout": "500ms"},
        "gates": [{"id": "gate", "probe": probe.meta.id, "with": with}],
    });
    let path = folder.join("readygate.yaml");
    fs::write(&path, format!("{config:#}")).unwrap();
    path
}

/// The binary, in `folder`, with a clean environment.
pub fn readygate(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_readygate"));
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .timeout(std::time::Duration::from_secs(30));
    command
}

/// A folder full of links to itself: every level of a walk is as wide as the one before.
pub fn maze(root: &Path) -> PathBuf {
    let maze = root.join("maze");
    fs::create_dir(&maze).unwrap();
    for name in ["a", "b", "c", "d"] {
        std::os::unix::fs::symlink(".", maze.join(name)).unwrap();
    }
    maze
}

/// The fenced blocks of a Markdown text whose info string is `info`.
pub fn blocks<'a>(text: &'a str, info: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut open: Option<(bool, usize)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if let Some(fence) = line.trim_end().strip_prefix("```") {
            match open.take() {
                Some((true, start)) => found.push(&text[start..offset]),
                Some(_) => {}
                None => open = Some((fence == info, offset + line.len())),
            }
        }
        offset += line.len();
    }
    found
}

/// Fails with every problem, not with the first only.
pub fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
