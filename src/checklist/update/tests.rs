use super::*;
use crate::checklist::import::import;

const OLD: &str = "# T\n## 1. Code quality\n□ All tests pass (10/10)\n□ Code coverage > 80%\n□ The cake was tasted\n\
    □ Lint checks clean\n**Sign-off:** ________ (Dev Lead)\n## 2. Security\n□ No secrets in git\n";

/// A config from the old document, edited by a person, against a new document.
fn updated(edit: impl Fn(&str) -> String, new: &str) -> (String, Vec<String>) {
    let first = import("a.md", OLD, None).unwrap();
    let edited = edit(&first.yaml);
    let imported = import("a.md", new, Some(("old.yaml", &edited))).unwrap();
    (
        imported.yaml,
        imported.drift.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn an_unchanged_document_changes_nothing() {
    let edit = |y: &str| y.replace("lines: \"> 80%\"", "lines: \"> 95%\" # stricter");
    let first = edit(&import("a.md", OLD, None).unwrap().yaml);
    let (yaml, drift) = updated(edit, OLD);
    assert_eq!((yaml, drift), (first, vec![]));
}

#[test]
fn lines_that_only_shifted_are_no_drift() {
    let (yaml, drift) = updated(
        str::to_owned,
        &OLD.replace("# T\n", "# T\n\nIntroduction.\n\n"),
    );
    assert_eq!(drift, Vec::<String>::new());
    assert!(yaml.contains("line: 7, anchor"), "{yaml}");
}

#[test]
fn changed_items_are_found_again_and_what_people_wrote_stays() {
    let edit = |y: &str| {
        y.replace("lines: \"> 80%\"", "lines: \"> 95%\"")
            .replace("paths: [\"${SOURCE", "# mine\n      paths: [\"${SOURCE")
    };
    let new = OLD
        .replace("> 80%", "> 85%")
        .replace("The cake was tasted", "The cake was tasted twice");
    let (yaml, drift) = updated(edit, &new);
    assert!(yaml.contains("lines: \"> 95%\""), "{yaml}");
    assert_eq!(drift.len(), 2, "{drift:?}");
    assert!(
        drift[0].starts_with("changed: line 4, gate `quality.coverage`: now \"Code coverage > 85%\"; the text says `lines: > 85%`, the gate expects `> 95%`"),
        "{drift:?}"
    );
    assert!(drift[1].contains("tasted twice"), "{drift:?}");
    // A second update has nothing left to say.
    let again = import("a.md", &new, Some(("old.yaml", &yaml))).unwrap();
    assert!(again.drift.is_empty(), "{:?}", again.drift);
    assert_eq!(again.yaml, yaml);
}

#[test]
fn new_gone_and_moved_items_are_listed() {
    let new = OLD
        .replace(
            "□ Lint checks clean\n",
            "□ Environment variables verified\n",
        )
        .replace("□ The cake was tasted\n", "")
        .replace(
            "□ No secrets in git\n",
            "□ No secrets in git\n□ The cake was tasted\n**Sign-off:** ________ (Chief Baker)\n",
        );
    let (yaml, drift) = updated(str::to_owned, &new);
    let has = |what: &str, gate: &str| {
        drift
            .iter()
            .any(|d| d.starts_with(what) && d.contains(gate))
    };
    assert!(has("new:", "quality.env-vars"), "{drift:?}");
    assert!(has("gone:", "quality.lint"), "{drift:?}");
    assert!(has("moved:", "cake"), "{drift:?}");
    assert!(has("new:", "signoff.s02-chief-baker"), "{drift:?}");
    assert!(
        yaml.contains("- id: quality.lint"),
        "a gate goes only by a person's hand"
    );
    assert!(
        yaml.contains("chief-baker: { title: \"Chief Baker\" }"),
        "{yaml}"
    );
    assert!(yaml.contains("# ---- New in the document ----"), "{yaml}");
    let mut problems = Vec::new();
    parse_yaml(0, &yaml, &mut problems).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn other_layouts_are_respected() {
    // A person may indent otherwise, or write a gate in one line.
    let edit = |y: &str| {
        let mut out = String::new();
        let mut in_gates = false;
        for line in y.lines() {
            in_gates |= line == "gates:";
            out.push_str(if in_gates {
                line.strip_prefix("  ").unwrap_or(line)
            } else {
                line
            });
            out.push('\n');
        }
        out
    };
    let (yaml, drift) = updated(
        edit,
        &OLD.replace("> 80%", "> 85%")
            .replace("□ Lint", "□ Environment variables verified\n□ Lint"),
    );
    let mut problems = Vec::new();
    let root = parse_yaml(0, &yaml, &mut problems).unwrap();
    assert!(problems.is_empty(), "{problems:?}\n{yaml}");
    assert_eq!(drift.len(), 2, "{drift:?}");
    let ids: Vec<&str> = root
        .get("gates")
        .unwrap()
        .items()
        .iter()
        .filter_map(|g| g.get("id")?.text())
        .collect();
    assert_eq!(ids.last(), Some(&"quality.env-vars"));
}

#[test]
fn a_config_that_was_never_imported_is_refused() {
    let error = import(
        "a.md",
        OLD,
        Some(("old.yaml", "version: 1\ngates:\n- {id: x, probe: files}\n")),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("no gate has a `source`"),
        "{error}"
    );
    let error = import("a.md", OLD, Some(("old.yaml", "a: [\n"))).unwrap_err();
    assert!(
        error.to_string().starts_with("old.yaml cannot be read"),
        "{error}"
    );
}

#[test]
fn a_line_that_means_another_gate_is_not_taken() {
    const REDIS: &str = "# T\n## 6. Cache\n□ Redis cluster healthy\n□ Cache warming completed\n";
    let first = import("a.md", REDIS, None).unwrap().yaml;
    let mut problems = Vec::new();
    let root = parse_yaml(0, &first, &mut problems).unwrap();
    let id = root.get("gates").unwrap().items()[0].get("id").unwrap();
    let id = id.text().unwrap().to_owned();
    for other in ["MongoDB cluster healthy", "Kafka cluster healthy"] {
        let new = REDIS.replace("Redis cluster healthy", other);
        let imported = import("a.md", &new, Some(("old.yaml", &first))).unwrap();
        let drift: Vec<String> = imported.drift.iter().map(ToString::to_string).collect();
        let of = |what: &str| drift.iter().filter(|d| d.starts_with(what)).count();
        assert_eq!((of("gone:"), of("changed:")), (1, 0), "{drift:?}");
        assert!(of("new:") >= 1, "{drift:?}");
        let gone = drift.iter().find(|d| d.starts_with("gone:")).unwrap();
        assert!(gone.contains(&format!("`{id}`")), "{drift:?}");
        assert!(imported.yaml.contains(other), "{}", imported.yaml);
    }
}
