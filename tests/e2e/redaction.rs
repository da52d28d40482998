//! Secrets and hostile text: what a program prints never gets out as it is.

use std::io::{Read as _, Write as _};

use crate::support::{Project, Ran, readygate, repeated};

const CANARY: &str = "s3cr\"t/canary+4711 äß";
/// Prints the canary from its environment in every form that it takes on the way.
const ECHO: &str = r#"#!/usr/bin/env python3
import base64, json, os, sys, urllib.parse
secret = os.environ["CANARY"]
forms = [
    secret,
    urllib.parse.quote(secret, safe=""),
    urllib.parse.quote(secret),
    urllib.parse.quote_plus(secret),
    urllib.parse.quote(secret, safe="").lower() if secret.islower() else "",
    base64.b64encode(secret.encode()).decode(),
    base64.b64encode(("user:" + secret).encode()).decode(),
    base64.b64encode(("ab:" + secret).encode()).decode(),
    base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    json.dumps(secret)[1:-1],
    json.dumps(secret, ensure_ascii=False)[1:-1],
    json.dumps(json.dumps(secret, ensure_ascii=False))[1:-1],
    secret.encode().hex(),
    "postgres://app:" + urllib.parse.quote(secret, safe="") + "@db/shop",
]
for form in forms:
    print(form)
    print(form, file=sys.stderr)
    print("Authorization: Basic " + form)
sys.exit(int(sys.argv[1]))
"#;

/// Runs with every report and the log at its most talkative, and reads all of it.
fn everything(project: Project) -> (Ran, String) {
    let args =
        "run -v --log trace --report json=run.json --report junit=run.xml --report console=run.txt";
    let project = project.file("echo.py", ECHO).args(args.split(' '));
    let ran = project.run();
    let mut all = String::from_utf8_lossy(&ran.raw.stdout).into_owned();
    all += &String::from_utf8_lossy(&ran.raw.stderr);
    for report in ["run.json", "run.xml", "run.txt"] {
        all += &project.read(report);
    }
    (ran, all)
}

/// Forms that a test can name without the code under test, and long parts of the value.
fn assert_hidden(all: &str, canary: &str) {
    let hex = repeated(canary.len(), |n| format!("{:02x}", canary.as_bytes()[n]));
    let json = serde_json::to_string(canary).unwrap();
    for form in [
        canary,
        &hex,
        &json[1..json.len() - 1],
        "canary",
        "Y2FuYXJ5",
        "63616e617279",
    ] {
        let shown = |at: usize| {
            let start = all[..at].rfind('\n').map_or(0, |n| n + 1);
            all[start..].lines().next().unwrap_or_default()
        };
        let out = all.find(form).map(shown);
        assert_eq!(out, None, "{form} got out");
    }
    assert!(
        all.contains("***"),
        "nothing was masked: was anything printed?"
    );
}

#[test]
fn a_secret_field_is_masked_in_every_report_and_form() {
    for code in ["0", "1"] {
        let (ran, all) = everything(
            readygate()
                .gates(&format!(
                    "- {{id: echo, probe: command, with: {{argv: [python3, echo.py, '{code}'], secret_env: {{CANARY: '${{WORD}}'}}}}}}"
                ))
                .env("WORD", CANARY),
        );
        assert_eq!(ran.code.to_string(), code, "{}", ran.stderr);
        assert_hidden(&all, CANARY);
    }
}

#[test]
fn a_listed_secret_is_masked_wherever_it_comes_from() {
    let (ran, all) = everything(
        readygate()
            .config(
                "version: 1
secrets: [CANARY]
pass_env: [CANARY]
gates:
- {id: echo, title: 'prints ${CANARY}', probe: command, with: {argv: [python3, echo.py, '1']}}
- {id: argument, probe: command, with: {argv: [echo, 'x ${CANARY}'], stdout: {contains: 'y ${CANARY}'}}}
",
            )
            .env("CANARY", CANARY),
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_hidden(&all, CANARY);
}

#[test]
fn a_secret_header_that_the_server_sends_back_is_masked() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            let answer = format!(
                "HTTP/1.1 500 No\r\nX-Echo: canary-4711\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                head.len()
            );
            let _ = stream.write_all(&[answer.as_bytes(), &head].concat());
        }
    });
    let (ran, all) = everything(
        readygate()
            .gates(&format!(
                "- {{id: echo, probe: http, with: {{url: 'http://{address}/?key=${{API_KEY}}', secret_headers: {{Authorization: 'Bearer ${{WORD}}'}}, json: {{/a: 1}}}}}}"
            ))
            .env("WORD", "canary-4711")
            .env("API_KEY", "canary-key"),
    );
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert_hidden(&all, "canary-4711");
}

#[test]
fn a_mistake_in_the_config_does_not_print_the_secret() {
    let project = readygate()
        .config(
            "version: 1
gates:
- {id: a, severity: '${API_TOKEN}', timeout: '${API_TOKEN}', probe: command, with: {argv: ['true'], secret_env: {X: ['${API_TOKEN}']}}}
",
        )
        .env("API_TOKEN", "canary-4711");
    let ran = project.run();
    assert_eq!(ran.code, 2);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    assert!(ran.stderr.contains("***"), "{}", ran.stderr);
}

#[test]
fn plan_and_probe_mask_too() {
    let project = readygate()
        .config(
            "version: 1
secrets: [WORD]
gates:
- {id: a, title: '${WORD}', probe: command, with: {argv: [echo, '${WORD}']}}
",
        )
        .env("WORD", "canary-4711");
    for args in ["plan", "plan --json"] {
        let ran = project.call(args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains("canary"), "{args}: {}", ran.stdout);
    }
    for format in ["--ascii", "--json"] {
        let given = [
            "probe",
            "command",
            format,
            "argv=[printenv, X]",
            "secret_env={X: canary-4711}",
        ];
        let ran = readygate().args(given).run();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains("canary"), "{format}: {}", ran.stdout);
    }
}

#[test]
fn a_cut_text_does_not_show_half_of_a_secret() {
    // Texts are cut in their middle; wherever the cut falls, no part of the secret is left.
    let gate = |before: usize| {
        format!(
            "- id: b{before}
  probe: command
  timeout: 500ms
  with:
    shell: head -c {before} /dev/zero | tr '\\0' x; echo \"$CANARY\"; head -c 3000 /dev/zero | tr '\\0' y; sleep 600
- id: o{before}
  probe: command
  with:
    output_limit: 1KiB
    shell: head -c {} /dev/zero | tr '\\0' x; echo \"$CANARY\"; head -c 3000 /dev/zero | tr '\\0' y; exit 1
",
            before + 250
        )
    };
    let gates: String = (244..=266).step_by(4).map(gate).collect();
    let config = format!("version: 1\nsecrets: [CANARY]\npass_env: [CANARY]\ngates:\n{gates}");
    let (ran, all) = everything(
        readygate()
            .config(&config)
            .env("CANARY", "canary-plum-zyxwvu"),
    );
    assert_eq!(ran.code, 1);
    for part in ["cana", "plum", "xwvu"] {
        let around = |at: usize| {
            all[at.saturating_sub(40)..]
                .chars()
                .take(80)
                .collect::<String>()
        };
        assert_eq!(all.find(part).map(around), None, "{part} got out");
    }
}

#[test]
fn a_program_cannot_command_the_ci_or_the_terminal() {
    let hostile = "::error file=x::owned\n::add-mask::x\n  ::set-output name=a::b\n##[error]x\n##vso[task.complete]\n\u{1b}[31mred\u{1b}]0;title\u{7}\r\u{202e}gnp.exe\u{2066}\n]]>&<x/>\u{fffe}\u{0}";
    let (ran, all) = everything(
        readygate()
            .file("hostile.txt", hostile)
            .gates(
                r"
- {id: fails, probe: command, with: {shell: cat hostile.txt; cat hostile.txt >&2; exit 1}}
- {id: hangs, timeout: 500ms, probe: command, with: {shell: cat hostile.txt; sleep 600}}
- {id: expects, probe: command, with: {argv: [cat, hostile.txt], stdout: {not_contains: owned}}}
- {id: plugin, probe: command, with: {protocol: nagios, shell: cat hostile.txt; exit 2}}
",
            )
            .file("\u{1b}[31m::error::name", ""),
    );
    assert_eq!(ran.code, 1);
    for line in all.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
        for bad in ["##[", "##vso["] {
            assert!(!line.contains(bad), "{line:?}");
        }
        for bad in [
            '\u{1b}', '\u{7}', '\r', '\u{202e}', '\u{2066}', '\u{fffe}', '\0',
        ] {
            assert!(!line.contains(bad), "{bad:?} in {line:?}");
        }
    }
    for escape in ["\\u001b", "\\u202e", "\\u0000", "&#x1b;", "&#27;"] {
        assert!(!all.to_lowercase().contains(escape), "{escape}");
    }
    assert!(all.contains("owned"), "the text itself stays readable");
}

/// A weak secret is a word that the record itself is made of.
#[test]
fn a_secret_that_is_a_word_of_the_record_does_not_break_it() {
    for secret in [
        "passed",
        "outcome",
        "gates",
        "error",
        "count",
        "blocker",
        "readygate/run/v1",
    ] {
        let ran = readygate()
            .config(
                "version: 1
secrets: [WORD]
gates:
- {id: g, severity: blocker, pass_env: [WORD], probe: command, with: {shell: 'printf %s $$WORD'}}
",
            )
            .env("WORD", secret)
            .run();
        assert_eq!(ran.code, 0, "{secret}: {}", ran.stderr);
        assert_eq!(ran.gate("g")["outcome"], "passed");
        assert_eq!(ran.gate("g")["measurement"]["stdout"]["text"], "***");
    }
}

/// The name says it, whether or not the config mentions the value.
#[test]
fn a_variable_with_a_telling_name_is_masked_when_it_is_passed_on() {
    for (global, own) in [("", "[DEPLOY_TOKEN]"), ("pass_env: [DEPLOY_TOKEN]\n", "[]")] {
        let config = format!(
            "version: 1
{global}gates:
- {{id: env, pass_env: {own}, probe: command, with: {{shell: 'env; env >&2; exit 1'}}}}
"
        );
        let project = readygate().config(&config).env("DEPLOY_TOKEN", CANARY);
        let (ran, all) = everything(project);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(all.contains("DEPLOY_TOKEN=***"), "{all}");
        assert_hidden(&all, CANARY);
    }
}

#[test]
fn a_value_written_out_under_a_telling_name_is_masked() {
    let project = readygate().gates(
        "- {id: env, probe: command, with: {shell: 'env; exit 1', env: {API_TOKEN: canary-4711}}}",
    );
    let (ran, all) = everything(project);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(all.contains("API_TOKEN=***"), "{all}");
    assert_hidden(&all, "canary-4711");
}

#[test]
fn the_environment_of_the_gate_stays_at_home() {
    let ran = readygate()
        .gates("- {id: env, probe: command, with: {argv: [env]}}")
        .env("AWS_SECRET_ACCESS_KEY", "canary-4711")
        .env("CI_JOB_NAME", "canary-4712")
        .run();
    let text = ran.gate("env")["measurement"]["stdout"]["text"].to_string();
    assert!(text.contains("PATH=") && !text.contains("canary"), "{text}");
}
