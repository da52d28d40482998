//! The fault matrix: what `redis-cli --cluster check` says, and what the probe says.

use std::{fmt::Write as _, fs, time::Duration};

use readygate_sdk::Check;
use readygate_stack::{Redis, RedisCluster, cluster_check};
use serde_json::{Value, json};

use crate::common::{Seen, Verdict, look};

/// `redis-cli` has no deadline of its own; a person would wait longer.
const CUT: Duration = Duration::from_secs(3);
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redis-matrix.md");

/// A cluster, and what was seen of it so far.
pub struct Bench {
    pub cluster: RedisCluster,
    pub nodes: Vec<String>,
    rows: Vec<[String; 6]>,
}

impl Bench {
    pub fn new(cluster: RedisCluster) -> Self {
        let nodes = cluster.addresses();
        Self {
            cluster,
            nodes,
            rows: Vec::new(),
        }
    }

    /// Looks with both, and notes what they say. `ask` is the node that `redis-cli` is pointed to.
    pub async fn row(&mut self, fault: &str, ask: usize, more: Value) -> Seen {
        let mut access = Vec::new();
        for (setting, option) in [("username", "--user"), ("password", "--pass")] {
            if let Some(value) = more[setting].as_str() {
                access.extend([option.to_owned(), value.to_owned()]);
            }
        }
        let access: Vec<&str> = access.iter().map(String::as_str).collect();
        let seen = look(&self.nodes, more.clone()).await;
        let node: &Redis = self.cluster.node(ask);
        let check = cluster_check(node.address(), &access, CUT).unwrap();
        let theirs = match check.exit {
            Some(0) => "pass",
            Some(_) => "fail",
            None => "hangs",
        };
        let ours = seen.verdict();
        let severe = theirs == "pass" || ours >= Verdict::Unmeasured;
        assert!(
            severe,
            "{fault}: redis-cli says {theirs}, readygate {}\n{}",
            ours.name(),
            seen.report()
        );
        let cut = if check.exit.is_none() { "> " } else { "" };
        self.rows.push([
            fault.to_owned(),
            theirs.to_owned(),
            format!("{cut}{:.2}", check.took.as_secs_f64()),
            ours.name().to_owned(),
            format!("{:.2}", seen.took.as_secs_f64()),
            rules(&seen.checks),
        ]);
        seen
    }

    /// The same with nothing special in the config.
    pub async fn fault(&mut self, fault: &str, ask: usize) -> Seen {
        self.row(fault, ask, json!({})).await
    }

    /// Waits until the fault is undone and the probe agrees: acknowledgements of a replica that
    /// hung are late for a moment longer.
    pub async fn recover(&self) {
        self.cluster.wait_until_well().unwrap();
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if look(&self.nodes, json!({"settle": "2s"})).await.verdict() == Verdict::Pass {
                return;
            }
        }
        look(&self.nodes, json!({})).await.expect(Verdict::Pass);
    }

    pub fn ok(&self, node: usize, command: &[&str]) -> String {
        self.cluster.node(node).command(command).unwrap()
    }

    /// Writes the page, or compares the verdicts with it.
    pub fn finish(self) {
        #[expect(clippy::disallowed_methods, reason = "the switch that writes the page")]
        let write = std::env::var_os("READYGATE_WRITE_DOCS").is_some();
        if write {
            fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).unwrap();
            fs::write(DOCS, page(&self.rows)).unwrap();
        }
        let page = fs::read_to_string(DOCS).unwrap_or_default();
        let lines = page.lines().filter(|line| line.starts_with("| ")).skip(1);
        let written: Vec<[String; 3]> = lines
            .map(|line| verdicts(line.split('|').map(str::trim).skip(1)))
            .collect();
        let seen: Vec<[String; 3]> = self
            .rows
            .iter()
            .map(|row| verdicts(row.iter().map(String::as_str)))
            .collect();
        assert_eq!(
            seen, written,
            "docs/redis-matrix.md is out of date; READYGATE_WRITE_DOCS=1 writes it"
        );
    }
}

/// Fault, their verdict, ours.
fn verdicts<'a>(cells: impl Iterator<Item = &'a str>) -> [String; 3] {
    let cells: Vec<&str> = cells.collect();
    [cells[0], cells[1], cells[3]].map(str::to_owned)
}

fn rules(checks: &[Check]) -> String {
    let weighs = |c: &&Check| {
        c.outcome != readygate_sdk::CheckOutcome::Passed && c.level != readygate_sdk::Level::Info
    };
    let mut codes: Vec<String> = Vec::new();
    for check in checks.iter().filter(weighs) {
        let code = format!("`{}`", check.rule.trim_start_matches("redis/"));
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes.truncate(4);
    codes.join(" ")
}

fn page(rows: &[[String; 6]]) -> String {
    let mut page = String::from(
        "# Redis faults, and who notices\n\n\
         Made by the live test of the `redis` probe (`READYGATE_WRITE_DOCS=1 cargo nextest run -p readygate-redis`), on six\n\
         real servers with real faults. `redis-cli` is `redis-cli --cluster check`, cut off after 3 s; its \"pass\" is exit code\n\
         0. readygate asks with `node_timeout: 1s` and without settling. Seconds are of one run on one machine.\n\n\
         | fault | redis-cli | s | readygate | s | rules, the first four |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
    page
}
