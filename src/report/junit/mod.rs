//! JUnit XML in the dialect that GitLab, Jenkins and Azure DevOps all read.
//!
//! One suite for each gate, one testcase for each check, and a suite `readygate` with the verdict.
//! A failure or an error stands in the file exactly when the exit code is not zero: what only warns
//! is a passed testcase that says so, what could not be told and does not weigh is skipped.
//!
//! The file is valid against `junit-10.xsd` of Jenkins but for `testcase@file`, which GitLab links
//! to and that schema does not know. The writer has no attributes on the root and no count of
//! skipped testcases; no consumer needs either. It writes the timestamp with a `Z`.

mod limits;
mod row;
mod text;

use std::collections::HashMap;

use jiff::Timestamp;
use junit_report::{Duration, Error, OffsetDateTime, Report, TestCase, TestResult, TestSuite};
use readygate_sdk::{count_of, excerpt};

use self::{
    limits::{LARGEST_FILE, Limits, Sink},
    row::{Ending, Row},
};
use crate::record::{GateRecord, Outcome, Run};

/// Renders a sealed record.
pub fn render(run: &Run) -> Result<Vec<u8>, Error> {
    let [roomy @ .., tightest] = &Limits::STEPS;
    for limits in roomy {
        if estimate(run, limits) > LARGEST_FILE {
            continue;
        }
        let mut sink = Sink::new(LARGEST_FILE);
        let written = report(run, limits).write_xml(&mut sink);
        if !sink.full {
            return written.map(|()| sink.finish());
        }
    }
    let mut sink = Sink::new(usize::MAX);
    report(run, tightest).write_xml(&mut sink)?;
    Ok(sink.finish())
}

/// A lower bound of the size, so that hopeless steps cost nothing.
fn estimate(run: &Run, limits: &Limits) -> usize {
    let rows = |gate| {
        let mut rows = row::of_gate(gate);
        rows.truncate(limits.rows);
        rows.retain(|row| row.ending != Ending::Passed);
        rows.iter()
            .map(|row| row.weight().min(limits.node))
            .sum::<usize>()
    };
    run.gates.iter().map(rows).sum()
}

fn report(run: &Run, limits: &Limits) -> Report {
    let mut report = Report::new();
    let rows = row::of_run(run);
    let mut own = suite(
        "readygate",
        run.started,
        testcases("readygate", &rows, limits),
    );
    own.system_out = Some(about_run(run, limits));
    report.add_testsuite(own);
    report.add_testsuites(run.gates.iter().map(|gate| gate_suite(run, gate, limits)));
    report
}

fn gate_suite(run: &Run, gate: &GateRecord, limits: &Limits) -> TestSuite {
    let id = text::attribute(&gate.id, limits.name());
    let mut rows = row::of_gate(gate);
    let left_out = leave_out(&mut rows, limits.rows);
    let mut cases = testcases(&id, &rows, limits);
    cases.extend(left_out.map(|mut case| {
        case.classname = Some(id.clone());
        case.filepath = rows.first().and_then(file);
        case
    }));
    if let Some(first) = cases.first_mut() {
        first.time = exact(gate.duration_s);
        if gate.flaky {
            let note = attempts(gate, limits);
            first.system_out = Some(match first.system_out.take() {
                Some(text) => format!("{text}\n{note}"),
                None => note,
            });
        }
    }
    let mut suite = suite(&id, gate.started.unwrap_or(run.started), cases);
    suite.system_out = Some(about_gate(gate, limits));
    suite
}

fn suite(name: &str, started: Timestamp, testcases: Vec<TestCase>) -> TestSuite {
    TestSuite {
        name: name.to_owned(),
        // Jenkins prefixes the package to the name.
        package: String::new(),
        timestamp: whole_seconds(started),
        hostname: "localhost".to_owned(),
        testcases,
        system_out: None,
        system_err: None,
    }
}

/// The writer panics on years outside 0 to 9999, which RFC 3339 cannot express.
fn whole_seconds(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.as_second().max(0)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Whole milliseconds that the writer prints with at most three decimals, as the schema wants them.
///
/// It adds seconds and nanoseconds as floats, so that 1.118 s comes out as 1.1179999999999999.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to a year, the most that Jenkins believes"
)]
fn exact(seconds: f64) -> Duration {
    let milliseconds = (seconds.clamp(0.0, 31_536_000.0) * 1000.0).round() as i64;
    (milliseconds..milliseconds + 10)
        .map(Duration::milliseconds)
        .find(|d| {
            let shown = d.as_seconds_f64().to_string();
            shown
                .split_once('.')
                .is_none_or(|(_, decimals)| decimals.len() <= 3)
        })
        .unwrap_or(Duration::ZERO)
}

/// Names are unique in a suite: GitLab keeps the first of two and drops the rest.
fn testcases(class: &str, rows: &[Row<'_>], limits: &Limits) -> Vec<TestCase> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut unique = |name: String| {
        let mut candidate = name.clone();
        while let Some(count) = seen.get_mut(&candidate) {
            *count += 1;
            candidate = format!("{name} ({count})", count = *count);
        }
        seen.insert(candidate.clone(), 1);
        candidate
    };
    rows.iter()
        .map(|row| {
            let name = excerpt(&text::attribute(&row.name, usize::MAX), limits.name());
            testcase(row, class, unique(name), limits)
        })
        .collect()
}

fn testcase(row: &Row<'_>, class: &str, name: String, limits: &Limits) -> TestCase {
    let type_ = text::attribute(&row.kind, limits.attribute());
    let message = row.attribute(limits);
    let cause = (row.ending != Ending::Passed).then(|| row.text(limits));
    let mut system_out = None;
    let result = match row.ending {
        Ending::Passed | Ending::Warned(_) => {
            system_out = cause;
            TestResult::Success
        }
        Ending::Failure => TestResult::Failure {
            type_,
            message,
            cause,
        },
        Ending::Error => TestResult::Error {
            type_,
            message,
            cause,
        },
        Ending::Skipped => TestResult::SkippedWithCause {
            type_,
            message,
            cause,
        },
    };
    TestCase {
        name,
        time: Duration::ZERO,
        result,
        classname: Some(class.to_owned()),
        filepath: file(row),
        system_out,
        system_err: None,
    }
}

fn file(row: &Row<'_>) -> Option<String> {
    let file = text::attribute(row.file, 1024);
    (!file.is_empty()).then_some(file)
}

/// Cuts a suite to `max` rows, red ones first, and says how many are missing.
fn leave_out(rows: &mut Vec<Row<'_>>, max: usize) -> Option<TestCase> {
    if rows.len() <= max {
        return None;
    }
    rows.sort_by_key(|row| !row.ending.is_red());
    let missing = rows.split_off(max);
    let name = format!(
        "and {} more",
        count_of(missing.len() as u64, "check", "checks")
    );
    let message = format!("{name}; the json report has them");
    Some(if missing.iter().any(|row| row.ending.is_red()) {
        TestCase::failure(&name, Duration::ZERO, "left-out", &message)
    } else {
        TestCase::skipped_with_cause(&name, "left-out", &message)
    })
}

fn about_run(run: &Run, limits: &Limits) -> String {
    let mut node = text::Node::new(limits.node);
    let target = &run.target;
    node.line("verdict: ", run.verdict.name())
        .line("exit code: ", &run.exit_code.to_string())
        .line("target: ", &target.name)
        .maybe("version: ", target.version.as_deref())
        .maybe("commit: ", target.commit.as_deref())
        .maybe("url: ", target.url.as_deref())
        .line("run: ", &run.id)
        .line("config sha256: ", &run.config.sha256)
        .maybe(
            "policy of: ",
            run.config
                .trusted
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
        )
        .maybe("release: ", run.release.as_deref());
    for waiver in &run.waivers {
        let until = crate::waiver::until(waiver.expires);
        let what = format!(
            "{} until {until} by {}: {}",
            waiver.covers, waiver.approver, waiver.reason
        );
        node.line("waiver: ", &what);
        for note in &waiver.notes {
            node.line("  ", note);
        }
    }
    for signoff in &run.signoffs {
        node.line("sign-off: ", &signoff.sentence());
    }
    node.finish()
}

fn about_gate(gate: &GateRecord, limits: &Limits) -> String {
    let mut node = text::Node::new(limits.node);
    node.line("", &gate.title)
        .maybe("section: ", gate.section.as_deref())
        .line("outcome: ", outcome(gate))
        .maybe("reason: ", gate.reason.as_deref());
    if gate.flaky {
        node.line("", &attempts(gate, limits));
    }
    node.finish()
}

fn outcome(gate: &GateRecord) -> &'static str {
    if gate.is_waived() {
        "failed, waived"
    } else {
        gate.outcome.name()
    }
}

/// `flaky: passed on attempt 3 of 3`, and why the others did not.
fn attempts(gate: &GateRecord, limits: &Limits) -> String {
    let mut node = text::Node::new(limits.node);
    node.line("flaky: ", &gate.passed_how());
    for attempt in &gate.attempts {
        let reason = attempt.reason.as_deref().unwrap_or("no reason given");
        let label = format!("attempt {} {}: ", attempt.number, attempt.outcome.name());
        if attempt.outcome != Outcome::Passed {
            node.line(&label, reason);
        }
    }
    node.finish()
}
