//! The case files, and what every probe owes its users.

use readygate_access::{Access, AccessConfig};
use readygate_sdk::{Probe, testkit::run_cases};

#[test]
fn every_rule_is_produced_by_a_case() {
    let produced = run_cases::<Access>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    for rule in Access::META.rules {
        assert!(
            produced.contains(&rule.code.to_owned()),
            "no case for {}",
            rule.code
        );
    }
}

#[test]
fn no_text_claims_prevention() {
    let rules = Access::META.rules.iter();
    let texts = rules
        .flat_map(|r| [r.summary, r.why, r.fix])
        .chain(Access::META.metrics.iter().map(|m| m.summary));
    for text in texts {
        assert!(!text.contains("prevented"), "{text}");
    }
}

#[test]
fn configs_that_cannot_be_read_say_why() {
    for (yaml, says) in [
        ("{authentication: [{url: /}]}", "user"),
        ("{allow_production: [everything]}", "everything"),
        ("{rate_limit: [{url: /, limit: 300}]}", "300"),
        ("{authorization: {matrx: a}}", "matrx"),
    ] {
        let error = serde_saphyr::from_str::<AccessConfig>(yaml)
            .err()
            .map(|e| e.to_string());
        assert!(
            error.as_ref().is_some_and(|e| e.contains(says)),
            "{yaml}: {error:?}"
        );
    }
}
