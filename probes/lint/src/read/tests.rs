//! What holds for every format.

use proptest::prelude::*;

use super::*;

/// One report of each format, each with one error and complete.
const SAMPLES: [(Format, &str); 9] = [
    (
        Format::Sarif,
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[{"level":"error","message":{"text":"m"}}],"invocations":[{"executionSuccessful":true}]}]}"#,
    ),
    (
        Format::Eslint,
        r#"[{"filePath":"a","messages":[],"errorCount":0},{"filePath":"b","messages":[{"severity":2,"message":"m"}]}]"#,
    ),
    (
        Format::Checkstyle,
        "<?xml version='1.0'?>\n<checkstyle><file name='a'/><file name='b'><error severity='error'/></file></checkstyle>",
    ),
    (
        Format::Stylelint,
        r#"[{"source":"a","warnings":[{"severity":"error","rule":"r","text":"t"}]}]"#,
    ),
    (
        Format::Rubocop,
        r#"{"metadata":{},"files":[{"path":"a","offenses":[{"severity":"error"}]}],"summary":{"offense_count":1,"inspected_file_count":1}}"#,
    ),
    (
        Format::Golangci,
        r#"{"Issues":[{"FromLinter":"l","Text":"t"}],"Report":{"Linters":[{"Enabled":true}]}}"#,
    ),
    (
        Format::Cargo,
        "{\"reason\":\"compiler-artifact\"}\n{\"reason\":\"compiler-message\",\"message\":{\"message\":\"m\",\"level\":\"error\",\"spans\":[]}}\n{\"reason\":\"build-finished\",\"success\":false}",
    ),
    (
        Format::Prettier,
        "Checking formatting...\n[warn] a.js\n[warn] Code style issues found in the above file.",
    ),
    (
        Format::Tsc,
        "a.ts(1,2): error TS2304: Cannot find name 'x'.\n",
    ),
];

fn settings() -> Settings<'static> {
    static NONE: BTreeMap<String, Severity> = BTreeMap::new();
    Settings {
        default_levels: &NONE,
        empty_is_clean: false,
    }
}

/// Whether a gate would pass on this.
fn is_clean(text: &str, format: Option<Format>) -> bool {
    read(text, format, &settings()).is_ok_and(|(_, reading)| {
        reading.counts.results() == 0
            && reading.incomplete.is_empty()
            && reading.doubtful.is_empty()
            && reading.linted != Some(0)
    })
}

#[test]
fn samples_are_recognised() {
    for (format, text) in SAMPLES {
        let (found, reading) = read(text, None, &settings()).unwrap();
        assert_eq!((found, reading.counts.errors), (format, 1), "{text}");
        assert!(reading.incomplete.is_empty() && reading.doubtful.is_empty());
    }
}

/// A linter that is killed leaves the beginning of a report.
#[test]
fn a_report_that_breaks_off_is_never_clean() {
    for (format, text) in SAMPLES {
        for (end, _) in text.char_indices() {
            for named in [None, Some(format)] {
                assert!(!is_clean(&text[..end], named), "{format}: {}", &text[..end]);
            }
        }
    }
}

#[test]
fn a_report_of_one_format_is_never_clean_in_another() {
    for (format, text) in SAMPLES {
        for (other, _) in SAMPLES.iter().filter(|(other, _)| *other != format) {
            assert!(!is_clean(text, Some(*other)), "{format} as {other}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_makes_a_reader_panic(
        which in 0..SAMPLES.len(), at in 0_usize..300, with in "[\\[\\]{}<>\"',:&;a0\\\\ \n\u{1b}é-]{0,6}",
    ) {
        let (format, text) = SAMPLES[which];
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let changed = format!("{}{with}{}", &text[..at], &text[at..]);
        for named in [None, Some(format)] {
            let _ = read(&changed, named, &settings());
        }
        let _ = decode(changed.as_bytes());
    }
}
