//! The case files, and that every rule is produced by one of them or by a capture.

use readygate_mongodb::Mongodb;
use readygate_sdk::{Probe, testkit};

#[test]
fn cases() {
    let produced = testkit::run_cases::<Mongodb>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    let missing: Vec<_> = Mongodb::META
        .rules
        .iter()
        .map(|rule| rule.code.to_owned())
        .filter(|code| !produced.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case produces {missing:?}");
}
