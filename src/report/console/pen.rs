//! Marks and colours. A colour never says what a mark or a word does not say too.

use anstyle::{AnsiColor, Effects, Style as Ansi};

use super::layout;
use crate::{
    record::{GateRecord, Outcome, Verdict},
    report::Style,
};

/// What stands before a gate or a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Passed,
    Flaky,
    Waived,
    Warned,
    Noted,
    Failed,
    Unknown,
    Pending,
    Skipped,
}

impl Mark {
    /// The mark of a gate: `✗` only where it keeps the run from GO.
    pub fn of(gate: &GateRecord) -> Self {
        match gate.standing() {
            Outcome::Passed if gate.is_waived() => Self::Waived,
            Outcome::Passed if gate.flaky => Self::Flaky,
            Outcome::Passed if gate.warnings().next().is_some() => Self::Warned,
            Outcome::Passed => Self::Passed,
            Outcome::Failed if gate.severity.blocks() => Self::Failed,
            Outcome::Failed => Self::Warned,
            Outcome::Unmeasured => Self::Unknown,
            Outcome::Pending => Self::Pending,
            Outcome::Skipped => Self::Skipped,
        }
    }

    const fn glyph(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Passed, false) => "✓",
            (Self::Passed, true) => "ok",
            (Self::Flaky | Self::Waived, _) => "~",
            (Self::Warned, _) => "!",
            (Self::Noted, _) => "i",
            (Self::Failed, false) => "✗",
            (Self::Failed, true) => "FAIL",
            (Self::Unknown, _) => "?",
            (Self::Pending, false) => "○",
            (Self::Pending, true) => "wait",
            (Self::Skipped, false) => "–",
            (Self::Skipped, true) => "-",
        }
    }

    const fn ansi(self) -> Ansi {
        match self {
            Self::Passed => color(AnsiColor::Green),
            Self::Failed => color(AnsiColor::Red).bold(),
            Self::Flaky | Self::Waived | Self::Warned | Self::Unknown | Self::Pending => {
                color(AnsiColor::Yellow)
            }
            Self::Noted | Self::Skipped => Ansi::new().effects(Effects::DIMMED),
        }
    }
}

const fn color(color: AnsiColor) -> Ansi {
    Ansi::new().fg_color(Some(anstyle::Color::Ansi(color)))
}

/// A style and what it means for the page.
#[derive(Debug, Clone, Copy)]
pub struct Pen {
    style: Style,
}

impl Pen {
    pub const fn new(style: &Style) -> Self {
        Self { style: *style }
    }

    /// Columns of the page; a page of less than 40 is no page.
    pub fn width(self) -> usize {
        self.style.width.max(40)
    }

    pub const fn verbose(self) -> bool {
        self.style.verbose
    }

    /// A limit, unless the reader asked for everything.
    pub const fn at_most(self, limit: usize) -> usize {
        if self.style.verbose {
            usize::MAX - 1
        } else {
            limit
        }
    }

    /// Columns that a mark and the space after it take.
    pub const fn indent(self) -> usize {
        if self.style.ascii { 5 } else { 2 }
    }

    const fn separator(self) -> &'static str {
        if self.style.ascii { " | " } else { " · " }
    }

    pub const fn ellipsis(self) -> &'static str {
        if self.style.ascii { "..." } else { "…" }
    }

    /// The mark with the space after it.
    pub fn mark(self, mark: Mark) -> String {
        let glyph = mark.glyph(self.style.ascii);
        let gap = " ".repeat(self.indent().saturating_sub(layout::width(glyph)));
        format!("{}{gap}", self.paint(mark.ansi(), glyph))
    }

    pub fn bold(self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    pub fn dim(self, text: &str) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    pub fn verdict(self, verdict: Verdict) -> String {
        let ansi = match verdict {
            Verdict::Go | Verdict::GoWithWaivers => color(AnsiColor::Green),
            Verdict::NoGo => color(AnsiColor::Red),
            Verdict::Inconclusive | Verdict::Pending => color(AnsiColor::Yellow),
        };
        self.paint(ansi.bold(), verdict.name())
    }

    fn paint(self, ansi: Ansi, text: &str) -> String {
        if self.style.color && !text.is_empty() {
            format!("{ansi}{text}{ansi:#}")
        } else {
            text.to_owned()
        }
    }

    pub fn cut(self, text: &str, max: usize) -> String {
        layout::cut(text, max, self.ellipsis())
    }

    pub fn join(self, parts: &[String], max: usize) -> Vec<String> {
        layout::join(parts, self.separator(), max)
    }

    pub fn wrap(self, text: &str, max: usize, lines: usize) -> Vec<String> {
        layout::wrap(text, max, self.at_most(lines), self.ellipsis())
    }
}

/// A duration as people say it: `184 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 and a year"
)]
pub fn duration(seconds: f64) -> String {
    let whole = seconds.clamp(0.0, 31_536_000.0).round() as u64;
    match seconds {
        s if s >= 3599.5 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        s if s >= 59.95 => format!("{} min {} s", whole / 60, whole % 60),
        s if s >= 0.9995 => format!("{s:.1} s"),
        s => format!("{:.0} ms", s.max(0.0) * 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (seconds, text) in [
            (0.0, "0 ms"),
            (0.184, "184 ms"),
            (0.9996, "1.0 s"),
            (12.34, "12.3 s"),
            (59.99, "1 min 0 s"),
            (200.4, "3 min 20 s"),
            (7500.0, "2 h 5 min"),
            (f64::NAN, "0 ms"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
