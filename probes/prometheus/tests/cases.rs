//! The case files, and that each rule is produced by one.

use readygate_prometheus::Prometheus;
use readygate_sdk::{Probe as _, testkit};

#[test]
fn cases_hold_and_cover_every_rule() {
    let produced = testkit::run_cases::<Prometheus>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    for rule in Prometheus::META.rules {
        assert!(
            produced.iter().any(|code| code == rule.code),
            "no case fails {}",
            rule.code
        );
    }
}
