//! Rows of values for scenarios.

use std::{fs::File, io::BufReader, path::Path};

use readygate_sdk::{Cx, ErrorKind, ProbeError};

use crate::{
    engine::spec::{BUILT_IN_VARIABLES, Rows, Step},
    reader::csv::Csv,
};

const MOST_ROWS: usize = 100_000;
const LARGEST: u64 = 16 << 20;

/// Reads a CSV file with a header line, and sees that it has every column that is used.
pub(crate) async fn read(path: &Path, steps: &[Step], cx: &Cx) -> Result<Rows, ProbeError> {
    let (shown, file) = (path.display().to_string(), cx.resolve(path));
    let subject = shown.clone();
    let rows = cx
        .blocking(&subject, "reading the data", move || parse(&shown, &file))
        .await?;
    used(&subject, steps, &rows)?;
    Ok(rows)
}

fn fail(path: &str, message: impl std::fmt::Display) -> ProbeError {
    ProbeError::new(ErrorKind::BadData, path, "reading the data", message)
}

fn parse(path: &str, file: &Path) -> Result<Rows, ProbeError> {
    let opened = File::open(file).map_err(|e| fail(path, e))?;
    let size = opened.metadata().map_err(|e| fail(path, e))?.len();
    if size > LARGEST {
        return Err(fail(path, "larger than 16 MiB").hint("use a part of it"));
    }
    let mut csv = Csv::new(BufReader::new(opened), ',');
    let mut next = || {
        csv.next().map_err(|fault| {
            let place = fault.at.map_or_else(String::new, |at| {
                format!(" at line {}, column {}", at.line, at.column)
            });
            fail(path, format!("{}{place}", fault.reason))
        })
    };
    let Some(head) = next()? else {
        return Err(fail(path, "empty").hint("the first line names the columns"));
    };
    let columns: Vec<String> = head.fields.iter().map(|c| c.trim().to_owned()).collect();
    let mut rows = Vec::new();
    while let Some(record) = next()? {
        if record.fields.len() != columns.len() {
            let message = format!(
                "line {} has {} values, and there are {} columns",
                record.line,
                record.fields.len(),
                columns.len()
            );
            return Err(fail(path, message));
        }
        if rows.len() == MOST_ROWS {
            return Err(fail(path, "more than 100000 rows").hint("use a part of it"));
        }
        rows.push(record.fields);
    }
    if rows.is_empty() {
        return Err(fail(path, "no row below the names of the columns"));
    }
    Ok(Rows { columns, rows })
}

/// A variable that nothing fills would be sent as it is written, and the target would refuse it.
fn used(path: &str, steps: &[Step], rows: &Rows) -> Result<(), ProbeError> {
    let mut known: Vec<&str> = rows.columns.iter().map(String::as_str).collect();
    known.extend(BUILT_IN_VARIABLES);
    for step in steps {
        let headers = step.headers.iter().map(|(_, value)| value);
        let texts = [&step.target].into_iter().chain(&step.body).chain(headers);
        for name in texts.flat_map(|text| text.variables().unwrap_or_default()) {
            if !known.contains(&name) {
                let message = format!("`{{{{{name}}}}}` of `{}` is none of its columns", step.name);
                let hint = format!("the columns are {}", rows.columns.join(", "));
                return Err(fail(path, message).hint(hint));
            }
        }
        known.extend(step.captures.iter().map(|capture| capture.name.as_str()));
    }
    Ok(())
}
