//! Arbitrary configs: never a panic, never a hang, and never a GO with fewer gates than were written.

use std::{fs, path::PathBuf, sync::mpsc, time::Duration};

use proptest::prelude::*;
use readygate::config::{Environment, Variables, load};
use tempfile::TempDir;

const VALID: &str = r#"version: 1
target: { name: production, url: "https://shop.example.com", variables: { WHO: me } }
defaults: { timeout: 30s, retry: { attempts: 2, delay: 10ms } }
concurrency: 4
secrets: [TOKEN]
require: { min_gates: 3, ids: [docs.readme] }
gates:
  - id: docs.readme
    title: The README is there
    stages: [pre-merge, nightly]
    probe: files
    with: { paths: [README.md, "docs/**/*.md"], min_size: 1KiB }
    expect: { count: ">= 1" }
  - id: build.image
    severity: blocker
    needs: [docs.readme]
    probe: command
    with:
      argv: [docker, inspect, "${WHO}"]
      json: { /0/Size: "< 300000000" }
    expect: { duration: "< 30s and > 0s" }
  - &last
    id: deploy.health
    probe: command
    sustain: { for: 1m, every: 5s }
    with: { shell: "curl -fsS localhost | grep ok" }
"#;
const GATES: usize = 3;

/// How many gates a config gives, or `None` when it is refused. A hang is a failure.
fn gates(bytes: &[u8]) -> Option<usize> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("readygate.yaml");
    fs::write(&path, bytes).unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let paths: [PathBuf; 1] = [path];
        let loaded = load(&paths, &Environment::default(), Variables::default());
        let count = match loaded {
            Ok(config) => Some(config.gates.len()),
            Err(error) => {
                assert!(!error.problems.is_empty());
                error.render(true, false);
                None
            }
        };
        sender.send(count)
    });
    receiver
        .recv_timeout(Duration::from_secs(30))
        .unwrap_or_else(|e| panic!("it panicked or hung: {e}"))
}

#[test]
fn the_valid_config_is_valid() {
    assert_eq!(gates(VALID.as_bytes()), Some(GATES));
}

/// Pieces that mean something in YAML or in the config.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\n".to_owned()),
        Just("  ".to_owned()),
        "[-:?{}\\[\\],&*!|>'\"%@`#~<=$ \n\t]{1,4}",
        "(version|gates|id|probe|with|expect|files|paths|include|<<|null|true|1|&a|\\*a|---|\\.\\.\\.)",
        "\\PC{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_in_peace(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // Random bytes that happen to be a config with a gate would be a wonder.
        prop_assert!(gates(&bytes).is_none_or(|n| n == 0));
    }

    #[test]
    fn arbitrary_yaml_is_read_or_refused_in_peace(pieces in prop::collection::vec(piece(), 0..60)) {
        gates(pieces.concat().as_bytes());
    }

    #[test]
    fn a_line_removed_or_doubled_loses_no_gate(at in 0..VALID.lines().count(), double in any::<bool>()) {
        let mut lines: Vec<&str> = VALID.lines().collect();
        if double { lines.insert(at, lines[at]) } else { lines.remove(at); }
        let text = lines.join("\n");
        // `min_gates` may be the line that is gone; no other single line may take a gate along.
        prop_assert!(gates(text.as_bytes()).is_none_or(|n| n == GATES), "{text}");
    }

    #[test]
    fn a_character_changed_loses_no_gate(at in 0..VALID.len(), with in "[ -~\n\t]|é", delete in any::<bool>()) {
        let mut text = VALID.to_owned();
        text.replace_range(at..=at, if delete { "" } else { &with });
        // A `#` hides the rest of its line, and a quote the rest of the file, in the open.
        prop_assert!(gates(text.as_bytes()).is_none_or(|n| n == GATES), "{text}");
    }

    #[test]
    fn a_piece_put_in_loses_no_gate(at in 0..VALID.len(), piece in piece()) {
        let mut text = VALID.to_owned();
        text.insert_str(at, &piece);
        prop_assert!(gates(text.as_bytes()).is_none_or(|n| n >= GATES), "{text}");
    }

    #[test]
    fn bytes_torn_out_lose_no_gate(at in 0..VALID.len(), length in 1..40_usize) {
        let mut bytes = VALID.as_bytes().to_vec();
        bytes.drain(at..(at + length).min(VALID.len()));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // Without `require` a whole gate may go; with it, never.
        if text.contains("min_gates: 3") {
            prop_assert!(gates(&bytes).is_none_or(|n| n == GATES), "{text}");
        }
    }
}
