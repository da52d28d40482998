//! Rules from a trusted ref, and what a change of the policy loosens.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Project, Ran, readygate};

const STRICT: &str = "version: 1
roles: {cto: {may_waive: ['*']}}
policy: {owner: cto}
gates:
- {id: docs, probe: files, with: {paths: [README.md]}, expect: {bytes.total: '> 100B'}}
- {id: code, probe: command, with: {argv: ['true']}}
";

/// A clone whose `origin/main` holds [`STRICT`], with a README of 5 bytes: `docs` fails.
fn clone() -> Project {
    let project = readygate().file("README.md", "short").config(STRICT);
    let ran = commit(&project);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    project.args([
        "run",
        "--report",
        "json=run.json",
        "--trust-ref",
        "origin/main",
    ])
}

/// Commits everything and says that this is what `origin/main` is.
fn commit(project: &Project) -> Ran {
    project.shell(
        "set -e; git init -q -b work . 2>/dev/null; git add -A
        git -c user.name=a -c user.email=a@example.com commit -qm x
        git update-ref refs/remotes/origin/main HEAD",
    )
}

#[test]
fn a_trusted_ref_defeats_a_change_that_lowers_a_threshold() {
    let project = clone().config(&STRICT.replace("> 100B", "> 1B"));
    let ran = project.run();
    assert_eq!(ran.code, 1);
    assert_eq!(ran.gate("docs")["outcome"], "failed");
    let trusted = &ran.record()["config"]["trusted"];
    assert_eq!(trusted["reference"], "origin/main");
    assert_eq!(trusted["commit"].as_str().unwrap().len(), 40);
    assert_eq!(
        ran.gate("docs")["location"]["file"],
        "origin/main:readygate.yaml"
    );
    let said = ran
        .stderr
        .replace(&trusted["commit"].as_str().unwrap()[..7], "[COMMIT]");
    let said: String = said
        .lines()
        .take_while(|l| !l.starts_with("start"))
        .map(|l| l.to_owned() + "\n")
        .collect();
    assert_snapshot!(said, @r"
    policy: origin/main ([COMMIT]) decides; the one in the working tree differs and is not used: 1 looser
      looser    docs: `bytes.total`: `> 100B` -> `> 1B`
    ");
    assert!(
        ran.stdout.contains("policy of origin/main ("),
        "{}",
        ran.stdout
    );
    // Without it, the change is judged by its own rules.
    assert_eq!(project.call("run").code, 0);
}

#[test]
fn a_trusted_ref_defeats_a_change_that_adds_a_waiver() {
    let waiver =
        "waivers:\n- {gate: docs, reason: r, owner: a, approver: cto, expires: 2999-12-31}\n";
    let project = clone().config(&format!("{STRICT}{waiver}"));
    let ran = project.run();
    assert_eq!((ran.code, &ran.record()["verdict"]), (1, &"NO-GO".into()));
    assert!(
        ran.stderr
            .contains("looser    docs *: a waiver was added, until 2999-12-31"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.call("run").code, 0);
}

#[test]
fn plan_and_judge_go_by_the_trusted_ref_too() {
    let project = clone().config(&STRICT.replace("- {id: code", "- {id: renamed"));
    let ran = project.call("plan --trust-ref origin/main");
    assert!(
        ran.stdout.contains("\ncode  code") && !ran.stdout.contains("renamed"),
        "{}",
        ran.stdout
    );
    let project = project.config(STRICT);
    assert_eq!(project.run().code, 1);
    let project = project.config(&STRICT.replace("> 100B", "> 1B"));
    assert_eq!(project.call("judge run.json").code, 0);
    assert_eq!(
        project.call("judge run.json --trust-ref origin/main").code,
        1
    );
}

#[test]
fn includes_are_followed_inside_of_the_ref() {
    let parts = STRICT.split_once("gates:").unwrap();
    let project = readygate()
        .file("README.md", "short")
        .file("ops/gates.yaml", format!("version: 1\ngates:{}", parts.1))
        .config(&format!("{}include: [ops/../ops/gates.yaml]\n", parts.0));
    assert_eq!(commit(&project).code, 0);
    let project = project
        .file(
            "ops/gates.yaml",
            "version: 1\ngates: [{id: x, probe: command, with: {argv: ['true']}}]\n",
        )
        .args([
            "run",
            "--report",
            "json=run.json",
            "--trust-ref",
            "origin/main",
            "-q",
        ]);
    let ran = project.run();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(
        ran.record()["config"]["files"][1],
        "origin/main:ops/gates.yaml"
    );
}

#[test]
fn a_ref_that_cannot_be_trusted_or_read_is_exit_2() {
    let project = clone();
    let says = |args: &str, says: &str| {
        let ran = project.call(args);
        assert_eq!(ran.code, 2, "{args}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    };
    says(
        "run --trust-ref origin/gone",
        "no ref, tag or commit `origin/gone`",
    );
    says(
        "run --trust-ref origin/gone",
        "git fetch origin gone:refs/remotes/origin/gone",
    );
    says(
        "run --trust-ref origin/main -c new.yaml",
        "new.yaml: no such file in origin/main",
    );
    says(
        "run --trust-ref origin/main -c ../../x.yaml",
        "is outside of the repository",
    );
    says(
        "run --trust-ref origin/main -c /etc/passwd",
        "is outside of the repository",
    );
    says(
        "run --trust-ref origin/main:readygate.yaml",
        "cannot be read",
    );
    let project = &project;
    // A tag of the same name comes first for git: whoever may push tags would choose the rules.
    assert_eq!(project.shell("git tag origin/main HEAD").code, 0);
    says(
        "run --trust-ref origin/main",
        "means both `refs/tags/origin/main` and `refs/remotes/origin/main`",
    );
    assert_eq!(
        project
            .call("run --trust-ref refs/remotes/origin/main")
            .code,
        1
    );
}

#[test]
fn a_tag_in_place_of_a_branch_is_not_trusted() {
    let project = clone();
    let run = |reference: &str| project.call(&format!("run --trust-ref {reference}"));
    for reference in ["origin/main~0", "origin/main^{}", "origin/main^{commit}"] {
        let ran = run(reference);
        assert_eq!(ran.code, 1, "{reference}: {}", ran.stderr);
    }
    let hash = project.shell("git rev-parse HEAD").stdout.trim().to_owned();
    assert_eq!(run(&hash).code, 1);
    assert_eq!(run(&hash[..9]).code, 1);
    // The branch was not fetched, and somebody pushed a tag of its name.
    let moved = project.shell(
        "git update-ref -d refs/remotes/origin/main; git tag origin/main HEAD
        git tag refs/remotes/origin/main HEAD",
    );
    assert_eq!(moved.code, 0, "{}", moved.stderr);
    for reference in [
        "origin/main",
        "tags/origin/main",
        "origin/main~0",
        "origin/main^{}",
    ] {
        let ran = run(reference);
        assert_eq!(ran.code, 2, "{reference}: {}", ran.stdout);
        assert!(ran.stderr.contains("is only a tag here"), "{}", ran.stderr);
    }
    for reference in [
        "refs/remotes/origin/main",
        "origin/main@{0}",
        "x-1-g0123abc",
    ] {
        let ran = run(reference);
        assert_eq!(ran.code, 2, "{reference}: {}", ran.stdout);
    }
    assert_eq!(run("refs/tags/origin/main").code, 1);
}

#[test]
fn a_folder_that_looks_like_a_repository_decides_nothing() {
    let project = clone().config(&STRICT.replace("> 100B", "> 1B"));
    let ran = project.shell(
        "set -e; git add -A; git -c user.name=a -c user.email=a@example.com commit -qm loose
        git clone -q --bare . ops; git -C ops update-ref refs/remotes/origin/main HEAD
        cd ops; $readygate run -c ../readygate.yaml --trust-ref origin/main",
    );
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("1 looser"), "{}", ran.stderr);
}

#[test]
fn nothing_that_waits_keeps_a_trusted_run() {
    let project = clone();
    let run = |before: &str| {
        project.shell(&format!(
            "rm -f pipe; mkfifo pipe; exec 3<>pipe; {before}
            timeout 20 $readygate run --trust-ref origin/main -q <&3"
        ))
    };
    for (before, says) in [
        (
            "printf 'include: [/dev/stdin]\\n' >> readygate.yaml",
            "is not readable",
        ),
        (
            "git checkout -q readygate.yaml; printf 'signoffs: {allowed_signers: pipe}\\n' >> readygate.yaml",
            "differs and is not used",
        ),
        ("ln -sf /dev/stdin readygate.yaml", "is not a regular file"),
    ] {
        let ran = run(before);
        assert_eq!(ran.code, 1, "{before}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{before}: {}", ran.stderr);
    }
}

#[test]
fn a_config_from_a_pipe_may_be_named_and_not_included() {
    let project = readygate().file(
        "pipe.yaml",
        "version: 1\ngates: [{id: x, probe: command, with: {argv: ['true']}}]\n",
    );
    let ran = project.shell("cat pipe.yaml | $readygate plan -c /dev/stdin");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let project = project.config("version: 1\ninclude: [/dev/stdin]\n");
    let ran = project.shell("cat pipe.yaml | $readygate plan");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("/dev/stdin: is not a regular file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_link_in_a_ref_is_not_followed() {
    let project = clone();
    let linked = project.shell("ln -s /etc/passwd linked.yaml; ln -s . loop");
    assert_eq!(linked.code, 0);
    assert_eq!(commit(&project).code, 0);
    for (file, says) in [
        ("linked.yaml", "is a symbolic link"),
        ("loop/readygate.yaml", "no such file"),
    ] {
        let ran = project.call(&format!("run --trust-ref origin/main -c {file}"));
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}

#[test]
fn outside_of_a_repository_there_is_no_ref() {
    let ran = readygate()
        .config(STRICT)
        .call("run --trust-ref origin/main");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("no git repository here"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_shallow_clone_says_that_it_lacks_the_ref() {
    let project = clone();
    assert_eq!(commit(&project.file("b", "b")).code, 0);
    let project = clone();
    let made = project.shell("git commit -q --allow-empty -m y 2>/dev/null || git -c user.name=a -c user.email=a@b commit -q --allow-empty -m y; git clone -q --depth=1 file://$PWD shallow");
    assert_eq!(made.code, 0, "{}", made.stderr);
    let ran = project.shell("cd shallow && $readygate run --trust-ref origin/main");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("in this shallow clone"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("git fetch --depth=1 origin main"),
        "{}",
        ran.stderr
    );
}

#[test]
fn no_report_overwrites_the_policy_of_the_working_tree() {
    let ran = clone().arg("--report=json=readygate.yaml").run();
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("would overwrite the config"),
        "{}",
        ran.stderr
    );
}

#[test]
fn diff_policy_lists_what_is_looser_with_its_places() {
    let loose = STRICT
        .replace("> 100B", "> 1B")
        .replace("- {id: code, probe: command, with: {argv: ['true']}}\n", "");
    let project = clone().config(&loose);
    let ran = project.call("diff-policy origin/main: readygate.yaml");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert_snapshot!(ran.stdout, @r"
    Looser
      docs: `bytes.total`: `> 100B` -> `> 1B`
          origin/main:readygate.yaml:5:65 -> readygate.yaml:5:65
      code: the gate was removed
          origin/main:readygate.yaml:6:8 -> gone

    origin/main: -> readygate.yaml: 2 looser
    nobody can approve it: nobody holds the role `cto` in origin/main:
    ");
    let ran = project.call("diff-policy . origin/main:readygate.yaml");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.ends_with("2 stricter\n"), "{}", ran.stdout);
    let ran = project.call("diff-policy . readygate.yaml");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, ". -> readygate.yaml: no difference\n")
    );
}

#[test]
fn files_of_a_change_cannot_stand_in_for_the_ref() {
    let loose = STRICT.replace("> 100B", "> 1B");
    let project = clone()
        .config(&loose)
        .file("origin/main:/readygate.yaml", &loose)
        .file("ops/readygate.yaml", STRICT);
    for base in ["origin/main:", "origin/main:readygate.yaml"] {
        let ran = project.call(&format!("diff-policy {base} ."));
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("> 100B` -> `> 1B"), "{}", ran.stdout);
    }
    // Who means the path says so.
    let ran = project.call("diff-policy ./origin/main: .");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = project.call("diff-policy ./gone:x .");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("no such file or folder"),
        "{}",
        ran.stderr
    );

    assert_eq!(project.call("diff-policy ops .").code, 1);
    // A ref that would not be trusted is one all the same.
    for make in ["git branch ops", "git branch -D ops && git tag ops"] {
        let made = project.shell(make);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let ran = project.call("diff-policy ops .");
        assert_eq!(ran.code, 2, "{make}: {}", ran.stdout);
        let says =
            "ops: is both a path and a git ref; write ./ops for the path, or ops: for the ref";
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert_eq!(project.call("diff-policy ./ops .").code, 1);
    }
}

#[test]
fn diff_policy_as_json() {
    let project = clone().config(&STRICT.replace("> 100B", "> 1B"));
    let ran = project.call("diff-policy origin/main:./readygate.yaml . --json");
    assert_eq!(ran.code, 1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["schema"], "readygate/policy-diff/v1");
    assert_eq!(json["summary"]["looser"], 1);
    let change = &json["changes"][0];
    assert_eq!(
        (&change["kind"], &change["weight"], &change["subject"]),
        (&"threshold".into(), &"looser".into(), &"docs".into())
    );
    assert_eq!(change["base"]["file"], "origin/main:readygate.yaml");
    assert_eq!(
        (&change["base"]["line"], &change["head"]["line"]),
        (&5.into(), &5.into())
    );
}

#[test]
fn diff_policy_of_what_cannot_be_read_is_exit_2() {
    let project = clone().file("broken.yaml", "version: 1\ngates: [\n");
    for (args, says) in [
        ("gone.yaml .", "gone.yaml: no such file or folder"),
        ("origin/main:gone.yaml .", "no such file in origin/main"),
        ("origin/gone: .", "no ref, tag or commit"),
        (". broken.yaml", "not readable as YAML"),
    ] {
        let ran = project.call(&format!("diff-policy {args}"));
        assert_eq!(ran.code, 2, "{args}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
}

/// A clone with people: `ann` holds the key `ann`, and there is a key `mallory`.
fn signed(config: &str) -> Project {
    let project = readygate().file("README.md", "short").config(config);
    let ran = project.shell(
        "set -e; for who in ann mallory; do ssh-keygen -q -t ed25519 -N '' -C '' -f $who; done
        echo \"ann@example.com $(cat ann.pub)\" > allowed_signers
        printf 'run.json\\nsignoffs/\\nann*\\nmallory*\\n' > .gitignore",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(commit(&project).code, 0);
    project
}

const PEOPLE: &str = "version: 1
roles: {qa: {principals: [ann@example.com], author_may_sign: true, may_waive: [docs]}}
signoffs: {allowed_signers: allowed_signers}
policy: {owner: qa}
gates:
- {id: code, probe: command, with: {argv: ['true']}}
- {id: signoff.qa, probe: signoff, with: {role: qa, statement: It is good.}}
";

#[test]
fn a_trusted_ref_defeats_a_change_that_brings_a_key() {
    let project = signed(PEOPLE);
    let key = project.shell("echo \"ann@example.com $(cat mallory.pub)\" > allowed_signers");
    assert_eq!(key.code, 0);
    let ran = project.call("run --report json=run.json --trust-ref origin/main -q");
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr
            .contains("looser    allowed_signers: the line of `ann@example.com` was added"),
        "{}",
        ran.stderr
    );
    let ran = project.call("sign signoffs/requests/qa.json --role qa --key mallory --yes");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = project.call("gate run.json --trust-ref origin/main");
    assert_eq!(ran.code, 4, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("does not count: the key is not one that"),
        "{}",
        ran.stdout
    );
    let ran = project.call("sign signoffs/requests/qa.json --role qa --key ann --yes");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = project.call("gate run.json --trust-ref origin/main");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn what_a_signer_accepts_gives_go_with_waivers() {
    let failing = "- {id: docs, probe: files, with: {paths: [gone.md]}}\n- {id: code";
    let accept = "sign signoffs/requests/qa.json --role qa --key ann --yes --accept docs --reason known --accept-until 2999-12-31";
    let project = signed(&PEOPLE.replace("- {id: code", failing));
    assert_eq!(project.call("run --report json=run.json -q").code, 1);
    let ran = project.call(&accept.replace("docs", "code"));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("only what failed can be accepted"),
        "{}",
        ran.stderr
    );
    let ran = project.call(accept);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("docs until 2999-12-31: known"),
        "{}",
        ran.stdout
    );
    let ran = project.call("gate run.json --report json=run.json");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(ran.record()["verdict"], "GO-WITH-WAIVERS");
    let waiver = &ran.record()["waivers"][0];
    assert_eq!(
        (&waiver["principal"], &waiver["covered"]),
        (&"ann@example.com".into(), &1.into())
    );
    // Signed again over the record in which it shows as waived, it holds still.
    let ran = project.call("gate run.json");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn what_a_role_may_not_waive_its_signer_cannot_accept() {
    let failing = "- {id: docs, probe: files, with: {paths: [gone.md]}}\n- {id: code";
    let config = PEOPLE.replace("- {id: code", failing);
    let project = signed(&config.replace("may_waive: [docs]", "may_waive: [code]"));
    assert_eq!(project.call("run --report json=run.json -q").code, 1);
    let ran = project.call("sign signoffs/requests/qa.json --role qa --key ann --yes --accept docs --reason known --accept-until 2999-12-31");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = project.call("gate run.json");
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("`qa` may not waive `docs`"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_looser_policy_needs_the_signature_of_its_owner() {
    let project = signed(PEOPLE)
        .config(&PEOPLE.replace("- {id: code, probe: command, with: {argv: ['true']}}\n", ""));
    let diff = "diff-policy origin/main: .";
    let ran = project.call(diff);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("needs the signature of `qa`"),
        "{}",
        ran.stdout
    );
    let ran = project.call(&format!("{diff} --approve --key mallory --yes"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = project.call(diff);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("does not count: signoffs/qa-"),
        "{}",
        ran.stdout
    );
    let ran = project.call(&format!("{diff} --approve --key ann --yes --reason moved"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = project.call(diff);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("approved by ann@example.com as qa until"),
        "{}",
        ran.stdout
    );
    let json: Value =
        serde_json::from_str(&project.call(&format!("{diff} --json")).stdout).unwrap();
    assert_eq!(json["approval"]["reason"], "moved");
    // One more change, and it is another difference.
    let project = project.config(&PEOPLE.replace("[docs]", "[docs, x]"));
    let ran = project.call(diff);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("it approves another difference"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_change_cannot_name_the_owner_who_approves_it() {
    let project = signed(PEOPLE);
    let mine = "roles: {dev: {principals: [mallory@example.com]}, qa:";
    let head = PEOPLE
        .replace("roles: {qa:", mine)
        .replace("owner: qa", "owner: dev");
    let project = project.config(&head);
    let swapped =
        project.shell("echo \"mallory@example.com $(cat mallory.pub)\" >> allowed_signers");
    assert_eq!(swapped.code, 0);
    let ran = project.call(
        "diff-policy origin/main: . --approve --key mallory --yes --principal mallory@example.com",
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("mallory@example.com does not hold the role qa"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.call("diff-policy origin/main: .").code, 1);
}

#[test]
fn evidence_of_a_trusted_run_is_verified_by_the_trusted_policy() {
    let project = signed(PEOPLE);
    let loose = PEOPLE.replace("argv: ['true']", "argv: ['true', more]");
    let project = project.config(&loose);
    let script = "set -e
        echo \"ann@example.com $(cat mallory.pub)\" > allowed_signers
        $readygate run -q --trust-ref origin/main --report json=run.json || [ $? = 4 ]
        $readygate sign signoffs/requests/qa.json --role qa --key ann --yes
        $readygate gate run.json --trust-ref origin/main --evidence kept";
    let ran = project.shell(script);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = project.call("verify kept -c readygate.yaml --trust-ref origin/main");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = project.call("verify kept -c readygate.yaml");
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    for said in ["was made under another policy", "the key is not one that"] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let ran = project.call("verify kept --trust-ref origin/main");
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn no_watch_overwrites_the_policy_of_the_working_tree() {
    let project = readygate().config(STRICT).file("README.md", "short");
    assert_eq!(commit(&project).code, 0);
    let watch = "watch --only code --for 1s --every 1s";
    for (args, says) in [
        (
            "--trust-ref origin/main --report json=readygate.yaml",
            "the json report would overwrite the config readygate.yaml",
        ),
        (
            "--trust-ref origin/main --decision ./readygate.yaml",
            "the decision would overwrite the config readygate.yaml",
        ),
        (
            "--decision readygate.yaml",
            "the decision would overwrite the config readygate.yaml",
        ),
        (
            "--decision d.json --report json=./d.json",
            "the decision and the json report go to one file, d.json",
        ),
    ] {
        let ran = project.call(&format!("{watch} {args}"));
        assert_eq!(ran.code, 2, "{args}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{args}: {}", ran.stderr);
    }
    assert_eq!(project.read("readygate.yaml"), STRICT);
}
