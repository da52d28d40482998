//! Clover XML, as OpenClover, PHPUnit and Istanbul write it. It counts statements.

use readygate_reports::{Fault, Started, xml::Element};

use super::{epoch, is_hit, xml::Reader};
use crate::model::{Count, Counts, FileCoverage, Report};

pub(super) struct Clover {
    report: Report,
    package: String,
    file: Option<File>,
}

/// The file that is open.
#[derive(Default)]
struct File {
    path: String,
    statements: FileCoverage,
    /// Sides of conditions that were taken and not, as Istanbul writes them.
    sides: std::collections::BTreeMap<u32, Count>,
    /// Lines of conditions, which are statements in some dialects and not in others.
    conditions: FileCoverage,
    summary: Counts,
}

impl Clover {
    pub(super) fn new(generated: Option<&str>) -> Self {
        let started: Option<Started> = generated.and_then(|text| epoch(text.trim().parse().ok()?));
        Self {
            report: Report {
                format: "clover",
                carries_branches: true,
                carries_functions: true,
                started,
                ..Report::default()
            },
            package: String::new(),
            file: None,
        }
    }

    fn line(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let number: Option<u32> = element.get("num").and_then(|n| n.trim().parse().ok());
        let Some(number) = number else {
            return Err(Fault::new("a line without a number"));
        };
        let hit = |name: &str| element.get(name).and_then(is_hit);
        match element.get("type") {
            Some("method") => {
                let name = element.get("name").or(element.get("signature"));
                let key = format!("{number} {}", name.unwrap_or_default());
                file.statements.function(key, hit("count").unwrap_or(false));
            }
            Some("cond") => {
                let (yes, no) = (hit("truecount"), hit("falsecount"));
                let taken = [yes, no].map(|side| side.unwrap_or(false));
                let any = hit("count").unwrap_or(taken[0] || taken[1]);
                file.conditions.line(number, any);
                file.statements.branch(number, "true", taken[0]);
                file.statements.branch(number, "false", taken[1]);
                let sides = |name| element.get(name).and_then(|n| n.trim().parse().ok());
                if let (Some(yes), Some(no)) = (sides("truecount"), sides("falsecount")) {
                    let all = u64::saturating_add(yes, no);
                    file.sides
                        .entry(number)
                        .or_default()
                        .add(Count::new(yes, all));
                }
            }
            _ => file.statements.line(number, hit("count").unwrap_or(false)),
        }
        Ok(())
    }
}

/// The counts of a `metrics` element.
fn metrics(element: &Element<'_>) -> Counts {
    let get = |name: &str| element.get(name).and_then(|n| n.trim().parse::<u64>().ok());
    let count = |covered: &str, total: &str| Some(Count::new(get(covered)?, get(total)?));
    Counts {
        lines: count("coveredstatements", "statements"),
        branches: count("coveredconditionals", "conditionals"),
        functions: count("coveredmethods", "methods"),
    }
}

impl Reader for Clover {
    fn start(&mut self, element: &Element<'_>, above: &[String]) -> Result<(), Fault> {
        match (element.name, above.last().map(String::as_str)) {
            ("package", _) => {
                let name = element.get("name").unwrap_or_default();
                name.clone_into(&mut self.package);
            }
            ("file", _) => {
                let name = element.get("name").unwrap_or_default();
                let path = match element.get("path").filter(|path| !path.trim().is_empty()) {
                    Some(path) => path.to_owned(),
                    None if self.package.is_empty() || name.contains(['/', '\\']) => {
                        name.to_owned()
                    }
                    None => format!("{}/{name}", self.package.replace('.', "/")),
                };
                self.file = Some(File {
                    path,
                    ..File::default()
                });
            }
            ("metrics", Some("project")) => {
                self.report.totals = self.report.totals.sum(metrics(element));
            }
            ("metrics", Some("file")) => {
                if let Some(file) = &mut self.file {
                    file.summary = metrics(element);
                }
            }
            ("line", _) => self.line(element)?,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match name {
            "package" => self.package.clear(),
            "file" => {
                let Some(mut file) = self.file.take() else {
                    return;
                };
                let claimed = file.summary.lines.map(|count| count.total);
                if claimed != Some(file.statements.lines.len() as u64) {
                    file.statements.merge(file.conditions);
                }
                // Clover counts how often a condition was true and false; Istanbul writes into the
                // same attributes how many branches were taken and how many were not.
                let mut sides = Count::default();
                file.sides.values().for_each(|count| sides.add(*count));
                if file.summary.branches == Some(sides) {
                    file.statements.branches.clear();
                    file.statements.branch_counts = file.sides;
                }
                file.statements.summary = file.summary;
                self.report.file(&file.path).merge(file.statements);
            }
            _ => {}
        }
    }

    fn finish(self: Box<Self>) -> Result<Report, Fault> {
        Ok(self.report)
    }
}
