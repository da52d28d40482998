//! The case files, and that each rule is produced by one.

use readygate_sdk::{Probe as _, testkit};
use readygate_source::Source;

#[test]
fn cases_hold_and_cover_every_rule() {
    let produced = testkit::run_cases::<Source>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    // These two say only that nothing can be told.
    let never_fail = ["source/unread", "source/git-state"];
    for rule in Source::META.rules {
        assert!(
            never_fail.contains(&rule.code) || produced.iter().any(|code| code == rule.code),
            "no case fails {}",
            rule.code
        );
    }
}
