//! The check of a whole bundle, offline: every file against the list, every record against itself,
//! its statements, its policy and the history.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Component, Path},
};

use jiff::Timestamp;
use readygate_sdk::count_of;
use serde_json::Value;

use super::{
    bundle::{self, BUNDLE, DECISION, Entry, Manifest, RECORD, RUNS},
    consistent,
    policy::Policy,
    signatures::Held,
    statement,
};
use crate::{
    record::{self, Run},
    release::{
        Event, Type,
        events::{self, EVENTS, RELEASE, digest},
    },
    signoff::signature::Trust,
};

const MOST_FILES: usize = 20_000;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Relative to the folder of the bundle.
    pub file: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// What the check of a bundle found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong; nothing means that the bundle is as it was written.
    pub findings: Vec<Finding>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// What was looked at.
    pub looked_at: Vec<String>,
}

/// What a bundle is compared with besides itself.
pub struct Against<'a> {
    /// Whose signatures count; without it a signature need only be one.
    pub trust: Option<Trust>,
    /// Namespace of the signatures.
    pub namespace: String,
    /// The policy that should have been applied.
    pub policy: Option<Policy<'a>>,
    /// Now, UTC.
    pub now: Timestamp,
}

/// A bundle that cannot be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The system said no.
    #[error("{file}: {error}")]
    Io {
        /// Which file.
        file: String,
        /// What the system said.
        error: io::Error,
    },
    /// It is no bundle.
    #[error("{0} is missing: this folder is no bundle; `readygate run --evidence DIR` writes one")]
    NoBundle(String),
}

struct Check<'a> {
    folder: &'a Path,
    against: &'a Against<'a>,
    /// Listed files that are in the bundle and regular; nothing else is opened.
    sound: BTreeSet<String>,
    report: Report,
}

/// Checks a bundle.
///
/// # Errors
/// The folder cannot be read, or has no list.
pub fn verify(folder: &Path, against: &Against<'_>) -> Result<Report, VerifyError> {
    let io = |error| VerifyError::Io {
        file: folder.display().to_string(),
        error,
    };
    let present = bundle::walk(folder, MOST_FILES).map_err(io)?;
    let mut check = Check {
        folder,
        against,
        sound: BTreeSet::new(),
        report: Report::default(),
    };
    let manifest = match Manifest::read(folder) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => {
            return Err(VerifyError::NoBundle(
                folder.join(BUNDLE).display().to_string(),
            ));
        }
        Err(error) => {
            check.wrong(BUNDLE, error);
            return Ok(check.report);
        }
    };
    check.files(&manifest, &present);
    let events = check.history(&manifest, &present);
    let runs = check.records(&manifest);
    let mut unfinished = false;
    if let Some(events) = &events {
        check.bound(&manifest, events);
        unfinished = check.watches(events);
    }
    // While a watch goes on, what stands for its decision is that of no record.
    if !unfinished {
        check.decision(&runs);
    }
    check.looked_at(&manifest, events.as_deref(), &runs);
    Ok(check.report)
}

impl Check<'_> {
    fn wrong(&mut self, file: &str, message: impl fmt::Display) {
        self.report.findings.push(Finding {
            file: readygate_sdk::defang(file),
            message: readygate_sdk::defang(&message.to_string()),
        });
    }

    fn files(&mut self, manifest: &Manifest, present: &[String]) {
        for entry in &manifest.files {
            if let Err(message) = self.file(entry, present) {
                self.wrong(&entry.path, message);
            }
        }
        let own = [BUNDLE, EVENTS, RELEASE];
        for path in present {
            let listed = manifest.files.iter().any(|e| e.path == *path);
            let history = manifest.history && own.contains(&path.as_str());
            if listed || path == BUNDLE || history {
                continue;
            }
            // Who was killed while writing leaves such a file, and nobody reads it.
            let name = path.rsplit('/').next().unwrap_or(path);
            if name.starts_with(record::UNFINISHED) {
                let note =
                    format!("{path}: what a killed process left of a write; it counts for nothing");
                self.report.notes.push(readygate_sdk::defang(&note));
            } else {
                self.wrong(
                    path,
                    format!("is not in {BUNDLE}: it was added, or not written by readygate"),
                );
            }
        }
    }

    fn file(&mut self, entry: &Entry, present: &[String]) -> Result<(), String> {
        let parts = Path::new(&entry.path).components();
        if !parts.into_iter().all(|c| matches!(c, Component::Normal(_))) {
            return Err(format!("{BUNDLE} names a path outside of the bundle"));
        }
        // What is behind a link to a folder is not in the bundle.
        if !present.contains(&entry.path) {
            return Err("is missing".to_owned());
        }
        let path = self.folder.join(&entry.path);
        if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            return Err("is not a regular file".to_owned());
        }
        self.sound.insert(entry.path.clone());
        let bytes = bundle::bounded(&path).map_err(|e| e.to_string())?;
        let (was, is) = (entry.bytes, bytes.len() as u64);
        if is < was {
            return Err(format!("is cut off: {is} bytes of {was}"));
        }
        let sum = digest(&bytes);
        if is != was || sum != entry.sha256 {
            let expected = &entry.sha256;
            return Err(format!(
                "was edited: SHA-256 expected {expected}, actual {sum}"
            ));
        }
        Ok(())
    }

    /// Reads a file of the bundle whose path and type are right, whatever it holds.
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if !self.sound.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        bundle::bounded(&self.folder.join(path))
    }

    /// Every record, whether or not its digest is right: what else is wrong should be said too.
    fn records(&mut self, manifest: &Manifest) -> Vec<Run> {
        let (runs, name) = (format!("{RUNS}/"), format!("/{RECORD}"));
        let listed = manifest.files.iter().map(|e| e.path.as_str());
        let records: Vec<&str> = listed
            .filter(|p| p.starts_with(&runs) && p.ends_with(&name))
            .collect();
        if records.is_empty() {
            self.wrong(BUNDLE, "lists no record");
        }
        let mut runs = Vec::new();
        for path in records {
            let Ok(bytes) = self.read(path) else {
                continue;
            };
            match record::parse(&self.folder.join(path), &bytes) {
                Ok(run) => {
                    self.record(path, &run, &bytes);
                    runs.push(run);
                }
                Err(error) => self.wrong(path, error),
            }
        }
        runs
    }

    fn record(&mut self, path: &str, run: &Run, bytes: &[u8]) {
        if let Err(message) = record::check_digest(bytes) {
            self.wrong(path, format!("the record {message}"));
        }
        let policy = self.against.policy.as_ref();
        let required = policy.map_or(&[][..], |p| &p.config.required);
        for message in consistent::contradictions(run, required) {
            self.wrong(path, message);
        }
        if let Some(Err(message)) = policy.map(|policy| policy.holds(run)) {
            self.wrong(path, message);
        }
        self.signatures(path, run);
        let notes: Vec<String> = consistent::lapsed(run, self.against.now)
            .map(|n| format!("{path}: {n}"))
            .collect();
        self.report.notes.extend(notes);
        let folder = path.trim_end_matches(RECORD);
        let sum = digest(bytes);
        let earlier = statement::earlier(run, &sum);
        for ((name, expected), (_, earlier)) in statement::files(run, &sum).iter().zip(&earlier) {
            let file = format!("{folder}{name}");
            let found = self.read(&file).ok();
            let found = found.and_then(|b| serde_json::from_slice::<Value>(&b).ok());
            if found.is_none_or(|found| found != *expected && found != *earlier) {
                self.wrong(&file, format!("does not say what {path} says"));
            }
        }
    }

    fn signatures(&mut self, path: &str, run: &Run) {
        let found = Held {
            run,
            trust: self.against.trust.as_ref(),
            namespace: &self.against.namespace,
            policy: self.against.policy.as_ref(),
            read: &|name| self.read(name),
        };
        let found = found.verify();
        for (file, message) in found.problems {
            let file = if file.is_empty() { path } else { &file };
            self.wrong(file, message);
        }
        let notes = found.notes.into_iter();
        let notes = notes.map(|(file, note)| readygate_sdk::defang(&format!("{file}: {note}")));
        self.report.notes.extend(notes);
    }

    fn history(&mut self, manifest: &Manifest, present: &[String]) -> Option<Vec<Event>> {
        let there = |name: &str| present.iter().any(|p| p == name);
        if !manifest.history && !there(EVENTS) && !there(RELEASE) {
            return None;
        }
        match events::read(self.folder) {
            Ok(events) => Some(events),
            Err(error) => {
                let file = if there(EVENTS) { EVENTS } else { RELEASE };
                self.wrong(file, error);
                None
            }
        }
    }

    /// The history names every record with its digest, and every record is in the history.
    fn bound(&mut self, manifest: &Manifest, events: &[Event]) {
        let mut named: Vec<&str> = Vec::new();
        for (number, event) in (1..).zip(events) {
            let verdict = matches!(event.event, Type::GateVerdict | Type::Decision);
            let Some(path) = event.text("record").filter(|_| verdict) else {
                continue;
            };
            named.push(path);
            let entry = manifest.files.iter().find(|e| e.path == path);
            let file = format!("{EVENTS}:{number}");
            match (entry, event.text("sha256")) {
                (None, _) => self.wrong(&file, format!("names {path}, which is not in {BUNDLE}")),
                (Some(entry), sum) if sum != Some(entry.sha256.as_str()) => {
                    self.wrong(&file, format!("knows {path} with another SHA-256 than {BUNDLE}: the record was replaced"));
                }
                _ => {}
            }
        }
        let name = format!("/{RECORD}");
        for entry in manifest.files.iter().filter(|e| e.path.ends_with(&name)) {
            if !named.contains(&entry.path.as_str()) {
                self.wrong(&entry.path, format!("is not in {EVENTS}"));
            }
        }
    }

    /// Whether the last watch has no decision. One that another watch followed is only told of.
    fn watches(&mut self, events: &[Event]) -> bool {
        let mut open: Option<(usize, Timestamp)> = None;
        for (number, event) in (1..).zip(events) {
            let killed = match event.event {
                Type::WatchStarted => open.replace((number, event.at)),
                Type::Decision => {
                    open = None;
                    None
                }
                _ => None,
            };
            self.report.notes.extend(killed.map(|(number, at)| {
                format!(
                    "{EVENTS}:{number}: the watch that started at {at} was killed; another followed"
                )
            }));
        }
        if let Some((number, at)) = open {
            let message = format!(
                "the watch that started at {at} has no decision: it is under way, or was killed; watch again"
            );
            self.wrong(&format!("{EVENTS}:{number}"), message);
        }
        open.is_some()
    }

    /// `decision.json` is that of the last watch.
    fn decision(&mut self, runs: &[Run]) {
        let last = runs
            .iter()
            .filter_map(|r| r.watch.as_ref())
            .max_by_key(|w| w.finished);
        let Some(last) = last else { return };
        let found = self.read(DECISION).ok();
        let found = found.and_then(|b| serde_json::from_slice(&b).ok());
        if found.as_ref() != Some(last) {
            self.wrong(
                DECISION,
                format!("does not say what the record of {} says", last.run),
            );
        }
    }

    fn looked_at(&mut self, manifest: &Manifest, events: Option<&[Event]>, runs: &[Run]) {
        let report = &mut self.report;
        report.looked_at = vec![
            count_of(manifest.files.len() as u64, "file", "files"),
            count_of(runs.len() as u64, "record", "records"),
        ];
        if let Some(events) = events {
            report
                .looked_at
                .push(count_of(events.len() as u64, "event", "events"));
        }
        let signed = runs
            .iter()
            .flat_map(|r| &r.signoffs)
            .filter(|s| s.accepted)
            .count();
        if signed > 0 {
            let signed = count_of(signed as u64, "signature", "signatures");
            report.looked_at.push(signed);
            if self.against.trust.is_none() {
                let note =
                    "whose keys may sign was not compared: name the list with --allowed-signers";
                report.notes.push(note.to_owned());
            }
        }
        if self.against.policy.is_none() {
            report
                .notes
                .push("the policy was not compared: name its files with -c".to_owned());
        }
    }
}
