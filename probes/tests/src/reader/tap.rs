//! TAP, versions 12 to 14: the test points at the left margin.
//!
//! A subtest is indented and ends with a point at the margin, which carries its result. A failed
//! `TODO` is no failure, and a skipped point did not run. What makes a run incomplete (no plan, more
//! or fewer points than planned, `Bail out!`) is a failure of the whole.

use std::{collections::HashSet, io::BufRead};

use readygate_reports::{Fault, Position, clip, lines};

use super::{About, Case, Sink, State, SuiteFault};
use crate::measurement::{Claims, FailureKind};

/// Most numbers of points that are remembered to find those that repeat.
const MOST_NUMBERS: usize = 1_000_000;
/// Bytes kept of a point's YAML block.
const YAML: usize = 4 * 1_024;

/// Whether the first lines are TAP.
pub(super) fn starts(head: &str) -> bool {
    let mut lines = head
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    lines.by_ref().take(50).any(|line| {
        line.starts_with("TAP version ")
            || line.starts_with("Bail out!")
            || plan(line).is_some()
            || point(line).is_some_and(|point| point.number.is_some() || line.contains(" - "))
    })
}

#[derive(Default)]
struct Tap {
    plan: Option<(u64, u64)>,
    /// The plan stands behind points, so none may follow.
    trailing: bool,
    points: u64,
    next: u64,
    seen: HashSet<u64>,
    problems: Vec<(Position, String)>,
    bailed: bool,
    /// The last point, told once its YAML block is read.
    open: Option<Open>,
    in_yaml: bool,
}

struct Open {
    at: Position,
    name: String,
    state: State,
    message: String,
}

/// Reads a stream.
pub(super) fn read(text: impl BufRead, sink: &mut dyn Sink) -> Result<About, Fault> {
    let mut tap = Tap::default();
    sink.on_suite();
    lines::read(text, &mut |line| {
        tap.line(line.text, line.at(), sink);
        Ok(())
    })?;
    tap.finish(sink);
    Ok(About {
        format: "tap",
        claims: Claims {
            tests: tap.plan.map(|(from, to)| (to + 1).saturating_sub(from)),
            ..Claims::default()
        },
        ..About::default()
    })
}

impl Tap {
    fn line(&mut self, line: &str, at: Position, sink: &mut dyn Sink) {
        if self.bailed {
            return;
        }
        let inner = line.trim();
        if line.starts_with([' ', '\t']) {
            self.indented(inner);
            return;
        }
        self.in_yaml = false;
        if let Some(reason) = strip_ignoring_case(inner, "bail out!") {
            self.bailed = true;
            let reason = match reason.trim() {
                "" => "the run bailed out".to_owned(),
                reason => format!("the run bailed out: {reason}"),
            };
            self.problems.push((at, reason));
        } else if let Some(plan) = plan(inner) {
            self.flush(sink);
            if self.plan.is_some() {
                self.problem(at, "a second plan");
            } else {
                self.trailing = self.points > 0;
                self.plan = Some(plan);
            }
        } else if inner.starts_with("TAP version ") {
            // What npm prints before the stream is no part of it.
            if self.points > 0 || self.plan.is_some() {
                self.problem(at, "a version line that is not the first");
            }
        } else if let Some(point) = point(inner) {
            self.flush(sink);
            self.point(&point, at);
        }
    }

    fn indented(&mut self, inner: &str) {
        match inner {
            "---" => self.in_yaml = true,
            "..." => self.in_yaml = false,
            line if self.in_yaml => {
                if let Some(open) = &mut self.open
                    && open.message.len() < YAML
                {
                    open.message.push_str(line);
                    open.message.push('\n');
                }
            }
            _ => {}
        }
    }

    fn point(&mut self, point: &Point<'_>, at: Position) {
        // A plan behind points ends the stream; what follows is not of it.
        if self.trailing {
            return self.problem(at, "a test point behind the plan at the end");
        }
        self.points += 1;
        let number = point.number.unwrap_or(self.next + 1);
        self.next = number;
        if self.seen.len() < MOST_NUMBERS && !self.seen.insert(number) {
            self.problem(at, &format!("the number {number} stands twice"));
        }
        let state = match (point.ok, point.directive) {
            (_, Directive::Skip) | (false, Directive::Todo) => State::Skipped,
            (true, _) => State::Passed,
            (false, Directive::None) => State::Failing(FailureKind::Failure),
        };
        self.open = Some(Open {
            at,
            name: point.name.to_owned(),
            state,
            message: String::new(),
        });
    }

    fn flush(&mut self, sink: &mut dyn Sink) {
        let Some(open) = self.open.take() else { return };
        sink.on_case(&Case {
            name: &open.name,
            message: &open.message,
            ..Case::new(open.at, open.state)
        });
    }

    fn problem(&mut self, at: Position, what: &str) {
        if self.problems.len() < 100 {
            self.problems.push((at, what.to_owned()));
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        self.flush(sink);
        let start = Position { line: 1, column: 1 };
        match self.plan {
            _ if self.bailed => {}
            None => self.problem(
                start,
                "there is no plan (`1..N`), so it may have ended early",
            ),
            Some((from, to)) => {
                let planned = (to + 1).saturating_sub(from);
                if planned != self.points {
                    let points = self.points;
                    let what = format!("{planned} tests were planned and {points} reported");
                    self.problem(start, &what);
                } else if let Some(out) = self.seen.iter().find(|n| **n < from || **n > to) {
                    let what = format!("the number {out} is not in the plan {from}..{to}");
                    self.problem(start, &what);
                }
            }
        }
        for (at, message) in &self.problems {
            sink.on_suite_error(&SuiteFault {
                suite: "",
                at: *at,
                message,
            });
        }
    }
}

fn strip_ignoring_case<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let start = line.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &line[prefix.len()..])
}

/// `1..N`, perhaps with a comment.
fn plan(line: &str) -> Option<(u64, u64)> {
    let (from, rest) = line.split_once("..")?;
    let to = rest.split('#').next()?.trim();
    Some((from.trim().parse().ok()?, to.parse().ok()?))
}

#[derive(Clone, Copy, PartialEq)]
enum Directive {
    None,
    Skip,
    Todo,
}

struct Point<'a> {
    ok: bool,
    number: Option<u64>,
    name: &'a str,
    directive: Directive,
}

/// `ok 1 - name # SKIP reason`.
fn point(line: &str) -> Option<Point<'_>> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = match rest[..digits].parse() {
        Ok(number) if rest[digits..].is_empty() || rest[digits..].starts_with([' ', '\t']) => {
            (Some(number), rest[digits..].trim())
        }
        _ => (None, rest),
    };
    let (name, directive) = directive(rest);
    let name = name.strip_prefix("- ").unwrap_or(name).trim();
    Some(Point {
        ok,
        number,
        name,
        directive,
    })
}

/// The last `#` that stands by itself before the word `SKIP`, `SKIPPED` or `TODO`, in any case. In
/// `\#`, `issue#7` and `#skip-content` it is a character of the name.
fn directive(text: &str) -> (&str, Directive) {
    for (at, _) in text.match_indices('#').rev() {
        if at > 0 && !text[..at].ends_with([' ', '\t']) {
            continue;
        }
        let rest = text[at + 1..].trim_start();
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let directive = match rest[..end].to_ascii_lowercase().as_str() {
            "skip" | "skipped" => Directive::Skip,
            "todo" => Directive::Todo,
            _ => continue,
        };
        return (text[..at].trim_end(), directive);
    }
    (text, Directive::None)
}

/// What the first line of a text that is no report looks like.
pub(super) fn first_line(head: &str) -> String {
    clip(head.trim_start().lines().next().unwrap_or_default(), 40)
}
