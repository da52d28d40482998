//! Thresholds: what the text says, or else what the dictionary proposes.

use crate::checklist::{
    dictionary::Item,
    numbers::{Of, Reading, readings},
    scan::Line,
};

/// One line of an `expect` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// Which metric.
    pub metric: String,
    /// What it must be.
    pub is: String,
    /// Line of the document that says so; `None` for a proposal of the dictionary.
    pub line: Option<usize>,
}

/// The `expect` block of an item, from the lines that say it.
pub fn expect(item: &Item, lines: &[&Line]) -> Vec<Expect> {
    let mut out = Vec::with_capacity(item.expect.len());
    for given in &item.expect {
        let [metric, default, rest @ ..] = given.as_slice() else {
            continue;
        };
        let op = default.split(' ').next().unwrap_or("==");
        let read = rest.first().and_then(|how| {
            lines
                .iter()
                .find_map(|line| Some((pick(line, how)?, *line)))
        });
        out.push(match read {
            Some((reading, line)) => Expect {
                metric: percentile(metric, &line.text),
                is: reading.expectation(op),
                line: Some(line.number),
            },
            None => Expect {
                metric: metric.clone(),
                is: default.clone(),
                line: None,
            },
        });
    }
    out
}

/// The number of a line that an expectation reads: `percent`, `count:nodes`, `duration:days`.
fn pick(line: &Line, how: &str) -> Option<Reading> {
    let (kind, detail) = how.split_once(':').unwrap_or((how, ""));
    let all = readings(&line.text);
    let of = |wanted: Of| all.iter().find(|r| r.of == wanted).cloned();
    match kind {
        "percent" => of(Of::Percent),
        "total" => of(Of::Total),
        "duration" if detail == "days" => all
            .iter()
            .find(|r| r.of == Of::Duration && r.value >= 86_400.0)
            .cloned(),
        "duration" => of(Of::Duration),
        // `Requests/sec: 45,000+`: the unit stands in the label.
        "rate" => of(Of::Rate).or_else(|| {
            let bare = of(Of::Count).filter(|r| r.noun.is_empty())?;
            Some(Reading {
                text: format!("{}/s", bare.text),
                ..bare
            })
        }),
        "number" => of(Of::Count),
        "count" => count(&all),
        _ => None,
    }
}

/// A number of nodes, instances and the like; a lone number is meant, too.
fn count(all: &[Reading]) -> Option<Reading> {
    const NOUNS: &[&str] = &[
        "node",
        "nodes",
        "instance",
        "instances",
        "member",
        "members",
        "server",
        "servers",
        "replica",
        "replicas",
        "approval",
        "approvals",
        "reviewer",
        "reviewers",
        "عقد",
        "عقدة",
        "خوادم",
    ];
    let counts = || {
        all.iter()
            .filter(|r| r.of == Of::Count && r.value.fract() == 0.0)
    };
    let named = counts().find(|r| NOUNS.contains(&r.noun.as_str()));
    named
        .or_else(|| counts().next().filter(|_| all.len() == 1))
        .cloned()
}

/// `latency.p95` becomes `latency.p99` where the text says P99.
fn percentile(metric: &str, text: &str) -> String {
    let Some(stem) = metric.strip_suffix("p95") else {
        return metric.to_owned();
    };
    let lower = text.to_lowercase();
    let said = ["p50", "p90", "p95", "p99"]
        .into_iter()
        .find(|p| lower.contains(p));
    format!("{stem}{}", said.unwrap_or("p95"))
}

/// The `with` block of an item: `{{nodes=3}}` becomes the number of the text, or 3.
pub fn with(item: &Item, lines: &[&Line]) -> String {
    let text = item.with.as_deref().unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, tail)) = after.split_once("}}") else {
            break;
        };
        out.push_str(before);
        let default = inner.split_once('=').map_or(inner, |(_, d)| d);
        let read = lines.iter().find_map(|line| count(&readings(&line.text)));
        match read.filter(|r| (1.0..=1000.0).contains(&r.value)) {
            Some(reading) => out.push_str(&reading.text),
            None => out.push_str(default),
        }
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::{dictionary, scan::scan};

    fn of(id: &str, line: &str) -> Vec<String> {
        let document = scan(line);
        let item = dictionary::item(id).unwrap().1;
        let found = expect(item, &[&document.lines[0]]);
        found
            .iter()
            .map(|e| format!("{} {}", e.metric, e.is))
            .collect()
    }

    #[test]
    fn the_text_outranks_the_dictionary() {
        assert_eq!(
            of("quality.coverage", "□ Code coverage ≥ 85%"),
            ["lines >= 85%"]
        );
        assert_eq!(
            of("quality.coverage", "□ Code coverage good"),
            ["lines > 80%"]
        );
        assert_eq!(
            of("quality.coverage", "□ تغطية الكود > ٩٠٪"),
            ["lines > 90%"]
        );
        assert_eq!(
            of("quality.tests-pass", "□ Tests (961/961 passing)")[0],
            "passed >= 961"
        );
        assert_eq!(
            of("perf.latency-p95", "□ Latency < 200ms (P99)"),
            ["latency.p99 < 200ms"]
        );
        assert_eq!(
            of("perf.load-rps", "Requests/sec: 45,000+"),
            ["throughput >= 45000/s"]
        );
        assert_eq!(
            of("perf.throughput", "□ traffic (50K req/s)"),
            ["throughput >= 50000/s"]
        );
        assert_eq!(
            of("cache.nodes", "□ All 6 nodes connected"),
            ["nodes.online >= 6"]
        );
        assert_eq!(
            of("security.tls-expiry", "□ certificates valid for 21 days"),
            ["expires_in > 21d"]
        );
    }

    #[test]
    fn numbers_of_the_text_go_into_the_block() {
        let document = scan("□ Database replica set configured (5 nodes)\n□ Replica set");
        let item = dictionary::item("infra.mongo-replset").unwrap().1;
        assert!(with(item, &[&document.lines[0]]).contains("members: 5"));
        assert!(with(item, &[&document.lines[1]]).contains("members: 3"));
    }
}
