//! Whatever comes in, the gate says what is wrong, in bounded time and memory, and never GO.

use std::{fs, time::Duration};

use insta::assert_snapshot;

use crate::support::{Project, Ran, readygate, repeated};

const GOOD: &str = "- {id: good, probe: command, with: {argv: ['true']}}\n";
/// Address space for runs that must not swallow what they are fed: threads reserve much of it.
const MEMORY_KIB: u64 = 1_500_000;

fn refused(project: &Project) -> String {
    let ran = project.run();
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

#[test]
fn a_config_that_is_no_config() {
    let hello = b"\x7fELF\x02\x01\x01\0\0\0\0\0binary";
    for (content, says) in [
        (b"".as_slice(), "is empty"),
        (b"\n\n# only a comment\n", "is empty"),
        (hello, "NUL"),
        (b"version: 1\nname: caf\xe9\n", "not UTF-8 text (line 2"),
        (b"version: 1\ngates:\n\t- {id: a}\n", "not readable as YAML"),
        (b"version: 1\ngates: [", "not readable as YAML"),
        (b"version: 1\n---\nversion: 1\n", "second document"),
        (b"just text", "expected a mapping"),
        (b"- a\n- b\n", "expected a mapping"),
        (b"? [a, b]\n: c\n", "a key must be text"),
        (
            b"version: 1\ngates: {a: {probe: files}}\n",
            "must be a list",
        ),
        (b"version: 1\ngates: [a, 5, ~, []]\n", "expected a mapping"),
        (b"a: &a [*a]\n", "alias"),
        (b"a: *nowhere\n", "not readable as YAML"),
        (b"<!DOCTYPE html><html>", ""),
        (b"{\"version\": 1, \"gates\": []", "not readable as YAML"),
    ] {
        let project = readygate().file("readygate.yaml", content);
        let said = refused(&project.within(Duration::from_secs(20)));
        let shown = String::from_utf8_lossy(content);
        assert!(said.contains(says), "{shown:?}: {said}");
    }
}

#[test]
fn line_ends_byte_order_marks_and_trailing_space_are_fine() {
    let text = format!("version: 1\ngates:\n{GOOD}");
    for text in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        text.replace('\n', "  \n"),
        format!("%YAML 1.2\n---\n{text}...\n"),
        text.trim_end().to_owned(),
    ] {
        let ran = readygate().config(&text).run();
        assert_eq!(ran.code, 0, "{text:?}: {}", ran.stderr);
    }
}

#[test]
fn a_mistake_in_a_file_with_crlf_points_at_the_right_column() {
    let ran = readygate()
        .config("version: 1\r\n# é\r\ngates:\r\n- {id: é, probe: filse}\r\n")
        .run();
    assert_eq!(ran.code, 2);
    assert_snapshot!(ran.stderr, @r#"
    error: `é` is not an id
      ╭▸ readygate.yaml:4:8
      │
    4 │ - {id: é, probe: filse}
      │        ━
      │
      ╰ help: use lower-case letters, digits, `.`, `-` and `_`, as in `infra.redis-cluster`

    error: unknown probe `filse`
      ╭▸ readygate.yaml:4:18
      │
    4 │ - {id: é, probe: filse}
      │                  ━━━━━
      │
      ╰ help: did you mean `files`?

    2 errors in the config; nothing was run
    "#);
}

#[test]
fn paths_that_cannot_be_read() {
    let project = readygate()
        .file("folder/x", "")
        .args(["run", "-c", "folder"]);
    assert!(refused(&project).contains("is a folder"));
    let project = readygate().args(["run", "-c", "dangling.yaml"]);
    std::os::unix::fs::symlink("nowhere", project.path("dangling.yaml")).unwrap();
    assert!(refused(&project).contains("no such file"));
    let project = readygate().args(["run", "-c", "loop.yaml"]);
    std::os::unix::fs::symlink("loop.yaml", project.path("loop.yaml")).unwrap();
    refused(&project);
    let project = readygate().args(["run", "-c", "/proc/self/mem"]);
    refused(&project);
    let project = readygate().config(&format!("version: 1\ninclude: [sub]\ngates:\n{GOOD}"));
    let project = project.file("sub/x", "");
    assert!(refused(&project).contains("is a folder"));
}

#[test]
fn an_endless_config_is_refused_at_once() {
    let project = readygate()
        .args(["run", "-c", "/dev/zero"])
        .memory_kib(MEMORY_KIB)
        .within(Duration::from_secs(20));
    assert!(refused(&project).contains("larger than 4 MiB"));
    let project = readygate()
        .memory_kib(MEMORY_KIB)
        .within(Duration::from_secs(20));
    let file = fs::File::create(project.path("readygate.yaml")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    assert!(refused(&project).contains("larger than 4 MiB"));
}

#[test]
fn bombs_end_in_an_error_in_bounded_time_and_memory() {
    let laughs = repeated(12, |n| {
        let refs = vec![format!("*a{n}"); 10].join(", ");
        format!("a{}: &a{} [{refs}]\n", n + 1, n + 1)
    });
    let in_a_chain = |n| {
        format!(
            "- {{id: a{n}, probe: files, needs: [a{}], with: {{paths: [x]}}}}\n",
            n + 1
        )
    };
    let gates = |list: String| format!("version: 1\ngates:\n{list}");
    for (name, text) in [
        ("laughs", format!("a0: &a0 lol\n{laughs}")),
        ("deep flow", "[".repeat(1_000_000)),
        ("deep mappings", "{a: ".repeat(300_000)),
        ("deep block", "- ".repeat(500_000)),
        (
            "many unknown keys",
            repeated(150_000, |n| format!("k{n}: 1\n")),
        ),
        (
            "many gates with mistakes",
            gates(repeated(20_000, |n| format!("- {{id: a{n}, probe: x}}\n"))),
        ),
        ("a long chain of needs", gates(repeated(20_000, in_a_chain))),
        (
            "a long line",
            format!("version: 1\nx: '{}'\n", "y".repeat(3_000_000)),
        ),
    ] {
        let project = readygate()
            .config(&text)
            .memory_kib(MEMORY_KIB)
            .within(Duration::from_secs(40));
        let said = refused(&project);
        assert!(said.len() < 1_000_000, "{name}: {} bytes", said.len());
    }
}

#[test]
fn a_record_that_is_no_record() {
    for content in [
        b"".as_slice(),
        b"{}",
        b"null",
        b"[[[[",
        b"\xff\xfe",
        b"{\"schema\": \"readygate/run/v1\"}",
    ] {
        let project = readygate().gates(GOOD).file("run.json", content);
        for command in [
            "render console run.json",
            "render junit run.json",
            "judge run.json",
            "run --baseline run.json",
        ] {
            let ran = project.call(command);
            assert_eq!(ran.code, 2, "{command}: {}", ran.stderr);
            assert!(ran.stderr.contains("run.json"), "{command}: {}", ran.stderr);
        }
    }
    let project = readygate().file("run.json", "[".repeat(1_000_000));
    assert_eq!(project.call("render console run.json").code, 2);
}

#[test]
fn a_record_of_another_version_is_refused() {
    let project = readygate().gates(GOOD);
    project.run();
    let text = project
        .read("run.json")
        .replace("readygate/run/v1", "readygate/run/v9");
    let project = project.file("run.json", text);
    let ran = project.call("render console run.json");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("readygate/run/v9"), "{}", ran.stderr);
}

/// Runs one bad program beside a good one, which must not notice.
fn beside(with: &str) -> Ran {
    let ran = readygate()
        .gates(&format!(
            "- {{id: bad, probe: command, timeout: 30s, with: {with}}}\n{GOOD}"
        ))
        .memory_kib(MEMORY_KIB)
        .run();
    assert_eq!(ran.gate("good")["outcome"], "passed", "{}", ran.stdout);
    ran
}

#[test]
fn a_program_that_floods_stdout() {
    let ran = beside("{shell: 'head -c 300000000 /dev/zero | tr \"\\\\0\" x; exit 1'}");
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    bad failed: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1
    good passed
    "#);
    assert_eq!(
        ran.gate("bad")["measurement"]["stdout"]["bytes"],
        300_000_000
    );
    let size = ran.report.as_ref().unwrap().len();
    assert!(size < 1_000_000, "{size} bytes of record");
}

#[test]
fn a_program_that_floods_stderr() {
    let ran = beside("{shell: 'yes nonsense | head -c 300000000 >&2; exit 1'}");
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    bad failed: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1
    good passed
    "#);
    assert_eq!(
        ran.gate("bad")["measurement"]["stderr"]["bytes"],
        300_000_000
    );
    assert!(ran.raw.stdout.len() < 100_000 && ran.raw.stderr.len() < 10_000);
}

#[test]
fn a_program_that_dies_by_a_signal() {
    assert_snapshot!(beside("{shell: 'kill -SEGV $$$$'}").summary(), @r#"
    NO-GO, exit 1
    bad failed: /bin/sh: it ended with a signal: killed by SIGSEGV: expected exit code 0, actual killed by SIGSEGV
    good passed
    "#);
}

#[test]
fn a_program_that_closes_its_output_and_hangs() {
    let ran = readygate()
        .gates(&format!(
            "- {{id: bad, probe: command, timeout: 500ms, with: {{shell: 'exec >&- 2>&-; sleep 600'}}}}\n{GOOD}"
        ))
        .within(Duration::from_secs(30))
        .run();
    assert_snapshot!(ran.summary(), @r#"
    INCONCLUSIVE, exit 3
    bad unmeasured: /bin/sh: still running after [TIME]; its process group was killed (while running)
    good passed
    "#);
}

#[test]
fn a_program_that_prints_no_text() {
    let ran = beside("{shell: 'printf \"\\\\377\\\\000\\\\033[31m\"; exit 1'}");
    assert_snapshot!(ran.summary(), @r#"
    NO-GO, exit 1
    bad failed: /bin/sh: it ended with exit code 1: expected exit code 0, actual exit code 1
    good passed
    "#);
}

#[test]
fn a_program_that_cannot_be_started() {
    let project = readygate()
        .file("no-exec", "#!/bin/sh\n")
        .file("bad-shebang", "#!/no/such/interpreter\n")
        .gates(
            r#"
- {id: missing, probe: command, with: {argv: [./nowhere]}}
- {id: no-exec, probe: command, with: {argv: [./no-exec]}}
- {id: folder, probe: command, with: {argv: [/]}}
- {id: no-folder, probe: command, with: {argv: ["true"], directory: nowhere}}
- {id: good, probe: command, with: {argv: ["true"]}}
"#,
        );
    assert_snapshot!(project.run().summary(), @r#"
    INCONCLUSIVE, exit 3
    missing unmeasured: ./nowhere: No such file or directory (os error 2) (while starting)
    no-exec unmeasured: ./no-exec: Permission denied (os error 13) (while starting)
    folder unmeasured: /: Permission denied (os error 13) (while starting)
    no-folder unmeasured: true: No such file or directory (os error 2) (while starting)
    good passed
    "#);
}
