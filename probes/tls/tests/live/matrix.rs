//! `docs/tls-matrix.md`: every fixture, side by side in one run.

use std::{fmt::Write as _, fs, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use crate::{
    common::{NAME, Seen, Verdict, look},
    pki::Pki,
    rows::{self, Row},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tls-matrix.md");
/// Gates side by side; all at once would measure the machine.
const AT_A_TIME: usize = 8;
/// Of the whole matrix, once the servers stand, on a machine that does nothing else.
const LIMIT: Duration = Duration::from_secs(10);

async fn once(row: &Row, ca: String) -> Seen {
    let port = row.servers[0].address.port();
    let mut with = json!({
        "endpoints": format!("{NAME}:{port}"),
        "resolve": {NAME: row.addresses},
        "ca": ca,
    });
    for (key, value) in row.with.as_object().unwrap() {
        with[key] = value.clone();
    }
    look(with).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_named_and_no_good_server_fails() {
    let pki = Pki::new();
    let rows = rows::all(&pki).await;
    let begun = Instant::now();
    let mut running = JoinSet::new();
    let at_a_time = Arc::new(Semaphore::new(AT_A_TIME));
    // Those that wait for silence first, so that the others fill the time.
    let mut rows: Vec<(usize, Row)> = rows.into_iter().enumerate().collect();
    rows.sort_by_key(|(_, row)| row.cause != "timeout");
    for (index, row) in rows {
        let (ca, at_a_time) = (pki.ca(), Arc::clone(&at_a_time));
        running.spawn(async move {
            let _permit = at_a_time.acquire().await;
            let seen = once(&row, ca).await;
            (index, (row, seen))
        });
    }
    let mut seen: Vec<(usize, (Row, Seen))> = running.join_all().await;
    let took = begun.elapsed();
    seen.sort_by_key(|(index, _)| *index);
    let mut wrong = String::new();
    for (_, (row, seen)) in &mut seen {
        if complaint(row, seen).is_some() {
            // A machine that is busy with other tests makes waits run out: once more, alone.
            *seen = once(row, pki.ca()).await;
        }
        if let Some(complaint) = complaint(row, seen) {
            let _ = writeln!(wrong, "{}: {complaint}\n{}", row.fixture, seen.report());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let lines: Vec<[String; 5]> = seen
        .iter()
        .map(|(_, (row, seen))| line(row, seen))
        .collect();
    document(&lines, took);
}

fn complaint(row: &Row, seen: &Seen) -> Option<String> {
    if seen.verdict() != row.wanted {
        return Some(format!("wanted {}", row.wanted.name()));
    }
    let causes = seen.causes();
    let first = causes.first().map(|c| c.0.as_str()).unwrap_or_default();
    if row.wanted == Verdict::Unmeasured
        && !causes
            .iter()
            .any(|(_, message)| message.contains("(while "))
    {
        return Some("names no phase".to_owned());
    }
    let named = causes.iter().any(|(rule, _)| rule == row.cause);
    if row.cause.is_empty() {
        return (!causes.is_empty()).then(|| format!("{first} out of nothing"));
    }
    (!named).then(|| format!("wanted {}", row.cause))
}

fn line(row: &Row, seen: &Seen) -> [String; 5] {
    let causes = seen.causes();
    let said = causes.iter().find(|(rule, _)| rule == row.cause);
    let (rule, message) = said.cloned().unwrap_or_default();
    let mut others: Vec<&str> = causes
        .iter()
        .map(|c| c.0.as_str())
        .filter(|r| *r != rule)
        .collect();
    others.dedup();
    let shown = if rule.is_empty() {
        String::new()
    } else {
        format!("`{rule}`")
    };
    let others = others
        .iter()
        .map(|r| format!("`{}`", r.trim_start_matches("tls/")));
    [
        row.fixture.to_owned(),
        seen.verdict().name().to_owned(),
        shown,
        message.replace('|', "\\|"),
        others.collect::<Vec<_>>().join(" "),
    ]
}

/// Writes the page, or compares verdicts and rules with it: messages hold dates.
fn document(lines: &[[String; 5]], took: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the switch that writes the page")]
    let write = std::env::var_os("READYGATE_WRITE_DOCS").is_some();
    if write {
        assert!(took < LIMIT, "the matrix took {took:?}");
        fs::write(DOCS, page(lines, took)).unwrap();
    }
    let page = fs::read_to_string(DOCS).unwrap_or_default();
    let written: Vec<Vec<String>> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .map(|line| {
            line.split(" | ")
                .take(3)
                .map(|c| c.trim_matches(['|', ' ']).to_owned())
                .collect()
        })
        .collect();
    let seen: Vec<Vec<String>> = lines.iter().map(|line| line[..3].to_vec()).collect();
    assert_eq!(
        seen, written,
        "docs/tls-matrix.md is out of date; READYGATE_WRITE_DOCS=1 writes it"
    );
}

fn page(lines: &[[String; 5]], took: Duration) -> String {
    let mut page = format!(
        "# TLS faults, and what the probe says\n\n\
         Made by the live test of the `tls` probe (`READYGATE_WRITE_DOCS=1 cargo nextest run -p readygate-tls -E \
         'test(matrix)'`): {} servers on\nloopback with one fault each, asked side by side; the run that wrote this page took \
         {:.1} s, of which a silent server takes 3.\n\
         They are rustls servers with certificates made for one fault, `openssl s_server` for what rustls does not\n\
         serve, and canned bytes for what neither does. \"Could not tell\" is exit code 3; the others are 0 and 1.\n\n\
         | fixture | outcome | rule, or kind of error | what it says | further rules |\n\
         |---|---|---|---|---|\n",
        lines.len(),
        took.as_secs_f64(),
    );
    for line in lines {
        let _ = writeln!(page, "| {} |", line.join(" | "));
    }
    page
}
