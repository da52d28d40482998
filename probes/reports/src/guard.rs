//! Bounds what the XML parser sees, so that it needs constant memory.
//!
//! quick-xml holds one event at a time: a CDATA section of 1 GB would be 1 GB in memory. Refusing
//! such files would refuse honest reports, since `system-out` holds whatever the tests printed. The
//! guard therefore lexes the text itself and leaves out the rest of long character data, CDATA
//! sections, comments, processing instructions and attribute values. What is markup is never left
//! out; a tag or DOCTYPE that is too long is a fault.
//!
//! On the way it refuses what no XML document may hold and the parser would let pass: control
//! characters (XML 1.0, section 2.2), `<` in attribute values (3.1) and `--` in comments (2.5).

mod doctype;
mod lexer;
mod run;

use std::io::{self, BufRead, Read};

use lexer::{Fate, Lexer, is_continuation};

use crate::{Fault, Position};

pub use run::KEEP;

/// Passes on the text of `inner`, shortened.
pub struct Guard<R> {
    inner: R,
    lexer: Lexer,
    /// Bytes of the inner buffer that were looked at and may be passed on.
    ready: usize,
    /// Put in place of a terminator that was left out with what it ends.
    stand_in: &'static [u8],
    position: Position,
}

impl<R: BufRead> Guard<R> {
    /// Guards what reads `inner`.
    pub fn new(inner: R) -> Self {
        let position = Position { line: 1, column: 1 };
        Self {
            inner,
            lexer: Lexer::default(),
            ready: 0,
            stand_in: b"",
            position,
        }
    }

    /// The place of the next byte that the parser will consume.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The guarded text, behind what was read.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Skips what is left out; afterwards something is ready, or the text has ended.
    fn advance(&mut self) -> io::Result<()> {
        while self.ready == 0 && self.stand_in.is_empty() {
            let chunk = self.inner.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let step = self.lexer.scan(chunk);
            if step.fate == Fate::Keep {
                self.ready = step.length;
            } else {
                self.position.pass(&chunk[..step.length]);
                self.inner.consume(step.length);
                self.stand_in = step.stand_in;
            }
            if let (0, Some(reason)) = (step.length, step.fault) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    Fault::new(reason),
                ));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Guard<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let n = ready.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Guard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        if !self.stand_in.is_empty() {
            return Ok(self.stand_in);
        }
        let chunk = self.inner.fill_buf()?;
        Ok(&chunk[..self.ready.min(chunk.len())])
    }

    fn consume(&mut self, amount: usize) {
        if !self.stand_in.is_empty() {
            self.stand_in = &self.stand_in[amount.min(self.stand_in.len())..];
            return;
        }
        let amount = amount.min(self.ready);
        // The buffer is not empty, so this reads nothing and cannot fail.
        if let Ok(chunk) = self.inner.fill_buf() {
            self.position.pass(&chunk[..amount.min(chunk.len())]);
        }
        self.inner.consume(amount);
        self.ready -= amount;
    }
}

impl Position {
    fn pass(&mut self, bytes: &[u8]) {
        let last = bytes.iter().rposition(|byte| *byte == b'\n');
        let (lines, rest) = bytes.split_at(last.map_or(0, |at| at + 1));
        if last.is_some() {
            self.line += lines.split(|byte| *byte == b'\n').count() as u64 - 1;
            self.column = 1;
        }
        self.column += rest.iter().filter(|byte| !is_continuation(**byte)).count() as u64;
    }
}
