//! The whole way: a checklist becomes a policy, people sign, the watch sees an outage, and the
//! checklist comes out filled in.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;

use crate::{
    support::{Project, Ran, readygate},
    watch::{Answer, Target},
};

const CHECKLIST: &str = "\
# Release of the shop

## Before the deployment

### 1. Code

```
□ All tests pass (12/12)
```

**Sign-off:** ______________ (Dev Lead)

### 2. Security

```
□ The new payment page was looked at by a second person
```

**Sign-off:** ______________ (Security Lead)

### 3. Database

```
□ Code coverage > 80%
```

**Sign-off:** ______________ (DBA)

### 4. Infrastructure

```
□ Linting checks passed (ESLint, Prettier)
```

**Sign-off:** ______________ (DevOps Lead)

## After the deployment

### 5. Post-Deployment Verification

```
□ Application responding
```

## Post-Deployment Report

```
Deployment Date: _____
Downtime: _____ minutes (target: 0)
Tests Passed: _____/12
```
";

const PEOPLE: [(&str, &str); 4] = [
    ("dev-lead", "alice"),
    ("security-lead", "bob"),
    ("dba", "dora"),
    ("devops-lead", "olaf"),
];

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// A repository with the checklist, reports of the build, and a key for each person.
fn project(target: &Target) -> Project {
    let cases = (0..12).fold(String::new(), |mut all, n| {
        let _ = write!(
            all,
            "<testcase name=\"t{n}\" classname=\"shop\" time=\"0.1\"/>"
        );
        all
    });
    let junit = format!(
        "<testsuite name=\"shop\" tests=\"12\" failures=\"0\" errors=\"0\">{cases}</testsuite>"
    );
    let lcov = "SF:src/shop.js\nDA:1,1\nDA:2,1\nLF:2\nLH:2\nend_of_record\n";
    let eslint = r#"[{"filePath":"/src/shop.js","messages":[],"errorCount":0,"warningCount":0,"fatalErrorCount":0,"fixableErrorCount":0,"fixableWarningCount":0}]"#;
    let project = readygate()
        .file("CHECKLIST.md", CHECKLIST)
        .file("reports/junit/shop.xml", junit)
        .file("coverage/lcov.info", lcov)
        .file("reports/eslint.json", eslint)
        .env("TARGET_URL", &format!("http://{}", target.address))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Carol")
        .env("GIT_AUTHOR_EMAIL", "carol@example.com")
        .env("GIT_COMMITTER_NAME", "Carol")
        .env("GIT_COMMITTER_EMAIL", "carol@example.com");
    let names = PEOPLE.map(|(_, name)| name).join(" ");
    let script = format!(
        "set -e
        mkdir keys
        for name in {names}; do
          ssh-keygen -q -t ed25519 -N '' -C $name -f keys/$name
          echo \"$name@example.com $(cat keys/$name.pub)\"
        done > allowed_signers"
    );
    ok(&project.shell(&script));
    project
}

/// What a person does to the imported policy: says who holds the roles.
fn name_people(project: &Project) {
    let mut policy = project.read("readygate.yaml");
    for (role, name) in PEOPLE {
        let line = policy
            .lines()
            .find(|l| l.starts_with(&format!("  {role}: {{")));
        let line = line
            .unwrap_or_else(|| panic!("no role {role}:\n{policy}"))
            .to_owned();
        let held = line.replace(" }", &format!(", principals: [{name}@example.com] }}"));
        policy = policy.replace(&line, &held);
    }
    std::fs::write(project.path("readygate.yaml"), policy).unwrap();
}

fn json(project: &Project, file: &str) -> Value {
    serde_json::from_str(&project.read(file)).unwrap()
}

#[test]
fn from_checklist_to_rollback() {
    let down = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&down);
    let target = Target::new(move |_| {
        Answer::Status(if told.load(Ordering::SeqCst) {
            503
        } else {
            200
        })
    });
    let project = project(&target);

    let imported = project.call("import CHECKLIST.md -o readygate.yaml");
    ok(&imported);
    assert!(
        imported.stderr.contains("5 box lines") && imported.stderr.contains("0 dropped"),
        "{}",
        imported.stderr
    );
    name_people(&project);
    let commit =
        "printf 'keys/\\n' > .gitignore && git init -q . && git add -A && git commit -qm release";
    ok(&project.shell(commit));
    ok(&project.call("plan --stage pre-deploy"));

    ok(&project.call("event release.opened --release shop-4 --data version=4.0.0"));
    let first =
        project.call("run -q --stage pre-deploy --state .readygate/release --report json=pre.json");
    assert_eq!(first.code, 4, "{}{}", first.stdout, first.stderr);
    for (role, name) in PEOPLE {
        ok(&project.call(&format!(
            "sign signoffs/requests/{role}.json --role {role} --key keys/{name} --yes"
        )));
    }
    let go = project
        .call("gate pre.json --stage pre-deploy --state .readygate/release --report json=go.json");
    ok(&go);
    assert_eq!(json(&project, "go.json")["verdict"], "GO");

    ok(&project.call("event deploy.started"));
    ok(&project.call("event deploy.finished"));
    down.store(true, Ordering::SeqCst);
    let watch =
        project.call("watch --for 20s --every 200ms --baseline go.json --report json=watch.json");
    assert_eq!(watch.code, 5, "{}{}", watch.stdout, watch.stderr);
    assert_eq!(json(&project, "decision.json")["decision"], "rollback");
    // Its last samples are gates, and its advice is another.
    for command in ["gate watch.json", "judge watch.json"] {
        let ran = project.call(command);
        assert_eq!(ran.code, 2, "{command}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("is of a watch"), "{}", ran.stderr);
    }
    ok(&project.call("event rollback.started"));
    ok(&project.call("event rollback.finished"));

    fills_in(&project);
    ok(&project.call("verify .readygate/release -c readygate.yaml"));
}

fn fills_in(project: &Project) {
    let records = "go.json watch.json --state .readygate/release";
    ok(&project.call(&format!(
        "render checklist {records} --checklist CHECKLIST.md -o FILLED.md"
    )));
    let filled = project.read("FILLED.md");
    for line in [
        "☑ All tests pass (12/12) [e",
        "☑ The new payment page was looked at by a second person [e",
        "**Sign-off:** alice@example.com 20",
        "☒ Application responding [e",
        "Tests Passed: 12/12 [e",
    ] {
        assert!(filled.contains(line), "{line}:\n{filled}");
    }
    // The comment at the end keeps the lines as they were.
    let shown = filled.split("<!-- readygate checklist").next().unwrap();
    assert!(!shown.contains("Deployment Date: _____"), "{filled}");
    ok(&project.call(&format!("verify-checklist FILLED.md {records}")));
    std::fs::write(project.path("FILLED.md"), filled.replace("☒ App", "☑ App")).unwrap();
    let edited = project.call(&format!("verify-checklist FILLED.md {records}"));
    assert_eq!(edited.code, 1, "{}{}", edited.stdout, edited.stderr);
    refuses_edited_records(project);
    let report = project.call(&format!("render report {records}"));
    ok(&report);
    for line in [
        "| Outcome | FAILED (rolled back) |",
        "12/12",
        "rollback started",
    ] {
        assert!(report.stdout.contains(line), "{line}:\n{}", report.stdout);
    }
}

/// A tick is a proof, and an edited record proves nothing.
fn refuses_edited_records(project: &Project) {
    let record = project.read("watch.json");
    std::fs::write(
        project.path("edited.json"),
        record.replace("\"NO-GO\"", "\"GO\""),
    )
    .unwrap();
    for command in [
        "render checklist edited.json --checklist CHECKLIST.md",
        "render report edited.json",
        "verify-checklist FILLED.md edited.json",
    ] {
        let ran = project.call(command);
        assert_eq!(ran.code, 2, "{command}: {}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("edited.json: the record was edited"),
            "{command}: {}",
            ran.stderr
        );
    }
}
