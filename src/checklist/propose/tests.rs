use std::collections::HashSet;

use super::*;
use crate::checklist::{
    scan::{Line, scan},
    shape::Shape,
};

const BAKERY: &str = include_str!("../../../fixtures/checklists/bakery.md");

fn of(text: &str) -> (Document, Proposal) {
    let document = scan(text);
    let proposal = propose(&document).unwrap();
    (document, proposal)
}

fn line<'a>(document: &'a Document, text: &str) -> &'a Line {
    let found = document.lines.iter().find(|l| l.raw.contains(text));
    found.unwrap_or_else(|| panic!("no line says {text}"))
}

#[test]
fn the_fixture_has_every_shape() {
    let (document, _) = of(BAKERY);
    let shapes: HashSet<Shape> = document.lines.iter().map(|l| l.shape).collect();
    assert_eq!(shapes.len(), 12, "{shapes:?}");
    assert!(document.lines.len() < 200);
}

#[test]
fn no_box_is_dropped() {
    let (document, proposal) = of(BAKERY);
    let coverage = proposal.coverage(&document);
    let boxes = document.lines.iter().filter(|l| !l.boxes.is_empty());
    for line in boxes {
        assert!(
            proposal.covered.contains_key(&line.number),
            "line {}: {}",
            line.number,
            line.raw
        );
    }
    assert_eq!(coverage.dropped, 0);
    assert_eq!(
        coverage.to_string(),
        "39 box lines: 4 automatic, 12 need a report or credentials connected, 16 need a signature, 7 derived, 0 dropped"
    );
}

#[test]
fn items_find_their_gates() {
    let (document, proposal) = of(BAKERY);
    for (text, id) in [
        ("All unit tests pass", "quality.tests-pass"),
        ("Test coverage", "quality.coverage"),
        ("npm run build", "quality.build"),
        (
            "The recipe editor",
            "code-quality.the-recipe-editor-was-tried",
        ),
        ("TLS certificates valid", "security.tls-expiry"),
        ("CORS policy", "security.cors"),
        ("Handles traffic", "perf.throughput"),
        ("Requests/sec", "perf.load-rps"),
        ("ريديس يعمل", "infra.redis-cluster"),
        ("مجموعة النسخ", "infra.mongo-replset"),
        ("صلاحية شهادات", "security.tls-expiry"),
        ("حالة ريديس", "infra.redis-cluster"),
        ("| □ | Database backup", "backup.database"),
        ("Maintenance page ready", "window.maintenance-page"),
        ("GET /health", "verify.ep-health"),
        ("POST /api/orders", "verify.ep-orders"),
        ("watch -n 60", "verify.watch-15m"),
        ("(Security Officer)", "signoff.s02-security-lead"),
        ("□ Development Lead", "signoff.dev-lead"),
        ("Final Approval", "signoff.final"),
        ("(Incident Commander)", "signoff.rb-incident-commander"),
    ] {
        let number = line(&document, text).number;
        let covered = proposal.covered.get(&number).map(|(id, _)| id.as_str());
        assert_eq!(covered, Some(id), "{text}");
    }
}

#[test]
fn numbers_of_the_text_become_thresholds() {
    let (_, proposal) = of(BAKERY);
    let expects = |id: &str| {
        let gate = proposal.gates.iter().find(|g| g.id == id).unwrap();
        let all = gate.expect.iter().map(|e| format!("{} {}", e.metric, e.is));
        all.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        expects("quality.tests-pass"),
        "passed >= 420, failed == 0, errors == 0"
    );
    assert_eq!(expects("quality.coverage"), "lines >= 85%");
    assert_eq!(expects("security.tls-expiry"), "expires_in > 21d");
    assert_eq!(expects("perf.throughput"), "throughput >= 2000/s");
    assert_eq!(expects("perf.latency-p95"), "latency.p99 < 200ms");
    assert_eq!(
        expects("infra.redis-cluster"),
        "nodes.online >= 6, slots.covered == 16384"
    );
    let mongo = proposal
        .gates
        .iter()
        .find(|g| g.id == "infra.mongo-replset")
        .unwrap();
    assert!(mongo.with.contains("members: 3"), "{}", mongo.with);
}

#[test]
fn roles_stages_and_questions() {
    let (_, proposal) = of(BAKERY);
    let gate = |id: &str| proposal.gates.iter().find(|g| g.id == id).unwrap();
    assert_eq!(gate("quality.lint").owner, "dev-lead");
    assert_eq!(
        gate("signoff.s02-security-lead").answers[0].id,
        "security.last-review"
    );
    assert_eq!(gate("window.maintenance-page").stages, ["deploy"]);
    assert_eq!(gate("backup.database").stages, ["pre-deploy"]);
    assert_eq!(gate("verify.responding").stages, ["post-deploy"]);
    assert!(gate("signoff.final").is_final);
    assert_eq!(gate("signoff.final").owner, "managing-baker");
    let window = gate("signoff.s06-project-manager");
    let sign = window.answers.iter().find(|a| a.kind == "choice").unwrap();
    assert_eq!(sign.choices, ["Open", "Closed", "Half open"]);
    assert!(
        window
            .answers
            .iter()
            .any(|a| a.kind == "number" && a.ask.contains("Ovens hot"))
    );
    let everything: Vec<&str> = proposal
        .gates
        .iter()
        .flat_map(|g| &g.answers)
        .map(|a| a.ask.as_str())
        .collect();
    assert!(
        !everything.iter().any(|a| a.contains("Phone")),
        "{everything:?}"
    );
}

#[test]
fn conflicts_are_found() {
    let (_, proposal) = of(BAKERY);
    let titles: Vec<&str> = proposal.findings.iter().map(|f| f.title.as_str()).collect();
    for wanted in [
        "throughput: the document names several numbers",
        "error rate: the document names several numbers",
        "everything before the deployment, but some of it happens during or after it",
        "roles sign a section but are not on the list of signatures",
        "roles that can sign only after the deployment stand on the list of its final approval",
        "the watch has too few samples for the error rate that is claimed",
        "boxes are ticked by hand",
    ] {
        assert!(titles.contains(&wanted), "{wanted}: {titles:?}");
    }
    let throughput = proposal
        .findings
        .iter()
        .find(|f| f.title.starts_with("throughput"))
        .unwrap();
    assert_eq!(throughput.lines.len(), 2);
    let (_, quiet) = of("# T\n## Security\n□ Code coverage > 80%\n□ Cache hit rate > 80%\n");
    assert!(quiet.findings.is_empty(), "{:?}", quiet.findings);
}

#[test]
fn unknown_items_and_other_scripts_become_signatures() {
    let (document, proposal) = of(
        "# T\n## التحضير\n□ الخبز جاهز\n□ Bread is ready\n□ Bread is ready\n- [ ] x <!-- rg:own.id -->\n",
    );
    let ids: Vec<&str> = proposal.gates.iter().map(|g| g.id.as_str()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(ids[0].contains(".i-") && ids[0].is_ascii(), "{ids:?}");
    assert_eq!(ids[2], "own.id");
    assert!(proposal.gates.iter().all(Proposed::is_signature));
    assert_eq!(proposal.gates[1].source.also.len(), 1);
    assert_eq!(proposal.coverage(&document).signature, 4);
}

#[test]
fn numbers_that_set_no_threshold_are_to_settle() {
    let (_, proposal) = of(
        "# T\n## 3. Performance\n□ Stress testing passed (150% of peak load)\n□ Response time < 1,5s\n",
    );
    let finding = &proposal.findings[0];
    assert_eq!(finding.title, "numbers of the document set no threshold");
    assert_eq!(
        finding.lines,
        [(3, "□ Stress testing passed (150% of peak load)".to_owned())]
    );
    assert!(!finding.note);
    let stress = proposal.gates.iter().find(|g| g.id == "perf.stress");
    let comments = &stress.unwrap().comments;
    assert!(
        comments.iter().any(|c| c.contains("line 3: `150%`")),
        "{comments:?}"
    );
}

#[test]
fn a_choice_joins_a_gate_only_where_its_words_tell() {
    let of_line = |line: &str| {
        let text = format!(
            "# T\n## 10. Post-Deployment Verification\n□ Database connections active\n{line}\n"
        );
        let (document, proposal) = of(&text);
        assert_eq!(proposal.coverage(&document).dropped, 0, "{line}");
        proposal.covered[&4].clone()
    };
    let (joined, way) = of_line("Database: □ Connected □ Issues");
    assert_eq!(joined, "verify.db-connections");
    assert_ne!(way, Way::Signature);
    for line in [
        "Database: □ Issues □ Connected",
        "Database: □ Fast □ Connected □ Issues",
        "Database: □ Red □ Blue",
    ] {
        assert_eq!(of_line(line).1, Way::Signature, "{line}");
    }
}

#[test]
fn addresses_of_the_document_hold_no_variables() {
    let (_, proposal) = of(
        "# T\n## 11. Monitoring\nDashboard URLs:\nPerformance: https://x.example/?t=${GITHUB_TOKEN}\u{2060}\n\n\
         ## 10. Post-Deployment Verification\n```bash\nendpoints=(\n  \"GET /a?$HOME\"\n  \"POST /b-$USER\"\n)\n```\n□ x\n",
    );
    let with = |id: &str| {
        let gate = proposal.gates.iter().find(|g| g.id == id);
        gate.unwrap_or_else(|| panic!("{id}: {:?}", proposal.gates))
            .with
            .clone()
    };
    let urls = with("monitor.urls");
    assert!(
        urls.contains("\"https://x.example/?t=$${GITHUB_TOKEN}\u{2060}\""),
        "{urls}"
    );
    assert!(!urls.contains("\\u{"), "{urls}");
    let endpoints: String = proposal.gates.iter().map(|g| g.with.as_str()).collect();
    assert!(endpoints.contains("url: \"/a?$$HOME\""), "{endpoints}");
    assert!(endpoints.contains("url: \"/b-$$USER\""), "{endpoints}");
    let mut problems = Vec::new();
    crate::config::parse_yaml(0, &urls, &mut problems).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}
