//! What a document says twice and differently, or cannot mean. A person settles it.

use std::collections::BTreeMap;

use super::{
    dictionary::{Phrase, words},
    numbers::{Of, Reading, readings},
    propose::Proposed,
    scan::{Document, Line},
    shape::Shape,
};

/// Something to settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub title: String,
    /// Lines with what they say.
    pub lines: Vec<(usize, String)>,
    /// What readygate makes of it until then.
    pub taken: String,
    /// Good to know, but nothing to decide.
    pub note: bool,
}

/// A number with what it measures.
#[derive(Debug, Clone)]
pub struct Number {
    /// `throughput`.
    pub quantity: String,
    /// Its line.
    pub line: usize,
    /// The line's words.
    pub text: String,
    /// The number.
    pub reading: Reading,
}

/// All findings.
pub fn find(
    document: &Document,
    gates: &[Proposed],
    numbers: &[Number],
    roles: &[(String, String)],
) -> Vec<Finding> {
    let mut findings = differing(numbers);
    findings.extend(too_early(document, gates));
    findings.extend(unlisted(gates, roles));
    findings.extend(too_few_samples(document, numbers));
    findings.extend(commands(document));
    findings.extend(claims(document));
    findings.extend(document.open_fence.map(|line| Finding {
        title: "a fence is never closed".to_owned(),
        lines: vec![(line, "```".to_owned())],
        taken: "headings after it are read as text, so that later items may stand in the wrong section".to_owned(),
        note: false,
    }));
    findings
}

/// Numbers that no threshold took: of another unit, the other way round, of something else.
pub fn unused(lines: Vec<(usize, String)>) -> Option<Finding> {
    (!lines.is_empty()).then(|| Finding {
        title: "numbers of the document set no threshold".to_owned(),
        lines,
        taken: "their gates keep the thresholds of the dictionary; comments at the gates say why"
            .to_owned(),
        note: false,
    })
}

/// `50K req/s`, `45,000+`, `> 40K req/s`.
fn differing(numbers: &[Number]) -> Vec<Finding> {
    let mut groups: BTreeMap<&str, Vec<&Number>> = BTreeMap::new();
    for number in numbers {
        groups.entry(&number.quantity).or_default().push(number);
    }
    let mut findings = Vec::new();
    for (quantity, group) in groups {
        // The unit of the first tells which numbers are meant: `Requests/sec: 45,000+` has none.
        let unit = |n: &&&Number| match n.reading.of {
            Of::Count if quantity == "throughput" => Of::Rate,
            of => of,
        };
        let Some(first) = group.first() else { continue };
        let meant: Vec<&&Number> = group.iter().filter(|n| unit(n) == unit(&first)).collect();
        let differs = |n: &&&&Number| (n.reading.value - first.reading.value).abs() > 1e-9;
        if !meant.iter().any(|n| differs(&n)) {
            continue;
        }
        let mut lines: Vec<(usize, String)> = Vec::new();
        for number in meant {
            if !lines.iter().any(|(line, _)| *line == number.line) {
                lines.push((number.line, number.text.clone()));
            }
        }
        if lines.len() > 1 {
            findings.push(Finding {
                title: format!("{quantity}: the document names several numbers"),
                lines,
                taken: "each gate keeps the number of its own line".to_owned(),
                note: false,
            });
        }
    }
    findings
}

/// "Everything before deployment", and sections that stand after it.
fn too_early(document: &Document, gates: &[Proposed]) -> Option<Finding> {
    let says = [
        "all items must complete* before deployment|release|launch",
        "all items complete* before deployment|release|launch",
        "يجب اكمال جميع البنود قبل النشر|الاطلاق",
        "يجب اكمال البنود قبل النشر|الاطلاق",
    ]
    .map(Phrase::new);
    let plain = document
        .lines
        .iter()
        .filter(|l| matches!(l.shape, Shape::Text | Shape::Fact | Shape::Label));
    let hit = |line: &&Line| {
        let line = words(&line.text);
        says.iter().any(|p| p.score(&line) > 0.0)
    };
    let line = plain.into_iter().find(hit)?;
    let late: Vec<&Proposed> = gates
        .iter()
        .filter(|g| !g.stages.is_empty() && !g.stages.iter().any(|s| s.starts_with("pre-")))
        .collect();
    let first = late.first()?;
    Some(Finding {
        title: "everything before the deployment, but some of it happens during or after it"
            .to_owned(),
        lines: vec![
            (line.number, line.text.clone()),
            (first.source.line.unwrap_or_default(), first.section.clone()),
        ],
        taken: format!(
            "gates are read stage by stage; {} of them after the permit",
            late.len()
        ),
        note: false,
    })
}

/// Roles that sign a section but are not on the list of signatures, or the other way round.
fn unlisted(gates: &[Proposed], roles: &[(String, String)]) -> Vec<Finding> {
    let own = |g: &&Proposed| g.is_signature() && g.id.starts_with("signoff.");
    let listed: Vec<&Proposed> = gates
        .iter()
        .filter(own)
        .filter(|g| g.id == format!("signoff.{}", g.owner))
        .collect();
    if listed.is_empty() {
        return Vec::new();
    }
    let title = |role: &str| {
        let found = roles.iter().find(|(r, _)| r == role);
        found.map_or_else(|| role.to_owned(), |(_, title)| title.clone())
    };
    let sections = gates
        .iter()
        .filter(own)
        .filter(|g| !g.is_final && g.id != format!("signoff.{}", g.owner));
    let mut missing: Vec<(usize, String)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for gate in sections {
        if !listed.iter().any(|l| l.owner == gate.owner) && !seen.contains(&gate.owner.as_str()) {
            seen.push(&gate.owner);
            missing.push((gate.source.line.unwrap_or_default(), title(&gate.owner)));
        }
    }
    let mut findings = Vec::new();
    if !missing.is_empty() {
        findings.push(Finding {
            title: "roles sign a section but are not on the list of signatures".to_owned(),
            lines: missing,
            taken: "they must sign their sections all the same".to_owned(),
            note: false,
        });
    }
    let pre = |g: &&&Proposed| !g.stages.iter().any(|s| s.starts_with("pre-"));
    let after: Vec<(usize, String)> = listed
        .iter()
        .filter(pre)
        .map(|g| (g.source.line.unwrap_or_default(), title(&g.owner)))
        .collect();
    if !after.is_empty() && gates.iter().any(|g| g.is_final) {
        findings.push(Finding {
            title: "roles that can sign only after the deployment stand on the list of its final approval".to_owned(),
            lines: after,
            taken: "the final approval closes the release; it is no permit to deploy".to_owned(),
            note: false,
        });
    }
    findings
}

/// 15 minutes at one sample in 30 s cannot show an error rate below 0.1 %.
fn too_few_samples(document: &Document, numbers: &[Number]) -> Option<Finding> {
    let command = |l: &&Line| {
        matches!(l.shape, Shape::Command) && l.content().trim_start().starts_with("watch ")
    };
    let mut watches = document.lines.iter().filter(command);
    let (line, every) = watches.find_map(|l| {
        let mut parts = l.content().split_whitespace().skip_while(|w| *w != "-n");
        Some((l, parts.nth(1)?.parse::<f64>().ok()?))
    })?;
    let index = line.number.checked_sub(2)?;
    let above = document.lines.get(index).into_iter().chain([line]);
    let span = above
        .flat_map(|l| readings(l.content()))
        .find(|r| r.of == Of::Duration && r.value > every)?;
    let smallest = numbers
        .iter()
        .filter(|n| n.quantity == "error rate" && n.reading.of == Of::Percent)
        .min_by(|a, b| a.reading.value.total_cmp(&b.reading.value))?;
    let samples = (span.value / every.max(1.0)).floor() + 1.0;
    // With no failure among n samples the rate is below 1 - 0.05^(1/n), 19 times in 20.
    let bound = (1.0 - 0.05_f64.powf(1.0 / samples)) * 100.0;
    let needed = (0.05_f64.ln() / (1.0 - smallest.reading.value / 100.0).ln()).ceil();
    (bound > smallest.reading.value).then(|| Finding {
        title: "the watch has too few samples for the error rate that is claimed".to_owned(),
        lines: vec![
            (line.number, line.content().trim().to_owned()),
            (smallest.line, smallest.text.clone()),
        ],
        taken: format!(
            "{samples} samples without a failure only show a rate below {bound:.1} %; {needed} are needed"
        ),
        note: false,
    })
}

/// Commands that do not show what they seem to.
fn commands(document: &Document) -> Vec<Finding> {
    type Sign = fn(&str) -> bool;
    let signs: [(Sign, &str, &str); 5] = [
        (
            |c| c.contains("curl -X") && !c.contains("--fail") && !c.contains(" -f"),
            "curl without --fail succeeds on every answer, a 500 included",
            "the gates look at the status",
        ),
        (
            |c| c.to_uppercase().contains("FLUSHALL") && c.contains(" -p "),
            "FLUSHALL reaches one node of a cluster only",
            "a person answers for the rollback of Redis",
        ),
        (
            |c| c.contains("BGSAVE"),
            "BGSAVE returns before the file is written, and saves one node only",
            "the gate asks every node for its last save",
        ),
        (
            |c| c.starts_with("mongo "),
            "the `mongo` shell is gone since MongoDB 6: it is mongosh now",
            "the gates ask the database themselves",
        ),
        (
            |c| c.starts_with("curl") && c.contains("localhost"),
            "localhost is the view of the host, not of the users",
            "the gates ask the target's address",
        ),
    ];
    let mut findings = Vec::new();
    for (hits, title, taken) in signs {
        let lines: Vec<(usize, String)> = document
            .lines
            .iter()
            .filter(|l| l.shape == Shape::Command && hits(l.content().trim()))
            .map(|l| (l.number, l.content().trim().to_owned()))
            .collect();
        if !lines.is_empty() {
            findings.push(Finding {
                title: title.to_owned(),
                lines,
                taken: taken.to_owned(),
                note: true,
            });
        }
    }
    findings
}

/// Boxes that somebody ticked by hand.
fn claims(document: &Document) -> Option<Finding> {
    let ticked = |l: &&Line| l.boxes.iter().any(|b| b.mark != super::scan::Mark::Open);
    let lines: Vec<(usize, String)> = document
        .lines
        .iter()
        .filter(ticked)
        .map(|l| (l.number, l.content().trim().to_owned()))
        .collect();
    (!lines.is_empty()).then(|| Finding {
        title: "boxes are ticked by hand".to_owned(),
        lines,
        taken: "a tick is a claim; only evidence and signatures count".to_owned(),
        note: true,
    })
}
