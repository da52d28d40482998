//! The case files, and that each rule is produced by one.

use readygate_review::Review;
use readygate_sdk::{Probe as _, testkit};

#[test]
fn cases_hold_and_cover_every_rule() {
    let produced = testkit::run_cases::<Review>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    // A check that has not ended is neither good nor bad.
    let never_fail = ["review/check-pending"];
    for rule in Review::META.rules {
        assert!(
            never_fail.contains(&rule.code) || produced.iter().any(|code| code == rule.code),
            "no case fails {}",
            rule.code
        );
    }
}
