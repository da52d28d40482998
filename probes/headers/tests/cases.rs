//! The case files, and what every probe owes its users.

use readygate_headers::{Headers, HeadersConfig};
use readygate_sdk::{CheckOutcome, Probe, testkit::run_cases};

#[test]
fn every_rule_is_produced_by_a_case() {
    let produced = run_cases::<Headers>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    for rule in Headers::META.rules {
        assert!(
            produced.contains(&rule.code.to_owned()),
            "no case for {}",
            rule.code
        );
    }
}

/// A rule that never passes judges nothing. Some can only be left open or fail.
#[test]
fn every_rule_passes_in_some_case() {
    let mut cases = String::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/cases")).unwrap() {
        cases.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for rule in Headers::META.rules {
        let passes = cases.contains(&format!("\npassed {} ", rule.code));
        let never = ["headers/no-answer", "headers/cut-header"].contains(&rule.code);
        assert_ne!(passes, never, "{} ({:?})", rule.code, CheckOutcome::Passed);
    }
}

#[test]
fn configs_that_cannot_be_read_say_why() {
    for (yaml, says) in [
        ("{page: /}", "page"),
        ("{pages: /, profile: strict}", "strict"),
        ("{pages: /, cors: {origins: x}}", "origins"),
        ("{pages: /, max_body: many}", "many"),
        ("{pages: {a: b}}", "list of texts"),
    ] {
        let error = serde_saphyr::from_str::<HeadersConfig>(yaml).unwrap_err();
        assert!(error.to_string().contains(says), "{yaml}: {error}");
    }
}

#[test]
fn the_footprint_names_credentials_without_their_values() {
    let yaml = "{pages: '/x?token=hush', api: 'https://u:hush@a.example/', http_url: 'http://a.example/', secret_headers: {Cookie: hush}}";
    let footprint = Headers::footprint(&serde_saphyr::from_str(yaml).unwrap());
    assert_eq!(
        footprint.contacts,
        ["/x?token=***", "https://a.example/", "http://a.example/"]
    );
    assert_eq!(
        footprint.credentials,
        ["header Cookie", "credentials in the URL"]
    );
}
