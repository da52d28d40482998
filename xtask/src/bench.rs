//! `cargo xtask bench`: whole-process figures beside a peer's, from the same run.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};
use readygate_stack::nginx;
use serde_json::{Value, json};

use crate::{Done, workspace};

const RUNS: usize = 15;

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
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "readygate"])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(&root)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the release build failed".to_owned());
    }
    let program = root.join("target/release/readygate").display().to_string();
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

/// Runs a command several times after one warm-up and prints its figures as JSON.
pub fn measure(argv: &[String]) -> Done {
    let Some((program, arguments)) = argv.split_first() else {
        return Err("no command".into());
    };
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let before = cpu()?;
        #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
        let begun = Instant::now();
        let status = Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|e| format!("{program}: {e}"))?;
        let wall = begun.elapsed().as_secs_f64();
        if !status.success() {
            return Err(format!("{program} ended with {status}"));
        }
        if run > 0 {
            walls.push(wall);
            cpus.push(cpu()? - before);
        }
    }
    walls.sort_by(f64::total_cmp);
    cpus.sort_by(f64::total_cmp);
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let figures = json!({
        "wall": walls[RUNS / 2], "wall_min": walls[0], "wall_max": walls[RUNS - 1],
        "cpu": cpus[RUNS / 2], "peak_kib": usage.max_rss(),
    });
    println!("{figures}");
    Ok(true)
}

fn cpu() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
