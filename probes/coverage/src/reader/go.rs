//! Profiles of `go test -coverprofile`: blocks with their number of statements.

use std::io::{BufRead, Read};

use readygate_reports::{Fault, Source, lines};

use super::is_hit;
use crate::model::Report;

pub(super) fn read<R: Read>(source: &mut Source<'_, R>) -> Result<Report, Fault> {
    let mut report = Report {
        format: "go",
        ..Report::default()
    };
    let source: &mut dyn BufRead = source;
    lines::read(source, &mut |line| {
        let text = line.text.trim();
        // Concatenated profiles repeat the mode.
        if text.is_empty() || text.starts_with("mode:") {
            return Ok(());
        }
        if !line.ended && block(text).is_none() {
            return Err(Fault::new("the profile breaks off in this line")
                .hint("the profile is cut off: the test was killed, or the disk was full"));
        }
        let (path, extent, statements, hit) = block(text).ok_or_else(|| {
            let text = readygate_reports::clip(text, 60);
            Fault::new(format!("`{text}` is no block of a Go profile"))
                .hint("a block is FILE:LINE.COLUMN,LINE.COLUMN STATEMENTS COUNT")
        })?;
        report.file(path).block(extent, statements, hit);
        Ok(())
    })?;
    Ok(report)
}

/// `path:1.2,3.4 5 6`.
fn block(text: &str) -> Option<(&str, [u32; 4], u64, bool)> {
    let (rest, count) = text.rsplit_once(' ')?;
    let (rest, statements) = rest.rsplit_once(' ')?;
    let (path, extent) = rest.rsplit_once(':')?;
    let (start, end) = extent.split_once(',')?;
    let place = |text: &str| {
        let (line, column) = text.split_once('.')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    };
    let ((a, b), (c, d)) = (place(start)?, place(end)?);
    Some((path, [a, b, c, d], statements.parse().ok()?, is_hit(count)?))
}
