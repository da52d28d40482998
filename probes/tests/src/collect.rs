//! Brings the readings of all files together.

use std::{collections::HashMap, path::Path};

use jiff::Timestamp;
use readygate_reports::{
    Digest, Fault, Fingerprint, Found, gather,
    record::{DuplicateReport, UnreadableReport},
};

use crate::{
    measurement::{Counts, ReportFile, TestReports, cap},
    reader::About,
    tally::Tally,
};

/// The sum in the making.
pub(crate) struct Collector<'a> {
    directory: &'a Path,
    reports: TestReports,
    /// Fingerprints of the files counted, and their names.
    known: HashMap<Fingerprint, String>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(directory: &'a Path, found: &Found) -> Self {
        let reports = TestReports {
            unmatched: found.unmatched.clone(),
            ..TestReports::default()
        };
        let mut all = Self {
            directory,
            reports,
            known: HashMap::new(),
        };
        for (path, reason) in &found.troubles {
            let path = all.name(path);
            all.unreadable(path, &Fault::new(reason.as_str()), &Counts::default());
        }
        all
    }

    /// The path as the user knows it.
    pub(crate) fn name(&self, path: &Path) -> String {
        gather::name(path, self.directory)
    }

    /// Adds one file.
    pub(crate) fn add(
        &mut self,
        path: String,
        mut tally: Tally<'_>,
        read: Result<(About, Digest), Fault>,
        modified: Timestamp,
        before_run: bool,
    ) {
        let counts = tally.counts();
        let (about, digest) = match read {
            Err(fault) => return self.unreadable(path, &fault, &counts),
            Ok(_) if tally.overflow => {
                let reason = format!(
                    "it holds more than {} different tests, too many to fold",
                    crate::tally::MOST_FOLDED
                );
                let fault = Fault::new(reason).hint("set `retries: separate`");
                return self.unreadable(path, &fault, &counts);
            }
            Ok(read) => read,
        };
        if let Some(of) = self
            .known
            .get(&digest.fingerprint)
            .filter(|_| counts.total > 0)
        {
            self.reports.duplicates_total += 1;
            let duplicate = DuplicateReport {
                path,
                of: of.clone(),
            };
            push(&mut self.reports.duplicates, [duplicate], cap::PROBLEMS);
            return;
        }
        self.known.insert(digest.fingerprint, path.clone());
        self.lists(&mut tally);
        let all = &mut self.reports;
        all.counts.add(&counts);
        all.files_total += 1;
        all.before_run_total += u64::from(before_run);
        all.files.push(ReportFile {
            path,
            format: about.format.to_owned(),
            encoding: about.encoding.to_owned(),
            bytes: digest.bytes,
            counts,
            claims: about.claims,
            timestamp: about.started.map(|started| started.at),
            zoneless: about.started.is_some_and(|started| started.zoneless),
            modified,
            before_run,
            unexpanded: about.unexpanded,
        });
    }

    fn lists(&mut self, tally: &mut Tally<'_>) {
        let all = &mut self.reports;
        push(&mut all.failures, tally.failures(), cap::FAILURES);
        push(
            &mut all.suite_errors,
            tally.suite_errors.drain(..),
            cap::PROBLEMS,
        );
        push(
            &mut all.contradictory,
            tally.contradictory.drain(..),
            cap::PROBLEMS,
        );
        push(&mut all.flaky, tally.flaky.drain(..), cap::FLAKY);
        all.slowest.append(&mut tally.slowest);
        all.slowest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        all.slowest.truncate(cap::SLOWEST);
    }

    fn unreadable(&mut self, path: String, fault: &Fault, seen: &Counts) {
        self.reports.unreadable_total += 1;
        let unreadable = UnreadableReport {
            seen: seen.total,
            failures_seen: seen.failing() + seen.suite_errors,
            ..UnreadableReport::new(path, fault)
        };
        push(&mut self.reports.unreadable, [unreadable], cap::PROBLEMS);
    }

    /// The sum; where files must be left out of the list, those with a problem and the oldest stay.
    pub(crate) fn finish(mut self) -> TestReports {
        let files = &mut self.reports.files;
        if files.len() > cap::FILES {
            files.sort_by_key(|file| {
                let claims = &file.claims;
                let problem = file.before_run
                    || file.unexpanded > 0
                    || claims.missing_tests > 0
                    || claims.missing_failures > 0;
                (!problem, file.dated().evidence_at())
            });
            files.truncate(cap::FILES);
            files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        self.reports
    }
}

fn push<T>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>, cap: usize) {
    let room = cap.saturating_sub(list.len());
    list.extend(more.into_iter().take(room));
}
