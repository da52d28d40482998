//! Reports, rendered from fixtures and read back.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod console;
mod junit;
mod junit_rules;
mod support;

use readygate::report::{Format, Style, render};
use support::{FIXTURES, fixture, fixture_path};

#[test]
fn a_report_is_a_pure_function_of_the_record() {
    for name in FIXTURES {
        for format in Format::all() {
            let bytes = || render(*format, &fixture(name), &Style::plain()).unwrap();
            assert_eq!(bytes(), bytes(), "{name} as {format}");
        }
    }
}

#[test]
fn json_is_the_record_byte_for_byte() {
    for name in FIXTURES {
        let json = render(Format::Json, &fixture(name), &Style::plain()).unwrap();
        let json = String::from_utf8(json).unwrap();
        let file = std::fs::read_to_string(fixture_path(name)).unwrap();
        assert!(json == file, "{name} differs:\n{json}");
    }
}

#[test]
fn fixtures_hold_what_the_gate_would_have_decided() {
    for name in FIXTURES {
        let run = fixture(name);
        let decision = readygate::verdict::decide(&run.gates, &[]);
        assert_eq!(run.verdict, decision.verdict, "{name}");
        assert_eq!(run.reasons, decision.reasons, "{name}");
        assert_eq!(run.counts, readygate::verdict::count(&run.gates), "{name}");
    }
}
