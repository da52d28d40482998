//! Counts what a reader hears, in memory that does not grow with the report.

use std::collections::HashMap;

use readygate_reports::{Fingerprint, Fingerprinter, clip, to_millis};

use crate::{
    config::Retries,
    measurement::{Counts, FailedTest, FailureKind, SlowTest, SuiteError, TestRef, cap},
    reader::{Case, Sink, State, SuiteFault},
};

/// Most different tests of one report that can be folded; each takes some twenty bytes.
pub(crate) const MOST_FOLDED: usize = 900_000;

/// Counts and lists of one report.
pub(crate) struct Tally<'m> {
    report: String,
    /// Masks secrets, before a text is cut and half of one could stay.
    mask: &'m dyn Fn(&str) -> String,
    counts: Counts,
    seconds: f64,
    folded: Option<HashMap<Fingerprint, Folded>>,
    /// More different tests than can be folded.
    pub(crate) overflow: bool,
    failures: Vec<(Fingerprint, FailedTest)>,
    pub(crate) suite_errors: Vec<SuiteError>,
    pub(crate) contradictory: Vec<TestRef>,
    pub(crate) flaky: Vec<TestRef>,
    pub(crate) slowest: Vec<SlowTest>,
}

/// The attempts of one test.
#[derive(Debug, Clone, Copy)]
struct Folded {
    best: State,
    failed_once: bool,
    /// Some attempt was skipped or failed. TestNG calls an attempt skipped when it is repeated.
    not_always_passed: bool,
    flaky: bool,
    nameless: bool,
}

impl<'m> Tally<'m> {
    pub(crate) fn new(report: &str, retries: Retries, mask: &'m dyn Fn(&str) -> String) -> Self {
        Self {
            report: report.to_owned(),
            mask,
            counts: Counts::default(),
            seconds: 0.0,
            folded: (retries == Retries::Fold).then(HashMap::new),
            overflow: false,
            failures: Vec::new(),
            suite_errors: Vec::new(),
            contradictory: Vec::new(),
            flaky: Vec::new(),
            slowest: Vec::new(),
        }
    }

    fn clip(&self, text: &str, max: usize) -> String {
        clip(&(self.mask)(text), max)
    }

    /// The counts, attempts folded.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.counts;
        counts.seconds = to_millis(self.seconds);
        for test in self.folded.iter().flat_map(HashMap::values) {
            count(&mut counts, test.best);
            counts.flaky += u64::from(test.flaky);
            let hidden = test.failed_once && !matches!(test.best, State::Failing(_));
            counts.ambiguous += u64::from(hidden && test.nameless);
        }
        counts
    }

    /// The failed tests, one entry for each.
    pub(crate) fn failures(&mut self) -> impl Iterator<Item = FailedTest> {
        std::mem::take(&mut self.failures)
            .into_iter()
            .map(|(_, test)| test)
    }

    fn fold(&mut self, case: &Case<'_>) {
        let Some(folded) = &mut self.folded else {
            return;
        };
        let id = id(case);
        let failing = matches!(case.state, State::Failing(_));
        if folded.len() >= MOST_FOLDED && !folded.contains_key(&id) {
            self.overflow = true;
            return;
        }
        let test = folded.entry(id).or_insert(Folded {
            best: case.state,
            failed_once: false,
            not_always_passed: false,
            flaky: false,
            nameless: case.name.trim().is_empty(),
        });
        if rank(case.state) < rank(test.best) {
            test.best = case.state;
        }
        test.failed_once |= failing;
        test.not_always_passed |= case.state != State::Passed || case.flaky;
        let flaky = test.best == State::Passed && test.not_always_passed;
        let newly = flaky && !test.flaky;
        test.flaky = flaky;
        let passed = test.best == State::Passed;
        if newly {
            self.list_flaky(case);
        }
        if passed {
            self.failures.retain(|(known, _)| *known != id);
        } else if failing && !self.failures.iter().any(|(known, _)| *known == id) {
            self.list_failure(id, case);
        }
    }

    fn list_failure(&mut self, id: Fingerprint, case: &Case<'_>) {
        let State::Failing(kind) = case.state else {
            return;
        };
        if self.failures.len() < cap::FAILURES {
            let message = self.clip(case.message, cap::MESSAGE);
            self.failures.push((
                id,
                FailedTest {
                    test: self.reference(case),
                    kind,
                    message,
                },
            ));
        }
    }

    fn list_flaky(&mut self, case: &Case<'_>) {
        if self.flaky.len() < cap::FLAKY {
            self.flaky.push(self.reference(case));
        }
    }

    fn time(&mut self, case: &Case<'_>) {
        match case.seconds {
            None => {}
            Some(Err(())) => self.counts.bad_times += 1,
            Some(Ok(seconds)) => {
                self.seconds += seconds;
                let slower = self
                    .slowest
                    .iter()
                    .take_while(|slow| slow.seconds >= seconds)
                    .count();
                if slower < cap::SLOWEST {
                    let slow = SlowTest {
                        test: self.reference(case),
                        seconds: to_millis(seconds),
                    };
                    self.slowest.insert(slower, slow);
                    self.slowest.truncate(cap::SLOWEST);
                }
            }
        }
    }

    fn reference(&self, case: &Case<'_>) -> TestRef {
        TestRef {
            name: self.clip(case.name, cap::NAME),
            classname: self.clip(case.classname, cap::NAME),
            suite: self.clip(case.suite, cap::NAME),
            file: self.clip(case.file, cap::NAME),
            line: case.line,
            report: self.report.clone(),
            report_line: case.at.line,
        }
    }
}

impl Sink for Tally<'_> {
    fn on_case(&mut self, case: &Case<'_>) {
        self.time(case);
        if case.contradictory {
            self.counts.contradictory += 1;
            if self.contradictory.len() < cap::PROBLEMS {
                self.contradictory.push(self.reference(case));
            }
        }
        if self.folded.is_some() {
            return self.fold(case);
        }
        count(&mut self.counts, case.state);
        if case.flaky {
            self.counts.flaky += 1;
            self.list_flaky(case);
        }
        self.list_failure(Fingerprint::default(), case);
    }

    fn on_suite(&mut self) {
        self.counts.suites += 1;
    }

    fn on_suite_error(&mut self, error: &SuiteFault<'_>) {
        self.counts.suite_errors += 1;
        if self.suite_errors.len() < cap::PROBLEMS {
            self.suite_errors.push(SuiteError {
                suite: self.clip(error.suite, cap::NAME),
                message: self.clip(error.message, cap::MESSAGE),
                report: self.report.clone(),
                report_line: error.at.line,
            });
        }
    }
}

fn count(counts: &mut Counts, state: State) {
    counts.total += 1;
    match state {
        State::Passed => counts.passed += 1,
        State::Skipped => counts.skipped += 1,
        State::Failing(FailureKind::Failure) => counts.failed += 1,
        State::Failing(FailureKind::Error) => counts.errors += 1,
    }
}

/// The best result first. A skip is the weakest evidence: it must not hide a failure.
fn rank(state: State) -> u8 {
    match state {
        State::Passed => 0,
        State::Failing(FailureKind::Failure) => 1,
        State::Failing(FailureKind::Error) => 2,
        State::Skipped => 3,
    }
}

/// What tells one test from another.
fn id(case: &Case<'_>) -> Fingerprint {
    let mut id = Fingerprinter::new();
    for part in [case.suite, case.file, case.classname, case.name] {
        id.update(&(part.len() as u64).to_le_bytes());
        id.update(part.as_bytes());
    }
    id.finish()
}
