//! Properties of generated input.

use jiff::Timestamp;
use proptest::prelude::*;
use readygate_reports::Found;
use readygate_sdk::{CheckOutcome, Checks, Level, Probe as _};

use crate::{
    Tests, TestsConfig,
    collect::Collector,
    config::Retries,
    measurement::{Counts, TestsMeasurement},
    reader,
    tally::Tally,
};

/// The whole way of one file through the probe but for the file system. `None` when the
/// measurement fails or the gate would not pass.
fn passes(raw: &[u8], retries: Retries) -> Option<Counts> {
    let mut all = Collector::new(std::path::Path::new("."), &Found::default());
    let mut tally = Tally::new("r.xml", retries, &super::plain);
    let read = reader::read(raw, &|| false, &mut tally);
    all.add(
        "r.xml".to_owned(),
        tally,
        read,
        Timestamp::UNIX_EPOCH,
        false,
    );
    let measurement = TestsMeasurement {
        measured_at: Timestamp::UNIX_EPOCH,
        command: None,
        commit: None,
        reports: Some(all.finish()),
    };
    let json = serde_json::to_string(&measurement).unwrap();
    let read: TestsMeasurement = serde_json::from_str(&json).unwrap();
    assert_eq!(read, measurement, "the measurement does not survive JSON");
    let config = TestsConfig {
        run: None,
        directory: None,
        env: std::collections::BTreeMap::new(),
        reports: Some(vec!["r.xml".to_owned()]),
        retries,
        max_age: None,
    };
    let mut checks = Checks::new();
    Tests::judge(&config, &read, &mut checks);
    assert!(!checks.as_slice().is_empty());
    let _ = Tests::metrics(&read);
    let passes = checks.as_slice().iter().all(|check| match check.outcome {
        CheckOutcome::Passed => true,
        CheckOutcome::Failed => check.level < Level::Error,
        CheckOutcome::Unmeasured => false,
    });
    passes.then_some(read.reports?.counts)
}

const VALID: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->\n\
    <testsuites tests=\"4\">\n<testsuite name=\"s\" time=\"1,234.5\" timestamp=\"2024-01-01T00:00:00\">\
    <properties><property name=\"a\" value=\"&lt;b&#10;\"/></properties>\n\
    <testcase name=\"a\" time=\"0.1\"/><testcase name=\"b\" status=\"notrun\"/>\
    <testcase name=\"c\"><flakyFailure message=\"m\">t</flakyFailure></testcase>\
    <testcase name=\"d\"><system-out><![CDATA[<failure/>]]></system-out></testcase>\
    </testsuite></testsuites>";

const PIECES: &[&str] = &[
    "<",
    ">",
    "&",
    "\"",
    "'",
    "/",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?",
    "?>",
    "&amp;",
    "&x;",
    "&#0;",
    "<testcase>",
    "</testcase>",
    "<testcase/>",
    "<testsuite>",
    "<failure/>",
    "<error/>",
    "<skipped/>",
    "<!DOCTYPE a [<!ENTITY x 'y'>]>",
    "\0",
    "\u{1b}",
    "\u{feff}",
    " a='1'",
    " tests='9'",
    "\u{fffe}",
];

fn retries() -> impl Strategy<Value = Retries> {
    prop_oneof![Just(Retries::Separate), Just(Retries::Fold)]
}

/// A valid report with some edits: a byte changed, a piece put in, a range cut out, an end cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        0..4_u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<u8>(),
    );
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut xml = VALID.as_bytes().to_vec();
        for (kind, at, other, byte) in edits {
            if xml.is_empty() {
                break;
            }
            let at = at.index(xml.len());
            match kind {
                0 => xml[at] = byte,
                1 => drop(xml.splice(at..at, PIECES[other.index(PIECES.len())].bytes())),
                2 => drop(xml.drain(at..(at + 1 + other.index(40)).min(xml.len()))),
                _ => xml.truncate(at),
            }
        }
        xml
    })
}

#[test]
fn the_report_that_is_mutated_passes() {
    assert_eq!(
        passes(VALID.as_bytes(), Retries::Separate).map(|counts| counts.passed),
        Some(3)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_pass_without_a_test(raw in prop::collection::vec(any::<u8>(), 0..400), retries in retries()) {
        prop_assert!(passes(&raw, retries).is_none_or(|counts| counts.passed > 0));
    }

    #[test]
    fn soup_never_passes_without_a_test(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30), retries in retries()
    ) {
        let raw = format!("<testsuite>{}</testsuite>", pieces.concat());
        let passed = passes(raw.as_bytes(), retries);
        prop_assert!(passed.is_none_or(|counts| counts.passed > 0 && counts.failing() == 0));
    }

    #[test]
    fn a_mutated_report_never_passes_without_a_test(raw in mutated(), retries in retries()) {
        let passed = passes(&raw, retries);
        prop_assert!(passed.is_none_or(|c| c.passed > 0 && c.failing() == 0 && c.suite_errors == 0));
    }

    #[test]
    fn a_truncated_report_never_passes(end in 0..VALID.len(), retries in retries()) {
        prop_assert!(passes(&VALID.as_bytes()[..end], retries).is_none());
    }
}
