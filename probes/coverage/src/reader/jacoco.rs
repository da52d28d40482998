//! JaCoCo XML (`report.dtd` 1.1).

use readygate_reports::{Fault, xml::Element};

use super::{epoch, xml::Reader};
use crate::model::{Count, Counts, Report};

pub(super) struct Jacoco {
    report: Report,
    groups: Vec<String>,
    package: String,
    file: Option<String>,
}

impl Default for Jacoco {
    fn default() -> Self {
        Self {
            report: Report {
                format: "jacoco",
                carries_branches: true,
                carries_functions: true,
                ..Report::default()
            },
            groups: Vec::new(),
            package: String::new(),
            file: None,
        }
    }
}

fn number(element: &Element<'_>, name: &str) -> Option<u64> {
    element.get(name)?.trim().parse().ok()
}

impl Jacoco {
    fn line(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let line = element.get("nr").and_then(|n| n.trim().parse().ok());
        let (Some(line), Some(instructions)) = (line, number(element, "ci")) else {
            return Err(Fault::new("a line without a number or without `ci`"));
        };
        let file = self.report.files.entry(path.clone()).or_default();
        file.line(line, instructions > 0);
        let (missed, covered) = (number(element, "mb"), number(element, "cb"));
        if let (Some(missed), Some(covered)) = (missed, covered)
            && missed.saturating_add(covered) > 0
        {
            file.branch_count(line, Count::new(covered, covered.saturating_add(missed)));
        }
        Ok(())
    }

    fn counter(&mut self, element: &Element<'_>, inside: Option<&str>) -> Result<(), Fault> {
        let counts = match (inside, &self.file) {
            (Some("report"), _) => &mut self.report.totals,
            (Some("sourcefile"), Some(path)) => {
                &mut self.report.files.entry(path.clone()).or_default().summary
            }
            _ => return Ok(()),
        };
        let (missed, covered) = (number(element, "missed"), number(element, "covered"));
        let (Some(missed), Some(covered)) = (missed, covered) else {
            return Err(Fault::new("a counter without `missed` or `covered`"));
        };
        let count = Some(Count::new(covered, covered.saturating_add(missed)));
        match element.get("type") {
            Some("LINE") => counts.lines = count,
            Some("BRANCH") => counts.branches = count,
            Some("METHOD") => counts.functions = count,
            _ => {}
        }
        Ok(())
    }
}

impl Reader for Jacoco {
    fn start(&mut self, element: &Element<'_>, above: &[String]) -> Result<(), Fault> {
        let name = || element.get("name").unwrap_or_default().to_owned();
        match element.name {
            "sessioninfo" => {
                let at = element
                    .get("dump")
                    .and_then(|n| epoch(n.trim().parse().ok()?));
                let both = self.report.started.into_iter().chain(at);
                self.report.started = both.min_by_key(|started| started.at);
            }
            "group" => self.groups.push(name()),
            "package" => self.package = name(),
            "sourcefile" => {
                // Modules may have files of the same name; a report of one module has no group.
                let parts = self.groups.iter().chain([&self.package]);
                let parts: Vec<&str> = parts.map(String::as_str).collect();
                let path = format!("{}/{}", parts.join("/"), name());
                self.report.file(&path);
                self.file = Some(path);
            }
            "line" => self.line(element)?,
            "counter" => self.counter(element, above.last().map(String::as_str))?,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match name {
            "sourcefile" => self.file = None,
            "group" => {
                self.groups.pop();
            }
            _ => {}
        }
    }

    fn finish(self: Box<Self>) -> Result<Report, Fault> {
        let lines = self
            .report
            .files
            .values()
            .any(|file| !file.lines.is_empty());
        if lines && self.report.totals == Counts::default() {
            return Err(
                Fault::new("there are lines, and no counters of the whole report")
                    .hint("the report was cut or merged by hand; let JaCoCo write it"),
            );
        }
        Ok(self.report)
    }
}
