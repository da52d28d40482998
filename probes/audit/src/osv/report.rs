//! Matches packages with records, and makes findings of them.

use std::collections::{BTreeSet, HashMap};

use super::{Affects, Record, affected::normal_name, affects};
use crate::{
    lock::{Locked, LockedPackage},
    measurement::{Finding, Unmatched, cap},
    text::clip,
};

/// What a package is looked up by.
pub(crate) type Key = (String, String);

/// The key of a name in an ecosystem; of `Debian:12`, `Debian`'s.
pub(crate) fn key(ecosystem: &str, name: &str) -> Key {
    let family = ecosystem.split(':').next().unwrap_or_default();
    (family.to_owned(), normal_name(ecosystem, name))
}

/// The records that name a package.
#[derive(Debug, Default)]
pub(crate) struct Index {
    records: Vec<Record>,
    by_key: HashMap<Key, BTreeSet<usize>>,
}

impl Index {
    /// Adds a record under each package that it names. One with a known id replaces nothing: the
    /// same record may be in several databases, and each has its say.
    pub(crate) fn add(&mut self, record: Record) {
        let at = self.records.len();
        for affected in &record.affected {
            if let Some(package) = &affected.package {
                let key = key(&package.ecosystem, &package.name);
                self.by_key.entry(key).or_default().insert(at);
            }
        }
        self.records.push(record);
    }

    /// The findings about the packages of a lock file, and the packages that cannot be told.
    pub(crate) fn findings(&self, locked: &Locked, source: &str) -> (Vec<Finding>, Vec<Unmatched>) {
        let (mut findings, mut open) = (Vec::new(), Vec::new());
        let parents = locked.parents();
        for (at, package) in locked.packages.iter().enumerate() {
            let Some(records) = self.by_key.get(&key(&package.ecosystem, &package.name)) else {
                continue;
            };
            for record in records.iter().map(|at| &self.records[*at]) {
                match matched(record, package) {
                    Answer::No => {}
                    Answer::CannotTell => open.push(Unmatched {
                        package: package.name_version(),
                        reason: format!("its version cannot be ordered against {}", record.id),
                        from_registry: true,
                    }),
                    Answer::Yes(finding) => findings.push(Finding {
                        path: locked.path_to(at, &parents),
                        source: source.to_owned(),
                        ..*finding
                    }),
                }
            }
        }
        (findings, open)
    }
}

/// Whether a record is about a package at its version.
pub(crate) enum Answer {
    No,
    CannotTell,
    Yes(Box<Finding>),
}

/// All blocks of a record that name the package are looked at; one that affects it is enough.
pub(crate) fn matched(record: &Record, package: &LockedPackage) -> Answer {
    if record.withdrawn.is_some() {
        return Answer::No;
    }
    let wanted = key(&package.ecosystem, &package.name);
    let mut answer = Answer::No;
    for affected in &record.affected {
        let named = affected.package.as_ref();
        if named.is_none_or(|named| key(&named.ecosystem, &named.name) != wanted) {
            continue;
        }
        match affects(affected, &package.ecosystem, &package.version) {
            Affects::No => {}
            Affects::CannotTell => answer = Answer::CannotTell,
            Affects::Yes(fixed) => {
                let (score, severity) = record.severity_for(affected);
                return Answer::Yes(Box::new(Finding {
                    notice: Record::notice(affected).map(|kind| clip(kind, cap::NAME)),
                    score,
                    severity,
                    fixed: fixed.into_iter().take(5).collect(),
                    ..finding(record, package)
                }));
            }
        }
    }
    answer
}

/// A finding without what only a matching block tells.
pub(crate) fn finding(record: &Record, package: &LockedPackage) -> Finding {
    Finding {
        id: clip(&record.id, cap::NAME),
        aliases: record
            .aliases
            .iter()
            .take(20)
            .map(|id| clip(id, cap::NAME))
            .collect(),
        title: clip(record.title(), cap::TEXT),
        severity: crate::severity::Severity::Unknown,
        score: None,
        package: package.name.clone(),
        version: package.version.clone(),
        path: Vec::new(),
        fixed: Vec::new(),
        dev: package.dev,
        notice: None,
        source: String::new(),
    }
}
