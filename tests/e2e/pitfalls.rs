//! Traps that other gate tools fell into, each kept shut by one test.
//!
//! | | trap | here |
//! |---|---|---|
//! | P1 | fail open on internal error | `p01` |
//! | P2 | vacuous pass | `p02` |
//! | P3 | last result wins | `p03` |
//! | P4 | report failure hidden | `p04`, `reports` |
//! | P5 | retries hide flakiness | `p05`, `engine` |
//! | P6 | secrets leak by another road | `p06`, `redaction` |
//! | P7 | dates and zones | `p07`: times in UTC, ages independent of `TZ`; waivers end at a second, UTC: `waiver::tests` |
//! | P8 | units, numbers, locale | `p08`, `expect` |
//! | P9 | YAML loses gates silently | `p09`, `config`, `properties` |
//! | P10 | waived and skipped gates vanish | `p10`, and `waivers.rs` |
//! | P11 | shared state, side effects on neighbours | `p11`, `engine` |
//! | P12 | interactive or self-updating | `p12` |
//! | P13 | no data reads as good | `p13`; there is no PromQL probe yet |
//! | P14 | floods, duplicate names in JUnit | `p14`; there are no annotations yet |
//! | P15 | selection that still executes | `p15` |
//! | P16 | command injection, trust in paths | `p16` |
//! | P17 | reports that append | `p17`, `reports` |
//! | P18 | drifting baselines | `p18`, `expect` |

use std::{collections::HashSet, time::Duration};

use crate::support::{readygate, repeated};

const GOOD: &str = "- {id: good, probe: command, with: {argv: ['true']}}\n";

/// Guards against GO after something went wrong inside: config, include, probe, record.
#[test]
fn p01_whatever_breaks_never_ends_in_0() {
    for config in [
        format!("version: 1\ninclude: [nowhere.yaml]\ngates:\n{GOOD}"),
        format!("version: 1\ngates:\n{GOOD}- garbage\n"),
        format!(
            "version: 1\ngates:\n{GOOD}- {{id: x, probe: command, with: {{argv: [no-such-program]}}}}\n"
        ),
        format!(
            "version: 1\ngates:\n{GOOD}- {{id: x, timeout: 1ms, probe: command, with: {{argv: [sleep, '600']}}}}\n"
        ),
        format!(
            "version: 1\ngates:\n{GOOD}- {{id: x, probe: command, with: {{protocol: json, argv: [echo, '{{'] }}}}\n"
        ),
        format!("version: 1\ngates:\n{GOOD}{GOOD}"),
        format!("version: 1\ngate:\n{GOOD}"),
    ] {
        let ran = readygate().config(&config).run();
        assert!(ran.code != 0, "{config}: {}", ran.stdout);
    }
}

/// Guards against passing because nothing was looked at.
#[test]
fn p02_nothing_passes_vacuously() {
    for gate in [
        "{id: g, probe: files, with: {paths: ['*.nothing']}}",
        "{id: g, probe: files, with: {paths: []}}",
        "{id: g, probe: files}",
        "{id: g, probe: command}",
        "{id: g, probe: command, with: {argv: []}}",
        "{id: g, probe: command, with: {argv: ['']}}",
        "{id: g, probe: command, with: {protocol: json, argv: [echo, '{\"protocol\": \"readygate/1\"}']}}",
        "{id: g, probe: command, with: {protocol: nagios, argv: [sh, -c, 'exit 3']}}",
        "{id: g, severity: minor, probe: command, with: {argv: [no-such-program]}}",
        "{id: g, severity: info, probe: command, with: {argv: ['false']}}",
    ] {
        let ran = readygate().gates(&format!("- {gate}\n")).run();
        assert!(ran.code != 0, "{gate}: {}", ran.stdout);
    }
    for args in [
        "run --only nothing*",
        "run --tag none",
        "run --stage deploy --skip good",
    ] {
        assert_eq!(readygate().gates(GOOD).call(args).code, 2, "{args}");
    }
}

/// Guards against the exit code following the last gate, file or report.
#[test]
fn p03_the_order_of_gates_does_not_matter() {
    let bad = "- {id: bad, probe: command, with: {argv: ['false']}}\n";
    let lost = "- {id: lost, probe: command, with: {argv: [no-such-program]}}\n";
    for order in [
        [bad, lost, GOOD],
        [GOOD, bad, lost],
        [lost, GOOD, bad],
        [GOOD, lost, bad],
    ] {
        for reports in [
            "run --report json=run.json",
            "run --report junit=-",
            "run --report json=run.json --report junit=x.xml --report console=-",
        ] {
            let project = readygate().gates(&order.concat());
            assert_eq!(project.call(reports).code, 1, "{order:?} {reports}");
        }
    }
    let project = readygate()
        .gates(bad)
        .file("b.yaml", format!("version: 1\ngates:\n{GOOD}"));
    assert_eq!(project.call("run -c readygate.yaml -c b.yaml").code, 1);
    assert_eq!(project.call("run -c b.yaml -c readygate.yaml").code, 1);
}

/// Guards against broken XML, text beside it on stdout, and a green job without a report.
#[test]
fn p04_reports_parse_whatever_programs_print() {
    let project = readygate()
        .file("junk", b"\0\x01\x08\x0b\x1f\x7f\xc2\x85\xef\xbf\xbe]]>&amp;<a b=\"'\r\n\xff\xf0\x9f".as_slice())
        .gates("- {id: junk, title: \"<&>'\\\"\\u0007\", probe: command, with: {shell: cat junk; cat junk >&2; exit 1}}");
    let ran = project.call("run --report junit=- --report json=run.json");
    assert_eq!(ran.code, 1);
    let text = String::from_utf8(ran.raw.stdout.clone()).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed));
    ran.record();
}

/// Guards against a pass that hides the failures before it.
#[test]
fn p05_flakiness_is_in_every_report() {
    let project = readygate().gates(
        "- {id: flaky, probe: command, retry: {attempts: 3, delay: 10ms}, with: {shell: '[ -e again ] || { touch again; exit 1; }'}}\n",
    );
    let ran = project.run();
    assert_eq!(ran.code, 0);
    assert_eq!(ran.record()["counts"]["flaky"], 1);
    for page in [ran.stdout, project.call("render junit run.json").stdout] {
        assert!(page.contains("attempt"), "{page}");
    }
}

/// Guards against secrets in ids, error texts, file names and URLs.
#[test]
fn p06_secrets_stay_out_of_every_road() {
    let project = readygate()
        .config(
            "version: 1
secrets: [CANARY]
target: {name: 'shop ${CANARY}', url: 'https://user:hunter2@shop.example.com/${CANARY}'}
gates:
- {id: a, title: 't ${CANARY}', section: 's ${CANARY}', owner: 'o ${CANARY}', probe: files, with: {paths: ['${CANARY}/x']}}
- {id: b, probe: command, with: {argv: ['./${CANARY}']}}
- {id: c, probe: command, with: {argv: [echo, 'ftp://me:hunter2@host/'], stdout: {contains: nope}}}
",
        )
        .env("CANARY", "canary-4711");
    let ran = project.call("run -v --report json=run.json --report junit=run.xml");
    assert_eq!(ran.code, 1);
    let plan = project.call("plan");
    let pages = [
        ran.stdout,
        ran.stderr,
        plan.stdout,
        project.read("run.json"),
        project.read("run.xml"),
    ];
    for page in pages {
        assert!(
            !page.contains("canary-4711") && !page.contains("hunter2"),
            "{page}"
        );
    }
}

/// Guards against results that depend on the time zone of the runner.
#[test]
fn p07_times_are_utc_and_ages_do_not_know_zones() {
    for zone in [
        "UTC",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        ":/nonsense",
    ] {
        let ran = readygate()
            .file("fresh", "x")
            .gates("- {id: fresh, probe: files, with: {paths: [fresh], max_age: 1h}, expect: {age.newest: '< 1h'}}\n")
            .env("TZ", zone)
            .run();
        assert_eq!(ran.code, 0, "{zone}: {}", ran.stdout);
        for time in [&ran.record()["started"], &ran.record()["finished"]] {
            let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
            #[expect(
                clippy::disallowed_methods,
                reason = "compared with the clock of the binary"
            )]
            let off = jiff::Timestamp::now().duration_since(time);
            assert!(
                off.abs() < jiff::SignedDuration::from_mins(5),
                "{zone}: {off}"
            );
        }
        assert!(ran.record()["started"].as_str().unwrap().ends_with('Z'));
    }
}

/// Guards against numbers that a locale, an exponent or a missing unit turns into others.
#[test]
fn p08_numbers_mean_the_same_everywhere() {
    for locale in ["C", "de_DE.UTF-8", "tr_TR.UTF-8"] {
        let ran = readygate()
            .gates("- {id: g, probe: command, with: {argv: [echo, '{\"a\": 1.5e3}'], metrics: {a: /a}}, expect: {json.a: '== 1500'}}\n")
            .env("LC_ALL", locale)
            .run();
        assert_eq!(ran.code, 0, "{locale}: {}", ran.stdout);
        let project = readygate()
            .gates(GOOD)
            .env("LC_ALL", locale)
            .args(["run", "--report", "junit=-"]);
        for time in project.run().stdout.split("time=\"").skip(1) {
            let time = time.split('"').next().unwrap();
            let plain = |c: char| c.is_ascii_digit() || c == '.';
            assert!(
                time.chars().all(plain) && time.parse::<f64>().unwrap() < 60.0,
                "{time}"
            );
        }
    }
    for timeout in ["5", "5 apples", "-5s", "1e400s", "NaNs", "''"] {
        let ran = readygate()
            .gates(&format!(
                "- {{id: g, timeout: {timeout}, probe: command, with: {{argv: ['true']}}}}\n"
            ))
            .run();
        assert_eq!(ran.code, 2, "{timeout}");
    }
}

/// Guards against gates that vanish between the file and the run.
#[test]
fn p09_no_gate_is_lost_between_file_and_record() {
    let gates = repeated(100, |n| {
        format!("- {{id: g{n}, probe: files, with: {{paths: [readygate.yaml]}}}}\n")
    });
    let ran = readygate().gates(&gates).run();
    assert_eq!(ran.code, 0);
    assert_eq!(ran.record()["gates"].as_array().unwrap().len(), 100);
    for mistake in ["gates:\n", "Gates:\n", "'gates':\n"] {
        let ran = readygate()
            .config(&format!("version: 1\ngates:\n{GOOD}{mistake}- {{id: b, probe: command, with: {{argv: ['false']}}}}\n"))
            .run();
        assert_eq!(ran.code, 2, "{mistake}");
    }
}

/// Guards against gates that are not selected or skipped and leave no row.
#[test]
fn p10_every_declared_gate_has_one_row() {
    let project = readygate().gates(
        "- {id: bad, probe: command, with: {argv: ['false']}}
- {id: behind, needs: [bad], probe: command, with: {argv: ['true']}}
- {id: other, tags: [x], probe: command, with: {argv: ['true']}}
- {id: plain, probe: command, with: {argv: ['true']}}
",
    );
    for args in ["", " --only other", " --skip behind", " --tag x"] {
        let ran = project.call(&format!(
            "run{args} --report json=run.json --report junit=run.xml"
        ));
        let record = ran.record();
        let ids: Vec<_> = record["gates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|g| g["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["bad", "behind", "other", "plain"], "{args}");
        let junit = project.read("run.xml");
        for id in ids {
            assert_eq!(
                junit.matches(&format!(" name=\"{id}\"")).count(),
                1,
                "{args} {id}: {junit}"
            );
        }
    }
}

/// Guards against gates that meddle with each other: fifty at once give fifty answers of their own.
#[test]
fn p11_gates_do_not_share_state() {
    let gates = repeated(50, |n| {
        format!(
            "- {{id: g{n}, probe: command, with: {{shell: 'echo {n}; exit {}'}}, expect: {{stdout.bytes: '> 0B'}}}}\n",
            n % 3
        )
    });
    let ran = readygate()
        .config(&format!("version: 1\nconcurrency: 50\ngates:\n{gates}"))
        .run();
    for n in 0..50 {
        let gate = ran.gate(&format!("g{n}"));
        let measured = &gate["measurement"];
        assert_eq!(measured["stdout"]["text"], format!("{n}\n"));
        assert_eq!(
            gate["outcome"],
            if n % 3 == 0 { "passed" } else { "failed" }
        );
    }
}

/// Guards against prompts that hang a CI job.
#[test]
fn p12_nobody_is_asked_anything() {
    let project = readygate()
        .gates("- {id: asks, probe: command, timeout: 20s, with: {shell: 'read answer && exit 1; exit 0'}}\n")
        .within(Duration::from_secs(30));
    let ran = project.shell(
        "$readygate run -q < <(exec sleep 60 >/dev/null 2>&1); code=$?; kill $!; exit $code",
    );
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// Guards against absent, empty or odd data that reads as good.
#[test]
fn p13_no_data_is_could_not_tell() {
    for (output, metrics) in [
        ("", "a: /a"),
        ("[]", "a: /0"),
        ("{}", "a: /a"),
        ("{\"a\": null}", "a: /a"),
        ("{\"a\": []}", "a: /a"),
        ("{\"a\": \"NaN\"}", "a: /a"),
        ("{\"a\": NaN}", "a: /a"),
        ("{\"a\": 1", "a: /a"),
        ("{\"a\": true}", "a: /a"),
    ] {
        let ran = readygate()
            .gates(&format!(
                "- {{id: g, probe: command, with: {{argv: [echo, '{output}'], metrics: {{{metrics}}}}}, expect: {{json.a: '< 5'}}}}\n"
            ))
            .run();
        assert!(
            [1, 3].contains(&ran.code),
            "{output}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}

/// Guards against names that GitLab drops as duplicates, and reports too large to read.
#[test]
fn p14_junit_names_are_unique_and_floods_are_cut() {
    let paths = (0..500)
        .map(|n| format!("missing-{n}"))
        .collect::<Vec<_>>()
        .join(", ");
    let project = readygate().gates(&format!(
        "- {{id: many, probe: files, with: {{paths: [{paths}]}}}}\n"
    ));
    let ran = project.call("run --report junit=run.xml");
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.lines().count() < 200,
        "{}",
        ran.stdout.lines().count()
    );
    let junit = project.read("run.xml");
    let attribute = |case: &str, name: &str| {
        let value = case
            .split(&format!(" {name}=\""))
            .nth(1)
            .unwrap_or_default();
        value.split('"').next().unwrap_or_default().to_owned()
    };
    let cases: Vec<_> = junit
        .split("<testcase")
        .skip(1)
        .map(|case| (attribute(case, "classname"), attribute(case, "name")))
        .collect();
    assert!(cases.len() > 10);
    assert_eq!(cases.iter().collect::<HashSet<_>>().len(), cases.len());
}

/// Guards against gates that are not selected and have side effects all the same.
#[test]
fn p15_what_is_not_selected_does_not_run() {
    let project = readygate().gates(&format!(
        "{GOOD}- {{id: touch, tags: [x], stages: [deploy], probe: command, with: {{shell: touch ran}}}}\n"
    ));
    for args in [
        "run --only good",
        "run --skip touch",
        "run --stage nightly",
        "plan",
        "explain touch",
    ] {
        assert_eq!(project.call(args).code, 0, "{args}");
        assert!(!project.path("ran").exists(), "{args}");
    }
    project.run();
    assert!(project.path("ran").exists());
}

/// Guards against arguments that a shell reads, and against programs that stay behind.
#[test]
fn p16_arguments_are_not_syntax() {
    let project = readygate()
        .gates("- {id: g, probe: command, with: {argv: [printf, '%s|', '${EVIL}', '$$(touch ran)', '*', '; touch ran']}}\n")
        .env("EVIL", "$(touch ran); `touch ran` && touch ran");
    let ran = project.run();
    assert_eq!(ran.code, 0);
    assert!(!project.path("ran").exists());
    let text = &ran.gate("g")["measurement"]["stdout"]["text"];
    assert_eq!(
        text,
        "$(touch ran); `touch ran` && touch ran|$(touch ran)|*|; touch ran|"
    );
}

/// Guards against stale results that ride along, and reports that do not say of what they are.
#[test]
fn p17_a_report_is_fresh_and_says_of_which_run_and_policy() {
    let project = readygate().gates("- {id: g, probe: files, with: {paths: [later]}}\n");
    let first = project.run().record();
    let project = project.file("later", "");
    let second = project.run().record();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["config"]["sha256"], second["config"]["sha256"]);
    assert_eq!(
        (
            first["gates"][0]["outcome"].as_str(),
            second["gates"][0]["outcome"].as_str()
        ),
        (Some("failed"), Some("passed"))
    );
    let project = project.gates("- {id: g, title: other, probe: files, with: {paths: [later]}}\n");
    assert_ne!(
        project.run().record()["config"]["sha256"],
        second["config"]["sha256"]
    );
}

/// Guards against small steps past a baseline that is always the last run.
#[test]
fn p18_a_baseline_has_a_ceiling_and_a_failed_run_is_none() {
    let config = |bytes: usize, expect: &str| {
        let text = "x".repeat(bytes);
        format!(
            "version: 1\ngates:\n- {{id: g, probe: command, with: {{argv: [printf, {text}]}}, expect: {{stdout.bytes: '{expect}'}}}}\n"
        )
    };
    let ran = readygate().config(&config(10, "<= baseline + 9%")).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("absolute"), "{}", ran.stderr);

    let drifting = "<= baseline + 9% and < 130B";
    let mut project = readygate().config(&config(100, "< 130B"));
    assert_eq!(project.run().code, 0);
    let mut codes = Vec::new();
    for bytes in [109, 118, 128, 139, 151] {
        std::fs::rename(project.path("run.json"), project.path("before.json")).unwrap();
        project = project
            .config(&config(bytes, drifting))
            .args("run --baseline before.json --report json=run.json".split(' '));
        codes.push(project.run().code);
    }
    assert_eq!(codes, [0, 0, 0, 1, 1]);
}
