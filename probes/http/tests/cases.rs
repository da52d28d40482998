//! The case files, and what every probe owes its users.

use readygate_http::{Http, HttpConfig};
use readygate_sdk::{Probe, testkit::run_cases};

#[test]
fn every_rule_is_produced_by_a_case() {
    let produced = run_cases::<Http>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    for rule in Http::META.rules {
        assert!(
            produced.contains(&rule.code.to_owned()),
            "no case for {}",
            rule.code
        );
    }
}

#[test]
fn configs_that_cannot_be_read_say_why() {
    for (yaml, says) in [
        ("{url: x, stauts: 200}", "stauts"),
        ("{url: x, status: 700}", "700"),
        ("{url: x, status: {}}", "status code"),
        ("{url: x, method: FETCH}", "FETCH"),
        ("{url: x, auth: {digest: x}}", "digest"),
        ("{url: x, auth: {basic: {user: u, pasword: p}}}", "pasword"),
        ("{url: x, version: {xpath: x}}", "xpath"),
        ("{url: x, version: {text: '('}}", "regular expression"),
        ("{url: x, body_json: {/a: [1]}}", "scalar"),
        ("{url: x, body_json: {/a: '> many'}}", "no number"),
        ("{url: x, max_body: many}", "many"),
        ("{url: x, resolve: {h: nowhere}}", "resolve"),
        ("{url: x, insecure: true}", "insecure"),
    ] {
        let error = serde_saphyr::from_str::<HttpConfig>(yaml).unwrap_err();
        assert!(error.to_string().contains(says), "{yaml}: {error}");
    }
}

#[test]
fn the_example_of_the_readme_is_valid() {
    let readme = Http::META.readme;
    let block = readme
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let gates: Vec<serde_json::Value> = serde_saphyr::from_str(block.unwrap()).unwrap();
    let with = gates[0]["with"].to_string();
    let config: HttpConfig = serde_json::from_str(&with).unwrap();
    Http::validate(&config).unwrap();
    for metric in gates[0]["expect"].as_object().unwrap().keys() {
        assert!(
            Http::META.metrics.iter().any(|m| m.covers(metric)),
            "{metric}"
        );
    }
}

#[test]
fn the_footprint_names_credentials_without_their_values() {
    let yaml = "{url: '/x?token=hush', secret_headers: {X-Key: hush}, auth: {basic: {user: me, password: hush}}}";
    let footprint = Http::footprint(&serde_saphyr::from_str(yaml).unwrap());
    assert_eq!(footprint.contacts, ["/x?token=***"]);
    assert_eq!(footprint.credentials, ["header X-Key", "password of me"]);
}
