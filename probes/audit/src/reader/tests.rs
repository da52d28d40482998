//! Formats that the corpus has no sample of, and what must never read as zero vulnerabilities.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use super::{Fault, Reading, read};
use crate::{config::Format, severity::Severity};

fn good(text: &str) -> (Format, Reading) {
    read(text.as_bytes(), None).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn ids(reading: &Reading) -> Vec<String> {
    let all = reading
        .entries
        .iter()
        .filter(|e| e.finding.notice.is_none());
    all.map(|e| {
        format!(
            "{} {} {}",
            e.finding.id,
            e.finding.package_version(),
            e.finding.severity.name()
        )
    })
    .collect()
}

#[test]
fn errors_of_auditors_are_no_reports() {
    for text in [
        r#"{"message":"405 Method Not Allowed","method":"POST","statusCode":405,"body":"","error":{"summary":"","detail":""}}"#,
        r#"{"error":{"code":"ENOLOCK","summary":"This command requires an existing lockfile.","detail":"x"}}"#,
        r#"{"error":{"code":"ERR_PNPM_AUDIT_BAD_RESPONSE","message":"The audit endpoint responded with 405"}}"#,
        r#"{"ok":false,"error":"Authentication error","path":"."}"#,
        r#"{"results":[],"errors":["cannot reach the database"],"error":"cannot reach the database"}"#,
        r#"{"results":[],"errors":[{"code":3}]}"#,
        r#"{"advisories":[],"error":"could not reach packagist"}"#,
        r#"{"advisories":[],"abandoned":[],"error":true}"#,
        r#"{"type":"error","data":"An unexpected error occurred: 405"}"#,
        r#"{"database":{"advisory-count":0},"lockfile":{"dependency-count":5},"vulnerabilities":{"found":false,"count":0,"list":[]},"warnings":{}}"#,
        r#"{"version":"2.1.0","runs":[{"invocations":[{"executionSuccessful":false}],"results":[]}]}"#,
        "{\"type\":\"log\",\"fields\":{\"level\":\"ERROR\",\"message\":\"failed to fetch\"}}\n{\"type\":\"summary\",\"fields\":{\"advisories\":{\"errors\":0}}}",
    ] {
        assert!(
            matches!(read(text.as_bytes(), None), Err(Fault::Auditor(_))),
            "{text}: {:?}",
            read(text.as_bytes(), None)
        );
    }
}

#[test]
fn what_cannot_be_read_is_not_zero() {
    for text in [
        "",
        " \n",
        "\u{feff}",
        "[]",
        "{}",
        "null",
        "5",
        "No known vulnerabilities found",
        "found 0 vulnerabilities",
        r#"{"auditReportVersion":2,"vulnerabilities":{"#,
        "<html></html>",
        r#"{"runs":[{"tool":{}}],"version":"2.1.0"}"#,
        r#"{"version":"2.1.0","runs":[]}"#,
        r#"{"results":null}"#,
        r#"{"something":"else"}"#,
        r#"{"type":"auditAdvisory","data":{"resolution":{},"advisory":{"id":1}}}"#,
        r#"{"type":"diagnostic","fields":{"code":"vulnerability","advisory":{"id":"x"}}}"#,
        r#"{"type":"summary","fields":{"licenses":{"errors":0}}}"#,
        r#"{"version":1,"parameters":"--outdated","projects":[]}"#,
    ] {
        assert!(
            matches!(read(text.as_bytes(), None), Err(Fault::Unreadable { .. })),
            "{text}: {:?}",
            read(text.as_bytes(), None)
        );
    }
    let cut = read(b"{\"matches\": [\n{\"a\": 1", None).unwrap_err();
    assert!(
        matches!(cut, Fault::Unreadable { line: Some(2), .. }),
        "{cut:?}"
    );
    let wrong = read(br#"{"matches":[],"descriptor":{}}"#, Some(Format::Trivy)).unwrap_err();
    assert!(matches!(wrong, Fault::Unreadable { reason, .. } if reason.contains("grype")));
}

#[test]
fn clean_and_empty_are_told_apart() {
    let audited = |text: &str| good(text).1.audited;
    assert_eq!(
        audited(
            r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{"dependencies":{"total":0}}}"#
        ),
        Some(0)
    );
    assert_eq!(
        audited(
            r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{"dependencies":{"total":9}}}"#
        ),
        Some(9)
    );
    assert_eq!(
        audited(r#"{"SchemaVersion":2,"ArtifactName":".","ArtifactType":"filesystem"}"#),
        Some(0)
    );
    assert_eq!(
        audited(
            r#"{"SchemaVersion":2,"ArtifactName":".","Results":[{"Target":"x","Class":"config"}]}"#
        ),
        Some(0)
    );
    assert_eq!(
        audited(
            r#"{"SchemaVersion":2,"ArtifactName":".","Results":[{"Target":"x","Class":"lang-pkgs"}]}"#
        ),
        Some(1)
    );
    assert_eq!(
        audited(r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":"a"}]}"#),
        Some(0)
    );
    assert_eq!(audited(r#"{"dependencies":[],"fixes":[]}"#), Some(0));
    assert_eq!(
        audited(r#"{"dependencies":[{"name":"a","version":"1","vulns":[]}],"fixes":[]}"#),
        Some(1)
    );
}

#[test]
fn contradictions_are_seen() {
    for text in [
        r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{"vulnerabilities":{"high":2,"total":2}}}"#,
        r#"{"auditReportVersion":2,"vulnerabilities":{"a":{"name":"a","severity":"high","via":["b"]}}}"#,
        r#"{"actions":[],"advisories":{},"metadata":{"vulnerabilities":{"high":2}}}"#,
        r#"{"ok":false,"vulnerabilities":[]}"#,
        r#"{"ok":true,"vulnerabilities":[],"uniqueCount":4}"#,
        r#"{"database":{},"lockfile":{},"vulnerabilities":{"found":true,"count":1,"list":[]}}"#,
        r#"{"type":"auditSummary","data":{"vulnerabilities":{"low":1}}}"#,
    ] {
        assert!(good(text).1.contradiction.is_some(), "{text}");
    }
}

#[test]
fn formats_without_a_sample() {
    let deny = "{\"type\":\"diagnostic\",\"fields\":{\"code\":\"vulnerability\",\"severity\":\"error\",\"message\":\"m\",\"advisory\":{\"id\":\"RUSTSEC-1\",\"title\":\"t\",\"aliases\":[\"CVE-1\"],\"cvss\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"},\"graphs\":[{\"Krate\":{\"name\":\"a\",\"version\":\"1.0.0\"},\"parents\":[{\"Krate\":{\"name\":\"app\",\"version\":\"0.1.0\"}}]}]}}\n{\"type\":\"summary\",\"fields\":{\"advisories\":{\"errors\":1}}}\n";
    let (format, reading) = good(deny);
    assert_eq!(
        (format, ids(&reading)),
        (
            Format::CargoDeny,
            vec!["RUSTSEC-1 a 1.0.0 critical".to_owned()]
        )
    );
    assert_eq!(reading.entries[0].finding.path, ["app 0.1.0", "a 1.0.0"]);
    let cases: [(&str, Format, &str); 9] = [
        (
            r#"{"advisories":{"v/a":[{"advisoryId":"PKSA-1","cve":"CVE-1","title":"t","severity":"high","affectedVersions":"<2"}]},"abandoned":{"v/b":null}}"#,
            Format::Composer,
            "CVE-1 v/a <2 high",
        ),
        (
            r#"{"version":"0.9","created_at":"2026-01-01 00:00:00 +0000","results":[{"type":"unpatched_gem","gem":{"name":"a","version":"1"},"advisory":{"id":"CVE-1","criticality":"critical"}}]}"#,
            Format::BundlerAudit,
            "CVE-1 a 1 critical",
        ),
        (
            "{\"config\":{\"scan_level\":\"symbol\"}}\n{\"osv\":{\"id\":\"GO-1\",\"summary\":\"s\"}}\n{\"finding\":{\"osv\":\"GO-1\",\"trace\":[{\"module\":\"m\",\"version\":\"v1.0.0\"}]}}\n{\"finding\":{\"osv\":\"GO-1\",\"trace\":[{\"module\":\"m\",\"version\":\"v1.0.0\",\"function\":\"F\"}]}}\n{\"finding\":{\"osv\":\"GO-2\",\"trace\":[{\"module\":\"m\"}]}}",
            Format::Govulncheck,
            "GO-1 m v1.0.0 unknown",
        ),
        (
            r#"{"version":1,"parameters":"--vulnerable","projects":[{"path":"a.csproj","frameworks":[{"topLevelPackages":[{"id":"A","resolvedVersion":"1","vulnerabilities":[{"severity":"High","advisoryurl":"https://github.com/advisories/GHSA-5crp-9r3c-p9vr"}]}]}]}]}"#,
            Format::Dotnet,
            "GHSA-5crp-9r3c-p9vr A 1 high",
        ),
        (
            r#"{"reportSchema":"1.1","scanInfo":{},"dependencies":[{"fileName":"a.jar","vulnerabilities":[{"name":"CVE-1","cvssv3":{"baseScore":7.5}}]}]}"#,
            Format::DependencyCheck,
            "CVE-1 a.jar high",
        ),
        (
            r#"[{"coordinates":"pkg:npm/a@1.0.0","vulnerabilities":[{"id":"x","cve":"CVE-1","cvssScore":9.8}]}]"#,
            Format::Auditjs,
            "CVE-1 pkg:npm/a 1.0.0 critical",
        ),
        (
            r#"{"a":[{"id":1,"url":"https://github.com/advisories/GHSA-aaaa-bbbb-cccc","severity":"low","vulnerable_versions":"<2"}]}"#,
            Format::Bun,
            "GHSA-aaaa-bbbb-cccc a <2 low",
        ),
        (
            r#"{"version":"15.0.0","scan":{"type":"dependency_scanning","status":"success"},"vulnerabilities":[{"id":"u","severity":"Critical","location":{"dependency":{"package":{"name":"a"},"version":"1"}},"identifiers":[{"value":"CVE-1"}]}]}"#,
            Format::Gitlab,
            "CVE-1 a 1 critical",
        ),
        (
            r#"{"report_meta":{"packages_found":3},"vulnerabilities":[{"vulnerability_id":"51457","package_name":"a","analyzed_version":"1","severity":null}]}"#,
            Format::Safety,
            "51457 a 1 unknown",
        ),
    ];
    for (text, format, id) in cases {
        let (found, reading) = good(text);
        assert_eq!((found, ids(&reading)), (format, vec![id.to_owned()]));
    }
}

#[test]
fn sarif_levels_suppressions_and_scores() {
    let text = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t","rules":[{"id":"A","properties":{"security-severity":"9.8"}},{"id":"B","defaultConfiguration":{"level":"note"}}]}},
        "results":[{"ruleId":"A","message":{"text":"a"}},{"ruleId":"B/1","message":{"text":"b"}},{"ruleId":"C","level":"error","message":{"text":"c"}},
        {"ruleId":"A","message":{"text":"s"},"suppressions":[{"kind":"external"}]},{"ruleId":"A","message":{"text":"r"},"suppressions":[{"kind":"external","status":"rejected"}]},
        {"ruleId":"A","message":{"text":"u"},"suppressions":[{"kind":"external","status":"accepted"},{"kind":"external","status":"underReview"}]},
        {"ruleId":"D","kind":"pass","message":{"text":"d"}}]}]}"#;
    let (_, reading) = good(text);
    let listed = reading.listed();
    assert_eq!(
        (listed.critical, listed.high, listed.low, listed.total()),
        (3, 1, 1, 5)
    );
    assert_eq!(reading.suppressed.critical, 1);
}

#[test]
fn encodings_and_chatter_before_the_report() {
    let report = r#"{"dependencies":[{"name":"a","version":"1","vulns":[{"id":"PYSEC-1","aliases":["CVE-1"]}]}],"fixes":[]}"#;
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(report.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(
        read(&utf16, None).unwrap().1.entries[0].finding.severity,
        Severity::Unknown
    );
    let chatty = format!(" WARN  something\n[warn] else\n{report}");
    assert_eq!(good(&chatty).1.entries.len(), 1);
    assert!(read(b"\xff{}", None).is_err());
}
