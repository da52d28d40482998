//! What becomes one testcase, decided before any XML is written.

use std::borrow::Cow;

use readygate_sdk::{Check, CheckOutcome, ErrorKind, Level};

use super::{
    limits::Limits,
    text::{Node, attribute},
};
use crate::record::{GateRecord, Outcome, Run, SkipReason, Verdict, Waived};

/// The type of a failure in which nothing failed: somebody is waited for.
const SIGNOFF: &str = "sign-off";

/// How a testcase ends. Only `Failure` and `Error` turn a consumer red.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Passed,
    /// Passed for the consumer; the text says that it only warns.
    Warned(&'static str),
    Failure,
    Error,
    Skipped,
}

impl Ending {
    pub const fn is_red(self) -> bool {
        matches!(self, Self::Failure | Self::Error)
    }
}

/// One testcase in the making; holds references until the limits are known.
#[derive(Debug)]
pub struct Row<'a> {
    pub name: Cow<'a, str>,
    pub ending: Ending,
    pub kind: Cow<'a, str>,
    pub message: Cow<'a, str>,
    /// What GitLab links to; may be empty.
    pub file: &'a str,
    hint: Option<&'a str>,
    check: Option<&'a Check>,
    gate: Option<&'a GateRecord>,
}

/// The rows of a gate: one for each check, and one named `gate` where the checks do not tell the
/// gate's outcome. Never empty: Jenkins drops a suite without testcases.
pub fn of_gate(gate: &GateRecord) -> Vec<Row<'_>> {
    let own = gate_row(gate);
    let checks = gate.checks.iter().enumerate();
    let checks = checks.map(|(index, check)| check_row(gate, check, gate.waiver_of(index)));
    own.into_iter().chain(checks).collect()
}

/// Whether the gate keeps the run from GO. Only then may a row be red: a consumer that fails a job
/// on red must agree with the exit code.
fn weighs(gate: &GateRecord) -> bool {
    match gate.standing() {
        Outcome::Failed | Outcome::Unmeasured | Outcome::Pending => gate.severity.blocks(),
        Outcome::Passed | Outcome::Skipped => false,
    }
}

fn check_row<'a>(gate: &'a GateRecord, check: &'a Check, waived: Option<&'a Waived>) -> Row<'a> {
    let error = check.level == Level::Error;
    let (ending, kind) = match check.outcome {
        _ if waived.is_some() => (Ending::Skipped, "waived"),
        CheckOutcome::Passed => (Ending::Passed, "passed"),
        CheckOutcome::Failed if error && weighs(gate) => {
            let is_pending = gate.outcome == Outcome::Pending;
            let kind = if is_pending { SIGNOFF } else { &check.rule };
            (Ending::Failure, kind)
        }
        CheckOutcome::Failed if check.level == Level::Info => (Ending::Warned("INFO: "), "info"),
        CheckOutcome::Failed => (Ending::Warned("WARNING: "), "warning"),
        CheckOutcome::Unmeasured if error && weighs(gate) => (Ending::Error, kind_of(gate)),
        CheckOutcome::Unmeasured => (Ending::Skipped, kind_of(gate)),
    };
    Row {
        name: format!("{} {}", check.rule, check.subject).into(),
        ending,
        kind: kind.into(),
        message: match waived {
            Some(waived) => format!("waived {}: {}", waived.terms(), check.message).into(),
            None => check.message.as_str().into(),
        },
        file: &check.location.as_ref().unwrap_or(&gate.location).file,
        hint: check.hint.as_deref(),
        check: Some(check),
        gate: Some(gate),
    }
}

fn kind_of(gate: &GateRecord) -> &'static str {
    gate.error
        .as_ref()
        .map_or("unmeasured", |error| ErrorKind::name(error.kind))
}

fn gate_row(gate: &GateRecord) -> Option<Row<'_>> {
    let has = |outcome| {
        let mut errors = gate.checks.iter().filter(|c| c.level == Level::Error);
        errors.any(|c| c.outcome == outcome)
    };
    let red = |ending| match weighs(gate) {
        true => ending,
        false if ending == Ending::Failure => Ending::Warned("WARNING: "),
        false => Ending::Skipped,
    };
    let (ending, kind) = match gate.outcome {
        Outcome::Passed if gate.checks.is_empty() => (Ending::Passed, "passed"),
        Outcome::Failed if !has(CheckOutcome::Failed) => (red(Ending::Failure), "failed"),
        Outcome::Failed
            if gate.standing() == Outcome::Unmeasured && !has(CheckOutcome::Unmeasured) =>
        {
            (red(Ending::Error), kind_of(gate))
        }
        Outcome::Unmeasured if gate.error.is_some() || !has(CheckOutcome::Unmeasured) => {
            (red(Ending::Error), kind_of(gate))
        }
        Outcome::Pending if !has(CheckOutcome::Failed) => (red(Ending::Failure), SIGNOFF),
        Outcome::Skipped if gate.skipped == Some(SkipReason::Dependency) => {
            (Ending::Skipped, "dependency")
        }
        Outcome::Skipped => (Ending::Skipped, "not-selected"),
        Outcome::Passed | Outcome::Failed | Outcome::Unmeasured | Outcome::Pending => return None,
    };
    let message = match (&gate.error, &gate.reason) {
        (Some(error), _) if gate.outcome == Outcome::Unmeasured => error.to_string().into(),
        (_, Some(reason)) => reason.as_str().into(),
        (_, None) if kind == "not-selected" => "not selected".into(),
        (_, None) => gate.outcome.name().into(),
    };
    Some(Row {
        name: "gate".into(),
        ending,
        kind: kind.into(),
        message,
        file: &gate.location.file,
        hint: gate.error.as_ref().and_then(|error| error.hint.as_deref()),
        check: None,
        gate: Some(gate),
    })
}

/// The rows of the run itself: red exactly when the exit code is not zero.
pub fn of_run(run: &Run) -> Vec<Row<'_>> {
    let file = run.config.files.first().map_or("", String::as_str);
    let row = |name: Cow<'static, str>, ending, kind: &'static str, message| Row {
        name,
        ending,
        kind: kind.into(),
        message,
        file,
        hint: None,
        check: None,
        gate: None,
    };
    let interrupted = run.interrupted.as_ref().map(|signal| {
        let message = format!("interrupted by {signal}; this report is partial").into();
        row("interrupted".into(), Ending::Error, "interrupted", message)
    });
    let (ending, kind) = match run.verdict {
        _ if run.exit_code == 0 => (Ending::Passed, "go"),
        Verdict::NoGo => (Ending::Failure, "no-go"),
        Verdict::Inconclusive => (Ending::Error, "inconclusive"),
        Verdict::Pending => (Ending::Failure, SIGNOFF),
        Verdict::Go | Verdict::GoWithWaivers if interrupted.is_some() => (Ending::Passed, "go"),
        Verdict::Go | Verdict::GoWithWaivers => (Ending::Error, "exit-code"),
    };
    let message = match run.reasons.as_slice() {
        [] => format!("{}, exit code {}", run.verdict.name(), run.exit_code).into(),
        reasons => reasons.join("; ").into(),
    };
    let name = format!("verdict: {}", run.verdict.name()).into();
    let verdict = row(name, ending, kind, message);
    interrupted.into_iter().chain([verdict]).collect()
}

impl Row<'_> {
    /// The `message` attribute.
    pub fn attribute(&self, limits: &Limits) -> String {
        attribute(&self.message, limits.attribute())
    }

    /// The text node. It repeats the message, because GitLab shows the text alone.
    pub fn text(&self, limits: &Limits) -> String {
        let mut node = Node::new(limits.node);
        let start = match self.ending {
            Ending::Warned(word) => word,
            _ => "",
        };
        node.line(start, &self.message);
        let check = self.check;
        node.maybe("expected: ", check.and_then(|c| c.expected.as_deref()))
            .maybe("actual: ", check.and_then(|c| c.actual.as_deref()));
        if let Some(place) = check.and_then(|c| c.location.as_ref()) {
            node.line("where: ", &place.to_string());
        }
        node.maybe("fix: ", self.hint);
        if let Some(gate) = self.gate {
            node.line("gate: ", &format!("{} ({})", gate.title, gate.location))
                .line("severity: ", gate.severity.name())
                .maybe("owner: ", gate.owner.as_deref());
        }
        for detail in check.map_or(&[][..], |c| &c.details) {
            node.line("| ", detail);
        }
        node.finish()
    }

    /// About how many bytes [`Self::attribute`] and [`Self::text`] need without any limit.
    pub fn weight(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let check = self.check.map_or(0, |c| {
            let details: usize = c.details.iter().map(String::len).sum();
            optional(&c.expected) + optional(&c.actual) + optional(&c.hint) + details
        });
        2 * self.message.len() + check
    }
}
