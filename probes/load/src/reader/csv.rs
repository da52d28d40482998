//! Reads CSV (RFC 4180) record by record, whatever the delimiter.

use std::io::{BufRead, Read as _};

use readygate_reports::{Fault, Position, fault_of};

/// Longest record, bytes.
const LONGEST: u64 = 1024 * 1024;

/// A file being read.
pub(crate) struct Csv<R> {
    text: R,
    delimiter: char,
    line: u64,
}

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    /// 1-based line that it starts on.
    pub line: u64,
    pub fields: Vec<String>,
    /// Whether a line end follows.
    pub ended: bool,
}

impl Record {
    pub(crate) fn at(&self) -> Position {
        Position {
            line: self.line,
            column: 1,
        }
    }
}

impl<R: BufRead> Csv<R> {
    pub(crate) fn new(text: R, delimiter: char) -> Self {
        Self {
            text,
            delimiter,
            line: 1,
        }
    }

    /// The next record that is not empty; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, Fault> {
        loop {
            let line = self.line;
            let at = Position { line, column: 1 };
            let mut raw = String::new();
            let mut open = false;
            loop {
                let before = raw.len();
                let left = LONGEST.saturating_sub(raw.len() as u64);
                let read = (&mut self.text).take(left).read_line(&mut raw);
                let n = read.map_err(|e| fault_of(&e).at(at))?;
                self.line += u64::from(raw.ends_with('\n'));
                // Only what is new: a record of many lines would be counted over and over.
                open ^= raw[before..].matches('"').count() % 2 == 1;
                if n == 0 && left == 0 {
                    return Err(Fault::new("a record is longer than 1 MiB").at(at));
                }
                if n == 0 && open {
                    return Err(super::cut("the closing quote of this record").at(at));
                }
                if n == 0 || !open {
                    break;
                }
            }
            if raw.is_empty() {
                return Ok(None);
            }
            let ended = raw.ends_with('\n');
            let record = raw.trim_end_matches(['\n', '\r']);
            if !record.trim().is_empty() {
                return Ok(Some(Record {
                    line,
                    fields: split(record, self.delimiter),
                    ended,
                }));
            }
        }
    }
}

fn split(record: &str, delimiter: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = record.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            c if c == delimiter && !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}

/// A table with a header.
pub(crate) struct Table<R> {
    csv: Csv<R>,
    columns: Vec<String>,
}

/// A row with its columns.
pub(crate) struct Row<'t> {
    columns: &'t [String],
    pub record: Record,
}

impl Row<'_> {
    /// The field of a column; `None` where it is missing or empty.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|c| c == column)?;
        let field = self.record.fields.get(index)?.trim();
        (!field.is_empty()).then_some(field)
    }

    /// The number of a column.
    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        let number: f64 = self.get(column)?.parse().ok()?;
        number.is_finite().then_some(number)
    }

    /// The number of a column that must have one.
    pub(crate) fn need(&self, column: &str) -> Result<f64, Fault> {
        let wrong = || Fault::new(format!("`{column}` is no number")).at(self.record.at());
        self.number(column).filter(|n| *n >= 0.0).ok_or_else(wrong)
    }

    /// The count of a column that must have one.
    pub(crate) fn count(&self, column: &str) -> Result<u64, Fault> {
        Ok(super::json::to_count(self.need(column)?).unwrap_or(u64::MAX))
    }
}

impl<R: BufRead> Table<R> {
    /// Reads the header.
    pub(crate) fn open(text: R, delimiter: char) -> Result<Self, Fault> {
        let mut csv = Csv::new(text, delimiter);
        let header = csv.next()?;
        let header = header.ok_or_else(|| Fault::new("there is no header"))?;
        let columns = header.fields.iter();
        Ok(Self {
            csv,
            columns: columns.map(|c| c.trim().to_owned()).collect(),
        })
    }

    /// A table whose header is known.
    pub(crate) fn without_header(text: R, delimiter: char, columns: Vec<String>) -> Self {
        Self {
            csv: Csv::new(text, delimiter),
            columns,
        }
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row, which must have as many fields as the header.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, Fault> {
        let Some(record) = self.csv.next()? else {
            return Ok(None);
        };
        let (has, wants) = (record.fields.len(), self.columns.len());
        if has < wants && !record.ended {
            return Err(super::cut("the rest of the last row").at(record.at()));
        }
        if has != wants {
            let reason = format!("the row has {has} fields, and the header {wants}");
            return Err(Fault::new(reason).at(record.at()));
        }
        Ok(Some(Row {
            columns: &self.columns,
            record,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_many_lines_is_read_once() {
        // Half a million lines in one field: counted anew for each, this takes minutes.
        let text = format!("a,\"{}\"\nb,c\n", "\n".repeat(500_000));
        let mut csv = Csv::new(text.as_bytes(), ',');
        let first = csv.next().unwrap().unwrap();
        assert_eq!((first.fields.len(), first.fields[1].len()), (2, 500_000));
        let second = csv.next().unwrap().unwrap();
        assert_eq!((second.line, second.fields.len()), (500_002, 2));
        assert!(csv.next().unwrap().is_none());
    }
}
