//! Gathers findings from the tree, the history and reports; one secret in one file is one finding.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use memchr::{memchr, memchr_iter, memrchr};
use sha2::{Digest as _, Sha256};

use crate::{
    allow::{Allowed, Ruling},
    detect::Hit,
    measurement::{AllowedFinding, Confidence, SecretCounts, SecretFinding, SecretPlace},
};

/// Findings that are kept in the record.
const KEPT: usize = 500;
/// Allowed findings that are kept.
const KEPT_ALLOWED: usize = 200;
/// Markers without a reason that are kept.
const KEPT_UNEXPLAINED: usize = 100;
/// Different findings that are told apart; beyond it every one counts for itself.
const DISTINCT: usize = 50_000;
/// Bytes of a line around a hit in which a marker is looked for.
const NEAR: usize = 4_096;
/// Rounds of hashing: what a guess at a password costs.
const ROUNDS: u32 = 500;

/// Where a piece of text comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub path: &'a str,
    pub commit: Option<&'a str>,
    /// Lines before the piece.
    pub lines: u64,
    /// Pieces before it, in the order of the history: the earliest place is shown, whichever thread is first.
    pub order: u64,
}

/// A finding that another tool reports.
#[derive(Debug)]
pub(crate) struct Reported {
    pub rule: String,
    pub name: String,
    pub confidence: Confidence,
    pub place: SecretPlace,
    pub secret: Option<String>,
}

/// Collects.
#[derive(Debug)]
pub(crate) struct Collector {
    allowed: Allowed,
    salt: String,
    seen: HashMap<[u64; 2], Option<usize>>,
    findings: Vec<SecretFinding>,
    orders: Vec<u64>,
    spared: Vec<AllowedFinding>,
    unexplained: Vec<SecretPlace>,
    counts: SecretCounts,
}

/// What a collector ends with.
#[derive(Debug)]
pub(crate) struct Collected {
    pub counts: SecretCounts,
    pub findings: Vec<SecretFinding>,
    pub allowed: Vec<AllowedFinding>,
    pub unexplained: Vec<SecretPlace>,
}

impl Collector {
    pub fn new(allowed: Allowed, salt: &str) -> Self {
        Self {
            allowed,
            salt: salt.to_owned(),
            seen: HashMap::new(),
            findings: Vec::new(),
            orders: Vec::new(),
            spared: Vec::new(),
            unexplained: Vec::new(),
            counts: SecretCounts::default(),
        }
    }

    /// What is allowed.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// Takes the hits in a piece of text.
    pub fn take(&mut self, origin: Origin<'_>, text: &[u8], hits: &[Hit]) {
        let (mut counted, mut newlines) = (0, 0);
        for hit in hits {
            // The hits come in order, so each line is counted once.
            newlines += memchr_iter(b'\n', &text[counted..hit.start.max(counted)]).count() as u64;
            counted = hit.start.max(counted);
            let secret = &text[hit.start..hit.end];
            let place = place(origin, text, hit.start, newlines);
            let (line, above) = around(text, hit);
            // Only a comment on a line of its own speaks for the line below.
            let above = if is_comment(above) { above } else { b"" };
            let new = SecretFinding {
                rule: hit.rule.to_owned(),
                name: hit.name.to_owned(),
                confidence: hit.confidence,
                place,
                masked: mask(secret, hit.shown),
                fingerprint: String::new(),
                occurrences: 1,
                present: origin.commit.is_none(),
                report: None,
                note: None,
            };
            self.add(new, origin.order, secret, line, above);
        }
    }

    /// Takes a finding of another tool.
    pub fn take_reported(&mut self, report: &str, found: Reported) {
        let secret = found
            .secret
            .unwrap_or_else(|| format!("line {}", found.place.line));
        let new = SecretFinding {
            rule: found.rule,
            name: found.name,
            confidence: found.confidence,
            place: found.place,
            masked: "****".to_owned(),
            fingerprint: String::new(),
            occurrences: 1,
            present: false,
            report: Some(report.to_owned()),
            note: None,
        };
        self.add(new, 0, secret.as_bytes(), b"", b"");
    }

    fn add(
        &mut self,
        mut new: SecretFinding,
        order: u64,
        secret: &[u8],
        line: &[u8],
        above: &[u8],
    ) {
        let key = key(&new.rule, &new.place.path, secret, new.report.as_deref());
        if let Some(Some(at)) = self.seen.get(&key) {
            if let Some(old) = self.findings.get_mut(*at) {
                old.occurrences += 1;
                let earlier = self.orders.get(*at).is_some_and(|o| order < *o);
                if new.present && !old.present || earlier && new.present == old.present {
                    old.present = new.present;
                    old.place = new.place;
                    self.orders[*at] = order;
                }
            }
            return;
        }
        new.fingerprint = fingerprint(&self.salt, &new.rule, &new.place.path, secret);
        let ruling = self.allowed.rule(
            &new.rule,
            &new.place.path,
            secret,
            &new.fingerprint,
            line,
            above,
        );
        match ruling {
            Ruling::Allowed(by, reason) => self.spare(key, new, by, reason),
            Ruling::Counts(note) => {
                new.note = note;
                self.count(key, order, new);
            }
            Ruling::Unexplained => {
                if self.unexplained.len() < KEPT_UNEXPLAINED
                    && !self.unexplained.contains(&new.place)
                {
                    self.unexplained.push(new.place.clone());
                }
                self.count(key, order, new);
            }
        }
    }

    /// Allowed by what is in this line, perhaps: the same secret elsewhere in the file still counts.
    fn spare(&mut self, key: [u64; 2], new: SecretFinding, by: &'static str, reason: String) {
        if self.seen.len() < DISTINCT && self.seen.contains_key(&key) {
            return;
        }
        if self.seen.len() < DISTINCT {
            self.seen.insert(key, None);
        }
        self.counts.allowed += 1;
        if self.spared.len() < KEPT_ALLOWED {
            self.spared.push(AllowedFinding {
                rule: new.rule,
                place: new.place,
                reason,
                by: by.to_owned(),
            });
        }
    }

    fn count(&mut self, key: [u64; 2], order: u64, new: SecretFinding) {
        match new.confidence {
            Confidence::Verified => self.counts.verified += 1,
            Confidence::Likely => self.counts.likely += 1,
            Confidence::Possible => self.counts.possible += 1,
        }
        if self.findings.len() < DISTINCT {
            self.seen.insert(key, Some(self.findings.len()));
            self.findings.push(new);
            self.orders.push(order);
        }
    }

    /// Sorts, and keeps what the record holds.
    pub fn finish(mut self) -> Collected {
        self.findings.sort_by(|a, b| {
            let order = |f: &SecretFinding| (std::cmp::Reverse(f.confidence), !f.present);
            order(a).cmp(&order(b)).then_with(|| {
                (&a.place.path, a.place.line, a.place.column).cmp(&(
                    &b.place.path,
                    b.place.line,
                    b.place.column,
                ))
            })
        });
        self.findings.truncate(KEPT);
        self.spared
            .sort_by(|a, b| (&a.place.path, a.place.line).cmp(&(&b.place.path, b.place.line)));
        self.unexplained
            .sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        Collected {
            counts: self.counts,
            findings: self.findings,
            allowed: self.spared,
            unexplained: self.unexplained,
        }
    }
}

/// Whether a line is a comment and nothing else.
fn is_comment(line: &[u8]) -> bool {
    let starts: [&[u8]; 8] = [b"#", b"//", b"/*", b"* ", b"<!--", b"--", b";", b"%"];
    let line = line.trim_ascii_start();
    starts.iter().any(|start| line.starts_with(start))
}

/// The line of a hit and the one above, as far as they are near.
fn around<'a>(text: &'a [u8], hit: &Hit) -> (&'a [u8], &'a [u8]) {
    let floor = hit.start.saturating_sub(NEAR);
    let start = memrchr(b'\n', &text[floor..hit.start]).map_or(floor, |at| floor + at + 1);
    let ceiling = text.len().min(hit.end + NEAR);
    let end = memchr(b'\n', &text[hit.start..ceiling]).map_or(ceiling, |at| hit.start + at);
    let last = start.saturating_sub(1);
    let floor = last.saturating_sub(NEAR);
    let above = memrchr(b'\n', &text[floor..last]).map_or(floor, |at| floor + at + 1);
    (&text[start..end], &text[above..last])
}

fn place(origin: Origin<'_>, text: &[u8], at: usize, newlines: u64) -> SecretPlace {
    let line_start = memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1);
    SecretPlace {
        path: origin.path.to_owned(),
        line: origin.lines + newlines + 1,
        column: column(&text[line_start..at]),
        commit: origin.commit.map(str::to_owned),
    }
}

/// Characters before the hit, or bytes where a line is so long that no one counts.
fn column(before: &[u8]) -> u64 {
    let characters = if before.len() > NEAR {
        before.len()
    } else {
        String::from_utf8_lossy(before).chars().count()
    };
    characters as u64 + 1
}

/// What a form's prefix says anyway, and stars: the length stays out too.
fn mask(secret: &[u8], shown: usize) -> String {
    format!(
        "{}****",
        String::from_utf8_lossy(&secret[..shown.min(secret.len())])
    )
}

/// Tells equal findings from different ones, in this process only.
fn key(rule: &str, path: &str, secret: &[u8], report: Option<&str>) -> [u64; 2] {
    [0_u8, 1].map(|start| {
        let mut hasher = DefaultHasher::new();
        (start, rule, path, secret, report).hash(&mut hasher);
        hasher.finish()
    })
}

/// `rg1-` and 64 bits of a salted and repeated SHA-256.
pub(crate) fn fingerprint(salt: &str, rule: &str, path: &str, secret: &[u8]) -> String {
    let mut hasher = Sha256::new();
    for part in [salt.as_bytes(), rule.as_bytes(), path.as_bytes(), secret] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut sum = hasher.finalize();
    for _ in 0..ROUNDS {
        sum = Sha256::digest(sum);
    }
    let first = sum
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("rg1-{first:016x}")
}
