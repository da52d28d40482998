//! The output of Nagios and Icinga plugins: a status line, and performance data.
//!
//! Source: Monitoring Plugins Development Guidelines,
//! <https://www.monitoring-plugins.org/doc/guidelines.html>.

use std::str::FromStr;

use readygate_sdk::{Unit, excerpt};

use crate::{PerfDatum, PluginRecord};

const MOST_DATA: usize = 1000;
const MOST_MALFORMED: usize = 20;

/// Reads what a plugin printed.
///
/// Performance data stand after the first `|` of the first line, and after the first `|` of the
/// lines below it; once begun there, they go on to the end.
pub fn parse(output: &str) -> PluginRecord {
    let (first, rest) = output.split_once('\n').unwrap_or((output, ""));
    let (summary, mut data) = match first.split_once('|') {
        Some((summary, data)) => (summary, data.to_owned()),
        None => (first, String::new()),
    };
    if let Some((_, more)) = rest.split_once('|') {
        data.push(' ');
        data.push_str(more);
    }
    let mut record = PluginRecord {
        summary: excerpt(summary.trim(), 1000),
        ..PluginRecord::default()
    };
    read_data(&data, &mut record);
    record
}

fn read_data(data: &str, record: &mut PluginRecord) {
    let mut rest = data.trim_start();
    while !rest.is_empty() {
        let (part, next) = split_datum(rest);
        match datum(part) {
            Ok(datum) if record.perfdata.len() < MOST_DATA => record.perfdata.push(datum),
            Ok(_) => malformed(record, "more than a thousand values"),
            Err(problem) => malformed(record, &format!("{}: {problem}", excerpt(part, 100))),
        }
        rest = next.trim_start();
    }
}

fn malformed(record: &mut PluginRecord, problem: &str) {
    if record.malformed.len() < MOST_MALFORMED {
        record.malformed.push(problem.to_owned());
    }
}

/// Cuts off the first datum: up to white space outside of quotes.
fn split_datum(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return text.split_at(at),
            _ => {}
        }
    }
    if quoted {
        // A quote that never closes would swallow all the rest.
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return text.split_at(end);
    }
    (text, "")
}

fn datum(text: &str) -> Result<PerfDatum, String> {
    let (label, values) = label_of(text)?;
    if label.trim().is_empty() {
        return Err("the label is empty".to_owned());
    }
    let mut fields = values.split(';');
    let (value, unit) = value_and_unit(fields.next().unwrap_or_default())?;
    let mut field = || fields.next().filter(|text| !text.is_empty());
    let (warn, crit, min, max) = (field(), field(), field(), field());
    for range in [warn, crit].into_iter().flatten() {
        range.parse::<Range>()?;
    }
    let bound = |text: Option<&str>| text.map(finite).transpose();
    Ok(PerfDatum {
        label,
        value,
        unit,
        warn: warn.map(str::to_owned),
        crit: crit.map(str::to_owned),
        min: bound(min)?,
        max: bound(max)?,
    })
}

fn label_of(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let (label, values) = text.split_once('=').ok_or("no `=`")?;
        return Ok((label.to_owned(), values));
    };
    let end = closing_quote(quoted).ok_or("the quote of the label is not closed")?;
    let values = quoted[end + 1..]
        .strip_prefix('=')
        .ok_or("no `=` after the label")?;
    Ok((quoted[..end].replace("''", "'"), values))
}

fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn value_and_unit(text: &str) -> Result<(Option<f64>, String), String> {
    if text == "U" {
        return Ok((None, String::new()));
    }
    let end = number_end(text);
    let (value, unit) = text.split_at(end);
    let value = finite(value)?;
    // `0,5` would read as 0 in a unit `,5`.
    if unit.contains(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | '\'' | '=')) {
        return Err(format!("`{text}` is not a value with a unit"));
    }
    Ok((Some(value), unit.to_owned()))
}

/// Where the number at the start of a text ends; `1.2e-05s` has an exponent, `5e` a unit.
fn number_end(text: &str) -> usize {
    let digits = |from: usize| {
        let part = &text.as_bytes()[from..];
        from + part
            .iter()
            .take_while(|b| b.is_ascii_digit() || **b == b'.')
            .count()
    };
    let end = digits(usize::from(text.starts_with(['-', '+'])));
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let start = end + 1 + usize::from(exponent.starts_with(['-', '+']));
        let after = digits(start);
        if after > start {
            return after;
        }
    }
    end
}

fn finite(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|n: &f64| n.is_finite())
        .ok_or_else(|| format!("`{text}` is not a number"))
}

/// A range of values, `[@]start:end`: an alert outside of it, or with `@` inside, bounds included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    inside: bool,
}

impl Range {
    /// Whether this value is an alert.
    pub fn alerts(&self, value: f64) -> bool {
        (self.start..=self.end).contains(&value) == self.inside
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (inside, bounds) = match text.strip_prefix('@') {
            Some(bounds) => (true, bounds),
            None => (false, text),
        };
        let (start, end) = match bounds.split_once(':') {
            Some((start, end)) => (start, end),
            None => ("", bounds),
        };
        let start = match start {
            "" => 0.0,
            "~" => f64::NEG_INFINITY,
            number => finite(number)?,
        };
        let end = match end {
            "" => f64::INFINITY,
            number => finite(number)?,
        };
        if bounds.is_empty() || start > end {
            return Err(format!("`{text}` is not a range"));
        }
        Ok(Self { start, end, inside })
    }
}

/// A value in a base unit of ours. Sizes are decimal, as in `expect`, so that `500MB` printed and
/// `500MB` expected are the same; a unit that is none of ours stays a plain number.
pub fn in_base_unit(value: f64, unit: &str) -> (f64, Unit) {
    let (factor, base) = match unit {
        "s" => (1.0, Unit::Seconds),
        "ms" => (1e-3, Unit::Seconds),
        "us" | "µs" => (1e-6, Unit::Seconds),
        "ns" => (1e-9, Unit::Seconds),
        "%" => (1.0, Unit::Percent),
        "B" => (1.0, Unit::Bytes),
        "KB" | "kB" => (1e3, Unit::Bytes),
        "MB" => (1e6, Unit::Bytes),
        "GB" => (1e9, Unit::Bytes),
        "TB" => (1e12, Unit::Bytes),
        "PB" => (1e15, Unit::Bytes),
        "KiB" => (1_024.0, Unit::Bytes),
        "MiB" => (1_048_576.0, Unit::Bytes),
        "GiB" => (1_073_741_824.0, Unit::Bytes),
        "TiB" => (1_099_511_627_776.0, Unit::Bytes),
        _ => (1.0, Unit::Count),
    };
    (value * factor, base)
}

#[cfg(test)]
mod tests;
