//! Reads one report of any format, which its content decides.

mod clover;
mod cobertura;
mod go;
mod istanbul;
mod jacoco;
mod json;
mod lcov;
mod llvm;
mod python;
mod simplecov;
mod xml;

#[cfg(test)]
mod tests;

use std::io::Read;

use readygate_reports::{Fault, Source};

use crate::{config::Format, model::Report};

/// Reads a report; `named` is the format that the config wants.
pub(crate) fn read<R: Read>(
    source: &mut Source<'_, R>,
    named: Option<Format>,
) -> Result<Report, Fault> {
    let head = source.head().trim_start();
    let first = head.lines().next().unwrap_or_default();
    let report = match head.as_bytes().first() {
        Some(b'<') => xml::read(source)?,
        Some(b'{' | b'[') => json::read(source)?,
        _ if first.starts_with("mode:") => go::read(source)?,
        _ if lcov::starts(first) => lcov::read(source)?,
        _ => {
            let start = readygate_reports::clip(first, 40);
            return Err(Fault::new(format!(
                "this is no coverage report of a known format; it starts with `{start}`"
            ))
            .hint("write lcov, Cobertura, JaCoCo, Clover or one of the JSON formats"));
        }
    };
    match named.filter(|named| named.name() != report.format) {
        None => Ok(report),
        Some(named) => Err(Fault::new(format!(
            "`format` names {}, and this is {}",
            named.name(),
            report.format
        ))
        .hint("correct `format`, leave it out, or correct the pattern")),
    }
}

/// A count of executions: at least one? Tools write numbers beyond 64 bits, `1e3`, and negative
/// ones after an overflow. `None` for what is no number.
fn is_hit(text: &str) -> Option<bool> {
    let count: f64 = text.trim().parse().ok()?;
    (!count.is_nan()).then_some(count > 0.0)
}

/// A time in seconds or milliseconds since 1970, as both are written.
fn epoch(number: f64) -> Option<readygate_reports::Started> {
    let seconds = if number.abs() >= 1e11 {
        number / 1e3
    } else {
        number
    };
    if !(1.0..=1e11).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let at = jiff::Timestamp::from_second(seconds as i64).ok()?;
    Some(readygate_reports::Started {
        at,
        zoneless: false,
    })
}
