//! The console, as screenshots and by its promises.

use insta::assert_snapshot;
use readygate::{
    record::{Outcome, Run, Severity},
    report::{Format, Style, render},
};
use readygate_sdk::{Check, CheckOutcome, Level};

use crate::support::{FIXTURES, fixture};

const NARROW: Style = Style {
    color: false,
    ascii: true,
    width: 72,
    verbose: false,
};

fn page(run: &Run, style: &Style) -> String {
    String::from_utf8(render(Format::Console, run, style).unwrap()).unwrap()
}

#[test]
fn a_no_go_names_what_where_expected_actual_and_fix() {
    assert_snapshot!(page(&fixture("no-go"), &Style::plain()), @r#"
    readygate 0.1.0 · production 4.0.0 (abc1234) · https://shop.example.com
    stage pre-deploy · 10 gates selected of 13

    4. Performance
    ✗ perf.load           Handles expected traffic
        failed · blocker · Performance Engineer · 1 min 0 s
        ✗ latency.p95 is 61.2 ms, expected < 50 ms [expect/latency.p95]
          where     readygate.yaml:44:16
          fix       find the slowest endpoint in the load report, or scale out before the release
        ! warning: the generator ran 3 ms behind its schedule [load/generator-lag]
          expected  at most 1 ms
          actual    3 ms
          where     readygate.yaml:41:5
          fix       run the load from a machine with more cores

    2. Security
    ✗ security.audit      No known vulnerabilities        failed · major · Security Engineer · 3.2 s
        ✗ left-pad 1.0.0 has a critical vulnerability [audit/vulnerable]
          expected  no advisory of level high or above
          actual    GHSA-aaaa-bbbb-cccc (critical)
          where     package-lock.json:120
          fix       update left-pad to 1.3.0
          | introduced by: webshop > cart > left-pad
          | published: 2026-11-01
        ✗ tiny-http 2.1.0 has a vulnerability of level high [audit/vulnerable]
          expected  no advisory of level high or above
          actual    GHSA-dddd-eeee-ffff (high)
          where     package-lock.json:980
          fix       update tiny-http to 2.1.4
        ? could not tell how old the advisory database is [audit/stale-database]
          where     readygate.yaml:24:5
    ! security.headers    Security headers are sent       1 warning · 50 ms
        ! warning: https://shop.example.com/: the content security policy allows 'unsafe-inline'
          [headers/weak-csp]
          expected  no 'unsafe-inline' in script-src
          actual    script-src 'self' 'unsafe-inline'
          where     readygate.yaml:27:5
          fix       use nonces
        i https://shop.example.com/: the server names its version [headers/server-banner]
    ✓ security.tls        TLS certificate is valid        expires_in 90 d · 184 ms

    3. Infrastructure
    ? infra.mongo         MongoDB replica set is healthy  could not tell · blocker · SRE · 1.0 s
        ? could not tell: db1:27017: connection refused (while connecting) [connect]
          where     readygate.yaml:30:5
          fix       check that the host is reachable from here and that mongod listens on 27017
        the same in each of 2 attempts
    ? infra.backup        A restore was rehearsed         could not tell · minor · SRE · 2 ms
        ? could not tell: backups/*.json: no file matched (while listing the evidence) [no-data]
          where     readygate.yaml:33:5
          fix       run the rehearsal and keep its report
    ~ infra.redis         Redis cluster is complete       passed on attempt 3 of 3 · 5.4 s
        attempt 1 of 3 could not tell: 10.0.0.3:7000: no answer within 2 s (while reading CLUSTER
          INFO)
        attempt 2 of 3 failed: nodes.online is 5, expected == 6

    5. Deployment
    – deploy.smoke        Smoke tests after deployment    skipped · blocker · SRE
        – not measured: needs infra.mongo, which could not be measured
          where     readygate.yaml:52:5

    1. Code Quality & Testing
    ! quality.coverage    Coverage does not fall          failed · minor · QA Lead · 300 ms
        ! line is 78.9 %, expected >= 80 % [expect/line]
          where     readygate.yaml:18:14
          fix       add tests for src/cart.rs, which lost 40 covered lines
    ✓ quality.tests-pass  All tests pass                  961 passed · 0 failed · 12.3 s

    – 3 gates not selected

    NO-GO  2 failed · 1 failed without blocking · 2 could not tell · 4 passed · 1 flaky · 4 skipped
           3 warnings · 1 min 2 s · exit code 1
      perf.load (blocker) failed: latency.p95 is 61.2 ms, expected < 50 ms
      security.audit (major) failed: 2 dependencies have known vulnerabilities
      infra.mongo (blocker) could not be measured: db1:27017: connection refused (while connecting)
      deploy.smoke (blocker) could not be measured: needs infra.mongo, which could not be measured
    "#);
}

#[test]
fn an_interrupted_run_says_so_in_ascii() {
    assert_snapshot!(page(&fixture("interrupted"), &NARROW), @r#"
    readygate 0.1.0 | production 4.0.0 (abc1234) | https://shop.example.com
    stage pre-deploy | 2 gates selected of 2

    Other gates
    ?    perf.load           Handles expected traffic
        could not tell | blocker | Performance Engineer | 8.0 s
        ?    could not tell: http://shop.example.com/: interrupted (while
             applying load) [cancelled]
             where     readygate.yaml:41:5

    1. Code Quality & Testing
    ok   quality.tests-pass  All tests pass            961 passed | 12.3 s

    INCONCLUSIVE  1 could not tell | 1 passed | 10.0 s | exit code 130
      interrupted by SIGINT; this report is partial
      perf.load (blocker) could not be measured: http://shop.example.com/:
        interrupted (while applying load)
    "#);
}

#[test]
fn verbose_lists_every_check_and_metric() {
    let style = Style {
        verbose: true,
        ..Style::plain()
    };
    assert_snapshot!(page(&fixture("go"), &style), @r#"
    readygate 0.1.0 · production 4.0.0 (abc1234) · https://shop.example.com
    stage pre-deploy · 2 gates selected of 2

    1. Code Quality & Testing
    ✓ quality.tests-pass  All tests pass            961 passed · 0 failed · 12.3 s
        ✓ suite: every test passed [tests/failed]
        ✓ passed is 961, as expected (>= 961) [expect/passed]
        ✓ failed is 0, as expected (== 0) [expect/failed]
          duration  41.2 s
          failed    0
          passed    961
          total     961

    2. Security
    ✓ security.tls        TLS certificate is valid  expires_in 90 d · 184 ms
        ✓ shop.example.com:443: the certificate is within its validity [tls/expired]
        ✓ expires_in is 90 d, as expected (> 30 d) [expect/expires_in]
          expires_in  90 d
          protocol    TLSv1.3

    GO  2 passed · 14.2 s · exit code 0
    "#);
}

#[test]
fn a_pending_run_names_who_is_awaited() {
    assert_snapshot!(page(&fixture("pending"), &Style::plain()), @r#"
    readygate 0.1.0 · production 4.0.0 (abc1234) · https://shop.example.com
    stage pre-deploy · 2 gates selected of 2

    Other gates
    ○ governance.approval  Security has approved the release
        pending · blocker · Security Engineer · 10 ms
        ○ awaits a sign-off: no approval by Security Engineer for abc1234
          where     readygate.yaml:70:5

    1. Code Quality & Testing
    ✓ quality.tests-pass   All tests pass                     961 passed · 0 failed · 12.3 s

    PENDING  1 pending · 1 passed · 14.2 s · exit code 4
      governance.approval (blocker) awaits a sign-off: no approval by Security Engineer for abc1234
    "#);
}

#[test]
fn an_empty_run_is_inconclusive() {
    assert_snapshot!(page(&fixture("empty"), &NARROW), @r#"
    readygate 0.1.0 | production 4.0.0 (abc1234) | https://shop.example.com
    0 gates selected of 0

    INCONCLUSIVE  0 passed | 0 ms | exit code 3
      nothing was measured
    "#);
}

#[test]
fn colour_adds_nothing_but_colour() {
    for name in FIXTURES {
        for plain in [Style::plain(), NARROW] {
            let color = Style {
                color: true,
                ..plain
            };
            let colored = page(&fixture(name), &color);
            let stripped = anstream::adapter::strip_str(&colored).to_string();
            let trimmed: Vec<_> = stripped.lines().map(str::trim_end).collect();
            let expected = page(&fixture(name), &plain);
            assert_eq!(trimmed, expected.lines().collect::<Vec<_>>(), "{name}");
            assert!(colored.contains('\u{1b}'));
            assert!(!expected.contains('\u{1b}'));
        }
    }
}

#[test]
fn no_line_is_wider_than_the_page() {
    for name in FIXTURES {
        for width in [72, 80, 100, 160] {
            let style = Style {
                width,
                ..Style::plain()
            };
            for line in page(&fixture(name), &style).lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= width, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn ascii_adds_no_other_character() {
    for name in FIXTURES.iter().filter(|name| **name != "hostile") {
        assert!(page(&fixture(name), &NARROW).is_ascii(), "{name}");
    }
}

#[test]
fn no_line_starts_a_log_command() {
    for width in 40..140 {
        let style = Style {
            width,
            ..Style::plain()
        };
        for line in page(&fixture("hostile"), &style).lines() {
            assert!(!line.trim_start().starts_with("::"), "at {width}: {line}");
        }
    }
}

#[test]
fn every_failed_check_is_explained() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in FIXTURES.iter().filter(|name| **name != "hostile") {
        let run = fixture(name);
        let page = words(&page(&run, &Style::plain()));
        for gate in &run.gates {
            for check in gate.failures().chain(gate.warnings()) {
                assert!(
                    page.contains(&format!("[{}]", check.rule)),
                    "{}",
                    check.rule
                );
                let location = check.location.as_ref().unwrap_or(&gate.location);
                assert!(page.contains(&location.to_string()), "{location}");
                assert!(page.contains(&words(&check.subject)), "{}", check.subject);
                let texts = [&check.expected, &check.actual, &check.hint];
                for text in texts.into_iter().flatten().chain([&check.message]) {
                    assert!(page.contains(&words(text)), "{text}");
                }
            }
            let hint = gate.error.as_ref().and_then(|error| error.hint.as_ref());
            assert!(hint.is_none_or(|hint| page.contains(&words(hint))));
        }
    }
}

#[test]
fn blockers_come_first_and_the_reasons_too() {
    let run = fixture("no-go");
    let page = page(&run, &Style::plain());
    let at = |text: &str| page.find(text).unwrap();
    assert!(at("✗ perf.load") < at("✗ security.audit"));
    assert!(at("✗ security.audit") < at("? infra.mongo"));
    assert!(at("? infra.mongo") < at("! quality.coverage"));
    assert!(at("! quality.coverage") < at("✓ quality.tests-pass"));
    assert!(at("perf.load (blocker) failed") < at("security.audit (major) failed"));
}

fn many_failures(checks: usize, details: usize) -> Run {
    let mut run = fixture("go");
    let gate = &mut run.gates[0];
    gate.outcome = Outcome::Failed;
    gate.severity = Severity::Blocker;
    gate.checks = (1..=checks)
        .map(|n| Check {
            rule: "tests/failed".to_owned(),
            subject: format!("case {n}"),
            outcome: CheckOutcome::Failed,
            level: Level::Error,
            message: format!("case {n} failed"),
            expected: None,
            actual: None,
            hint: None,
            location: None,
            details: (1..=details).map(|d| format!("detail {d}")).collect(),
        })
        .collect();
    run
}

#[test]
fn floods_are_cut_and_counted() {
    let run = many_failures(25, 12);
    let cut = page(&run, &Style::plain());
    assert!(cut.contains("case 20 failed") && !cut.contains("case 21 failed"));
    assert!(cut.contains("... and 5 more checks; see the json report"));
    assert!(cut.contains("| detail 10\n") && !cut.contains("| detail 11\n"));
    assert!(cut.contains("| ... and 2 more lines; see the json report"));
    let style = Style {
        verbose: true,
        ..Style::plain()
    };
    let all = page(&run, &style);
    assert!(all.contains("case 25 failed") && all.contains("| detail 12\n"));
    assert!(!all.contains("see the json report"));
}

#[test]
fn waivers_say_what_they_cover_how_long_and_what_is_odd_about_them() {
    assert_snapshot!(page(&fixture("go-with-waivers"), &Style::plain()), @r#"
    readygate 0.1.0 · production 4.0.0 (abc1234) · https://shop.example.com
    stage pre-deploy · 3 gates selected of 3

    2. Security
    ~ security.audit      No known vulnerabilities
        waived until 2026-11-30 (SHOP-12) · major · Security Engineer · 3.2 s
        ~ waived: left-pad 1.0.0 has a critical vulnerability [audit/vulnerable]
          waived    until 2026-11-30 by cto (SHOP-12)
          expected  no advisory of level high or above
          actual    GHSA-aaaa-bbbb-cccc (critical)
          where     package-lock.json:120
          fix       update left-pad to 1.3.0
          | introduced by: webshop > cart > left-pad
          | published: 2026-11-01
        ~ waived: tiny-http 2.1.0 has a vulnerability of level high [audit/vulnerable]
          waived    until 2026-12-31T18:00:00Z by security-lead
          expected  no advisory of level high or above
          actual    GHSA-dddd-eeee-ffff (high)
          where     package-lock.json:980
          fix       update tiny-http to 2.1.4
    ✓ security.tls        TLS certificate is valid  expires_in 90 d · 184 ms

    1. Code Quality & Testing
    ✓ quality.tests-pass  All tests pass            961 passed · 0 failed · 12.3 s

    Waivers
    ! tls/expires-soon: 0 checks, until 2026-11-17 by cto: the certificate is being replaced
        expired 2 days ago (2026-11-17)
    ~ security.audit: audit/vulnerable on left-pad *: 1 check, until 2026-11-30 by cto (SHOP-12):
      left-pad only runs at build time; the update is in review
        expires in 10 days
    ~ security.audit: audit/vulnerable on tiny-http *: 1 check, until 2026-12-31T18:00:00Z by
      bob@example.com as security-lead: not reachable from outside
    i quality.tests-pass: tests/failed: 0 checks, until 2026-12-31 by cto: the cart test is flaky
        unused: nothing that it covers failed; remove it

    GO-WITH-WAIVERS  1 waived · 2 passed · 14.2 s · exit code 0
      security.audit (major) failed and is waived until 2026-11-30 by cto (SHOP-12), until
        2026-12-31T18:00:00Z by security-lead: 2 dependencies have known vulnerabilities
    "#);
}

#[test]
fn a_waiver_without_glyphs_still_says_so() {
    let page = page(&fixture("go-with-waivers"), &NARROW);
    for says in [
        "~    security.audit",
        "waived until 2026-11-30 (SHOP-12)",
        "GO-WITH-WAIVERS  1 waived",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
}
