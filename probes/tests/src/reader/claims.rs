//! What the attributes of suites claim, beside what their elements hold.

use readygate_reports::{self as number, xml::Element};

use super::State;
use crate::measurement::Claims;

/// The suites that are open, the outermost first, and the total of those that have ended.
#[derive(Debug, Default)]
pub(super) struct Tree {
    open: Vec<Suite>,
    total: Claims,
}

/// Claims and elements of one suite and all below it.
#[derive(Debug, Default)]
struct Suite {
    own: Claims,
    /// The claims of the suites below; a suite that claims nothing counts with its elements.
    below: Claims,
    /// Elements: cases, the skipped ones, failures and errors.
    seen: Seen,
    /// Elements that stand in no suite below.
    direct: Seen,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    /// `failure` and `error` elements; a case can hold several.
    failing_elements: u64,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.failing_elements += other.failing_elements;
    }
}

impl Tree {
    pub(super) fn start(&mut self, element: &Element<'_>) {
        let get = |name: &str| element.get(name).and_then(number::count);
        let skipped = get("skipped")
            .or(get("skips"))
            .or(get("skip"))
            .or(get("ignored"));
        let own = Claims {
            tests: get("tests"),
            failures: get("failures"),
            errors: get("errors"),
            skipped: match (skipped, get("disabled")) {
                (Some(a), Some(b)) => Some(a.saturating_add(b)),
                (a, b) => a.or(b),
            },
            ..Claims::default()
        };
        self.open.push(Suite {
            own,
            ..Suite::default()
        });
    }

    pub(super) fn case(&mut self, state: State, failing_elements: u64) {
        use crate::measurement::FailureKind::{Error, Failure};
        let seen = Seen {
            tests: 1,
            failures: u64::from(state == State::Failing(Failure)),
            errors: u64::from(state == State::Failing(Error)),
            skipped: u64::from(state == State::Skipped),
            failing_elements,
        };
        self.element(seen);
    }

    pub(super) fn suite_error(&mut self) {
        self.element(Seen {
            failing_elements: 1,
            ..Seen::default()
        });
    }

    fn element(&mut self, seen: Seen) {
        if let Some(suite) = self.open.last_mut() {
            suite.seen.add(seen);
            suite.direct.add(seen);
        }
    }

    pub(super) fn end(&mut self) {
        let Some(suite) = self.open.pop() else { return };
        let claims = suite.effective();
        match self.open.last_mut() {
            Some(parent) => {
                parent
                    .below
                    .join(claims, suite.seen, parent.seen, parent.direct);
                parent.seen.add(suite.seen);
            }
            None => self.total = claims,
        }
    }

    /// The claims of the root.
    pub(super) fn total(&self) -> Claims {
        self.total
    }
}

impl Suite {
    /// A suite's own attributes, or the sum of those below it; never both.
    fn effective(&self) -> Claims {
        let below = |sum: Option<u64>, direct: u64| sum.map(|n| n.saturating_add(direct));
        let skipped = self
            .own
            .skipped
            .or(below(self.below.skipped, self.direct.skipped));
        let claimed = self
            .own
            .tests
            .map(|n| n.saturating_sub(skipped.unwrap_or(self.seen.skipped)));
        let ran = self.seen.tests - self.seen.skipped;
        let failing = self
            .own
            .failures
            .unwrap_or(0)
            .saturating_add(self.own.errors.unwrap_or(0));
        Claims {
            tests: self
                .own
                .tests
                .or(below(self.below.tests, self.direct.tests)),
            failures: self
                .own
                .failures
                .or(below(self.below.failures, self.direct.failures)),
            errors: self
                .own
                .errors
                .or(below(self.below.errors, self.direct.errors)),
            skipped,
            missing_tests: claimed
                .unwrap_or(0)
                .saturating_sub(ran)
                .max(self.below.missing_tests),
            missing_failures: failing
                .saturating_sub(self.seen.failing_elements)
                .max(self.below.missing_failures),
        }
    }
}

impl Claims {
    /// Adds what one suite claims to the sum of its siblings, of which `before` was seen in all
    /// and `direct` outside of them.
    fn join(&mut self, one: Self, seen: Seen, before: Seen, direct: Seen) {
        let sum = |sum: &mut Option<u64>, one: Option<u64>, seen: u64, before: u64| {
            *sum = match (*sum, one) {
                (None, None) => None,
                (Some(a), b) => Some(a.saturating_add(b.unwrap_or(seen))),
                (None, Some(b)) => Some(b.saturating_add(before)),
            };
        };
        sum(
            &mut self.tests,
            one.tests,
            seen.tests,
            before.tests - direct.tests,
        );
        sum(
            &mut self.failures,
            one.failures,
            seen.failures,
            before.failures - direct.failures,
        );
        sum(
            &mut self.errors,
            one.errors,
            seen.errors,
            before.errors - direct.errors,
        );
        sum(
            &mut self.skipped,
            one.skipped,
            seen.skipped,
            before.skipped - direct.skipped,
        );
        self.missing_tests = self.missing_tests.saturating_add(one.missing_tests);
        self.missing_failures = self.missing_failures.saturating_add(one.missing_failures);
    }
}
