//! What the manifest expects of each format, as metrics of the probe that reads it. A format of a
//! further probe is one row here.

use serde_json::Value;

/// A severity with where an audit record counts it.
macro_rules! severity {
    ($name:literal) => {
        [
            $name,
            concat!("/reports/0/entries/", $name),
            concat!("/reports/0/advisories/", $name),
            concat!(
                "/reports/0/entries/",
                $name,
                "+/reports/0/suppressed/",
                $name
            ),
        ]
    };
}

/// All severities of one kind of count together.
macro_rules! sum {
    ($of:literal) => {
        concat!(
            "/reports/0/",
            $of,
            "/critical+/reports/0/",
            $of,
            "/high+/reports/0/",
            $of,
            "/moderate+/reports/0/",
            $of,
            "/low+/reports/0/",
            $of,
            "/none+/reports/0/",
            $of,
            "/unknown"
        )
    };
}

/// The figures that an entry expects.
#[derive(Default)]
pub struct Expected {
    /// Metrics in base units; a name that begins with `/` is a JSON pointer into the measurement, or
    /// several of them joined by `+`.
    pub figures: Vec<(&'static str, f64)>,
    /// The file holds failures or nothing at all: whatever the figures are, it must not pass.
    pub must_not_pass: bool,
    /// No figure is defined: the gate must not pass.
    pub unreadable: bool,
}

/// One format of the manifest.
pub struct Family {
    pub format: &'static str,
    pub probe: &'static str,
    pub expected: fn(&Value) -> Expected,
}

const fn family(
    format: &'static str,
    probe: &'static str,
    expected: fn(&Value) -> Expected,
) -> Family {
    Family {
        format,
        probe,
        expected,
    }
}

/// Every format with expected figures.
pub const FAMILIES: &[Family] = &[
    family("junit", "tests", junit),
    family("tap", "tests", tap),
    family("jest", "tests", jest),
    family("mocha", "tests", mocha),
    family("rspec-json", "tests", rspec),
    family("dart-json", "tests", by_result),
    family("gotest-json", "tests", go_test),
    family("trx", "tests", by_result),
    family("nunit2", "tests", by_result),
    family("nunit3", "tests", by_result),
    family("xunit", "tests", by_result),
    family("lcov", "coverage", lines_and_branches),
    family("cobertura", "coverage", lines_and_branches),
    family("jacoco", "coverage", jacoco),
    family("clover", "coverage", clover),
    family("gocover", "coverage", statements),
    family("istanbul-final", "coverage", istanbul_final),
    family("istanbul-summary", "coverage", measures),
    family("llvm-cov", "coverage", measures),
    family("simplecov", "coverage", lines_and_branches),
    family("sarif", "lint", sarif),
    family("checkstyle", "lint", checkstyle),
    family("eslint", "lint", eslint),
    family("npm-audit-v1", "audit", advisories),
    family("npm-audit-v2", "audit", npm_v2),
    family("npm-audit-error", "audit", never),
    family("yarn1-audit", "audit", advisories),
    family("yarn-berry-audit", "audit", yarn_berry),
    family("cargo-audit", "audit", cargo_audit),
    family("pip-audit", "audit", pip_audit),
    family("osv-scanner", "audit", osv_scanner),
    family("grype", "audit", matches),
    family("trivy", "audit", matches),
    family("snyk", "audit", snyk),
    family("cyclonedx-json", "audit", cyclonedx),
    family("openvex", "audit", openvex),
    family("gitleaks-report", "secrets", findings),
    family("detect-secrets", "secrets", detect_secrets),
    family("trufflehog", "secrets", trufflehog),
];

/// The figures of an entry by name, those that it has.
fn figures(of: &Value, names: &[(&'static str, &str)]) -> Vec<(&'static str, f64)> {
    let figure = |(metric, name): &(&'static str, &str)| Some((*metric, of[*name].as_f64()?));
    names.iter().filter_map(figure).collect()
}

fn expected(entry: &Value, read: impl FnOnce(&Value) -> Expected) -> Expected {
    let expected = &entry["expected"];
    if expected.is_null() {
        return never(entry);
    }
    read(expected)
}

fn never(_: &Value) -> Expected {
    Expected {
        unreadable: true,
        ..Expected::default()
    }
}

fn plain(figures: Vec<(&'static str, f64)>) -> Expected {
    Expected {
        figures,
        ..Expected::default()
    }
}

/// Counts of tests, which must not pass with a failure or with nothing executed.
fn tests(total: f64, passed: f64, bad: f64, skipped: f64) -> Expected {
    Expected {
        figures: vec![("total", total), ("passed", passed), ("skipped", skipped)],
        must_not_pass: bad > 0.0 || total <= skipped,
        unreadable: false,
    }
}

fn junit(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("total", "tests"),
            ("passed", "passed"),
            ("failed", "failed"),
            ("errors", "errors"),
            ("skipped", "skipped"),
            ("flaky", "flaky"),
        ];
        let n = |name: &str| e[name].as_f64().unwrap_or_default();
        Expected {
            figures: figures(e, &names),
            must_not_pass: n("failed") + n("errors") > 0.0 || n("tests") <= n("skipped"),
            unreadable: false,
        }
    })
}

fn tap(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str| e[name].as_f64().unwrap_or_default();
        let mut figures = vec![("total", n("count"))];
        // The peer counts a failed TODO or SKIP among `fail`, an ok one among `pass`, and adds a
        // failure for what is wrong with the stream itself; the figures compare without those.
        let other = n("pass") + n("fail") - n("count");
        let whole = other.abs() < 0.5 && n("todo") == 0.0;
        if whole && n("fail") == 0.0 {
            figures.extend([("passed", n("pass") - n("skip")), ("skipped", n("skip"))]);
        } else if whole && n("skip") == 0.0 {
            figures.push(("failed", n("fail")));
        }
        let not_ok = e["ok"] == false || e["bailout"] != false;
        Expected {
            figures,
            must_not_pass: not_ok || n("count") <= n("skip"),
            unreadable: false,
        }
    })
}

fn jest(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str| e[name].as_f64().unwrap_or_default();
        let skipped = n("numPendingTests") + n("numTodoTests");
        let bad = n("numFailedTests") + n("numRuntimeErrorTestSuites");
        let mut all = tests(n("numTotalTests"), n("numPassedTests"), bad, skipped);
        all.must_not_pass |= e["success"] == false;
        all
    })
}

fn mocha(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str| e[name].as_f64().unwrap_or_default();
        tests(n("tests"), n("passes"), n("failures"), n("pending"))
    })
}

fn rspec(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str| e[name].as_f64().unwrap_or_default();
        let (total, skipped) = (n("example_count"), n("pending_count"));
        let bad = n("failure_count") + n("errors_outside_of_examples_count");
        tests(total, total - skipped - n("failure_count"), bad, skipped)
    })
}

/// The words of the XML formats and of Dart for each state.
fn by_result(entry: &Value) -> Expected {
    expected(entry, |e| {
        let (mut passed, mut skipped, mut bad) = (0.0, 0.0, 0.0);
        let counts = e.get("by_result").or(e.get("by_outcome"));
        for (word, count) in counts.and_then(Value::as_object).into_iter().flatten() {
            let count = count.as_f64().unwrap_or_default();
            let state = word.split(':').next().unwrap_or_default().to_lowercase();
            match state.as_str() {
                "success" | "passed" | "pass" | "executed=true,success=true" => passed += count,
                "skipped"
                | "skip"
                | "notexecuted"
                | "inconclusive"
                | "notrunnable"
                | "ignored"
                | "executed=false,success=none" => skipped += count,
                _ => bad += count,
            }
        }
        let mut all = tests(passed + skipped + bad, passed, bad, skipped);
        // NUnit 2 without `success`: whether there is a failure inside decides, which the manifest
        // does not tell.
        let open = |word: &String| word.contains("success=None") && word.contains("executed=True");
        if counts
            .and_then(Value::as_object)
            .is_some_and(|counts| counts.keys().any(open))
        {
            all.figures.truncate(1);
        }
        all
    })
}

/// Leaves count: a parent has the result of its subtests.
fn go_test(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |of: &str, name: &str| e[of][name].as_f64().unwrap_or_default();
        let total = e["leaf_tests"].as_f64().unwrap_or_default();
        let leaf = "leaf_by_action";
        let (passed, skipped) = (n(leaf, "pass"), n(leaf, "skip"));
        let bad = n(leaf, "fail") + n("packages", "fail") + n("by_action", "fail");
        tests(total, passed, bad, skipped)
    })
}

fn lines_and_branches(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("lines.total", "lines_total"),
            ("lines.covered", "lines_covered"),
            ("lines", "line_pct"),
            ("branches.total", "branches_total"),
            ("branches.covered", "branches_covered"),
        ];
        covered(figures(e, &names))
    })
}

/// Coverage of no line at all must not pass.
fn covered(figures: Vec<(&'static str, f64)>) -> Expected {
    let lines = figures.iter().find(|(name, _)| *name == "lines.total");
    Expected {
        must_not_pass: lines.is_none_or(|(_, total)| *total == 0.0),
        figures,
        unreadable: false,
    }
}

fn jacoco(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("lines.total", "line_total"),
            ("lines.covered", "line_covered"),
            ("lines", "line_pct"),
            ("branches.total", "branch_total"),
            ("branches.covered", "branch_covered"),
        ];
        covered(figures(e, &names))
    })
}

fn clover(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("lines.total", "statements"),
            ("lines.covered", "coveredstatements"),
            ("lines", "statement_pct"),
            ("branches.total", "conditionals"),
            ("branches.covered", "coveredconditionals"),
            ("functions.total", "methods"),
            ("functions.covered", "coveredmethods"),
        ];
        covered(figures(e, &names))
    })
}

fn statements(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("lines.total", "statements_total"),
            ("lines.covered", "statements_covered"),
            ("lines", "statement_pct"),
        ];
        covered(figures(e, &names))
    })
}

fn istanbul_final(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str, at: usize| e[name][at].as_f64().unwrap_or_default();
        covered(vec![
            ("lines.total", n("lines", 0)),
            ("lines.covered", n("lines", 1)),
            ("functions.total", n("functions", 0)),
            ("functions.covered", n("functions", 1)),
            ("branches.total", n("branches", 0)),
            ("branches.covered", n("branches", 1)),
        ])
    })
}

fn measures(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str, part: &str| e[name][part].as_f64().unwrap_or_default();
        covered(vec![
            ("lines.total", n("lines", "total")),
            ("lines.covered", n("lines", "covered")),
            ("functions.total", n("functions", "total")),
            ("functions.covered", n("functions", "covered")),
            ("branches.total", n("branches", "total")),
            ("branches.covered", n("branches", "covered")),
        ])
    })
}

fn sarif(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |level: &str| {
            e["unsuppressed_by_level"][level]
                .as_f64()
                .unwrap_or_default()
        };
        plain(vec![
            ("errors", n("error")),
            ("warnings", n("warning")),
            ("notes", n("note")),
        ])
    })
}

fn checkstyle(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |level: &str| e["by_severity"][level].as_f64().unwrap_or_default();
        plain(vec![
            ("errors", n("error")),
            ("warnings", n("warning")),
            ("notes", n("info")),
        ])
    })
}

fn eslint(entry: &Value) -> Expected {
    expected(entry, |e| {
        plain(figures(
            e,
            &[("errors", "messages_sev2"), ("warnings", "messages_sev1")],
        ))
    })
}

/// Severities, with where an audit record has them: of entries as the file lists them, of unique
/// advisories, and of entries with those that VEX takes back.
const SEVERITIES: [[&str; 4]; 5] = [
    severity!("critical"),
    severity!("high"),
    severity!("moderate"),
    severity!("low"),
    [
        "unknown",
        "/reports/0/entries/unknown+/reports/0/entries/none",
        "/reports/0/advisories/unknown+/reports/0/advisories/none",
        "/reports/0/entries/unknown+/reports/0/entries/none+/reports/0/suppressed/unknown+/reports/0/suppressed/none",
    ],
];

/// Counts by severity. `place` is 1 for entries, 2 for unique advisories, 3 for entries and
/// suppressed ones.
fn severities(of: &Value, place: usize) -> Vec<(&'static str, f64)> {
    let n = |name: &str| of[name].as_f64().unwrap_or_default();
    let count = |row: &[&'static str; 4]| match row[0] {
        "moderate" => n("moderate") + n("medium"),
        "unknown" => n("unknown") + n("none") + n("negligible"),
        name => n(name),
    };
    SEVERITIES
        .iter()
        .map(|row| (row[place], count(row)))
        .collect()
}

fn advisories(entry: &Value) -> Expected {
    expected(entry, |e| {
        let mut all = figures(e, &[("total", "unique_advisories")]);
        all.extend(severities(&e["unique_advisories_by_severity"], 2));
        plain(all)
    })
}

fn npm_v2(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("total", "unique_advisories"),
            ("/reports/0/packages", "packages"),
        ];
        let mut all = figures(e, &names);
        all.extend(severities(&e["unique_advisories_by_severity"], 2));
        plain(all)
    })
}

fn yarn_berry(entry: &Value) -> Expected {
    expected(entry, |e| {
        let mut all = figures(e, &[("total", "findings")]);
        all.extend(severities(&e["by_severity"], 1));
        plain(all)
    })
}

fn cargo_audit(entry: &Value) -> Expected {
    expected(entry, |e| plain(figures(e, &[("total", "count")])))
}

/// A package that was skipped is one of which nothing is known.
fn pip_audit(entry: &Value) -> Expected {
    expected(entry, |e| {
        let skipped = e["skipped"].as_f64().unwrap_or_default() > 0.0;
        Expected {
            figures: if skipped {
                Vec::new()
            } else {
                figures(e, &[("total", "vulns")])
            },
            must_not_pass: skipped,
            unreadable: false,
        }
    })
}

/// A group is one advisory of one package; the metric `total` counts an advisory once for all of them.
fn osv_scanner(entry: &Value) -> Expected {
    expected(entry, |e| {
        let mut all = figures(e, &[("/reports/0/packages", "vulnerable_packages")]);
        all.extend(severities(&e["groups_by_max_severity"], 1));
        plain(all)
    })
}

/// Identifiers that name each other as aliases are one advisory in `total`, so entries are compared.
fn matches(entry: &Value) -> Expected {
    expected(entry, |e| plain(severities(&e["by_severity"], 1)))
}

/// Licence issues are no vulnerabilities.
fn snyk(entry: &Value) -> Expected {
    expected(entry, |e| {
        let projects = || e["projects"].as_array().into_iter().flatten();
        let mut sum = serde_json::Map::new();
        for (name, count) in projects()
            .filter_map(|p| p["unique_by_severity"].as_object())
            .flatten()
        {
            let known = sum.get(name).and_then(Value::as_f64).unwrap_or_default();
            sum.insert(
                name.clone(),
                (known + count.as_f64().unwrap_or_default()).into(),
            );
        }
        plain(severities(&Value::Object(sum), 2))
    })
}

fn cyclonedx(entry: &Value) -> Expected {
    expected(entry, |e| plain(severities(&e["by_max_severity"], 3)))
}

fn openvex(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |status: &str| e["by_status"][status].as_f64().unwrap_or_default();
        plain(vec![
            (sum!("entries"), n("affected") + n("under_investigation")),
            (sum!("suppressed"), n("fixed") + n("not_affected")),
        ])
    })
}

fn findings(entry: &Value) -> Expected {
    expected(entry, |e| {
        plain(figures(
            e,
            &[("findings", "findings"), ("verified", "verified")],
        ))
    })
}

/// Lines of the file; the metric counts the same secret at the same place once.
fn trufflehog(entry: &Value) -> Expected {
    expected(entry, |e| {
        let names = [
            ("/reports/files/0/findings", "findings"),
            ("verified", "verified"),
        ];
        plain(figures(e, &names))
    })
}

/// What a person has marked as no secret is none.
fn detect_secrets(entry: &Value) -> Expected {
    expected(entry, |e| {
        let n = |name: &str| e[name].as_f64().unwrap_or_default();
        plain(vec![("findings", n("findings") - n("audited_false"))])
    })
}
