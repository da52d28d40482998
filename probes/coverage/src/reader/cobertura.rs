//! Cobertura XML, as Cobertura, coverage.py, gcovr, coverlet, PHPUnit and many others write it.
//!
//! The lines of classes count, each line of a file once; the rates in attributes are rounded, and
//! often of something else.

use readygate_reports::{Fault, xml::Element};

use super::{epoch, is_hit, xml::Reader};
use crate::model::{Count, FileCoverage, Report};

#[derive(Default)]
pub(super) struct Cobertura {
    report: Report,
    class: Option<Class>,
    root: Option<String>,
}

/// The class that is open.
#[derive(Default)]
struct Class {
    name: String,
    path: String,
    own: FileCoverage,
    /// Lines of its methods, for writers that list them nowhere else.
    of_methods: FileCoverage,
    method: Option<(String, bool, bool)>,
}

impl Cobertura {
    pub(super) fn new() -> Self {
        Self {
            report: Report {
                format: "cobertura",
                ..Report::default()
            },
            ..Self::default()
        }
    }

    /// Takes the `timestamp` of the root.
    pub(super) fn made(&mut self, timestamp: Option<&str>) {
        let Some(text) = timestamp else { return };
        self.report.started = match text.trim().parse() {
            Ok(number) => epoch(number),
            Err(_) => readygate_reports::started(text),
        };
    }

    pub(super) fn finish_boxed(self) -> Result<Report, Fault> {
        Box::new(self).finish()
    }

    fn line(&mut self, element: &Element<'_>, in_method: bool) -> Result<(), Fault> {
        let Some(class) = &mut self.class else {
            return Ok(());
        };
        let number = element.get("number").and_then(|n| n.trim().parse().ok());
        let hit = element.get("hits").and_then(is_hit);
        let (Some(number), Some(hit)) = (number, hit) else {
            return Err(Fault::new("a line without a number or without hits"));
        };
        let file = if in_method {
            if let Some((_, any, some)) = &mut class.method {
                *any |= hit;
                *some = true;
            }
            &mut class.of_methods
        } else {
            &mut class.own
        };
        file.line(number, hit);
        if let Some(count) = element.get("condition-coverage").and_then(conditions) {
            self.report.carries_branches = true;
            file.branch_count(number, count);
        }
        Ok(())
    }
}

/// `50% (1/2)`.
fn conditions(text: &str) -> Option<Count> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let (covered, total) = inside.split_once('/')?;
    Some(Count::new(
        covered.trim().parse().ok()?,
        total.trim().parse().ok()?,
    ))
}

impl Reader for Cobertura {
    fn start(&mut self, element: &Element<'_>, above: &[String]) -> Result<(), Fault> {
        match element.name {
            "source" => self.root = Some(String::new()),
            "class" => {
                let get = |name| element.get(name).unwrap_or_default().to_owned();
                let path = match element.get("filename") {
                    Some(path) if !path.trim().is_empty() => path.to_owned(),
                    _ => get("name"),
                };
                self.class = Some(Class {
                    name: get("name"),
                    path,
                    ..Class::default()
                });
            }
            "method" => {
                if let Some(class) = &mut self.class {
                    let get = |name| element.get(name).unwrap_or_default();
                    let key = format!("{}.{}{}", class.name, get("name"), get("signature"));
                    class.method = Some((key, false, false));
                }
            }
            "line" => {
                let in_method = above.iter().rev().take(3).any(|name| name == "method");
                self.line(element, in_method)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match name {
            "source" => self.report.roots.extend(self.root.take()),
            "method" => {
                if let Some(class) = &mut self.class
                    && let Some((key, hit, true)) = class.method.take()
                {
                    self.report.carries_functions = true;
                    class.own.function(key, hit);
                }
            }
            "class" => {
                let Some(mut class) = self.class.take() else {
                    return;
                };
                if class.own.lines.is_empty() {
                    class.own.merge(class.of_methods);
                }
                self.report.file(&class.path).merge(class.own);
            }
            _ => {}
        }
    }

    fn text(&mut self, piece: &str, inside: &str) {
        if let ("source", Some(root)) = (inside, &mut self.root) {
            root.push_str(piece.trim());
        }
    }

    fn finish(self: Box<Self>) -> Result<Report, Fault> {
        Ok(self.report)
    }
}
