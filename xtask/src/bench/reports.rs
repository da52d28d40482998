//! `cargo xtask bench reports`: a JUnit file of 1 GB through the `tests` probe, beside a plain pass of
//! the XML parser as the limit.

use std::{
    fs,
    io::{BufRead, BufReader, BufWriter, Write as _},
    path::Path,
    process::Command,
};

use quick_xml::{Reader, events::Event};
use serde_json::Value;

use crate::{Done, workspace};

/// Size of the file, bytes.
const SIZE: u64 = 1_000_000_000;
/// Most memory that the probe may take, MiB.
const MOST_MIB: f64 = 64.0;

/// What the generated file holds.
#[derive(Default)]
struct Held {
    total: u64,
    failed: u64,
    skipped: u64,
}

/// Prints the table; false when a figure is wrong or the memory is exceeded.
pub fn main() -> Done {
    let root = workspace::root();
    let program = super::release_build()?;
    let plain = release_xtask(&root)?;
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let file = folder.join("reports-1gb.xml");
    let done = measure(&file, &program, &plain);
    let _ = fs::remove_file(&file);
    done
}

fn measure(file: &Path, program: &Path, plain: &Path) -> Done {
    let held = generate(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let path = file.display().to_string();
    let probe = |program: &Path| {
        vec![
            program.display().to_string(),
            "probe".to_owned(),
            "tests".to_owned(),
            "--json".to_owned(),
            "--timeout".to_owned(),
            "600s".to_owned(),
            format!("reports=[{path:?}]"),
        ]
    };
    let right = figures_are_right(&probe(program), &held)?;
    // The verdict is a failure, since there are failed tests; the stopwatch wants success.
    let quoted = probe(program)
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>();
    let shell = format!("{}; test $? -eq 1", quoted.join(" "));
    let rows = [
        (
            "`readygate probe tests`",
            vec!["sh".to_owned(), "-c".to_owned(), shell],
        ),
        (
            "plain `quick-xml` pass, the limit",
            vec![
                plain.display().to_string(),
                "plain-xml".to_owned(),
                path.clone(),
            ],
        ),
    ];
    println!("| command | wall | throughput | peak memory |");
    println!("|---|---|---|---|");
    let mut small = true;
    for (name, argv) in rows {
        let figures = timed(&argv)?;
        let wall = figures["wall"].as_f64().unwrap_or(f64::NAN);
        let peak = figures["peak_kib"].as_f64().unwrap_or(f64::NAN) / 1_024.0;
        small &= peak < MOST_MIB;
        let speed = SIZE as f64 / 1e6 / wall;
        println!("| {name} | {wall:.1} s | {speed:.0} MB/s | {peak:.1} MiB |");
    }
    println!(
        "\n{} test cases, {} failed, {} skipped: the figures are {}",
        held.total,
        held.failed,
        held.skipped,
        if right { "right" } else { "WRONG" }
    );
    Ok(right && small)
}

fn release_xtask(root: &Path) -> Result<std::path::PathBuf, String> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "xtask"])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(root)
        .status();
    if built.is_ok_and(|status| status.success()) {
        Ok(root.join("target/release/xtask"))
    } else {
        Err("the release build of xtask failed".to_owned())
    }
}

fn timed(argv: &[String]) -> Result<Value, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(own)
        .args(["measure", "--runs", "1", "--"])
        .args(argv)
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).map_err(|e| format!("{e}: {text}{words}"))
}

fn figures_are_right(argv: &[String], held: &Held) -> Result<bool, String> {
    let (program, arguments) = argv.split_first().ok_or("no command")?;
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|e| e.to_string())?;
    let document: Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    let metric = |name: &str| document["metrics"][name]["value"].as_u64();
    Ok(metric("total") == Some(held.total)
        && metric("failed") == Some(held.failed)
        && metric("skipped") == Some(held.skipped))
}

/// Suites of a thousand cases, some of which fail with a trace or are skipped.
fn generate(file: &Path) -> std::io::Result<Held> {
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(file)?);
    let mut held = Held::default();
    let mut bytes = 0_u64;
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    out.write_all(head.as_bytes())?;
    while bytes < SIZE {
        let suite = held.total / 1_000;
        let mut text = format!("<testsuite name=\"com.example.Suite{suite}\">\n");
        for n in 0..1_000_u64 {
            text.push_str(&case(suite, n, &mut held));
        }
        text.push_str("</testsuite>\n");
        bytes += text.len() as u64;
        out.write_all(text.as_bytes())?;
    }
    out.write_all(b"</testsuites>\n")?;
    out.flush()?;
    Ok(held)
}

/// One case: of a hundred, one fails with a trace, one is skipped, one prints a lot.
fn case(suite: u64, n: u64, held: &mut Held) -> String {
    held.total += 1;
    let name = format!("classname=\"com.example.Suite{suite}\" name=\"case {n} &amp; more\"");
    match n % 100 {
        0 => {
            held.failed += 1;
            let trace = "\n\tat com.example.Suite.run(Suite.java:42)".repeat(20);
            format!(
                "<testcase {name} time=\"0.012\"><failure message=\"expected 1 &lt; 2\" \
                 type=\"AssertionError\">AssertionError{trace}</failure></testcase>\n"
            )
        }
        1 => {
            held.skipped += 1;
            format!("<testcase {name}><skipped message=\"not here\"/></testcase>\n")
        }
        2 => {
            let output = "line of output\n".repeat(200);
            format!(
                "<testcase {name} time=\"1,234.5\"><system-out><![CDATA[{output}]]></system-out>\
                 </testcase>\n"
            )
        }
        _ => format!("<testcase {name} time=\"0.003\"/>\n"),
    }
}

/// Reads every event of a file and looks at none.
pub fn plain(file: &Path) -> Done {
    let input = fs::File::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let events = count(BufReader::with_capacity(32 * 1_024, input))?;
    println!("{events}");
    Ok(events > 0)
}

fn count(input: impl BufRead) -> Result<u64, String> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut events = 0;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return Ok(events),
            Ok(_) => events += 1,
            Err(error) => return Err(error.to_string()),
        }
    }
}
