//! Brings the findings of all sources together: one advisory has several ids, and several tools
//! find the same thing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    config::Ignore,
    measurement::{Counts, Finding, IgnoreUse, IgnoredFinding, cap},
    severity::Severity,
};

/// Everything that was found, folded.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) counts: Counts,
    pub(crate) findings: Vec<Finding>,
    pub(crate) ignored: Vec<IgnoredFinding>,
    pub(crate) ignores: Vec<IgnoreUse>,
}

/// Sets of ids that are one advisory.
#[derive(Default)]
struct Groups {
    by_id: HashMap<String, usize>,
    parent: Vec<usize>,
}

impl Groups {
    fn of(&mut self, id: &str) -> usize {
        let id = id.to_uppercase();
        if let Some(at) = self.by_id.get(&id) {
            return *at;
        }
        self.parent.push(self.parent.len());
        self.by_id.insert(id, self.parent.len() - 1);
        self.parent.len() - 1
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.of(a), self.of(b));
        let (a, b) = (self.root(a), self.root(b));
        self.parent[b] = a;
    }

    fn group(&mut self, id: &str) -> usize {
        let at = self.of(id);
        self.root(at)
    }
}

/// Folds, applies the ignores, counts.
pub(crate) fn fold(found: Vec<Finding>, ignore: &[Ignore], now: Timestamp) -> Folded {
    let mut groups = Groups::default();
    for finding in &found {
        groups.of(&finding.id);
        for alias in &finding.aliases {
            groups.join(&finding.id, alias);
        }
    }
    let mut folded = Folded {
        ignores: uses(ignore, now),
        ..Folded::default()
    };
    // One for each advisory, package and version, whoever found it; a notice stays beside a
    // vulnerability with the same ids.
    let mut unique: BTreeMap<(usize, Option<String>, String, String), Finding> = BTreeMap::new();
    for finding in found {
        let group = groups.group(&finding.id);
        let key = (
            group,
            finding.notice.clone(),
            finding.package.clone(),
            finding.version.clone(),
        );
        match unique.get_mut(&key) {
            None => {
                unique.insert(key, finding);
            }
            Some(known) => merge(known, finding),
        }
    }
    let mut kept = Vec::new();
    for ((group, ..), finding) in unique {
        match covering(&finding, group, ignore, &mut groups, &mut folded.ignores) {
            None => kept.push((group, finding)),
            Some(entry) => folded.ignored.push(IgnoredFinding {
                id: finding.id.clone(),
                package: finding.package_version(),
                severity: finding.severity,
                reason: entry.reason.clone(),
                until: entry.until.map(|date| date.to_string()),
            }),
        }
    }
    folded.ignored.truncate(cap::LIST);
    folded.counts = count(&kept);
    folded.findings = kept.into_iter().map(|(_, finding)| finding).collect();
    folded.findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.notice.is_some(), std::cmp::Reverse(f.severity.max(FLOOR)));
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.package, &a.version, &a.id).cmp(&(&b.package, &b.version, &b.id)))
    });
    folded.findings.truncate(cap::FINDINGS);
    folded
}

/// Unknown sorts with none.
const FLOOR: Severity = Severity::None;

fn uses(ignore: &[Ignore], now: Timestamp) -> Vec<IgnoreUse> {
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    ignore
        .iter()
        .map(|entry| IgnoreUse {
            id: entry.id.clone(),
            package: entry.package.clone(),
            matched: 0,
            expired: entry.until.is_some_and(|until| until < today),
            until: entry.until.map(|date| date.to_string()),
        })
        .collect()
}

/// The first entry that covers a finding and is not expired; all that name it are counted.
fn covering<'a>(
    finding: &Finding,
    group: usize,
    ignore: &'a [Ignore],
    groups: &mut Groups,
    uses: &mut [IgnoreUse],
) -> Option<&'a Ignore> {
    let mut covering = None;
    for (entry, used) in ignore.iter().zip(uses) {
        let same = groups.group(&entry.id) == group;
        if same
            && entry
                .package
                .as_ref()
                .is_none_or(|package| *package == finding.package)
        {
            used.matched += 1;
            if !used.expired && covering.is_none() {
                covering = Some(entry);
            }
        }
    }
    covering
}

/// The worse word counts.
fn merge(known: &mut Finding, other: Finding) {
    known.severity = known.severity.max(other.severity);
    known.score = known.score.or(other.score);
    known.dev &= other.dev;
    if known.fixed.is_empty() {
        known.fixed = other.fixed;
    }
    if known.path.is_empty() {
        known.path = other.path;
    }
    for id in other.aliases.into_iter().chain([other.id]) {
        if id != known.id && !known.aliases.contains(&id) && known.aliases.len() < 20 {
            known.aliases.push(id);
        }
    }
}

fn count(kept: &[(usize, Finding)]) -> Counts {
    let mut counts = Counts::default();
    let mut worst: BTreeMap<usize, (Severity, bool)> = BTreeMap::new();
    let mut packages = BTreeSet::new();
    for (group, finding) in kept {
        if finding.notice.is_some() {
            counts.notices += 1;
            continue;
        }
        counts.findings += 1;
        packages.insert((&finding.package, &finding.version));
        let fixable = !finding.fixed.is_empty();
        let known = worst.entry(*group).or_insert((finding.severity, true));
        *known = (known.0.max(finding.severity), known.1 && fixable);
    }
    counts.packages = packages.len() as u64;
    for (severity, fixable) in worst.values() {
        counts.advisories.add(*severity);
        counts.fixable += u64::from(*fixable);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, aliases: &[&str], package: &str, severity: Severity) -> Finding {
        serde_json::from_value(serde_json::json!({
            "id": id, "aliases": aliases, "package": package, "version": "1.0.0",
            "severity": severity.name(), "source": "x"
        }))
        .unwrap()
    }

    fn ignore(id: &str, until: Option<&str>) -> Ignore {
        Ignore {
            id: id.into(),
            reason: "not reachable".into(),
            until: until.map(|d| d.parse().unwrap()),
            package: None,
        }
    }

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn aliases_are_one_advisory_at_its_worst() {
        let found = vec![
            finding("RUSTSEC-1", &["CVE-1"], "a", Severity::Unknown),
            finding("GHSA-1", &["CVE-1"], "a", Severity::High),
            finding("cve-1", &[], "b", Severity::Low),
            finding("CVE-2", &[], "a", Severity::Low),
        ];
        let folded = fold(found, &[], now());
        assert_eq!(
            (folded.counts.advisories.high, folded.counts.advisories.low),
            (1, 1)
        );
        assert_eq!(
            (
                folded.counts.advisories.total(),
                folded.counts.findings,
                folded.counts.packages
            ),
            (2, 3, 2)
        );
        assert_eq!(folded.findings[0].severity, Severity::High);
    }

    #[test]
    fn an_ignore_covers_by_any_id_until_its_day_is_over() {
        let found = || vec![finding("RUSTSEC-1", &["CVE-1"], "a", Severity::High)];
        let today = fold(found(), &[ignore("CVE-1", Some("2026-11-23"))], now());
        assert_eq!(
            (
                today.counts.findings,
                today.ignored.len(),
                today.ignores[0].matched
            ),
            (0, 1, 1)
        );
        let over = fold(found(), &[ignore("CVE-1", Some("2026-11-22"))], now());
        assert_eq!(
            (
                over.counts.findings,
                over.ignored.len(),
                over.ignores[0].expired
            ),
            (1, 0, true)
        );
        let unused = fold(found(), &[ignore("CVE-9", None)], now());
        assert_eq!((unused.counts.findings, unused.ignores[0].matched), (1, 0));
        let mut elsewhere = ignore("CVE-1", None);
        elsewhere.package = Some("b".into());
        assert_eq!(fold(found(), &[elsewhere], now()).counts.findings, 1);
    }

    #[test]
    fn notices_are_counted_apart() {
        let mut notice = finding("RUSTSEC-3", &[], "a", Severity::Unknown);
        notice.notice = Some("unmaintained".into());
        let folded = fold(vec![notice], &[], now());
        assert_eq!(
            (folded.counts.notices, folded.counts.advisories.total()),
            (1, 0)
        );
    }
}
