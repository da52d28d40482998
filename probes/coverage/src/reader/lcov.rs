//! LCOV tracefiles (geninfo(1)), of lcov 1 and 2 and of the many tools that write them.

use std::io::{BufRead, Read};

use readygate_reports::{Fault, Source, lines};

use super::is_hit;
use crate::model::{FileCoverage, Report};

/// Whether a first line is one of a tracefile.
pub(super) fn starts(line: &str) -> bool {
    ["TN:", "SF:"].iter().any(|tag| line.starts_with(tag)) || line.starts_with("# ")
}

/// The record that is open.
#[derive(Default)]
struct Record {
    file: FileCoverage,
    /// Functions of lcov 2 by index.
    leaders: std::collections::BTreeMap<String, String>,
}

pub(super) fn read<R: Read>(source: &mut Source<'_, R>) -> Result<Report, Fault> {
    let mut report = Report {
        format: "lcov",
        carries_branches: true,
        carries_functions: true,
        ..Report::default()
    };
    let mut open: Option<(String, Record)> = None;
    let source: &mut dyn BufRead = source;
    lines::read(source, &mut |line| {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(());
        }
        if text == "end_of_record" {
            close(&mut report, open.take());
            return Ok(());
        }
        let (tag, value) = text.split_once(':').ok_or_else(|| broken(text))?;
        match tag {
            "TN" | "VER" => Ok(()),
            "SF" => {
                close(&mut report, open.take());
                open = Some((value.to_owned(), Record::default()));
                Ok(())
            }
            _ => match &mut open {
                Some((_, record)) => record.entry(tag, value).ok_or_else(|| broken(text)),
                None => Err(Fault::new(format!("`{tag}:` stands outside of a record"))
                    .hint("a record starts with SF: and ends with end_of_record")),
            },
        }
    })?;
    if let Some((path, _)) = &open {
        return Err(Fault::new(format!("the record of {path} has no end"))
            .hint("the report is cut off: its writer was killed, or the disk was full"));
    }
    Ok(report)
}

fn broken(line: &str) -> Fault {
    let line = readygate_reports::clip(line, 60);
    Fault::new(format!("`{line}` is no line of an LCOV tracefile"))
}

fn close(report: &mut Report, record: Option<(String, Record)>) {
    if let Some((path, record)) = record {
        report.file(&path).merge(record.file);
    }
}

impl Record {
    fn entry(&mut self, tag: &str, value: &str) -> Option<()> {
        match tag {
            "DA" => {
                let mut parts = value.split(',');
                let line = parts.next()?.trim().parse().ok()?;
                self.file.line(line, is_hit(parts.next()?)?);
            }
            "BRDA" => {
                let (line, rest) = value.split_once(',')?;
                let (key, taken) = rest.rsplit_once(',')?;
                // `-`: the block was never reached.
                let taken = taken.trim() != "-" && is_hit(taken)?;
                self.file.branch(line.trim().parse().ok()?, key, taken);
            }
            "FN" => {
                let (_, rest) = value.split_once(',')?;
                let name = match rest.split_once(',') {
                    Some((end, name)) if end.trim().parse::<u32>().is_ok() => name,
                    _ => rest,
                };
                self.file.function(name, false);
            }
            "FNDA" => {
                let (hits, name) = value.split_once(',')?;
                self.file.function(name, is_hit(hits)?);
            }
            "FNL" => {
                let (index, place) = value.split_once(',')?;
                self.leaders.insert(index.to_owned(), place.to_owned());
            }
            "FNA" => {
                let (index, rest) = value.split_once(',')?;
                let (hits, name) = rest.split_once(',')?;
                // Aliases of one function, such as instances of a template, are one function.
                let key = self.leaders.get(index).map_or(name, String::as_str);
                self.file.function(key.to_owned(), is_hit(hits)?);
            }
            // LF, LH and the like are recounted, since they are often stale; MC/DC; and whatever later versions add.
            tag if tag.chars().all(|c| c.is_ascii_uppercase()) => {}
            _ => return None,
        }
        Some(())
    }
}
