//! Reads JSON documents with a bound on their size and places for what is wrong.

use std::io::Read;

use serde::de::DeserializeOwned;

use crate::{Fault, Position, source::fault_of};

/// Reads a whole document of at most `most` bytes, decoded. Nesting is bounded by the parser (128).
///
/// # Errors
/// What is wrong with the file, with line and column.
pub fn document<T: DeserializeOwned>(text: impl Read, most: u64) -> Result<T, Fault> {
    let mut all = String::new();
    text.take(most + 1)
        .read_to_string(&mut all)
        .map_err(|e| fault_of(&e))?;
    if all.len() as u64 > most {
        let mib = most / (1024 * 1024);
        return Err(Fault::new(format!("it is larger than {mib} MiB"))
            .hint("write several smaller reports, or another format"));
    }
    parse(&all)
}

/// Reads a document that is in memory.
///
/// # Errors
/// As [`document`].
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| explain(&e))
}

/// A parser's error as a fault.
pub fn explain(error: &serde_json::Error) -> Fault {
    let full = error.to_string();
    let reason = full
        .rsplit_once(" at line ")
        .map_or(full.as_str(), |(reason, _)| reason);
    let fault = if error.is_eof() {
        Fault::new(format!("the JSON breaks off: {reason}"))
            .hint("the report is cut off: its writer was killed, or the disk was full")
    } else if error.is_data() {
        Fault::new(format!(
            "the JSON is not of the shape that was expected: {reason}"
        ))
    } else {
        Fault::new(format!("not JSON: {reason}"))
    };
    fault.at(Position {
        line: error.line().max(1) as u64,
        column: error.column().max(1) as u64,
    })
}
