//! The case files, and whether they produce every rule.

use readygate_sdk::{Probe as _, testkit};
use readygate_tests::Tests;

#[test]
fn every_rule_is_produced_by_a_case() {
    let produced = testkit::run_cases::<Tests>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    for rule in Tests::META.rules {
        assert!(
            produced.iter().any(|code| code == rule.code),
            "no case fails {}",
            rule.code
        );
    }
    for code in &produced {
        assert!(
            Tests::META.rules.iter().any(|rule| rule.code == code),
            "{code} is not documented"
        );
    }
}
