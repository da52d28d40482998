//! Reads text line by line, in memory that does not grow with the file.

use std::io::{BufRead, Read};

use crate::{Fault, Position, source::fault_of};

/// Longest line that is looked at in full, bytes.
pub const LONGEST: usize = 4 * 1024 * 1024;

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// 1-based.
    pub number: u64,
    /// Without its end (LF or CRLF).
    pub text: &'a str,
    /// Whether more than [`LONGEST`] bytes stood there; `text` is their start.
    pub cut: bool,
    /// Whether a line end follows. Only the last line of a file can lack it.
    pub ended: bool,
}

impl Line<'_> {
    /// The start of the line.
    pub fn at(&self) -> Position {
        Position {
            line: self.number,
            column: 1,
        }
    }
}

/// Tells every line to `each`.
///
/// # Errors
/// What `each` says, at its line; and what is wrong with the file.
pub fn read(
    mut text: impl BufRead,
    each: &mut dyn FnMut(Line<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut buffer = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        let at = Position {
            line: number,
            column: 1,
        };
        buffer.clear();
        let most = LONGEST as u64 + 1;
        let read = (&mut text).take(most).read_until(b'\n', &mut buffer);
        if read.map_err(|e| fault_of(&e).at(at))? == 0 {
            return Ok(());
        }
        let mut ended = buffer.last() == Some(&b'\n');
        let cut = !ended && buffer.len() > LONGEST;
        if cut {
            ended = skip_line(&mut text).map_err(|e| fault_of(&e).at(at))?;
        }
        let end = buffer.len() - usize::from(buffer.last() == Some(&b'\n'));
        let line = &buffer[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = String::from_utf8_lossy(line);
        each(Line {
            number,
            text: &line,
            cut,
            ended,
        })
        .map_err(|fault| fault.at(at))?;
    }
}

/// Skips to the next line; whether there was a line end.
fn skip_line(text: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let chunk = text.fill_buf()?;
        if chunk.is_empty() {
            return Ok(false);
        }
        if let Some(end) = chunk.iter().position(|b| *b == b'\n') {
            text.consume(end + 1);
            return Ok(true);
        }
        let all = chunk.len();
        text.consume(all);
    }
}
