//! `cargo xtask bench process`: what a run costs, beside what a shell script of a checklist costs.

use std::{fmt::Write as _, fs, process::Command};

use readygate_stack::nginx;
use serde_json::Value;

use super::release_build;
use crate::{Done, workspace};

/// One command to time.
struct Subject {
    name: &'static str,
    argv: Vec<String>,
}

/// Prints the tables of `docs/benchmarks.md`.
pub fn main() -> Done {
    crate::setup::need_program("nginx", "nginx-light")?;
    crate::setup::need_program("curl", "curl")?;
    let root = workspace::root();
    let program = release_build()?.display().to_string();
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let front = nginx("    location / { return 200 'ok'; }").map_err(|e| e.to_string())?;
    let subjects = subjects(&program, &folder.display().to_string(), &front.url())?;
    println!("| command | wall, median (min to max) | CPU, median | peak memory |");
    println!("|---|---|---|---|");
    for subject in subjects {
        println!("{}", row(&subject)?);
    }
    Ok(true)
}

fn subjects(program: &str, folder: &str, url: &str) -> Result<Vec<Subject>, String> {
    let config = |probe: &str, with: &str| {
        let mut text = "version: 1\ntarget: { name: bench }\ngates:\n".to_owned();
        for index in 0..100 {
            let _ = writeln!(
                text,
                "  - {{ id: gate-{index}, probe: {probe}, with: {with} }}"
            );
        }
        let path = format!("{folder}/{probe}.yaml");
        fs::write(&path, text)
            .map(|()| path)
            .map_err(|e| e.to_string())
    };
    fs::write(format!("{folder}/file.txt"), "there\n").map_err(|e| e.to_string())?;
    let files = config("files", "{ paths: [file.txt], contains: there }")?;
    let http = config("http", &format!("{{ url: \"{url}/\", contains: ok }}"))?;
    let run = |path: &str| {
        vec![
            program.to_owned(),
            "run".into(),
            "--quiet".into(),
            "-c".into(),
            path.to_owned(),
        ]
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let curl = format!("for i in $(seq 100); do curl -s -o /dev/null {url}/; done");
    let grep = format!("for i in $(seq 100); do grep -q there {folder}/file.txt; done");
    Ok(vec![
        Subject {
            name: "`readygate --version`",
            argv: vec![program.to_owned(), "--version".into()],
        },
        Subject {
            name: "`git --version`, a peer",
            argv: words("git --version"),
        },
        Subject {
            name: "`readygate run`, 100 `files` gates",
            argv: run(&files),
        },
        Subject {
            name: "100 x `grep -q`, a peer",
            argv: vec!["sh".into(), "-c".into(), grep],
        },
        Subject {
            name: "`readygate run`, 100 `http` gates on loopback",
            argv: run(&http),
        },
        Subject {
            name: "100 x `curl`, a peer",
            argv: vec!["sh".into(), "-c".into(), curl],
        },
    ])
}

/// Each subject is measured in a process of its own: the system keeps one peak for all children.
fn row(subject: &Subject) -> Result<String, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(own)
        .arg("measure")
        .args(&subject.argv)
        .output()
        .map_err(|e| format!("{}: {e}", subject.name))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Value = serde_json::from_str(&text).map_err(|e| {
        format!(
            "{}: {e}: {text}{}",
            subject.name,
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let ms = |key: &str| figures[key].as_f64().unwrap_or(f64::NAN) * 1e3;
    Ok(format!(
        "| {} | {:.1} ms ({:.1} to {:.1}) | {:.1} ms | {:.1} MiB |",
        subject.name,
        ms("wall"),
        ms("wall_min"),
        ms("wall_max"),
        ms("cpu"),
        figures["peak_kib"].as_f64().unwrap_or(f64::NAN) / 1024.0,
    ))
}
