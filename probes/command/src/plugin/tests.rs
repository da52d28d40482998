use super::*;

fn data(output: &str) -> Vec<(String, Option<f64>, String)> {
    let record = parse(output);
    assert_eq!(record.malformed, Vec::<String>::new(), "{output}");
    let perfdata = record.perfdata.into_iter();
    perfdata.map(|d| (d.label, d.value, d.unit)).collect()
}

fn one(label: &str, value: f64, unit: &str) -> (String, Option<f64>, String) {
    (label.to_owned(), Some(value), unit.to_owned())
}

#[test]
fn the_example_of_the_guidelines_is_read() {
    let output = "DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n\
        / 15272 MB (77%);\n/boot 68 MB (69%);\n\
        /home 69357 MB (27%); | /boot=68MB;88;93;0;98\n/home=69357MB;253404;253409;0;253414\n";
    let record = parse(output);
    assert_eq!(record.summary, "DISK OK - free space: / 3326 MB (56%);");
    let wanted = [
        one("/", 2643.0, "MB"),
        one("/boot", 68.0, "MB"),
        one("/home", 69357.0, "MB"),
    ];
    assert_eq!(data(output), wanted);
    let root = &record.perfdata[0];
    assert_eq!(
        (root.warn.as_deref(), root.crit.as_deref()),
        (Some("5948"), Some("5958"))
    );
    assert_eq!((root.min, root.max), (Some(0.0), Some(5968.0)));
}

#[test]
fn labels_values_and_units_are_read() {
    assert_eq!(
        data("OK | 'used space'=80%;;;0;100 b=1c"),
        [one("used space", 80.0, "%"), one("b", 1.0, "c")]
    );
    assert_eq!(data("OK|'it''s'=1"), [one("it's", 1.0, "")]);
    assert_eq!(
        data("OK|'a|b'=1 c=-.5s"),
        [one("a|b", 1.0, ""), one("c", -0.5, "s")]
    );
    assert_eq!(data("OK|offset=-1.5e-05s;;"), [one("offset", -1.5e-5, "s")]);
    assert_eq!(data("OK|x=U"), [("x".to_owned(), None, String::new())]);
    assert_eq!(data("OK - no data"), []);
    assert_eq!(data(""), []);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_kept() {
    for bad in [
        "load",
        "=1",
        "x=",
        "x=0,5s",
        "x=one",
        "'x=1",
        "x=1;a",
        "x=1;;;zero",
        "'x'1",
    ] {
        let record = parse(&format!("OK | {bad} good=1"));
        assert_eq!(record.malformed.len(), 1, "{bad}: {record:?}");
        assert!(
            record.perfdata.iter().any(|d| d.label == "good"),
            "{bad}: {record:?}"
        );
    }
}

#[test]
fn floods_are_capped() {
    let record = parse(&format!("OK | {}", "a=1 b ".repeat(5000)));
    assert_eq!(
        (record.perfdata.len(), record.malformed.len()),
        (MOST_DATA, MOST_MALFORMED)
    );
}

/// The table of the guidelines.
#[test]
fn ranges_alert_as_the_guidelines_say() {
    for (range, alerts, fine) in [
        ("10", vec![-0.1, 10.1], vec![0.0, 10.0]),
        ("10:", vec![9.9], vec![10.0, 1e9]),
        ("~:10", vec![10.1], vec![-1e9, 10.0]),
        ("10:20", vec![9.9, 20.1], vec![10.0, 20.0]),
        ("@10:20", vec![10.0, 15.0, 20.0], vec![9.9, 20.1]),
        (":10", vec![-0.1, 10.1], vec![0.0]),
        ("@~:0", vec![-5.0, 0.0], vec![0.1]),
    ] {
        let parsed: Range = range.parse().unwrap();
        for value in alerts {
            assert!(parsed.alerts(value), "{range} alerts at {value}");
        }
        for value in fine {
            assert!(!parsed.alerts(value), "{range} is quiet at {value}");
        }
    }
    for bad in ["", "@", "20:10", "a:b", "1:2:3", "NaN"] {
        assert!(bad.parse::<Range>().is_err(), "{bad}");
    }
}
